"""Connections that end: EOF, TCP reset and TLS errors before, between and within frames; silence; back-pressure."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW, MAX_STREAMS, Conn, Peer, Stream, frame, head

from pushkit.wire import FaultKind, OriginPolicy, Processed, WireFault

COUNT = 30
AFTER = 10


def tls_garbage(conn: Conn) -> None:
    """Octets below TLS that no key fits: the client's TLS ends with an alert."""
    conn.gone = True
    tcp = conn.writer.transport._ssl_protocol._transport  # type: ignore[attr-defined]
    tcp.write(b"\x17\x03\x03\x00\x20" + b"\x55" * 32)


ENDS = {"EOF": lambda conn: conn.close(), "TCP reset": lambda conn: conn.abort(), "TLS alert": tls_garbage}


class Ending(Peer):
    """Ends its first connection at one moment, in one way; later ones are fine."""

    def __init__(self, how: str, when: str) -> None:
        super().__init__()
        self.how = how
        self.when = when
        self.taken = 0

    async def end(self, conn: Conn, before: bytes = b"") -> None:
        conn.raw(before)
        if before or self.how == "TCP reset":
            await asyncio.sleep(0.03)  # a TCP reset destroys what is still in this server's buffers
        ENDS[self.how](conn)

    async def on_connect(self, conn: Conn) -> None:
        if conn.number == 1 and self.when == "before SETTINGS":
            await self.end(conn)
        elif conn.number == 1 and self.when == "within SETTINGS":
            await self.end(conn, b"\x00\x00\x06\x04\x00")
        else:
            await super().on_connect(conn)
            if conn.number == 1 and self.when == "after SETTINGS":
                await self.end(conn)

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        if conn.gone:
            return
        self.taken += 1
        if conn.number > 1 or self.taken < AFTER:
            conn.answer(stream)
        elif self.taken == AFTER:
            if self.when == "between frames":
                await self.end(conn)
            elif self.when == "within a frame's header":
                await self.end(conn, b"\x00\x00")
            elif self.when == "within a head":
                await self.end(conn, frame(HEADERS, END_HEADERS, stream.number, head(200, (b"x-long", b"y" * 40)))[:30])
            elif self.when == "after a head":
                await self.end(conn, frame(HEADERS, END_HEADERS, stream.number, head(200)))
            elif self.when == "within a body":
                await self.end(
                    conn, frame(HEADERS, END_HEADERS, stream.number, head(200)) + frame(DATA, END_STREAM, stream.number, b"z" * 50)[:30]
                )


MOMENTS = [
    "before SETTINGS",
    "within SETTINGS",
    "after SETTINGS",
    "between frames",
    "within a frame's header",
    "within a head",
    "after a head",
    "within a body",
]


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("when", MOMENTS)
def test_ending(pki: Pki, engine: str, how: str, when: str) -> None:
    """Answers that came count, the rest is unknown, and what was never written is sent on the next connection."""

    async def main() -> None:
        async with running(Ending(how, when), pki, engine) as run:
            await run.send(COUNT)

            if when in {"before SETTINGS", "within SETTINGS"}:
                # No connection: said to those who waited for it, with NO.
                assert {Processed.NO} == {fault.processed for fault in run.faults()}
            else:
                assert {Processed.UNKNOWN} >= {fault.processed for fault in run.faults()}
                assert {FaultKind.CONNECTION_LOST} >= {fault.kind for fault in run.faults()}
            if MOMENTS.index(when) > 2:
                assert AFTER - 1 <= len(run.statuses())
            await asyncio.sleep(0.6 if run.transport.health()[0].last_fault else 0)
            (after,) = await run.send(1)
            assert not isinstance(after, WireFault)

    asyncio.run(main())


