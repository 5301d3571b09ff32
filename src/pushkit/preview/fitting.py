"""Text into lines of a given width, and strangers' characters into ones that cannot do anything."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import attrs

from pushkit.preview.screens import LONGEST, Lines

ELLIPSIS = "…"
REPLACEMENT = "\ufffd"

_JOINERS = frozenset("\u200c\u200d")
_HARMLESS = frozenset("\u200b\u200e\u200f\u061c\u2066\u2067\u2068\u2069\ufeff\u00ad\u2060")
"""Invisible, and at home in honest text (right-to-left marks, isolates, soft hyphens, Thai word ends): left out."""
_FLAG = "\U0001f3f4"
"""A black flag; tag characters behind it make it that of England, Scotland, Wales."""
_BREAKS = frozenset("\n\u2028\u2029\u0085\v\f")
_MARKS = 6
"""Combining marks of one letter that are kept: more of them paint over the lines around."""

_CLOSING = frozenset("，。、；：？！）》」』】”’")
_HANGING = 2
"""Closing marks that may hang over the edge of a line."""
_NARROW = frozenset("iljtfrI.,:;'|!()[]{}`· ")
_WIDE = frozenset("mwMW@%&")


def harmless(text: str) -> str:
    """
    A text for any kind of page or terminal: line ends stay, nothing else in it acts.

    Escape sequences, bidirectional overrides, half characters and other controls become U+FFFD, so that
    one sees that something is there; every kind of space becomes one that is as wide.
    """
    shown: list[str] = []
    tagged = False
    for character in text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n"):
        tagged = character == _FLAG or (tagged and _is_tag(character))
        if character.isprintable() or character in _JOINERS or tagged or _is_unassigned(character):
            shown.append(character)
        elif character in _BREAKS:
            shown.append("\n")
        elif character == "\t" or unicodedata.category(character) == "Zs":
            shown.append("\u3000" if character == "\u3000" else " ")
        elif character not in _HARMLESS:
            shown.append(REPLACEMENT)
    return "".join(shown)


def _is_tag(character: str) -> bool:
    return "\U000e0020" <= character <= "\U000e007f"


def _is_unassigned(character: str) -> bool:
    """Younger than this Python's tables, such as this year's emoji; what is no character at all (U+FFFE and the like) is none."""
    return unicodedata.category(character) == "Cn" and not ("\ufdd0" <= character <= "\ufdef" or ord(character) & 0xFFFE == 0xFFFE)


def controls(text: str) -> bool:
    """Whether a text holds characters that act instead of being shown."""
    return REPLACEMENT in harmless(text.replace(REPLACEMENT, "")) if text else False


def clusters(text: str) -> Iterator[str]:
    """What a person counts as characters: letters with their marks, emoji with what is joined to them, flags."""
    found, marks, flag = "", 0, False
    for character in text:
        mark = unicodedata.category(character) in {"Mn", "Me", "Mc"} or character in _JOINERS or _is_tone(character) or _is_tag(character)
        regional = "\U0001f1e6" <= character <= "\U0001f1ff"
        if found and (mark or found[-1] == "\u200d" or (regional and flag)):
            marks += mark
            if marks <= _MARKS or not mark:
                found += character
            flag = False
            continue
        if found:
            yield found
        found, marks, flag = character, 0, regional
    if found:
        yield found


def _is_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


@lru_cache(maxsize=4096)
def width(cluster: str) -> float:
    """How wide it is on a screen, in average Latin letters."""
    first = cluster[0]
    if len(cluster) > 1 and (cluster[-1] == "\ufe0f" or "\u200d" in cluster or "\U0001f1e6" <= first <= "\U0001f1ff"):
        return 2.0
    if unicodedata.east_asian_width(first) in {"W", "F"} or "\U0001f300" <= first <= "\U0001faff":
        return 2.0
    if first in _NARROW:
        return 0.55
    if first in _WIDE:
        return 1.5
    return 1.2 if first.isupper() else 1.0


@lru_cache(maxsize=4096)
def cells(cluster: str) -> int:
    """How many cells of a terminal it takes."""
    if unicodedata.category(cluster[0]) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if width(cluster) == 2.0 else 1


def runs_left(text: str) -> bool:
    """Whether a text is written from right to left: its first letter says so, as every platform decides it."""
    strong = (unicodedata.bidirectional(character) for character in text)
    return next((kind for kind in strong if kind in {"L", "R", "AL"}), "L") != "L"


@attrs.frozen
class Fitted:
    """A text in the room that there is."""

    lines: tuple[str, ...]
    cut: bool
    """Whether something is missing."""
    kept: int
    """Characters, as a person counts, that are shown of it."""
    total: int


def fit(text: str, room: Lines) -> Fitted:
    """
    Break a text into lines, at spaces where there are any, and cut it with an ellipsis where the room ends.

    Args:
        text: made harmless here.
        room: lines and width.
    """
    units = list(clusters(harmless(text).strip()))
    lines = _wrapped(units, room)
    total = len(units)
    if len(lines) <= room.lines:
        return Fitted(tuple("".join(line).rstrip() for line in lines), cut=False, kept=total, total=total)
    shown = lines[: room.lines - 1]
    # The last line is filled letter by letter, as the platforms do it, and gives room to the ellipsis.
    before = sum(map(len, shown))
    last: list[str] = []
    used = 1.0
    for unit in units[before:]:
        used += width(unit)
        if unit == "\n" or used > room.width:
            break
        last.append(unit)
    kept = before + len(last)
    while last and last[-1] == " ":
        last.pop()
    shown.append([*last, ELLIPSIS])
    return Fitted(tuple("".join(line).rstrip() for line in shown), cut=True, kept=kept, total=total)


def _wrapped(units: list[str], room: Lines) -> list[list[str]]:
    """Lines of clusters, one more than fits at the most; each keeps the space or line end that it was broken at."""
    lines: list[list[str]] = []
    begin = 0
    while begin < len(units) and len(lines) <= room.lines:
        end, used, space = begin, 0.0, -1
        while end < len(units) and units[end] != "\n" and used + width(units[end]) <= room.width:
            used += width(units[end])
            if units[end] in {" ", "\u3000"}:
                space = end
            end += 1
        edge = end
        while begin < end < min(len(units), edge + _HANGING) and units[end] in _CLOSING:
            end += 1  # hangs over the edge: no line begins with it
        if end < len(units) and units[end] in {"\n", " "}:
            end += 1
        elif end < len(units) and space >= begin and not _breakable(units[end - 1], units[end]):
            end = space + 1
        end = max(end, begin + 1)
        lines.append(units[begin:end])
        begin = end
    return lines


def _breakable(before: str, after: str) -> bool:
    """Scripts without spaces (Chinese, Japanese, Korean syllables) break between any two characters."""
    return unicodedata.east_asian_width(before[0]) in {"W", "F"} or unicodedata.east_asian_width(after[0]) in {"W", "F"}
