"""
For each row of the error table the answer that a service really gives: status, headers and body in its own words.

Written from the services' documentation and from reports of users, not from our classifier; used by the
unit tests and, over real sockets, by the server tests.
"""

from __future__ import annotations

import json

import attrs


@attrs.frozen
class Said:
    """An answer on the wire."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


MOZILLA_ERRORS = {
    101: "Missing necessary crypto keys",
    102: "Invalid URL endpoint",
    103: "Expired URL endpoint",
    104: "Data payload too large",
    105: "Endpoint became unavailable during request",
    106: "Invalid subscription",
    108: "Router type is invalid",
    109: "Invalid authorization",
    110: "Invalid crypto headers",
    111: "Missing TTL value",
    112: "Invalid TTL value",
    113: "Invalid Topic value",
    114: "Invalid TTL: must be positive",
    201: "Use exponential back-off for retries",
    202: "Immediate retry ok",
    900: "Internal Bridge misconfiguration",
    901: "Invalid authentication",
    902: "An error occurred while establishing a connection",
    903: "Connection timed out",
    999: "Unknown error",
}
STATUS_TEXT = {301: "Moved Permanently", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 410: "Gone", 413: "Payload Too Large",
               418: "I'm a teapot", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}  # fmt: skip
GOOGLE_TEXTS = {
    "UnauthorizedRegistration": "<HTML>\n<HEAD>\n<TITLE>UnauthorizedRegistration</TITLE>\n</HEAD>\n<BODY>\n<H1>UnauthorizedRegistration</H1>\n<H2>Error 400</H2>\n</BODY>\n</HTML>\n",
    "InvalidTokenFormat": "<HTML><HEAD><TITLE>InvalidTokenFormat</TITLE></HEAD><BODY><H1>InvalidTokenFormat</H1></BODY></HTML>",
    "InvalidTtlParameter": "<HTML><HEAD><TITLE>InvalidTtlParameter</TITLE></HEAD><BODY><H1>InvalidTtlParameter</H1></BODY></HTML>",
    "authorization_missing": "authorization header must be specified.\n",
    "invalid_push_subscription_endpoint": "invalid push subscription endpoint.\n",
    "vapid_key_mismatch": "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.\n",
    "aud_mismatch": "aud claim in the token MUST include the origin of the push resource URL\n",
    "invalid_jwt": "invalid JWT provided\n",
}
GOOGLE_STATUS_TEXTS = {
    404: "A valid push subscription endpoint should be specified in the URL as such: https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa...\n",
    410: "push subscription has unsubscribed or expired.\n",
    413: "Payload too large\n",
    429: "Quota exceeded\n",
    500: "<!DOCTYPE html><html><title>Error 500 (Server Error)!!1</title></html>",
    502: "<!DOCTYPE html><html><title>Error 502 (Server Error)!!1</title></html>",
    503: "Service Unavailable\n",
}
RFC_TEXTS = {
    "missing_ttl": "Bad Request: the TTL header field is required",
    "bad_urgency": "Unknown Urgency value",
    "bad_topic": "Topic header must be no more than 32 characters",
    "bad_receipt_subscription": "the receipt subscription is not valid",
    "same_key_for_dh_and_vapid": "the same key is used for encryption and for VAPID",
    "bad_request": "Bad Request",
}
MICROSOFT_WORDS = {
    "ttl_cache_policy_conflict": "Ttl value conflicts with X-WNS-Cache-Policy.",
    "tokens_or_keys": "Zero or duplicate tokens or token signing keys.",
}
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_JSON = (b"content-type", b"application/json")


def answer_for(row: dict) -> Said:
    """What the row's service says."""
    return _WRITERS[row["service"]](row)


def mozilla_body(status: int, errno: int | None, message: str) -> bytes:
    """The JSON of autopush (docs/src/errors.md)."""
    return json.dumps({
        "code": status,
        "errno": errno,
        "error": STATUS_TEXT[status],
        "message": message,
        "more_info": "http://autopush.readthedocs.io/en/latest/http.html#error-codes",
    }).encode()  # fmt: skip


def _mozilla(row: dict) -> Said:
    status, code = row["status"], row["code"]
    headers = [_JSON]
    if status == 503:
        headers.append((b"retry-after", b"120"))
    if code == "location":
        return Said(301, (_JSON, (b"location", b"https://updates.push.services.mozilla.com/wpush/v2/other")))
    if code is None:
        return Said(status, tuple(headers), mozilla_body(status, None, f"{STATUS_TEXT[status]} without a number"))
    if str(code).startswith("109:"):
        return Said(status, tuple(headers), mozilla_body(status, 109, "VAPID public key mismatch"))
    message = MOZILLA_ERRORS[int(code)]
    if int(code) == 104:
        message = "This message is intended for a constrained device and is limited in size. Converted buffer is too long by 148 bytes"
    return Said(status, tuple(headers), mozilla_body(status, int(code), message))


def _google(row: dict) -> Said:
    text = GOOGLE_TEXTS.get(row["code"] or "", GOOGLE_STATUS_TEXTS.get(row["status"], "<HTML><H1>Error</H1></HTML>"))
    return Said(row["status"], (_TEXT,), text.encode())


def _apple(row: dict) -> Said:
    body = json.dumps({"reason": row["code"]}).encode() if row["code"] else b""
    return Said(row["status"], ((b"apns-id", b"A1B2C3D4-0000-1111-2222-333344445555"),), body)


def _microsoft(row: dict) -> Said:
    headers = [(b"x-wns-msg-id", b"1F6A3C"), (b"x-wns-debug-trace", b"DB5SCH101")]
    if row["code"] in MICROSOFT_WORDS:
        headers.append((b"x-wns-error-description", MICROSOFT_WORDS[row["code"]].encode()))
    if row["status"] == 201:
        headers.append((b"x-wns-status", b"dropped"))
    return Said(row["status"], tuple(headers))


def _rfc(row: dict) -> Said:
    headers = [_TEXT]
    if row["status"] in {301, 307}:
        headers.append((b"location", b"https://elsewhere.example.net/"))
    return Said(row["status"], tuple(headers), RFC_TEXTS.get(row["code"], "nothing that means anything").encode())


_WRITERS = {"mozilla": _mozilla, "google": _google, "apple": _apple, "microsoft": _microsoft, "rfc": _rfc}
