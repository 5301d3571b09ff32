"""
A scripted HTTP/2 server written from RFC 9113, frame by frame, over real TLS: it can misbehave in every way.

It shares no code with the client's engines but the HPACK decoder, is strict about what it receives, and
keeps a ledger: which requests arrived whole, which it counts as processed, which it answered 200.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
MAX_STREAMS, INITIAL_WINDOW, HEADER_TABLE_SIZE, MAX_FRAME_SIZE = 3, 4, 1, 5


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """One frame (RFC 9113 section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header field without indexing and without Huffman coding (RFC 7541 section 6.2.2)."""

    def string(data: bytes) -> bytes:
        length = len(data)
        if length < 127:
            return bytes((length,)) + data
        rest, out = length - 127, bytearray((127,))
        while rest >= 128:
            out.append(rest % 128 + 128)
            rest //= 128
        out.append(rest)
        return bytes(out) + data

    return b"\x00" + string(name) + string(value)


def head(status: int = 200, *fields: tuple[bytes, bytes]) -> bytes:
    """A header block of an answer."""
    return literal(b":status", b"%d" % status) + b"".join(literal(*field) for field in fields)


class Strictness(AssertionError):
    """The client broke HTTP/2."""


class Ledger:
    """What the server knows of every request, by the value of its ``x-id``."""

    def __init__(self) -> None:
        self.whole: Counter[str] = Counter()
        self.processed: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.violations: list[str] = []
        self.connections = 0
        self.paths: list[bytes] = []
        self.pings = 0


class Stream:
    """One request as the server sees it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.whole = False
        self.reset = False
        self.done = False
        self.dropped = False
        """The server reset it: what still comes on it is ignored."""

    @property
    def id(self) -> str:
        return dict(self.headers).get(b"x-id", b"?").decode()

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)


