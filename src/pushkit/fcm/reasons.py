"""
Everything that FCM answers, as data: one row for each kind of answer, with what it means and what to do.

Sources: Google's ErrorCode and error-codes pages (FCM v1), ``google.api.ErrorReason``, and answers seen in
production; floors are those of "scale FCM" and "throttling and quotas". Rows whose answers differ only in
their evidence share Google's word for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pushkit.outcomes import Action, Category, Disposition, Scope

THROTTLE_FLOOR = 60.0
"""Seconds: what Google asks for when a limit is used up and no Retry-After says otherwise."""

SERVER_FLOOR = 10.0
"""Seconds: before a request that failed in Google's servers, or was not answered, is sent again."""

NETWORK_FLOOR = 1.0
"""Seconds: before a request that never reached Google is sent again."""


@attrs.frozen(kw_only=True)
class Row:
    """One kind of answer."""

    reason: str
    """Google's word, used where the answer itself holds none."""
    category: Category
    action: Action
    advice: str
    meaning: str
    scope: Scope | None = None
    disposition: Disposition = Disposition.REJECTED
    floor: float | None = None
    """Seconds before another try; None: not retryable."""
    refresh: bool = False
    """A fresh access token may help."""
    latch: bool = False
    """Every push with this credential fails the same way."""
    suspicion: bool = False
    """Recipient failures that our own misconfiguration could cause: watched, and never turned into "remove" by what else is accepted."""

    @property
    def retryable(self) -> bool:
        """Whether the same push may be tried again."""
        return self.floor is not None


def _recipient(reason: str, action: Action, advice: str, meaning: str, *, suspicion: bool = False) -> Row:
    return Row(reason=reason, category=Category.RECIPIENT, action=action, advice=advice, meaning=meaning, suspicion=suspicion)


def _payload(advice: str, meaning: str, reason: str = "INVALID_ARGUMENT") -> Row:
    return Row(reason=reason, category=Category.PAYLOAD, action=Action.FIX_PAYLOAD, advice=advice, meaning=meaning)


def _setting(reason: str, advice: str, meaning: str, *, latch: bool = False, action: Action = Action.FIX_CONFIGURATION) -> Row:
    return Row(
        reason=reason, category=Category.TECHNICAL, action=action, scope=Scope.CONFIGURATION, advice=advice, meaning=meaning, latch=latch
    )


def _credential(reason: str, advice: str, meaning: str) -> Row:
    return Row(
        reason=reason, category=Category.TECHNICAL, action=Action.FIX_CREDENTIALS, scope=Scope.CREDENTIAL, advice=advice, meaning=meaning
    )


def _stale_token(reason: str, advice: str, meaning: str) -> Row:
    return Row(
        reason=reason,
        category=Category.TECHNICAL,
        action=Action.RETRY_LATER,
        scope=Scope.CREDENTIAL,
        advice=advice,
        meaning=meaning,
        floor=0.0,
        refresh=True,
    )


def _throttle(reason: str, advice: str, meaning: str) -> Row:
    return Row(
        reason=reason,
        category=Category.TECHNICAL,
        action=Action.RETRY_LATER,
        scope=Scope.THROTTLE,
        advice=advice,
        meaning=meaning,
        floor=THROTTLE_FLOOR,
    )


def _server(reason: str, because: str, meaning: str, disposition: Disposition = Disposition.UNKNOWN) -> Row:
    when = ", and try again if a second copy does no harm" if disposition is Disposition.UNKNOWN else " and try again"
    return Row(
        reason=reason,
        category=Category.TECHNICAL,
        action=Action.RETRY_LATER,
        scope=Scope.ATTEMPT,
        advice=f"Wait a little{when}: {because}",
        meaning=meaning,
        floor=SERVER_FLOOR,
        disposition=disposition,
    )


_REMOVE = Action.REMOVE_RECIPIENT
_REVIEW = Action.REVIEW_RECIPIENT

