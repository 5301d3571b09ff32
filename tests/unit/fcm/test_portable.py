"""A portable notification as FCM's message."""

from __future__ import annotations

import pytest
from tests.unit.fcm.helpers import refused, wire

from pushkit import InterruptionLevel, Localized, Notification, Priority, Sound, fcm


def shown(message, **changes):
    """The resource without what every message gets (identity, TTL)."""
    changes = {"dedupe": False} | changes
    found = wire(message, **changes)
    del found["token"]
    found["android"].pop("ttl")
    found["apns"]["headers"].pop("apns-expiration")
    found["webpush"]["headers"].pop("TTL")
    return found


def test_title_and_body_are_said_once_for_all_platforms():
    """High priority everywhere; Google makes Apple's alert of them."""
    assert {
        "notification": {"title": "Your order", "body": "It is on its way."},
        "android": {"priority": "high"},
        "apns": {"headers": {"apns-push-type": "alert", "apns-priority": "10"}},
        "webpush": {"headers": {"Urgency": "high"}},
    } == shown(Notification(title="Your order", body="It is on its way."))


@pytest.mark.parametrize(
    ("priority", "android", "apns", "web"),
    [(Priority.HIGH, "high", "10", "high"), (Priority.NORMAL, "normal", "5", "normal"), (Priority.LOW, "normal", "1", "low")],
)
def test_priority_on_every_platform(priority, android, apns, web):
    """Android has two, Apple three, Web Push an urgency."""
    found = shown(Notification(title="x", priority=priority))

    assert (android, apns, web) == (
        found["android"]["priority"],
        found["apns"]["headers"]["apns-priority"],
        found["webpush"]["headers"]["Urgency"],
    )


def test_every_field_lands_where_its_platform_has_one():
    """The mapping table of the documentation."""
    found = shown(
        Notification(
            title="Title",
            subtitle="Subtitle",
            body="Body",
            image="https://example.com/i.png",
            icon="ic_bell",
            badge=3,
            sound="bell.caf",
            link="https://example.com/order/1",
            category="ORDER",
            group="orders",
            collapse_key="order-1",
            data={"order": "1"},
            interruption=InterruptionLevel.TIME_SENSITIVE,
            label="orders",
        )
    )

    assert {
        "notification": {"title": "Title", "body": "Body", "image": "https://example.com/i.png"},
        "data": {"order": "1", "link": "https://example.com/order/1"},
        "android": {
            "priority": "high",
            "collapse_key": "order-1",
            "notification": {
                "icon": "ic_bell",
                "sound": "bell.caf",
                "notification_count": 3,
                "notification_priority": "PRIORITY_HIGH",
                "tag": "order-1",
            },
        },
        "apns": {
            "headers": {"apns-push-type": "alert", "apns-priority": "10", "apns-collapse-id": "order-1"},
            "payload": {
                "aps": {
                    "alert": {"title": "Title", "subtitle": "Subtitle", "body": "Body"},
                    "badge": 3,
                    "sound": "bell.caf",
                    "category": "ORDER",
                    "thread-id": "orders",
                    "interruption-level": "time-sensitive",
                    "mutable-content": 1,
                }
            },
            "fcm_options": {"image": "https://example.com/i.png"},
        },
        "webpush": {
            "headers": {"Urgency": "high"},
            "notification": {"image": "https://example.com/i.png", "tag": "order-1"},
            "fcm_options": {"link": "https://example.com/order/1"},
        },
        "fcm_options": {"analytics_label": "orders"},
    } == found


def test_the_group_is_never_a_collapse_key():
    """They are different things everywhere."""
    found = shown(Notification(title="x", group="orders"))

    assert "collapse_key" not in found["android"]
    assert "apns-collapse-id" not in found["apns"]["headers"]


def test_localized_text_is_looked_up_where_that_is_possible():
    """Android and Apple by key, browsers by the fallback."""
    found = shown(Notification(title=Localized("ORDER_TITLE", ["42"], fallback="Order 42"), body=Localized("ORDER_BODY")))

    assert {"title": "Order 42"} == found["notification"]
    assert {"title_loc_key": "ORDER_TITLE", "title_loc_args": ["42"], "body_loc_key": "ORDER_BODY"} == found["android"]["notification"]
    assert {"title": "Order 42", "title-loc-key": "ORDER_TITLE", "title-loc-args": ["42"], "loc-key": "ORDER_BODY"} == found["apns"][
        "payload"
    ]["aps"]["alert"]


