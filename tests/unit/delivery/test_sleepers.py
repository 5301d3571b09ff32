"""The parking place."""

from __future__ import annotations

import asyncio

from tests.unit.delivery.support import Phone, Scripted, Words, after, client, phones, run, settled

from pushkit.delivery.sleepers import PARKING


def test_sleepers_hold_no_slot():
    """Pushes that wait between two attempts leave their slots to others."""

    async def work():
        transport = Scripted(lambda request, count: 200 if count or request.path == b"/x" else 503)
        async with client(transport, max_in_flight=2) as push:
            waiting = asyncio.ensure_future(push.send_many(Words(), to=phones(10)))
            await settled()
            start = transport.clock.time()
            outcome = await push.send(Words(), to=Phone("x"))
            passed = transport.clock.time() - start
            report = await after(transport.clock, waiting)
            return outcome, passed, report

    outcome, passed, report = run(work())

    assert outcome.accepted
    assert 0.0 == passed
    assert 10 == report.accepted


def test_a_full_parking_place_sends_pushes_back():
    """When too many wait already, a push that would sleep comes back with retry_at instead."""

    async def work():
        async with client(Scripted(503), max_in_flight=1) as push:
            waiting = asyncio.ensure_future(push.send_many(Words(), to=phones(PARKING)))
            await settled(200)
            outcome = await push.send(Words(), to=Phone("late"))
            waiting.cancel()
            await asyncio.wait([waiting])
            return outcome

    outcome = run(work())

    assert ("busy", True, "parking") == (outcome.reason, outcome.retryable, outcome.info["stopped"])


def test_a_push_that_came_back_for_want_of_a_place_paid_nothing():
    """The budget is not charged for a repeat that does not happen."""

    async def work():
        async with client(Scripted(503), max_in_flight=1) as push:
            waiting = asyncio.ensure_future(push.send_many(Words(), to=phones(PARKING)))
            await settled(200)
            before = push.health().senders[0].budget
            await push.send(Words(), to=Phone("late"))
            paid = before - push.health().senders[0].budget
            waiting.cancel()
            await asyncio.wait([waiting])
            return paid

    assert 0.0 == run(work())
