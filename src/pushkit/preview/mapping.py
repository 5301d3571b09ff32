"""
What each provider makes of each portable field: the table behind the linter and the documentation.

FCM reaches three kinds of platform, and tells each of them something else, so it has three columns. A test
encodes each field and compares: a cell names exactly the places in which the field travels to that platform.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

import attrs

from pushkit.notification import InterruptionLevel, Localized, Notification, Priority, Sound
from pushkit.preview.case import Effect

PROVIDERS = ("apns", "fcm", "webpush")
BROWSERS = "browsers"
"""The platform of a warning that is about every browser behind FCM."""


@attrs.frozen
class Column:
    """One provider, on all that it reaches or on one kind of platform."""

    provider: str
    platform: str | None = None
    """``"android"``, ``"ios"`` or ``"browsers"``; None: there is but one kind."""


COLUMNS: Mapping[str, Column] = {
    "apns": Column("apns"),
    "fcm_android": Column("fcm", "android"),
    "fcm_ios": Column("fcm", "ios"),
    "fcm_browsers": Column("fcm", BROWSERS),
    "webpush": Column("webpush"),
}


@attrs.frozen
class Cell:
    """One field in one column."""

    places: tuple[str, ...] = ()
    """The provider's own fields, as paths into the JSON or names of headers; empty: nothing is sent."""
    how: str = ""
    """What stands there, where it is not the value itself."""
    lost: str = attrs.field(default="", kw_only=True)
    """What a person does not see of it, in one sentence; empty: nothing is lost."""
    app: str = attrs.field(default="", kw_only=True)
    """What the app or the service worker has to do for it; empty: nothing."""
    effect: Effect = attrs.field(default=Effect.IGNORED, kw_only=True)
    """What the linter calls the loss."""
    when: Callable[[Notification], bool] | None = attrs.field(default=None, kw_only=True)
    """Which notifications lose it; None: all that set the field."""


@attrs.frozen(kw_only=True)
class Row:
    """One portable field."""

    field: str
    apns: Cell
    fcm_android: Cell
    fcm_ios: Cell
    fcm_browsers: Cell
    webpush: Cell

    def cell(self, column: str) -> Cell:
        """What is made of it in one of ``COLUMNS``."""
        found: Cell = getattr(self, column)
        return found


LOCALIZED = "Localized"
"""The row of texts that the app looks up, whichever field they stand in."""

_DRAWABLE = re.compile(r"[a-z0-9_]+").fullmatch


def says(notification: Notification, field: str) -> bool:
    """Whether a field says something of its own."""
    if field == LOCALIZED:
        return bool(localized_fields(notification))
    value: object = getattr(notification, field)
    if field == "priority":
        return value is not Priority.HIGH
    return value is not None and value is not False and value not in ("", ())


def localized_fields(notification: Notification) -> list[str]:
    """Which texts the app looks up."""
    return [name for name in ("title", "subtitle", "body") if isinstance(getattr(notification, name), Localized)]


def _names_a_drawable(notification: Notification) -> bool:
    return isinstance(notification.icon, str) and _DRAWABLE(notification.icon) is not None


def _no_icon_for_browsers(notification: Notification) -> bool:
    return _names_a_drawable(notification) and not _own(notification, "webpush", "icon")


def _no_icon_for_fcm_browsers(notification: Notification) -> bool:
    return _names_a_drawable(notification) and not _own(notification, "fcm", "webpush", "notification", "icon")


def _no_icon_for_android(notification: Notification) -> bool:
    return not _names_a_drawable(notification) and not _own(notification, "fcm", "android", "notification", "icon")


def _own(notification: Notification, provider: str, *path: str) -> object:
    """What a provider's own options say instead."""
    value: object = next((option for option in notification.options if option.provider == provider), None)
    for step in path:
        value = cast("Mapping[str, object]", value).get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return value


def _is_low(notification: Notification) -> bool:
    return notification.priority is Priority.LOW


def _is_not_active(notification: Notification) -> bool:
    # ACTIVE is what everybody does without being told.
    return notification.interruption is not InterruptionLevel.ACTIVE


def _interrupts(notification: Notification) -> bool:
    return notification.interruption in {InterruptionLevel.TIME_SENSITIVE, InterruptionLevel.CRITICAL}


def _has_a_sound_of_its_own(notification: Notification) -> bool:
    sound = notification.sound
    return (sound.critical or sound.name != "default") if isinstance(sound, Sound) else sound != "default"


def _has_a_number(notification: Notification) -> bool:
    return notification.badge != 0


_LINK_IN_APP = "The app has to open it: it arrives as the entry link."
_EXTENSION = "Only an app with a notification service extension shows it: the extension has to load the picture."
_NO_LEVELS = "Browsers know no interruption levels."
_NO_SOUND = "Browsers play the system's sound, whatever a message says."
_TRANSLATED = "The app needs the key in its string table: a version without it shows the key or nothing."

