"""The preview as one SVG: every platform's card, drawn; nothing in it is loaded, linked or run."""

from __future__ import annotations

import html as escaping
from collections.abc import Callable, Iterable, Mapping

from pushkit.preview.fitting import clusters, fit
from pushkit.preview.fitting import width as width_of
from pushkit.preview.looks import Look
from pushkit.preview.screens import Lines

_COLUMN = 470
_GAP = 24
_LINE = 20
_UNIT = 7.9
"""Pixels of an average Latin letter."""

_STYLE = """
.pk text { font-family: -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; font-size: 14px }
.pk .page { fill: #f4f4f7 } .pk .name { fill: #55555c; font-size: 13px } .pk .note { fill: #6e6e73; font-size: 12px }
.pk .card { fill: #fff; stroke: #dcdce2 } .pk .title { fill: #111; font-weight: 600 } .pk .body { fill: #222 }
.pk .soft { fill: #66666d; font-size: 13px } .pk .box { fill: #e3e3ea }
.pk .button { fill: #0a66d6; font-size: 13px; font-weight: 600 } .pk .refused { fill: #c62828; font-weight: 600 }
.pk .back-ios { fill: url(#pk-ios) } .pk .back-android { fill: #dfe3ee } .pk .back-desktop { fill: #d7e3ea }
.pk .badge { fill: #e5342b } .pk .badge-text { fill: #fff; font-size: 12px; font-weight: 700 }
.pk .clock { fill: #fff; font-size: 44px; font-weight: 300 }
@media (prefers-color-scheme: dark) {
  .pk .page { fill: #16161a } .pk .name, .pk .note { fill: #a1a1aa } .pk .card { fill: #2a2a2f; stroke: #3a3a40 }
  .pk .title { fill: #fff } .pk .body { fill: #e6e6ea } .pk .soft { fill: #a9a9b2 } .pk .box { fill: #3c3c44 }
  .pk .button { fill: #7db4ff } .pk .refused { fill: #ff7b72 } .pk .back-android { fill: #1e2028 } .pk .back-desktop { fill: #1d262b }
}
""".strip()


