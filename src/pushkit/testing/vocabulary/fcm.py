"""
FCM: ``{"error": {code, message, status, details: [...]}}`` with typed details, HTML from the front end.

Sources: the FCM ErrorCode page, the HTTP v1 error examples in Google's documentation, and bodies that
people quoted from live traffic (project quota without an FcmError, APNs errors under INVALID_ARGUMENT).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pushkit.testing.exchange import Answer, Field, html_page, json_answer
from pushkit.testing.vocabulary.apns import STATUS as APNS_STATUS
from pushkit.testing.vocabulary.retry_after import retry_after_field

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
APNS_ERROR = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


@attrs.frozen
class Row:
    """One word: where it stands in the answer."""

    http: int
    status: str
    message: str
    fcm: bool = False
    """Whether the word is an ``FcmError.errorCode``."""
    info: bool = False
    """Whether it is an ``ErrorInfo.reason``."""


ROWS: Mapping[str, Row] = {
    "UNREGISTERED": Row(404, "NOT_FOUND", "Requested entity was not found.", fcm=True),
    "INVALID_ARGUMENT": Row(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", fcm=True),
    "SENDER_ID_MISMATCH": Row(403, "PERMISSION_DENIED", "SenderId mismatch", fcm=True),
    "THIRD_PARTY_AUTH_ERROR": Row(401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", fcm=True),
    "APNS_AUTH_ERROR": Row(401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", fcm=True),
    "QUOTA_EXCEEDED": Row(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", fcm=True),
    "INTERNAL": Row(500, "INTERNAL", "Internal error encountered.", fcm=True),
    "UNAVAILABLE": Row(503, "UNAVAILABLE", "The service is currently unavailable.", fcm=True),
    "UNSPECIFIED_ERROR": Row(500, "UNKNOWN", "Unknown error.", fcm=True),
    "ACCESS_TOKEN_EXPIRED": Row(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        info=True,
    ),
    "CREDENTIALS_MISSING": Row(
        401,
        "UNAUTHENTICATED",
        "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        info=True,
    ),
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": Row(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        info=True,
    ),
    "SERVICE_DISABLED": Row(
        403, "PERMISSION_DENIED", "Firebase Cloud Messaging API has not been used in this project before or it is disabled.", info=True
    ),
    "IAM_PERMISSION_DENIED": Row(
        403, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied on resource (or it may not exist).", info=True
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Row(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", info=True),
    "RATE_LIMIT_EXCEEDED": Row(
        429,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute' of service 'fcm.googleapis.com'.",
        info=True,
    ),
    "UNAUTHENTICATED": Row(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    "PERMISSION_DENIED": Row(403, "PERMISSION_DENIED", "The caller does not have permission"),
    "NOT_FOUND": Row(404, "NOT_FOUND", "Requested entity was not found."),
    "ALREADY_EXISTS": Row(409, "ALREADY_EXISTS", "Requested entity already exists"),
    "ABORTED": Row(409, "ABORTED", "The operation was aborted."),
    "RESOURCE_EXHAUSTED": Row(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "CANCELLED": Row(499, "CANCELLED", "The operation was cancelled."),
    "UNIMPLEMENTED": Row(501, "UNIMPLEMENTED", "Method not found."),
    "DEADLINE_EXCEEDED": Row(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    "TOO_MANY_TOPICS": Row(400, "INVALID_ARGUMENT", "Too many topics."),
}

WORDS = frozenset(ROWS)

IID_WORDS = frozenset(
    {
        "NOT_FOUND",
        "INVALID_ARGUMENT",
        "TOO_MANY_TOPICS",
        "RESOURCE_EXHAUSTED",
        "PERMISSION_DENIED",
        "INTERNAL",
        "UNKNOWN",
        "DEADLINE_EXCEEDED",
    }
)
"""What the Instance ID service says of one token in a batch."""

_QUOTAS = {
    "project": ("project:local", "Message rate exceeded for the project."),
    "topic": ("topic", "Topic quota exceeded."),
    "device": ("device", "Device message rate exceeded."),
}

APNS_AUTH = frozenset({"InvalidProviderToken", "ExpiredProviderToken", "BadEnvironmentKeyInToken", "BadCertificate"})


def is_compound(word: str) -> bool:
    """Whether a word is an FCM code with an APNs reason behind it, such as ``"INVALID_ARGUMENT + ApnsError 410 Unregistered"``."""
    code, plus, apns = word.partition(" + ApnsError ")
    return bool(plus) and code in ROWS and apns.split()[-1:] != [] and apns.split()[-1] in APNS_STATUS


def render(word: str, details: Mapping[str, Any], *, now: float) -> Answer:
    """
    How FCM says it.

    ``details``: ``message``, ``field`` (a BadRequest violation there), ``description``, ``quota``
    (``"project"``, ``"topic"``, ``"device"``), ``fcm_error`` (False leaves it out), ``status``,
    ``retry_after``, ``retry_delay`` (seconds, as RetryInfo), ``headers``.
    """
    extra: list[Field] = [*retry_after_field(details, now), *details.get("headers", ())]
    if word.startswith("http_"):
        return html_page(int(word[5:]), "Error").adding(*extra)
    code, _, apns = word.partition(" + ApnsError ")
    row = ROWS[code]
    message = details.get("message", row.message)
    typed: list[dict[str, Any]] = []
    if row.fcm and details.get("fcm_error", True):
        typed.append({"@type": FCM_ERROR, "errorCode": code})
    if row.info:
        metadata = {"service": "fcm.googleapis.com"}
        if code == "RATE_LIMIT_EXCEEDED":
            metadata |= {"quota_limit": "SendsPerMinutePerProject", "quota_metric": "fcm.googleapis.com/send_requests"}
        typed.append({"@type": ERROR_INFO, "reason": code, "domain": "googleapis.com", "metadata": metadata})
    if apns:
        reason = apns.split()[-1]
        typed.append({"@type": APNS_ERROR, "statusCode": APNS_STATUS[reason], "reason": reason})
    if "field" in details:
        violation = {"field": details["field"], "description": details.get("description", message)}
        typed.append({"@type": BAD_REQUEST, "fieldViolations": [violation]})
    if "quota" in details:
        subject, text = _QUOTAS[details["quota"]]
        message = details.get("message", text)
        typed.append({"@type": QUOTA_FAILURE, "violations": [{"subject": subject, "description": text}]})
    if "retry_delay" in details:
        typed.append({"@type": RETRY_INFO, "retryDelay": f"{details['retry_delay']:g}s"})
    error: dict[str, Any] = {"code": int(details.get("status", row.http)), "message": message, "status": row.status}
    if typed:
        error["details"] = typed
    return json_answer(error["code"], {"error": error}, *extra, word=word, content_type=b"application/json; charset=UTF-8")
