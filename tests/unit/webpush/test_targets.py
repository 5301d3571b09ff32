"""Subscriptions: every shape that people store, and what never shows."""

from __future__ import annotations

import json
import pickle

import pytest
from tests.unit.webpush.helpers import BROWSER, ENDPOINTS, KEY, NOW, OTHER_KEY, Push, b64, request_for, sender

from pushkit import Action, Category, codec
from pushkit.webpush import Message, Service, Subscription
from pushkit.wire import WireRequest

ENDPOINT = ENDPOINTS["mozilla"]
P256DH = b64(BROWSER.public)
AUTH = b64(BROWSER.auth)
BROWSERS = {"endpoint": ENDPOINT, "expirationTime": None, "keys": {"p256dh": P256DH, "auth": AUTH}}

SHAPES = {
    "toJSON()": BROWSERS,
    "JSON text": json.dumps(BROWSERS),
    "JSON octets": json.dumps(BROWSERS).encode(),
    "flat": {"endpoint": ENDPOINT, "p256dh": P256DH, "auth": AUTH},
    "old names": {"endpoint": ENDPOINT, "publicKey": P256DH, "authToken": AUTH},
    "old names in keys": {"endpoint": ENDPOINT, "keys": {"publicKey": P256DH, "authToken": AUTH}},
    "key and authSecret": {"endpoint": ENDPOINT, "key": P256DH, "authSecret": AUTH},
    "snake case": {"endpoint": ENDPOINT, "public_key": P256DH, "auth_token": AUTH},
    "inside a subscription member": {"user": 7, "subscription": BROWSERS},
    "with contentEncoding": BROWSERS | {"contentEncoding": "aes128gcm"},
    "padded": {"endpoint": ENDPOINT, "p256dh": P256DH + "=", "auth": AUTH + "=="},
    "standard alphabet": {"endpoint": ENDPOINT, "p256dh": P256DH.translate(str.maketrans("-_", "+/")), "auth": AUTH.translate(str.maketrans("-_", "+/"))},
    "octets": {"endpoint": ENDPOINT, "p256dh": BROWSER.public, "auth": BROWSER.auth},
}  # fmt: skip


@pytest.mark.parametrize("stored", SHAPES.values(), ids=SHAPES.keys())
def test_every_stored_shape_is_read(stored):
    """And a push to it can be made."""
    target = Subscription.from_json(stored, ref=7, app="shop")

    assert (ENDPOINT, 7, "shop") == (target.endpoint, target.ref, target.app)
    assert isinstance(request_for(Message("hi"), target), WireRequest)


@pytest.mark.parametrize(
    "stored",
    ["", "no json", "[]", "7", "null", b"\xff", None, 7, [], {}, {"keys": {}}, {"endpoint": None}, {"endpoint": 7}, "{" * 5000, object()],
    ids=repr,
)
def test_rows_that_hold_something_else_are_recipient_failures(stored):
    """Reading never raises; sending says what is wrong."""
    verdict = request_for(Message("hi"), Subscription.from_json(stored))

    assert ("invalid_endpoint", Category.RECIPIENT) == (verdict.reason, verdict.category)


def test_a_subscription_without_keys_cannot_carry_content():
    """Only an empty push."""
    target = Subscription.from_json({"endpoint": ENDPOINT})

    assert "invalid_p256dh" == request_for(Message("hi"), target).reason
    assert isinstance(request_for(Message(), target), WireRequest)


def test_expiration_time_is_read():
    """Milliseconds, as browsers give them."""
    assert 1234567890123 == Subscription.from_json(BROWSERS | {"expirationTime": 1234567890123}).expiration_time


@pytest.mark.parametrize(("name", "endpoint"), ENDPOINTS.items())
def test_the_service_is_told_by_the_host(name, endpoint):
    """On a label boundary."""
    assert Service(name) == Subscription(endpoint).service


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda target: repr([target]), lambda target: f"{target!r:>10}"])
def test_repr_shows_the_service_and_a_fingerprint_only(show):
    """The endpoint is a capability; the keys write what it shows."""
    shown = show(Subscription(ENDPOINT, p256dh=P256DH, auth=AUTH, ref="user 7"))

    assert "<Subscription mozilla " in shown
    assert "ref=user 7" in shown
    for secret in (ENDPOINT, "gAAAA", P256DH, AUTH, "updates.push"):
        assert secret not in shown


