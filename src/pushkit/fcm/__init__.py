"""Firebase Cloud Messaging (HTTP v1): Android, Apple and web apps through Google."""

from pushkit.fcm.config import Config
from pushkit.fcm.credentials import ServiceAccount, StaticToken
from pushkit.fcm.google import GoogleAuth
from pushkit.fcm.messages import (
    AndroidConfig,
    AndroidConfigV2,
    AndroidFcmOptions,
    AndroidNotification,
    AndroidNotificationV2,
    AndroidPriority,
    ApnsConfig,
    ApnsFcmOptions,
    BackgroundSync,
    FcmOptions,
    LightSettings,
    Message,
    Notification,
    NotificationPriority,
    Options,
    Proxy,
    RemoteNotification,
    Visibility,
    WebpushConfig,
    WebpushFcmOptions,
)
from pushkit.fcm.metadata import MetadataServer
from pushkit.fcm.provider import FcmProvider
from pushkit.fcm.registrations import Freshness, freshness
from pushkit.fcm.targets import Condition, Installation, Registration, Topic
from pushkit.fcm.topics import Subscribe, TopicSubscription, Unsubscribe

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
    "Condition",
    "Config",
    "FcmOptions",
    "FcmProvider",
    "Freshness",
    "GoogleAuth",
    "Installation",
    "LightSettings",
    "Message",
    "MetadataServer",
    "Notification",
    "NotificationPriority",
    "Options",
    "Proxy",
    "Registration",
    "RemoteNotification",
    "ServiceAccount",
    "StaticToken",
    "Subscribe",
    "Topic",
    "TopicSubscription",
    "Unsubscribe",
    "Visibility",
    "WebpushConfig",
    "WebpushFcmOptions",
    "freshness",
]
