"""Who a push is for, as the services, the scripts and the inbox name it."""

from __future__ import annotations

from typing import cast

import attrs

from pushkit.secret import fingerprint
from pushkit.targets import Target


@attrs.frozen
class Address:
    """One recipient: a device token, a registration, a topic, a condition, a channel or an endpoint."""

    provider: str
    """``"apns"``, ``"fcm"``, ``"webpush"``, ``"oauth"``; empty when only the text is known."""
    key: str
    """What makes two of them the same (secret)."""
    service: str = ""
    """Web Push: the service; FCM: ``"token"``, ``"fid"``, ``"topic"``, ``"condition"``; APNs: ``"device"``, ``"channel"``."""

    @property
    def short(self) -> str:
        """The part that stays the same when a service runs on another port: the endpoint's path and query."""
        if self.key.startswith(("https://", "http://")):
            return self.key.split("/", 3)[-1]
        return self.key

    @property
    def shown(self) -> str:
        """Safe to print."""
        return f"{self.provider or 'recipient'} {fingerprint(repr(self.key))}"

    def __repr__(self) -> str:
        return f"<Address {self.shown}>"


def address_of(recipient: object) -> Address:
    """
    The address of a target, or of a bare token, endpoint, topic or channel id.

    Raises:
        TypeError: when it is neither.
    """
    if isinstance(recipient, Address):
        return recipient
    if isinstance(recipient, str):
        return Address("", _normal(recipient))
    if isinstance(recipient, Target):
        return Address(recipient.provider, _normal(_text(recipient.address)))
    raise TypeError(f"expected a target or its token, endpoint, topic or channel id as str, not {type(recipient).__name__}")


def _text(address: object) -> str:
    # Some targets put the kind in front of the value, so that a topic and a token of the same text differ.
    if isinstance(address, tuple):
        return _text(cast("tuple[object, ...]", address)[-1])
    return address if isinstance(address, str) else str(address)


def _normal(text: str) -> str:
    # Hexadecimal device tokens are the same in both cases; nothing else is touched.
    return text.lower() if len(text) >= 32 and all(c in "0123456789abcdefABCDEF" for c in text) else text
