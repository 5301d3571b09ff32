"""A pool without a network: connections are handed to it, and what their ends and failures do to the requests that wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.unit.http.test_connection import OK, SETTINGS, Stream

from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.http2.engine import choose_engine
from pushkit.http.http2.pool import DialError, Pool
from pushkit.http.loop_clock import LoopClock
from pushkit.wire import FaultKind, HeaderBlock, Origin, OriginPolicy, Processed, WireFault, WireRequest, WireResponse, WireResult

ORIGIN = Origin("localhost")
NO_STREAMS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00"


class Host:
    """A transport that keeps the connections which it was told of."""

    def __init__(self) -> None:
        self.connections: set[Http2Connection] = set()

    def on_opened(self, connection: Http2Connection) -> None:
        self.connections.add(connection)

    def on_gone(self, connection: Http2Connection) -> None:
        self.connections.discard(connection)

    def on_other_protocol(self, pool: Pool, exchanges: object) -> None: ...


class Setup:
    """A pool whose connections come from here; ``dials`` says what each attempt gives."""

    def __init__(self, engine: str, policy: OriginPolicy, *dials: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.host = Host()
        self.dials = list(dials)
        self.heard: list[WireResult] = []
        self.made: list[Http2Connection] = []
        _, self._factory = choose_engine(engine)
        self.pool = Pool(self.host, ORIGIN, policy, LoopClock(), self._dial)

    async def _dial(self, pool: Pool) -> Http2Connection:
        how = self.dials.pop(0) if self.dials else "opens"
        if how != "fails at once":
            await asyncio.sleep(0)
        if how.startswith("fails"):
            raise DialError(FaultKind.CONNECT_FAILED, "refused")
        connection = Http2Connection(pool, self._factory("https", "localhost"), pool.policy, pool._clock, self.loop)
        connection.start(Stream())  # type: ignore[arg-type]  # what of TlsStream a connection uses
        connection.data_received(SETTINGS)
        self.made.append(connection)
        if how == "ends":
            connection.connection_lost(None)
        return connection

    def submit(self, *, auth: Any = None) -> Exchange:
        request = WireRequest(b"POST", ORIGIN, b"/", HeaderBlock([]), (), b"x", time.monotonic() + 5, auth=auth)
        exchange = Exchange(request, self.heard.append)
        self.pool.submit(exchange)
        return exchange

    async def turns(self, number: int = 8) -> None:
        for _ in range(number):
            await asyncio.sleep(0)


@pytest.fixture(params=["ngh2", "h2"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


class Broken:
    """A credential that cannot sign."""

    def header(self, slot: object | None, now: float) -> tuple[bytes, object]:
        raise ValueError

    def rejected(self, slot: object | None) -> None: ...


def test_requests_that_could_not_be_made_hold_up_nobody(engine: str) -> None:
    """When a request fails before it is written, its place goes to the next one that waits."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy(max_connections=1, first_streams=1))
        for _ in range(5):
            setup.submit(auth=Broken())
        await setup.turns(20)

        assert [Processed.NO] * 5 == [result.processed for result in setup.heard if isinstance(result, WireFault)]
        setup.pool.close()

    run(main)


def test_a_request_given_up_before_it_was_written_holds_up_nobody(engine: str) -> None:
    """A place that is given back in the turn in which it was taken goes to the next one that waits."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy(max_connections=1, first_streams=1))
        first, second = setup.submit(), setup.submit()
        while first.connection is None:
            await asyncio.sleep(0)
        first.cancel()
        await setup.turns()

        assert 1 == second.stream_id
        setup.pool.close()

    run(main)


def test_requests_that_waited_for_a_full_socket_go_on(engine: str) -> None:
    """When the socket takes more again, what waits in the pool is written without another event."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy(max_connections=1))
        setup.submit()
        await setup.turns()
        (connection,) = setup.made
        connection.pause_writing()
        second = setup.submit()
        await setup.turns()
        connection.resume_writing()
        await setup.turns()

        assert 3 == second.stream_id
        setup.pool.close()

    run(main)


