"""
The FCM message resource as data: names and types of every field.

Source: Google's discovery document ``fcm v1``, revision 20261023. A field that is not in it is refused
with "Cannot find field", as Google's JSON transcoding does.
"""

from __future__ import annotations

from collections.abc import Mapping

STRING, BOOL, INT, FLOAT, STRINGS, MAP, FREE, DURATION, DURATIONS, TIMESTAMP = (
    "string",
    "bool",
    "int",
    "float",
    "strings",
    "map",
    "free",
    "duration",
    "durations",
    "timestamp",
)

PRIORITIES = ("NORMAL", "HIGH", "ANDROID_MESSAGE_PRIORITY_UNSPECIFIED")
NOTIFICATION_PRIORITIES = ("PRIORITY_UNSPECIFIED", "PRIORITY_MIN", "PRIORITY_LOW", "PRIORITY_DEFAULT", "PRIORITY_HIGH", "PRIORITY_MAX")
VISIBILITIES = ("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET")
PROXIES = ("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED")

_ANDROID_NOTIFICATION: dict[str, object] = {
    "title": STRING,
    "body": STRING,
    "icon": STRING,
    "color": STRING,
    "sound": STRING,
    "tag": STRING,
    "click_action": STRING,
    "body_loc_key": STRING,
    "body_loc_args": STRINGS,
    "title_loc_key": STRING,
    "title_loc_args": STRINGS,
    "channel_id": STRING,
    "ticker": STRING,
    "sticky": BOOL,
    "event_time": TIMESTAMP,
    "local_only": BOOL,
    "notification_priority": NOTIFICATION_PRIORITIES,
    "default_sound": BOOL,
    "default_vibrate_timings": BOOL,
    "default_light_settings": BOOL,
    "vibrate_timings": DURATIONS,
    "visibility": VISIBILITIES,
    "notification_count": INT,
    "light_settings": {
        "color": {"red": FLOAT, "green": FLOAT, "blue": FLOAT, "alpha": FLOAT},
        "light_on_duration": DURATION,
        "light_off_duration": DURATION,
    },
    "image": STRING,
}

_COMMON_ANDROID: dict[str, object] = {
    "collapse_key": STRING,
    "ttl": DURATION,
    "restricted_package_name": STRING,
    "data": MAP,
    "fcm_options": {"analytics_label": STRING},
    "direct_boot_ok": BOOL,
    "bandwidth_constrained_ok": BOOL,
    "restricted_satellite_ok": BOOL,
}

MESSAGE: Mapping[str, object] = {
    "name": STRING,
    "token": STRING,
    "fid": STRING,
    "topic": STRING,
    "condition": STRING,
    "data": MAP,
    "notification": {"title": STRING, "body": STRING, "image": STRING},
    "android": {
        **_COMMON_ANDROID,
        "priority": PRIORITIES,
        "notification": {**_ANDROID_NOTIFICATION, "proxy": PROXIES, "bypass_proxy_notification": BOOL},
    },
    "android_v2": {
        **_COMMON_ANDROID,
        "remote_notification": {
            "mutable_content": BOOL,
            "notification": {**_ANDROID_NOTIFICATION, "id": INT},
            "use_as_v1_data_message": BOOL,
        },
        "background_sync": {},
    },
    "apns": {
        "headers": MAP,
        "payload": FREE,
        "fcm_options": {"analytics_label": STRING, "image": STRING},
        "live_activity_token": STRING,
    },
    "webpush": {
        "headers": MAP,
        "data": MAP,
        "notification": FREE,
        "fcm_options": {"link": STRING, "analytics_label": STRING},
    },
    "fcm_options": {"analytics_label": STRING},
}

REQUEST: Mapping[str, object] = {"validate_only": BOOL, "message": MESSAGE}
