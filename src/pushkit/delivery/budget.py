"""
The retry budget: repeats may be a bounded share of the traffic, never a multiple of it.

One budget for each credential, shared by all sends of a client. A repeat costs tokens, an accepted push
gives some back; without tokens failures come back at once instead of being repeated. The figures are
those of the AWS SDKs' standard mode (500 tokens, 5 for a failed attempt, 10 for a time-out), plus
gRPC's insight (A6) that what provably never reached the server costs next to nothing.
"""

from __future__ import annotations

from pushkit.outcomes import Disposition
from pushkit.verdict import Verdict

CAPACITY = 500.0
COST_NOT_SENT = 1.0
COST_ATTEMPT = 5.0
COST_UNKNOWN = 10.0
REFUND_CLEAN = 1.0
"""What a push accepted at its first attempt gives back."""
QUIET = 60.0
"""Seconds without a refused repeat after which the next one is news again."""


def cost(verdict: Verdict) -> float:
    """Tokens for repeating a push after this verdict."""
    if verdict.disposition is Disposition.NOT_SENT:
        return COST_NOT_SENT
    if verdict.disposition is Disposition.UNKNOWN:
        return COST_UNKNOWN
    return COST_ATTEMPT


class Budget:
    """Tokens for repeats. Never blocks: there are enough, or there is no repeat."""

    __slots__ = ("_refused_at", "capacity", "exhausted", "tokens")

    def __init__(self, capacity: float = CAPACITY) -> None:
        self.capacity = capacity
        self.tokens = capacity
        self.exhausted = False
        """Whether a repeat was refused since the budget was last at least half full."""
        self._refused_at = float("-inf")

    def spend(self, price: float) -> bool:
        """Take this many tokens if they are there."""
        if self.tokens < price:
            return False
        self.tokens -= price
        return True

    def refund(self, amount: float) -> None:
        """Give tokens back: ``REFUND_CLEAN``, or what an accepted push's own repeats had cost."""
        if self.tokens < self.capacity:
            self.tokens = min(self.capacity, self.tokens + amount)
            if self.exhausted and self.tokens * 2 >= self.capacity:
                self.exhausted = False

    def first_refusal(self, now: float) -> bool:
        """
        Note a refused repeat (monotonic seconds); True for the first of an exhaustion, which is what hooks hear.

        An exhaustion is over when the budget is half full again and has refused nothing for a while: in a
        service that comes and goes, whole waves of repeats are paid back and spent again every few seconds.
        """
        first = not self.exhausted and now - self._refused_at >= QUIET
        self.exhausted = True
        self._refused_at = now
        return first

    @property
    def share(self) -> float:
        """How much is left, 0.0 to 1.0."""
        return self.tokens / self.capacity
