"""A connection without a socket: what callers and credentials may do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import pytest
from hpack import Decoder

from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.http2.engine import EngineFullError, choose_engine
from pushkit.http.loop_clock import LoopClock
from pushkit.wire import FaultKind, HeaderBlock, Origin, OriginPolicy, Processed, WireFault, WireRequest, WireResponse, WireResult

SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
OK = b"\x00\x00\x01\x01\x05\x00\x00\x00%c\x88"


class Stream:
    """A stream that keeps what is written."""

    closed = False

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def start(self, receiver: object) -> None: ...

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


class Owner:
    """A pool that keeps what comes back."""

    answers = 0

    def __init__(self) -> None:
        self.back: list[Exchange] = []
        self.refusals: list[Exchange] = []
        self.left = self.lost = 0

    def on_room(self, connection: Http2Connection) -> None: ...

    def on_leaving(self, connection: Http2Connection) -> None:
        self.left += 1

    def on_lost(self, connection: Http2Connection) -> None:
        self.lost += 1

    def take_back(self, exchanges: Iterable[Exchange]) -> None:
        self.back.extend(exchanges)

    def refused(self, exchanges: Sequence[Exchange], connection_id: int, detail: str) -> None:
        self.refusals.extend(exchanges)


class Setup:
    """A settled connection and its surroundings."""

    def __init__(self, engine: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.problems: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.problems.append(context))
        self.owner, self.stream = Owner(), Stream()
        _, factory = choose_engine(engine)
        self.connection = Http2Connection(self.owner, factory("https", "localhost"), OriginPolicy(), LoopClock(), self.loop)
        self.connection.start(self.stream)  # type: ignore[arg-type]  # what of TlsStream a connection uses
        self.connection.data_received(SETTINGS)

    def submit(self, done: Callable[[WireResult], None], *, auth: Any = None, body: bytes = b"x") -> Exchange:
        exchange = Exchange(WireRequest(b"POST", Origin("localhost"), b"/", HeaderBlock([]), (), body, 0.0, auth=auth), done)
        self.connection.assign(exchange)
        return exchange

    def answer(self, stream_id: int) -> None:
        self.connection.data_received(OK % stream_id)


@pytest.fixture(params=["ngh2", "h2"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


def test_one_write_per_turn(engine: str) -> None:
    """All requests of one turn of the loop leave in one write."""

    async def main() -> None:
        setup = Setup(engine)
        await asyncio.sleep(0)
        before = len(setup.stream.written)
        for _ in range(50):
            setup.submit(lambda _: None)
        await asyncio.sleep(0)

        assert before + 1 == len(setup.stream.written)

    run(main)


def test_a_caller_that_fails_costs_nobody_else(engine: str) -> None:
    """An exception in one caller's callback is reported to the loop; the other answers arrive."""
    heard: list[WireResult] = []

    def fail(_: WireResult) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        setup = Setup(engine)
        setup.submit(fail)
        setup.submit(heard.append)
        await asyncio.sleep(0)
        setup.connection.data_received(OK % 1 + OK % 3)

        assert [200] == [result.status for result in heard if isinstance(result, WireResponse)]
        assert [ZeroDivisionError] == [type(problem["exception"]) for problem in setup.problems]

    run(main)


def test_a_caller_may_submit_and_cancel_in_its_callback(engine: str) -> None:
    """Callbacks run in the middle of a read; what they start and cancel is settled all the same."""
    heard: list[WireResult] = []

    async def main() -> None:
        setup = Setup(engine)
        others: list[Exchange] = []

        def busy(result: WireResult) -> None:
            heard.append(result)
            others[0].cancel()
            setup.submit(heard.append)

        setup.submit(busy)
        others.append(setup.submit(heard.append))
        await asyncio.sleep(0)
        setup.connection.data_received(OK % 1 + OK % 3)
        await asyncio.sleep(0)
        setup.answer(5)

        assert [WireResponse, WireFault, WireResponse] == [type(result) for result in heard]

    run(main)


def test_a_credential_that_cannot_sign(engine: str) -> None:
    """When a credential raises, its request is NO and the connection goes on; the cause's text stays out of the fault."""

    class Broken:
        def header(self, slot: object | None, now: float) -> tuple[bytes, object]:
            raise ValueError("canary")

        def rejected(self, slot: object | None) -> None: ...

    heard: list[WireResult] = []

    async def main() -> None:
        setup = Setup(engine)
        setup.submit(heard.append, auth=Broken())
        setup.submit(heard.append)
        await asyncio.sleep(0)
        setup.answer(1)

        fault, response = heard
        assert isinstance(fault, WireFault)
        assert isinstance(response, WireResponse)
        assert Processed.NO is fault.processed
        assert "canary" not in fault.detail

    run(main)


