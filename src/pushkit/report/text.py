"""A report as plain text, for a terminal or a log: no colours, no libraries."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pushkit.outcomes import Category
from pushkit.secret import clean

if TYPE_CHECKING:
    from pushkit.report.core import Group, Report

WHO = {
    Category.TECHNICAL: "engineering or operations",
    Category.PAYLOAD: "whoever wrote the message",
    Category.RECIPIENT: "whoever keeps the recipient list",
}


def width(text: str) -> int:
    """Columns that a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1 for character in text)


def table(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """Lines of a table: the first column to the left, the others to the right."""
    columns = [max(width(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        cells = [row[0] + " " * (columns[0] - width(row[0]))]
        cells += [" " * (columns[index] - width(cell)) + cell for index, cell in enumerate(row[1:], 1)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def percent(part: int, whole: int) -> str:
    """A share as people write it; never 0 % for something nor 100 % for almost all."""
    if not whole:
        return "–"
    share = 100.0 * part / whole
    if part and share < 0.1:
        return "<0.1 %"
    if part < whole and share > 99.9:
        return ">99.9 %"
    return f"{share:.1f} %"


def to_text(report: Report) -> str:
    """The whole report."""
    total = report.total
    lines = [f"{total:,} pushes: {report.accepted:,} accepted ({percent(report.accepted, total)}), {report.failed:,} failed"]
    if total:
        lines += ["", *_counts(report)]
    for category in Category:
        groups = [group for group in report.groups if group.category is category]
        if groups:
            count = sum(group.count for group in groups)
            lines += ["", f"{category.value.upper()}: {count:,}. {WHO[category].capitalize()} has to act."]
            for group in groups:
                lines += _group(group)
    lines += _notes(report)
    return "\n".join(lines)


def _counts(report: Report) -> list[str]:
    rows = [["", "pushes", "accepted", "technical", "payload", "recipient", "to topics"]]
    for row in report.rows:
        name = clean(" / ".join(part for part in (row.label, row.provider or "(no provider)") if part), limit=40)
        rows.append([name, *(f"{n:,}" for n in (row.total, row.accepted, row.technical, row.payload, row.recipient, row.fan_out))])
    if len(rows) > 2:
        sums = (report.total, report.accepted, report.technical, report.payload, report.recipient, report.fan_out)
        rows.append(["all", *(f"{n:,}" for n in sums)])
    if not report.fan_out:
        rows = [row[:-1] for row in rows]
    return table(rows, indent="  ")


def _group(group: Group) -> list[str]:
    label = f" [{clean(group.label, limit=40)}]" if group.label else ""
    provider = clean(group.provider, limit=40) or "(no provider)"
    lines = [
        f"  {group.count:>7,} × {provider} {clean(group.reason, limit=80)}{label}  ({group.action.value.replace('_', ' ')})",
        f"            {clean(group.advice)}",
    ]
    more: list[str] = []
    if group.unknown:
        more.append(f"{group.unknown:,} may have been taken all the same")
    if group.fan_out:
        more.append(f"{group.fan_out:,} to topics or channels")
    if group.refs:
        more.append("for example " + ", ".join(group.refs))
    if more:
        lines.append(f"            {'; '.join(more)}")
    return lines


def _notes(report: Report) -> list[str]:
    lines: list[str] = []
    if report.suspicions:
        lines += ["", "SUSPICIOUS: do not remove these recipients before somebody has looked."]
        lines += [
            f"  {event.provider}/{clean(event.app, limit=40)} {clean(event.reason, limit=80)}: {100 * event.share:.0f} % of "
            f"{event.seen:,} pushes failed this way; rather our own configuration than that many recipients"
            for event in report.suspicions
        ]
    median, slow = report.latency.quantile(0.5), report.latency.quantile(0.99)
    if median is not None and slow is not None:
        lines += ["", f"Time to acceptance: half within {_seconds(median)}, 99 of 100 within {_seconds(slow)}; {report.retries:,} retries."]
    if report.accepted:
        lines += ["Accepted means that the push service took it. No push service tells whether a device showed it."]
    return lines


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
