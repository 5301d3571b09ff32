"""What the linter knows of each provider's habits, and what it leaves in peace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from pushkit import InterruptionLevel, Notification, Priority, apns, fcm, webpush
from pushkit.apns.kinds import COLLAPSE_LIMIT
from pushkit.preview import Effect, LintWarning, lint, preview
from pushkit.preview.google_rules import _COLLAPSE_LIMIT

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
CHANNEL = fcm.AndroidConfig(notification=fcm.AndroidNotification(channel_id="orders"))
FINE = Notification(title="Your order", body="It is on its way.", options=(fcm.Options(android=CHANNEL),))
LIVE = {"attributes": {}, "content_state": {}, "title": "Match", "body": "It begins."}


def told(message: Any, *providers: str, **changes: Any) -> set[tuple[str, str | None]]:
    """Effects and fields."""
    found = lint(message, providers or None, now=NOW, **changes)
    return {(warning.effect.value, warning.field) for warning in found}


ORDINARY: list[dict[str, Any]] = [
    {"title": "Anna", "body": "See you at 8?", "sound": "default"},
    {"title": "Your code is 482913", "ttl": 300},
    {"title": "Team A – Team B 2:1", "body": "Goal by Müller (87')"},
    {"title": "50% off everything", "body": "Today only. Up to $20 & free shipping! 100%!"},
    {"title": "Algebra", "body": "if a<b and c>d, what is <x>?"},
    {"title": "Rain soon", "body": "From 14:00 on, 3 < 5 mm and 7 > 4 mm"},
    {"title": "新消息", "body": "您有一条新的消息，请查看。"},
    {"title": "새 메시지", "body": "새로운 메시지가 도착했습니다"},
    {
        "title": "🎉 Happy birthday!",
        "body": "From us 👨‍👩‍👧‍👦 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ❤️ 1️⃣ \U0001fae9",
    },
    {"title": "מזל טוב", "body": "ההזמנה שלך בדרך \u200f(5)"},
    {"title": "مرحبا", "body": "\u2067طلبك في الطريق\u2069"},
    {"title": "ข้อความ\u200bใหม่", "body": "คุณ\u200bได้รับ"},
    {"title": "नमस्ते", "body": "आपका ऑर्डर भेज दिया गया है"},
    {"title": "Rappel", "body": "Votre rendez-vous est demain à 10\u202f h\u00a030."},
    {"title": "Build failed", "body": "main: 3 tests failed in test_x.py::test_y {}"},
    {"title": "New follower", "body": "@max_m started following you"},
    {"title": "a@b.example replied", "body": "Re: see [1] and *this*"},
    {"title": "10:30 Meeting with J. & K.", "body": "Room <3"},
    {"title": "Reminder", "body": "Water the plants", "priority": Priority.NORMAL},
    {"title": "Battery low", "body": "Sensor 7: 5%", "interruption": InterruptionLevel.ACTIVE},
    {"title": "Invoice 4711", "data": {"id": "4711"}, "label": "billing", "key": "invoice-4711"},
    {"title": "Tonight", "expires_at": NOW + timedelta(hours=6)},
    {"title": "Undefined behaviour", "body": "A talk about C"},
    {"title": "Two\nlines", "body": "One."},
    {"title": "Track 5 of 100% Hits", "ttl": timedelta(days=28)},
    {"title": "Price: 5\u00a0€", "body": "5-10 % less"},
    {"title": "x" * 20, "body": "y " * 20},
]


@pytest.mark.parametrize("said", ORDINARY, ids=lambda said: said["title"].encode("ascii", "replace").decode()[:20])
def test_an_ordinary_notification_is_left_in_peace(said: dict[str, Any]) -> None:
    """A linter that cries wolf is switched off."""
    assert [] == lint(attrs.evolve(FINE, **{"body": None} | said), now=NOW)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "Hello {{ first_name }}"}, ("note", "title")),
        ({"body": "Hello ${name}, your total is %(sum)s"}, ("note", "body")),
        ({"body": "Dear undefined,"}, ("note", "body")),
        ({"body": "<b>Sale</b>"}, ("note", "body")),
        ({"body": 'Look <A HREF="https://x.example/">here</A>'}, ("note", "body")),
        ({"title": "Fish &amp; chips"}, ("note", "title")),
        ({"image": "data:image/png;base64,AAAA"}, ("hidden", "image")),
        ({"image": "cdn.example/a.png"}, ("hidden", "image")),
        ({"image": "https://10.0.0.7/a.png"}, ("note", "image")),
        ({"link": "https://localhost:3000/x"}, ("note", "link")),
        ({"link": "https://shop.example/{id}"}, ("note", "link")),
        ({"sound": "chime"}, ("note", "sound")),
        ({"sound": "chime.caf", "interruption": InterruptionLevel.PASSIVE}, ("ignored", "sound")),
        ({"priority": Priority.LOW, "interruption": InterruptionLevel.TIME_SENSITIVE}, ("note", "priority")),
        ({"expires_at": NOW - timedelta(minutes=1)}, ("refused", "expires_at")),
        ({"expires_at": NOW + timedelta(days=40)}, ("cut", "expires_at")),
        ({"options": apns.Options(aps={"content_available": 1})}, ("ignored", "aps.content_available")),
    ],
)
def test_what_goes_wrong_before_a_campaign_is_told(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    """Each of these has gone to a million phones somewhere."""
    assert expected in told(attrs.evolve(FINE, **changes), "apns")


@pytest.mark.parametrize(
    ("aps", "field"),
    [
        ({"badge": "3"}, "aps.badge"),
        ({"content-available": "1"}, "aps.content-available"),
        ({"interruption-level": "loud"}, "aps.interruption-level"),
        ({"order_id": 7}, "aps.order_id"),
        ({"alert": {"titel": "x", "body": "y"}}, "aps.alert.titel"),
    ],
)
def test_what_apple_passes_over_is_told(aps: dict[str, Any], field: str) -> None:
    """Keys inside aps that Apple does not know, and values of the wrong type, vanish without a word; through FCM as well."""
    payload = {"aps": {"alert": {"title": "x", "body": "y"}} | aps}
    through_fcm = fcm.Message(apns=fcm.ApnsConfig(payload=payload))

    assert ("ignored", field) in told(apns.Push(payload))
    assert [("ios", field)] == [(w.platform, w.field) for w in lint(through_fcm, platforms=["ios"]) if w.effect is Effect.IGNORED]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (apns.Push({"aps": {"alert": "x"}}, headers={"apns-push-type": "background"}), ("note", "aps.alert")),
        (apns.Push({"order": 7}), ("hidden", "aps")),
        (apns.Background(data={"a": 1}), ("note", None)),
        (apns.Voip(data={"call": 1}, ttl=3600), ("note", "ttl")),
        (apns.LiveActivityStart("Match", **LIVE), ("note", "collapse_id")),
        (apns.LiveActivityStart("Match", **LIVE), ("note", "stale_date")),
        (apns.LiveActivityUpdate({"a": 1}), ("note", "priority")),
        (apns.LiveActivityUpdate({"a": 1}, stale_date=NOW - timedelta(hours=1)), ("note", "stale_date")),
        (apns.LiveActivityEnd(dismissal_date=timedelta(hours=6)), ("cut", "dismissal_date")),
        (apns.LiveActivityUpdate({"a": "x" * 5200}), ("refused", None)),
        (fcm.Message(data={"a": "b"}, android=fcm.AndroidConfig(priority="high")), ("needs app", "android.priority")),
        (fcm.Message(data={"a": "b"}), ("note", "apns.payload.aps")),
        (fcm.Message(data={"a": "b"}, apns=fcm.ApnsConfig(payload={"aps": {"content-available": 1}})), ("note", "apns.headers")),
        (fcm.Message(notification=fcm.Notification(title="x", image="https://x.example/i.png")), ("hidden", "image")),
        (
            fcm.Message(notification=fcm.Notification(title="x"), apns=fcm.ApnsConfig(payload={"aps": {"alert": {"subtitle": "s"}}})),
            ("note", "apns.payload.aps.alert"),
        ),
        (
            fcm.Message(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(title="x", notification_count=0))),
            ("note", "android.notification.notification_count"),
        ),
        (
            fcm.Message(notification=fcm.Notification(title="x"), apns=fcm.ApnsConfig(headers={"apns-collapse-id": "k" * 65})),
            ("refused", "apns.headers"),
        ),
        (Notification(background=True, options=(fcm.Options(android=CHANNEL),)), ("note", "android.notification")),
        (webpush.Message({"id": 7}), ("needs app", "data")),
        (webpush.Message({"notification": {"title": "x", "silent": True, "vibrate": [100]}}), ("hidden", "vibrate")),
        (webpush.Message({"notification": {"title": "x", "renotify": True}}), ("hidden", "renotify")),
        (Notification(title="x", options=(webpush.Options(silent=True, vibrate=(100,)),)), ("hidden", "vibrate")),
        (
            fcm.Message(webpush=fcm.WebpushConfig(notification={"title": "x", "renotify": True})),
            ("hidden", "webpush.notification.renotify"),
        ),
        (webpush.Declarative(title="x", navigate="http://shop.example/"), ("note", "navigate")),
        (Notification(title="x", link="myapp://order/1"), ("ignored", "link")),
    ],
)
def test_a_habit_of_a_provider_is_told(message: Any, expected: tuple[str, str | None]) -> None:
    """Rules read what is sent, so they hold for providers' own messages too."""
    provider = message.provider or {"android.notification": "fcm", "link": "webpush", "vibrate": "webpush"}[expected[1] or ""]

    assert expected in told(message, provider)


