"""
Topic changes over FCM's old Instance ID service: 1000 registrations in a request, an outcome for each.

Google ends that service on 2027-09-29; then this module goes too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from pushkit.delivery import settle
from pushkit.delivery.budget import REFUND_CLEAN, cost
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.push import Call, Nobody, Push, new_push_id
from pushkit.delivery.retry import Waits, least_delay
from pushkit.delivery.senders import SenderState
from pushkit.fcm.iid import LARGEST_BATCH, BatchFlow, batch_flow
from pushkit.outcomes import Category, Disposition, WaitedFor
from pushkit.report import Report
from pushkit.verdict import Acceptance, Pause, RefreshCredential, Verdict

if TYPE_CHECKING:
    from pushkit.client.state import State
    from pushkit.clock import Clock
    from pushkit.fcm.topics import TopicChange
    from pushkit.outcomes import Outcome


async def change(state: State, message: TopicChange, targets: Any, policy: RetryPolicy) -> Report:
    """
    Carry out a change, 1000 registrations at a time, in the order of the input.

    The policy holds for each request: what can be repeated is repeated together, as often and as long as it
    says; what is left comes back with ``retry_at`` and goes through ``resume`` one by one. A refused access
    token is renewed once.
    """
    from pushkit.client.managers import app_of

    report = Report(keep="all")
    async for batch in _batches(targets):
        pushes = [_push(state, message, target, policy) for target in batch]
        judged: dict[Push, Acceptance | Verdict] = {}
        state.engine.active += 1  # waits between two requests included: a test's clock goes on as long as there is work
        try:
            for app in dict.fromkeys(app_of(target) for target in batch):
                await _Request(state, app, message, policy, judged).send([push for push in pushes if app_of(push.target) == app])
        finally:
            state.engine.active -= 1
        for push in pushes:
            report.add(_outcome(state, push, judged[push]))
    return report


async def _batches(targets: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Sequence[Any]]:
    batch: list[Any] = []
    if isinstance(targets, AsyncIterable):
        async for target in targets:
            batch.append(target)
            if len(batch) == LARGEST_BATCH:
                yield batch
                batch = []
    else:
        for target in targets:
            batch.append(target)
            if len(batch) == LARGEST_BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


class _Request:
    """One request's registrations, until each has its last verdict in ``judged``."""

    def __init__(self, state: State, app: str, message: TopicChange, policy: RetryPolicy, judged: dict[Push, Acceptance | Verdict]) -> None:
        self._state = state
        self._clock: Clock = state.clock
        self._app = app
        self._message = message
        self._policy = policy
        self._judged = judged

    async def send(self, pushes: Sequence[Push]) -> None:
        opened = self._state.engine.senders.open("fcm", self._app)
        if not isinstance(opened, SenderState):
            self._judged.update(dict.fromkeys(pushes, opened))
            return
        policy, clock = self._policy, self._clock
        waits = Waits(policy)
        give_up = clock.monotonic() + policy.deadline
        slept = 0.0
        while True:
            await self._attempt(opened, pushes, give_up)
            pushes = [push for push in pushes if self._may_go_again(push)]
            if not pushes or pushes[0].made >= policy.attempts:
                return
            verdicts = [cast("Verdict", self._judged[push]) for push in pushes]
            delay = max(waits.next(), *(least_delay(verdict) for verdict in verdicts))
            if slept + delay > policy.max_sleep or clock.monotonic() + delay >= give_up:
                return
            if not opened.budget.spend(max(cost(verdict) for verdict in verdicts)):
                return
            slept += delay
            await self._sleep(delay)
            for push in pushes:
                push.waited, push.waited_for = delay, WaitedFor.BACKOFF

    async def _attempt(self, opened: SenderState, pushes: Sequence[Push], give_up: float) -> None:
        clock = self._clock
        started, mono = clock.time(), clock.monotonic()
        limiter = opened.limiter(self._message.quota)
        asked = mono >= limiter.paused_until
        found = await self._ask(opened, pushes, give_up) if asked else settle.throttled(limiter.paused_until - mono, self._message.quota)
        judged = [found] * len(pushes) if isinstance(found, Verdict) else found
        pauses = [least_delay(verdict) for verdict in judged if isinstance(verdict, Verdict) and _pausing(verdict)]
        if pauses:
            limiter.throttled(clock.monotonic(), max(pauses))
        if any(isinstance(verdict, Acceptance) for verdict in judged):
            opened.budget.refund(REFUND_CLEAN)
        for push, verdict in zip(pushes, judged, strict=True):
            self._judged[push] = verdict
            push.made += 1
            if isinstance(found, Verdict) or not _was_sent(verdict):
                continue
            push.attempt += 1
            push.started, push.started_mono = started, mono
            status, reason = (200, None) if isinstance(verdict, Acceptance) else (verdict.status, verdict.reason)
            push.attempts = (*push.attempts, settle.attempted(push, clock.monotonic(), status, reason))

    async def _ask(self, opened: SenderState, pushes: Sequence[Push], give_up: float) -> Sequence[Acceptance | Verdict] | Verdict:
        from pushkit.client.managers import with_token
        from pushkit.fcm.topics import Subscribe

        clock = self._clock
        patience = self._policy.attempt_timeout or opened.attempt_timeout
        targets: list[Any] = [push.target for push in pushes]

        def flow(token: str) -> BatchFlow:
            return batch_flow(
                cast("Any", opened.sender),
                targets,
                self._message.topic,
                subscribe=isinstance(self._message, Subscribe),
                token=token,
                now=clock.time(),
                deadline=min(clock.monotonic() + patience, give_up),
            )

        return await with_token(self._state, opened, flow, stale=_stale, again=_refused_again)

    def _may_go_again(self, push: Push) -> bool:
        verdict = self._judged[push]
        if not isinstance(verdict, Verdict) or not verdict.retryable:
            return False
        if verdict.disposition is not Disposition.UNKNOWN:
            return True
        # Both directions may be repeated, since a second change changes nothing; after a doubt once, as everywhere.
        allowed = not push.unknown_retried and self._policy.on_unknown != "never"
        push.doubtful = push.unknown_retried = True
        return allowed

    async def _sleep(self, delay: float) -> None:
        over: asyncio.Future[None] = self._state.loop.create_future()
        timer = self._clock.call_at(self._clock.monotonic() + delay, lambda: None if over.done() else over.set_result(None))
        try:
            await over
        finally:
            timer.cancel()


