"""Assertions: what they find, and what a failure tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pushkit import Notification, RetryPolicy
from pushkit.testing import Answer, FakeClient, html_page
from pushkit.testing.vocabulary.retry_after import retry_after_field

HI = Notification(title="Hi", body="there")


@pytest.fixture
def push() -> Iterator[FakeClient]:
    with FakeClient(retry=RetryPolicy(max_sleep=300, deadline=600)) as client:
        yield client


def test_assert_sent_gives_what_it_found(push: FakeClient) -> None:
    """By recipient, payload, provider, callable, acceptance."""
    one, two = push.device(), push.registration()
    push.behaviour.to(two).answer("UNREGISTERED")
    push.send_many(HI, to=[one, two])

    assert [one] == [r.target for r in push.assert_sent(1, to=one)]
    assert 1 == len(push.assert_sent(provider="fcm", accepted=False))
    assert 1 == len(push.assert_sent(matching={"aps": {"alert": {"body": "there"}}}))
    assert 2 == len(push.assert_sent(2, matching=lambda record: record.title == "Hi"))
    assert 1 == len(push.assert_sent(to=one.token.upper()))


def test_a_failure_names_near_misses_and_no_token(push: FakeClient) -> None:
    """The nearest first, with what it lacks; recipients by fingerprint."""
    one, two = push.device(), push.device()
    push.send(HI, to=one)
    push.send(Notification(title="Ho"), to=two)
    with pytest.raises(AssertionError) as caught:
        push.assert_sent(2, to=one, matching={"aps": {"alert": {"title": "Hi", "subtitle": "x"}}})
    lines = str(caught.value).splitlines()

    assert "expected 2 pushes to apns" in lines[0]
    assert "aps.alert.subtitle is missing" in lines[1]
    assert "another recipient" in lines[2]
    assert (False, False) == (one.token in str(caught.value), two.token in str(caught.value))


def test_a_failure_shows_what_differs(push: FakeClient) -> None:
    """Seen and expected, with the path."""
    push.send(HI, to=push.device())
    with pytest.raises(AssertionError, match=r"aps\.alert\.title is 'Hi', expected 'Ho'"):
        push.assert_sent(matching={"aps": {"alert": {"title": "Ho"}}})
    with pytest.raises(AssertionError, match=r"aps\.alert\.title is 'Hi', expected an object"):
        push.assert_sent(matching={"aps": {"alert": {"title": {"x": 1}}}})


def test_a_long_inbox_is_cut(push: FakeClient) -> None:
    """Eight near misses, and how many more."""
    push.send_many(HI, to=[push.device() for _ in range(20)])
    with pytest.raises(AssertionError, match="and 12 more"):
        push.assert_sent(provider="fcm")


def test_nothing_sent_is_nothing_sent(push: FakeClient) -> None:
    """Local refusals never reach a service."""
    device = push.device()
    push.send(Notification(), to=device)
    push.assert_nothing_sent()
    push.send(HI, to=device)
    push.assert_nothing_sent(provider="webpush")
    with pytest.raises(AssertionError, match="expected no push to apns"):
        push.assert_nothing_sent(to=device)


def test_retries_are_counted_with_their_waits(push: FakeClient) -> None:
    """Two attempts, the provider's wait between them."""
    target = push.registration()
    push.behaviour.to(target).next().answer("QUOTA_EXCEEDED", quota="device", retry_after=90)
    push.send(HI, to=target)
    gap = push.sent[1].time - push.sent[0].time

    push.assert_retried(1, to=target, waited=[gap])
    assert gap >= 90
    with pytest.raises(AssertionError, match=r"expected waits of \[5\] s, saw \[9"):
        push.assert_retried(to=target, waited=[5])
    with pytest.raises(AssertionError, match="expected 2 repeats, saw 1"):
        push.assert_retried(2)
    with pytest.raises(ValueError, match="pass to="):
        push.assert_retried(waited=[1.0])


def test_no_retry_is_a_failure_that_says_so(push: FakeClient) -> None:
    """With the attempts that there were."""
    push.send(HI, to=push.device())
    with pytest.raises(AssertionError, match="at least one repeat, saw 0"):
        push.assert_retried()


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (30, [b"30"]),
        (1.6, [b"2"]),
        ("soon", [b"soon"]),
        ("-5", [b"-5"]),
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), [b"Sun, 22 Nov 2026 12:00:00 GMT", b"Thu, 01 Jan 1970 00:00:00 GMT"]),
        (None, []),
    ],
)
def test_retry_after_has_every_form(value: object, wanted: list[bytes]) -> None:
    """Seconds, a date beside the server's own, nonsense, nothing."""
    assert wanted == [field for _, field in retry_after_field({"retry_after": value}, 0.0)]


@pytest.mark.parametrize("answer", [html_page(502, "Bad Gateway"), Answer(status=500, body=b'{"reason": "Inter'), Answer(status=599)])
def test_any_answer_can_be_given(push: FakeClient, answer: Answer) -> None:
    """A proxy's page, half a JSON, a status that nobody knows: technical, all of them."""
    push.behaviour.webpush.answer(answer)

    assert "technical" == push.send(HI, to=push.subscription(), retry=RetryPolicy.none()).category
