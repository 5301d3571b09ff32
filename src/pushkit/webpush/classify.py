"""
From an answer or a fault to a verdict. Total: any status and any bytes give exactly one, and nothing raises.

A refusal of our signature never latches the credential: one service's refusal says nothing about the
others, and an endpoint that a stranger made up could stop everybody's pushes with a 403.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from pushkit.faults import judge_fault
from pushkit.outcomes import Disposition
from pushkit.own_reasons import refuse
from pushkit.secret import scrub
from pushkit.untrusted import body_text, header, json_object, retry_after, server_time, text_of
from pushkit.verdict import (
    Acceptance,
    Directive,
    Pause,
    PauseScope,
    RefreshCredential,
    RetireConnection,
    Verdict,
)
from pushkit.webpush.endpoints import Service
from pushkit.webpush.reasons import CLASSES, CREDENTIALS, DOUBTED, FAULT_FLOOR, FAULT_FLOORS, MESSAGE, NONSENSE, ROWS, THROTTLED, Row
from pushkit.wire import FaultKind, Header, WireFault, WireResponse


def _indexed(rows: Iterable[Row]) -> dict[tuple[Service, int], list[Row]]:
    index: dict[tuple[Service, int], list[Row]] = {}
    for row in rows:
        index.setdefault((row.service, row.status), []).append(row)
    for found in index.values():
        # Words in the text say more than a number: autopush's 109 is every fault of the token, one of them a key mismatch.
        found.sort(key=lambda row: row.match is None)
    return index


_BY_STATUS = _indexed(ROWS)
_BY_WORD = {(row.service, row.reason): row for row in reversed(ROWS) if row.reason is not None and row.match is None}
_DROPPED = (b"x-wns-status", b"x-wns-notificationstatus")
_WNS_DESCRIPTION = b"x-wns-error-description"
_KEPT_HEADERS = (
    (b"location", "location"),
    (b"ttl", "ttl"),
    (b"link", "link"),
    (b"apns-id", "apns_id"),
    (b"x-wns-msg-id", "wns_msg_id"),
    (b"x-wns-debug-trace", "wns_debug_trace"),
    (b"x-wns-status", "wns_status"),
    (b"x-wns-notificationstatus", "wns_notification_status"),
    (b"x-wns-error-description", "wns_error_description"),
    (b"mise-correlation-id", "mise_correlation_id"),
)
_KEPT = dict(_KEPT_HEADERS)
_LONGEST_KEPT = 2048
_MESSAGE_IDS = {Service.APPLE: "apns_id", Service.MICROSOFT: "wns_msg_id"}
_LONGEST_ID = 128
_LONGEST_WORD = 64
_CLOCKS_DIFFER = 900.0


@attrs.frozen
class _Said:
    """What an answer says beside its status."""

    word: str = ""
    """The structured reason: ``errno 103``, ``BadJwtToken``."""
    text: str = ""
    """Everything said in words, for matching."""
    shown: str = ""
    """The raw text, for ``detail``."""


def classify_answer(response: WireResponse, service: Service, secrets: Sequence[str], now: float) -> Acceptance | Verdict:
    """
    The verdict on an answer.

    Args:
        response: what the service said.
        service: whose service it is.
        secrets: texts that must not show in ``detail``.
        now: epoch seconds.
    """
    status = response.status
    if 200 <= status < 300:
        info = _info(response.headers)
        if service is not Service.MICROSOFT or not any(field in info for field in ("wns_status", "wns_notification_status")):
            return Acceptance(message_id=_message_id(info, service), info=info)
        dropped = _find(service, 201, _Said(text=_words(f"{info.get('wns_status', '')} {info.get('wns_notification_status', '')}")))
        if dropped is None:
            return Acceptance(message_id=_message_id(info, service), info=info)
        return _verdict(dropped, dropped.reason or "dropped", response, service, said=_Said(), secrets=secrets, now=now)
    said = _said(response, service)
    if service is Service.OTHER and said.word:
        # A push service of one's own that speaks autopush's JSON is an autopush.
        service = Service.MOZILLA
    row = _find(service, status, said)
    if row is None:
        row = _BY_WORD.get((service, said.word)) if service is Service.APPLE else None
    if row is None:
        row = _fallback(service, status)
    reason = row.reason or said.word or f"http_{status}"
    return _verdict(row, reason, response, service, said=said, secrets=secrets, now=now)


def classify_fault(fault: WireFault) -> Verdict:
    """The verdict on a fault. A name that leads to an address inside is the endpoint's doing, not the network's."""
    if fault.kind is FaultKind.ADDRESS_REFUSED:
        return refuse("endpoint_not_allowed", detail="the endpoint's host has no public address")
    return judge_fault(fault, FAULT_FLOORS, FAULT_FLOOR)


def _find(service: Service, status: int, said: _Said) -> Row | None:
    for row in _BY_STATUS.get((service, status), ()):
        if row.match is not None:
            if f" {row.match} " in said.text:
                return row
        elif row.reason is not None and row.reason == said.word:
            return row
    return None


def _fallback(service: Service, status: int) -> Row:
    for place in ((service, status), (Service.OTHER, status)):
        for row in _BY_STATUS.get(place, ()):
            if row.reason is None and row.match is None:
                return row
    return CLASSES.get(status // 100, NONSENSE)


def _words(text: str) -> str:
    """Lower case, punctuation as single spaces, a space at both ends: so that "ttl" is not found in "throttled"."""
    return f" {' '.join(''.join(character if character.isalnum() else ' ' for character in text.lower()).split())} "


def _said(response: WireResponse, service: Service) -> _Said:
    if service is Service.MICROSOFT:
        # Its bodies are empty; the words are in a header.
        shown = header(response.headers, _WNS_DESCRIPTION) or body_text(response.body)
        return _Said(text=_words(shown[:_LONGEST_KEPT]), shown=shown)
    shown = body_text(response.body)
    fields = json_object(response.body)
    word = ""
    if service is Service.APPLE:
        word = text_of(fields.get("reason"), limit=_LONGEST_WORD)
        if not (word.isascii() and word.isalnum()):
            word = ""
    elif service in {Service.MOZILLA, Service.OTHER} and "errno" in fields:
        errno = fields["errno"]
        if isinstance(errno, int) and not isinstance(errno, bool) and 0 <= errno < 10_000:
            word = f"errno {errno}"
    message = text_of(fields.get("message"), limit=_LONGEST_KEPT)
    return _Said(word=word, text=_words(message or shown), shown=shown)


def _info(headers: Sequence[Header]) -> dict[str, str]:
    info: dict[str, str] = {}
    for name, value in headers:
        kept = _KEPT.get(name)
        if kept is not None and kept not in info and len(value) <= _LONGEST_KEPT:
            info[kept] = value.decode("latin-1")
    return info


def _message_id(info: Mapping[str, str], service: Service) -> str | None:
    """The id by which a service's support finds a message. It is shown, so a stranger's header (our own token, sent back) is none."""
    found = info.get(_MESSAGE_IDS.get(service, ""))
    return found if found is not None and len(found) <= _LONGEST_ID and found.isprintable() else None


def _verdict(
    row: Row, reason: str, response: WireResponse, service: Service, *, said: _Said, secrets: Sequence[str], now: float
) -> Verdict:
    kind = row.kind
    info = _info(response.headers)
    directives: list[Directive] = []
    if row.resign:
        directives.append(RefreshCredential(latch=False))
    if row.retire:
        directives.append(RetireConnection())
    asked = retry_after(response.headers, now) if kind.retryable else None
    if kind is THROTTLED:
        # RFC 8030 section 8.4: the limit is this push resource's, not the service's.
        directives.append(Pause(scope=PauseScope.RECIPIENT, seconds=asked))
    advice = row.advice
    if response.status == 413 and kind is MESSAGE:
        advice = _too_long(said.text, advice, info)
    elif kind is CREDENTIALS:
        advice = _wrong_clock(response.headers, now, advice, info)
    return Verdict(
        category=kind.category,
        reason=reason,
        action=kind.action,
        scope=kind.scope,
        disposition=Disposition.UNKNOWN if row.unknown else Disposition.REJECTED,
        advice=advice,
        retryable=kind.retryable,
        floor=float(row.floor) if row.floor is not None else None,
        retry_after=asked,
        status=response.status,
        detail=scrub(said.shown, secrets),
        suspicion=kind.suspicion,
        doubt_advice=DOUBTED if kind.suspicion else None,
        message_id=_message_id(info, service),
        info=info,
        directives=tuple(directives),
    )


def _wrong_clock(headers: Sequence[Header], now: float, advice: str, info: dict[str, str]) -> str:
    """A token that is "expired" or "too long" is most often a clock's fault: the answer's own date tells."""
    theirs = server_time(headers)
    if theirs is None or abs(now - theirs) < _CLOCKS_DIFFER:
        return advice
    info["clock_ahead_s"] = f"{now - theirs:.0f}"
    direction = "ahead of" if now > theirs else "behind"
    return f"Set this machine's clock right: it is {abs(now - theirs) / 3600:.1f} hours {direction} the push service's, which refuses the sign-in."


def _too_long(text: str, advice: str, info: dict[str, str]) -> str:
    """Autopush tells by how many characters of base64 a message for a phone is too long ("too long by N bytes"): three of our bytes for four."""
    _, found, rest = text.partition(" too long by ")
    number = rest.split(" ", 1)[0]
    if not found or not (number.isascii() and number.isdigit()) or len(number) > 6:
        return advice
    info["too_long_by"] = number
    return f"Shorten the message by at least {-(-int(number) * 3 // 4)} bytes: this browser is on a phone, which takes less than a desktop."
