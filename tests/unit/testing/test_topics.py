"""The rows of the topic services: scripted once, played in the fake client and on the real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.testing.rows import table

from pushkit import AsyncClient, RetryPolicy
from pushkit.testing import AsyncFakeClient, PushServer

ONCE = RetryPolicy(attempts=1)
ROWS = [row for row in table("fcm") if (row["error_code"] or "").startswith("IID result ")]
CASES = [(row, word) for row in ROWS for word in row["error_code"].removeprefix("IID result ").split("|")]


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer() as running:
        yield running


def seen(failure: Any) -> dict[str, Any]:
    return {
        "reason": failure.reason,
        "category": failure.category,
        "disposition": failure.disposition.name,
        "retryable": failure.retryable,
        "do": failure.action.name,
        "technical_scope": None if failure.scope is None else failure.scope.name,
    }


async def subscribe(push: AsyncClient, target: Any) -> Any:
    report = await push.topics().subscribe("news", to=[target], old_service=True, retry=ONCE)
    return seen(report.failures[0])


@pytest.mark.parametrize(("row", "word"), CASES, ids=[word for _, word in CASES])
def test_a_row_of_the_old_service_is_the_same_in_both_places(server: PushServer, row: dict[str, Any], word: str) -> None:
    """What Google says of one token in a batch."""

    async def in_memory() -> Any:
        async with AsyncFakeClient() as push:
            target = push.registration()
            push.behaviour.topics.to(target).answer(word)
            return await subscribe(push, target)

    async def on_the_wire() -> Any:
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context()) as push:
            target = server.registration()
            server.behaviour.topics.to(target).answer(word)
            return await subscribe(push, target)

    wanted = {name: row[name] for name in ("category", "disposition", "retryable", "do", "technical_scope")} | {"reason": word}

    assert [wanted, wanted] == [asyncio.run(in_memory()), asyncio.run(on_the_wire())]


def test_all_rows_are_there() -> None:
    """Six rows, eight words."""
    assert (6, 8) == (len(ROWS), len(CASES))


def test_topics_and_channels_work_in_memory() -> None:
    """The managers of the real client on the services without a wire."""

    async def main() -> None:
        async with AsyncFakeClient() as push:
            target = push.registration()
            assert 1 == (await push.topics().subscribe("news", to=target)).accepted
            assert ["news"] == [s.topic for s in (await push.topics().list(target)).unwrap().topics]
            made = (await push.channels().create()).unwrap()
            listed = (await push.channels().list()).unwrap()
            assert made is not None
            assert listed is not None
            assert 1 == len(push.world.channels)

    asyncio.run(main())
