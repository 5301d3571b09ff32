"""
The handbook: every answer that pushkit knows, from the providers' own tables, in one form.

It explains a single answer through the very function that classifies it when it comes for real, so the
explanation cannot differ from what a push would have given.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from pushkit.cli.own_words import ANYWHERE, DECIDED, FATES, FLOORS, NIGHTS, PLACES, WORDS, source_of
from pushkit.faults import FAULTS, judge_fault
from pushkit.notes import Note, Source
from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.report.words import advice as advice_in
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import FaultKind, WireResponse

PROVIDERS: Final = ("apns", "fcm", "webpush")
OWN: Final = "pushkit"
"""Stands for what never reached a provider: pushkit's own words, in snake_case, the same for all of them."""

SOURCES: Final = {
    "apns": (
        "Apple, Handling notification responses from APNs",
        "https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns",
    ),
    "fcm": (
        "Google, FCM error codes",
        "https://firebase.google.com/docs/cloud-messaging/error-codes",
    ),
    "webpush": (
        "RFC 8030, RFC 8292 and each service's own pages",
        "https://www.rfc-editor.org/rfc/rfc8030",
    ),
    OWN: ("RFC 9113, which says what a refused or lost request proves", "https://www.rfc-editor.org/rfc/rfc9113#section-8.7"),
}

WHO: Final = {
    Category.TECHNICAL: "engineering or operations",
    Category.PAYLOAD: "whoever wrote the message",
    Category.RECIPIENT: "whoever keeps the recipient list",
}


@attrs.frozen(kw_only=True)
class Entry:
    """One answer and what it means."""

    provider: str
    service: str = ""
    """Web Push: whose push service says so (``"rfc"``: any)."""
    status: int | None = None
    """HTTP status; None where the table has none."""
    reason: str
    category: Category
    action: Action
    scope: Scope | None = None
    disposition: Disposition = Disposition.REJECTED
    floor: float | None = None
    """Seconds before another try; None: not retryable."""
    floors: tuple[tuple[str, float], ...] = ()
    """The same for providers that ask for another delay."""
    varies: bool = False
    """How long to wait depends on the case: the outcome's ``retry_at`` says it."""
    suspicion: bool = False
    advice: str
    advice_zh: str
    meaning: str = ""
    meaning_zh: str = ""
    night: str
    """What is usually behind it when it wakes somebody."""
    night_zh: str
    source: Source
    words: tuple[str, ...] = ()
    """Other words that lead here: what Apple says inside of Google's answers."""
    evidence: str = ""
    """What tells this row from others with the same reason."""

    @property
    def who(self) -> str:
        """Who has to act."""
        return WHO[self.category]

    @property
    def told_by(self) -> str:
        """What tells it from its likes; empty where the reason itself does."""
        return "" if self.evidence.lower() == self.reason.lower().replace("_", " ") else self.evidence

    @property
    def name(self) -> str:
        """Service, status, reason, and what tells it from its likes."""
        parts = (self.service, str(self.status or ""), self.reason, f"({self.told_by})" if self.told_by else "")
        return " ".join(part for part in parts if part)

    @property
    def anchor(self) -> str:
        """Its place on its provider's page of the documentation."""
        parts = [self.provider, self.service, str(self.status or ""), self.reason, self.told_by]
        kept = "-".join(part for part in parts if part).lower()
        return "-".join("".join(character if character.isalnum() else " " for character in kept).split())

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "provider": self.provider,
            "service": self.service,
            "status": self.status,
            "reason": self.reason,
            "evidence": self.evidence,
            "name": self.name,
            "anchor": self.anchor,
            "category": self.category.value,
            "who": self.who,
            "action": self.action.value,
            "scope": self.scope.value if self.scope else None,
            "disposition": self.disposition.value,
            "retryable": self.floor is not None,
            "floor_s": self.floor,
            "floors_s": dict(self.floors),
            "delay_varies": self.varies,
            "suspicion": self.suspicion,
            "advice": self.advice,
            "advice_zh": self.advice_zh,
            "meaning": self.meaning,
            "meaning_zh": self.meaning_zh,
            "night": self.night,
            "night_zh": self.night_zh,
            "source_title": self.source.title,
            "source": self.source.url,
        }


