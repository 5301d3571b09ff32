"""
How many APNs pushes a second the local services take: the other end of every other benchmark.

The server is a process of its own; the client is libnghttp2 without anything around it, so that the server
is what is measured. Prints CPU per push of the server and what that makes per core.

Usage: python benchmarks/local_services.py [pushes] [in flight] [engine]
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import ssl
import sys
import time
from typing import Any

ROUNDS = 3


def serve(engine: str, answers: Any, asked: Any) -> None:
    from pushkit import apns
    from pushkit.testing import PushServer

    server = PushServer(engine=engine).start()
    key = server.apns_key
    token, _ = apns.TokenKey(key.pem or "", key_id=key.key_id, team_id=key.team_id).auth.header(None, time.time())
    answers.put((server.port("apns").number, token, server.ca_pem, server.bundle_id.encode()))
    while asked.get(timeout=120):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        answers.put(usage.ru_utime + usage.ru_stime)
    server.stop()


class Sender(asyncio.Protocol):
    def __init__(self, pushes: int, in_flight: int, token: bytes, topic: bytes, done: asyncio.Future[None]) -> None:
        import ngh2

        self.ngh2, self.connection = ngh2, ngh2.Connection(ngh2.Role.CLIENT)
        self.pushes, self.in_flight, self.token, self.topic, self.done = pushes, in_flight, token, topic, done
        self.sent = self.answered = 0
        self.limit = 1

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.connection.initiate_connection()
        self.transport.write(self.connection.data_to_send())

    def data_received(self, data: bytes) -> None:
        self.connection.receive_data(data)
        for event in self.connection.events():
            if isinstance(event, self.ngh2.StreamClosed):
                self.answered += 1
            elif isinstance(event, self.ngh2.ResponseReceived):
                assert event.headers[0] == (b":status", b"200"), event.headers
            elif isinstance(event, self.ngh2.SettingsReceived):
                self.limit = event.settings.get(3, self.limit)
        while self.sent < self.pushes and self.sent - self.answered < min(self.in_flight, self.limit):
            self.push(self.sent)
            self.sent += 1
        self.transport.write(self.connection.data_to_send())
        if self.answered >= self.pushes and not self.done.done():
            self.done.set_result(None)

    def push(self, number: int) -> None:
        alert = {"title": "Your order", "body": f"Order {number} has left our warehouse and will be with you between 14:00 and 15:00."}
        fields = [
            (b":method", b"POST"),
            (b":scheme", b"https"),
            (b":authority", b"localhost"),
            (b":path", b"/3/device/%064x" % number),
            (b"authorization", self.token),
            (b"apns-topic", self.topic),
            (b"apns-push-type", b"alert"),
            (b"apns-priority", b"10"),
            (b"apns-id", b"81c9f67a-e8d1-4319-b02b-%012x" % number),
        ]
        stream = self.connection.send_request(fields)
        self.connection.send_data(stream, json.dumps({"aps": {"alert": alert}}).encode(), end_stream=True)


async def measure(pushes: int, in_flight: int, engine: str) -> None:
    context = multiprocessing.get_context("spawn")
    answers, asked = context.Queue(), context.Queue()
    process = context.Process(target=serve, args=(engine, answers, asked), daemon=True)
    process.start()
    port, token, ca, topic = answers.get(timeout=60)
    tls = ssl.create_default_context(cadata=ca)
    tls.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    for _ in range(ROUNDS):
        done: asyncio.Future[None] = loop.create_future()
        asked.put(True)
        before, started = answers.get(timeout=60), time.perf_counter()
        transport, _ = await loop.create_connection(
            lambda done=done: Sender(pushes, in_flight, token, topic, done), "127.0.0.1", port, ssl=tls, server_hostname="localhost"
        )
        await asyncio.wait_for(done, 120)
        elapsed = time.perf_counter() - started
        asked.put(True)
        used = answers.get(timeout=60) - before
        print(f"{pushes / elapsed:8,.0f} pushes/s; server {used / pushes * 1e6:5.1f} µs of CPU a push, {pushes / used:8,.0f}/s on one core")
        transport.close()
        await asyncio.sleep(0.05)
    asked.put(False)
    process.join(10)


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(
        measure(int(given[0]) if given else 20_000, int(given[1]) if len(given) > 1 else 100, given[2] if len(given) > 2 else "auto")
    )
