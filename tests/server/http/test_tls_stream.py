"""The stream below a connection: loops without readiness, failed writes, broken records."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any, NoReturn

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import MAX_STREAMS, Conn, Peer, Stream

from pushkit.http.tls_stream import TlsStream
from pushkit.wire import OriginPolicy


class NoReadiness(asyncio.SelectorEventLoop):
    """A loop that knows no readiness, like Windows' proactor loop."""

    def add_reader(self, *_: Any) -> NoReturn:
        raise NotImplementedError

    add_writer = remove_reader = remove_writer = add_reader


def test_a_loop_without_readiness(pki: Pki, engine: str) -> None:
    """Where the loop cannot watch a socket, tasks read and write; everything else is the same."""

    class Slow(Peer):
        initial = {MAX_STREAMS: 20, 4: 2**20}

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream, 200, b"z" * 5000)

    async def main() -> None:
        async with running(Slow(), pki, engine, OriginPolicy(max_connections=2)) as run:
            await run.send(100, body=b"x" * 30_000)

            assert [200] * 100 == run.statuses()
        assert 1 == len(asyncio.all_tasks())

    with asyncio.Runner(loop_factory=NoReadiness) as runner:
        runner.run(main())


class Heard:
    """Notes what a stream tells."""

    def __init__(self) -> None:
        self.data = b""
        self.ends: list[Exception | None] = []
        self.paused = 0
        self.resumed = 0

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ends.append(exc)

    def pause_writing(self) -> None:
        self.paused += 1

    def resume_writing(self) -> None:
        self.resumed += 1


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets, the first one not blocking."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    return ours, theirs


@pytest.mark.parametrize("how", ["reset", "close"])
def test_what_arrived_is_read_before_a_failed_write_ends_it(how: str) -> None:
    """A peer that answers and goes away: the write fails, the answer is still delivered."""
    import struct

    async def main() -> None:
        ours, theirs = pair()
        stream, heard = TlsStream(ours, None, ""), Heard()
        stream.start(heard)
        theirs.sendall(b"the answer")
        if how == "reset":
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        for _ in range(50):
            stream.write(b"x" * 100_000)  # before the loop looks at the socket
        for _ in range(50):
            await asyncio.sleep(0.01)
            if heard.ends:
                break

        assert b"the answer" == heard.data
        assert 1 == len(heard.ends)
        assert stream.closed

    asyncio.run(main())


def test_back_pressure() -> None:
    """What the socket does not take is kept, in order, and the receiver is told to pause and to go on."""

    async def main() -> None:
        ours, theirs = pair()
        stream, heard = TlsStream(ours, None, ""), Heard()
        stream.start(heard)
        sent = b"".join(bytes((number,)) * 100_000 for number in range(60))
        for start in range(0, len(sent), 100_000):
            stream.write(sent[start : start + 100_000])
        assert (1, 0) == (heard.paused, heard.resumed)

        theirs.settimeout(5)
        got = bytearray()
        while len(got) < len(sent):
            got += theirs.recv(500_000)
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert sent == bytes(got)
        assert 1 == heard.resumed
        stream.close()
        theirs.close()

    asyncio.run(main())


def test_closing_is_silent_and_final() -> None:
    """After ``close`` nothing is told and nothing is written; the peer sees the end."""

    async def main() -> None:
        ours, theirs = pair()
        stream, heard = TlsStream(ours, None, ""), Heard()
        stream.start(heard)
        stream.close()
        stream.close()
        stream.write(b"late")
        await asyncio.sleep(0.02)

        assert b"" == theirs.recv(100)
        assert [] == heard.ends
        theirs.close()

    asyncio.run(main())


def test_answers_before_a_broken_record_are_delivered(pki: Pki) -> None:
    """TLS records that were whole count, also when the next one in the same read is broken."""
    context = pki.server_context()

    async def main() -> None:
        ours, theirs = pair()
        stream, heard = TlsStream(ours, pki.client_context(), "localhost"), Heard()

        def serve() -> None:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            server = context.wrap_bio(incoming, outgoing, server_side=True)
            while True:
                try:
                    server.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    theirs.sendall(outgoing.read())
                    incoming.write(theirs.recv(65536))
            server.write(b"one")
            server.write(b"two")
            theirs.sendall(outgoing.read() + b"\x17\x03\x03\x00\x20" + b"\x55" * 32)

        serving = asyncio.get_running_loop().run_in_executor(None, serve)
        await stream.handshake()
        await serving
        stream.start(heard)
        for _ in range(50):
            await asyncio.sleep(0.01)
            if heard.ends:
                break

        assert b"onetwo" == heard.data
        assert isinstance(heard.ends[0], ssl.SSLError)
        theirs.close()

    asyncio.run(main())
