"""
``broadcast``: one message to everybody in a list, in constant memory, with a result file to resume from.

What it promises: every row ends in exactly one outcome in the result file; a row that ended well is never
sent again; after a kill, the rows that may have been sent without our knowing are named.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, cast

import attrs

from pushkit.cli.database import is_database
from pushkit.cli.journal import Journal
from pushkit.cli.past import NamedRow, count_line, is_open, is_ours
from pushkit.cli.rows import NoTarget, Row, rows_of, target_of
from pushkit.cli.stopping import Stopping
from pushkit.client import AsyncClient
from pushkit.codec import encode
from pushkit.delivery.policy import RetryPolicy
from pushkit.errors import ConfigurationError
from pushkit.events import Event, Finished
from pushkit.messages import seconds
from pushkit.notification import Notification
from pushkit.outcomes import Accepted, Outcome, PayloadFailure, RecipientFailure, TechnicalFailure
from pushkit.report import Report
from pushkit.secret import printable_ref
from pushkit.targets import Target

InDoubt: TypeAlias = Literal["send", "skip"]
"""What to do with rows that may have been sent already."""

GRACE = 15.0
"""Seconds for what is under way when the user interrupts."""
TROUBLE = 200
"""So many technical or payload failures of one provider and app, and no sign in between that it works: the broadcast stops."""


@attrs.frozen(kw_only=True)
class Plan:
    """What to send to whom."""

    message: Notification
    source: str
    query: str | None = None
    provider: str | None = None
    result: Path
    in_doubt: InDoubt = "send"
    dry_run: bool = False
    """Check and validate, send nothing, write no result file."""
    retry: RetryPolicy | None = None
    unique: bool = False

    @property
    def what(self) -> str:
        """Message and source as one text: another broadcast must not go on in this one's result file."""
        import json

        source = "database" if is_database(self.source) else Path(self.source).name
        return json.dumps([encode(self.message), source, self.query], sort_keys=True)


@attrs.define
class Run:
    """How a broadcast goes, and went."""

    report: Report = attrs.field(factory=lambda: Report(keep="none"))
    """This run and, for rows that needed nothing more, the earlier ones."""
    sent: int = 0
    """Rows that were handed over in this run."""
    skipped: int = 0
    """Rows that had ended in an earlier run."""
    repeated: int = 0
    """Rows with an address that came before, left out because of ``unique``."""
    doubtful: list[NamedRow] = attrs.field(factory=list[NamedRow])
    """Rows that an earlier run may have sent and that were left out (``in_doubt="skip"``)."""
    doubtful_count: int = 0
    twice: list[NamedRow] = attrs.field(factory=list[NamedRow])
    """Rows that were sent again, in this run or an earlier one, although they may have been sent before."""
    twice_count: int = 0
    ours: int = 0
    """Rows that failed because of our own credentials or configuration."""
    interrupted: bool = False
    stopped: str | None = None
    """Why it stopped by itself before the end of the list."""
    anew: bool = False
    """Whether what has to be corrected, message or list, makes it another broadcast."""
    exhausted: bool = False
    """Whether the list was read to its end."""
    unrecorded: int = 0
    """Rows whose outcome could not be written into the result file: they stay in doubt."""
    seconds: float = 0.0


MOST_NAMED = 10_000
"""Rows in doubt that are named; there are never more than were in flight at a kill, unless it was killed very often."""


