"""The transport: routes each request to our own HTTP/2 connections or to httpx, and owns them all."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from pushkit.clock import Clock, Timer
from pushkit.errors import ConfigurationError
from pushkit.http.dialer import Dialer, Lookup, dns
from pushkit.http.exchange import Exchange
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.http2.engine import choose_engine
from pushkit.http.http2.pool import Pool
from pushkit.http.loop_clock import LoopClock
from pushkit.http.proxy import Proxies, Proxy
from pushkit.http.timer_wheel import TimerWheel
from pushkit.http.tls import TlsContexts
from pushkit.lru import LRU
from pushkit.wire import FaultKind, Origin, OriginHealth, OriginPolicy, Processed, WireFault, WireRequest, WireResult

if TYPE_CHECKING:
    from pushkit.http.httpx_adapter import HttpxCarrier

CLOSE_WITHIN = 2.0
"""Seconds that httpx has to close its connections."""
SWEEP_EVERY = 5.0
"""Seconds between looks for connections that are idle or old."""
MAX_POOLS = 1024
"""Origins (and pool keys) with connections at once; beyond it unused ones are closed."""
KNOWN_HTTP1 = 1024
"""Origins remembered as speaking HTTP/1.1 only."""
HTTP1_REMEMBERED = 3600.0
"""Seconds after which such an origin is asked again."""

_Key = tuple[Origin, Hashable]


def check_network(proxy: Any, ssl_context: Any) -> None:
    """
    Look at ``proxy`` and ``ssl_context`` before anything is opened.

    Raises:
        ConfigurationError: for a proxy's URL that is none, and for a context that is something else.
    """
    if proxy is not None:
        if not isinstance(proxy, str):
            message = f"proxy= is a {type(proxy).__name__}; expected a URL such as http://user:password@host:3128"
            raise ConfigurationError(message)
        Proxy.parse(proxy)
    if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
        message = (
            f"ssl_context= is a {type(ssl_context).__name__}; expected an ssl.SSLContext, "
            "such as ssl.create_default_context(cafile=...) for a private CA; None trusts what the system trusts"
        )
        raise ConfigurationError(message)


class HttpTransport:
    """
    Carries requests; fulfils :class:`pushkit.wire.Transport`.

    Bound to the event loop on which it is first used. ``("h2",)`` and ``("h2", "http/1.1")`` go over our
    own connections (ALPN decides, RFC 7301), ``("http/1.1",)`` over httpx.

    Args:
        clock: time; None takes the loop's.
        proxy: URL of a proxy for everything, such as ``http://user:password@host:3128``.
        ssl_context: the caller's own trust (a private CA). ALPN is set on it.
        engine: HTTP/2 protocol engine: ``"auto"``, ``"ngh2"`` or ``"h2"``.
        client: an ``httpx.AsyncClient`` (or httpx2's) that carries all traffic instead; it stays the caller's to close.
        lookup: finds the addresses of a host; the system's resolver unless given.

    Raises:
        ConfigurationError: for contradictory arguments, a broken proxy URL, an engine that does not work here.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        engine: str = "auto",
        client: Any = None,
        lookup: Lookup = dns,
    ) -> None:
        if client is not None and (proxy is not None or ssl_context is not None):
            message = "client= brings its own network: give proxy= and ssl_context= to that client instead"
            raise ConfigurationError(message)
        check_network(proxy, ssl_context)
        self.clock: Clock = clock if clock is not None else LoopClock()
        self.engine, factory = choose_engine(engine)
        self._proxies = Proxies(Proxy.parse(proxy) if proxy is not None else None)
        self._tls = TlsContexts(ssl_context)
        self._dialer = Dialer(self.clock, factory, self._tls, self._proxies, lookup)
        self._lookup = lookup
        self._wheel = TimerWheel(self.clock)
        self._pools: dict[_Key, Pool] = {}
        self._connections: dict[int, Http2Connection] = {}
        self._last_origin: Origin | None = None
        self._last_key: Hashable = None
        self._last_pool: Pool | None = None
        self._http1: LRU[Origin, float] = LRU(KNOWN_HTTP1)
        self._client = client
        self._carrier: HttpxCarrier | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeper: Timer | None = None
        self._closed = False
        if client is not None:
            self._httpx()  # says at once when it is no client

    # -- wire.Transport -----------------------------------------------------------------------------

    def submit(self, request: WireRequest, done: Callable[[WireResult], None]) -> Exchange:
        """
        Start a request; ``done`` is called once, on the loop, after this has returned.

        Raises:
            RuntimeError: on another event loop than before (or in a forked child): make a new transport there.
        """
        exchange = Exchange(request, done)
        pool = self._last_pool
        if (
            pool is None
            or request.origin is not self._last_origin
            or request.pool_key is not self._last_key
            or request.policy is not pool.policy
        ):
            pool = self._route(request.origin, request.pool_key, request.policy)
        elif self._loop is not asyncio.get_running_loop():
            self._bind()
        if self._closed:
            asyncio.get_running_loop().call_soon(exchange.give_up, FaultKind.CLOSED)
            return exchange
        self._wheel.add(exchange, request.deadline)
        if pool is not None:
            pool.submit(exchange)
        else:
            self._httpx().submit(exchange)
        return exchange

    def retire(self, connection_id: int, *, rejected: bool = False) -> None:
        """Drain a connection and use it for nothing new; ``rejected``: its credential was refused."""
        connection = self._connections.get(connection_id)
        if connection is not None:
            if rejected and connection.auth is not None:
                connection.auth.rejected(connection.auth_slot)
                connection.auth = None  # said once, however many answers say the same
            connection.leave()
        elif self._carrier is not None:
            self._carrier.retire(connection_id, rejected=rejected)

    def forget(self, pool_key: Hashable) -> None:
        """Drain all connections of a pool key."""
        for key in [key for key in self._pools if key[1] == pool_key]:
            self._pools[key].drain()
        if self._carrier is not None:
            self._carrier.forget(pool_key)

    async def connect(self, origin: Origin, policy: OriginPolicy, pool_key: Hashable, timeout: float) -> WireFault | None:
        """Open a connection ahead of the first request. Over httpx nothing is opened ahead."""
        if self._closed:
            return WireFault(kind=FaultKind.CLOSED, processed=Processed.NO, detail="the transport is closed")
        pool = self._route(origin, pool_key, policy)
        return None if pool is None else await pool.connect(timeout)

    def health(self) -> Sequence[OriginHealth]:
        """The state of every (origin, pool key) that has connections or requests."""
        own = [
            OriginHealth(
                origin=str(pool.origin),
                engine=self.engine,
                connections=len(pool.connections),
                streams=pool.streams,
                stream_limit=sum(connection.capacity for connection in pool.connections),
                waiting=len(pool.waiting),
                last_fault=pool.fault,
            )
            for pool in self._pools.values()
        ]
        sizes = [] if self._carrier is None else self._carrier.sizes()
        return own + [
            OriginHealth(origin=str(origin), engine="httpx", connections=lanes, streams=busy, stream_limit=limit, waiting=waiting)
            for origin, lanes, busy, limit, waiting in sizes
        ]

    async def aclose(self) -> None:
        """Close every connection; what is under way ends with a ``CLOSED`` fault. Idempotent."""
        self._closed = True
        self._last_pool = None
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        dialing = [pool.dialing for pool in self._pools.values() if pool.dialing is not None]
        for pool in list(self._pools.values()):
            pool.close()
        await asyncio.gather(*dialing, return_exceptions=True)
        if self._carrier is not None:
            with contextlib.suppress(TimeoutError):  # httpx may wait for a server to say goodbye
                async with asyncio.timeout(CLOSE_WITHIN):
                    await self._carrier.aclose()
        self._pools.clear()
        self._wheel.clear()
        self._tls.clear()

    # -- pool.Host ----------------------------------------------------------------------------------

    def on_opened(self, connection: Http2Connection) -> None:
        """A connection exists."""
        self._connections[connection.id] = connection

    def on_gone(self, connection: Http2Connection) -> None:
        """A connection does not exist any more."""
        self._connections.pop(connection.id, None)

    def on_other_protocol(self, pool: Pool, exchanges: Sequence[Exchange]) -> None:
        """The origin speaks HTTP/1.1 only: these and all further requests go over httpx."""
        self._http1.put(pool.origin, self.clock.monotonic() + HTTP1_REMEMBERED)
        self._last_pool = None
        carrier = self._httpx()
        for exchange in exchanges:
            carrier.submit(exchange)

    # -- inside -------------------------------------------------------------------------------------

    def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = "this transport belongs to another event loop (or to the process before fork); make a new client for this one"
            raise RuntimeError(message)

    def _route(self, origin: Origin, pool_key: Hashable, policy: OriginPolicy) -> Pool | None:
        """The pool for a request, or None when httpx carries it."""
        self._bind()
        plain = origin.scheme == "http" and "http/1.1" in policy.protocols  # no ALPN without TLS
        if self._client is not None or plain or "h2" not in policy.protocols or not self._speaks_tunnels(origin, policy):
            return None
        if "http/1.1" in policy.protocols and self._is_http1(origin):
            return None
        pool = self._pools.get((origin, pool_key))
        if pool is None:
            self._make_room()
            pool = self._pools[origin, pool_key] = Pool(self, origin, policy, self.clock, self._dialer.dial)
            self._start_sweeping()
        pool.policy = policy
        self._last_origin, self._last_key, self._last_pool = origin, pool_key, pool
        return pool

    def _is_http1(self, origin: Origin) -> bool:
        """Whether this origin chose HTTP/1.1 within the last hour."""
        until = self._http1.get(origin)
        if until is not None and self.clock.monotonic() >= until:
            self._http1.pop(origin)
            return False
        return until is not None

    def _make_room(self) -> None:
        """Origins may be named by strangers: the oldest that nobody uses gives way."""
        if len(self._pools) >= MAX_POOLS:
            for key, pool in self._pools.items():
                if not pool.streams and not pool.waiting:
                    pool.close()
                    del self._pools[key]
                    return

    def _speaks_tunnels(self, origin: Origin, policy: OriginPolicy) -> bool:
        """Whether our own connection can go the way there: directly, or through an HTTP proxy's CONNECT."""
        try:
            proxy = self._proxies.get(origin, policy)
        except ConfigurationError:
            return True  # the environment's is none: said for each request that needs it, by the attempt to connect
        return proxy is None or proxy.scheme == "http"

    def _httpx(self) -> HttpxCarrier:
        self._start_sweeping()
        if self._carrier is None:
            from pushkit.http.httpx_adapter import HttpxCarrier

            self._carrier = HttpxCarrier(self.clock, self._tls, self._proxies, self._client, self._lookup)
        return self._carrier

    def _start_sweeping(self) -> None:
        if self._sweeper is None and not self._closed and self._loop is not None:
            self._sweeper = self.clock.call_at(self.clock.monotonic() + SWEEP_EVERY, self._sweep)

    def _sweep(self) -> None:
        now = self.clock.monotonic()
        for key, pool in list(self._pools.items()):
            pool.sweep(now)
            if pool.idle:
                del self._pools[key]
                if self._last_pool is pool:
                    self._last_pool = None
        if self._carrier is not None:
            self._carrier.sweep()
        self._sweeper = None
        if self._pools or (self._carrier is not None and self._carrier.sizes()):
            self._start_sweeping()
