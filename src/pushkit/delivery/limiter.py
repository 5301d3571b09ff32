"""
How fast a project may be sent to: the configured rate, and what 429 answers teach.

Additive increase, multiplicative decrease: unlimited (or the configured rate) until the provider asks
for less; then 0.7 of what was really sent a second, growing by a twentieth of that every second
(the shape of the AWS SDKs' adaptive mode, without its cubic curve).
"""

from __future__ import annotations

DECREASE = 0.7
INCREASE = 0.05
"""Of the rate at the last throttling, a second."""
SLOWEST = 0.5
"""Pushes a second, however often the provider refuses."""
BURST = 0.1
"""Seconds' worth of pushes that may go at once."""
_SAME_BURST = 1.0
"""Refusals within this many seconds answer the same burst and count once."""
FIRST_STEP = 0.1
"""Share of the configured rate that a climb begins with."""
_UNLEARN = 4.0
"""The learnt limit is dropped when the rate has grown to this multiple of what was once too much."""


class Limiter:
    """
    One for each sender. Times are monotonic seconds.

    ``delay(now)`` says how long the next push has to wait, ``take(now)`` notes one that goes.
    """

    __slots__ = (
        "_counted",
        "_last_count",
        "_second",
        "_throttled_at",
        "_tokens",
        "_updated",
        "ceiling",
        "learnt",
        "paused_until",
        "ramp",
        "rate",
    )

    def __init__(self, ceiling: float | None = None, ramp: float = 0.0) -> None:
        self.ceiling = ceiling
        """The configured rate, pushes a second; None: no limit of our own."""
        self.ramp = ramp
        """Seconds over which the configured rate is reached, at first and after as long without a push; 0.0: at once."""
        self.rate = ceiling
        """The present rate; None: unlimited."""
        self.learnt: float | None = None
        """The rate at which the provider last said no; None: never, or forgotten."""
        self.paused_until = 0.0
        self._tokens = self._capacity()
        self._updated = 0.0
        self._throttled_at = float("-inf")
        self._second = 0.0
        self._counted = 0
        self._last_count = 0

    def _capacity(self) -> float:
        return max(1.0, self.rate * BURST) if self.rate is not None else 1.0

    def delay(self, now: float) -> float:
        """Seconds that the next push has to wait; 0.0: it may go."""
        if self.rate is None and now >= self.paused_until:
            return 0.0
        if now < self.paused_until:
            return self.paused_until - now
        self._refill(now)
        rate = self.rate
        return 0.0 if rate is None or self._tokens >= 1.0 else (1.0 - self._tokens) / rate

    def take(self, now: float) -> None:
        """A push goes now."""
        if now - self._second >= 1.0:
            self._last_count = self._counted if now - self._second < 2.0 else 0
            self._counted = 0
            self._second = now
        self._counted += 1
        if self.rate is not None:
            self._refill(now)
            self._tokens -= 1.0

    def throttled(self, now: float, pause: float) -> None:
        """The provider refused for its project-wide limit: pause for so many seconds, then go slower."""
        self.paused_until = max(self.paused_until, now + pause)
        if now - self._throttled_at < _SAME_BURST:
            return
        self._throttled_at = now
        sent = float(max(self._counted, self._last_count, 1))
        tried = min(sent, self.rate) if self.rate is not None else sent
        self.learnt = tried
        self.rate = max(SLOWEST, tried * DECREASE)
        self._tokens = 0.0
        self._updated = max(now, self.paused_until)

    def _refill(self, now: float) -> None:
        passed = now - self._updated
        if passed <= 0:
            return
        self._updated = now
        if self.ramp > 0.0 and self.learnt is None:
            self._climb(passed)
        rate = self.rate
        if rate is None:
            return
        self._tokens = min(self._capacity(), self._tokens + passed * rate)
        if self.learnt is not None:
            self._grow(rate + self.learnt * INCREASE * passed)

    def _climb(self, passed: float) -> None:
        if self.ceiling is None or self.rate is None:
            return
        if passed >= self.ramp:
            self.rate = self.ceiling * FIRST_STEP
        elif self.rate < self.ceiling:
            self.rate = min(self.ceiling, self.rate + self.ceiling * passed / self.ramp)

    def _grow(self, rate: float) -> None:
        assert self.learnt is not None
        if (self.ceiling is not None and rate >= self.ceiling) or rate >= self.learnt * _UNLEARN:
            self.rate, self.learnt = self.ceiling, None
        else:
            self.rate = rate
