"""What a user's type checker sees of ``Report.collect``. Never executed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from pushkit import Outcome, Report


async def asynchronous(outcomes: AsyncIterator[Outcome]) -> None:
    assert_type(await Report.collect(outcomes), Report)


def synchronous(outcomes: Iterator[Outcome]) -> None:
    assert_type(Report.collect(outcomes), Report)
