"""
From an answer or a fault to a verdict. Total: any status and any bytes give exactly one.

The structured details decide; Google's text is looked at with plain substring tests, and only where the
code alone cannot tell the message from the recipient. Without evidence against the recipient, it is the
message's fault: a device that is removed by mistake is muted without anybody noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from pushkit import untrusted
from pushkit.faults import judge_fault
from pushkit.fcm.answer import Answer, read_answer
from pushkit.fcm.reasons import (
    APNS_ROWS,
    FAULT_FLOORS,
    FCM_ROWS,
    IID_ROWS,
    INFO_ROWS,
    LIVE_ACTIVITY_REASONS,
    NETWORK_FLOOR,
    ROWS,
    SERVER_FLOOR,
    STATUS_ROWS,
    THROTTLE_WORDS,
    Row,
)
from pushkit.outcomes import Category, Disposition, Scope
from pushkit.secret import scrub
from pushkit.verdict import Acceptance, Directive, LatchCredential, Pause, PauseScope, RefreshCredential, Verdict
from pushkit.wire import WireFault, WireResponse, WireResult

_RECIPIENT_FIELDS: Final = frozenset({"message.token", "message.fid", "token", "fid"})
_RECIPIENT_TEXTS: Final = (
    "registration token",
    "not a valid fcm",
    "device token is disabled",
    "invalid fid",
    "invalid installation",
    "invalid firebase installation",
    "installation id is not valid",
    "installation id is invalid",
)
_THIRD_PARTY_TEXT: Final = "auth error from apns"
_SKEW: Final = 60.0
"""Seconds of difference between the clocks that are worth mentioning beside a refused token."""


@attrs.frozen(kw_only=True)
class Context:
    """What classification may know about the push besides its answer."""

    portable: bool = False
    """A portable notification: fields are named in its terms."""
    live_activity: bool = False
    """The message has a Live Activity token, so Apple's reasons may be about that."""
    fan_out: bool = False
    """A topic or a condition."""
    target_field: str = ""
    """The caller's name of what a malformed topic or condition was given as."""
    notes: str = ""
    secrets: Callable[[], Iterable[str]] = tuple
    """Asked on failures only."""


NO_CONTEXT: Final = Context()


def classify(result: WireResult, now: float, context: Context = NO_CONTEXT) -> Acceptance | Verdict:
    """
    Judge what a send came to.

    Args:
        result: the answer or the fault.
        now: epoch seconds, for a Retry-After date in an answer without ``Date``.
        context: what is known about the push.
    """
    if isinstance(result, WireFault):
        return fault_verdict(result)
    if 200 <= result.status < 300:
        return acceptance_of(result, context.notes) or _verdict("malformed", Answer(), result, now, context)
    answer = read_answer(result.body)
    return _verdict(_row_of(result.status, answer, context), answer, result, now, context)


def acceptance_of(response: WireResponse, notes: str) -> Acceptance | None:
    """The acceptance in an answer with a good status, or None when it holds no name of a message."""
    name = untrusted.text_of(untrusted.json_object(response.body).get("name"), limit=500)
    if not name:
        return None
    return Acceptance(message_id=name, info={"warning": notes}) if notes else Acceptance(message_id=name)


def classify_topics(result: WireResult, now: float, context: Context = NO_CONTEXT) -> Acceptance | Verdict:
    """Judge what a call for topic subscriptions came to. Their names hold the registration, so nothing of a good answer is kept."""
    if isinstance(result, WireFault):
        return fault_verdict(result)
    if 200 <= result.status < 300:
        if result.body.lstrip()[:1] == b"{":
            return Acceptance()
        return _verdict("malformed", Answer(), result, now, context)
    answer = read_answer(result.body)
    if result.status == 409 and answer.rpc == "ALREADY_EXISTS":
        return Acceptance()
    if result.status == 404 and answer.readable and not answer.fcm:
        return _verdict("topics_missing", answer, result, now, context)
    return _verdict(_row_of(result.status, answer, context), answer, result, now, context)


