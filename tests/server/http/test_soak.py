"""
Full speed against a server that misbehaves at random: the ledger must be exact however long it runs.

By hand for ten minutes: ``PUSHKIT_SOAK_SECONDS=600 python -m pytest tests/server/http/test_soak.py --full``.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time

import pytest
from tests.server.http.bench import Run, running
from tests.server.http.conftest import Pki
from tests.server.http.peer import DATA, END_HEADERS, HEADERS, INITIAL_WINDOW, MAX_STREAMS, Conn, Peer, Stream, frame, head

from pushkit.http.exchange import Exchange
from pushkit.wire import FaultKind, OriginPolicy, Processed, WireFault

IN_FLIGHT = 150


class Chaos(Peer):
    """Every fault of the matrix, by lot, with a seed."""

    initial = {MAX_STREAMS: 60, INITIAL_WINDOW: 300}

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.lot = random.Random(seed)
        self.did: dict[str, int] = {}

    def note(self, what: str) -> None:
        self.did[what] = self.did.get(what, 0) + 1

    async def on_connect(self, conn: Conn) -> None:
        if self.lot.random() < 0.01:
            self.note("dropped connection")
            conn.abort()
            return
        await super().on_connect(conn)

    async def on_data(self, conn: Conn, stream: Stream) -> None:
        if not stream.dropped:
            conn.raw(frame(8, 0, stream.number, (500).to_bytes(4, "big")))

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        if conn.gone:
            return
        draw = self.lot.random()
        if draw < 0.90:
            delay = self.lot.choice([0, 0, 0, 0.001, 0.01])
            if delay:
                self.later(delay, lambda: self.finish(conn, stream))
            else:
                self.finish(conn, stream)
        elif draw < 0.93:
            self.note("refused")
            conn.rst(stream, 7)
        elif draw < 0.945:
            self.note("reset")
            conn.rst(stream, self.lot.choice([0, 1, 2, 8, 11]))
        elif draw < 0.95:
            self.note("silence")
        elif draw < 0.955:
            self.note("half an answer")
            conn.raw(frame(HEADERS, END_HEADERS, stream.number, head(200)) + frame(DATA, 0, stream.number, b"{"))
        elif draw < 0.975:
            self.note("settings")
            conn.settings({MAX_STREAMS: self.lot.choice([0, 1, 5, 60]), INITIAL_WINDOW: self.lot.choice([100, 300, 65535])})
            self.later(0.01, lambda: conn.settings({MAX_STREAMS: 60}))
            self.finish(conn, stream)
        elif draw < 0.9955:
            conn.raw(frame(0xF0, 1, stream.number, b"grease") + frame(6, 0, 0, b"12345678"))
            self.finish(conn, stream)
        elif draw < 0.9985:
            self.note("goaway")
            numbers = [0, stream.number, 2**31 - 1, max(1, stream.number - 2 * self.lot.randrange(30))]
            conn.goaway(self.lot.choice(numbers), 0, b'{"reason":"Shutdown"}')
            if stream.number <= conn.goaway_last:
                self.finish(conn, stream)
            self.later(self.lot.choice([0, 0.02, 0.1]), conn.close)
        elif draw < 0.9993:
            self.note("tcp reset")
            conn.abort()
        else:
            self.note("nonsense")
            conn.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            conn.gone = True  # it answers nothing more
            self.later(0.05, conn.close)

    def finish(self, conn: Conn, stream: Stream) -> None:
        if conn.gone or stream.dropped or stream.number > conn.goaway_last:
            return
        if self.lot.random() < 0.05:
            conn.answer(stream, 410, b'{"reason":"Unregistered","timestamp":1700000000000}')
        else:
            conn.answer(stream)


class Unabortable(Run):
    """Answers that a reset of TCP or a close in mid-air destroyed were never on the wire: they are left out of the count."""

    def check(self) -> None:
        for name in [name for name, times in self.ledger.answered.items() if times and self.lost_on_the_way(name)]:
            self.ledger.answered[name] = 0
        super().check()

    def lost_on_the_way(self, name: str) -> bool:
        result = self.results.get(name)
        return isinstance(result, WireFault) and result.kind is FaultKind.CONNECTION_LOST and result.processed is Processed.UNKNOWN


async def soak(pki: Pki, engine: str, seconds: float, seed: int) -> None:
    peer = Chaos(seed)
    async with running(peer, pki, engine, OriginPolicy(max_connections=3, ping_timeout=0.5), kind=Unabortable) as run:
        end = time.monotonic() + seconds

        def submit() -> None:
            if time.monotonic() < end:
                run.submit(timeout=0.6, body=b"x" * peer.lot.choice([20, 200, 900]), then=again)

        def again() -> None:
            if run.transport.health()[0].connections:
                submit()
            else:
                asyncio.get_running_loop().call_later(0.05, submit)  # as a caller would that hears of failed connections

        for _ in range(IN_FLIGHT):
            submit()
        await asyncio.sleep(seconds)
        await run.finish()

        lost = sum(run.lost_on_the_way(name) for name, times in run.ledger.answered.items() if times)
        endings = (
            peer.did.get("tcp reset", 0) + peer.did.get("goaway", 0) + peer.did.get("nonsense", 0) + peer.did.get("dropped connection", 0)
        )
        assert lost <= 60 * endings
        assert len(run.results) > 100 * seconds
        assert len(run.statuses()) > 0.5 * len(run.results)
        assert {"refused", "reset", "silence", "settings"} <= set(peer.did)
        state = run.transport.health()[0]
        assert (0, 0) == (state.streams, state.waiting)
        run.handles = dict.fromkeys(run.handles)  # type: ignore[arg-type]  # names only: whatever else lives is a leak
        gc.collect()
        assert [] == [one for one in gc.get_objects() if isinstance(one, Exchange)]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_short_soak(pki: Pki, engine: str, seed: int) -> None:
    """Two seconds of it."""
    asyncio.run(soak(pki, engine, 2.0, seed))


@pytest.mark.full
def test_a_long_soak(pki: Pki, engine: str) -> None:
    """Twenty seconds, or as long as the environment says."""
    seconds = float(os.environ.get("PUSHKIT_SOAK_SECONDS", "20"))
    asyncio.run(soak(pki, engine, seconds, random.randrange(10**6)))