@functools.cache
def entries(provider: str) -> Sequence[Entry]:
    """
    All rows of a provider's table, in its order, without repeats.

    Raises:
        ValueError: for another provider.
    """
    makers = {"apns": _apns, "fcm": _fcm, "webpush": _webpush, OWN: _own}
    if provider not in makers:
        raise ValueError(f"expected one of {', '.join(makers)}, got {provider!r}")
    return tuple(dict.fromkeys(makers[provider]()))


def _texts(provider: str, row: Any, note: Note, meanings: Mapping[str, str]) -> dict[str, Any]:
    """What every row says, in both languages."""
    return {
        "advice": row.advice,
        "advice_zh": advice_in(provider, row.action, row.advice, "zh"),
        "meaning": row.meaning,
        "meaning_zh": meanings[row.meaning],
        "night": note.night,
        "night_zh": note.night_zh,
        "source": note.source,
    }


def _apns() -> Iterable[Entry]:
    from pushkit.apns import reasons
    from pushkit.apns.notes import NOTES
    from pushkit.apns.reasons_zh import MEANING

    named = {id(row) for row in reasons.ROWS.values()}
    rows: list[tuple[str, int | None, reasons.Row, str]] = [(reason, row.status, row, "") for reason, row in reasons.ROWS.items()]
    # An answer without a known word is judged by its status; 401 and 403 share a row, and each has its own place here.
    rows += [(f"http_{status}", status, row, "") for status, row in reasons.BY_STATUS.items() if id(row) not in named]
    rows += [("http_410", 410, reasons.UNCLEAR_GONE, "unclear")]
    rows += [("http_4xx", None, reasons.NOT_APNS, "other answers"), ("http_5xx", None, reasons.SERVER_ERROR, "other answers")]
    for reason, status, row, evidence in rows:
        note = NOTES[f"{reason} {evidence}" if evidence == "unclear" else reason]
        yield Entry(
            provider="apns",
            status=status,
            reason=reason,
            category=row.category,
            action=row.action,
            scope=row.scope,
            floor=row.floor,
            suspicion=row.suspicion,
            evidence=evidence,
            **_texts("apns", row, note, MEANING),
        )


_FCM_STATUSES: Final = {
    "UNREGISTERED": 404,
    "NOT_FOUND": 404,
    "INVALID_ARGUMENT": 400,
    "SENDER_ID_MISMATCH": 403,
    "THIRD_PARTY_AUTH_ERROR": 401,
    "APNS_AUTH_ERROR": 401,
    "QUOTA_EXCEEDED": 429,
    "RATE_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "TOO_MANY_TOPICS": 200,
}
"""The status that Google's words come with; the old topic service answers 200 and says the words per registration."""


def _fcm() -> Iterable[Entry]:
    from pushkit.fcm import reasons
    from pushkit.fcm.notes import NOTES
    from pushkit.fcm.reasons_zh import MEANING

    statuses = {key: status for (status, _), key in reasons.INFO_ROWS.items()} | {
        key: status for status, key in reasons.STATUS_ROWS.items()
    }
    for key, row in reasons.ROWS.items():
        yield Entry(
            provider="fcm",
            status=statuses.get(key) or _FCM_STATUSES.get(row.reason) if not key.startswith("iid_") else 200,
            reason=row.reason,
            category=row.category,
            action=row.action,
            scope=row.scope,
            disposition=row.disposition,
            floor=row.floor,
            suspicion=row.suspicion,
            evidence=key.replace("_", " "),
            words=tuple(word for word, chosen in reasons.APNS_ROWS.items() if chosen == key),
            **_texts("fcm", row, NOTES[key], MEANING),
        )


