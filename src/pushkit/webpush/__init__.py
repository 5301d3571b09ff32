"""Web Push: browsers, by RFC 8030, RFC 8291 and RFC 8292."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pushkit.webpush.config import Config
from pushkit.webpush.credentials import VapidKey
from pushkit.webpush.declarative import Declarative
from pushkit.webpush.endpoints import EndpointPolicy, Service
from pushkit.webpush.messages import Button, Message, Options, Urgency
from pushkit.webpush.provider import WebpushProvider
from pushkit.webpush.targets import Subscription
from pushkit.webpush.topic import topic_from
from pushkit.webpush.withdrawal import Withdrawal
from pushkit.webpush.worker import service_worker

if TYPE_CHECKING:
    from pushkit.webpush.encryption import DecryptionError, decrypt, encrypt

__all__ = [
    "Button",
    "Config",
    "Declarative",
    "DecryptionError",
    "EndpointPolicy",
    "Message",
    "Options",
    "Service",
    "Subscription",
    "Urgency",
    "VapidKey",
    "WebpushProvider",
    "Withdrawal",
    "decrypt",
    "encrypt",
    "service_worker",
    "topic_from",
]

_LAZY = frozenset({"DecryptionError", "decrypt", "encrypt"})


def __getattr__(name: str) -> Any:
    # Encryption brings cryptography: only for who asks.
    if name in _LAZY:
        from pushkit.webpush import encryption

        return getattr(encryption, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
