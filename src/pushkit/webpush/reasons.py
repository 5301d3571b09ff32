"""
What the push services' answers mean: one row for each answer that is known, by (service, status, reason).

Sources: RFC 8030 and RFC 8292; Mozilla's autopush (docs/src/errors.md, autoendpoint/src/error.rs);
Apple, "Sending web push notifications in web apps and browsers"; Microsoft, WNS "Troubleshooting";
for Google and for what the pages leave out, reports of users. The page ``docs/webpush.md`` renders this table.

More specific rows stand before more general ones. A status that a service has no row for is looked up
under ``Service.OTHER`` (RFC 8030), then by its class.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pushkit.outcomes import Action, Category, Scope
from pushkit.webpush.endpoints import Service


@attrs.frozen
class Kind:
    """What a row says about who has to act."""

    category: Category
    action: Action
    scope: Scope | None = None
    retryable: bool = False
    suspicion: bool = False


OUR_BUG_IN_MESSAGE = Kind(Category.PAYLOAD, Action.REPORT_BUG)
MESSAGE = Kind(Category.PAYLOAD, Action.FIX_PAYLOAD)
OUR_BUG = Kind(Category.TECHNICAL, Action.REPORT_BUG, Scope.CONFIGURATION)
CREDENTIALS = Kind(Category.TECHNICAL, Action.FIX_CREDENTIALS, Scope.CREDENTIAL)
SETTINGS = Kind(Category.TECHNICAL, Action.FIX_CONFIGURATION, Scope.CONFIGURATION)
QUOTA = Kind(Category.TECHNICAL, Action.FIX_CONFIGURATION, Scope.THROTTLE)
LATER = Kind(Category.TECHNICAL, Action.RETRY_LATER, Scope.ATTEMPT, retryable=True)
THROTTLED = Kind(Category.TECHNICAL, Action.RETRY_LATER, Scope.THROTTLE, retryable=True)
GONE = Kind(Category.RECIPIENT, Action.REMOVE_RECIPIENT)
REVIEW = Kind(Category.RECIPIENT, Action.REVIEW_RECIPIENT)
# The subscription was made with another key than ours, or ours is the wrong one: never a reason to remove anybody.
OTHER_KEY = Kind(Category.RECIPIENT, Action.RESUBSCRIBE, suspicion=True)
DOUBTED = (
    "Check the web push key in our own settings first, since this service has accepted nothing signed with it yet; "
    "only if it is right, ask the browser to subscribe again."
)
"""The advice on another key's subscriptions while our own key has not proved itself."""
# Google says this of live subscriptions too, and takes it back after about a day.
MAYBE_ALIVE = Kind(Category.RECIPIENT, Action.RETRY_LATER, retryable=True)


@attrs.frozen
class Row:
    """One answer of one service."""

    service: Service
    status: int
    reason: str | None
    """What the outcome's ``reason`` says; None: ``http_`` and the status."""
    kind: Kind
    advice: str
    floor: float | None = None
    """Least delay in seconds before another try."""
    match: str | None = None
    """Words that have to stand in the answer's text (lower case, punctuation as spaces); None: the structured reason decides."""
    unknown: bool = False
    """The push may have been accepted all the same."""
    resign: bool = False
    """A token that went stale looks like this: sign a fresh one and try once more at once."""
    retire: bool = False
    """The connection is finished."""


