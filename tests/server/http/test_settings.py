"""SETTINGS at any time, flow control and the limits that follow from them, on both engines."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import HEADER_TABLE_SIZE, INITIAL_WINDOW, MAX_FRAME_SIZE, MAX_STREAMS, WINDOW, Conn, Peer, Stream, frame

from pushkit.wire import FaultKind, OriginPolicy, Processed

ONE = OriginPolicy(max_connections=1)


class Changing(Peer):
    """Changes its settings after so many requests."""

    def __init__(self, initial: dict[int, int], changes: dict[int, dict[int, int]], *, delay: float = 0.0) -> None:
        super().__init__()
        self.initial = initial
        self.changes = changes
        self.delay = delay
        self.taken = 0

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        self.taken += 1
        change = self.changes.get(self.taken)
        if change is not None:
            conn.settings(change)
        if self.delay:
            self.later(self.delay, lambda: conn.answer(stream))
        else:
            conn.answer(stream)


@pytest.mark.parametrize(
    ("initial", "changes"),
    [
        ({MAX_STREAMS: 1}, {}),
        ({MAX_STREAMS: 1}, {1: {MAX_STREAMS: 100}}),
        ({MAX_STREAMS: 100}, {20: {MAX_STREAMS: 1}, 60: {MAX_STREAMS: 100}}),
        ({MAX_STREAMS: 1000}, {5: {MAX_STREAMS: 3}, 50: {MAX_STREAMS: 7}}),
        ({}, {10: {MAX_STREAMS: 2}}),
        ({MAX_STREAMS: 50, INITIAL_WINDOW: 100}, {5: {INITIAL_WINDOW: 20}, 40: {INITIAL_WINDOW: 65535}}),
        ({MAX_STREAMS: 50, HEADER_TABLE_SIZE: 0}, {50: {HEADER_TABLE_SIZE: 65536}}),
        ({MAX_STREAMS: 50}, {5: {HEADER_TABLE_SIZE: 0}, 10: {HEADER_TABLE_SIZE: 4096}, 30: {HEADER_TABLE_SIZE: 100}}),
        ({MAX_STREAMS: 50, MAX_FRAME_SIZE: 2**20}, {}),
        ({MAX_STREAMS: 5, 6: 100}, {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("delay", [0.0, 0.005])
def test_changing_settings(pki: Pki, engine: str, initial: dict[int, int], changes: dict[int, dict[int, int]], delay: float) -> None:
    """Whatever the server allows, and when, is kept, and every request is answered."""

    async def main() -> None:
        async with running(Changing(initial, changes, delay=delay), pki, engine, ONE) as run:
            await run.send(100)

            assert [200] * 100 == run.statuses()
            assert 1 == run.ledger.connections

    asyncio.run(main())


def test_no_streams_at_first(pki: Pki, engine: str) -> None:
    """MAX_CONCURRENT_STREAMS 0 holds requests back until it is raised."""

    class Closed(Peer):
        initial = {MAX_STREAMS: 0}

        async def on_connect(self, conn: Conn) -> None:
            await super().on_connect(conn)
            self.later(0.3, lambda: conn.settings({MAX_STREAMS: 10}))

    async def main() -> None:
        async with running(Closed(), pki, engine, ONE) as run:
            start = time.monotonic()
            await run.send(30)

            assert [200] * 30 == run.statuses()
            assert time.monotonic() - start >= 0.29

    asyncio.run(main())


def test_no_streams_ever(pki: Pki, engine: str) -> None:
    """What the server never lets in ends at its deadline, NO, and nothing is kept of it."""

    class Closed(Peer):
        initial = {MAX_STREAMS: 0}

    async def main() -> None:
        async with running(Closed(), pki, engine, OriginPolicy(max_connections=2)) as run:
            await run.send(30, timeout=0.3)

            assert {(FaultKind.TIMEOUT, Processed.NO)} == {(fault.kind, fault.processed) for fault in run.faults()}
            assert 2 == run.ledger.connections
            assert 0 == run.transport.health()[0].waiting

    asyncio.run(main())


def test_shrinking_to_nothing_in_mid_flight(pki: Pki, engine: str) -> None:
    """Down to 0 with requests in flight: those are answered, the rest waits for the limit to come back."""

    class Shrinking(Peer):
        taken = 0

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            self.taken += 1
            if self.taken == 10:
                conn.settings({MAX_STREAMS: 0})
                self.later(0.2, lambda: conn.settings({MAX_STREAMS: 4}))
            self.later(0.01, lambda: conn.answer(stream))

    async def main() -> None:
        async with running(Shrinking(), pki, engine, ONE) as run:
            await run.send(150)

            assert [200] * 150 == run.statuses()

    asyncio.run(main())


def test_a_server_that_shrinks_on_each_refusal(pki: Pki, engine: str) -> None:
    """As APNs does: a rejected push lowers the limit to 1, an accepted one restores it."""

    class Throttling(Peer):
        initial = {MAX_STREAMS: 100}

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            if int(stream.id[1:]) % 20 == 7:
                conn.settings({MAX_STREAMS: 1})
                conn.answer(stream, 400, b'{"reason":"BadDeviceToken"}')
            else:
                conn.settings({MAX_STREAMS: 100})
                conn.answer(stream)

    async def main() -> None:
        async with running(Throttling(), pki, engine, ONE) as run:
            await run.send(300, at_once=100)

            assert 15 == run.statuses().count(400)
            assert 285 == run.statuses().count(200)

    asyncio.run(main())


def test_windows_smaller_than_a_body(pki: Pki, engine: str) -> None:
    """A body goes out piece by piece as the stream's window opens, and arrives whole."""
    body = bytes(range(256)) * 20
    got: list[bytes] = []

    class Narrow(Peer):
        initial = {MAX_STREAMS: 20, INITIAL_WINDOW: 100}

        async def on_data(self, conn: Conn, stream: Stream) -> None:
            if len(stream.body) < len(body):
                conn.raw(frame(WINDOW, 0, stream.number, (700).to_bytes(4, "big")))

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            got.append(bytes(stream.body))
            conn.answer(stream)

    async def main() -> None:
        async with running(Narrow(), pki, engine, ONE) as run:
            await run.send(50, body=body)

            assert [200] * 50 == run.statuses()
            assert [body] * 50 == got

    asyncio.run(main())


def test_the_connection_window_is_kept(pki: Pki, engine: str) -> None:
    """65535 octets for all streams together, until the server gives more."""

    class Strict(Peer):
        initial = {MAX_STREAMS: 100, INITIAL_WINDOW: 65535}
        received = 0

        async def on_connect(self, conn: Conn) -> None:
            conn.auto_window = False
            await super().on_connect(conn)

        async def on_data(self, conn: Conn, stream: Stream) -> None:
            if conn._window < 1000:
                conn._window += 60000
                conn.raw(frame(WINDOW, 0, 0, (60000).to_bytes(4, "big")))

    async def main() -> None:
        async with running(Strict(), pki, engine, ONE) as run:
            await run.send(60, body=b"x" * 5000)

            assert [200] * 60 == run.statuses()

    asyncio.run(main())


def test_a_body_over_many_frames(pki: Pki, engine: str) -> None:
    """A body larger than a frame is cut at the server's frame size."""
    body = b"0123456789" * 6000

    class Roomy(Peer):
        initial = {MAX_STREAMS: 10, INITIAL_WINDOW: 2**20}

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream, 200 if stream.body == body else 500)

    async def main() -> None:
        async with running(Roomy(), pki, engine, ONE) as run:
            await run.send(5, body=body)

            assert [200] * 5 == run.statuses()

    asyncio.run(main())
