"""Google's error answers, written from its documentation and from reports of real ones: one for each row of the reference table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

REFERENCE: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "reference" / "fcm-errors.json").read_text("utf-8"))

TYPE = "type.googleapis.com/"
HTML = "<!DOCTYPE html>\n<html lang=en>\n  <title>Error {status}</title>\n  <p><b>{status}.</b> <ins>That's an error.</ins>\n</html>\n"


def fcm(code: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}google.firebase.fcm.v1.FcmError", "errorCode": code}


def apns(status: int, reason: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}google.firebase.fcm.v1.ApnsError", "statusCode": status, "reason": reason}


def bad_request(*fields: tuple[str, str]) -> dict[str, Any]:
    return {"@type": f"{TYPE}google.rpc.BadRequest", "fieldViolations": [{"field": field, "description": text} for field, text in fields]}


def quota(subject: str, text: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}google.rpc.QuotaFailure", "violations": [{"subject": subject, "description": text}]}


def info(reason: str, **metadata: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata}


def retry_info(delay: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}google.rpc.RetryInfo", "retryDelay": delay}


def error_body(status: int, rpc: str, message: str, *details: dict[str, Any]) -> bytes:
    error: dict[str, Any] = {"code": status, "message": message, "status": rpc}
    if details:
        error["details"] = list(details)
    return json.dumps({"error": error}).encode()


@attrs.frozen
class Answer:
    """What Google says for a row, and what has to be true for it to say so."""

    status: int
    body: bytes
    live_activity: bool = False
    fan_out: bool = False


def _json(status: int, rpc: str, message: str, *details: dict[str, Any], **needs: bool) -> Answer:
    return Answer(status, error_body(status, rpc, message, *details), **needs)


def _html(status: int) -> Answer:
    return Answer(status, HTML.format(status=status).encode())


_INVALID = "Request contains an invalid argument."
_OAUTH_TEXT = "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential."

SEND_ANSWERS: dict[str, list[Answer]] = {
    "404 UNREGISTERED": [
        _json(404, "NOT_FOUND", "Requested entity was not found.", fcm("UNREGISTERED")),
        _json(404, "NOT_FOUND", "NotRegistered", fcm("UNREGISTERED")),
    ],
    "404 UNREGISTERED + ApnsError 410 Unregistered": [
        _json(404, "NOT_FOUND", "Requested entity was not found.", fcm("UNREGISTERED"), apns(410, "Unregistered")),
        _json(404, "NOT_FOUND", "Requested entity was not found.", apns(410, "Unregistered"), fcm("UNREGISTERED")),
    ],
    "400 INVALID_ARGUMENT + ApnsError 410 Unregistered": [
        _json(400, "INVALID_ARGUMENT", "APNs device token is disabled.", fcm("INVALID_ARGUMENT"), apns(410, "Unregistered")),
        _json(400, "INVALID_ARGUMENT", "APNs device token is disabled.", fcm("INVALID_ARGUMENT")),
    ],
    "400 INVALID_ARGUMENT + ApnsError 400 BadDeviceToken": [
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT"), apns(400, "BadDeviceToken")),
        _json(
            400, "INVALID_ARGUMENT", _INVALID, bad_request(("message.token", "bad")), fcm("INVALID_ARGUMENT"), apns(400, "BadDeviceToken")
        ),
    ],
    "400 INVALID_ARGUMENT + ApnsError DeviceTokenNotForTopic": [
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT"), apns(400, "DeviceTokenNotForTopic"))
    ],
    "400 INVALID_ARGUMENT + ApnsError ExpiredToken": [
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT"), apns(410, "ExpiredToken"))
    ],
    "400 INVALID_ARGUMENT + ApnsError BadDeviceToken/Unregistered while live_activity_token set": [
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT"), apns(400, "BadDeviceToken"), live_activity=True),
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT"), apns(410, "Unregistered"), live_activity=True),
    ],
    "400 INVALID_ARGUMENT + BadRequest field message.token|message.fid": [
        _json(
            400,
            "INVALID_ARGUMENT",
            "Invalid registration",
            fcm("INVALID_ARGUMENT"),
            bad_request(("message.token", "Invalid registration token")),
        ),
        _json(
            400, "INVALID_ARGUMENT", "Invalid registration", fcm("INVALID_ARGUMENT"), bad_request(("message.fid", "Invalid installation"))
        ),
    ],
    "400 INVALID_ARGUMENT + message ~ 'registration token'": [
        _json(400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token", fcm("INVALID_ARGUMENT")),
        _json(400, "INVALID_ARGUMENT", "Invalid registration token", fcm("INVALID_ARGUMENT")),
        _json(400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token"),
    ],
    "403 SENDER_ID_MISMATCH": [_json(403, "PERMISSION_DENIED", "SenderId mismatch", fcm("SENDER_ID_MISMATCH"))],
    "400 INVALID_ARGUMENT": [
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT")),
        _json(400, "INVALID_ARGUMENT", _INVALID),
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT"), apns(400, "ANewReason")),
    ],
    "400 BadRequest (no FcmError), any field but token/fid": [
        _json(
            400,
            "INVALID_ARGUMENT",
            "Invalid value at 'message.data[0].value' (TYPE_STRING), 12",
            bad_request(("message.data[0].value", "Invalid value at 'message.data[0].value' (TYPE_STRING), 12")),
        ),
        _json(
            400,
            "INVALID_ARGUMENT",
            'Invalid JSON payload received. Unknown name "x"',
            bad_request(("message", 'Unknown name "x": Cannot find field.')),
        ),
        _json(
            400,
            "INVALID_ARGUMENT",
            _INVALID,
            bad_request(("message.token", "no"), ("message.apns.payload.aps.badge", "no")),
            fcm("INVALID_ARGUMENT"),
        ),
    ],
    "400 INVALID_ARGUMENT: message too big": [_json(400, "INVALID_ARGUMENT", "Message is too big", fcm("INVALID_ARGUMENT"))],
    "400 INVALID_ARGUMENT: invalid data key": [_json(400, "INVALID_ARGUMENT", "Invalid data payload key: from", fcm("INVALID_ARGUMENT"))],
    "400 INVALID_ARGUMENT: invalid ttl": [
        _json(400, "INVALID_ARGUMENT", "Invalid ttl", fcm("INVALID_ARGUMENT"), bad_request(("message.android.ttl", "out of range")))
    ],
    "400 INVALID_ARGUMENT: invalid package name": [
        _json(
            400,
            "INVALID_ARGUMENT",
            "The package name does not match",
            fcm("INVALID_ARGUMENT"),
            bad_request(("message.android.restricted_package_name", "no")),
        )
    ],
    "400 INVALID_ARGUMENT: topic/condition malformed": [
        _json(400, "INVALID_ARGUMENT", "Invalid topic name provided", fcm("INVALID_ARGUMENT"), fan_out=True),
        _json(400, "INVALID_ARGUMENT", "Invalid condition expression provided.", fcm("INVALID_ARGUMENT"), fan_out=True),
    ],
    "400 INVALID_ARGUMENT: android and android_v2 both set": [
        _json(400, "INVALID_ARGUMENT", "Only one of android and android_v2 may be set", fcm("INVALID_ARGUMENT"))
    ],
    "400 INVALID_ARGUMENT + ApnsError PayloadTooLarge|PayloadEmpty|BadCollapseId|BadExpirationDate|BadMessageId|BadPriority|BadTopic|MissingTopic|InvalidPushType|DuplicateHeaders": [
        _json(400, "INVALID_ARGUMENT", _INVALID, fcm("INVALID_ARGUMENT"), apns(413 if reason == "PayloadTooLarge" else 400, reason))
        for reason in (
            "PayloadTooLarge",
            "PayloadEmpty",
            "BadCollapseId",
            "BadExpirationDate",
            "BadMessageId",
            "BadPriority",
            "BadTopic",
            "MissingTopic",
            "InvalidPushType",
            "DuplicateHeaders",
        )
    ],
    "413 None": [_html(413)],
    "401 THIRD_PARTY_AUTH_ERROR": [
        _json(401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", fcm("THIRD_PARTY_AUTH_ERROR")),
        _json(401, "UNAUTHENTICATED", _OAUTH_TEXT, fcm("THIRD_PARTY_AUTH_ERROR")),
    ],
    "401 APNS_AUTH_ERROR": [_json(401, "UNAUTHENTICATED", "Auth error from APNS", fcm("APNS_AUTH_ERROR"))],
    "401 THIRD_PARTY_AUTH_ERROR + ApnsError 403 InvalidProviderToken|ExpiredProviderToken|BadEnvironmentKeyInToken|BadCertificate*": [
        _json(401, "UNAUTHENTICATED", _OAUTH_TEXT, fcm("THIRD_PARTY_AUTH_ERROR"), apns(403, reason))
        for reason in (
            "InvalidProviderToken",
            "ExpiredProviderToken",
            "BadEnvironmentKeyInToken",
            "BadCertificate",
            "BadCertificateEnvironment",
        )
    ],
    "401 ErrorInfo ACCESS_TOKEN_EXPIRED": [
        _json(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
            info("ACCESS_TOKEN_EXPIRED", service="fcm.googleapis.com"),
        )
    ],
    "401 None": [
        _json(401, "UNAUTHENTICATED", _OAUTH_TEXT, info("CREDENTIALS_MISSING", service="fcm.googleapis.com")),
        _json(401, "UNAUTHENTICATED", _OAUTH_TEXT),
        _html(401),
        Answer(401, b""),
    ],
    "403 ErrorInfo SERVICE_DISABLED": [
        _json(
            403,
            "PERMISSION_DENIED",
            "Firebase Cloud Messaging API has not been used in project 1 before",
            info("SERVICE_DISABLED", consumer="projects/1"),
        )
    ],
    "403 ErrorInfo IAM_PERMISSION_DENIED": [
        _json(
            403,
            "PERMISSION_DENIED",
            "Permission 'cloudmessaging.messages.create' denied on resource",
            info("IAM_PERMISSION_DENIED", permission="cloudmessaging.messages.create"),
        )
    ],
    "403 ErrorInfo ACCESS_TOKEN_SCOPE_INSUFFICIENT": [
        _json(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", info("ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
    ],
    "403 None": [
        _json(403, "PERMISSION_DENIED", "The caller does not have permission"),
        _html(403),
        _json(403, "PERMISSION_DENIED", "no", info("BILLING_DISABLED")),
    ],
    "404 None": [_json(404, "NOT_FOUND", "Requested entity was not found."), _html(404), Answer(404, b"")],
    "429 QUOTA_EXCEEDED": [
        _json(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", fcm("QUOTA_EXCEEDED")),
        _json(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", fcm("QUOTA_EXCEEDED"), quota("project:1", "Message rate for the project")),
    ],
    "429 ErrorInfo RATE_LIMIT_EXCEEDED (SendsPerMinutePerProject)": [
        _json(
            429,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute'",
            info("RATE_LIMIT_EXCEEDED", quota_limit="SendsPerMinutePerProject", quota_metric="fcm.googleapis.com/send_requests"),
        )
    ],
    "429 QUOTA_EXCEEDED (topic)": [
        _json(429, "RESOURCE_EXHAUSTED", "Topic quota exceeded.", fcm("QUOTA_EXCEEDED"), fan_out=True),
        _json(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", fcm("QUOTA_EXCEEDED"), quota("topic:news", "Topic message rate"), fan_out=True),
    ],
    "429 QUOTA_EXCEEDED (device)": [
        _json(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", fcm("QUOTA_EXCEEDED"), quota("device:abc", "Device message rate exceeded")),
    ],
    "429 None": [_json(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."), _html(429)],
    "429 ApnsError TooManyRequests": [_json(429, "RESOURCE_EXHAUSTED", "Too many requests.", apns(429, "TooManyRequests"))],
    "500 INTERNAL": [_json(500, "INTERNAL", "Internal error encountered.", fcm("INTERNAL")), _html(500)],
    "503 UNAVAILABLE": [_json(503, "UNAVAILABLE", "The service is currently unavailable.", fcm("UNAVAILABLE")), _html(503)],
    "502 None": [_html(502), Answer(502, b"")],
    "504 None": [_json(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."), _html(504)],
    "408 None": [_html(408)],
    "409 None": [_json(409, "ABORTED", "The operation was aborted.")],
    "499 None": [_json(499, "CANCELLED", "The operation was cancelled.")],
    "501 None": [_json(501, "UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled.")],
    "None UNSPECIFIED_ERROR": [_json(500, "UNKNOWN", "Unknown error.", fcm("UNSPECIFIED_ERROR"))],
    "None malformed or empty response body": [Answer(200, b""), Answer(200, b'{"name": '), Answer(200, HTML.encode()), Answer(200, b"{}")],
}
"""What the send endpoint answers, by "status error_code" of the row."""


def key_of(row: dict[str, Any]) -> str:
    return f"{row['http_status']} {row['error_code']}"


SEND_ROWS = [row for row in REFERENCE if key_of(row) in SEND_ANSWERS]
OTHER_ROWS = {key_of(row): row for row in REFERENCE if key_of(row) not in SEND_ANSWERS}
"""Faults, token endpoint and topics: answered elsewhere."""
