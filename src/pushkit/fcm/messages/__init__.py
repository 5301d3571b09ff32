"""Everything that can be said through FCM, by platform."""

from pushkit.fcm.messages.android import (
    AndroidConfig,
    AndroidConfigV2,
    AndroidFcmOptions,
    AndroidNotification,
    AndroidNotificationV2,
    AndroidPriority,
    BackgroundSync,
    LightSettings,
    NotificationPriority,
    Proxy,
    RemoteNotification,
    Visibility,
)
from pushkit.fcm.messages.apple import ApnsConfig, ApnsFcmOptions
from pushkit.fcm.messages.message import FcmOptions, Message, Notification, Options
from pushkit.fcm.messages.web import WebpushConfig, WebpushFcmOptions

__all__ = [
    "AndroidConfig",
    "AndroidConfigV2",
    "AndroidFcmOptions",
    "AndroidNotification",
    "AndroidNotificationV2",
    "AndroidPriority",
    "ApnsConfig",
    "ApnsFcmOptions",
    "BackgroundSync",
    "FcmOptions",
    "LightSettings",
    "Message",
    "Notification",
    "NotificationPriority",
    "Options",
    "Proxy",
    "RemoteNotification",
    "Visibility",
    "WebpushConfig",
    "WebpushFcmOptions",
]
