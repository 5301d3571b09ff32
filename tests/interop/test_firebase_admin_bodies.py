"""pushkit's message is firebase-admin's, field by field, for several hundred generated ones; what we add is named."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from firebase_admin import messaging
from firebase_admin._messaging_encoder import MessageEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.fcm.helpers import NOW, TOKEN, Push, wire

from pushkit import fcm

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
WORD = st.text("abcdefghijklmnop_.0123456789", min_size=1, max_size=12)
LABEL = st.text("abcXYZ019-_.~%", min_size=1, max_size=50)
DATA = st.dictionaries(WORD.map("k_{}".format), TEXT, max_size=3)
HEX = st.text("0123456789abcdefABCDEF", min_size=6, max_size=6).map("#{}".format)
MILLIS = st.integers(min_value=0, max_value=100_000)
TIMES = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
JSON = st.recursive(st.one_of(st.booleans(), st.integers(-1000, 1000), TEXT), lambda inner: st.lists(inner, max_size=2), max_leaves=3)


def some(**fields):
    """Any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


LIGHT = st.fixed_dictionaries({"color": st.one_of(HEX, HEX.map(lambda color: color + "80")), "on": MILLIS, "off": MILLIS})
ANDROID_NOTIFICATION = some(
    title=TEXT,
    body=TEXT,
    icon=WORD,
    color=HEX,
    sound=WORD,
    tag=WORD,
    click_action=WORD,
    title_loc=st.tuples(WORD, st.lists(TEXT, max_size=2)),
    body_loc=st.tuples(WORD, st.lists(TEXT, max_size=2)),
    channel_id=WORD,
    image=WORD.map("https://example.com/{}".format),
    ticker=TEXT,
    sticky=st.booleans(),
    event_time=TIMES,
    local_only=st.booleans(),
    priority=st.sampled_from(["min", "low", "default", "high", "max"]),
    vibrate=st.lists(MILLIS, min_size=1, max_size=3),
    default_vibrate_timings=st.booleans(),
    default_sound=st.booleans(),
    light=LIGHT,
    default_light_settings=st.booleans(),
    visibility=st.sampled_from(["private", "public", "secret"]),
    notification_count=st.integers(0, 1000),
    proxy=st.sampled_from(["allow", "deny", "if_priority_lowered"]),
)
ANDROID = some(
    collapse_key=WORD,
    priority=st.sampled_from(["high", "normal"]),
    ttl=st.integers(1, 2_419_200),
    restricted_package_name=WORD,
    data=DATA,
    notification=ANDROID_NOTIFICATION,
    label=LABEL,
    direct_boot_ok=st.booleans(),
    bandwidth_constrained_ok=st.booleans(),
    restricted_satellite_ok=st.booleans(),
)
APS = some(
    alert=st.one_of(
        TEXT.filter(bool), some(title=TEXT, subtitle=TEXT, body=TEXT, loc=st.tuples(WORD, st.lists(TEXT, max_size=2)), launch_image=WORD)
    ),
    badge=st.integers(0, 99),
    sound=st.one_of(WORD, st.fixed_dictionaries({"name": WORD, "critical": st.booleans(), "volume": st.sampled_from([0.0, 0.5, 1.0])})),
    content_available=st.just(True),
    mutable_content=st.just(True),
    category=WORD,
    thread_id=WORD,
)
APNS = some(
    headers=st.fixed_dictionaries({}, optional={"apns-priority": st.sampled_from(["5", "10"]), "apns-collapse-id": WORD}),
    payload=st.tuples(APS, st.dictionaries(WORD.map("c_{}".format), JSON, max_size=2)),
    label=LABEL,
    image=WORD,
    live_activity_token=WORD,
)
WEB_NOTIFICATION = some(
    title=TEXT,
    body=TEXT,
    icon=WORD,
    badge=WORD,
    data=st.dictionaries(WORD, TEXT, min_size=1, max_size=2),
    direction=st.sampled_from(["auto", "ltr", "rtl"]),
    image=WORD,
    language=WORD,
    renotify=st.booleans(),
    require_interaction=st.booleans(),
    silent=st.booleans(),
    tag=WORD,
    timestamp_millis=st.integers(0, 2**40),
    vibrate=st.lists(st.integers(1, 500), min_size=1, max_size=3),
    actions=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=2),
)
WEBPUSH = some(
    headers=st.fixed_dictionaries({}, optional={"Urgency": st.sampled_from(["high", "low"]), "TTL": st.just("60")}),
    data=DATA,
    notification=WEB_NOTIFICATION,
    link=WORD.map("https://example.com/{}".format),
)
SPEC = some(
    notification=some(title=TEXT, body=TEXT, image=WORD), data=DATA, android=ANDROID, apns=APNS, webpush=WEBPUSH, label=LABEL
).filter(lambda spec: bool((spec.get("notification") and spec["notification"].get("title")) or spec.get("data")))
TARGET = st.sampled_from(
    [("token", TOKEN), ("fid", "cXyZ-_0123456789abcdef"), ("topic", "news"), ("topic", "/topics/news"), ("condition", "'a' in topics")]
)


