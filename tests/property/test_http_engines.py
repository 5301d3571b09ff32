"""The two engines side by side: what a server may say means the same to both, however it is cut into reads."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from tests.property.test_http_fuzz import SETTINGS, Owner, Stream, frame

from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.http2.engine import choose_engine
from pushkit.http.loop_clock import LoopClock
from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireRequest, WireResponse, WireResult

REQUESTS = 5
_STATUS = {200: b"\x88", 404: b"\x8d", 410: b"\x48\x03410", 103: b"\x08\x03103"}
_TRAILERS = b"\x00\x01t\x01z"


@st.composite
def answer(draw: st.DrawFn, stream_id: int, *, wrong: bool) -> list[bytes]:
    """The frames of one answer, perhaps with a wrong content-length, perhaps broken off or followed by a reset."""
    frames: list[bytes] = [frame(1, 4, stream_id, _STATUS[103]) for _ in range(draw(st.integers(0, 2)))]
    body = draw(st.lists(st.binary(max_size=20), max_size=3))
    ends = draw(st.sampled_from(["body", "trailers", "head"]))
    status = _STATUS[draw(st.sampled_from([200, 404, 410]))] + b"\x40\x01x\x01y"
    if draw(st.booleans()):
        length = 7 if wrong else sum(map(len, body)) if ends != "head" else 0
        status += b"\x0f\x0d" + bytes((len(b"%d" % length),)) + b"%d" % length  # content-length
    cut = draw(st.integers(0, len(status)))
    last = 1 if ends == "head" else 0
    frames.append(frame(1, last, stream_id, status[:cut]) + frame(9, 4, stream_id, status[cut:]))
    if ends != "head":
        for part in body:
            padding = draw(st.sampled_from([b"", bytes(5)]))
            frames.append(frame(0, 8, stream_id, bytes((len(padding),)) + part + padding) if padding else frame(0, 0, stream_id, part))
        frames.append(frame(0, 1, stream_id, b"") if ends == "body" else frame(1, 5, stream_id, _TRAILERS))
    if not wrong and draw(st.integers(0, 3)) == 0:
        frames = frames[: draw(st.integers(0, len(frames)))]
        frames.append(frame(3, 0, stream_id, bytes((0, 0, 0, draw(st.sampled_from([0, 2, 7, 8, 11]))))))
    return frames


@st.composite
def scripts(draw: st.DrawFn) -> list[bytes]:
    """Answers to some requests in any order, frames interleaved, with settings, pings, windows and at most two goodbyes between."""
    # A server that takes back in the same breath what it answered wrongly is believed by one engine and not by the other.
    wrong = draw(st.booleans())
    queues = [
        draw(answer(stream_id, wrong=wrong)) for stream_id in draw(st.permutations([1, 3, 5, 7, 9]))[: draw(st.integers(0, REQUESTS))]
    ]
    between = st.sampled_from(
        [
            frame(4, 0, 0, b"\0\3\0\0\0\2"),
            frame(4, 0, 0, b"\0\1\0\0\0\0"),
            frame(4, 0, 0, b"\0\4\0\1\0\0"),
            frame(6, 0, 0, bytes(8)),
            frame(8, 0, 0, b"\0\0\1\0"),
            frame(0xF0, 0xFF, 0, b"grease"),
        ]
    )
    queues.append(draw(st.lists(between, max_size=4)))
    lasts = sorted(draw(st.lists(st.sampled_from([2**31 - 1, 9, 5, 1, 0]), max_size=0 if wrong else 2)), reverse=True)
    queues.append([frame(7, 0, 0, last.to_bytes(4, "big") + bytes(4)) for last in lasts])
    octets = b""
    while queues := [queue for queue in queues if queue]:
        octets += queues[draw(st.integers(0, len(queues) - 1))].pop(0)
    cuts = sorted(draw(st.lists(st.integers(0, len(octets)), max_size=4)))
    return [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]


async def outcome(engine: str, reads: list[bytes], body: bytes) -> list[object]:
    """What became of each request."""
    _, factory = choose_engine(engine)
    owner, stream = Owner(), Stream()
    policy = OriginPolicy(max_response_bytes=50)
    connection = Http2Connection(owner, factory("https", "localhost"), policy, LoopClock(), asyncio.get_running_loop())
    connection.start(stream)  # type: ignore[arg-type]  # what of TlsStream a connection uses
    connection.data_received(SETTINGS)
    heard: list[list[WireResult]] = [[] for _ in range(REQUESTS)]
    exchanges = [
        Exchange(WireRequest(b"POST", Origin("localhost"), b"/", HeaderBlock([(b"a", b"b")]), (), body, 0.0), results.append)
        for results in heard
    ]
    for exchange in exchanges:
        connection.assign(exchange)
    await asyncio.sleep(0)
    for read in reads:
        connection.data_received(read)
        await asyncio.sleep(0)
    connection.connection_lost(None)
    found: list[object] = []
    for exchange, results in zip(exchanges, heard, strict=True):
        if exchange in owner.back:
            found.append("sent again")
        for result in results:
            if isinstance(result, WireResponse):
                found.append((result.status, list(result.headers), result.body))
            else:
                found.append((result.kind, result.processed))
    return found


@given(reads=scripts(), body=st.sampled_from([b"", b"x", b"y" * 30_000]))
def test_both_engines_say_the_same(reads: list[bytes], body: bytes) -> None:
    """The same answers, the same faults with the same fates, the same requests sent again."""
    assert asyncio.run(outcome("ngh2", reads, body)) == asyncio.run(outcome("h2", reads, body))