ROWS: Mapping[str, Row] = {
    # recipient
    "unregistered": _recipient(
        "UNREGISTERED",
        _REMOVE,
        "Remove this device: the app was uninstalled, signed off or left unused for too long.",
        "The registration ended: app uninstalled, data cleared, unregistered, Android idle for 270 days, or an installation never registered for messaging.",
    ),
    "unregistered_apns": _recipient(
        "UNREGISTERED",
        _REMOVE,
        "Remove this device: Apple says that the app no longer takes pushes there.",
        "Apple says that the device token is gone.",
    ),
    "apns_gone": _recipient(
        "INVALID_ARGUMENT",
        _REMOVE,
        "Remove this device: Apple has switched off its address.",
        "Apple's device token behind the registration is gone. A dry run does not find this.",
    ),
    "apns_expired": _recipient(
        "INVALID_ARGUMENT",
        _REMOVE,
        "Remove this device: its Apple address has expired.",
        "Apple's device token behind the registration expired.",
    ),
    "apns_bad_token": _recipient(
        "INVALID_ARGUMENT",
        _REVIEW,
        "Check that the iPhone app's build and Apple environment (test or live) match before you remove this device.",
        "Apple's device token is malformed or belongs to the other environment.",
        suspicion=True,
    ),
    "apns_other_app": _recipient(
        "INVALID_ARGUMENT",
        _REVIEW,
        "Check the iPhone app id in Firebase before you remove this device: it registered with a different app.",
        "Apple's device token belongs to another bundle id.",
        suspicion=True,
    ),
    "live_activity_gone": _recipient(
        "INVALID_ARGUMENT",
        _REVIEW,
        "Forget only the Live Activity's own address and keep the device: the activity can no longer be reached.",
        "The Live Activity's push token is dead, not the app's registration.",
    ),
    "malformed_field": _recipient(
        "INVALID_ARGUMENT",
        _REMOVE,
        "Remove this stored address and look for how it got damaged: it was never complete or was cut short.",
        "Google names the token or installation ID as the field that is wrong.",
    ),
    "malformed_text": _recipient(
        "INVALID_ARGUMENT",
        _REMOVE,
        "Remove this stored address: Google does not recognise it.",
        "Google's text says that the registration token is none.",
    ),
    "sender_mismatch": _recipient(
        "SENDER_ID_MISMATCH",
        _REVIEW,
        "Check that the service account and this device's app use the same Firebase project before you remove it.",
        "The registration belongs to another Firebase project.",
        suspicion=True,
    ),
    # payload
    "payload": _payload(
        "Check the message's fields: Google refuses one of them without naming it, and the device may be fine.",
        "No evidence names the token: the default of an ambiguous code, so that nobody is removed on doubt.",
    ),
    "payload_field": _payload(
        "Correct the field that the details name: Google cannot read its value.",
        "An unknown field, a wrong type, a data value that is no text, a bad enum, duration or colour.",
    ),
    "payload_too_big": _payload(
        "Shorten the message: Google takes at most 4 KB for a device and 2 KB for a topic.",
        "Keys and values of data and notification exceed the limit.",
    ),
    "payload_data_key": _payload(
        "Rename the extra data entry: Google reserves this name for itself.", "A reserved key in data (from, message_type, google…, gcm…)."
    ),
    "payload_ttl": _payload("Set a lifetime between 0 seconds and 28 days for the message.", "The ttl is out of range."),
    "payload_package": _payload(
        "Correct the Android app that the message is limited to, or take the limit away: this device runs a different app.",
        "The registration's package differs from restricted_package_name.",
    ),
    "payload_topic": _payload(
        "Correct the topic name (plain letters, digits and -_.~%) or the condition (at most 5 topics).",
        "The target expression is malformed.",
    ),
    "payload_android_both": _payload(
        "Choose either the old or the new kind of Android settings: a message cannot hold both.", "android and android_v2 are both set."
    ),
    "payload_apns": _payload(
        "Correct the Apple part of the message: Apple refuses one of its settings or its size.", "Apple refused the content of the request."
    ),
    "http_413": _payload(
        "Shorten the message: Google refuses it because of its size.", "The front end refused the size.", reason="http_413"
    ),
    # topics
    "topics_missing": _recipient(
        "NOT_FOUND",
        _REVIEW,
        "Check whether this device is known and follows the topic: there may be nothing to undo.",
        "Topic subscriptions: the subscription or the registration is missing.",
    ),
    "iid_not_found": _recipient(
        "NOT_FOUND", _REMOVE, "Remove this device: Google no longer knows it.", "Old topic service: the registration is gone."
    ),
    "iid_invalid": _recipient(
        "INVALID_ARGUMENT",
        _REVIEW,
        "Check the topic name first, then remove this address if it is damaged.",
        "Old topic service: the token is malformed.",
    ),
    "too_many_topics": _recipient(
        "TOO_MANY_TOPICS",
        _REVIEW,
        "Unsubscribe this device from topics that it no longer needs: it has reached the limit; keep the device.",
        "An app instance can follow 2000 topics.",
    ),
    # technical: credentials and configuration
    "third_party_auth": _credential(
        "THIRD_PARTY_AUTH_ERROR",
        "Renew the Apple key or the web push key in the Firebase console, and keep all devices.",
        "The APNs key or the Web Push key that is stored at Firebase is invalid or missing; Google's text may wrongly speak of OAuth.",
    ),
    "apns_auth": _credential(
        "APNS_AUTH_ERROR",
        "Renew the Apple key in the Firebase console, and keep all devices.",
        "The older name of THIRD_PARTY_AUTH_ERROR.",
    ),
    "third_party_auth_apns": _credential(
        "THIRD_PARTY_AUTH_ERROR",
        "Replace the Apple key or certificate in the Firebase console: Apple rejects the one stored there.",
        "Apple's reason says why the key or certificate failed (environment, team, expiry).",
    ),
    "apns_setting": _setting(
        "INVALID_ARGUMENT",
        "Check the iPhone app's id and Apple settings in the Firebase console: Apple refuses this app's pushes, and the devices are fine.",
        "Apple refused for a reason of the app's set-up (topic not allowed, wrong path).",
    ),
    "token_expired": _stale_token(
        "ACCESS_TOKEN_EXPIRED",
        "Try again at once with a fresh access token; if it repeats, set the server's clock right.",
        "The OAuth access token expired.",
    ),
    "unauthenticated": _stale_token(
        "UNAUTHENTICATED",
        "Try again once with a fresh access token; if it repeats, check the service account and its key.",
        "The OAuth access token is missing or invalid (CREDENTIALS_MISSING, ACCESS_TOKEN_TYPE_UNSUPPORTED, ACCOUNT_STATE_INVALID).",
    ),
    "service_disabled": _setting(
        "SERVICE_DISABLED",
        "Switch on the Firebase Cloud Messaging API for this project in the Google Cloud console.",
        "The API was never used before in this project, or is disabled.",
        latch=True,
    ),
    "iam": _setting(
        "IAM_PERMISSION_DENIED",
        "Grant the service account the right to send messages, and check the project id in the settings.",
        "The account lacks cloudmessaging.messages.create, or the project does not exist.",
        latch=True,
    ),
    "scope_insufficient": _setting(
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "Request the access token with the Firebase messaging permission: the present one lacks it.",
        "The access token's scope does not include firebase.messaging.",
        latch=True,
    ),
    "permission_denied": _setting(
        "PERMISSION_DENIED",
        "Check the project's permissions, billing and network rules: Google refuses access.",
        "Any other refusal, also a proxy's page.",
    ),
    "not_found": _setting(
        "NOT_FOUND",
        "Check the project id and the service address in the settings, and keep all devices.",
        "A 404 without FcmError: wrong project or path, or a proxy. Never the device.",
    ),
    "undocumented": _setting(
        "http_4xx",
        "Check the service address and any proxy in between: this answer is not one that Google documents.",
        "A status that FCM does not use.",
    ),
    "unimplemented": _setting(
        "UNIMPLEMENTED",
        "Report this to the pushkit maintainers: Google does not offer what was asked of it.",
        "The method is not supported.",
        action=Action.REPORT_BUG,
    ),
    "unspecified": _setting(
        "UNSPECIFIED_ERROR",
        "Report this to the pushkit maintainers with the full answer: Google gives no reason.",
        "No further information.",
        action=Action.REPORT_BUG,
    ),
    "iid_denied": _setting(
        "PERMISSION_DENIED",
        "Check that the service account belongs to the devices' Firebase project, or use the newer topic service.",
        "Old topic service: it never names a project, so an account of another project cannot use it.",
    ),
    # technical: throttling
    "iid_rate": _throttle(
        "RESOURCE_EXHAUSTED",
        "Slow down topic changes, and try again after a minute.",
        "Old topic service: 3000 changes a second for a project.",
    ),
    "quota": _throttle(
        "QUOTA_EXCEEDED",
        "Slow down and try again after a minute: the sending limit is used up.",
        "A sending limit is used up; QuotaFailure says which.",
    ),
    "quota_project": _throttle(
        "RATE_LIMIT_EXCEEDED",
        "Pause this project's sending for a minute, then speed up gradually: its limit per minute is used up.",
        "The project's quota, 600 000 messages a minute unless raised. Carries no FcmError.",
    ),
    "quota_topic": _throttle(
        "QUOTA_EXCEEDED", "Send less often to this topic, and try again after a minute.", "The topic's message rate is exceeded."
    ),
    "quota_device": _throttle(
        "QUOTA_EXCEEDED",
        "Send less often to this device, and try again after a minute; other devices are not affected.",
        "The device's message rate is exceeded (240 a minute, 5000 an hour on Android).",
    ),
    "overload": _throttle(
        "RESOURCE_EXHAUSTED",
        "Slow down and try again after a minute: Google takes no more messages at the moment.",
        "Google sheds load.",
    ),
    "quota_apns": _throttle(
        "RESOURCE_EXHAUSTED",
        "Send less often to this iPhone, and try again after a minute: Apple limits pushes for each device.",
        "Apple's limit for one device token.",
    ),
    # technical: servers
    "internal": _server("INTERNAL", "Google's service had an internal error.", "Unknown server error."),
    "unavailable": _server(
        "UNAVAILABLE",
        "Google's service is overloaded, and the message may have arrived already.",
        "Overloaded, or not processed in time. Known to come after delivery too.",
    ),
    "http_502": _server("http_502", "a server in front of Google's service failed.", "Bad gateway, usually with an HTML page."),
    "deadline": _server(
        "DEADLINE_EXCEEDED", "Google did not answer in time, and the message may have arrived already.", "Gateway timeout."
    ),
    "http_408": _server("http_408", "the request took too long, and the message may have arrived already.", "Request timeout."),
    "aborted": _server("ABORTED", "two requests got in each other's way at Google.", "Concurrency conflict.", Disposition.REJECTED),
    "cancelled": _server("CANCELLED", "the request was cancelled before it was finished.", "Cancelled on the way."),
    "server": _server("http_5xx", "Google's service had an error.", "A server error without a row of its own."),
    "apns_server": _server("UNAVAILABLE", "Apple's service behind Google's had an error.", "Apple's service had trouble."),
    "iid_server": _server(
        "INTERNAL", "Google's topic service has trouble.", "Old topic service: an error for one registration.", Disposition.REJECTED
    ),
    "malformed": _server(
        "malformed_response",
        "the answer was cut off or did not come from Google.",
        "A good status without the message's name: cut off, or a proxy's page. It may have been accepted.",
    ),
}

