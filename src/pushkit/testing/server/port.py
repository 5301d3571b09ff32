"""One listening port: open, closed, silent or with broken TLS, as the behaviour says."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
from collections.abc import Callable
from typing import cast

from pushkit.testing.ca import LocalCA
from pushkit.testing.exchange import Connection, Request
from pushkit.testing.faults import ListenerFault, Refuse, Silence, TlsFailure
from pushkit.testing.server.connection import ServerConnection
from pushkit.testing.services.base import Served

_ATTEMPTS = 20


class Port:
    """
    A port with a service behind it.

    Args:
        name: what it is called in snippets and errors.
        handler: gives what to do with a request.
        ca: who signs its certificate; None for plain HTTP.
        alpn: protocols, preferred first.
        engine: HTTP/2 implementation.
        streams: MAX_CONCURRENT_STREAMS for a connection in its present state.
        host: address to listen on.
        fixed: port number, 0 for a free one.
    """

    def __init__(
        self,
        name: str,
        handler: Callable[[Request], Served],
        ca: LocalCA | None,
        *,
        alpn: tuple[str, ...] = ("h2", "http/1.1"),
        engine: str = "auto",
        streams: Callable[[Connection], int] = lambda _: 1000,
        host: str = "127.0.0.1",
        fixed: int = 0,
    ) -> None:
        self.name = name
        self.serve = handler
        self.engine = engine
        self.streams_of = streams
        self.max_header_list = 8000
        self.initial_window: int | None = None
        self.number = fixed
        self.connections_seen = 0
        self._host = host
        self._ca = ca
        self._alpn = alpn
        self._server: asyncio.Server | None = None
        self._open: set[ServerConnection] = set()
        self._raw: set[asyncio.Transport] = set()
        self._numbers = itertools.count(1)
        self._fault: ListenerFault | None = None

    @property
    def only_h2(self) -> bool:
        """Whether nothing but HTTP/2 is spoken here (APNs)."""
        return self._alpn == ("h2",)

    @property
    def scheme(self) -> str:
        """``"https"``, or ``"http"`` for a plain port."""
        return "http" if self._ca is None else "https"

    @property
    def origin(self) -> str:
        """Its origin, by name (clients refuse address literals for Web Push)."""
        return f"{self.scheme}://localhost:{self.number}"

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._open)

    async def open(self) -> None:
        """
        Start to listen.

        Raises:
            OSError: when a fixed port is taken (says which).
        """
        await self._listen(self._context(None), self._connection)

    async def apply(self, fault: ListenerFault | None) -> None:
        """Break or mend the port."""
        if fault == self._fault:
            return
        self._fault = fault
        if fault is None:
            await self._shut()
            self.drop()
            await self.open()
            return
        await self._shut()
        if isinstance(fault, Silence):
            for connection in self._open:
                connection.muted = True
            await self._listen(None, lambda: _Mute(self._raw))
            return
        self.drop()
        if isinstance(fault, TlsFailure):
            if fault.how == "handshake":
                await self._listen(None, lambda: _Alert(self._raw))
            else:
                await self._listen(self._context(fault), self._connection)
        else:
            assert isinstance(fault, Refuse), "every fault of a port is dealt with"

    def drop(self) -> None:
        """Cut every connection with a TCP reset."""
        for connection in tuple(self._open):
            connection.abort()
        for transport in tuple(self._raw):
            transport.abort()

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        await self._shut()
        self.drop()
        for _ in range(200):
            if not self._open and not self._raw:
                return
            await asyncio.sleep(0.01)

    def opened(self, connection: ServerConnection) -> None:
        """A connection is up."""
        self._open.add(connection)
        self.connections_seen += 1

    def closed(self, connection: ServerConnection) -> None:
        """A connection has ended."""
        self._open.discard(connection)

    def _connection(self) -> ServerConnection:
        return ServerConnection(self, next(self._numbers))

    def _context(self, fault: TlsFailure | None) -> ssl.SSLContext | None:
        if self._ca is None:
            return None
        if fault is None:
            return self._ca.server_context(self._alpn)
        if fault.how == "wrong_host":
            return self._ca.server_context(self._alpn, wrong_name=True)
        return LocalCA().server_context(self._alpn)

    async def _listen(self, context: ssl.SSLContext | None, factory: Callable[[], asyncio.Protocol]) -> None:
        loop = asyncio.get_running_loop()
        sockets = bind(self._host, self.number)
        self.number = cast("int", sockets[0].getsockname()[1])
        servers = [await loop.create_server(factory, sock=sock, ssl=context, backlog=512) for sock in sockets]
        self._server = servers[0]
        self._more = servers[1:]

    async def _shut(self) -> None:
        if self._server is not None:
            for server in (self._server, *self._more):
                server.close()
            self._server = None


def bind(host: str, port: int) -> list[socket.socket]:
    """
    Sockets for a port on a host; for 127.0.0.1 also on ::1 where that exists, as ``localhost`` means both.

    Raises:
        OSError: when a given port is taken.
    """
    for attempt in range(_ATTEMPTS):
        first = _bound(socket.AF_INET6 if ":" in host else socket.AF_INET, host, port)
        if host != "127.0.0.1":
            return [first]
        number = first.getsockname()[1]
        try:
            return [first, _bound(socket.AF_INET6, "::1", number)]
        except OSError as error:
            import errno

            if error.errno != errno.EADDRINUSE or port or attempt == _ATTEMPTS - 1:
                return [first]  # no IPv6 here, or its half of a fixed port is taken: IPv4 alone will do
            first.close()
    raise OSError("no free port was found")


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno, f"cannot listen on {host} port {port}: {error.strerror}; choose another port, or 0 for a free one"
        ) from None
    return sock


class _Mute(asyncio.Protocol):
    """Takes a connection and says nothing."""

    def __init__(self, known: set[asyncio.Transport]) -> None:
        self._known = known

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._known.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._known.discard(self._transport)


class _Alert(_Mute):
    """Breaks the TLS handshake: alert 40, handshake_failure (RFC 8446 section 6.2)."""

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"\x15\x03\x03\x00\x02\x02\x28")
        self._transport.close()
