"""
The handbook: every answer that pushkit knows, from the providers' own tables, in one form.

It explains a single answer through the very function that classifies it when it comes for real, so the
explanation cannot differ from what a push would have given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import attrs

from pushkit.outcomes import Action, Category, Disposition, Scope
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
    suspicion: bool = False
    advice: str
    meaning: str = ""
    evidence: str = ""
    """Words in the answer's text that tell this row from others with the same reason."""

    @property
    def who(self) -> str:
        """Who has to act."""
        return WHO[self.category]

    @property
    def anchor(self) -> str:
        """Its place on its provider's page of the documentation."""
        parts = [self.provider, self.service, str(self.status or ""), self.reason, self.evidence]
        kept = "-".join(part for part in parts if part).lower()
        return "-".join("".join(character if character.isalnum() else " " for character in kept).split())

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "provider": self.provider,
            "service": self.service,
            "status": self.status,
            "reason": self.reason,
            "category": self.category.value,
            "who": self.who,
            "action": self.action.value,
            "scope": self.scope.value if self.scope else None,
            "disposition": self.disposition.value,
            "retryable": self.floor is not None,
            "floor_s": self.floor,
            "suspicion": self.suspicion,
            "advice": self.advice,
            "meaning": self.meaning,
            "source": SOURCES[self.provider][1] if self.provider in SOURCES else "",
        }


def entries(provider: str) -> Sequence[Entry]:
    """
    All rows of a provider's table, in its order, without repeats.

    Raises:
        ValueError: for another provider.
    """
    makers = {"apns": _apns, "fcm": _fcm, "webpush": _webpush, OWN: _own}
    if provider not in makers:
        raise ValueError(f"expected one of {', '.join(makers)}, got {provider!r}")
    return list(dict.fromkeys(makers[provider]()))


def _apns() -> list[Entry]:
    from pushkit.apns import reasons

    found: list[Entry] = []
    named = {id(row) for row in reasons.ROWS.values()}
    rows = [*reasons.ROWS.items(), *((f"http_{status}", row) for status, row in reasons.BY_STATUS.items() if id(row) not in named)]
    for reason, row in rows:
        found.append(
            Entry(
                provider="apns",
                status=row.status,
                reason=reason,
                category=row.category,
                action=row.action,
                scope=row.scope,
                floor=row.floor,
                suspicion=row.suspicion,
                advice=row.advice,
                meaning=row.meaning,
            )
        )
    return found


def _fcm() -> list[Entry]:
    from pushkit.fcm import reasons

    statuses = {key: status for (status, _), key in reasons.INFO_ROWS.items()} | {
        key: status for status, key in reasons.STATUS_ROWS.items()
    }
    return [
        Entry(
            provider="fcm",
            status=statuses.get(key),
            reason=row.reason,
            category=row.category,
            action=row.action,
            scope=row.scope,
            disposition=row.disposition,
            floor=row.floor,
            suspicion=row.suspicion,
            advice=row.advice,
            meaning=row.meaning,
            evidence=key.replace("_", " "),
        )
        for key, row in reasons.ROWS.items()
    ]


def _webpush() -> list[Entry]:
    from pushkit.webpush import reasons

    rows: list[tuple[reasons.Row, int | None, str]] = [(row, row.status, row.reason or f"http_{row.status}") for row in reasons.ROWS]
    rows += [(row, None, f"http_{digit}xx") for digit, row in reasons.CLASSES.items()]
    rows.append((reasons.NONSENSE, None, "http_other"))
    return [
        Entry(
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
            advice=row.advice,
            evidence=row.match or ("" if row.reason else "other answers"),
        )
        for row, status, reason in rows
    ]


