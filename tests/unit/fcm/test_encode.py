"""From a message to the bytes of a request."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.unit.fcm.helpers import BEARER, NOW, TOKEN, Push, body_of, prepared, refused, request_of, sender, stamp, wire

from pushkit import Notification, fcm
from pushkit.fcm.encode import collapse_id
from pushkit.outcomes import Category, Disposition
from pushkit.verdict import Verdict

HELLO = fcm.Message(notification=fcm.Notification(title="Hello", body="there"))


@pytest.mark.parametrize(
    ("target", "field", "value"),
    [
        (fcm.Registration(TOKEN), "token", TOKEN),
        (fcm.Installation("cXyZ-_0123456789abcdef"), "fid", "cXyZ-_0123456789abcdef"),
        (fcm.Topic("news"), "topic", "news"),
        (fcm.Topic("/topics/news"), "topic", "news"),
        (fcm.Condition("'a' in topics && !('b' in topics)"), "condition", "'a' in topics && !('b' in topics)"),
        (fcm.Condition('"a" in topics &&\n"b" in topics'), "condition", '"a" in topics &&\n"b" in topics'),
    ],
)
def test_each_kind_of_target_has_its_field(target, field, value):
    """Exactly one of token, fid, topic and condition is set."""
    message = wire(HELLO, target)

    assert {field: value} == {name: message[name] for name in ("token", "fid", "topic", "condition") if name in message}


def test_a_request_goes_to_the_project_with_the_headers_that_google_wants():
    """Method, path, bearer, JSON, and the format version without which errors lose their details."""
    request = request_of(HELLO)

    assert (b"POST", b"/v1/projects/my-app-1a2b3/messages:send") == (request.method, request.path)
    assert "https://fcm.googleapis.com" == str(request.origin)
    assert {
        b"authorization": f"Bearer {BEARER}".encode(),
        b"content-type": b"application/json",
        b"x-goog-api-format-version": b"2",
    } == dict(request.block.fields)
    assert 100 == request.policy.max_streams


def test_a_dry_run_asks_to_validate_only():
    """The flag stands beside the message, not in it."""
    body = body_of(HELLO, dry_run=True)

    assert body["validate_only"] is True
    assert TOKEN == body["message"]["token"]
    assert "validate_only" not in body_of(HELLO)


# --- what is left of the TTL ------------------------------------------------------------------------


def ttls(message, push, **changes):
    found = wire(message, push=push, **changes)
    return found["android"]["ttl"], found["apns"]["headers"]["apns-expiration"], found["webpush"]["headers"]["TTL"]


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (3600, ("3600s", "1800003600", "3600")),
        (10.7, ("10s", "1800000010", "10")),
        (0.4, ("0s", "1800000000", "0")),
        (-5, ("0s", "1799999995", "0")),
    ],
)
def test_each_attempt_forwards_what_is_left_on_every_platform(left, expected):
    """Whole seconds, rounded down; never less than nothing."""
    assert expected == ttls(HELLO, Push(expires_at=NOW + left))


def test_a_push_that_is_addressed_at_once_forwards_the_ttl_as_it_was_written():
    """The milliseconds between taking and addressing a push do not cost a whole second."""
    assert "3600s" == ttls(HELLO, Push(now=NOW + 0.004, expires_at=NOW + 3600))[0]


def test_now_or_never_is_zero_everywhere():
    """``ttl=0``."""
    assert ("0s", "0", "0") == ttls(HELLO, Push(ttl_zero=True, expires_at=NOW))


def test_four_weeks_are_the_most_that_is_asked_for():
    """FCM refuses more."""
    assert "2419200s" == ttls(HELLO, Push(expires_at=NOW + 90 * 86400))[0]


def test_without_an_expiry_no_ttl_is_sent():
    """Google's own defaults apply then."""
    assert {"notification", "token", "android", "apns", "webpush"} >= set(wire(HELLO, push=Push(expires_at=None)))
    assert "ttl" not in wire(HELLO, push=Push(expires_at=None))["android"]


def test_an_explicit_android_ttl_is_a_cap_and_the_default_lifetime():
    """A shorter android.ttl wins; what is left wins over a longer one."""
    message = fcm.Message(data={"a": "b"}, android=fcm.AndroidConfig(ttl=timedelta(minutes=10)))

    assert 600 == message.default_ttl()
    assert "600s" == ttls(message, Push(expires_at=NOW + 3600))[0]
    assert "5s" == ttls(message, Push(expires_at=NOW + 5))[0]


