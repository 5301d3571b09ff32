"""From an origin to a connection that is ready: DNS, address check, TCP, proxy, TLS, ALPN, first SETTINGS."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from pushkit.clock import Clock
from pushkit.errors import ConfigurationError
from pushkit.http.http2.connection import Http2Connection
from pushkit.http.http2.engine import EngineFactory
from pushkit.http.http2.pool import DialError, OtherProtocolError, Pool
from pushkit.http.proxy import MAX_ANSWER_BYTES, Proxies, Proxy, read_status
from pushkit.http.tls import TlsContexts
from pushkit.http.tls_stream import TlsStream
from pushkit.wire import FaultKind, OriginPolicy

NEXT_ADDRESS_AFTER = 0.3
"""Seconds after which the next address is tried beside a slow one (RFC 8305 section 5)."""
ADDRESSES_TRIED = 6


Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a host name (and port) in the order of preference. Raises OSError when there are none."""


async def dns(host: str, port: int) -> Sequence[str]:
    """The system's resolver, asked anew each time."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def resolve(host: str, port: int, policy: OriginPolicy, lookup: Lookup) -> list[str]:
    """
    Addresses of a host that may be dialled, from a fresh answer.

    Raises:
        DialError: CONNECT_FAILED without any, ADDRESS_REFUSED when the policy refuses them all.
    """
    try:
        addresses = [str(ip_address(host))]
    except ValueError:
        try:
            addresses = list(await lookup(host, port))
        except (OSError, UnicodeError) as exc:
            raise DialError(FaultKind.CONNECT_FAILED, f"the host's name was not found ({type(exc).__name__})") from None
    if policy.check_address is not None:
        addresses = [address for address in addresses if policy.check_address(host, address.split("%")[0])]
        if not addresses:
            raise DialError(FaultKind.ADDRESS_REFUSED, "every address of the host was refused")
    if not addresses:
        raise DialError(FaultKind.CONNECT_FAILED, "the host's name has no address")
    return addresses


def spread(addresses: Sequence[str], used: Sequence[str]) -> list[str]:
    """Order addresses: families in turn as DNS ordered them, in each the least used first, equals by lot."""
    first_v6 = ":" in addresses[0]
    shuffled = random.sample(addresses, len(addresses))
    shuffled.sort(key=used.count)
    ours = [address for address in shuffled if (":" in address) is first_v6]
    others = [address for address in shuffled if (":" in address) is not first_v6]
    mixed: list[str] = []
    for index in range(max(len(ours), len(others))):
        mixed.extend(ours[index : index + 1])
        mixed.extend(others[index : index + 1])
    return mixed[:ADDRESSES_TRIED]


async def connect_tcp(addresses: Sequence[str], port: int) -> tuple[socket.socket, str]:
    """
    Connect to the first address that answers, the next one beside it when it is slow.

    Raises:
        OSError: the last failure, when all fail.
    """
    loop = asyncio.get_running_loop()
    failure: OSError = OSError("no address")
    running: dict[asyncio.Task[socket.socket], str] = {}
    rest = list(addresses)
    try:
        while rest or running:
            if rest:
                address = rest.pop(0)
                running[loop.create_task(_connect_one(address, port))] = address
            done, _ = await asyncio.wait(running, timeout=NEXT_ADDRESS_AFTER if rest else None, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                address = running.pop(task)
                error = task.exception()
                if error is None:
                    return task.result(), address
                if not isinstance(error, OSError):
                    raise error
                failure = error
        raise failure
    finally:
        for task in running:
            task.add_done_callback(_close_loser)
            task.cancel()


def _close_loser(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connect_one(address: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    plain, _, scope = address.partition("%")
    v6 = ":" in plain
    sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        target = (
            (plain, port, 0, int(scope) if scope.isdigit() else (socket.if_nametoindex(scope) if scope else 0)) if v6 else (plain, port)
        )
        await loop.sock_connect(sock, target)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


async def open_tunnel(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """
    Ask an HTTP proxy for a tunnel over a connected socket.

    Raises:
        DialError: when it does not give one.
    """
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, proxy.request(host, port))
    head = b""
    while b"\r\n\r\n" not in head:
        # One octet at a time at the end would be needed to leave TLS octets alone, but in a tunnel
        # the server speaks second: nothing follows the proxy's head until we have spoken.
        part = await loop.sock_recv(sock, 4096)
        head += part
        if not part or len(head) > MAX_ANSWER_BYTES:
            raise DialError(FaultKind.CONNECT_FAILED, "the proxy did not answer CONNECT with HTTP")
    status = read_status(head)
    if status == 407:
        raise DialError(FaultKind.CONNECT_FAILED, "the proxy wants other credentials (407)")
    if status is None or not 200 <= status < 300:
        raise DialError(FaultKind.CONNECT_FAILED, f"the proxy refused the tunnel ({status})")


class Dialer:
    """Opens connections for the pools of one transport."""

    def __init__(self, clock: Clock, engine: EngineFactory, tls: TlsContexts, proxies: Proxies, lookup: Lookup = dns) -> None:
        self._clock = clock
        self._engine = engine
        self._tls = tls
        self._proxies = proxies
        self._lookup = lookup

    async def dial(self, pool: Pool) -> Http2Connection:
        """
        Open a connection and wait for the server's first SETTINGS.

        Raises:
            DialError: with the kind of fault.
            OtherProtocolError: when ALPN chose HTTP/1.1 and the policy allows that.
        """
        timeout = pool.policy.connect_timeout
        opened: list[Http2Connection | socket.socket] = []
        try:
            async with asyncio.timeout(timeout):
                return await self._dial(pool, opened)
        except TimeoutError:
            self._undo(opened)
            raise DialError(FaultKind.CONNECT_TIMEOUT, f"no connection within {timeout:g} s") from None
        except BaseException:
            self._undo(opened)
            raise

    @staticmethod
    def _undo(opened: list[Http2Connection | socket.socket]) -> None:
        for thing in opened:
            thing.close()

    async def _dial(self, pool: Pool, opened: list[Http2Connection | socket.socket]) -> Http2Connection:
        origin, policy = pool.origin, pool.policy
        try:
            proxy = self._proxies.get(origin, policy)
        except ConfigurationError as exc:
            raise DialError(FaultKind.CONNECT_FAILED, f"the environment's {exc}") from None
        used = [connection.address for connection in pool.connections]
        host = origin.host
        if proxy is None:
            addresses = spread(await resolve(host, origin.port, policy, self._lookup), used)
            port = origin.port
        else:
            if policy.check_address is not None:
                # The proxy must not look the name up again and find another address than the checked one.
                host = spread(await resolve(host, origin.port, policy, self._lookup), used)[0]
            addresses = spread(await resolve(proxy.host, proxy.port, OriginPolicy(), self._lookup), ())
            port = proxy.port
        try:
            sock, address = await connect_tcp(addresses, port)
        except OSError as exc:
            raise DialError(FaultKind.CONNECT_FAILED, f"TCP failed ({type(exc).__name__})") from None
        opened.append(sock)
        if proxy is not None:
            try:
                await open_tunnel(sock, proxy, host, origin.port)
            except OSError as exc:
                raise DialError(FaultKind.CONNECT_FAILED, f"the proxy hung up ({type(exc).__name__})") from None
        return await self._start(pool, opened, sock, address)

    async def _start(self, pool: Pool, opened: list[Http2Connection | socket.socket], sock: socket.socket, address: str) -> Http2Connection:
        loop = asyncio.get_running_loop()
        origin, policy = pool.origin, pool.policy
        try:
            context = self._tls.get(policy.protocols, policy.client_certificate) if origin.scheme == "https" else None
        except ConfigurationError as exc:
            raise DialError(FaultKind.TLS_FAILED, str(exc)) from None
        stream = TlsStream(sock, context, origin.host)
        try:
            await stream.handshake()
        except ssl.SSLCertVerificationError as exc:
            raise DialError(FaultKind.TLS_FAILED, f"the server's certificate is not trusted: {exc.verify_message}") from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ConnectionError) as exc:
            raise DialError(FaultKind.CONNECT_FAILED, f"the server hung up in the TLS handshake ({type(exc).__name__})") from None
        except ssl.SSLError as exc:
            raise DialError(FaultKind.TLS_FAILED, f"the TLS handshake failed ({exc.reason or type(exc).__name__})") from None
        except OSError as exc:
            raise DialError(FaultKind.CONNECT_FAILED, f"the connection failed ({type(exc).__name__})") from None
        if context is not None and stream.protocol != "h2":
            if "http/1.1" in policy.protocols:
                raise OtherProtocolError
            raise DialError(FaultKind.CONNECT_FAILED, "the server does not speak HTTP/2 (ALPN)")
        connection = Http2Connection(pool, self._engine(origin.scheme, origin.authority), policy, self._clock, loop)
        connection.address = address
        opened[:] = [connection]
        connection.start(stream)
        await connection.settling
        if not connection.settled:
            if isinstance(connection.error, ssl.SSLError):
                # With TLS 1.3 a server refuses a client's certificate after the handshake.
                raise DialError(FaultKind.TLS_FAILED, f"the server refused TLS ({connection.error.reason or 'alert'})")
            raise DialError(FaultKind.CONNECT_FAILED, f"{connection.failure} before its first SETTINGS")
        return connection