FCM_ROWS: Mapping[str, str] = {
    "UNREGISTERED": "unregistered",
    "SENDER_ID_MISMATCH": "sender_mismatch",
    "THIRD_PARTY_AUTH_ERROR": "third_party_auth",
    "APNS_AUTH_ERROR": "apns_auth",
    "UNSPECIFIED_ERROR": "unspecified",
}
"""FCM codes that decide whatever else the answer holds."""

APNS_ROWS: Mapping[str, str] = {
    "BadDeviceToken": "apns_bad_token",
    "DeviceTokenNotForTopic": "apns_other_app",
    "Unregistered": "apns_gone",
    "ExpiredToken": "apns_expired",
    **dict.fromkeys(
        (
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
        ),
        "payload_apns",
    ),
    **dict.fromkeys(
        (
            "InvalidProviderToken",
            "ExpiredProviderToken",
            "MissingProviderToken",
            "BadCertificate",
            "BadCertificateEnvironment",
            "BadEnvironmentKeyIdInToken",
            "BadEnvironmentKeyInToken",
            "UnrelatedKeyIdInToken",
        ),
        "third_party_auth_apns",
    ),
    **dict.fromkeys(("Forbidden", "TopicDisallowed", "MethodNotAllowed", "BadPath"), "apns_setting"),
    "TooManyRequests": "quota_apns",
    **dict.fromkeys(
        ("TooManyProviderTokenUpdates", "InternalServerError", "ServiceUnavailable", "Shutdown", "IdleTimeout"),
        "apns_server",
    ),
}
"""Apple's reasons inside an ApnsError."""

