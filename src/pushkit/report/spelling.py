"""How a report writes shares, durations and names, and how wide a text is in a terminal."""

from __future__ import annotations

import re
import unicodedata

from pushkit.secret import clean

_LONGEST_LABEL = 48
_LONGEST_PROVIDER = 24
_STARTS_A_FORMULA = frozenset("=+-@")
_NO_WIDTH = frozenset({"Mn", "Me", "Cf"})
_JAMO = range(0x1160, 0x1200)
"""Korean vowels and ends of syllables: drawn inside the consonant before them."""


def percent(part: int, whole: int, template: str = "{} %") -> str:
    """A share as people write it; never 0 % for something nor 100 % for almost all."""
    return share_text(part / whole, template) if whole else "–"


def share_text(share: float, template: str = "{} %") -> str:
    """A share from 0.0 to 1.0 in percent; ``template`` is how a language writes the sign."""
    if 0 < share < 0.001:
        return "<" + template.format("0.1")
    if 0.999 < share < 1:
        return ">" + template.format("99.9")
    return template.format(f"{100 * share:.1f}")


def duration_text(seconds: float, units: tuple[str, str, str, str, str]) -> str:
    """A duration as people say it; ``units`` are a language's milliseconds, seconds, minutes, hours and days."""
    milli, second, minute, hour, day = units
    # The limits lie where rounding would give the next unit: 0.9996 s is "1 s" and not "1e+03 ms".
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} {milli}"
    if seconds < 99.95:
        return f"{seconds:.3g} {second}"
    whole = round(seconds)
    if whole < 3600:
        return _two(whole, 60, minute, 1, second)
    if whole < 2 * 86_400:
        return _two(whole, 3600, hour, 60, minute)
    return _two(whole, 86_400, day, 3600, hour)


def _two(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large:,} {large_name}" + (f" {rest} {small_name}" if rest else "")


def width(text: str) -> int:
    """Columns that a text takes in a terminal: Chinese characters and emoji take two, marks on a letter none."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH or ord(character) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


_PIECES = re.compile(r"\s+|[^\s\u2e80-\uffef]+|[\u2e80-\uffef]")
"""A line may end at a space, and beside any Chinese, Japanese or Korean character…"""
_NEVER_FIRST = frozenset("，。；：、！？）》」』”’％")
"""…but none begins with one of these."""
_NARROWEST = 24


def wrapped(text: str, columns: int, indent: str) -> list[str]:
    """Lines that fit into a terminal; what belongs to a line that had to be broken stands below it, indented as it is."""
    room = max(columns - width(indent), _NARROWEST)
    pieces: list[str] = []
    for piece in _PIECES.findall(text):
        if piece in _NEVER_FIRST and pieces:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    lines = [""]
    for piece in pieces:
        if lines[-1] and width(lines[-1] + piece.rstrip()) > room:
            lines.append("")
        # A space at the place where a line ends is not carried over.
        lines[-1] += piece if lines[-1] or len(lines) == 1 else piece.lstrip()
    return [indent + line.rstrip() for line in lines]


def cell(text: str) -> str:
    """Text that may begin a line or a cell: a spreadsheet that it is pasted into runs no formula."""
    return f"'{text}" if text[:1] in _STARTS_A_FORMULA else text


def row_name(label: str | None, provider: str, no_provider: str) -> str:
    """How a row of counts is called: cut in the label, so that two providers of one campaign stay apart."""
    parts = [clean(label, limit=_LONGEST_LABEL) if label else "", clean(provider, limit=_LONGEST_PROVIDER) or no_provider]
    return cell(" / ".join(part for part in parts if part))
