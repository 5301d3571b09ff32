"""
What crosses the seam between the providers and ``http``.

Providers turn a message and a target into a :class:`WireRequest`; a transport turns that into a
:class:`WireResponse`, or into a :class:`WireFault` that says whether the server can have processed the
request. Nothing here knows a provider, and nothing here does I/O.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import attrs

Header: TypeAlias = tuple[bytes, bytes]
"""A header field: lower-case name and value, as octets."""


@attrs.frozen
class Origin:
    """Where a request goes: scheme, host (lower case, without brackets) and port."""

    host: str
    port: int = 443
    scheme: str = "https"

    @classmethod
    def parse(cls, url: str) -> Origin:
        """
        Read the origin of a URL such as ``https://api.push.apple.com:2197``.

        Raises:
            ValueError: when the URL has no http(s) scheme, no host or an impossible port.
        """
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = "expected an origin such as https://host or https://host:port"
            raise ValueError(message)
        return cls(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), parts.scheme)

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's default, port: the ``:authority`` of a request."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class HeaderBlock:
    """
    Header fields that are the same for many requests.

    Compared by identity on purpose: a protocol engine keeps these fields in the HPACK dynamic table
    and recognises a block that it has seen by ``id``. Make one per notification (or per whole second
    of TTL), never one per push.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: Sequence[Header]) -> None:
        self.fields: tuple[Header, ...] = tuple(fields)

    def __repr__(self) -> str:
        return f"<HeaderBlock {', '.join(name.decode('ascii', 'replace') for name, _ in self.fields)}>"


class ConnectionAuth(Protocol):
    """
    A credential that belongs to a connection, not to a request (APNs provider tokens).

    The pool calls :meth:`header` when it opens a stream on the connection that it chose; ``slot`` is
    an opaque value that the pool keeps on that connection (None on a new one).
    """

    def header(self, slot: object | None, now: float) -> tuple[bytes, object]:
        """Give the ``authorization`` value for a stream on this connection, and the slot to keep. ``now``: epoch seconds."""
        ...

    def rejected(self, slot: object | None) -> None:
        """The server refused what this slot stands for; the next new connection gets a fresh one."""
        ...


@attrs.frozen(kw_only=True, repr=False)
class ClientCertificate:
    """
    A TLS client certificate and its private key, as PEM octets.

    A transport gives them to TLS without a file on a shared disk; PKCS#12 is turned into PEM by whoever
    reads it.
    """

    chain: bytes
    """The certificate, then the intermediate ones."""
    key: bytes
    """The private key, unencrypted."""

    def __repr__(self) -> str:
        return "<ClientCertificate>"


@attrs.frozen(kw_only=True)
class OriginPolicy:
    """Facts about a service that the connection pool has to respect, as a value."""

    protocols: tuple[str, ...] = ("h2",)
    """What to offer in ALPN: ``("h2",)``, ``("h2", "http/1.1")`` (ALPN decides) or ``("http/1.1",)``."""
    first_streams: int | None = None
    """Streams allowed on a new connection until its first good answer (APNs with tokens: 1)."""
    locked_statuses: frozenset[int] = frozenset()
    """Statuses that do not count as that first good answer (APNs: 403)."""
    max_streams: int | None = None
    """Cap on concurrent streams a connection, below whatever the server offers (FCM: 100)."""
    max_connections: int = 4
    """Connections to one (origin, pool key) at the most."""
    max_in_flight: int | None = None
    """Requests under way to this origin at the most (unknown Web Push origins are held short)."""
    connect_timeout: float = 5.0
    """Seconds for DNS, TCP, TLS and the proxy together."""
    ping_after: float = 60.0
    """Seconds without traffic after which a connection is checked by PING before its next request."""
    ping_timeout: float = 2.0
    """Seconds to wait for that PING's answer before the connection is replaced."""
    max_age: float | None = 24 * 3600.0
    """Seconds after which a connection is drained and replaced; None for never."""
    idle_timeout: float | None = None
    """Seconds without traffic after which a connection is closed; None keeps it."""
    max_response_bytes: int = 64 * 1024
    """Cap on an answer's body; a larger one becomes a ``RESPONSE_TOO_LARGE`` fault."""
    check_address: Callable[[str, str], bool] | None = None
    """``(host, ip) -> may we dial it?``, asked for every resolved address before it is dialled (SSRF)."""
    use_environment_proxy: bool = False
    """Whether proxies named by the environment may carry this traffic."""
    client_certificate: ClientCertificate | None = None
    """What this client shows in TLS; connections with different ones need different pool keys."""


DEFAULT_POLICY = OriginPolicy()


@attrs.define(eq=False, repr=False)
class WireRequest:
    """
    One HTTP request, ready for a transport.

    ``deadline`` is absolute, in the transport clock's monotonic seconds: at that moment the transport
    answers with a fault at the latest. ``pool_key`` separates connections that must not be shared
    (APNs: one team and key a connection; FCM and Web Push: None).
    """

    method: bytes
    origin: Origin
    path: bytes
    block: HeaderBlock
    """Header fields shared with many other requests; without pseudo-headers."""
    headers: tuple[Header, ...]
    """Header fields of this request alone."""
    body: bytes
    deadline: float
    auth: ConnectionAuth | None = None
    pool_key: Hashable = None
    policy: OriginPolicy = DEFAULT_POLICY

    def __repr__(self) -> str:
        # The path and the body are secrets (device token, message).
        return f"<WireRequest {self.method.decode('ascii', 'replace')} {self.origin} {len(self.body)} bytes>"


