"""Every row of the reference, provoked over a real connection and seen through the public client."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import pushkit
from pushkit import Accepted, Action, Notification, RecipientFailure, RetryPolicy, TechnicalFailure, apns
from pushkit.testing import PushServer

ROWS = json.loads((Path(__file__).parents[2] / "reference" / "apns-errors.json").read_text("utf-8"))
HELLO = Notification(title="Hello")
SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def running():
    with PushServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


def client(server, **changes):
    config = changes.pop("config", None) or server.apns_config()
    return pushkit.AsyncClient(apns=config, ssl_context=server.ssl_context(), **({"retry": RetryPolicy.none()} | changes))


def send(server, message, target, **changes):
    async def run():
        async with client(server, **changes) as push:
            return await push.send(message, to=target)

    return asyncio.run(run())


def new_channel(server, *, stores=True):
    async def run():
        async with client(server) as push:
            return (await push.channels().create(stores=stores)).unwrap().channel

    return asyncio.run(run())


def compare(row, outcome):
    assert row["reason"] == outcome.reason
    assert row["category"] == outcome.category
    assert row["status"] == outcome.status
    assert row["disposition"].lower() == outcome.disposition
    assert row["do"].lower() == outcome.action
    assert row["technical_scope"] == (outcome.scope.name if outcome.scope else None)
    assert row["retryable"] == outcome.retryable
    assert (outcome.retry_at is None) == (not row["retryable"])
    if row["retryable"]:
        waits = (outcome.retry_at - outcome.attempts[-1].started).total_seconds()
        assert row["min_delay_s"] <= waits + 0.5
    if isinstance(outcome, RecipientFailure):
        assert row["remove_token"] == outcome.removable(SINCE - timedelta(days=1))
    else:
        assert not row["remove_token"]


@pytest.mark.parametrize("row", [row for row in ROWS if "send" in row["api"]], ids=lambda row: row["reason"])
def test_an_answer_to_a_device_push(server, row):
    """Status and JSON over HTTP/2, and out comes the reference's row."""
    device = server.device()
    details = {"since": SINCE} if row["status"] == 410 else {}
    server.behaviour.to(device).answer(row["reason"], **details)

    compare(row, send(server, HELLO, device))


@pytest.mark.parametrize("row", [row for row in ROWS if "broadcast" in row["api"]], ids=lambda row: row["reason"])
def test_an_answer_to_a_broadcast(server, row):
    """The same table holds for channels."""
    channel = new_channel(server)
    server.behaviour.to(channel).answer(row["reason"])

    compare(row, send(server, apns.LiveActivityUpdate({"score": 1}), channel))


@pytest.mark.parametrize("row", [row for row in ROWS if "channels" in row["api"]], ids=lambda row: row["reason"])
@pytest.mark.parametrize("call", ["create", "list"])
def test_an_answer_to_channel_management(server, row, call):
    """And for the calls that make and list them."""
    server.behaviour.apns.answer(row["reason"])

    async def run():
        async with client(server) as push:
            return await getattr(push.channels(), call)()

    outcome = asyncio.run(run()).outcome

    assert row["reason"] == outcome.reason
    assert (row["category"], row["status"], row["do"].lower()) == (outcome.category, outcome.status, outcome.action)


@pytest.mark.parametrize("reason", ["Unregistered", "ExpiredToken"])
def test_410_removes_only_what_was_not_registered_again(server, reason):
    """The time of the answer decides, in whole milliseconds."""
    device = server.device()
    server.behaviour.to(device).answer(reason, since=SINCE)

    outcome = send(server, HELLO, device)

    assert SINCE == outcome.invalid_since
    assert outcome.removable(SINCE)
    assert not outcome.removable(SINCE + timedelta(seconds=1))
    assert not outcome.removable(None)


@pytest.mark.parametrize("reason", ["Brand New Reason", None])
@pytest.mark.parametrize("status", [400, 403, 410, 429, 500, 503])
def test_an_answer_that_is_in_no_table(server, status, reason):
    """Empty bodies and words that Apple invents tomorrow are judged by their status."""
    device = server.device()
    body = b"" if reason is None else json.dumps({"reason": reason}).encode()
    server.behaviour.to(device).answer(pushkit.testing.Answer(status=status, body=body))

    outcome = send(server, HELLO, device)

    assert (reason or f"http_{status}") == outcome.reason
    assert {400: "payload", 403: "technical", 410: "recipient", 429: "technical", 500: "technical", 503: "technical"}[
        status
    ] == outcome.category


