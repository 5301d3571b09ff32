"""
What is known of a request that got no answer.

A server on this machine takes two requests and says goodbye (GOAWAY) after the first. pushkit keeps the
answer to the first and sends the second again by itself, on a new connection. Then nothing listens any
more: not sent.
"""

from __future__ import annotations

import asyncio
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from pushkit.http.transport import HttpTransport
from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireFault, WireRequest, WireResponse, WireResult

GOAWAY_AFTER_STREAM_1 = b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x00"


class Server(asyncio.Protocol):
    """Answers; on its first connection it says goodbye after stream 1."""

    connections = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        Server.connections += 1
        self.first = Server.connections == 1
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream's transport
        self.http = H2Connection(H2Configuration(client_side=False))
        self.http.initiate_connection()
        transport.write(self.http.data_to_send())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Answer every request but the second of the first connection."""
        goodbye = b""
        for event in self.http.receive_data(data):
            if isinstance(event, StreamEnded) and not (self.first and event.stream_id > 1):
                self.http.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
                goodbye = GOAWAY_AFTER_STREAM_1 if self.first else b""
        self.transport.write(self.http.data_to_send() + goodbye)


async def main() -> None:
    """Send three requests and say what became of them."""
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    origin = Origin("127.0.0.1", server.sockets[0].getsockname()[1], "http")
    transport = HttpTransport()
    block = HeaderBlock([(b"content-type", b"application/json")])

    def submit(path: bytes) -> asyncio.Future[WireResult]:
        future: asyncio.Future[WireResult] = asyncio.get_running_loop().create_future()
        request = WireRequest(b"POST", origin, path, block, (), b"{}", time.monotonic() + 5, policy=OriginPolicy())
        transport.submit(request, future.set_result)
        return future

    def show(name: str, result: WireResult) -> None:
        if isinstance(result, WireResponse):
            print(f"{name}: answered {result.status}")
        elif isinstance(result, WireFault):
            print(f"{name}: {result.kind}, processed: {result.processed} ({result.detail})")

    first, second = await asyncio.gather(submit(b"/1"), submit(b"/2"))
    show("first", first)
    show("second", second)
    print(f"connections: {Server.connections}")
    server.close()
    await transport.aclose()

    transport = HttpTransport()
    show("third", await submit(b"/3"))
    await transport.aclose()


if __name__ == "__main__":
    asyncio.run(main())
