"""One push, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pushkit.delivery.engine import Engine
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.push import Call, Push
from pushkit.messages import Message
from pushkit.outcomes import Outcome
from pushkit.targets import Target


async def send_one(
    engine: Engine, message: Message | Callable[[Any], Message], to: Target, policy: RetryPolicy, *, dry_run: bool = False
) -> Outcome:
    """Have one push sent; cancelling this cancels the push."""
    sink = _One(engine.loop)
    call = Call(message, policy, sink, single=True, dry_run=dry_run)
    push = engine.take(call, to, engine.lane_of(to, call.quota))
    if sink.outcome is not None:
        return sink.checked(call)
    try:
        await sink.wait()
        return sink.checked(call)
    except (asyncio.CancelledError, GeneratorExit):
        sink.abandoned = True
        engine.cancel(push)
        raise


class _One:
    """Where a single send's outcome goes."""

    __slots__ = ("_loop", "_waiter", "abandoned", "outcome")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.outcome: Outcome | None = None
        self.abandoned = False
        self._loop = loop
        self._waiter: asyncio.Future[Outcome] | None = None

    def deliver(self, push: Push, outcome: Outcome) -> bool:  # noqa: ARG002 - there is one push
        """The outcome."""
        self.outcome = outcome
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(outcome)
        return not self.abandoned

    def checked(self, call: Call) -> Outcome:
        """The outcome, unless a test's transport objected to the push."""
        if call.objection is not None:
            raise call.objection
        assert self.outcome is not None
        return self.outcome

    async def wait(self) -> Outcome:
        """Until it is there."""
        self._waiter = self._loop.create_future()
        return await self._waiter
