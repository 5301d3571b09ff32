"""One Web Push client, one run, in a process of its own: prints what it cost as JSON. Started by ``benchmarks.webpush``."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import threading
from typing import Any

from benchmarks._clients import Meter
from benchmarks._server import pin

SUBSCRIPTIONS = 500
WARM_UP = 300
SUBJECT = "mailto:ops@example.com"
CONTENT = json.dumps({"notification": {"title": "Your order is on its way", "body": "It left our house this morning. " * 7}})
NOTIFICATION = {"title": "Your order is on its way", "body": "It left our house this morning. " * 7}


def keys() -> list[tuple[bytes, bytes]]:
    """What browsers gave: public key and secret."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    found = []
    for _ in range(SUBSCRIPTIONS):
        public = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        found.append((public, os.urandom(16)))
    return found


def bare(count: int, threads: int = 1) -> dict[str, float]:
    """Encryption alone, as one would write it with cryptography's own HKDF."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    receivers, text = keys(), CONTENT.encode()

    def encrypt(public: bytes, auth: bytes) -> bytes:
        receiver = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
        sender = ec.generate_private_key(ec.SECP256R1())
        mine = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        salt = os.urandom(16)
        ikm = HKDF(SHA256(), 32, auth, b"WebPush: info\x00" + public + mine).derive(sender.exchange(ec.ECDH(), receiver))
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(ikm)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(ikm)
        return salt + b"\x00\x00\x10\x00\x41" + mine + AESGCM(key).encrypt(nonce, text + b"\x02", None)

    for number in range(WARM_UP):
        encrypt(*receivers[number % SUBSCRIPTIONS])

    def work() -> None:
        for number in range(count // threads):
            encrypt(*receivers[number % SUBSCRIPTIONS])

    others = [threading.Thread(target=work) for _ in range(threads - 1)]
    meter = Meter()
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    return meter.since(count)


async def ours(engine: str, port: int, ca: str, count: int, in_flight: int) -> dict[str, float]:
    """pushkit, whole: ``stream()`` with outcomes, one notification to many subscriptions."""
    import pushkit
    from pushkit import webpush

    targets = [
        webpush.Subscription(f"https://localhost:{port}/wpush/v2/{os.urandom(48).hex()}", p256dh=public, auth=auth)
        for public, auth in keys()
    ]
    config = webpush.Config(
        vapid=webpush.VapidKey.generate(), subject=SUBJECT, endpoints=webpush.EndpointPolicy.allow("localhost:*"), max_connections=1
    )
    context = ssl.create_default_context(cafile=ca)
    async with pushkit.AsyncClient(webpush=config, ssl_context=context, http2_engine=engine, max_in_flight=in_flight) as push:

        async def send(number: int) -> int:
            accepted = 0
            some = (targets[index % SUBSCRIPTIONS] for index in range(number))
            async with push.stream(pushkit.Notification(**NOTIFICATION), to=some) as outcomes:
                async for outcome in outcomes:
                    accepted += outcome.accepted
            return accepted

        assert await send(WARM_UP) == WARM_UP
        meter = Meter()
        accepted = await send(count)
        cost = meter.since(count)
    if accepted != count:
        raise SystemExit(f"{accepted} of {count} accepted")
    return cost


async def pywebpush(kind: str, port: int, ca: str, count: int, in_flight: int) -> dict[str, float]:
    """pywebpush's ``webpush_async`` with one session, so many at once; the key as text, as its README has it, or as an object read once."""
    import aiohttp
    import py_vapid
    import pywebpush as library

    from pushkit.webpush.encoding import b64url

    targets = [
        {"endpoint": f"https://localhost:{port}/wpush/v2/{os.urandom(48).hex()}", "keys": {"p256dh": b64url(public), "auth": b64url(auth)}}
        for public, auth in keys()
    ]
    made = py_vapid.Vapid02()
    made.generate_keys()
    key = made if kind == "object" else b64url(made.private_key.private_numbers().private_value.to_bytes(32, "big"))
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca), limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        places = asyncio.Semaphore(in_flight)

        async def one(target: dict[str, Any]) -> None:
            async with places:
                response = await library.webpush_async(
                    target, CONTENT, vapid_private_key=key, vapid_claims={"sub": SUBJECT}, ttl=86_400, aiohttp_session=session
                )
                assert not isinstance(response, str)
                assert response.status == 200
                await response.read()

        async def send(number: int) -> None:
            await asyncio.gather(*(one(targets[index % SUBSCRIPTIONS]) for index in range(number)))

        await send(WARM_UP)
        meter = Meter()
        await send(count)
        return meter.since(count)


def main() -> None:
    """Run the client that is named and print its cost."""
    name, port, ca, count, in_flight = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    if os.environ.get("PUSHKIT_BENCH_PIN") != "no":
        pin(0)
    if name in {"bare", "threads"}:
        cost = bare(count, 2 if name == "threads" else 1)
    elif name.startswith("pywebpush"):
        cost = asyncio.run(pywebpush(name.partition(":")[2], port, ca, count, in_flight))
    else:
        cost = asyncio.run(ours(name.partition(":")[2], port, ca, count, in_flight))
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
