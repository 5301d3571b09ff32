"""Headers, collapse ids, sizes, and what is refused before anything is sent."""

from __future__ import annotations

import math

import pytest
from tests.unit.apns.helpers import NOW, PUSH_ID, STAMP, TOKEN, Push, body_of, headers_of, refusal_for, request_for, sender

from pushkit import Category, Disposition, Localized, Message, Notification, Priority, Sound, apns
from pushkit.provider import Stamp

DEVICE = apns.Device(TOKEN)
HELLO = Notification(title="Hello")


def test_an_alert_has_the_headers_that_apple_asks_for():
    """Path, topic, type, priority, id, expiry and collapse id; nothing is sent twice."""
    request = request_for(HELLO)

    assert b"POST" == request.method
    assert f"/3/device/{TOKEN}".encode() == request.path
    assert "https://api.push.apple.com" == str(request.origin)
    assert {
        "apns-topic": "com.example.app",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(NOW) + 86_400),
        "apns-id": PUSH_ID,
        "apns-collapse-id": STAMP.key,
        "content-type": "application/json",
    } == headers_of(request)


def test_text_goes_out_as_utf8_and_not_escaped():
    """A Chinese character costs 3 bytes, not 6."""
    assert '{"aps":{"alert":{"title":"你好 🎉"}}}'.encode() == request_for(Notification(title="你好 🎉")).body


def test_now_or_never_is_an_expiry_of_zero():
    """APNs tries once and stores nothing."""
    assert "0" == headers_of(request_for(HELLO, push=Push(ttl_zero=True, expires_at=NOW)))["apns-expiration"]


def test_no_expiry_leaves_the_header_out():
    """Apple then keeps it for as long as it likes."""
    assert "apns-expiration" not in headers_of(request_for(HELLO, push=Push(expires_at=None)))


def test_the_expiry_is_the_same_on_every_attempt():
    """Absolute: a retry does not live longer."""
    first = request_for(HELLO, push=Push())
    later = request_for(HELLO, push=Push(now=NOW + 600, attempt=2))

    assert headers_of(first)["apns-expiration"] == headers_of(later)["apns-expiration"]


@pytest.mark.parametrize(("priority", "sent"), [(Priority.HIGH, "10"), (Priority.NORMAL, "5"), (Priority.LOW, "1")])
def test_priorities_are_apples_numbers(priority, sent):
    """From the portable field and from the options."""
    portable = headers_of(request_for(Notification(title="T", priority=priority)))
    options = headers_of(request_for(Notification(title="T", options=apns.Options(priority=priority))))

    assert sent == portable["apns-priority"] == options["apns-priority"]


def test_a_background_push_has_priority_5_whatever_the_default_says():
    """APNs refuses 10 there."""
    headers = headers_of(request_for(Notification(background=True)))

    assert ("background", "5") == (headers["apns-push-type"], headers["apns-priority"])
    assert "apns-collapse-id" not in headers


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (HELLO, "order-17"),
        (Notification(title="T", collapse_key="score"), "score"),
        (Notification(title="T", collapse_key="score", options=apns.Options(collapse_id="own")), "own"),
        (Notification(title="T", group="thread"), "order-17"),
    ],
    ids=["identity", "collapse key", "options", "group is no collapse key"],
)
def test_where_the_collapse_id_comes_from(message, sent):
    """Options, then the portable key, then the identity; never the group."""
    assert sent == headers_of(request_for(message))["apns-collapse-id"]


@pytest.mark.parametrize(
    ("message", "stamp"),
    [
        (HELLO, Stamp(key="order-17", dedupe=False)),
        (HELLO, Stamp(key="x" * 65)),
        (HELLO, Stamp(key="line\nend")),
        (apns.Voip(), STAMP),
        (apns.PushToTalk(), STAMP),
        (apns.Background(), STAMP),
        (Notification(background=True), STAMP),
    ],
    ids=["dedupe off", "too long", "control character", "voip", "push to talk", "background", "portable background"],
)
def test_when_the_identity_is_no_collapse_id(message, stamp):
    """Only what is displayed gets one, and only a key that can be one."""
    assert "apns-collapse-id" not in headers_of(request_for(message, stamp=stamp))


