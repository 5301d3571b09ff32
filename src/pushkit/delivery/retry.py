"""
Whether a push is tried again, when, and why (not): a pure decision.

``delay = max(floor of the row, jittered back-off, Retry-After)``. Short waits are slept, longer ones come
back to the caller; nothing sleeps past its deadline or its expiry; what the provider may have taken is
repeated once at the most, and only where a second copy does no harm.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Iterator
from typing import NamedTuple

from pushkit.delivery.budget import Budget, cost
from pushkit.delivery.policy import RetryPolicy, exponential, full_jitter
from pushkit.outcomes import Disposition, WaitedFor
from pushkit.verdict import RefreshCredential, Verdict

log = logging.getLogger("pushkit")

NOW_OR_NEVER = 2.0
"""Seconds within which a push with ``ttl=0`` may be repeated if it was provably not sent."""


class Stop(enum.StrEnum):
    """Why a push is not tried again inside this call. Goes to ``outcome.info["stopped"]``."""

    NOT_RETRYABLE = "not_retryable"
    """The same push would fail again."""
    ATTEMPTS = "attempts"
    """The policy's attempts are used up."""
    UNKNOWN = "unknown"
    """The provider may have taken it, and a second copy is not allowed."""
    MAX_SLEEP = "max_sleep"
    """The wait is longer than the policy sleeps."""
    DEADLINE = "deadline"
    """The wait ends after the policy's deadline."""
    EXPIRY = "expiry"
    """The wait ends after the message's expiry."""
    BUDGET = "budget"
    """The retry budget is used up."""
    CIRCUIT = "circuit"
    """The service is left alone for a moment, since it fails too often."""
    CREDENTIAL = "credential"
    """The credential is out of use."""
    PARKING = "parking"
    """Too many pushes are waiting already."""
    CLOSING = "closing"
    """The client is being closed."""


class Waits:
    """A policy's back-off for one push: jittered waits, one after the other."""

    __slots__ = ("_jitter", "_steps")

    def __init__(self, policy: RetryPolicy) -> None:
        self._jitter = policy.jitter
        self._steps: Iterator[float] = iter(())
        try:
            self._steps = iter(policy.backoff())
            # The generators of backoff 2 give None first, those of its fork 0: both are no wait.
            first = next(self._steps, None)
        except Exception as error:  # noqa: BLE001 - the caller's code
            self._replace(error)
            return
        if first:
            self._steps = _with_first(first, self._steps)

    def next(self) -> float:
        """Seconds; 0.0 when the generator has ended."""
        try:
            step = next(self._steps, None)
            if not step:
                return 0.0
            return max(0.0, float(self._jitter(step) if self._jitter is not None else step))
        except Exception as error:  # noqa: BLE001 - the caller's code
            self._replace(error)
            return self.next()

    def _replace(self, error: Exception) -> None:
        # No push may be lost over it, and none may be repeated without a wait.
        log.error("the policy's backoff or jitter raised %s; this push waits as by default", type(error).__name__)
        self._jitter, self._steps = full_jitter, exponential()
        next(self._steps, None)


def _with_first(first: float, rest: Iterator[float]) -> Iterator[float]:
    yield first
    yield from rest


class Facts(NamedTuple):
    """What the decision has to know about a push."""

    made: int
    """Attempts made in this call."""
    slept: float
    """Seconds slept in this call."""
    left: float
    """Seconds to the deadline."""
    lifetime: float
    """Seconds to the expiry; infinite without one."""
    now_or_never: bool
    """``ttl=0``."""
    replaceable: bool
    """A second copy would replace the first."""
    unknown_retried: bool
    """The one repeat after an UNKNOWN was used."""
    refreshed: bool
    """The one repeat with a fresh credential was used."""
    early_used: bool
    """The one early try was used."""


class Decision(NamedTuple):
    """What to do with a failed push."""

    delay: float | None
    """Seconds to sleep before the next attempt; None: no further one in this call."""
    waits_for: WaitedFor = WaitedFor.NOTHING
    stop: Stop = Stop.NOT_RETRYABLE
    """Why there is no further attempt (where ``delay`` is None)."""
    retryable: bool = False
    """Whether the same push may be tried again after this call (where ``delay`` is None)."""
    defer: float = 0.0
    """Seconds from now to the earliest sensible time (where ``retryable``)."""
    early: bool = False
    """This is the one early try."""
    refresh: bool = False
    """This is the one try with a fresh credential."""


