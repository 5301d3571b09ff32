"""HTTP/1.1 for Web Push, token endpoint and topics, over h11."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import h11

from pushkit.testing.exchange import Answer, Connection, Request
from pushkit.testing.faults import Disconnect, Garbage, GoAway, Interim, Reset, Stall
from pushkit.testing.server.engines import MAX_BODY

if TYPE_CHECKING:
    from pushkit.testing.server.connection import ServerConnection
    from pushkit.testing.services.base import Served

_REASONS = {200: b"OK", 201: b"Created", 202: b"Accepted", 204: b"No Content"}


class Http1:
    """An HTTP/1.1 connection: one request at a time, kept alive."""

    def __init__(self, connection: ServerConnection) -> None:
        self._wire = connection
        self._peer = Connection(connection.number, "http/1.1")
        self._h11: Any = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._chunks: list[bytes] = []
        self._waiting = False

    def feed(self, data: bytes) -> None:
        self._h11.receive_data(data)
        self._read()

    def _read(self) -> None:
        while not self._wire.muted and not self._waiting:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                self._wire.write(b"HTTP/1.1 %d Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % error.error_status_hint)
                self._wire.close_later()
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                if self._h11.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                return
            if isinstance(event, h11.Request):
                self._head, self._chunks = event, []
            elif isinstance(event, h11.Data):
                self._chunks.append(bytes(event.data))
                if sum(map(len, self._chunks)) > MAX_BODY:
                    self._wire.abort()
                    return
            elif isinstance(event, h11.EndOfMessage):
                self._handle()
            elif isinstance(event, h11.ConnectionClosed):
                self._wire.close()
                return

    def _handle(self) -> None:
        head = self._head
        assert head is not None, "h11 gives the head before the end"
        fields = [(bytes(name), bytes(value)) for name, value in head.headers]
        host = next((value.decode("latin-1") for name, value in fields if name == b"host"), "")
        request = Request(
            head.method.decode("ascii"),
            self._wire.port.scheme,
            host,
            head.target.decode("latin-1"),
            fields,
            b"".join(self._chunks),
            self._peer,
        )
        served = self._wire.serve(request)
        if served.delay:
            self._waiting = True
            asyncio.get_running_loop().call_later(served.delay, self._late, served)
        else:
            self._do(served)

    def _late(self, served: Served) -> None:
        self._waiting = False
        if not self._wire.muted:
            self._do(served)
            self._read()

    def _do(self, served: Served) -> None:
        fault, answer = served.fault, served.answer
        if isinstance(fault, Reset) or (isinstance(fault, Disconnect) and fault.abrupt and not fault.partial):
            self._wire.abort()
        elif isinstance(fault, Garbage):
            self._wire.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            self._wire.close_later()
        elif isinstance(fault, (Disconnect, Stall)):
            if fault.partial and answer is not None:
                self._half(answer)
            if isinstance(fault, Disconnect):
                self._wire.muted = True
                asyncio.get_running_loop().call_later(0.05, self._wire.abort if fault.abrupt else self._wire.close)
            else:
                self._waiting = True
        elif isinstance(fault, GoAway):
            if answer is not None:
                self._answer(answer.adding((b"connection", b"close")))
            self._wire.close_later()
        elif answer is not None:
            if isinstance(fault, Interim):
                self._send(h11.InformationalResponse(status_code=103, headers=[("link", "</>; rel=preload")]))
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        headers = [*answer.fields]
        if answer.status != 204:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        self._send(h11.Response(status_code=answer.status, headers=headers, reason=_REASONS.get(answer.status, b"")))
        if answer.body and answer.status != 204:
            self._send(h11.Data(data=answer.body))
        self._send(h11.EndOfMessage())
        if self._h11.our_state is h11.MUST_CLOSE:
            self._wire.close()
        elif self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()

    def _half(self, answer: Answer) -> None:
        body = answer.body or b"half an answer"
        self._send(h11.Response(status_code=answer.status, headers=[*answer.fields, (b"content-length", b"%d" % len(body))]))
        self._send(h11.Data(data=body[: len(body) // 2]))

    def _send(self, event: Any) -> None:
        data = self._h11.send(event)
        if data:
            self._wire.write(data)
