"""Streams: pushes taken from an input as fast as they are sent, outcomes given out as fast as they are read."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self

from pushkit.delivery import settle
from pushkit.delivery.push import Call, Push
from pushkit.delivery.source import END, Input
from pushkit.errors import ClientClosedError
from pushkit.outcomes import Outcome
from pushkit.report import Report
from pushkit.targets import Target
from pushkit.verdict import Verdict

if TYPE_CHECKING:
    from types import TracebackType

    from pushkit.delivery.engine import Engine
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.policy import RetryPolicy
    from pushkit.messages import Message

REORDER = 4
"""An ordered stream reads at most this many times ``max_in_flight`` ahead of the outcome that it owes next."""


class Repeats:
    """The addresses that a call has met."""

    def __init__(self) -> None:
        self._seen: set[Any] = set()

    def seen(self, target: Any) -> bool:
        """Whether a target's address came before; from now on it has."""
        if not isinstance(target, Target):
            return False
        try:
            address = (target.provider, target.app, target.address)
            if address in self._seen:
                return True
            self._seen.add(address)
        except Exception:  # noqa: BLE001 - an address that cannot be compared is no repeat; the send says what is wrong with it
            return False
        return False


class Feeding(ABC):
    """What every way of sending many shares: taking from a source while there is room, dropping repeats."""

    def __init__(
        self, engine: Engine, source: Input, policy: RetryPolicy, make: Any, *, unique: bool, resuming: bool, dry_run: bool = False
    ) -> None:
        self.engine = engine
        self.source = source
        self.call = Call(make, policy, self, dry_run=dry_run)
        self.taken = 0
        self.finished = 0
        self.pushes: set[Push] = set()
        """Taken and without an outcome."""
        self.stopped = False
        self.cut = False
        """Whether the client was closed before the input was read to its end."""
        self._resuming = resuming
        self._held: Any = END
        self._repeats = Repeats() if unique else None

    def begin(self) -> None:
        """Start reading the input."""
        self.source.start(self.engine.dispatch.refill_soon, 64)
        self.engine.dispatch.add_feed(self)

    def room(self) -> int:
        """How many more outcomes there is room for."""
        return self.engine.slots.limit

    @property
    def hungry(self) -> bool:
        """Whether it wants to take more now."""
        return not self.stopped and (self._held is not END or self.source.ready or self.source.ended) and self.room() > 0

    def pump(self, most: int) -> int:
        """Take up to so many."""
        engine, source, call = self.engine, self.source, self.call
        patience = call.policy.max_sleep
        count = 0
        most = min(most, self.room())
        while count < most:
            item = self._held
            if item is END:
                item = source.next()
                if item is END and source.ended:
                    # Another thread may have put its last items there between the two looks: now there come no more.
                    item = source.next()
                    if item is END:
                        self.end_of_input()
                if item is END:
                    break
                if self._repeats is not None and self._repeats.seen(self.target_of(item)):
                    continue
            target = self.target_of(item)
            where = engine.lane_of(target, self._quota_of(item))
            if not isinstance(where, Verdict) and not engine.dispatch.has_room(where, patience):
                self._held = item
                break
            self._held = END
            self.take(item, target, where)
            count += 1
        return count

    def target_of(self, item: Any) -> Any:
        """The target of an item of the source."""
        return item.target if self._resuming else item

    def _quota_of(self, item: Any) -> str:
        return item.resume.message.quota if self._resuming else self.call.quota

    def take(self, item: Any, target: Any, where: Lane | Verdict, refusal: Verdict | None = None) -> None:
        """Hand one to the engine; ``refusal``: why it is not to be sent."""
        index = self.taken
        self.taken = index + 1
        if self._resuming:
            push = self.engine.take(self.call, target, where, index, message=item.resume.message, failure=item, refusal=refusal)
        else:
            push = self.engine.take(self.call, target, where, index, refusal=refusal)
        if not push.done:
            self.pushes.add(push)
            if self.stopped:
                # A hook, or the callable that made its message, left the stream while it was being taken.
                self.engine.cancel(push)

    def end_of_input(self) -> None:
        """Everything was taken."""
        self.stopped = True
        self.engine.dispatch.remove_feed(self)
        if self.finished == self.taken:
            self.complete()

    def deliver(self, push: Push, outcome: Outcome) -> bool:
        """An outcome (``Sink``)."""
        self.pushes.discard(push)
        self.finished += 1
        read = self.put(push.index, outcome)
        if self.stopped and self.finished == self.taken:
            self.complete()
        return read

    @abstractmethod
    def put(self, index: int, outcome: Outcome) -> bool:
        """Keep or hand on an outcome; False when nobody will read it."""

    @abstractmethod
    def complete(self) -> None:
        """Every push that was taken has its outcome."""

    def stop(self) -> None:
        """Take nothing more and cancel what is under way."""
        self.stopped = self.call.left = True
        self._turn_away(settle.cancelled())
        self.engine.dispatch.remove_feed(self)
        for push in list(self.pushes):
            self.engine.cancel(push)

    def _turn_away(self, verdict: Verdict) -> None:
        """Read nothing more; what was read already and not taken has an outcome too, or the caller would miss it."""
        rest = self.source.stop()
        if self._held is not END:
            rest.insert(0, self._held)
            self._held = END
        for item in rest:
            target = self.target_of(item)
            self.take(item, target, self.engine.lane_of(target, self._quota_of(item)), verdict)

    def close_input(self) -> None:
        """The client is being closed: take nothing more, let what was taken end."""
        if not self.stopped:
            self.cut = True
            self._turn_away(settle.closed())
            self.end_of_input()


