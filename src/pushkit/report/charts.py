"""
Charts by hand: a few rectangles need no library, and the page no script.

Words and numbers are text of the page and only the bars are drawings, so that a chart is read on a phone, by a screen
reader and on paper alike. Colours come from the page's style sheet, by class, and follow light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

KINDS = ("accepted", "technical", "payload", "recipient")
"""Names of the columns, which are also CSS classes."""

_ROOM = 1000.0
"""Units that the longest bar is wide; the page stretches them to what it has."""
_SEEN = 4.0
"""What happened at all is to be seen, be it one in a million."""
_FEWEST = 12
"""A chart with fewer columns is drawn as if it had so many: one column is no wall."""
_TICKS = 6


def _svg(kind: str, width: float, height: float, said: str, content: Sequence[str]) -> str:
    # Stretched to the place that there is: nothing in it is text, which would be stretched as well.
    return (
        f'<svg class="{kind}" role="img" viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none" aria-label="{escape(said)}">'
        f"{''.join(content)}</svg>"
    )


def _rect(x: float, y: float, width: float, height: float, *, kind: str, tip: str) -> str:
    return f'<rect class="{kind}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"><title>{escape(tip)}</title></rect>'


def bars(about: str, rows: Sequence[tuple[str, Sequence[tuple[str, int, str]]]]) -> str:
    """
    One horizontal bar a row, all to the same scale.

    Args:
        about: what it shows.
        rows: name, and the parts of its bar: kind (for the colour), count, and what is counted.
    """
    most = max((sum(count for _, count, _ in parts) for _, parts in rows), default=0) or 1
    drawn = [[(kind, max(_ROOM * count / most, _SEEN), f"{count:,} {what}") for kind, count, what in parts if count] for _, parts in rows]
    room = max((sum(length for _, length, _ in parts) for parts in drawn), default=0) or _ROOM
    lines: list[str] = []
    for (name, parts), lengths in zip(rows, drawn, strict=True):
        x = 0.0
        content: list[str] = []
        for kind, length, tip in lengths:
            content.append(_rect(x, 0, length, 1, kind=kind, tip=tip))
            x += length
        bar = _svg("bar", room, 1, ", ".join(tip for _, _, tip in lengths), content)
        total = sum(count for _, count, _ in parts)
        lines.append(f'<tr><th scope="row">{escape(name)}</th><td>{bar}</td><td class="number">{total:,}</td></tr>')
    return f'<table class="bars" aria-label="{escape(about)}">{"".join(lines)}</table>'


def columns(points: Sequence[tuple[float, Sequence[int]]], width_s: int, names: Sequence[str]) -> str:
    """Stacked columns over time; points are (epoch seconds, counts by kind), oldest first, a multiple of ``width_s`` apart."""
    first = points[0][0]
    slots = max(int((points[-1][0] - first) // width_s) + 1, _FEWEST)
    most = max(sum(counts) for _, counts in points) or 1
    content: list[str] = []
    for at, counts in points:
        y = 100.0
        for kind, count, name in zip(KINDS, counts, names, strict=True):
            if count:
                tall = max(100.0 * count / most, 1.0)
                y = max(y - tall, 0.0)
                content.append(_rect((at - first) / width_s, y, 0.9, tall, kind=kind, tip=f"{clock(at)}: {count:,} {name}"))
    sums = [sum(column) for column in zip(*(counts for _, counts in points), strict=True)]
    ends = (clock(first), clock(first + slots * width_s))
    said = f"{ends[0]} – {ends[1]}: " + ", ".join(f"{count:,} {name}" for count, name in zip(sums, names, strict=True))
    return _svg("columns", slots, 100, said, content) + _axis(ends, "ends")


def histogram(buckets: Sequence[tuple[str, int]], what: str) -> str:
    """Columns with names under them; ``what`` is what is counted."""
    most = max(count for _, count in buckets) or 1
    every = -(-len(buckets) // _TICKS)
    slots = every * _TICKS
    content: list[str] = []
    for index, (name, count) in enumerate(buckets):
        if count:
            tall = max(100.0 * count / most, 1.0)
            content.append(_rect(index + 0.05, 100 - tall, 0.9, tall, kind="accepted", tip=f"{name}: {count:,} {what}"))
    names = [buckets[index][0] if index < len(buckets) else "" for index in range(0, slots, every)]
    said = ", ".join(f"{name}: {count:,}" for name, count in buckets if count)
    return _svg("columns", slots, 100, said, content) + _axis(names, "ticks")


def _axis(names: Sequence[str], kind: str) -> str:
    # The drawing says the same to those who do not see it.
    return f'<div class="axis {kind}" aria-hidden="true">{"".join(f"<span>{escape(name)}</span>" for name in names)}</div>'


def clock(at: float) -> str:
    """An epoch time as people read it, UTC; the calendar ends with the year 9999."""
    return datetime.fromtimestamp(min(at, 253_402_300_799.0), tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
