"""
The circuit breaker: a service that fails most attempts is left alone for a while.

It looks at the ratio of technical attempt failures in a sliding window. Throttling, credentials,
payload and recipient answers are no failures of the service: it answered.
"""

from __future__ import annotations

import enum

RATIO = 0.5
"""Open when at least this share of the attempts in the window failed …"""
LEAST = 20
"""… and there were at least so many attempts."""
WINDOW = 30.0
"""Seconds that the window covers."""
FIRST_BREAK = 5.0
"""Seconds that the breaker stays open first, and after one failed probe; each further one doubles it …"""
LONGEST_BREAK = 60.0
"""… up to this."""

_BUCKETS = 10
_SAME_LOSS = 0.1
"""Seconds within which pushes that end with the same connection are one failure."""
_LATER = float("inf")
"""Began after everything that the breaker knows of."""


class State(enum.StrEnum):
    """What a breaker does with the next attempt."""

    CLOSED = "closed"
    """Lets it pass."""
    OPEN = "open"
    """Refuses it."""
    HALF_OPEN = "half_open"
    """Has let one probe pass and refuses the rest until that is back."""


class Breaker:
    """
    One breaker for each (provider, origin, credential). Times are monotonic seconds.

    ``allow`` is asked before an attempt; ``success`` or ``failure`` is told after it, ``void`` when the
    attempt said nothing about the service (it was cancelled, or throttled).
    """

    __slots__ = (
        "_asked_at",
        "_bad",
        "_break",
        "_bucket",
        "_ends",
        "_good",
        "_lost",
        "_lost_at",
        "_probed",
        "_window",
        "least",
        "probe_at",
        "ratio",
        "state",
    )

    def __init__(self, *, ratio: float = RATIO, least: int = LEAST) -> None:
        self.ratio = ratio
        self.least = least
        self.state = State.CLOSED
        self.probe_at = 0.0
        """When an open breaker lets a probe pass."""
        self._break = FIRST_BREAK
        self._probed = False
        self._asked_at = 0.0
        """When the probe began: what began before it says nothing about the service's recovery."""
        self._bucket = WINDOW / _BUCKETS
        self._ends = 0.0
        self._good = 0
        self._bad = 0
        self._window: list[tuple[int, int]] = []
        self._lost = 0
        self._lost_at = 0.0

    def allow(self, now: float) -> bool:
        """Whether an attempt may be made now. An open breaker whose time has come turns half open and lets this one pass."""
        if self.state is State.CLOSED:
            return True
        if now < self.probe_at:
            return False
        # A probe that never reports back must not hold the breaker for ever: another may pass a break later.
        self.state = State.HALF_OPEN
        self._asked_at = now
        self.probe_at = now + self._break
        return True

    def success(self, now: float, started: float = _LATER) -> bool:
        """An attempt that began at ``started`` was answered. True when that closed the breaker."""
        if self.state is State.CLOSED:
            if now >= self._ends:
                self._turn(now)
            self._good += 1
            return False
        if self.state is State.OPEN or started < self._asked_at:
            return False  # A late answer from before it opened.
        self.state = State.CLOSED
        self._break = FIRST_BREAK
        self._probed = False
        self._forget(now)
        return True

    def failure(self, now: float, lost_connection: int = 0, started: float = _LATER) -> bool:
        """
        An attempt failed technically. True when that opened the breaker.

        Args:
            now: monotonic seconds.
            lost_connection: the connection that ended with it. Everything that ends with one connection is
                one failure: a single reset with a thousand pushes under way is no outage.
            started: when the attempt began.
        """
        if lost_connection:
            if lost_connection == self._lost and now - self._lost_at < _SAME_LOSS:
                return False
            self._lost, self._lost_at = lost_connection, now
        if self.state is State.HALF_OPEN:
            if started < self._asked_at:
                return False
            # The first failed probe is forgiven: services that come and go are met while they are there.
            if self._probed:
                self._break = min(LONGEST_BREAK, self._break * 2)
            self._probed = True
            self._open(now)
            return True
        if self.state is State.OPEN:
            return False
        if now >= self._ends:
            self._turn(now)
        self._bad += 1
        good = self._good + sum(pair[0] for pair in self._window)
        bad = self._bad + sum(pair[1] for pair in self._window)
        if good + bad < self.least or bad < self.ratio * (good + bad):
            return False
        self._open(now)
        return True

    def void(self, started: float = _LATER) -> None:
        """An attempt that began at ``started`` said nothing: if it was the probe, let the next attempt be one."""
        if self.state is State.HALF_OPEN and started >= self._asked_at:
            self.state = State.OPEN
            self.probe_at = 0.0

    def _open(self, now: float) -> None:
        self.state = State.OPEN
        self.probe_at = now + self._break
        self._forget(now)

    def _forget(self, now: float) -> None:
        self._window.clear()
        self._good = self._bad = 0
        self._ends = now + self._bucket

    def _turn(self, now: float) -> None:
        passed = 1 + int((now - self._ends) // self._bucket) if self._ends else _BUCKETS
        self._window.append((self._good, self._bad))
        self._window += [(0, 0)] * min(passed - 1, _BUCKETS)
        del self._window[: max(0, len(self._window) - (_BUCKETS - 1))]
        self._good = self._bad = 0
        self._ends = now + self._bucket