def test_an_expiry_header_of_the_caller_is_kept():
    """Whoever writes a header means it, in whatever capitals."""
    message = fcm.Message(
        data={"a": "b"}, apns=fcm.ApnsConfig(headers={"apns-expiration": "1"}), webpush=fcm.WebpushConfig(headers={"ttl": "2"})
    )

    found = wire(message)

    assert {"apns-expiration": "1"} == found["apns"]["headers"]
    assert {"ttl": "2"} == found["webpush"]["headers"]


def test_the_ttl_goes_into_the_new_android_block_where_that_is_used():
    """A message has one of the two blocks."""
    found = wire(fcm.Message(android_v2=fcm.AndroidConfigV2(background_sync=fcm.BackgroundSync())))

    assert {"background_sync": {}, "ttl": "3600s"} == found["android_v2"]
    assert "android" not in found


def test_the_json_is_made_once_for_each_second_that_is_left():
    """What the hot path shares: the same bytes object behind every target of the same second."""
    ready = prepared(HELLO)

    first, second, later = ready._tail(Push()), ready._tail(Push()), ready._tail(Push(now=NOW + 1))

    assert first is second
    assert first != later


# --- identity ---------------------------------------------------------------------------------------


def test_the_key_fills_what_makes_a_second_copy_replace_the_first():
    """Android tag, Apple collapse id, web tag; never FCM's collapse_key, of which a device has four."""
    found = wire(HELLO)

    assert "the-key" == found["android"]["notification"]["tag"]
    assert "the-key" == found["apns"]["headers"]["apns-collapse-id"]
    assert "the-key" == found["webpush"]["notification"]["tag"]
    assert "collapse_key" not in found["android"]
    assert prepared(HELLO).replaceable


def test_what_the_caller_chose_is_not_overwritten():
    """Own tags and collapse ids win, and still make the push replaceable."""
    message = fcm.Message(
        notification=fcm.Notification(title="x"),
        android=fcm.AndroidConfig(notification=fcm.AndroidNotification(tag="mine")),
        apns=fcm.ApnsConfig(headers={"apns-collapse-id": "mine"}),
        webpush=fcm.WebpushConfig(notification={"tag": "mine"}),
    )

    found = wire(message)

    assert ["mine"] * 3 == [
        found["android"]["notification"]["tag"],
        found["apns"]["headers"]["apns-collapse-id"],
        found["webpush"]["notification"]["tag"],
    ]
    assert prepared(message, dedupe=False).replaceable


def test_without_dedupe_nothing_is_filled_and_nothing_replaceable():
    """``dedupe=False`` switches the filling off."""
    found = wire(HELLO, dedupe=False)

    assert "notification" not in found["android"]
    assert "apns-collapse-id" not in found["apns"]["headers"]
    assert not prepared(HELLO, dedupe=False).replaceable


@pytest.mark.parametrize(
    "message",
    [
        fcm.Message(data={"a": "b"}),
        Notification(background=True, data={"a": "b"}),
        fcm.Message(apns=fcm.ApnsConfig(live_activity_token="t" * 64, payload={"aps": {"alert": {"title": "x"}}})),
        fcm.Message(android_v2=fcm.AndroidConfigV2(background_sync=fcm.BackgroundSync())),
    ],
    ids=["data", "background", "live activity", "background sync"],
)
def test_what_is_not_displayed_as_a_notification_gets_no_identity(message):
    """A second copy of it would act twice, whatever its tags."""
    assert "the-key" not in json.dumps(wire(message))
    assert not prepared(message).replaceable


def test_a_fan_out_is_replaceable_only_with_a_key_of_the_callers_own():
    """A key made up for this call says nothing about what a million people may get twice."""
    assert not prepared(HELLO, fcm.Topic).replaceable
    assert prepared(fcm.Message(notification=fcm.Notification(title="x"), key="k"), fcm.Topic).replaceable


def test_the_new_android_notification_gets_its_tag():
    """AndroidConfigV2 has its own place for it."""
    message = fcm.Message(
        android_v2=fcm.AndroidConfigV2(remote_notification=fcm.RemoteNotification(notification=fcm.AndroidNotificationV2(title="x", id=7)))
    )

    assert {"title": "x", "id": 7, "tag": "the-key"} == wire(message)["android_v2"]["remote_notification"]["notification"]


