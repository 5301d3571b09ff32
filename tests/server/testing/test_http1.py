"""HTTP/1.1 on the same ports: what curl, requests and old push libraries speak."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pushkit.testing import Disconnect, Garbage, GoAway, Interim, PushServer, Reset, Stall
from pushkit.testing.accounts import FCM_SCOPES

PATH = "/v1/projects/local-project/messages:send"


@pytest.fixture(scope="module")
def running() -> Iterator[PushServer]:
    with PushServer() as server:
        yield server


@pytest.fixture
def server(running: PushServer) -> Iterator[PushServer]:
    yield running
    running.reset()


@pytest.fixture
def client(server: PushServer) -> Iterator[httpx.Client]:
    with httpx.Client(verify=server.ssl_context(), base_url=server.origin("fcm"), timeout=2) as made:
        yield made


def send(server: PushServer, client: httpx.Client, **options: Any) -> httpx.Response:
    token = server.accounts.grant("local-project", FCM_SCOPES, time.time())
    message = {"message": {"token": server.registration().token, "notification": {"title": "Hi"}}}
    return client.post(PATH, headers={"authorization": f"Bearer {token}"}, **({"json": message} | options))


def test_a_connection_is_kept_for_many_requests(server: PushServer, client: httpx.Client) -> None:
    """Keep-alive: ten answers, one connection."""
    before = server.port("fcm").connections_seen

    assert ["HTTP/1.1"] * 10 == [send(server, client).http_version for _ in range(10)]
    assert before + 1 == server.port("fcm").connections_seen


def test_a_chunked_body_is_read(server: PushServer, client: httpx.Client) -> None:
    """Without a length."""
    body = json.dumps({"message": {"token": server.registration().token}}).encode()

    def pieces() -> Iterator[bytes]:
        yield body[:10]
        yield body[10:]

    assert 200 == send(server, client, json=None, content=pieces()).status_code


def raw(server: PushServer) -> ssl.SSLSocket:
    context = server.ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port("fcm").number), timeout=3), server_hostname="localhost")


def read_all(sock: ssl.SSLSocket) -> bytes:
    data = b""
    while True:
        try:
            piece = sock.recv(65536)
        except (ssl.SSLError, ConnectionError, TimeoutError):
            return data
        if not piece:
            return data
        data += piece


def test_a_client_that_waits_for_100_gets_it(server: PushServer) -> None:
    """Expect: 100-continue, as curl sends with larger bodies."""
    with raw(server) as sock:
        sock.sendall(b"POST /x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 100")
        sock.sendall(b"{}")
        assert b"404" in sock.recv(1000)


def test_nonsense_is_a_bad_request(server: PushServer) -> None:
    """400, and the end of the connection."""
    with raw(server) as sock:
        sock.sendall(b"this is no HTTP\r\n\r\n")

        assert read_all(sock).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "fault", [Reset(), Disconnect(), Disconnect(abrupt=False), Disconnect(partial=True), GoAway("unanswered"), Garbage()], ids=str
)
def test_a_fault_is_no_answer(server: PushServer, client: httpx.Client, fault: Any) -> None:
    """And the next request is served on another connection."""
    server.behaviour.fcm.next().fault(fault)
    with pytest.raises(httpx.HTTPError):
        send(server, client)

    assert 200 == send(server, client).status_code


@pytest.mark.parametrize("fault", [Stall(), Stall(partial=True)], ids=str)
def test_a_stall_is_silence(server: PushServer, client: httpx.Client, fault: Any) -> None:
    """Until the client gives up."""
    server.behaviour.fcm.next().fault(fault)
    with pytest.raises(httpx.ReadTimeout):
        send(server, client, timeout=0.3)


@pytest.mark.parametrize("fault", [GoAway("answered"), Interim()], ids=str)
def test_some_faults_answer_all_the_same(server: PushServer, client: httpx.Client, fault: Any) -> None:
    """The last answer of a connection; an interim one first."""
    server.behaviour.fcm.next().fault(fault)

    assert [200, 200] == [send(server, client).status_code for _ in range(2)]


def test_an_answer_can_be_late(server: PushServer, client: httpx.Client) -> None:
    """delay() holds it back."""
    server.behaviour.fcm.next().delay(0.2)
    started = time.monotonic()

    assert (200, True) == (send(server, client).status_code, time.monotonic() - started >= 0.2)


def test_an_oversized_body_is_cut_off(server: PushServer, client: httpx.Client) -> None:
    """Nobody fills the memory of a test."""
    with pytest.raises(httpx.HTTPError):
        send(server, client, json=None, content=b"x" * 1_000_000)
