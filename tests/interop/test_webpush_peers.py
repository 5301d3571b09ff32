"""Other people's Web Push: pywebpush and npm's web-push send to our service, pushkit sends to npm's web-push-testing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import pywebpush
import requests
from tests.server.threaded import ThreadedServer

from pushkit import Accepted, Action, Client, Notification, RecipientFailure
from pushkit.testing import PushServer
from pushkit.testing.ca import LocalCA
from pushkit.webpush import Config, EndpointPolicy, Message, Subscription, VapidKey

HERE = Path(__file__).parent
SERVICES = ("mozilla", "google", "apple", "microsoft", "rfc")
SUBJECT = "mailto:ops@example.com"
CONTENT = json.dumps({"notification": {"title": "From elsewhere", "body": "Grüße 🎁"}}, ensure_ascii=False)
WEB_PUSH = "3.6.7"
WEB_PUSH_TESTING = "1.2.2"
START_PATIENCE = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer() as running:
        yield running


def stored(target: Subscription) -> dict:
    return {"endpoint": target.endpoint, "keys": {"p256dh": target.p256dh, "auth": target.auth}}


# -- pywebpush


@pytest.mark.parametrize("service", SERVICES)
def test_pywebpush_sends_to_our_service(server: PushServer, tmp_path: Path, service: str):
    """Its VAPID token is verified, its body decrypted: our service is none that only pushkit can talk to."""
    target = server.subscription(service=service)
    session = requests.Session()
    session.verify, session.trust_env = str(server.write_ca(tmp_path / "ca.pem")), False
    before = len(server.sent)
    # pywebpush's own default lifetime of a token is exactly 24 hours, and Microsoft needs its header by hand.
    headers = {"x-wns-cache-policy": "cache"} if service == "microsoft" else {}
    with session:
        response = pywebpush.webpush(
            stored(target),
            CONTENT,
            vapid_private_key=server.vapid.private_b64,
            vapid_claims={"sub": SUBJECT, "exp": int(time.time()) + 3600},
            ttl=60,
            headers=headers,
            requests_session=session,
        )

    assert 201 == response.status_code
    record = server.sent[before]
    assert ("From elsewhere", "Grüße 🎁") == (record.title, record.text)


def test_pywebpush_async_sends_to_our_service(server: PushServer):
    """The same over aiohttp."""
    target = server.subscription(service="mozilla")

    async def run() -> int:
        connector = aiohttp.TCPConnector(ssl=server.ssl_context())
        async with aiohttp.ClientSession(connector=connector) as session:
            response = await pywebpush.webpush_async(
                stored(target),
                CONTENT,
                vapid_private_key=server.vapid.private_b64,
                vapid_claims={"sub": SUBJECT, "exp": int(time.time()) + 3600},
                ttl=60,
                aiohttp_session=session,
            )
            assert not isinstance(response, str)
            return response.status

    assert 201 == asyncio.run(run())
    assert "From elsewhere" == server.sent[-1].title


@pytest.mark.parametrize(
    ("spoil", "status"),
    [({"aud": "https://other.example.org"}, 401), ({"sub": "mailto:ops@localhost"}, 403), ({"exp": int(time.time()) + 90_000}, 401)],
)
def test_our_service_refuses_pywebpush_where_the_real_ones_do(server: PushServer, tmp_path: Path, spoil: dict, status: int):
    """A wrong audience, a subject that Apple does not take, a token for longer than a day."""
    target = server.subscription(service="apple" if status == 403 else "mozilla")
    claims = {"sub": SUBJECT, "exp": int(time.time()) + 3600} | spoil
    with requests.Session() as session:
        session.verify, session.trust_env = str(server.write_ca(tmp_path / "ca.pem")), False
        with pytest.raises(pywebpush.WebPushException) as caught:
            pywebpush.webpush(
                stored(target), CONTENT, vapid_private_key=server.vapid.private_b64, vapid_claims=claims, ttl=60, requests_session=session
            )

    assert status == caught.value.response.status_code


def test_the_same_key_signs_for_both(server: PushServer):
    """What pywebpush's users have in their settings is read as it is."""
    assert VapidKey.parse(server.vapid.private_b64) == VapidKey.parse(server.vapid.pem)


