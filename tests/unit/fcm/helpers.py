"""What the FCM tests share: a throw-away service account, a sender, a push."""

from __future__ import annotations

import functools
import json
from typing import Any

import attrs

from pushkit import Notification, fcm
from pushkit.fcm.sender import FcmSender
from pushkit.provider import Stamp
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import WireRequest, WireResponse, WireResult

NOW = 1_800_000_000.0
TOKEN = "dGVzdA-fid_0123456789x:APA91bF" + "aB3_-xYz" * 16
PROJECT = "my-app-1a2b3"
BEARER = "ya29.a0AfH6SMBexample-access-token"


@functools.cache
def rsa_pem(bits: int = 2048) -> str:
    """A fresh key as Google writes them: PKCS#8 PEM."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_file(**changes: Any) -> dict[str, Any]:
    """The content of a service account's key file."""
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "0123456789abcdef",
        "private_key": rsa_pem(),
        "client_email": f"pusher@{PROJECT}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    } | changes


@functools.cache
def account() -> fcm.ServiceAccount:
    return fcm.ServiceAccount.from_info(key_file())


def sender(**changes: Any) -> FcmSender:
    return FcmSender(fcm.Config(**({"credentials": account()} | changes)), "default")


@attrs.define
class Push:
    """A PushContext."""

    now: float = NOW
    expires_at: float | None = NOW + 3600
    taken_at: float = NOW
    ttl_zero: bool = False
    push_id: str = "0f0e0d0c-0b0a-4908-8706-050403020100"
    attempt: int = 1
    deadline: float = 100.0
    token: str | None = BEARER


def stamp(**changes: Any) -> Stamp:
    return Stamp(**({"key": "the-key"} | changes))


def prepared(message: Any, kind: Any = fcm.Registration, **changes: Any) -> Any:
    found = sender().prepare(message, kind, stamp(**changes))
    assert not isinstance(found, Verdict), found
    return found


def refused(message: Any, kind: Any = fcm.Registration) -> Verdict:
    found = sender().prepare(message, kind, stamp())
    assert isinstance(found, Verdict)
    return found


def request_of(message: Any, target: Any = None, push: Push | None = None, **changes: Any) -> WireRequest:
    one = sender()
    target = target or fcm.Registration(TOKEN)
    ready = one.prepare(message, type(target), stamp(**changes))
    assert not isinstance(ready, Verdict), ready
    found = one.address(ready, target, push or Push())
    assert isinstance(found, WireRequest), found
    return found


def body_of(message: Any, target: Any = None, push: Push | None = None, **changes: Any) -> dict[str, Any]:
    """The JSON that would be sent."""
    found: dict[str, Any] = json.loads(request_of(message, target, push, **changes).body)
    return found


def wire(message: Any, target: Any = None, push: Push | None = None, **changes: Any) -> dict[str, Any]:
    """The message resource that would be sent."""
    found: dict[str, Any] = body_of(message, target, push, **changes)["message"]
    return found


def judged(result: WireResult, *, message: Any = None, target: Any = None, now: float = NOW, **config: Any) -> Acceptance | Verdict:
    """What the sender says to an answer."""
    one = sender(**config)
    target = target or fcm.Registration(TOKEN)
    ready = one.prepare(message or Notification(title="Hello", body="there"), type(target), stamp())
    assert not isinstance(ready, Verdict), ready
    request = one.address(ready, target, Push())
    assert isinstance(request, WireRequest)
    return one.classify(result, request, ready, target, now)


def answer(status: int, body: bytes = b"", *headers: tuple[bytes, bytes]) -> WireResponse:
    return WireResponse(status, headers, body)
