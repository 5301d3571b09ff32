"""The fast engine: libnghttp2 through the ``ngh2`` package (extra ``speed``)."""

from __future__ import annotations

import contextlib

from ngh2 import (
    Configuration,
    Connection,
    ConnectionClosed,
    ConnectionClosingError,
    ConnectionStateError,
    DataReceived,
    Event,
    GoAwayReceived,
    NeverIndexedHeader,
    NGH2Error,
    NoAvailableStreamIDError,
    PingAcknowledged,
    ResponseReceived,
    Role,
    Setting,
    SettingsReceived,
    StreamClosed,
    StreamReset,
    TrailersReceived,
)

from pushkit.http.http2.engine import INITIAL_WINDOW, MAX_HEADER_BYTES, UNLIMITED, EngineFullError, ErrorCode, Sink
from pushkit.wire import WireRequest

# A field counts for 32 octets at least: the size alone is the limit.
_CONFIGURATION = Configuration(max_inbound_header_list_size=MAX_HEADER_BYTES, max_inbound_header_count=MAX_HEADER_BYTES // 32)
_SETTINGS = {
    Setting.ENABLE_PUSH: 0,
    Setting.INITIAL_WINDOW_SIZE: INITIAL_WINDOW,
    Setting.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
}
_CONNECTION_WINDOW = 4 * 1024 * 1024


class Ngh2Engine:
    """:class:`pushkit.http.http2.engine.Engine` over libnghttp2."""

    __slots__ = ("_authority", "_connection", "_scheme", "_settled", "_taken_to", "_top", "finished", "limit")

    name = "ngh2"

    def __init__(self, scheme: str, authority: str) -> None:
        self._connection = Connection(Role.CLIENT, _CONFIGURATION)
        self._scheme = (b":scheme", scheme.encode("ascii"))
        self._authority = (b":authority", authority.encode("ascii"))
        self.limit = 0
        self.finished: str | None = None
        self._settled = False
        self._top = 0  # the highest stream id opened
        self._taken_to = 0  # the highest stream id when output was last taken

    def start(self) -> None:
        """Queue the preface and our SETTINGS."""
        self._connection.initiate_connection(_SETTINGS)
        self._connection.set_local_window_size(_CONNECTION_WINDOW)

    def open(self, request: WireRequest, authorization: bytes | None) -> int:
        """Open a stream: shared fields go into the dynamic table, the request's own never."""
        # libnghttp2 keeps :path out of the table by itself.
        headers = [(b":method", request.method), self._scheme, self._authority, (b":path", request.path), *request.block.fields]
        if authorization is not None:
            headers.append((b"authorization", authorization))
        for field in request.headers:
            headers.append(NeverIndexedHeader(*field))  # noqa: PERF401  # measured faster for the usual two fields
        body = request.body
        try:
            if body:
                stream_id = self._connection.send_request(headers)
                self._connection.send_data(stream_id, body, end_stream=True)
            else:
                stream_id = self._connection.send_request(headers, end_stream=True)
        except (ConnectionClosingError, NoAvailableStreamIDError, ConnectionStateError) as exc:
            raise EngineFullError(type(exc).__name__) from None
        self._top = stream_id
        return stream_id

    def unsent(self, stream_id: int) -> bool:
        """Whether part of the request was never given out."""
        if stream_id > self._taken_to:
            return True
        try:
            return self._connection.queued_body_size(stream_id) > 0
        except NGH2Error:
            return False  # a connection that is ending does not say

    def reset(self, stream_id: int, code: int = ErrorCode.CANCEL) -> None:
        """Forget a stream and tell the server."""
        with contextlib.suppress(NGH2Error):  # the stream or the connection is over, which is what was asked for
            self._connection.reset_stream(stream_id, code)

    def ping(self) -> None:
        """Queue a PING."""
        with contextlib.suppress(NGH2Error):  # a connection that is ending is found out otherwise
            self._connection.ping(b"pushkit?")

    def goodbye(self) -> None:
        """Queue a GOAWAY without error."""
        with contextlib.suppress(NGH2Error):  # it is closing already
            self._connection.send_goaway()

    def take(self, limit: int, sink: Sink) -> bytes:
        """Bytes to send. What libnghttp2 found wrong with a stream or the connection comes out here too."""
        self._taken_to = self._top
        connection = self._connection
        try:
            data = connection.data_to_send(limit)
        except NGH2Error as exc:
            self.finished = self.finished or type(exc).__name__
            return b""
        for event in connection.events():
            self._tell(event, sink)
        return data

    def feed(self, data: bytes, sink: Sink) -> None:
        """Take in what the server sent."""
        connection = self._connection
        try:
            connection.receive_data(data)
        except NGH2Error as exc:
            self.finished = type(exc).__name__
        # What was complete before a broken frame is among the events.
        for event in connection.events():
            if isinstance(event, ResponseReceived):
                sink.on_head(event.stream_id, event.headers, event.end_stream)
            elif isinstance(event, StreamClosed):
                if event.error_code:
                    self._closed(event, sink)
            elif isinstance(event, DataReceived):
                sink.on_data(event.stream_id, event.data, event.end_stream)
            else:
                self._tell(event, sink)
        if self.finished is None and not connection.want_read:
            self.finished = "the protocol is finished"

    def _tell(self, event: Event, sink: Sink) -> None:
        if isinstance(event, TrailersReceived):
            sink.on_data(event.stream_id, b"", True)
        elif isinstance(event, SettingsReceived):
            limit = event.settings.get(Setting.MAX_CONCURRENT_STREAMS)
            if limit is not None:
                self.limit = limit
            elif not self._settled:
                self.limit = UNLIMITED
            self._settled = True
            sink.on_settings()
        elif isinstance(event, StreamReset):
            sink.on_reset(event.stream_id, event.error_code)
        elif isinstance(event, StreamClosed):
            if event.error_code:
                self._closed(event, sink)
        elif isinstance(event, PingAcknowledged):
            sink.on_pong()
        elif isinstance(event, GoAwayReceived):
            sink.on_goaway(event.last_stream_id, event.error_code, event.debug_data)
        elif isinstance(event, ConnectionClosed):
            self.finished = f"code {event.error_code}"

    @staticmethod
    def _closed(event: StreamClosed, sink: Sink) -> None:
        """Libnghttp2 closed a stream by itself: what the server or we reset is gone from the sink by now."""
        if event.error_code == ErrorCode.REFUSED_STREAM:
            # Above the last id of a GOAWAY, or still in the queue when one came: it never opens that stream.
            sink.on_reset(event.stream_id, ErrorCode.REFUSED_STREAM)
        else:
            sink.on_malformed(event.stream_id, f"code {event.error_code}")


def self_test() -> None:
    """
    Try the binding on itself: one request and its answer.

    Raises:
        ImportError: when the installed ngh2 does not do what this engine relies on.
    """
    from pushkit.wire import HeaderBlock, Origin

    class Probe:
        def __init__(self) -> None:
            self.heard: list[object] = []

        def on_head(self, stream_id: int, headers: object, end: bool) -> None:  # noqa: ARG002
            self.heard.append((stream_id, end))

        def on_data(self, stream_id: int, data: bytes, end: bool) -> None:
            self.heard.append((stream_id, data, end))

        def on_settings(self) -> None:
            self.heard.append("settings")

        def on_reset(self, stream_id: int, code: int) -> None: ...
        def on_malformed(self, stream_id: int, detail: str) -> None: ...
        def on_goaway(self, last_stream_id: int, code: int, debug: bytes) -> None: ...
        def on_pong(self) -> None: ...

    probe = Probe()
    try:
        engine = Ngh2Engine("https", "localhost")
        server = Connection(Role.SERVER)
        engine.start()
        server.initiate_connection({Setting.MAX_CONCURRENT_STREAMS: 7})
        server.receive_data(engine.take(65536, probe))
        engine.feed(server.data_to_send(), probe)
        request = WireRequest(b"POST", Origin("localhost"), b"/", HeaderBlock([(b"a", b"b")]), ((b"c", b"d"),), b"ping", 0.0)
        stream_id = engine.open(request, b"bearer")
        before = engine.unsent(stream_id)
        server.receive_data(engine.take(65536, probe))
        after = engine.unsent(stream_id)
        server.send_response(stream_id, [(b":status", b"200")])
        server.send_data(stream_id, b"pong", end_stream=True)
        engine.feed(server.data_to_send(), probe)
    except (NGH2Error, TypeError, AttributeError, KeyError, EngineFullError) as exc:
        message = f"the installed ngh2 failed its self-test ({type(exc).__name__})"
        raise ImportError(message) from exc
    expected: list[object] = ["settings", (1, False), (1, b"pong", True)]
    if probe.heard != expected or engine.limit != 7 or (before, after) != (True, False):
        message = "the installed ngh2 failed its self-test"
        raise ImportError(message)
