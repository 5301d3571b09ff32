"""
Rules about what FCM does with a message, and Android.

Source: FCM v1 discovery document, revision 20261023, and Google's pages on message types and priorities.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pushkit.notification import Notification, Priority
from pushkit.preview import payloads
from pushkit.preview.case import Case, Finding, mapping
from pushkit.preview.mapping import BROWSERS
from pushkit.verdict import Verdict


def _look(case: Case) -> dict[str, Any]:
    return mapping(mapping(case.payload.get("android")).get("notification"))


def background_priority(case: Case) -> Iterator[Finding]:
    """Android takes high priority away from apps that show nothing for it."""
    message = case.message
    if "android" not in case.platforms:
        return
    if isinstance(message, Notification):
        if message.background and message.priority is Priority.HIGH:
            yield Finding(
                effect="changed",
                field="priority",
                platform="android",
                message="a push that shows nothing is sent with normal priority: Android takes high priority away from apps that do not show anything.",
            )
    elif mapping(case.payload.get("android")).get("priority") == "high" and not (case.payload.get("notification") or _look(case)):
        yield Finding(
            effect="needs app",
            field="android.priority",
            platform="android",
            message="the app has to show something for each of these: Android takes high priority away from apps that do not.",
        )


def badge_zero(case: Case) -> Iterator[Finding]:
    """What 0 means on Android."""
    badge = getattr(case.message, "badge", None) if isinstance(case.message, Notification) else None
    if "android" not in case.platforms:
        return
    if badge == 0 and not isinstance(badge, bool):
        yield Finding(
            effect="ignored", field="badge", platform="android", message="0 is not sent to Android: FCM cannot take a number away."
        )
    if _look(case).get("notification_count") == 0:
        yield Finding(
            effect="note",
            field="android.notification.notification_count",
            platform="android",
            message="0 counts up by one: FCM cannot take a number away.",
        )


def web_link(case: Case) -> Iterator[Finding]:
    """Browsers behind FCM take https only."""
    message = case.message
    link = message.link if isinstance(message, Notification) else None
    if BROWSERS in case.platforms and isinstance(link, str) and link and not link.startswith("https://"):
        yield Finding(
            effect="ignored",
            field="link",
            platform=BROWSERS,
            message="browsers behind FCM open https:// links only; the page gets it as the data entry link all the same.",
        )


def topic_size(case: Case) -> Iterator[Finding]:
    """A topic takes half of what a device takes."""
    refusal = payloads.fcm_payload(case.message, topic=True)
    if isinstance(refusal, Verdict) and refusal.reason == "payload_too_large":
        yield Finding(
            effect="note",
            field=refusal.field,
            message="fits a device, and is too long for a topic or condition (2048 bytes).",
            mend="Shorten it before it goes to a topic.",
        )


def channel(case: Case) -> Iterator[Finding]:
    """Since Android 8 every notification is in a channel."""
    look = _look(case)
    displayed = "android" in case.platforms and "android_v2" not in case.payload and (case.payload.get("notification") or look)
    if displayed and not look.get("channel_id"):
        yield Finding(
            effect="note",
            field="android.notification.channel_id",
            platform="android",
            message="names no notification channel: it appears in the app's default channel, or in one called Miscellaneous.",
            mend='Set it with fcm.Options(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(channel_id="…"))).',
        )


def overwritten(case: Case) -> Iterator[Finding]:
    """Names that Google takes for itself."""
    for key in sorted({"notification", "collapse_key"} & set(mapping(case.payload.get("data")))):
        yield Finding(effect="note", field=f"data[{key!r}]", message="is a name that Google may overwrite.", mend="Use another name.")


def iphone(case: Case) -> Iterator[Finding]:
    """What an iPhone needs of a message that Google passes on to Apple."""
    if "ios" not in case.platforms or isinstance(case.message, Notification):
        return
    block = mapping(case.payload.get("apns"))
    aps, headers = case.aps, mapping(block.get("headers"))
    shown = case.payload.get("notification") or any(key in aps for key in ("alert", "badge", "sound")) or block.get("live_activity_token")
    if not shown and "content-available" not in aps:
        yield Finding(
            effect="note",
            field="apns.payload.aps",
            platform="ios",
            message="holds no content-available: iPhones whose app is in the background get nothing of it.",
            mend='Set it with fcm.ApnsConfig(headers={"apns-push-type": "background", "apns-priority": "5"}, payload={"aps": {"content-available": 1}}).',
        )
    elif not shown and headers.get("apns-priority") != "5":
        yield Finding(
            effect="note",
            field="apns.headers",
            platform="ios",
            message="Google sends priority 10 where none is said, and Apple refuses it for a push that shows nothing.",
            mend='Give apns-priority as "5".',
        )
    image = mapping(block.get("fcm_options")).get("image") or mapping(case.payload.get("notification")).get("image")
    if image and "mutable-content" not in aps:
        yield Finding(
            effect="hidden",
            field="image",
            platform="ios",
            message="iPhones do not ask the app's service extension for the picture: mutable-content is not set.",
            mend='Set it with fcm.ApnsConfig(payload={"aps": {"mutable-content": 1}}).',
        )


RULES = (background_priority, badge_zero, web_link, topic_size, channel, overwritten, iphone)
"""For all that goes through FCM."""
