"""
The example payloads of Apple's pages, rebuilt with the typed API and compared as JSON.

Sources: "Generating a remote notification", "Pushing background updates to your App", "Modifying content
in newly delivered notifications", "Starting and updating Live Activities with ActivityKit push
notifications", "Updating controls locally and remotely", "Creating a Push to Talk app", "Using push
notifications to signal changes", and the MDM protocol reference.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.unit.apns.helpers import TOKEN, body_of, headers_of, request_for

from pushkit import InterruptionLevel, Localized, Notification, Sound, apns

DEVICE = apns.Device(TOKEN)
ACTIVITY = apns.ActivityToken(TOKEN * 2)
START = apns.StartToken(TOKEN * 2)
CHANNEL = apns.Channel("dHN0LXNyY2gtY2hubA==")
STATE = {"health": 100, "situation": "At the gate"}

CASES = {
    "alert with actions and a key of the app's own": (
        Notification(
            title="Game request", subtitle="Five cards", body="Bo wants to play", category="GAME_INVITATION", data={"gameID": "12345678"}
        ),
        DEVICE,
        {
            "aps": {
                "alert": {"title": "Game request", "subtitle": "Five cards", "body": "Bo wants to play"},
                "category": "GAME_INVITATION",
            },
            "gameID": "12345678",
        },
    ),
    "badge and sound": (
        Notification(badge=9, sound="bingbong.aiff", data={"messageID": "ABCDEFGHIJ"}),
        DEVICE,
        {"aps": {"badge": 9, "sound": "bingbong.aiff"}, "messageID": "ABCDEFGHIJ"},
    ),
    "localised": (
        Notification(
            title=Localized("REQUEST_TITLE", ["Jo"]),
            subtitle=Localized("REQUEST_SUB"),
            body=Localized("REQUEST_FORMAT", ["Jo", "Al"], "Jo and Al"),
        ),
        DEVICE,
        {
            "aps": {
                "alert": {
                    "title-loc-key": "REQUEST_TITLE",
                    "title-loc-args": ["Jo"],
                    "subtitle-loc-key": "REQUEST_SUB",
                    "loc-key": "REQUEST_FORMAT",
                    "loc-args": ["Jo", "Al"],
                }
            }
        },
    ),
    "critical sound": (
        Notification(title="Smoke", sound=Sound(name="alarm.aiff", critical=True, volume=0.8), interruption=InterruptionLevel.CRITICAL),
        DEVICE,
        {
            "aps": {
                "alert": {"title": "Smoke"},
                "sound": {"critical": 1, "name": "alarm.aiff", "volume": 0.8},
                "interruption-level": "critical",
            }
        },
    ),
    "for a service extension": (
        Notification(
            title="Secret",
            body="(encrypted)",
            category="SECRET",
            options=apns.Options(mutable_content=True, payload={"ENCRYPTED": ["Ω", 1, None]}),
        ),
        DEVICE,
        {
            "aps": {"alert": {"title": "Secret", "body": "(encrypted)"}, "category": "SECRET", "mutable-content": 1},
            "ENCRYPTED": ["Ω", 1, None],
        },
    ),
    "everything else in aps": (
        Notification(
            title="Score",
            group="match-7",
            interruption=InterruptionLevel.TIME_SENSITIVE,
            options=apns.Options(
                relevance_score=0.5,
                filter_criteria="sports",
                target_content_id="window-2",
                launch_image="splash",
                content_available=True,
                aps={"url-args": ["a", "b"]},
            ),
        ),
        DEVICE,
        {
            "aps": {
                "alert": {"title": "Score", "launch-image": "splash"},
                "thread-id": "match-7",
                "interruption-level": "time-sensitive",
                "relevance-score": 0.5,
                "filter-criteria": "sports",
                "target-content-id": "window-2",
                "content-available": 1,
                "url-args": ["a", "b"],
            }
        },
    ),
    "picture and link": (
        Notification(title="Photo", image="https://example.com/a.png", link="app://photo/1"),
        DEVICE,
        {"aps": {"alert": {"title": "Photo"}, "mutable-content": 1}, "image": "https://example.com/a.png", "link": "app://photo/1"},
    ),
    "badge removed": (Notification(badge=0), DEVICE, {"aps": {"badge": 0}}),
    "portable background": (Notification(background=True, data={"a": "b"}), DEVICE, {"aps": {"content-available": 1}, "a": "b"}),
    "background": (
        apns.Background(data={"acme1": "bar", "acme2": 42}),
        DEVICE,
        {"aps": {"content-available": 1}, "acme1": "bar", "acme2": 42},
    ),
    "voip": (apns.Voip(data={"caller": "Jo"}), DEVICE, {"aps": {}, "caller": "Jo"}),
    "complication": (apns.Complication(data={"steps": 10}), DEVICE, {"aps": {}, "steps": 10}),
    "push to talk": (apns.PushToTalk(data={"activeSpeaker": "Jo"}), DEVICE, {"aps": {}, "activeSpeaker": "Jo"}),
    "location": (apns.LocationQuery(), DEVICE, {"aps": {}}),
    "widgets": (apns.WidgetsRefresh(), DEVICE, {"aps": {"content-changed": True}}),
    "controls": (apns.ControlsRefresh(), DEVICE, {"aps": {"content-changed": True}}),
    "file provider": (
        apns.FileProviderSignal("NSFileProviderWorkingSetContainerItemIdentifier", domain="work"),
        DEVICE,
        {"container-identifier": "NSFileProviderWorkingSetContainerItemIdentifier", "domain": "work"},
    ),
    "mdm": (apns.MdmWakeUp("PUSH-MAGIC"), DEVICE, {"mdm": "PUSH-MAGIC"}),
    "raw": (apns.Push({"aps": {"alert": "Hello"}, "x": [1]}), DEVICE, {"aps": {"alert": "Hello"}, "x": [1]}),
    "raw bytes": (apns.Push(b'{"aps": {"alert": "Hello"}}'), DEVICE, {"aps": {"alert": "Hello"}}),
    "activity start": (
        apns.LiveActivityStart(
            "AdventureAttributes",
            attributes={"hero": "Panda"},
            content_state=STATE,
            title=Localized("%@ is on an adventure!", ["Panda"]),
            body=Localized("%@ has set out.", ["Panda"]),
            sound="chime.aiff",
            timestamp=datetime(2026, 11, 22, tzinfo=UTC),
        ),
        START,
        {
            "aps": {
                "timestamp": 1795305600,
                "event": "start",
                "content-state": STATE,
                "attributes-type": "AdventureAttributes",
                "attributes": {"hero": "Panda"},
                "alert": {
                    "title": {"loc-key": "%@ is on an adventure!", "loc-args": ["Panda"]},
                    "body": {"loc-key": "%@ has set out.", "loc-args": ["Panda"]},
                    "sound": "chime.aiff",
                },
            }
        },
    ),
    "activity start that asks for a token": (
        apns.LiveActivityStart(
            "A", attributes={}, content_state={}, title="T", body="B", input_push_token=True, timestamp=datetime(2026, 11, 22, tzinfo=UTC)
        ),
        START,
        {
            "aps": {
                "timestamp": 1795305600,
                "event": "start",
                "content-state": {},
                "attributes-type": "A",
                "attributes": {},
                "alert": {"title": "T", "body": "B"},
                "input-push-token": 1,
            }
        },
    ),
    "activity start that listens to a channel": (
        apns.LiveActivityStart(
            "A",
            attributes={},
            content_state={},
            title="T",
            body="B",
            input_push_channel=CHANNEL.channel_id,
            timestamp=datetime(2026, 11, 22, tzinfo=UTC),
        ),
        START,
        {
            "aps": {
                "timestamp": 1795305600,
                "event": "start",
                "content-state": {},
                "attributes-type": "A",
                "attributes": {},
                "alert": {"title": "T", "body": "B"},
                "input-push-channel": CHANNEL.channel_id,
            }
        },
    ),
    "activity update": (
        apns.LiveActivityUpdate(
            STATE,
            title="Knocked down",
            body="Use a potion",
            sound="down.mp4",
            relevance_score=75,
            stale_date=datetime(2026, 11, 22, 1, tzinfo=UTC),
            timestamp=datetime(2026, 11, 22, tzinfo=UTC),
        ),
        ACTIVITY,
        {
            "aps": {
                "timestamp": 1795305600,
                "event": "update",
                "content-state": STATE,
                "stale-date": 1795309200,
                "relevance-score": 75,
                "alert": {"title": "Knocked down", "body": "Use a potion", "sound": "down.mp4"},
            }
        },
    ),
    "activity end": (
        apns.LiveActivityEnd(STATE, dismissal_date=datetime(2026, 11, 22, 2, tzinfo=UTC), timestamp=datetime(2026, 11, 22, tzinfo=UTC)),
        ACTIVITY,
        {"aps": {"timestamp": 1795305600, "event": "end", "content-state": STATE, "dismissal-date": 1795312800}},
    ),
    "broadcast update": (
        apns.LiveActivityUpdate(STATE, timestamp=datetime(2026, 11, 22, tzinfo=UTC)),
        CHANNEL,
        {"aps": {"timestamp": 1795305600, "event": "update", "content-state": STATE}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_payload_is_the_documented_one(name):
    """Every key, every value, nothing more."""
    message, target, expected = CASES[name]

    assert expected == body_of(request_for(message, target))


HEADERS = {
    "alert": (Notification(title="T"), DEVICE, "", "10"),
    "background": (apns.Background(), DEVICE, "", "5"),
    "complication": (apns.Complication(), DEVICE, ".complication", "10"),
    "controls": (apns.ControlsRefresh(), DEVICE, ".push-type.controls", "10"),
    "fileprovider": (apns.FileProviderSignal("root", domain="d"), DEVICE, ".pushkit.fileprovider", "10"),
    "liveactivity": (apns.LiveActivityUpdate({}), ACTIVITY, ".push-type.liveactivity", "10"),
    "location": (apns.LocationQuery(), DEVICE, ".location-query", "10"),
    "mdm": (apns.MdmWakeUp("M"), DEVICE, "", "10"),
    "pushtotalk": (apns.PushToTalk(), DEVICE, ".voip-ptt", "10"),
    "voip": (apns.Voip(), DEVICE, ".voip", "10"),
    "widgets": (apns.WidgetsRefresh(), DEVICE, ".push-type.widgets", "10"),
}


@pytest.mark.parametrize("push_type", HEADERS)
def test_the_type_decides_topic_and_priority(push_type):
    """Apple's eleven types, each with its own topic suffix and its permitted priority."""
    message, target, suffix, priority = HEADERS[push_type]

    headers = headers_of(request_for(message, target))

    assert push_type == headers["apns-push-type"]
    assert f"com.example.app{suffix}" == headers["apns-topic"]
    assert priority == headers["apns-priority"]


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        (apns.Voip(), 0),
        (apns.PushToTalk(), 0),
        (apns.ControlsRefresh(), 0),
        (apns.Background(), 86_400),
        (apns.WidgetsRefresh(), 86_400),
        (apns.LiveActivityUpdate({}), 86_400),
        (apns.Push({"aps": {}}, headers={"apns-push-type": "voip"}), 0),
        (apns.Push({"aps": {"alert": "x"}}), 86_400),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_the_type_decides_how_long_it_is_worth_delivering(message, seconds):
    """Calls, talk and controls are now or never; everything else lives for a day unless it says otherwise."""
    assert seconds == message.default_ttl()
