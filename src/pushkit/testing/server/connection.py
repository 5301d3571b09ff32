"""One accepted connection: ALPN decides between HTTP/2 and HTTP/1.1, faults are done here."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

from pushkit.testing.behaviour import UnexpectedPush
from pushkit.testing.exchange import Answer, Connection, Request, json_answer
from pushkit.testing.faults import ERROR_CODES, Disconnect, Garbage, GoAway, Interim, Reset, Stall, StreamLimit, Window
from pushkit.testing.server.engines import (
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
    Complete,
    Engine,
    ProtocolFailure,
    goaway_frame,
    make_engine,
)
from pushkit.testing.services.base import Served

if TYPE_CHECKING:
    from pushkit.testing.server.port import Port

#: How long a connection that was told to go away is read on (and ignored): closing a socket with unread
#: data makes the kernel send a reset, which can overtake the GOAWAY.
LINGER = 0.5

_EARLY_HINTS = [(b":status", b"103"), (b"link", b"</>; rel=preload")]


class ServerConnection(asyncio.Protocol):
    """Reads requests, asks the port's services, writes answers, and breaks what it is told to break."""

    def __init__(self, port: Port, number: int) -> None:
        self.port = port
        self.number = number
        self.muted = False
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._talk: _Http2 | Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.port.opened(self)
        tls = transport.get_extra_info("ssl_object")
        protocol = tls.selected_alpn_protocol() if tls is not None else "http/1.1"
        # A port that speaks nothing but HTTP/2 takes a client without ALPN at its word (RFC 9113 section 3.3, prior knowledge).
        if protocol == "h2" or self.port.only_h2:
            self._talk = _Http2(self)
        else:
            from pushkit.testing.server.http1 import Http1

            self._talk = Http1(self)

    def data_received(self, data: bytes) -> None:
        if not self.muted:
            self._talk.feed(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.muted = True
        self.port.closed(self)

    def write(self, data: bytes) -> None:
        """Send bytes, unless the connection is closing."""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """End it with a TCP reset."""
        self.muted = True
        sock = self._transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def close(self) -> None:
        """End it properly."""
        self.muted = True
        self._transport.close()
        # TLS waits for the client's close_notify, some clients never send one.
        asyncio.get_running_loop().call_later(LINGER, self._transport.abort)

    def close_later(self) -> None:
        """End it properly after reading on for a moment."""
        self.muted = True
        asyncio.get_running_loop().call_later(LINGER, self.close)

    def serve(self, request: Request) -> Served:
        """Ask the services; a surprise in strict mode becomes an answer here, since no test sits on this side of the wire."""
        try:
            return self.port.serve(request)
        except UnexpectedPush as surprise:
            return Served(json_answer(500, {"error": "unexpected push (strict)", "detail": str(surprise)}, word="UnexpectedPush"))


class _Http2:
    """An HTTP/2 connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self._wire = connection
        self._port = connection.port
        self._engine: Engine = make_engine(connection.port.engine)
        self._peer = Connection(connection.number, "h2")
        self._limit = connection.port.streams_of(self._peer)
        settings = {MAX_CONCURRENT_STREAMS: self._limit, MAX_FRAME_SIZE: 16384, MAX_HEADER_LIST_SIZE: connection.port.max_header_list}
        if connection.port.initial_window is not None:
            settings[INITIAL_WINDOW_SIZE] = connection.port.initial_window
        self._engine.start(settings)
        connection.write(self._engine.take())

    def feed(self, data: bytes) -> None:
        try:
            complete = self._engine.feed(data)
        except ProtocolFailure:
            self._flush()
            self._wire.close_later()
            return
        for item in complete:
            if self._wire.muted:
                return
            self._handle(item)
        self._obey_limit()
        self._flush()

    def _obey_limit(self) -> None:
        limit = self._port.streams_of(self._peer)
        if limit != self._limit:
            self._limit = limit
            self._engine.settings({MAX_CONCURRENT_STREAMS: limit})

    def _restore(self, streams: int | None) -> None:
        if streams is None:
            self._peer.state.pop("streams", None)
        else:
            self._peer.state["streams"] = streams
        if not self._wire.muted:
            self._obey_limit()
            self._flush()

    def _handle(self, item: Complete) -> None:
        stream, fields, body = item
        pseudo = 0
        method = scheme = authority = target = ""
        for name, value in fields:
            if not name.startswith(b":"):
                break
            pseudo += 1
            text = value.decode("latin-1")
            if name == b":path":
                target = text
            elif name == b":method":
                method = text
            elif name == b":authority":
                authority = text
            elif name == b":scheme":
                scheme = text
        request = Request(method, scheme, authority, target, fields[pseudo:], body, self._peer)
        if not authority:
            request.authority = request.text(b"host") or ""
        served = self._wire.serve(request)
        if served.delay:
            asyncio.get_running_loop().call_later(served.delay, self._late, stream, served)
        else:
            self._do(stream, served)

    def _late(self, stream: int, served: Served) -> None:
        if not self._wire.muted:
            self._do(stream, served)
            self._flush()

    def _do(self, stream: int, served: Served) -> None:
        if served.fault is None:
            if served.answer is not None:
                self._respond(stream, served.answer)
            return
        self._break(stream, served)

    def _respond(self, stream: int, answer: Answer, *, half: bool = False) -> None:
        headers = [(b":status", b"%d" % answer.status), *answer.fields]
        if half:
            body = answer.body or b'{"reason":"half an answer"}'
            self._engine.respond(stream, [*headers, (b"content-length", b"%d" % len(body))], body[: len(body) // 2], end=False)
        else:
            self._engine.respond(stream, headers, answer.body)

    def _break(self, stream: int, served: Served) -> None:
        fault, answer = served.fault, served.answer
        if isinstance(fault, Reset):
            self._engine.reset(stream, ERROR_CODES[fault.code])
        elif isinstance(fault, GoAway):
            self._go_away(stream, fault, answer)
        elif isinstance(fault, (Disconnect, Stall)):
            if fault.partial and answer is not None:
                self._respond(stream, answer, half=True)
            if isinstance(fault, Disconnect):
                self._flush()
                # A reset throws away what is still in the buffers: the half answer gets a moment to arrive.
                end = self._wire.abort if fault.abrupt else self._wire.close
                if fault.partial:
                    self._wire.muted = True
                    asyncio.get_running_loop().call_later(0.05, end)
                else:
                    end()
        elif isinstance(fault, (StreamLimit, Window)):
            if isinstance(fault, StreamLimit):
                before = self._peer.state.get("streams")
                self._peer.state["streams"] = fault.streams
                if fault.lasts is not None:
                    asyncio.get_running_loop().call_later(fault.lasts, self._restore, before)
                self._obey_limit()
            else:
                self._engine.settings({INITIAL_WINDOW_SIZE: fault.size})
            if answer is not None:
                self._respond(stream, answer)
        elif isinstance(fault, Garbage):
            self._flush()
            self._wire.write(b"\x00\x00\x04\x03\x00this is no frame that anybody knows" * 4)
            self._wire.close_later()
        elif isinstance(fault, Interim):
            self._engine.interim(stream, _EARLY_HINTS)
            if answer is not None:
                self._respond(stream, answer)

    def _go_away(self, stream: int, fault: GoAway, answer: Answer | None) -> None:
        if fault.processed == "answered" and answer is not None:
            self._respond(stream, answer)
        self._flush()
        last = {"answered": stream, "unanswered": stream, "before": max(0, stream - 2), "none": 0}[fault.processed]
        debug = b"" if fault.reason is None else json.dumps({"reason": fault.reason}, separators=(",", ":")).encode()
        self._wire.write(goaway_frame(last, ERROR_CODES[fault.code], debug))
        self._wire.close_later()

    def _flush(self) -> None:
        self._wire.write(self._engine.take())
