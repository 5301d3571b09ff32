"""
Requests over httpx: HTTP/1.1 origins, proxies that the own connection does not speak, a caller's own client.

httpx's transport is called, not its client: the client writes every URL to the log, and a URL holds a
device token.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections import OrderedDict
from collections.abc import AsyncIterable, Hashable, Mapping
from types import ModuleType
from typing import Any, cast

from pushkit.clock import Clock
from pushkit.errors import ConfigurationError
from pushkit.http.dialer import Lookup, dns, resolve, spread
from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import new_connection_id
from pushkit.http.http2.pool import DialError
from pushkit.http.proxy import Proxies
from pushkit.http.tasks import start
from pushkit.http.tls import TlsContexts
from pushkit.untrusted import json_object, text_of
from pushkit.wire import ConnectionAuth, FaultKind, Origin, OriginPolicy, Processed, WireRequest

KEEP_ALIVE = 30.0
"""Seconds that an idle HTTP/1.1 connection is kept."""
DEFAULT_SLOTS = 100
"""Requests under way at once over a caller's own client, where neither the policy nor HTTP/2 says less."""
_REFUSED_STREAM = 7


def module_of(client: object) -> ModuleType:
    """
    The package (httpx or httpx2) that a caller's client belongs to, without importing either.

    Raises:
        ConfigurationError: when it is no ``AsyncClient`` of one of them.
    """
    for base in type(client).__mro__:
        package = base.__module__.split(".")[0]
        if base.__name__ == "AsyncClient" and package in {"httpx", "httpx2"}:
            return sys.modules[package]
    message = f"the transport is a {type(client).__name__}; expected an httpx.AsyncClient (or httpx2's), or a pushkit.wire.Transport"
    raise ConfigurationError(message)


class _Lane:
    """One httpx transport and the requests on it."""

    def __init__(self, transport: Any, slots: int, *, multiplexed: bool, owned: bool) -> None:
        self.id = new_connection_id()
        self.transport = transport
        self.free = slots
        self.slots = slots
        self.multiplexed = multiplexed
        """Whether it may speak HTTP/2, where httpx cannot be trusted after a cancelled request."""
        self.owned = owned
        self.auth: ConnectionAuth | None = None
        self.auth_slot: object | None = None
        self.retired = False


class _Line:
    """The lanes to one (origin, pool key), and who waits for one."""

    def __init__(self, policy: OriginPolicy, limit: int) -> None:
        self.policy = policy
        self.limit = limit
        self.lanes: list[_Lane] = []
        self.waiting: OrderedDict[Exchange, None] = OrderedDict()
        self.busy = 0


