"""
pushkit: APNs, FCM and Web Push behind one typed interface.

Every push ends in one of four outcomes: :class:`Accepted`, :class:`TechnicalFailure`,
:class:`PayloadFailure`, :class:`RecipientFailure`, each with what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pushkit import apns, fcm, webpush
from pushkit._version import __version__
from pushkit.delivery.policy import RetryPolicy
from pushkit.errors import ClientClosedError, ConfigurationError, PayloadError, PushError, RecipientError, TechnicalError
from pushkit.events import Hook
from pushkit.health import Finding, Health
from pushkit.messages import Message
from pushkit.notification import InterruptionLevel, Localized, Notification, Priority, Sound
from pushkit.outcomes import (
    Accepted,
    Action,
    Attempt,
    Category,
    Disposition,
    Failure,
    Outcome,
    PayloadFailure,
    RecipientFailure,
    Scope,
    TechnicalFailure,
)
from pushkit.provider import Provider
from pushkit.report import Report
from pushkit.targets import Target

if TYPE_CHECKING:
    from pushkit.client import AsyncClient, Client

__all__ = [
    "Accepted",
    "Action",
    "AsyncClient",
    "Attempt",
    "Category",
    "Client",
    "ClientClosedError",
    "ConfigurationError",
    "Disposition",
    "Failure",
    "Finding",
    "Health",
    "Hook",
    "InterruptionLevel",
    "Localized",
    "Message",
    "Notification",
    "Outcome",
    "PayloadError",
    "PayloadFailure",
    "Priority",
    "Provider",
    "PushError",
    "RecipientError",
    "RecipientFailure",
    "Report",
    "RetryPolicy",
    "Scope",
    "Sound",
    "Target",
    "TechnicalError",
    "TechnicalFailure",
    "__version__",
    "apns",
    "fcm",
    "webpush",
]

_LAZY = frozenset({"AsyncClient", "Client"})


def __getattr__(name: str) -> Any:
    # The clients bring asyncio, and with their first use httpx, ssl and cryptography: only for who asks.
    if name in _LAZY:
        from pushkit import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
