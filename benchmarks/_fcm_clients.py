"""One FCM client, one run, in a process of its own: prints what it cost as JSON. Started by ``benchmarks.fcm``."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
from typing import Any

from benchmarks._clients import Meter
from benchmarks._server import pin

TOKENS = [f"{os.urandom(11).hex()}:APA91b{os.urandom(67).hex()}" for _ in range(2000)]
WARM_UP = 200
TITLE, BODY = "Your order is on its way", "It left our house this morning. " * 4
DATA = {"order": "8f14e45f-ceea-467f-a3f6-6f3f9a2f6f7c"}


def key_file(port: int) -> dict[str, str]:
    """A throw-away service account that signs in at the server under test."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "type": "service_account",
        "project_id": "p-12345",
        "private_key_id": "1",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": "push@p-12345.iam.gserviceaccount.com",
        "token_uri": f"https://localhost:{port}/token",
    }


def _config(port: int) -> Any:
    from pushkit import fcm

    return fcm.Config(
        credentials=fcm.ServiceAccount.from_info(key_file(port)), origin=f"https://localhost:{port}", max_connections=1, rate=None
    )


def _notification(number: object = None) -> Any:
    from pushkit import Notification

    return Notification(title=TITLE if number is None else f"{TITLE}, number {number}", body=BODY, data=DATA)


def _targets(count: int) -> Any:
    from pushkit import fcm

    return (fcm.Registration(TOKENS[number % 2000], ref=number) for number in range(count))


async def ours(engine: str, port: int, ca: str, count: int, in_flight: int, *, personal: bool) -> dict[str, float]:
    """pushkit's stream, outcomes read."""
    from pushkit import AsyncClient

    message: Any = (lambda target: _notification(target.ref)) if personal else _notification()
    context = ssl.create_default_context(cafile=ca)
    cost: dict[str, float] = {}
    async with AsyncClient(fcm=_config(port), ssl_context=context, http2_engine=engine, max_in_flight=in_flight) as push:
        for total in (WARM_UP, count):
            meter, accepted = Meter(), 0
            async with push.stream(message, to=_targets(total)) as outcomes:
                async for outcome in outcomes:
                    accepted += outcome.accepted
            cost = meter.since(total)
            if accepted != total:
                raise SystemExit(f"{total - accepted} were not accepted")
    return cost


def ours_sync(port: int, ca: str, count: int, in_flight: int) -> dict[str, float]:
    """The same through the synchronous client."""
    from pushkit import Client

    cost: dict[str, float] = {}
    with Client(fcm=_config(port), ssl_context=ssl.create_default_context(cafile=ca), max_in_flight=in_flight) as push:
        for total in (WARM_UP, count):
            meter = Meter()
            accepted = sum(outcome.accepted for outcome in push.stream(_notification(), to=_targets(total)))
            cost = meter.since(total)
            if accepted != total:
                raise SystemExit(f"{total - accepted} were not accepted")
    return cost


def _admin(port: int) -> Any:
    import firebase_admin
    from firebase_admin import credentials, messaging

    messaging._MessagingService.FCM_URL = f"https://localhost:{port}/v1/projects/{{0}}/messages:send"
    firebase_admin.initialize_app(credentials.Certificate(key_file(port)))
    return messaging


def _batch(messaging: Any, count: int) -> list[Any]:
    shown = messaging.Notification(TITLE, BODY)
    return [messaging.Message(notification=shown, data=DATA, token=TOKENS[number % 2000]) for number in range(count)]


def send_each(port: int, count: int, batch: int) -> dict[str, float]:
    """firebase-admin's ``send_each``: threads over requests."""
    messaging = _admin(port)
    cost: dict[str, float] = {}
    for total in (WARM_UP, count):
        meter = Meter()
        accepted = sum(messaging.send_each(_batch(messaging, batch)).success_count for _ in range(total // batch))
        cost = meter.since(accepted)
        if accepted != total // batch * batch:
            raise SystemExit("not all were accepted")
    return cost


async def send_each_async(port: int, count: int, batch: int) -> dict[str, float]:
    """firebase-admin's ``send_each_async``: httpx over HTTP/2."""
    messaging = _admin(port)
    cost: dict[str, float] = {}
    for total in (WARM_UP, count):
        meter, accepted = Meter(), 0
        for _ in range(total // batch):
            accepted += (await messaging.send_each_async(_batch(messaging, batch))).success_count
        cost = meter.since(accepted)
        if accepted != total // batch * batch:
            raise SystemExit("not all were accepted")
    return cost


def main() -> None:
    """Run what the command line names."""
    name, port, ca, count, in_flight = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    pin(0)
    if name == "send_each":
        cost = send_each(port, count, in_flight)
    elif name == "send_each_async":
        cost = asyncio.run(send_each_async(port, count, in_flight))
    elif name == "pushkit:sync":
        cost = ours_sync(port, ca, count, in_flight)
    else:
        engine = {"pushkit:h2": "h2"}.get(name, "ngh2")
        cost = asyncio.run(ours(engine, port, ca, count, in_flight, personal=name == "pushkit:personal"))
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