def test_what_was_not_sent_whole_is_sent_again(pki: Pki, engine: str) -> None:
    """A body that the window held back cannot have arrived whole: after a TCP reset it goes over a new connection by itself."""

    class Stingy(Peer):
        initial = {MAX_STREAMS: 100, INITIAL_WINDOW: 5}

        async def on_headers(self, conn: Conn, stream: Stream) -> None:
            if conn.number == 1:
                self.later(0.05, conn.abort)
            else:
                conn.raw(frame(8, 0, stream.number, (1000).to_bytes(4, "big")))

    async def main() -> None:
        async with running(Stingy(), pki, engine) as run:
            await run.send(COUNT)

            assert [200] * COUNT == run.statuses()
            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_silence_ends_at_the_deadline(pki: Pki, engine: str) -> None:
    """A server that never answers: unknown, at the deadline, and the stream is reset."""

    class Silent(Peer):
        cancelled = 0

        async def on_request(self, conn: Conn, stream: Stream) -> None: ...

        async def on_cancel(self, conn: Conn, stream: Stream) -> None:
            self.cancelled += 1

    async def main() -> None:
        peer = Silent()
        async with running(peer, pki, engine) as run:
            start = time.monotonic()
            await run.send(COUNT, timeout=0.3)

            assert {(FaultKind.TIMEOUT, Processed.UNKNOWN)} == {(fault.kind, fault.processed) for fault in run.faults()}
            assert 0.2 < time.monotonic() - start
            await asyncio.sleep(0.05)
            assert COUNT == peer.cancelled
            assert 0 == run.transport.health()[0].streams

    asyncio.run(main())


