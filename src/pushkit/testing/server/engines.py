"""
The server's half of HTTP/2, over libnghttp2 (``ngh2``, fast) or ``h2`` (always there).

Own code on purpose, and nothing of ``pushkit.http``: a server that shared the client's protocol code
would share its mistakes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

from pushkit.testing.exchange import Field

Headers: TypeAlias = Sequence[Field]
Complete: TypeAlias = tuple[int, Headers, bytes]
"""Stream id, header fields with pseudo-headers, body."""

MAX_CONCURRENT_STREAMS = 3
INITIAL_WINDOW_SIZE = 4
MAX_FRAME_SIZE = 5
MAX_HEADER_LIST_SIZE = 6

#: Bodies are small (at most 5 KiB); larger ones are refused by the services, so this only bounds abuse.
MAX_BODY = 256 * 1024

_WINDOW = 1024 * 1024


class ProtocolFailure(Exception):
    """The client broke HTTP/2; the bytes to send before closing are in the engine."""


class Engine(Protocol):
    """What the connection needs of a protocol implementation."""

    name: str

    def start(self, settings: Mapping[int, int]) -> None:
        """Queue the server's preface."""
        ...

    def feed(self, data: bytes) -> Sequence[Complete]:
        """
        Take bytes, give the requests that are now complete.

        Raises:
            ProtocolFailure: the connection is over.
        """
        ...

    def respond(self, stream: int, headers: Headers, body: bytes, *, end: bool = True) -> None:
        """Queue an answer; ``end`` False leaves the stream open."""
        ...

    def interim(self, stream: int, headers: Headers) -> None:
        """Queue a 1xx answer."""
        ...

    def reset(self, stream: int, code: int) -> None:
        """Queue RST_STREAM."""
        ...

    def settings(self, settings: Mapping[int, int]) -> None:
        """Queue SETTINGS."""
        ...

    def take(self) -> bytes:
        """Everything queued."""
        ...


def goaway_frame(last_stream: int, code: int, debug: bytes) -> bytes:
    """A GOAWAY frame by hand (RFC 9113 section 6.8): engines are too well-behaved to lie in it."""
    payload = struct.pack(">II", last_stream & 0x7FFFFFFF, code) + debug
    return len(payload).to_bytes(3, "big") + b"\x07\x00" + b"\0\0\0\0" + payload


class Ngh2Engine:
    """libnghttp2."""

    name = "ngh2"

    def __init__(self) -> None:
        import ngh2

        self._ngh2 = ngh2
        # A benchmark of refused streams resets thousands: the default limit is against attackers.
        config = ngh2.Configuration(stream_reset_rate_limit=(1_000_000, 1_000_000), glitch_rate_limit=(1_000_000, 1_000_000))
        self._connection: Any = ngh2.Connection(ngh2.Role.SERVER, config)
        self._open: dict[int, tuple[Headers, list[bytes]]] = {}
        self._request, self._data = ngh2.RequestReceived, ngh2.DataReceived
        self._reset, self._closed = ngh2.StreamReset, ngh2.StreamClosed
        self._over = ngh2.ConnectionClosed
        self._gone = (ngh2.StreamUnavailableError, ngh2.ConnectionClosingError)

    def start(self, settings: Mapping[int, int]) -> None:
        self._connection.initiate_connection(dict(settings))
        self._connection.set_local_window_size(_WINDOW)

    def feed(self, data: bytes) -> Sequence[Complete]:
        connection, streams = self._connection, self._open
        complete: list[Complete] = []
        try:
            connection.receive_data(data)
        except self._ngh2.NGH2Error as error:
            raise ProtocolFailure(type(error).__name__) from None
        for event in connection.events():
            kind = cast("type[Any]", type(event))
            if kind is self._request:
                if event.end_stream:
                    complete.append((event.stream_id, event.headers, b""))
                else:
                    streams[event.stream_id] = (event.headers, [])
            elif kind is self._data:
                entry = streams.get(event.stream_id)
                if entry is None:
                    continue
                if event.end_stream:
                    del streams[event.stream_id]
                    body = b"".join((*entry[1], event.data)) if entry[1] else event.data
                    complete.append((event.stream_id, entry[0], body))
                elif sum(map(len, entry[1])) + len(event.data) > MAX_BODY:
                    self._open.pop(event.stream_id)
                    connection.reset_stream(event.stream_id, 11)
                else:
                    entry[1].append(event.data)
            elif kind is self._reset or kind is self._closed:
                streams.pop(event.stream_id, None)
            elif kind is self._over:
                raise ProtocolFailure("closed")
        return complete

    def respond(self, stream: int, headers: Headers, body: bytes, *, end: bool = True) -> None:
        try:
            if body:
                self._connection.send_response(stream, headers)
                self._connection.send_data(stream, body, end_stream=end)
            else:
                self._connection.send_response(stream, headers, end_stream=end)
        except self._gone:
            return  # the client has reset the stream or is leaving: nobody waits for this answer

    def interim(self, stream: int, headers: Headers) -> None:
        self._connection.send_informational_response(stream, headers)

    def reset(self, stream: int, code: int) -> None:
        try:
            self._connection.reset_stream(stream, code)
        except self._gone:
            return  # gone already

    def settings(self, settings: Mapping[int, int]) -> None:
        self._connection.update_settings(dict(settings))

    def take(self) -> bytes:
        data: bytes = self._connection.data_to_send()
        return data