def _was_sent(verdict: Acceptance | Verdict) -> bool:
    """What is found before sending concerns the registration or the topic; a request that failed is a technical failure."""
    return isinstance(verdict, Acceptance) or verdict.category is Category.TECHNICAL or verdict.disposition is not Disposition.NOT_SENT


def _pausing(verdict: Verdict) -> bool:
    return any(isinstance(directive, Pause) for directive in verdict.directives)


def _stale(judged: list[Acceptance | Verdict]) -> bool:
    return any(isinstance(verdict, Verdict) and RefreshCredential() in verdict.directives for verdict in judged)


def _refused_again(judged: list[Acceptance | Verdict]) -> list[Acceptance | Verdict]:
    return [settle.refused_again(verdict) if isinstance(verdict, Verdict) else verdict for verdict in judged]


def _push(state: State, message: TopicChange, target: Any, policy: RetryPolicy) -> Push:
    push = Push(None, Call(None, policy, Nobody()), target, 0)
    push.taken = state.clock.monotonic()
    push.message = message
    push.push_id = push.key = new_push_id()
    push.taken_at = state.clock.time()
    push.expires_at = push.taken_at + message.default_ttl()
    return push


def _outcome(state: State, push: Push, judged: Acceptance | Verdict) -> Outcome:
    mono = state.clock.monotonic()
    if isinstance(judged, Acceptance):
        outcome: Outcome = settle.accepted(push, judged, mono)
    else:
        retry_at = state.clock.time() + least_delay(judged) if judged.retryable else None
        outcome = settle.failed(push, judged, mono, retry_at=retry_at)
    state.engine.news.finished(push, outcome, read=True)
    return outcome
