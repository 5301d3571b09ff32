"""Time, passed in: nothing in the core reads a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not call it. Idempotent."""
        ...


class Clock(Protocol):
    """Both clocks and the timer of one event loop; the tests' ``FakeClock`` is another."""

    def time(self) -> float:
        """Epoch seconds (wall clock): expiry, TTL, JWTs."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: deadlines, waits, durations."""
        ...

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back at this monotonic time."""
        ...