# --- firebase-admin ---------------------------------------------------------------------------------


def admin_android(spec):
    if spec is None:
        return None
    fields = dict(spec)
    look = fields.pop("notification", None)
    label = fields.pop("label", None)
    if look is not None:
        look = dict(look)
        title_key, title_args = look.pop("title_loc", (None, None))
        body_key, body_args = look.pop("body_loc", (None, None))
        light = look.pop("light", None)
        look = messaging.AndroidNotification(
            title_loc_key=title_key,
            title_loc_args=title_args,
            body_loc_key=body_key,
            body_loc_args=body_args,
            event_timestamp=look.pop("event_time", None),
            vibrate_timings_millis=look.pop("vibrate", None),
            light_settings=light and messaging.LightSettings(light["color"], light["on"], light["off"]),
            **look,
        )
    return messaging.AndroidConfig(notification=look, fcm_options=label and messaging.AndroidFCMOptions(label), **fields)


def admin_apns(spec):
    if spec is None:
        return None
    payload = None
    if "payload" in spec:
        aps, custom = dict(spec["payload"][0]), spec["payload"][1]
        alert, sound = aps.pop("alert", None), aps.pop("sound", None)
        if isinstance(alert, dict):
            alert = dict(alert)
            key, args = alert.pop("loc", (None, None))
            alert = messaging.ApsAlert(loc_key=key, loc_args=args, **alert)
        if isinstance(sound, dict):
            sound = messaging.CriticalSound(sound["name"], critical=sound["critical"], volume=sound["volume"])
        payload = messaging.APNSPayload(messaging.Aps(alert=alert, sound=sound, **aps), **custom)
    options = (
        messaging.APNSFCMOptions(analytics_label=spec.get("label"), image=spec.get("image")) if {"label", "image"} & set(spec) else None
    )
    return messaging.APNSConfig(
        headers=spec.get("headers"), payload=payload, fcm_options=options, live_activity_token=spec.get("live_activity_token")
    )


def admin_webpush(spec):
    if spec is None:
        return None
    look = spec.get("notification")
    if look is not None:
        look = dict(look)
        actions = look.pop("actions", None)
        look = messaging.WebpushNotification(actions=actions and [messaging.WebpushNotificationAction(*each) for each in actions], **look)
    link = spec.get("link")
    return messaging.WebpushConfig(
        headers=spec.get("headers"), data=spec.get("data"), notification=look, fcm_options=link and messaging.WebpushFCMOptions(link=link)
    )


def admin_body(spec, target):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # firebase-admin's own, for token=
        message = messaging.Message(
            notification=messaging.Notification(**spec["notification"]) if "notification" in spec else None,
            data=spec.get("data"),
            android=admin_android(spec.get("android")),
            apns=admin_apns(spec.get("apns")),
            webpush=admin_webpush(spec.get("webpush")),
            fcm_options=messaging.FCMOptions(spec["label"]) if "label" in spec else None,
            **dict([target]),
        )
    return json.loads(json.dumps(message, cls=MessageEncoder))


# --- pushkit ----------------------------------------------------------------------------------------

KINDS = {"token": fcm.Registration, "fid": fcm.Installation, "topic": fcm.Topic, "condition": fcm.Condition}


def our_android(spec):
    fields = dict(spec)
    look = fields.pop("notification", None)
    label = fields.pop("label", None)
    if look is not None:
        look = dict(look)
        for part in ("title", "body"):
            if f"{part}_loc" in look:
                look[f"{part}_loc_key"], look[f"{part}_loc_args"] = look.pop(f"{part}_loc")
        if "priority" in look:
            look["notification_priority"] = look.pop("priority")
        if "vibrate" in look:
            look["vibrate_timings"] = [timedelta(milliseconds=each) for each in look.pop("vibrate")]
        if "light" in look:
            light = look.pop("light")
            look["light_settings"] = fcm.LightSettings(
                color=light["color"],
                light_on_duration=timedelta(milliseconds=light["on"]),
                light_off_duration=timedelta(milliseconds=light["off"]),
            )
        look = fcm.AndroidNotification(**look)
    return fcm.AndroidConfig(notification=look, fcm_options=fcm.AndroidFcmOptions(analytics_label=label) if label else None, **fields)


