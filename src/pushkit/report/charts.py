"""
Charts as inline SVG, by hand: a few rectangles and texts need no library, and the page no script.

Colours come from the page's style sheet (``fill: var(--accepted)``), so that charts follow light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

KINDS = ("accepted", "technical", "payload", "recipient")
"""Names of the columns, which are also CSS classes."""

_WIDTH = 720
_BAR = 22
_GAP = 8
_NAME = 250
_NUMBER = 70


def _svg(height: float, title: str, content: Sequence[str]) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(content)}</svg>"
    )


def _rect(x: float, y: float, width: float, height: float, *, kind: str, tip: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}"><title>{escape(tip)}</title></rect>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def stacked(title: str, rows: Sequence[tuple[str, Sequence[int]]], names: Sequence[str]) -> str:
    """One horizontal bar a row, its parts by kind, all bars to the same scale."""
    most = max((sum(counts) for _, counts in rows), default=0) or 1
    room = _WIDTH - _NAME - _NUMBER
    content: list[str] = []
    for index, (name, counts) in enumerate(rows):
        y = index * (_BAR + _GAP)
        content.append(_text(0, y + 16, _short(name)))
        x: float = _NAME
        for kind, count, kind_name in zip(KINDS, counts, names, strict=True):
            # What happened at all is to be seen, be it one in a million.
            length = max(room * count / most, 1.5) if count else 0.0
            if count:
                content.append(_rect(x, y, length, _BAR, kind=kind, tip=f"{name}: {count:,} {kind_name}"))
            x += length
        content.append(_text(min(x + 6, _WIDTH - _NUMBER + 6), y + 16, f"{sum(counts):,}"))
    return _svg(len(rows) * (_BAR + _GAP), title, content)


def bars(title: str, rows: Sequence[tuple[str, int, str]]) -> str:
    """One horizontal bar a row: name, count, and the kind that colours it."""
    most = max((count for _, count, _ in rows), default=0) or 1
    room = _WIDTH - _NAME - _NUMBER
    content: list[str] = []
    for index, (name, count, kind) in enumerate(rows):
        y = index * (_BAR + _GAP)
        length = max(room * count / most, 1.5)
        content += [
            _text(0, y + 16, _short(name)),
            _rect(_NAME, y, length, _BAR, kind=kind, tip=f"{name}: {count:,}"),
            _text(_NAME + length + 6, y + 16, f"{count:,}"),
        ]
    return _svg(len(rows) * (_BAR + _GAP), title, content)


def columns(title: str, points: Sequence[tuple[float, Sequence[int]]], width_s: int, names: Sequence[str]) -> str:
    """Stacked columns over time; points are (epoch seconds, counts by kind), oldest first, ``width_s`` apart at the least."""
    first, last = points[0][0], points[-1][0]
    slots = int((last - first) // width_s) + 1
    height, foot, head = 170.0, 20.0, 14.0
    most = max(sum(counts) for _, counts in points) or 1
    step = _WIDTH / max(slots, 12)
    content = [_text(0, 10, f"{most:,}"), f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{height - foot}" y2="{height - foot}"/>']
    for at, counts in points:
        x = (at - first) / width_s * step
        y = height - foot
        for kind, count, name in zip(KINDS, counts, names, strict=True):
            if count:
                tall = max((height - foot - head) * count / most, 1.0)
                y -= tall
                content.append(_rect(x, y, max(step - 1, 0.8), tall, kind=kind, tip=f"{clock(at)}: {count:,} {name}"))
    content += [_text(0, height - 4, clock(first)), _text(min(slots * step, _WIDTH), height - 4, clock(last + width_s), "end")]
    return _svg(height, title, content)


def histogram(title: str, buckets: Sequence[tuple[str, int]], tip: str) -> str:
    """Columns with a label under each; ``tip`` is what is counted."""
    height, foot, head = 170.0, 20.0, 16.0
    most = max(count for _, count in buckets) or 1
    step = _WIDTH / max(len(buckets), 6)
    content = [f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{height - foot}" y2="{height - foot}"/>']
    every = -(-len(buckets) // 8)
    for index, (name, count) in enumerate(buckets):
        tall = max((height - foot - head) * count / most, 1.0) if count else 0.0
        x = index * step
        if count:
            content.append(_rect(x + 1, height - foot - tall, step - 2, tall, kind="accepted", tip=f"{name}: {count:,} {tip}"))
        if count == most:
            content.append(_text(x + step / 2, height - foot - tall - 4, f"{count:,}", "middle"))
        if index % every == 0:
            content.append(_text(x + step / 2, height - 4, name, "middle"))
    return _svg(height, title, content)


def clock(at: float) -> str:
    """An epoch time as people read it, UTC."""
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