def test_a_request_that_cannot_be_encoded_spoils_nothing(engine: str) -> None:
    """
    A provider's mistake (text for octets) in the middle of a header block leaves the fields of others as they are.

    What was put into the header table on the way never reaches the server, so the connection takes nothing more.
    """
    heard: list[WireResult] = []

    async def main() -> None:
        setup = Setup(engine)
        shared = HeaderBlock([(b"apns-topic", b"com.example.app")])
        for headers in [((b"x", b"1"),), ((b"x", "text"),), ((b"x", b"2"),)]:
            block = shared if len(heard) else HeaderBlock([*shared.fields, (b"own", str(len(heard)).encode())])
            request = WireRequest(b"POST", Origin("localhost"), b"/", block, headers, b"", 0.0)  # type: ignore[arg-type]  # the mistake
            setup.connection.assign(Exchange(request, heard.append))
        await asyncio.sleep(0)

        decoder = Decoder()
        octets, blocks = b"".join(setup.stream.written), []
        octets = octets[octets.index(b"SM\r\n\r\n") + 6 :]
        while octets:
            end = 9 + int.from_bytes(octets[:3], "big")
            if octets[3] == 1:
                blocks.append(dict(decoder.decode(octets[9:end], raw=True)))
            octets = octets[end:]
        assert [b"1"] == [block[b"x"] for block in blocks]
        assert [b"2"] == [exchange.request.headers[0][1] for exchange in setup.owner.back]
        assert [Processed.NO] == [result.processed for result in heard if isinstance(result, WireFault)]

    run(main)


def test_a_connection_that_is_full_gives_back(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the engine takes no more streams, what waits goes elsewhere, and the connection leaves after its last answer."""
    heard: list[WireResult] = []

    async def main() -> None:
        setup = Setup(engine)
        kind = type(setup.connection.engine)
        original = kind.open
        opened: list[int] = []

        def limited(self: Any, request: WireRequest, authorization: bytes | None) -> int:
            if len(opened) == 2:
                raise EngineFullError
            opened.append(original(self, request, authorization))
            return opened[-1]

        monkeypatch.setattr(kind, "open", limited)
        exchanges = [setup.submit(heard.append) for _ in range(5)]
        await asyncio.sleep(0)
        assert exchanges[2:] == setup.owner.back
        setup.connection.data_received(OK % 1 + OK % 3)
        await asyncio.sleep(0)

        assert 2 == len(heard)
        assert (1, 1, True) == (setup.owner.left, setup.owner.lost, setup.stream.closed)

    run(main)


def test_goodbye_is_said_on_close(engine: str) -> None:
    """A connection that is closed here says so in a GOAWAY frame before the socket closes."""

    async def main() -> None:
        setup = Setup(engine)
        await asyncio.sleep(0)
        setup.connection.close()

        assert 7 == setup.stream.written[-1][3]
        assert setup.stream.closed

    run(main)


def test_no_goodbye_behind_a_request_that_was_called_unsent(engine: str) -> None:
    """What is handed on as never sent must not leave with the last write."""

    async def main() -> None:
        setup = Setup(engine)
        exchange = setup.submit(lambda _: None, body=b"y" * 100_000)
        await asyncio.sleep(0)
        before = sum(map(len, setup.stream.written))
        setup.connection.close()

        assert [exchange] == setup.owner.refusals
        assert before == sum(map(len, setup.stream.written))

    run(main)


def test_back_pressure_gives_requests_back(engine: str) -> None:
    """While the socket takes nothing, new requests go elsewhere instead of waiting behind it."""

    async def main() -> None:
        setup = Setup(engine)
        await asyncio.sleep(0)
        setup.connection.pause_writing()
        assert 0 == setup.connection.capacity
        exchange = setup.submit(lambda _: None)
        await asyncio.sleep(0)
        assert [exchange] == setup.owner.back
        setup.connection.resume_writing()
        assert setup.connection.capacity > 0

    run(main)


def test_a_server_that_talks_and_does_not_listen(engine: str) -> None:
    """PINGs without end from a server that reads nothing end the connection before they fill the memory."""
    heard: list[WireResult] = []
    pings = b"\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678" * 20

    async def main() -> None:
        setup = Setup(engine)
        setup.submit(heard.append)
        await asyncio.sleep(0)
        setup.connection.pause_writing()
        for _ in range(100_000):
            setup.connection.data_received(pings)
            if setup.connection.closed:
                break

        assert setup.connection.closed
        assert [Processed.UNKNOWN] == [result.processed for result in heard if isinstance(result, WireFault)]

    import pushkit.http.http2.connection as module

    limit, module.HEARD_WHILE_PAUSED = module.HEARD_WHILE_PAUSED, 100_000
    try:
        run(main)
    finally:
        module.HEARD_WHILE_PAUSED = limit


def test_a_fault_says_which_connection(engine: str) -> None:
    """Faults carry the connection's id and a text without secrets."""
    heard: list[WireResult] = []

    async def main() -> None:
        setup = Setup(engine)
        setup.submit(heard.append)
        await asyncio.sleep(0)
        setup.connection.connection_lost(ConnectionResetError())

        (fault,) = heard
        assert isinstance(fault, WireFault)
        assert (FaultKind.CONNECTION_LOST, Processed.UNKNOWN, setup.connection.id) == (fault.kind, fault.processed, fault.connection_id)
        assert "ConnectionResetError" in fault.detail

    run(main)