def iid_verdict(word: str) -> Verdict:
    """The verdict on one registration in an answer of the old topic service; an unknown word keeps its text."""
    row = ROWS[IID_ROWS.get(word, "iid_server")]
    return Verdict(
        category=row.category,
        reason=word or row.reason,
        action=row.action,
        disposition=row.disposition,
        advice=row.advice,
        scope=row.scope,
        retryable=row.retryable,
        floor=row.floor,
        status=200,
        directives=(Pause(scope=PauseScope.PROJECT),) if row.scope is Scope.THROTTLE else (),
    )


def fault_verdict(fault: WireFault) -> Verdict:
    """The verdict on a fault; what provably never reached Google may be repeated soon."""
    verdict = judge_fault(fault, FAULT_FLOORS, SERVER_FLOOR)
    if verdict.retryable and verdict.disposition is Disposition.NOT_SENT:
        return attrs.evolve(verdict, floor=NETWORK_FLOOR)
    return verdict


# --- which row --------------------------------------------------------------------------------------


def _row_of(status: int, answer: Answer, context: Context) -> str:
    """The key of the row that fits."""
    row = _told_row(status, answer, context)
    if ROWS[row].category is not Category.RECIPIENT:
        return row
    # A status that contradicts it, or a push that named nobody: never remove on doubt.
    if status == 429:
        return _throttle_row(answer)
    if status == 401:
        return "undocumented"  # our access token is not what FCM or Apple speak of, so it is not renewed either
    if status >= 500 or context.fan_out:
        return _status_row(status)
    return row


def _told_row(status: int, answer: Answer, context: Context) -> str:
    about_activity = context.live_activity and answer.apns in LIVE_ACTIVITY_REASONS
    decided = FCM_ROWS.get(answer.fcm)
    if decided is not None:
        if decided == "unregistered" and answer.apns:
            return "live_activity_gone" if about_activity else "unregistered_apns"
        if decided == "third_party_auth" and answer.apns:
            return "third_party_auth_apns"
        return decided
    if about_activity:
        return "live_activity_gone"
    if answer.apns in APNS_ROWS:
        return APNS_ROWS[answer.apns]
    if status == 429 or THROTTLE_WORDS.intersection((answer.fcm, answer.rpc, answer.info)):
        return _throttle_row(answer)
    if status == 400 or (answer.fcm == "INVALID_ARGUMENT" and status < 500):
        return _argument_row(answer, context)
    if status == 401 and _THIRD_PARTY_TEXT in answer.message.lower():
        return "third_party_auth"  # renewing our own token would help nobody, and its second refusal would stop Android too
    return INFO_ROWS.get((status, answer.info)) or _status_row(status)


def _status_row(status: int) -> str:
    """The row of a status alone."""
    return STATUS_ROWS.get(status) or ("payload" if status == 400 else "server" if status >= 500 else "undocumented")


def _throttle_row(answer: Answer) -> str:
    scope = _quota_scope(answer)
    if answer.info == "RATE_LIMIT_EXCEEDED" and scope in {None, PauseScope.PROJECT}:
        return "quota_project"
    if scope is PauseScope.TOPIC:
        return "quota_topic"
    if scope is PauseScope.RECIPIENT:
        return "quota_device"
    return "quota" if answer.fcm or answer.quotas else "overload"


def _quota_scope(answer: Answer) -> PauseScope | None:
    """Which limit is used up, or None when nothing tells."""
    if answer.apns == "TooManyRequests":
        return PauseScope.RECIPIENT
    for quota in answer.quotas:
        # "project:device-shop": the kind is in front, and what follows is a name that may hold anything.
        kind = quota.field.lower().replace("/", ":").partition(":")[0]
        scope = _scope_in(kind) or _scope_in(quota.text.lower())
        if scope is not None:
            return scope
    return _scope_in(answer.quota_limit.lower()) or _scope_in(answer.message.lower())


