"""What a report says, in one language and in order, before it becomes text, Markdown or a page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from pushkit.outcomes import Category
from pushkit.report.words import Words, advice, words
from pushkit.secret import clean

if TYPE_CHECKING:
    from pushkit.report.compare import Change
    from pushkit.report.core import Report
    from pushkit.report.groups import Group


@attrs.frozen(kw_only=True)
class GroupView:
    """One group, ready to be shown. Nothing in it holds control characters; markup is the renderer's to escape."""

    count: int
    what: str
    label: str
    action: str
    advice: str
    more: Sequence[str]
    refs: Sequence[str]


@attrs.frozen(kw_only=True)
class Section:
    """The groups of one category."""

    category: Category
    heading: str
    groups: Sequence[GroupView]


@attrs.frozen(kw_only=True)
class View:
    """The whole report."""

    words: Words
    headline: str
    alarms: Sequence[str]
    changes: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[tuple[str, ...]]
    sections: Sequence[Section]
    notes: Sequence[str]


def percent(part: int, whole: int) -> str:
    """A share as people write it; never 0 % for something nor 100 % for almost all."""
    return share_text(part / whole) if whole else "–"


def share_text(share: float) -> str:
    """A share from 0.0 to 1.0 in percent."""
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{100 * share:.1f} %"


def seconds_text(value: float) -> str:
    """A duration as people write it."""
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.4g} s"


def width(text: str) -> int:
    """Columns that a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1 for character in text)


def row_name(label: str | None, provider: str, spoken: Words) -> str:
    """How a row of counts is called."""
    return clean(" / ".join(part for part in (label, provider or spoken.no_provider) if part), limit=60)


def view_of(report: Report, language: str, changes: Sequence[Change] = ()) -> View:
    """
    What a report says.

    Raises:
        ValueError: for a language that there are no words in.
    """
    spoken = words(language)
    total = report.total
    headline = (
        spoken.headline.format(total=total, accepted=report.accepted, share=percent(report.accepted, total), failed=report.failed)
        if total
        else spoken.empty
    )
    groups = report.groups
    sections: list[Section] = []
    for category in Category:
        mine = [group for group in groups if group.category is category]
        if mine:
            heading = spoken.has_to_act.format(
                category=spoken.category[category], count=sum(group.count for group in mine), who=spoken.who[category]
            )
            sections.append(Section(category=category, heading=heading, groups=[_group(group, spoken) for group in mine]))
    columns, rows = _counts(report, spoken)
    return View(
        words=spoken,
        headline=headline,
        alarms=_alarms(report, spoken),
        changes=[_change(change, spoken) for change in changes],
        columns=columns,
        rows=rows,
        sections=sections,
        notes=_notes(report, spoken),
    )


def _counts(report: Report, spoken: Words) -> tuple[Sequence[str], Sequence[tuple[str, ...]]]:
    numbers = [
        (row_name(row.label, row.provider, spoken), (row.total, row.accepted, row.technical, row.payload, row.recipient, row.fan_out))
        for row in report.rows
    ]
    if len(numbers) > 1:
        sums = (report.total, report.accepted, report.technical, report.payload, report.recipient, report.fan_out)
        numbers.append((spoken.all, sums))
    # Most people send to no topic; the column is there for those who do.
    shown = len(spoken.columns) if report.fan_out else len(spoken.columns) - 1
    return ("", *spoken.columns[:shown]), [(name, *(f"{number:,}" for number in counts[:shown])) for name, counts in numbers]


def _group(group: Group, spoken: Words) -> GroupView:
    more: list[str] = []
    if group.unknown:
        more.append(spoken.may_have_arrived.format(count=group.unknown))
    if group.fan_out:
        more.append(spoken.to_topics.format(count=group.fan_out))
    if group.retryable:
        more.append(spoken.can_be_sent_again.format(count=group.retryable))
    return GroupView(
        count=group.count,
        what=f"{clean(group.provider, limit=40) or spoken.no_provider} {clean(group.reason, limit=80)}",
        label=clean(group.label, limit=40) if group.label else "",
        action=spoken.action[group.action],
        advice=clean(advice(group.provider, group.action, group.advice, spoken.language, reason=group.reason)),
        more=more,
        refs=group.refs,
    )


def _alarms(report: Report, spoken: Words) -> Sequence[str]:
    return [
        spoken.suspicion.format(
            where=f"{clean(event.provider, limit=40)}/{clean(event.app, limit=40)}",
            reason=clean(event.reason, limit=80),
            share=share_text(event.share),
            seen=event.seen,
        )
        for event in report.suspicions
    ]


def _change(change: Change, spoken: Words) -> str:
    template = spoken.changed_suspiciously if change.suspicious else spoken.changed
    what = f"{clean(change.provider, limit=40) or spoken.no_provider} {clean(change.reason, limit=80)}"
    return template.format(what=what, before=share_text(change.before), after=share_text(change.after))


def _notes(report: Report, spoken: Words) -> Sequence[str]:
    notes: list[str] = []
    median, slow = report.latency.quantile(0.5), report.latency.quantile(0.99)
    if median is not None and slow is not None:
        notes.append(spoken.latency.format(median=seconds_text(median), slow=seconds_text(slow), retries=report.retries))
    if report.accepted:
        notes.append(spoken.footnote)
    return notes
