"""Any number of targets in constant memory and in time that grows with their number alone."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from pathlib import Path

import pytest
from tests.unit.delivery.support import Phone, Toy, ToySender, Words

from pushkit import AsyncClient, Client
from pushkit.wire import WireResponse

MEGABYTE = 1024 * 1024


class _Nothing:
    """A list that keeps nothing."""

    def append(self, item):
        """Forget it."""


class Quiet(ToySender):
    """A sender that does not remember what it addressed."""

    def __init__(self, app):
        super().__init__(app)
        self.addressed = _Nothing()


class Instant:
    """A transport that takes everything, in one batch a turn of the loop."""

    def __init__(self):
        self._batch = []

    def submit(self, request, done):
        if not self._batch:
            asyncio.get_running_loop().call_soon(self._answer)
        self._batch.append(done)
        return self

    def _answer(self):
        batch, self._batch = self._batch, []
        for done in batch:
            done(WireResponse(200, (), b"", 1))

    def cancel(self):
        """Everything is answered in the next turn."""

    def retire(self, connection_id, *, rejected=False):
        """Nothing to retire."""

    def forget(self, pool_key):
        """Nothing to close."""

    def health(self):
        return ()

    async def aclose(self):
        """Nothing to close."""


def memory() -> int:
    """Resident memory in octets."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def targets(count):
    """So many targets, one after the other."""
    return (Phone(f"number-{number:09d}", ref=number) for number in range(count))


async def streamed(count: int) -> tuple[float, float, int]:
    """Seconds a target in the first and in the last tenth, and the growth of the memory."""
    async with AsyncClient(providers=[Toy(Quiet)], transport=Instant()) as push:
        async with push.stream(Words(), to=targets(5_000)) as outcomes:
            async for _ in outcomes:
                pass
        before = memory()
        marks = [time.process_time()]
        tenth, read = count // 10, 0
        async with push.stream(Words(), to=targets(count)) as outcomes:
            async for outcome in outcomes:
                assert outcome.accepted
                read += 1
                if read % tenth == 0:
                    marks.append(time.process_time())
            grown = memory() - before
        assert count == read
    return (marks[1] - marks[0]) / tenth, (marks[-1] - marks[-2]) / tenth, grown


def growth(count: int) -> tuple[float, float, int]:
    """The figures of one stream, on a loop of its own."""
    return asyncio.run(streamed(count))


def test_a_stream_stays_small_and_even():
    """A hundred thousand targets cost the last as much as the first, in memory that hardly grows."""
    first, last, grown = growth(100_000)

    assert grown < 16 * MEGABYTE
    assert last < 2.5 * first


def test_the_synchronous_stream_stays_small_too():
    """Fifty thousand targets through the synchronous client leave the memory as it was."""
    with Client(providers=[Toy(Quiet)], transport=Instant()) as push:
        for _ in push.stream(Words(), to=targets(5_000)):
            pass
        before = memory()
        assert 50_000 == sum(outcome.accepted for outcome in push.stream(Words(), to=targets(50_000)))
        grown = memory() - before

    assert grown < 16 * MEGABYTE


@pytest.mark.full
def test_a_million_targets():
    """A million targets: less than 32 MB of growth, the end as fast as the start, time in proportion to ten thousand."""
    small = min(sum(growth(10_000)[:2]) / 2 for _ in range(3))
    first, last, grown = growth(1_000_000)

    assert grown < 32 * MEGABYTE
    assert last < 1.5 * first
    assert (first + last) / 2 < 2 * small