def _webpush() -> Iterable[Entry]:
    from pushkit.webpush import reasons
    from pushkit.webpush.notes import NOTES

    rows: list[tuple[reasons.Row, int | None, str]] = [(row, row.status, row.reason or f"http_{row.status}") for row in reasons.ROWS]
    rows += [(row, None, f"http_{digit}xx") for digit, row in reasons.CLASSES.items()]
    rows.append((reasons.NONSENSE, None, "http_other"))
    for row, status, reason in rows:
        key = f"rfc {reason}" if status is None else f"{row.service} {status} {row.reason or row.match or ''}".rstrip()
        note = NOTES[key]
        yield Entry(
            provider="webpush",
            service=row.service.value,
            status=status,
            reason=reason,
            category=row.kind.category,
            action=row.kind.action,
            scope=row.kind.scope,
            disposition=Disposition.UNKNOWN if row.unknown else Disposition.REJECTED,
            floor=(row.floor or 0.0) if row.kind.retryable else None,
            suspicion=row.kind.suspicion,
            evidence=row.match or ("" if row.reason else "other answers"),
            advice=row.advice,
            advice_zh=advice_in("webpush", row.kind.action, row.advice, "zh"),
            night=note.night,
            night_zh=note.night_zh,
            source=note.source,
        )


def own_verdicts() -> Sequence[tuple[str, Verdict]]:
    """What pushkit says by itself: where it is found, and the verdict on each kind of fault and each decision of delivery."""
    from pushkit.delivery import settle
    from pushkit.own_reasons import OWN as OWN_REASONS
    from pushkit.own_reasons import refuse
    from pushkit.wire import Processed, WireFault

    found: list[tuple[str, Verdict]] = []
    for kind in FaultKind:
        if kind not in _NEVER_PROCESSED:
            found.append((FATES[0], judge_fault(WireFault(kind=kind, processed=Processed.UNKNOWN), {}, 1.0)))
        if kind is not FaultKind.RESPONSE_TOO_LARGE:  # somebody answered, so it was processed by somebody
            found.append((FATES[1], judge_fault(WireFault(kind=kind, processed=Processed.NO), {}, 1.0)))
    decisions = [settle.expired(), settle.superseded(), settle.cancelled(), settle.closed(), settle.no_room()]
    decisions += [settle.circuit_open(0.0, ""), settle.throttled(0.0, "")]
    found += [(DECIDED, verdict) for verdict in decisions]
    told = {verdict.reason for _, verdict in found}
    for reason, row in OWN_REASONS.items():
        # A fault's word may be found before sending as well: a browser's address that is not allowed.
        if reason in told and row.category is Category.TECHNICAL:
            continue
        verdict = refuse(reason, floor=FLOORS.get(reason))
        if reason == "retry_budget_exhausted":
            verdict = attrs.evolve(verdict, disposition=Disposition.UNKNOWN)
        found.append((PLACES.get(reason, ANYWHERE), verdict))
    return found


_NEVER_PROCESSED: Final = frozenset(
    {FaultKind.CONNECT_FAILED, FaultKind.CONNECT_TIMEOUT, FaultKind.TLS_FAILED, FaultKind.ADDRESS_REFUSED, FaultKind.REFUSED_STREAM}
)


_VARIES: Final = frozenset({"circuit_open", "throttled", "credential_latched"})


def _floors(verdict: Verdict) -> tuple[tuple[str, float], ...]:
    """What the providers that wait longer or shorter after this fault ask for."""
    from pushkit.apns.classify import classify as classify_apns
    from pushkit.fcm.classify import classify as classify_fcm
    from pushkit.wire import Processed, WireFault

    kind = next((kind for kind, row in FAULTS.items() if row.reason == verdict.reason), None)
    if kind is None or not verdict.retryable:
        return ()
    fault = WireFault(kind=kind, processed=Processed.NO if verdict.disposition is Disposition.NOT_SENT else Processed.UNKNOWN)
    judged = {"apns": classify_apns(fault, message_id="", secrets=tuple, now=0.0), "fcm": classify_fcm(fault, 0.0)}
    floors = {provider: each.floor for provider, each in judged.items() if isinstance(each, Verdict)}
    return tuple((provider, floor) for provider, floor in floors.items() if floor is not None and floor != verdict.floor)