TABLE: tuple[Row, ...] = (
    Row(
        field="title",
        apns=Cell(("aps.alert.title",)),
        fcm_android=Cell(("notification.title",)),
        fcm_ios=Cell(("notification.title",)),
        fcm_browsers=Cell(("notification.title",)),
        webpush=Cell(("notification.title",)),
    ),
    Row(
        field="subtitle",
        apns=Cell(("aps.alert.subtitle",)),
        fcm_android=Cell(lost="Android has no subtitle."),
        fcm_ios=Cell(("apns.payload.aps.alert.subtitle",)),
        fcm_browsers=Cell(lost="Browsers behind FCM get no subtitle."),
        webpush=Cell(
            ("notification.body",),
            "its first line",
            lost="Browsers have no subtitle: it becomes the first line of the body.",
            effect=Effect.CHANGED,
        ),
    ),
    Row(
        field="body",
        apns=Cell(("aps.alert.body",)),
        fcm_android=Cell(("notification.body",)),
        fcm_ios=Cell(("notification.body",)),
        fcm_browsers=Cell(("notification.body",)),
        webpush=Cell(("notification.body",)),
    ),
    Row(
        field=LOCALIZED,
        apns=Cell(("aps.alert.title-loc-key", "aps.alert.title-loc-args"), "and so on", app=_TRANSLATED),
        fcm_android=Cell(
            ("android.notification.title_loc_key", "android.notification.title_loc_args", "notification.title"),
            "and so on, with the fallback as plain text",
            app=_TRANSLATED,
        ),
        fcm_ios=Cell(
            (
                "apns.payload.aps.alert.title-loc-key",
                "apns.payload.aps.alert.title-loc-args",
                "apns.payload.aps.alert.title",
                "notification.title",
            ),
            "and so on, with the fallback as plain text",
            app=_TRANSLATED,
        ),
        fcm_browsers=Cell(
            ("notification.title",), "the fallback", lost="Browsers look no keys up: they show the fallback.", effect=Effect.CHANGED
        ),
        webpush=Cell(
            ("notification.title",),
            "the fallback; without one it is refused",
            lost="Browsers look no keys up: they show the fallback.",
            effect=Effect.CHANGED,
        ),
    ),
    Row(
        field="image",
        apns=Cell(("image", "aps.mutable-content"), app=_EXTENSION),
        fcm_android=Cell(("notification.image",)),
        fcm_ios=Cell(("apns.fcm_options.image", "apns.payload.aps.mutable-content", "notification.image"), app=_EXTENSION),
        # The linter says of browsers screen by screen which of them show it.
        fcm_browsers=Cell(
            ("webpush.notification.image", "notification.image"), lost="Safari and Firefox show no pictures.", when=lambda _: False
        ),
        webpush=Cell(("notification.image",), lost="Safari and Firefox show no pictures.", when=lambda _: False),
    ),
    Row(
        field="icon",
        apns=Cell(lost="Apple's devices always show the app's own icon."),
        fcm_android=Cell(
            ("android.notification.icon",), "a drawable's name", lost="A URL is no icon on Android.", when=_no_icon_for_android
        ),
        fcm_ios=Cell(lost="Apple's devices always show the app's own icon."),
        fcm_browsers=Cell(
            ("webpush.notification.icon",),
            "a URL",
            lost="The name of an Android drawable means nothing to a browser.",
            when=_no_icon_for_fcm_browsers,
        ),
        webpush=Cell(
            ("notification.icon",), "a URL", lost="The name of an Android drawable means nothing to a browser.", when=_no_icon_for_browsers
        ),
    ),
    Row(
        field="badge",
        apns=Cell(("aps.badge",), "0 takes the number away"),
        fcm_android=Cell(
            ("android.notification.notification_count",),
            "0 is left out",
            lost="The number on the icon depends on the launcher.",
            effect=Effect.NOTE,
            when=_has_a_number,
        ),
        fcm_ios=Cell(("apns.payload.aps.badge",), "0 takes the number away"),
        fcm_browsers=Cell(lost="Browsers behind FCM get no number."),
        webpush=Cell(
            ("app_badge",), app="The service worker has to call navigator.setAppBadge(); Safari does it by itself for declarative messages."
        ),
    ),
    Row(
        field="sound",
        apns=Cell(("aps.sound",), "a file's name, or a critical sound"),
        fcm_android=Cell(
            ("android.notification.sound",),
            "a file's name",
            lost="Since Android 8 the app's notification channel decides the sound.",
            effect=Effect.NOTE,
            when=_has_a_sound_of_its_own,
        ),
        fcm_ios=Cell(("apns.payload.aps.sound",), "a file's name, or a critical sound"),
        fcm_browsers=Cell(lost=_NO_SOUND, when=_has_a_sound_of_its_own),
        webpush=Cell(lost=_NO_SOUND, when=_has_a_sound_of_its_own),
    ),
    Row(
        field="link",
        apns=Cell(("link",), app=_LINK_IN_APP),
        fcm_android=Cell(("data.link",), app=_LINK_IN_APP),
        fcm_ios=Cell(("data.link",), app=_LINK_IN_APP),
        fcm_browsers=Cell(("webpush.fcm_options.link", "data.link"), "the first only for https://"),
        webpush=Cell(
            ("notification.navigate",),
            app="The service worker has to open it on a click; Safari does it by itself for declarative messages.",
        ),
    ),
    Row(
        field="category",
        apns=Cell(("aps.category",), app="The app has to register the category and its actions with UNUserNotificationCenter."),
        fcm_android=Cell(lost="Android shows no actions for what FCM displays."),
        fcm_ios=Cell(
            ("apns.payload.aps.category",), app="The app has to register the category and its actions with UNUserNotificationCenter."
        ),
        fcm_browsers=Cell(lost="Browsers do not know categories."),
        webpush=Cell(("notification.category",), app="The service worker has to turn it into actions; browsers do not know it."),
    ),
    Row(
        field="group",
        apns=Cell(("aps.thread-id",)),
        fcm_android=Cell(lost="FCM has no field for groups on Android."),
        fcm_ios=Cell(("apns.payload.aps.thread-id",)),
        fcm_browsers=Cell(lost="Browsers do not know groups."),
        webpush=Cell(("notification.group",), app="The service worker has to group; browsers do not know it."),
    ),
    Row(
        field="collapse_key",
        apns=Cell(("apns-collapse-id",)),
        fcm_android=Cell(("android.collapse_key", "android.notification.tag")),
        fcm_ios=Cell(("apns.headers.apns-collapse-id",)),
        fcm_browsers=Cell(("webpush.notification.tag",)),
        webpush=Cell(("Topic", "notification.tag"), lost="Safari ignores the tag of what it already shows.", effect=Effect.NOTE),
    ),
    Row(
        field="data",
        apns=Cell(("<key>",), "each beside aps"),
        fcm_android=Cell(("data.<key>",)),
        fcm_ios=Cell(("data.<key>",), "arrives beside aps"),
        fcm_browsers=Cell(("data.<key>",)),
        webpush=Cell(("notification.data.<key>",)),
    ),
    Row(
        field="ttl",
        apns=Cell(("apns-expiration",)),
        fcm_android=Cell(("android.ttl",)),
        fcm_ios=Cell(("apns.headers.apns-expiration",)),
        fcm_browsers=Cell(("webpush.headers.TTL",)),
        webpush=Cell(("TTL",)),
    ),
    Row(
        field="priority",
        apns=Cell(("apns-priority",), "10, 5, 1"),
        fcm_android=Cell(
            ("android.priority",),
            "high, normal, normal",
            lost="Android knows two priorities: LOW is sent as NORMAL.",
            effect=Effect.CHANGED,
            when=_is_low,
        ),
        fcm_ios=Cell(("apns.headers.apns-priority",), "10, 5, 1"),
        fcm_browsers=Cell(("webpush.headers.Urgency",), "high, normal, low"),
        webpush=Cell(("Urgency",), "high, normal, low"),
    ),
    Row(
        field="interruption",
        apns=Cell(("aps.interruption-level",)),
        fcm_android=Cell(
            ("android.notification.notification_priority",),
            "low, none, high, max",
            lost="Since Android 8 the app's notification channel decides how much it interrupts.",
            effect=Effect.NOTE,
            when=_is_not_active,
        ),
        fcm_ios=Cell(("apns.payload.aps.interruption-level",)),
        fcm_browsers=Cell(lost=_NO_LEVELS, when=_is_not_active),
        webpush=Cell(
            ("notification.silent",), "passive only", lost=f"{_NO_LEVELS} Only PASSIVE makes a difference (silent).", when=_interrupts
        ),
    ),
    Row(
        field="background",
        apns=Cell(
            ("aps.content-available", "apns-push-type", "apns-priority"),
            "background, 5",
            lost="The system lets two or three an hour through and keeps the newest.",
            effect=Effect.NOTE,
        ),
        fcm_android=Cell(("android.priority",), "normal; data alone", app="The app has to handle the data; nothing is shown."),
        fcm_ios=Cell(
            ("apns.payload.aps.content-available", "apns.headers.apns-push-type", "apns.headers.apns-priority"),
            "background, 5",
            lost="The system lets two or three an hour through and keeps the newest.",
            effect=Effect.NOTE,
        ),
        fcm_browsers=Cell((), "data alone", app="The page or its service worker has to handle the data."),
        webpush=Cell(
            ("background",),
            app="The service worker has to show something all the same: Safari takes the permission away from pages that show nothing.",
        ),
    ),
    Row(
        field="key",
        apns=Cell(("apns-collapse-id",)),
        fcm_android=Cell(("android.notification.tag",)),
        fcm_ios=Cell(("apns.headers.apns-collapse-id",)),
        fcm_browsers=Cell(("webpush.notification.tag",)),
        webpush=Cell(("notification.tag",)),
    ),
    Row(
        field="label",
        apns=Cell(),
        fcm_android=Cell(("fcm_options.analytics_label",)),
        fcm_ios=Cell(("fcm_options.analytics_label",)),
        fcm_browsers=Cell(("fcm_options.analytics_label",)),
        webpush=Cell(),
    ),
)
"""In the order of ``Notification``. ``key`` fills what ``collapse_key`` leaves empty; ``label`` always goes to reports and hooks."""

BY_FIELD: Mapping[str, Row] = {row.field: row for row in TABLE}
