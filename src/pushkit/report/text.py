"""A report as plain text, for a terminal or a log: no colours, no libraries."""

from __future__ import annotations

from collections.abc import Sequence

from pushkit.report.spelling import width, wrapped
from pushkit.report.view import CauseView, View

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


def to_text(view: View, columns: int | None = None) -> str:
    """The whole report: what is alarming first, then what most failed of and who has to act."""
    before = _sentences(view)
    table_of_counts: list[str] = []
    if view.rows:
        rows = [(row.name, *(f"{number:,}" for number in row.numbers)) for row in view.rows]
        table_of_counts = ["", *table([("", *view.columns), *rows], indent="  ")]
    after = _causes(view)
    if columns is not None:
        before, after = _broken(before, columns), _broken(after, columns)
    return "\n".join([*before, *table_of_counts, *after])


def _broken(sentences: Sequence[str], columns: int) -> list[str]:
    lines: list[str] = []
    for sentence in sentences:
        words = sentence.lstrip(" ")
        lines += wrapped(words, columns, sentence[: len(sentence) - len(words)])
    return lines


def _sentences(view: View) -> list[str]:
    lines = [view.headline]
    if view.alarms:
        lines += ["", view.words.suspicious.upper(), *(f"  {alarm}" for alarm in view.alarms), ""]
    if view.lead:
        lines += [view.lead, f"  {view.lead_advice}"]
    if view.changes:
        lines += ["", view.words.changes, *(f"  {change}" for change in view.changes)]
    return lines


def _causes(view: View) -> list[str]:
    lines: list[str] = []
    for section in view.sections:
        lines += ["", section.heading]
        for cause in section.causes:
            lines += _cause(cause, view)
        if section.rest:
            lines.append(_INDENT + section.rest)
    if view.notes:
        lines += ["", *view.notes]
    return lines


def _cause(cause: CauseView, view: View) -> list[str]:
    spoken = view.words
    labels = f" [{spoken.comma.join(cause.labels)}]" if cause.labels else ""
    lines = [f"  {cause.count:>7,} × {cause.what}{labels}{spoken.parens.format(cause.action)}", _INDENT + cause.advice]
    more = [*cause.more]
    if cause.fields:
        more.append(spoken.in_fields.format(fields=spoken.comma.join(cause.fields)))
    if cause.refs:
        more.append(spoken.for_example.format(refs=spoken.comma.join(cause.refs)))
    if more:
        lines.append(_INDENT + spoken.semicolon.join(more))
    if cause.detail:
        lines.append(_INDENT + spoken.details.format(detail=cause.detail))
    return lines
