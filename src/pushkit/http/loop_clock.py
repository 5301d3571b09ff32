"""The clock of a running asyncio (or uvloop) event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from time import time as epoch

from pushkit.clock import Timer


class LoopClock:
    """
    :class:`pushkit.clock.Clock` over the event loop that is running when a timer is first asked for.

    ``monotonic`` is :func:`time.monotonic`, not ``loop.time``: uvloop's clock stands still within one
    turn of the loop, and both clocks can then be compared with times taken in other threads.
    """

    __slots__ = ()

    # The C functions themselves: both clocks are read several times for each push.
    monotonic = staticmethod(monotonic)
    """Seconds that never jump."""
    time = staticmethod(epoch)
    """Epoch seconds."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back on the running loop at this monotonic time."""
        return asyncio.get_running_loop().call_later(max(0.0, when - monotonic()), callback)
