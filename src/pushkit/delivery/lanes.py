"""Who goes next: slots for each (provider, app, environment), single sends before streams."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pushkit.delivery.breaker import Breaker
from pushkit.delivery.guard import Place

if TYPE_CHECKING:
    from pushkit.delivery.guard import Watch
    from pushkit.delivery.push import Push
    from pushkit.delivery.senders import SenderState

SINGLES_IN_A_ROW = 9
"""Single sends go first, but one push in ten comes from a running stream, so that it never stands still."""


class Lane:
    """
    The way to one service for one app: its slots in use, its queue, its breaker, and the limit that it shares.

    The environment stands for the origin: a sender gives different ones for targets of different origins.
    """

    __slots__ = ("breaker", "limiter", "origin", "place", "quota", "state", "used", "waiting", "watch")

    def __init__(self, state: SenderState, environment: str, watch: Watch, quota: str = "") -> None:
        self.state = state
        self.quota = quota
        """What its requests count against at the provider (``Message.quota``)."""
        self.limiter = state.limiter(quota)
        self.place = Place(state.provider, state.app, environment)
        self.watch = watch
        self.breaker = Breaker()
        self.used = 0
        """Requests under way."""
        self.waiting: deque[Push] = deque()
        """Single sends and repeats that wait for a slot."""
        self.origin = ""
        """Where the latest request went, for events and ``health()``."""


class Turns:
    """Decides between a waiting single send and a hungry stream."""

    __slots__ = ("_row",)

    def __init__(self) -> None:
        self._row = 0

    def stream_next(self) -> bool:
        """Whether the next slot is a stream's. Asked only while both want it."""
        if self._row >= SINGLES_IN_A_ROW:
            self._row = 0
            return True
        self._row += 1
        return False


class Slots:
    """
    ``max_in_flight`` slots, shared fairly.

    A lane that is alone may use them all; as soon as another one is busy, a lane keeps a quarter free,
    so that a service that answers slowly never holds every slot.
    """

    __slots__ = ("busy", "limit", "shared_limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.shared_limit = max(1, limit * 3 // 4)
        self.used = 0
        self.busy = 0
        """Lanes with requests under way."""

    def free(self, lane: Lane) -> bool:
        """Whether this lane may start a request now."""
        if self.used >= self.limit:
            return False
        alone = self.busy == 0 or (self.busy == 1 and lane.used > 0)
        return alone or lane.used < self.shared_limit

    def take(self, lane: Lane) -> None:
        """A request starts."""
        self.used += 1
        if lane.used == 0:
            self.busy += 1
        lane.used += 1

    def give(self, lane: Lane) -> None:
        """A request ended."""
        self.used -= 1
        lane.used -= 1
        if lane.used == 0:
            self.busy -= 1
