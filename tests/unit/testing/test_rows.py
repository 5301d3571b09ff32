"""Every row of the error tables, scripted once and played in three places: fake client, fake transport, real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from tests.unit.testing.rows import HELLO, Scenario, apns_scenarios, fcm_scenarios, webpush_scenarios

from pushkit import AsyncClient, RetryPolicy
from pushkit.outcomes import Outcome
from pushkit.testing import AsyncFakeClient, FakeClock, FakeTransport, PushServer
from pushkit.testing.accounts import Accounts
from pushkit.testing.clock import settle
from pushkit.testing.provision import Provision
from pushkit.testing.services.world import World

SCENARIOS = [*apns_scenarios(), *fcm_scenarios(), *webpush_scenarios()]
# "always": what the table says about retrying is then the only thing that decides.
ONCE = RetryPolicy(attempts=1, on_unknown="always")
IN_REAL_TIME = RetryPolicy(attempts=1, attempt_timeout=0.4, on_unknown="always")


async def in_the_fake_client(scenario: Scenario) -> tuple[Outcome, float]:
    async with AsyncFakeClient(retry=ONCE) as push:
        if scenario.after_a_success:
            (await push.send(HELLO, to=scenario.target(push))).unwrap()
        target = scenario.target(push)
        scenario.script(push.behaviour, target)
        outcome = await push.send(scenario.message, to=target)
        return outcome, push.clock.time()


async def over_the_fake_transport(scenario: Scenario) -> tuple[Outcome, float]:
    clock = FakeClock()
    world = World(accounts=Accounts(trust_any=True), clock=clock.time, open_endpoints=True)
    place = Provision(world)
    transport = FakeTransport(clock=clock, world=world)
    configs = {"apns": place.apns_config(), "fcm": place.fcm_config(), "webpush": place.webpush_config()}
    async with AsyncClient(**configs, retry=ONCE, transport=transport) as push:
        if scenario.after_a_success:
            (await push.send(HELLO, to=scenario.target(place))).unwrap()
        target = scenario.target(place)
        scenario.script(world.behaviour, target)
        sending = asyncio.create_task(push.send(scenario.message, to=target))
        for _ in range(50):
            await settle()
            if sending.done():
                break
            await clock.advance_to_next()
        return await sending, clock.time()


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    """One server for all rows; what they script is forgotten after each."""
    with PushServer() as running:
        yield running


async def on_the_real_server(scenario: Scenario, server: PushServer) -> tuple[Outcome, float]:
    server.reset()
    configs = {"apns": server.apns_config(), "fcm": server.fcm_config(), "webpush": server.webpush_config()}
    async with AsyncClient(**configs, retry=IN_REAL_TIME, ssl_context=server.ssl_context()) as push:
        if scenario.after_a_success:
            (await push.send(HELLO, to=scenario.target(server))).unwrap()
        target = scenario.target(server)
        await asyncio.to_thread(scenario.script, server.behaviour, target)
        outcome = await push.send(scenario.message, to=target)
        now = server.world.now()
    await asyncio.to_thread(server.reset)
    return outcome, now


def seen(outcome: Any) -> dict[str, Any]:
    """What the tables say about a failure."""
    return {
        "category": outcome.category,
        "disposition": outcome.disposition.name,
        "retryable": outcome.retryable,
        "do": outcome.action.name,
        "technical_scope": None if outcome.scope is None else outcome.scope.name,
    }


def wanted(scenario: Scenario) -> list[dict[str, Any]]:
    names = ("category", "disposition", "retryable", "do", "technical_scope")
    return [{name: row[name] for name in names} for row in (scenario.row, *scenario.alike)]


def delay(retry_at: datetime | None, now: float) -> float | None:
    return None if retry_at is None else retry_at.timestamp() - now


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_row_has_the_same_outcome_in_all_three_places(scenario: Scenario, server: PushServer) -> None:
    """What the table says is what a client makes of the scripted answer, wherever it is played."""
    places = {
        "fake client": asyncio.run(in_the_fake_client(scenario)),
        "fake transport": asyncio.run(over_the_fake_transport(scenario)),
        "server": asyncio.run(on_the_real_server(scenario, server)),
    }

    for place, (outcome, now) in places.items():
        assert seen(outcome) in wanted(scenario), place
        assert outcome.reason in scenario.reasons, place
        waits = delay(outcome.retry_at, now)
        if scenario.row["retryable"] and waits is not None:
            assert waits >= scenario.row["min_delay_s"] - 1.0, place


def test_every_row_that_a_service_can_give_is_played() -> None:
    """The scenarios leave out only what never reaches a push service and what the topic services answer."""
    assert 200 < len(SCENARIOS)
