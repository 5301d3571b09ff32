"""An answer or a fault to a verdict: pure and total."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from pushkit.apns.reasons import BY_STATUS, NOT_APNS, ROWS, SERVER_ERROR, UNCLEAR_GONE, Row
from pushkit.faults import judge_fault
from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.secret import clean, scrub
from pushkit.untrusted import JSON_LIMIT, epoch_millis, json_object, retry_after, text_of
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import Processed, WireFault, WireResponse, WireResult

Secrets: TypeAlias = Callable[[], Iterable[str]]
"""Gives what must not be shown."""

_CONNECTION_FLOOR = 1.0
"""Seconds before another try after a connection broke: a new one is needed first."""

FAULT_FLOORS: Mapping[str, float] = {"refused_stream": 0.0, "connect_failed": 1.0, "connect_timeout": 1.0}

_INFO = frozenset({b"apns-unique-id", b"apns-request-id"})
_NOTHING: Mapping[str, str] = {}


def classify(
    result: WireResult, *, message_id: str, secrets: Secrets, now: float, accepted: frozenset[int] = frozenset({200})
) -> Acceptance | Verdict:
    """
    Judge an answer or a fault.

    Args:
        result: what the transport said.
        message_id: the id that the request carried.
        secrets: gives what must not show in ``detail``; asked only where there is text of somebody else's to show.
        now: epoch seconds.
        accepted: statuses that mean success (channel management has others than a push).
    """
    if isinstance(result, WireFault):
        return _fault(result, secrets)
    if result.status in accepted:
        given, told = _ids(result, message_id)
        return Acceptance(message_id=given, info=told or _NOTHING)
    return _refusal(result, message_id, secrets, now)


def _ids(response: WireResponse, sent: str) -> tuple[str, dict[str, str]]:
    """The id that the answer gives, or the one that was sent, and what else it tells. One pass: every accepted push comes through here."""
    given = ""
    told: dict[str, str] = {}
    for name, value in response.headers:
        if name == b"apns-id":
            given = value.decode("latin-1")
        elif name in _INFO:
            told[name.decode()] = clean(value.decode("latin-1"), limit=_LONGEST_ID)
    given = given or told.get("apns-request-id", "")
    # Almost always an echo, which is known to be harmless.
    return (given if given == sent else clean(given, limit=_LONGEST_ID) or sent), told


_LONGEST_ID = 200


_GONE = 410

_REFUSALS = frozenset({400, 403, 404, 405, 413})
"""Statuses between which Apple may move a reason; 410, 429 and 5xx say too much by themselves."""


def find_row(status: int, word: str) -> tuple[Row, bool]:
    """The row of an answer, and whether the reason is in the table. A reason counts only with a status of its kind."""
    # Apple's broadcast page writes "Service Unavailable".
    row = ROWS.get(word) or ROWS.get(word.replace(" ", ""))
    if row is not None and (row.status == status or {row.status, status} <= _REFUSALS):
        return row, True
    row = BY_STATUS.get(status)
    if row is None:
        row = SERVER_ERROR if status >= 500 else NOT_APNS
    return row, False


def _refusal(response: WireResponse, message_id: str, secrets: Secrets, now: float) -> Verdict:
    answer: dict[str, Any] = json_object(response.body)
    word = text_of(answer.get("reason"), limit=JSON_LIMIT)
    row, known = find_row(response.status, word)
    since = epoch_millis(answer.get("timestamp")) if row.category is Category.RECIPIENT else None
    unreadable_time = since is None and answer.get("timestamp") is not None
    if row.action is Action.REMOVE_RECIPIENT and response.status == _GONE and (not word or unreadable_time or (word in ROWS and not known)):
        # A 410 that does not speak as APNs does (no word, a word of another answer, a time that is none) may
        # come from a proxy: nobody is removed for that.
        row = UNCLEAR_GONE
    known_word = word.replace(" ", "") if known and word not in ROWS else word
    retryable = row.floor is not None
    given, told = _ids(response, message_id)
    return Verdict(
        category=row.category,
        reason=known_word if known else (scrub(word, secrets(), limit=100) or f"http_{response.status}"),
        action=row.action,
        disposition=Disposition.REJECTED if response.status >= 300 else Disposition.UNKNOWN,
        advice=row.advice,
        scope=row.scope,
        retryable=retryable,
        floor=row.floor,
        retry_after=retry_after(response.headers, now) if retryable else None,
        early=row.early,
        status=response.status,
        detail="" if known and len(answer) <= 2 else scrub(response.body, secrets()),
        invalid_since=since,
        suspicion=row.suspicion,
        message_id=given,
        info=told or _NOTHING,
        directives=row.directives,
    )


def _fault(fault: WireFault, secrets: Secrets) -> Verdict:
    verdict = judge_fault(fault, FAULT_FLOORS, _CONNECTION_FLOOR)
    if verdict.detail:
        verdict = attrs.evolve(verdict, detail=scrub(verdict.detail, secrets()))
    row = ROWS.get(fault.goaway_reason or "")
    # A GOAWAY that names a credential or a setting is that answer, for every stream that it left without one. Others
    # (Shutdown, IdleTimeout) only say why this connection ended, and the push may go out on the next.
    if (
        row is None
        or fault.goaway_reason is None
        or row.category is not Category.TECHNICAL
        or row.scope not in {Scope.CREDENTIAL, Scope.CONFIGURATION}
    ):
        return verdict
    return attrs.evolve(
        verdict,
        reason=fault.goaway_reason,
        action=row.action,
        scope=row.scope,
        advice=row.advice,
        retryable=row.floor is not None,
        floor=row.floor,
        early=None,
        disposition=Disposition.NOT_SENT if fault.processed is Processed.NO else Disposition.UNKNOWN,
        directives=row.directives,
    )
