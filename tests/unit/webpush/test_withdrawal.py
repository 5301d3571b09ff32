"""Withdrawals: the DELETE goes to the subscription's own push service, and what its answers say is about the message."""

from __future__ import annotations

import pytest
from tests.unit.webpush.helpers import BROWSER, NOW, STAMP, Push, sender

from pushkit import Category
from pushkit.verdict import Acceptance, Verdict
from pushkit.webpush import EndpointPolicy, Subscription, Withdrawal
from pushkit.wire import Origin, WireRequest, WireResponse

WEB = sender(endpoints=EndpointPolicy.any_public() | EndpointPolicy.allow("one.example.net:*", "two.example.net"))
ENDPOINT = "https://push.one.org/p/abc"


def request_for(location: str, endpoint: str = ENDPOINT) -> WireRequest | Verdict:
    target = BROWSER.subscription(endpoint)
    return WEB.address(WEB.prepare(Withdrawal(location), Subscription, STAMP), target, Push())


@pytest.mark.parametrize(
    ("endpoint", "location"),
    [
        (ENDPOINT, "https://push.two.org/m/1"),
        (ENDPOINT, "https://push.one.org.evil.org/m/1"),
        (ENDPOINT, "https://push.one.org:8443/m/1"),
        (ENDPOINT, "https://push.one.org@evil.org/m/1"),
        (ENDPOINT, "https://169.254.169.254/m/1"),
        (ENDPOINT, "//push.two.org/m/1"),
        (ENDPOINT, "///push.two.org/m/1"),
        (ENDPOINT, "/\\push.two.org/m/1"),
        (ENDPOINT, "m/1"),
        ("https://one.example.net/p/abc", "https://two.example.net/m/1"),
        ("https://one.example.net/p/abc", "https://one.example.net:8443/m/1"),
    ],
)
def test_a_location_at_another_origin_is_refused(endpoint: str, location: str) -> None:
    """Also where pushes may go there and the service is of the same kind: the header of an answer picks no host."""
    verdict = request_for(location, endpoint)

    assert isinstance(verdict, Verdict)
    assert ("invalid_location", "location") == (verdict.reason, verdict.field)


@pytest.mark.parametrize("location", ["https://push.one.org/m/1?x=%2e", "https://PUSH.one.org:443/m/1?x=%2e", "/m/1?x=%2e"])
def test_a_location_of_the_service_itself_is_deleted(location: str) -> None:
    """Letter for letter, without a token."""
    request = request_for(location)

    assert isinstance(request, WireRequest)
    assert (b"DELETE", Origin("push.one.org", 443), b"/m/1?x=%2e", ()) == (request.method, request.origin, request.path, request.headers)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "message_gone"),
        (410, "message_gone"),
        (400, "withdrawal_not_supported"),
        (405, "withdrawal_not_supported"),
        (501, "withdrawal_not_supported"),
    ],
)
def test_refusals_are_about_the_message_and_never_about_the_subscription(status: int, reason: str) -> None:
    """A 410 on a message's own address must remove nobody."""
    assert (Category.PAYLOAD, reason, status) == _told(status)


def test_no_other_answer_removes_a_subscription_either() -> None:
    """Whatever a service says to a DELETE, with whatever body."""
    bodies = (
        b"",
        b'{"errno": 103}',
        b'{"errno": 106}',
        b"push subscription has unsubscribed or expired",
        b'{"errno":109,"message":"VAPID public key mismatch"}',
    )
    told = [_told(status, body)[0] for status in range(300, 600) for body in bodies]

    assert Category.RECIPIENT not in told


def _told(status: int, body: bytes = b"") -> tuple[Category, str, int | None]:
    target = BROWSER.subscription(ENDPOINT)
    prepared = WEB.prepare(Withdrawal("/m/1"), Subscription, STAMP)
    request = WEB.address(prepared, target, Push())
    verdict = WEB.classify(WireResponse(status, (), body), request, prepared, target, NOW)
    assert isinstance(verdict, Verdict)
    return verdict.category, verdict.reason, verdict.status


def test_success_is_an_acceptance() -> None:
    """The service dropped the message."""
    target = BROWSER.subscription(ENDPOINT)
    prepared = WEB.prepare(Withdrawal("/m/1"), Subscription, STAMP)
    request = WEB.address(prepared, target, Push())

    assert isinstance(WEB.classify(WireResponse(204, (), b""), request, prepared, target, NOW), Acceptance)
