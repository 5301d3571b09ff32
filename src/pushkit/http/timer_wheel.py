"""One timer for all deadlines: a timer of the loop per push would cost as much as an HTTP/2 stream."""

from __future__ import annotations

import heapq
from typing import Protocol

from pushkit.clock import Clock, Timer

TICKS_PER_SECOND = 32
"""A deadline fires up to one tick early, never late."""


class Expiring(Protocol):
    """Something with a deadline; ``bucket`` belongs to the wheel."""

    bucket: set[Expiring] | None

    def expire(self) -> None:
        """The deadline has come."""
        ...


class TimerWheel:
    """
    Deadlines, bucketed by ticks of 1/32 s, with one pending timer of the clock.

    An entry leaves its bucket when it is finished, so nothing is kept of what is done.
    """

    __slots__ = ("_armed_for", "_buckets", "_clock", "_order", "_timer")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[int, set[Expiring]] = {}
        self._order: list[int] = []
        self._timer: Timer | None = None
        self._armed_for = 0

    def add(self, item: Expiring, deadline: float) -> None:
        """Call ``item.expire()`` at this monotonic time at the latest, unless it is removed before."""
        key = int(deadline * TICKS_PER_SECOND)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = set()
            heapq.heappush(self._order, key)
            bucket.add(item)
            if self._timer is None or key < self._armed_for:
                self._arm()
        else:
            bucket.add(item)
        item.bucket = bucket

    def clear(self) -> None:
        """Forget everything."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._buckets.clear()
        self._order.clear()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._order:
            key = self._order[0]
            if self._buckets[key]:
                self._armed_for = key
                self._timer = self._clock.call_at(key / TICKS_PER_SECOND, self._fire)
                return
            # Everything in it was answered in time.
            del self._buckets[heapq.heappop(self._order)]

    def _fire(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        due: list[Expiring] = []
        while self._order and self._order[0] / TICKS_PER_SECOND <= now:
            due.extend(self._buckets.pop(heapq.heappop(self._order)))
        for item in due:
            if item.bucket is not None:
                item.bucket = None
                item.expire()
        if self._order and self._timer is None:
            self._arm()
