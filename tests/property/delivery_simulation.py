"""
The engine against a modelled push service: deterministic, without a network, a clock or an event loop of its own.

``python -m tests.property.delivery_simulation`` prints the table of docs/retries.md.
"""

from __future__ import annotations

import heapq
import itertools
import random
import sys
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import attrs
from tests.unit.delivery.support import Phone, Toy, Words, lost, refused, response

from pushkit import RetryPolicy
from pushkit.delivery.budget import Budget
from pushkit.delivery.engine import Engine
from pushkit.delivery.push import Call, Push
from pushkit.outcomes import Accepted, Outcome
from pushkit.wire import WireRequest, WireResponse, WireResult

RATE = 100.0
"""Pushes a second."""
BEGINS, ENDS = 60.0, 240.0
"""Seconds between which the service is in trouble."""
LATENCY = 0.05
TTL = 25.0


class World:
    """Time, timers and the loop's queue."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], Any]]] = []
        self._soon: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._sequence = itertools.count()

    def time(self) -> float:
        return 1_800_000_000.0 + self.now

    def monotonic(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], Any]) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._heap, (when, next(self._sequence), timer.fire))
        return timer

    def call_soon(self, callback: Callable[..., Any], *arguments: Any) -> None:
        self._soon.append((callback, arguments))

    def run(self, until: float) -> None:
        """Let time pass."""
        while True:
            while self._soon:
                callback, arguments = self._soon.popleft()
                callback(*arguments)
            if not self._heap or self._heap[0][0] > until:
                break
            when, _, fire = heapq.heappop(self._heap)
            self.now = max(self.now, when)
            fire()
        self.now = until


class Timer:
    """A call that is due later."""

    def __init__(self, callback: Callable[[], Any]) -> None:
        self._callback: Callable[[], Any] | None = callback

    def fire(self) -> None:
        if self._callback is not None:
            self._callback()

    def cancel(self) -> None:
        self._callback = None


@attrs.frozen
class Answer:
    """What the service does with one request: the result, and whether it took the push."""

    result: WireResult
    took: bool
    delay: float = LATENCY


Service = Callable[[float, random.Random], Answer]

TAKEN = Answer(WireResponse(200, (), b"", 1), True)


def healthy(now: float, chance: random.Random) -> Answer:
    """Takes everything."""
    return TAKEN


def failing(now: float, chance: random.Random) -> Answer:
    """Three in ten attempts fail: some are refused, some never arrive, and some are taken although the answer is lost."""
    if not BEGINS <= now < ENDS or chance.random() >= 0.3:
        return TAKEN
    kind = chance.random()
    if kind < 0.5:
        return Answer(WireResponse(503, (), b"", 1), False)
    return Answer(refused(), False) if kind < 0.75 else Answer(lost(), chance.random() < 0.5)


def outage(now: float, chance: random.Random) -> Answer:
    """Refuses everything."""
    return Answer(WireResponse(503, (), b"", 1), False) if BEGINS <= now < ENDS else TAKEN


class Throttled:
    """Takes fifty a second and asks for five seconds of pause beyond that."""

    def __init__(self) -> None:
        self._second = -1
        self._count = 0

    def __call__(self, now: float, chance: random.Random) -> Answer:
        if not BEGINS <= now < ENDS:
            return TAKEN
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return TAKEN if self._count <= 50 else Answer(response(430, retry_after="5"), False)


def flapping(now: float, chance: random.Random) -> Answer:
    """Ten seconds up, ten seconds down."""
    return outage(now, chance) if int(now / 10) % 2 else TAKEN


SERVICES: dict[str, Callable[[], Service]] = {
    "healthy": lambda: healthy,
    "30 % failing": lambda: failing,
    "total outage": lambda: outage,
    "throttled": Throttled,
    "flapping": lambda: flapping,
}


@attrs.frozen(kw_only=True)
class Figures:
    """What came of it."""

    pushes: int
    outcomes: int
    accepted: int
    attempts: int
    amplification: float
    """Attempts a push, for pushes that began during the trouble."""
    peak: float
    """The highest number of attempts in one second, against the pushes that began in it on average."""
    share: float
    """Of the pushes that began during the trouble, how many were accepted."""
    recovery: float
    """Seconds after the trouble until nearly all pushes (99 %) are accepted again, for good."""
    duplicates: int
    """Pushes that the service took more than once."""
    late: int
    """Requests sent after the push had expired."""
    forbidden: int
    """Requests for a push that may have been taken and must not be repeated."""
    unresolved: int
    """Failures that cannot be sent again although they may."""


class _Run:
    """One simulated service and one client."""

    def __init__(self, service: Service, *, pushes: int, seed: int, budget: bool, breaker: bool, policy: RetryPolicy) -> None:
        self.world = World()
        self.chance = random.Random(seed)
        self.service = service
        self.pushes = pushes
        self.budget = budget
        self.breaker = breaker
        self.policy = policy
        self.engine = Engine(
            providers=[Toy()],
            transport=self,  # type: ignore[arg-type]  # what the engine needs of one
            clock=self.world,  # type: ignore[arg-type]
            loop=self.world,  # type: ignore[arg-type]
            chance=self.chance.random,
        )
        self.outcomes: dict[int, Outcome] = {}
        self.began: list[float] = []
        self.expires: dict[bytes, float] = {}
        self.sent: list[tuple[float, int]] = []
        self.taken: Counter[int] = Counter()
        self.doubtful: set[int] = set()
        self.late = 0
        self.forbidden = 0

    def submit(self, request: WireRequest, done: Callable[[WireResult], None]) -> Any:
        number = int(request.path[1:])
        now = self.world.now
        self.sent.append((now, number))
        self.late += now > self.began[number] + TTL
        self.forbidden += number in self.doubtful and number % 2 == 1
        answer = self.service(now, self.chance)
        self.taken[number] += answer.took
        if not isinstance(answer.result, WireResponse) and answer.result.processed.value == "unknown":
            self.doubtful.add(number)
        self.world.call_at(now + answer.delay * self.chance.uniform(0.5, 1.5), lambda: done(answer.result))
        return self

    def retire(self, connection_id: int, *, rejected: bool = False) -> None:
        """Nothing to retire."""

    def deliver(self, push: Push, outcome: Outcome) -> bool:
        assert push.index not in self.outcomes, "a second outcome"
        self.outcomes[push.index] = outcome
        return True

    def _begin(self, number: int) -> None:
        # Every second push would show twice if it were repeated on doubt.
        message = Words(ttl=TTL, replaces=number % 2 == 0)
        target = Phone(str(number))
        self.began.append(self.world.now)
        lane = self.engine.lane_of(target)
        if number == 0:
            if not self.budget:
                lane.state.budget = Budget(1e12)  # type: ignore[union-attr]  # the toy has a lane for everybody
            if not self.breaker:
                lane.breaker.ratio = 2.0  # type: ignore[union-attr]
        self.engine.take(Call(message, self.policy, self, single=True), target, lane, number)

    def run(self) -> Figures:
        spacing = 300.0 / self.pushes
        for number in range(self.pushes):
            self.world.call_at(number * spacing, lambda number=number: self._begin(number))
        self.world.run(300.0 + 120.0)
        return self._figures(spacing)

    def _figures(self, spacing: float) -> Figures:
        troubled = {number for number, at in enumerate(self.began) if BEGINS <= at < ENDS}
        tries = Counter(number for _, number in self.sent)
        seconds = Counter(int(at) for at, _ in self.sent)
        good = {number for number, outcome in self.outcomes.items() if isinstance(outcome, Accepted)}
        bad_after = [self.began[number] for number in self.outcomes if number not in good and self.began[number] >= ENDS]
        failures = [outcome for outcome in self.outcomes.values() if not isinstance(outcome, Accepted)]
        return Figures(
            pushes=self.pushes,
            outcomes=len(self.outcomes),
            accepted=len(good),
            attempts=len(self.sent),
            amplification=sum(tries[number] for number in troubled) / len(troubled),
            peak=max(seconds.values()) * spacing,
            share=len(good & troubled) / len(troubled),
            recovery=max(bad_after, default=ENDS) - ENDS,
            duplicates=sum(count > 1 for count in self.taken.values()),
            late=self.late,
            forbidden=self.forbidden,
            unresolved=sum(failure.retryable and failure.resume is None for failure in failures),
        )


def simulate(
    name: str, *, pushes: int = 30_000, seed: int = 7, budget: bool = True, breaker: bool = True, policy: RetryPolicy | None = None
) -> Figures:
    """Run one service with so many pushes in 300 seconds."""
    chance = random.Random(seed + 1)
    policy = policy or RetryPolicy(jitter=lambda value: chance.uniform(0, value))
    return _Run(SERVICES[name](), pushes=pushes, seed=seed, budget=budget, breaker=breaker, policy=policy).run()


def table() -> list[str]:
    """The lines of the table."""
    lines = [
        "| service | budget, breaker | attempts a push | peak | accepted | recovery | taken twice | after expiry |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in SERVICES:
        for budget, breaker in ((False, False), (True, False), (True, True)):
            figures = simulate(name, budget=budget, breaker=breaker)
            both = "neither" if not budget else "both" if breaker else "budget alone"
            lines.append(
                f"| {name} | {both} | {figures.amplification:.2f} | {figures.peak:.1f} | {figures.share:.1%} | {figures.recovery:.0f} s "
                f"| {figures.duplicates} | {figures.late} |"
            )
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
