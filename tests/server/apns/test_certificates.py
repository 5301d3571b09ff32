"""Certificates over a real connection: shown in the handshake, watched for their end."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import asynccontextmanager

import h2.config
import h2.connection
import h2.events
import pytest
from tests.unit.apns.certificates import TOPICS, certificate

import pushkit
from pushkit import Accepted, Notification, RetryPolicy, TechnicalFailure, apns, events
from pushkit.testing import PushServer
from pushkit.testing.ca import LocalCA

HELLO = Notification(title="Hello")
TOKEN = "80b5" * 16
NOW = time.time()


@pytest.fixture(scope="module")
def server():
    with PushServer() as running:
        yield running


@asynccontextmanager
async def demanding(credentials, tmp_path):
    """An HTTP/2 server that takes nobody without this certificate; answers 200 and remembers who came with what."""
    authority = LocalCA()
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(credentials.wire.chain)
    context = authority.server_context(("h2",))
    context.load_verify_locations(trusted)
    context.verify_mode = ssl.CERT_REQUIRED
    # What is trusted here is one certificate, not an authority.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    seen: list[tuple[str, dict[bytes, bytes]]] = []

    async def serve(reader, writer):
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        subject = dict(item[0] for item in writer.get_extra_info("peercert")["subject"])
        headers: dict[int, dict[bytes, bytes]] = {}
        while data := await reader.read(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers[event.stream_id] = {bytes(name): bytes(value) for name, value in event.headers}
                elif isinstance(event, h2.events.StreamEnded):
                    seen.append((subject["userId"], headers[event.stream_id]))
                    connection.send_headers(event.stream_id, [(":status", "200"), ("apns-id", "ID")], end_stream=True)
            writer.write(connection.data_to_send())
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://localhost:{listening.sockets[0].getsockname()[1]}", authority.client_context(), seen
    finally:
        listening.close()


async def push_to(origin, client, credentials):
    config = apns.Config(credentials=credentials, origin=origin, topic="com.example.app")
    async with pushkit.AsyncClient(apns=config, ssl_context=client, retry=RetryPolicy.none()) as push:
        return await push.send_many(HELLO, to=[apns.Device(f"{number:064x}") for number in range(20)])


def test_the_handshake_shows_the_certificate(tmp_path):
    """And no provider token goes with it; twenty pushes go out at once, as there is no token to be accepted first."""
    credentials = certificate(topics=TOPICS, start=NOW - 86_400)

    async def run():
        async with demanding(credentials, tmp_path) as (origin, client, seen):
            return await push_to(origin, client, credentials), seen

    report, seen = asyncio.run(run())

    assert 20 == report.accepted
    assert {"com.example.app"} == {who for who, _ in seen}
    assert all(b"authorization" not in headers for _, headers in seen)
    assert {b"com.example.app"} == {headers[b"apns-topic"] for _, headers in seen}


def test_a_server_that_does_not_take_the_certificate_is_a_technical_failure(tmp_path):
    """Nothing was sent, nobody is accused."""
    credentials, other = (certificate(start=NOW - 86_400) for _ in range(2))

    async def run():
        async with demanding(credentials, tmp_path) as (origin, client, _):
            return await push_to(origin, client, other)

    report = asyncio.run(run())

    assert 20 == report.technical
    assert all(isinstance(failure, TechnicalFailure) for failure in report.failures)


def test_apns_wants_a_certificate_or_a_token(server):
    """The local APNs speaks tokens alone: a certificate is answered as Apple answers a missing sign-in."""
    heard: list[events.Event] = []

    outcome = asyncio.run(send(server, certificate(start=NOW - 86_400), heard))

    assert "MissingProviderToken" == outcome.reason
    assert not isinstance(outcome, Accepted)


async def send(server, credentials, heard):
    config = server.apns_config(credentials=credentials)
    async with pushkit.AsyncClient(apns=config, ssl_context=server.ssl_context(), retry=RetryPolicy.none(), hooks=[heard.append]) as push:
        return await push.send(HELLO, to=server.device())


@pytest.mark.parametrize(("days", "told"), [(300, 0), (20, 1)])
def test_hooks_hear_that_a_certificate_ends(server, days, told):
    """With the first push that uses it, a month ahead."""
    credentials = certificate(topics=TOPICS, start=NOW - 86_400, days=days)
    heard: list[events.Event] = []

    asyncio.run(send(server, credentials, heard))

    ending = [event for event in heard if isinstance(event, events.CredentialExpiring)]
    assert told == len(ending)
    assert all(event.expires_at == credentials.not_after for event in ending)
