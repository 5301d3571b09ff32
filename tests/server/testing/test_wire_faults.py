"""Scripted faults are really on the wire: frames are read from the socket, not from a client's opinion."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame
from tests.server.testing.raw import RawClient

from pushkit.testing import Disconnect, Garbage, GoAway, Interim, PushServer, Refuse, Reset, Silence, Stall, StreamLimit, TlsFailure, Window
from pushkit.testing.faults import ERROR_CODES

BODY = b'{"aps":{"alert":"Hi"}}'


@pytest.fixture(scope="module", params=["h2", "ngh2"])
def running(request: pytest.FixtureRequest) -> Iterator[PushServer]:
    with PushServer(engine=request.param) as server:
        yield server


@pytest.fixture
def server(running: PushServer) -> Iterator[PushServer]:
    yield running
    running.reset()


@pytest.fixture
def client(server: PushServer) -> Iterator[RawClient]:
    raw = RawClient(server.port("apns").number, server.ssl_context())
    yield raw
    raw.close()


def send(server: PushServer, client: RawClient, stream: int = 1, device: str = "ab" * 32, age: int = 0) -> None:
    key = server.apns_key
    token = jwt.encode({"iss": key.team_id, "iat": int(time.time()) - age}, key.pem or "", algorithm="ES256", headers={"kid": key.key_id})
    tokens = client.__dict__.setdefault("token", token)  # one token for a connection, as APNs wants it
    headers = {"authorization": f"bearer {tokens}", "apns-topic": server.bundle_id, "apns-push-type": "alert"}
    client.request(stream, f"/3/device/{device}", headers, BODY)


def limits(client: RawClient) -> list[int]:
    return [
        f.settings[SettingsFrame.MAX_CONCURRENT_STREAMS]
        for f in client.frames
        if isinstance(f, SettingsFrame) and SettingsFrame.MAX_CONCURRENT_STREAMS in f.settings
    ]


def test_one_stream_until_the_first_accepted_push(server: PushServer, client: RawClient) -> None:
    """APNs with token authentication offers one stream, then many (SETTINGS)."""
    client.until(lambda f: isinstance(f, SettingsFrame) and f.settings)
    assert [1] == limits(client)
    send(server, client)

    assert 200 == client.status(1)
    client.until(lambda f: isinstance(f, SettingsFrame) and f.settings.get(3) == 1000)


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "REFUSED_STREAM", "ENHANCE_YOUR_CALM", "CANCEL"])
def test_a_reset_carries_its_code(server: PushServer, client: RawClient, code: str) -> None:
    """RST_STREAM with the scripted code, on that stream alone."""
    server.behaviour.apns.next().fault(Reset(code))
    send(server, client)
    frame = client.until(lambda f: isinstance(f, RstStreamFrame))

    assert (1, ERROR_CODES[code]) == (frame.stream_id, frame.error_code)
    send(server, client, 3)
    assert 200 == client.status(3)


@pytest.mark.parametrize(("processed", "last"), [("unanswered", 3), ("before", 1), ("none", 0), ("answered", 3)])
def test_a_goaway_tells_what_was_processed(server: PushServer, client: RawClient, processed: Any, last: int) -> None:
    """GOAWAY with the last stream id, the code and the JSON reason that was scripted."""
    server.behaviour.apns.after(1).next().fault(GoAway(processed, reason="Shutdown"))
    send(server, client)
    assert 200 == client.status(1)
    send(server, client, 3)
    frame = client.until(lambda f: isinstance(f, GoAwayFrame))

    assert (last, 0, b'{"reason":"Shutdown"}') == (frame.last_stream_id, frame.error_code, frame.additional_data)
    answered = any(isinstance(f, HeadersFrame) and f.stream_id == 3 for f in client.frames)
    assert (processed == "answered") == answered
    assert "eof" == client.until_the_end()


def test_settings_move_the_stream_limit_down_and_up(server: PushServer, client: RawClient) -> None:
    """SETTINGS with 3, 500 and, for a moment, 0 in the middle of a connection, each push answered normally."""
    for fault in (StreamLimit(3), StreamLimit(500), StreamLimit(0, lasts=0.1)):
        server.behaviour.apns.next().fault(fault)
    for stream in (1, 3, 5):
        send(server, client, stream)
        assert 200 == client.status(stream)
        client.acknowledge()
    client.until(lambda f: len(limits(client)) == 5)

    assert [1, 3, 500, 0, 500] == limits(client)


def test_a_closed_window_is_announced(server: PushServer, client: RawClient) -> None:
    """SETTINGS with INITIAL_WINDOW_SIZE 0: no further request body can be sent."""
    server.behaviour.apns.next().fault(Window(0))
    send(server, client)

    client.until(lambda f: isinstance(f, SettingsFrame) and f.settings.get(SettingsFrame.INITIAL_WINDOW_SIZE) == 0)


def test_a_stall_says_nothing_and_stays(server: PushServer, client: RawClient) -> None:
    """No answer, no end, and the next push is served."""
    server.behaviour.apns.next().fault(Stall())
    send(server, client)
    with pytest.raises(AssertionError, match="no such frame"):
        client.until(lambda f: isinstance(f, HeadersFrame), seconds=0.3)

    assert client.ended is None


def test_half_an_answer_stalls(server: PushServer, client: RawClient) -> None:
    """Headers and half of the body, without the end of the stream."""
    server.behaviour.apns.next().fault(Stall(partial=True))
    send(server, client)
    frame = client.until(lambda f: isinstance(f, DataFrame))

    assert "END_STREAM" not in frame.flags


@pytest.mark.parametrize(("fault", "end"), [(Disconnect(), "ConnectionResetError"), (Disconnect(abrupt=False), "eof")])
def test_a_disconnect_is_a_reset_or_an_end(server: PushServer, client: RawClient, fault: Disconnect, end: str) -> None:
    """An abrupt one is a TCP reset, the other a proper end."""
    server.behaviour.apns.next().fault(fault)
    send(server, client)

    assert end == client.until_the_end()


def test_garbage_is_no_http(server: PushServer, client: RawClient) -> None:
    """Bytes that no frame parser takes, then the end."""
    server.behaviour.apns.next().fault(Garbage())
    send(server, client)
    client.until_the_end()

    assert b"no frame" in client.buffer


def test_an_interim_answer_comes_first(server: PushServer, client: RawClient) -> None:
    """103, then 200, on the same stream."""
    server.behaviour.apns.next().fault(Interim())
    send(server, client)
    client.until(lambda f: isinstance(f, HeadersFrame) and "END_STREAM" in f.flags)
    statuses = [dict(client.decoder.decode(f.data))[":status"] for f in client.frames if isinstance(f, HeadersFrame)]

    assert ["103", "200"] == statuses


def test_refusals_shrink_the_connection_when_asked() -> None:
    """A refused push lowers the streams to one, an accepted one restores them, 410 counts as neither."""
    with PushServer(shrink_on_refusal=True, apns_streams=50) as server:
        client = RawClient(server.port("apns").number, server.ssl_context())
        bad = server.device()
        server.behaviour.to(bad).answer("BadDeviceToken")
        for stream, device in ((1, "ab" * 32), (3, bad.token), (5, "ab" * 32)):
            send(server, client, stream, device)
            client.until(lambda f, stream=stream: isinstance(f, HeadersFrame) and f.stream_id == stream)
            client.acknowledge()
        client.until(lambda f: isinstance(f, SettingsFrame) and len(limits(client)) == 4)
        client.close()

        assert [1, 50, 1, 50] == limits(client)


def dial(server: PushServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port("apns").number), timeout=0.5)


def test_a_refused_port_is_closed_and_opens_again(server: PushServer) -> None:
    """Refuse() closes the port itself; recover() opens the same one."""
    number = server.port("apns").number
    server.behaviour.outage("apns", fault=Refuse())
    with pytest.raises(ConnectionRefusedError):
        dial(server)
    server.behaviour.recover()

    dial(server).close()
    assert number == server.port("apns").number


def test_a_silent_port_takes_connections_and_says_nothing(server: PushServer) -> None:
    """No TLS answer ever comes."""
    server.behaviour.outage("apns", fault=Silence())
    with dial(server) as sock, pytest.raises(TimeoutError):
        server.ssl_context().wrap_socket(sock, server_hostname="localhost")


@pytest.mark.parametrize(("how", "error"), [("untrusted", "unable to get local issuer"), ("wrong_host", "match"), ("handshake", "alert")])
def test_tls_fails_in_three_ways(server: PushServer, how: Any, error: str) -> None:
    """An unknown authority, another name, an alert in the handshake."""
    server.behaviour.outage("apns", fault=TlsFailure(how))
    with dial(server) as sock, pytest.raises(ssl.SSLError) as caught:
        server.ssl_context().wrap_socket(sock, server_hostname="localhost")

    assert error in str(caught.value).lower().replace("mismatch", "match") or (
        how == "untrusted" and "certificate verify failed" in str(caught.value)
    )


def test_connections_drop_on_demand(server: PushServer, client: RawClient) -> None:
    """drop_connections() is a reset for everybody."""
    send(server, client)
    assert 200 == client.status(1)
    server.drop_connections("apns")

    assert "ConnectionResetError" == client.until_the_end()


def test_a_client_that_gives_up_disturbs_nobody(server: PushServer, client: RawClient) -> None:
    """It resets its stream before the late answer comes; the connection goes on."""
    send(server, client)
    assert 200 == client.status(1)
    server.behaviour.apns.next().delay(0.15)
    send(server, client, 3)
    client.write(RstStreamFrame(3, error_code=8).serialize())
    time.sleep(0.3)  # the late answer's time, on a real connection
    send(server, client, 5)

    assert 200 == client.status(5)
    assert not any(isinstance(f, HeadersFrame) and f.stream_id == 3 for f in client.frames)


def test_a_broken_client_gets_a_goaway(server: PushServer, client: RawClient) -> None:
    """The server obeys HTTP/2 itself: a frame on stream 0 that cannot be there ends the connection."""
    client.until(lambda f: isinstance(f, SettingsFrame))
    client.write(struct.pack(">I", 1)[1:] + b"\x00\x00" + b"\0\0\0\0" + b"x")

    client.until(lambda f: isinstance(f, GoAwayFrame) and f.error_code == 1)