def our_apns(spec):
    payload = None
    if "payload" in spec:
        aps, custom = dict(spec["payload"][0]), spec["payload"][1]
        for name in ("content_available", "mutable_content"):
            if aps.pop(name, False):
                aps[name.replace("_", "-")] = 1
        if "thread_id" in aps:
            aps["thread-id"] = aps.pop("thread_id")
        if isinstance(aps.get("alert"), dict):
            alert = dict(aps["alert"])
            if "loc" in alert:
                alert["loc-key"], alert["loc-args"] = alert.pop("loc")
            if "launch_image" in alert:
                alert["launch-image"] = alert.pop("launch_image")
            aps["alert"] = alert
        if isinstance(aps.get("sound"), dict):
            sound = dict(aps["sound"])
            if sound.pop("critical"):
                sound["critical"] = 1
            aps["sound"] = sound
        payload = {"aps": aps, **custom}
    options = {name: spec[key] for name, key in (("analytics_label", "label"), ("image", "image")) if key in spec}
    return fcm.ApnsConfig(
        headers=spec.get("headers"),
        payload=payload,
        fcm_options=fcm.ApnsFcmOptions(**options) if options else None,
        live_activity_token=spec.get("live_activity_token"),
    )


_WEB_NAMES = {"direction": "dir", "language": "lang", "require_interaction": "requireInteraction", "timestamp_millis": "timestamp"}


def our_webpush(spec):
    look = spec.get("notification")
    if look is not None:
        look = {_WEB_NAMES.get(name, name): value for name, value in look.items()}
        if "actions" in look:
            look["actions"] = [{"action": action, "title": title} for action, title in look["actions"]]
    return fcm.WebpushConfig(
        headers=spec.get("headers"),
        data=spec.get("data"),
        notification=look,
        fcm_options=fcm.WebpushFcmOptions(link=spec["link"]) if "link" in spec else None,
    )


def our_message(spec):
    return fcm.Message(
        notification=fcm.Notification(**spec["notification"]) if "notification" in spec else None,
        data=spec.get("data"),
        android=our_android(spec["android"]) if "android" in spec else None,
        apns=our_apns(spec["apns"]) if "apns" in spec else None,
        webpush=our_webpush(spec["webpush"]) if "webpush" in spec else None,
        fcm_options=fcm.FcmOptions(analytics_label=spec["label"]) if "label" in spec else None,
    )


def our_body(spec, target):
    """Without what pushkit adds: an explicit lifetime on every platform (identity is switched off)."""
    message = our_message(spec)
    found = wire(message, KINDS[target[0]](target[1]), Push(expires_at=NOW + message.default_ttl()), dedupe=False)
    if "ttl" not in spec.get("android", {}):
        assert "86400s" == found["android"].pop("ttl")
    found["apns"]["headers"].pop("apns-expiration")
    if "TTL" not in (spec.get("webpush", {}).get("headers") or {}):
        found["webpush"]["headers"].pop("TTL")
    return found


def without_empty(value):
    """firebase-admin leaves empty containers out at some levels and sends them at others; they mean the same."""
    if isinstance(value, dict):
        cleaned = {name: without_empty(item) for name, item in value.items()}
        return {name: item for name, item in cleaned.items() if item not in ({}, [], None)}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=400)
@given(spec=SPEC, target=TARGET)
def test_the_same_message_has_the_same_body(spec, target):
    """Names, enums, durations, colours, times, nested blocks."""
    if target[0] in {"topic", "condition"}:
        spec.get("apns", {}).pop("live_activity_token", None)  # pushkit refuses it there: it belongs to one device

    assert without_empty(admin_body(spec, target)) == without_empty(our_body(spec, target))


@pytest.mark.parametrize(("on", "off"), [(0, 100), (100, 0), (1, 1)])
def test_light_durations_down_to_a_millisecond(on, off):
    """The form with nanoseconds."""
    spec = {"data": {"a": "b"}, "android": {"notification": {"light": {"color": "#ff000080", "on": on, "off": off}}}}

    assert admin_body(spec, ("token", TOKEN)) == without_empty(our_body(spec, ("token", TOKEN)))
