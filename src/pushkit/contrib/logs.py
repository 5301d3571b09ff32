"""
Events as log records, for the standard library and for structlog.

::

    from pushkit.contrib.logs import LogHook

    client = pushkit.AsyncClient(..., hooks=[LogHook()])                        # logger "pushkit.events"
    client = pushkit.AsyncClient(..., hooks=[LogHook(structlog.get_logger())])  # or structlog's

The standard library gets the fields as ``extra`` (``push_provider``, ``push_reason``, ...), structlog as
key-value pairs (``provider``, ``reason``, ...). No field and no message holds an address, a key or what a
notification says; recipients appear as a fingerprint and the caller's own ``ref``.

pushkit itself logs to ``pushkit`` and below (``pushkit.webpush``), sets no level and adds no handler but
a ``NullHandler``; this module needs nothing but the standard library.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, cast

import attrs

from pushkit import events
from pushkit.lru import LRU
from pushkit.outcomes import Accepted, Outcome, describe_target
from pushkit.secret import clean

__all__ = ["DEFAULT_LEVELS", "LogHook", "StructuredLogger"]

LOGGER = "pushkit.events"
"""Where the records go unless another logger is given."""


class StructuredLogger(Protocol):
    """A logger in the manner of structlog: an event and key-value pairs."""

    def log(self, level: int, event: str, /, **fields: Any) -> Any:
        """Log an event."""
        ...


Fields: TypeAlias = dict[str, Any]

DEFAULT_LEVELS: Mapping[str, int] = {
    "attempt_started": logging.DEBUG,
    "attempt_finished": logging.DEBUG,
    "retry_scheduled": logging.DEBUG,
    "accepted": logging.DEBUG,
    "technical_failure": logging.WARNING,
    "payload_failure": logging.WARNING,
    "recipient_failure": logging.INFO,
    "deferred": logging.DEBUG,
    "expired": logging.DEBUG,
    "recipient_gone": logging.DEBUG,
    "mass_invalidation": logging.ERROR,
    "breaker_changed": logging.WARNING,
    "budget_exhausted": logging.WARNING,
    "credential_problem": logging.ERROR,
    "credential_expiring": logging.WARNING,
    "credential_refreshed": logging.DEBUG,
}
"""
Level of each event. People uninstall apps every day, so a recipient failure is no warning; many at once are
``mass_invalidation``. ``deferred``, ``expired`` and ``recipient_gone`` are told beside the failure, which says the
same; raise them to hear them by name.
"""

_FLOOD_KEYS = 256


_MINUTE = 60.0


@attrs.define
class _Burst:
    began: float
    told: int = 0
    held: int = 0
    held_before: int = 0
    """In the last minute that had any, until a line has told it."""


class LogHook:
    """
    A hook that writes events to a log.

    A broadcast with one wrong field fails a million times for the same reason: after ``per_minute`` lines
    about one (event, provider, reason), further ones are counted. The last of these lines says that it is, and
    the next one of that kind in another minute says how many there were.

    Args:
        logger: a standard logger, its name, an adapter, or a logger in the manner of structlog.
        levels: instead of :data:`DEFAULT_LEVELS`, event by event.
        per_minute: lines a minute about failures of one kind; 0 for no bound.
        clock: monotonic seconds.

    Raises:
        ValueError: when ``levels`` names an event that does not exist.
        TypeError: when ``logger`` is none.
    """

    def __init__(
        self,
        logger: str | logging.Logger | logging.LoggerAdapter[Any] | StructuredLogger = LOGGER,
        *,
        levels: Mapping[str, int] | None = None,
        per_minute: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        unknown = set(levels or ()) - set(DEFAULT_LEVELS)
        if unknown:
            raise ValueError(f"levels: no such event: {', '.join(sorted(unknown))}; there are {', '.join(DEFAULT_LEVELS)}")
        chosen = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._standard: logging.Logger | logging.LoggerAdapter[Any] | None = None
        self._structured: StructuredLogger | None = None
        if isinstance(chosen, (logging.Logger, logging.LoggerAdapter)):
            self._standard = cast("logging.Logger | logging.LoggerAdapter[Any]", chosen)
        elif callable(getattr(chosen, "log", None)):
            self._structured = chosen
        else:
            raise TypeError(f"logger: expected a logger, its name, or one in the manner of structlog, found {type(chosen).__name__}")
        self._levels = {**DEFAULT_LEVELS, **(levels or {})}
        self._per_minute = per_minute
        self._clock = clock
        self._bursts: LRU[tuple[str, str, str], _Burst] = LRU(_FLOOD_KEYS)
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            events.AttemptStarted: self._attempt_started,
            events.AttemptFinished: self._attempt_finished,
            events.RetryScheduled: self._retry_scheduled,
            events.Deferred: lambda event: self._failed("deferred", event.outcome, f"push deferred: {_word(event.outcome.reason)}"),
            events.Finished: self._finished,
            events.RecipientGone: lambda event: self._failed(
                "recipient_gone", event.outcome, f"recipient gone: {_word(event.outcome.reason)}"
            ),
            events.MassInvalidation: self._mass_invalidation,
            events.Expired: lambda event: self._failed("expired", event.outcome, "push expired"),
            events.BreakerChanged: self._breaker_changed,
            events.BudgetExhausted: self._budget_exhausted,
            events.CredentialProblem: self._credential_problem,
            events.CredentialExpiring: self._credential_expiring,
            events.CredentialRefreshed: self._credential_refreshed,
        }

    def __call__(self, event: events.Event) -> None:
        """Hear an event: what makes this object a hook."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _write(self, name: str, text: str, fields: Fields) -> None:
        level = self._levels[name]
        # Ids and words come from strangers, fields and labels from the caller's data: none of them acts in a terminal.
        text = clean(text, limit=1000)
        fields = {key: clean(value) if isinstance(value, str) else value for key, value in fields.items()}
        if self._standard is not None:
            # A prefix keeps the fields apart from LogRecord's own (`name`, `msg`, `args`, ...), which logging refuses.
            extra = {"push_event": name} | {f"push_{key}": value for key, value in fields.items()}
            _log(self._standard, level, text, extra)
        elif self._structured is not None:
            self._structured.log(level, text, push_event=name, **fields)

    def _heard(self, name: str) -> bool:
        """Whether anybody would see it: building fields for nobody is the cost of a push."""
        return self._standard is None or self._standard.isEnabledFor(self._levels[name])

    def _attempt_started(self, event: events.AttemptStarted) -> None:
        if self._heard("attempt_started"):
            fields = _place(event) | {"target": describe_target(event.target), "attempt": event.number, "origin": event.origin}
            self._write("attempt_started", f"{event.provider}: attempt {event.number}", fields)

    def _attempt_finished(self, event: events.AttemptFinished) -> None:
        if self._heard("attempt_finished"):
            attempt = event.attempt
            reason = _word(attempt.reason)
            fields = _place(event) | {
                "target": describe_target(event.target),
                "attempt": attempt.number,
                "origin": event.origin,
                "status": attempt.status,
                "reason": reason,
                "elapsed": round(attempt.elapsed, 6),
            }
            self._write("attempt_finished", f"{event.provider}: attempt {attempt.number} {reason or 'accepted'}", fields)

    def _retry_scheduled(self, event: events.RetryScheduled) -> None:
        if self._heard("retry_scheduled"):
            reason = _word(event.reason)
            fields = _place(event) | {
                "target": describe_target(event.target),
                "reason": reason,
                "delay": round(event.delay, 3),
                "waits_for": event.waits_for.value,
            }
            self._write("retry_scheduled", f"{event.provider}: {reason}, next attempt in {event.delay:.1f} s", fields)

    def _finished(self, event: events.Finished) -> None:
        outcome = event.outcome
        if isinstance(outcome, Accepted):
            if self._heard("accepted"):
                self._write("accepted", f"{outcome.provider}: accepted", _outcome_fields(outcome) | {"read": event.read})
            return
        text = f"{outcome.category.value} failure {_word(outcome.reason)}: {outcome.advice}"
        self._failed(f"{outcome.category.value}_failure", outcome, text, read=event.read)

    def _failed(self, name: str, outcome: Outcome, text: str, **more: Any) -> None:
        """A line about one push that failed, unless there were too many of the kind."""
        if isinstance(outcome, Accepted) or not self._heard(name):
            return
        burst = self._admit((name, outcome.provider, outcome.reason))
        if burst is None:
            return
        if burst.held_before:
            text += f" ({burst.held_before} more like this were not logged)"
        if burst.told == self._per_minute:
            text += " (further ones like this are counted, not logged, until the minute is over)"
        fields = _outcome_fields(outcome) | more | {"held_back": burst.held_before}
        self._write(name, f"{outcome.provider or 'push'}: {text}", fields)
        burst.held_before = 0

    def _admit(self, kind: tuple[str, str, str]) -> _Burst | None:
        """The minute that a line of this kind belongs to, or None when it is held back."""
        now = self._clock()
        burst = self._bursts.get(kind)
        if burst is None or now - burst.began >= _MINUTE:
            burst = _Burst(now, held_before=burst.held if burst is not None else 0)
            self._bursts.put(kind, burst)
        if burst.told >= self._per_minute > 0:
            burst.held += 1
            return None
        burst.told += 1
        return burst

    def _mass_invalidation(self, event: events.MassInvalidation) -> None:
        reason = _word(event.reason)
        fields = _place(event) | {"environment": event.environment, "reason": reason, "share": round(event.share, 4), "seen": event.seen}
        text = (
            f"{event.provider}/{event.app}: {event.share:.0%} of {event.seen} recipients fail with {reason}; "
            "check environment, topic and key before anybody is removed"
        )
        self._write("mass_invalidation", text, fields)

    def _breaker_changed(self, event: events.BreakerChanged) -> None:
        fields = _place(event) | {"origin": event.origin, "state": event.state, "until": event.until.isoformat() if event.until else None}
        self._write("breaker_changed", f"{event.provider}/{event.app}: circuit breaker for {event.origin} is {event.state}", fields)

    def _budget_exhausted(self, event: events.BudgetExhausted) -> None:
        self._write(
            "budget_exhausted", f"{event.provider}/{event.app}: retry budget used up, failures come back without retries", _place(event)
        )

    def _credential_problem(self, event: events.CredentialProblem) -> None:
        reason = _word(event.reason)
        stopped = "sending is stopped" if event.latched else "trying a fresh one"
        fields = _place(event) | {"reason": reason, "advice": event.advice, "latched": event.latched}
        self._write("credential_problem", f"{event.provider}/{event.app}: credential refused ({reason}), {stopped}: {event.advice}", fields)

    def _credential_expiring(self, event: events.CredentialExpiring) -> None:
        fields = _place(event) | {"expires_at": event.expires_at.isoformat()}
        self._write(
            "credential_expiring", f"{event.provider}/{event.app}: the certificate ends on {event.expires_at:%Y-%m-%d}; renew it", fields
        )

    def _credential_refreshed(self, event: events.CredentialRefreshed) -> None:
        fields = _place(event) | {"expires_at": event.expires_at.isoformat()}
        self._write("credential_refreshed", f"{event.provider}/{event.app}: access token fetched", fields)