def test_html_from_something_in_between(server):
    """A proxy's page is no JSON; its text is kept for people, without secrets."""
    device = server.device()
    page = f"<html>502 Bad Gateway: POST /3/device/{device.token}</html>".encode()
    server.behaviour.to(device).answer(pushkit.testing.Answer(status=502, body=page))

    outcome = send(server, HELLO, device)

    assert "http_502" == outcome.reason
    assert "Bad Gateway" in outcome.detail
    assert device.token not in outcome.detail


def test_the_sandbox_tells_its_unique_id(server):
    """The key to Apple's delivery log."""
    device = server.device(environment="sandbox")

    outcome = send(server, HELLO, device)

    assert isinstance(outcome, Accepted)
    assert outcome.info["apns-unique-id"]


def test_a_device_goes_to_its_own_environment(server):
    """Testers and customers in one send; the token of one is unknown to the other."""
    targets = [server.device(environment=name) for name in ("production", "sandbox") * 5]

    async def run():
        async with client(server) as push:
            return await push.send_many(HELLO, to=targets)

    assert 10 == asyncio.run(run()).accepted


def test_a_token_of_the_other_environment_removes_nobody(server):
    """The classic way to wipe a user table: every token is "bad", and our setting is wrong."""
    targets = [attrs_without_environment(server.device(environment="sandbox")) for _ in range(200)]

    async def run():
        async with client(server) as push:
            return await push.send_many(HELLO, to=targets)

    report = asyncio.run(run())

    assert 200 == report.recipient
    assert 0 == len(report.to_remove)
    assert {"BadDeviceToken"} == {failure.reason for failure in report.failures}
    assert "environment" in report.failures[0].advice


def attrs_without_environment(device):
    return apns.Device(device.token)


def test_another_apps_token_removes_nobody(server):
    """A wrong topic looks the same for every device."""
    targets = [server.device() for _ in range(100)]

    async def run():
        async with client(server, config=server.apns_config(topic="org.other")) as push:
            return await push.send_many(HELLO, to=targets)

    report = asyncio.run(run())

    assert {"DeviceTokenNotForTopic"} == {failure.reason for failure in report.failures}
    assert 0 == len(report.to_remove)


def test_an_expired_provider_token_is_replaced_on_a_new_connection(server):
    """One refusal, one fresh token, one accepted push; nobody has to do anything."""
    device = server.device()
    server.behaviour.apns.next().answer("ExpiredProviderToken")

    outcome = send(server, HELLO, device, retry=RetryPolicy())

    assert isinstance(outcome, Accepted)
    assert ["ExpiredProviderToken", None] == [attempt.reason for attempt in outcome.attempts]
    first, second = server.sent[-2:]
    assert first.request.connection is not second.request.connection
    assert first.request.headers[b"authorization"] != second.request.headers[b"authorization"]


def test_an_unrelated_key_id_means_a_new_connection(server):
    """The token is fine, the connection was not."""
    device = server.device()
    server.behaviour.apns.next().answer("UnrelatedKeyIdInToken")

    outcome = send(server, HELLO, device, retry=RetryPolicy())

    assert isinstance(outcome, Accepted)
    first, second = server.sent[-2:]
    assert first.request.connection is not second.request.connection


def test_too_many_token_updates_retire_the_connection(server):
    """The push comes back for later; the next one uses another connection, which keeps its token."""
    first, second = server.device(), server.device()
    server.behaviour.to(first).answer("TooManyProviderTokenUpdates")

    async def run():
        async with client(server) as push:
            return await push.send(HELLO, to=first), await push.send(HELLO, to=second)

    refused, accepted = asyncio.run(run())

    assert isinstance(refused, TechnicalFailure)
    assert isinstance(accepted, Accepted)
    one, other = server.sent[-2:]
    assert one.request.connection is not other.request.connection


def test_a_clock_that_is_wrong_is_named(server):
    """Two hours behind: every token looks expired; the failure says clock, and nothing more is sent."""
    server.shift_time(7200)
    try:

        async def run():
            async with client(server, retry=RetryPolicy()) as push:
                first = await push.send_many(HELLO, to=[server.device() for _ in range(50)])
                sent = len(server.sent)
                later = await push.send_many(HELLO, to=[server.device() for _ in range(50)])
                return first, later, len(server.sent) - sent

        first, later, more = asyncio.run(run())
    finally:
        server.shift_time(-7200)

    assert 50 == first.technical == later.technical
    assert "clock" in first.failures[-1].advice
    assert "clock" in later.failures[-1].advice
    assert 0 == more
    assert len(server.sent) <= 3
    assert connections(server) <= 2


