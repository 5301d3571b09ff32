"""Every form that an answer may take: padding, CONTINUATION, 1xx, trailers, pieces, sizes."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PADDED, Conn, Peer, Stream, frame, head

from pushkit.wire import FaultKind, OriginPolicy, Processed, WireFault, WireResponse

BODY = b'{"reason":"BadDeviceToken"}'


def padded(payload: bytes, length: int = 17) -> bytes:
    return bytes((length,)) + payload + bytes(length)


FORMS = {
    "plain": lambda n: frame(HEADERS, END_HEADERS, n, head(400, (b"apns-id", b"A"))) + frame(DATA, END_STREAM, n, BODY),
    "padding": lambda n: (
        frame(HEADERS, END_HEADERS | PADDED, n, padded(head(400, (b"apns-id", b"A")))) + frame(DATA, END_STREAM | PADDED, n, padded(BODY))
    ),
    "only padding": lambda n: (
        frame(HEADERS, END_HEADERS, n, head(400, (b"apns-id", b"A")))
        + frame(DATA, PADDED, n, padded(b"", 255))
        + frame(DATA, END_STREAM | PADDED, n, padded(BODY, 0))
    ),
    "priority": lambda n: (
        frame(HEADERS, END_HEADERS | 0x20, n, bytes(5) + head(400, (b"apns-id", b"A"))) + frame(DATA, END_STREAM, n, BODY)
    ),
    "CONTINUATION": lambda n: (
        frame(HEADERS, 0, n, head(400, (b"apns-id", b"A"))[:5])
        + frame(CONTINUATION, 0, n, head(400, (b"apns-id", b"A"))[5:9])
        + frame(CONTINUATION, END_HEADERS, n, head(400, (b"apns-id", b"A"))[9:])
        + frame(DATA, END_STREAM, n, BODY)
    ),
    "1xx": lambda n: (
        frame(HEADERS, END_HEADERS, n, head(100))
        + frame(HEADERS, END_HEADERS, n, head(103, (b"link", b"x")))
        + frame(HEADERS, END_HEADERS, n, head(400, (b"apns-id", b"A")))
        + frame(DATA, END_STREAM, n, BODY)
    ),
    "trailers": lambda n: (
        frame(HEADERS, END_HEADERS, n, head(400, (b"apns-id", b"A")))
        + frame(DATA, 0, n, BODY)
        + frame(HEADERS, END_HEADERS | END_STREAM, n, head()[len(head(200)) :] + b"\x00\x01t\x01v")
    ),
    "pieces": lambda n: (
        frame(HEADERS, END_HEADERS, n, head(400, (b"apns-id", b"A")))
        + b"".join(frame(DATA, 0, n, BODY[i : i + 1]) for i in range(len(BODY)))
        + frame(DATA, END_STREAM, n, b"")
    ),
}


class Forming(Peer):
    """Answers in one form, the octets in pieces so that frames are cut everywhere."""

    def __init__(self, form: str, piece: int) -> None:
        super().__init__()
        self.form = form
        self.piece = piece

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        octets = FORMS[self.form](stream.number)
        for start in range(0, len(octets), self.piece):
            conn.raw(octets[start : start + self.piece])
            if self.piece < 1000:
                await conn.flush()
                await asyncio.sleep(0)
        stream.done = True


@pytest.mark.parametrize("piece", [3, 100_000])
@pytest.mark.parametrize("form", FORMS)
def test_form(pki: Pki, engine: str, form: str, piece: int) -> None:
    """The answer is the same in every form."""

    async def main() -> None:
        async with running(Forming(form, piece), pki, engine) as run:
            results = await run.send(8)

            assert 8 == len(results)
            for result in results:
                assert isinstance(result, WireResponse)
                assert (400, BODY, b"A") == (result.status, result.body, result.header(b"apns-id"))
                assert result.connection_id > 0
            assert 1 == run.ledger.connections

    asyncio.run(main())


def test_a_body_over_the_cap(pki: Pki, engine: str) -> None:
    """A body over the cap is a fault of its own kind, the stream is reset, the others are not touched."""

    class Verbose(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            if stream.id == "r3":
                conn.raw(frame(HEADERS, END_HEADERS, stream.number, head(502)))
                for _ in range(8):
                    conn.raw(frame(DATA, 0, stream.number, b"<html>" * 1000))
                stream.done = True
            else:
                conn.answer(stream)

    async def main() -> None:
        async with running(Verbose(), pki, engine, OriginPolicy(max_response_bytes=20_000)) as run:
            results = await run.send(10)

            fault = results.pop(3)
            assert isinstance(fault, WireFault)
            assert (FaultKind.RESPONSE_TOO_LARGE, Processed.UNKNOWN) == (fault.kind, fault.processed)
            assert [200] * 9 == run.statuses()
            assert 1 == run.ledger.connections

    asyncio.run(main())


def test_many_large_bodies_do_not_exhaust_the_window(pki: Pki, engine: str) -> None:
    """Our receive windows are given back: megabytes of answers pass over one connection."""
    body = b"y" * 16_000

    class Verbose(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.raw(frame(HEADERS, END_HEADERS, stream.number, head(200)))
            for _ in range(3):
                conn.raw(frame(DATA, 0, stream.number, body))
            conn.raw(frame(DATA, END_STREAM, stream.number, body))
            conn.answered(stream)
            await conn.flush()

    async def main() -> None:
        async with running(Verbose(), pki, engine, OriginPolicy(max_response_bytes=100_000)) as run:
            await run.send(150, at_once=20)

            assert [4 * 16_000] * 150 == [len(result.body) for result in run.results.values() if isinstance(result, WireResponse)]
            assert 1 == run.ledger.connections

    asyncio.run(main())


def test_header_fields_come_back_in_order(pki: Pki, engine: str) -> None:
    """Fields keep their order and their octets, repeated ones included."""

    class Repeating(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream, 201, b"", (b"link", b"a"), (b"x", b"\xff\xfe"), (b"link", b"b"))

    async def main() -> None:
        async with running(Repeating(), pki, engine) as run:
            (result,) = await run.send(1)

            assert isinstance(result, WireResponse)
            assert [(b"link", b"a"), (b"x", b"\xff\xfe"), (b"link", b"b")] == list(result.headers)

    asyncio.run(main())


def test_answers_in_any_order(pki: Pki, engine: str) -> None:
    """Answers come in the order that the server likes, each to its own request."""

    class Backwards(Peer):
        def __init__(self) -> None:
            super().__init__()
            self.held: list[Stream] = []

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            self.held.append(stream)
            if len(self.held) == 20:
                for held in reversed(self.held):
                    conn.answer(held, 200, held.id.encode())

    async def main() -> None:
        async with running(Backwards(), pki, engine) as run:
            await run.send(20)

            bodies = {name: result.body for name, result in run.results.items() if isinstance(result, WireResponse)}
            assert {f"r{number}": f"r{number}".encode() for number in range(20)} == bodies

    asyncio.run(main())
