"""Choosing a protocol engine, and what both promise without a socket."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Sequence

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from pushkit.errors import ConfigurationError
from pushkit.http.http2.engine import UNLIMITED, Engine, EngineFullError, ErrorCode, choose_engine
from pushkit.http.http2.engine_h2 import H2Engine
from pushkit.wire import Header, HeaderBlock, Origin, WireRequest


class Told:
    """Notes what an engine tells."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def on_head(self, stream_id: int, headers: Sequence[Header], end: bool) -> None:
        self.calls.append(("head", stream_id, list(headers), end))

    def on_data(self, stream_id: int, data: bytes, end: bool) -> None:
        self.calls.append(("data", stream_id, data, end))

    def on_reset(self, stream_id: int, code: int) -> None:
        self.calls.append(("reset", stream_id, code))

    def on_malformed(self, stream_id: int, detail: str) -> None:
        self.calls.append(("malformed", stream_id))

    def on_goaway(self, last_stream_id: int, code: int, debug: bytes) -> None:
        self.calls.append(("goaway", last_stream_id, code, debug))

    def on_settings(self) -> None:
        self.calls.append(("settings",))

    def on_pong(self) -> None:
        self.calls.append(("pong",))


def request(path: bytes = b"/", body: bytes = b"hello") -> WireRequest:
    return WireRequest(b"POST", Origin("localhost"), path, HeaderBlock([(b"a", b"b")]), ((b"c", b"d"),), body, 0.0)


def connected(name: str) -> tuple[Engine, H2Connection, Told]:
    """An engine and h2 as its server, settings exchanged."""
    _, factory = choose_engine(name)
    engine, told = factory("https", "localhost"), Told()
    server = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    server.initiate_connection()
    engine.start()
    server.receive_data(engine.take(65536, told))
    engine.feed(server.data_to_send(), told)
    server.receive_data(engine.take(65536, told))
    return engine, server, told


