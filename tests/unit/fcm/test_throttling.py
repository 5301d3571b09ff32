"""What a 429 slows down, through a whole client on a fake clock."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.fcm.helpers import account

from pushkit import Accepted, AsyncClient, Notification, RetryPolicy, fcm
from pushkit.testing import Behaviour, FakeClock, FakeTransport

DEVICES = (fcm.Registration("a" * 50), fcm.Registration("b" * 50))
TOPICS = (fcm.Topic("news"), fcm.Topic("sport"))
DEVICE, TOPIC = ("QUOTA_EXCEEDED", {"quota": "device"}), ("QUOTA_EXCEEDED", {"quota": "topic"})
PROJECT = ("RATE_LIMIT_EXCEEDED", {})


async def sent(push, clock, target):
    """One push; where it waits for its turn, time passes."""
    task = asyncio.ensure_future(push.send(Notification(title="x"), to=target))
    for _ in range(60):
        for _ in range(50):
            await asyncio.sleep(0)
        if task.done():
            return task.result()
        await clock.advance_async(1)
    raise AssertionError("the push has no outcome after a minute")


@pytest.mark.parametrize(
    ("limit", "targets", "others_go_on"),
    [(DEVICE, DEVICES, True), (TOPIC, TOPICS, True), (PROJECT, DEVICES, False)],
    ids=["device", "topic", "project"],
)
@pytest.mark.parametrize("wait", [60, 90])
def test_a_limit_holds_up_what_it_names(limit, targets, others_go_on, wait):
    """A minute, or what Google asks for if that is longer; nothing is sent to it meanwhile, and afterwards it goes on."""
    word, details = limit

    async def run():
        behaviour, clock = Behaviour(), FakeClock()
        transport = FakeTransport(behaviour, clock=clock)
        busy, other = targets
        behaviour.to(busy).next().answer(word, **details, **({} if wait == 60 else {"retry_after": wait}))
        async with AsyncClient(fcm=fcm.Config(credentials=account()), transport=transport, retry=RetryPolicy.none()) as push:
            refused = await sent(push, clock, busy)
            held = await sent(push, clock, busy)
            beside = await sent(push, clock, other)
            await clock.advance_async(wait - 1)
            still_held = await sent(push, clock, busy)
            await clock.advance_async(2)
            released = await sent(push, clock, busy)
        return refused, held, beside, still_held, released

    refused, held, beside, still_held, released = asyncio.run(run())

    assert (word, wait) == (refused.reason, round(refused.retry_at.timestamp() - refused.attempts[0].started.timestamp()))
    assert [("throttled", ())] * 2 == [(outcome.reason, outcome.attempts) for outcome in (held, still_held)]
    assert others_go_on == isinstance(beside, Accepted)
    assert isinstance(released, Accepted)
