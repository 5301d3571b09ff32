"""What the APNs tests share: a throw-away key, a config, pushes."""

from __future__ import annotations

import json
from typing import Any

import attrs

from pushkit import apns
from pushkit.apns.sender import ApnsSender
from pushkit.provider import Stamp
from pushkit.verdict import Verdict
from pushkit.wire import WireRequest, WireResponse

TOKEN = "80b5" * 16
NOW = 1_800_000_000.0
PUSH_ID = "0f0e0d0c-0b0a-4908-8706-050403020100"
KEY_ID = "ABC123DEFG"
TEAM_ID = "DEF123GHIJ"


def key_pem(curve: Any = None) -> bytes:
    """A fresh key as Apple writes them: PKCS#8 PEM."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return ec.generate_private_key(curve or ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


_PEM = key_pem()


def token_key(**changes: Any) -> apns.TokenKey:
    return apns.TokenKey(changes.pop("key", _PEM), **({"key_id": KEY_ID, "team_id": TEAM_ID} | changes))


def config(**changes: Any) -> apns.Config:
    return apns.Config(**({"credentials": token_key(), "topic": "com.example.app"} | changes))


def sender(**changes: Any) -> ApnsSender:
    return ApnsSender("default", config(**changes))


@attrs.define
class Push:
    """A PushContext."""

    now: float = NOW
    expires_at: float | None = NOW + 86_400
    taken_at: float = NOW
    ttl_zero: bool = False
    push_id: str = PUSH_ID
    attempt: int = 1
    deadline: float = 10.0
    token: str | None = None


STAMP = Stamp(key="order-17")


def request_for(
    message: Any, target: Any = None, push: Push | None = None, *, stamp: Stamp = STAMP, by: ApnsSender | None = None
) -> WireRequest:
    """Prepare and address; a refusal fails the test."""
    by = by or sender()
    target = target if target is not None else apns.Device(TOKEN)
    prepared = by.prepare(message, type(target), stamp)
    assert not isinstance(prepared, Verdict), prepared
    request = by.address(prepared, target, push or Push())
    assert isinstance(request, WireRequest), request
    return request


def refusal_for(message: Any, target: Any = None, *, stamp: Stamp = STAMP, by: ApnsSender | None = None) -> Verdict:
    """Prepare and check; anything that could be sent fails the test."""
    by = by or sender()
    target = target if target is not None else apns.Device(TOKEN)
    prepared = by.prepare(message, type(target), stamp)
    verdict = prepared if isinstance(prepared, Verdict) else by.check(prepared, target, NOW)
    assert verdict is not None
    return verdict


def headers_of(request: WireRequest) -> dict[str, str]:
    fields = [*request.block.fields, *request.headers]
    found = {name.decode(): value.decode() for name, value in fields}
    assert len(fields) == len(found)
    return found


def body_of(request: WireRequest) -> Any:
    return json.loads(request.body)


def answer(status: int, reason: str | None = None, *, headers: Any = (), connection_id: int = 1, **more: Any) -> WireResponse:
    body = b"" if reason is None else json.dumps({"reason": reason, **more}).encode()
    return WireResponse(status, list(headers), body, connection_id)


def judged(result: Any, *, by: ApnsSender | None = None, target: Any = None, message: Any = None, now: float = NOW) -> Any:
    by = by or sender()
    target = target if target is not None else apns.Device(TOKEN)
    from pushkit import Notification

    prepared = by.prepare(message or Notification(title="Hello"), type(target), STAMP)
    request = by.address(prepared, target, Push())
    return by.classify(result, request, prepared, target, now)
