"""What APNs does on the wire besides answering: GOAWAY with a reason, one stream at the start, a lost connection."""

from __future__ import annotations

import asyncio

import pytest

import pushkit
from pushkit import Accepted, Action, Disposition, Notification, RetryPolicy, apns
from pushkit.http.loop_clock import LoopClock
from pushkit.http.transport import HttpTransport
from pushkit.testing import Disconnect, GoAway, PushServer

HELLO = Notification(title="Hello")


@pytest.fixture(scope="module")
def running():
    with PushServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


def run(server, work, **changes):
    async def go():
        options = {"retry": RetryPolicy.none(), "apns": server.apns_config()} | changes
        async with pushkit.AsyncClient(ssl_context=server.ssl_context(), **options) as push:
            return await work(push)

    return asyncio.run(go())


@pytest.mark.parametrize("engine", ["h2", "ngh2"])
@pytest.mark.parametrize("processed", ["none", "before"])
def test_a_goaway_with_a_credential_reason_is_that_refusal(server, processed, engine):
    """Seen with certificates of the other environment: no stream is answered, the reason is in the frame alone."""
    server.behaviour.apns.fault(GoAway(processed, reason="BadCertificateEnvironment"))

    outcome = run(server, lambda push: push.send(HELLO, to=server.device()), http2_engine=engine)

    assert ("BadCertificateEnvironment", Action.FIX_CONFIGURATION, Disposition.NOT_SENT) == (
        outcome.reason,
        outcome.action,
        outcome.disposition,
    )
    assert not outcome.retryable


def test_a_shutdown_costs_nobody_anything(server):
    """The connection ends, the push goes out on the next one, and that was no attempt."""
    server.behaviour.apns.next().fault(GoAway("before", reason="Shutdown"))

    outcome = run(server, lambda push: push.send(HELLO, to=server.device()))

    assert isinstance(outcome, Accepted)
    assert 1 == len(outcome.attempts)


def test_a_new_connection_starts_with_one_stream(server):
    """APNs allows one until it has accepted the token; a thousand pushes wait for that and are all accepted."""
    report = run(server, lambda push: push.send_many(HELLO, to=[server.device() for _ in range(500)]))

    assert 500 == report.accepted
    assert 500 == len(server.sent)


def test_a_repeat_after_a_doubt_is_the_same_push(server):
    """Same apns-id, same collapse id, same expiry: the phone shows one."""
    server.behaviour.apns.next().fault(Disconnect())

    outcome = run(server, lambda push: push.send(HELLO, to=server.device()), retry=RetryPolicy())

    assert isinstance(outcome, Accepted)
    first, second = server.sent[-2:]
    for name in ("apns-id", "apns-collapse-id", "apns-expiration"):
        assert first.headers[name] == second.headers[name]


def test_a_call_is_not_repeated_after_a_doubt(server):
    """It would ring twice."""
    server.behaviour.apns.next().fault(Disconnect())

    outcome = run(server, lambda push: push.send(apns.Voip(), to=server.device()), retry=RetryPolicy())

    assert Disposition.UNKNOWN == outcome.disposition
    assert 1 == len(server.sent)


def test_a_repeated_update_keeps_its_timestamp(server):
    """An old state that is sent again must not win over a newer one."""
    token = apns.ActivityToken(server.device().token)
    server.behaviour.apns.next().answer("InternalServerError")

    outcome = run(server, lambda push: push.send(apns.LiveActivityUpdate({"score": 1}), to=token), retry=RetryPolicy())

    assert isinstance(outcome, Accepted)
    first, second = (record.payload["aps"]["timestamp"] for record in server.sent[-2:])
    assert first == second


def test_updates_in_one_second_are_newer_each(server):
    """Three goals in a second are three states."""
    token = apns.ActivityToken(server.device().token)

    async def work(push):
        return [await push.send(apns.LiveActivityUpdate({"score": score}), to=token) for score in range(3)]

    outcomes = run(server, work)

    assert all(outcome.accepted for outcome in outcomes)
    stamps = [record.payload["aps"]["timestamp"] for record in server.sent[-3:]]
    assert sorted(set(stamps)) == stamps


