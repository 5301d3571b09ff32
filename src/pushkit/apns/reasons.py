"""
Every answer that APNs is known to give, and what it means: data, rendered into the documentation.

Sources: Apple, "Handling notification responses from APNs" and "Handling error responses from APNs"
(broadcast); what is not in Apple's tables says so in its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pushkit.outcomes import Action, Category, Scope
from pushkit.verdict import Directive, LatchCredential, Pause, PauseScope, RefreshCredential, RetireConnection

MINUTES_15 = 900.0
"""Seconds. Apple's least delay after a 5xx."""

EARLY = 1.5
"""Seconds after which a 5xx may be tried once more at once, on a new connection: what fails is often one server, not the service."""

THROTTLED = 60.0
"""Seconds. Apple gives no figure for TooManyRequests."""

TOKEN_CHANGES = 1200.0
"""Seconds. Apple's least time between two provider tokens on a connection."""


@attrs.frozen(kw_only=True)
class Row:
    """One answer."""

    status: int
    category: Category
    action: Action
    meaning: str
    """What APNs says with it."""
    advice: str
    """One plain sentence for whoever has to act."""
    scope: Scope | None = None
    floor: float | None = None
    """Least delay in seconds before another try; None when another try cannot help."""
    early: float | None = None
    """See ``Verdict.early``."""
    suspicion: bool = False
    """Whether our own configuration may be the cause (see ``Verdict.suspicion``)."""
    directives: tuple[Directive, ...] = ()


def _payload(status: int, meaning: str, advice: str, action: Action = Action.FIX_PAYLOAD) -> Row:
    return Row(status=status, category=Category.PAYLOAD, action=action, meaning=meaning, advice=advice)


def _recipient(status: int, meaning: str, advice: str, action: Action, *, suspicion: bool = False) -> Row:
    return Row(status=status, category=Category.RECIPIENT, action=action, meaning=meaning, advice=advice, suspicion=suspicion)


def _setting(status: int, meaning: str, advice: str, action: Action = Action.FIX_CONFIGURATION, *directives: Directive) -> Row:
    scope = Scope.CREDENTIAL if action is Action.FIX_CREDENTIALS else Scope.CONFIGURATION
    return Row(
        status=status, category=Category.TECHNICAL, action=action, scope=scope, meaning=meaning, advice=advice, directives=directives
    )


def _later(status: int, meaning: str, advice: str, scope: Scope, floor: float, *directives: Directive, early: float | None = None) -> Row:
    return Row(
        status=status,
        category=Category.TECHNICAL,
        action=Action.RETRY_LATER,
        scope=scope,
        floor=floor,
        early=early,
        meaning=meaning,
        advice=advice,
        directives=directives,
    )


_FAULTY_CREDENTIAL = (LatchCredential(),)
# The connection stays: another one would be refused the same way, and Apple takes many new connections for an attack.

