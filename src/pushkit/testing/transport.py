"""
A transport without a network: the real client in front, the local services behind, nothing in between.

Everything that the client does is real (encoding, signing, encryption, classification, retries); the
services are the same as :class:`~pushkit.testing.PushServer`'s and read the same :class:`Behaviour`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import attrs

from pushkit.clock import Clock, Timer
from pushkit.delivery.push import Push
from pushkit.testing.accounts import Accounts
from pushkit.testing.behaviour import Behaviour
from pushkit.testing.clock import FakeClock
from pushkit.testing.exchange import Answer, Connection, Request
from pushkit.testing.faults import (
    LISTENER_FAULTS,
    Disconnect,
    Garbage,
    GoAway,
    ListenerFault,
    Refuse,
    RequestFault,
    Reset,
    Silence,
    Stall,
    TlsFailure,
)
from pushkit.testing.inbox import Inbox, SentRecord
from pushkit.testing.services.routes import Router
from pushkit.testing.services.world import World
from pushkit.wire import FaultKind, Origin, OriginHealth, OriginPolicy, Processed, WireFault, WireRequest, WireResponse, WireResult

#: What is provably unprocessed is sent again at once, on a new connection, this often.
RESENDS = 3

_CONNECT_FAULTS = {Refuse: FaultKind.CONNECT_FAILED, Silence: FaultKind.CONNECT_TIMEOUT, TlsFailure: FaultKind.TLS_FAILED}


@attrs.define(eq=False)
class _Line:
    """What stands for a connection: credentials are tied to it, and GOAWAY ends it."""

    peer: Connection
    slot: object | None = None
    auth: Any = None


class _Flight:
    """A request under way."""

    __slots__ = ("done", "line", "processed", "push", "timer", "transport")

    def __init__(self, transport: FakeTransport, done: Callable[[WireResult], None], line: _Line) -> None:
        self.transport = transport
        self.done: Callable[[WireResult], None] | None = done
        # The engine's callback is a method of its push: what the wire does not show, a test may still want to see.
        owner = getattr(done, "__self__", None)
        self.push: Push | None = owner if isinstance(owner, Push) else None
        self.line = line
        self.timer: Timer | None = None
        self.processed = Processed.UNKNOWN

    def finish(self, result: WireResult) -> None:
        """Answer, once."""
        done, self.done = self.done, None
        if done is None:
            return
        if self.timer is not None:
            self.timer.cancel()
        self.transport.flights.discard(self)
        done(result)

    def cancel(self) -> None:
        """Give up."""
        if self.done is not None:
            fault = WireFault(kind=FaultKind.CANCELLED, processed=self.processed, detail="cancelled", connection_id=self.line.peer.id)
            asyncio.get_running_loop().call_soon(self.finish, fault)


class FakeTransport:
    """
    Carries requests to the local services in memory.

    ::

        clock = FakeClock()
        push = AsyncClient(apns=my_config, transport=FakeTransport(behaviour, clock=clock))

    Credentials of your own are taken as they are (``accounts`` with known keys checks them); every
    well-formed address is a registered recipient until scripted otherwise.

    Args:
        behaviour: scripts; normal service by default.
        clock: the client takes it too. A :class:`FakeClock` by default.
        accounts: known credentials. By default every well-formed one is taken.
        world: the whole state of the services, to share it; excludes ``behaviour`` and ``accounts``.

    Raises:
        ValueError: for ``world`` together with ``behaviour`` or ``accounts``.
    """

    in_memory = True
    """``verify()`` sends no probes through it: they would be in the records of tests that sent none."""

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        clock: Clock | None = None,
        accounts: Accounts | None = None,
        world: World | None = None,
    ) -> None:
        if world is not None and (behaviour is not None or accounts is not None):
            raise ValueError("world= brings its own behaviour and accounts: pass it alone")
        self.clock: Clock = clock if clock is not None else FakeClock()
        if world is None:
            accounts = accounts if accounts is not None else Accounts(trust_any=True)
            world = World(behaviour=behaviour, accounts=accounts, clock=self.clock.time, open_endpoints=True)
        self.world = world
        self.flights: set[_Flight] = set()
        """Requests under way."""
        self.closed = False
        self._router = Router(world)
        self._lines: dict[tuple[Origin, Hashable], _Line] = {}
        self._numbers = itertools.count(1)

    @property
    def behaviour(self) -> Behaviour:
        """The scripts."""
        return self.world.behaviour

    @property
    def sent(self) -> Inbox:
        """Everything that reached a service, oldest first."""
        return self.world.inbox

    @property
    def calls(self) -> Inbox:
        """Everything that is no push: token requests, topics, channels."""
        return self.world.calls

    # pushkit.wire.Transport

    def submit(self, request: WireRequest, done: Callable[[WireResult], None]) -> _Flight:
        """
        Carry a request.

        Raises:
            UnexpectedPush: the behaviour is strict and nothing was scripted for this push. The client lets it through.
        """
        line = self._line(request.origin, request.pool_key, request)
        flight = _Flight(self, done, line)
        self.flights.add(flight)
        if self.closed:
            self._soon(flight, WireFault(kind=FaultKind.CLOSED, processed=Processed.NO, detail="the transport is closed"))
            return flight
        try:
            self._carry(request, flight, RESENDS)
        except BaseException:
            self.flights.discard(flight)
            raise
        return flight

    def retire(self, connection_id: int, *, rejected: bool = False) -> None:
        """Use this connection for nothing new."""
        for key, line in tuple(self._lines.items()):
            if line.peer.id == connection_id:
                del self._lines[key]
                if rejected and line.auth is not None:
                    line.auth.rejected(line.slot)

    def forget(self, pool_key: Hashable) -> None:
        """Close the connections of a pool key."""
        self._lines = {key: line for key, line in self._lines.items() if key[1] != pool_key}

    async def connect(self, origin: Origin, policy: OriginPolicy, pool_key: Hashable, timeout: float) -> WireFault | None:
        """Open a connection, unless the service is down."""
        down = self.behaviour.down(self._router.provider(origin.host, "/"))
        if isinstance(down, LISTENER_FAULTS):
            return _connect_fault(down)
        self._line(origin, pool_key, None)
        return None

    def health(self) -> Sequence[OriginHealth]:
        """One row for every connection."""
        return [
            OriginHealth(
                origin=str(origin),
                engine="memory",
                connections=1,
                streams=sum(1 for flight in self.flights if flight.line is line),
                stream_limit=1000,
                waiting=0,
            )
            for (origin, _), line in self._lines.items()
        ]

    async def aclose(self) -> None:
        """End what is under way."""
        self.closed = True
        for flight in tuple(self.flights):
            flight.finish(WireFault(kind=FaultKind.CLOSED, processed=flight.processed, detail="the transport was closed"))

    # The way of a request

    def _line(self, origin: Origin, pool_key: Hashable, request: WireRequest | None) -> _Line:
        line = self._lines.get((origin, pool_key))
        if line is None:
            line = self._lines[origin, pool_key] = _Line(Connection(next(self._numbers), "memory"))
        if request is not None and request.auth is not None:
            line.auth = request.auth
        return line

    def _carry(self, request: WireRequest, flight: _Flight, resends: int) -> None:
        line = flight.line
        target = request.path.decode("latin-1")
        service = self._router.service(request.origin.host, target, str(request.origin))
        down = self.behaviour.down(service.provider)
        if isinstance(down, LISTENER_FAULTS):
            flight.processed = Processed.NO
            if isinstance(down, Silence):
                patience = self.clock.monotonic() + request.policy.connect_timeout
                in_vain = _connect_fault(down)
                if request.deadline <= patience:
                    in_vain = WireFault(kind=FaultKind.TIMEOUT, processed=Processed.NO, detail="no connection in time")
                flight.timer = self.clock.call_at(min(request.deadline, patience), lambda: flight.finish(in_vain))
            else:
                self._soon(flight, _connect_fault(down))
            return
        fields = [*request.block.fields, *request.headers]
        if request.auth is not None:
            value, line.slot = request.auth.header(line.slot, self.clock.time())
            fields.append((b"authorization", value))
        seen = Request(
            request.method.decode("ascii"), request.origin.scheme, request.origin.authority, target, fields, request.body, line.peer
        )
        before = self.sent.total
        served = service.serve(seen)
        if flight.push is not None and self.sent.total > before:
            self._complete(self.sent[-1], flight.push)
        if served.fault is not None:
            self._break(request, flight, served.fault, served.answer, resends)
        elif served.answer is not None:
            response = self._response(served.answer, line, request)
            if served.delay:
                self._later(request, flight, served.delay, response)
            else:
                self._soon(flight, response)

    def _complete(self, record: SentRecord, push: Push) -> None:
        record.target, record.message, record.attempt = push.target, push.message, push.attempt

    def _soon(self, flight: _Flight, result: WireResult) -> None:
        asyncio.get_running_loop().call_soon(flight.finish, result)

    def _later(self, request: WireRequest, flight: _Flight, delay: float, result: WireResult) -> None:
        due = self.clock.monotonic() + delay
        if due >= request.deadline:
            self._time_out(request, flight)
        else:
            flight.timer = self.clock.call_at(due, lambda: flight.finish(result))

    def _time_out(self, request: WireRequest, flight: _Flight) -> None:
        fault = WireFault(
            kind=FaultKind.TIMEOUT, processed=Processed.UNKNOWN, detail="no answer in time", connection_id=flight.line.peer.id
        )
        flight.timer = self.clock.call_at(request.deadline, lambda: flight.finish(fault))

    def _response(self, answer: Answer, line: _Line, request: WireRequest) -> WireResult:
        if len(answer.body) > request.policy.max_response_bytes:
            detail = f"{len(answer.body)} bytes"
            return WireFault(kind=FaultKind.RESPONSE_TOO_LARGE, processed=Processed.UNKNOWN, detail=detail, connection_id=line.peer.id)
        return WireResponse(answer.status, answer.fields, answer.body, line.peer.id)

    def _break(self, request: WireRequest, flight: _Flight, fault: RequestFault, answer: Answer | None, resends: int) -> None:
        line = flight.line
        if isinstance(fault, Stall):
            self._time_out(request, flight)
            return
        if (isinstance(fault, Reset) and fault.code == "REFUSED_STREAM") or (
            isinstance(fault, GoAway) and fault.processed in {"before", "none"}
        ):
            self._resend(request, flight, fault, resends)
            return
        if isinstance(fault, (Reset, Disconnect, Garbage, GoAway)):
            if not isinstance(fault, Reset):
                self._drop(line)
            if isinstance(fault, GoAway) and answer is not None:
                self._soon(flight, self._response(answer, line, request))
                return
            reason = fault.reason if isinstance(fault, GoAway) else None
            self._soon(
                flight,
                WireFault(
                    kind=FaultKind.PROTOCOL_ERROR if isinstance(fault, Garbage) else FaultKind.CONNECTION_LOST,
                    processed=Processed.UNKNOWN,
                    detail=type(fault).__name__,
                    goaway_reason=reason,
                    connection_id=line.peer.id,
                ),
            )
            return
        # Settings and interim answers change nothing for a request that is answered.
        assert answer is not None, "a fault that lets the answer through comes with one"
        self._soon(flight, self._response(answer, line, request))

    def _resend(self, request: WireRequest, flight: _Flight, fault: Reset | GoAway, resends: int) -> None:
        if isinstance(fault, GoAway):
            self._drop(flight.line)
        if resends <= 0:
            reason = fault.reason if isinstance(fault, GoAway) else None
            refused = WireFault(
                kind=FaultKind.REFUSED_STREAM,
                processed=Processed.NO,
                detail="refused again and again",
                goaway_reason=reason,
                connection_id=flight.line.peer.id,
            )
            self._soon(flight, refused)
            return
        flight.line = self._line(request.origin, request.pool_key, request)
        self._carry(request, flight, resends - 1)

    def _drop(self, line: _Line) -> None:
        self._lines = {key: known for key, known in self._lines.items() if known is not line}

    def __repr__(self) -> str:
        return f"<FakeTransport {len(self.flights)} under way, {self.sent.total} sent>"


def _connect_fault(fault: ListenerFault) -> WireFault:
    kind = _CONNECT_FAULTS[type(fault)]
    return WireFault(kind=kind, processed=Processed.NO, detail=type(fault).__name__)