def test_the_wrong_key_is_named_and_stops_the_flood(server):
    """A key that Apple does not know: one refusal is enough for a thousand pushes, and nobody is removed."""
    key = server.apns_key
    other = PushServer().apns_key
    config = server.apns_config(credentials=apns.TokenKey(other.pem, key_id=key.key_id, team_id=key.team_id))

    async def run():
        async with client(server, config=config) as push:
            first = await push.send_many(HELLO, to=[server.device() for _ in range(1000)])
            sent = len(server.sent)
            later = await push.send_many(HELLO, to=[server.device() for _ in range(1000)])
            return first, later, len(server.sent) - sent

    first, later, more = asyncio.run(run())

    assert 1000 == first.technical == later.technical
    assert {Action.FIX_CREDENTIALS} == {failure.action for failure in (*first.failures, *later.failures)}
    assert 0 == more
    assert 1 == len(server.sent)
    assert {False} == {failure.attempts[-1].status is not None for failure in first.failures[1:]}


def connections(server):
    return len({id(record.request.connection) for record in server.sent})


def test_two_teams_in_one_client_never_share_a_connection(server):
    """APNs ties a connection to the team of its first push."""
    other = server.world.accounts.new_apns_key(team_id="OTHERTEAM1")
    configs = {
        "one": server.apns_config(),
        "two": server.apns_config(credentials=apns.TokenKey(other.pem, key_id=other.key_id, team_id=other.team_id)),
    }
    targets = [apns.Device(server.device().token, app=app) for app in ("one", "two") * 20]

    async def run():
        async with client(server, config=configs) as push:
            return await push.send_many(HELLO, to=targets)

    assert 40 == asyncio.run(run()).accepted
    teams: dict[object, set[str]] = {}
    for call in server.sent:
        teams.setdefault(id(call.request.connection), set()).add(call.claims["iss"])
    assert all(len(found) == 1 for found in teams.values())
    assert 2 == len({team for found in teams.values() for team in found})


@pytest.mark.parametrize(
    "message",
    [
        HELLO,
        Notification(background=True, data={"a": "b"}),
        apns.Push({"aps": {"alert": "x"}}),
        apns.Background(),
        apns.Voip(data={"caller": "Jo"}),
        apns.Complication(),
        apns.PushToTalk(),
        apns.LocationQuery(),
        apns.WidgetsRefresh(),
        apns.ControlsRefresh(),
        apns.FileProviderSignal("root", domain="d"),
        apns.MdmWakeUp("magic"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_every_push_type_passes_a_strict_service(server, message):
    """The local APNs checks headers, topic, priority, body and size as Apple's pages say."""
    assert isinstance(send(server, message, server.device()), Accepted)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (apns.LiveActivityStart("A", attributes={}, content_state={}, title="T", body="B"), apns.StartToken),
        (apns.LiveActivityUpdate({"score": 1}), apns.ActivityToken),
        (apns.LiveActivityEnd({"score": 2}), apns.ActivityToken),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_live_activities_pass_a_strict_service(server, message, kind):
    """Start, update and end."""
    assert isinstance(send(server, message, kind(server.device().token)), Accepted)


@pytest.mark.parametrize("stores", [True, False])
def test_a_channel_lives(server, stores):
    """Made, asked, listed, broadcast to, deleted; and then it is unknown."""

    async def run():
        async with client(server) as push:
            channels = push.channels()
            channel = (await channels.create(stores=stores)).unwrap().channel
            read = (await channels.read(apns.Channel(channel.channel_id))).unwrap().channel
            listed = (await channels.list()).unwrap().channels
            sent = await push.send(apns.LiveActivityUpdate({"score": 1}), to=channel)
            (await channels.delete(channel)).unwrap()
            gone = await push.send(apns.LiveActivityUpdate({"score": 2}), to=channel)
            return channel, read, listed, sent, gone

    channel, read, listed, sent, gone = asyncio.run(run())

    assert stores == channel.stores == read.stores
    assert channel.channel_id in {found.channel_id for found in listed}
    assert isinstance(sent, Accepted)
    assert sent.info["apns-unique-id"]
    # A push was accepted before, so the environment is right and the channel is believed to be gone.
    assert ("ChannelNotRegistered", Action.REMOVE_RECIPIENT) == (gone.reason, gone.action)


def test_a_channel_push_counts_as_one_and_reaches_many(server):
    """In a column of its own."""
    channel = new_channel(server)

    async def run():
        async with client(server) as push:
            return await push.send_many(apns.LiveActivityUpdate({"score": 1}), to=[channel])

    assert 1 == asyncio.run(run()).accepted
