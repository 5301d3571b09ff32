"""
What each provider makes of each portable field: the table behind the linter and the documentation.

A test encodes each field for each provider and compares: a row that says "ignored" of a field that is
sent, or names a place where it is not, fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs

from pushkit.notification import InterruptionLevel, Notification, Priority

PROVIDERS = ("apns", "fcm", "webpush")


@attrs.frozen
class Cell:
    """One field on one provider."""

    goes_to: str
    """The provider's own fields; empty: nothing is sent."""
    lost: str = ""
    """What a person does not see of it, in one sentence; empty: nothing is lost."""
    app: str = ""
    """What the app or the service worker has to do for it; empty: nothing."""
    effect: str = "ignored"
    """What the linter calls the loss: a value of ``Effect``."""
    when: Callable[[Notification], bool] | None = None
    """Which notifications lose it; None: all that set the field."""


@attrs.frozen
class Row:
    """One portable field."""

    field: str
    apns: Cell
    fcm: Cell
    webpush: Cell

    def cell(self, provider: str) -> Cell:
        """What this provider makes of it."""
        found: Cell = getattr(self, provider)
        return found


_DRAWABLE = re.compile(r"[a-z0-9_]+").fullmatch


def _names_a_drawable(notification: Notification) -> bool:
    return isinstance(notification.icon, str) and _DRAWABLE(notification.icon) is not None


def _is_low(notification: Notification) -> bool:
    return notification.priority is Priority.LOW


def _not_passive(notification: Notification) -> bool:
    return notification.interruption is not InterruptionLevel.PASSIVE


_TAP_APP = "Open the link when the notification is tapped; the push carries it as the entry link."
_TAP_WORKER = "Open event.notification.data or navigate in the service worker's notificationclick, or send it as declarative."
_EXTENSION = "Load the picture in a notification service extension; the push carries its URL as image and sets mutable-content."

TABLE: tuple[Row, ...] = (
    Row("title", Cell("aps.alert.title"), Cell("notification.title"), Cell("notification.title")),
    Row(
        "subtitle",
        Cell("aps.alert.subtitle"),
        Cell("apns.payload.aps.alert.subtitle", lost="Android and browsers have no subtitle: only Apple's devices show it."),
        Cell("notification.body", lost="Browsers have no subtitle: it becomes the first line of the body.", effect="changed"),
    ),
    Row("body", Cell("aps.alert.body"), Cell("notification.body"), Cell("notification.body")),
    Row(
        "image",
        Cell("image, aps.mutable-content", app=_EXTENSION),
        Cell(
            "notification.image, apns.fcm_options.image, webpush.notification.image",
            app="On Apple's devices: a notification service extension.",
        ),
        # The linter says this screen by screen.
        Cell("notification.image", lost="Safari and Firefox show no pictures.", when=lambda _: False),
    ),
    Row(
        "icon",
        Cell("", lost="Apple's devices always show the app's own icon."),
        Cell(
            "android.notification.icon (a drawable's name) or webpush.notification.icon (a URL)",
            lost="A URL is no icon on Android, a name none in browsers.",
        ),
        Cell("notification.icon (a URL)", lost="The name of an Android drawable means nothing to a browser.", when=_names_a_drawable),
    ),
    Row(
        "badge",
        Cell("aps.badge"),
        Cell(
            "android.notification.notification_count, apns.payload.aps.badge",
            lost="On Android a number on the icon depends on the launcher, and 0 removes none.",
            effect="note",
        ),
        Cell("app_badge", app="Call navigator.setAppBadge() in the service worker; Safari does it by itself for declarative messages."),
    ),
    Row(
        "sound",
        Cell("aps.sound"),
        Cell(
            "android.notification.sound, apns.payload.aps.sound",
            lost="Since Android 8 the app's notification channel decides the sound.",
            effect="note",
        ),
        Cell("", lost="Browsers play the system's sound, whatever a message says."),
    ),
    Row(
        "link",
        Cell("link", app=_TAP_APP),
        Cell("data.link, webpush.fcm_options.link", app=_TAP_APP),
        Cell("notification.navigate", app=_TAP_WORKER),
    ),
    Row(
        "category",
        Cell("aps.category", app="Register the category and its actions with UNUserNotificationCenter."),
        Cell("apns.payload.aps.category", lost="Android shows no actions for what FCM displays."),
        Cell("notification.category", app="Turn it into actions in the service worker; browsers do not know it."),
    ),
    Row(
        "group",
        Cell("aps.thread-id"),
        Cell("apns.payload.aps.thread-id", lost="FCM has no field for groups on Android."),
        Cell("notification.group", app="Group in the service worker; browsers do not know it."),
    ),
    Row(
        "collapse_key",
        Cell("apns-collapse-id"),
        Cell("android.collapse_key, android.notification.tag, apns-collapse-id, webpush.notification.tag"),
        Cell("Topic, notification.tag", lost="Safari ignores the tag of what it already shows.", effect="note"),
    ),
    Row("data", Cell("beside aps"), Cell("data"), Cell("notification.data")),
    Row("ttl", Cell("apns-expiration"), Cell("android.ttl, apns-expiration, TTL"), Cell("TTL")),
    Row(
        "priority",
        Cell("apns-priority"),
        Cell(
            "android.priority, apns-priority, Urgency",
            lost="Android knows two priorities: LOW is sent as NORMAL.",
            effect="changed",
            when=_is_low,
        ),
        Cell("Urgency"),
    ),
    Row(
        "interruption",
        Cell("aps.interruption-level"),
        Cell(
            "android.notification.notification_priority, apns.payload.aps.interruption-level",
            lost="Since Android 8 the app's notification channel decides how much it interrupts.",
            effect="note",
        ),
        Cell(
            "notification.silent (PASSIVE only)",
            lost="Browsers know no interruption levels; only PASSIVE makes a difference (silent).",
            when=_not_passive,
        ),
    ),
    Row(
        "background",
        Cell("aps.content-available", lost="The system lets two or three an hour through and keeps the newest.", effect="note"),
        Cell("data only, apns.payload.aps.content-available", app="Handle the data in the app; nothing is shown."),
        Cell(
            "background",
            app="Show something in the service worker all the same: Safari takes the permission away from pages that show nothing.",
        ),
    ),
    Row(
        "key",
        Cell("apns-collapse-id"),
        Cell("android.notification.tag, apns-collapse-id, webpush.notification.tag"),
        Cell("notification.tag"),
    ),
    Row("label", Cell(""), Cell("fcm_options.analytics_label"), Cell("")),
)
"""In the order of ``Notification``. ``key`` fills what ``collapse_key`` leaves empty; ``label`` always goes to reports and hooks."""

BY_FIELD: Mapping[str, Row] = {row.field: row for row in TABLE}


def as_markdown() -> str:
    """The table for the documentation."""
    lines = ["| field | APNs | FCM | Web Push |", "| --- | --- | --- | --- |"]
    for row in TABLE:
        cells = [_cell_text(row.cell(provider)) for provider in PROVIDERS]
        lines.append(f"| `{row.field}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell_text(cell: Cell) -> str:
    parts = [
        ", ".join(f"`{name.strip()}`" if "(" not in name else name.strip() for name in cell.goes_to.split(","))
        if cell.goes_to
        else "not sent"
    ]
    if cell.lost:
        parts.append(cell.lost)
    if cell.app:
        parts.append(f"*App:* {cell.app}")
    return "<br>".join(parts)
