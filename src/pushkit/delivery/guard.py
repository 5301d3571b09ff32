"""
Suspicion before deletion: who is gone, and who only seems to be because we are configured wrong.

Two rules. A failure that our own misconfiguration would explain (wrong environment, topic, project,
key) is believed only after this client has had an accepted push for the same app and environment.
And when too large a share of an app's recipients fails for the same reason, further ones are not
believed until a person says so. What this cannot protect: outcomes already handed out, and workers
that send too few to see a share.
"""

from __future__ import annotations

from typing import NamedTuple

from pushkit.lru import LRU

THRESHOLD = 0.30
LEAST = 50
"""A share of fewer than this many recipients says nothing."""
_HALF_COUNT = 1000
_HALF_SECONDS = 300.0
"""The window is two halves; a half ends after this many recipients or seconds."""
_TABLE = 10_000
_REASONS = 50


class Place(NamedTuple):
    """Where a suspicion holds."""

    provider: str
    app: str
    environment: str


class Tripped(NamedTuple):
    """A reason that too many share, said once."""

    reason: str
    share: float
    seen: int


class Watch:
    """The window of one place."""

    __slots__ = ("accepted", "before", "confirmed", "now_counts", "now_total", "seen_before", "since", "tripped")

    def __init__(self, now: float) -> None:
        self.accepted = False
        self.since = now
        self.now_total = 0
        self.now_counts: dict[str, int] = {}
        self.seen_before = 0
        self.before: dict[str, int] = {}
        self.tripped: set[str] = set()
        self.confirmed: set[str] = set()


class Guard:
    """
    Watches one client's recipients. Times are monotonic seconds.

    Args:
        threshold: the one number: the share of recipients with the same reason that is no longer believed.
    """

    def __init__(self, threshold: float = THRESHOLD, least: int = LEAST) -> None:
        self.threshold = threshold
        self.least = least
        self._places: LRU[Place, Watch] = LRU(_TABLE)

    def watch(self, place: Place, now: float) -> Watch:
        """The window of a place; kept by the caller, since it is asked for every push."""
        watch = self._places.get(place)
        if watch is None:
            watch = Watch(now)
            self._places.put(place, watch)
        return watch

    def accepted(self, watch: Watch, now: float) -> None:
        """A push was accepted."""
        watch.accepted = True
        watch.now_total += 1
        if watch.now_total >= _HALF_COUNT or now - watch.since >= _HALF_SECONDS:
            self._turn(watch, now)

    def failed(self, watch: Watch, reason: str, now: float) -> Tripped | None:
        """A recipient was refused by the provider. Says so when that makes the share too large, once."""
        watch.now_total += 1
        counts = watch.now_counts
        if reason in counts or len(counts) < _REASONS:
            counts[reason] = counts.get(reason, 0) + 1
        seen = watch.now_total + watch.seen_before
        share = (counts.get(reason, 0) + watch.before.get(reason, 0)) / seen
        tripped = None
        if seen >= self.least and share > self.threshold and reason not in watch.tripped and reason not in watch.confirmed:
            watch.tripped.add(reason)
            tripped = Tripped(reason, share, seen)
        if watch.now_total >= _HALF_COUNT or now - watch.since >= _HALF_SECONDS:
            self._turn(watch, now)
        return tripped

    def believed(self, watch: Watch, reason: str, *, suspicion: bool) -> bool:
        """Whether a recipient failure with this reason is to be believed."""
        return reason not in watch.tripped and (watch.accepted or not suspicion)

    def confirm(self, app: str) -> int:
        """A person has looked: believe the reasons that are suspected for this app. Gives how many there were."""
        confirmed = 0
        for place, watch in self._places.items():
            if place.app == app:
                confirmed += len(watch.tripped)
                watch.confirmed |= watch.tripped
                watch.tripped.clear()
        return confirmed

    def doubt(self, app: str, now: float) -> None:
        """
        Begin anew for an app: its configuration may be another one now.

        An acceptance under the former one clears nobody, and neither does a confirmation; what is suspected stays
        suspected. Pushes under way keep their old window.
        """
        for place, watch in list(self._places.items()):
            if place.app == app:
                fresh = Watch(now)
                fresh.tripped |= watch.tripped
                self._places.put(place, fresh)

    def _turn(self, watch: Watch, now: float) -> None:
        # A reason whose share has fallen is watched afresh: a confirmation holds for one incident.
        seen = watch.now_total
        if seen >= self.least:
            for reasons in (watch.tripped, watch.confirmed):
                reasons -= {reason for reason in reasons if watch.now_counts.get(reason, 0) <= self.threshold * seen}
        watch.before, watch.seen_before = watch.now_counts, watch.now_total
        watch.now_counts, watch.now_total = {}, 0
        watch.since = now

    def __len__(self) -> int:
        return len(self._places)
