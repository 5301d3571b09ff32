"""Services that speak HTTP/1.1 only: ALPN decides, and the endpoint still goes out letter for letter."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator

import attrs
import pytest
from tests.server.threaded import ThreadedServer
from tests.unit.webpush.helpers import BROWSER, KEY, SUBJECT

from pushkit import Accepted, Client, Notification, RecipientFailure, RetryPolicy, TechnicalFailure
from pushkit.testing.ca import LocalCA
from pushkit.webpush import Config, EndpointPolicy, Message, decrypt, places
from pushkit.webpush.endpoints import Allowed

HELLO = Notification(title="Hello")


@attrs.frozen
class Seen:
    """A request as it came over the wire."""

    line: str
    fields: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


class PlainService(ThreadedServer):
    """A push service with nothing but TLS and HTTP/1.1; answers what it is told, in turn."""

    def __init__(self) -> None:
        self.ca = LocalCA()
        super().__init__(self.ca)
        self.seen: list[Seen] = []
        self.answers: list[bytes] = []
        self.connections = 0
        self.open = self.most_open = 0
        self.silent = False
        self.protocols: set[str | None] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        tls = writer.get_extra_info("ssl_object")
        assert isinstance(tls, ssl.SSLObject)
        self.protocols.add(tls.selected_alpn_protocol())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:] if line)]
                length = int(dict(fields).get("content-length", "0"))
                self.seen.append(Seen(head[0], fields, await reader.readexactly(length)))
                if self.silent:
                    await reader.read()  # until the client hangs up
                    return
                writer.write(
                    self.answers.pop(0) if self.answers else b"HTTP/1.1 201 Created\r\nLocation: /m/1\r\nContent-Length: 0\r\n\r\n"
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()


@pytest.fixture
def service() -> Iterator[PlainService]:
    with PlainService() as running:
        yield running


@pytest.fixture
def push(service: PlainService) -> Iterator[Client]:
    config = Config(vapid=KEY, subject=SUBJECT, endpoints=EndpointPolicy.allow("localhost:*"))
    with Client(webpush=config, ssl_context=service.ca.client_context(), retry=RetryPolicy(attempts=1)) as client:
        yield client


def target(service: PlainService, path: str = "/up/abc"):
    return BROWSER.subscription(f"https://localhost:{service.port}{path}")


def test_a_service_without_http2_is_reached(service: PlainService, push: Client):
    """Decrypted at the other end; every header once."""
    outcome = push.send(Message("Grüße"), to=target(service))

    assert isinstance(outcome, Accepted), outcome
    assert "/m/1" == outcome.info["location"]
    (seen,) = service.seen
    assert "Grüße".encode() == decrypt(seen.body, BROWSER.key, BROWSER.auth)
    for name in ("ttl", "urgency", "content-encoding", "content-type", "content-length", "authorization", "host"):
        assert 1 == len(seen.all(name)), name
    assert [f"localhost:{service.port}"] == seen.all("host")
    assert {"http/1.1"} == service.protocols


@pytest.mark.parametrize(
    "path",
    [
        "/w/?token=BQYAAAC%2bendpoint%2ftoken%3d",
        "/up/a+b=c==",
        "/up/%7Etilde~",
        "/up//double/../dots/./x",
        "/up/a:b@c;d,e!$&'()*",
        "/?",
        "/",
        "/%2B%2b",
    ],
)
def test_the_endpoint_goes_out_letter_for_letter(service: PlainService, push: Client, path: str):
    """Over httpx too: nothing is decoded, encoded, folded or resolved."""
    outcome = push.send(HELLO, to=target(service, path))

    assert isinstance(outcome, Accepted), outcome
    assert f"POST {path} HTTP/1.1" == service.seen[-1].line


def test_a_push_without_content_has_an_empty_body(service: PlainService, push: Client):
    """Content-Length: 0 and no Content-Encoding."""
    push.send(Message(), to=target(service)).unwrap()

    (seen,) = service.seen
    assert (["0"], [], b"") == (seen.all("content-length"), seen.all("content-encoding"), seen.body)


def test_answers_mean_the_same(service: PlainService, push: Client):
    """410 is gone, over any version of HTTP."""
    service.answers.append(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")

    outcome = push.send(HELLO, to=target(service))

    assert isinstance(outcome, RecipientFailure)
    assert "http_410" == outcome.reason


def test_redirects_are_not_followed(service: PlainService, push: Client):
    """Reported with where it leads; the second host hears nothing."""
    service.answers.append(b"HTTP/1.1 301 Moved\r\nLocation: https://localhost:1/elsewhere\r\nContent-Length: 0\r\n\r\n")

    outcome = push.send(HELLO, to=target(service))

    assert ("http_301", "https://localhost:1/elsewhere", 1) == (outcome.reason, outcome.info["location"], len(service.seen))


def test_an_endless_answer_is_cut_off(service: PlainService, push: Client):
    """A hostile service cannot fill our memory."""
    service.answers.append(b"HTTP/1.1 400 Bad\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 200_000)

    outcome = push.send(HELLO, to=target(service))

    assert isinstance(outcome, TechnicalFailure)
    assert "response_too_large" == outcome.reason


def test_many_go_over_few_connections(service: PlainService, push: Client):
    """Kept alive and bounded by the configuration."""
    report = push.send_many(HELLO, to=[target(service, f"/up/{number}") for number in range(200)])

    assert 200 == report.accepted
    assert service.connections <= 8


def test_a_stranger_that_says_nothing_is_held_short(service: PlainService, monkeypatch: pytest.MonkeyPatch):
    """Two connections and a handful of requests, and after one time-out everything is back."""
    service.silent = True
    # The only public host here is our own machine.
    monkeypatch.setattr(EndpointPolicy, "judge", lambda self, host, port: (Allowed.UNKNOWN, None))
    monkeypatch.setattr(places, "public_address", lambda host, address: True)
    config = Config(vapid=KEY, subject=SUBJECT, endpoints=EndpointPolicy.any_public(), attempt_timeout=0.5)
    with Client(webpush=config, ssl_context=service.ca.client_context(), retry=RetryPolicy(attempts=1)) as push:
        report = push.send_many(HELLO, to=[target(service, f"/up/{number}") for number in range(60)])

    assert (60, 60) == (report.total, report.technical)
    assert service.most_open <= 2
    assert len(service.seen) <= 8
