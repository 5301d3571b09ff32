"""A report as plain text, for a terminal or a log: no colours, no libraries."""

from __future__ import annotations

from collections.abc import Sequence

from pushkit.report.view import View, width

_INDENT = " " * 12


def table(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """Lines of a table: the first column to the left, the others to the right."""
    columns = [max(width(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        cells = [row[0] + " " * (columns[0] - width(row[0]))]
        cells += [" " * (columns[index] - width(cell)) + cell for index, cell in enumerate(row[1:], 1)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def to_text(view: View) -> str:
    """The whole report: what is alarming first."""
    lines = [view.headline]
    if view.alarms:
        lines += ["", view.words.suspicious.upper(), *(f"  {alarm}" for alarm in view.alarms)]
    if view.changes:
        lines += ["", view.words.changes, *(f"  {change}" for change in view.changes)]
    if view.rows:
        lines += ["", *table([tuple(view.columns), *view.rows], indent="  ")]
    for section in view.sections:
        lines += ["", section.heading]
        for group in section.groups:
            label = f" [{group.label}]" if group.label else ""
            lines.append(f"  {group.count:>7,} × {group.what}{label}  ({group.action})")
            lines.append(_INDENT + group.advice)
            more = [*group.more]
            if group.refs:
                more.append(view.words.for_example.format(refs=view.words.comma.join(group.refs)))
            if more:
                lines.append(_INDENT + "; ".join(more))
    if view.notes:
        lines += ["", *view.notes]
    return "\n".join(lines)
