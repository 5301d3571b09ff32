"""Streams across two threads: the input is read and the outcomes are given out here, everything else happens there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from pushkit.client.portal import Bell
from pushkit.delivery.push import Call, make_message
from pushkit.delivery.source import END
from pushkit.delivery.stream import REORDER, Feeding, Repeats, Suspicions, cut_short, noted
from pushkit.outcomes import Outcome
from pushkit.report import Report
from pushkit.targets import Target

if TYPE_CHECKING:
    from types import TracebackType

    from pushkit.client.portal import Portal
    from pushkit.delivery.engine import Engine
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.policy import RetryPolicy
    from pushkit.messages import Message
    from pushkit.verdict import Verdict

_BATCH = 256
"""Items read from the caller's input before they are handed over …"""
_BATCH_SECONDS = 0.005
"""… unless that takes longer than this."""
_PATIENCE = 1.0
"""Seconds between two looks at whether the other side is there at all."""
_LOOK_EVERY = 64
"""Outcomes read between two looks at whether the other side needs more input."""


class Inbox:
    """The other thread's end of the input (``Input``). Appended to here, read there; a deque needs no lock for that."""

    def __init__(self) -> None:
        self.items: deque[Any] = deque()
        self.ended = False
        self.error: BaseException | None = None

    @property
    def ready(self) -> bool:
        """Whether there is something."""
        return bool(self.items)

    def next(self) -> Any:
        """The next item, or ``END``."""
        try:
            return self.items.popleft()
        except IndexError:
            return END

    def start(self, arrived: Callable[[], None], ahead: int) -> None:
        """Nothing to do: the caller's thread reads."""

    def stop(self) -> list[Any]:
        """Read nothing more. Gives what was read already and not given out."""
        self.ended = True
        rest: list[Any] = []
        while self.items:
            rest.append(self.items.popleft())
        return rest

    async def stopped(self) -> None:
        """Nothing of it runs here."""


