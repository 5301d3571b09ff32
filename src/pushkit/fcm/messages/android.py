"""What a message says to Android only. Source of every field: FCM v1 discovery document, revision 20261023."""

# ruff: noqa: RUF009 - what fields.* gives is attrs.field(…), no shared default
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import attrs

from pushkit.codec import register
from pushkit.fcm import fields
from pushkit.fcm.fields import Block, Refused, WireEnum
from pushkit.messages import Duration


@register("fcm.AndroidPriority")
class AndroidPriority(WireEnum):
    """How urgent delivery is. Without one: NORMAL for data, HIGH for what is displayed."""

    NORMAL = "normal"
    HIGH = "high"


@register("fcm.NotificationPriority")
class NotificationPriority(WireEnum):
    """How urgent a notification looks; Android 7.1 and older only (newer ones go by the channel)."""

    MIN = "PRIORITY_MIN"
    LOW = "PRIORITY_LOW"
    DEFAULT = "PRIORITY_DEFAULT"
    HIGH = "PRIORITY_HIGH"
    MAX = "PRIORITY_MAX"


@register("fcm.Visibility")
class Visibility(WireEnum):
    """What a locked screen shows of it. Without one: PRIVATE."""

    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"
    SECRET = "SECRET"  # noqa: S105 - a word of the Android API


@register("fcm.Proxy")
class Proxy(WireEnum):
    """Whether Google Play services may display it for the app. Without one: IF_PRIORITY_LOWERED."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    IF_PRIORITY_LOWERED = "IF_PRIORITY_LOWERED"


@register("fcm.LightSettings")
@attrs.frozen(kw_only=True, repr=False)
class LightSettings(Block):
    """How the notification light blinks. All three fields are required."""

    color: str | None = fields.light_color()
    """``#rrggbb`` or ``#rrggbbaa``."""
    light_on_duration: Duration | None = fields.duration()
    """Seconds or a ``timedelta``."""
    light_off_duration: Duration | None = fields.duration()
    """Seconds or a ``timedelta``."""

    def check(self, path: str) -> None:
        """All three fields are required."""
        for name in ("color", "light_on_duration", "light_off_duration"):
            if getattr(self, name) is None:
                raise Refused(f"{path}.{name}", "is missing; light settings need color, light_on_duration and light_off_duration")


@attrs.frozen(kw_only=True, repr=False)
class _DisplayedOnAndroid(Block):
    """What both generations of Android notification share."""

    title: str | None = fields.text()
    """Overrides the message's own title."""
    body: str | None = fields.text()
    """Overrides the message's own body."""
    icon: str | None = fields.word()
    """Name of a drawable of the app."""
    color: str | None = fields.color()
    """``#rrggbb``, the icon's colour."""
    sound: str | None = fields.word()
    """``"default"`` or a file in the app's ``res/raw``."""
    tag: str | None = fields.word()
    """A later notification with the same tag replaces this one."""
    click_action: str | None = fields.word()
    """Intent filter of the activity that a tap starts."""
    body_loc_key: str | None = fields.word()
    body_loc_args: Sequence[str] | None = fields.texts()
    title_loc_key: str | None = fields.word()
    title_loc_args: Sequence[str] | None = fields.texts()
    channel_id: str | None = fields.word()
    """The app's notification channel (Android 8 and newer)."""
    ticker: str | None = fields.text()
    """Read out by accessibility services."""
    sticky: bool | None = fields.boolean()
    """Stays after a tap."""
    event_time: datetime | None = fields.timestamp()
    """Aware: when what it tells of happened. Notifications are sorted by it."""
    local_only: bool | None = fields.boolean()
    """Do not show it on a watch."""
    notification_priority: NotificationPriority | Literal["min", "low", "default", "high", "max"] | None = fields.choice(
        NotificationPriority
    )
    default_sound: bool | None = fields.boolean()
    default_vibrate_timings: bool | None = fields.boolean()
    """Beats ``vibrate_timings``."""
    default_light_settings: bool | None = fields.boolean()
    """Loses against ``light_settings``."""
    vibrate_timings: Sequence[Duration] | None = fields.durations()
    """Off, on, off, on … in seconds."""
    visibility: Visibility | Literal["private", "public", "secret"] | None = fields.choice(Visibility)
    notification_count: int | None = fields.integer()
    """How many unread items it stands for, on launchers with badges. 0 counts up by one."""
    light_settings: LightSettings | None = fields.block(lambda: LightSettings)

    def check(self, path: str) -> None:
        """Arguments need their key."""
        for part in ("title", "body"):
            if getattr(self, f"{part}_loc_args") and not getattr(self, f"{part}_loc_key"):
                raise Refused(f"{path}.{part}_loc_key", f"is missing; {part}_loc_args are for its text")


