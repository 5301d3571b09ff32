"""The preview for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from pushkit.preview.fitting import cells, clusters, harmless
from pushkit.preview.linting import LintWarning
from pushkit.preview.looks import Look

_WIDTH = 58
_COLUMNS = 96
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(looks: Iterable[Look], warnings: Iterable[LintWarning], *, colour: bool) -> str:
    """Cards in boxes, one below the other, then the warnings."""
    parts = ["\n".join(_card(look, colour=colour)) for look in looks]
    said = [str(warning) for warning in warnings]
    if said:
        parts.append("\n".join(["Before you send it:", *map(_listed, said)]))
    return "\n\n".join(parts) + "\n"


def _listed(line: str) -> str:
    return textwrap.fill(
        harmless(line), _COLUMNS, initial_indent="  - ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _card(look: Look, *, colour: bool) -> list[str]:
    heading = f"{look.screen.name}, {look.screen.where}" + (f" (through {look.provider})" if look.provider else "")
    lines = [_style(heading, _DIM, colour=colour)]
    if not look.shown:
        what = "REFUSED" if look.refused else "nothing is shown"
        return [*lines, *_box([(f"{what}: {line}" if not at else line, "") for at, line in enumerate(_wrapped(look.why))], colour=colour)]
    badge = f"  ({look.badge})" if look.badge else ""
    inside: list[tuple[str, str]] = [(f"{look.app}{badge}", _DIM)]
    inside += [(line, _BOLD) for line in look.title.lines]
    inside += [(line, "") for line in (look.subtitle.lines if look.subtitle is not None else ())]
    inside += [(line, "") for line in look.body.lines]
    if look.picture:
        inside.append((f"[picture from {look.picture}]", _DIM))
    if look.actions:
        inside.append(("   ".join(f"[ {action} ]" for action in look.actions), ""))
    return [*lines, *_box(inside, colour=colour), *(_style(f"  {note}", _DIM, colour=colour) for note in look.notes)]


def _wrapped(text: str) -> list[str]:
    words, lines = harmless(text).split(), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) + 1 > _WIDTH - 18:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _box(lines: Iterable[tuple[str, str]], *, colour: bool) -> list[str]:
    def framed(text: str, style: str) -> str:
        text, used = _fitting(text)
        return f"│ {_style(text, style, colour=colour)}{' ' * (_WIDTH - used)} │"

    edge = "─" * (_WIDTH + 2)
    return [f"╭{edge}╮", *(framed(text, style) for text, style in lines), f"╰{edge}╯"]


def _fitting(text: str) -> tuple[str, int]:
    """A text that stays inside the frame, and how many cells it takes."""
    kept, used = "", 0
    for cluster in clusters(text.replace("\n", " ")):
        size = cells(cluster)
        if used + size > _WIDTH:
            return kept, used
        kept += cluster
        used += size
    return kept, used


def _style(text: str, style: str, *, colour: bool) -> str:
    return f"{style}{text}{_PLAIN}" if colour and style else text