# -- npm


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both npm packages; node and npm belong to what the long tests need."""
    npm = shutil.which("npm")
    assert npm, "npm is needed; install it with: apt-get install npm"
    assert shutil.which("node"), "node is needed; install it with: apt-get install nodejs"
    folder = tmp_path_factory.mktemp("node")
    packages = [f"web-push@{WEB_PUSH}", f"web-push-testing@{WEB_PUSH_TESTING}"]
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *packages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    return folder / "node_modules"


@pytest.mark.full
def test_npm_web_push_sends_to_our_service(server: PushServer, modules: Path, tmp_path: Path):
    """Node's library, to all five services."""
    targets = [server.subscription(service=service) for service in SERVICES]
    gone = server.subscription(service="mozilla")
    server.unregister(gone)
    extra = {"microsoft": {"headers": {"x-wns-cache-policy": "cache"}}}
    pushes = [
        {"subscription": stored(target), "payload": CONTENT, "options": {"TTL": 60, **extra.get(service, {})}}
        for service, target in zip((*SERVICES, "gone"), (*targets, gone), strict=True)
    ]
    job = {"pushes": pushes, "vapid": {"subject": SUBJECT, "publicKey": server.vapid.public_b64, "privateKey": server.vapid.private_b64}}
    before = len(server.sent)

    done = subprocess.run(
        ["node", str(HERE / "web_push.js")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | {"NODE_PATH": str(modules), "NODE_EXTRA_CA_CERTS": str(server.write_ca(tmp_path / "ca.pem"))},
    )

    answers = json.loads(done.stdout)
    assert [201] * 5 + [410] == [answer["status"] for answer in answers]
    assert "106" in answers[5]["body"]
    assert ["From elsewhere"] * 5 == [record.title for record in list(server.sent)[before : before + 5]]


class TlsFront(ThreadedServer):
    """TLS in front of a plain HTTP/1.1 server: pushkit sends to https only."""

    def __init__(self, ca: LocalCA, port: int) -> None:
        super().__init__(ca)
        self._behind = port

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._behind)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            finally:
                sink.close()

        done = await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)
        assert not [error for error in done if isinstance(error, Exception) and not isinstance(error, ConnectionError)]


@pytest.fixture
def testing_port(modules: Path) -> Iterator[int]:
    """npm's web-push-testing, running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["node", str(HERE / "web_push_testing.js"), str(port)]
    process = subprocess.Popen(command, env=os.environ | {"NODE_PATH": str(modules)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "web-push-testing ended"
            assert time.monotonic() < until, "web-push-testing did not come up"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def ask(port: int, path: str, **fields: str) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(fields).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read()
    return json.loads(text) if text[:1] == b"{" else {}


@pytest.mark.full
def test_pushkit_sends_to_npm_web_push_testing(testing_port: int):
    """An independent decoder and JWT library read what pushkit sent, over HTTP/1.1; an expired subscription is gone."""
    ca, key = LocalCA(), VapidKey.generate()
    made = ask(testing_port, "/subscribe", userVisibleOnly="true", applicationServerKey=key.public_key)["data"]
    config = Config(vapid=key, subject=SUBJECT, endpoints=EndpointPolicy.allow("localhost:*"))
    with TlsFront(ca, testing_port) as front, Client(webpush=config, ssl_context=ca.client_context()) as push:
        path = made["endpoint"].split("/", 3)[3]
        target = Subscription.from_json(made | {"endpoint": f"https://localhost:{front.port}/{path}"})

        first = push.send(Notification(title="Hello", body="Grüße 🎁"), to=target)
        second = push.send(Message("plain text"), to=target)
        messages = ask(testing_port, "/get-notifications", clientHash=made["clientHash"])["data"]["messages"]
        ask(testing_port, f"/expire-subscription/{made['clientHash']}")
        gone = push.send(Message("too late"), to=target)

    assert [Accepted, Accepted] == [type(first), type(second)]
    assert ("Hello", "Grüße 🎁") == tuple(json.loads(messages[0])["notification"][name] for name in ("title", "body"))
    assert "plain text" == messages[1]
    assert isinstance(gone, RecipientFailure)
    assert (410, Action.REMOVE_RECIPIENT) == (gone.status, gone.action)
