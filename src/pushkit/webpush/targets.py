"""Whom Web Push reaches: a browser's subscription."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, cast
from urllib.parse import unquote

import attrs

from pushkit.codec import register
from pushkit.secret import fingerprint, printable_ref
from pushkit.targets import Target
from pushkit.webpush.endpoints import KNOWN, STAGING, Service

_P256DH = ("p256dh", "publicKey", "public_key", "key")
_AUTH = ("auth", "authToken", "auth_token", "authSecret", "auth_secret")
_BETWEEN_PARTS = re.compile(r"[/?=&]")
_EXPIRATION = ("expirationTime", "expiration_time")
_SUFFIXES = tuple((pattern.removeprefix("*."), service) for pattern, service in (*KNOWN, *STAGING))


def service_of_host(host: str) -> Service:
    """Whose service a host name is."""
    for name, service in _SUFFIXES:
        if host == name or host.endswith("." + name):
            return service
    return Service.OTHER


@register("webpush.Subscription")
@attrs.frozen(repr=False)
class Subscription(Target):
    """
    A browser's push subscription, as ``PushSubscription.toJSON()`` gives it.

    ``repr`` shows the service and a fingerprint only: whoever has the endpoint can send to it, and
    whoever has the keys can write what it shows.
    """

    provider: ClassVar[str] = "webpush"

    endpoint: str
    """The URL that the browser gave, letter for letter. Never decode, encode or shorten it."""
    p256dh: str | bytes | None = attrs.field(default=None, kw_only=True)
    """The browser's public key: base64url of 65 octets (or the octets). None: only messages without content can be sent."""
    auth: str | bytes | None = attrs.field(default=None, kw_only=True)
    """The subscription's secret: base64url of 16 octets (or the octets)."""
    expiration_time: float | None = attrs.field(default=None, kw_only=True)
    """``expirationTime``: milliseconds since 1970, or None."""
    vapid: str | None = attrs.field(default=None, kw_only=True)
    """
    Which VAPID key the subscription was made with, where a client has several: its public key, its
    fingerprint, or its name in ``Config(vapid={name: key})``. None: the first one.
    """

    @classmethod
    def from_json(cls, stored: Any, *, vapid: str | None = None, app: str = "default", ref: object = None) -> Subscription:
        """
        Read a subscription in any shape that people store.

        Takes the JSON text or object of ``PushSubscription.toJSON()``, the flat ``{endpoint, p256dh, auth}``,
        the old ``{publicKey, authToken}``, and any of these below a member ``subscription``; base64 in both
        alphabets, with or without padding. Members that are not known (``contentEncoding``) are left out.

        Never raises: a row that holds something else becomes a subscription that every send answers with
        a ``RecipientFailure`` (``invalid_endpoint``), so that one bad row does not stop a broadcast.

        Args:
            stored: JSON text (str or bytes) or the object itself.
            vapid: which VAPID key it was made with, see :attr:`vapid`.
            app: which configuration to use.
            ref: any value of the caller's own.
        """
        value = stored
        if isinstance(stored, (str, bytes, bytearray)):
            try:
                value = json.loads(stored)
            except (ValueError, RecursionError):
                return cls(cast("str", stored), vapid=vapid, app=app, ref=ref)
        fields = _object(value)
        inner = _object(fields.get("subscription"))
        if inner and "endpoint" not in fields:
            fields = inner
        keys = _object(fields.get("keys"))
        expiration = _first(fields, _EXPIRATION)
        return cls(
            fields.get("endpoint", "") if fields else cast("str", value),
            p256dh=_first(keys, _P256DH) or _first(fields, _P256DH),
            auth=_first(keys, _AUTH) or _first(fields, _AUTH),
            expiration_time=expiration,
            vapid=vapid,
            app=app,
            ref=ref,
        )

    @property
    def address(self) -> str:
        """The endpoint."""
        endpoint: object = self.endpoint
        if isinstance(endpoint, str):
            return endpoint
        try:
            return repr(endpoint)
        except Exception:  # noqa: BLE001 - rows hold garbage, whose repr may fail too
            return f"<{type(endpoint).__name__}>"

    @property
    def service(self) -> Service:
        """Whose push service it is, by the endpoint's host."""
        host = self.address.removeprefix("https://").partition("/")[0].partition(":")[0].lower()
        return service_of_host(host)

    def secrets(self) -> tuple[str, ...]:
        """The endpoint, each long part of its path (as it is, and percent-decoded: a service may quote what it read), and both keys."""
        path = self.address.removeprefix("https://").partition("/")[2]
        parts = [part for part in _BETWEEN_PARTS.split(path) if len(part) >= 16]
        found = [self.address, path, *parts, *(unquote(text) for text in (path, *parts) if "%" in text)]
        found += [value for value in (self.p256dh, self.auth) if isinstance(value, str)]
        return tuple(found)

    def __repr__(self) -> str:
        app = f" app={self.app!r}" if self.app != "default" else ""
        ref = printable_ref(self.ref)
        service = "other" if self.service is Service.OTHER else self.service.value
        return f"<Subscription {service} {fingerprint(self.address)}{app}{f' ref={ref}' if ref else ''}>"


def _object(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        value = fields.get(name)
        if value is not None:
            return value
    return None
