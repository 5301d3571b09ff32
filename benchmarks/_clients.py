"""One client, one run, in a process of its own: prints what it cost as JSON. Started by ``benchmarks.transport``."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._server import pin

TOKENS = [os.urandom(32).hex() for _ in range(2000)]
PAYLOAD: dict[str, Any] = {
    "aps": {"alert": {"title": "Your order is on its way", "body": "It left our house this morning. " * 4}, "sound": "default", "badge": 3},
    "order": "8f14e45f-ceea-467f-a3f6-6f3f9a2f6f7c",
}
BODY = json.dumps(PAYLOAD, separators=(",", ":")).encode()
JWT = b"x" * 194
HEADERS = [
    (b"authorization", b"bearer " + JWT),
    (b"apns-topic", b"com.example.app"),
    (b"apns-push-type", b"alert"),
    (b"apns-priority", b"10"),
    (b"apns-expiration", b"1800000000"),
    (b"content-type", b"application/json"),
]
APNS_ID = b"12345678-1234-4234-8234-123456789012"
WARM_UP = 300


class Meter:
    """CPU and time between two points."""

    def __init__(self) -> None:
        self.cpu = _cpu()
        self.time = time.perf_counter()

    def since(self, count: int) -> dict[str, float]:
        """Cost of so many requests since this was made."""
        wall = time.perf_counter() - self.time
        return {"us": (_cpu() - self.cpu) / count * 1e6, "rate": count / wall}


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rss() -> int:
    """Resident memory in octets."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def ours(engine: str, port: int, ca: str, count: int, in_flight: int) -> dict[str, float]:
    """pushkit's transport alone."""
    from pushkit.http.transport import HttpTransport
    from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireRequest, WireResponse, WireResult

    transport = HttpTransport(ssl_context=ssl.create_default_context(cafile=ca), engine=engine)
    origin, block, policy = Origin("localhost", port), HeaderBlock(HEADERS), OriginPolicy(max_connections=1)
    left = sent = 0
    over = asyncio.get_running_loop().create_future()
    deadline = 0.0

    def push() -> None:
        nonlocal sent
        sent += 1
        path = b"/3/device/" + TOKENS[sent % 2000].encode()
        request = WireRequest(b"POST", origin, path, block, ((b"apns-id", APNS_ID),), BODY, deadline, policy=policy)
        transport.submit(request, done)

    def done(result: WireResult) -> None:
        nonlocal left, over
        if not isinstance(result, WireResponse) or result.status != 200:
            over.set_exception(RuntimeError(f"not accepted: {result!r}"))
            return
        left -= 1
        if sent < total:
            push()
        elif not left:
            over.set_result(None)

    for total in (WARM_UP, count):
        left, sent, over = total, 0, asyncio.get_running_loop().create_future()
        deadline = time.monotonic() + 300
        meter = Meter()
        for _ in range(min(in_flight, total)):
            push()
        await over
        cost = meter.since(total)
    await transport.aclose()
    return cost


async def _workers(one: Any, count: int, in_flight: int) -> dict[str, float]:
    cost: dict[str, float] = {}
    for total, at_once in ((min(WARM_UP, count), 20), (count, in_flight)):  # aioapns does not survive a burst before SETTINGS
        numbers = iter(range(total))

        async def worker(numbers: Any = numbers) -> None:
            for number in numbers:
                await one(number)

        meter = Meter()
        await asyncio.gather(*(worker() for _ in range(min(at_once, total))))
        cost = meter.since(total)
    return cost


async def aioapns(port: int, ca: str, count: int, in_flight: int) -> dict[str, float]:
    """The whole of aioapns 4.0, pointed at this machine; one connection."""
    import logging

    from aioapns import APNs, NotificationRequest
    from aioapns.connection import APNsProductionClientProtocol
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    logging.getLogger("aioapns").setLevel(logging.CRITICAL)
    APNsProductionClientProtocol.APNS_SERVER = "localhost"
    APNsProductionClientProtocol.APNS_PORT = port
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])  # aioapns does so only for a context of its own
    client = APNs(
        key=key.decode(),
        key_id="ABC123DEFG",
        team_id="DEF123GHIJ",
        topic="com.example.app",
        max_connections=1,
        ssl_context=context,
    )

    async def one(number: int) -> None:
        request = NotificationRequest(device_token=TOKENS[number % 2000], message=PAYLOAD, priority=10)
        result = await client.send_notification(request)
        if not result.is_successful:
            raise RuntimeError(f"not accepted: {result}")

    return await _workers(one, count, in_flight)


