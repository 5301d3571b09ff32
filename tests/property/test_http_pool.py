"""Any order of events at a pool: each request is heard of once and rightly, and none waits beside free room."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from typing import Any

import pytest
from hpack import Decoder
from hypothesis import given
from hypothesis import strategies as st

from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.http2.engine import choose_engine
from pushkit.http.http2.pool import DialError, OtherProtocolError, Pool
from pushkit.http.timer_wheel import TimerWheel
from pushkit.testing import FakeClock
from pushkit.wire import FaultKind, HeaderBlock, Origin, OriginPolicy, Processed, WireRequest, WireResponse, WireResult

ORIGIN = Origin("localhost")
BLOCK = HeaderBlock([(b"apns-topic", b"com.example.app")])
TURNS = 12
FOREVER = 2**31 - 1


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


class Server:
    """The other end of one connection: reads every frame, answers when it is told to, keeps count of what it has whole."""

    closed = False

    def __init__(self, world: World) -> None:
        self.world = world
        self.connection: Any = None
        self.open: dict[int, str] = {}
        self.whole: dict[int, str] = {}
        self.pings: list[bytes] = []
        self.last = FOREVER
        self.full = False
        self._octets = b""
        self._decoder = Decoder()

    # what of TlsStream a connection uses

    def start(self, receiver: object) -> None: ...

    def close(self) -> None:
        self.closed = True

    def write(self, data: bytes) -> None:
        assert not self.closed
        self._octets += data
        if self._octets.startswith(b"PRI"):
            self._octets = self._octets[24:]
        while len(self._octets) >= 9 and len(self._octets) >= (end := 9 + int.from_bytes(self._octets[:3], "big")):
            one, self._octets = self._octets[:end], self._octets[end:]
            self._read(one[3], one[4], int.from_bytes(one[5:9], "big"), one[9:])

    def _read(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == 1:
            fields = dict(self._decoder.decode(payload, raw=True))
            assert b"com.example.app" == fields[b"apns-topic"]
            self.open[stream_id] = fields[b"x-id"].decode()
        elif kind == 3:
            self.open.pop(stream_id, None)
        elif kind == 6 and not flags:
            self.pings.append(payload)
        if kind in {0, 1} and flags & 1 and stream_id in self.open:
            self.whole[stream_id] = self.open[stream_id]
            if stream_id <= self.last:
                self.world.processed[self.open[stream_id]] += 1

    # what a script says

    def say(self, data: bytes) -> None:
        if not self.closed:
            self.connection.data_received(data)

    def answer(self, stream_id: int) -> None:
        name = self.open.pop(stream_id)
        self.say(frame(1, 4, stream_id, b"\x88") + frame(0, 1, stream_id, name.encode()))

    def refuse(self, stream_id: int) -> None:
        name = self.open.pop(stream_id)
        if self.whole.pop(stream_id, None) and stream_id <= self.last:
            self.world.processed[name] -= 1
        self.say(frame(3, 0, stream_id, b"\0\0\0\7"))

    def goodbye(self, last: int) -> None:
        last = min(last, self.last)
        for stream_id, name in list(self.open.items()):
            if last < stream_id <= self.last and self.whole.pop(stream_id, None):
                self.world.processed[name] -= 1
        self.last = last
        self.say(frame(7, 0, 0, struct.pack(">II", last, 0)))


class Broken:
    """A credential that cannot sign."""

    def header(self, slot: object | None, now: float) -> tuple[bytes, object]:
        raise ValueError

    def rejected(self, slot: object | None) -> None: ...


class World:
    """A pool, the servers behind it, and the ledger."""

    def __init__(self, engine: str, policy: OriginPolicy, limit: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = FakeClock()
        self.wheel = TimerWheel(self.clock)
        self.policy = policy
        self.limit = limit
        self.servers: list[Server] = []
        self.live: set[Http2Connection] = set()
        self.heard: dict[str, list[WireResult]] = {}
        self.exchanges: list[Exchange] = []
        self.processed: Counter[str] = Counter()
        self.failing = 0
        _, self._factory = choose_engine(engine)
        self.pool = Pool(self, ORIGIN, policy, self.clock, self._dial)

    def on_opened(self, connection: Http2Connection) -> None:
        self.live.add(connection)

    def on_gone(self, connection: Http2Connection) -> None:
        self.live.discard(connection)

    def on_other_protocol(self, pool: Pool, exchanges: object) -> None:
        raise OtherProtocolError

    async def _dial(self, pool: Pool) -> Http2Connection:
        await asyncio.sleep(0)
        if self.failing:
            self.failing -= 1
            raise DialError(FaultKind.CONNECT_FAILED, "refused")
        server = Server(self)
        server.connection = connection = Http2Connection(pool, self._factory("https", "localhost"), self.policy, self.clock, self.loop)
        connection.start(server)  # type: ignore[arg-type]  # what of TlsStream a connection uses
        self.servers.append(server)
        connection.data_received(frame(4, 0, 0, struct.pack(">HI", 3, self.limit)))
        await asyncio.sleep(0)
        return connection

    def submit(self, seconds: int, size: int, *, broken: bool = False) -> None:
        name = f"r{len(self.heard)}"
        results = self.heard[name] = []
        deadline = self.clock.monotonic() + seconds
        auth = Broken() if broken else None
        exchange = Exchange(
            WireRequest(b"POST", ORIGIN, b"/", BLOCK, ((b"x-id", name.encode()),), b"x" * size, deadline, auth), results.append
        )
        self.exchanges.append(exchange)
        self.wheel.add(exchange, deadline)
        self.pool.submit(exchange)

    async def settle(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def nobody_waits_in_vain(self) -> None:
        """A request waits only for what will come: room, an answer that decides, a connection, or the time to open one."""
        pool = self.pool
        if not pool.waiting or pool._full():
            return
        assert not [connection for connection in pool.connections if connection.load < connection.capacity]
        more = len(pool.connections) < pool.policy.max_connections and not any(connection.undecided for connection in pool.connections)
        if more:
            assert pool.dialing is not None or pool._retry is not None
        assert pool.connections or more

    def check(self) -> None:
        for name, results in self.heard.items():
            assert 1 == len(results), f"{name} was heard of {len(results)} times"
            (result,) = results
            if isinstance(result, WireResponse):
                assert name == result.body.decode()
            elif result.processed is Processed.NO:
                assert self.processed[name] <= 0, f"{name} was whole at the server and called NO: {result}"
            assert self.processed[name] <= 1, f"{name} was whole at the server {self.processed[name]} times"


def act(world: World, action: tuple[str, int, int]) -> None:
    """One event; the numbers choose among what there is."""
    what, first, second = action
    open_servers = [server for server in world.servers if not server.closed]
    if what == "submit":
        world.submit([1, 3, 20][first % 3], [0, 1, 40_000][second % 3])
    elif what == "submit what cannot be signed":
        world.submit(5, 1, broken=True)
    elif what == "cancel" and world.exchanges:
        world.exchanges[first % len(world.exchanges)].cancel()
    elif what == "dial fails":
        world.failing = 1 + first % 2
    elif what == "limit":
        world.limit = [0, 1, 2, 100][second % 4]
    elif what == "time":
        world.clock.advance([0.1, 1.0, 2.5, 70.0][first % 4])
    if not open_servers:
        return
    server = open_servers[first % len(open_servers)]
    streams = sorted(server.open)
    if what == "limit":
        server.say(frame(4, 0, 0, struct.pack(">HI", 3, world.limit)))
    elif what == "answer" and streams:
        for stream_id in streams[: 1 + second % 3]:
            if stream_id in server.open and stream_id in server.whole and stream_id <= server.last:
                server.answer(stream_id)
    elif what == "refuse" and streams:
        server.refuse(streams[second % len(streams)])
    elif what == "goodbye":
        server.goodbye([0, FOREVER, streams[second % len(streams)] if streams else 0][second % 3])
    elif what == "pong":
        for payload in server.pings:
            server.say(frame(6, 1, 0, payload))
        server.pings.clear()
    elif what == "full" and not server.full:
        server.full = True
        server.connection.pause_writing()
    elif what == "room" and server.full:
        server.full = False
        server.connection.resume_writing()
    elif what == "window":
        server.say(frame(8, 0, 0, struct.pack(">I", 50_000)))
    elif what == "end":
        server.connection.connection_lost(None)
    elif what == "retire":
        server.connection.leave()


ACTIONS = st.tuples(
    st.sampled_from(
        ["submit"] * 6
        + ["answer"] * 5
        + ["cancel", "submit what cannot be signed", "refuse", "goodbye", "limit", "limit", "pong", "pong", "full", "room", "room"]
        + ["window", "window", "end", "retire", "dial fails", "time", "time"]
    ),
    st.integers(0, 11),
    st.integers(0, 11),
)
POLICIES = st.builds(
    OriginPolicy,
    max_connections=st.sampled_from([1, 2, 3]),
    first_streams=st.sampled_from([None, 1]),
    max_in_flight=st.sampled_from([None, 2]),
    max_streams=st.sampled_from([None, 2]),
    max_age=st.sampled_from([None, 10.0]),
)


@pytest.mark.parametrize("engine", ["ngh2", "h2"])
@given(policy=POLICIES, limit=st.sampled_from([0, 1, 2, 100]), actions=st.lists(ACTIONS, max_size=40), at_once=st.booleans())
def test_any_order_of_events(engine: str, policy: OriginPolicy, limit: int, actions: list[tuple[str, int, int]], at_once: bool) -> None:
    """The ledger of the servers against what the callers heard, and room against those who wait, after every event."""

    async def main() -> None:
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        world = World(engine, policy, limit)
        for action in actions:
            act(world, action)
            if not at_once:
                await world.settle()
                world.nobody_waits_in_vain()
        await world.settle()
        world.nobody_waits_in_vain()
        for _ in range(3):
            world.clock.advance(30.0)  # past every deadline
            await world.settle()
        world.check()
        assert [] == problems
        assert not world.pool.waiting
        assert 0 == world.pool.streams
        world.pool.close()
        await world.settle()
        assert set() == world.live

    asyncio.run(main())
