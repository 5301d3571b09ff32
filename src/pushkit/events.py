"""
What hooks hear: typed events, delivered synchronously.

A hook is any callable that takes one event. It runs on the event loop (for ``Client``: in the
background thread) between two pushes, so it must be quick; hand slow work to a queue (see
``pushkit.contrib``). A hook that raises is reported once in the log and never breaks a send.

Events hold targets, whose ``repr`` is masked. They are given for every push only if a hook is set.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import attrs

from pushkit.outcomes import Attempt, Failure, Outcome, RecipientFailure, WaitedFor
from pushkit.targets import Target


@attrs.frozen(kw_only=True)
class AttemptStarted:
    """A request is handed to the transport."""

    provider: str
    app: str
    target: Target
    number: int
    origin: str


@attrs.frozen(kw_only=True)
class AttemptFinished:
    """An attempt ended, well or not."""

    provider: str
    app: str
    target: Target
    origin: str
    attempt: Attempt


@attrs.frozen(kw_only=True)
class RetryScheduled:
    """The same push will be tried again, inside this call."""

    provider: str
    app: str
    target: Target
    reason: str
    delay: float
    """Seconds."""
    waits_for: WaitedFor


@attrs.frozen(kw_only=True)
class Deferred:
    """A retryable failure was given back with ``retry_at``: the wait is too long for this call."""

    outcome: Failure


@attrs.frozen(kw_only=True)
class Finished:
    """A push has its outcome. Heard exactly once for every push that was taken."""

    outcome: Outcome
    read: bool = True
    """False: nobody will read it (the stream was left early, the send was cancelled)."""


@attrs.frozen(kw_only=True)
class RecipientGone:
    """A recipient failure that the guard believes."""

    outcome: RecipientFailure


@attrs.frozen(kw_only=True)
class MassInvalidation:
    """Too many recipients failed the same way: the guard turned further ones to REVIEW_RECIPIENT."""

    provider: str
    app: str
    environment: str
    reason: str
    share: float
    seen: int


@attrs.frozen(kw_only=True)
class Expired:
    """A push was too old before an attempt; nothing was sent in that attempt."""

    outcome: Outcome


@attrs.frozen(kw_only=True)
class BreakerChanged:
    """A circuit breaker opened, half-opened or closed."""

    provider: str
    app: str
    origin: str
    state: str
    """``"open"``, ``"half_open"`` or ``"closed"``."""
    until: datetime | None = None


@attrs.frozen(kw_only=True)
class BudgetExhausted:
    """The retry budget of a credential is used up: failures come back without inline retries until it recovers."""

    provider: str
    app: str


@attrs.frozen(kw_only=True)
class CredentialProblem:
    """A credential was refused; sending with it is stopped (latched) or about to be."""

    provider: str
    app: str
    reason: str
    advice: str
    latched: bool


@attrs.frozen(kw_only=True)
class CredentialExpiring:
    """A certificate ends soon."""

    provider: str
    app: str
    expires_at: datetime


@attrs.frozen(kw_only=True)
class CredentialRefreshed:
    """An access token was fetched."""

    provider: str
    app: str
    expires_at: datetime


Event: TypeAlias = (
    AttemptStarted
    | AttemptFinished
    | RetryScheduled
    | Deferred
    | Finished
    | RecipientGone
    | MassInvalidation
    | Expired
    | BreakerChanged
    | BudgetExhausted
    | CredentialProblem
    | CredentialExpiring
    | CredentialRefreshed
)
"""Everything that a hook can hear."""

Hook: TypeAlias = Callable[[Event], None]
"""A listener."""
