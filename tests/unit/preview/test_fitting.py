"""Text into lines, and hostile characters into harmless ones."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushkit.preview.fitting import ELLIPSIS, clusters, controls, fit, harmless, width
from pushkit.preview.screens import LONGEST, Lines

FAMILY = "👨‍👩‍👧"


def test_a_short_text_is_whole() -> None:
    """What fits is not touched."""
    fitted = fit("On its way", Lines(lines=1, width=20))

    assert (("On its way",), False, 10, 10) == (fitted.lines, fitted.cut, fitted.kept, fitted.total)


def test_lines_break_at_spaces() -> None:
    """No word is torn apart while there is a space."""
    assert ("aaaa bbbb", "cccc") == fit("aaaa bbbb cccc", Lines(lines=2, width=10)).lines


def test_line_ends_of_the_text_stay() -> None:
    """A line end is a line end; an empty line takes room."""
    assert ("one", "", "two") == fit("one\r\n\r\ntwo", Lines(lines=3, width=20)).lines


def test_a_long_word_is_broken() -> None:
    """A word wider than the line does not leave it."""
    assert ("aaaaa", "aaaaa", "aa") == fit("a" * 12, Lines(lines=3, width=5)).lines


def test_what_does_not_fit_ends_with_an_ellipsis() -> None:
    """The cut is seen, and the number of characters that are left is told."""
    fitted = fit("abcde abcde abcde", Lines(lines=1, width=8))

    assert ("abcde a…",) == fitted.lines
    assert (True, 7, 17) == (fitted.cut, fitted.kept, fitted.total)


def test_chinese_characters_take_two_letters_and_break_anywhere() -> None:
    """Ten units hold five characters, and no space is needed."""
    assert ("您的订单已", "经发货") == fit("您的订单已经发货", Lines(lines=2, width=10)).lines


def test_no_line_begins_with_a_closing_mark() -> None:
    """Chinese typesetting: a comma hangs over the edge."""
    assert ("您的订单，", "已经发货") == fit("您的订单，已经发货", Lines(lines=2, width=8)).lines


def test_emoji_that_are_joined_are_one_character() -> None:
    """A family, a flag and a skin tone are never torn apart."""
    assert [FAMILY, "🇨🇳", "🇩🇪", "👍🏽", "é"] == list(clusters(f"{FAMILY}🇨🇳🇩🇪👍🏽é"))
    assert 2.0 == width(FAMILY)


def test_a_pile_of_marks_is_thinned_out() -> None:
    """Marks without end paint over the lines around; six of a letter are kept."""
    (letter,) = clusters("a" + "\u0301" * 100)

    assert 7 == len(letter)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\ufffd[31mred"),
        ("safe\u202egnp.exe", "safe\ufffdgnp.exe"),
        ("a\x00b\x9bc", "a\ufffdb\ufffdc"),
        ("half \ud83d", "half \ufffd"),
        ("tab\there", "tab here"),
        ("no\u00a0break", "no break"),
        ("line\u2028end", "line\nend"),
        ("שלום\u200f!", "שלום!"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("<b>&amp;**x**", "<b>&amp;**x**"),
    ],
)
def test_characters_that_act_become_visible(text: str, shown: str) -> None:
    """Controls are seen, honest marks are not, markup is text."""
    assert shown == harmless(text)


def test_honest_marks_are_no_controls() -> None:
    """Right-to-left marks and joined emoji are no reason for a warning; an override is."""
    assert not controls(f"שלום\u200f {FAMILY} \ufffd")
    assert controls("x\u202ey")
    assert not controls("")


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(1, 5), st.integers(4, 50))
def test_nothing_leaves_its_room(text: str, lines: int, room: int) -> None:
    """Whatever the text: no more lines, none wider (but for a hanging mark), nothing that acts, counts that agree."""
    fitted = fit(text, Lines(lines=lines, width=room))

    assert len(fitted.lines) <= lines
    for line in fitted.lines:
        assert "\n" not in line
        units = list(clusters(line))
        while units and unicodedata.category(units[-1][0]) in {"Po", "Pe", "Pf"}:
            units.pop()
        assert sum(map(width, units)) <= room + 1.0
        # Tag characters behind a black flag make it England's.
        acting = [c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"} and c not in "\u200c\u200d"]
        assert not [c for c in acting if not ("\U0001f3f4" in line and "\U000e0020" <= c <= "\U000e007f")]
    assert fitted.kept <= fitted.total
    assert fitted.cut == (fitted.kept < fitted.total)


def test_an_endless_text_is_looked_at_up_to_a_bound() -> None:
    """Megabytes that nobody could send cost nothing here."""
    assert LONGEST == len(harmless("x" * 10_000_000))


def test_the_ellipsis_takes_the_place_of_letters() -> None:
    """The last line stays inside its width with the ellipsis."""
    (line,) = fit("m" * 50, Lines(lines=1, width=9)).lines

    assert line.endswith(ELLIPSIS)
    assert sum(map(width, clusters(line))) <= 9


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("\U0001fae9\U0001fac6", 2),
        ("ไทย\u200bไทย", 6),
        ("1\ufe0f\u20e3", 1),
    ],
)
def test_honest_text_holds_no_control_characters(text: str, count: int) -> None:
    """England's flag, emoji that are younger than Python's tables, Thai word ends, keycaps: shown, and counted as a person does."""
    assert not controls(text)
    assert count == fit(text, Lines(lines=1, width=40)).total


def test_few_closing_marks_hang_over_the_edge() -> None:
    """A line of nothing but closing marks is broken like any other."""
    fitted = fit("，" * 300, Lines(lines=3, width=20))

    assert 3 == len(fitted.lines)
    assert all(len(line) <= 12 for line in fitted.lines)