@pytest.mark.parametrize(
    ("sound", "apple"),
    [
        ("default", "default"),
        (Sound(name="bell.caf"), "bell.caf"),
        (Sound(name="alarm.caf", critical=True, volume=0.5), {"name": "alarm.caf", "critical": 1, "volume": 0.5}),
    ],
)
def test_sounds(sound, apple):
    """A critical sound is Apple's alone; Android gets its name."""
    found = shown(Notification(title="x", sound=sound))

    assert apple == found["apns"]["payload"]["aps"]["sound"]
    assert (sound if isinstance(sound, str) else sound.name) == found["android"]["notification"]["sound"]


def test_a_badge_of_zero_counts_nothing_up_on_android():
    """There 0 means one more; on Apple devices it clears."""
    found = shown(Notification(title="x", badge=0))

    assert "notification_count" not in found["android"].get("notification", {})
    assert 0 == found["apns"]["payload"]["aps"]["badge"]


def test_a_badge_alone_shows_nothing_on_android():
    """An Android notification without text would be an empty one."""
    found = shown(Notification(badge=0))

    assert {"priority": "high"} == found["android"]
    assert {"badge": 0} == found["apns"]["payload"]["aps"]


def test_an_icon_that_is_a_url_is_for_browsers():
    """A name is a drawable of the Android app."""
    assert {"icon": "https://example.com/i.png"} == shown(Notification(title="x", icon="https://example.com/i.png"))["webpush"][
        "notification"
    ]
    assert "notification" not in shown(Notification(title="x", icon="ic_bell"))["webpush"]


def test_a_background_notification_wakes_and_shows_nothing():
    """Apple takes priority 5 only; Android punishes apps for high priority without a notification."""
    assert {
        "data": {"sync": "1"},
        "android": {"priority": "normal"},
        "apns": {"headers": {"apns-push-type": "background", "apns-priority": "5"}, "payload": {"aps": {"content-available": 1}}},
        "webpush": {"headers": {"Urgency": "high"}},
    } == shown(Notification(background=True, data={"sync": "1"}))


@pytest.mark.parametrize("changes", [{"title": "x"}, {"body": "x"}, {"badge": 1}, {"sound": "default"}])
def test_a_background_notification_with_content_is_refused(changes):
    """It would be shown or not, depending on the platform."""
    assert "background_with_content" == refused(Notification(background=True, **changes)).reason


def test_options_win_field_by_field():
    """What is not in them stays as the portable fields say."""
    found = shown(
        Notification(
            title="x",
            sound="default",
            data={"a": "1"},
            label="portable",
            options=fcm.Options(
                android=fcm.AndroidConfig(priority="normal", notification=fcm.AndroidNotification(channel_id="orders")),
                apns=fcm.ApnsConfig(headers={"apns-priority": "5"}, payload={"aps": {"sound": "other.caf"}}),
                data={"b": "2"},
                fcm_options=fcm.FcmOptions(analytics_label="own"),
            ),
        )
    )

    assert {"priority": "normal", "notification": {"sound": "default", "channel_id": "orders"}} == found["android"]
    assert {"apns-push-type": "alert", "apns-priority": "5"} == found["apns"]["headers"]
    assert {"sound": "other.caf"} == found["apns"]["payload"]["aps"]
    assert {"a": "1", "b": "2"} == found["data"]
    assert {"analytics_label": "own"} == found["fcm_options"]


def test_the_new_android_block_replaces_the_old_one():
    """A message cannot hold both."""
    options = fcm.Options(android_v2=fcm.AndroidConfigV2(background_sync=fcm.BackgroundSync()))

    found = wire(Notification(title="x", options=options))

    assert "android" not in found
    assert {"background_sync": {}, "ttl": "3600s"} == found["android_v2"]


def test_a_link_that_contradicts_the_data_is_refused():
    """One of the two would be lost."""
    verdict = refused(Notification(title="x", link="https://a.example/", data={"link": "https://b.example/"}))

    assert ("reserved_key", "data") == (verdict.reason, verdict.field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": 5}, "title"),
        ({"body": b"bytes"}, "body"),
        ({"title": "\udfff"}, "title"),
        ({"image": 5}, "image"),
        ({"icon": 5}, "icon"),
        ({"category": 5}, "category"),
        ({"group": 5}, "group"),
        ({"collapse_key": 5}, "collapse_key"),
        ({"badge": "3"}, "badge"),
        ({"badge": True}, "badge"),
        ({"sound": Sound(volume=0.5)}, "sound.volume"),
        ({"sound": Sound(critical=True, volume=2)}, "sound.volume"),
        ({"title": Localized("", fallback="x")}, "title"),
        ({"title": Localized("K", [1], fallback="x")}, "title"),
        ({"data": {"a": 1}}, "data['a']"),
        ({"data": ["a"]}, "data"),
    ],
)
def test_wrong_fields_are_refused_in_the_callers_terms(changes, field):
    """Before anything is sent."""
    assert field == refused(Notification(**({"title": "x"} | changes))).field
