"""
Timestamps of Live Activities: never the same and never earlier for one activity, and unchanged on every retry.

Devices drop an update that is not newer than what they show (Apple, "Starting and updating Live
Activities"). Two updates in the same second need two timestamps; a retry of an older update must keep
its own, or it would win over a newer one.
"""

from __future__ import annotations

from collections.abc import Hashable

from pushkit.lru import LRU
from pushkit.provider import PushContext
from pushkit.targets import Target

#: Activities and pushes that are remembered: those of the last minutes, as that is how long retries and clocks that jump matter.
REMEMBERED = 20_000


class LiveClock:
    """The timestamps given so far, for one app."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._latest: LRU[Hashable, int] = LRU(size)
        self._given: LRU[str, int] = LRU(size)

    def __len__(self) -> int:
        return len(self._latest)

    def timestamp(self, target: Target, push: PushContext) -> int:
        """Epoch seconds for this push."""
        known = self._given.get(push.push_id)
        if known is not None:
            return known
        taken = int(push.taken_at)
        if push.attempt > 1:
            # Resumed from a queue: what it says was true when it was taken, so it must not win over what was said since.
            return taken
        latest = self._latest.get(target.address)
        given = taken if latest is None else max(taken, latest + 1)
        self.note(target, given)
        self._given.put(push.push_id, given)
        return given

    def note(self, target: Target, timestamp: int) -> None:
        """What a push says, also where the caller stated it: later ones have to be newer."""
        latest = self._latest.get(target.address)
        self._latest.put(target.address, timestamp if latest is None else max(latest, timestamp))
