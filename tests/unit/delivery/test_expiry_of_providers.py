"""Expiry to the letter, for each provider: what is left is forwarded, in the provider's own terms."""

from __future__ import annotations

import json

import pytest
from tests.unit.delivery.support import run

from pushkit import AsyncClient, Notification, RetryPolicy
from pushkit.testing import Behaviour, FakeClock, FakeTransport, PushServer
from pushkit.testing.clock import settle

SERVER = PushServer()
TTL = 100
BUSY = {"apns": "ServiceUnavailable", "fcm": "UNAVAILABLE", "webpush": "http_500"}
PATIENT = RetryPolicy(attempts=3, deadline=120, max_sleep=100, jitter=None, on_unknown="always")


def target_of(provider):
    """A recipient of each provider."""
    return {"apns": SERVER.device, "fcm": SERVER.registration, "webpush": SERVER.subscription}[provider]()


def client(provider, behaviour, clock):
    """A client of one provider, without a network."""
    config = {"apns": SERVER.apns_config, "fcm": SERVER.fcm_config, "webpush": SERVER.webpush_config}[provider]()
    transport = FakeTransport(behaviour, clock=clock)
    return AsyncClient(**{provider: config}, transport=transport), transport


def expiry_of(record, provider):
    """What one request says about its life: seconds left, or APNs's absolute time."""
    if provider == "fcm":
        return int(json.loads(record.request.body)["message"]["android"]["ttl"].rstrip("s"))
    name = {"apns": b"apns-expiration", "webpush": b"ttl"}[provider]
    return int(next(value for key, value in record.request.fields if key == name))


async def sent(provider, message, answers, policy=PATIENT):
    """The outcome, the clock, and every request with the time that it was made at."""
    behaviour, clock = Behaviour(), FakeClock()
    target = target_of(provider)
    if answers:
        behaviour.to(target).next(answers).answer(BUSY[provider])
    push, transport = client(provider, behaviour, clock)
    import asyncio

    start = clock.time()
    task = asyncio.ensure_future(push.send(message, to=target, retry=policy))
    for _ in range(60):
        await settle()
        if task.done():
            break
        await clock.advance_to_next()
    outcome = await task
    records = [(round(record.time - start, 1), expiry_of(record, provider)) for record in transport.sent]
    await push.aclose()
    return outcome, start, records


@pytest.mark.parametrize("provider", ["fcm", "webpush"])
def test_the_seconds_left_shrink_from_attempt_to_attempt(provider):
    """FCM and Web Push are told what is left in whole seconds, less on each attempt."""
    outcome, _, records = run(sent(provider, Notification(title="x", ttl=TTL), 1))

    assert outcome.accepted
    (first_at, first), (second_at, second) = records
    assert (0.0, TTL) == (first_at, first)
    assert second_at >= 1.0
    assert TTL - second == pytest.approx(second_at, abs=1.0)
    assert second <= TTL - second_at


def test_apns_gets_the_same_absolute_time_on_every_attempt():
    """APNs is told an absolute time, which stays what it was."""
    outcome, start, records = run(sent("apns", Notification(title="x", ttl=TTL), 1))

    assert outcome.accepted
    assert 2 == len(records)
    assert {int(start + TTL)} == {expiration for _, expiration in records}


@pytest.mark.parametrize("provider", ["apns", "fcm", "webpush"])
def test_no_attempt_and_no_sleep_past_the_expiry(provider):
    """A push whose next attempt would come after its expiry fails at once and is not resumable."""
    outcome, _, records = run(sent(provider, Notification(title="x", ttl=1), 5))

    assert 1 == len(records)
    assert not outcome.retryable
    assert "expiry" == outcome.info["stopped"]


@pytest.mark.parametrize("provider", ["apns", "fcm", "webpush"])
def test_now_or_never(provider):
    """ttl=0 is forwarded as now or never, and a refusal is final."""
    outcome, _, records = run(sent(provider, Notification(title="x", ttl=0), 5))

    assert [(0.0, 0)] == records
    assert not outcome.retryable