class RemoteFeed(Feeding):
    """The loop's side of a synchronous stream. Its ``put`` and ``complete`` run there, everything else is called from here."""

    def __init__(
        self, engine: Engine, inbox: Inbox, policy: RetryPolicy, *, ordered: bool, resuming: bool, dry_run: bool, keep: bool
    ) -> None:
        super().__init__(engine, inbox, policy, None, unique=False, resuming=resuming, dry_run=dry_run)
        self.inbox = inbox
        self.out: deque[tuple[int, Outcome]] = deque()
        self.bell = Bell()
        self.low = max(1, engine.slots.limit // 2)
        self.completed = False
        self.left = False
        self.report = Report(keep="none")
        self.suspicions = Suspicions(engine)
        self._resumes = resuming
        self._ordered = ordered
        self._keep = keep
        self._early: dict[int, Outcome] = {}
        self._next = 0
        self._rung = False
        self._window = engine.slots.limit * (REORDER if ordered else 1)

    def begin(self) -> None:
        """Start (on the loop)."""
        self.suspicions.__enter__()
        self.engine.streams.add(self)
        super().begin()
        if self.engine.closing:
            self.close_input()

    def room(self) -> int:
        """How many more outcomes there is room for."""
        if self._keep:
            return self.engine.slots.limit
        if self._ordered:
            return self._next + self._window - self.taken
        return self._window - len(self.out)

    def target_of(self, item: Any) -> Any:
        """The target of an item."""
        return item.target if self._resumes else item[0]

    def pump(self, most: int) -> int:
        """Take what there is, and ask for more in time."""
        count = super().pump(most)
        if not self.inbox.ended and len(self.inbox.items) < self.low:
            self._ring_soon()
        return count

    def take(self, item: Any, target: Any, where: Lane | Verdict, refusal: Verdict | None = None) -> None:
        """Hand one to the engine; ``refusal``: why it is not to be sent."""
        if self._resumes:
            super().take(item, target, where, refusal)
            return
        index = self.taken
        self.taken = index + 1
        push = self.engine.take(self.call, target, where, index, message=item[1], problem=item[2], refusal=refusal)
        if not push.done:
            self.pushes.add(push)
            if self.stopped:  # see Feeding.take
                self.engine.cancel(push)

    def put(self, index: int, outcome: Outcome) -> bool:
        """Hand an outcome over."""
        if not self._keep:
            self.report.add(outcome)
        if self.left:
            return False
        if self._ordered:
            self._early[index] = outcome
            while self._next in self._early:
                self.out.append((self._next, self._early.pop(self._next)))
                self._next += 1
        else:
            self.out.append((index, outcome))
        self._ring_soon()
        return True

    def _ring_soon(self) -> None:
        # Once for everything that happens in one turn of the loop.
        if not self._rung:
            self._rung = True
            self.engine.loop.call_soon(self._ring)

    def _ring(self) -> None:
        self._rung = False
        self.bell.ring()

    def complete(self) -> None:
        """Every push that was taken has its outcome."""
        if not self.completed:
            self.completed = True
            self.suspicions.into(self.report)
            self.suspicions.__exit__()
            self.engine.streams.discard(self)
            self.bell.ring()

    def close_input(self) -> None:
        """The client is being closed."""
        if not self._keep:
            super().close_input()

    def leave(self) -> None:
        """Nobody reads any more: cancel what is under way."""
        if not self.completed:
            self.left = True
            self.stop()
            if self.finished == self.taken:
                self.complete()


class Reader:
    """This thread's side: reads the input in batches, gives out (index, outcome)."""

    def __init__(
        self,
        owner: object,
        portal: Portal,
        feed: RemoteFeed,
        source: Iterator[Any],
        make: Message | Callable[[Any], Message] | None,
        *,
        unique: bool = False,
    ) -> None:
        self.feed = feed
        self.error: BaseException | None = None
        # A client that nobody holds ends: it must not while its stream is read.
        self._owner = owner
        self._portal = portal
        self._source = source
        # Here and not on the other side: a repeat is no push, so nobody makes a message for it.
        self._repeats = Repeats() if unique else None
        self._fixed = make if not callable(make) else None
        self._call = Call(make, feed.call.policy, feed) if callable(make) else None
        self._exhausted = False
        self._begun = False
        self._count = 0

    def start(self) -> None:
        """Begin to send."""
        if not self._begun:
            self._begun = True
            self._fill()
            self._portal.post(self.feed.begin)

    def next(self) -> tuple[int, Outcome] | None:
        """The next outcome with its place in the input, or None at the end."""
        feed = self.feed
        self._count += 1
        if self._count % _LOOK_EVERY == 0:
            self._fill()
        while True:
            try:
                found = feed.out.popleft()
            except IndexError:
                pass
            else:
                if not feed.out:
                    # Room again: the other side may have stopped for want of it.
                    self._fill()
                    self._portal.drop(feed.engine.dispatch.refill_soon)
                return found
            if not self._begun:
                self.start()
            elif feed.completed:
                if feed.out:
                    continue
                if feed.call.objection is not None:
                    raise feed.call.objection
                return None
            elif not self._fill():
                self._wait()

    def _wait(self) -> None:
        """Until there is something new; a client that was closed meanwhile may have nothing more to say."""
        while not self.feed.bell.wait(_PATIENCE):
            if self._portal.over and not self.feed.completed:
                raise cut_short(self.feed.taken)

    def _fill(self) -> bool:
        """Read a batch of the input if the other side runs low. True when something was handed over."""
        items = self.feed.inbox.items
        if self._exhausted or self.feed.stopped or len(items) >= self.feed.low:
            return False
        until = time.monotonic() + _BATCH_SECONDS
        room = min(_BATCH, 2 * self.feed.low - len(items))
        read = 0
        try:
            for item in self._source:
                if self._repeats is None or not self._repeats.seen(item):
                    items.append(item if self._fixed is None and self._call is None else self._made(item))
                read += 1
                if read >= room or time.monotonic() > until:
                    break
            else:
                self._exhausted = True
        except Exception as error:  # noqa: BLE001 - the caller's own error, raised again when all that was taken has ended
            self.error = error
            self._exhausted = True
        except BaseException:
            self.leave()
            raise
        if self._exhausted:
            self.feed.inbox.ended = True
        if self._begun and (read or self._exhausted):
            self._portal.drop(self.feed.engine.dispatch.refill_soon)
        return bool(read) or self._exhausted

    def _made(self, target: Any) -> tuple[Any, Message | None, Verdict | None]:
        if self._call is None:
            return target, self._fixed, None
        if not isinstance(target, Target):
            return target, None, None
        message, problem = make_message(self._call, target)
        return target, message, problem

    def leave(self) -> None:
        """Cancel what is under way and wait until that has its outcomes."""
        if not self._begun:
            self._begun = True
            self.feed.completed = True
        if not self.feed.completed:
            self._portal.drop(self.feed.leave)
            while not self._ended():
                self.feed.bell.wait(_PATIENCE)
        self.close_source()

    def _ended(self) -> bool:
        return self.feed.completed or self._portal.over

    def drop(self) -> None:
        """Nobody holds the stream any more: cancel what is under way, without a wait."""
        if self._begun and not self.feed.completed:
            self._portal.drop(self.feed.leave)

    def close_source(self) -> None:
        """Let a generator run its ``finally``, in the thread that it belongs to."""
        self._exhausted = True
        close = getattr(self._source, "close", None)
        if callable(close):
            close()


class OutcomeStream:
    """
    Outcomes as they finish: an iterator, and a context manager that leaves nothing running.

    ::

        with push.stream(notification, to=targets) as outcomes:
            for outcome in outcomes: ...

    The input is read in this thread, only as fast as pushes are sent and outcomes are read. Leaving the
    ``with`` early cancels what is under way; every outcome that nobody reads still goes to the hooks. An
    error in the caller's own input is raised here, after the outcomes of what had been taken.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ended = False

    @property
    def report(self) -> Report:
        """Running counts of what has finished: groups and numbers, no outcomes."""
        self._reader.feed.suspicions.into(self._reader.feed.report)
        return self._reader.feed.report

    def __iter__(self) -> Self:
        """Read the outcomes."""
        return self

    def __next__(self) -> Outcome:
        """
        The next outcome.

        Raises:
            ClientClosedError: when the client was closed before the input was read to its end.
        """
        if self._ended:
            raise StopIteration
        found = self._reader.next()
        if found is not None:
            return found[1]
        self._ended = True
        feed = self._reader.feed
        self._reader.close_source()
        if self._reader.error is not None:
            raise noted(self._reader.error, feed.taken)
        if feed.cut and not feed.left:
            raise cut_short(feed.taken)
        raise StopIteration

    def __enter__(self) -> Self:
        """Begin to send."""
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Cancel what is still under way; its outcomes go to the hooks."""
        self.cancel()

    def cancel(self) -> None:
        """Stop: read nothing more, cancel what is under way."""
        self._reader.leave()

    def __del__(self) -> None:
        # A loop over a stream without `with` that was left by `break`: nothing may go on for nobody.
        if not self._ended:
            self._reader.drop()