class _Drawing:
    """Elements with a cursor that moves down."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(self, x: float, y: float, text: str, kind: str, *, anchor: str = "start", width: float | None = None) -> None:
        # A long word in wide letters may need more room than the estimate gave it: squeezed, it stays inside its card.
        squeeze = f' textLength="{width:.0f}" lengthAdjust="spacingAndGlyphs"' if width is not None and _estimate(text) > width else ""
        self.parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}" unicode-bidi="isolate"{squeeze}>{_escape(text)}</text>'
        )

    def box(self, x: float, y: float, width: float, height: float, *, kind: str = "box", radius: float = 8) -> None:
        self.parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="{radius:.0f}" class="{kind}"/>')


def render(looks: Iterable[Look]) -> str:
    """One picture: cards in two columns, each as high as it has to be."""
    drawing = _Drawing()
    heights = [_GAP, _GAP]
    for look in looks:
        column = 0 if heights[0] <= heights[1] else 1
        x, y = _GAP + column * (_COLUMN + _GAP), heights[column]
        heights[column] = round(_draw(drawing, look, x, y)) + _GAP
    width = 2 * _COLUMN + 3 * _GAP if heights[1] > _GAP else _COLUMN + 2 * _GAP
    height = max(heights)
    inside = "\n".join(drawing.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" class="pk" '
        f'aria-label="Preview of a push notification">\n<style>{_STYLE}</style>\n'
        '<defs><linearGradient id="pk-ios" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#5b6ee1"/>'
        '<stop offset="1" stop-color="#b86bd6"/></linearGradient></defs>\n'
        f'<rect width="{width}" height="{height}" class="page"/>\n{inside}\n</svg>\n'
    )


def _draw(drawing: _Drawing, look: Look, x: float, y: float) -> float:
    """Draw one platform from the height ``y`` on; gives the height where it ends."""
    heading = f"{look.screen.name}, {look.screen.where}" + (f" · {look.provider}" if look.provider else "")
    drawing.text(x, y + 14, heading, "name")
    back = "back-desktop" if look.screen.browser else f"back-{look.screen.key}"
    top = y + 24
    at = len(drawing.parts)
    inner = top + (74 if look.screen.key == "ios" else 18)
    bottom = _card(drawing, look, x + 18, inner, _COLUMN - 36)
    drawing.parts.insert(at, f'<rect x="{x:.0f}" y="{top:.0f}" width="{_COLUMN}" height="{bottom + 18 - top:.0f}" rx="22" class="{back}"/>')
    if look.screen.key == "ios":
        drawing.text(x + _COLUMN / 2, top + 54, "9:41", "clock", anchor="middle")
    end = bottom + 18
    for note in look.notes:
        end += 18
        drawing.text(x + 6, end, f"· {note}", "note")
    return end


def _card(drawing: _Drawing, look: Look, x: float, y: float, width: float) -> float:
    at = len(drawing.parts)
    if not look.shown:
        bottom = y + 14
        for number, line in enumerate(_wrapped(("Refused: " if look.refused else "Nothing is shown: ") + look.why, 52)):
            bottom = y + 30 + number * _LINE
            drawing.text(x + 16, bottom, line, "refused" if look.refused else "soft", width=width - 32)
        bottom += 16
    else:
        bottom = _ARRANGEMENTS.get(look.screen.key, _desktop)(drawing, look, x, y, width)
    drawing.parts.insert(at, f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{bottom - y:.0f}" rx="16" class="card"/>')
    return bottom


def _ios(drawing: _Drawing, look: Look, x: float, y: float, width: float) -> float:
    drawing.box(x + 14, y + 16, 40, 40, radius=9)
    _badge(drawing, look, x + 18, y + 16)
    left, room = x + 68, width - 68 - (60 if look.picture else 0) - 16
    top = y + 32
    drawing.text(x + width - 14, top, "now", "soft", anchor="end")
    line = _texts(drawing, look, left, top, room, first=width - 68 - 50)
    if look.picture:
        drawing.box(x + width - 60, top + 10, 46, 46, radius=6)
        line = max(line, top + 56)
    line = max(line, y + 56)
    return _actions(drawing, look, left, line, room)


def _android(drawing: _Drawing, look: Look, x: float, y: float, width: float) -> float:
    drawing.box(x + 14, y + 14, 20, 20, radius=10)
    _badge(drawing, look, x + width - 52, y + 24)
    drawing.text(x + 44, y + 29, f"{look.app} · now", "soft", width=width - 70)
    drawing.text(x + width - 18, y + 29, "⌄", "soft", anchor="end")
    room = width - 32 - (58 if look.picture else 0)
    if look.picture:
        drawing.box(x + width - 58, y + 42, 42, 42, radius=6)
    line = _texts(drawing, look, x + 16, y + 56, room)
    line = max(line, y + 84) if look.picture else line
    return _actions(drawing, look, x + 16, line, room)


def _desktop(drawing: _Drawing, look: Look, x: float, y: float, width: float) -> float:
    drawing.box(x + 14, y + 16, 36, 36, radius=6)
    _badge(drawing, look, x + 18, y + 16)
    left, room = x + 64, width - 80
    line = _texts(drawing, look, left, y + 32, room)
    line += _LINE
    drawing.text(left, line, look.app, "soft", width=room)
    if look.picture:
        drawing.box(left, line + 12, room, 84)
        drawing.text(left + room / 2, line + 58, look.picture, "soft", anchor="middle", width=room - 16)
        line += 96
    return _actions(drawing, look, left, line, room)


_ARRANGEMENTS: Mapping[str, Callable[[_Drawing, Look, float, float, float], float]] = {"ios": _ios, "android": _android}


def _texts(drawing: _Drawing, look: Look, left: float, top: float, room: float, *, first: float | None = None) -> float:
    """Title, subtitle and body, line by line; ``first``: the room of the first line where it differs."""
    line = top - _LINE
    for lines, kind in (
        (look.title.lines, "title"),
        (look.subtitle.lines if look.subtitle is not None else (), "title"),
        (look.body.lines, "body"),
    ):
        for text in lines:
            line += _LINE
            drawing.text(left, line, text, kind, width=first if first is not None and line == top else room)
    return line


def _actions(drawing: _Drawing, look: Look, left: float, line: float, room: float) -> float:
    if look.actions:
        line += _LINE + 10
        each = room / len(look.actions)
        for number, action in enumerate(look.actions):
            drawing.text(left + number * each, line, action, "button", width=each - 8)
    return line + 18


def _badge(drawing: _Drawing, look: Look, x: float, y: float) -> None:
    if look.badge:
        shown = str(look.badge) if look.badge < 1000 else "999+"
        width = 12 + 8 * len(shown)
        drawing.box(x - width / 2, y - 9, width, 18, kind="badge", radius=9)
        drawing.text(x, y + 4, shown, "badge-text", anchor="middle")


def _estimate(text: str) -> float:
    return sum(map(width_of, clusters(text))) * _UNIT


def _wrapped(text: str, width: int) -> list[str]:
    return list(fit(text, Lines(lines=6, width=width)).lines)


def _escape(text: str) -> str:
    return escaping.escape(text, quote=True)