def own_verdicts() -> Sequence[tuple[str, Verdict]]:
    """What pushkit says by itself: where it is found, and the verdict on each kind of fault and each decision of delivery."""
    from pushkit.delivery import settle
    from pushkit.faults import judge_fault
    from pushkit.own_reasons import OWN as OWN_REASONS
    from pushkit.own_reasons import refuse
    from pushkit.wire import Processed, WireFault

    found: list[tuple[str, Verdict]] = []
    for kind in FaultKind:
        if kind not in _NEVER_PROCESSED:
            found.append(("fate unknown", judge_fault(WireFault(kind=kind, processed=Processed.UNKNOWN), {}, 1.0)))
        if kind is not FaultKind.RESPONSE_TOO_LARGE:  # somebody answered, so it was processed by somebody
            found.append(("not processed", judge_fault(WireFault(kind=kind, processed=Processed.NO), {}, 1.0)))
    decisions = [settle.expired(), settle.superseded(), settle.cancelled(), settle.closed(), settle.no_room()]
    decisions += [settle.circuit_open(30.0, "the push service"), settle.throttled(60.0, "this recipient")]
    found += [("decided before sending", verdict) for verdict in decisions]
    told = {verdict.reason for _, verdict in found}
    # A fault's word may be found before sending as well: a browser's address that is not allowed.
    found += [
        ("found before sending", refuse(reason))
        for reason in OWN_REASONS
        if reason not in told or OWN_REASONS[reason].category is not Category.TECHNICAL
    ]
    return found


_NEVER_PROCESSED: Final = frozenset(
    {FaultKind.CONNECT_FAILED, FaultKind.CONNECT_TIMEOUT, FaultKind.TLS_FAILED, FaultKind.ADDRESS_REFUSED, FaultKind.REFUSED_STREAM}
)


def _own() -> list[Entry]:
    from pushkit.own_reasons import OWN as OWN_REASONS

    return [
        Entry(
            provider=OWN,
            reason=verdict.reason,
            category=verdict.category,
            action=verdict.action,
            scope=verdict.scope,
            disposition=verdict.disposition,
            floor=(verdict.floor or 0.0) if verdict.retryable else None,
            suspicion=verdict.suspicion,
            advice=verdict.advice,
            meaning=OWN_REASONS[verdict.reason].meaning if verdict.reason in OWN_REASONS else "",
            evidence=where,
        )
        for where, verdict in own_verdicts()
    ]


def find(provider: str, words: Sequence[str]) -> Sequence[Entry]:
    """
    The rows that fit: numbers are statuses, other words are reasons, services or evidence (upper and lower case are one).

    Raises:
        ValueError: for another provider.
    """
    rows = entries(provider)
    for word in words:
        wanted = word.lower()
        rows = [
            row
            for row in rows
            if (str(row.status) == wanted if wanted.isdigit() else wanted in {row.reason.lower(), row.service} or wanted in row.evidence)
        ]
    return rows


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


def body_with(provider: str, word: str) -> bytes:
    """The body with which a provider says this word."""
    if provider == "fcm":
        details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": word}]
        return json.dumps({"error": {"status": word, "message": "", "details": details}}).encode()
    if provider == "webpush" and word.lower().startswith("errno"):
        return json.dumps({"errno": int("".join(filter(str.isdigit, word)) or 0)}).encode()
    return json.dumps({"reason": word}).encode()


def read_response(raw: str) -> tuple[int | None, list[tuple[bytes, bytes]], bytes]:
    """
    Take apart what somebody pasted: a whole HTTP response, its body alone, or a status and a body.

    Gives status (None when none is in it), header fields and body. Never raises.
    """
    text = raw.replace("\r\n", "\n").strip()
    status: int | None = None
    fields: list[tuple[bytes, bytes]] = []
    first, _, rest = text.partition("\n")
    words = first.split()
    if words and (words[0].upper().startswith("HTTP/") or words[0].isdigit()):
        number = words[1] if words[0].upper().startswith("HTTP/") and len(words) > 1 else words[0]
        if number.isascii() and number.isdigit() and len(number) == 3:
            status = int(number)
            text = rest if words[0].upper().startswith("HTTP/") else text[len(number) :].lstrip()
    if text.startswith("\n"):
        return status, fields, text.lstrip("\n").encode("utf-8", "replace")
    head, separator, body = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] and all(_is_field(line) for line in lines):
        fields = [(name.strip().lower().encode(), value.strip().encode()) for name, _, value in (line.partition(":") for line in lines)]
        text = body if separator else ""
    return status, fields, text.encode("utf-8", "replace")


def _is_field(line: str) -> bool:
    name, colon, _ = line.partition(":")
    return bool(colon) and bool(name) and all(character.isalnum() or character == "-" for character in name)