# fmt: off
ROWS: tuple[Row, ...] = (
    # -- rfc
    Row(Service.OTHER, 400, None, OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: the push left without saying how long to keep it.", match="ttl"),
    Row(Service.OTHER, 400, None, OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: the push left with an urgency that does not exist.", match="urgency"),
    Row(Service.OTHER, 400, None, MESSAGE, "Shorten the key that replaces an earlier message (topic) to 32 plain letters and digits.", match="topic"),
    Row(Service.OTHER, 400, None, OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: the push asked for a receipt that the service does not know.", match="receipt"),
    Row(Service.OTHER, 400, None, OUR_BUG, "Report this to the pushkit maintainers: one key was used for two purposes that must stay apart.", match="same key"),
    Row(Service.OTHER, 400, None, MESSAGE, "Check the message and its options: the push service refuses it; keep the subscription."),
    Row(Service.OTHER, 401, None, CREDENTIALS, "Check the web push key in the settings: the push service asks for a valid sign-in."),
    Row(Service.OTHER, 403, None, CREDENTIALS, "Check the web push key, the contact address and the server's clock: the service rejects the sign-in.", resign=True),
    Row(Service.OTHER, 404, None, GONE, "Remove this subscription: the push service no longer knows it."),
    Row(Service.OTHER, 405, None, OUR_BUG, "Report this to the pushkit maintainers: the push service does not take this kind of request."),
    Row(Service.OTHER, 410, None, GONE, "Remove this subscription: the browser has unsubscribed or it has expired."),
    Row(Service.OTHER, 413, None, MESSAGE, "Shorten the message: it is larger than this push service takes."),
    Row(Service.OTHER, 429, None, THROTTLED, "Slow down and try again after a minute, or when the push service says.", floor=60),
    Row(Service.OTHER, 408, None, LATER, "Try again shortly: the push service waited too long for the request.", floor=1),
    Row(Service.OTHER, 301, None, SETTINGS, "Check the proxy and the stored address: the answer sends us to another address, and pushkit does not follow it."),
    Row(Service.OTHER, 307, None, SETTINGS, "Check the proxy and the stored address: the answer sends us to another address, and pushkit does not follow it."),
    Row(Service.OTHER, 500, None, LATER, "Try again shortly: the push service had an internal error.", floor=1),
    Row(Service.OTHER, 501, None, OUR_BUG, "Report this to the pushkit maintainers: this push service does not offer what was asked of it."),
    Row(Service.OTHER, 502, None, LATER, "Try again if a second copy does no harm: a server behind the push service failed.", floor=1, unknown=True),
    Row(Service.OTHER, 503, None, LATER, "Try again when the push service says, or after a few seconds: it is not available at the moment.", floor=5),
    Row(Service.OTHER, 504, None, LATER, "Try again if a second copy does no harm: a server behind the push service did not answer in time.", floor=1, unknown=True),
    # -- mozilla
    Row(Service.MOZILLA, 400, "errno 101", OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: the push left without the keys that the browser needs to read it."),
    Row(Service.MOZILLA, 400, "errno 108", GONE, "Remove this subscription: its address is damaged or belongs to a service that Mozilla closed."),
    Row(Service.MOZILLA, 400, "errno 110", OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: Mozilla finds the message's encryption details wrong."),
    Row(Service.MOZILLA, 400, "errno 111", OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: the push left without a valid lifetime."),
    Row(Service.MOZILLA, 400, "errno 112", MESSAGE, "Set a lifetime between 0 seconds and 28 days for the message."),
    Row(Service.MOZILLA, 400, "errno 113", MESSAGE, "Shorten the key that replaces an earlier message (topic) to 32 plain letters and digits."),
    Row(Service.MOZILLA, 400, "errno 114", OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: the push left with a lifetime below zero."),
    Row(Service.MOZILLA, 400, "errno 106", GONE, "Remove this subscription: Mozilla no longer knows the app that it belongs to."),
    Row(Service.MOZILLA, 400, None, MESSAGE, "Check the message and its options: Mozilla refuses it without a known code; keep the subscription."),
    Row(Service.MOZILLA, 401, "errno 109", CREDENTIALS, "Check the web push key, the contact address and the server's clock: Mozilla rejects the sign-in.", resign=True),
    Row(Service.MOZILLA, 401, "VAPID public key mismatch", OTHER_KEY, "Ask the browser to subscribe again: this subscription was made with a different web push key.", match="vapid public key mismatch"),
    Row(Service.MOZILLA, 404, "errno 102", GONE, "Remove this subscription: its stored address is damaged or was never valid."),
    Row(Service.MOZILLA, 410, "errno 103", GONE, "Remove this subscription: Mozilla no longer knows this browser."),
    Row(Service.MOZILLA, 410, "errno 105", GONE, "Remove this subscription: the browser was removed while the message was on its way."),
    Row(Service.MOZILLA, 410, "errno 106", GONE, "Remove this subscription: the browser has unsubscribed."),
    Row(Service.MOZILLA, 413, "errno 104", MESSAGE, "Shorten the message: phones take less than desktops, and the details say by how much it is too long."),
    Row(Service.MOZILLA, 413, None, MESSAGE, "Shorten the message: it is larger than Mozilla takes."),
    Row(Service.MOZILLA, 418, "errno 999", OUR_BUG, "Report this to the pushkit maintainers: the push went to an address that Mozilla uses for its own tests."),
    Row(Service.MOZILLA, 500, "errno 999", LATER, "Try again shortly: Mozilla's service had an unknown error.", floor=1),
    Row(Service.MOZILLA, 500, None, LATER, "Try again shortly: Mozilla's service had an internal error.", floor=1),
    Row(Service.MOZILLA, 500, "errno 201", LATER, "Try again shortly: Mozilla could not store the message.", floor=1),
    Row(Service.MOZILLA, 502, "errno 900", LATER, "Wait half a minute and try again: Mozilla's link to the phone makers is set up wrongly on its side.", floor=30),
    Row(Service.MOZILLA, 502, "errno 901", LATER, "Wait half a minute and try again: Mozilla could not sign in to the phone maker's service.", floor=30),
    Row(Service.MOZILLA, 502, "errno 902", LATER, "Try again shortly: Mozilla could not reach the phone maker's service.", floor=1),
    Row(Service.MOZILLA, 502, "errno 903", LATER, "Try again shortly: the phone maker's service did not answer Mozilla in time.", floor=1),
    Row(Service.MOZILLA, 502, None, LATER, "Try again if a second copy does no harm: the phone maker's service behind Mozilla failed.", floor=1, unknown=True),
    Row(Service.MOZILLA, 503, "errno 201", LATER, "Wait two minutes and try again: Mozilla's storage is busy.", floor=120),
    Row(Service.MOZILLA, 503, "errno 202", LATER, "Try again at once: Mozilla had a moment's trouble and says that this is fine.", floor=0),
    Row(Service.MOZILLA, 503, None, LATER, "Wait two minutes and try again: Mozilla's service is busy.", floor=120),
    Row(Service.MOZILLA, 301, None, SETTINGS, "Check the new address that Mozilla names, and store it in place of the old one if it is genuine."),
    # -- google
    Row(Service.GOOGLE, 400, "UnauthorizedRegistration", CREDENTIALS, "Check the web push key: Google asks for the one that this subscription was made with.", match="unauthorizedregistration"),
    Row(Service.GOOGLE, 400, "InvalidTokenFormat", GONE, "Remove this subscription: its stored address is damaged.", match="invalidtokenformat"),
    Row(Service.GOOGLE, 400, "InvalidTtlParameter", MESSAGE, "Set a lifetime between 0 seconds and 28 days for the message.", match="invalidttlparameter"),
    Row(Service.GOOGLE, 400, None, MESSAGE, "Check the message and its options: Google refuses it without a known reason; keep the subscription."),
    Row(Service.GOOGLE, 401, "authorization_missing", CREDENTIALS, "Check the web push key and any proxy: the sign-in did not reach Google.", match="authorization header must be specified"),
    Row(Service.GOOGLE, 401, "invalid_push_subscription_endpoint", MAYBE_ALIVE, "Try again in an hour and keep the subscription: Google gives this answer for live ones too.", floor=3600, match="invalid push subscription endpoint"),
    Row(Service.GOOGLE, 403, "vapid_key_mismatch", OTHER_KEY, "Ask the browser to subscribe again: this subscription was made with a different web push key.", match="do not correspond to the credentials"),
    Row(Service.GOOGLE, 403, "aud_mismatch", OUR_BUG, "Report this to the pushkit maintainers: the sign-in was made out to the wrong push service.", match="aud claim"),
    Row(Service.GOOGLE, 403, "invalid_jwt", CREDENTIALS, "Check the web push key and the server's clock: Google cannot verify the sign-in.", match="invalid jwt", resign=True),
    Row(Service.GOOGLE, 403, None, CREDENTIALS, "Check the web push key, the contact address and the server's clock: Google rejects the sign-in.", resign=True),
    Row(Service.GOOGLE, 404, None, GONE, "Remove this subscription: Google no longer knows it, or the device was offline for over nine months."),
    Row(Service.GOOGLE, 410, None, GONE, "Remove this subscription: the browser has unsubscribed or it has expired."),
    Row(Service.GOOGLE, 413, None, MESSAGE, "Shorten the message: Google takes at most 4 KB."),
    Row(Service.GOOGLE, 429, None, THROTTLED, "Slow down and try again after a minute, or when Google says.", floor=60),
    Row(Service.GOOGLE, 500, None, LATER, "Try again shortly: Google's service had an internal error.", floor=1),
    Row(Service.GOOGLE, 502, None, LATER, "Try again if a second copy does no harm, and send in smaller bursts: Google's service could not keep up.", floor=1, unknown=True),
    Row(Service.GOOGLE, 503, None, LATER, "Try again when Google says, or after a few seconds: its service is not available at the moment.", floor=5),
    # -- apple
    Row(Service.APPLE, 400, "BadTtl", MESSAGE, "Set a lifetime for the message: a whole number of seconds, best above 0."),
    Row(Service.APPLE, 400, "BadUrgency", OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: Apple does not accept the urgency that was sent."),
    Row(Service.APPLE, 400, "BadWebPushTopic", MESSAGE, "Change the key that replaces an earlier message (topic), or have pushkit make one: Apple refuses it."),
    Row(Service.APPLE, 400, "BadWebPushRequest", OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: Apple does not see a properly encrypted push."),
    Row(Service.APPLE, 400, "VapidPkHashMismatch", OTHER_KEY, "Ask the browser to subscribe again: this subscription was made with a different web push key."),
    Row(Service.APPLE, 403, "VapidPkHashMismatch", OTHER_KEY, "Ask the browser to subscribe again: this subscription was made with a different web push key."),
    Row(Service.APPLE, 403, "BadAuthorizationHeader", OUR_BUG, "Report this to the pushkit maintainers: Apple cannot read the form of the sign-in."),
    Row(Service.APPLE, 400, "BadAuthorizationHeader", OUR_BUG, "Report this to the pushkit maintainers: Apple cannot read the form of the sign-in."),
    Row(Service.APPLE, 403, "BadJwtToken", CREDENTIALS, "Check the web push key, the server's clock and the contact address: Apple wants a real, public one.", resign=True),
    Row(Service.APPLE, 403, "BadVapidPublicKey", CREDENTIALS, "Replace the web push key: Apple does not accept its public half."),
    Row(Service.APPLE, 404, "BadPath", GONE, "Remove this subscription: its stored address is not one of Apple's."),
    Row(Service.APPLE, 405, "MethodNotAllowed", OUR_BUG, "Report this to the pushkit maintainers: Apple does not take this kind of request."),
    Row(Service.APPLE, 410, "Unregistered", GONE, "Remove this subscription: it is no longer active."),
    Row(Service.APPLE, 410, "ExpiredToken", GONE, "Remove this subscription: it has expired."),
    Row(Service.APPLE, 410, None, GONE, "Remove this subscription: Apple says that it is gone."),
    Row(Service.APPLE, 413, "PayloadTooLarge", MESSAGE, "Shorten the message: Apple takes at most 4 KB."),
    Row(Service.APPLE, 429, "TooManyRequests", THROTTLED, "Wait half a minute and send less often to this subscription; others are not affected.", floor=30),
    Row(Service.APPLE, 400, "IdleTimeout", LATER, "Try again at once: the connection to Apple had been idle for too long, and the message itself is fine.", floor=0, retire=True),
    Row(Service.APPLE, 500, "InternalServerError", LATER, "Try again shortly: Apple's service had an internal error.", floor=1),
    Row(Service.APPLE, 503, "ServiceUnavailable", LATER, "Try again after a few seconds: Apple's service is not available at the moment.", floor=5),
    Row(Service.APPLE, 503, "Shutdown", LATER, "Try again shortly over a new connection: the Apple server in use is shutting down.", floor=1, retire=True),
    # -- microsoft
    Row(Service.MICROSOFT, 400, "ttl_cache_policy_conflict", OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: the lifetime and the storage setting for Windows disagree.", match="conflicts with x wns cache policy"),
    Row(Service.MICROSOFT, 400, "tokens_or_keys", OUR_BUG, "Report this to the pushkit maintainers: the sign-in for Windows was sent twice or not at all.", match="duplicate tokens"),
    Row(Service.MICROSOFT, 400, None, OUR_BUG_IN_MESSAGE, "Report this to the pushkit maintainers: Microsoft finds the request's settings wrong or in conflict."),
    Row(Service.MICROSOFT, 401, None, CREDENTIALS, "Check the web push key, and that subscriptions are stored letter for letter: Microsoft rejects the sign-in.", resign=True),
    Row(Service.MICROSOFT, 403, None, OTHER_KEY, "Ask the browser to subscribe again: this subscription was made with a different web push key."),
    Row(Service.MICROSOFT, 404, None, GONE, "Remove this subscription: Microsoft does not know its address."),
    Row(Service.MICROSOFT, 405, None, OUR_BUG, "Report this to the pushkit maintainers: Microsoft does not take this kind of request."),
    Row(Service.MICROSOFT, 406, None, THROTTLED, "Slow down and try again after a minute: Microsoft's sending limit is reached.", floor=60),
    Row(Service.MICROSOFT, 410, None, GONE, "Remove this subscription: it has expired, and the browser needs a new one."),
    Row(Service.MICROSOFT, 413, None, MESSAGE, "Shorten the message: Microsoft takes at most about 5 KB."),
    Row(Service.MICROSOFT, 429, None, QUOTA, "Raise the monthly sending quota with Microsoft, or wait until it starts anew."),
    Row(Service.MICROSOFT, 500, None, LATER, "Try again shortly: Microsoft's service had an internal error.", floor=1),
    Row(Service.MICROSOFT, 503, None, LATER, "Try again when Microsoft says, or after a few seconds: its service is not available at the moment.", floor=5),
    Row(Service.MICROSOFT, 201, "dropped", SETTINGS, "Find out why Windows dropped this push: notifications may be switched off, or too many were sent.", match="dropped"),
    # -- what no page documents and networks do all the same
    Row(Service.MICROSOFT, 201, "channelthrottled", THROTTLED, "Slow down and try again after a minute: Microsoft took the push and dropped it, since this browser gets too many.", floor=60, match="channelthrottled"),
    Row(Service.OTHER, 407, None, SETTINGS, "Check the proxy: it asks for a sign-in before it lets pushes through."),
    Row(Service.OTHER, 421, None, LATER, "Try again at once: the connection led to the wrong server.", floor=0, retire=True),
    Row(Service.OTHER, 425, None, LATER, "Try again shortly: the push service was not ready for the request yet.", floor=1),
    Row(Service.OTHER, 511, None, SETTINGS, "Check the network: it asks for a sign-in before it lets anything out."),
)

CLASSES: Mapping[int, Row] = {
    3: Row(Service.OTHER, 300, None, SETTINGS, "Check the proxy and the stored address: the answer sends us to another address, and pushkit does not follow it."),
    4: Row(Service.OTHER, 400, None, SETTINGS, "Check the proxy and the push service: it answered with a status that no push service documents."),
    5: Row(Service.OTHER, 500, None, LATER, "Try again if a second copy does no harm: the push service, or a server before it, failed and did not say why.", floor=1, unknown=True),
}
"""For statuses without a row, by their first digit."""

NONSENSE = Row(Service.OTHER, 0, None, LATER, "Try again if a second copy does no harm: the answer was no valid HTTP; check any proxy in between if it lasts.", floor=1, unknown=True)
"""For statuses below 200 and above 599."""
# fmt: on

FAULT_FLOORS: Mapping[str, float] = {}
"""Seconds by a fault's reason; every fault of Web Push has the default."""

FAULT_FLOOR = 1.0
