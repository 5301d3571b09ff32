"""The whole message resource, and what a portable notification may add for FCM."""

# ruff: noqa: RUF009 - what fields.* gives is attrs.field(…), no shared default
from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from pushkit.codec import register
from pushkit.fcm import fields
from pushkit.fcm.fields import Block, Refused, seconds_of, secrets_of
from pushkit.fcm.messages.android import AndroidConfig, AndroidConfigV2
from pushkit.fcm.messages.apple import ApnsConfig
from pushkit.fcm.messages.web import WebpushConfig
from pushkit.messages import DEFAULT_TTL
from pushkit.messages import Message as _Message
from pushkit.notification import ProviderOptions


@register("fcm.Notification")
@attrs.frozen(kw_only=True, repr=False)
class Notification(Block):
    """What every platform shows, unless its own block says otherwise. Not the portable ``pushkit.Notification``."""

    title: str | None = fields.text()
    body: str | None = fields.text()
    image: str | None = fields.text()
    """URL of a picture (JPEG, PNG, BMP; Android takes up to 1 MB)."""


@register("fcm.FcmOptions")
@attrs.frozen(kw_only=True, repr=False)
class FcmOptions(Block):
    """Options for every platform."""

    analytics_label: str | None = fields.label()
    """1 to 50 characters; Google reports 100 different labels a day."""


@register("fcm.Message")
@attrs.frozen(kw_only=True, repr=False)
class Message(_Message):
    """
    A message as FCM's own resource has it; the target comes from the call.

    ``ttl``/``expires_at`` (24 hours without either, or ``android.ttl`` where that is set) are forwarded as
    what is left at each attempt: ``android.ttl``, ``apns-expiration`` and the Web Push ``TTL``. A header
    that is given explicitly is kept as it is.

    Source: FCM v1 discovery document, ``Message``, revision 20261023.
    """

    provider: ClassVar[str | None] = "fcm"

    notification: Notification | None = fields.block(lambda: Notification)
    data: Mapping[str, str] | None = fields.data()
    """Text by text, for the app. A platform's own data replaces it there."""
    android: AndroidConfig | None = fields.block(lambda: AndroidConfig)
    android_v2: AndroidConfigV2 | None = fields.block(lambda: AndroidConfigV2)
    """Experimental. Excludes ``android``."""
    apns: ApnsConfig | None = fields.block(lambda: ApnsConfig)
    webpush: WebpushConfig | None = fields.block(lambda: WebpushConfig)
    fcm_options: FcmOptions | None = fields.block(lambda: FcmOptions)

    def default_ttl(self) -> float:
        """``android.ttl`` where it is set and makes sense, else 24 hours. Seconds."""
        android = self.android if isinstance(self.android, AndroidConfig) else self.android_v2
        explicit = android.ttl if isinstance(android, (AndroidConfig, AndroidConfigV2)) else None
        if explicit is None:
            return DEFAULT_TTL
        try:
            return seconds_of(explicit, "android.ttl")
        except Refused:
            return DEFAULT_TTL  # the check before sending says what is wrong with it

    def secrets(self) -> tuple[str, ...]:
        """Everything that a person would read, the data, and the Live Activity's token."""
        return tuple(secrets_of(self))


@register("fcm.Options")
@attrs.frozen(kw_only=True, repr=False)
class Options(Block, ProviderOptions):
    """
    What a portable notification says to FCM only; wins over the portable fields.

    Blocks are merged field by field into what the portable fields gave.
    """

    provider: ClassVar[str] = "fcm"

    data: Mapping[str, str] | None = fields.data()
    """Added to the notification's data."""
    android: AndroidConfig | None = fields.block(lambda: AndroidConfig)
    android_v2: AndroidConfigV2 | None = fields.block(lambda: AndroidConfigV2)
    """Experimental. Replaces everything that the portable fields gave to Android."""
    apns: ApnsConfig | None = fields.block(lambda: ApnsConfig)
    webpush: WebpushConfig | None = fields.block(lambda: WebpushConfig)
    fcm_options: FcmOptions | None = fields.block(lambda: FcmOptions)