@pytest.fixture(params=["ngh2", "h2"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_auto_takes_the_fast_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ngh2 works it is taken by itself."""
    monkeypatch.delenv("PUSHKIT_HTTP2_ENGINE", raising=False)

    assert "ngh2" == choose_engine()[0]


def test_the_environment_replaces_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's choice holds for auto, never against an argument."""
    monkeypatch.setenv("PUSHKIT_HTTP2_ENGINE", "h2")

    assert ("h2", "ngh2") == (choose_engine()[0], choose_engine("ngh2")[0])


@pytest.mark.parametrize(
    ("argument", "variable", "said"), [("fast", "", "http2_engine is 'fast'"), ("auto", "best", "PUSHKIT_HTTP2_ENGINE is 'best'")]
)
def test_an_unknown_engine(monkeypatch: pytest.MonkeyPatch, argument: str, variable: str, said: str) -> None:
    """An unknown name is refused, with where it came from."""
    monkeypatch.setenv("PUSHKIT_HTTP2_ENGINE", variable)
    with pytest.raises(ConfigurationError, match=said):
        choose_engine(argument)


@pytest.mark.parametrize("version", ["0.4.0", "1.0"])
def test_another_series_of_ngh2_is_left_alone(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A release that was not tested is not taken by itself, and refused with the mend when asked for."""
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)

    assert "h2" == choose_engine("auto")[0]
    with pytest.raises(ConfigurationError, match=r"pip install 'pushkit-sdk\[speed\]'"):
        choose_engine("ngh2")


def test_a_round_trip(name: str) -> None:
    """A request arrives as it was, and its answer comes back as it was."""
    engine, server, told = connected(name)
    stream_id = engine.open(request(b"/3/device/x"), b"bearer t")
    events = server.receive_data(engine.take(65536, told))
    headers = dict(events[0].headers)  # type: ignore[attr-defined]

    assert (b"POST", b"https", b"localhost", b"/3/device/x") == tuple(
        headers[b":" + part] for part in (b"method", b"scheme", b"authority", b"path")
    )
    assert (b"b", b"d", b"bearer t") == (headers[b"a"], headers[b"c"], headers[b"authorization"])
    server.send_headers(stream_id, [(b":status", b"200"), (b"apns-id", b"x")])
    server.send_data(stream_id, b"ok", end_stream=True)
    engine.feed(server.data_to_send(), told)
    assert [("head", 1, [(b":status", b"200"), (b"apns-id", b"x")], False), ("data", 1, b"ok", True)] == told.calls[-2:]


def test_a_server_without_a_limit(name: str) -> None:
    """A first SETTINGS without MAX_CONCURRENT_STREAMS means no limit; a later one without it changes nothing."""
    _, factory = choose_engine(name)
    engine, told = factory("https", "localhost"), Told()
    engine.start()
    engine.feed(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", told)
    first = engine.limit
    engine.feed(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x05", told)
    engine.feed(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x05", told)

    assert (UNLIMITED, 5) == (first, engine.limit)


def test_stream_ids_run_out() -> None:
    """When the last stream id is used the connection takes no more (RFC 9113 section 5.1.1)."""
    engine, _, _ = connected("h2")
    assert isinstance(engine, H2Engine)
    engine._connection.highest_outbound_stream_id = 2**31 - 3

    assert 2**31 - 1 == engine.open(request(), None)
    with pytest.raises(EngineFullError):
        engine.open(request(), None)


def test_nothing_is_logged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at DEBUG an engine writes neither what it sends nor what it receives."""
    engine, server, told = connected(name)
    # The answer is made by hand: the server's own hpack would log it.
    stream_id = engine.open(request(b"/canary-path"), b"bearer canary-token")
    caplog.set_level(logging.DEBUG)
    engine.open(request(b"/canary-path"), b"bearer canary-token")
    engine.take(65536, told)
    block = b"\x88\x40\x08location\x0ecanary-address"
    engine.feed(len(block).to_bytes(3, "big") + b"\x01\x05" + stream_id.to_bytes(4, "big") + block, told)

    assert ("head", 1, [(b":status", b"200"), (b"location", b"canary-address")], True) == told.calls[-1]
    assert "canary" not in caplog.text
    del server


def test_a_large_body_is_unsent_until_it_is_given_out(name: str) -> None:
    """What the windows hold back counts as unsent; after a reset it never goes out."""
    engine, server, told = connected(name)
    stream_id = engine.open(request(body=b"x" * 100_000), None)
    out = b""
    while data := engine.take(10_000, told):
        out += data
    assert engine.unsent(stream_id)
    assert len(out) < 70_000

    engine.reset(stream_id)
    server.receive_data(out)
    server.increment_flow_control_window(2**20)
    engine.feed(server.data_to_send(), told)
    rest = b""
    while data := engine.take(10_000, told):
        rest += data
    assert b"xxx" not in rest


def test_a_small_request_is_sent_once_it_is_taken(name: str) -> None:
    """What was given out is not unsent any more."""
    engine, _, told = connected(name)
    stream_id = engine.open(request(), None)
    engine.take(65536, told)

    assert not engine.unsent(stream_id)


@pytest.mark.parametrize("why", ["a goodbye", "too long"])
def test_what_libnghttp2_never_opens_counts_as_refused(why: str) -> None:
    """A request that was still in its queue at a GOAWAY, or is longer than it sends, was provably not processed."""
    engine, server, told = connected("ngh2")
    asked = request(body=b"")
    if why == "too long":
        asked.headers = ((b"x", b"y" * 70_000),)
    stream_id = engine.open(asked, None)
    if why == "a goodbye":
        server.close_connection(last_stream_id=2**31 - 1)
        engine.feed(server.data_to_send(), told)
    engine.take(65536, told)

    assert ("reset", stream_id, ErrorCode.REFUSED_STREAM) == told.calls[-1]
