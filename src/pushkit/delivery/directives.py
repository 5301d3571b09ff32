"""Acting on what a verdict asks for: refresh, retire, pause, latch; and what to believe about a recipient."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pushkit import events
from pushkit.delivery import settle
from pushkit.delivery.senders import Latch
from pushkit.delivery.settle import expired, latched, moment
from pushkit.outcomes import Action, Category, Scope
from pushkit.provider import AccessToken, EndingCredentials
from pushkit.verdict import LatchCredential, Pause, PauseScope, RefreshCredential, RetireConnection, Verdict
from pushkit.wire import Recallable, WireResult

if TYPE_CHECKING:
    from pushkit.delivery.engine import Engine
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.push import Push
    from pushkit.delivery.senders import SenderState

ENDS_SOON = 30 * 24 * 3600.0
"""Seconds before a credential's end from which on hooks hear of it."""
_ONE_DAY = 24 * 3600.0
_ROUNDS = 5
"""
Refusals in a row, each of an attempt that began after the one before it, with which a credential counts as bad even if
no push was tried twice (a policy of one attempt). Not one: each of an origin's connections may carry a stale token.
"""

log = logging.getLogger("pushkit")

SUSPECTED = "Check our configuration first: too many recipients fail in this same way. Confirm the suspects if they are really gone."


SOON = 60.0
"""Seconds of life with which a push may expire during one attempt."""


def _take_back(push: Push, handle: object, why: Verdict) -> None:
    if push.handle is not handle or not isinstance(handle, Recallable):
        return
    push.recalled = why  # heard by the callback, which comes before recall() returns
    handle.recall()
    push.recalled = None


