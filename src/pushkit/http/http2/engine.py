"""
What a connection needs of an HTTP/2 protocol engine: bytes in, calls out, bytes out; no sockets, no clock.

Two engines fulfil it, ``h2`` (pure Python) and ``ngh2`` (libnghttp2), and the same tests run on both.
"""

from __future__ import annotations

import enum
import importlib.metadata
import os
from collections.abc import Callable, Sequence
from typing import Protocol

from pushkit.errors import ConfigurationError
from pushkit.wire import Header, WireRequest

MAX_HEADER_BYTES = 64 * 1024
"""Cap on the header fields of one answer, counted as RFC 9113 section 6.5.2 counts them. More ends the connection."""
INITIAL_WINDOW = 256 * 1024
"""Receive window of a stream: more than any answer that is kept."""
UNLIMITED = 2**32 - 1
"""What a server means that sets no MAX_CONCURRENT_STREAMS."""


class ErrorCode(enum.IntEnum):
    """RFC 9113 section 7, as far as it matters here."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    REFUSED_STREAM = 7
    CANCEL = 8
    ENHANCE_YOUR_CALM = 11
    HTTP_1_1_REQUIRED = 13


class EngineFullError(Exception):
    """No new stream on this connection: its stream ids are used up, or the server has said goodbye."""


class Sink(Protocol):
    """What an engine tells while it is fed."""

    def on_head(self, stream_id: int, headers: Sequence[Header], end: bool) -> None:  # hot path
        """The final answer's header fields (``:status`` first); ``end``: there is no body."""
        ...

    def on_data(self, stream_id: int, data: bytes, end: bool) -> None:  # hot path
        """A part of the body; ``end``: the answer is complete (trailers count as an empty last part)."""
        ...

    def on_reset(self, stream_id: int, code: int) -> None:
        """The server reset the stream."""
        ...

    def on_malformed(self, stream_id: int, detail: str) -> None:
        """The answer on this stream broke HTTP; the engine has reset it, the connection goes on."""
        ...

    def on_goaway(self, last_stream_id: int, code: int, debug: bytes) -> None:
        """The server will take no new streams."""
        ...

    def on_settings(self) -> None:
        """The server's SETTINGS came; ``limit`` may have changed."""
        ...

    def on_pong(self) -> None:
        """The server answered a PING."""
        ...


class Engine(Protocol):
    """One HTTP/2 connection without its socket, from the client's side."""

    name: str
    limit: int
    """Concurrent streams that the server allows right now."""
    finished: str | None
    """Why the connection cannot go on, once it cannot: looked at after ``feed`` and ``take``."""

    def start(self) -> None:
        """Queue the preface and our SETTINGS."""
        ...

    def open(self, request: WireRequest, authorization: bytes | None) -> int:
        """
        Open a stream and queue its request; gives the stream id.

        Raises:
            EngineFullError: when this connection cannot take it.
        """
        ...

    def unsent(self, stream_id: int) -> bool:
        """Whether the server cannot get this request whole any more once ``reset`` is called or nothing more is taken."""
        ...

    def reset(self, stream_id: int, code: int = ErrorCode.CANCEL) -> None:
        """Forget a stream and tell the server. Unknown streams are ignored."""
        ...

    def ping(self) -> None:
        """Queue a PING."""
        ...

    def goodbye(self) -> None:
        """Queue a GOAWAY without error: we close."""
        ...

    def take(self, limit: int, sink: Sink) -> bytes:
        """Up to about ``limit`` bytes to send; empty when there is nothing now."""
        ...

    def feed(self, data: bytes, sink: Sink) -> None:
        """Take in what the server sent, and tell the sink all that it meant."""
        ...


EngineFactory = Callable[[str, str], Engine]
"""Makes an engine for a scheme and an authority."""

NGH2_SERIES = "0.3."
"""The releases of ngh2 that were tested; it is young, and another series may mean something else."""


def _ngh2_factory() -> EngineFactory:
    """
    Give the ``ngh2`` engine's factory, tried on a short exchange.

    Raises:
        ImportError: when it is missing, another series or does not pass.
    """
    version = importlib.metadata.version("ngh2")
    if not version.startswith(NGH2_SERIES):
        message = f"ngh2 {version} is installed, {NGH2_SERIES}* was tested"
        raise ImportError(message)
    from pushkit.http.http2.engine_ngh2 import Ngh2Engine, self_test

    self_test()
    return Ngh2Engine


def choose_engine(name: str = "auto") -> tuple[str, EngineFactory]:
    """
    Pick the protocol engine.

    Args:
        name: ``"auto"`` (the environment variable ``PUSHKIT_HTTP2_ENGINE``, else ``ngh2`` where it
            works, else ``h2``), ``"ngh2"`` or ``"h2"``.

    Raises:
        ConfigurationError: for an unknown name, or when ``ngh2`` was asked for and does not work here.
    """
    source = "http2_engine"
    if name == "auto":
        name = os.environ.get("PUSHKIT_HTTP2_ENGINE", "").strip().lower() or "auto"
        source = "PUSHKIT_HTTP2_ENGINE"
    if name not in {"auto", "ngh2", "h2"}:
        message = f"{source} is {name!r}; expected 'auto', 'ngh2' or 'h2'"
        raise ConfigurationError(message)
    if name != "h2":
        try:
            return "ngh2", _ngh2_factory()
        except (ImportError, importlib.metadata.PackageNotFoundError) as exc:
            if name == "ngh2":
                message = f"{source} asks for 'ngh2', which does not work here ({exc}); pip install 'pushkit-sdk[speed]' or choose 'h2'"
                raise ConfigurationError(message) from exc
    from pushkit.http.http2.engine_h2 import H2Engine

    return "h2", H2Engine