class _Feed:
    """Reads rows, leaves out what has ended, and notes what is handed over."""

    def __init__(self, plan: Plan, journal: Journal, run: Run) -> None:
        self.plan = plan
        self.journal = journal
        self.run = run
        self.stopped = False
        self._seen: set[str] | None = set() if plan.unique else None
        self._life = _life(plan.message)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._rows()
        except ConfigurationError as error:
            if not self.run.sent:
                raise
            self.run.stopped = str(error)  # what was sent so far has to be told all the same

    def _rows(self) -> Iterator[Any]:
        past, run = self.journal.past, self.run
        now = time.time()
        number = empty = 0
        for number, row in enumerate(rows_of(self.plan.source, self.plan.query), 1):
            if self.stopped:
                return
            target = target_of(row, number, self.plan.provider)
            empty = empty + 1 if isinstance(target, NoTarget) else 0
            if empty >= TROUBLE:
                run.anew = True
                raise ConfigurationError(
                    f"rows {number - empty + 1} to {number} hold no recipient; is this the right list, with the right columns?"
                )
            self.journal.check_row(number, target)
            if self._seen is not None and self._repeated(target):
                run.repeated += 1
                continue
            ended = past.ended.get(number)
            doubtful = number in past.doubtful
            if not doubtful and ended is not None and not _worth_sending(ended, now, self.plan.in_doubt):
                if number in past.twice:
                    self._name_twice(target)
                run.skipped += 1
                run.ours += is_ours(ended)
                count_line(run.report, ended)
                continue
            if doubtful and self.plan.in_doubt == "skip":
                run.doubtful_count += 1
                self._name(run.doubtful, target)
                run.skipped += 1
                continue
            if doubtful or is_open(ended) or number in past.twice:
                self._name_twice(target)
            since = past.since.get(number)
            if since is not None and self._life is not None:
                end = datetime.fromtimestamp(since, UTC) + self._life
                target = attrs.evolve(target, ref=attrs.evolve(target.ref, expires_at=end))
            self.journal.taken(target.ref, target)
            run.sent += 1
            yield target
        self.journal.check_end(number)
        run.exhausted = True

    def _repeated(self, target: Any) -> bool:
        # Here and not in the client: a row that it leaves out has no outcome, and would be in doubt for ever.
        mark = self.journal.hashed(target)
        assert self._seen is not None
        if isinstance(target, Target) and mark in self._seen:
            return True
        self._seen.add(mark)
        return False

    def _name_twice(self, target: Any) -> None:
        self.run.twice_count += 1
        self._name(self.run.twice, target)

    def _name(self, names: list[NamedRow], target: Any) -> None:
        if len(names) < MOST_NAMED:
            row = cast("Row", target.ref)
            names.append(NamedRow(row.number, printable_ref(row.ref) if row.named else None))


def _worth_sending(ended: dict[str, Any], now: float, in_doubt: InDoubt) -> bool:
    """
    Whether a row that has an outcome is sent again: only what may be, and not before its time.

    What failed for our own credentials or configuration may be, at once: whoever starts the command again has mended them.
    """
    if is_ours(ended):
        return True
    if not ended.get("again") or (is_open(ended) and in_doubt == "skip"):
        return False
    at = ended.get("at")
    return at is None or at <= now or ended["why"] == "cancelled"  # whoever gave up has changed their mind


_LONGEST_LIFE = 1e10
"""Seconds: more than sending takes, and less than the calendar holds."""


def _life(message: Notification) -> timedelta | None:
    """How long a row is worth sending after it was begun; None where the message names an end of its own."""
    if message.expires_at is not None:
        return None
    try:
        life = message.default_ttl() if message.ttl is None else seconds(message.ttl)
    except (TypeError, ValueError, OverflowError):
        return None
    return timedelta(seconds=life) if 0 <= life < _LONGEST_LIFE else None  # sending says what is wrong with it


async def broadcast(
    arguments: dict[str, Any], plan: Plan, *, heard: Callable[[Outcome, Run], object] | None = None, stopping: Stopping | None = None
) -> Run:
    """
    Send it.

    Args:
        arguments: of the client.
        plan: what to whom.
        heard: called with each outcome.
        stopping: asks to stop: once reads nothing more and lets what is under way end, twice does not wait for it.

    Raises:
        ConfigurationError: when the list, the result file or the configuration cannot be used.
    """
    run = Run()
    started = time.monotonic()
    if plan.dry_run:
        await _validate(arguments, plan, run, heard)
    else:
        with Journal(plan.result, what=plan.what) as journal:
            await _send(arguments, plan, _Feed(plan, journal, run), heard, stopping or Stopping())
            if journal.broken is not None:
                run.stopped = run.stopped or f'"{plan.result}": cannot be written ({journal.broken})'
    run.seconds = time.monotonic() - started
    return run


