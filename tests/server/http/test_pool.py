"""The pool over real sockets: growth, first streams, credentials of a connection, PING, ages, back-off, hygiene."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import MAX_STREAMS, Conn, Peer, Stream

from pushkit.wire import FaultKind, OriginPolicy, Processed, WireFault, WireResponse


class Slow(Peer):
    """Answers after a while."""

    delay = 0.1

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        self.later(self.delay, lambda: conn.answer(stream))


def test_another_connection_when_streams_run_out(pki: Pki, engine: str) -> None:
    """Connections grow with the requests that wait, up to the policy's number and no further."""

    class Few(Slow):
        initial = {MAX_STREAMS: 5}

    async def main() -> None:
        async with running(Few(), pki, engine, OriginPolicy(max_connections=3)) as run:
            await run.send(60)

            assert [200] * 60 == run.statuses()
            assert 3 == run.ledger.connections

    asyncio.run(main())


def test_the_policy_caps_streams(pki: Pki, engine: str) -> None:
    """``max_streams`` holds below what the server would allow."""

    class Counting(Slow):
        most = 0

        async def on_headers(self, conn: Conn, stream: Stream) -> None:
            self.most = max(self.most, sum(not other.done for other in conn.streams.values()))

    async def main() -> None:
        peer = Counting()
        async with running(peer, pki, engine, OriginPolicy(max_connections=1, max_streams=7)) as run:
            await run.send(30)

            assert 7 == peer.most

    asyncio.run(main())


def test_requests_to_one_origin_are_capped(pki: Pki, engine: str) -> None:
    """``max_in_flight`` holds over all connections of an origin."""

    class Counting(Slow):
        initial = {MAX_STREAMS: 4}
        most = 0

        async def on_headers(self, conn: Conn, stream: Stream) -> None:
            self.most = max(self.most, sum(not other.done for one in self.conns for other in one.streams.values()))

    async def main() -> None:
        peer = Counting()
        async with running(peer, pki, engine, OriginPolicy(max_connections=4, max_in_flight=6)) as run:
            await run.send(30)

            assert [200] * 30 == run.statuses()
            assert 6 == peer.most

    asyncio.run(main())


def test_one_stream_until_the_first_good_answer(pki: Pki, engine: str) -> None:
    """With provider tokens APNs allows one stream until one was accepted; an answer 403 does not count."""

    class Locked(Peer):
        initial = {MAX_STREAMS: 100}
        open_at: list[int] = []

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            now_open = sum(not other.done for other in conn.streams.values())
            if conn.requests <= 3:
                assert 1 == now_open, f"{now_open} streams before the first good answer"
            status = 403 if conn.requests <= 2 else 200
            self.later(0.02, lambda: conn.answer(stream, status))

    async def main() -> None:
        policy = OriginPolicy(first_streams=1, locked_statuses=frozenset({403}))
        async with running(Locked(), pki, engine, policy) as run:
            await run.send(30)

            assert 2 == run.statuses().count(403)
            assert 28 == run.statuses().count(200)
            assert 1 == run.ledger.connections

    asyncio.run(main())


class Tokens:
    """A credential that belongs to a connection: each slot gets its own value."""

    def __init__(self) -> None:
        self.made = 0
        self.refused: list[object] = []

    def header(self, slot: object | None, now: float) -> tuple[bytes, object]:
        assert abs(now - time.time()) < 5
        if slot is None:
            self.made += 1
            slot = f"token-{self.made}"
        return f"bearer {slot}".encode(), slot

    def rejected(self, slot: object | None) -> None:
        self.refused.append(slot)