class _Trace:
    """What httpx says while it sends: enough to know whether the request can have arrived whole."""

    __slots__ = ("broken", "has_body", "over", "stream_id", "taciturn", "told", "whole")

    def __init__(self, *, has_body: bool) -> None:
        self.has_body = has_body
        self.whole = False
        """Whether its last part began to be sent."""
        self.taciturn = False
        """Whether it is with a transport that may send without a word."""
        self.told = False
        self.stream_id: int | None = None
        self.broken = False
        """Whether its connection is not to be trusted any more."""
        self.over = False

    async def __call__(self, name: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore (request extension ``trace``)."""
        if getattr(info.get("request"), "method", None) == b"CONNECT":
            return  # httpcore's own request to a proxy
        self.told = True
        part = name.partition(".")[2]
        if part == ("send_request_body.started" if self.has_body else "send_request_headers.started"):
            self.whole = True
        stream_id = info.get("stream_id")
        if isinstance(stream_id, int):
            self.stream_id = stream_id

    @property
    def fate(self) -> Processed:
        """What is known if it ends now."""
        return Processed.UNKNOWN if self.whole or (self.taciturn and not self.told) else Processed.NO


class HttpxCarrier:
    """Carries exchanges over httpx; one task a request."""

    def __init__(self, clock: Clock, tls: TlsContexts, proxies: Proxies, client: Any = None, lookup: Lookup = dns) -> None:
        self._clock = clock
        self._tls = tls
        self._proxies = proxies
        self._client = client
        self._lookup = lookup
        self._module: Any = module_of(client) if client is not None else None
        self._lines: dict[tuple[Origin, Hashable], _Line] = {}
        self._shared: dict[Hashable, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    # -- for the transport --------------------------------------------------------------------------

    def submit(self, exchange: Exchange) -> None:
        """Start the request, or keep it until a lane is free."""
        request = exchange.request
        key = (request.origin, request.pool_key)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(request.policy, self._limit(request.policy))
        exchange.abandon = lambda dropped: self._drop(line, dropped)
        exchange.parked = True
        line.waiting[exchange] = None
        self._pump(line)

    def retire(self, connection_id: int, *, rejected: bool) -> None:
        """Use the lane for nothing new."""
        for line in self._lines.values():
            for lane in line.lanes:
                if lane.id == connection_id:
                    if rejected and lane.auth is not None:
                        lane.auth.rejected(lane.auth_slot)
                    self._retire(line, lane)
                    return

    def forget(self, pool_key: Hashable) -> None:
        """Drop the lanes of a pool key."""
        for key in [key for key in self._lines if key[1] == pool_key]:
            line = self._lines[key]
            for lane in list(line.lanes):
                self._retire(line, lane)
            if not line.waiting and not line.busy:
                del self._lines[key]

    def sizes(self) -> list[tuple[Origin, int, int, int, int]]:
        """For each line: origin, lanes, requests under way, limit, waiting."""
        return [(key[0], len(line.lanes), line.busy, line.limit, len(line.waiting)) for key, line in self._lines.items()]

    def sweep(self) -> None:
        """Forget lines that nothing uses, and their lanes."""
        for key in [key for key, line in self._lines.items() if not line.busy and not line.waiting]:
            line = self._lines.pop(key)
            for lane in list(line.lanes):
                self._retire(line, lane)

    async def aclose(self) -> None:
        """Settle everything with ``CLOSED`` and close what is ours."""
        self._closed = True
        for line in self._lines.values():
            for exchange in list(line.waiting):
                exchange.give_up(FaultKind.CLOSED)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in self._lines.values():
            for lane in list(line.lanes):
                self._retire(line, lane)
        self._lines.clear()
        shared, self._shared = self._shared, {}
        for transport in shared.values():
            await transport.aclose()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- inside -------------------------------------------------------------------------------------

    def _limit(self, policy: OriginPolicy) -> int:
        if policy.protocols == ("h2",):
            # httpx over HTTP/2 loses answers and hangs when a server changes its limits under several
            # requests: one at a time on each connection.
            return 1 if self._client is not None else policy.max_connections
        limit = DEFAULT_SLOTS if self._client is not None else policy.max_connections
        return min(limit, policy.max_in_flight or limit)

    def _lane(self, line: _Line, request: WireRequest) -> _Lane | None:
        for lane in line.lanes:
            if lane.free:
                return lane
        if line.busy >= line.limit:
            return None
        policy = request.policy
        multiplexed = policy.protocols == ("h2",)
        if self._client is not None:
            lane = _Lane(None, line.limit, multiplexed=multiplexed, owned=False)
        elif multiplexed:
            lane = _Lane(self._make(request, http2=True), 1, multiplexed=True, owned=True)
        else:
            # httpcore keeps connections by the host of the URL. Where that is a checked address, two names on one
            # address would share a connection, and with it the certificate of the first: each gets a transport of its own.
            alone = self._dials_addresses(policy)
            lane = _Lane(self._make(request, http2=False, alone=alone), line.limit, multiplexed=False, owned=alone)
        line.lanes.append(lane)
        return lane

    def _dials_addresses(self, policy: OriginPolicy) -> bool:
        return policy.check_address is not None or self._lookup is not dns

    def _make(self, request: WireRequest, *, http2: bool, alone: bool = False) -> Any:
        import httpx

        self._module = httpx
        origin, policy = request.origin, request.policy
        proxy = self._proxies.get(origin, policy)
        key = (policy.client_certificate, None if proxy is None else proxy.url)
        if not http2 and not alone and key in self._shared:
            return self._shared[key]
        tunnel = self._tls.get(("http/1.1",), None) if proxy is not None and proxy.scheme == "https" else None
        transport = httpx.AsyncHTTPTransport(
            verify=self._tls.get(("h2",) if http2 else ("http/1.1",), policy.client_certificate),
            http1=not http2,
            http2=http2,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=1 if http2 else 100, keepalive_expiry=None if http2 else KEEP_ALIVE
            ),
            proxy=None if proxy is None else httpx.Proxy(proxy.url, ssl_context=tunnel),
            trust_env=False,
        )
        if not http2 and not alone:
            self._shared[key] = transport
        return transport

    def _pump(self, line: _Line) -> None:
        while line.waiting and not self._closed:
            exchange = next(iter(line.waiting))
            try:
                lane = self._lane(line, exchange.request)
            except (ConfigurationError, ValueError, ImportError) as exc:
                del line.waiting[exchange]
                asyncio.get_running_loop().call_soon(exchange.fault, FaultKind.CONNECT_FAILED, Processed.NO, str(exc))
                continue
            if lane is None:
                return
            del line.waiting[exchange]
            lane.free -= 1
            line.busy += 1
            self._start(line, lane, exchange)

    def _drop(self, line: _Line, exchange: Exchange) -> Processed:
        line.waiting.pop(exchange, None)
        return Processed.NO

    def _retire(self, line: _Line, lane: _Lane) -> None:
        if lane in line.lanes:
            line.lanes.remove(lane)
        lane.retired = True
        if lane.owned and lane.free == lane.slots:
            self._close_later(lane)

    def _close_later(self, lane: _Lane) -> None:
        task = start(lane.transport.aclose())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _start(self, line: _Line, lane: _Lane, exchange: Exchange) -> None:
        trace = _Trace(has_body=bool(exchange.request.body))
        task = start(self._carry(line, lane, exchange, trace))

        def abandon(_: Exchange) -> Processed:
            trace.broken = True
            task.cancel()
            return trace.fate

        exchange.abandon = abandon
        exchange.parked = False
        self._tasks.add(task)
        # A task that is cancelled before it has begun never comes to its own end.
        task.add_done_callback(lambda _: self._over(line, lane, exchange, trace))
        task.add_done_callback(self._tasks.discard)

    def _over(self, line: _Line, lane: _Lane, exchange: Exchange, trace: _Trace) -> None:
        if trace.over:
            return
        trace.over = True
        if exchange.done is not None:
            exchange.fault(FaultKind.CLOSED, trace.fate, "closed before there was an answer", connection_id=lane.id)
        lane.free += 1
        line.busy -= 1
        if trace.broken and lane.multiplexed and not lane.retired:
            self._retire(line, lane)
        elif lane.retired and lane.owned and lane.free == lane.slots:
            self._close_later(lane)
        self._pump(line)

    async def _carry(self, line: _Line, lane: _Lane, exchange: Exchange, trace: _Trace) -> None:
        try:
            await self._talk(lane, exchange, trace)
        except DialError as exc:
            exchange.fault(exc.kind, Processed.NO, str(exc), connection_id=lane.id)
        except Exception as exc:  # noqa: BLE001  # httpx raises more kinds than it names; each is a fault here
            trace.broken = True
            self._fault(lane, exchange, exc, trace)
        finally:
            self._over(line, lane, exchange, trace)

    async def _talk(self, lane: _Lane, exchange: Exchange, trace: _Trace) -> None:
        request = exchange.request
        policy, origin = request.policy, request.origin
        httpx = self._module
        headers = [*request.block.fields, *request.headers]
        if request.auth is not None:
            value, lane.auth_slot = request.auth.header(lane.auth_slot, self._clock.time())
            lane.auth = request.auth
            headers.append((b"authorization", value))
        extensions: dict[str, Any] = {
            "trace": trace,
            "timeout": {"connect": policy.connect_timeout, "read": None, "write": None, "pool": None},
        }
        host = origin.host
        if self._dials_addresses(policy):
            # The address that was checked is the one that is dialled; the name stays in SNI and Host.
            host = spread(await resolve(host, origin.port, policy, self._lookup), ())[0].split("%")[0]
            headers.append((b"host", origin.authority.encode("ascii")))
            extensions["sni_hostname"] = origin.host
        url = httpx.URL(scheme=origin.scheme, host=host, port=origin.port, raw_path=request.path)
        outgoing = httpx.Request(request.method.decode("ascii"), url, headers=headers, content=request.body, extensions=extensions)
        transport = self._transport(lane, url)
        if url.raw_path != request.path:
            outgoing.url = _exact(url, request.path)
        trace.taciturn = type(transport) is not httpx.AsyncHTTPTransport
        response = await (self._client.send(outgoing, stream=True) if transport is None else transport.handle_async_request(outgoing))
        try:
            body = bytearray()
            async for part in cast("AsyncIterable[bytes]", response.stream):
                body += part
                if len(body) > policy.max_response_bytes:
                    exchange.fault(
                        FaultKind.RESPONSE_TOO_LARGE, Processed.UNKNOWN, "the answer's body is over the cap", connection_id=lane.id
                    )
                    return
        finally:
            await response.aclose()
        status = str(response.status_code).encode("ascii")
        exchange.headers = [(b":status", status), *((name.lower(), value) for name, value in response.headers.raw)]
        exchange.chunks = bytes(body)
        exchange.answer(lane.id)

    def _transport(self, lane: _Lane, url: Any) -> Any:
        """What of httpx carries the request below its client, or None when only the client can."""
        if self._client is None:
            return lane.transport
        choose = getattr(self._client, "_transport_for_url", None)
        return None if choose is None else choose(url)

    @staticmethod
    def _fault(lane: _Lane, exchange: Exchange, exc: Exception, trace: _Trace) -> None:
        """Httpx's exception as a fault: what is behind it (ssl, h2 events) decides the fate where it can."""
        name = type(exc).__name__
        fate = trace.fate
        kind = FaultKind.CONNECTION_LOST
        detail = f"the request over httpx failed ({name})"
        if name in {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}:
            if not trace.whole:  # a caller's transport may have tried before
                fate = Processed.NO
            kind = FaultKind.CONNECT_TIMEOUT if name.endswith("Timeout") else FaultKind.CONNECT_FAILED
            if _cause(exc, ssl.SSLCertVerificationError):
                kind, detail = FaultKind.TLS_FAILED, "the server's certificate is not trusted"
        elif name in {"RemoteProtocolError", "LocalProtocolError", "DecodingError"}:
            kind = FaultKind.PROTOCOL_ERROR
        elif name.endswith("Timeout"):
            kind = FaultKind.TIMEOUT
        event = _h2_event(exc)
        if event is not None:
            kind = FaultKind.CONNECTION_LOST
            last = getattr(event, "last_stream_id", None)
            if last is not None:
                debug = getattr(event, "additional_data", None) or b""
                exchange.goaway_reason = text_of(json_object(debug).get("reason")) or None
                if trace.stream_id is not None and trace.stream_id > last:
                    fate, kind = Processed.NO, FaultKind.REFUSED_STREAM
            elif getattr(event, "error_code", None) == _REFUSED_STREAM:
                fate, kind = Processed.NO, FaultKind.REFUSED_STREAM
        exchange.fault(kind, fate, detail, connection_id=lane.id)


def _exact(url: Any, path: bytes) -> Any:
    """
    The same URL with its path letter for letter.

    httpx folds "/a/../b"; the path is the service's own. Its request extension ``target`` will not do:
    httpcore puts that into the CONNECT of a proxy too, and the path is a secret.
    """
    kind = _EXACT.get(url.__class__)
    if kind is None:
        kind = _EXACT[url.__class__] = type("ExactURL", (url.__class__,), {"raw_path": property(lambda self: self.exact_path)})
    exact = kind(url)
    exact.exact_path = path
    return exact


_EXACT: dict[type[Any], Any] = {}


def _cause(exc: BaseException | None, kind: type[BaseException]) -> bool:
    for _ in range(6):
        if exc is None:
            return False
        if isinstance(exc, kind):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


def _h2_event(exc: BaseException) -> object | None:
    """The h2 event behind httpcore's exception: a GOAWAY or a reset stream."""
    cause = exc.__cause__
    if cause is not None and cause.args and type(cause.args[0]).__name__ in {"ConnectionTerminated", "StreamReset"}:
        return cast("object", cause.args[0])
    return None
