"""Management of broadcast channels: requests as Apple documents them, answers as the table says."""

from __future__ import annotations

import json

import pytest
from tests.unit.apns.helpers import NOW, answer, sender, token_key

from pushkit import apns
from pushkit.apns.channels import ChannelResult
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import FaultKind, Processed, WireFault, WireResponse

CHANNEL = apns.Channel("dHN0LXNyY2gtY2hubA==")


def run(flow, result):
    """Drive a flow of one request; gives the request and what the flow returned."""
    request = next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send(result)
    assert isinstance(stop.value.value, ChannelResult)
    return request, stop.value.value


def headers(request):
    return {name.decode(): value.decode() for name, value in (*request.block.fields, *request.headers)}


@pytest.mark.parametrize(("stores", "policy"), [(False, 0), (True, 1)])
def test_create(stores, policy):
    """POST with the policy and Apple's own casing of the push type; the id comes in a header."""
    flow = sender().channels().create(stores=stores, now=NOW, deadline=5.0)

    request, result = run(flow, WireResponse(201, [(b"apns-channel-id", b"dHN0LXNyY2gtY2hubA=="), (b"apns-request-id", b"r")], b""))

    assert (b"POST", b"/1/apps/com.example.app/channels") == (request.method, request.path)
    assert {"message-storage-policy": policy, "push-type": "LiveActivity"} == json.loads(request.body)
    assert "https://api-manage-broadcast.push.apple.com:2196" == str(request.origin)
    assert 5.0 == request.deadline
    assert request.auth is not None
    assert "apns-channel-id" not in headers(request)
    assert attrs_of(result.channel) == ("dHN0LXNyY2gtY2hubA==", stores)
    assert "r" == result.judged.message_id


def attrs_of(channel):
    return channel.channel_id, channel.stores


def test_read():
    """The id goes in a header, never in the path."""
    request, result = run(
        sender().channels().read(CHANNEL, now=NOW, deadline=5.0),
        WireResponse(200, [], b'{"message-storage-policy":0,"push-type":"LiveActivity"}'),
    )

    assert (b"GET", b"/1/apps/com.example.app/channels", b"") == (request.method, request.path, request.body)
    assert CHANNEL.channel_id == headers(request)["apns-channel-id"]
    assert result.channel.stores is False


def test_delete():
    """204 is its success."""
    request, result = run(sender().channels().delete(CHANNEL, now=NOW, deadline=5.0), WireResponse(204, [], b""))

    assert b"DELETE" == request.method
    assert isinstance(result.judged, Acceptance)


def test_list():
    """All ids of the app; what is no id is left out."""
    request, result = run(
        sender().channels().list(now=NOW, deadline=5.0), WireResponse(200, [], json.dumps({"channels": ["YWJj", "ZGVm", 7, ""]}).encode())
    )

    assert (b"GET", b"/1/apps/com.example.app/all-channels") == (request.method, request.path)
    assert ["YWJj", "ZGVm"] == [channel.channel_id for channel in result.channels]


def test_a_full_list_is_read():
    """Apple's limit of 10,000 channels makes an answer far longer than any other of APNs's."""
    ids = [f"{n:030d}" for n in range(10_000)]
    body = json.dumps({"channels": ids}).encode()
    by = sender()

    request, result = run(by.channels().list(now=NOW, deadline=5.0), WireResponse(200, [], body))

    assert ids == [channel.channel_id for channel in result.channels]
    assert request.policy.max_response_bytes >= len(body)


def test_the_sandbox_has_a_host_and_port_of_its_own():
    """And its channels stay there."""
    flow = sender().channels(apns.Environment.SANDBOX).create(stores=True, now=NOW, deadline=5.0)

    request, result = run(flow, WireResponse(201, [(b"apns-channel-id", b"YWJj")], b""))

    assert "https://api-manage-broadcast.sandbox.push.apple.com:2195" == str(request.origin)
    assert apns.Environment.SANDBOX == result.channel.environment


def test_a_channels_own_environment_wins():
    """It is known where it was made."""
    flow = sender().channels().read(apns.Channel("YWJj", environment="sandbox"), now=NOW, deadline=5.0)

    assert "sandbox" in str(next(flow).origin)


@pytest.mark.parametrize(
    ("result", "reason", "category"),
    [
        (answer(400, "CannotCreateChannelConfig"), "CannotCreateChannelConfig", "technical"),
        (answer(400, "FeatureNotEnabled"), "FeatureNotEnabled", "technical"),
        (answer(403, "TopicMismatch"), "TopicMismatch", "technical"),
        (answer(503, "Service Unavailable"), "ServiceUnavailable", "technical"),
        (answer(200), "http_200", "technical"),
        (WireResponse(201, [], b""), "malformed_response", "technical"),
        (WireResponse(201, [(b"apns-channel-id", b"not base64!")], b""), "malformed_response", "technical"),
        (WireFault(kind=FaultKind.TIMEOUT, processed=Processed.UNKNOWN), "timeout", "technical"),
    ],
)
def test_a_failed_create_is_a_verdict(result, reason, category):
    """From the same table as pushes; a channel that may exist without a known id says where to look."""
    _, given = run(sender().channels().create(stores=True, now=NOW, deadline=5.0), result)

    assert isinstance(given.judged, Verdict)
    assert (reason, category) == (given.judged.reason, given.judged.category)
    assert given.channel is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"message-storage-policy":true}', b'{"message-storage-policy":7}', b'{"message-storage-policy":[]}']
)
def test_a_read_that_says_nothing_is_a_verdict(body):
    """No policy is made up."""
    _, given = run(sender().channels().read(CHANNEL, now=NOW, deadline=5.0), WireResponse(200, [], body))

    assert "malformed_response" == given.judged.reason


def test_a_list_that_is_none_is_a_verdict():
    """An empty list and no list are two things."""
    _, given = run(sender().channels().list(now=NOW, deadline=5.0), WireResponse(200, [], b"{}"))

    assert "malformed_response" == given.judged.reason


@pytest.mark.parametrize("channel", [apns.Channel(None), apns.Channel("no id!"), apns.Channel("YWJj", environment="moon")])
def test_a_bad_channel_asks_nobody(channel):
    """Found before anything is sent."""
    with pytest.raises(StopIteration) as stop:
        next(sender().channels().delete(channel, now=NOW, deadline=5.0))

    assert isinstance(stop.value.value.judged, Verdict)


def test_an_environment_without_credentials_asks_nobody():
    """Its name is in the settings, or it is not."""
    by = sender(credentials={apns.Environment.PRODUCTION: token_key()})

    with pytest.raises(StopIteration) as stop:
        next(by.channels(apns.Environment.SANDBOX).list(now=NOW, deadline=5.0))

    assert "environment_not_configured" == stop.value.value.judged.reason


def test_channels_may_live_elsewhere():
    """A local push service, or a relay."""
    by = sender(channels_origin="https://localhost:9000")

    assert "https://localhost:9000" == str(next(by.channels().list(now=NOW, deadline=5.0)).origin)


@pytest.mark.parametrize("given", [None, "dHN0LXNyY2gtY2hubA==", apns.Channel(None), apns.Channel("a b")])
@pytest.mark.parametrize("call", ["read", "delete"])
def test_what_is_no_channel_is_refused_before_anything_is_sent(call, given):
    """A row without an id must not become a request about nothing."""
    flow = getattr(sender().channels(), call)(given, now=NOW, deadline=5.0)

    with pytest.raises(StopIteration) as stop:
        next(flow)

    assert "invalid_channel_id" == stop.value.value.judged.reason
