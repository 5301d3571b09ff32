"""What a report says, in one language and in order, before it becomes text, Markdown or a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs

from pushkit.outcomes import Action, Category
from pushkit.report.causes import Cause, causes_of, main_cause
from pushkit.report.spelling import cell, duration_text, percent, row_name, share_text
from pushkit.report.words import Words, advice, words
from pushkit.secret import clean

if TYPE_CHECKING:
    from pushkit.report.compare import Change
    from pushkit.report.core import Report
    from pushkit.report.groups import Row

MOST_CAUSES = 20
"""Causes of a category that are shown to people; JSON has them all."""
MOST_ROWS = 30
MOST_LABELS = 5
MOST_LINES = 10
"""Alarms and changes."""


_SAY_ALL = frozenset({Action.REMOVE_RECIPIENT, Action.RESUBSCRIBE})
"""What to do about one recipient: the service's own words add nothing to the advice."""


@attrs.frozen(kw_only=True)
class CauseView:
    """One cause, ready to be shown. Nothing in it holds control characters; markup is the renderer's to escape."""

    category: Category
    count: int
    what: str
    labels: Sequence[str]
    action: str
    advice: str
    more: Sequence[str]
    fields: Sequence[str]
    detail: str
    refs: Sequence[str]


@attrs.frozen(kw_only=True)
class Section:
    """The causes of one category."""

    category: Category
    heading: str
    causes: Sequence[CauseView]
    rest: str
    """What is left out, or nothing."""


@attrs.frozen(kw_only=True)
class Counts:
    """A line of the table of counts."""

    name: str
    numbers: Sequence[int]
    """Pushes, accepted, technical, payload, recipient; and to topics, if any were."""
    is_sum: bool = False


@attrs.frozen(kw_only=True)
class View:
    """The whole report."""

    words: Words
    headline: str
    alarms: Sequence[str]
    lead: str
    """The main cause and who has to act; nothing when nothing failed."""
    lead_advice: str
    changes: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Counts]
    """By campaign and provider, and their sums."""
    providers: Sequence[Counts]
    """By provider, where that is something else."""
    sections: Sequence[Section]
    notes: Sequence[str]


def view_of(report: Report, language: str, changes: Sequence[Change] = (), quote: Callable[[str], str] = str) -> View:
    """
    What a report says.

    Args:
        report: the report.
        language: ``"en"`` or ``"zh"``.
        changes: what to say of an earlier report.
        quote: what a renderer does with a stranger's word inside a sentence of ours.

    Raises:
        ValueError: for a language that there are no words in.
    """
    spoken = words(language)
    total = report.total
    headline = spoken.empty
    if total:
        share = percent(report.accepted, total, spoken.percent)
        headline = spoken.headline.format(
            total=total, pushes=spoken.pushes[total != 1], accepted=report.accepted, share=share, failed=report.failed
        )
    causes = causes_of(report)
    providers = _providers(report, spoken)
    lead, lead_advice = _lead(report, causes, spoken, quote)
    return View(
        words=spoken,
        headline=headline,
        alarms=_alarms(report, spoken, quote),
        lead=lead,
        lead_advice=lead_advice,
        changes=_some([_change(change, spoken, quote) for change in changes[:MOST_LINES]], len(changes), spoken.more_changes),
        columns=spoken.columns if report.fan_out else spoken.columns[:-1],
        rows=_counts(report, providers, spoken),
        providers=providers,
        sections=[_section(category, mine, spoken) for category in Category if (mine := [c for c in causes if c.category is category])],
        notes=_notes(report, spoken),
    )


def what_of(provider: str, reason: str, spoken: Words) -> str:
    """A provider and its word."""
    return cell(f"{clean(provider, limit=40) or spoken.no_provider} {clean(reason, limit=80)}")


def _some(lines: list[str], count: int, more: str) -> Sequence[str]:
    return [*lines, more.format(count=count - len(lines))] if count > len(lines) else lines


def _lead(report: Report, causes: Sequence[Cause], spoken: Words, quote: Callable[[str], str]) -> tuple[str, str]:
    main, followers = main_cause(causes)
    if main is None:
        return "", ""
    suspected = any((event.provider, event.reason) == (main.provider, main.reason) for event in report.suspicions)
    lead = spoken.lead.format(
        what=quote(what_of(main.provider, main.reason, spoken)),
        count=main.count,
        failed=report.failed,
        share=percent(main.count, report.failed, spoken.percent),
        followed=spoken.followed.format(
            count=sum(follower.count for follower in followers), reasons=spoken.comma.join(quote(follower.reason) for follower in followers)
        )
        if followers
        else "",
        # What the guard does not believe is looked for in our own settings first.
        who=spoken.who[Category.TECHNICAL if suspected else main.category],
    )
    return lead, _advice(main, spoken)


def _advice(cause: Cause, spoken: Words) -> str:
    return clean(advice(cause.provider, cause.action, cause.advice, spoken.language, reason=cause.reason))


