"""The engine that is always there: ``h2``, with our own header encoder and without its view of GOAWAY."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import cast

from h2.config import H2Configuration
from h2.connection import AllowedStreamIDs, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import H2Error, NoAvailableStreamIDError, ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from h2.stream import H2Stream
from hpack import Decoder, Encoder
from hyperframe.frame import Frame

from pushkit.http.http2.engine import (
    INITIAL_WINDOW,
    MAX_HEADER_BYTES,
    UNLIMITED,
    EngineFullError,
    ErrorCode,
    Sink,
)
from pushkit.http.http2.frames import FrameError, FrameSplitter, GoAway
from pushkit.http.http2.hpack_decoder import HpackDecoder
from pushkit.http.http2.hpack_encoder import HpackEncoder
from pushkit.wire import Header, HeaderBlock, WireRequest

_CONNECTION_WINDOW = 4 * 1024 * 1024
_ACK_EVERY = 64 * 1024
_SWEEP_EVERY = 256
_CACHED_BLOCKS = 64
_FORBIDDEN = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
"""Fields of a connection, which make an HTTP/2 answer malformed (RFC 9113 section 8.2.2)."""

# h2 looks at the header list that it is given for these fields only, and writes it to its log; the
# block that travels is made by our encoder beforehand.
_POST: Sequence[Header] = ((b":method", b"POST"),)


class _PreparedEncoder:
    """What h2 takes for its header encoder: hands out the block that was prepared for this stream."""

    def __init__(self, encoder: HpackEncoder) -> None:
        self.hpack = encoder
        self.block = b""

    def encode(self, headers: object) -> bytes:  # noqa: ARG002  # h2 gives them, see _POST
        """Give the prepared block."""
        return self.block

    @property
    def header_table_size(self) -> int:
        """What the server allows."""
        return self.hpack.limit

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        self.hpack.resize(value)


class _Malformed(Event):
    """Header fields that must not come at this point of an answer."""

    def __init__(self, stream_id: int) -> None:
        self.stream_id = stream_id


class _Stream(H2Stream):
    """h2's stream, for which a malformed answer is its own affair (RFC 9113 section 8.1.1); h2 ends the connection over it."""

    malformed: str | None = None

    def receive_headers(
        self, headers: Iterable[Header], end_stream: bool, header_encoding: bool | str | None
    ) -> tuple[list[Frame], list[Event]]:
        """Take header fields or trailers in; what must not come at this point is told as an event."""
        promised = self._expected_content_length if self.state_machine.headers_received else None
        try:
            told = super().receive_headers(headers, end_stream, header_encoding)
        except StreamClosedError:
            raise
        except ProtocolError:
            return [], [_Malformed(self.stream_id)]
        if promised is not None:
            self._expected_content_length = promised  # by the head; these were trailers
        if end_stream and self._expected_content_length:
            self._track_content_length(0, end_stream=True)
        return told

    def _initialize_content_length(self, headers: Iterable[Header]) -> None:
        try:
            super()._initialize_content_length(headers)
        except ProtocolError:
            self.malformed = "no valid content-length"

    def _track_content_length(self, length: int, end_stream: bool) -> None:
        try:
            super()._track_content_length(length, end_stream)
        except ProtocolError:
            self.malformed = "a body that is not as long as content-length says"


class _Connection(H2Connection):
    """h2's connection with streams of the kind above, and without its quadratic count over all of them at every request; the caller counts."""

    sweeping = False

    def _begin_new_stream(self, stream_id: int, allowed_ids: AllowedStreamIDs) -> H2Stream:
        if allowed_ids is not AllowedStreamIDs.ODD:
            return super()._begin_new_stream(stream_id, allowed_ids)  # the server's, which raises
        settings, peers = self.local_settings, self.remote_settings
        stream = self.streams[stream_id] = _Stream(stream_id, self.config, settings.initial_window_size, peers.initial_window_size)
        stream.max_outbound_frame_size = self.max_outbound_frame_size
        self.highest_outbound_stream_id = stream_id
        return stream

    @property
    def open_outbound_streams(self) -> int:
        """0 unless sweeping: the pool keeps the server's limit."""
        return super().open_outbound_streams if self.sweeping else 0

    def sweep(self) -> None:
        """Let h2 forget the streams that are over."""
        self.sweeping = True
        _ = self.open_outbound_streams
        self.sweeping = False


