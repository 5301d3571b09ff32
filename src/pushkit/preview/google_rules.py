"""
Rules about what FCM does with a message, and Android.

Source: FCM v1 discovery document, revision 20261023, and Google's pages on message types and priorities.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pushkit.notification import Notification, Priority
from pushkit.preview import payloads
from pushkit.preview.case import Case, Effect, Finding, mapping
from pushkit.preview.mapping import BROWSERS
from pushkit.verdict import Verdict

_COLLAPSE_LIMIT = 64
"""Bytes. The value of ``pushkit.apns.kinds.COLLAPSE_LIMIT``; a test keeps them equal."""


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
                effect=Effect.CHANGED,
                field="priority",
                platform="android",
                message="a push that shows nothing is sent with normal priority: Android takes high priority away from apps that do not show anything.",
            )
    elif mapping(case.payload.get("android")).get("priority") == "high" and not (case.payload.get("notification") or _look(case)):
        yield Finding(
            effect=Effect.NEEDS_APP,
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
            effect=Effect.IGNORED, field="badge", platform="android", message="0 is not sent to Android: FCM cannot take a number away."
        )
    if _look(case).get("notification_count") == 0:
        yield Finding(
            effect=Effect.NOTE,
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
            effect=Effect.IGNORED,
            field="link",
            platform=BROWSERS,
            message="browsers behind FCM open https:// links only; the page gets it as the data entry link all the same.",
        )


def topic_size(case: Case) -> Iterator[Finding]:
    """A topic takes half of what a device takes."""
    refusal = payloads.fcm_payload(case.message, topic=True)
    if isinstance(refusal, Verdict) and refusal.reason == "payload_too_large":
        yield Finding(
            effect=Effect.NOTE,
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
            effect=Effect.NOTE,
            field="android.notification.channel_id",
            platform="android",
            message="names no notification channel: it appears in the app's default channel, or in one called Miscellaneous.",
            mend='Set it with fcm.Options(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(channel_id="…"))).',
        )


def empty_look(case: Case) -> Iterator[Finding]:
    """Options that style a notification make one, even where nothing is to be shown."""
    look, common = _look(case), mapping(case.payload.get("notification"))
    words = [*common, *look]
    if "android" in case.platforms and look and not any(word.startswith(("title", "body")) for word in words):
        yield Finding(
            effect=Effect.NOTE,
            field="android.notification",
            platform="android",
            message="has neither title nor body: Android shows an empty notification, even for a background push.",
            mend="Leave android.notification out of this push.",
        )


def older_apps(case: Case) -> Iterator[Finding]:
    """The new generation of Android settings, and apps that do not know it."""
    remote = mapping(mapping(case.payload.get("android_v2")).get("remote_notification"))
    if "android" in case.platforms and remote.get("use_as_v1_data_message"):
        yield Finding(
            effect=Effect.NEEDS_APP,
            field="android_v2.remote_notification",
            platform="android",
            message="apps that do not know the new form get the data alone, and have to show it themselves.",
        )


def overwritten(case: Case) -> Iterator[Finding]:
    """Names that Google takes for itself."""
    for key in sorted({"notification", "collapse_key"} & set(mapping(case.payload.get("data")))):
        yield Finding(effect=Effect.NOTE, field=f"data[{key!r}]", message="is a name that Google may overwrite.", mend="Use another name.")


def iphone_background(case: Case) -> Iterator[Finding]:
    """What wakes an iPhone's app for data alone."""
    block, aps = mapping(case.payload.get("apns")), case.aps
    meant = "ios" in case.platforms and ("data" in case.payload or block) and not isinstance(case.message, Notification)
    shown = case.payload.get("notification") or any(key in aps for key in ("alert", "badge", "sound")) or block.get("live_activity_token")
    if not meant or shown:
        return
    if "content-available" not in aps:
        yield Finding(
            effect=Effect.NOTE,
            field="apns.payload.aps",
            platform="ios",
            message="holds no content-available: iPhones whose app is in the background get nothing of it.",
            mend='Set it with fcm.ApnsConfig(headers={"apns-push-type": "background", "apns-priority": "5"}, payload={"aps": {"content-available": 1}}).',
        )
    elif mapping(block.get("headers")).get("apns-priority") != "5":
        yield Finding(
            effect=Effect.NOTE,
            field="apns.headers",
            platform="ios",
            message="Google sends priority 10 where none is said, and Apple refuses it for a push that shows nothing.",
            mend='Give apns-priority as "5".',
        )


def iphone_look(case: Case) -> Iterator[Finding]:
    """What an iPhone needs beside the title, body and picture that all platforms share."""
    if "ios" not in case.platforms or isinstance(case.message, Notification):
        return
    common, alert = mapping(case.payload.get("notification")), mapping(case.aps.get("alert"))
    if alert and any(part in common and not any(key.startswith(start) for key in alert) for part, start in _PARTS):
        yield Finding(
            effect=Effect.NOTE,
            field="apns.payload.aps.alert",
            platform="ios",
            message="may replace the message's own title and body: Google does not say whether it adds what is missing.",
            mend="Give the alert whole.",
        )
    if (
        common.get("image") or mapping(mapping(case.payload.get("apns")).get("fcm_options")).get("image")
    ) and "mutable-content" not in case.aps:
        yield Finding(
            effect=Effect.HIDDEN,
            field="image",
            platform="ios",
            message="iPhones do not ask the app's service extension for the picture: mutable-content is not set.",
            mend='Set it with fcm.ApnsConfig(payload={"aps": {"mutable-content": 1}}).',
        )


_PARTS = (("title", "title"), ("body", ("body", "loc-")))
"""A text that all platforms share, and how the keys of an alert begin that say it."""


def iphone_collapse_id(case: Case) -> Iterator[Finding]:
    """Google passes the header on, and Apple measures it."""
    given = mapping(mapping(case.payload.get("apns")).get("headers")).get("apns-collapse-id")
    if "ios" in case.platforms and isinstance(given, str) and len(given.encode("utf-8", "replace")) > _COLLAPSE_LIMIT:
        yield Finding(
            effect=Effect.REFUSED,
            field="collapse_key" if isinstance(case.message, Notification) else "apns.headers",
            platform="ios",
            message=f"is longer than {_COLLAPSE_LIMIT} bytes: Apple refuses it.",
            mend="Take a shorter one.",
        )


RULES = (
    background_priority,
    badge_zero,
    web_link,
    topic_size,
    channel,
    empty_look,
    older_apps,
    overwritten,
    iphone_background,
    iphone_look,
    iphone_collapse_id,
)
"""For all that goes through FCM."""
