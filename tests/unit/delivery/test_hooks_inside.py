"""Hooks that act on the stream that they hear: leaving it in the middle of any step of a push."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tests.unit.delivery.support import Phone, Scripted, Words, after, client, phones, run, settled

from pushkit import Disposition, RetryPolicy, events

PUSH = Words(text="hi")


def left_by(kind, script, *, targets=5, max_in_flight=1, **options):
    """A stream that a hook leaves at the first event of a kind: what hooks heard, and the transport."""

    async def work():
        transport, heard = Scripted(script), []

        def hook(event):
            heard.append(event)
            if isinstance(event, kind):
                stream.cancel()

        async with client(transport, hooks=[hook], max_in_flight=max_in_flight, **options) as push:
            stream = push.stream(PUSH, to=phones(targets))
            async with stream:
                await settled()
            in_flight = push.health().in_flight
            await transport.clock.advance_async(60)
        return [event.outcome for event in heard if isinstance(event, events.Finished)], in_flight, transport

    return run(work())


def test_an_attempt_that_a_hook_forbids_is_not_made():
    """A stream that is left when an attempt is announced does not make it, and the outcome says so truly."""
    outcomes, in_flight, transport = left_by(events.AttemptStarted, (1.0, 200))

    assert [("cancelled", Disposition.NOT_SENT)] * len(outcomes) == [(outcome.reason, outcome.disposition) for outcome in outcomes]
    assert (0, transport.cancelled) == (in_flight, len(transport.requests))


def test_an_accepted_push_stays_accepted():
    """A stream that is left when an attempt is told keeps that attempt's outcome: a push that was accepted is never called cancelled."""
    outcomes, _, _ = left_by(events.AttemptFinished, 200)

    assert outcomes[0].accepted


@pytest.mark.parametrize(("status", "reason"), [(403, "bad_key"), (502, "maybe"), (410, "gone")])
def test_a_failure_keeps_its_own_word(status, reason):
    """What the provider said of a push stands, whatever a hook does at that moment."""
    outcomes, _, _ = left_by(events.AttemptFinished, status)

    assert (reason, 1) == (outcomes[0].reason, len(outcomes[0].attempts))


def test_leaving_on_a_credential_problem_keeps_the_failure():
    """The push whose answer latched the credential says why, not that it was cancelled."""
    outcomes, _, _ = left_by(events.CredentialProblem, 403)

    assert "bad_key" == outcomes[0].reason


def test_a_repeat_that_a_hook_forbids_is_not_made():
    """A stream that is left when a repeat is announced does not make it later."""
    outcomes, _, transport = left_by(events.RetryScheduled, 503, targets=1)

    assert (1, 1, "busy") == (len(outcomes), len(transport.requests), outcomes[0].reason)


def test_a_message_callable_may_leave_its_stream():
    """A callable that leaves the stream leaves nothing under way."""

    async def work():
        transport, heard = Scripted((5.0, 200)), []

        def message(target):
            if target.number == "n2":
                stream.cancel()
            return PUSH

        async with client(transport, hooks=[heard.append]) as push:
            stream = push.stream(message, to=phones(5))
            async with stream:
                await settled()
            return push.health().in_flight, [event.outcome.target.number for event in heard if isinstance(event, events.Finished)]

    in_flight, finished = run(work())

    assert (0, {"n0": 1, "n1": 1, "n2": 1}) == (in_flight, Counter(finished))


def test_pushes_that_end_together_may_end_each_other():
    """A hook that hears of one late push and cancels the others does not stop the watch over the rest."""

    async def work():
        transport, tasks = Scripted(None), []

        def hook(event):
            if isinstance(event, events.Finished) and event.outcome.reason == "timeout":
                engine.cancel(waiting[1])

        async with client(transport, hooks=[hook], max_in_flight=1) as push:
            patient = RetryPolicy(attempt_timeout=50, deadline=50)
            tasks += [asyncio.ensure_future(push.send(PUSH, to=Phone("first"), retry=patient))]
            tasks += [asyncio.ensure_future(push.send(PUSH, to=phone)) for phone in phones(3)]
            await settled()
            engine = push._states.live.engine
            waiting = [queued for lane in engine.dispatch.queued() for queued in lane.waiting]
            await transport.clock.advance_async(31)
            done = [task.done() for task in tasks]
            await transport.clock.advance_async(30)
            return done

    assert [False, True, True, True] == run(work())


def test_a_hook_that_raises_no_exception_breaks_nothing():
    """What is no ``Exception`` (a test's failure, a cancellation) does not break the connection that brought the answer either."""

    def hook(_event):
        pytest.fail("no")

    async def work():
        async with client(Scripted(200), hooks=[hook]) as push:
            return await after(push._states.get().clock, push.send(PUSH, to=Phone("1")))

    assert run(work()).accepted