async def httpx(port: int, ca: str, count: int, in_flight: int) -> dict[str, float]:
    """httpx.AsyncClient over HTTP/2."""
    import httpx as library

    context = ssl.create_default_context(cafile=ca)
    headers = [*HEADERS, (b"apns-id", APNS_ID)]
    limits = library.Limits(max_connections=1)
    timeout = library.Timeout(300)
    async with library.AsyncClient(verify=context, http1=False, http2=True, limits=limits, timeout=timeout) as client:

        async def one(number: int) -> None:
            response = await client.post(f"https://localhost:{port}/3/device/{TOKENS[number % 2000]}", headers=headers, content=BODY)
            if response.status_code != 200:
                raise RuntimeError(f"not accepted: {response.status_code}")

        return await _workers(one, count, in_flight)


async def memory(engine: str, port: int, ca: str, count: int, in_flight: int) -> dict[str, float]:
    """Growth of the process over many requests on one connection, by tenths."""
    marks = [0] * 10
    from pushkit.http.transport import HttpTransport
    from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireRequest, WireResult

    transport = HttpTransport(ssl_context=ssl.create_default_context(cafile=ca), engine=engine)
    origin, block, policy = Origin("localhost", port), HeaderBlock(HEADERS), OriginPolicy(max_connections=1)
    sent = finished = 0
    over = asyncio.get_running_loop().create_future()
    step = count // 10

    def push() -> None:
        nonlocal sent
        sent += 1
        path = b"/3/device/" + os.urandom(32).hex().encode()
        transport.submit(
            WireRequest(b"POST", origin, path, block, ((b"apns-id", APNS_ID),), BODY, time.monotonic() + 10, policy=policy), done
        )

    def done(_: WireResult) -> None:
        nonlocal finished
        finished += 1
        if finished % step == 0:
            marks[finished // step - 1] = rss()
        if sent < count:
            push()
        elif finished == count:
            over.set_result(None)

    for _ in range(in_flight):
        push()
    await over
    connections = len({connection.id for pool in transport._pools.values() for connection in pool.connections})
    await transport.aclose()
    return {
        "first_tenth_kb": marks[0] / 1024,
        "last_kb": marks[-1] / 1024,
        "growth_kb": (marks[-1] - marks[0]) / 1024,
        "second_half_kb": (marks[-1] - marks[4]) / 1024,
        "connections": connections,
    }


async def in_flight(engine: str, port: int, ca: str, count: int, _: int) -> dict[str, float]:
    """Resident memory of each request that waits for its answer; the server never answers."""
    import gc

    from pushkit.http.transport import HttpTransport
    from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireRequest, WireResult

    transport = HttpTransport(ssl_context=ssl.create_default_context(cafile=ca), engine=engine)
    origin, block, policy = Origin("localhost", port), HeaderBlock(HEADERS), OriginPolicy(max_connections=count // 1000)
    for _ in range(policy.max_connections):
        await transport.connect(origin, policy, None, 5)
    ended: list[WireResult] = []
    gc.collect()
    before = rss()
    for _ in range(count):
        path, apns_id, body = b"/3/device/" + os.urandom(32).hex().encode(), os.urandom(16).hex().encode(), BODY[:-1] + b"}"
        transport.submit(
            WireRequest(b"POST", origin, path, block, ((b"apns-id", apns_id),), body, time.monotonic() + 60, policy=policy), ended.append
        )
    for _ in range(200):
        await asyncio.sleep(0.01)
        if sum(state.streams for state in transport.health()) == count and not transport.health()[0].waiting:
            break
    await asyncio.sleep(0.3)
    gc.collect()
    after = rss()
    streams = sum(state.streams for state in transport.health())
    await transport.aclose()
    return {"bytes_each": (after - before) / count, "streams": streams}


def main() -> None:
    """``python -m benchmarks._clients name port ca count in_flight``."""
    name, port, ca, count, flight = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    pin(0)
    kind, _, engine = name.partition(":")
    if kind in {"pushkit", "memory", "in_flight"}:
        work = {"pushkit": ours, "memory": memory, "in_flight": in_flight}[kind](engine, port, ca, count, flight)
    else:
        work = {"aioapns": aioapns, "httpx": httpx}[kind](port, ca, count, flight)
    print(json.dumps(asyncio.run(work)))


if __name__ == "__main__":
    main()
