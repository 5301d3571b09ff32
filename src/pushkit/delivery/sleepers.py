"""The parking place: pushes that sleep between two attempts hold no slot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pushkit.clock import Clock

if TYPE_CHECKING:
    from pushkit.delivery.push import Push
    from pushkit.delivery.retry import Decision
    from pushkit.verdict import Verdict

PARKING = 10
"""Places, in multiples of ``max_in_flight``. When all are taken, a push that would sleep comes back to its caller."""


class Sleepers:
    """Wakes each push when its time has come."""

    def __init__(self, clock: Clock, places: int, woken: Callable[[Push], None]) -> None:
        self._clock = clock
        self._places = places
        self._woken = woken
        self._asleep: set[Push] = set()

    @property
    def full(self) -> bool:
        """Whether no place is left."""
        return len(self._asleep) >= self._places

    def add(self, push: Push, verdict: Verdict, decision: Decision) -> None:
        """Let a push sleep; ``verdict`` is what it sleeps for."""
        delay = decision.delay or 0.0
        push.verdict = verdict
        push.waited, push.waited_for = delay, decision.waits_for
        push.slept += delay
        self._asleep.add(push)
        push.timer = self._clock.call_at(self._clock.monotonic() + delay, push.wake)

    def wake(self, push: Push) -> None:
        """Its timer fired."""
        push.timer = None
        if push in self._asleep:
            self._asleep.discard(push)
            self._woken(push)

    def remove(self, push: Push) -> bool:
        """Take a push out; False when it was not asleep."""
        if push not in self._asleep:
            return False
        self._asleep.discard(push)
        if push.timer is not None:
            push.timer.cancel()
            push.timer = None
        return True

    def all(self) -> list[Push]:
        """Everything that sleeps."""
        return list(self._asleep)

    def __len__(self) -> int:
        return len(self._asleep)
