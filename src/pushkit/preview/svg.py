"""The preview as one SVG: every platform's card, drawn; nothing in it is loaded, linked or run."""

from __future__ import annotations

import html as escaping
from collections.abc import Callable, Iterable, Mapping

from pushkit.preview.fitting import clusters, fit, runs_left
from pushkit.preview.fitting import width as width_of
from pushkit.preview.looks import Look
from pushkit.preview.screens import Lines

_COLUMN = 520
_GAP = 24
_LINE = 20
_PIXELS = {0.55: 4.8, 1.0: 7.7, 1.2: 9.5, 1.5: 13.5}
"""How wide letters of each kind are at 14 pixels, in fonts that run wide."""
_SIGNS, _SIGN, _SQUARE, _EMOJI = "<>=+~^#", 11.8, 14.0, 18.0
_SIZES = {"soft": 13 / 14, "note": 12 / 14, "button": 1.0, "title": 1.07, "refused": 1.07}
"""By class, beside that size."""

_STYLE = """
.pk text { font-family: -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; font-size: 14px }
.pk .page { fill: #f4f4f7 } .pk .name { fill: #55555c; font-size: 13px } .pk .note { fill: #6e6e73; font-size: 12px }
.pk .card { fill: #fff; stroke: #dcdce2 } .pk .title { fill: #111; font-weight: 600 } .pk .body { fill: #222 }
.pk .soft { fill: #66666d; font-size: 13px } .pk .box { fill: #e3e3ea }
.pk .button { fill: #0a66d6; font-size: 13px; font-weight: 600 } .pk .refused { fill: #c62828; font-weight: 600 }
.pk .back-ios { fill: url(#pk-ios) } .pk .back-android { fill: #dfe3ee } .pk .back-desktop { fill: #d7e3ea }
.pk .opened { fill: #55555c; font-size: 12px } .pk .on-ios { fill: #fff; font-size: 12px }
.pk .clock { fill: #fff; font-size: 44px; font-weight: 300 }
@media (prefers-color-scheme: dark) {
  .pk .page { fill: #16161a } .pk .name, .pk .note, .pk .opened { fill: #a1a1aa } .pk .card { fill: #2a2a2f; stroke: #3a3a40 }
  .pk .title { fill: #fff } .pk .body { fill: #e6e6ea } .pk .soft { fill: #a9a9b2 } .pk .box { fill: #3c3c44 }
  .pk .button { fill: #7db4ff } .pk .refused { fill: #ff7b72 } .pk .back-android { fill: #1e2028 } .pk .back-desktop { fill: #1d262b }
}
""".strip()


_WALLPAPER = (
    '<defs><linearGradient id="pk-ios" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#5b6ee1"/>'
    '<stop offset="1" stop-color="#b86bd6"/></linearGradient></defs>\n'
)