def test_each_connection_has_its_own_credential(pki: Pki, engine: str) -> None:
    """The slot of a connection stays on it, and a rejected one is reported before the next connection gets a new one."""
    seen: list[tuple[int, bytes | None]] = []

    class Noting(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            seen.append((conn.number, stream.header(b"authorization")))
            conn.answer(stream)

    async def main() -> None:
        tokens = Tokens()
        async with running(Noting(), pki, engine) as run:
            (first, *_) = await run.send(5, auth=tokens)
            assert isinstance(first, WireResponse)
            run.transport.retire(first.connection_id, rejected=True)
            (second, *_) = await run.send(5, auth=tokens)

            assert isinstance(second, WireResponse)
            assert first.connection_id != second.connection_id
            assert [(1, b"bearer token-1")] * 5 + [(2, b"bearer token-2")] * 5 == seen
            assert ["token-1"] == tokens.refused

    asyncio.run(main())


def test_a_rejected_credential_is_reported_once(pki: Pki, engine: str) -> None:
    """However many answers say that a connection's credential was refused, it is rejected once."""

    async def main() -> None:
        tokens = Tokens()
        async with running(Slow(), pki, engine) as run:
            names = [run.submit(auth=tokens) for _ in range(3)]
            await run.finish(names)
            more = [run.submit(auth=tokens) for _ in range(3)]
            await asyncio.sleep(0.03)
            for name in names:
                result = run.results[name]
                run.transport.retire(result.connection_id, rejected=True)
            await run.finish(more)

            assert ["token-1"] == tokens.refused

    asyncio.run(main())


def test_idle_connections_are_closed(pki: Pki, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``idle_timeout`` closes a connection that nobody uses, and then nothing is kept of its origin."""
    monkeypatch.setattr("pushkit.http.transport.SWEEP_EVERY", 0.05)

    async def main() -> None:
        async with running(Peer(), pki, engine, OriginPolicy(idle_timeout=0.15)) as run:
            await run.send(1)
            assert 1 == run.transport.health()[0].connections
            await asyncio.sleep(0.4)
            assert [] == list(run.transport.health())
            await run.send(1)
            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_strangers_origins_are_bounded(pki: Pki, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap the oldest origin that nobody uses gives way."""
    monkeypatch.setattr("pushkit.http.transport.MAX_POOLS", 3)

    async def main() -> None:
        async with running(Peer(), pki, engine) as run:
            for key in range(6):
                await run.send(1, pool_key=key)

            assert 3 == len(run.transport.health())
            assert 6 == len(run.statuses())

    asyncio.run(main())


def test_pool_keys_separate_connections(pki: Pki, engine: str) -> None:
    """Requests with different pool keys never share a connection, and ``forget`` drains one key's alone."""

    async def main() -> None:
        async with running(Peer(), pki, engine) as run:
            (one,) = await run.send(1, pool_key="team one")
            (two,) = await run.send(1, pool_key="team two")
            run.transport.forget("team one")
            (again,) = await run.send(1, pool_key="team two")
            (fresh,) = await run.send(1, pool_key="team one")

            numbers = [result.connection_id for result in (one, two, again, fresh)]
            assert 3 == len(set(numbers))
            assert numbers[1] == numbers[2]

    asyncio.run(main())


def test_retiring_lets_requests_finish(pki: Pki, engine: str) -> None:
    """A retired connection answers what it has; new requests go to another; then it is closed."""

    async def main() -> None:
        async with running(Slow(), pki, engine) as run:
            (first,) = await run.send(1)
            names = [run.submit() for _ in range(10)]
            await asyncio.sleep(0.03)
            run.transport.retire(first.connection_id)
            run.transport.retire(123456789)
            await run.send(3)
            await run.finish(names)

            assert [200] * 14 == run.statuses()
            assert 2 == run.ledger.connections
            await asyncio.sleep(0.05)
            assert [True, False] == [conn.gone for conn in run.peer.conns]

    asyncio.run(main())


def test_a_connection_idle_too_long_is_asked_first(pki: Pki, engine: str) -> None:
    """After ``ping_after`` a PING goes before the request, and the answer keeps the connection."""

    async def main() -> None:
        async with running(Peer(), pki, engine, OriginPolicy(ping_after=0.1)) as run:
            await run.send(1)
            await asyncio.sleep(0.2)
            await run.send(1)

            assert (1, 1) == (run.ledger.pings, run.ledger.connections)
            assert [200, 200] == run.statuses()

    asyncio.run(main())


def test_a_connection_that_died_in_silence_costs_nobody_an_unknown(pki: Pki, engine: str) -> None:
    """Without an answer to that PING the request goes over a new connection, whole and once."""

    class Dead(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.answer(stream)
            if conn.number == 1:
                conn.stop_reading()
                await asyncio.sleep(30)

    async def main() -> None:
        async with running(Dead(), pki, engine, OriginPolicy(ping_after=0.1, ping_timeout=0.2)) as run:
            await run.send(1)
            await asyncio.sleep(0.2)
            await run.send(5)

            assert [200] * 6 == run.statuses()
            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_a_stalled_connection_is_replaced(pki: Pki, engine: str) -> None:
    """A deadline that passes without any sign of life makes the connection suspect; the next requests go elsewhere."""

    class Stalling(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            if conn.number == 1:
                conn.stop_reading()
                await asyncio.sleep(30)
            conn.answer(stream)

    async def main() -> None:
        async with running(Stalling(), pki, engine, OriginPolicy(ping_timeout=0.2)) as run:
            await run.send(2, timeout=0.2)
            await run.send(5)

            assert [200] * 5 == run.statuses()
            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_an_old_connection_is_replaced(pki: Pki, engine: str) -> None:
    """``max_age`` retires a connection."""

    async def main() -> None:
        async with running(Peer(), pki, engine, OriginPolicy(max_age=0.2)) as run:
            await run.send(1)
            await asyncio.sleep(0.25)
            await run.send(1)

            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_back_off_while_connecting_fails(pki: Pki, engine: str) -> None:
    """A server that takes connections and drops them at once is not stormed, however many requests come."""

    class Dropping(Peer):
        async def on_connect(self, conn: Conn) -> None:
            conn.abort()

    async def main() -> None:
        async with running(Dropping(), pki, engine) as run:
            end = time.monotonic() + 1.2
            while time.monotonic() < end:
                run.submit(timeout=0.3)
                await asyncio.sleep(0.005)
            await run.finish()

            assert run.ledger.connections <= 4
            assert {Processed.NO} == {fault.processed for fault in run.faults()}

    asyncio.run(main())


def test_back_off_when_connections_end_unused(pki: Pki, engine: str) -> None:
    """The same for one that says goodbye after SETTINGS without ever answering."""

    class Leaving(Peer):
        async def on_connect(self, conn: Conn) -> None:
            await super().on_connect(conn)
            conn.goaway(0)
            conn.close()

    async def main() -> None:
        async with running(Leaving(), pki, engine) as run:
            end = time.monotonic() + 1.2
            while time.monotonic() < end:
                run.submit(timeout=0.3)
                await asyncio.sleep(0.005)
            await run.finish()

            assert run.ledger.connections <= 5
            assert {Processed.NO} == {fault.processed for fault in run.faults()}

    asyncio.run(main())


def test_connecting_ahead(pki: Pki, engine: str) -> None:
    """``connect`` opens the connection that the first request then uses; a failure says why."""

    async def main() -> None:
        async with running(Peer(), pki, engine) as run:
            assert None is await run.transport.connect(run.origin, run.policy, None, 2.0)
            assert None is await run.transport.connect(run.origin, run.policy, None, 2.0)
            await run.send(1)
            assert 1 == run.ledger.connections

            from pushkit.wire import Origin

            fault = await run.transport.connect(Origin("localhost", 1), run.policy, None, 2.0)
            assert isinstance(fault, WireFault)
            assert (FaultKind.CONNECT_FAILED, Processed.NO) == (fault.kind, fault.processed)

    asyncio.run(main())


def test_health_counts(pki: Pki, engine: str) -> None:
    """Health says what is open, under way and waiting, and the latest fault until the next answer."""

    class Silent(Peer):
        initial = {MAX_STREAMS: 5}

        async def on_request(self, conn: Conn, stream: Stream) -> None: ...

    async def main() -> None:
        async with running(Silent(), pki, engine, OriginPolicy(max_connections=1)) as run:
            names = [run.submit(timeout=0.4) for _ in range(8)]
            await asyncio.sleep(0.15)
            (state,) = run.transport.health()

            assert (engine, 1, 5, 5, 3) == (state.engine, state.connections, state.streams, state.stream_limit, state.waiting)
            await run.finish(names)

    asyncio.run(main())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_event_loops(pki: Pki, engine: str, loop: str) -> None:
    """The same on asyncio's loop and on uvloop."""

    async def main() -> None:
        async with running(Slow(), pki, engine) as run:
            await run.send(100)

            assert [200] * 100 == run.statuses()

    if loop == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    else:
        asyncio.run(main())


def test_a_second_loop_is_refused(pki: Pki, engine: str) -> None:
    """A transport belongs to one loop; another one hears what to do."""
    kept: list[object] = []

    async def first() -> None:
        async with running(Peer(), pki, engine) as run:
            await run.send(1)
            kept.append(run)

    async def second() -> None:
        run = kept[0]
        with pytest.raises(RuntimeError, match="another event loop"):
            run.submit()  # type: ignore[attr-defined]

    asyncio.run(first())
    asyncio.run(second())


FORKING = """
import asyncio, gc, os, sys
from tests.server.http.bench import running
from tests.server.http.conftest import make_pki
from tests.server.http.peer import Peer
from pathlib import Path

async def child(run):
    try:
        run.submit()
    except RuntimeError as exc:
        return 7 if "before fork" in str(exc) else 8
    return 9

async def main():
    async with running(Peer(), make_pki(Path(sys.argv[1])), sys.argv[2]) as run:
        await run.send(3)
        pid = os.fork()
        if pid == 0:
            loop = asyncio.new_event_loop()
            code = loop.run_until_complete(child(run))
            gc.collect()
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        await run.send(3)
        print(os.waitstatus_to_exitcode(status), run.statuses(), run.ledger.connections)

asyncio.run(main())
"""


def test_a_forked_child_leaves_the_parents_connections_alone(engine: str, tmp_path: Path) -> None:
    """In a child the transport says what to do, and the parent goes on over the same connection."""
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", FORKING, str(tmp_path), engine]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=30, check=False)

    assert "7 [200, 200, 200, 200, 200, 200] 1" == done.stdout.strip(), done.stderr


def test_nothing_is_left_behind(pki: Pki, engine: str) -> None:
    """After ``aclose`` there is no task, no reader and no open socket of ours."""
    import gc

    async def main() -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        tasks = len(asyncio.all_tasks())
        async with running(Slow(), pki, engine) as run:
            for _ in range(20):
                run.submit(timeout=0.5)
            await asyncio.sleep(0.05)
            await run.transport.aclose()
            await run.finish()
        await asyncio.sleep(0.1)
        gc.collect()

        assert tasks == len(asyncio.all_tasks())
        assert before >= len(list(Path("/proc/self/fd").iterdir()))

    asyncio.run(main())
