"""Code that is not ours, where it raises: a fourth provider's, a caller's transport, a policy's functions."""

from __future__ import annotations

import asyncio
import itertools
import math

import pytest
from tests.unit.delivery.support import STEADY, Phone, Scripted, Toy, ToySender, Words, after, client, refused, run

from pushkit import ConfigurationError, Disposition, RetryPolicy

PUSH = Words(text="hi")


def test_a_throttle_key_that_raises_stops_its_push_alone():
    """A provider that cannot name what a pause covers fails that push, with no request made, and the others go on."""

    class Sender(ToySender):
        def throttle_key(self, target):
            if target.number == "bad":
                raise ValueError("no")
            return target.address

    async def work():
        transport = Scripted(lambda request, _count: 429 if request.path == b"/1" else 200)
        push = client(transport, Toy(Sender))
        await push.send(PUSH, to=Phone("1"))
        return await asyncio.wait_for(push.send_many(PUSH, to=[Phone("bad"), Phone("2")]), 1)

    bad, good = run(work()).outcomes

    assert ("provider_error", Disposition.NOT_SENT) == (bad.reason, bad.disposition)
    assert good.accepted


def test_a_transport_that_raises_costs_its_push_an_outcome_and_no_slot():
    """A caller's transport that raises instead of taking a request leaves no place taken."""

    async def work():
        transport = Scripted(200)

        def submit(_request, _done):
            raise RuntimeError("no")

        transport.submit = submit
        push = client(transport)
        report = await asyncio.wait_for(push.send_many(PUSH, to=[Phone("1"), Phone("2")]), 1)
        return report, push.health().in_flight

    report, in_flight = run(work())

    assert [("provider_error", Disposition.NOT_SENT)] * 2 == [(o.reason, o.disposition) for o in report.outcomes]
    assert 0 == in_flight


@pytest.mark.parametrize(
    "functions",
    [
        {"backoff": lambda: 5},
        {"backoff": lambda: 1 / 0},
        {"jitter": lambda _seconds: "soon"},
        {"jitter": lambda: 1.0},
    ],
)
def test_functions_of_a_policy_are_tried_out(functions):
    """A back-off or jitter that cannot work is refused when the policy is made, not when the first push fails."""
    with pytest.raises(ConfigurationError, match="backoff"):
        RetryPolicy(**functions)


def fails_later(*_):
    """A jitter that works once."""
    if next(calls):
        raise ValueError("no")
    return 1.0


calls = itertools.count()


@pytest.mark.parametrize("functions", [{"backoff": lambda: iter([None, "abc"]), "jitter": None}, {"jitter": fails_later}])
def test_functions_of_a_policy_that_fail_later_cost_no_push(functions, caplog):
    """A push whose back-off raises waits as by default, and its failure is the provider's, not ours."""

    async def work():
        transport = Scripted(lambda _request, count: 200 if count == 2 else refused())
        push = client(transport, retry=RetryPolicy(**functions))
        return await after(transport.clock, push.send(PUSH, to=Phone("1")))

    assert run(work()).accepted
    assert "waits as by default" in caplog.text


def test_an_attempt_has_to_end():
    """An endless attempt_timeout is refused: no transport could keep a deadline that never comes."""
    with pytest.raises(ConfigurationError, match="attempt_timeout"):
        RetryPolicy(attempt_timeout=math.inf)


@pytest.mark.parametrize(
    "extreme", [{"deadline": math.inf, "max_sleep": math.inf}, {"attempts": 10**9}, {"deadline": 1e300, "max_sleep": 1e300}]
)
def test_extreme_policies_end(extreme):
    """Endless patience is bounded by the budget and by the message's life."""

    async def work():
        transport = Scripted(503)
        push = client(transport, retry=RetryPolicy(jitter=None, **extreme))
        outcome = await after(transport.clock, push.send(Words(ttl=600), to=Phone("1")), limit=900, step=5)
        return outcome, transport

    outcome, transport = run(work())

    assert not outcome.accepted
    assert transport.times()[-1] <= 600
    assert STEADY.explain(outcome)
