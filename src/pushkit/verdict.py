"""What classification says. Values only: providers make verdicts, the delivery engine alone acts on them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import attrs

from pushkit.outcomes import Action, Category, Disposition, Scope

_NOTHING: Mapping[str, str] = {}


class PauseScope(enum.StrEnum):
    """What a throttling answer slows down."""

    RECIPIENT = "recipient"
    TOPIC = "topic"
    PROJECT = "project"


@attrs.frozen
class RefreshCredential:
    """
    The credential on this request was refused as stale: get a fresh one, and try once more at once.

    ``latch``: when the fresh one is refused as well, every push with it will be. False where that would
    let one service, or one recipient, stop the others (Web Push signs per service).
    """

    latch: bool = True


@attrs.frozen
class RetireConnection:
    """Use this connection for nothing new. ``rejected``: its connection-bound credential was refused."""

    rejected: bool = False


@attrs.frozen(kw_only=True)
class Pause:
    """Send nothing more to this recipient, topic or project for so long (seconds; None: what the delay rule gives)."""

    scope: PauseScope
    seconds: float | None = None


@attrs.frozen
class LatchCredential:
    """Every push with this credential will fail: stop the flood until it is replaced or a probe works."""


Directive: TypeAlias = RefreshCredential | RetireConnection | Pause | LatchCredential


@attrs.frozen(kw_only=True)
class Acceptance:
    """The provider took it."""

    message_id: str | None = None
    info: Mapping[str, str] = _NOTHING


@attrs.frozen(kw_only=True)
class Verdict:
    """
    All that classification says about a failure: from a provider's answer, from a fault, or from a local check.

    ``floor`` is the least delay in seconds before another try (None when not retryable);
    ``retry_after`` what the provider asked for in seconds, never shortened; ``early`` allows one inline
    try after so many seconds in spite of the floor (APNs 5xx, on a new connection).
    """

    category: Category
    reason: str
    action: Action
    disposition: Disposition
    advice: str
    scope: Scope | None = None
    retryable: bool = False
    floor: float | None = None
    retry_after: float | None = None
    early: float | None = None
    status: int | None = None
    detail: str = ""
    """Already scrubbed: safe to show."""
    field: str | None = None
    invalid_since: datetime | None = None
    suspicion: bool = False
    """Recipient failures: it could be our own misconfiguration (wrong environment, topic, project, key), so the guard watches it."""
    settled_by_acceptance: bool = True
    """
    Suspected recipients: whether an accepted push for the same app and environment clears us, so that the
    recipient may be removed. False where it proves nothing (FCM: an Android phone that is reached says
    nothing about the Apple set-up of the same project).
    """
    doubt_advice: str | None = None
    """What to say instead of ``advice`` as long as a suspicious failure is not believed (nothing was accepted here yet)."""
    message_id: str | None = None
    info: Mapping[str, str] = _NOTHING
    """Evidence: the provider's finer codes, quota scope, violated fields; goes to ``outcome.info``."""
    directives: tuple[Directive, ...] = ()


def refuse_payload(reason: str, advice: str, *, field: str | None = None, detail: str = "") -> Verdict:
    """A local check's "this cannot be said": nothing was sent."""
    return Verdict(
        category=Category.PAYLOAD,
        reason=reason,
        action=Action.FIX_PAYLOAD,
        disposition=Disposition.NOT_SENT,
        advice=advice,
        field=field,
        detail=detail,
    )


def refuse_recipient(reason: str, advice: str, *, action: Action = Action.REMOVE_RECIPIENT, detail: str = "") -> Verdict:
    """A local check's "this cannot be reached": nothing was sent."""
    return Verdict(
        category=Category.RECIPIENT,
        reason=reason,
        action=action,
        disposition=Disposition.NOT_SENT,
        advice=advice,
        detail=detail,
    )


def refuse_technical(
    reason: str,
    advice: str,
    *,
    scope: Scope,
    action: Action,
    retryable: bool = False,
    floor: float | None = None,
    detail: str = "",
    directives: tuple[Directive, ...] = (),
) -> Verdict:
    """Nothing was sent for a reason of our own (configuration, credentials, a full queue)."""
    return Verdict(
        category=Category.TECHNICAL,
        reason=reason,
        action=action,
        disposition=Disposition.NOT_SENT,
        advice=advice,
        scope=scope,
        retryable=retryable,
        floor=floor,
        detail=detail,
        directives=directives,
    )
