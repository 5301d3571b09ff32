"""Whose turn it is: free slots go to what waits for them, single sends first, streams in turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pushkit.clock import Clock, Timer
from pushkit.delivery.admission import overdue
from pushkit.delivery.breaker import State
from pushkit.delivery.lanes import Lane, Slots, Turns

if TYPE_CHECKING:
    from pushkit.delivery.push import Push

SLICE = 256
"""Pushes started in one turn of the loop at the most, so that a long run of bad rows does not block it."""
_SWEEP = 0.25
"""Seconds between two looks for pushes whose time ran out while they waited for their turn."""
_SHARE = 16
"""Pushes that one of several streams takes before the next one's turn."""


class Feed(Protocol):
    """A running stream: something that takes pushes from an input while there is room."""

    @property
    def hungry(self) -> bool:
        """Whether it wants to take more now."""
        ...

    def pump(self, most: int) -> int:
        """Take up to so many; gives how many were taken. Fewer than asked: nothing more now."""
        ...

    def close_input(self) -> None:
        """The client is being closed."""
        ...


class Dispatch:
    """Shares the slots out."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        max_in_flight: int,
        launch: Callable[[Push, Lane], None],
        late: Callable[[Push], None],
    ) -> None:
        self.slots = Slots(max_in_flight)
        self.due = False
        """Whether slots will be filled in the next turn of the loop."""
        self._loop = loop
        self._clock = clock
        self._launch = launch
        self._late = late
        self._turns = Turns()
        self._feeds: deque[Feed] = deque()
        self._queued: dict[Lane, None] = {}
        """Lanes with pushes that wait for a slot, in the order of their turns."""
        self._sweeping: Timer | None = None
        self._opening: Timer | None = None
        self._opens_at = float("inf")
        self._closing = False

    # -- queueing ------------------------------------------------------------------------------------

    def place(self, push: Push, lane: Lane) -> None:
        """Start a push now, or let it wait for its turn."""
        if self.slots.free(lane) and (not lane.waiting or not push.call.single) and not self._limited(lane):
            self._launch(push, lane)
            return
        lane.waiting.append(push)
        self._queued[lane] = None
        self.refill_soon()
        self._watch()

    def has_room(self, lane: Lane, patience: float) -> bool:
        """
        Whether a stream may take a push for this lane now. One that would only be refused may always come.

        Args:
            lane: where the push would go.
            patience: seconds that the push may wait; a pause beyond that is a refusal. A rate is none: it is kept by waiting.
        """
        state = lane.state
        if state.waiting >= self.slots.shared_limit:
            return self._closing
        if lane.breaker.state is not State.CLOSED or state.latch is not None:
            return True
        if not self.slots.free(lane):
            return self._closing
        limiter = lane.limiter
        if limiter.rate is None and limiter.paused_until == 0.0:
            return True
        now = self._clock.monotonic()
        delay = limiter.delay(now)
        if delay <= 0.0 or self._closing or (delay > patience and now < limiter.paused_until):
            return True
        self._open_later(delay)
        return False

    def queued(self) -> list[Lane]:
        """Lanes with pushes that wait."""
        return list(self._queued)

    def _limited(self, lane: Lane) -> bool:
        """Whether the rate holds this lane back. A pause does not: what meets one sleeps or comes back."""
        limiter = lane.limiter
        if limiter.rate is None:
            return False
        now = self._clock.monotonic()
        return now >= limiter.paused_until and limiter.delay(now) > 0.0

    def _watch(self) -> None:
        if self._sweeping is None:
            self._sweeping = self._clock.call_at(self._clock.monotonic() + _SWEEP, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        mono, now = self._clock.monotonic(), self._clock.time()
        for lane in list(self._queued):
            for push in [push for push in lane.waiting if overdue(push, now, mono)]:
                if not push.done:  # a hook that heard of one may have ended others
                    lane.waiting.remove(push)
                    self._late(push)
        if any(lane.waiting for lane in self._queued):
            self._watch()

    # -- streams -------------------------------------------------------------------------------------

    def add_feed(self, feed: Feed) -> None:
        """A stream begins."""
        self._feeds.append(feed)
        self.refill_soon()

    def remove_feed(self, feed: Feed) -> None:
        """A stream has read its input, or was left."""
        if feed in self._feeds:
            self._feeds.remove(feed)

    # -- turns ---------------------------------------------------------------------------------------

    def refill_soon(self) -> None:
        """Fill free slots in the next turn of the loop, once for however many became free in this one."""
        if not self.due and (self._feeds or self._queued):
            self.due = True
            self._loop.call_soon(self._refill)

    def _refill(self) -> None:
        self.due = False
        left = SLICE
        while left > 0 and self.slots.used < self.slots.limit:
            hungry = any(feed.hungry for feed in self._feeds)
            lane = self._next_lane()
            if lane is not None and not (hungry and self._turns.stream_next()):
                self._serve(lane)
                left -= 1
            elif hungry:
                taken = self._pump(1 if lane is not None else left)
                if not taken and lane is None:
                    return
                left -= max(taken, 1)
            else:
                return
        if left <= 0:
            self.refill_soon()

    def _next_lane(self) -> Lane | None:
        for lane in list(self._queued):
            if not lane.waiting:
                del self._queued[lane]
            elif self._limited(lane):
                self._open_later(lane.limiter.delay(self._clock.monotonic()))
            elif self.slots.free(lane):
                return lane
        return None

    def _serve(self, lane: Lane) -> None:
        push = lane.waiting.popleft()
        # The other lanes' turns come first: to the end of the row.
        del self._queued[lane]
        if lane.waiting:
            self._queued[lane] = None
        self._launch(push, lane)

    def _pump(self, most: int) -> int:
        taken = 0
        share = most if len(self._feeds) == 1 else min(most, _SHARE)
        for _ in range(len(self._feeds)):
            if not self._feeds or self.slots.used >= self.slots.limit:
                break
            feed = self._feeds[0]
            self._feeds.rotate(-1)
            if feed.hungry:
                taken += feed.pump(min(share, most - taken))
            if taken >= most:
                break
        return taken

    def _open_later(self, delay: float) -> None:
        """A limiter lets the next push go in so many seconds."""
        at = self._clock.monotonic() + max(delay, 0.001)
        if at < self._opens_at:
            if self._opening is not None:
                self._opening.cancel()
            self._opens_at = at
            self._opening = self._clock.call_at(at, self._open)

    def _open(self) -> None:
        self._opens_at = float("inf")
        self._opening = None
        self.refill_soon()

    def close_inputs(self) -> None:
        """The client is being closed: what streams take from now on is refused, so that there is room for it at once."""
        self._closing = True
        self.refill_soon()

    def close(self) -> None:
        """Cancel what is planned."""
        for timer in (self._sweeping, self._opening):
            if timer is not None:
                timer.cancel()
