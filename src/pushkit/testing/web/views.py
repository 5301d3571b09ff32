"""Records as the page wants them: plain JSON, addresses shortened, credentials as claims only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from pushkit.apns.classify import classify as classify_apns
from pushkit.fcm.classify import classify as classify_fcm
from pushkit.outcomes import Category
from pushkit.secret import fingerprint
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import member, shown
from pushkit.testing.vocabulary import apns, fcm, webpush
from pushkit.verdict import Acceptance, Verdict
from pushkit.webpush.classify import classify_answer as classify_webpush
from pushkit.webpush.endpoints import Service
from pushkit.wire import WireResponse

_LONGEST = 300
_LONGEST_BODY = 20_000


def summary(record: SentRecord) -> dict[str, Any]:
    """One line of the list."""
    return {
        "number": record.number,
        "time": record.time,
        "provider": record.provider,
        "service": record.service,
        "app": app_of(record),
        "recipient": fingerprint(repr(record.address.key)),
        "shown": shortened(record),
        "title": record.title[:_LONGEST],
        "text": record.text[:_LONGEST],
        "status": record.status,
        "word": record.reason,
        "fault": record.fault,
        "outcome": outcome(record),
        "category": judged(record)[0],
        "attempt": record.attempt,
        "problem": record.problem,
        "bytes": len(record.body),
    }


def detail(record: SentRecord) -> dict[str, Any]:
    """Everything about one record."""
    payload = record.payload
    answer = record.answer
    return {
        **summary(record),
        "at": record.at.isoformat(),
        "target": record.address.key,
        "method": record.request.method,
        "protocol": record.request.connection.protocol,
        "connection": record.request.connection.id,
        "headers": list(record.headers.items()),
        "claims": _readable(dict(record.claims)),
        "payload": _readable(payload) if not isinstance(payload, bytes) else f"{len(payload)} bytes that are no text",
        "advice": judged(record)[1],
        "preview": preview(record) | {"refused": not record.accepted},
        "answer": None
        if answer is None
        else {
            "status": answer.status,
            "word": answer.word,
            "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in answer.fields],
            "body": answer.body.decode("utf-8", "replace")[:_LONGEST_BODY],
        },
    }


def _readable(value: Any) -> Any:
    """A sender's JSON as a browser reads it: Python also takes NaN and Infinity, and nests deeper than it writes."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except ValueError:
        return json.loads(json.dumps(value), parse_constant=str)
    except RecursionError:
        return "JSON that is nested too deep to be shown"


def outcome(record: SentRecord) -> str:
    """What the service did, in a word."""
    if record.accepted:
        return "accepted" if not record.problem else "unreadable"
    if record.answer is None:
        return "no answer"
    status = record.answer.status
    return "gone" if status in {404, 410} else "refused" if status < 429 else "busy"


def judged(record: SentRecord) -> tuple[str, str]:
    """What pushkit makes of the answer: ``"accepted"`` or the failure's category, and its advice."""
    answer = record.answer
    if answer is None:
        return Category.TECHNICAL.value, ""
    response = WireResponse(answer.status, answer.fields, answer.body)
    verdict: Acceptance | Verdict
    if record.provider == "apns":
        verdict = classify_apns(response, message_id="", secrets=tuple, now=record.time)
    elif record.provider == "fcm":
        verdict = classify_fcm(response, record.time)
    else:
        service = Service.OTHER if record.service == "rfc" else Service(record.service)
        verdict = classify_webpush(response, service, (), record.time)
    return ("accepted", "") if isinstance(verdict, Acceptance) else (verdict.category.value, verdict.advice)


def app_of(record: SentRecord) -> str:
    """The app: bundle id, project or service."""
    if record.provider == "apns":
        return record.request.text(b"apns-topic") or record.request.path.rpartition("/")[2]
    if record.provider == "fcm":
        parts = record.request.path.split("/")
        return parts[3] if len(parts) > 3 else ""
    return record.service


