"""
``broadcast``: one message to everybody in a list, in constant memory, with a result file to resume from.

What it promises: every row ends in exactly one outcome in the result file; a row that ended well is never
sent again; after a kill, the rows that may have been sent without our knowing are named.
"""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, cast

import attrs

from pushkit.cli.journal import Journal, count_line
from pushkit.cli.rows import Row, rows_of, target_of
from pushkit.client import AsyncClient
from pushkit.codec import encode
from pushkit.delivery.policy import RetryPolicy
from pushkit.events import Event, Finished
from pushkit.notification import Notification
from pushkit.outcomes import Accepted, Disposition, Outcome
from pushkit.report import Report
from pushkit.secret import printable_ref
from pushkit.targets import Target

InDoubt: TypeAlias = Literal["send", "skip"]
"""What to do with rows that may have been sent already."""

GRACE = 15.0
"""Seconds for what is under way when the user interrupts."""


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
        """A fingerprint of message and source: another broadcast must not go on in this one's result file."""
        import json

        said = json.dumps([encode(self.message), self.source if "://" not in self.source else "database", self.query], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:_HASH_DIGITS]


_HASH_DIGITS = 16


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
    doubtful: list[str] = attrs.field(factory=list[str])
    """Rows that may have been sent twice (or, with ``in_doubt="skip"``, perhaps not at all): ``row 17 (user-17)``."""
    doubtful_rows: set[int] = attrs.field(factory=set[int])
    interrupted: bool = False
    exhausted: bool = False
    """Whether the list was read to its end."""
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

    def _repeated(self, target: Any) -> bool:
        # Here and not in the client: a row that it leaves out has no outcome, and would be in doubt for ever.
        mark = self.journal.hashed(target)
        assert self._seen is not None
        if isinstance(target, Target) and mark in self._seen:
            return True
        self._seen.add(mark)
        return False

    def __iter__(self) -> Iterator[Any]:
        past = self.journal.past
        now = time.time()
        for number, row in enumerate(rows_of(self.plan.source, self.plan.query), 1):
            if self.stopped:
                return
            target = target_of(row, number, self.plan.provider)
            self.journal.check_row(number, target)
            if self._seen is not None and self._repeated(target):
                self.run.repeated += 1
                continue
            ended = past.ended.get(number)
            if ended is not None and not _worth_sending(ended, now, self.plan.in_doubt):
                self.run.skipped += 1
                count_line(self.run.report, ended)
                continue
            if number in past.doubtful:
                self._doubt(number, target)
                if self.plan.in_doubt == "skip":
                    self.run.skipped += 1
                    continue
            elif ended is not None and ended.get("d") == Disposition.UNKNOWN.value:
                self._doubt(number, target)
            self.journal.taken(number, target)
            self.run.sent += 1
            yield target
        self.run.exhausted = True

    def _doubt(self, number: int, target: Any) -> None:
        self.run.doubtful_rows.add(number)
        if len(self.run.doubtful) < MOST_NAMED:
            ref = printable_ref(target.ref.ref)
            self.run.doubtful.append(f"row {number}" + (f" ({ref})" if ref and ref != f"row {number}" else ""))


def _worth_sending(ended: dict[str, Any], now: float, in_doubt: InDoubt) -> bool:
    """Whether a row that has an outcome is sent again: only what may be, and not before its time."""
    if not ended.get("again"):
        return False
    if ended.get("d") == Disposition.UNKNOWN.value and in_doubt == "skip":
        return False
    at = ended.get("at")
    return at is None or at <= now


async def broadcast(
    arguments: dict[str, Any], plan: Plan, *, heard: Callable[[Outcome, Run], object] | None = None, stop: asyncio.Event | None = None
) -> Run:
    """
    Send it.

    Args:
        arguments: of the client.
        plan: what to whom.
        heard: called with each outcome.
        stop: set it to stop reading; what is under way ends. SIGINT does the same, twice it stops waiting.

    Raises:
        ConfigurationError: when the list, the result file or the configuration cannot be used.
    """
    run = Run()
    started = time.monotonic()
    if plan.dry_run:
        await _validate(arguments, plan, run)
        run.seconds = time.monotonic() - started
        return run
    with Journal(plan.result, what=plan.what) as journal:
        # The same identity in every run: a second copy replaces the first on the screen where the platform can.
        message = plan.message if plan.message.key is not None else attrs.evolve(plan.message, key=journal.broadcast_id)
        feed = _Feed(plan, journal, run)

        def unread(event: Event) -> None:
            # What is given up on Ctrl-C has an outcome too, with its fate; nobody reads it from the stream.
            if isinstance(event, Finished) and not event.read:
                journal.ended(cast("Row", event.outcome.target.ref), event.outcome)

        chosen: dict[str, Any] = {"retry": plan.retry or RetryPolicy(), "hooks": [unread]} | arguments
        async with AsyncClient(**chosen) as push:
            await _send_all(push, message, feed, journal, heard, stop)
    run.seconds = time.monotonic() - started
    return run


async def _send_all(
    push: AsyncClient,
    message: Notification,
    feed: _Feed,
    journal: Journal,
    heard: Callable[[Outcome, Run], object] | None,
    stop: asyncio.Event | None,
) -> None:
    run = feed.run
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    async with push.stream(message, to=feed) as outcomes:

        def interrupted() -> None:
            if run.interrupted and task is not None:
                task.cancel()
            run.interrupted = feed.stopped = True
            loop.call_later(GRACE, outcomes.cancel)

        watching = loop.create_task(_watch(stop, interrupted)) if stop is not None else None
        handled = _handle_interrupts(loop, interrupted)
        try:
            async for outcome in outcomes:
                row = cast("Row", outcome.target.ref)  # made in rows.py
                journal.ended(row, outcome)
                shown = _shown(outcome)
                run.report.add(shown)
                if heard is not None:
                    heard(shown, run)
            for suspicion in outcomes.report.suspicions:
                run.report.suspect(suspicion)
        finally:
            if handled:
                loop.remove_signal_handler(signal.SIGINT)
            if watching is not None:
                watching.cancel()


async def _validate(arguments: dict[str, Any], plan: Plan, run: Run) -> None:
    """The local checks of every row; Google validates its rows too. Nothing is shown to anybody and no result file is written."""
    async with AsyncClient(**arguments) as push:

        def passing() -> Iterator[Any]:
            for number, row in enumerate(rows_of(plan.source, plan.query), 1):
                target = target_of(row, number, plan.provider)
                run.sent += 1
                failure = push.check(plan.message, to=target)
                if failure is not None:
                    run.report.add(_shown(failure))
                elif target.provider == "fcm":
                    yield target
                else:
                    run.report.add_row(plan.message.label, target.provider, (1, 0, 0, 0, 0))
            run.exhausted = True

        async with push.stream(plan.message, to=passing(), dry_run=True) as outcomes:
            async for outcome in outcomes:
                run.report.add(_shown(outcome))


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


async def _watch(stop: asyncio.Event, interrupted: Callable[[], None]) -> None:
    await stop.wait()
    interrupted()


def _handle_interrupts(loop: asyncio.AbstractEventLoop, interrupted: Callable[[], None]) -> bool:
    try:
        loop.add_signal_handler(signal.SIGINT, interrupted)
    except (NotImplementedError, ValueError, RuntimeError):
        return False  # not the main thread, or Windows: Ctrl-C then ends the stream at once, and the rest is in doubt
    return True
