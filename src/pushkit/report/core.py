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

import attrs

from pushkit.errors import error_class, error_for
from pushkit.outcomes import Accepted, Action, Category, Disposition, Failure, Outcome, RecipientFailure
from pushkit.report.tally import LATENCY_BOUNDS, Latency, Timeline
from pushkit.secret import printable_ref

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pushkit.errors import PushError
    from pushkit.events import MassInvalidation

Keep: TypeAlias = Literal["all", "failures", "none"]
"""Which outcomes a report holds on to."""

KINDS = ("accepted", Category.TECHNICAL.value, Category.PAYLOAD.value, Category.RECIPIENT.value)
"""The four columns, in the order of every table and chart."""

_ACCEPTED = 0
_COLUMN = {Category.TECHNICAL: 1, Category.PAYLOAD: 2, Category.RECIPIENT: 3}
_FAN_OUT = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SAMPLES = 5
"""How many ``ref`` a group shows."""
MAX_GROUPS = 1000
"""Reasons come from strangers and labels from data, so a report never holds more groups than this."""
MAX_ROWS = 1000
"""The same for label and provider pairs."""
OTHER = "(other)"
"""Stands for labels and reasons beyond those limits."""

_GroupKey: TypeAlias = tuple[str | None, str, Category, str, Action]


@attrs.frozen(kw_only=True)
class Group:
    """Failures with the same label, provider, category, reason and action."""

    label: str | None
    provider: str
    category: Category
    """Says who has to act: engineering or operations, whoever wrote the message, or whoever keeps the recipient list."""
    reason: str
    action: Action
    advice: str
    """One plain sentence for whoever has to act."""
    count: int
    unknown: int = 0
    """How many of them the provider may have taken (disposition UNKNOWN): sending those again can make duplicates."""
    retryable: int = 0
    """How many of them may be sent again."""
    fan_out: int = 0
    """How many of them were for a topic, condition or channel, each of which stands for many recipients."""
    refs: tuple[str, ...] = ()
    """A few of the callers' own references, as examples."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "label": self.label,
            "provider": self.provider,
            "category": self.category.value,
            "reason": self.reason,
            "action": self.action.value,
            "advice": self.advice,
            "count": self.count,
            "unknown": self.unknown,
            "retryable": self.retryable,
            "fan_out": self.fan_out,
            "refs": list(self.refs),
        }


@attrs.frozen(kw_only=True)
class Row:
    """The counts of one label and provider."""

    label: str | None
    provider: str
    accepted: int
    technical: int
    payload: int
    recipient: int
    fan_out: int
    """How many of them were for a topic, condition or channel."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.accepted + self.technical + self.payload + self.recipient

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return attrs.asdict(self)


class _Tally:
    """What a group counts while the report grows."""

    __slots__ = ("advice", "count", "fan_out", "refs", "retryable", "unknown")

    def __init__(self, advice: str) -> None:
        self.advice = advice
        self.count = 0
        self.unknown = 0
        self.retryable = 0
        self.fan_out = 0
        self.refs: list[str] = []

    def sample(self, refs: Iterable[str]) -> None:
        for ref in refs:
            if len(self.refs) < SAMPLES and ref not in self.refs:
                self.refs.append(ref)


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
        self._groups: dict[_GroupKey, _Tally] = {}
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
        key = (label, provider) if len(self._rows) < MAX_ROWS else (OTHER, OTHER)
        return self._rows.setdefault(key, [0, 0, 0, 0, 0])

    def _add_failure(self, outcome: Failure) -> int:
        category = outcome.category
        key: _GroupKey = (outcome.label, outcome.provider, category, outcome.reason, outcome.action)
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
            ref = printable_ref(getattr(outcome.target, "ref", None))
            if ref:
                tally.sample((ref,))
        if self._keep != "none":
            self._outcomes.append(outcome)
        return _COLUMN[category]

    def _new_group(self, key: _GroupKey, advice: str) -> _Tally:
        if len(self._groups) >= MAX_GROUPS:
            key = (OTHER, key[1] if key[1] in {"apns", "fcm", "webpush"} else OTHER, key[2], OTHER, key[4])
            advice = "Several reasons are counted together here, since there were too many different ones."
        return self._groups.setdefault(key, _Tally(advice))

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

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values, without secrets: counts, groups, latency and timeline. ``from_dict`` reads it."""
        return {
            "format": 1,
            "total": self.total,
            "accepted": self.accepted,
            "technical": self.technical,
            "payload": self.payload,
            "recipient": self.recipient,
            "fan_out": self.fan_out,
            "unknown": self.unknown,
            "retries": self.retries,
            "rows": [row.as_dict() for row in self.rows],
            "groups": [group.as_dict() for group in self.groups],
            "suspicions": [attrs.asdict(event) for event in self.suspicions],
            "latency": self._latency.as_dict(),
            "timeline": self._timeline.as_dict(),
        }

    def __str__(self) -> str:
        from pushkit.report.text import to_text

        return to_text(self)

    def __repr__(self) -> str:
        return (
            f"<Report {self.total} pushes: {self.accepted} accepted, {self.technical} technical, "
            f"{self.payload} payload, {self.recipient} recipient>"
        )