@pytest.mark.parametrize("key", ["order-1", "x" * 64])
def test_a_key_that_fits_is_the_collapse_id(key):
    """Up to 64 bytes of printable ASCII."""
    assert key == collapse_id(key)


@pytest.mark.parametrize("key", ["x" * 65, "ключ", "a\nb", "\ud800"])
def test_a_key_that_does_not_fit_is_digested_to_64_bytes(key):
    """The same key gives the same id, another key another."""
    found = collapse_id(key)

    assert 64 == len(found)
    assert found == collapse_id(key)
    assert found != collapse_id(key + "1")


# --- refusals ---------------------------------------------------------------------------------------

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def android(**changes):
    return fcm.Message(android=fcm.AndroidConfig(**changes))


def look(**changes):
    return android(notification=fcm.AndroidNotification(**changes))


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (fcm.Message(data={"a": 1}), "data['a']"),
        (fcm.Message(data={1: "a"}), "data"),
        (fcm.Message(data="text"), "data"),
        (fcm.Message(data={"from": "x"}), "data['from']"),
        (fcm.Message(data={"message_type": "x"}), "data['message_type']"),
        (fcm.Message(data={"google.x": "x"}), "data['google.x']"),
        (fcm.Message(data={"GCM.notification.x": "x"}), "data['GCM.notification.x']"),
        (android(data={"gcm": "x"}), "android.data['gcm']"),
        (fcm.Message(webpush=fcm.WebpushConfig(data={"from": "x"})), "webpush.data['from']"),
        (fcm.Message(notification=fcm.Notification(title=5)), "notification.title"),
        (fcm.Message(notification=fcm.Notification(title="\ud800")), "notification.title"),
        (fcm.Message(notification=Notification(title="portable")), "notification"),
        (fcm.Message(notification={"title": "x"}), "notification"),
        (android(ttl=2_419_201), "android.ttl"),
        (android(ttl=-1), "android.ttl"),
        (android(ttl="60s"), "android.ttl"),
        (android(ttl=float("nan")), "android.ttl"),
        (android(ttl=10**400), "android.ttl"),
        (android(direct_boot_ok="yes"), "android.direct_boot_ok"),
        (android(fcm_options=fcm.AndroidFcmOptions(analytics_label="no blanks")), "android.fcm_options.analytics_label"),
        (look(color="red"), "android.notification.color"),
        (look(color="#12345g"), "android.notification.color"),
        (look(title_loc_args=["a"]), "android.notification.title_loc_key"),
        (look(body_loc_key="k", body_loc_args="a"), "android.notification.body_loc_args"),
        (look(body_loc_key="k", body_loc_args=["a", 1]), "android.notification.body_loc_args[1]"),
        (look(event_time=datetime(2027, 1, 1)), "android.notification.event_time"),
        (look(event_time="2027-01-01"), "android.notification.event_time"),
        (look(notification_count=2**31), "android.notification.notification_count"),
        (look(notification_count=True), "android.notification.notification_count"),
        (look(vibrate_timings=[1, -1]), "android.notification.vibrate_timings[1]"),
        (
            look(light_settings=fcm.LightSettings(color="#ffffff", light_on_duration=1)),
            "android.notification.light_settings.light_off_duration",
        ),
        (
            look(light_settings=fcm.LightSettings(color="#fff", light_on_duration=1, light_off_duration=1)),
            "android.notification.light_settings.color",
        ),
        (fcm.Message(android_v2=fcm.AndroidConfigV2()), "android_v2.remote_notification"),
        (
            fcm.Message(android_v2=fcm.AndroidConfigV2(remote_notification=fcm.RemoteNotification(), background_sync=fcm.BackgroundSync())),
            "android_v2.remote_notification",
        ),
        (
            fcm.Message(
                android_v2=fcm.AndroidConfigV2(
                    remote_notification=fcm.RemoteNotification(notification=fcm.AndroidNotificationV2(image="http://example.com/a.png"))
                )
            ),
            "android_v2.remote_notification.notification.image",
        ),
        (
            fcm.Message(android=fcm.AndroidConfig(priority="high"), android_v2=fcm.AndroidConfigV2(background_sync=fcm.BackgroundSync())),
            "android_v2",
        ),
        (fcm.Message(apns=fcm.ApnsConfig(payload={"alert": "x"})), "apns.payload"),
        (fcm.Message(apns=fcm.ApnsConfig(payload={"aps": {"badge": float("inf")}})), "apns.payload.aps.badge"),
        (fcm.Message(apns=fcm.ApnsConfig(payload={"aps": {"x": object()}})), "apns.payload.aps.x"),
        (fcm.Message(apns=fcm.ApnsConfig(headers={"apns-priority": 10})), "apns.headers['apns-priority']"),
        (fcm.Message(apns=fcm.ApnsConfig(headers={"Apns-Priority": "10"})), "apns.headers"),
        (fcm.Message(webpush=fcm.WebpushConfig(fcm_options=fcm.WebpushFcmOptions(link="http://x"))), "webpush.fcm_options.link"),
        (fcm.Message(fcm_options=fcm.FcmOptions(analytics_label="x" * 51)), "fcm_options.analytics_label"),
        (Notification(title="x", data={"from": "y"}), "data['from']"),
        (Notification(title="x", badge=-1), "badge"),
        (Notification(title="x", sound=5), "sound"),
        (Notification(title="x", options=(fcm.Options(android=fcm.AndroidConfig(ttl=-1)),)), "options.android.ttl"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_google_would_refuse_is_refused_before_sending_with_its_field(message, field):
    """Nothing goes out; the field is named as the caller wrote it, and the value is not quoted."""
    verdict = refused(message)

    assert (Category.PAYLOAD, Disposition.NOT_SENT, field) == (verdict.category, verdict.disposition, verdict.field)
    assert verdict.reason in {"invalid_field", "invalid_ttl", "reserved_key"}
    assert verdict.advice.startswith(f"Correct {field}: it ")


def nested(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def test_a_payload_that_is_nested_too_deep_is_refused():
    """It would end in a RecursionError somewhere else."""
    assert refused(fcm.Message(apns=fcm.ApnsConfig(payload={"aps": nested(5000)}))).field.startswith("apns.payload.aps")


@pytest.mark.parametrize("key", [5, b"key", "\ud800"])
def test_a_key_that_is_no_text_is_refused(key):
    """It would fill a tag."""
    verdict = sender().prepare(fcm.Message(data={"a": "b"}, key=key), fcm.Registration, stamp(key=key))

    assert ("invalid_field", "key") == (verdict.reason, verdict.field)


@pytest.mark.parametrize(
    "message", [fcm.Message(), Notification(), fcm.Message(android=fcm.AndroidConfig(priority="high")), Notification(data={"a": "b"})]
)
def test_a_message_that_says_nothing_is_refused(message):
    """Neither text nor data; a portable one shows something or says that it is for the background."""
    assert ("empty_message", Category.PAYLOAD) == (refused(message).reason, refused(message).category)


def test_another_providers_message_is_refused():
    """A message for another provider cannot be said here."""
    from pushkit import apns

    assert "wrong_message" == refused(apns.Background()).reason


def test_a_live_activity_belongs_to_one_device():
    """Its token cannot go to a topic."""
    message = fcm.Message(apns=fcm.ApnsConfig(live_activity_token="t" * 64))

    assert "apns.live_activity_token" == refused(message, fcm.Topic).field


@pytest.mark.parametrize(("kind", "limit"), [(fcm.Registration, 4096), (fcm.Installation, 4096), (fcm.Topic, 2048), (fcm.Condition, 2048)])
def test_the_size_limit_counts_keys_and_values(kind, limit):
    """Exactly the limit passes; one byte more is refused, with the field that is too long."""
    fits = fcm.Message(data={"key": "x" * (limit - 3)})
    too_long = fcm.Message(data={"key": "x" * (limit - 2)})

    assert not isinstance(prepared(fits, kind), Verdict)
    assert ("payload_too_large", "data") == (refused(too_long, kind).reason, refused(too_long, kind).field)


def test_the_size_limit_counts_bytes_not_characters():
    """UTF-8."""
    assert "payload_too_large" == refused(Notification(title="x", body="ж" * 2100)).reason
    assert "body" == refused(Notification(title="x", body="ж" * 2100)).field


def test_an_apple_payload_has_a_limit_of_its_own():
    """4 KB of JSON."""
    verdict = refused(fcm.Message(apns=fcm.ApnsConfig(payload={"aps": {}, "x": "y" * 4096})))

    assert ("payload_too_large", "apns.payload") == (verdict.reason, verdict.field)


# --- formats ----------------------------------------------------------------------------------------


def test_formats_on_the_wire():
    """The names and forms that other libraries got wrong: notification_priority, event_time with Z, PRIVATE, durations, colours."""
    berlin = timezone(timedelta(hours=1))
    found = wire(
        look(
            notification_priority=fcm.NotificationPriority.HIGH,
            visibility=fcm.Visibility.PRIVATE,
            proxy=fcm.Proxy.IF_PRIORITY_LOWERED,
            event_time=datetime(2027, 1, 1, 13, 30, tzinfo=berlin),
            vibrate_timings=[0.1, timedelta(seconds=2)],
            light_settings=fcm.LightSettings(color="#ff000080", light_on_duration=3.5, light_off_duration=1),
            notification_count=3,
            sticky=False,
        )
    )["android"]["notification"]

    assert {
        "notification_priority": "PRIORITY_HIGH",
        "visibility": "PRIVATE",
        "proxy": "IF_PRIORITY_LOWERED",
        "event_time": "2027-01-01T12:30:00.000000Z",
        "vibrate_timings": ["0.100000000s", "2s"],
        "light_settings": {
            "color": {"red": 1.0, "green": 0.0, "blue": 0.0, "alpha": 128 / 255},
            "light_on_duration": "3.500000000s",
            "light_off_duration": "1s",
        },
        "notification_count": 3,
        "sticky": False,
        "tag": "the-key",
    } == found


def test_enums_take_their_name_in_any_capitals_and_refuse_another_word():
    """A wrong enum is a programmer's mistake and raises where it is written."""
    assert fcm.Visibility.SECRET is fcm.AndroidNotification(visibility="secret").visibility
    assert fcm.NotificationPriority.MAX is fcm.AndroidNotification(notification_priority="max").notification_priority
    with pytest.raises(ValueError, match="urgent"):
        fcm.AndroidConfig(priority="urgent")


def test_every_flag_of_the_resource_reaches_the_wire():
    """What no other library has together."""
    message = fcm.Message(
        android=fcm.AndroidConfig(
            bandwidth_constrained_ok=True,
            restricted_satellite_ok=True,
            direct_boot_ok=False,
            collapse_key="c",
            restricted_package_name="com.example",
        ),
        apns=fcm.ApnsConfig(
            live_activity_token="t" * 64, fcm_options=fcm.ApnsFcmOptions(image="https://example.com/a.png", analytics_label="a")
        ),
        webpush=fcm.WebpushConfig(fcm_options=fcm.WebpushFcmOptions(link="https://example.com/", analytics_label="w")),
        fcm_options=fcm.FcmOptions(analytics_label="all"),
        data={"a": "b"},
    )

    found = wire(message)

    assert {
        "bandwidth_constrained_ok": True,
        "restricted_satellite_ok": True,
        "direct_boot_ok": False,
        "collapse_key": "c",
        "restricted_package_name": "com.example",
        "ttl": "3600s",
    } == found["android"]
    assert "t" * 64 == found["apns"]["live_activity_token"]
    assert {"image": "https://example.com/a.png", "analytics_label": "a"} == found["apns"]["fcm_options"]
    assert {"link": "https://example.com/", "analytics_label": "w"} == found["webpush"]["fcm_options"]
    assert {"analytics_label": "all"} == found["fcm_options"]


def test_the_label_of_a_message_becomes_its_analytics_label():
    """Unless it has one of its own; a campaign's name is bent into what Google takes."""
    assert {"analytics_label": "Spring_sale_2027_"} == wire(fcm.Message(data={"a": "b"}, label="Spring sale 2027!"))["fcm_options"]
    own = fcm.Message(data={"a": "b"}, label="x", fcm_options=fcm.FcmOptions(analytics_label="y"))
    assert {"analytics_label": "y"} == wire(own)["fcm_options"]


def test_text_in_every_script_arrives_as_it_is():
    """UTF-8, quotes and control characters included."""
    text = 'Grüße "你好" \\ 🎉\n\u2028'

    assert text == wire(fcm.Message(notification=fcm.Notification(title=text)))["notification"]["title"]