@pytest.mark.parametrize(
    ("message", "target", "stamp", "replaceable"),
    [
        (HELLO, DEVICE, STAMP, True),
        (HELLO, DEVICE, Stamp(key="k", dedupe=False), False),
        (HELLO, DEVICE, Stamp(key="x" * 65), False),
        (Notification(title="T", collapse_key="c"), DEVICE, Stamp(key="k", dedupe=False), True),
        (Notification(background=True), DEVICE, STAMP, True),
        (apns.Background(), DEVICE, STAMP, True),
        (apns.Voip(), DEVICE, STAMP, False),
        (apns.PushToTalk(), DEVICE, STAMP, False),
        (apns.WidgetsRefresh(), DEVICE, STAMP, True),
        (apns.LiveActivityUpdate({}), apns.ActivityToken(TOKEN), STAMP, True),
        (apns.LiveActivityUpdate({}, title="T", body="B"), apns.ActivityToken(TOKEN), STAMP, False),
        (apns.LiveActivityUpdate({}), apns.Channel("YWJj"), STAMP, False),
        (apns.LiveActivityStart("A", attributes={}, content_state={}, title="T", body="B"), apns.StartToken(TOKEN), STAMP, False),
        (
            apns.LiveActivityStart("A", attributes={}, content_state={}, title="T", body="B", collapse_id="c"),
            apns.StartToken(TOKEN),
            STAMP,
            True,
        ),
        (apns.Push({"aps": {"alert": "x"}}), DEVICE, STAMP, True),
        (apns.Push({"aps": {"alert": "x"}}), DEVICE, Stamp(key="k", dedupe=False), False),
        (apns.Push({"aps": {}}, headers={"apns-push-type": "voip"}), DEVICE, STAMP, False),
    ],
)
def test_what_a_second_copy_would_replace(message, target, stamp, replaceable):
    """Repeating it after a doubt must show nothing twice."""
    assert replaceable == sender().prepare(message, type(target), stamp).replaceable


def test_a_broadcast_shares_one_header_block():
    """All that is the same for everybody is one block from the second push on, so that HPACK sends it once."""
    by = sender()
    prepared = by.prepare(HELLO, apns.Device, STAMP)

    requests = [by.address(prepared, apns.Device(f"{n:064x}"), Push(push_id=str(n))) for n in range(5)]

    assert 1 == len({id(request.block) for request in requests[1:]})
    assert [1, 1, 1, 1] == [len(request.headers) for request in requests[1:]]
    assert all(headers_of(requests[1]).keys() == headers_of(request).keys() for request in requests)


def test_personalised_pushes_share_a_block_without_their_collapse_ids():
    """Each has an identity of its own, which would push the others out of the HPACK table."""
    by = sender()
    requests = []
    for n in range(5):
        prepared = by.prepare(Notification(title=f"Hello {n}"), apns.Device, Stamp(key=f"k{n}"))
        requests.append(by.address(prepared, DEVICE, Push()))

    assert 1 == len({id(request.block) for request in requests})
    assert [f"k{n}" for n in range(5)] == [headers_of(request)["apns-collapse-id"] for request in requests]


def test_blocks_do_not_pile_up():
    """A stream that lasts for hours passes many seconds of expiry."""
    by = sender()
    prepared = by.prepare(HELLO, apns.Device, STAMP)

    for n in range(1000):
        by.address(prepared, DEVICE, Push(expires_at=NOW + n))

    assert len(prepared._blocks) <= 16
    assert len(by._blocks) <= 256


def test_the_environment_of_a_device_decides_the_host():
    """A sandbox token goes to the sandbox, whatever the configuration's default is."""
    request = request_for(HELLO, apns.Device(TOKEN, environment=apns.Environment.SANDBOX))

    assert "https://api.sandbox.push.apple.com" == str(request.origin)
    assert request.pool_key != request_for(HELLO).pool_key


def test_an_environment_may_be_given_as_text():
    """As a row of a table holds it."""
    assert apns.Device(TOKEN, environment=apns.Environment.SANDBOX) == apns.Device(TOKEN, environment="sandbox")


LONG = "x" * 5000
SURROGATE = "half \ud83c"


