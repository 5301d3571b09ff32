"""
:class:`Report`: counts, groups and lists, built one outcome at a time.

Adding an accepted outcome is on the way of every push, so it touches a few counters and nothing else;
everything that people read is worked out when they ask.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, overload

from pushkit.errors import error_class, error_for
from pushkit.outcomes import Accepted, Action, Category, Disposition, Failure, Outcome, RecipientFailure
from pushkit.report.groups import MAX_GROUPS, MAX_ROWS, OTHER, SAMPLES, Group, GroupKey, GroupTally, Row, keep_some, short
from pushkit.report.tally import LATENCY_BOUNDS, Latency, Timeline
from pushkit.secret import clean, printable_ref

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pushkit.errors import PushError
    from pushkit.events import MassInvalidation
    from pushkit.report.compare import Change
    from pushkit.report.view import View
    from pushkit.report.words import Language

Keep: TypeAlias = Literal["all", "failures", "none"]
"""Which outcomes a report holds on to."""

KINDS = ("accepted", Category.TECHNICAL.value, Category.PAYLOAD.value, Category.RECIPIENT.value)
"""The four columns, in the order of every table and chart."""

_ACCEPTED = 0
_COLUMN = {Category.TECHNICAL: 1, Category.PAYLOAD: 2, Category.RECIPIENT: 3}
_FAN_OUT = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

WORTH_A_LINE = 0.005
"""Difference of two shares from which a comparison mentions it."""


def _a_report(value: object, where: str) -> Report:
    if isinstance(value, Report):
        return value
    raise TypeError(f"{where}: expected a Report (Report.from_json reads a stored one), got a {type(value).__name__}")


class Report:
    """
    What became of many pushes.

    Args:
        keep: which outcomes to hold on to: ``"all"``, ``"failures"`` (what ``to_remove`` and its like are
            made from), or ``"none"`` (counts and groups alone: constant memory whatever happens).

    A report shows no secret: recipients appear by their ``ref`` alone.
    """

    def __init__(self, *, keep: Keep = "failures") -> None:
        if keep not in {"all", "failures", "none"}:
            raise ValueError(f"keep: expected 'all', 'failures' or 'none', got {keep!r}")
        self._keep: Keep = keep
        self._keep_all = keep == "all"
        self._rows: dict[tuple[str | None, str], list[int]] = {}
        self._groups: dict[GroupKey, GroupTally] = {}
        self._outcomes: list[Outcome] = []
        self._suspicions: dict[tuple[str, str, str], MassInvalidation] = {}
        self._latency = Latency()
        self._timeline = Timeline(len(KINDS))
        self._retries = 0
        self._unknown = 0

    # -- filling -------------------------------------------------------------------------------------

    def add(self, outcome: Outcome) -> None:
        """Count an outcome. Call it once for each."""
        # The two histograms are counted inline: a method call each would be a quarter of the whole cost.
        row = self._rows.get((outcome.label, outcome.provider))
        if row is None:
            row = self._new_row(outcome.label, outcome.provider)
        if outcome.__class__ is Accepted:
            kind = _ACCEPTED
            elapsed = outcome.elapsed
            latency = self._latency
            latency.counts[bisect_left(LATENCY_BOUNDS, elapsed)] += 1
            latency.total += elapsed
            if self._keep_all:
                self._outcomes.append(outcome)
        else:
            kind = self._add_failure(outcome)  # type: ignore[arg-type]  # __class__ was compared above: narrower and twice as fast as isinstance
        row[kind] += 1
        if getattr(outcome.target, "fan_out", False):
            row[_FAN_OUT] += 1
        attempts = outcome.attempts
        if attempts:
            since = attempts[-1].started - _EPOCH
            second = since.days * 86400 + since.seconds
            timeline = self._timeline
            bucket = timeline.buckets.get(second // timeline.width) or timeline.bucket(second)
            bucket[kind] += 1
            if len(attempts) > 1:
                self._retries += len(attempts) - 1

    def _new_row(self, label: str | None, provider: str) -> list[int]:
        key = (None if label is None else short(label), short(provider))
        if key not in self._rows and len(self._rows) >= MAX_ROWS:
            key = (OTHER, OTHER)
        return self._rows.setdefault(key, [0, 0, 0, 0, 0])

    def _add_failure(self, outcome: Failure) -> int:
        category = outcome.category
        key: GroupKey = (outcome.label, outcome.provider, category, outcome.reason, outcome.action)
        tally = self._groups.get(key)
        if tally is None:
            tally = self._new_group(key, outcome.advice)
        tally.count += 1
        if outcome.disposition is Disposition.UNKNOWN:
            tally.unknown += 1
            self._unknown += 1
        if outcome.retryable:
            tally.retryable += 1
        if getattr(outcome.target, "fan_out", False):
            tally.fan_out += 1
        if len(tally.refs) < SAMPLES:
            keep_some(tally.refs, (printable_ref(getattr(outcome.target, "ref", None)) or "",))
        if outcome.field or (outcome.detail and not tally.detail):
            tally.say((outcome.field,) if outcome.field else (), outcome.detail)
        if self._keep != "none":
            self._outcomes.append(outcome)
        return _COLUMN[category]

    def _new_group(self, key: GroupKey, advice: str) -> GroupTally:
        label, provider, category, reason, action = key
        key = (None if label is None else short(label), short(provider), category, short(reason), action)
        if key not in self._groups and len(self._groups) >= MAX_GROUPS:
            key = (OTHER, provider if provider in {"apns", "fcm", "webpush"} else OTHER, category, OTHER, action)
            advice = "Several reasons are counted together here, since there were too many different ones."
        return self._groups.setdefault(key, GroupTally(clean(advice)))

    def suspect(self, event: MassInvalidation) -> None:
        """
        Remember that the guard stopped believing a reason for an app.

        From here on ``to_remove`` leaves out every recipient of that app and reason, also those that
        came before the guard noticed.
        """
        self._suspicions[event.provider, event.app, event.reason] = event

    @overload
    @classmethod
    def collect(cls, outcomes: AsyncIterable[Outcome], *, keep: Keep = "failures") -> Coroutine[Any, Any, Self]: ...
    @overload
    @classmethod
    def collect(cls, outcomes: Iterable[Outcome], *, keep: Keep = "failures") -> Self: ...
    @classmethod
    def collect(cls, outcomes: AsyncIterable[Outcome] | Iterable[Outcome], *, keep: Keep = "failures") -> Any:
        """
        Read a stream to its end and give the report, without keeping accepted outcomes.

        ``await Report.collect(stream)`` for an asynchronous stream, ``Report.collect(stream)`` for a
        synchronous one or any iterable of outcomes.
        """
        if isinstance(outcomes, AsyncIterable):
            return cls._collect_async(outcomes, keep)
        report = cls(keep=keep)
        for outcome in outcomes:
            report.add(outcome)
        report._take_suspicions(outcomes)
        return report

    @classmethod
    async def _collect_async(cls, outcomes: AsyncIterable[Outcome], keep: Keep) -> Self:
        report = cls(keep=keep)
        async for outcome in outcomes:
            report.add(outcome)
        report._take_suspicions(outcomes)
        return report

    def _take_suspicions(self, stream: object) -> None:
        # A stream's own running report has heard what the guard said; a plain iterable has none.
        running = getattr(stream, "report", None)
        if isinstance(running, Report):
            for event in running.suspicions:
                self.suspect(event)

    # -- reading -------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """Pushes that were counted; a topic, condition or channel push is one."""
        return sum(sum(row[:_FAN_OUT]) for row in list(self._rows.values()))

    def _column(self, kind: int) -> int:
        return sum(row[kind] for row in list(self._rows.values()))

    @property
    def accepted(self) -> int:
        """Pushes that a provider took."""
        return self._column(_ACCEPTED)

    @property
    def technical(self) -> int:
        """Technical failures: engineering or operations has to act."""
        return self._column(1)

    @property
    def payload(self) -> int:
        """Payload failures: whoever wrote the message has to act."""
        return self._column(2)

    @property
    def recipient(self) -> int:
        """Recipient failures: whoever keeps the recipient list has to act."""
        return self._column(3)

    @property
    def failed(self) -> int:
        """All failures."""
        return self.technical + self.payload + self.recipient

    @property
    def fan_out(self) -> int:
        """How many of ``total`` were for a topic, condition or channel, each of which stands for many recipients."""
        return self._column(_FAN_OUT)

    @property
    def unknown(self) -> int:
        """Failures that a provider may have taken all the same (disposition UNKNOWN)."""
        return self._unknown

    @property
    def keep(self) -> Keep:
        """Which outcomes it holds on to."""
        return self._keep

    @property
    def retries(self) -> int:
        """Attempts beyond each push's first."""
        return self._retries

    @property
    def ok(self) -> bool:
        """Whether everything was accepted."""
        return self.failed == 0

    @property
    def latency(self) -> Latency:
        """Seconds from taking a push to its acceptance, waits included; accepted pushes only."""
        return self._latency

    @property
    def timeline(self) -> Timeline:
        """What happened when (by the start of each push's last attempt)."""
        return self._timeline

    @property
    def rows(self) -> Sequence[Row]:
        """Counts by label and provider, sorted."""
        rows = [
            Row(label=label, provider=provider, accepted=row[0], technical=row[1], payload=row[2], recipient=row[3], fan_out=row[4])
            for (label, provider), row in list(self._rows.items())
        ]
        return sorted(rows, key=lambda row: (row.label or "", row.provider))

    @property
    def groups(self) -> Sequence[Group]:
        """Failures by label, provider, category, reason and action, the largest first."""
        groups = [
            Group(
                label=label,
                provider=provider,
                category=category,
                reason=reason,
                action=action,
                advice=tally.advice,
                count=tally.count,
                unknown=tally.unknown,
                retryable=tally.retryable,
                fan_out=tally.fan_out,
                refs=tuple(tally.refs),
                fields=tuple(tally.fields),
                detail=tally.detail,
            )
            for (label, provider, category, reason, action), tally in list(self._groups.items())
        ]
        return sorted(groups, key=lambda group: (-group.count, group.provider, group.reason, group.label or ""))

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """The kept outcomes in the order in which they were added: all, failures, or none, as ``keep`` says."""
        return self._outcomes

    @property
    def failures(self) -> Sequence[Failure]:
        """The kept failures."""
        return [outcome for outcome in self._outcomes if not isinstance(outcome, Accepted)]

    @property
    def suspicions(self) -> Sequence[MassInvalidation]:
        """What the guard stopped believing: too many recipients failed the same way."""
        return list(self._suspicions.values())

    def _suspected(self, outcome: Outcome) -> bool:
        return isinstance(outcome, RecipientFailure) and (outcome.provider, outcome.app, outcome.reason) in self._suspicions

    @property
    def to_remove(self) -> Sequence[RecipientFailure]:
        """Recipients to forget, as far as that is still believed now. Check ``removable(registered_at)`` on each."""
        return [
            outcome
            for outcome in self._outcomes
            if isinstance(outcome, RecipientFailure) and outcome.action is Action.REMOVE_RECIPIENT and not self._suspected(outcome)
        ]

    @property
    def to_review(self) -> Sequence[RecipientFailure]:
        """Recipients that fail, perhaps by a fault of our own: look before removing anybody. Holds the suspects too."""
        return [
            outcome
            for outcome in self._outcomes
            if isinstance(outcome, RecipientFailure) and (outcome.action is Action.REVIEW_RECIPIENT or self._suspected(outcome))
        ]

    @property
    def suspects(self) -> Sequence[RecipientFailure]:
        """Recipients that failed in a way that too many share (see ``suspicions``)."""
        return [outcome for outcome in self._outcomes if isinstance(outcome, RecipientFailure) and self._suspected(outcome)]

    @property
    def to_resume(self) -> Sequence[Failure]:
        """Failures that ``push.resume`` can send again, not before each one's ``retry_at``."""
        return [outcome for outcome in self.failures if outcome.retryable and outcome.resume is not None]

    def raise_for_failures(self) -> None:
        """
        Raise when anything failed.

        Raises:
            ExceptionGroup: with a ``PushError`` for each kept failure; where none are kept, with one for
                each group.
        """
        if self.ok:
            return
        errors: list[PushError] = [error_for(outcome) for outcome in self.failures]
        if len(errors) < self.failed:
            errors = [
                error_class(group.category)(f"{group.count} × {group.provider} {group.reason}: {group.advice}") for group in self.groups
            ]
        raise ExceptionGroup(f"{self.failed} of {self.total} pushes failed", errors)

    # -- showing, storing, joining -------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values, without secrets: counts, groups, latency and timeline. :meth:`from_dict` reads it."""
        from pushkit.report.stored import to_dict

        return to_dict(self)

    def to_json(self) -> str:
        """:meth:`as_dict` as JSON text, in ASCII: half a surrogate in a label is no text that a file could hold."""
        import json

        return json.dumps(self.as_dict(), separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """
        Read what :meth:`as_dict` gave: counts and groups; outcomes are not in it.

        Raises:
            ValueError: when it is anything else.
        """
        from pushkit.report.stored import fill

        report = cls(keep="none")
        fill(report, data, len(KINDS))
        return report

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """
        Read what :meth:`to_json` gave.

        Raises:
            ValueError: when it is anything else.
        """
        import json

        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("expected the JSON of a report; this is no JSON") from None
        return cls.from_dict(data)

    @classmethod
    def merge(cls, reports: Iterable[Report]) -> Self:
        """One report of many workers' reports. It keeps the outcomes that they kept, one report after the other."""
        given = [_a_report(report, "merge") for report in reports]
        merged = cls(keep="all" if given and all(report.keep == "all" for report in given) else "failures")
        for report in given:
            for row in report.rows:
                merged.add_row(row.label, row.provider, (row.accepted, row.technical, row.payload, row.recipient, row.fan_out))
            for group in report.groups:
                merged.add_group(group)
            merged._outcomes += report.outcomes if merged._keep_all else report.failures
            for event in report.suspicions:
                merged.suspect(event)
            merged._latency.merge(report.latency)
            merged._timeline.merge(report.timeline)
            merged.add_retries(report.retries)
        return merged

    def add_row(self, label: str | None, provider: str, counts: Sequence[int]) -> None:
        """Add another report's counts (accepted, technical, payload, recipient, fan-out) for a label and provider."""
        row = self._rows.get((label, provider))
        if row is None:
            row = self._new_row(label, provider)
        for index, count in enumerate(counts):
            row[index] += count

    def add_group(self, group: Group) -> None:
        """Add another report's group."""
        key: GroupKey = (group.label, group.provider, group.category, group.reason, group.action)
        tally = self._groups.get(key)
        if tally is None:
            tally = self._new_group(key, group.advice)
        tally.count += group.count
        tally.unknown += group.unknown
        tally.retryable += group.retryable
        tally.fan_out += group.fan_out
        keep_some(tally.refs, (clean(ref, limit=100) for ref in group.refs))
        tally.say(group.fields, group.detail)
        self._unknown += group.unknown

    def add_retries(self, count: int) -> None:
        """Add another report's retries."""
        self._retries += count

    def compare(self, earlier: Report) -> Sequence[Change]:
        """What fails more or less often than in an earlier report; suspicious changes first."""
        from pushkit.report.compare import compare

        return compare(_a_report(earlier, "compare"), self)

    def _view(self, language: Language, earlier: Report | None, quote: Callable[[str], str] = str) -> View:
        from pushkit.report.view import view_of

        # Of what changed without raising suspicion, only what a reader would notice is worth a line.
        changes = [] if earlier is None else [c for c in self.compare(earlier) if c.suspicious or abs(c.after - c.before) >= WORTH_A_LINE]
        return view_of(self, language, changes, quote)

    def to_text(self, *, language: Language = "en", earlier: Report | None = None, columns: int | None = None) -> str:
        """
        For a terminal.

        Args:
            language: ``"en"`` or ``"zh"``.
            earlier: a report to compare with.
            columns: how wide the terminal is, for lines that fit into it; None keeps a sentence on a line, as a log wants it.

        Raises:
            ValueError: for another language.
        """
        from pushkit.report.text import to_text

        return to_text(self._view(language, earlier), columns)

    def to_markdown(self, *, language: Language = "en", earlier: Report | None = None, title: str | None = None) -> str:
        """For a ticket or a chat. Arguments as in :meth:`to_text`; ``title`` replaces the heading."""
        from pushkit.report.markdown import code, to_markdown

        return to_markdown(self._view(language, earlier, code), title)

    def to_html(self, *, language: Language = "en", earlier: Report | None = None, title: str | None = None) -> str:
        """One self-contained page with charts, light and dark, printable, without script. Arguments as in :meth:`to_markdown`."""
        from pushkit.report.html import to_html

        return to_html(self, self._view(language, earlier), title)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return (
            f"<Report {self.total} pushes: {self.accepted} accepted, {self.technical} technical, "
            f"{self.payload} payload, {self.recipient} recipient>"
        )
