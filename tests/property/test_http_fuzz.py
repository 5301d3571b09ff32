"""Any octets as the server's side: no exception escapes, every request ends, never wrongly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.http2.engine import choose_engine
from pushkit.http.loop_clock import LoopClock
from pushkit.wire import HeaderBlock, Origin, OriginPolicy, Processed, WireFault, WireRequest, WireResponse, WireResult

REQUESTS = 4
SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
STATUS_200 = b"\x88"


class Stream:
    """A stream that goes nowhere."""

    closed = False

    def __init__(self) -> None:
        self.written = b""

    def start(self, receiver: object) -> None: ...

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written += data

    def close(self) -> None:
        self.closed = True


class Owner:
    """A pool that only keeps what comes back."""

    answers = 0

    def __init__(self) -> None:
        self.back: list[Exchange] = []
        self.lost = 0

    def on_room(self, connection: Http2Connection) -> None: ...
    def on_leaving(self, connection: Http2Connection) -> None: ...

    def on_lost(self, connection: Http2Connection) -> None:
        self.lost += 1

    def take_back(self, exchanges: Iterable[Exchange]) -> None:
        self.back.extend(exchanges)

    def refused(self, exchanges: Sequence[Exchange], connection_id: int, detail: str) -> None:
        self.back.extend(exchanges)


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


IDS = st.sampled_from([0, 1, 2, 3, 5, 7, 9, 1001, 2**31 - 1])
HEADS = st.sampled_from(
    [
        STATUS_200,
        b"\x8d",
        b"\x00\x07:status\x03410",
        b"\x00\x01a\x01b",
        b"\x88\x00\x01U\x01x",
        b"\x48\x03\x32\x30\x30",
        b"\x3f\xe1\x1f",
        b"\xff\xff\xff",
    ]
)
FRAMES = st.one_of(
    st.builds(frame, st.just(1), st.sampled_from([0, 1, 4, 5, 5, 5, 0xD, 0x25]), IDS, HEADS),
    st.builds(frame, st.just(0), st.sampled_from([0, 1, 1, 8, 9]), IDS, st.binary(max_size=30)),
    st.builds(frame, st.just(3), st.just(0), IDS, st.sampled_from([bytes(4), b"\0\0\0\x07", b"\0\0\0\x08", b"\0"])),
    st.builds(
        frame,
        st.just(4),
        st.sampled_from([0, 1]),
        st.just(0),
        st.sampled_from([b"", b"\0\3\0\0\0\0", b"\0\3\0\0\0\2", b"\0\4\0\0\0\0", b"\0\1\0\0\0\0", b"\0\5\0\0\0\1"]),
    ),
    st.builds(frame, st.just(6), st.sampled_from([0, 1]), st.just(0), st.sampled_from([bytes(8), b"pushkit?", b"x"])),
    st.builds(
        frame,
        st.just(7),
        st.just(0),
        st.just(0),
        st.sampled_from([bytes(8), b"\0\0\0\3" + bytes(4), b"\x7f\xff\xff\xff" + bytes(4) + b'{"reason":"Shutdown"}']),
    ),
    st.builds(frame, st.just(8), st.just(0), IDS, st.sampled_from([bytes(4), b"\0\0\1\0", b"\x7f\xff\xff\xff"])),
    st.builds(frame, st.just(9), st.sampled_from([0, 4]), IDS, HEADS),
    st.builds(frame, st.integers(0, 255), st.integers(0, 255), IDS, st.binary(max_size=40)),
    st.binary(max_size=60),
)


@st.composite
def mutated(draw: st.DrawFn) -> list[bytes]:
    """Reads: frames of all kinds, sometimes with an octet changed, cut anywhere."""
    octets = bytearray(b"".join(draw(st.lists(FRAMES, max_size=15))))
    for _ in range(draw(st.integers(0, 3))):
        if octets:
            octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    cuts = sorted(draw(st.lists(st.integers(0, len(octets)), max_size=5)))
    return [bytes(octets[start:end]) for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]


@pytest.mark.parametrize("engine", ["ngh2", "h2"])
@given(reads=mutated(), first=st.booleans(), body=st.sampled_from([b"", b"x", b"y" * 70_000]))
def test_any_octets(engine: str, reads: list[bytes], first: bool, body: bytes) -> None:
    """Every request ends exactly once: answered, failed, or given back as provably unprocessed."""
    _, factory = choose_engine(engine)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        problems: list[object] = []
        loop.set_exception_handler(lambda _, context: problems.append(context))
        owner, stream = Owner(), Stream()
        connection = Http2Connection(owner, factory("https", "localhost"), OriginPolicy(max_response_bytes=50), LoopClock(), loop)
        connection.start(stream)  # type: ignore[arg-type]  # what of TlsStream a connection uses
        if first:
            connection.data_received(SETTINGS)
        heard: dict[int, list[WireResult]] = {number: [] for number in range(REQUESTS)}
        exchanges: list[Exchange] = []
        for number in range(REQUESTS):
            request = WireRequest(b"POST", Origin("localhost"), b"/", HeaderBlock([(b"a", b"b")]), (), body, 0.0)
            exchange = Exchange(request, heard[number].append)
            exchanges.append(exchange)
            connection.assign(exchange)
        await asyncio.sleep(0)
        for read in reads:
            connection.data_received(read)
            await asyncio.sleep(0)
        exchanges[0].cancel()
        await asyncio.sleep(0)
        if not connection.closed:
            connection.connection_lost(None)
        await asyncio.sleep(0)

        assert [] == problems
        assert 1 == owner.lost
        assert (0, True) == (connection.load, connection.closed)
        for number, exchange in enumerate(exchanges):
            back = owner.back.count(exchange)
            assert 1 == len(heard[number]) + (back if exchange.done is not None else 0)
            for result in heard[number]:
                assert isinstance(result, WireResponse | WireFault)
                if isinstance(result, WireFault) and result.processed is Processed.NO:
                    assert number == 0  # cancelled before it was whole
                if isinstance(result, WireResponse):
                    assert 100 <= result.status <= 999
                    assert len(result.body) <= 50
        if connection._ping_timer is not None:
            raise AssertionError("a timer was left behind")

    asyncio.run(main())