LIVE_ACTIVITY_REASONS = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"})
"""Apple's reasons that concern the Live Activity's token where the message has one."""

THROTTLE_WORDS = frozenset({"RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "RATE_LIMIT_EXCEEDED"})

INFO_ROWS: Mapping[tuple[int, str], str] = {
    (401, "ACCESS_TOKEN_EXPIRED"): "token_expired",
    (403, "SERVICE_DISABLED"): "service_disabled",
    (403, "IAM_PERMISSION_DENIED"): "iam",
    (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"): "scope_insufficient",
}
"""Status and ErrorInfo reason of the front end. Their reason is the outcome's."""

IID_ROWS: Mapping[str, str] = {
    "NOT_FOUND": "iid_not_found",
    "INVALID_ARGUMENT": "iid_invalid",
    "TOO_MANY_TOPICS": "too_many_topics",
    "RESOURCE_EXHAUSTED": "iid_rate",
    "PERMISSION_DENIED": "iid_denied",
    **dict.fromkeys(("INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED"), "iid_server"),
}
"""Words for one registration in an answer of the old topic service (Instance ID)."""

STATUS_ROWS: Mapping[int, str] = {
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    408: "http_408",
    409: "aborted",
    413: "http_413",
    499: "cancelled",
    500: "internal",
    501: "unimplemented",
    502: "http_502",
    503: "unavailable",
    504: "deadline",
}

FAULT_FLOORS: Mapping[str, float] = {
    "connect_failed": NETWORK_FLOOR,
    "connect_timeout": NETWORK_FLOOR,
    "refused_stream": NETWORK_FLOOR,
}
