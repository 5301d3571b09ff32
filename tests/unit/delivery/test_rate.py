"""A configured rate holds for every policy, and a pause is a refusal only where it is longer than a push may wait."""

from __future__ import annotations

import pytest
from tests.unit.delivery.support import Scripted, Toy, ToySender, Words, after, client, phones, run

from pushkit import RetryPolicy

PUSH = Words(text="hi")


@pytest.mark.parametrize("policy", [RetryPolicy.none(), RetryPolicy(max_sleep=0), RetryPolicy()])
def test_a_rate_is_kept_whatever_the_policy_sleeps(policy):
    """Waiting for the rate is no sleep of a push: it has not been taken yet."""

    async def work():
        transport = Scripted(200)
        push = client(transport, Toy(lambda app: ToySender(app, rate=10.0)))
        report = await after(transport.clock, push.send_many(PUSH, to=phones(50), retry=policy))
        return report.accepted, transport.times()[-1]

    accepted, last = run(work())

    assert 50 == accepted
    assert 4.9 == pytest.approx(last, abs=0.5)
