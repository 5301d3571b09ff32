"""What is asked of every message before its provider sees it: by delivery when it is sent, by the linter before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pushkit.messages import Message
from pushkit.notification import Notification, ProviderOptions
from pushkit.own_reasons import refuse
from pushkit.verdict import Verdict

_LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""The calendar ends here; ``datetime.max`` is rounded past it as a float."""
_LONGEST_TTL = 100 * 365 * 24 * 3600.0


class Lifetime:
    """How long a message is worth delivering: relative, absolute, or now or never."""

    __slots__ = ("at", "ttl")

    def __init__(self, at: float | None, ttl: float) -> None:
        self.at = at
        self.ttl = ttl


def first_look(message: Message) -> Lifetime | Verdict:
    """The lifetime of a message, or what is wrong with what all providers share."""
    if isinstance(message, Notification) and message.options and not _are_options(message.options):
        # Left alone they would win over nothing, and nobody would know.
        return refuse("invalid_options", field="options")
    for name in ("key", "label"):
        if not isinstance(getattr(message, name), str | None):
            return refuse("invalid_field", advice="Give key and label as text.", field=name)
    expires_at: Any = message.expires_at
    ttl: Any = message.ttl
    if expires_at is None and ttl is None:
        return Lifetime(None, message.default_ttl())
    if expires_at is not None:
        if not isinstance(expires_at, datetime) or expires_at.utcoffset() is None:
            return refuse(
                "invalid_ttl",
                advice="Give expires_at as a datetime with a time zone, such as datetime.now(timezone.utc) + ….",
                field="expires_at",
            )
        at = expires_at.timestamp()
        if at > _LAST_MOMENT:
            return refuse("invalid_ttl", advice="Give an expires_at before the end of the year 9999, or leave it out.", field="expires_at")
        return Lifetime(at, 0.0)
    if isinstance(ttl, timedelta):
        ttl = ttl.total_seconds()
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not 0 <= ttl <= _LONGEST_TTL:
        return refuse("invalid_ttl", advice="Give ttl as seconds (0 or more) or a timedelta.", field="ttl")
    return Lifetime(None, float(ttl))


def _are_options(given: Any) -> bool:
    return isinstance(given, tuple) and all(isinstance(option, ProviderOptions) for option in cast("tuple[object, ...]", given))