class H2Engine:
    """hyper-h2."""

    name = "h2"

    def __init__(self) -> None:
        import h2.config
        import h2.connection
        import h2.events
        import h2.exceptions
        import h2.settings

        self._h2 = h2
        config = h2.config.H2Configuration(client_side=False, header_encoding=None, validate_outbound_headers=False)
        self._connection: Any = h2.connection.H2Connection(config)
        self._open: dict[int, tuple[Headers, list[bytes]]] = {}
        self._blocked: dict[int, tuple[bytes, bool]] = {}

    def start(self, settings: Mapping[int, int]) -> None:
        codes = self._h2.settings.SettingCodes
        self._connection.local_settings = self._h2.settings.Settings(
            client=False, initial_values={codes(code): value for code, value in settings.items()}
        )
        self._connection.initiate_connection()
        self._connection.increment_flow_control_window(_WINDOW - 65535)

    def feed(self, data: bytes) -> Sequence[Complete]:
        events, complete = self._h2.events, list[Complete]()
        try:
            received = self._connection.receive_data(data)
        except self._h2.exceptions.ProtocolError as error:
            raise ProtocolFailure(type(error).__name__) from None
        for event in received:
            if isinstance(event, events.RequestReceived):
                self._open[event.stream_id] = (event.headers, [])
            elif isinstance(event, events.DataReceived):
                if event.flow_controlled_length:
                    self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                entry = self._open.get(event.stream_id)
                if entry is not None:
                    entry[1].append(event.data)
                    if sum(map(len, entry[1])) > MAX_BODY:
                        del self._open[event.stream_id]
                        self.reset(event.stream_id, 11)
            elif isinstance(event, events.StreamEnded):
                entry = self._open.pop(event.stream_id, None)
                if entry is not None:
                    complete.append((event.stream_id, entry[0], b"".join(entry[1])))
            elif isinstance(event, events.StreamReset):
                self._open.pop(event.stream_id, None)
                self._blocked.pop(event.stream_id, None)
            elif isinstance(event, (events.WindowUpdated, events.RemoteSettingsChanged)):
                for stream in tuple(self._blocked):
                    self._flush(stream)
            elif isinstance(event, events.ConnectionTerminated):
                raise ProtocolFailure("closed")
        return complete

    def respond(self, stream: int, headers: Headers, body: bytes, *, end: bool = True) -> None:
        try:
            self._connection.send_headers(stream, headers, end_stream=end and not body)
        except self._h2.exceptions.NoSuchStreamError:
            return  # the client has reset the stream: nobody waits for this answer
        if body:
            self._blocked[stream] = (body, end)
            self._flush(stream)

    def _flush(self, stream: int) -> None:
        body, end = self._blocked[stream]
        try:
            while body:
                room = min(self._connection.local_flow_control_window(stream), self._connection.max_outbound_frame_size)
                if room <= 0:
                    self._blocked[stream] = (body, end)
                    return
                chunk, body = body[:room], body[room:]
                self._connection.send_data(stream, chunk, end_stream=end and not body)
        except self._h2.exceptions.NoSuchStreamError:
            pass  # as in respond(): nobody waits for the rest
        del self._blocked[stream]

    def interim(self, stream: int, headers: Headers) -> None:
        self._connection.send_headers(stream, headers)

    def reset(self, stream: int, code: int) -> None:
        try:
            self._connection.reset_stream(stream, code)
        except self._h2.exceptions.NoSuchStreamError:
            return  # gone already

    def settings(self, settings: Mapping[int, int]) -> None:
        codes = self._h2.settings.SettingCodes
        self._connection.update_settings({codes(code): value for code, value in settings.items()})

    def take(self) -> bytes:
        data: bytes = self._connection.data_to_send()
        return data


def make_engine(name: str) -> Engine:
    """
    An engine: ``"ngh2"``, ``"h2"``, or ``"auto"`` for the faster one that is installed.

    Raises:
        ValueError: for another name.
        ImportError: when ``"ngh2"`` is asked for and not installed.
    """
    if name == "h2":
        return H2Engine()
    if name == "ngh2":
        return Ngh2Engine()
    if name != "auto":
        raise ValueError(f"engine={name!r}: expected 'auto', 'ngh2' or 'h2'")
    try:
        return Ngh2Engine()
    except ImportError:
        return H2Engine()
