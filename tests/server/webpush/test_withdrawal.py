"""Taking a message back: DELETE on its location, and never a word about the subscription."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from pushkit import Accepted, Category, Client, Notification, RetryPolicy
from pushkit.testing import PushServer
from pushkit.webpush import Withdrawal

HELLO = Notification(title="Hello")


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer() as running:
        yield running


@pytest.fixture(scope="module")
def push(server: PushServer) -> Iterator[Client]:
    with Client(webpush=server.webpush_config(), ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as client:
        yield client


@pytest.mark.parametrize("service", ["mozilla", "rfc"])
def test_an_undelivered_message_is_taken_back(server: PushServer, push: Client, service: str):
    """The service drops it; a second time there is nothing left."""
    sent = push.send(HELLO, to=server.subscription(service=service)).unwrap()

    first = push.send(Withdrawal.of(sent), to=sent.target)
    second = push.send(Withdrawal.of(sent), to=sent.target)

    assert isinstance(first, Accepted), first
    assert ("message_gone", Category.PAYLOAD, 404) == (second.reason, second.category, second.status)
    request = server.calls[-1].request
    assert ("DELETE", sent.info["location"]) == (request.method, f"https://{request.authority}{request.target}")
    assert b"" == request.body


@pytest.mark.parametrize("service", ["google", "apple", "microsoft"])
def test_services_without_it_are_not_asked(server: PushServer, push: Client, service: str):
    """Nothing is sent there."""
    sent = push.send(HELLO, to=server.subscription(service=service)).unwrap()
    before = len(server.sent)

    outcome = push.send(Withdrawal.of(sent), to=sent.target)

    assert ("withdrawal_not_supported", (), before) == (outcome.reason, outcome.attempts, len(server.sent))


@pytest.mark.parametrize(
    "location", ["", None, 7, "https://evil.example.org/m/1", "http://localhost/m/1", "//evil.example.org/m/1", "ftp://x", "/m/\r\nx"]
)
def test_locations_that_lead_elsewhere_are_refused(server: PushServer, push: Client, location):
    """A service's answer must not send us anywhere: SSRF by way of a header."""
    before = len(server.calls)

    outcome = push.send(Withdrawal(location), to=server.subscription())

    assert ("invalid_location", "location", ()) == (outcome.reason, outcome.field, outcome.attempts)
    assert before == len(server.calls)


def test_a_location_at_another_known_service_is_refused(server: PushServer, push: Client):
    """Allowed for pushes, but not this subscription's."""
    other = push.send(HELLO, to=server.subscription(service="rfc")).unwrap()

    assert "invalid_location" == push.send(Withdrawal.of(other), to=server.subscription(service="mozilla")).reason


def test_a_relative_location_is_the_services_own(server: PushServer, push: Client):
    """RFC 9110 allows it."""
    sent = push.send(HELLO, to=server.subscription()).unwrap()
    path = "/" + sent.info["location"].split("/", 3)[3]

    assert isinstance(push.send(Withdrawal(path), to=sent.target), Accepted)


def test_nothing_about_a_withdrawal_removes_the_subscription(server: PushServer, push: Client):
    """A 404 is about the message."""
    sent = push.send(HELLO, to=server.subscription()).unwrap()
    gone = attrs.evolve(Withdrawal.of(sent), location=f"{sent.info['location']}x")

    outcome = push.send(gone, to=sent.target)

    assert Category.PAYLOAD == outcome.category
    assert isinstance(push.send(HELLO, to=sent.target), Accepted)


def test_the_location_does_not_show(server: PushServer, push: Client):
    """It is a capability."""
    sent = push.send(HELLO, to=server.subscription()).unwrap()

    for shown in (repr(Withdrawal.of(sent)), repr(sent), str(sent)):
        assert sent.info["location"].rsplit("/", 1)[1] not in shown
