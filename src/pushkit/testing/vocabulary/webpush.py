"""
Web Push: one status code table (RFC 8030), four dialects of saying why.

Mozilla: JSON with ``errno`` (autopush, docs/src/errors.md). Google: plain text. Apple: JSON with
``reason``. Microsoft: an empty body and ``x-wns-*`` headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pushkit.testing.exchange import Answer, Field, json_answer, text_answer
from pushkit.testing.vocabulary.retry_after import retry_after_field

SERVICES = ("mozilla", "google", "apple", "microsoft", "rfc")

MOZILLA: Mapping[str, tuple[int, int | None, str]] = {
    "errno 101": (400, 101, "Missing necessary crypto keys"),
    "errno 102": (404, 102, "Invalid URL endpoint"),
    "errno 103": (410, 103, "Expired URL endpoint"),
    "errno 104": (413, 104, "Data payload too large"),
    "errno 105": (410, 105, "Endpoint became unavailable during request"),
    "errno 106": (410, 106, "Invalid subscription"),
    "errno 108": (400, 108, "Router type is invalid"),
    "errno 109": (401, 109, "Invalid authorization"),
    "errno 110": (400, 110, "Invalid crypto headers"),
    "errno 111": (400, 111, "Missing TTL header"),
    "errno 112": (400, 112, "Invalid TTL header value"),
    "errno 113": (400, 113, "Invalid topic header value"),
    "errno 114": (400, 114, "Negative TTL"),
    "errno 201": (503, 201, "Use exponential back-off for retries"),
    "errno 202": (503, 202, "Immediate retry ok"),
    "errno 900": (502, 900, "Internal bridge misconfiguration"),
    "errno 901": (502, 901, "Invalid authentication to the bridge"),
    "errno 902": (502, 902, "Bridge unavailable"),
    "errno 903": (502, 903, "Bridge timed out"),
    "errno 999": (500, 999, "Unknown error"),
    "VAPID public key mismatch": (401, 109, "VAPID public key mismatch"),
}

GOOGLE: Mapping[str, tuple[int, str]] = {
    "UnauthorizedRegistration": (400, "UnauthorizedRegistration"),
    "InvalidTokenFormat": (400, "InvalidTokenFormat"),
    "InvalidTtlParameter": (400, "InvalidTtlParameter"),
    "authorization_missing": (401, "authorization header must be specified."),
    "invalid_push_subscription_endpoint": (401, "invalid push subscription endpoint."),
    "vapid_key_mismatch": (
        403,
        "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.",
    ),
    "aud_mismatch": (403, "aud claim in the token MUST include the origin of the push resource URL"),
    "invalid_jwt": (403, "invalid JWT provided"),
}

_GOOGLE_STATUS_TEXT: Mapping[int, str] = {
    404: "A valid push subscription endpoint should be specified in the URL as such: https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91b...",
    410: "push subscription has unsubscribed or expired.",
    413: "The body exceeds 4096 octets.",
}

APPLE: Mapping[str, int] = {
    "BadTtl": 400,
    "BadUrgency": 400,
    "BadWebPushTopic": 400,
    "BadWebPushRequest": 400,
    "VapidPkHashMismatch": 400,
    "IdleTimeout": 400,
    "BadAuthorizationHeader": 403,
    "BadJwtToken": 403,
    "BadVapidPublicKey": 403,
    "BadPath": 404,
    "MethodNotAllowed": 405,
    "Unregistered": 410,
    "ExpiredToken": 410,
    "PayloadTooLarge": 413,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "Shutdown": 503,
}

MICROSOFT: Mapping[str, tuple[int, str]] = {
    "ttl_cache_policy_conflict": (400, "Ttl value conflicts with X-WNS-Cache-Policy."),
    "tokens_or_keys": (400, "Zero or duplicate tokens or token signing keys."),
    "dropped": (201, ""),
}

PORTABLE: Mapping[str, Mapping[str, str]] = {
    "gone": {"mozilla": "errno 106", "google": "http_410", "apple": "Unregistered", "microsoft": "http_410", "rfc": "http_410"},
    "not_found": {"mozilla": "errno 102", "google": "http_404", "apple": "BadPath", "microsoft": "http_404", "rfc": "http_404"},
    "throttled": {"mozilla": "http_429", "google": "http_429", "apple": "TooManyRequests", "microsoft": "http_406", "rfc": "http_429"},
    "unavailable": {
        "mozilla": "errno 201",
        "google": "http_503",
        "apple": "ServiceUnavailable",
        "microsoft": "http_503",
        "rfc": "http_503",
    },
    "too_large": {"mozilla": "errno 104", "google": "http_413", "apple": "PayloadTooLarge", "microsoft": "http_413", "rfc": "http_413"},
    "key_mismatch": {
        "mozilla": "VAPID public key mismatch",
        "google": "vapid_key_mismatch",
        "apple": "VapidPkHashMismatch",
        "microsoft": "http_403",
        "rfc": "http_403",
    },
}
"""One word for all services, each saying it in its own way."""

WORDS = frozenset(MOZILLA) | frozenset(GOOGLE) | frozenset(APPLE) | frozenset(MICROSOFT) | frozenset(PORTABLE)

#: Every 503 of autopush carries this (autoendpoint's error responses).
_MOZILLA_RETRY_AFTER = (b"retry-after", b"120")

_STATUS_TEXT: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    410: "Gone",
    413: "Payload Too Large",
    418: "I'm a teapot",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}

_MORE_INFO = "http://autopush.readthedocs.io/en/latest/http.html#error-codes"


def render(word: str, details: Mapping[str, Any], service: str, *, now: float) -> Answer:
    """
    How a service says it.

    ``details``: ``status`` (some words go with two), ``message``, ``retry_after``, ``headers``, ``location`` (3xx).
    A word of another service is said as that service's bare status.
    """
    extra: list[Field] = [*retry_after_field(details, now), *details.get("headers", ())]
    if "location" in details:
        extra.append((b"location", str(details["location"]).encode("latin-1", "replace")))
    said = PORTABLE.get(word, {}).get(service, word)
    status = int(details.get("status", status_of(said)))
    message = details.get("message")
    if service == "mozilla":
        return _mozilla(said, status, message, extra)
    if service == "apple":
        if said in APPLE:
            return json_answer(status, {"reason": said}, *extra, word=word)
        return Answer(status=status, fields=tuple(extra), word=word)
    if service == "microsoft":
        return _microsoft(said, status, extra, word)
    if service == "google" and said in GOOGLE:
        return text_answer(status, message or GOOGLE[said][1], *extra, word=word)
    text = message or (_GOOGLE_STATUS_TEXT.get(status) if service == "google" else None) or _STATUS_TEXT.get(status, "")
    return text_answer(status, text, *extra, word=word)


def status_of(word: str) -> int:
    """The usual status of a word."""
    if word.startswith("http_"):
        return int(word[5:])
    if word in MOZILLA:
        return MOZILLA[word][0]
    if word in APPLE:
        return APPLE[word]
    if word in GOOGLE:
        return GOOGLE[word][0]
    return MICROSOFT[word][0] if word in MICROSOFT else 400


def _mozilla(word: str, status: int, message: str | None, extra: list[Field]) -> Answer:
    _, errno, text = MOZILLA.get(word, (status, None, _STATUS_TEXT.get(status, "")))
    if status == 503 and word != "errno 202" and not any(name == b"retry-after" for name, _ in extra):
        extra.append(_MOZILLA_RETRY_AFTER)
    if word == "errno 103":
        extra.append((b"cache-control", b"max-age=86400"))
    body = {"code": status, "errno": errno, "error": _STATUS_TEXT.get(status, ""), "message": message or text, "more_info": _MORE_INFO}
    return json_answer(status, body, *extra, word=word)


def _microsoft(word: str, status: int, extra: list[Field], shown: str) -> Answer:
    if word == "dropped":
        fields = [(b"x-wns-status", b"dropped"), (b"x-wns-notificationstatus", b"dropped")]
        return Answer(status=201, fields=(*fields, *extra), word=shown)
    if word in MICROSOFT:
        extra.append((b"x-wns-error-description", MICROSOFT[word][1].encode()))
    extra.append((b"x-wns-status", b"dropped"))
    return Answer(status=status, fields=tuple(extra), word=shown)
