"""aioapns 4 (another client for APNs) sends to our local APNs: what it writes passes, what it makes of the answers is compared with ours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import aioapns
import pytest
from aioapns.connection import APNsDevelopmentClientProtocol, APNsProductionClientProtocol

import pushkit
from pushkit import Notification, RetryPolicy, apns
from pushkit.testing import PushServer

SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def running():
    # While APNs allows one stream (until it has accepted the token), aioapns sleeps a second for each look at its pool.
    with PushServer(first_streams=1000) as server:
        yield server


@pytest.fixture
def server(running, monkeypatch):
    running.reset()
    for protocol, name in ((APNsProductionClientProtocol, "apns"), (APNsDevelopmentClientProtocol, "apns_sandbox")):
        monkeypatch.setattr(protocol, "APNS_SERVER", "localhost")
        monkeypatch.setattr(protocol, "APNS_PORT", int(running.origin(name).rpartition(":")[2]))
    return running


def theirs(server, *requests, use_sandbox=False):
    """Send with aioapns; gives its results."""

    async def run():
        key = server.apns_key
        context = server.ssl_context()
        context.set_alpn_protocols(["h2"])  # a context of the caller's own is used as it is
        client = aioapns.APNs(
            key=key.pem,
            key_id=key.key_id,
            team_id=key.team_id,
            topic=server.bundle_id,
            use_sandbox=use_sandbox,
            ssl_context=context,
            max_connections=1,
        )
        results = await asyncio.wait_for(asyncio.gather(*(client.send_notification(request) for request in requests)), 30)
        client.pool.close()
        await asyncio.sleep(0.05)  # its transports close on the loop
        return results

    return asyncio.run(run())


def ours(server, message, target):
    async def run():
        async with pushkit.AsyncClient(apns=server.apns_config(), ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as push:
            return await push.send(message, to=target)

    return asyncio.run(run())


PAYLOAD = {"aps": {"alert": {"title": "Hello", "body": "It is on its way"}}, "order": "17"}
MESSAGE = Notification(title="Hello", body="It is on its way", data={"order": "17"})


def request(device, **changes):
    return aioapns.NotificationRequest(
        **({"device_token": device.token, "message": PAYLOAD, "push_type": aioapns.PushType.ALERT} | changes)
    )


def test_both_write_the_same_push(server):
    """Same payload and the same headers, but for what one of the two leaves to APNs."""
    device = server.device()
    same = {"notification_id": str(uuid4()), "time_to_live": 86_400, "priority": 10, "collapse_key": "order-17"}

    assert [True] == [result.is_successful for result in theirs(server, request(device, **same))]
    assert ours(server, pushkit.apns.Push(PAYLOAD, headers={"apns-collapse-id": "order-17", "apns-priority": 10}), device).accepted

    their, our = server.sent[-2:]
    assert their.payload == our.payload == PAYLOAD
    comparable = {"apns-topic", "apns-push-type", "apns-priority", "apns-collapse-id"}
    assert {name: their.headers[name] for name in comparable} == {name: our.headers[name] for name in comparable}
    assert abs(int(their.headers["apns-expiration"]) - int(our.headers["apns-expiration"])) <= 2
    # The differences: a Host field there (for the authority that is missing), a content type here.
    assert {"host"} == set(their.headers) - set(our.headers)
    assert {"content-type"} == set(our.headers) - set(their.headers)


def test_the_portable_notification_is_the_same_payload(server):
    """What people write by hand for aioapns, from typed fields."""
    device = server.device()
    theirs(server, request(device))
    ours(server, MESSAGE, device)

    their, our = server.sent[-2:]

    assert their.payload == our.payload


@pytest.mark.parametrize("push_type", ["background", "voip", "complication", "fileprovider", "liveactivity"])
def test_their_other_push_types_pass(server, push_type):
    """With the topic that each type demands, which aioapns leaves to its user and pushkit derives."""
    topics = {
        "background": "",
        "voip": ".voip",
        "complication": ".complication",
        "fileprovider": ".pushkit.fileprovider",
        "liveactivity": ".push-type.liveactivity",
    }
    sent = request(
        server.device(),
        message={"aps": {"content-available": 1}},
        push_type=aioapns.PushType(push_type),
        priority=5,
        apns_topic=server.bundle_id + topics[push_type],
    )

    assert [True] == [result.is_successful for result in theirs(server, sent)]


@pytest.mark.parametrize(
    "reason", ["BadDeviceToken", "Unregistered", "PayloadTooLarge", "TooManyRequests", "ServiceUnavailable", "TopicDisallowed"]
)
def test_both_read_the_same_refusal(server, reason):
    """Status and reason are the same words; what to do about it only one of the two says."""
    device = server.device()
    details = {"since": SINCE} if reason == "Unregistered" else {}
    server.behaviour.to(device).answer(reason, **details)

    (their,) = theirs(server, request(device))
    our = ours(server, MESSAGE, device)

    assert (their.status, their.description) == (str(our.status), our.reason)
    if reason == "Unregistered":
        # Milliseconds there, an aware time here.
        assert datetime.fromtimestamp(their.timestamp / 1000, UTC) == our.invalid_since == SINCE


def test_the_sandbox_flag_is_the_environment(server):
    """``use_sandbox=True`` for the whole client there, ``environment=`` for each device here."""
    device = server.device(environment="sandbox")

    assert [True] == [result.is_successful for result in theirs(server, request(device), use_sandbox=True)]
    assert ours(server, MESSAGE, apns.Device(device.token, environment="sandbox")).accepted
    assert ["BadDeviceToken"] == [result.description for result in theirs(server, request(device))]


def test_many_at_once(server):
    """Both multiplex over one connection."""
    results = theirs(server, *(request(server.device()) for _ in range(200)))

    assert 200 == sum(result.is_successful for result in results)
    assert 1 == len({id(record.request.connection) for record in server.sent})
