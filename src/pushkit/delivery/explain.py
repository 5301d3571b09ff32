"""Why a push was tried as often as it was, in words: for the person who looks at one outcome at night."""

from __future__ import annotations

from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.retry import Stop
from pushkit.outcomes import Accepted, Attempt, Disposition, Failure, Outcome, WaitedFor

_WAITED = {
    WaitedFor.NOTHING: "at once",
    WaitedFor.FLOOR: "the least delay that this reason asks for",
    WaitedFor.BACKOFF: "the policy's back-off",
    WaitedFor.RETRY_AFTER: "what the provider asked for",
}

_OUTLIVED = {
    "expired": "the message was too old before it could be sent",
    "superseded": "a later update for the same recipient was sent meanwhile",
}
"""What made a push worthless before it was sent: trying again would not fail, it would be no use."""


def explain(policy: RetryPolicy, outcome: Outcome) -> str:
    """See :meth:`RetryPolicy.explain`."""
    lines = [_attempt(attempt) for attempt in outcome.attempts] or ["Nothing was sent."]
    if isinstance(outcome, Accepted):
        lines.append(f"Accepted after {outcome.elapsed:.3g} s.")
    else:
        lines.append(_end(policy, outcome))
        lines.append(_next(outcome))
    return "\n".join(lines)


def _attempt(attempt: Attempt) -> str:
    wait = ""
    if attempt.waited > 0:
        wait = f" after waiting {attempt.waited:.3g} s ({_WAITED[attempt.waited_for]})"
    status = f" {attempt.status}" if attempt.status is not None else ""
    result = "accepted" if attempt.reason is None else f"{attempt.reason}{status}"
    return f"Attempt {attempt.number} at {attempt.started:%H:%M:%S}{wait}: {result}, {attempt.elapsed:.3g} s."


def _end(policy: RetryPolicy, failure: Failure) -> str:
    """Why there was no further attempt."""
    stopped = failure.info.get("stopped")
    reasons = {
        Stop.ATTEMPTS: f"the policy allows {policy.attempts} {'attempt' if policy.attempts == 1 else 'attempts'}",
        Stop.UNKNOWN: _unknown(policy),
        Stop.MAX_SLEEP: f"the wait would be longer than the policy sleeps in all ({policy.max_sleep:g} s)",
        Stop.DEADLINE: f"the policy's deadline ({policy.deadline:g} s) comes first",
        Stop.EXPIRY: "the message would be too old by then",
        Stop.BUDGET: "the retry budget is used up: too many pushes fail to repeat them all",
        Stop.CIRCUIT: "this push service fails so often that it is left alone for a moment",
        Stop.CREDENTIAL: "the credential was refused, and nothing more is sent with it until it works again",
        Stop.PARKING: "too many pushes are waiting to be tried again already",
        Stop.CLOSING: "the sender gave up, or the client was being closed",
    }
    if stopped is not None and stopped in list(Stop) and Stop(stopped) in reasons:
        return f"Not tried again in this call: {reasons[Stop(stopped)]}."
    if failure.reason in _OUTLIVED:
        return f"Not tried{' again' if failure.attempts else ''}: {_OUTLIVED[failure.reason]}."
    return f"Not tried again: the same push would fail again ({failure.reason})."


def _unknown(policy: RetryPolicy) -> str:
    why = "the provider may have taken it, and "
    if policy.on_unknown == "never":
        return f"{why}on_unknown='never' forbids a second copy"
    if policy.on_unknown == "always":
        return f"{why}it was repeated once already"
    return f"{why}a second copy would show twice (it has no collapse key or tag) or was sent already"


def _next(failure: Failure) -> str:
    if failure.retry_at is not None:
        doubt = " The provider may have taken it, so this may make a second copy." if failure.disposition is Disposition.UNKNOWN else ""
        return f"It may be sent again from {failure.retry_at:%Y-%m-%d %H:%M:%S} UTC (push.resume).{doubt}"
    return failure.advice
