"""Formats at their edges: durations, times, blocks that say something without a field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from tests.unit.fcm.helpers import refused, wire

from pushkit import Notification, fcm


class Zoneless(tzinfo):
    """A time zone that knows no offset: Python calls such a time naive."""

    def utcoffset(self, dt):
        return None

    def dst(self, dt):
        return None

    def tzname(self, dt):
        return None


def look(**fields):
    return fcm.Message(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(title="x", **fields)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (2.3, "2.299999999s"),
        (timedelta(milliseconds=2300), "2.299999999s"),
        (timedelta(milliseconds=2500), "2.500000000s"),
        (0.9999999999, "0.999999999s"),
        (1e-10, "0s"),
        (315_576_000_000, "315576000000s"),
    ],
)
def test_a_duration_is_cut_off_at_a_nanosecond(given, expected):
    """As Google's own SDK writes it, so that the same message is the same bytes."""
    assert [expected] == wire(look(vibrate_timings=[given]))["android"]["notification"]["vibrate_timings"]


@pytest.mark.parametrize("given", [1e12, 10**400, float("inf"), -0.001])
def test_a_duration_that_google_cannot_read_is_refused(given):
    """The longest of protobuf's Duration; and a whole number that is too big for a float raises nothing."""
    assert "android.notification.vibrate_timings[0]" == refused(look(vibrate_timings=[given])).field


@pytest.mark.parametrize(
    "given",
    [
        datetime(2027, 1, 1, tzinfo=Zoneless()),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_time_that_has_no_utc_is_refused(given):
    """Without an offset it would be taken for this machine's; at the ends of the calendar there is none."""
    assert "android.notification.event_time" == refused(look(event_time=given)).field


def test_a_time_of_another_zone_is_written_in_utc():
    """Half hours too."""
    india = timezone(timedelta(hours=5, minutes=30))

    found = wire(look(event_time=datetime(2026, 1, 1, tzinfo=india)))

    assert "2025-12-31T18:30:00.000000Z" == found["android"]["notification"]["event_time"]


def test_an_urgent_form_without_settings_of_its_own_is_kept():
    """It is what makes the message urgent; the text stands in the message's own notification."""
    message = fcm.Message(
        notification=fcm.Notification(title="x"), android_v2=fcm.AndroidConfigV2(remote_notification=fcm.RemoteNotification())
    )

    assert {"notification": {"tag": "the-key"}} == wire(message)["android_v2"]["remote_notification"]
    assert {} == wire(fcm.Message(data={"a": "b"}, android_v2=message.android_v2))["android_v2"]["remote_notification"]


def test_an_urgent_form_alone_says_nothing():
    """Neither text nor data."""
    message = fcm.Message(android_v2=fcm.AndroidConfigV2(remote_notification=fcm.RemoteNotification()))

    assert "empty_message" == refused(message).reason


@pytest.mark.parametrize(
    ("options", "kind", "field"),
    [
        (fcm.Options(android=fcm.AndroidConfig(data={"a": "x" * 5000})), fcm.Registration, "options.android.data"),
        (fcm.Options(webpush=fcm.WebpushConfig(data={"a": "x" * 5000})), fcm.Registration, "options.webpush.data"),
        (fcm.Options(apns=fcm.ApnsConfig(live_activity_token="t")), fcm.Topic, "options.apns.live_activity_token"),
        (
            fcm.Options(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(color="red"))),
            fcm.Topic,
            "options.android.notification.color",
        ),
    ],
)
def test_what_options_say_is_named_as_it_was_written(options, kind, field):
    """A portable notification has no field called android."""
    assert field == refused(Notification(title="x", options=(options,)), kind).field


def test_a_web_header_of_the_callers_is_kept():
    """In the very capitals that are ours too."""
    message = fcm.Message(data={"a": "b"}, webpush=fcm.WebpushConfig(headers={"TTL": "5"}))

    assert {"TTL": "5"} == wire(message)["webpush"]["headers"]


@pytest.mark.parametrize("value", ["urgent", 5, True])
def test_a_wrong_word_says_which_there_are(value):
    """A programmer's mistake, raised at once."""
    with pytest.raises(ValueError, match="AndroidPriority; expected NORMAL or HIGH"):
        fcm.AndroidConfig(priority=value)


def test_a_time_needs_no_zone_but_utc():
    """The common case."""
    found = wire(look(event_time=datetime(2026, 1, 1, tzinfo=UTC)))

    assert "2026-01-01T00:00:00.000000Z" == found["android"]["notification"]["event_time"]