def least_delay(verdict: Verdict) -> float:
    """Seconds before which another try makes no sense: the row's floor, or what the provider asked for."""
    return max(verdict.floor or 0.0, verdict.retry_after or 0.0)


def copy_allowed(verdict: Verdict, policy: RetryPolicy, facts: Facts, *, doubtful: bool = False) -> bool:
    """
    Whether sending again is allowed, going by what the provider may have done with this push.

    Args:
        verdict: the latest word on it.
        policy: the call's policy.
        facts: what is known about the push.
        doubtful: an earlier attempt may have been taken.
    """
    unknown = verdict.disposition is Disposition.UNKNOWN
    if not unknown and not doubtful:
        return True
    if unknown and facts.unknown_retried:
        return False
    return second_copy_allowed(policy, replaceable=facts.replaceable)


def second_copy_allowed(policy: RetryPolicy, *, replaceable: bool) -> bool:
    """Whether a push that the provider may have taken may be sent once more."""
    return policy.on_unknown == "always" or (policy.on_unknown == "replaceable" and replaceable)


def decide(verdict: Verdict, policy: RetryPolicy, facts: Facts, *, waits: Waits | None, budget: Budget, chance: float) -> Decision:
    """
    Decide about a push that failed.

    Args:
        verdict: what classification said.
        policy: the call's policy.
        facts: what is known about the push.
        waits: the push's back-off; None where no wait is possible (the policy has one attempt).
        budget: what repeats are paid from; charged when the push is to be tried again.
        chance: a random number in [0, 1), for the early try.
    """
    if not verdict.retryable:
        if _refreshing(verdict, facts) and facts.made < policy.attempts and facts.left > 0 and copy_allowed(verdict, policy, facts):
            # Waiting would not help, a fresh signature may: once, at once.
            return Decision(0.0, refresh=True)
        return Decision(None)
    if not copy_allowed(verdict, policy, facts):
        return Decision(None, stop=Stop.UNKNOWN)
    if facts.now_or_never and verdict.disposition is not Disposition.NOT_SENT and not _refreshing(verdict, facts):
        # Now or never: a provider that had the push in its hands has decided.
        return Decision(None, stop=Stop.EXPIRY)
    defer = least_delay(verdict)
    stopped = Decision(None, stop=Stop.ATTEMPTS, retryable=defer < facts.lifetime, defer=defer)
    if facts.made >= policy.attempts or waits is None:
        return stopped
    if _refreshing(verdict, facts):
        return Decision(0.0, refresh=True) if facts.left > 0 else stopped._replace(stop=Stop.DEADLINE)
    early = verdict.early is not None and not facts.early_used
    if early:
        assert verdict.early is not None
        # Its row's floor is for a queue; one try on a new connection comes sooner, spread over twice its time.
        delay, waits_for = verdict.early * (1.0 + chance), WaitedFor.BACKOFF
        if verdict.retry_after is not None and verdict.retry_after > delay:
            early, delay, waits_for = False, defer, WaitedFor.RETRY_AFTER
    else:
        delay, waits_for = _delay(verdict, waits.next())
    if delay >= facts.lifetime:
        return stopped._replace(stop=Stop.EXPIRY)
    if facts.slept + delay > policy.max_sleep:
        return stopped._replace(stop=Stop.MAX_SLEEP)
    if delay >= facts.left:
        return stopped._replace(stop=Stop.DEADLINE)
    if not budget.spend(cost(verdict)):
        return stopped._replace(stop=Stop.BUDGET)
    return Decision(delay, waits_for=waits_for, early=early)


def _refreshing(verdict: Verdict, facts: Facts) -> bool:
    return not facts.refreshed and any(isinstance(directive, RefreshCredential) for directive in verdict.directives)


def _delay(verdict: Verdict, backoff: float) -> tuple[float, WaitedFor]:
    delay, waits_for = backoff, WaitedFor.BACKOFF
    if (verdict.floor or 0.0) >= delay:
        delay, waits_for = verdict.floor or 0.0, WaitedFor.FLOOR
    if verdict.retry_after is not None and verdict.retry_after >= delay:
        delay, waits_for = verdict.retry_after, WaitedFor.RETRY_AFTER
    return delay, waits_for if delay > 0 else WaitedFor.NOTHING