def _scope_in(text: str) -> PauseScope | None:
    if "topic" in text:
        return PauseScope.TOPIC
    if "device" in text or "registration" in text:
        return PauseScope.RECIPIENT
    return PauseScope.PROJECT if "project" in text else None


_ELSEWHERE: Final = ("invalid value at", "json payload", "exactly one", "only one")
"""Complaints about the request as a whole, which may quote anything."""

_ARGUMENT_TEXTS: Final = (
    ("payload_too_big", ("too big", "too large", "exceeds the maximum")),
    ("payload_data_key", ("data key", "data payload key", "reserved")),
    ("payload_package", ("package name", "restricted_package_name")),
    ("payload_android_both", ("android_v2", "androidv2")),
    ("payload_ttl", ("ttl", "time to live")),
    ("payload_topic", ("topic name", "invalid topic", "message.topic", "invalid condition", "message.condition")),
)
"""Only the advice differs between these, so a wrong guess does no harm."""
_OTHER_TEXTS: Final = (*_ELSEWHERE, *(part for _, parts in _ARGUMENT_TEXTS for part in parts))
"""Beside one of these, a registration token in the text is no evidence against the recipient."""


def _argument_row(answer: Answer, context: Context) -> str:
    fields = [violation.field for violation in answer.violations]
    named = [field for field in fields if field]
    text = answer.message.lower()
    if named:
        if _RECIPIENT_FIELDS.issuperset(fields):
            return "malformed_field"
    elif "device token is disabled" in text:
        return "live_activity_gone" if context.live_activity else "apns_gone"
    elif any(part in text for part in _RECIPIENT_TEXTS) and not any(part in text for part in _OTHER_TEXTS):
        return "malformed_text"
    evidence = " ".join([text, *(f"{violation.field} {violation.text}".lower() for violation in answer.violations)])
    for row, parts in _ARGUMENT_TEXTS:
        if any(part in evidence for part in parts):
            return row
    return "payload_field" if named else "payload"


# --- the verdict ------------------------------------------------------------------------------------


def _verdict(key: str, answer: Answer, response: WireResponse, now: float, context: Context) -> Verdict:
    row = ROWS[key]
    secrets = tuple(context.secrets())
    answered = untrusted.server_time(response.headers)
    evidence = _evidence(key, answer, 0.0 if answered is None else now - answered, context)
    return Verdict(
        category=row.category,
        reason=_reason(key, row, answer, response.status),
        action=row.action,
        disposition=row.disposition,
        advice=row.advice,
        scope=row.scope,
        retryable=row.retryable,
        floor=row.floor,
        retry_after=_retry_after(answer, response, now) if row.retryable else None,
        status=response.status,
        detail=scrub(answer.message or untrusted.body_text(response.body), secrets),
        field=scrub(_field(key, answer, context), secrets, limit=200) or None if row.category is Category.PAYLOAD else None,
        suspicion=row.suspicion,
        # What a project accepts for one platform says nothing about another's set-up, and a registration
        # of another project may be ours, sent with the wrong configuration.
        settled_by_acceptance=False,
        info={name: scrub(value, secrets, limit=300) for name, value in evidence.items()},
        directives=_directives(row, _pause_scope(answer, context)),
    )


_OWN_WORD: Final = frozenset({"malformed", "quota_project", *INFO_ROWS.values()})
"""Rows whose reason is what ErrorInfo says (or nothing does), not the code beside it."""


def _reason(key: str, row: Row, answer: Answer, status: int) -> str:
    if key in _OWN_WORD:
        return row.reason
    word = answer.fcm or answer.rpc
    if word:
        return word
    return f"http_{status}" if key in {"server", "undocumented"} else row.reason