@register("fcm.AndroidNotification")
@attrs.frozen(kw_only=True, repr=False)
class AndroidNotification(_DisplayedOnAndroid):
    """A notification that Android displays by itself."""

    image: str | None = fields.text()
    """URL of a picture; Android takes up to 1 MB."""
    proxy: Proxy | Literal["allow", "deny", "if_priority_lowered"] | None = fields.choice(Proxy)
    bypass_proxy_notification: bool | None = fields.boolean()
    """Deprecated by Google: use ``proxy``."""


@register("fcm.AndroidNotificationV2")
@attrs.frozen(kw_only=True, repr=False)
class AndroidNotificationV2(_DisplayedOnAndroid):
    """
    A notification in :class:`AndroidConfigV2`.

    Experimental: Google calls this block a preview.
    """

    image: str | None = fields.https()
    """URL of a picture; https only."""
    id: int | None = fields.integer()
    """A later notification with the same pair of ``tag`` and ``id`` replaces this one."""


@register("fcm.AndroidFcmOptions")
@attrs.frozen(kw_only=True, repr=False)
class AndroidFcmOptions(Block):
    """Options of Google's Android SDK."""

    analytics_label: str | None = fields.label()
    """Overrides the message's own label on Android."""


@register("fcm.AndroidConfig")
@attrs.frozen(kw_only=True, repr=False)
class AndroidConfig(Block):
    """What applies to Android only."""

    collapse_key: str | None = fields.word()
    """While a device is offline, the latest message of a key replaces the earlier ones. FCM keeps four keys a device."""
    priority: AndroidPriority | Literal["normal", "high"] | None = fields.choice(AndroidPriority)
    ttl: Duration | None = fields.ttl()
    """At most so long after the call took it; the message's own ``ttl``/``expires_at`` limit it further. 0: now or never."""
    restricted_package_name: str | None = fields.word()
    """Only apps of this package receive it."""
    data: Mapping[str, str] | None = fields.data()
    """Replaces the message's own data on Android."""
    notification: AndroidNotification | None = fields.block(lambda: AndroidNotification)
    fcm_options: AndroidFcmOptions | None = fields.block(lambda: AndroidFcmOptions)
    direct_boot_ok: bool | None = fields.boolean()
    """May arrive before the first unlock after a restart."""
    bandwidth_constrained_ok: bool | None = fields.boolean()
    """May use a network with little bandwidth."""
    restricted_satellite_ok: bool | None = fields.boolean()
    """May use a restricted satellite network; app and carrier have to allow it."""


@register("fcm.RemoteNotification")
@attrs.frozen(kw_only=True, repr=False)
class RemoteNotification(Block):
    """
    Something urgent that the user sees.

    Experimental: part of Google's preview :class:`AndroidConfigV2`.
    """

    mutable_content: bool | None = fields.boolean()
    """The app may change it before it is shown."""
    notification: AndroidNotificationV2 | None = fields.block(lambda: AndroidNotificationV2)
    use_as_v1_data_message: bool | None = fields.boolean()
    """Apps that do not know the new form get a data message."""


@register("fcm.BackgroundSync")
@attrs.frozen(kw_only=True, repr=False)
class BackgroundSync(Block):
    """
    Wakes the app to fetch something; has no fields.

    Experimental: part of Google's preview :class:`AndroidConfigV2`.
    """


@register("fcm.AndroidConfigV2")
@attrs.frozen(kw_only=True, repr=False)
class AndroidConfigV2(Block):
    """
    The new generation of Android settings; a message has either this or :class:`AndroidConfig`.

    Exactly one of ``remote_notification`` and ``background_sync``; priority follows from that choice.

    Experimental: Google calls this block a preview.
    """

    collapse_key: str | None = fields.word()
    ttl: Duration | None = fields.ttl()
    """As in :class:`AndroidConfig`."""
    restricted_package_name: str | None = fields.word()
    data: Mapping[str, str] | None = fields.data()
    fcm_options: AndroidFcmOptions | None = fields.block(lambda: AndroidFcmOptions)
    direct_boot_ok: bool | None = fields.boolean()
    bandwidth_constrained_ok: bool | None = fields.boolean()
    restricted_satellite_ok: bool | None = fields.boolean()
    remote_notification: RemoteNotification | None = fields.block(lambda: RemoteNotification, keep_empty=True)
    background_sync: BackgroundSync | None = fields.block(lambda: BackgroundSync, keep_empty=True)

    def check(self, path: str) -> None:
        """Exactly one of the two forms."""
        if (self.remote_notification is None) == (self.background_sync is None):
            raise Refused(f"{path}.remote_notification", "and background_sync exclude each other; expected exactly one of them")