@pytest.mark.parametrize(
    ("message", "target", "reason", "field"),
    [
        (Notification(), DEVICE, "empty_message", "title"),
        (Notification(title="", body=""), DEVICE, "empty_message", "title"),
        (Notification(data={"a": "b"}), DEVICE, "empty_message", "title"),
        (Notification(title="T", background=True), DEVICE, "background_with_content", "background"),
        (Notification(title=17), DEVICE, "invalid_field", "title"),
        (Notification(title=SURROGATE), DEVICE, "invalid_field", "title"),
        (Notification(body=Localized(17)), DEVICE, "invalid_field", "body.key"),
        (Notification(body=Localized("K", "text")), DEVICE, "invalid_field", "body.args"),
        (Notification(body=Localized("K", [1])), DEVICE, "invalid_field", "body.args"),
        (Notification(badge=-1), DEVICE, "invalid_field", "badge"),
        (Notification(badge=True), DEVICE, "invalid_field", "badge"),
        (Notification(badge="1"), DEVICE, "invalid_field", "badge"),
        (Notification(title="T", sound=3), DEVICE, "invalid_field", "sound"),
        (Notification(title="T", sound=Sound(volume=0.5)), DEVICE, "invalid_field", "sound.volume"),
        (Notification(title="T", sound=Sound(critical=True, volume=2)), DEVICE, "invalid_field", "sound.volume"),
        (Notification(title="T", sound=Sound(critical=True, volume=math.nan)), DEVICE, "invalid_field", "sound.volume"),
        (Notification(title="T", category=1), DEVICE, "invalid_field", "category"),
        (Notification(title="T", group=1), DEVICE, "invalid_field", "group"),
        (Notification(title="T", data=[1]), DEVICE, "invalid_field", "data"),
        (Notification(title="T", data={"a": 1}), DEVICE, "invalid_field", "data.a"),
        (Notification(title="T", data={1: "a"}), DEVICE, "invalid_field", "data"),
        (Notification(title="T", data={"a": SURROGATE}), DEVICE, "invalid_field", "data.a"),
        (Notification(title="T", data={"aps": "x"}), DEVICE, "reserved_key", "data"),
        (Notification(title="T", link="a://1", data={"link": "a://2"}), DEVICE, "reserved_key", "data"),
        (Notification(title="T", link=1), DEVICE, "invalid_field", "link"),
        (Notification(title="T", collapse_key="x" * 65), DEVICE, "collapse_id_too_long", "collapse_key"),
        (Notification(title="T", collapse_key="é" * 33), DEVICE, "collapse_id_too_long", "collapse_key"),
        (Notification(title="T", collapse_key="a\r\nb"), DEVICE, "invalid_field", "collapse_key"),
        (Notification(title="T", collapse_key=7), DEVICE, "invalid_field", "collapse_key"),
        (Notification(title="T", options=apns.Options(collapse_id="x" * 65)), DEVICE, "collapse_id_too_long", "apns.Options.collapse_id"),
        (Notification(title="T", options=apns.Options(topic="no topic")), DEVICE, "invalid_field", "apns.Options.topic"),
        (Notification(title="T", options=apns.Options(relevance_score=2)), DEVICE, "invalid_field", "apns.Options.relevance_score"),
        (Notification(title="T", options=apns.Options(payload={"x": {"y": object()}})), DEVICE, "invalid_field", "data.x.y"),
        (Notification(title="T", options=apns.Options(payload={"x": math.inf})), DEVICE, "invalid_field", "data.x"),
        (Notification(title="T", options=apns.Options(aps=[1])), DEVICE, "invalid_field", "apns.Options.aps"),
        (Notification(background=True, options=apns.Options(priority=Priority.HIGH)), DEVICE, "invalid_field", "apns.Options.priority"),
        (Notification(title="T", body=LONG), DEVICE, "payload_too_large", None),
        (apns.Voip(priority=Priority.LOW), DEVICE, "invalid_field", "priority"),
        (apns.Voip(data={"x": LONG + "x" * 200}), DEVICE, "payload_too_large", None),
        (apns.Background(data={"aps": 1}), DEVICE, "reserved_key", "data"),
        (apns.Background(data=None), DEVICE, "invalid_field", "data"),
        (apns.Background(topic="a b"), DEVICE, "invalid_field", "topic"),
        (apns.FileProviderSignal("", domain="d"), DEVICE, "invalid_field", "container_identifier"),
        (apns.FileProviderSignal("c", domain=None), DEVICE, "invalid_field", "domain"),
        (apns.MdmWakeUp(None), DEVICE, "invalid_field", "push_magic"),
        (apns.Push([1]), DEVICE, "invalid_field", "payload"),
        (apns.Push({"aps": {"alert": object()}}), DEVICE, "invalid_field", "payload.aps.alert"),
        (apns.Push({"aps": {}}, headers=7), DEVICE, "invalid_field", "headers"),
        (apns.Push({"aps": {}}, headers={"apns-id": "x"}), DEVICE, "invalid_field", 'headers["apns-id"]'),
        (apns.Push({"aps": {}}, headers={"APNS-Expiration": "0"}), DEVICE, "invalid_field", 'headers["apns-expiration"]'),
        (apns.Push({"aps": {}}, headers={"authorization": "x"}), DEVICE, "invalid_field", 'headers["authorization"]'),
        (apns.Push({"aps": {}}, headers={":path": "x"}), DEVICE, "invalid_field", "headers"),
        (apns.Push({"aps": {}}, headers={"connection": "x"}), DEVICE, "invalid_field", "headers"),
        (apns.Push({"aps": {}}, headers={"apns-topic": "a\r\nb: c"}), DEVICE, "invalid_field", 'headers["apns-topic"]'),
        (apns.Push({"aps": {}}, headers={"apns-x": None}), DEVICE, "invalid_field", 'headers["apns-x"]'),
        (apns.Push({"aps": {"alert": LONG}}), DEVICE, "payload_too_large", None),
        (HELLO, apns.ActivityToken(TOKEN), "wrong_message", None),
        (HELLO, apns.StartToken(TOKEN), "wrong_message", None),
        (HELLO, apns.Channel("YWJj"), "wrong_message", None),
        (apns.Background(), apns.ActivityToken(TOKEN), "wrong_message", None),
        (apns.LiveActivityUpdate({}), DEVICE, "wrong_message", None),
        (apns.LiveActivityUpdate({}), apns.StartToken(TOKEN), "wrong_message", None),
        (apns.LiveActivityEnd(), apns.StartToken(TOKEN), "wrong_message", None),
        (
            apns.LiveActivityStart("A", attributes={}, content_state={}, title="T", body="B"),
            apns.ActivityToken(TOKEN),
            "wrong_message",
            None,
        ),
        (apns.LiveActivityStart("A", attributes={}, content_state={}, title="T", body="B"), apns.Channel("YWJj"), "wrong_message", None),
        (Message(), DEVICE, "wrong_message", None),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_field(message, target, reason, field):
    """A payload failure, nothing sent, and a sentence that tells the mend without quoting what was written."""
    verdict = refusal_for(message, target)

    assert Category.PAYLOAD == verdict.category
    assert Disposition.NOT_SENT == verdict.disposition
    assert (reason, field) == (verdict.reason, verdict.field)
    assert verdict.advice.endswith(".")
    assert "xxxx" not in verdict.advice + verdict.detail
    assert "half \ud83c" not in verdict.advice + verdict.detail


def test_a_payload_that_holds_itself_is_refused():
    """And one that is nested without end."""
    loop: dict = {}
    loop["loop"] = loop
    deep: dict = {}
    for _ in range(100_000):
        deep = {"d": deep}

    assert "payload.loop.loop" == refusal_for(apns.Push({"aps": {}, "loop": loop})).field[:17]
    assert "data.deep.d" == refusal_for(apns.Background(data={"deep": deep})).field[:11]
    assert 40 > len(refusal_for(apns.Push(deep)).field)


@pytest.mark.parametrize(
    ("message", "target", "room"),
    [
        (lambda n: Notification(title="x" * n), DEVICE, 4096 - len('{"aps":{"alert":{"title":""}}}')),
        (lambda n: apns.Voip(data={"a": "x" * n}), DEVICE, 5120 - len('{"aps":{},"a":""}')),
        (
            lambda n: apns.LiveActivityUpdate({"a": "x" * n}),
            apns.ActivityToken(TOKEN),
            4096 - len('{"aps":{"timestamp":1234567890,"event":"update","content-state":{"a":""}}}'),
        ),
        (
            lambda n: apns.LiveActivityUpdate({"a": "x" * n}),
            apns.Channel("YWJj"),
            5120 - len('{"aps":{"timestamp":1234567890,"event":"update","content-state":{"a":""}}}'),
        ),
    ],
    ids=["alert", "voip", "live activity", "broadcast"],
)
def test_the_size_is_counted_on_the_bytes_that_go_out(message, target, room):
    """The last byte that fits is sent, the next is refused; the figure says by how much."""
    largest = request_for(message(room), target)
    refused = refusal_for(message(room + 1), target)

    assert len(largest.body) in {4096, 5120}
    assert "payload_too_large" == refused.reason
    assert f"{len(largest.body) + 1} bytes, limit {len(largest.body)}" == refused.detail


def test_a_raw_push_sends_apples_headers_as_they_are():
    """What is given wins; a header that Apple invents tomorrow goes out too."""
    push = apns.Push(
        {"aps": {"content-changed": True}},
        headers={"apns-push-type": "widgets", "apns-topic": "org.other.push-type.widgets", "Apns-Priority": 5, "apns-new": "1"},
    )

    headers = headers_of(request_for(push))

    assert "widgets" == headers["apns-push-type"]
    assert "org.other.push-type.widgets" == headers["apns-topic"]
    assert "5" == headers["apns-priority"]
    assert "1" == headers["apns-new"]
    assert "apns-collapse-id" not in headers


@pytest.mark.parametrize(
    ("aps", "found"),
    [
        ({"content-available": 1}, "background"),
        ({"content-available": 1, "alert": "x"}, "alert"),
        ({"badge": 1}, "alert"),
        ({}, "alert"),
    ],
)
def test_a_raw_push_without_a_type_is_an_alert_or_background(aps, found):
    """The two types that can be told from the payload."""
    assert found == headers_of(request_for(apns.Push({"aps": aps})))["apns-push-type"]


def test_a_raw_push_of_an_unknown_type_is_sent():
    """The twelfth push type must not wait for a release."""
    headers = headers_of(request_for(apns.Push({"aps": {}}, headers={"apns-push-type": "telepathy"})))

    assert ("telepathy", "com.example.app") == (headers["apns-push-type"], headers["apns-topic"])


def test_a_topic_that_has_its_suffix_gets_no_second_one():
    """People copy the whole topic from Apple's console."""
    assert "org.x.voip" == headers_of(request_for(apns.Voip(topic="org.x.voip")))["apns-topic"]
    assert "org.x.voip" == headers_of(request_for(apns.Voip(topic="org.x")))["apns-topic"]


def test_a_broadcast_has_the_headers_that_apple_asks_for():
    """Channel id in a header, bare bundle id in the path, no topic, no collapse id, a request id instead of an apns-id."""
    request = request_for(apns.LiveActivityUpdate({}), apns.Channel("dHN0LXNyY2gtY2hubA=="))
    headers = headers_of(request)

    assert b"/4/broadcasts/apps/com.example.app" == request.path
    assert {
        "apns-channel-id": "dHN0LXNyY2gtY2hubA==",
        "apns-request-id": PUSH_ID,
        "apns-push-type": "liveactivity",
        "apns-priority": "10",
        "apns-expiration": str(int(NOW) + 86_400),
        "content-type": "application/json",
    } == headers


@pytest.mark.parametrize("push", [Push(), Push(expires_at=None)])
def test_a_channel_without_storage_gets_an_expiry_of_zero(push):
    """It takes no other; and the header is required."""
    assert "0" == headers_of(request_for(apns.LiveActivityUpdate({}), apns.Channel("YWJj", stores=False), push))["apns-expiration"]


def test_the_broadcast_host_is_a_setting():
    """Apple's page names two."""
    by = sender(broadcast_origin="https://api-broadcast.push.apple.com")

    assert "https://api-broadcast.push.apple.com" == str(request_for(apns.LiveActivityUpdate({}), apns.Channel("YWJj"), by=by).origin)
    assert "https://api.push.apple.com" == str(request_for(HELLO, by=by).origin)


def test_a_low_priority_is_for_channels_alone():
    """1 is permitted on a broadcast, not on an activity token."""
    quiet = apns.LiveActivityUpdate({}, priority=Priority.LOW)

    assert "1" == headers_of(request_for(quiet, apns.Channel("YWJj")))["apns-priority"]
    assert "priority" == refusal_for(quiet, apns.ActivityToken(TOKEN)).field


def test_an_option_wins_over_the_portable_field():
    """Field by field."""
    message = Notification(
        title="Portable",
        body="Stays",
        badge=1,
        sound="a",
        category="c",
        group="g",
        options=apns.Options(title="Own", badge=0, sound="b", category="d", thread_id="h"),
    )

    assert {"aps": {"alert": {"title": "Own", "body": "Stays"}, "badge": 0, "sound": "b", "category": "d", "thread-id": "h"}} == body_of(
        request_for(message)
    )


def test_options_alone_may_say_everything():
    """A notification may be empty apart from what is for Apple."""
    message = Notification(options=apns.Options(aps={"alert": "Hello"}))

    assert {"aps": {"alert": "Hello"}} == body_of(request_for(message))
    assert "alert" == headers_of(request_for(message))["apns-push-type"]


def test_the_same_value_under_both_names_is_no_conflict():
    """People put the link into data as well."""
    assert "a://1" == body_of(request_for(Notification(title="T", link="a://1", data={"link": "a://1"})))["link"]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (apns.Background(data={"x": [1, 10**5000]}), "data.x[1]"),
        (Notification(title="Hello", badge=10**5000), "badge"),
        (Notification(title="Hello", data={"\ud800": "x"}), "data"),
        (apns.Push({"aps": {}, "x": {math.nan: 1}}), "payload.x"),
        (apns.Push({"aps": {}}, headers={"apns-priority": 10**5000}), 'headers["apns-priority"]'),
    ],
)
def test_what_python_itself_cannot_write_is_refused_by_name(message, field):
    """Numbers with thousands of digits, half characters as keys, keys that JSON has not."""
    verdict = refusal_for(message)

    assert ("invalid_field", field) == (verdict.reason, verdict.field)