class H2Engine:
    """:class:`pushkit.http.http2.engine.Engine` over h2."""

    __slots__ = (
        "_authorization",
        "_blocked",
        "_blocks",
        "_connection",
        "_encoder",
        "_ended",
        "_method_fields",
        "_origin_block",
        "_prepared",
        "_splitter",
        "_unacked",
        "finished",
        "limit",
    )

    name = "h2"

    def __init__(self, scheme: str, authority: str) -> None:
        # Outgoing fields come from our providers, which check them; answers are validated here stream
        # by stream, where h2 would break the whole connection.
        config = H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._connection = connection = _Connection(config)
        connection.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: INITIAL_WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
            },
        )
        connection.decoder = cast("Decoder", HpackDecoder(MAX_HEADER_BYTES))
        self._encoder = HpackEncoder()
        self._prepared = _PreparedEncoder(self._encoder)
        connection.encoder = cast("Encoder", self._prepared)
        self._splitter = FrameSplitter()
        self._origin_block = HeaderBlock([(b":scheme", scheme.encode("ascii")), (b":authority", authority.encode("ascii"))])
        self._method_fields: dict[bytes, Sequence[Header]] = {b"POST": _POST}
        self._blocks: dict[int, tuple[HeaderBlock, int, bytes]] = {}
        self._authorization: tuple[bytes, int, bytes] = (b"", -1, b"")
        self._blocked: dict[int, memoryview] = {}
        self.limit = 0
        self.finished: str | None = None
        self._ended = 0
        self._unacked = 0

    def start(self) -> None:
        """Queue the preface and our SETTINGS."""
        self._connection.initiate_connection()
        self._connection.increment_flow_control_window(_CONNECTION_WINDOW)

    def open(self, request: WireRequest, authorization: bytes | None) -> int:
        """Open a stream: shared fields by index, the request's own as literals that no table keeps."""
        connection = self._connection
        try:
            stream_id = connection.get_next_available_stream_id()
        except NoAvailableStreamIDError as exc:
            raise EngineFullError(type(exc).__name__) from None
        self._prepared.block = self._encode(request, authorization)
        method = self._method_fields.get(request.method)
        if method is None:
            method = self._method_fields[request.method] = ((b":method", request.method),)
        body = request.body
        try:
            connection.send_headers(stream_id, method, end_stream=not body)
        except H2Error as exc:
            raise EngineFullError(type(exc).__name__) from None
        if body:
            self._send(stream_id, memoryview(body))
        return stream_id

    def _encode(self, request: WireRequest, authorization: bytes | None) -> bytes:
        encoder = self._encoder
        parts = [
            encoder.preamble(),
            encoder.indexed((b":method", request.method)),
            self._shared(self._origin_block),
            encoder.literal(b":path", request.path),
            self._shared(request.block),
        ]
        if authorization is not None:
            value, generation, encoded = self._authorization
            if value is not authorization or generation != encoder.generation:
                encoded = encoder.indexed((b"authorization", authorization))
                self._authorization = (authorization, encoder.generation, encoded)
                # The first encoding is the insertion; from the next on it is an index.
                parts.append(encoded)
                self._authorization = (authorization, encoder.generation, encoder.indexed((b"authorization", authorization)))
            else:
                parts.append(encoded)
        literal = encoder.literal
        for name, value in request.headers:
            parts.append(literal(name, value))  # a comprehension is slower for two fields
        return b"".join(parts)

    def _shared(self, block: HeaderBlock) -> bytes:
        cached = self._blocks.get(id(block))
        encoder = self._encoder
        if cached is not None and cached[1] == encoder.generation:
            return cached[2]
        before = encoder.generation
        encoded = b"".join([encoder.indexed(field) for field in block.fields])
        if encoder.generation == before:
            if len(self._blocks) >= _CACHED_BLOCKS:
                self._blocks.clear()
            self._blocks[id(block)] = (block, before, encoded)
        return encoded

    def _send(self, stream_id: int, rest: memoryview) -> None:
        """Send as much of a body as the windows allow and keep the rest."""
        connection = self._connection
        while rest:
            room = min(connection.local_flow_control_window(stream_id), connection.max_outbound_frame_size)
            if room <= 0:
                self._blocked[stream_id] = rest
                return
            part, rest = rest[:room], rest[room:]
            connection.send_data(stream_id, bytes(part), end_stream=not rest)
        self._blocked.pop(stream_id, None)

    def _unblock(self) -> None:
        for stream_id, rest in list(self._blocked.items()):
            self._send(stream_id, rest)

    def unsent(self, stream_id: int) -> bool:
        """
        Whether part of the body was never given to h2.

        What h2 has serialised cannot be withdrawn, so it counts as sent even before it is taken.
        """
        return stream_id in self._blocked

    def reset(self, stream_id: int, code: int = ErrorCode.CANCEL) -> None:
        """Forget a stream and tell the server."""
        self._blocked.pop(stream_id, None)
        try:
            self._connection.reset_stream(stream_id, ErrorCodes(code))
        except H2Error:
            return  # the stream or the connection is over, which is what was asked for
        self._count_ended()

    def ping(self) -> None:
        """Queue a PING."""
        with contextlib.suppress(H2Error):  # a connection that is ending is found out otherwise
            self._connection.ping(b"pushkit?")

    def goodbye(self) -> None:
        """Queue a GOAWAY without error."""
        with contextlib.suppress(H2Error):  # it is closed already
            self._connection.close_connection()

    def take(self, limit: int, sink: Sink) -> bytes:  # noqa: ARG002  # h2 tells everything in feed
        """Bytes to send."""
        return self._connection.data_to_send(limit)

    def feed(self, data: bytes, sink: Sink) -> None:
        """
        Take in what the server sent, frame by frame.

        h2 throws away what it has read when a later frame in the same read is broken, and refuses
        every frame after a GOAWAY; both would lose answers.
        """
        receive = self._connection.receive_data
        try:
            for frame in self._splitter.split(data):
                if type(frame) is GoAway:
                    sink.on_goaway(frame.last_stream_id, frame.code, frame.debug)
                    continue
                for event in receive(frame):  # type: ignore[arg-type]  # bytes, when it is no GoAway
                    self._tell(event, sink)
        except (H2Error, FrameError) as exc:
            self.finished = type(exc).__name__

    def _tell(self, event: Event, sink: Sink) -> None:
        kind = type(event)
        if kind is ResponseReceived:
            assert isinstance(event, ResponseReceived)
            self._head(event, sink)
        elif kind is DataReceived:
            assert isinstance(event, DataReceived)
            self._data(event, sink)
        elif kind is TrailersReceived:
            assert isinstance(event, TrailersReceived)
            problem = self._problem_of(event.stream_id)
            if problem is None:
                sink.on_data(event.stream_id, b"", True)
            else:
                sink.on_malformed(event.stream_id, problem)
        elif kind is StreamEnded:
            assert isinstance(event, StreamEnded)
            self._forget(event.stream_id)
        elif kind is RemoteSettingsChanged:
            limit = self._connection.remote_settings.get(SettingCodes.MAX_CONCURRENT_STREAMS)
            self.limit = UNLIMITED if limit is None else limit
            self._unblock()
            sink.on_settings()
        elif kind is StreamReset:
            assert isinstance(event, StreamReset)
            self._blocked.pop(event.stream_id, None)
            self._count_ended()
            if event.remote_reset:
                sink.on_reset(event.stream_id, int(event.error_code))
            else:
                sink.on_malformed(event.stream_id, f"code {int(event.error_code)}")
        elif kind is _Malformed:
            assert isinstance(event, _Malformed)
            sink.on_malformed(event.stream_id, "header fields out of order")
        elif kind is WindowUpdated:
            self._unblock()
        elif kind is PingAckReceived:
            sink.on_pong()

    def _head(self, event: ResponseReceived, sink: Sink) -> None:
        headers = event.headers
        ended = event.stream_ended is not None
        problem = _malformed(headers) or self._problem_of(event.stream_id)
        if problem is None:
            sink.on_head(event.stream_id, headers, ended)
        else:
            sink.on_malformed(event.stream_id, problem)

    def _problem_of(self, stream_id: int) -> str | None:
        stream = self._connection.streams.get(stream_id)
        return stream.malformed if isinstance(stream, _Stream) else None

    def _data(self, event: DataReceived, sink: Sink) -> None:
        stream_id = event.stream_id
        ended = event.stream_ended is not None
        problem = self._problem_of(stream_id)
        if problem is None:
            sink.on_data(stream_id, event.data, ended)
        else:
            sink.on_malformed(stream_id, problem)
        size = event.flow_controlled_length
        if ended:
            # Only the connection's window is left to give back, which can wait.
            self._unacked += size
            if self._unacked >= _ACK_EVERY:
                self._forget(stream_id)
                self._connection.acknowledge_received_data(self._unacked, stream_id)
                self._unacked = 0
        elif size:
            self._connection.acknowledge_received_data(size, stream_id)

    def _forget(self, stream_id: int) -> None:
        """Drop h2's record of a stream whose answer is complete, unless our request is not."""
        if stream_id not in self._blocked:
            self._connection.streams.pop(stream_id, None)

    def _count_ended(self) -> None:
        self._ended += 1
        if self._ended >= _SWEEP_EVERY:
            self._ended = 0
            self._connection.sweep()


def _malformed(headers: Sequence[Header]) -> str | None:
    """Why these are no header fields of an answer (RFC 9113 sections 8.2 and 8.3.2), or None."""
    if not headers or headers[0][0] != b":status" or len(headers[0][1]) != 3 or not headers[0][1].isdigit():
        return "no valid :status"
    first = True
    for name, value in headers:
        if first:
            first = False
        elif name[:1] == b":" or name in _FORBIDDEN or name != name.lower() or not name:
            return "a header field that HTTP/2 forbids"
        if b"\x00" in value or b"\r" in value or b"\n" in value:
            return "a header value that HTTP forbids"
    return None
