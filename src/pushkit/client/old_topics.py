"""
Topic changes over FCM's old Instance ID service: 1000 registrations in a request, an outcome for each.

Google ends that service on 2027-09-29; then this module goes too.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from pushkit.delivery import settle
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.push import Call, Nobody, Push, new_push_id
from pushkit.delivery.senders import SenderState
from pushkit.fcm.iid import LARGEST_BATCH, batch_flow
from pushkit.report import Report
from pushkit.verdict import Acceptance, RefreshCredential, Verdict

if TYPE_CHECKING:
    from pushkit.client.state import State
    from pushkit.fcm.topics import TopicChange
    from pushkit.outcomes import Outcome

_WITHIN = 30.0
"""Seconds for one request of the service."""


async def change(state: State, message: TopicChange, targets: Any) -> Report:
    """
    Carry out a change, 1000 registrations at a time, in the order of the input.

    What can be repeated comes back with ``retry_at`` and goes through ``resume`` one by one. A refused
    access token is renewed once.
    """
    from pushkit.client.managers import app_of

    report = Report(keep="all")
    async for batch in _batches(targets):
        started = state.clock.monotonic()
        judged: dict[int, Acceptance | Verdict] = {}
        for app in dict.fromkeys(app_of(target) for target in batch):
            places = [place for place, target in enumerate(batch) if app_of(target) == app]
            judged.update(zip(places, await _judge(state, app, message, [batch[place] for place in places]), strict=True))
        for place, target in enumerate(batch):
            report.add(_outcome(state, message, target, judged[place], started))
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


async def _judge(state: State, app: str, message: TopicChange, batch: Sequence[Any]) -> Sequence[Acceptance | Verdict]:
    from pushkit.client.managers import with_token
    from pushkit.fcm.topics import Subscribe

    opened = state.engine.senders.open("fcm", app)
    if not isinstance(opened, SenderState):
        return [opened] * len(batch)
    judged = await with_token(
        state,
        opened,
        lambda token: batch_flow(
            cast("Any", opened.sender),
            batch,
            message.topic,
            subscribe=isinstance(message, Subscribe),
            token=token,
            now=state.clock.time(),
            deadline=state.clock.monotonic() + _WITHIN,
        ),
        lambda verdicts: any(isinstance(verdict, Verdict) and RefreshCredential() in verdict.directives for verdict in verdicts),
    )
    return [judged] * len(batch) if isinstance(judged, Verdict) else judged


def _outcome(state: State, message: TopicChange, target: Any, judged: Acceptance | Verdict, started: float) -> Outcome:
    push = Push(None, Call(None, RetryPolicy.none(), Nobody()), target, 0)
    push.taken = started
    push.message = message
    push.push_id = push.key = new_push_id()
    now, mono = state.clock.time(), state.clock.monotonic()
    push.expires_at = now + message.default_ttl()
    if isinstance(judged, Acceptance):
        outcome: Outcome = settle.accepted(push, judged, mono)
    else:
        retry_at = now + max(judged.floor or 0.0, judged.retry_after or 0.0) if judged.retryable else None
        outcome = settle.failed(push, judged, mono, retry_at=retry_at)
    state.engine.news.finished(push, outcome, read=True)
    return outcome
