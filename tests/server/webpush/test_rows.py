"""Every row of the error table as a real answer: TLS, HTTP/2, the public client, the outcome compared with the row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.unit.webpush.answers import answer_for
from tests.unit.webpush.helpers import REFERENCE

from pushkit import Accepted, Action, AsyncClient, Client, Notification, Outcome, RecipientFailure, RetryPolicy, TechnicalFailure
from pushkit.testing import Answer, PushServer
from pushkit.webpush import Subscription, VapidKey

ROWS = [row for row in json.loads((REFERENCE / "webpush-errors.json").read_text("utf-8")) if row["service"] != "client"]
HELLO = Notification(title="Hello", body="World")


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    """All five services, on real sockets."""
    with PushServer() as running:
        yield running


@pytest.fixture
def services(server: PushServer) -> Iterator[PushServer]:
    """The same, without what an earlier test left."""
    server.reset()
    yield server
    server.behaviour.verify()


def send(server: PushServer, *targets: Subscription, retry: RetryPolicy | None = None, **config) -> list[Outcome]:
    """Through the public API, one after the other."""

    async def run() -> list[Outcome]:
        async with AsyncClient(
            webpush=server.webpush_config(**config), ssl_context=server.ssl_context(), retry=retry or RetryPolicy(attempts=1)
        ) as push:
            return [await push.send(HELLO, to=target) for target in targets]

    return asyncio.run(run())


def raw(row) -> Answer:
    said = answer_for(row)
    return Answer(status=said.status, fields=said.headers, body=said.body)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['service']} {row['status']} {row['code']}")
def test_a_row_as_a_real_answer(services: PushServer, row):
    """Reason, category, status, disposition, action, scope, retryable and the earliest next try."""
    believed, target = services.subscription(service=row["service"]), services.subscription(service=row["service"])
    services.behaviour.to(target).answer(raw(row))

    # One accepted push first: what could be our own misconfiguration is only believed after that.
    accepted, outcome = send(services, believed, target)

    assert isinstance(accepted, Accepted)
    assert row["reason"] == outcome.reason
    assert row["category"] == outcome.category
    assert row["status"] == outcome.status
    assert row["disposition"].lower() == outcome.disposition
    assert row["do"].lower() == outcome.action
    assert row["technical_scope"] == (outcome.scope.name if outcome.scope else None)
    assert row["retryable"] == outcome.retryable
    assert row["retryable"] == (outcome.retry_at is not None)
    if outcome.retry_at is not None:
        waits = outcome.retry_at - outcome.attempts[-1].started
        assert waits >= timedelta(seconds=row["min_delay_s"]) - timedelta(milliseconds=50)
    assert (row["do"] == "REMOVE_RECIPIENT") == (isinstance(outcome, RecipientFailure) and outcome.removable(None))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.get("resign_once")], ids=lambda row: f"{row['service']} {row['status']} {row['code']}"
)
def test_a_refused_token_is_signed_anew_once(services: PushServer, row):
    """The second request carries another token; when that is refused too, the credentials are to be fixed."""
    target = services.subscription(service=row["service"])
    services.behaviour.to(target).next(1).answer(raw(row))

    (outcome,) = send(services, target, retry=RetryPolicy(attempts=3))

    assert isinstance(outcome, Accepted), outcome
    assert 2 == len(outcome.attempts)
    first, second = (record.request.headers[b"authorization"] for record in services.sent)
    assert first != second


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.get("resign_once")], ids=lambda row: f"{row['service']} {row['status']} {row['code']}"
)
def test_a_token_that_stays_refused_is_not_tried_for_ever(services: PushServer, row):
    """One new signature, then the failure."""
    target = services.subscription(service=row["service"])
    services.behaviour.to(target).answer(raw(row))

    (outcome,) = send(services, target, retry=RetryPolicy(attempts=5))

    assert isinstance(outcome, TechnicalFailure)
    assert 2 == len(outcome.attempts)
    assert Action.FIX_CREDENTIALS == outcome.action


def test_one_services_refusals_do_not_stop_the_others(services: PushServer):
    """Whoever makes up an endpoint could otherwise stop everybody's pushes with a 403."""
    bad = services.subscription(service="rfc")
    services.behaviour.to(bad).answer(Answer(status=403))
    good = [services.subscription(service=service) for service in ("mozilla", "google", "rfc")]

    outcomes = send(services, bad, bad, bad, *good, retry=RetryPolicy(attempts=3))

    assert [TechnicalFailure] * 3 + [Accepted] * 3 == [type(outcome) for outcome in outcomes]


