"""Rules of the linter that are about one provider's habits, as data: who, when, what happens, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import attrs

from pushkit.messages import Message
from pushkit.notification import InterruptionLevel, Localized, Notification, Priority, Sound
from pushkit.preview import payloads
from pushkit.verdict import Verdict

BROWSER_PORTABLE = 2820
"""Bytes. The value of ``pushkit.webpush.limits.PORTABLE_LIMIT``; a test keeps them equal."""


@attrs.frozen(kw_only=True)
class Finding:
    """What a rule found; ``effect`` is a value of ``Effect``."""

    effect: str
    field: str | None
    message: str
    mend: str = ""
    platform: str | None = None
    approximate: bool = False


@attrs.frozen
class Rule:
    """One rule. ``provider`` None: for each."""

    provider: str | None
    find: Callable[[Message, str], Iterable[Finding]]


def says(notification: Notification, field: str) -> bool:
    """Whether a field says something of its own."""
    value: Any = getattr(notification, field)
    if field == "priority":
        return value is not Priority.HIGH
    return value is not None and value is not False and value not in ("", ())


def _critical(message: Message, _: str) -> Iterator[Finding]:
    if not isinstance(message, Notification):
        return
    if message.interruption is InterruptionLevel.CRITICAL or (isinstance(message.sound, Sound) and message.sound.critical):
        yield Finding(
            effect="needs app",
            field="interruption" if message.interruption is InterruptionLevel.CRITICAL else "sound",
            message="critical alerts work only with Apple's entitlement and the person's consent; otherwise they are ordinary ones.",
            mend="Ask Apple for the critical alerts entitlement.",
        )
    elif message.interruption is InterruptionLevel.TIME_SENSITIVE:
        yield Finding(
            effect="needs app",
            field="interruption",
            message="time-sensitive alerts work only with the capability of that name; otherwise they are ordinary ones.",
            mend="Add the Time Sensitive Notifications capability to the app.",
        )


def _background_priority(message: Message, _: str) -> Iterator[Finding]:
    if isinstance(message, Notification) and message.background and message.priority is not Priority.NORMAL:
        yield Finding(
            effect="changed", field="priority", message="a background push always has priority 5 (NORMAL): Apple refuses any other."
        )


def _background_priority_android(message: Message, _: str) -> Iterator[Finding]:
    if isinstance(message, Notification) and message.background and message.priority is Priority.HIGH:
        yield Finding(
            effect="changed",
            field="priority",
            message="a push that shows nothing is sent with normal priority: Android takes high priority away from apps that do not show anything.",
        )


def _insecure(message: Message, _: str) -> Iterator[Finding]:
    if isinstance(message, Notification):
        for field in ("image", "icon", "link"):
            value = getattr(message, field)
            if isinstance(value, str) and value.lower().startswith("http://"):
                yield Finding(
                    effect="hidden" if field != "link" else "note",
                    field=field,
                    message="is an http:// address: phones and browsers block it or warn.",
                    mend="Use https://.",
                )


def _relative_link(message: Message, provider: str) -> Iterator[Finding]:
    if (
        isinstance(message, Notification)
        and isinstance(message.link, str)
        and provider == "fcm"
        and not message.link.startswith("https://")
    ):
        yield Finding(
            effect="ignored",
            field="link",
            message="browsers behind FCM open https:// links only; the app gets it as the data entry link all the same.",
        )


def _badge_zero(message: Message, _: str) -> Iterator[Finding]:
    if isinstance(message, Notification) and message.badge == 0 and not isinstance(message.badge, bool):
        yield Finding(
            effect="ignored", field="badge", platform="android", message="0 is not sent to Android: FCM cannot take a number away."
        )


def _localized(message: Message, provider: str) -> Iterator[Finding]:
    if not isinstance(message, Notification):
        return
    for field in ("title", "subtitle", "body"):
        value = getattr(message, field)
        if not isinstance(value, Localized):
            continue
        if provider == "webpush":
            yield Finding(effect="changed", field=field, message="browsers look no keys up: they show the fallback.")
        else:
            yield Finding(
                effect="needs app",
                field=field,
                message="is looked up in the app's string table; an app without the key shows the key or nothing.",
                mend=f"Ship the key in every version of the app that is in use ({'Localizable.strings' if provider == 'apns' else 'strings.xml and Localizable.strings'}).",
            )


def _long_lived(message: Message, _: str) -> Iterator[Finding]:
    ttl = message.ttl
    value = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    if message.expires_at is None and not isinstance(value, bool) and isinstance(value, (int, float)):
        if value == 0:
            yield Finding(effect="note", field="ttl", message="0 means now or never: who is offline at that moment gets nothing.")
        elif value > 28 * 86400:
            yield Finding(
                effect="cut",
                field="ttl",
                message="no provider keeps a message for longer than 28 to 30 days.",
                mend="Ask for 28 days at the most.",
            )


def _topic_size(message: Message, _: str) -> Iterator[Finding]:
    if isinstance(payloads.fcm_payload(message), Verdict):
        return
    refusal = payloads.fcm_payload(message, topic=True)
    if isinstance(refusal, Verdict) and refusal.reason == "payload_too_large":
        yield Finding(
            effect="note",
            field=refusal.field,
            message="fits a device, and is too long for a topic or condition (2048 bytes).",
            mend="Shorten it before it goes to a topic.",
        )


def _phone_browsers(message: Message, _: str) -> Iterator[Finding]:
    plaintext = payloads.webpush_payload(message)
    if isinstance(plaintext, bytes) and len(plaintext) > BROWSER_PORTABLE:
        yield Finding(
            effect="note",
            field="body" if isinstance(message, Notification) else "data",
            message=f"{len(plaintext)} bytes may not reach browsers on phones, which take about {BROWSER_PORTABLE}.",
            mend="Send an id and let the service worker fetch the rest.",
            approximate=True,
        )


def _quiet_push(message: Message, _: str) -> Iterator[Finding]:
    if message.provider == "webpush" and getattr(message, "data", True) is None and hasattr(message, "urgency"):
        yield Finding(
            effect="note",
            field="data",
            message="a push without content: browsers show a general notice unless the service worker shows one.",
        )


def _no_channel(message: Message, _: str) -> Iterator[Finding]:
    resource = payloads.fcm_payload(message)
    if isinstance(resource, Verdict):
        return
    android: dict[str, Any] = resource.get("android", {})
    look: dict[str, Any] = android.get("notification", {})
    if (resource.get("notification") or look) and not look.get("channel_id"):
        yield Finding(
            effect="note",
            field="android.notification.channel_id",
            platform="android",
            message="names no notification channel: it appears in the app's default channel, or in one called Miscellaneous.",
            mend='Set it with fcm.Options(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(channel_id="…"))).',
        )


def _reserved(message: Message, _: str) -> Iterator[Finding]:
    resource = payloads.fcm_payload(message)
    if not isinstance(resource, Verdict):
        for key in sorted({"notification", "collapse_key"} & set(resource.get("data", {}))):
            yield Finding(effect="note", field=f"data[{key!r}]", message="is a name that Google may overwrite.", mend="Use another name.")


RULES: tuple[Rule, ...] = (
    Rule("apns", _critical),
    Rule("fcm", _critical),
    Rule("apns", _background_priority),
    Rule("fcm", _background_priority_android),
    Rule(None, _insecure),
    Rule("fcm", _relative_link),
    Rule("fcm", _badge_zero),
    Rule(None, _localized),
    Rule(None, _long_lived),
    Rule("fcm", _topic_size),
    Rule("webpush", _phone_browsers),
    Rule("webpush", _quiet_push),
    Rule("fcm", _no_channel),
    Rule("fcm", _reserved),
)
