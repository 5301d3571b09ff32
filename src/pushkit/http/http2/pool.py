"""Connections to one origin: which one a request goes to, when another is opened, what happens when they fail."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Protocol

from pushkit.clock import Clock, Timer
from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.tasks import start
from pushkit.wire import FaultKind, Origin, OriginPolicy, Processed, WireFault

BACKOFF_FIRST = 1.0
BACKOFF_LAST = 60.0
"""Seconds between attempts to connect: doubled from the first to the last while they fail."""
REFUSALS = 3
"""Times that a request may come back unprocessed, with no answer to any other in between, before its caller hears."""
RESENDS = 50
"""Times that it may come back at all: a server that answers others but never this one is not asked for ever."""
AGE_JITTER = 0.1
"""Share of ``max_age`` that is drawn by lot, so that connections opened together do not end together."""


class DialError(Exception):
    """No connection. ``str`` is for people and holds no secret."""

    def __init__(self, kind: FaultKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class OtherProtocolError(Exception):
    """ALPN chose HTTP/1.1, which the policy allows: these requests belong to another carrier."""


Dial = Callable[["Pool"], Coroutine[None, None, Http2Connection]]
"""Opens a connection and starts it (the server's SETTINGS have come). Raises DialError or OtherProtocolError."""


class Host(Protocol):
    """What a pool tells the transport."""

    def on_opened(self, connection: Http2Connection) -> None:
        """A connection exists."""
        ...

    def on_gone(self, connection: Http2Connection) -> None:
        """A connection does not exist any more."""
        ...

    def on_other_protocol(self, pool: Pool, exchanges: Sequence[Exchange]) -> None:
        """The origin speaks HTTP/1.1 only."""
        ...


class Pool:
    """Requests to one origin (and pool key), and the connections that carry them."""

    def __init__(self, host: Host, origin: Origin, policy: OriginPolicy, clock: Clock, dial: Dial) -> None:
        self.origin = origin
        self.policy = policy
        self.answers = 0
        self.connections: list[Http2Connection] = []
        """Those that may take new requests now or soon."""
        self.leaving: set[Http2Connection] = set()
        self.waiting: OrderedDict[Exchange, None] = OrderedDict()
        self.last_fault: FaultKind | None = None
        self.used = clock.monotonic()
        self._answers_at_fault = 0
        self._host = host
        self._clock = clock
        self._dial = dial
        self._dialing: asyncio.Task[None] | None = None
        self._hopefuls: list[asyncio.Future[WireFault | None]] = []
        self._failures = 0
        self._not_before = 0.0
        self._retry: Timer | None = None
        self._failure: WireFault | None = None
        self._closed = False

    # -- for the transport --------------------------------------------------------------------------

    def submit(self, exchange: Exchange) -> None:
        """Give the request to a connection, or keep it until there is one."""
        if not self.waiting:
            connection = self._pick()
            if connection is not None:
                connection.assign(exchange)
                return
        exchange.abandon = self._drop
        exchange.parked = True
        self.waiting[exchange] = None
        self.grow()

    @property
    def streams(self) -> int:
        """Requests under way on connections."""
        return sum(connection.load for connection in (*self.connections, *self.leaving))

    @property
    def idle(self) -> bool:
        """Whether there is nothing to keep this pool for."""
        now = self._clock.monotonic()
        return not (self.connections or self.leaving or self.waiting or self._dialing) and now >= self._not_before

    @property
    def fault(self) -> str | None:
        """Kind of the latest fault since the latest answer."""
        return str(self.last_fault) if self.last_fault is not None and self.answers == self._answers_at_fault else None

    def grow(self) -> None:
        """Open another connection if requests wait, the limit allows it and it is time."""
        if self._closed or self._dialing is not None or len(self.connections) >= self.policy.max_connections or self._full():
            return
        if any(connection.undecided for connection in self.connections):
            return  # a PING or a first answer will soon tell whether it has room
        now = self._clock.monotonic()
        if now >= self._not_before:
            self._dialing = start(self._open())
            return
        if self._retry is None:
            self._retry = self._clock.call_at(self._not_before, self._again)
        if not self.connections:
            self._fail_those_before(self._not_before)

    async def connect(self, timeout: float) -> WireFault | None:
        """Open a connection ahead of the first request."""
        if any(connection.settled for connection in self.connections):
            return None
        future: asyncio.Future[WireFault | None] = asyncio.get_running_loop().create_future()
        self._hopefuls.append(future)
        self.grow()
        if self._dialing is None and self._failure is not None:
            self._hopefuls.remove(future)
            return self._failure
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return WireFault(kind=FaultKind.CONNECT_TIMEOUT, processed=Processed.NO, detail="no connection in time")

    def sweep(self, now: float) -> None:
        """Retire the old and close the idle."""
        policy = self.policy
        for connection in list(self.connections):
            if (connection.expires is not None and now >= connection.expires) or (
                policy.idle_timeout is not None and not connection.load and now - connection.last_heard >= policy.idle_timeout
            ):
                connection.leave()

    def drain(self) -> None:
        """Use no connection of now for anything new."""
        for connection in list(self.connections):
            connection.leave()

    def close(self) -> None:
        """Settle everything with ``CLOSED``."""
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._dialing is not None:
            self._dialing.cancel()
            self._dialing = None  # a task that has not begun yet never runs, and so never says this itself
        self._resolve(WireFault(kind=FaultKind.CLOSED, processed=Processed.NO, detail="closed here"))
        for connection in [*self.connections, *self.leaving]:
            for exchange in [*connection.streams.values(), *connection.pending]:
                exchange.give_up(FaultKind.CLOSED)
            connection.close()
        for exchange in list(self.waiting):
            exchange.give_up(FaultKind.CLOSED)

    @property
    def dialing(self) -> asyncio.Task[None] | None:
        """The attempt to connect that is under way."""
        return self._dialing

    # -- connection.Owner ---------------------------------------------------------------------------

    def on_room(self, connection: Http2Connection) -> None:  # noqa: ARG002  # the protocol names it
        """Hand out waiting requests."""
        if self.waiting:
            self._pump()

    def on_leaving(self, connection: Http2Connection) -> None:
        """It takes nothing new."""
        if connection in self.connections:
            self.connections.remove(connection)
            self.leaving.add(connection)
            if self.waiting:
                self.grow()

    def on_lost(self, connection: Http2Connection) -> None:
        """It is over; requests that wait need another."""
        self.leaving.discard(connection)
        self._host.on_gone(connection)
        if connection.settled:
            if connection.answers:
                self._failures = 0
            else:
                # A server that takes connections and gives them up unused must not be stormed.
                self._failures += 1
                self._set_back(self._failures - 1)
        if self.waiting:
            self._pump()

    def take_back(self, exchanges: Iterable[Exchange]) -> None:
        """Requests that were never written go to the front."""
        for exchange in reversed([exchange for exchange in exchanges if exchange.done is not None]):
            exchange.stream_id = 0
            exchange.abandon = self._drop
            exchange.parked = True
            self.waiting[exchange] = None
            self.waiting.move_to_end(exchange, last=False)
        if self.waiting:
            self._pump()

    def refused(self, exchanges: Sequence[Exchange], connection_id: int, detail: str) -> None:
        """Provably unprocessed: once more from the front, as long as the server gets anything done."""
        again: list[Exchange] = []
        for exchange in exchanges:
            if exchange.seen_answers != self.answers:
                exchange.seen_answers = self.answers
                exchange.refusals = 0
            exchange.refusals += 1
            exchange.connection = None
            exchange.resends += 1
            if exchange.refusals >= REFUSALS or exchange.resends >= RESENDS or self._closed:
                self._note(FaultKind.REFUSED_STREAM)
                exchange.fault(FaultKind.REFUSED_STREAM, Processed.NO, detail, connection_id=connection_id)
            else:
                again.append(exchange)
        self.take_back(again)

    # -- inside -------------------------------------------------------------------------------------

    def _full(self) -> bool:
        limit = self.policy.max_in_flight
        return limit is not None and self.streams >= limit

    def _pick(self) -> Http2Connection | None:
        if self._full():
            return None
        for connection in self.connections:
            load = len(connection.streams) + len(connection.pending)
            if load < connection.capacity:
                if load:
                    return connection
                now = self._clock.monotonic()
                if connection.expires is not None and now >= connection.expires:
                    connection.leave()
                    return self._pick()
                if now - connection.last_heard < self.policy.ping_after:
                    return connection
                connection.probe()
        return None

    def _pump(self) -> None:
        waiting = self.waiting
        while waiting:
            connection = self._pick()
            if connection is None:
                self.grow()
                return
            exchange, _ = waiting.popitem(last=False)
            connection.assign(exchange)

    def _drop(self, exchange: Exchange) -> Processed:
        self.waiting.pop(exchange, None)
        return Processed.NO

    def _again(self) -> None:
        self._retry = None
        if self.waiting or self._hopefuls:
            self.grow()

    async def _open(self) -> None:
        """Dial once, then look again."""
        try:
            connection = await self._dial(self)
        except DialError as exc:
            self._dialing = None
            self._failed(WireFault(kind=exc.kind, processed=Processed.NO, detail=str(exc)))
            return
        except OtherProtocolError:
            self._dialing = None
            self._resolve(None)
            exchanges = list(self.waiting)
            self.waiting.clear()
            self._host.on_other_protocol(self, exchanges)
            return
        except asyncio.CancelledError:
            self._dialing = None
            self._resolve(WireFault(kind=FaultKind.CLOSED, processed=Processed.NO, detail="closed here"))
            raise
        except Exception as exc:  # noqa: BLE001  # a caller's resolver or address check; nobody must wait for it in vain
            self._dialing = None
            asyncio.get_running_loop().call_exception_handler({"message": "a connection could not be prepared", "exception": exc})
            detail = f"the connection could not be prepared ({type(exc).__name__})"
            self._failed(WireFault(kind=FaultKind.CONNECT_FAILED, processed=Processed.NO, detail=detail))
            return
        self._dialing = None
        self._failure = None
        if not connection.closed:
            self._host.on_opened(connection)
        max_age = self.policy.max_age
        if max_age is not None:
            connection.expires = connection.born + max_age * (1 - AGE_JITTER * random.random())  # noqa: S311  # no secret
        if not connection.closed and not connection.leaving:
            self.connections.append(connection)
        self._resolve(None)
        self._pump()

    def _failed(self, fault: WireFault) -> None:
        self._failures += 1
        self._failure = fault
        self._note(fault.kind)
        self._set_back(self._failures)
        self._resolve(fault)
        if not self.connections:
            self._fail_all(fault)
        elif self.waiting:
            self.grow()  # the others may never have room

    def _set_back(self, failures: int) -> None:
        """Wait before the next attempt: not after none, and then longer each time."""
        if failures <= 0:
            return
        delay = min(BACKOFF_FIRST * 2 ** min(failures - 1, 10), BACKOFF_LAST)
        # Half of it by lot, so that a fleet does not come back in one herd.
        self._not_before = self._clock.monotonic() + delay * (0.5 + 0.5 * random.random())  # noqa: S311

    def _note(self, kind: FaultKind) -> None:
        self.last_fault = kind
        self._answers_at_fault = self.answers

    def _resolve(self, fault: WireFault | None) -> None:
        hopefuls, self._hopefuls = self._hopefuls, []
        for future in hopefuls:
            if not future.done():
                future.set_result(fault)

    def _fail_all(self, fault: WireFault) -> None:
        exchanges = list(self.waiting)
        self.waiting.clear()
        for exchange in exchanges:
            exchange.fault(fault.kind, Processed.NO, fault.detail)

    def _fail_those_before(self, when: float) -> None:
        """Requests whose deadline comes before the next attempt to connect need not wait for it."""
        fault = self._failure
        if fault is None:
            return
        loop = asyncio.get_running_loop()
        for exchange in [exchange for exchange in self.waiting if exchange.request.deadline <= when]:
            del self.waiting[exchange]
            exchange.abandon = None
            # Not from within ``submit``.
            loop.call_soon(exchange.fault, fault.kind, Processed.NO, fault.detail)