def test_a_raw_push_that_says_nothing_is_an_empty_message():
    """As a notification that says nothing is."""
    verdict = refusal_for(apns.Push(b""))

    assert ("empty_message", "payload") == (verdict.reason, verdict.field)


def test_a_raw_background_push_gets_the_only_priority_that_it_may_have():
    """Without the header APNs takes it for 10 and answers BadPriority."""
    assert "5" == headers_of(request_for(apns.Push({"aps": {"content-available": 1}})))["apns-priority"]


def test_a_raw_push_without_a_priority_leaves_it_to_apple():
    """10, unless Apple changes its mind."""
    assert "apns-priority" not in headers_of(request_for(apns.Push({"aps": {"alert": "Hello"}})))


@pytest.mark.parametrize(
    ("target", "topic"),
    [
        (apns.ActivityToken(TOKEN), "com.example.app.push-type.liveactivity"),
        (apns.StartToken(TOKEN), "com.example.app.push-type.liveactivity"),
        (apns.Channel("dHN0LXNyY2gtY2hubA=="), None),
    ],
)
def test_a_raw_push_to_a_live_activity_has_its_type(target, topic):
    """Such tokens and channels take no other; only broadcasts have no topic."""
    headers = headers_of(request_for(apns.Push({"aps": {"event": "end", "timestamp": 1, "content-state": {}}}), target))

    assert ("liveactivity", topic) == (headers["apns-push-type"], headers.get("apns-topic"))


