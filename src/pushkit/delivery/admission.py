"""Whether an attempt may be made now: the last look before a push takes a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pushkit.delivery import settle
from pushkit.delivery.breaker import State
from pushkit.delivery.retry import NOW_OR_NEVER

if TYPE_CHECKING:
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.push import Push
    from pushkit.delivery.senders import SenderState
    from pushkit.verdict import Verdict


def too_late(push: Push, now: float, mono: float) -> Verdict | None:
    """Whether the push is older than its message is worth, or than its policy waits."""
    expires_at = push.expires_at
    if expires_at is not None and now >= expires_at and (not push.ttl_zero or now > expires_at + NOW_OR_NEVER):
        return settle.expired()
    return settle.no_room() if mono >= push.give_up else None


def held_up(push: Push, lane: Lane, mono: float) -> Verdict | None:
    """Whether the provider asked for a pause that covers this push."""
    state = lane.state
    if state.pauses:
        until = state.pauses.get(state.pause_key(push.target, lane.quota))
        if until is not None and mono < until:
            return settle.throttled(until - mono, "this recipient or topic")
    until = lane.limiter.paused_until
    return (
        settle.throttled(until - mono, "the whole project" if not lane.quota else f"{lane.quota} of the whole project")
        if mono < until
        else None
    )


def shut(state: SenderState, mono: float) -> Verdict | None:
    """Whether the credential is out of use. One push at a time may probe it."""
    latch = state.latch
    if latch is None:
        return None
    if mono < latch.probe_at:
        return settle.latched(latch.verdict, latch.probe_at - mono)
    latch.probe(mono)
    return None


def broken_circuit(lane: Lane, mono: float) -> tuple[Verdict | None, bool]:
    """Whether the breaker refuses, and whether it changed (to let a probe pass)."""
    breaker = lane.breaker
    if breaker.state is State.CLOSED:
        return None, False
    if breaker.allow(mono):
        return None, True
    return settle.circuit_open(breaker.probe_at - mono, lane.origin), False
