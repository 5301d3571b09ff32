"""Topic changes have a quota of their own at Google's (3000 a second for a project), so neither holds up the other."""

from __future__ import annotations

from typing import Any

import pytest

from pushkit import Accepted, Notification, RetryPolicy, fcm
from pushkit.testing import FakeClient
from pushkit.testing.accounts import Accounts, key_file

HELLO = Notification(title="Hello")


@pytest.fixture
def push():
    with FakeClient(retry=RetryPolicy.none()) as client:
        yield client


def changed(push: FakeClient) -> Any:
    return push.topics().subscribe("news", to=push.registration()).outcomes[0]


def throttle_topics(push: FakeClient) -> Any:
    push.behaviour.topics.next().answer("RESOURCE_EXHAUSTED")
    return changed(push)


def throttle_pushes(push: FakeClient) -> Any:
    push.behaviour.fcm.next().answer("RATE_LIMIT_EXCEEDED")
    return push.send(HELLO, to=push.registration())


def test_a_throttled_topic_change_holds_up_topic_changes(push: FakeClient) -> None:
    """Until Google's minute is over; the detail says what is held up."""
    assert "RESOURCE_EXHAUSTED" == throttle_topics(push).reason

    held = changed(push)
    assert ("throttled", "topic changes of the whole project") == (held.reason, held.detail)


def test_a_throttled_topic_change_slows_no_push(push: FakeClient) -> None:
    """A campaign goes on while people are subscribed."""
    throttle_topics(push)

    assert Accepted is type(push.send(HELLO, to=push.registration()))
    assert 50 == push.send_many(HELLO, to=[push.registration() for _ in range(50)]).accepted


def test_a_throttled_push_slows_no_topic_change(push: FakeClient) -> None:
    """The other way round."""
    assert "RATE_LIMIT_EXCEEDED" == throttle_pushes(push).reason

    assert "throttled" == push.send(HELLO, to=push.registration()).reason
    assert Accepted is type(changed(push))


def test_a_throttled_device_may_change_its_topics(push: FakeClient) -> None:
    """What is too much for one device are messages."""
    device = push.registration()
    push.behaviour.fcm.next().answer("QUOTA_EXCEEDED")
    refused = push.send(HELLO, to=device)
    held = push.send(HELLO, to=device)

    assert ("QUOTA_EXCEEDED", "throttled") == (refused.reason, held.reason)
    assert Accepted is type(push.topics().subscribe("news", to=device).outcomes[0])


def test_a_resumed_topic_change_waits_for_its_own_quota(push: FakeClient) -> None:
    """What comes back from the caller's queue is counted as what it is, and so is what a callable makes."""
    throttled = throttle_topics(push)

    with push.resume([throttled]) as outcomes:
        assert ["throttled"] == [outcome.reason for outcome in outcomes]
    assert "throttled" == push.send(lambda _: fcm.Subscribe("news"), to=push.registration()).reason
    assert Accepted is type(push.send(lambda _: HELLO, to=push.registration()))


@pytest.mark.parametrize(("rate", "expected"), [(10_000.0, 3000.0), (100.0, 100.0), (None, None)])
def test_topic_changes_stay_below_googles_limit_and_below_ours(rate: float | None, expected: float | None) -> None:
    """A rate below it is one client's share of a project that others use too."""
    info = key_file(Accounts().new_service_account(), "https://oauth2.googleapis.com/token")
    config = fcm.Config(credentials=fcm.ServiceAccount.from_info(info), rate=rate)
    sender = fcm.provider.FcmProvider(config).open("default")

    assert expected == sender.rate_of("topic changes")