def test_a_throttled_device_is_left_alone_and_the_others_go_on(server):
    """TooManyRequests is about one token."""
    loud, other = server.device(), server.device()
    server.behaviour.to(loud).answer("TooManyRequests")

    async def work(push):
        first = await push.send(HELLO, to=loud)
        again = await push.send(HELLO, to=loud)
        return first, again, await push.send(HELLO, to=other)

    first, again, accepted = run(server, work)

    assert "TooManyRequests" == first.reason
    assert not again.accepted
    assert again.retry_at is not None
    assert isinstance(accepted, Accepted)
    assert 2 == len(server.sent)


def test_an_app_that_is_forgotten_leaves_the_others_connections_alone(server):
    """Two apps share a key, and so their connections; one of them is dropped."""
    key = server.apns_key
    credentials = apns.TokenKey(key.pem, key_id=key.key_id, team_id=key.team_id)
    configs = {name: server.apns_config(credentials=credentials) for name in ("one", "two")}

    async def work(push):
        token = server.device().token
        for app in ("one", "two"):
            (await push.send(HELLO, to=apns.Device(token, app=app))).unwrap()
        push.forget("one")
        return await push.send(HELLO, to=apns.Device(token, app="two"))

    assert isinstance(run(server, work, apns=configs), Accepted)
    assert 1 == len({id(record.request.connection) for record in server.sent})


def test_channel_management_gets_a_fresh_token_too(server):
    """The refused connection is left; the next call has a new one with a new token."""
    server.behaviour.apns.next().answer("ExpiredProviderToken")

    async def work(push):
        return await push.channels().list(), await push.channels().list()

    refused, listed = run(server, work)

    assert "ExpiredProviderToken" == refused.outcome.reason
    assert listed.outcome.accepted
    first, second = server.calls[-2:]
    assert first.request.connection is not second.request.connection
    assert first.request.headers[b"authorization"] != second.request.headers[b"authorization"]


def test_an_outage_opens_few_connections(server):
    """A thousand pushes meet 503s: one early try on another connection is fine, a connection for each push is an attack."""

    async def work(push):
        server.behaviour.outage("apns", word="ServiceUnavailable")
        return await push.send_many(HELLO, to=[server.device() for _ in range(1000)])

    report = run(server, work, retry=RetryPolicy())

    assert 1000 == report.technical
    assert len({id(record.request.connection) for record in server.sent}) <= 20  # eight at a time, each given up once


def test_health_tells_the_sizes_of_what_is_remembered(server):
    """Everything that is keyed by what others send is bounded, and can be watched."""

    async def work(push):
        (await push.send(apns.LiveActivityUpdate({"score": 1}), to=apns.ActivityToken(server.device().token))).unwrap()
        return push.health()

    health = run(server, work)

    assert 1 == health.sizes["apns_activities"]
    assert 1 == health.sizes["apns_header_blocks"]
    assert () == health.notes


class Shifted(LoopClock):
    """The loop's clock with a wall clock that can be set."""

    offset = 0.0

    def time(self) -> float:
        return super().time() + self.offset


def test_a_connection_lives_for_days(server):
    """
    Three days in steps of minutes, over two connections that stay open, at a service that enforces Apple's rules.

    Both clocks move together; the connections are of two clients that know nothing of each other.
    """
    step, steps = 7 * 60, 3 * 24 * 60 // 7

    async def go():
        clocks = [Shifted(), Shifted()]
        context = server.ssl_context()
        async with (
            pushkit.AsyncClient(apns=server.apns_config(), transport=HttpTransport(clocks[0], ssl_context=context)) as one,
            pushkit.AsyncClient(apns=server.apns_config(), transport=HttpTransport(clocks[1], ssl_context=context)) as other,
        ):
            device = server.device()
            for number in range(steps):
                for clock in clocks:
                    clock.offset += step
                server.shift_time(step)
                for push in (one, other) if number % 3 else (one,):
                    (await push.send(HELLO, to=device)).unwrap()

    try:
        asyncio.run(go())
    finally:
        server.shift_time(-step * steps)

    assert {200} == {record.status for record in server.sent}
    assert 2 == len({id(record.request.connection) for record in server.sent})
    tokens = {record.request.headers[b"authorization"] for record in server.sent}
    assert len(tokens) <= 3 * 24 * 2 + 1