async def _send(
    arguments: dict[str, Any], plan: Plan, feed: _Feed, heard: Callable[[Outcome, Run], object] | None, stopping: Stopping
) -> None:
    run, journal = feed.run, feed.journal
    loop = asyncio.get_running_loop()
    trouble: Counter[tuple[str, str]] = Counter()

    def ended(outcome: Outcome) -> None:
        journal.ended(cast("Row", outcome.target.ref), outcome)  # made in rows.py
        run.unrecorded += journal.broken is not None
        run.ours += isinstance(outcome, TechnicalFailure) and is_ours({"s": outcome.scope, "d": outcome.disposition})
        shown = _shown(outcome)
        run.report.add(shown)
        if heard is not None:
            heard(shown, run)
        why = _trouble(outcome, trouble)
        if why is not None and not (feed.stopped or run.exhausted):
            feed.stopped = True
            run.stopped = why
            run.anew = isinstance(outcome, PayloadFailure)

    def unread(event: Event) -> None:
        # What is given up on Ctrl-C has an outcome too, with its fate; nobody reads it from the stream.
        if isinstance(event, Finished) and not event.read:
            ended(event.outcome)

    # The same identity in every run: a second copy replaces the first on the screen where the platform can.
    message = plan.message if plan.message.key is not None else attrs.evolve(plan.message, key=journal.broadcast_id)
    chosen: dict[str, Any] = {"retry": plan.retry or RetryPolicy.worker(), "hooks": [unread]} | arguments
    try:
        async with AsyncClient(**chosen) as push, push.stream(_said(message) if journal.resumed else message, to=feed) as outcomes:

            def asked(times: int) -> None:
                run.interrupted = feed.stopped = True
                loop.call_soon_threadsafe(outcomes.cancel if times > 1 else lambda: loop.call_later(GRACE, outcomes.cancel))

            stopping.heard = asked
            async for outcome in outcomes:
                ended(outcome)
            for suspicion in outcomes.report.suspicions:
                run.report.suspect(suspicion)
    finally:
        stopping.heard = None


def _said(message: Notification) -> Callable[[Any], Notification]:
    """The message of each row: what an earlier run had begun does not outlive its time by being begun again."""

    def said(target: Any) -> Notification:
        end = cast("Row", target.ref).expires_at
        return message if end is None else attrs.evolve(message, ttl=None, expires_at=end)

    return said


def _trouble(outcome: Outcome, counts: Counter[tuple[str, str]]) -> str | None:
    """
    Why it makes no sense to go on, if so.

    When a key or the message is refused, or a service is down, all the rest would fail as well, each in a moment: nobody is
    helped by a million failures. Whoever mends it starts the command again.
    """
    where = (outcome.provider, outcome.app)
    if isinstance(outcome, (Accepted, RecipientFailure)):
        if isinstance(outcome, Accepted) or outcome.status is not None:  # who refuses a recipient has believed us and is up
            counts.pop(where, None)
    elif outcome.reason not in _NO_TROUBLE:
        counts[where] += 1
        if counts[where] >= TROUBLE:
            name = outcome.provider + (f" (app {outcome.app})" if outcome.app != "default" else "")
            reason = outcome.reason + (f" ({outcome.detail})" if outcome.detail else "")
            return f"{counts[where]} pushes to {name} failed in a row, the last with {reason}. {outcome.advice}"
    return None


_NO_TROUBLE = frozenset({"expired", "superseded", "cancelled"})
"""Failures that say nothing about what comes next."""


async def _validate(arguments: dict[str, Any], plan: Plan, run: Run, heard: Callable[[Outcome, Run], object] | None) -> None:
    """The local checks of every row; Google validates its rows too. Nothing is shown to anybody and no result file is written."""

    def found(outcome: Outcome) -> None:
        shown = _shown(outcome)
        run.report.add(shown)
        if heard is not None:
            heard(shown, run)

    async with AsyncClient(**arguments) as push:

        def passing() -> Iterator[Any]:
            for number, row in enumerate(rows_of(plan.source, plan.query), 1):
                target = target_of(row, number, plan.provider)
                run.sent += 1
                failure = push.check(plan.message, to=target)
                if failure is not None:
                    found(failure)
                elif target.provider == "fcm":
                    yield target
                else:
                    run.report.add_row(plan.message.label, target.provider, (1, 0, 0, 0, 0))
            run.exhausted = True

        async with push.stream(plan.message, to=passing(), dry_run=True) as outcomes:
            async for outcome in outcomes:
                found(outcome)


def _shown(outcome: Outcome) -> Outcome:
    """An outcome with the caller's own reference instead of ours, for the report."""
    if isinstance(outcome, Accepted):
        return outcome
    row = cast("Row", outcome.target.ref)
    kind = _ShownCrowd if getattr(outcome.target, "fan_out", False) else _Shown
    return attrs.evolve(outcome, target=kind(ref=row.ref, app=outcome.app))


class _Shown(Target):
    """What a report needs of a target: its app and the caller's own reference."""


class _ShownCrowd(_Shown):
    """The same of a topic or condition."""

    fan_out: ClassVar[bool] = True
