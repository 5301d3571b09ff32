"""The local Web Push services are as strict as RFC 8030, 8291, 8292 and each service is known to be."""

from __future__ import annotations

import base64
import json
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.testing.helpers import NOW, Place, body_of, header

from pushkit import webpush
from pushkit.testing.accounts import VapidPair, new_vapid_pair
from pushkit.testing.exchange import Answer
from pushkit.testing.receivers import new_receiver

SERVICES = ("mozilla", "google", "apple", "microsoft", "rfc")


def vapid(place: Place, endpoint: str, pair: VapidPair | None = None, **changes: Any) -> str:
    pair = pair or place.vapid
    origin = "/".join(endpoint.split("/")[:3])
    claims = {"aud": origin, "exp": int(NOW) + 12 * 3600, "sub": "mailto:ops@example.com"} | changes
    token = jwt.encode({k: v for k, v in claims.items() if v is not None}, pair.pem, algorithm="ES256")
    return f"vapid t={token}, k={pair.public_b64}"


def encrypt(subscription: webpush.Subscription, text: bytes) -> bytes:
    """By http_ece, not by our own encryption."""
    private = ec.generate_private_key(ec.SECP256R1())
    pad = lambda value: base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))  # noqa: E731
    return http_ece.encrypt(text, private_key=private, dh=pad(subscription.p256dh), auth_secret=pad(subscription.auth), version="aes128gcm")


def push(place: Place, service: str = "mozilla", text: bytes = b"hello", **changes: Any) -> Answer:
    subscription = changes.pop("subscription", None) or place.subscription(service=service)
    endpoint = changes.pop("endpoint", subscription.endpoint)
    _, _, authority, path = endpoint.split("/", 3)
    headers = {"ttl": "60", "urgency": "high", "authorization": vapid(place, endpoint, **changes.pop("claims", {}))}
    body = changes.pop("body", None)
    if body is None:
        body = encrypt(subscription, text) if text else b""
    if body:
        headers["content-encoding"] = "aes128gcm"
    if service == "microsoft":
        headers["x-wns-cache-policy"] = "cache"
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    pairs = [(name, value) for name, value in headers.items() if value is not None]
    return place.call(service, f"/{path}", pairs, body, authority=authority)


def said(answer: Answer, service: str) -> Any:
    """The refusal in the service's own format."""
    if service == "mozilla":
        return body_of(answer)["errno"]
    if service == "apple":
        return body_of(answer)["reason"]
    return header(answer, b"x-wns-error-description") if service == "microsoft" else answer.body.decode()


@pytest.mark.parametrize("service", SERVICES)
def test_a_correct_push_is_created_and_opens(service: str) -> None:
    """201 with Location and TTL; the browser reads what was encrypted."""
    place = Place()
    answer = push(place, service, b'{"title": "Hi", "body": "there"}')

    assert (201, "60") == (answer.status, header(answer, b"ttl"))
    assert header(answer, b"location")
    assert ("Hi", "there", "") == (place.world.inbox[0].title, place.world.inbox[0].text, place.world.inbox[0].problem)


@pytest.mark.parametrize(
    ("service", "status", "word", "changes"),
    [
        ("mozilla", 400, 111, {"ttl": None}),
        ("mozilla", 400, 111, {"ttl": "soon"}),
        ("mozilla", 400, 114, {"ttl": "-1"}),
        ("mozilla", 400, 113, {"topic": "x" * 33}),
        ("mozilla", 400, 113, {"topic": "a b"}),
        ("mozilla", 400, 110, {"content_encoding": "aesgcm"}),
        ("mozilla", 400, 110, {"content_encoding": None}),
        ("mozilla", 413, 104, {"body": b"\0" * 4097}),
        ("mozilla", 401, 109, {"authorization": None}),
        ("mozilla", 401, 109, {"claims": {"exp": str(int(NOW) + 60)}}),
        ("mozilla", 401, 109, {"claims": {"exp": int(NOW) + 86401}}),
        ("mozilla", 401, 109, {"claims": {"exp": int(NOW)}}),
        ("mozilla", 401, 109, {"claims": {"sub": None}}),
        ("mozilla", 401, 109, {"claims": {"aud": "https://elsewhere.example"}}),
        ("google", 400, "InvalidTtlParameter", {"ttl": None}),
        ("google", 400, "InvalidTtlParameter", {"ttl": "2419201"}),
        ("google", 401, "authorization header must be specified.", {"authorization": None}),
        (
            "google",
            403,
            "aud claim in the token MUST include the origin of the push resource URL",
            {"claims": {"aud": "https://x.example"}},
        ),
        ("google", 403, "invalid JWT provided", {"claims": {"exp": 1}}),
        ("apple", 400, "BadTtl", {"ttl": None}),
        ("apple", 400, "BadUrgency", {"urgency": "asap"}),
        ("apple", 400, "BadWebPushTopic", {"topic": "x" * 13}),
        ("apple", 400, "BadWebPushRequest", {"body": b"{}"}),
        ("apple", 403, "BadAuthorizationHeader", {"authorization": None}),
        ("apple", 403, "BadAuthorizationHeader", {"authorization": "WebPush x"}),
        ("apple", 403, "BadJwtToken", {"claims": {"sub": "mailto:ops@localhost"}}),
        ("apple", 403, "BadJwtToken", {"claims": {"sub": "mailto: ops@example.com"}}),
        ("apple", 403, "BadJwtToken", {"claims": {"sub": "https://site.invalid"}}),
        ("apple", 413, "PayloadTooLarge", {"body": b"\0" * 4097}),
        ("microsoft", 400, "Ttl value conflicts with X-WNS-Cache-Policy.", {"ttl": "0"}),
        ("microsoft", 400, "Ttl value conflicts with X-WNS-Cache-Policy.", {"x_wns_cache_policy": "no-cache"}),
        ("microsoft", 400, "Zero or duplicate tokens or token signing keys.", {"crypto_key": "p256ecdsa=x"}),
    ],
)
def test_a_wrong_push_is_refused_in_the_services_words(service: str, status: int, word: Any, changes: dict[str, Any]) -> None:
    """Each service says it in its own format."""
    answer = push(Place(), service, **changes)

    assert (status, word) == (answer.status, said(answer, service))