class _Drawing:
    """Elements with a cursor that moves down."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(
        self, x: float, y: float, text: str, kind: str, *, anchor: str = "start", width: float | None = None, leftward: bool = False
    ) -> None:
        # Written from right to left it starts at the right edge of its room, as every platform has it.
        x, way = (x + width, ' direction="rtl"') if leftward and width is not None else (x, "")
        # Many wide letters may need more room than there is: squeezed, they stay inside. In a font that runs wider still, the card cuts them.
        estimate = sum(map(_pixels, clusters(text))) * _SIZES.get(kind, 1.0)
        squeeze = f' textLength="{width:.0f}" lengthAdjust="spacingAndGlyphs"' if width is not None and estimate > width else ""
        self.parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}" unicode-bidi="isolate"{way}{squeeze}>{_escape(text)}</text>'
        )

    def box(self, x: float, y: float, width: float, height: float, *, kind: str = "box", radius: float = 8) -> None:
        self.parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="{radius:.0f}" class="{kind}"/>')


def render(looks: Iterable[Look]) -> str:
    """One picture: cards in two columns, each as high as it has to be."""
    drawing = _Drawing()
    heights = [_GAP, _GAP]
    wallpaper = ""
    for look in looks:
        if look.screen.key == "ios":
            wallpaper = _WALLPAPER
        column = 0 if heights[0] <= heights[1] else 1
        x, y = _GAP + column * (_COLUMN + _GAP), heights[column]
        heights[column] = round(_draw(drawing, look, x, y)) + _GAP
    width = 2 * _COLUMN + 3 * _GAP if heights[1] > _GAP else _COLUMN + 2 * _GAP
    height = max(heights)
    inside = "\n".join(drawing.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" class="pk" '
        f'aria-label="Preview of a push notification">\n<style>{_STYLE}</style>\n'
        f"{wallpaper}"
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
    bottom = _card(drawing, look, x + 18, inner, opened=False)
    if look.unfolds:
        drawing.text(x + 22, bottom + 20, "after opening it", "on-ios" if look.screen.key == "ios" else "opened")
        bottom = _card(drawing, look, x + 18, bottom + 30, opened=True)
    drawing.parts.insert(at, f'<rect x="{x:.0f}" y="{top:.0f}" width="{_COLUMN}" height="{bottom + 18 - top:.0f}" rx="22" class="{back}"/>')
    if look.screen.key == "ios":
        drawing.text(x + _COLUMN / 2, top + 54, "9:41", "clock", anchor="middle")
    end = bottom + 18
    for note in look.notes:
        end += 18
        drawing.text(x + 6, end, f"· {note}", "note", width=_COLUMN - 12)
    return end


def _card(drawing: _Drawing, look: Look, x: float, y: float, *, opened: bool) -> float:
    at, width = len(drawing.parts), _COLUMN - 36
    if not look.shown:
        bottom = y + 14
        for number, line in enumerate(_wrapped(("Refused: " if look.refused else "Nothing is shown: ") + look.why, 46)):
            bottom = y + 30 + number * _LINE
            drawing.text(x + 16, bottom, line, "refused" if look.refused else "soft", width=width - 32)
        bottom += 16
    else:
        bottom = _ARRANGEMENTS.get(look.screen.key, _desktop)(drawing, look, x, y, opened=opened)
    # A drawing of its own: what is too long in the viewer's fonts ends at its edge.
    room = f"{x:.0f} {y:.0f} {width:.0f} {bottom - y:.0f}"
    drawing.parts[at:] = [
        f'<svg x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{bottom - y:.0f}" viewBox="{room}" overflow="hidden">',
        f'<rect x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="{width - 1:.0f}" height="{bottom - y - 1:.0f}" rx="16" class="card"/>',
        *drawing.parts[at:],
        "</svg>",
    ]
    return bottom


def _ios(drawing: _Drawing, look: Look, x: float, y: float, *, opened: bool) -> float:
    width = _COLUMN - 36
    drawing.box(x + 14, y + 16, 40, 40, radius=9)
    drawing.text(x + width - 14, y + 32, "now", "soft", anchor="end")
    left, small = x + 68, look.picture is not None and not opened
    line = _texts(drawing, look, left, y + 32, width - 84 - (60 if small else 0), first=width - 118, opened=opened)
    if small:
        drawing.box(x + width - 60, y + 42, 46, 46, radius=6)
        line = max(line, y + 88)
    line = max(line, y + 56)
    return _more(drawing, look, left, line, width - 84) if opened else line + 18


def _android(drawing: _Drawing, look: Look, x: float, y: float, *, opened: bool) -> float:
    width = _COLUMN - 36
    drawing.box(x + 14, y + 14, 20, 20, radius=10)
    drawing.text(x + 44, y + 29, f"{look.app} · now", "soft", width=width - 70)
    drawing.text(x + width - 18, y + 29, "⌃" if opened else "⌄", "soft", anchor="end")
    small = look.picture is not None and not opened
    line = _texts(drawing, look, x + 16, y + 56, width - 32 - (58 if small else 0), opened=opened)
    if small:
        drawing.box(x + width - 58, y + 42, 42, 42, radius=6)
        line = max(line, y + 84)
    return _more(drawing, look, x + 16, line, width - 32) if opened else line + 18


def _desktop(drawing: _Drawing, look: Look, x: float, y: float, *, opened: bool) -> float:
    left, room = x + 64, _COLUMN - 36 - 80
    drawing.box(x + 14, y + 16, 36, 36, radius=6)
    line = _texts(drawing, look, left, y + 32, room, opened=opened) + _LINE
    drawing.text(left, line, look.app, "soft", width=room)
    return _more(drawing, look, left, line, room)


_ARRANGEMENTS: Mapping[str, Callable[..., float]] = {"ios": _ios, "android": _android}


def _texts(drawing: _Drawing, look: Look, left: float, top: float, room: float, *, opened: bool, first: float | None = None) -> float:
    """Title, subtitle and body, line by line; ``first``: the room of the first line where it differs."""
    line = top - _LINE
    for lines, kind in (
        (look.title.lines, "title"),
        (look.subtitle.lines if look.subtitle is not None else (), "title" if look.screen.folded else "body"),
        (look.opened.lines if opened else look.body.lines, "body"),
    ):
        leftward = runs_left(" ".join(lines))
        for text in lines:
            line += _LINE
            drawing.text(left, line, text, kind, width=first if first is not None and line == top else room, leftward=leftward)
    return line


def _more(drawing: _Drawing, look: Look, left: float, line: float, room: float) -> float:
    """The picture at its full size, and the buttons."""
    if look.picture:
        drawing.box(left, line + 12, room, 84)
        drawing.text(left + room / 2, line + 58, look.picture, "soft", anchor="middle", width=room - 16)
        line += 96
    if look.actions:
        line += _LINE + 10
        each = room / len(look.actions)
        for number, action in enumerate(look.actions):
            drawing.text(left + number * each, line, action, "button", width=each - 8)
    return line + 18


def _pixels(cluster: str) -> float:
    if (size := width_of(cluster)) < 2.0:
        return _SIGN if cluster in _SIGNS else _PIXELS[size]
    return _EMOJI if len(cluster) > 1 or cluster >= "\U0001f000" else _SQUARE


def _wrapped(text: str, width: int) -> list[str]:
    return list(fit(text, Lines(lines=6, width=width)).lines)


def _escape(text: str) -> str:
    return escaping.escape(text, quote=True)
