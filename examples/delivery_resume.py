"""Failures that may be tried again travel through a queue as JSON and are resumed when their time has come."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta

from pushkit import AsyncClient, Notification, RetryPolicy, TechnicalFailure
from pushkit.testing import Behaviour, FakeClock, FakeTransport, PushServer

# -- begin
queue: list[tuple[datetime, str]] = []


async def send(push, notification, targets):
    async with push.stream(notification, to=targets) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, TechnicalFailure) and outcome.retryable:
                heapq.heappush(queue, (outcome.retry_at, outcome.to_json(secrets=True)))


async def work_off(push, now):
    due = []
    while queue and queue[0][0] <= now:
        due.append(TechnicalFailure.from_json(heapq.heappop(queue)[1]))
    async with push.resume(due) as outcomes:
        return [outcome async for outcome in outcomes]


# -- end


async def main() -> None:
    behaviour, clock = Behaviour(), FakeClock()
    server = PushServer()
    devices = [server.device(ref=number) for number in range(5)]
    behaviour.to(devices[3]).next().answer("TooManyRequests")
    async with AsyncClient(apns=server.apns_config(), transport=FakeTransport(behaviour, clock=clock)) as push:
        await send(push, Notification(title="Sale", ttl=timedelta(hours=1)), devices)
        print(f"in the queue: {len(queue)}, due in {(queue[0][0] - clock.now()).total_seconds():.0f} s")
        assert len(queue) == 1
        await clock.advance_async(61)
        resumed = await work_off(push, clock.now())
    for outcome in resumed:
        print(RetryPolicy().explain(outcome))
    assert [outcome.target.ref for outcome in resumed] == [3]
    assert resumed[0].accepted


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
