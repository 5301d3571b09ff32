"""
pushkit's own words: one word for each way in which a push ends before a provider was asked, whichever provider it was for.

The same mistake has the same word everywhere, so that it is one line of a report and one time series. What
a fault on the wire is called stands in :mod:`pushkit.faults`; a provider's own words stand in its ``reasons``,
and what becomes of signing in to Google (``oauth_…``) in :mod:`pushkit.fcm.oauth`. The page
``docs/reasons-pushkit.md`` renders this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.verdict import Directive, Verdict


@attrs.frozen
class OwnReason:
    """One word."""

    category: Category
    action: Action
    scope: Scope | None
    meaning: str
    """What happened."""
    advice: str
    """What to do. Whoever knows more about this very push says it instead."""
    suspicion: bool = False


def _message(meaning: str, advice: str) -> OwnReason:
    return OwnReason(Category.PAYLOAD, Action.FIX_PAYLOAD, None, meaning, advice)


def _gone(meaning: str, advice: str) -> OwnReason:
    return OwnReason(Category.RECIPIENT, Action.REMOVE_RECIPIENT, None, meaning, advice)


def _review(meaning: str, advice: str) -> OwnReason:
    return OwnReason(Category.RECIPIENT, Action.REVIEW_RECIPIENT, None, meaning, advice)


def _setting(meaning: str, advice: str) -> OwnReason:
    return OwnReason(Category.TECHNICAL, Action.FIX_CONFIGURATION, Scope.CONFIGURATION, meaning, advice)


def _later(meaning: str, advice: str, scope: Scope = Scope.ATTEMPT) -> OwnReason:
    return OwnReason(Category.TECHNICAL, Action.RETRY_LATER, scope, meaning, advice)


def _credential(meaning: str, advice: str, action: Action = Action.FIX_CREDENTIALS) -> OwnReason:
    return OwnReason(Category.TECHNICAL, action, Scope.CREDENTIAL, meaning, advice)


# fmt: off
OWN: Final[Mapping[str, OwnReason]] = {
    # -- the message
    "message_failed": _message("There is no message for this recipient: the callable raised an error or gave something else.", "Repair the callable that makes the message: it gave none for this recipient."),
    "wrong_message": _message("A kind of message that this kind of recipient does not take.", "Send this kind of message to the recipients that it is made for, or use a Notification, which goes to every kind."),
    "empty_message": _message("The message holds nothing to show and nothing for the app.", "Give the notification a title, body, badge or sound; or set background=True to wake the app without showing anything."),
    "invalid_field": _message("A field holds what does not belong there.", "Correct the field that the details name: it does not hold what belongs there."),
    "invalid_options": _message("The options are not made of a provider's Options.", "Give options= what each provider calls Options, such as options=(apns.Options(...), fcm.Options(...))."),
    "invalid_ttl": _message("The lifetime is none, or longer than the push service takes.", "Set a lifetime between 0 seconds and 28 days for the message."),
    "reserved_key": _message("A name in the data belongs to the provider, or to another field of the message.", "Rename the entry of the data that the details name: its name is taken."),
    "payload_too_large": _message("The message has more bytes than the push service takes.", "Shorten the message: it is larger than this push service takes."),
    "background_with_content": _message("A background push that would show, sound or count something.", "Send two pushes, or leave background off and set apns.Options(content_available=True): a background push shows nothing."),
    "background_not_supported": _message("A background push to a browser that takes none.", "Show something with each push to Safari: it takes the permission away from pages that push silently."),
    "dry_run_not_supported": _message("A trial was asked of a provider that has none.", "Leave dry_run off, or use check(): this provider offers no trial, it would deliver the push."),
    "collapse_id_too_long": _message("The key that replaces an earlier message has more bytes than Apple takes.", "Shorten the key that lets this message replace an earlier one (collapse id) to at most 64 bytes."),
    "invalid_topic": _message("The key that replaces an earlier message (Topic header) holds what browsers' services do not take.", "Change the key that replaces an earlier message (topic), or have pushkit make one from your text."),
    "invalid_topic_name": _message("The name of the FCM topic is none that Google takes.", "Correct the topic's name: letters, digits and - _ . ~ % are allowed."),
    "invalid_condition": _message("The condition over FCM topics cannot be read.", "Correct the condition over topics."),
    "invalid_declarative_message": _message("A declarative Web Push message without what browsers ask of it.", "Add a title and the page to open, and correct the fields that the details name."),
    "missing_fallback": _message("A translated text for a browser, which has no app to look it up in.", "Give the translated text a fallback: browsers cannot look its key up."),
    "invalid_padding": _message("The padding is none that Web Push knows.", 'Set the padding to "none", "block" or a number of bytes.'),
    "invalid_location": _message("The location of the message to take back is not its push service's.", "Give the location that the service named when it accepted the message; it has to be the same service's."),
    "message_gone": _message("The message to take back is there no more.", "Nothing is left to take back: the message was delivered or has expired."),
    "withdrawal_not_supported": _message("A push service that takes no message back.", "Send a newer message with the same topic instead: this push service cannot take one back."),
    # -- the recipient
    "invalid_target": _review("The row of the recipient list is no target, or none that this provider reaches.", "Repair this row of the recipient list: it holds no target."),
    "invalid_token": _gone("What is stored as token or id can never have been one.", "Remove or correct this recipient: what is stored as its token can never have been one."),
    "invalid_environment": _review("The environment that is stored with the device is none of Apple's.", "Correct the environment that is stored for this device: it is either 'production' or 'sandbox'."),
    "invalid_channel_id": _gone("What is stored as channel id is none.", "Remove or correct the stored channel id: it is not what Apple gave."),
    "invalid_endpoint": _gone("The subscription's address is none that a browser gives.", "Remove this subscription: its address is not one that a browser hands out."),
    "endpoint_not_allowed": _review("The address leads to a push service that the settings do not allow, or to a host that is not public.", "Check the push service's address: allow it in the settings if you trust it, else remove the subscription."),
    "endpoint_permanently_removed": _gone("The browser's placeholder for an address that no longer exists.", "Remove this subscription: the browser has no push service and gave only a placeholder."),
    "invalid_p256dh": _gone("The subscription's public key is damaged.", "Remove this subscription: the key that was stored with it is damaged."),
    "invalid_auth_secret": _gone("The subscription's shared secret is damaged.", "Remove this subscription: the secret that was stored with it is damaged."),
    "subscription_expired": _gone("The end that the browser gave for the subscription has passed.", "Remove this subscription: its own expiry date has passed."),
    "vapid_key_not_configured": OwnReason(Category.RECIPIENT, Action.RESUBSCRIBE, None, "The subscription was made with a web push key that the settings do not hold.", "Add the key that this subscription was made with to the settings, or ask the browser to subscribe again.", suspicion=True),
    # -- settings
    "provider_not_configured": _setting("The client has no configuration for this kind of recipient.", "Pass the provider of this kind of target to the client in providers=[...]."),
    "app_not_configured": _setting("The client has no usable configuration for this recipient's app.", "Configure this app, or correct the app of these targets: the client knows none of that name."),
    "environment_not_configured": _setting("There are no credentials for this environment of Apple's.", "Add credentials for this environment of Apple's to the settings."),
    "invalid_vapid_subject": _setting("The contact address for push services is none.", "Set a real contact address in the settings: an e-mail address (mailto:) or a web page (https://)."),
    "provider_error": OwnReason(Category.TECHNICAL, Action.REPORT_BUG, Scope.CONFIGURATION, "The code of the provider raised an error.", "Report this: the code of this provider raised an error."),
    # -- credentials
    "token_key_required": OwnReason(Category.TECHNICAL, Action.FIX_CREDENTIALS, Scope.CONFIGURATION, "A type of push for which Apple takes token keys alone.", "Use a token key (.p8): Apple takes this type of push with no certificate."),
    "topic_not_in_certificate": OwnReason(Category.TECHNICAL, Action.FIX_CREDENTIALS, Scope.CONFIGURATION, "The certificate was made for other apps or services.", "Make a certificate that covers this app and service, or use a token key, which covers all of the team's."),
    "vapid_keypair_mismatch": _credential("The two halves of the web push key do not belong together.", "Correct the web push key pair in the settings: the public key does not belong to the private key."),
    "credential_fetch_failed": _credential("The code that fetches the credential raised an error, or gave none.", "Check how this credential is fetched: the code that fetches it raised an error, or gave nothing that can be used."),
    "credential_timeout": _later("Fetching the credential took too long.", "Try again later: fetching the credential took too long; check how it is fetched if this lasts."),
    "credential_latched": _credential("The credential was refused, and nothing more is sent with it until it works.", "Repair or replace the credential: it was refused."),
    "no_credential": _credential("A request without its credential.", "Report this to the pushkit maintainers: a request was about to go out without an access token.", Action.REPORT_BUG),
    # -- time, room and patience
    "expired": OwnReason(Category.TECHNICAL, Action.FIX_CONFIGURATION, Scope.ATTEMPT, "Its lifetime ended before it could be sent.", "Send it anew if it still matters: it was older than its ttl before it could be sent; raise ttl or send more at once if this happens often."),
    "superseded": OwnReason(Category.TECHNICAL, Action.FIX_CONFIGURATION, Scope.ATTEMPT, "A later update made it worthless.", "Nothing to do: a later update for the same recipient was sent meanwhile."),
    "cancelled": _later("The sender gave up.", "Send it again if it still matters: the sender gave up before it was sent."),
    "client_closed": _later("The client was closed.", "Send it again with an open client: this one was closed before it was sent."),
    "timeout": _later("There was no room for it, or no answer, in time.", "Try again later: there was no room for this push in time, so it was not sent; raise max_in_flight or the deadline if this happens often."),
    "circuit_open": _later("Most pushes to this service failed, so it is left alone for a moment.", "Try again later: this push service failed so often that it is left alone for a moment."),
    "throttled": _later("The pause that the push service asked for is longer than this push can wait.", "Try again later: the push service asked for a pause that is not over yet.", Scope.THROTTLE),
    "too_many_origins": _later("Too many unknown push services at once.", "Try again in a minute: pushes go to too many different push services that are not known at once.", Scope.THROTTLE),
    "retry_budget_exhausted": _later("So many pushes failed that this one was not repeated.", "Try again later: so many pushes fail that repeating them all would only add to the load."),
}
# fmt: on
"""By word."""


def refuse(
    reason: str,
    *,
    advice: str | None = None,
    action: Action | None = None,
    field: str | None = None,
    detail: str = "",
    floor: float | None = None,
    directives: tuple[Directive, ...] = (),
) -> Verdict:
    """
    Nothing was sent, for a reason in the table.

    Args:
        reason: the word.
        advice: instead of the table's, where more is known.
        action: instead of the table's.
        field: which field of the message.
        detail: what was seen; safe to show.
        floor: seconds before the same push may be tried again; None: it may not.
        directives: what delivery has to do about it.
    """
    row = OWN[reason]
    return Verdict(
        category=row.category,
        reason=reason,
        action=action or row.action,
        disposition=Disposition.NOT_SENT,
        advice=advice or row.advice,
        scope=row.scope,
        retryable=floor is not None,
        floor=floor,
        detail=detail,
        field=field,
        suspicion=row.suspicion,
        directives=directives,
    )