class Collecting(Feeding):
    """``send_many``: everything into a report, in the order of the input."""

    def __init__(self, engine: Engine, source: Input, policy: RetryPolicy, make: Any, *, unique: bool, dry_run: bool = False) -> None:
        super().__init__(engine, source, policy, make, unique=unique, resuming=False, dry_run=dry_run)
        self.outcomes: list[Outcome | None] = []
        self._abandoned = False
        self._complete: asyncio.Future[None] = engine.loop.create_future()

    def put(self, index: int, outcome: Outcome) -> bool:
        """Keep an outcome in its place."""
        missing = index + 1 - len(self.outcomes)
        if missing > 0:
            self.outcomes += [None] * missing
        self.outcomes[index] = outcome
        return not self._abandoned

    def complete(self) -> None:
        """Let ``report`` go on."""
        if not self._complete.done():
            self._complete.set_result(None)

    async def report(self) -> Report:
        """Send everything and give the report. The caller's own error in the input is raised when all that was taken has ended."""
        with Suspicions(self.engine) as suspicions:
            self.begin()
            try:
                await self._complete
            except (asyncio.CancelledError, GeneratorExit):
                self._abandoned = True
                self.stop()
                raise
            finally:
                await self.source.stopped()
            if self.call.objection is not None:
                raise self.call.objection
            if self.source.error is not None:
                raise noted(self.source.error, self.taken)
            report = Report(keep="all")
            for outcome in self.outcomes:
                assert outcome is not None
                report.add(outcome)
            suspicions.into(report)
        return report


class Suspicions:
    """Listens to the guard while a report grows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._heard: list[Any] = []

    def __enter__(self) -> Self:
        self._engine.suspicions.append(self._heard)
        return self

    def __exit__(self, *error: object) -> None:
        self._engine.suspicions[:] = [heard for heard in self._engine.suspicions if heard is not self._heard]

    def into(self, report: Report) -> None:
        """Tell a report what was heard."""
        for event in self._heard:
            report.suspect(event)
        self._heard.clear()


def noted(error: BaseException, taken: int) -> BaseException:
    """The caller's own error, with what became of the rest."""
    error.add_note(
        f"pushkit: raised by the input after {taken} pushes had been taken; their outcomes went to the hooks and, in a stream, to its reader"
    )
    return error


def cut_short(taken: int) -> ClientClosedError:
    """The client was closed while a stream was reading its input."""
    return ClientClosedError(f"the client was closed after {taken} pushes of this stream had been taken; send the rest with a new client")


