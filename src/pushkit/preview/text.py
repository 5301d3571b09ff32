"""The preview for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from pushkit.preview.fitting import cells, clusters, harmless
from pushkit.preview.linting import LintWarning, together
from pushkit.preview.looks import Look

_WIDTH = 58
"""Cells inside a box that holds nothing longer."""
_WIDEST = 92
_COLUMNS = 96
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_Line = tuple[str, str]
"""A text and its style."""
_FOLD = ("", "fold")


def render(looks: Iterable[Look], warnings: Iterable[LintWarning], *, colour: bool) -> str:
    """Cards in boxes, one below the other, then the warnings."""
    cards = [(look, _inside(look)) for look in looks]
    width = min(_WIDEST, max([_WIDTH, *(_fitting(text, _WIDEST)[1] for _, lines in cards for text, _ in lines)]))
    parts = ["\n".join(_card(look, lines, width, colour=colour)) for look, lines in cards]
    said = [warning.line(where) for warning, where in together(warnings)]
    if said:
        parts.append("\n".join(["Before you send it:", *map(_listed, said)]))
    return "\n\n".join(parts) + "\n"


def _listed(line: str) -> str:
    return textwrap.fill(
        harmless(line), _COLUMNS, initial_indent="  - ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _card(look: Look, lines: list[_Line], width: int, *, colour: bool) -> list[str]:
    heading = f"{look.screen.name}, {look.screen.where}" + (f" (through {look.provider})" if look.provider else "")
    notes = [_style(f"  {note}", _DIM, colour=colour) for note in look.notes]
    return [_style(heading, _DIM, colour=colour), *_box(lines, width, colour=colour), *notes]


def _inside(look: Look) -> list[_Line]:
    if not look.shown:
        what = "REFUSED" if look.refused else "nothing is shown"
        return [(line, "") for line in textwrap.wrap(harmless(f"{what}: {look.why}"), _WIDTH, break_long_words=True)]
    inside: list[_Line] = [(look.app, _DIM)]
    inside += [(line, _BOLD) for line in look.title.lines]
    inside += [(line, "") for line in (look.subtitle.lines if look.subtitle is not None else ())]
    inside += [(line, "") for line in look.body.lines]
    more = [(f"[picture from {look.picture}]", _DIM)] if look.picture else []
    buttons = [("   ".join(f"[ {action} ]" for action in look.actions), "")] if look.actions else []
    if not look.screen.folded:
        inside += more + buttons
    elif look.picture:
        inside.append(("[small picture]", _DIM))
    if look.unfolds:
        inside += [_FOLD, *((line, "") for line in look.opened.lines)]
        inside += more + buttons if look.screen.folded else []
    return inside


def _box(lines: Iterable[_Line], width: int, *, colour: bool) -> list[str]:
    def framed(text: str, style: str) -> str:
        if (text, style) == _FOLD:
            return f"├{' after opening it '.center(width + 2, '╌')}┤"
        text, used = _fitting(text, width)
        return f"│ {_style(text, style, colour=colour)}{' ' * (width - used)} │"

    edge = "─" * (width + 2)
    return [f"╭{edge}╮", *(framed(text, style) for text, style in lines), f"╰{edge}╯"]


def _fitting(text: str, width: int) -> tuple[str, int]:
    """A text that stays inside the frame, and how many cells it takes."""
    kept, used = "", 0
    for cluster in clusters(text.replace("\n", " ")):
        size = cells(cluster)
        if used + size > width:
            return kept, used
        kept += cluster
        used += size
    return kept, used


def _style(text: str, style: str, *, colour: bool) -> str:
    return f"{style}{text}{_PLAIN}" if colour and style else text