def _retry_after(answer: Answer, response: WireResponse, now: float) -> float | None:
    asked = [delay for delay in (untrusted.retry_after(response.headers, now), answer.retry_delay) if delay is not None]
    return max(asked, default=None)


def _pause_scope(answer: Answer, context: Context) -> PauseScope:
    """
    What slows down.

    Google says of QUOTA_EXCEEDED that the limit is the message target's, and a project's limit comes without
    that code. So where nothing tells, one busy device must not hold up all others.
    """
    told = _quota_scope(answer)
    if told is not None:
        return told
    if answer.fcm != "QUOTA_EXCEEDED":
        return PauseScope.PROJECT
    return PauseScope.TOPIC if context.fan_out else PauseScope.RECIPIENT


def _directives(row: Row, pause: PauseScope) -> tuple[Directive, ...]:
    found: list[Directive] = []
    if row.refresh:
        found.append(RefreshCredential())
    if row.latch:
        found.append(LatchCredential())
    if row.scope is Scope.THROTTLE:
        found.append(Pause(scope=pause))
    return tuple(found)


def _evidence(key: str, answer: Answer, skew: float, context: Context) -> dict[str, str]:
    found = {
        "fcm_code": answer.fcm,
        "rpc_status": answer.rpc,
        "apns_reason": answer.apns,
        "apns_status": str(answer.apns_status or ""),
        "error_info": answer.info,
        "fields": ", ".join(violation.field for violation in answer.violations if violation.field),
        "quota": ", ".join(quota.field for quota in answer.quotas if quota.field) or answer.quota_limit,
        "warning": context.notes,
    }
    if ROWS[key].scope is Scope.THROTTLE:
        found["quota_scope"] = _pause_scope(answer, context).value
    if key == "payload":
        found["ambiguous"] = "Google does not say whether the message or the recipient is wrong"
    if key == "live_activity_gone":
        found["concerns"] = "live_activity_token"
    if ROWS[key].refresh and abs(skew) > _SKEW:
        found["clock_skew"] = f"{skew:+.0f} s"
    return {name: value for name, value in found.items() if value}


# --- the caller's name of a field -------------------------------------------------------------------

_PORTABLE_FIELDS: Final = (
    ("notification.title", "title"),
    ("notification.body", "body"),
    ("notification.image", "image"),
    ("data", "data"),
    ("android.ttl", "ttl"),
    ("android.collapse_key", "collapse_key"),
    ("android.priority", "priority"),
    ("android.notification.tag", "collapse_key"),
    ("android.notification.icon", "icon"),
    ("android.notification.sound", "sound"),
    ("android.notification.notification_count", "badge"),
    ("android.notification.title_loc", "title"),
    ("android.notification.body_loc", "body"),
    ("apns.headers.apns-collapse-id", "collapse_key"),
    ("apns.payload.aps.badge", "badge"),
    ("apns.payload.aps.sound", "sound"),
    ("apns.payload.aps.category", "category"),
    ("apns.payload.aps.thread-id", "group"),
    ("apns.payload.aps.interruption-level", "interruption"),
    ("webpush.fcm_options.link", "link"),
    ("webpush.notification.icon", "icon"),
    ("fcm_options.analytics_label", "label"),
)
_ROW_FIELDS: Final = {
    "payload_ttl": "ttl",
    "payload_package": "android.restricted_package_name",
    "payload_android_both": "android_v2",
    "payload_data_key": "data",
    "payload_apns": "apns",
}


def _field(key: str, answer: Answer, context: Context) -> str:
    told = next((violation.field for violation in answer.violations if violation.field), "")
    told = told.removeprefix("message.")
    if key == "payload_topic" and context.target_field:
        return context.target_field
    if not told or told == "message":
        told = _ROW_FIELDS.get(key, "")
    if not context.portable or not told:
        return told
    for prefix, own in _PORTABLE_FIELDS:
        if told.startswith(prefix):
            return own
    return told if told in {"ttl", "data"} else f"options.{told}"
