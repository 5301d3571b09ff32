"""The old topic service keeps to the retry policy, with requests of up to 1000 registrations."""

from __future__ import annotations

import pytest

from pushkit import Accepted, Action, Disposition, RetryPolicy
from pushkit.testing import FakeClient

TWICE = RetryPolicy(attempts=2)


@pytest.fixture
def push():
    with FakeClient() as client:
        yield client


def subscribe(push: FakeClient, targets, **more):
    return push.topics().subscribe("news", to=targets, old_service=True, **more).outcomes


def test_what_can_be_repeated_is_repeated_together(push: FakeClient) -> None:
    """Two of three in a second request, after the row's ten seconds; the third is not asked again."""
    targets = [push.registration() for _ in range(3)]
    for target in targets[:2]:
        push.behaviour.topics.to(target).next().answer("INTERNAL")

    outcomes = subscribe(push, targets)

    assert [Accepted] * 3 == [type(outcome) for outcome in outcomes]
    assert [["INTERNAL", None], ["INTERNAL", None], [None]] == [[attempt.reason for attempt in outcome.attempts] for outcome in outcomes]
    assert [0.0, 10.0] == [attempt.waited for attempt in outcomes[0].attempts]


@pytest.mark.parametrize(
    ("policy", "attempts"),
    [
        (RetryPolicy.none(), 1),
        (RetryPolicy(attempts=3, max_sleep=12), 2),
        (RetryPolicy(attempts=3, deadline=5), 1),
        (RetryPolicy(attempts=3, max_sleep=60, deadline=100), 3),
    ],
)
def test_the_policy_of_the_call_is_kept(push: FakeClient, policy: RetryPolicy, attempts: int) -> None:
    """Attempts, sleep and deadline; what is left comes back for the caller's queue."""
    target = push.registration()
    push.behaviour.topics.to(target).answer("INTERNAL")

    outcome = subscribe(push, target, retry=policy)[0]

    assert (attempts, True, Action.RETRY_LATER) == (len(outcome.attempts), outcome.retryable, outcome.action)
    assert outcome.retry_at is not None
    assert outcome.resume is not None


def test_after_a_doubt_a_change_is_repeated_once(push: FakeClient) -> None:
    """As for pushes, although a second change changes nothing."""
    push.behaviour.topics.answer("http_502")

    outcome = subscribe(push, push.registration(), retry=RetryPolicy(attempts=5, max_sleep=60, deadline=100))[0]

    assert (2, Disposition.UNKNOWN) == (len(outcome.attempts), outcome.disposition)


def test_what_is_wrong_here_is_no_attempt(push: FakeClient) -> None:
    """A damaged registration beside a good one, which is asked about alone."""
    from pushkit import fcm

    good, damaged = subscribe(push, [push.registration(), fcm.Registration("")])

    assert (1, 0) == (len(good.attempts), len(damaged.attempts))
    assert "invalid_token" == damaged.reason


def test_a_throttled_request_holds_up_the_next(push: FakeClient) -> None:
    """Google's minute is for the whole project's topic changes, over either service."""
    push.behaviour.topics.next().answer("RESOURCE_EXHAUSTED")
    first = subscribe(push, push.registration(), retry=TWICE)[0]
    second = subscribe(push, push.registration(), retry=TWICE)[0]

    assert ("RESOURCE_EXHAUSTED", "throttled") == (first.reason, second.reason)
    assert (1, 0) == (len(first.attempts), len(second.attempts))


@pytest.mark.parametrize("attempts", [2, 3])
@pytest.mark.parametrize("old_service", [False, True])
def test_a_renewed_token_that_is_refused_as_well_is_for_somebody_to_look_at(push: FakeClient, *, old_service: bool, attempts: int) -> None:
    """Waiting helps no more: retrying later would be wrong advice, whichever attempt it was."""
    push.behaviour.topics.answer("UNAUTHENTICATED")

    policy = RetryPolicy(attempts=attempts)
    outcome = push.topics().subscribe("news", to=push.registration(), old_service=old_service, retry=policy).outcomes[0]

    assert (Action.FIX_CREDENTIALS, False, None) == (outcome.action, outcome.retryable, outcome.retry_at)
    assert "check the service account" in outcome.advice


def test_a_list_that_may_be_asked_for_again_says_when(push: FakeClient) -> None:
    """And one whose renewed token is refused says that somebody has to look at it."""
    target = push.registration()
    push.behaviour.topics.next().answer("UNAVAILABLE")
    failed = push.topics().list(target).outcome
    push.behaviour.topics.answer("UNAUTHENTICATED")
    refused = push.topics().list(target).outcome

    assert (Action.RETRY_LATER, True) == (failed.action, failed.retryable)
    assert failed.retry_at is not None
    assert (Action.FIX_CREDENTIALS, False, None) == (refused.action, refused.retryable, refused.retry_at)