class Conn:
    """One connection: reads strictly, writes what the script says."""

    def __init__(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.peer = peer
        self.reader = reader
        self.writer = writer
        self.number = number
        self.streams: dict[int, Stream] = {}
        self.requests = 0
        self.gone = False
        self._decoder = Decoder()
        self._limits: list[int] = []  # MAX_CONCURRENT_STREAMS in settings frames that were not acknowledged yet
        self._limit = 2**31
        self._windows: list[int | None] = []
        self._initial_window = 65535
        self._window = 65535
        self._stream_windows: dict[int, int] = {}
        self._highest = 0
        self.auto_window = True
        self.goaway_last = 2**31 - 1
        self.acked = asyncio.Event()

    # -- what a script says

    def raw(self, data: bytes) -> None:
        if self.writer.transport.is_closing():
            self.gone = True
        if not self.gone:
            self.writer.write(data)

    def settings(self, values: Mapping[int, int] = {}) -> None:
        self._limits.append(values.get(MAX_STREAMS, -1))
        self._windows.append(values.get(INITIAL_WINDOW))
        self.acked.clear()
        self.raw(frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", key, value) for key, value in values.items())))

    def answer(self, stream: Stream, status: int = 200, body: bytes = b"", *fields: tuple[bytes, bytes]) -> None:
        """A complete answer."""
        if body:
            self.raw(frame(HEADERS, END_HEADERS, stream.number, head(status, *fields)) + frame(DATA, END_STREAM, stream.number, body))
        else:
            self.raw(frame(HEADERS, END_HEADERS | END_STREAM, stream.number, head(status, *fields)))
        self.answered(stream, status)

    def answered(self, stream: Stream, status: int = 200) -> None:
        """Note that a complete answer is on its way."""
        stream.done = True
        if status == 200 and not self.gone and not stream.reset:
            self.peer.ledger.answered[stream.id] += 1

    def rst(self, stream: Stream, code: int) -> None:
        stream.done = stream.dropped = True
        if code == 7 and stream.whole:
            self.unprocess(stream)
        self.raw(frame(RST, 0, stream.number, struct.pack(">I", code)))

    def unprocess(self, stream: Stream) -> None:
        """The server says that it did not process this one."""
        self.peer.ledger.processed[stream.id] -= 1

    def goaway(self, last: int, code: int = 0, debug: bytes = b"") -> None:
        for stream in self.streams.values():
            if last < stream.number <= self.goaway_last and stream.whole and not stream.done:
                self.unprocess(stream)
        self.goaway_last = min(last, self.goaway_last)
        self.raw(frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug))

    async def flush(self) -> None:
        await self.writer.drain()

    def abort(self) -> None:
        """TCP reset."""
        self.gone = True
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        """TLS close_notify, then FIN."""
        self.gone = True
        self.writer.close()

    def stop_reading(self) -> None:
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]

    # -- reading

    async def run(self) -> None:
        await self.peer.on_connect(self)
        if await self.reader.readexactly(len(PREFACE)) != PREFACE:
            raise Strictness("no preface")
        first = True
        while True:
            header = await self.reader.readexactly(9)
            length, kind, flags = int.from_bytes(header[:3], "big"), header[3], header[4]
            stream_id = int.from_bytes(header[5:], "big")
            payload = await self.reader.readexactly(length)
            if length > 16384:
                raise Strictness("frame over 16384")
            if first and kind != SETTINGS:
                raise Strictness("first frame is no SETTINGS")
            first = False
            await self._frame(kind, flags, stream_id, payload)

    async def _frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == HEADERS:
            await self._headers(flags, stream_id, payload)
        elif kind == DATA:
            await self._data(flags, stream_id, payload)
        elif kind == SETTINGS:
            if flags & ACK:
                limit, window = self._limits.pop(0), self._windows.pop(0)
                if limit >= 0:
                    self._limit = limit
                if window is not None:
                    self._initial_window = window
                self.acked.set()
            else:
                self.raw(frame(SETTINGS, ACK, 0))
        elif kind == PING:
            if flags & ACK:
                return
            self.peer.ledger.pings += 1
            if self.peer.answer_pings:
                self.raw(frame(PING, ACK, 0, payload))
        elif kind == RST:
            if stream_id > self._highest:
                raise Strictness("RST_STREAM on an idle stream")
            stream = self.streams.pop(stream_id, None)
            if stream is not None:
                stream.reset = True
                await self.peer.on_cancel(self, stream)
        elif kind == WINDOW:
            if int.from_bytes(payload, "big") == 0:
                raise Strictness("WINDOW_UPDATE of 0")
        elif kind == GOAWAY:
            pass
        elif kind == PRIORITY:
            raise Strictness("PRIORITY, which APNs asks not to send")
        else:
            raise Strictness(f"unexpected frame {kind}")

    async def _headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id % 2 == 0 or stream_id <= self._highest:
            raise Strictness(f"stream id {stream_id} after {self._highest}")
        self._highest = stream_id
        if flags & (PADDED | 0x20):
            raise Strictness("padding or priority in HEADERS")
        while not flags & END_HEADERS:
            header = await self.reader.readexactly(9)
            if header[3] != CONTINUATION or int.from_bytes(header[5:], "big") != stream_id:
                raise Strictness("expected CONTINUATION")
            payload += await self.reader.readexactly(int.from_bytes(header[:3], "big"))
            flags |= header[4] & END_HEADERS
        stream = Stream(stream_id)
        stream.headers = [(bytes(name), bytes(value)) for name, value in self._decoder.decode(payload, raw=True)]
        names = [name for name, _ in stream.headers]
        if {*names[:4]} != {b":method", b":scheme", b":authority", b":path"} or any(name[:1] == b":" for name in names[4:]):
            raise Strictness(f"pseudo-header fields {names}")
        open_now = sum(1 for other in self.streams.values() if not other.done)
        # A limit holds from its acknowledgement on; before that the looser of the two.
        limit = max([self._limit, *(value for value in self._limits if value >= 0)]) if self._limits else self._limit
        if open_now + 1 > limit:
            self.peer.ledger.violations.append(f"{open_now + 1} streams, limit {limit}")
        self.streams[stream_id] = stream
        self._stream_windows[stream_id] = self._initial_window
        self.requests += 1
        await self.peer.on_headers(self, stream)
        if flags & END_STREAM:
            await self._whole(stream)

    async def _data(self, flags: int, stream_id: int, payload: bytes) -> None:
        if flags & PADDED:
            raise Strictness("padding in DATA")
        self._window -= len(payload)
        if self._window < 0:
            raise Strictness("connection window overrun")
        if self.auto_window and payload:
            self._window += len(payload)
            self.raw(frame(WINDOW, 0, 0, struct.pack(">I", len(payload))))
        stream = self.streams.get(stream_id)
        if stream is None:
            if stream_id > self._highest:
                raise Strictness("DATA on an idle stream")
            return
        stream.body += payload
        await self.peer.on_data(self, stream)
        if flags & END_STREAM:
            await self._whole(stream)

    async def _whole(self, stream: Stream) -> None:
        expected = stream.header(b"content-length")
        if expected is not None and int(expected) != len(stream.body):
            raise Strictness("content-length")
        stream.whole = True
        if stream.dropped:
            return
        if stream.number > self.goaway_last:
            return  # after our GOAWAY: ignored (RFC 9113 section 6.8)
        self.peer.ledger.whole[stream.id] += 1
        self.peer.ledger.processed[stream.id] += 1
        self.peer.ledger.paths.append(dict(stream.headers)[b":path"])
        await self.peer.on_request(self, stream)


class Peer:
    """The server. A row of the matrix is a subclass that overrides what it does differently."""

    initial: Mapping[int, int] = {MAX_STREAMS: 100}
    answer_pings = True

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.conns: list[Conn] = []
        self.failures: list[BaseException] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the script

    async def on_connect(self, conn: Conn) -> None:
        conn.settings(self.initial)

    async def on_headers(self, conn: Conn, stream: Stream) -> None: ...
    async def on_data(self, conn: Conn, stream: Stream) -> None: ...
    async def on_cancel(self, conn: Conn, stream: Stream) -> None: ...

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        conn.answer(stream)

    # -- running

    async def start(self, context: ssl.SSLContext | None, host: str = "127.0.0.1") -> int:
        self._server = await asyncio.start_server(self._accept, host, 0, ssl=context, limit=2**20)
        return int(self._server.sockets[0].getsockname()[1])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.ledger.connections += 1
        conn = Conn(self, reader, writer, self.ledger.connections)
        self.conns.append(conn)
        try:
            await conn.run()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the client has closed, or the script has
        except asyncio.CancelledError:
            pass
        except BaseException as exc:
            self.failures.append(exc)
        finally:
            conn.gone = True
            writer.transport.abort()
            self._tasks.discard(task)

    def later(self, delay: float, work: Callable[[], Awaitable[None] | None]) -> None:
        """Do something after a while."""

        async def run() -> None:
            await asyncio.sleep(delay)
            result = work()
            if result is not None:
                await result

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