def test_a_place_of_a_stalled_connection_is_taken_elsewhere(engine: str) -> None:
    """Where an origin is held short, what ends on a connection without room makes room on the others at once."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy(max_connections=2, max_in_flight=2))
        stalled, _ = setup.submit(), setup.submit()
        await setup.turns()
        other = await setup._dial(setup.pool)
        setup.pool.connections.append(other)
        setup.made[0].pause_writing()
        waiting = setup.submit()
        stalled.cancel()

        assert other is waiting.connection
        setup.pool.close()

    run(main)


def test_a_second_connection_is_tried_again_after_it_failed(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that wait beside a connection without streams are not left to one failed attempt to open another."""
    monkeypatch.setattr("pushkit.http.http2.pool.BACKOFF_FIRST", 0.02)

    async def main() -> None:
        setup = Setup(engine, OriginPolicy(max_connections=2), "opens", "fails")
        setup.submit()
        await setup.turns()
        setup.made[0].data_received(NO_STREAMS)
        second = setup.submit()
        await asyncio.sleep(0.1)

        assert 2 == len(setup.made)
        assert second.connection is setup.made[1]
        setup.pool.close()

    run(main)


def test_nothing_is_kept_of_a_connection_that_ended_as_it_was_opened(engine: str) -> None:
    """A server that sends SETTINGS and hangs up in one breath leaves nothing in the transport's books."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy(), "ends", "ends", "ends")
        setup.submit()
        await setup.turns(30)

        assert len(setup.made) >= 1
        assert set() == {connection for connection in setup.host.connections if connection.closed}
        setup.pool.close()

    run(main)


def test_closing_before_the_attempt_to_connect_began(engine: str) -> None:
    """Who waits for a connection hears of the end at once, also when the attempt never ran."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy())
        waiting = asyncio.ensure_future(setup.pool.connect(30.0))
        await asyncio.sleep(0)
        setup.pool.close()
        async with asyncio.timeout(1):
            fault = await waiting

        assert fault is not None
        assert FaultKind.CLOSED is fault.kind
        assert setup.pool.dialing is None

    run(main)


def test_a_reason_belongs_to_the_connection_that_gave_it(engine: str) -> None:
    """A request that a GOAWAY sent elsewhere does not carry its reason into what happens there."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy())
        setup.submit()
        await setup.turns()
        setup.made[0].data_received(b"\x00\x00\x23\x07\x00\x00\x00\x00\x00" + bytes(8) + b'{"reason":"BadCertificate"}')
        await setup.turns()
        setup.made[1].connection_lost(None)

        (fault,) = setup.heard
        assert isinstance(fault, WireFault)
        assert (Processed.UNKNOWN, None) == (fault.processed, fault.goaway_reason)
        setup.pool.close()

    run(main)


def test_a_caller_may_cancel_others_while_a_goaway_is_read(engine: str) -> None:
    """A callback in the middle of a GOAWAY may give up requests which that GOAWAY refused; all are settled."""

    async def main() -> None:
        setup = Setup(engine, OriginPolicy())
        exchanges = [setup.submit() for _ in range(3)]
        await setup.turns()
        first = exchanges[0]
        assert first.done is not None
        heard = first.done

        def busy(result: WireResult) -> None:
            heard(result)
            exchanges[1].cancel()

        first.done = busy
        # The first answer has begun when the server says that it took nothing.
        setup.made[0].data_received(b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88" + b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(8))
        await setup.turns()
        setup.made[1].data_received(OK % 1)

        assert [WireFault, WireFault, WireResponse] == [type(result) for result in setup.heard]
        setup.pool.close()

    run(main)


def test_a_connection_refused_within_the_call(engine: str) -> None:
    """A task factory that starts tasks at once (Python 3.12's eager one) leaves no pool behind that waits for ever."""

    def eager(loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> asyncio.Future[Any]:
        """The part of an eager factory that matters: the first step runs within ``create_task``."""
        future: asyncio.Future[Any] = loop.create_future()
        try:
            coro.send(None)
        except StopIteration as done:
            future.set_result(done.value)
        else:
            raise AssertionError("a coroutine that waits")
        return future

    async def main() -> None:
        setup = Setup(engine, OriginPolicy(), "fails at once")
        asyncio.get_running_loop().set_task_factory(eager)  # type: ignore[arg-type]  # a future will do here
        setup.submit()
        assert [] == setup.heard  # never before ``submit`` has returned
        asyncio.get_running_loop().set_task_factory(None)
        await setup.turns()

        assert [Processed.NO] == [result.processed for result in setup.heard if isinstance(result, WireFault)]
        assert setup.pool.dialing is None

    run(main)