def shortened(record: SentRecord) -> str:
    """A recipient that a person can tell from another."""
    key = record.address.short
    return key if len(key) <= 24 else f"{key[:10]}…{key[-8:]}"


def preview(record: SentRecord) -> dict[str, Any]:
    """What a screen would show, in portable words; empty strings where there is nothing."""
    payload = record.payload
    if record.provider == "apns":
        return _apns(payload, record)
    if record.provider == "fcm":
        return _fcm(payload)
    return _webpush(payload, record)


def _apns(payload: object, record: SentRecord) -> dict[str, Any]:
    alert = member(payload, "aps", "alert")
    kind = record.request.text(b"apns-push-type") or "alert"
    silent = not record.title and not record.text
    return {
        "screens": ["ios"],
        "app": app_of(record),
        "title": record.title,
        "subtitle": shown(member(alert, "subtitle")),
        "body": record.text,
        "badge": shown(member(payload, "aps", "badge")),
        "level": shown(member(payload, "aps", "interruption-level")),
        "silent": silent,
        "note": f"push type {kind}: nothing on the screen by itself" if silent else "",
        "links": [],
    }


def _fcm(payload: object) -> dict[str, Any]:
    def first(*paths: tuple[str, ...]) -> str:
        return next((text for path in paths if (text := shown(member(payload, *path)))), "")

    v2 = ("android_v2", "remote_notification", "notification")
    aps, page = ("apns", "payload", "aps"), ("webpush", "notification")

    def text(part: str) -> str:
        return first(
            ("android", "notification", part), (*v2, part), ("notification", part), (*aps, "alert", part), (*page, part),
        )  # fmt: skip

    title, body = text("title"), text("body") or first((*aps, "alert"))
    image = first(("android", "notification", "image"), ("notification", "image"))
    link = first(("webpush", "fcm_options", "link"))
    silent = not title and not body
    screens = (
        ["android"] + (["ios"] if member(payload, "apns") else []) + (["browser"] if member(payload, "webpush", "notification") else [])
    )
    return {
        "screens": screens,
        "app": "",
        "title": title,
        "subtitle": "",
        "body": body,
        "badge": first(("android", "notification", "notification_count"), (*aps, "badge")),
        "level": first(("android", "priority")),
        "silent": silent,
        "note": "data only: the app decides what it shows" if silent else "",
        "links": [value for value in (image, link) if value],
    }


def _webpush(payload: object, record: SentRecord) -> dict[str, Any]:
    notification = member(payload, "notification")
    inner = _object(notification) or _object(payload)
    links = [value for name in ("navigate", "image", "icon") if isinstance(value := inner.get(name), str)]
    note = record.problem or ("" if record.title or record.text else "the service worker decides what it shows")
    return {
        "screens": ["browser"],
        "app": record.service,
        "title": record.title,
        "subtitle": "",
        "body": record.text,
        # The member badge is a picture; the number is app_badge, at the top or inside.
        "badge": shown(member(payload, "app_badge")) or shown(inner.get("app_badge")),
        "level": record.request.text(b"urgency") or "",
        "silent": not record.title and not record.text,
        "note": note,
        "links": links,
    }


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def words() -> dict[str, list[str]]:
    """What can be scripted, by provider."""
    return {
        "apns": _ordered(apns.WORDS, ("Unregistered", "BadDeviceToken", "TooManyRequests", "ServiceUnavailable")),
        "fcm": _ordered(fcm.WORDS, ("UNREGISTERED", "UNAVAILABLE", "QUOTA_EXCEEDED", "INVALID_ARGUMENT")),
        "webpush": _ordered(webpush.WORDS, tuple(webpush.PORTABLE)),
    }


def _ordered(words: frozenset[str], first: tuple[str, ...]) -> list[str]:
    return [*first, *sorted(words - set(first))]
