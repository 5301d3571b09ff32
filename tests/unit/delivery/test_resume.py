"""What is sent again keeps what was known of it, whatever refuses it now."""

from __future__ import annotations

import asyncio
import json
import math

import pytest
from tests.unit.delivery.support import Phone, Scripted, Toy, Words, after, client, run

from pushkit import Disposition, RetryPolicy
from pushkit.outcomes import from_json

REPLACES = Words(text="hi", replaces=True)


async def doubtful(policy=None, message=REPLACES):
    """A retryable failure whose first attempt may have been taken."""
    transport = Scripted(lambda _request, count: 506 if count else 502)
    outcome = await after(transport.clock, client(transport).send(message, to=Phone("1"), retry=policy))
    assert (Disposition.UNKNOWN, True) == (outcome.disposition, outcome.retryable)
    return outcome


async def again(failure, other, policy=None):
    """The outcome of resuming it elsewhere."""
    async with other.resume(failure, retry=policy) as outcomes:
        (outcome,) = [outcome async for outcome in outcomes]
    return outcome


def test_doubt_stays_where_the_app_is_unknown():
    """A client that knows no such app does not turn "perhaps taken" into "never sent", and drops no attempt."""

    async def work():
        failure = await doubtful()
        return failure, await again(failure, client(Scripted(200), Toy(lambda _app: None)))

    failure, outcome = run(work())

    assert ("app_not_configured", Disposition.UNKNOWN) == (outcome.reason, outcome.disposition)
    assert (failure.attempts, failure.expires_at) == (outcome.attempts, outcome.expires_at)


@pytest.mark.parametrize(("first", "then"), [("replaceable", "never"), ("always", "never"), ("always", "replaceable")])
def test_the_policy_of_the_resuming_call_forbids_a_second_copy(first, then):
    """What may have been taken is not sent again under a policy that forbids it: the failure comes back as it was, not retryable."""

    async def work():
        failure = await doubtful(RetryPolicy(jitter=None, on_unknown=first), Words(replaces=first == "replaceable"))
        transport = Scripted(200)
        policy = RetryPolicy(on_unknown=then)
        outcome = await again(failure, client(transport), policy)
        return failure, outcome, transport, policy

    failure, outcome, transport, policy = run(work())

    assert [] == transport.requests
    assert (failure.reason, Disposition.UNKNOWN, False) == (outcome.reason, outcome.disposition, outcome.retryable)
    assert "unknown" == outcome.info["stopped"]
    assert "second copy" in policy.explain(outcome)


def test_a_push_that_was_never_sent_is_resumed_under_any_policy():
    """on_unknown="never" has nothing against what provably never arrived."""

    async def work():
        transport = Scripted(506)
        failure = await client(transport).send(Words(), to=Phone("1"))
        return await again(failure, client(Scripted(200)), RetryPolicy(on_unknown="never"))

    assert run(work()).accepted


FIELDS = ("message", "key", "push_id", "expires_at", "dedupe", "unknown_retried", "dry_run")


@pytest.mark.parametrize("value", [None, True, -1, math.nan, math.inf, "x\r\ny", "", [1], {}, 10**400])
@pytest.mark.parametrize("field", FIELDS)
def test_edited_json_is_refused_or_sent_but_never_hangs(field, value):
    """Whatever a queue gives back in place of a field, reading refuses it or resuming ends with an outcome."""

    async def work():
        failure = await client(Scripted(506)).send(Words(), to=Phone("1"))
        data = json.loads(failure.to_json(secrets=True))
        data["secrets"]["resume"][field] = value
        try:
            edited = from_json(json.dumps(data))
        except ValueError:
            return True
        if edited.resume is None:
            return True
        return await asyncio.wait_for(again(edited, client(Scripted(200))), 1)

    assert run(work())


@pytest.mark.parametrize(("field", "value"), [("elapsed", 10**400), ("waited", math.nan), ("started", "2026-11-22T12:00:00")])
def test_edited_attempts_are_refused(field, value):
    """An attempt with an impossible duration, or a time without a zone, is no outcome."""

    async def work():
        return await client(Scripted(506)).send(Words(), to=Phone("1"))

    data = json.loads(run(work()).to_json(secrets=True))
    data["attempts"][0][field] = value

    with pytest.raises(ValueError, match="no whole outcome"):
        from_json(json.dumps(data))
