"""RST_STREAM with every code, at every moment of a request: the fault matrix, point 3 of what http has to show."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import DATA, END_HEADERS, HEADERS, INITIAL_WINDOW, MAX_STREAMS, Conn, Peer, Stream, frame, head

from pushkit.wire import FaultKind, Processed

CODES = [*range(14), 0x99]
EVERY = 5
COUNT = 20


class Resetting(Peer):
    """Resets one request in five, once for each."""

    def __init__(self, code: int, when: str) -> None:
        super().__init__()
        self.code = code
        self.when = when
        self.seen: set[str] = set()
        if when == "before the body":
            self.initial = {MAX_STREAMS: 100, INITIAL_WINDOW: 0}

    def chosen(self, stream: Stream) -> bool:
        if stream.id in self.seen or int(stream.id[1:]) % EVERY:
            return False
        self.seen.add(stream.id)
        return True

    async def on_headers(self, conn: Conn, stream: Stream) -> None:
        if self.when == "before the body":
            if self.chosen(stream):
                conn.rst(stream, self.code)
            else:
                conn.raw(frame(8, 0, stream.number, (1000).to_bytes(4, "big")))

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        if self.when == "before the body" or not self.chosen(stream):
            conn.answer(stream)
        elif self.when == "before the head":
            conn.rst(stream, self.code)
        else:
            conn.raw(frame(HEADERS, END_HEADERS, stream.number, head(200, (b"content-length", b"10"))))
            if self.when == "within the body":
                conn.raw(frame(DATA, 0, stream.number, b"12345"))
            stream.done = stream.dropped = True
            conn.raw(frame(3, 0, stream.number, self.code.to_bytes(4, "big")))


@pytest.mark.parametrize("when", ["before the body", "before the head", "before the body of the answer", "within the body"])
@pytest.mark.parametrize("code", CODES)
def test_reset(pki: Pki, engine: str, code: int, when: str) -> None:
    """REFUSED_STREAM before any answer is sent again by itself; every other reset is a fault of unknown fate."""

    async def main() -> None:
        async with running(Resetting(code, when), pki, engine) as run:
            await run.send(COUNT)

            if code == 7 and when in {"before the body", "before the head"}:
                assert [200] * COUNT == run.statuses()
            else:
                assert COUNT - COUNT // EVERY == len(run.statuses())
                assert {(FaultKind.CONNECTION_LOST, Processed.UNKNOWN)} == {(fault.kind, fault.processed) for fault in run.faults()}
            assert 1 == run.ledger.connections

    asyncio.run(main())


@pytest.mark.parametrize("code", [0, 7, 8])
def test_reset_after_a_complete_answer_changes_nothing(pki: Pki, engine: str, code: int) -> None:
    """A server may answer early and then reset the stream (RFC 9113 section 8.1): the answer counts."""

    class Early(Peer):
        initial = {MAX_STREAMS: 100, INITIAL_WINDOW: 4}

        async def on_headers(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream, 413, b'{"reason":"PayloadTooLarge"}')
            conn.rst(stream, code)

    async def main() -> None:
        async with running(Early(), pki, engine) as run:
            await run.send(COUNT)

            assert [413] * COUNT == run.statuses()

    asyncio.run(main())


def test_refusing_everything_ends_in_a_fault(pki: Pki, engine: str) -> None:
    """Sending again stops when the server gets nothing done at all: NOT_SENT, and soon."""

    class Refusing(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.rst(stream, 7)

    async def main() -> None:
        async with running(Refusing(), pki, engine) as run:
            await run.send(COUNT)

            assert {(FaultKind.REFUSED_STREAM, Processed.NO)} == {(fault.kind, fault.processed) for fault in run.faults()}
            assert COUNT == len(run.faults())
            assert sum(run.ledger.whole.values()) <= 3 * COUNT

    asyncio.run(main())


def test_refusing_half_by_lot_loses_nothing(pki: Pki, engine: str) -> None:
    """As long as others are answered, a refused request goes on trying."""

    class Choosy(Peer):
        count = 0

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            self.count += 1
            if self.count * 7 % 10 < 6:
                conn.rst(stream, 7)
            else:
                conn.answer(stream)

    async def main() -> None:
        async with running(Choosy(), pki, engine) as run:
            await run.send(200, at_once=50)

            assert [200] * 200 == run.statuses()

    asyncio.run(main())
