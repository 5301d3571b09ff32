"""
How many connections may be given up for what APNs answers.

A refusal that calls for a new connection is sound advice once. While APNs is down every connection gets
it, and following it each time would open a connection for every push, which Apple takes for an attack
("Sending notification requests to APNs": keep connections open, many of them in a short time are refused).
"""

from __future__ import annotations

from pushkit.lru import LRU

EVERY = 5.0
"""Seconds after which one more connection may be given up."""

_REMEMBERED = 64


class Retirement:
    """
    As many at once as there may be connections, then one every few seconds.

    Args:
        most: connections that may be open.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._left = float(most)
        self._at = 0.0
        self._retired: LRU[int, bool] = LRU(_REMEMBERED)

    def allows(self, connection_id: int, now: float) -> bool:
        """Whether this connection may be given up now. One that was stays so. ``now``: seconds of any clock; jumps back do no harm."""
        if connection_id in self._retired:
            return True
        self._left = min(self._most, self._left + max(0.0, now - self._at) / EVERY)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        self._retired.put(connection_id, True)
        return True