@pytest.mark.parametrize("name", ["apns-channel-id", "Apns-Request-Id", "content-encoding", "apns-id", "authorization"])
def test_headers_that_are_the_deliverys_are_refused(name):
    """Twice the same header is a refusal by Apple, and the mend is said."""
    verdict = refusal_for(apns.Push({"aps": {}}, headers={name: "x"}), apns.Channel("dHN0LXNyY2gtY2hubA=="))

    assert f'headers["{name.lower()}"]' == verdict.field
    assert f"Correct {verdict.field}: it " in verdict.advice


@pytest.mark.parametrize(
    ("message", "app"),
    [
        (apns.LiveActivityUpdate({}), "com.example.app"),
        (apns.LiveActivityUpdate({}, topic="com.example.other"), "com.example.other"),
        (apns.LiveActivityEnd(topic="com.example.other.push-type.liveactivity"), "com.example.other"),
        (apns.Push({"aps": {}}, headers={"apns-topic": "com.example.other"}), "com.example.other"),
    ],
)
def test_a_broadcast_goes_to_the_app_that_the_message_names(message, app):
    """The bare bundle id, in the path; there is no topic header."""
    request = request_for(message, apns.Channel("dHN0LXNyY2gtY2hubA=="))

    assert f"/4/broadcasts/apps/{app}".encode() == request.path
    assert "apns-topic" not in headers_of(request)


def test_a_topic_that_is_no_bundle_id_never_gets_into_a_path():
    """A slash or a line end would ask for something else."""
    refused = refusal_for(apns.Push({"aps": {}}, headers={"apns-topic": "a/../b"}), apns.Channel("dHN0LXNyY2gtY2hubA=="))

    assert 'headers["apns-topic"]' == refused.field


def test_no_raw_broadcast_is_replaceable():
    """A repeat would reach everybody twice, whatever type it claims to be."""
    prepared = sender().prepare(apns.Push({"aps": {}}, headers={"apns-push-type": "background"}), apns.Channel, STAMP)

    assert not prepared.replaceable


def test_a_picture_does_not_make_a_background_push_mutable():
    """There is nothing on the screen that a service extension could change."""
    assert {"content-available": 1} == body_of(request_for(Notification(background=True, image="https://a.example/b.png")))["aps"]
