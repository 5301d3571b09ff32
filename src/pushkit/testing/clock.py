"""
A clock that stands still until it is told: timers fire when a test says so, and nothing sleeps.

It fulfils :class:`pushkit.clock.Clock`. A client takes it from its transport
(``FakeTransport(clock=FakeClock())``).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pushkit.messages import Duration, seconds

_EPOCH = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

#: Loop turns that work may take after a timer fired before the next one is considered. Every step of
#: a push (slot, credential, answer, outcome, the caller's own ``await``) takes one to three.
SETTLE_TURNS = 25

#: Timers fired by one ``advance`` at the most: a timer that re-arms itself for "now" must not hang a test.
_MOST_TIMERS = 1_000_000

#: Seconds that ``advance`` from another thread waits for the loop's thread.
_THREAD_PATIENCE = 30.0


class FakeTimer:
    """A call that is due when the clock reaches it."""

    __slots__ = ("callback", "cancelled", "loop", "when")

    def __init__(self, when: float, callback: Callable[[], None], loop: asyncio.AbstractEventLoop | None) -> None:
        self.when = when
        self.callback = callback
        self.loop = loop
        self.cancelled = False

    def cancel(self) -> None:
        """Do not call it. Idempotent."""
        self.cancelled = True


class FakeClock:
    """
    Both clocks of a client, and its timers, under a test's control.

    Args:
        start: what time it is (aware). The default is a fixed moment, so that tests are repeatable.

    Raises:
        ValueError: when ``start`` has no time zone.
    """

    def __init__(self, start: datetime = _EPOCH) -> None:
        if start.tzinfo is None:
            raise ValueError("start has no time zone; pass an aware datetime, such as datetime(2026, 1, 1, tzinfo=timezone.utc)")
        self._epoch = start.timestamp()
        self._skew = 0.0
        self._elapsed = 0.0
        self._sequence = itertools.count()
        self._timers: list[tuple[float, int, FakeTimer]] = []

    def time(self) -> float:
        """Epoch seconds."""
        return self._epoch + self._skew + self._elapsed

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed

    def now(self) -> datetime:
        """The wall clock as an aware UTC datetime."""
        return datetime.fromtimestamp(self.time(), tz=UTC)

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeTimer:
        """Call back when the monotonic clock reaches ``when``; never before the next ``advance``."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        timer = FakeTimer(when, callback, loop)
        heapq.heappush(self._timers, (when, next(self._sequence), timer))
        return timer

    @property
    def pending(self) -> int:
        """Timers that wait."""
        return sum(1 for _, _, timer in self._timers if not timer.cancelled)

    @property
    def next_in(self) -> float | None:
        """Seconds until the next timer is due (0.0 when it is overdue), None when none waits."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - self._elapsed) if self._timers else None

    def jump(self, by: Duration) -> None:
        """Set the wall clock forward (or, negative, back) without any time passing: clock skew, an NTP step."""
        self._skew += by.total_seconds() if isinstance(by, timedelta) else float(by)

    def advance(self, by: Duration) -> int:
        """
        Let time pass: run what falls due in order, each at its own time. Gives the number of timers run.

        Work that a timer hands to an event loop does not run before the loop turns; use
        :meth:`advance_async` where later timers depend on it. Called from another thread than the
        loop's (tests of the synchronous client), it runs everything on the loop and waits for it.

        Raises:
            ValueError: when ``by`` is negative (use :meth:`jump` for the wall clock).
        """
        elsewhere = self._foreign_loop()
        if elsewhere is not None:
            future: concurrent.futures.Future[int] = asyncio.run_coroutine_threadsafe(self.advance_async(by), elsewhere)
            return future.result(_THREAD_PATIENCE)
        end = self._end(by)
        ran = 0
        while self._fire_next(end):
            ran += 1
            if ran > _MOST_TIMERS:
                raise RuntimeError(f"more than {_MOST_TIMERS} timers fell due in one advance; does a timer re-arm itself without delay?")
        self._elapsed = max(self._elapsed, end)
        return ran

    async def advance_async(self, by: Duration) -> int:
        """Let time pass, and let the event loop settle before, between and after the timers. Gives the number of timers run."""
        return await self._advance_until(self._end(by))

    async def _advance_until(self, end: float) -> int:
        ran = 0
        await settle()
        while self._fire_next(end):
            ran += 1
            if ran > _MOST_TIMERS:
                raise RuntimeError(f"more than {_MOST_TIMERS} timers fell due in one advance; does a timer re-arm itself without delay?")
            await settle()
        self._elapsed = max(self._elapsed, end)
        await settle()
        return ran

    async def advance_to_next(self) -> float | None:
        """Let time pass up to the next timer and run everything due then. Gives the seconds passed, None when no timer waits."""
        await settle()
        step = self.next_in
        if step is None:
            return None
        # By its absolute time: elapsed + (when - elapsed) can fall short of when by a rounding.
        await self._advance_until(max(self._elapsed, self._timers[0][0]))
        return step

    def fire_due(self) -> bool:
        """Jump to the next timer and run it. False when none waits."""
        return self.next_in is not None and self._fire_next(max(self._elapsed, self._timers[0][0]))

    def _end(self, by: Duration) -> float:
        step = seconds(by)
        if step < 0:
            raise ValueError(f"advance({step:g}): time passes forward only; jump() moves the wall clock back")
        return self._elapsed + step

    def _fire_next(self, end: float) -> bool:
        step = self.next_in
        if step is None or self._timers[0][0] > end:
            return False
        when, _, timer = heapq.heappop(self._timers)
        self._elapsed = max(self._elapsed, when)
        timer.cancelled = True
        timer.callback()
        return True

    def _foreign_loop(self) -> asyncio.AbstractEventLoop | None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            return None
        return next((timer.loop for _, _, timer in self._timers if timer.loop is not None and timer.loop.is_running()), None)

    def __repr__(self) -> str:
        return f"<FakeClock {self.now().isoformat()} pending={self.pending}>"


async def settle(turns: int = SETTLE_TURNS) -> None:
    """Let everything that is ready in the event loop run, and what that makes ready."""
    for _ in range(turns):
        await asyncio.sleep(0)
