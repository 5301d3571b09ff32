"""A client that shows every frame: TLS by ssl, header fields by hpack, frames by hyperframe."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from typing import Any

import hpack
from hyperframe.frame import DataFrame, Frame, HeadersFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class RawClient:
    """One HTTP/2 connection, blocking, frame by frame."""

    def __init__(self, port: int, context: ssl.SSLContext, *, window: int = 1_000_000) -> None:
        context.set_alpn_protocols(["h2"])
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        # Over memory: ssl.SSLSocket reports a TCP reset as an end of file.
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.sock.sendall(self.outgoing.read())
                self.incoming.write(self.sock.recv(65536))
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.frames: list[Frame] = []
        self.buffer = b""
        self.ended: str | None = None
        settings = SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: window})
        self.write(PREFACE + settings.serialize())

    def write(self, data: bytes) -> None:
        self.tls.write(data)
        self.sock.sendall(self.outgoing.read())

    def request(self, stream: int, path: str, headers: dict[str, str], body: bytes = b"", method: str = "POST") -> None:
        fields = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path), *headers.items()]
        head = HeadersFrame(stream, data=self.encoder.encode(fields), flags=["END_HEADERS"] + ([] if body else ["END_STREAM"]))
        data = DataFrame(stream, data=body, flags=["END_STREAM"]).serialize() if body else b""
        self.write(head.serialize() + data)

    def acknowledge(self) -> None:
        self.write(SettingsFrame(0, flags=["ACK"]).serialize())

    def until(self, wanted: Any, seconds: float = 3.0) -> Frame:
        """Read until a frame satisfies ``wanted``; the end of the connection raises."""
        end = time.monotonic() + seconds
        seen = 0
        while time.monotonic() < end:
            while seen < len(self.frames):
                frame = self.frames[seen]
                seen += 1
                if wanted(frame):
                    return frame
            if self.ended is not None:
                break
            self.read(end - time.monotonic())
        raise AssertionError(f"no such frame; saw {[type(f).__name__ for f in self.frames]}, ended: {self.ended}")

    def read(self, seconds: float) -> None:
        self.sock.settimeout(max(0.01, seconds))
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return
        except OSError as error:
            self.ended = type(error).__name__
            return
        if not data:
            self.ended = "eof"
            return
        self.incoming.write(data)
        while True:
            try:
                plain = self.tls.read(65536)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                plain = b""
            if not plain:
                self.ended = "eof"
                break
            self.buffer += plain
        while len(self.buffer) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self.buffer)[:9])
            if len(self.buffer) < 9 + length:
                break
            frame.parse_body(memoryview(self.buffer)[9 : 9 + length])
            self.frames.append(frame)
            self.buffer = self.buffer[9 + length :]

    def until_the_end(self, seconds: float = 3.0) -> str:
        end = time.monotonic() + seconds
        while self.ended is None and time.monotonic() < end:
            self.read(end - time.monotonic())
        return self.ended or "open"

    def status(self, stream: int) -> int:
        """Frames have to be decoded in order: call it for each answer once, in order."""
        frame = self.until(lambda f: isinstance(f, HeadersFrame) and f.stream_id == stream)
        fields = dict(self.decoder.decode(frame.data))
        return int(fields[":status"])

    def close(self) -> None:
        # A reset, so that nothing lingers in the kernel of a busy test machine.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
