"""One timer for all deadlines."""

from __future__ import annotations

import gc
import heapq
import itertools
import weakref
from collections.abc import Callable

from pushkit.http.timer_wheel import TICKS_PER_SECOND, Expiring, TimerWheel

TICK = 1 / TICKS_PER_SECOND


class StepClock:
    """A clock that stands still between steps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, int, Callable[[], None]]] = []
        self.cancelled: set[int] = set()
        self.armed = 0
        self._numbers = itertools.count()

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> StepClock.Handle:
        number = next(self._numbers)
        self.armed += 1
        heapq.heappush(self.timers, (when, number, callback))
        return StepClock.Handle(self, number)

    def step(self, seconds: float) -> None:
        end = self.now + seconds
        while self.timers and self.timers[0][0] <= end:
            when, number, callback = heapq.heappop(self.timers)
            if number not in self.cancelled:
                self.now = max(self.now, when)
                callback()
        self.now = end

    class Handle:
        def __init__(self, clock: StepClock, number: int) -> None:
            self.clock, self.number = clock, number

        def cancel(self) -> None:
            self.clock.cancelled.add(self.number)


class Item:
    """Notes when it expired."""

    def __init__(self, clock: StepClock) -> None:
        self.bucket: set[Expiring] | None = None
        self.clock = clock
        self.at: list[float] = []

    def expire(self) -> None:
        self.at.append(self.clock.now)


def test_deadlines_fire_once_and_never_late() -> None:
    """Each deadline fires up to one tick early, in any order of adding."""
    clock = StepClock()
    wheel = TimerWheel(clock)
    items = [(Item(clock), 1000.0 + seconds) for seconds in (5.0, 0.5, 2.01, 2.02, 0.51, 30.0)]
    for item, deadline in items:
        wheel.add(item, deadline)

    clock.step(60)

    for item, deadline in items:
        assert 1 == len(item.at)
        assert deadline - TICK <= item.at[0] <= deadline


def test_a_deadline_of_the_past_fires_at_once_but_later() -> None:
    """A past deadline never fires within ``add``."""
    clock = StepClock()
    wheel = TimerWheel(clock)
    item = Item(clock)

    wheel.add(item, 10.0)
    assert [] == item.at
    clock.step(0)

    assert [1000.0] == item.at


def test_what_left_its_bucket_does_not_fire() -> None:
    """A finished entry takes itself out, and nothing keeps it."""
    clock = StepClock()
    wheel = TimerWheel(clock)
    item = Item(clock)
    wheel.add(item, 1002.0)
    assert item.bucket is not None
    item.bucket.discard(item)
    gone = weakref.ref(item)
    del item
    gc.collect()

    assert None is gone()
    clock.step(60)


def test_thousands_share_few_timers() -> None:
    """Entries with deadlines close together cost no timer each."""
    clock = StepClock()
    wheel = TimerWheel(clock)
    items = [Item(clock) for _ in range(5000)]
    for number, item in enumerate(items):
        wheel.add(item, 1010.0 + number / 50_000)

    assert clock.armed <= 5
    clock.step(60)
    assert 5000 == sum(len(item.at) for item in items)


def test_adding_while_firing() -> None:
    """What expires may add anew, also for at once."""
    clock = StepClock()
    wheel = TimerWheel(clock)
    second = Item(clock)

    class First(Item):
        def expire(self) -> None:
            super().expire()
            wheel.add(second, clock.now - 1)

    first = First(clock)
    wheel.add(first, 1001.0)
    clock.step(5)

    assert 1 == len(first.at)
    assert 1 == len(second.at)


def test_an_earlier_deadline_rearms() -> None:
    """A deadline before the one that is waited for is not missed."""
    clock = StepClock()
    wheel = TimerWheel(clock)
    late, early = Item(clock), Item(clock)
    wheel.add(late, 1020.0)
    wheel.add(early, 1001.0)

    clock.step(2)

    assert (0, 1) == (len(late.at), len(early.at))


def test_clear_forgets() -> None:
    """After ``clear`` nothing fires."""
    clock = StepClock()
    wheel = TimerWheel(clock)
    item = Item(clock)
    wheel.add(item, 1001.0)
    wheel.clear()
    clock.step(5)

    assert [] == item.at