class Director:
    """The part of the engine that acts on directives."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def act(self, push: Push, lane: Lane, verdict: Verdict, result: WireResult, mono: float) -> Verdict:
        """Do what the verdict asks for, before the push itself is decided about; gives the verdict as it is now."""
        state = lane.state
        if push.refreshed:
            verdict = settle.refused_again(verdict)
        for directive in verdict.directives:
            if isinstance(directive, RefreshCredential):
                self._refresh(push, state, verdict, mono, latch=directive.latch)
            elif isinstance(directive, RetireConnection):
                self._engine.transport.retire(result.connection_id, rejected=directive.rejected)
            elif isinstance(directive, Pause):
                self._pause(push, lane, verdict, directive, mono)
            else:
                assert isinstance(directive, LatchCredential)
                self.latch(state, verdict, mono)
        return verdict

    def _refresh(self, push: Push, state: SenderState, verdict: Verdict, mono: float, *, latch: bool) -> None:
        if state.entry is not None:
            self._engine.store.drop(state.entry, push.token)
        elif push.request is not None:
            state.sender.refresh(push.request)
        if push.started_mono > state.refused_at:
            state.refusals += 1
            state.refused_at = mono
        if latch and (push.refreshed or state.refusals >= _ROUNDS):
            # Refused again although it was fresh: every push with it will be.
            self.latch(state, verdict, mono)

    def _pause(self, push: Push, lane: Lane, verdict: Verdict, directive: Pause, mono: float) -> None:
        seconds = directive.seconds if directive.seconds is not None else max(verdict.floor or 0.0, verdict.retry_after or 0.0)
        if directive.scope is PauseScope.PROJECT:
            lane.limiter.throttled(mono, seconds)
        else:
            state = lane.state
            state.pauses.put(state.pause_key(push.target, lane.quota), mono + seconds)

    # -- breaker and latch ---------------------------------------------------------------------------

    def latch(self, state: SenderState, verdict: Verdict, mono: float) -> None:
        """Stop the flood: every push with this credential would fail."""
        first = state.latch is None
        state.latch = Latch(verdict, mono)
        if first:
            self._problem(state, verdict, latched=True)
            self._recall(state)
            self._engine.dispatch.refill_soon()

    def count(self, push: Push, lane: Lane, verdict: Verdict, mono: float, lost_connection: int) -> None:
        """Tell breaker and latch what a failed attempt says about the service and the credential."""
        engine, breaker, started = self._engine, lane.breaker, push.started_mono
        if push.cancelled or verdict.reason == "expired" or (engine.closing and verdict.reason in {"cancelled", "client_closed"}):
            breaker.void(started)
        elif verdict.category is not Category.TECHNICAL:
            if breaker.success(mono, started):
                engine.news.breaker(lane, None)
            if verdict.status is not None:
                self.vouched(lane.state, started)
        elif verdict.scope is Scope.ATTEMPT:
            if breaker.failure(mono, lost_connection, started):
                engine.news.breaker(lane, moment(push.now + breaker.probe_at - mono))
        else:
            breaker.void(started)

    def vouched(self, state: SenderState, started: float) -> None:
        """The provider let an attempt in: its credential works, unless that attempt is older than the refusal."""
        state.refusals = 0
        if state.latch is None or not state.latch.disproved(started):
            return
        state.latch = None
        log.warning("%s/%s: the credential works again", state.provider, state.app)

    def _recall(self, state: SenderState) -> None:
        """Take back what waits in the transport for a stream: its credential was refused, and so would all of it be, one by one."""
        for push in [push for push in self._engine.launched if push.lane is not None and push.lane.state is state]:
            if state.latch is not None:
                _take_back(push, push.handle, latched(state.latch.verdict, state.latch.probe_at - self._engine.clock.monotonic()))

    # -- expiry --------------------------------------------------------------------------------------

    def watch_expiry(self, push: Push, now: float, mono: float) -> None:
        """
        What expires while it waits in the transport for a connection or a stream is not sent any more.

        What is on its way goes on: the provider has been told the expiry.
        """
        handle: object = push.handle
        until = mono + push.lifetime(now)
        if until < push.deadline and isinstance(handle, Recallable):
            self._engine.clock.call_at(until, lambda: _take_back(push, handle, expired()))

    def credential_changed(self, state: SenderState, result: AccessToken | Verdict, mono: float) -> None:
        """A refresh ended."""
        news = self._engine.news
        if isinstance(result, AccessToken):
            if state.latch is not None:
                # There is something new to probe with, and the push that asked for it is waiting.
                state.latch.void(mono)
            if news.listening:
                expires_at = datetime.fromtimestamp(result.expires_at, UTC)
                news.tell(events.CredentialRefreshed(provider=state.provider, app=state.app, expires_at=expires_at))
        elif result.scope is Scope.CREDENTIAL and not result.retryable:
            self.latch(state, result, mono)
        elif result.scope is Scope.CREDENTIAL and state.latch is None:
            self._problem(state, result, latched=False)

    def watch_ends(self, state: SenderState, now: float) -> None:
        """Tell hooks, once a day, about credentials that end within a month."""
        if not isinstance(state.sender, EndingCredentials) or now < state.ends_told + _ONE_DAY:
            return
        state.ends_told = now
        for ends in state.sender.credential_ends():
            left = ends.timestamp() - now
            if left < ENDS_SOON:
                log.warning("%s/%s: a credential ends on %s", state.provider, state.app, ends.date().isoformat())
                self._engine.news.tell(events.CredentialExpiring(provider=state.provider, app=state.app, expires_at=ends))

    def _problem(self, state: SenderState, verdict: Verdict, *, latched: bool) -> None:
        stops = "; nothing more is sent with it until it works again" if latched else ""
        log.error("%s/%s: the credential was refused (%s)%s. %s", state.provider, state.app, verdict.reason, stops, verdict.advice)
        self._engine.news.tell(
            events.CredentialProblem(provider=state.provider, app=state.app, reason=verdict.reason, advice=verdict.advice, latched=latched)
        )

    def doubt(self, app: str) -> None:
        """An app's configuration may be another one from now on: what the former one reached proves nothing for it."""
        self._engine.guard.doubt(app, self._engine.clock.monotonic())

    # -- suspicion -----------------------------------------------------------------------------------

    def believe(self, lane: Lane, verdict: Verdict, mono: float) -> tuple[Action | None, str | None]:
        """What to do about a recipient that a provider refused, and the advice, where they differ from the table's."""
        guard = self._engine.guard
        action = verdict.action
        if action is not Action.REMOVE_RECIPIENT and not verdict.suspicion:
            return None, None
        tripped = guard.failed(lane.watch, verdict.reason, mono)
        if tripped is not None:
            place = lane.place
            log.error(
                "%s/%s: %.0f %% of %d recipients failed with %s; further ones are to be reviewed, not removed. Check the configuration first.",
                place.provider,
                place.app,
                tripped.share * 100,
                tripped.seen,
                tripped.reason,
            )
            event = events.MassInvalidation(
                provider=place.provider,
                app=place.app,
                environment=place.environment,
                reason=tripped.reason,
                share=tripped.share,
                seen=tripped.seen,
            )
            for heard in self._engine.suspicions:
                heard.append(event)
            self._engine.news.tell(event)
        if not guard.believed(lane.watch, verdict.reason, suspicion=verdict.suspicion):
            return Action.REVIEW_RECIPIENT, SUSPECTED if verdict.reason in lane.watch.tripped else verdict.doubt_advice
        settled = verdict.suspicion and verdict.settled_by_acceptance and action is Action.REVIEW_RECIPIENT
        return (Action.REMOVE_RECIPIENT, None) if settled else (None, None)