def _own() -> Iterable[Entry]:
    for where, verdict in own_verdicts():
        night, night_zh = NIGHTS[verdict.reason]
        yield Entry(
            provider=OWN,
            reason=verdict.reason,
            category=verdict.category,
            action=verdict.action,
            scope=verdict.scope,
            disposition=verdict.disposition,
            floor=(verdict.floor or 0.0) if verdict.retryable else None,
            floors=_floors(verdict) if where in FATES else (),
            varies=verdict.reason in _VARIES,
            suspicion=verdict.suspicion,
            advice=verdict.advice,
            advice_zh=advice_in(OWN, verdict.action, verdict.advice, "zh", reason=verdict.reason),
            night=night,
            night_zh=night_zh,
            source=source_of(verdict.reason, where),
            evidence=where,
        )
    for word in WORDS:
        night, night_zh = NIGHTS[word.reason]
        yield Entry(
            provider=OWN,
            reason=word.reason,
            category=word.category,
            action=word.action,
            scope=word.scope,
            disposition=word.disposition,
            floor=word.floor,
            varies=word.reason in _VARIES,
            advice=word.advice,
            advice_zh=word.advice_zh,
            night=night,
            night_zh=night_zh,
            source=source_of(word.reason, word.where),
            evidence=word.where,
        )


def find(provider: str, words: Sequence[str]) -> Sequence[Entry]:
    """
    The rows that fit: numbers are statuses, other words are reasons, services or evidence (upper and lower case are one).

    Raises:
        ValueError: for another provider.
    """
    rows = entries(provider)
    for word in words:
        wanted = word.lower()
        rows = [row for row in rows if _fits(row, wanted)]
    return rows


def _in_words(wanted: str, text: str) -> bool:
    """Whether all of it stands in the text, word for word."""
    return wanted != "" and set(wanted.split()) <= set(text.lower().replace(",", "").split())


def _fits(row: Entry, wanted: str) -> bool:
    if wanted.isdigit():
        return str(row.status) == wanted
    if wanted in {row.reason.lower(), row.service, *map(str.lower, row.words)} or _in_words(wanted, row.evidence):
        return True
    return row.reason.endswith("…") and wanted.startswith(row.reason[:-1])


def row_of(provider: str, service: str, status: int | None, verdict: Verdict) -> Entry | None:
    """
    The row that a verdict was made from: the one with its sentence, nearest in reason, status and service.

    A sentence that holds a figure of the answer's own (by how many bytes it is too long) has the row of its reason.
    """
    rows = [row for row in entries(provider) if row.category is verdict.category]
    alike = [row for row in rows if row.advice == verdict.advice] or [
        row for row in rows if (row.reason, row.service) == (verdict.reason, service if row.service else "")
    ]
    return max(alike, key=lambda row: (row.reason == verdict.reason, row.service == service, row.status == status), default=None)


def judge(
    provider: str, status: int, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = (), *, service: str = "rfc"
) -> Verdict | Acceptance:
    """
    What a push with this answer would have come to.

    Raises:
        ValueError: for another provider or service.
    """
    response = WireResponse(status=status, headers=list(headers), body=body)
    if provider == "apns":
        from pushkit.apns.classify import classify as classify_apns

        return classify_apns(response, message_id="", secrets=tuple, now=0.0)
    if provider == "fcm":
        from pushkit.fcm.classify import classify as classify_fcm

        return classify_fcm(response, 0.0)
    if provider == "webpush":
        from pushkit.webpush.classify import classify_answer
        from pushkit.webpush.endpoints import Service

        return classify_answer(response, Service(service), (), 0.0)
    raise ValueError(f"expected one of {', '.join(PROVIDERS)}, got {provider!r}")


def body_with(provider: str, word: str, message: str = "") -> bytes:
    """The body with which a provider says this word. ``message``: FCM's text beside it."""
    if provider == "fcm":
        from pushkit.fcm.reasons import APNS_ROWS

        apple = word in APNS_ROWS
        kind, field = ("ApnsError", "reason") if apple else ("FcmError", "errorCode")
        details = [{"@type": f"type.googleapis.com/google.firebase.fcm.v1.{kind}", field: word}]
        return json.dumps({"error": {"status": "INVALID_ARGUMENT" if apple else word, "message": message, "details": details}}).encode()
    if provider == "webpush" and word.lower().startswith("errno"):
        return json.dumps({"errno": int("".join(filter(str.isdigit, word)) or 0)}).encode()
    return json.dumps({"reason": word}).encode()
