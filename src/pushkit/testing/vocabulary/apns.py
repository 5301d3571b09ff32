"""
APNs: JSON with ``reason``, and ``timestamp`` in milliseconds with 410.

Source: Apple, "Handling notification responses from APNs" and "Handling error responses from Apple Push
Notification service" (broadcast); ``BadEnvironmentKeyInToken`` was reported from live traffic only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pushkit.testing.exchange import Answer, Field, json_answer
from pushkit.testing.vocabulary.retry_after import retry_after_field

STATUS: Mapping[str, int] = {
    "BadCollapseId": 400,
    "BadDeviceToken": 400,
    "BadExpirationDate": 400,
    "BadMessageId": 400,
    "BadPriority": 400,
    "BadTopic": 400,
    "DeviceTokenNotForTopic": 400,
    "DuplicateHeaders": 400,
    "IdleTimeout": 400,
    "InvalidPushType": 400,
    "MissingDeviceToken": 400,
    "MissingTopic": 400,
    "PayloadEmpty": 400,
    "TopicDisallowed": 400,
    "FeatureNotEnabled": 400,
    "MissingChannelId": 400,
    "BadChannelId": 400,
    "ChannelNotRegistered": 400,
    "BadRequestParams": 400,
    "BadRequestPayload": 400,
    "MissingPushType": 400,
    "CannotCreateChannelConfig": 400,
    "BadCertificate": 403,
    "BadCertificateEnvironment": 403,
    "ExpiredProviderToken": 403,
    "Forbidden": 403,
    "InvalidProviderToken": 403,
    "MissingProviderToken": 403,
    "UnrelatedKeyIdInToken": 403,
    "BadEnvironmentKeyIdInToken": 403,
    "BadEnvironmentKeyInToken": 403,
    "TopicMismatch": 403,
    "BadPath": 404,
    "MethodNotAllowed": 405,
    "ExpiredToken": 410,
    "Unregistered": 410,
    "PayloadTooLarge": 413,
    "TooManyProviderTokenUpdates": 429,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "Service Unavailable": 503,
    "Shutdown": 503,
}

WORDS = frozenset(STATUS)


def render(word: str, details: Mapping[str, Any], *, now: float, apns_id: str | None = None) -> Answer:
    """
    How APNs says it.

    ``details``: ``since`` (aware datetime; 410 only, default an hour ago), ``status``, ``retry_after``, ``headers``.
    """
    extra: list[Field] = [] if apns_id is None else [(b"apns-id", apns_id.encode("latin-1", "replace"))]
    extra += retry_after_field(details, now)
    extra += details.get("headers", ())
    if word.startswith("http_"):
        return Answer(status=int(word[5:]), fields=tuple(extra), word=word)
    status = int(details.get("status", STATUS.get(word, 400)))
    body: dict[str, Any] = {"reason": word}
    if status == 410:
        since = details.get("since")
        at = since.timestamp() if isinstance(since, datetime) else now - 3600.0
        body["timestamp"] = int(at * 1000)
    return json_answer(status, body, *extra, word=word)
