"""Explaining an outcome in words."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.delivery.support import STEADY, Phone, Scripted, Words, after, client, lost, phones, refused, response, run, settled

from pushkit import Action, Disposition, RetryPolicy, Scope, TechnicalFailure

PUSH = Words(text="hi")


def explained(script, *, message=None, policy=STEADY):
    """The explanation of one push."""

    async def work():
        transport = Scripted(script)
        async with client(transport) as push:
            return await after(transport.clock, push.send(message or Words(), to=Phone("1"), retry=policy))

    return policy.explain(run(work()))


def test_an_accepted_push_tells_its_attempts_and_waits():
    """Each attempt is a line, with how long it waited and for which rule."""
    text = explained(lambda _r, count: 200 if count == 2 else response(503, retry_after="3") if count else refused())

    assert "Attempt 1 at" in text
    assert "connect_failed" in text
    assert "after waiting 1 s (the least delay that this reason asks for)" in text
    assert "after waiting 3 s (what the provider asked for): accepted" in text


def test_a_long_wait_is_explained_with_its_time():
    """A deferred failure says that the wait was too long, and when it may be sent again."""
    text = explained(506)

    assert "longer than the policy sleeps in all (15 s)" in text
    assert "may be sent again from 2026-11-22 12:01:00 UTC" in text


def test_doubt_is_explained():
    """A push that may have been taken says why it was not repeated."""
    assert "a second copy would show twice" in explained(lost())
    assert "forbids a second copy" in explained(lost(), policy=RetryPolicy(on_unknown="never"))
    assert "repeated once already" in explained(lost(), policy=RetryPolicy(on_unknown="always", jitter=None))


def test_the_policys_own_limits_are_explained():
    """Attempts, deadline and expiry are named."""
    assert "the policy allows 1 attempt" in explained(503, policy=RetryPolicy.none())
    assert "deadline (2 s)" in explained(response(503, retry_after="5"), policy=RetryPolicy(deadline=2))
    assert "too old by then" in explained(response(503, retry_after="5"), message=Words(ttl=3))


def test_a_failure_that_would_repeat_says_so():
    """A payload failure is not tried again because it would fail again, and says what to mend."""
    text = explained(400)

    assert "would fail again (bad)" in text
    assert "Mend it." in text


def test_what_was_never_sent_says_so():
    """A push that was refused before the wire has no attempt."""
    assert "Nothing was sent." in explained(200, message=Words(ttl=-1))


def test_what_a_later_update_made_worthless_says_so():
    """It would not fail again: there is no use in it."""
    outcome = TechnicalFailure(
        target=Phone("1"),
        provider="toy",
        reason="superseded",
        disposition=Disposition.NOT_SENT,
        action=Action.FIX_CONFIGURATION,
        scope=Scope.ATTEMPT,
        advice="Nothing to do.",
    )

    assert "Not tried: a later update for the same recipient was sent meanwhile." in RetryPolicy().explain(outcome)


def refused_after(status, policy=STEADY, **more):
    """The outcome of a push that meets what thirty failures of a kind left behind, explained."""

    async def work():
        transport = Scripted(lambda request, _count: 200 if request.path == b"/good" else status)
        push = client(transport, retry=RetryPolicy.none())
        await after(transport.clock, push.send_many(PUSH, to=phones(30)))
        return await after(transport.clock, push.send(PUSH, to=Phone("n1", **more), retry=policy))

    outcome = run(work())
    return outcome.reason, outcome.info["stopped"], policy.explain(outcome)


def test_an_open_breaker_is_called_by_its_name():
    """A refusal by the breaker is no matter of how long the policy sleeps."""
    reason, stopped, text = refused_after(503)

    assert ("circuit_open", "circuit") == (reason, stopped)
    assert "left alone for a moment" in text


def test_a_latched_credential_is_called_by_its_name():
    """Neither is a credential that is out of use."""
    reason, stopped, text = refused_after(403)

    assert ("credential_latched", "credential") == (reason, stopped)
    assert "the credential was refused" in text


@pytest.mark.parametrize(
    ("policy", "stopped"),
    [
        (RetryPolicy(attempts=1), "attempts"),
        (RetryPolicy(max_sleep=2), "max_sleep"),
        (RetryPolicy(deadline=2), "deadline"),
    ],
)
def test_a_pause_that_is_not_waited_for_says_what_forbids_it(policy, stopped):
    """A provider's pause of five seconds comes back for the reason that is true: attempts, sleep or deadline."""
    assert ("throttled", stopped) == refused_after(430, policy)[:2]


def test_a_push_that_expired_between_attempts_was_tried():
    """ "Not tried" is said only of what was never tried."""

    async def work():
        transport = Scripted(503)
        push = client(transport, retry=RetryPolicy(jitter=None, backoff=lambda: iter([None, 4.0])))
        sending = asyncio.ensure_future(push.send(Words(ttl=5), to=Phone("1")))
        await settled()
        transport.clock.jump(3)
        await transport.clock.advance_async(4.5)
        return sending.result()

    outcome = run(work())

    assert ("expired", 1) == (outcome.reason, len(outcome.attempts))
    assert "Not tried again: " in STEADY.explain(outcome)