def _log(logger: logging.Logger | logging.LoggerAdapter[Any], level: int, text: str, extra: Fields) -> None:
    if isinstance(logger, logging.LoggerAdapter):
        # An adapter puts its own fields in the place of the call's; both are wanted.
        message, given = logger.process(text, {"extra": extra})
        _log(logger.logger, level, message, {**extra, **(given.get("extra") or {})})
    else:
        logger.log(level, "%s", text, extra=extra)


def _word(reason: str | None) -> str | None:
    # An unknown reason is a stranger's text.
    return None if reason is None else clean(reason, limit=100)


def _place(event: Any) -> Fields:
    return {"provider": event.provider, "app": clean(event.app, limit=100)}


def _outcome_fields(outcome: Outcome) -> Fields:
    fields: Fields = {
        "provider": outcome.provider,
        "app": clean(outcome.app, limit=100),
        "target": describe_target(outcome.target),
        "label": clean(outcome.label, limit=100) if outcome.label is not None else None,
        "message_id": outcome.message_id,
        "attempts": len(outcome.attempts),
        "elapsed": round(outcome.elapsed, 6),
    }
    if isinstance(outcome, Accepted):
        return fields
    return fields | {
        "category": outcome.category.value,
        "reason": _word(outcome.reason),
        "status": outcome.status,
        "disposition": outcome.disposition.value,
        "action": outcome.action.value,
        "scope": outcome.scope.value if outcome.scope is not None else None,
        "retry_at": outcome.retry_at.isoformat() if outcome.retry_at is not None else None,
        "field": outcome.field,
        "advice": outcome.advice,
        "detail": outcome.detail,
    }
