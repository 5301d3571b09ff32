"""
HTTP/2 frames, cut out of the byte stream for an engine that must not see every one of them.

h2 refuses all frames after a GOAWAY (python-hyper/h2 issue 1181), although a server goes on answering
what it has taken (RFC 9113 section 6.8). So GOAWAY is read here and kept from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

HEADER_LENGTH = 9
MAX_FRAME = 16384
"""We never offer more (SETTINGS_MAX_FRAME_SIZE), RFC 9113 section 4.2."""
_HEADERS, _PUSH_PROMISE, _GOAWAY, _CONTINUATION = 1, 5, 7, 9
_END_HEADERS = 0x4


class FrameError(Exception):
    """A frame that breaks the connection."""


@attrs.frozen
class GoAway:
    """A GOAWAY frame (RFC 9113 section 6.8)."""

    last_stream_id: int
    code: int
    debug: bytes


class FrameSplitter:
    """Cuts what the server sends into whole frames."""

    __slots__ = ("_buffer", "_in_headers")

    def __init__(self) -> None:
        self._buffer = b""
        self._in_headers = False

    def split(self, data: bytes) -> Iterator[bytes | GoAway]:
        """
        Give the frames that are complete, as octets, and GOAWAYs read.

        Raises:
            FrameError: for a frame over the size limit, a broken GOAWAY, or a stream that the server opens.
        """
        if self._buffer:
            data = self._buffer + data
        position, end = 0, len(data)
        try:
            while end - position >= HEADER_LENGTH:
                length = data[position] << 16 | data[position + 1] << 8 | data[position + 2]
                if length > MAX_FRAME:
                    raise FrameError
                after = position + HEADER_LENGTH + length
                if after > end:
                    break
                kind = data[position + 3]
                start, position = position, after
                if kind == _GOAWAY:
                    if self._in_headers:
                        raise FrameError
                    yield _read_goaway(data[start:after])
                    continue
                if kind in {_HEADERS, _PUSH_PROMISE, _CONTINUATION}:
                    if not data[start + 8] & 1:
                        # h2 would keep one for ever (RFC 9113 section 5.1.1: even ids are the server's).
                        raise FrameError
                    self._in_headers = not data[start + 4] & _END_HEADERS
                yield data[start:after]
        finally:
            self._buffer = data[position:]


def _read_goaway(frame: bytes) -> GoAway:
    if len(frame) < HEADER_LENGTH + 8 or int.from_bytes(frame[5:9], "big") & 0x7FFFFFFF:
        raise FrameError
    payload = frame[HEADER_LENGTH:]
    return GoAway(int.from_bytes(payload[:4], "big") & 0x7FFFFFFF, int.from_bytes(payload[4:8], "big"), payload[8:])