@pytest.mark.parametrize(
    "message",
    [
        apns.Push({"aps": {"alert": {"title": "Goal!", "body": "1:0"}, "badge": 1, "sound": "goal.caf", "thread-id": "m"}, "match": 7}),
        apns.Voip(data={"call": 1}),
        apns.WidgetsRefresh(),
        apns.ControlsRefresh(),
        apns.PushToTalk(),
        apns.LocationQuery(),
        apns.Complication(data={"steps": 7}),
        apns.FileProviderSignal("root", domain="files"),
        apns.MdmWakeUp("magic", topic="com.apple.mgmt.External.x"),
        apns.LiveActivityStart("Match", **LIVE, collapse_id="m", stale_date=timedelta(hours=1)),
        apns.LiveActivityUpdate({"a": 1}, stale_date=timedelta(hours=1), priority=Priority.NORMAL),
        apns.LiveActivityEnd(dismissal_date=timedelta(0)),
        fcm.Message(notification=fcm.Notification(title="x", body="y"), android=CHANNEL),
        fcm.Message(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(title="x", channel_id="c"))),
        fcm.Message(webpush=fcm.WebpushConfig(notification={"title": "x"})),
        webpush.Message({"notification": {"title": "x", "body": "y"}}),
        webpush.Declarative(title="x", body="y", navigate="https://shop.example/"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_an_ordinary_message_of_a_providers_own_is_left_in_peace(message: Any) -> None:
    """Every kind of message can be written so that the linter says nothing."""
    assert [] == lint(message, now=NOW)


@pytest.mark.parametrize(
    ("size", "priority", "expected"),
    [
        (4500, Priority.NORMAL, "note: apns: an apns.ActivityToken does not take it."),
        (5500, Priority.NORMAL, "refused: apns: "),
        (10, Priority.LOW, "note: apns: priority: an apns.ActivityToken does not take it."),
    ],
)
def test_what_only_a_channel_takes_is_no_refusal(size: int, priority: Priority, expected: str) -> None:
    """A channel takes 5120 bytes and LOW, an activity's token 4096 and no LOW: refused is what neither takes."""
    (warning,) = lint(apns.LiveActivityUpdate({"a": "x" * size}, stale_date=timedelta(hours=1), priority=priority))

    assert str(warning).startswith(expected)


def test_a_providers_own_icon_mends_the_portable_one() -> None:
    """A drawable for Android and a URL for browsers, each where it belongs: nothing is lost."""
    browsers = webpush.Options(icon="https://cdn.example/i.png")
    notification = attrs.evolve(FINE, icon="ic_bell", options=(*FINE.options, browsers))

    assert [] == lint(notification, ["fcm", "webpush"], ["android", "windows"], now=NOW)


def test_the_words_of_every_platform_are_looked_at() -> None:
    """Android's own title is another text than everybody's."""
    look = fcm.AndroidNotification(title="Hello {{name}}", channel_id="c")
    message = fcm.Message(notification=fcm.Notification(title="Hello"), android=fcm.AndroidConfig(notification=look))

    assert {("note", "title")} == told(message)


def test_what_a_platform_is_not_asked_about_is_not_told() -> None:
    """A team without browsers hears nothing about them; one that reaches phones through both services hears each once."""
    notification = attrs.evolve(FINE, subtitle="4711", image="https://cdn.example/a.png")
    phones = lint(notification, ["apns", "fcm"], ["ios", "android"])

    assert {("apns", None), ("fcm", "android")} == {(warning.provider, warning.platform) for warning in phones}
    assert {"ios", "android", "browsers"} <= {
        warning.platform for warning in lint(attrs.evolve(notification, icon="ic_x", link="x://y"), ["fcm"])
    } | {"ios"}


def test_apples_rules_are_not_told_of_an_fcm_that_reaches_no_iphone() -> None:
    """With APNs beside it, FCM brings nothing to iPhones."""
    urgent = attrs.evolve(FINE, interruption=InterruptionLevel.TIME_SENSITIVE, image="https://cdn.example/a.png")

    assert {"apns"} == {w.provider for w in lint(urgent) if w.effect is Effect.NEEDS_APP}
    assert {"fcm"} == {w.provider for w in lint(urgent, ["fcm"]) if w.effect is Effect.NEEDS_APP}


def test_a_refusal_reads_as_one_sentence_after_the_other() -> None:
    """What is wrong, a full stop, what to do; nothing twice."""
    said = [str(warning) for warning in lint(Notification(title="x", badge=-1, ttl=-3))] + [
        str(warning) for warning in lint(Notification(title="x", badge=-1))
    ]

    assert "refused: apns: badge: cannot be sent. Correct badge: it is no number of 0 or more." in said
    assert all(line.endswith(".") and ": badge: badge:" not in line for line in said)


def test_limits_agree_with_the_providers_own() -> None:
    """A number that is written down twice is held together."""
    assert COLLAPSE_LIMIT == _COLLAPSE_LIMIT


def test_a_preview_warns_of_the_platforms_that_it_shows() -> None:
    """Nothing about browsers under a picture of two phones."""
    found = preview(attrs.evolve(FINE, sound="a.caf", image="https://cdn.example/a.png"), ["ios", "android"])

    assert {"apns", "fcm"} == {warning.provider for warning in found.warnings}
    assert all(isinstance(warning, LintWarning) for warning in found.warnings)
