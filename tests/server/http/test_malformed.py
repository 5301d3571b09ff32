"""Frames and answers that break HTTP: nothing is raised, nothing hangs, nothing answered is lost."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PUSH,
    RST,
    SETTINGS,
    WINDOW,
    Conn,
    Peer,
    Stream,
    frame,
    head,
    literal,
)

from pushkit.wire import FaultKind, Processed, WireFault

COUNT = 20
AT = 10
DONE = END_HEADERS | END_STREAM

#: Break the connection (RFC 9113 section 5.4.1).
CONNECTION_ERRORS = {
    "a frame over the limit": lambda n: b"\xff\xff\xff\x00\x00" + n.to_bytes(4, "big"),
    "WINDOW_UPDATE of 0 on the connection": lambda n: frame(WINDOW, 0, 0, bytes(4)),
    "a window over 2^31-1": lambda n: frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 2,
    "SETTINGS of 5 octets": lambda n: frame(SETTINGS, 0, 0, bytes(5)),
    "SETTINGS on a stream": lambda n: frame(SETTINGS, 0, n, b""),
    "an initial window over 2^31-1": lambda n: frame(SETTINGS, 0, 0, b"\x00\x04\xff\xff\xff\xff"),
    "a frame size under 16384": lambda n: frame(SETTINGS, 0, 0, b"\x00\x05\x00\x00\x00\x01"),
    "PING of 7 octets": lambda n: frame(PING, 0, 0, bytes(7)),
    "PING on a stream": lambda n: frame(PING, 0, n, bytes(8)),
    "DATA on stream 0": lambda n: frame(DATA, 0, 0, b"x"),
    "HEADERS on an even stream": lambda n: frame(HEADERS, DONE, 2, head()),
    "HEADERS on an idle stream": lambda n: frame(HEADERS, DONE, n + 2000, head()),
    "CONTINUATION without HEADERS": lambda n: frame(CONTINUATION, END_HEADERS, n, head()),
    "HEADERS interrupted by PING": lambda n: frame(HEADERS, END_STREAM, n, head()) + frame(PING, 0, 0, bytes(8)),
    "HEADERS interrupted by GOAWAY": lambda n: frame(HEADERS, END_STREAM, n, head()) + frame(GOAWAY, 0, 0, bytes(8)),
    "HPACK garbage": lambda n: frame(HEADERS, DONE, n, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
    "a push": lambda n: frame(PUSH, END_HEADERS, n, b"\x00\x00\x00\x02" + literal(b":method", b"GET")),
    "padding longer than its frame": lambda n: frame(DATA, PADDED, n, b"\xff12"),
    "RST_STREAM on an idle stream": lambda n: frame(RST, 0, n + 2000, bytes(4)),
    "RST_STREAM of 3 octets": lambda n: frame(RST, 0, n, bytes(3)),
    "GOAWAY of 7 octets": lambda n: frame(GOAWAY, 0, 0, bytes(7)),
    "GOAWAY on a stream": lambda n: frame(GOAWAY, 0, n, bytes(8)),
    "HTTP/1.1": lambda n: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "noise": lambda n: bytes(range(256)) * 4,
    "headers without end": lambda n: frame(HEADERS, 0, n, head(200, (b"x", b"y" * 16000))) + frame(CONTINUATION, 0, n, b"z" * 16000) * 30,
}

#: Concern one stream only (RFC 9113 sections 5.4.2 and 8.1.1).
STREAM_ERRORS = {
    "no :status": lambda n: frame(HEADERS, DONE, n, literal(b"a", b"b")),
    "a :status of letters": lambda n: frame(HEADERS, DONE, n, literal(b":status", b"abc")),
    "an upper-case field": lambda n: frame(HEADERS, DONE, n, head(200, (b"Upper", b"x"))),
    "a connection field": lambda n: frame(HEADERS, DONE, n, head(200, (b"connection", b"close"))),
    "a pseudo field after others": lambda n: frame(HEADERS, DONE, n, head(200, (b"a", b"b")) + literal(b":status", b"200")),
    "an unknown pseudo field": lambda n: frame(HEADERS, DONE, n, head(200) + literal(b":magic", b"1")),
    "a body shorter than its content-length": lambda n: (
        frame(HEADERS, END_HEADERS, n, head(200, (b"content-length", b"5"))) + frame(DATA, END_STREAM, n, b"abc")
    ),
    "a body longer than its content-length": lambda n: (
        frame(HEADERS, END_HEADERS, n, head(200, (b"content-length", b"2"))) + frame(DATA, END_STREAM, n, b"abc")
    ),
    "no body where content-length promised one": lambda n: frame(HEADERS, DONE, n, head(200, (b"content-length", b"5"))),
    "a content-length of letters": lambda n: frame(HEADERS, DONE, n, head(200, (b"content-length", b"five"))),
    "two lengths": lambda n: frame(HEADERS, DONE, n, head(200, (b"content-length", b"0"), (b"content-length", b"1"))),
    "trailers that do not end": lambda n: frame(HEADERS, END_HEADERS, n, head(200)) + frame(HEADERS, END_HEADERS, n, literal(b"a", b"b")),
    "an interim answer that ends": lambda n: frame(HEADERS, DONE, n, head(103)),
}


class Breaking(Peer):
    """Answers, and once in a while writes what it must not; answers of the same write come before it."""

    def __init__(self, octets: object) -> None:
        super().__init__()
        self.octets = octets
        self.taken = 0
        self.culprit = ""

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        self.taken += 1
        if self.taken == AT:
            self.culprit = stream.id
            conn.raw(self.octets(stream.number))  # type: ignore[operator]
            stream.done = True
            if self.octets in CONNECTION_ERRORS.values():
                self.later(0.3, conn.close)  # h2 overlooks some of them; the server does not
        elif conn.number == 1 and self.taken > AT and self.octets in CONNECTION_ERRORS.values():
            return  # a server that broke its connection answers nothing more on it
        else:
            conn.answer(stream)


@pytest.mark.parametrize("name", CONNECTION_ERRORS)
def test_connection_error(pki: Pki, engine: str, name: str) -> None:
    """What was answered before the broken frame counts; the rest is unknown; the next connection works."""

    async def main() -> None:
        async with running(Breaking(CONNECTION_ERRORS[name]), pki, engine) as run:
            await run.send(COUNT, timeout=0.7)

            assert AT - 1 <= len(run.statuses())
            assert {Processed.UNKNOWN} == {fault.processed for fault in run.faults()}
            (after,) = await run.send(1)
            assert not isinstance(after, WireFault)
            assert 2 == run.ledger.connections

    asyncio.run(main())


@pytest.mark.parametrize("name", STREAM_ERRORS)
def test_stream_error(pki: Pki, engine: str, name: str) -> None:
    """One malformed answer costs nobody else theirs, and the connection goes on."""

    async def main() -> None:
        peer = Breaking(STREAM_ERRORS[name])
        async with running(peer, pki, engine) as run:
            await run.send(COUNT, timeout=0.7)
            await run.send(1)

            (fault,) = run.faults()
            assert (FaultKind.PROTOCOL_ERROR, Processed.UNKNOWN) == (fault.kind, fault.processed)
            assert fault is run.results[peer.culprit]
            assert 1 == run.ledger.connections

    asyncio.run(main())


def test_unknown_frames_are_ignored(pki: Pki, engine: str) -> None:
    """Frame types, flags and settings that nobody knows change nothing (RFC 9113 sections 4.1 and 6.5.2)."""

    class Extending(Peer):
        async def on_connect(self, conn: Conn) -> None:
            await super().on_connect(conn)
            conn.raw(frame(0xF0, 0xFF, 0, b"grease") + frame(0xF0, 0, 5, b"") + frame(2, 0, 1, bytes(5)))
            conn.settings({0x0A0A: 7, 3: 100})

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.raw(frame(0xF1, 0, stream.number, b"grease"))
            conn.answer(stream)
            conn.raw(frame(0xF1, 0, stream.number, b"grease"))

    async def main() -> None:
        async with running(Extending(), pki, engine) as run:
            await run.send(COUNT)

            assert [200] * COUNT == run.statuses()
            assert 1 == run.ledger.connections

    asyncio.run(main())


def test_frames_after_the_end_of_a_stream_cost_nothing(pki: Pki, engine: str) -> None:
    """WINDOW_UPDATE and RST_STREAM may follow a finished stream (RFC 9113 section 5.1)."""

    class Trailing(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream)
            conn.raw(frame(WINDOW, 0, stream.number, b"\x00\x00\x00\x09") + frame(RST, 0, stream.number, bytes(4)))

    async def main() -> None:
        async with running(Trailing(), pki, engine) as run:
            await run.send(COUNT)
            await run.send(COUNT)

            assert [200] * 2 * COUNT == run.statuses()
            assert 1 == run.ledger.connections

    asyncio.run(main())


def test_a_server_that_opens_streams_is_not_kept(pki: Pki, engine: str) -> None:
    """Streams are ours to open: a server that opens some, of which one could be kept for ever, loses its connection."""

    class Opening(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream)
            if conn.number == 1:
                conn.raw(frame(HEADERS, DONE, 2, head()))

    async def main() -> None:
        async with running(Opening(), pki, engine) as run:
            await run.send(1)
            await asyncio.sleep(0.05)
            await run.send(1)

            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_many_small_fields_are_an_answer(pki: Pki, engine: str) -> None:
    """Header fields are limited by their size, not by their number."""

    class Chatty(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream, 200, b"", *((b"x%d" % number, b"y") for number in range(1000)))

    async def main() -> None:
        async with running(Chatty(), pki, engine) as run:
            await run.send(2)

            assert [200, 200] == run.statuses()

    asyncio.run(main())