def test_two_rows_of_the_same_browser_are_the_same_recipient():
    """The endpoint decides; ref takes no part."""
    first, second = Subscription(ENDPOINT, p256dh=P256DH, auth=AUTH, ref=1), Subscription(ENDPOINT, p256dh=P256DH, auth=AUTH, ref=2)

    assert first == second
    assert hash(first) == hash(second)
    assert first.address == ENDPOINT


def test_subscriptions_travel():
    """By pickle and by JSON, for queues."""
    target = Subscription(ENDPOINT, p256dh=P256DH, auth=AUTH, expiration_time=1.0, vapid="old", ref=7)

    assert target == pickle.loads(pickle.dumps(target)) == codec.decode(json.loads(json.dumps(codec.encode(target))))
    assert 7 == codec.decode(codec.encode(target)).ref


# -- several keys


KEYS = {"old": OTHER_KEY, "new": KEY}


def key_used(target, web) -> str:
    request = request_for(Message("hi"), target, with_sender=web)
    return dict(request.headers)[b"authorization"].decode().rpartition("k=")[2]


@pytest.mark.parametrize(
    "name",
    [
        None,
        "old",
        OTHER_KEY.fingerprint,
        OTHER_KEY.public_key,
        OTHER_KEY.public_key + "=",
        OTHER_KEY.public_key.translate(str.maketrans("-_", "+/")),
    ],
)
def test_a_subscription_names_its_key(name):
    """By the mapping's name, the fingerprint or the public key; none is the first one."""
    assert OTHER_KEY.public_key == key_used(BROWSER.subscription(vapid=name), sender(vapid=KEYS))


def test_keys_may_come_as_a_sequence():
    """The first is the default."""
    web = sender(vapid=[KEY, OTHER_KEY])

    assert KEY.public_key == key_used(BROWSER.subscription(), web)
    assert OTHER_KEY.public_key == key_used(BROWSER.subscription(vapid=OTHER_KEY.fingerprint), web)


@pytest.mark.parametrize("name", ["gone", "", 7, b"old", [], VAPID_UNKNOWN := b64(b"\x04" + b"x" * 64)])
def test_a_key_that_is_not_configured_is_never_replaced_by_another(name):
    """The browser would refuse it: it has to subscribe again, or the key has to be configured."""
    verdict = request_for(Message("hi"), BROWSER.subscription(vapid=name), with_sender=sender(vapid=KEYS))

    assert ("vapid_key_not_configured", Action.RESUBSCRIBE, True) == (verdict.reason, verdict.action, verdict.suspicion)


def test_suspicion_is_counted_by_service_and_key():
    """A wrong key shows at every service where it is used, and nowhere else."""
    web = sender(vapid=KEYS)

    assert f"mozilla/{OTHER_KEY.fingerprint}" == web.environment(BROWSER.subscription())
    assert f"google/{KEY.fingerprint}" == web.environment(BROWSER.subscription(ENDPOINTS["google"], vapid="new"))
    assert "mozilla/unknown key" == web.environment(BROWSER.subscription(vapid="gone"))


def test_findings_name_every_key():
    """By fingerprint and name, the default marked."""
    lines = [finding.message for finding in sender(vapid=KEYS).findings(NOW)]

    assert OTHER_KEY.fingerprint in lines[0]
    assert "default" in lines[0]
    assert "'new'" in lines[1]


def test_health_tells_the_keys_in_use():
    """Fingerprints only, the default marked."""
    assert [f"VAPID keys: {OTHER_KEY.fingerprint} (default), {KEY.fingerprint}"] == list(sender(vapid=KEYS).notes())


def test_a_push_takes_the_time_that_it_is_given():
    """The token's expiry counts from the push's clock, not the machine's."""
    import jwt

    request = request_for(Message("hi"), BROWSER.subscription(), push=Push(now=2_000_000_000.0, expires_at=None))
    token = dict(request.headers)[b"authorization"].decode().split("t=")[1].split(",")[0]

    assert 2_000_000_000 + 12 * 3600 == jwt.decode(token, options={"verify_signature": False})["exp"]
