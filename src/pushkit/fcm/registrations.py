"""
How old a stored registration may get.

Google calls a registration stale after a month without contact, and ends Android registrations that were
idle for 270 days; what was ended never becomes valid again. So apps store a time with every registration,
refresh it about once a month, and prune by it. Source: Google, "Best practices for FCM registration token
management".
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from typing import Final

REFRESH_AFTER: Final = timedelta(days=30)
"""Google's own threshold for "stale", and how often an app should tell that it is still there."""

ENDED_AFTER: Final = timedelta(days=270)
"""After so long without contact FCM ends an Android registration."""


class Freshness(enum.StrEnum):
    """What to do about a stored registration."""

    FRESH = "fresh"
    """Seen within a month: send."""
    STALE = "stale"
    """Not seen for a month: still worth a push, but let the app's next start refresh it, and keep it out of topics."""
    ENDED = "ended"
    """Not seen for 270 days: on Android FCM has ended it for good. Prune it; a device that comes back has a new one."""


def freshness(
    seen_at: datetime, *, now: datetime | None = None, refresh_after: timedelta = REFRESH_AFTER, ended_after: timedelta = ENDED_AFTER
) -> Freshness:
    """
    How fresh a registration is, by when its app was last heard of.

    Apple devices behind FCM have no such end; pass a longer ``ended_after`` for them if you know them apart.

    Args:
        seen_at: aware; when the app last registered or confirmed this very address.
        now: aware; the present by default.
        refresh_after: from when on it is stale.
        ended_after: from when on it is given up.

    Raises:
        ValueError: for a time without a zone, or thresholds in the wrong order.
    """
    present = now if now is not None else datetime.now(UTC)
    for name, moment in (("seen_at", seen_at), ("now", present)):
        if moment.tzinfo is None:
            raise ValueError(f"{name} has no time zone; pass an aware datetime, such as datetime.now(timezone.utc)")
    if refresh_after > ended_after:
        raise ValueError("refresh_after is longer than ended_after; a registration is stale before it is given up")
    silent = present - seen_at
    if silent >= ended_after:
        return Freshness.ENDED
    return Freshness.STALE if silent >= refresh_after else Freshness.FRESH