class OutcomeStream(Feeding):
    """
    Outcomes as they finish: an asynchronous iterator, and a context manager that leaves nothing running.

    ::

        async with push.stream(notification, to=targets) as outcomes:
            async for outcome in outcomes: ...

    The input is read only as fast as pushes are sent and outcomes are read. Leaving the ``async with``
    early cancels what is under way; every outcome that nobody reads still goes to the hooks. An error in
    the caller's own input is raised here, after the outcomes of what had been taken.
    """

    def __init__(
        self,
        engine: Engine,
        source: Input,
        policy: RetryPolicy,
        make: Message | Callable[[Any], Message] | None,
        *,
        ordered: bool = False,
        unique: bool = False,
        resuming: bool = False,
        dry_run: bool = False,
    ) -> None:
        super().__init__(engine, source, policy, make, unique=unique, resuming=resuming, dry_run=dry_run)
        self._ordered = ordered
        self._ready: deque[Outcome] = deque()
        self._early: dict[int, Outcome] = {}
        self._next = 0
        self._window = engine.slots.limit * (REORDER if ordered else 1)
        self._reader: asyncio.Future[None] | None = None
        self._complete = False
        self._left = False
        self._begun = False
        self._entered = False
        self._report = Report(keep="none")
        self._suspicions = Suspicions(engine)

    @property
    def report(self) -> Report:
        """Running counts of what has finished: groups and numbers, no outcomes."""
        self._suspicions.into(self._report)
        return self._report

    def room(self) -> int:
        """How many more outcomes there is room for."""
        if self._ordered:
            return self._next + self._window - self.taken
        return self._window - len(self._ready)

    def put(self, index: int, outcome: Outcome) -> bool:
        """Hand an outcome on."""
        self._report.add(outcome)
        if self._left:
            return False
        if self._ordered:
            self._early[index] = outcome
            while self._next in self._early:
                self._ready.append(self._early.pop(self._next))
                self._next += 1
        else:
            self._ready.append(outcome)
        reader = self._reader
        if reader is not None and self._ready and not reader.done():
            reader.set_result(None)
        return True

    def complete(self) -> None:
        """Every push that was taken has its outcome."""
        self._complete = True
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # -- reading -------------------------------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[Outcome]:
        """Read the outcomes. Without ``async with``, leaving the loop early cancels the stream too."""
        return self if self._entered else _Loop(self)

    async def __anext__(self) -> Outcome:
        """
        The next outcome.

        Raises:
            ClientClosedError: when the client was closed before the input was read to its end.
        """
        ready = self._ready
        while not ready:
            if not self._begun:
                self._start()
                continue
            if self._complete or self._left:
                await self._end()
                raise StopAsyncIteration
            if self._reader is not None and not self._reader.done():
                raise RuntimeError("this stream is being read already; give each reader its own stream, or hand outcomes on with a queue")
            self._reader = self.engine.loop.create_future()
            self.engine.dispatch.refill_soon()
            try:
                await self._reader
            finally:
                self._reader = None
        outcome = ready.popleft()
        if len(ready) * 2 <= self._window:
            self.engine.dispatch.refill_soon()
        return outcome

    def _start(self) -> None:
        self._begun = True
        self._suspicions.__enter__()
        self.engine.streams.add(self)
        self.begin()
        if self.engine.closing:
            self.close_input()

    async def _end(self) -> None:
        self._finish()
        await self.source.stopped()
        if self.call.objection is not None:
            raise self.call.objection
        error, self.source.error = self.source.error, None
        if error is not None:
            raise noted(error, self.taken)
        if self.engine.closing and self.cut and not self._left:
            self.cut = False
            raise cut_short(self.taken)

    def _finish(self) -> None:
        self._suspicions.into(self._report)
        self._suspicions.__exit__()
        self.engine.streams.discard(self)

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._entered = True
        if not self._begun:
            self._start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Cancel what is still under way; its outcomes go to the hooks."""
        self.cancel()
        await self.source.stopped()
        self._finish()

    def cancel(self) -> None:
        """Stop: read nothing more, cancel what is under way. Outcomes that are there can still be read."""
        if self._complete or self._left:
            return
        self._left = True
        self.stop()
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def abandon(self) -> None:
        """Nobody holds the stream any more."""
        self.cancel()
        self._finish()


class _Loop:
    """One ``async for`` over a stream that nobody entered with ``async with``: when it is dropped, so is the stream."""

    __slots__ = ("_stream",)

    def __init__(self, stream: OutcomeStream) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[Outcome]:
        return self._stream.__anext__()

    def __del__(self) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended already
            self._stream.engine.loop.call_soon_threadsafe(self._stream.abandon)