@pytest.mark.parametrize("service", ["mozilla", "google", "apple", "microsoft"])
def test_a_wave_of_key_mismatches_at_the_start_removes_nobody(services: PushServer, service):
    """A wrong key in our own deployment looks the same for every subscription: review, do not even resubscribe."""
    targets = [services.subscription(service=service) for _ in range(60)]

    outcomes = send(services, *targets, vapid=VapidKey.generate())

    assert {Action.REVIEW_RECIPIENT} == {outcome.action for outcome in outcomes}
    assert "Check the web push key in our own settings first" in outcomes[0].advice
    assert "Check our configuration first" in outcomes[-1].advice
    assert not [outcome for outcome in outcomes if outcome.removable(None)]


@pytest.mark.parametrize("service", ["mozilla", "google", "apple", "microsoft"])
def test_a_single_key_mismatch_among_good_ones_is_to_be_resubscribed(services: PushServer, service):
    """The key works for others, so this subscription was made with another one."""
    good = services.subscription(service=service)
    old = services.subscription(service=service, vapid=VapidKey.generate().public_key)

    outcomes = send(services, good, old, good)

    assert [None, Action.RESUBSCRIBE, None] == [getattr(outcome, "action", None) for outcome in outcomes]


def test_several_keys_in_one_client(services: PushServer):
    """Each subscription is sent to with the key that it names, so that a rotation can take its time."""
    old_key, new_key = VapidKey.generate(), VapidKey.generate()
    old = services.subscription(vapid=old_key.public_key)
    new = services.subscription(vapid=new_key.public_key)
    targets = [
        Subscription(target.endpoint, p256dh=target.p256dh, auth=target.auth, vapid=name) for target, name in ((old, "old"), (new, None))
    ]

    outcomes = send(services, *targets, vapid={"new": new_key, "old": old_key})

    assert [Accepted, Accepted] == [type(outcome) for outcome in outcomes]


def test_what_arrives_is_what_was_said(services: PushServer):
    """Decrypted by the local service with the subscription's keys; claims and headers as they should be."""
    for service in ("mozilla", "google", "apple", "microsoft", "rfc"):
        target = services.subscription(service=service)
        (outcome,) = send(services, target)

        record = services.sent[-1]
        assert isinstance(outcome, Accepted)
        assert ("Hello", "World") == (record.title, record.text)
        assert services.world.sites.webpush[service] == record.claims["aud"]
        assert target.endpoint == f"https://{record.request.authority}{record.request.target}"


def test_the_synchronous_client_does_the_same(services: PushServer):
    """A 410, seen without an event loop."""
    target = services.subscription(service="google")
    services.unregister(target)
    with Client(webpush=services.webpush_config(), ssl_context=services.ssl_context()) as push:
        outcome = push.send(HELLO, to=target)

    assert ("http_410", Action.REMOVE_RECIPIENT) == (outcome.reason, outcome.action)


def test_a_thousand_mixed_subscriptions(services: PushServer):
    """All services at once, some gone, some garbage; order kept, nobody lost."""
    targets: list[Subscription] = []
    for number in range(1000):
        service = ("mozilla", "google", "apple", "microsoft", "rfc")[number % 5]
        target = services.subscription(service=service, ref=number)
        if number % 10 == 7:
            services.unregister(target)
        if number % 50 == 3:
            target = Subscription.from_json({"endpoint": target.endpoint, "keys": {"p256dh": "damaged", "auth": target.auth}}, ref=number)
        targets.append(target)

    async def run():
        async with AsyncClient(webpush=services.webpush_config(), ssl_context=services.ssl_context(), max_in_flight=100) as push:
            return await push.send_many(HELLO, to=targets)

    report = asyncio.run(run())

    assert list(range(1000)) == [outcome.target.ref for outcome in report.outcomes]
    assert (1000, 880, 120) == (report.total, report.accepted, report.recipient)
