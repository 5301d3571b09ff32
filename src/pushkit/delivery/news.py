"""Tells hooks what happens. A hook that raises is reported once and breaks nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from pushkit import events
from pushkit.outcomes import Accepted, Action, Outcome, RecipientFailure

if TYPE_CHECKING:
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.push import Push
    from pushkit.delivery.retry import Decision
    from pushkit.delivery.senders import SenderState
    from pushkit.verdict import Verdict

log = logging.getLogger("pushkit")


class News:
    """The hooks of one client. Events for single pushes are made only while ``listening``."""

    def __init__(self, hooks: Iterable[events.Hook]) -> None:
        self._hooks: list[events.Hook] = list(hooks)
        self._reported: set[int] = set()
        self.listening = bool(self._hooks)

    def add(self, hook: events.Hook) -> None:
        """One more listener (a running report wants to hear the guard)."""
        self._hooks.append(hook)

    def tell(self, event: events.Event) -> None:
        """Give an event to every hook."""
        for hook in self._hooks:
            try:
                hook(event)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - somebody else's listener never breaks a send, nor the connection that brought an answer
                if id(hook) not in self._reported:
                    self._reported.add(id(hook))
                    # Without the text and the traceback: both may quote the event's target.
                    name = getattr(hook, "__qualname__", type(hook).__qualname__)
                    log.error(  # noqa: TRY400 - see above
                        "the hook %s raised %s on %s; further errors of it are not reported",
                        name,
                        type(error).__name__,
                        type(event).__name__,
                    )

    def _tell(self, push: Push, event: events.Event) -> None:
        # A copy each time: a hook that ends another push of the same call would enter the same context twice.
        push.call.context.copy().run(self.tell, event)

    def attempt_started(self, push: Push, origin: str) -> None:
        """A request is handed to the transport."""
        target = push.target
        self._tell(push, events.AttemptStarted(provider=target.provider, app=target.app, target=target, number=push.attempt, origin=origin))

    def attempt_finished(self, push: Push, origin: str) -> None:
        """An attempt ended."""
        target = push.target
        attempt = push.attempts[-1]
        self._tell(push, events.AttemptFinished(provider=target.provider, app=target.app, target=target, origin=origin, attempt=attempt))

    def retry_scheduled(self, push: Push, verdict: Verdict, decision: Decision) -> None:
        """The push sleeps until its next attempt."""
        target = push.target
        self._tell(
            push,
            events.RetryScheduled(
                provider=target.provider,
                app=target.app,
                target=target,
                reason=verdict.reason,
                delay=decision.delay or 0.0,
                waits_for=decision.waits_for,
            ),
        )

    def finished(self, push: Push, outcome: Outcome, *, read: bool) -> None:
        """A push has its outcome."""
        push.call.context.copy().run(self._finished, outcome, read=read)

    def _finished(self, outcome: Outcome, *, read: bool) -> None:
        self.tell(events.Finished(outcome=outcome, read=read))
        if isinstance(outcome, Accepted):
            return
        if outcome.reason == "expired":
            self.tell(events.Expired(outcome=outcome))
        if outcome.retry_at is not None:
            self.tell(events.Deferred(outcome=outcome))
        if isinstance(outcome, RecipientFailure) and outcome.action is Action.REMOVE_RECIPIENT:
            self.tell(events.RecipientGone(outcome=outcome))

    def breaker(self, lane: Lane, until: datetime | None) -> None:
        """A breaker changed."""
        state = lane.breaker.state.value
        log.warning("%s/%s: circuit breaker for %s is %s", lane.place.provider, lane.place.app, lane.origin, state)
        if self._hooks:
            self.tell(events.BreakerChanged(provider=lane.place.provider, app=lane.place.app, origin=lane.origin, state=state, until=until))

    def budget_exhausted(self, state: SenderState) -> None:
        """A sender's retry budget is used up."""
        log.warning(
            "%s/%s: the retry budget is used up; failures come back without repeats until pushes are accepted again",
            state.provider,
            state.app,
        )
        if self._hooks:
            self.tell(events.BudgetExhausted(provider=state.provider, app=state.app))
