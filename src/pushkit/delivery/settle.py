"""From a verdict to an outcome: pure, once for each push."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pushkit.delivery.retry import Stop
from pushkit.outcomes import (
    FAILURE_CLASSES,
    Accepted,
    Action,
    Attempt,
    Category,
    Disposition,
    Failure,
    Resume,
)
from pushkit.own_reasons import OWN, refuse
from pushkit.verdict import Acceptance, RefreshCredential, Verdict

if TYPE_CHECKING:
    from pushkit.delivery.push import Push

log = logging.getLogger("pushkit")

_fromtimestamp = datetime.fromtimestamp


def moment(epoch: float | None) -> datetime | None:
    """Epoch seconds as an aware datetime; None where the calendar ends before that."""
    if epoch is None:
        return None
    try:
        return _fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def attempted(push: Push, now_mono: float, status: int | None, reason: str | None) -> Attempt:
    """The attempt that just ended."""
    return Attempt(
        number=push.attempt,
        started=_fromtimestamp(push.started, UTC),
        elapsed=now_mono - push.started_mono,
        status=status,
        reason=reason,
        waited=push.waited,
        waited_for=push.waited_for,
    )


def label_of(push: Push) -> str | None:
    """The campaign label of its message."""
    message = push.message
    return message.label if message is not None and isinstance(message.label, str) else None


def accepted(push: Push, acceptance: Acceptance, now_mono: float) -> Accepted:
    """The outcome of a push that the provider took."""
    message = push.message
    return Accepted(
        target=push.target,
        provider=push.target.provider,
        message_id=acceptance.message_id,
        attempts=push.attempts,
        elapsed=now_mono - push.taken,
        expires_at=moment(push.expires_at),
        label=message.label if message is not None else None,
        info=acceptance.info,
    )


def failed(
    push: Push,
    verdict: Verdict,
    now_mono: float,
    *,
    retry_at: float | None = None,
    stop: Stop | None = None,
    action: Action | None = None,
    advice: str | None = None,
) -> Failure:
    """
    The outcome of a push that failed.

    Args:
        push: the push.
        verdict: the last word on it.
        now_mono: monotonic seconds.
        retry_at: epoch seconds from which it may be tried again; None: it may not.
        stop: why it was not tried again in this call.
        action: instead of the verdict's (the guard's doubt, or its belief).
        advice: instead of the verdict's.
    """
    disposition = verdict.disposition
    if push.doubtful:
        # An earlier attempt may have been taken: whatever the last one was, the provider may have the push.
        disposition = Disposition.UNKNOWN
    info: Mapping[str, str] = verdict.info
    if stop is not None and verdict.retryable:
        info = {**info, "stopped": stop.value}
    provider = getattr(push.target, "provider", "")
    fields: dict[str, Any] = {
        "target": push.target,
        "provider": provider if isinstance(provider, str) else "",
        "message_id": verdict.message_id,
        "attempts": push.attempts,
        "elapsed": now_mono - push.taken,
        "expires_at": moment(push.expires_at),
        "label": label_of(push),
        "info": info,
        "reason": verdict.reason,
        "status": verdict.status,
        "disposition": disposition,
        "retryable": retry_at is not None,
        "retry_at": moment(retry_at),
        "action": action or verdict.action,
        "advice": advice or verdict.advice,
        "detail": verdict.detail,
        "field": verdict.field,
        "invalid_since": verdict.invalid_since,
        "scope": verdict.scope if verdict.category is Category.TECHNICAL else None,
        "resume": resume_of(push) if retry_at is not None else None,
    }
    return FAILURE_CLASSES[verdict.category](**fields)


def resume_of(push: Push) -> Resume | None:
    """What sending the same push again needs."""
    if push.message is None:
        return None
    return Resume(
        message=push.message,
        key=push.key,
        push_id=push.push_id,
        expires_at=push.expires_at,
        dedupe=push.call.policy.dedupe if push.prepared is None else push.prepared.stamp.dedupe,
        unknown_retried=push.unknown_retried,
        dry_run=push.call.dry_run if push.prepared is None else push.prepared.stamp.dry_run,
        taken_at=push.taken_at or None,
    )


# What pushkit itself says about pushes that never reached a provider.


def expired() -> Verdict:
    """Too old before an attempt."""
    return refuse("expired")


def superseded() -> Verdict:
    """A later message made it worthless."""
    return refuse("superseded")


def cancelled() -> Verdict:
    """The caller gave up before it was sent."""
    return refuse("cancelled", floor=0.0)


def closed() -> Verdict:
    """The client was closed before it was sent."""
    return refuse("client_closed", floor=0.0)


def no_room() -> Verdict:
    """The deadline passed while it waited for its turn."""
    return refuse("timeout", floor=1.0)


def circuit_open(wait: float, origin: str) -> Verdict:
    """The breaker is open."""
    return refuse("circuit_open", floor=max(0.0, wait), detail=origin)


def throttled(wait: float, what: str) -> Verdict:
    """A pause that the provider asked for lasts longer than this push can wait."""
    return refuse("throttled", floor=max(0.0, wait), detail=what)


def latched(cause: Verdict, wait: float) -> Verdict:
    """The credential is out of use."""
    advice = f"{cause.advice} Nothing more is sent with this credential until it works again."
    return refuse("credential_latched", advice=advice, action=cause.action, floor=max(0.0, wait), detail=f"stopped after {cause.reason}")


def refused_again(verdict: Verdict) -> Verdict:
    """A fresh credential was refused like the one before: waiting helps no more, somebody has to look at it."""
    import attrs

    if not any(isinstance(directive, RefreshCredential) for directive in verdict.directives):
        return verdict
    action = Action.FIX_CREDENTIALS if verdict.action is Action.RETRY_LATER else verdict.action
    return attrs.evolve(verdict, action=action, retryable=False, floor=None, retry_after=None)


def exhausted(cause: Verdict) -> Verdict:
    """The retry budget is used up: the last attempt's failure, under the word that says why it was the last."""
    import attrs

    reason = "retry_budget_exhausted"
    told = f"after {cause.reason}" + (f": {cause.detail}" if cause.detail else "")
    return attrs.evolve(cause, reason=reason, advice=OWN[reason].advice, detail=told[:500])


def broken(provider: str, error: BaseException, disposition: Disposition = Disposition.NOT_SENT) -> Verdict:
    """A provider's code raised: a mistake of ours, or of a fourth provider. It stops its own pushes alone."""
    import attrs

    log.error("the %s provider raised %s; its text is not shown since it may hold secrets", provider, type(error).__name__)
    return attrs.evolve(refuse("provider_error", detail=f"{provider}: {type(error).__name__}"), disposition=disposition)


def objected(push: Push, error: Exception) -> Verdict:
    """
    The transport raised instead of taking a request.

    A test's transport does so on purpose (AssertionError): no failure to classify or to retry, its error goes to the caller.
    """
    if isinstance(error, AssertionError):
        push.call.objection = push.call.objection or error
        return cancelled()
    return broken(push.target.provider, error)


def given_back(failure: Failure) -> Failure:
    """A failure that was to be sent again, and must not be by this call's policy: the provider may have taken it already."""
    import attrs

    return attrs.evolve(failure, retryable=False, retry_at=None, resume=None, info={**failure.info, "stopped": Stop.UNKNOWN.value})


def closed_unanswered() -> Verdict:
    """The client was closed and the transport never told what became of the request."""
    import attrs

    return attrs.evolve(closed(), disposition=Disposition.UNKNOWN)