ROWS: Mapping[str, Row] = {
    "BadCollapseId": _payload(
        400,
        "apns-collapse-id is over the allowed size.",
        "Shorten the key that lets this message replace an earlier one (collapse id) to at most 64 bytes.",
    ),
    "BadDeviceToken": _recipient(
        400,
        "The token is malformed, or from Apple's other environment.",
        "Check that the app build and the chosen Apple environment (test or live) match before you remove this device.",
        Action.REVIEW_RECIPIENT,
        suspicion=True,
    ),
    "BadExpirationDate": _payload(
        400,
        "apns-expiration is not acceptable; on a channel without storage it must be 0.",
        "Set an expiry time that Apple accepts; it must be 0 for a channel that stores no messages.",
    ),
    "BadMessageId": _payload(
        400, "apns-id is no valid UUID.", "Use a standard UUID as the message id, or leave the id out so that one is made for you."
    ),
    "BadPriority": _payload(
        400,
        "apns-priority is not acceptable for this push type.",
        "Choose a priority that Apple allows, and never high for a silent background push.",
    ),
    "BadTopic": _payload(
        400,
        "apns-topic is not acceptable.",
        "Correct the app id (topic) in the settings: Apple does not accept the one that was sent.",
        Action.FIX_CONFIGURATION,
    ),
    "DeviceTokenNotForTopic": _recipient(
        400,
        "Token and topic do not belong together.",
        "Check the app id in the settings before you remove this device: it registered with a different app.",
        Action.REVIEW_RECIPIENT,
        suspicion=True,
    ),
    "DuplicateHeaders": _setting(
        400,
        "A header was sent twice.",
        "Report this to the pushkit maintainers: the request said something twice that Apple allows only once.",
        Action.REPORT_BUG,
    ),
    "IdleTimeout": _later(
        400,
        "The connection or stream idled out.",
        "Try again at once: the connection to Apple had been idle for too long, and the message itself is fine.",
        Scope.ATTEMPT,
        0.0,
        RetireConnection(),
    ),
    "InvalidPushType": _payload(
        400,
        "apns-push-type is not acceptable.",
        "Choose a push type that Apple documents; a channel takes Live Activity updates only.",
    ),
    "MissingDeviceToken": _recipient(
        400,
        "The request's path held no token.",
        "Check this recipient's stored address: Apple received the push without one.",
        Action.REVIEW_RECIPIENT,
        suspicion=True,
    ),
    "MissingTopic": _payload(
        400,
        "apns-topic is required and absent.",
        "Add the app id (topic) to the settings: Apple must know which app the push is for.",
        Action.FIX_CONFIGURATION,
    ),
    "PayloadEmpty": _payload(400, "The body is empty.", "Add content to the message: it reached Apple empty."),
    "TopicDisallowed": _setting(
        400,
        "This credential may not push to this topic; on broadcasts the path must hold the bare bundle id.",
        "Allow this key or certificate to send to this app id in your Apple developer account.",
    ),
    "BadCertificate": _setting(
        403,
        "The client certificate is invalid.",
        "Replace the Apple push certificate: Apple rejects the one in use.",
        Action.FIX_CREDENTIALS,
        *_FAULTY_CREDENTIAL,
    ),
    "BadCertificateEnvironment": _setting(
        403,
        "The client certificate is for the other environment.",
        "Switch the environment (test or live) in the settings, or use the certificate made for this one.",
        Action.FIX_CONFIGURATION,
        *_FAULTY_CREDENTIAL,
    ),
    "ExpiredProviderToken": _later(
        403,
        "The provider token is over an hour old, or its time of issue is off.",
        "Try again at once with a fresh sign-in token; if it repeats, set the server's clock right.",
        Scope.CREDENTIAL,
        0.0,
        RefreshCredential(),
        RetireConnection(rejected=True),
    ),
    "Forbidden": _setting(
        403,
        "The requested action is not allowed.",
        "Check in your Apple developer account what this key may do: Apple does not permit this action.",
    ),
    "InvalidProviderToken": _setting(
        403,
        "The provider token is invalid or its signature cannot be verified.",
        "Check the Apple key file, key id and team id: Apple cannot verify the sign-in made from them.",
        Action.FIX_CREDENTIALS,
        *_FAULTY_CREDENTIAL,
    ),
    "MissingProviderToken": _setting(
        403,
        "Neither a certificate nor a provider token arrived.",
        "Check the proxy and connection settings: the sign-in to Apple got lost on the way.",
    ),
    "UnrelatedKeyIdInToken": _later(
        403,
        "The key is not related to the one that this connection began with.",
        "Try again at once over a new connection: the present one was opened with a different Apple key.",
        Scope.CREDENTIAL,
        0.0,
        RetireConnection(),
    ),
    "BadEnvironmentKeyIdInToken": _setting(
        403,
        "The key is for the other environment.",
        "Switch the environment (test or live) in the settings, or use a key that Apple made for this one.",
        Action.FIX_CONFIGURATION,
        *_FAULTY_CREDENTIAL,
    ),
    "BadEnvironmentKeyInToken": _setting(
        403,
        "The key is for the other environment (a spelling seen in live traffic, not in Apple's table).",
        "Switch the environment (test or live) in the settings, or use a key that Apple made for this one.",
        Action.FIX_CONFIGURATION,
        *_FAULTY_CREDENTIAL,
    ),
    "TopicMismatch": _setting(
        403,
        "The credential does not cover the app in the path.",
        "Correct the app id in the settings, or use a key or certificate that covers this app.",
    ),
    "BadPath": _setting(
        404,
        "The request's path is wrong.",
        "Report this to the pushkit maintainers: the request went to an address that Apple does not have.",
        Action.REPORT_BUG,
    ),
    "MethodNotAllowed": _setting(
        405,
        "The HTTP method is not allowed.",
        "Report this to the pushkit maintainers: Apple does not take this kind of request.",
        Action.REPORT_BUG,
    ),
    "ExpiredToken": _recipient(
        410,
        "The token has expired.",
        "Remove this device unless it registered again since: its address has expired.",
        Action.REMOVE_RECIPIENT,
    ),
    "Unregistered": _recipient(
        410,
        "The token is no longer active for this topic.",
        "Remove this device unless it registered again since: the app no longer takes pushes there.",
        Action.REMOVE_RECIPIENT,
    ),
    "PayloadTooLarge": _payload(
        413,
        "The body is over the limit.",
        "Shorten the message: Apple takes at most 4 KB, or 5 KB for incoming calls and channel broadcasts.",
    ),
    "TooManyProviderTokenUpdates": _later(
        429,
        "Provider tokens change too often on this connection.",
        "Wait 20 minutes, and keep each sign-in token at least that long: Apple saw too many new ones.",
        Scope.CREDENTIAL,
        TOKEN_CHANGES,
        RetireConnection(),
    ),
    "TooManyRequests": _later(
        429,
        "Too many pushes to the same device token (or channel) in a row.",
        "Wait a minute and send less often to this device or channel; keep it, there is nothing wrong with it.",
        Scope.THROTTLE,
        THROTTLED,
        Pause(scope=PauseScope.RECIPIENT),
    ),
    "InternalServerError": _later(
        500,
        "APNs failed internally.",
        "Wait about 15 minutes and try again: Apple's service had an internal error.",
        Scope.ATTEMPT,
        MINUTES_15,
        RetireConnection(),
        early=EARLY,
    ),
    "ServiceUnavailable": _later(
        503,
        "The service is unavailable.",
        "Wait about 15 minutes and try again: Apple's service is not available at the moment.",
        Scope.ATTEMPT,
        MINUTES_15,
        RetireConnection(),
        early=EARLY,
    ),
    "Shutdown": _later(
        503,
        "This APNs server is shutting down.",
        "Wait about 15 minutes and try again: the Apple server in use is shutting down.",
        Scope.ATTEMPT,
        MINUTES_15,
        RetireConnection(),
        early=EARLY,
    ),
    "FeatureNotEnabled": _setting(
        400, "Broadcast is not enabled for the app.", "Switch on broadcasts for this app in the Apple developer account."
    ),
    "MissingChannelId": _payload(
        400,
        "apns-channel-id is absent.",
        "Report this to the pushkit maintainers: the broadcast left without the name of its channel.",
        Action.REPORT_BUG,
    ),
    "BadChannelId": _recipient(
        400,
        "apns-channel-id is badly encoded or too long.",
        "Remove or correct the stored channel id: it is damaged or too long.",
        Action.REMOVE_RECIPIENT,
    ),
    "ChannelNotRegistered": _recipient(
        400,
        "There is no such channel in this environment.",
        "Check that the channel belongs to this Apple environment (test or live) before you remove its id.",
        Action.REVIEW_RECIPIENT,
        suspicion=True,
    ),
    "BadRequestParams": _payload(
        400,
        "The channel request holds an unknown attribute.",
        "Report this to the pushkit maintainers: the channel request held a field that Apple does not know.",
        Action.REPORT_BUG,
    ),
    "BadRequestPayload": _payload(
        400,
        "The request's JSON cannot be parsed.",
        "Report this to the pushkit maintainers: Apple could not read the request.",
        Action.REPORT_BUG,
    ),
    "MissingPushType": _payload(
        400,
        "The push type is absent.",
        "Report this to the pushkit maintainers: the request left without its push type.",
        Action.REPORT_BUG,
    ),
    "CannotCreateChannelConfig": _setting(
        400,
        "The app's 10,000 channels in this environment are used up.",
        "Delete finished channels before you make new ones: the app has reached Apple's limit of 10,000.",
    ),
}
"""By ``reason``, exactly as APNs writes it."""

