"""Messages as values: they travel, keep their text to themselves, and stay constants."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from pushkit import Notification, codec, fcm
from pushkit.fcm.encode import message_secrets

FULL = fcm.Message(
    notification=fcm.Notification(title="secret title", body="secret body", image="https://secret.example/"),
    data={"key": "secret value"},
    android=fcm.AndroidConfig(
        priority=fcm.AndroidPriority.HIGH,
        ttl=timedelta(hours=1),
        data={"key": "secret android"},
        notification=fcm.AndroidNotification(
            ticker="secret ticker",
            body_loc_key="KEY",
            body_loc_args=["secret argument"],
            event_time=datetime(2027, 1, 1, tzinfo=UTC),
            visibility=fcm.Visibility.SECRET,
            vibrate_timings=[0.5, timedelta(seconds=1)],
            light_settings=fcm.LightSettings(color="#ffffff", light_on_duration=1, light_off_duration=2),
        ),
        fcm_options=fcm.AndroidFcmOptions(analytics_label="a"),
    ),
    apns=fcm.ApnsConfig(
        headers={"apns-priority": "10"},
        payload={"aps": {"alert": {"title": "secret alert"}}, "list": [1, "secret item", {"x": None}]},
        live_activity_token="secret activity token",
    ),
    webpush=fcm.WebpushConfig(notification={"title": "secret web"}, fcm_options=fcm.WebpushFcmOptions(link="https://secret.link/")),
    label="campaign",
    ttl=600,
)
V2 = fcm.Message(
    android_v2=fcm.AndroidConfigV2(remote_notification=fcm.RemoteNotification(notification=fcm.AndroidNotificationV2(title="x", id=3)))
)
PORTABLE = Notification(title="x", options=(fcm.Options(data={"a": "secret option"}),))


@pytest.mark.parametrize(
    "message", [FULL, V2, PORTABLE, fcm.Subscribe("news"), fcm.Unsubscribe("news")], ids=lambda message: type(message).__name__
)
def test_messages_travel(message):
    """What ``to_json`` and a queue need, with nested blocks and enums."""
    assert message == pickle.loads(pickle.dumps(message))
    assert message == codec.decode(codec.encode(message))


@pytest.mark.parametrize("value", [FULL, FULL.android, FULL.android.notification, FULL.apns, FULL.webpush, V2, PORTABLE.options[0]])
def test_nothing_that_a_person_wrote_is_in_a_repr(value):
    """Names of fields only."""
    assert "secret" not in repr(value).replace("Visibility.SECRET", "")


def test_every_text_of_a_message_counts_as_secret():
    """So that it is replaced in whatever Google quotes back."""
    assert {
        "secret title",
        "secret body",
        "https://secret.example/",
        "secret value",
        "secret android",
        "secret ticker",
        "secret argument",
        "secret alert",
        "secret item",
        "secret activity token",
        "secret web",
        "https://secret.link/",
    } == set(message_secrets(FULL))
    assert "secret option" in message_secrets(PORTABLE)


def test_a_constant_stays_one():
    """Changing the mapping or list that was passed in changes nothing."""
    data, timings = {"a": "1"}, [1, 2]
    message = fcm.Message(data=data, android=fcm.AndroidConfig(notification=fcm.AndroidNotification(vibrate_timings=timings)))

    data["a"] = "2"
    timings.append(3)

    assert {"a": "1"} == message.data
    assert (1, 2) == message.android.notification.vibrate_timings


def test_messages_can_be_hashed():
    """For tables keyed by message."""
    assert hash(FULL) == hash(pickle.loads(pickle.dumps(FULL)))


def test_an_unknown_keyword_is_a_programmers_mistake():
    """It raises where it is written."""
    with pytest.raises(TypeError, match="titel"):
        fcm.Notification(titel="x")


@pytest.mark.parametrize(
    ("message", "seconds"), [(fcm.Message(), 86400), (FULL, 3600), (V2, 86400), (fcm.Message(android=fcm.AndroidConfig(ttl="no")), 86400)]
)
def test_the_lifetime_without_a_ttl(message, seconds):
    """24 hours, or what the Android block says."""
    assert seconds == message.default_ttl()


def test_every_public_name_is_there():
    """Sorted, and importable."""
    assert sorted(fcm.__all__) == fcm.__all__
    assert all(hasattr(fcm, name) for name in fcm.__all__)