@attrs.define(eq=False, repr=False)
class WireResponse:
    """A complete answer."""

    status: int
    headers: Sequence[Header]
    """In the order received, names in lower case, without pseudo-headers."""
    body: bytes
    connection_id: int = 0

    def header(self, name: bytes) -> bytes | None:
        """The first value of a field, or None. ``name`` in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def __repr__(self) -> str:
        return f"<WireResponse {self.status} {len(self.body)} bytes>"


class Processed(enum.StrEnum):
    """Whether the server can have processed a request that got no answer."""

    NO = "no"
    """Provably not: sending again cannot make a duplicate."""
    UNKNOWN = "unknown"
    """It may have."""


class FaultKind(enum.StrEnum):
    """What happened instead of an answer."""

    CONNECT_FAILED = "connect_failed"
    """DNS, TCP, proxy or HTTP/2 set-up failed."""
    CONNECT_TIMEOUT = "connect_timeout"
    """No connection in time."""
    TLS_FAILED = "tls_failed"
    """The certificate is not trusted or the handshake failed for good."""
    ADDRESS_REFUSED = "address_refused"
    """Every address of the host was refused by the policy's check; nothing was dialled."""
    REFUSED_STREAM = "refused_stream"
    """The server said that it did not process the request, and sending it again by itself made no progress."""
    TIMEOUT = "timeout"
    """The deadline passed."""
    CONNECTION_LOST = "connection_lost"
    """The connection ended, or the server reset the stream, before the answer was complete."""
    RESPONSE_TOO_LARGE = "response_too_large"
    """The answer went over a cap."""
    PROTOCOL_ERROR = "protocol_error"
    """The server broke HTTP in a way that leaves no answer."""
    CANCELLED = "cancelled"
    """The caller gave up."""
    CLOSED = "closed"
    """The transport was closed locally."""


@attrs.frozen(kw_only=True, eq=False)
class WireFault:
    """No answer: what happened, and whether the server can have processed the request."""

    kind: FaultKind
    processed: Processed
    detail: str = ""
    """For people; holds no path, header value or body."""
    goaway_reason: str | None = None
    """The ``reason`` in the JSON debug data of the server's GOAWAY, when there was one (APNs)."""
    connection_id: int = 0
    """Which connection, 0 when there was none."""


WireResult: TypeAlias = WireResponse | WireFault


class Cancellable(Protocol):
    """A request under way."""

    def cancel(self) -> None:
        """Give up; ``done`` is still called, with a ``CANCELLED`` fault that says what is known of the fate. Idempotent."""
        ...


@runtime_checkable
class Recallable(Cancellable, Protocol):
    """What a transport's handles may add: taking back what was not begun."""

    def recall(self) -> bool:
        """
        Take the request back if it waits for a connection or a stream still; gives whether it did.

        ``done`` is then called, before this returns, with a ``CANCELLED`` fault and ``Processed.NO``. What is on its way goes on.
        """
        ...


class Transport(Protocol):
    """
    Something that carries requests. Bound to one event loop.

    ``submit`` neither blocks nor raises for anything that a network did. It calls ``done`` exactly
    once, on the loop, and never before it has returned. What is provably unprocessed it sends again by
    itself as long as there is progress and time.
    """

    def submit(self, request: WireRequest, done: Callable[[WireResult], None]) -> Cancellable:
        """Start a request."""
        ...

    def retire(self, connection_id: int, *, rejected: bool = False) -> None:
        """
        Drain this connection and use it for nothing new; unknown ids are ignored.

        ``rejected``: the server refused the connection's credential, so its ``ConnectionAuth.rejected``
        is called with the connection's slot first.
        """
        ...

    def forget(self, pool_key: Hashable) -> None:
        """Drain and close all connections of a pool key (an app was removed, its key replaced)."""
        ...

    async def connect(self, origin: Origin, policy: OriginPolicy, pool_key: Hashable, timeout: float) -> WireFault | None:
        """Open a connection ahead of the first request; a fault says why that failed."""
        ...

    def health(self) -> Sequence[OriginHealth]:
        """The state of every (origin, pool key) that has connections."""
        ...

    async def aclose(self) -> None:
        """Close every connection; what is under way ends with a ``CLOSED`` fault."""
        ...


@attrs.frozen(kw_only=True)
class OriginHealth:
    """Connections to one origin, for ``client.health()``."""

    origin: str
    engine: str
    """``"h2"``, ``"ngh2"`` or ``"httpx"``."""
    connections: int
    streams: int
    """Requests under way."""
    stream_limit: int
    """Streams that the open connections allow together right now."""
    waiting: int
    """Requests waiting for a stream."""
    last_fault: str | None = None
    """Kind of the latest fault since the latest answer."""
