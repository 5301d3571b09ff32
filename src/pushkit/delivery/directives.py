"""Acting on what a verdict asks for: refresh, retire, pause, latch; and what to believe about a recipient."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pushkit import events
from pushkit.delivery import settle
from pushkit.delivery.senders import LATCH_PROBE, Latch
from pushkit.outcomes import Action, Scope
from pushkit.provider import AccessToken, EndingCredentials
from pushkit.verdict import LatchCredential, Pause, PauseScope, RefreshCredential, RetireConnection, Verdict
from pushkit.wire import WireResult

if TYPE_CHECKING:
    from pushkit.delivery.engine import Engine
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.push import Push
    from pushkit.delivery.senders import SenderState

ENDS_SOON = 30 * 24 * 3600.0
"""Seconds before a credential's end from which on hooks hear of it."""
_ONE_DAY = 24 * 3600.0

log = logging.getLogger("pushkit")

SUSPECTED = "Check our configuration first: too many recipients fail in this same way. Confirm the suspects if they are really gone."


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
        if push.refreshed and latch:
            # Refused again although it was fresh: every push with it will be.
            self.latch(state, verdict, mono)

    def _pause(self, push: Push, lane: Lane, verdict: Verdict, directive: Pause, mono: float) -> None:
        seconds = directive.seconds if directive.seconds is not None else max(verdict.floor or 0.0, verdict.retry_after or 0.0)
        if directive.scope is PauseScope.PROJECT:
            lane.limiter.throttled(mono, seconds)
        else:
            state = lane.state
            state.pauses.put(state.pause_key(push.target, lane.quota), mono + seconds)

    # -- the latch -----------------------------------------------------------------------------------

    def latch(self, state: SenderState, verdict: Verdict, mono: float) -> None:
        """Stop the flood: every push with this credential would fail."""
        first = state.latch is None
        state.latch = Latch(verdict, mono + LATCH_PROBE)
        if first:
            self._problem(state, verdict, latched=True)
            self._engine.recall(state)
            self._engine.dispatch.refill_soon()

    def unlatch(self, state: SenderState) -> None:
        """The credential works again."""
        state.latch = None
        log.warning("%s/%s: the credential works again", state.provider, state.app)

    def credential_changed(self, state: SenderState, result: AccessToken | Verdict, mono: float) -> None:
        """A refresh ended."""
        news = self._engine.news
        if isinstance(result, AccessToken):
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
