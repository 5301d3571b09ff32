"""What the Web Push tests share: a browser's keys, a push's context, and a short way through a sender."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import attrs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pushkit.provider import Stamp
from pushkit.webpush.config import Config
from pushkit.webpush.credentials import VapidKey
from pushkit.webpush.sender import WebpushSender
from pushkit.webpush.targets import Subscription

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
VECTORS = json.loads((REFERENCE / "webpush-vectors.json").read_text("utf-8"))
NOW = 1_795_000_000.0
KEY = VapidKey(bytes(range(1, 33)))
OTHER_KEY = VapidKey(bytes(range(2, 34)))
SUBJECT = "mailto:ops@example.com"
ENDPOINTS = {
    "mozilla": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABm-endpoint-token_0123456789",
    "google": "https://fcm.googleapis.com/fcm/send/dHIoDxE7Hdg:APA91bEndpointToken_0123456789",
    "apple": "https://web.push.apple.com/QGuQyavXutnMH-endpoint-token-0123456789",
    "microsoft": "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%2bendpoint%2ftoken0123456789%3d",
    "rfc": "https://push.example.org/up/endpoint-token-0123456789",
}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@attrs.frozen
class Browser:
    """The receiving end: what a browser keeps for itself, and the subscription that it gives away."""

    key: ec.EllipticCurvePrivateKey
    auth: bytes

    @classmethod
    def make(cls) -> Browser:
        return cls(ec.generate_private_key(ec.SECP256R1()), os.urandom(16))

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, endpoint: str = ENDPOINTS["mozilla"], **fields) -> Subscription:
        return Subscription(endpoint, **{"p256dh": b64(self.public), "auth": b64(self.auth), **fields})


BROWSER = Browser.make()


@attrs.define
class Push:
    """A push as the engine describes it."""

    now: float = NOW
    expires_at: float | None = NOW + 86_400
    taken_at: float = NOW
    ttl_zero: bool = False
    push_id: str = "11111111-2222-3333-4444-555555555555"
    attempt: int = 1
    deadline: float = 10.0
    token: str | None = None


STAMP = Stamp(key="key-of-this-call")


def sender(**config) -> WebpushSender:
    return WebpushSender("default", Config(**{"vapid": KEY, "subject": SUBJECT, **config}))


def request_for(message, target, *, with_sender=None, push=None, stamp=STAMP):
    """The wire request of one message to one subscription, or the verdict that refuses it."""
    web = with_sender or sender()
    prepared = web.prepare(message, type(target), stamp)
    if not hasattr(prepared, "stamp"):
        return prepared
    return web.address(prepared, target, push or Push())


def headers_of(request) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in (*request.block.fields, *request.headers)}
