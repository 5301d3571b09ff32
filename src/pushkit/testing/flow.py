"""A clock on which time passes by itself, at once, whenever somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from pushkit.testing.clock import SETTLE_TURNS, FakeClock, FakeTimer

_IDLE_LOOKS = 1000
"""Looks in a row that may find work but no timer, before the clock stops looking (until the next timer is set)."""

_IDLE_PAUSE = 0.001
"""Real seconds between such looks: the work waits for something outside, such as the caller's own input."""


class FlowingClock(FakeClock):
    """
    A :class:`FakeClock` that jumps from timer to timer as long as there is work under way.

    A retry after 15 minutes takes no time at all, and the times in the records are still 15 minutes
    apart. While nothing is under way, the clock stands still.

    Args:
        start: what time it is (aware).
    """

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__() if start is None else super().__init__(start)
        self.busy: Callable[[], bool] = lambda: False
        """Whether there is work under way: set by the client that runs on this clock."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turns = 0
        self._idle = 0

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeTimer:
        """Call back at this time, which comes as soon as somebody waits for it."""
        timer = super().call_at(when, callback)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return timer
        if self._loop is not loop:
            # Callbacks, no task: what is pending when the loop closes just never happens.
            self._loop = loop
            self._turns = self._idle = 0
            loop.call_soon(self._look)
        return timer

    def _look(self) -> None:
        loop = self._loop
        assert loop is not None, "set before the first look"
        self._turns += 1
        if self._turns < SETTLE_TURNS:
            loop.call_soon(self._look)
            return
        self._turns = 0
        if not self.busy() or self._idle > _IDLE_LOOKS:
            self._loop = None
            return
        if self.next_in is None:
            self._idle += 1
            loop.call_later(_IDLE_PAUSE, self._look)
            return
        self._idle = 0
        try:
            self.fire_due()
        finally:
            # A timer that raises is the loop's to report; time goes on.
            loop.call_soon(self._look)
