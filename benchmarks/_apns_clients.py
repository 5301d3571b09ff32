"""One way of sending APNs pushes, one run, in a process of its own: prints what it cost as JSON. Started by ``benchmarks.apns``."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from typing import Any

from benchmarks._clients import PAYLOAD, TOKENS, WARM_UP, Meter, rss
from benchmarks._clients import aioapns as peer
from benchmarks._server import pin


def _config(port: int) -> Any:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from pushkit import apns

    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return apns.Config(
        credentials=apns.TokenKey(key.decode(), key_id="ABC123DEFG", team_id="DEF123GHIJ"),
        topic="com.example.app",
        origin=f"https://localhost:{port}",
        max_connections=1,
    )


def _notification(number: int | None = None) -> Any:
    from pushkit import Notification

    alert = PAYLOAD["aps"]["alert"]
    title = alert["title"] if number is None else f"{alert['title']}, number {number}"
    return Notification(title=title, body=alert["body"], sound="default", badge=3, data={"order": PAYLOAD["order"]})


def _message(personal: bool) -> Any:
    if not personal:
        return _notification()
    return lambda device: _notification(device.ref)


def _devices(count: int) -> Any:
    from pushkit import apns

    return (apns.Device(TOKENS[number % 2000], ref=number) for number in range(count))


async def stream(port: int, ca: str, count: int, in_flight: int, engine: str, *, personal: bool) -> dict[str, float]:
    """The asynchronous client's stream, outcomes read."""
    from pushkit import AsyncClient

    options: dict[str, Any] = {"apns": _config(port), "ssl_context": ssl.create_default_context(cafile=ca), "http2_engine": engine}
    async with AsyncClient(max_in_flight=in_flight, **options) as push:
        cost: dict[str, float] = {}
        for total in (WARM_UP, count):
            meter = Meter()
            accepted = 0
            async with push.stream(_message(personal), to=_devices(total)) as outcomes:
                async for outcome in outcomes:
                    accepted += outcome.accepted
            cost = meter.since(total)
            if accepted != total:
                raise SystemExit(f"{total - accepted} were not accepted")
    return cost


def sync_stream(port: int, ca: str, count: int, in_flight: int, engine: str) -> dict[str, float]:
    """The synchronous client's stream, outcomes read."""
    from pushkit import Client

    context = ssl.create_default_context(cafile=ca)
    with Client(apns=_config(port), ssl_context=context, http2_engine=engine, max_in_flight=in_flight) as push:
        cost: dict[str, float] = {}
        for total in (WARM_UP, count):
            meter = Meter()
            accepted = sum(outcome.accepted for outcome in push.stream(_message(False), to=_devices(total)))
            cost = meter.since(total)
            if accepted != total:
                raise SystemExit(f"{total - accepted} were not accepted")
    return cost


async def sequence(port: int, ca: str, count: int, engine: str) -> dict[str, float]:
    """One push after the other; ``us`` is wall time a push."""
    from pushkit import AsyncClient

    async with AsyncClient(apns=_config(port), ssl_context=ssl.create_default_context(cafile=ca), http2_engine=engine) as push:
        message, devices = _notification(), list(_devices(2000))
        for total in (50, count):
            start = time.perf_counter()
            for number in range(total):
                await push.send(message, to=devices[number % 2000])
        return {"us": (time.perf_counter() - start) / count * 1e6, "rate": count / (time.perf_counter() - start)}


async def memory(port: int, ca: str, in_flight: int, engine: str) -> dict[str, float]:
    """Resident memory for each push under way, with a server that answers none (``port`` leads to one)."""
    import gc

    from pushkit import AsyncClient, RetryPolicy

    context = ssl.create_default_context(cafile=ca)
    policy = RetryPolicy(attempts=1, attempt_timeout=30)
    async with AsyncClient(apns=_config(port), ssl_context=context, http2_engine=engine, max_in_flight=in_flight, retry=policy) as push:
        await push.send_many(_notification(), to=_devices(1))
        devices = list(_devices(in_flight))
        gc.collect()
        before = rss()
        tasks = push.stream(_notification(), to=devices)
        async with tasks:
            deadline = time.monotonic() + 10
            while push.health().in_flight < in_flight and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            under_way = push.health().in_flight
            return {"us": (rss() - before) / max(1, under_way) / 1024, "rate": float(under_way)}


async def aioapns_sequence(port: int, ca: str, count: int) -> dict[str, float]:
    """aioapns, one push after the other."""
    cost = await peer(port, ca, count, 1)
    return {"us": 1e6 / cost["rate"], "rate": cost["rate"]}


def main() -> None:
    """``name port certificate count in_flight``."""
    name, port, ca, count, in_flight = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    pin(0)
    kind, _, engine = name.partition(":")
    if kind == "sync":
        cost = sync_stream(port, ca, count, in_flight, engine)
    else:
        work = {
            "same": lambda: stream(port, ca, count, in_flight, engine, personal=False),
            "personal": lambda: stream(port, ca, count, in_flight, engine, personal=True),
            "sequence": lambda: sequence(port, ca, count, engine),
            "memory": lambda: memory(port, ca, in_flight, engine),
            "aioapns": lambda: peer(port, ca, count, in_flight),
            "aioapns-sequence": lambda: aioapns_sequence(port, ca, count),
        }[kind]
        cost = asyncio.run(work())
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
