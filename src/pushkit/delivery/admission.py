"""Whether an attempt may be made now: the last look before a push takes a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pushkit.delivery import settle
from pushkit.delivery.retry import NOW_OR_NEVER, Stop

if TYPE_CHECKING:
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.push import Push
    from pushkit.delivery.senders import Latch
    from pushkit.verdict import Verdict


_STOPS = {
    "expired": Stop.EXPIRY,
    "timeout": Stop.DEADLINE,
    "circuit_open": Stop.CIRCUIT,
    "credential_latched": Stop.CREDENTIAL,
}


def too_late(push: Push, now: float, mono: float) -> Verdict | None:
    """Whether the push is older than its message is worth, or than its policy waits."""
    expires_at = push.expires_at
    if expires_at is not None and now >= expires_at and (not push.ttl_zero or now > expires_at + NOW_OR_NEVER):
        return settle.expired()
    return settle.no_room() if mono >= push.give_up else None


def overdue(push: Push, now: float, mono: float) -> bool:
    """Whether a push that waits for its turn waits in vain."""
    return mono >= push.give_up or (push.expires_at is not None and now >= push.expires_at + NOW_OR_NEVER)


def held_up(push: Push, lane: Lane, mono: float) -> Verdict | None:
    """Whether the provider asked for a pause that covers this push."""
    state = lane.state
    if state.pauses:
        try:
            until = state.pauses.get(state.pause_key(push.target, lane.quota))
        except Exception as error:  # noqa: BLE001 - a fourth provider's mistake
            return settle.broken(state.provider, error)
        if until is not None and mono < until:
            return settle.throttled(until - mono, "this recipient or topic")
    until = lane.limiter.paused_until
    return (
        settle.throttled(until - mono, "the whole project" if not lane.quota else f"{lane.quota} of the whole project")
        if mono < until
        else None
    )


def shut(latch: Latch, mono: float) -> Verdict | None:
    """Whether the credential is out of use."""
    return settle.latched(latch.verdict, latch.probe_at - mono) if mono < latch.probe_at else None


def broken_circuit(lane: Lane, mono: float) -> Verdict | None:
    """Whether the breaker, which is not closed, refuses."""
    wait = lane.breaker.probe_at - mono
    return settle.circuit_open(wait, lane.origin) if wait > 0 else None


def held_back(verdict: Verdict, push: Push, now: float, mono: float, *, full: bool) -> Stop | None:
    """
    Why a push that was refused before its attempt does not wait for better times inside the call; None: it does.

    A provider's pause is the one refusal worth waiting for: its end is known, and the push has cost nothing.
    """
    if verdict.reason != "throttled":
        return _STOPS.get(verdict.reason, Stop.NOT_RETRYABLE)
    delay = verdict.floor or 0.0
    policy = push.call.policy
    if policy.attempts <= 1:
        return Stop.ATTEMPTS
    if delay >= push.lifetime(now):
        return Stop.EXPIRY
    if push.slept + delay > policy.max_sleep:
        return Stop.MAX_SLEEP
    if delay >= push.left(mono):
        return Stop.DEADLINE
    return Stop.PARKING if full else None