def test_a_body_that_never_ends_ends_at_the_deadline(pki: Pki, engine: str) -> None:
    """The head of an answer without its end is unknown at the deadline."""

    class Half(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.raw(frame(HEADERS, END_HEADERS, stream.number, head(200)) + frame(DATA, 0, stream.number, b"{"))

    async def main() -> None:
        async with running(Half(), pki, engine) as run:
            await run.send(3, timeout=0.2)

            assert {(FaultKind.TIMEOUT, Processed.UNKNOWN)} == {(fault.kind, fault.processed) for fault in run.faults()}

    asyncio.run(main())


def test_a_server_without_settings_is_no_connection(pki: Pki, engine: str) -> None:
    """Nothing is sent before the server's first SETTINGS, so their absence is NO."""

    class Mute(Peer):
        async def on_connect(self, conn: Conn) -> None:
            await asyncio.sleep(30)

    async def main() -> None:
        async with running(Mute(), pki, engine, OriginPolicy(connect_timeout=0.2)) as run:
            await run.send(3)

            assert {(FaultKind.CONNECT_TIMEOUT, Processed.NO)} == {(fault.kind, fault.processed) for fault in run.faults()}
            assert not run.ledger.whole

    asyncio.run(main())


def test_a_server_that_never_accepts_times_out(pki: Pki, engine: str) -> None:
    """TCP is up and nothing speaks: CONNECT_TIMEOUT, NO."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with running(Peer(), pki, engine, OriginPolicy(connect_timeout=0.2)) as run:
                from pushkit.wire import Origin

                run.origin = Origin("127.0.0.1", listener.getsockname()[1])
                await run.send(3)

                assert {(FaultKind.CONNECT_TIMEOUT, Processed.NO)} == {(fault.kind, fault.processed) for fault in run.faults()}

    asyncio.run(main())


def test_nothing_listens(pki: Pki, engine: str) -> None:
    """A refused TCP connection is CONNECT_FAILED, NO; while it lasts, requests do not wait past their deadline."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        async with running(Peer(), pki, engine) as run:
            from pushkit.wire import Origin

            run.origin = Origin("127.0.0.1", port)
            await run.send(3)
            await run.send(3, timeout=0.05)

            assert {(FaultKind.CONNECT_FAILED, Processed.NO)} == {(fault.kind, fault.processed) for fault in run.faults()}

    asyncio.run(main())


def test_a_server_that_stops_reading_for_ever(pki: Pki, engine: str) -> None:
    """Back-pressure holds requests back; at their deadline those that were never written are NO, the others unknown."""

    class Deaf(Peer):
        async def on_connect(self, conn: Conn) -> None:
            await super().on_connect(conn)
            conn.auto_window = True

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            if conn.requests >= 3:
                conn.stop_reading()
                await asyncio.sleep(30)

    async def main() -> None:
        async with running(Deaf(), pki, engine, OriginPolicy(max_connections=1)) as run:
            await run.send(60, timeout=0.6, body=b"x" * 100_000)

            fates = {fault.processed for fault in run.faults()}
            assert {FaultKind.TIMEOUT} == {fault.kind for fault in run.faults()}
            assert Processed.NO in fates
            assert 60 == len(run.faults())

    asyncio.run(main())


def test_a_server_that_stops_reading_for_a_while(pki: Pki, engine: str) -> None:
    """When it reads again all is sent and answered."""

    class Pausing(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream)
            if conn.requests == 10:
                await asyncio.sleep(0.4)

    async def main() -> None:
        async with running(Pausing(), pki, engine, OriginPolicy(max_connections=1)) as run:
            await run.send(60, body=b"x" * 50_000)

            assert [200] * 60 == run.statuses()

    asyncio.run(main())


def test_cancelling_frees_the_stream_and_tells_the_fate(pki: Pki, engine: str) -> None:
    """A cancelled request is reset at the server, counts as unknown once it was written, and is heard of once."""

    class Silent(Peer):
        initial = {MAX_STREAMS: 5}
        cancelled = 0

        async def on_request(self, conn: Conn, stream: Stream) -> None: ...

        async def on_cancel(self, conn: Conn, stream: Stream) -> None:
            self.cancelled += 1

    async def main() -> None:
        peer = Silent()
        async with running(peer, pki, engine, OriginPolicy(max_connections=1)) as run:
            names = [run.submit() for _ in range(8)]
            await asyncio.sleep(0.2)
            for name in names:
                run.handles[name].cancel()
                run.handles[name].cancel()
            await run.finish(names)

            fates = [fault.processed for fault in run.faults()]
            assert {FaultKind.CANCELLED} == {fault.kind for fault in run.faults()}
            assert (5, 3) == (fates.count(Processed.UNKNOWN), fates.count(Processed.NO))
            await asyncio.sleep(0.05)
            assert 5 == peer.cancelled
            assert (0, 0) == (run.transport.health()[0].streams, run.transport.health()[0].waiting)

    asyncio.run(main())


def test_cancelling_at_once_sends_nothing(pki: Pki, engine: str) -> None:
    """A request that is cancelled before the loop turns never reaches the wire."""

    async def main() -> None:
        async with running(Peer(), pki, engine) as run:
            await run.send(1)
            name = run.submit()
            run.handles[name].cancel()
            await asyncio.sleep(0.05)

            assert 1 == sum(run.ledger.whole.values())
            assert [(FaultKind.CANCELLED, Processed.NO)] == [(fault.kind, fault.processed) for fault in run.faults()]

    asyncio.run(main())


def test_closing_settles_everything(pki: Pki, engine: str) -> None:
    """``aclose`` ends every request with CLOSED, refuses new ones with NO, and leaves no connection behind."""

    class Silent(Peer):
        initial = {MAX_STREAMS: 5}

        async def on_request(self, conn: Conn, stream: Stream) -> None: ...

    async def main() -> None:
        async with running(Silent(), pki, engine, OriginPolicy(max_connections=1)) as run:
            names = [run.submit() for _ in range(8)]
            await asyncio.sleep(0.2)
            await run.transport.aclose()
            late = run.submit()
            await run.finish([*names, late])

            assert {FaultKind.CLOSED} == {fault.kind for fault in run.faults()}
            assert 4 == [fault.processed for fault in run.faults()].count(Processed.NO)

    asyncio.run(main())