def _alarms(report: Report, spoken: Words, quote: Callable[[str], str]) -> Sequence[str]:
    suspicions = report.suspicions
    lines = [
        spoken.suspicion.format(
            what=quote(cell(f"{clean(event.provider, limit=40)}/{clean(event.app, limit=40)} {clean(event.reason, limit=80)}")),
            share=share_text(event.share, spoken.percent),
            seen=event.seen,
        )
        for event in suspicions[:MOST_LINES]
    ]
    return _some(lines, len(suspicions), spoken.more_changes)


def _change(change: Change, spoken: Words, quote: Callable[[str], str]) -> str:
    return spoken.changed.format(
        what=quote(what_of(change.provider, change.reason, spoken)),
        before=share_text(change.before, spoken.percent),
        after=share_text(change.after, spoken.percent),
        suspicious=spoken.changed_suspiciously if change.suspicious else "",
    )


def _providers(report: Report, spoken: Words) -> Sequence[Counts]:
    joined: dict[str, list[Sequence[int]]] = {}
    for row in report.rows:
        joined.setdefault(row.provider, []).append(_numbers(row, report))
    # Where a provider has one row, its sum is that row again.
    if not 1 < len(joined) < len(report.rows) or len(joined) > MOST_LINES:
        return ()
    return [
        Counts(name=row_name(None, provider, spoken.no_provider), numbers=_sums(numbers), is_sum=True)
        for provider, numbers in sorted(joined.items())
    ]


def _sums(rows: Sequence[Sequence[int]]) -> Sequence[int]:
    return [sum(column) for column in zip(*rows, strict=True)]


def _counts(report: Report, providers: Sequence[Counts], spoken: Words) -> Sequence[Counts]:
    rows = report.rows
    # With a campaign a user there are more rows than anybody reads: those with most failures stay.
    worst = sorted(range(len(rows)), key=lambda index: (rows[index].accepted - rows[index].total, -rows[index].total))
    lines = [
        Counts(name=row_name(rows[index].label, rows[index].provider, spoken.no_provider), numbers=_numbers(rows[index], report))
        for index in sorted(worst[:MOST_ROWS])
    ]
    rest = [_numbers(rows[index], report) for index in worst[MOST_ROWS:]]
    if rest:
        lines.append(Counts(name=spoken.more_rows.format(count=len(rest)), numbers=_sums(rest)))
    if len(lines) > 1:
        everything = Counts(name=spoken.all, numbers=_sums([line.numbers for line in lines]), is_sum=True)
        lines += [attrs.evolve(line, name=f"{spoken.all} / {line.name}") for line in providers]
        lines.append(everything)
    return lines


def _numbers(row: Row, report: Report) -> Sequence[int]:
    # Most people send to no topic; the column is there for those who do.
    last = (row.fan_out,) if report.fan_out else ()
    return (row.total, row.accepted, row.technical, row.payload, row.recipient, *last)


def _section(category: Category, causes: Sequence[Cause], spoken: Words) -> Section:
    left = causes[MOST_CAUSES:]
    return Section(
        category=category,
        heading=spoken.has_to_act.format(
            category=spoken.category[category], count=sum(cause.count for cause in causes), who=spoken.who[category]
        ),
        causes=[_cause(cause, spoken) for cause in causes[:MOST_CAUSES]],
        rest=spoken.more_causes.format(kinds=len(left), count=sum(cause.count for cause in left)) if left else "",
    )


def _cause(cause: Cause, spoken: Words) -> CauseView:
    more: list[str] = []
    for template, count in (
        (spoken.may_have_arrived, sum(group.unknown for group in cause.groups)),
        (spoken.to_topics, sum(group.fan_out for group in cause.groups)),
        (spoken.can_be_sent_again, sum(group.retryable for group in cause.groups)),
    ):
        if count:
            more.append(template.format(count=count))
    return CauseView(
        category=cause.category,
        count=cause.count,
        what=what_of(cause.provider, cause.reason, spoken),
        labels=_labels(cause, spoken),
        action=spoken.action[cause.action],
        advice=_advice(cause, spoken),
        more=more,
        fields=[clean(field, limit=100) for field in cause.fields],
        detail="" if cause.action in _SAY_ALL or cause.detail in cause.advice else clean(cause.detail, limit=200),
        refs=[clean(ref, limit=100) for ref in cause.refs],
    )


def _labels(cause: Cause, spoken: Words) -> Sequence[str]:
    named = [(clean(label, limit=40) if label else spoken.no_label, count) for label, count in cause.labels.items()]
    if len(named) == 1:
        return [named[0][0]] if next(iter(cause.labels)) else []
    shown = [f"{name} {count:,}" for name, count in named[:MOST_LABELS]]
    return _some(shown, len(named), spoken.more_labels)


def _notes(report: Report, spoken: Words) -> Sequence[str]:
    notes: list[str] = []
    median, slow = report.latency.quantile(0.5), report.latency.quantile(0.99)
    if median is not None and slow is not None:
        notes.append(spoken.latency.format(median=duration_text(median, spoken.units), slow=duration_text(slow, spoken.units)))
    if report.retries:
        notes.append(spoken.retries.format(retries=report.retries))
    if report.accepted:
        notes.append(spoken.footnote)
    return notes
