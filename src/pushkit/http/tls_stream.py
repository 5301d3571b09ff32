"""
A socket with TLS on it, driven by the event loop's readiness: the floor that connections stand on.

asyncio's own TLS transport loses what it has decrypted when a later record of the same read is broken,
and what waits in the socket when a write fails; both can be answers. It also cannot say what has left
the process. So TLS runs over memory BIOs here, and the socket is read to its end before it is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Coroutine
from typing import Protocol

from pushkit.http.tasks import start

READ_SIZE = 256 * 1024
HANDSHAKE_READ = 16 * 1024
DRAIN_READS = 64
"""Reads at the most after a failed write: 16 MiB, more than a socket keeps."""


class Receiver(Protocol):
    """Who is told what happens on a stream."""

    def data_received(self, data: bytes) -> None:
        """The peer sent this."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, once: None when the peer or ``close`` ended it in order."""
        ...

    def pause_writing(self) -> None:
        """The socket does not take more."""
        ...

    def resume_writing(self) -> None:
        """It does again."""
        ...


class TlsStream:
    """
    Octets over a connected, non-blocking socket, inside TLS unless ``context`` is None.

    Owned by one event loop. ``write`` never blocks: what the socket does not take is kept, and the
    receiver is told to pause.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None, server_hostname: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = None if context is None else context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._receiver: Receiver | None = None
        self._buffer = bytearray(READ_SIZE)
        self._view = memoryview(self._buffer)
        self._backlog: memoryview | None = None
        self._closed = False
        self._broken: Exception | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def protocol(self) -> str | None:
        """What ALPN chose (RFC 7301)."""
        return None if self._tls is None else self._tls.selected_alpn_protocol()

    @property
    def closed(self) -> bool:
        """Whether the socket is closed."""
        return self._closed

    async def handshake(self) -> None:
        """
        Do the TLS handshake.

        Raises:
            OSError: ssl.SSLError included.
        """
        tls = self._tls
        if tls is None:
            return
        loop, sock = self._loop, self._sock
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._send_handshake()
                data = await loop.sock_recv(sock, HANDSHAKE_READ)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                with contextlib.suppress(OSError):  # the alert that says why
                    await self._send_handshake()
                raise
            else:
                await self._send_handshake()
                return

    async def _send_handshake(self) -> None:
        data = self._outgoing.read()
        if data:
            await self._loop.sock_sendall(self._sock, data)

    def start(self, receiver: Receiver) -> None:
        """Begin to read."""
        self._receiver = receiver
        try:
            self._loop.add_reader(self._sock.fileno(), self._readable)
        except NotImplementedError:
            # Windows' proactor loop knows no readiness.
            self._spawn(self._pump_reads())
        if self._tls is not None and self._incoming.pending:
            self._loop.call_soon(self._decrypt)

    def write(self, data: bytes) -> None:
        """Send; what the socket does not take is kept."""
        if self._closed or self._broken is not None:
            return
        if self._tls is not None:
            try:
                written = self._tls.write(data)
                while written < len(data):  # a memory BIO takes all at once; OpenSSL does not promise it
                    written += self._tls.write(data[written:])
            except ssl.SSLError as exc:
                self._write_failed(exc)
                return
            data = self._outgoing.read()
        self._send(data)

    def close(self) -> None:
        """Say goodbye in TLS as far as the socket takes it, and close at once. The receiver hears no more."""
        if self._closed:
            return
        if self._tls is not None and self._broken is None and self._backlog is None:
            with contextlib.suppress(ssl.SSLError):  # it wants to read the peer's goodbye, which nobody waits for
                self._tls.unwrap()
            with contextlib.suppress(OSError):  # a goodbye that nobody hears
                self._sock.send(self._outgoing.read())
        self._shut()
        self._receiver = None

    # -- reading ------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            count = self._sock.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self._lost(exc)
            return
        self._take_in(count)

    def _take_in(self, count: int) -> None:
        if self._tls is None:
            if count:
                self._deliver(bytes(self._view[:count]))
            else:
                self._lost(None)
            return
        if count:
            self._incoming.write(self._view[:count])
        else:
            self._incoming.write_eof()
        self._decrypt()

    def _decrypt(self) -> None:
        tls = self._tls
        if tls is None or self._closed:
            return
        first = b""
        more: list[bytes] = []
        ended = False
        error: Exception | None = None
        try:
            while True:
                chunk = tls.read(READ_SIZE)
                if not chunk:
                    ended = True
                    break
                if first:
                    more.append(chunk)
                else:
                    first = chunk
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            ended = True
        except ssl.SSLError as exc:
            error = exc
        # What was readable before the trouble is delivered first.
        if first:
            self._deliver(b"".join((first, *more)) if more else first)
        if error is not None or ended:
            self._lost(error)
        elif self._outgoing.pending and self._broken is None and not self.closed:
            self._send(self._outgoing.read())  # TLS's own: key updates

    def _deliver(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.data_received(data)

    async def _pump_reads(self) -> None:
        while not self._closed:
            try:
                data = await self._loop.sock_recv(self._sock, HANDSHAKE_READ * 4)
            except OSError as exc:
                self._lost(exc)
                return
            self._view[: len(data)] = data
            self._take_in(len(data))

    # -- writing ------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if self._backlog is not None:
            self._backlog = memoryview(bytes(self._backlog) + data)
            return
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as exc:
            self._write_failed(exc)
            return
        if sent < len(data):
            self._backlog = memoryview(data)[sent:]
            try:
                self._loop.add_writer(self._sock.fileno(), self._writable)
            except NotImplementedError:
                self._spawn(self._pump_writes())
            if self._receiver is not None:
                self._receiver.pause_writing()

    def _writable(self) -> None:
        backlog = self._backlog
        if backlog is None:
            return
        try:
            sent = self._sock.send(backlog)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self._write_failed(exc)
            return
        if sent < len(backlog):
            self._backlog = backlog[sent:]
            return
        self._loop.remove_writer(self._sock.fileno())
        self._written()

    def _written(self) -> None:
        self._backlog = None
        if self._receiver is not None:
            self._receiver.resume_writing()

    async def _pump_writes(self) -> None:
        while self._backlog is not None and not self._closed:
            backlog, self._backlog = self._backlog, memoryview(b"")
            try:
                await self._loop.sock_sendall(self._sock, backlog)
            except OSError as exc:
                self._write_failed(exc)
                return
            if not self._backlog:
                self._written()

    def _write_failed(self, exc: Exception) -> None:
        """The peer takes nothing more; answers that it sent before may still be in the socket."""
        if self._broken is not None or self._closed:
            return
        self._broken = exc
        if self._receiver is not None:
            self._receiver.pause_writing()
        # Not at once: whoever writes is in the middle of its own work.
        self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        for _ in range(DRAIN_READS):
            if self._closed:
                return
            try:
                count = self._sock.recv_into(self._buffer)
            except OSError:
                break  # nothing more, or nothing that can be read
            self._take_in(count)
        self._lost(self._broken)

    # -- the end ------------------------------------------------------------------------------------

    def _lost(self, exc: Exception | None) -> None:
        if self._closed:
            return
        self._shut()
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.connection_lost(exc)

    def _shut(self) -> None:
        self._closed = True
        self._backlog = None
        descriptor = self._sock.fileno()
        if descriptor >= 0:
            try:
                self._loop.remove_reader(descriptor)
                self._loop.remove_writer(descriptor)
            except NotImplementedError:
                for pump in self._pumps:
                    pump.cancel()
        self._sock.close()

    def _spawn(self, pump: Coroutine[object, object, None]) -> None:
        task = start(pump)
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)
