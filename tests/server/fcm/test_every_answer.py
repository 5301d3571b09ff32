"""Every row of the error table as a real answer, over TLS and HTTP/2, through the public client."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from tests.unit.fcm.answers import OTHER_ROWS, SEND_ANSWERS, SEND_ROWS, key_of

from pushkit import AsyncClient, Notification, RetryPolicy, fcm
from pushkit.outcomes import Accepted, Action, Category
from pushkit.testing import PushServer
from pushkit.testing.exchange import Answer
from pushkit.testing.faults import Disconnect, GoAway, Refuse, Reset, Stall

HELLO = Notification(title="Hello", body="there")
LIVE = fcm.Message(apns=fcm.ApnsConfig(live_activity_token="a" * 64, payload={"aps": {"event": "update", "content-state": {}}}))
CASES = [
    pytest.param(row, each, id=f"{key_of(row)[:60]} #{index}") for row in SEND_ROWS for index, each in enumerate(SEND_ANSWERS[key_of(row)])
]
ONCE = RetryPolicy(attempts=1)


@pytest.fixture(scope="module")
def server():
    with PushServer() as running:
        yield running


def sent(server, target, message=HELLO, retry=ONCE, **config):
    """One push through a client of its own, so that nothing learnt from an earlier row matters."""

    async def run():
        async with AsyncClient(fcm=server.fcm_config(**config), ssl_context=server.ssl_context(), retry=retry) as push:
            return await push.send(message, to=target)

    return asyncio.run(run())


def assert_as_reference(row, outcome):
    """Field by field."""
    assert Category(row["category"]) is outcome.category
    assert outcome.reason in row["reason"].split(" | ")
    assert row["do"].lower() == outcome.action
    assert row["technical_scope"] == (outcome.scope.name if outcome.scope else None)
    assert row["disposition"].lower() == outcome.disposition
    assert row["retryable"] == outcome.retryable
    if row["retryable"]:
        answered = outcome.attempts[-1].started.timestamp() + outcome.attempts[-1].elapsed if outcome.attempts else None
        if answered is not None and row["min_delay_s"]:
            assert outcome.retry_at.timestamp() - answered == pytest.approx(row["min_delay_s"], abs=1.0)
    else:
        assert outcome.retry_at is None


@pytest.mark.parametrize(("row", "each"), CASES)
def test_every_known_answer_becomes_the_outcome_of_its_row(server, row, each):
    """Category, reason, action, scope, disposition, retry and earliest time, as the reference has them."""
    target = fcm.Topic("news") if each.fan_out else server.registration()
    server.reset()
    content_type = b"application/json; charset=UTF-8" if each.body.startswith(b"{") else b"text/html"
    server.behaviour.to(target).answer(Answer(status=each.status, fields=((b"content-type", content_type),), body=each.body))

    outcome = sent(server, target, LIVE if each.live_activity else HELLO)

    assert_as_reference(row, outcome)
    assert each.status == outcome.status


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("None read timeout or reset after send", Disconnect()),
        ("None read timeout or reset after send", Reset("INTERNAL_ERROR")),
        ("None read timeout or reset after send", GoAway("unanswered")),
        ("None HTTP/2 GOAWAY / stream refused", Reset("REFUSED_STREAM")),
        ("None HTTP/2 GOAWAY / stream refused", GoAway("before")),
    ],
    ids=str,
)
def test_every_fault_becomes_the_outcome_of_its_row(server, key, fault):
    """What broke on the wire, and whether Google can have taken the push."""
    server.reset()
    target = server.registration()
    server.behaviour.to(target).fault(fault)

    assert_as_reference(OTHER_ROWS[key], sent(server, target))


def test_silence_is_a_timeout_of_unknown_fate(server):
    """A push that was sent and never answered."""
    server.reset()
    target = server.registration()
    server.behaviour.to(target).fault(Stall())

    outcome = sent(server, target, retry=RetryPolicy(attempts=1, attempt_timeout=0.5))

    assert_as_reference(OTHER_ROWS["None read timeout or reset after send"], outcome)
    assert "timeout" == outcome.reason


def test_no_connection_is_provably_not_sent(server):
    """Nobody listens."""
    server.reset()
    config = server.fcm_config(credentials=fcm.StaticToken("x", project_id="p"), origin="https://127.0.0.1:9")

    async def run():
        async with AsyncClient(fcm=config, ssl_context=server.ssl_context(), retry=ONCE) as push:
            return await push.send(HELLO, to=server.registration())

    assert_as_reference(OTHER_ROWS["None connect/DNS/TLS failure"], asyncio.run(run()))


def test_a_refused_grant_is_the_row_of_the_reference(server):
    """The account's key is not the one that Google knows."""
    server.reset()
    server.behaviour.oauth.answer("invalid_grant")

    assert_as_reference(OTHER_ROWS["400 token endpoint invalid_grant"], sent(server, server.registration()))


@pytest.mark.parametrize("status", [408, 429, 500, 503, 504])
def test_trouble_of_the_token_endpoint_is_the_row_of_the_reference(server, status):
    """And nothing was sent."""
    server.reset()
    server.behaviour.oauth.answer(Answer(status=status, body=b"<html>"))

    assert_as_reference(OTHER_ROWS["None token endpoint 408/429/500/503/504"], sent(server, server.registration()))