_BAD_REQUEST = _payload(
    400, "A refusal that is not in Apple's table.", "Check the message and its options: Apple refuses it for a new reason, named here."
)
_REFUSED = _setting(
    403,
    "A refusal that is not in Apple's table.",
    "Check key, certificate and settings: Apple refuses the sign-in for a new reason, named here.",
)
_GONE = _recipient(
    410,
    "The token is gone, for a reason that is not in Apple's table.",
    "Remove this device unless it registered again since: Apple says that it is gone.",
    Action.REMOVE_RECIPIENT,
)
UNCLEAR_GONE = _recipient(
    410,
    "The token is said to be gone, but not in Apple's words.",
    "Check before you remove this device: the answer calls it gone, but not in Apple's words, so a proxy may have given it.",
    Action.REVIEW_RECIPIENT,
    suspicion=True,
)
"""For a 410 that does not speak as APNs does."""

_UNAVAILABLE = _later(
    503,
    "A server error that is not in Apple's table.",
    "Wait about 15 minutes and try again: Apple's service, or something in front of it, has trouble.",
    Scope.ATTEMPT,
    MINUTES_15,
    RetireConnection(),
    early=EARLY,
)

BY_STATUS: Mapping[int, Row] = {
    400: _BAD_REQUEST,
    401: _REFUSED,
    403: _REFUSED,
    404: ROWS["BadPath"],
    405: ROWS["MethodNotAllowed"],
    407: _setting(407, "A proxy asks for credentials.", "Give the proxy its user and password: it asks for them and APNs was not reached."),
    408: _later(
        408, "The request came too slowly.", "Try again: the request did not arrive in time.", Scope.ATTEMPT, 1.0, RetireConnection()
    ),
    410: _GONE,
    413: ROWS["PayloadTooLarge"],
    421: _later(
        421,
        "The connection is not for this host.",
        "Try again: the request went out on the wrong connection.",
        Scope.ATTEMPT,
        0.0,
        RetireConnection(),
    ),
    429: _later(
        429,
        "Too many requests, for a reason that is not in Apple's table.",
        "Wait a minute and send less often: Apple asks for fewer pushes.",
        Scope.THROTTLE,
        THROTTLED,
        Pause(scope=PauseScope.RECIPIENT),
    ),
}
"""For reasons that are not in the table, and answers without one."""

NOT_APNS = _setting(
    0,
    "An answer that APNs never gives.",
    "Check the configured address and any proxy in between: whoever answered was not APNs.",
)
"""For every other status below 500."""

SERVER_ERROR = _UNAVAILABLE
"""For every other status from 500."""
