"""A clock on which time passes by itself, at once, whenever somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from pushkit.testing.clock import FakeClock, FakeTimer, settle

_IDLE_LOOKS = 200
"""Times that the loop may settle without any timer being due before the flow stops looking."""


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
        self._flowing: asyncio.Task[None] | None = None

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeTimer:
        """Call back at this time, which comes as soon as somebody waits for it."""
        timer = super().call_at(when, callback)
        self.flow()
        return timer

    def flow(self) -> None:
        """Let time pass while there is work. Called by the clock itself; harmless otherwise."""
        if self._flowing is not None and not self._flowing.done():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._flowing = loop.create_task(self._flow())
        self._flowing.add_done_callback(_report)

    async def _flow(self) -> None:
        idle = 0
        while idle < _IDLE_LOOKS:
            await settle()
            if not self.busy():
                return
            if self.next_in is None:
                # Work without a timer: it waits for something outside, such as the caller's own input.
                idle += 1
                await asyncio.sleep(0.001)
                continue
            idle = 0
            await self.advance_to_next()

    async def stop(self) -> None:
        """End the task that lets time pass."""
        task, self._flowing = self._flowing, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])


def _report(task: asyncio.Task[None]) -> None:
    # A timer's callback raised: time stands still from here on, so it must be heard now and not when the task is collected.
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "a timer of the fake clock raised", "exception": error, "task": task})