@pytest.mark.parametrize(
    "changes",
    [{"ttl": "0"}, {"topic": "x" * 32}, {"text": b""}, {"urgency": None}, {"ttl": "99999999"}, {"claims": {"exp": int(NOW) + 86400}}],
)
def test_what_the_rfcs_allow_is_accepted(changes: dict[str, Any]) -> None:
    """Limits are inclusive; no body and no urgency are fine."""
    assert 201 == push(Place(), **changes).status


def test_a_long_ttl_is_granted_shorter() -> None:
    """Mozilla clamps to 30 days and says so."""
    assert "2592000" == header(push(Place(), ttl="99999999"), b"ttl")


@pytest.mark.parametrize(
    ("service", "status", "word"),
    [
        ("mozilla", 401, "VAPID public key mismatch"),
        ("google", 403, "do not correspond to the credentials"),
        ("apple", 400, "VapidPkHashMismatch"),
        ("microsoft", 403, ""),
    ],
)
def test_a_subscription_belongs_to_the_key_it_was_made_with(service: str, status: int, word: str) -> None:
    """Another application server key is a mismatch, said by each service in its way."""
    place = Place()
    subscription = place.subscription(service=service, vapid=new_vapid_pair().public_b64)
    answer = push(place, service, subscription=subscription)

    assert (status, True) == (answer.status, word in answer.body.decode())


def test_a_signature_by_another_key_is_refused() -> None:
    """k= has to be the key that signed."""
    place = Place()
    subscription = place.subscription(service="apple")
    header_value = vapid(place, subscription.endpoint, new_vapid_pair()).split(", k=")[0] + f", k={place.vapid.public_b64}"

    assert "BadJwtToken" == said(push(place, "apple", subscription=subscription, authorization=header_value), "apple")


@pytest.mark.parametrize(
    ("service", "gone", "unknown"), [("mozilla", 410, 404), ("google", 410, 404), ("apple", 410, 404), ("microsoft", 410, 404)]
)
def test_ended_and_unknown_subscriptions(service: str, gone: int, unknown: int) -> None:
    """410 for what ended, 404 for what never was (a decoded %2b included)."""
    place = Place()
    subscription = place.subscription(service=service)
    changed = subscription.endpoint.replace("%2b", "+") if service == "microsoft" else subscription.endpoint + "x"
    place.unregister(subscription)

    assert gone == push(place, service, subscription=subscription).status
    assert unknown == push(place, service, subscription=subscription, endpoint=changed).status


def test_other_methods_are_refused() -> None:
    """405."""
    place = Place()
    subscription = place.subscription(service="apple")
    _, _, authority, path = subscription.endpoint.split("/", 3)

    assert 405 == place.call("apple", f"/{path}", method="PUT", authority=authority).status


def test_a_body_for_another_subscription_is_accepted_and_does_not_open() -> None:
    """A push service cannot decrypt: the record says what the browser would find."""
    place = Place()
    mine, other = place.subscription(), place.subscription()
    answer = push(place, subscription=mine, body=encrypt(other, b"secret"))

    assert 201 == answer.status
    assert "not encrypted for this subscription" in place.world.inbox[0].problem


def test_the_receiver_reads_rfc_8291_appendix_a() -> None:
    """Our decryption is held against the RFC's own example."""
    private = ec.derive_private_key(
        int.from_bytes(base64.urlsafe_b64decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94="), "big"), ec.SECP256R1()
    )
    public = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    receiver = new_receiver()
    receiver = type(receiver)(private, public, base64.urlsafe_b64decode("BTBZMqHH6r4Tts7J_aSIgg=="))
    body = base64.urlsafe_b64decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )

    assert b"When I grow up, I want to be a watermelon" == receiver.decrypt(body)


def test_refusals_of_mozilla_are_complete() -> None:
    """code, errno, error, message and more_info, as autopush's documentation says."""
    answer = push(Place(), ttl=None)

    assert {"code", "errno", "error", "message", "more_info"} == json.loads(answer.body).keys()