# --- what follows from a row ------------------------------------------------------------------------


def test_an_accepted_push_reads_as_it_was_written(server):
    """Title and text as Android merges them, what is left of the TTL on every platform."""
    server.reset()
    target = server.registration()

    outcome = sent(server, target, Notification(title="Your order", body="It is on its way.", ttl=3600))

    (record,) = server.sent
    assert isinstance(outcome, Accepted)
    assert outcome.message_id.startswith("projects/local-project/messages/")
    assert ("Your order", "It is on its way.") == (record.title, record.text)
    assert record.payload["android"]["ttl"] in {"3600s", "3599s"}


def test_an_expired_token_is_renewed_once_and_the_push_goes_through(server):
    """One forced refresh, one immediate retry."""
    server.reset()
    target = server.registration()
    server.behaviour.to(target).next().answer("ACCESS_TOKEN_EXPIRED")

    outcome = sent(server, target, retry=RetryPolicy())

    assert isinstance(outcome, Accepted)
    assert [401, 200] == [attempt.status for attempt in outcome.attempts]
    assert 2 == sum(record.provider == "oauth" for record in server.calls)


def test_a_dry_run_is_validated_and_not_delivered(server):
    """Google answers with a made-up name."""
    server.reset()

    async def run():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context()) as push:
            return await push.send(HELLO, to=server.registration(), dry_run=True)

    assert asyncio.run(run()).message_id.endswith("fake_message_id")


def test_all_four_kinds_of_targets_are_accepted(server):
    """A token, an installation, a topic, a condition."""
    server.reset()
    targets = [
        server.registration(),
        fcm.Installation("cXyZ-_0123456789abcdef"),
        fcm.Topic("news"),
        fcm.Condition("'a' in topics || 'b' in topics"),
    ]

    async def run():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context()) as push:
            return await push.send_many(HELLO, to=targets)

    report = asyncio.run(run())

    assert 4 == report.accepted, report.failures


def test_a_device_that_is_gone_is_to_be_removed_and_its_neighbours_are_not(server):
    """One of many."""
    server.reset()
    targets = [server.registration() for _ in range(60)]
    server.behaviour.to(targets[7]).answer("UNREGISTERED")

    async def run():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context()) as push:
            return await push.send_many(HELLO, to=targets)

    report = asyncio.run(run())

    assert (59, 1) == (report.accepted, report.recipient)
    assert Action.REMOVE_RECIPIENT is report.outcomes[7].action


def test_an_outage_of_the_listener_says_so(server):
    """The port refuses."""
    server.reset()
    server.behaviour.outage("fcm", fault=Refuse())
    try:
        outcome = sent(server, server.registration())
    finally:
        server.behaviour.recover()

    assert "connect_failed" == outcome.reason


@pytest.mark.parametrize("word", ["SENDER_ID_MISMATCH", "INVALID_ARGUMENT + ApnsError 400 BadDeviceToken"])
def test_suspects_stay_under_review_although_others_are_reached(server, word):
    """An accepted push clears nobody here; and when too many fail alike, the report names them as suspects."""
    server.reset()
    targets = [server.registration() for _ in range(120)]
    for target in targets[60:]:
        server.behaviour.to(target).answer(word)

    async def run():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context(), max_in_flight=1) as push:
            return await push.send_many(HELLO, to=targets)

    report = asyncio.run(run())

    assert (60, 60) == (report.accepted, report.recipient)
    assert {Action.REVIEW_RECIPIENT} == {failure.action for failure in report.failures}
    assert [] == list(report.to_remove)
    assert 1 == len(report.suspicions)


def test_fan_outs_go_one_at_a_time_and_hold_up_no_device(server):
    """``serial_fan_out``: the next topic is sent when the one before has its answer."""
    server.reset()
    topics = [fcm.Topic(f"topic-{number}") for number in range(4)]
    devices = [server.registration() for _ in range(20)]
    server.behaviour.fcm.delay(0.1)

    async def run():
        async with AsyncClient(fcm=server.fcm_config(serial_fan_out=True), ssl_context=server.ssl_context()) as push:
            await push.send(HELLO, to=server.registration())
            return await push.send_many(HELLO, to=[*topics, *devices])

    report = asyncio.run(run())

    times = sorted(record.time for record in server.sent if record.service == "topic")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    arrived = sorted(record.time for record in server.sent if record.service == "token")[1:]
    assert 24 == report.accepted
    assert min(gaps) > 0.08, gaps
    assert arrived[-1] < times[-1]


def test_a_throttled_device_holds_up_nobody_else_and_a_throttled_project_everybody(server):
    """What the quota names is what waits."""

    async def run(quota):
        server.reset()
        busy, other = server.registration(), server.registration()
        server.behaviour.to(busy).answer("QUOTA_EXCEEDED", quota=quota)
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context(), retry=ONCE) as push:
            return await push.send(HELLO, to=busy), await push.send(HELLO, to=other), await push.send(HELLO, to=busy)

    device = asyncio.run(run("device"))
    project = asyncio.run(run("project"))

    assert ["QUOTA_EXCEEDED", None, "throttled"] == [getattr(outcome, "reason", None) for outcome in device]
    assert ["QUOTA_EXCEEDED", "throttled", "throttled"] == [outcome.reason for outcome in project]
    assert 1 == len(device[0].attempts)
    assert 0 == len(project[1].attempts)
