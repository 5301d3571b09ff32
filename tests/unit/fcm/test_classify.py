"""What is read from an answer besides its row: evidence, scope, delays, fields, and what must not be believed."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime

import pytest
from tests.unit.fcm.answers import apns, bad_request, error_body, info, quota, retry_info
from tests.unit.fcm.answers import fcm as fcm_error
from tests.unit.fcm.helpers import BEARER, NOW, TOKEN, answer, judged

from pushkit import Notification, fcm
from pushkit.outcomes import Action, Category, Disposition
from pushkit.verdict import Acceptance, LatchCredential, Pause, PauseScope, RefreshCredential

NATIVE = fcm.Message(data={"a": "b"})


def refused(status, rpc, text, *details, headers=(), **context):
    return judged(answer(status, error_body(status, rpc, text, *details), *headers), **context)


def test_an_acceptance_has_the_messages_name():
    """What Google's consoles search for."""
    assert Acceptance(message_id="projects/p/messages/0:1") == judged(answer(200, b'{"name": "projects/p/messages/0:1"}'))


def test_a_data_entry_that_google_may_overwrite_is_told_with_the_acceptance():
    """It is accepted, and surprises later."""
    found = judged(answer(200, b'{"name": "x"}'), message=fcm.Message(data={"notification": "x", "collapse_key": "y"}))

    assert {"warning": "data entries that Google may overwrite: collapse_key, notification"} == found.info


def test_evidence_is_kept():
    """Every detail that decided, or might have."""
    verdict = refused(
        400,
        "INVALID_ARGUMENT",
        "bad",
        fcm_error("INVALID_ARGUMENT"),
        apns(400, "BadDeviceToken"),
        bad_request(("message.token", "x"), ("message.data", "y")),
        info("SOMETHING"),
        quota("device:1", "z"),
    )

    assert {
        "fcm_code": "INVALID_ARGUMENT",
        "rpc_status": "INVALID_ARGUMENT",
        "apns_reason": "BadDeviceToken",
        "apns_status": "400",
        "fields": "message.token, message.data",
        "error_info": "SOMETHING",
        "quota": "device:1",
    } == verdict.info


def test_an_ambiguous_refusal_says_so():
    """Nobody is removed for it."""
    assert "does not say" in refused(400, "INVALID_ARGUMENT", "bad", fcm_error("INVALID_ARGUMENT")).info["ambiguous"]


def test_a_dead_live_activity_says_what_it_concerns():
    """The registration stays, also where Google folds it into UNREGISTERED."""
    message = fcm.Message(apns=fcm.ApnsConfig(live_activity_token="t" * 64))

    verdict = refused(404, "NOT_FOUND", "gone", fcm_error("UNREGISTERED"), apns(410, "Unregistered"), message=message)

    assert (Action.REVIEW_RECIPIENT, "live_activity_token", "UNREGISTERED") == (verdict.action, verdict.info["concerns"], verdict.reason)
    assert Action.REMOVE_RECIPIENT is refused(404, "NOT_FOUND", "gone", fcm_error("UNREGISTERED"), message=message).action


@pytest.mark.parametrize(
    ("details", "message", "scope"),
    [
        ([fcm_error("QUOTA_EXCEEDED")], "Topic quota exceeded.", PauseScope.TOPIC),
        ([fcm_error("QUOTA_EXCEEDED"), quota("topic:news", "x")], "x", PauseScope.TOPIC),
        ([fcm_error("QUOTA_EXCEEDED"), quota("device:1", "x")], "x", PauseScope.RECIPIENT),
        ([fcm_error("QUOTA_EXCEEDED"), quota("x", "Device message rate")], "x", PauseScope.RECIPIENT),
        ([apns(429, "TooManyRequests")], "x", PauseScope.RECIPIENT),
        ([info("RATE_LIMIT_EXCEEDED", quota_limit="SendsPerMinutePerProject")], "x", PauseScope.PROJECT),
        ([fcm_error("QUOTA_EXCEEDED"), quota("project:1", "x")], "x", PauseScope.PROJECT),
        ([fcm_error("QUOTA_EXCEEDED")], "x", PauseScope.RECIPIENT),
        ([], "x", PauseScope.PROJECT),
    ],
)
def test_the_quota_decides_what_slows_down(details, message, scope):
    """A device, a topic, the project. Where nothing tells, the code does: one busy device must not hold up all others."""
    verdict = refused(429, "RESOURCE_EXHAUSTED", message, *details)

    assert (Pause(scope=scope),) == verdict.directives
    assert scope == verdict.info["quota_scope"]


@pytest.mark.parametrize("target", [fcm.Topic("news"), fcm.Condition("'a' in topics")])
def test_a_quota_of_a_fan_out_is_the_topics(target):
    """Nothing tells, and the target is one."""
    verdict = refused(429, "RESOURCE_EXHAUSTED", "x", fcm_error("QUOTA_EXCEEDED"), target=target)

    assert (Pause(scope=PauseScope.TOPIC),) == verdict.directives


@pytest.mark.parametrize(
    ("headers", "details", "expected"),
    [
        ([], [], None),
        ([(b"retry-after", b"120")], [], 120.0),
        ([], [retry_info("42.5s")], 42.5),
        ([(b"retry-after", b"10")], [retry_info("42s")], 42.0),
        ([(b"retry-after", b"99999999")], [], 86400.0),
        ([], [retry_info("99999999s")], 86400.0),
        ([(b"retry-after", b"soon")], [retry_info("x")], None),
    ],
)
def test_what_google_asks_to_wait_is_kept(headers, details, expected):
    """Retry-After or RetryInfo, the longer one, a day at the most."""
    assert expected == refused(503, "UNAVAILABLE", "x", *details, headers=headers).retry_after


def test_nothing_is_waited_for_where_nothing_is_repeated():
    """A Retry-After on a refusal that stays one."""
    assert refused(400, "INVALID_ARGUMENT", "x", headers=[(b"retry-after", b"5")]).retry_after is None


def test_a_wrong_clock_is_told_beside_a_refused_token():
    """An hour off makes every token look expired."""
    date = datetime.fromtimestamp(NOW + 3600, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").encode()

    assert "-3600 s" == refused(401, "UNAUTHENTICATED", "x", headers=[(b"date", date)]).info["clock_skew"]


def test_only_what_fails_for_everybody_latches():
    """An Apple key that is wrong inside Firebase fails Apple devices alone; Android goes on."""
    assert () == refused(401, "UNAUTHENTICATED", "x", fcm_error("THIRD_PARTY_AUTH_ERROR")).directives
    assert (LatchCredential(),) == refused(403, "PERMISSION_DENIED", "x", info("SERVICE_DISABLED")).directives
    assert () == refused(403, "PERMISSION_DENIED", "x").directives
    assert (RefreshCredential(),) == refused(401, "UNAUTHENTICATED", "x").directives


@pytest.mark.parametrize(
    ("details", "suspicion"),
    [
        ([fcm_error("INVALID_ARGUMENT"), apns(400, "BadDeviceToken")], True),
        ([fcm_error("INVALID_ARGUMENT"), apns(400, "DeviceTokenNotForTopic")], True),
        ([fcm_error("SENDER_ID_MISMATCH")], True),
        ([fcm_error("INVALID_ARGUMENT"), apns(410, "Unregistered")], False),
        ([fcm_error("UNREGISTERED")], False),
    ],
)
def test_what_our_own_setup_could_cause_is_watched(details, suspicion):
    """And stays under review, whatever else is accepted: Android phones say nothing about the Apple key."""
    verdict = refused(400, "INVALID_ARGUMENT", "x", *details)

    assert (suspicion, False) == (verdict.suspicion, verdict.settled_by_acceptance)


# --- fields in the caller's terms -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "native", "portable"),
    [
        ("message.data[0].value", "data[0].value", "data"),
        ("message.notification.title", "notification.title", "title"),
        ("message.android.ttl", "android.ttl", "ttl"),
        ("message.apns.payload.aps.badge", "apns.payload.aps.badge", "badge"),
        ("message.android.notification.channel_id", "android.notification.channel_id", "options.android.notification.channel_id"),
    ],
)
def test_the_field_is_named_as_the_caller_wrote_it(told, native, portable):
    """Google's name for its own message, the portable field's name for a notification."""
    details = bad_request((told, "Invalid value"))

    assert native == refused(400, "INVALID_ARGUMENT", "x", details, message=NATIVE).field
    assert portable == refused(400, "INVALID_ARGUMENT", "x", details, message=Notification(title="x")).field


def test_a_wrong_topic_names_the_targets_field():
    """Whoever wrote the target has to act."""
    verdict = refused(400, "INVALID_ARGUMENT", "Invalid topic name", bad_request(("message.topic", "bad")), target=fcm.Topic("news"))

    assert "name" == verdict.field


# --- what must not be believed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error_body(400, "INVALID_ARGUMENT", "Invalid registration token", bad_request(("message.data[0].value", "x")))),
        (400, error_body(400, "INVALID_ARGUMENT", "x" * 3000 + " registration token")),
        (404, error_body(404, "NOT_FOUND", "The registration token was not found")),
        (404, error_body(404, "NOT_FOUND", "x", bad_request(("message.token", "x")))),
        (500, error_body(500, "INTERNAL", "registration token")),
        *[
            (status, body)
            for status in (400, 404, 503)
            for body in (
                b"<html>The registration token is not a valid FCM registration token</html>",
                b'{"error": {"message": "bad", "details": [{"@type": "x.FcmErrors", "errorCode": "UNREGISTERED"}]}}',
                b'{"details": [{"@type": "google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}]}',
                b'{"error": "UNREGISTERED"}',
                b'{"error": {"status": "UNREGISTERED"}}',
                b'{"error": {"details": [{"@type": "google.firebase.fcm.v1.FcmError", "errorCode": "unregistered"}]}}',
                b'{"error": {"details": [{"errorCode": "UNREGISTERED"}]}}',
            )
        ],
    ],
)
def test_nobody_is_removed_on_doubt(status, body):
    """Text beside a named field or far behind, a 404 without FcmError, HTML, details of other kinds, other capitals."""
    assert Category.RECIPIENT is not judged(answer(status, body)).category


def test_an_unreadable_or_repeated_detail_hides_nothing():
    """Duplicates are not promised away."""
    body = error_body(404, "NOT_FOUND", "x", fcm_error(""), fcm_error("UNREGISTERED"), fcm_error("UNREGISTERED"))

    assert Action.REMOVE_RECIPIENT is judged(answer(404, body)).action


@pytest.mark.parametrize(
    ("status", "details"),
    [
        (404, [fcm_error("UNREGISTERED"), fcm_error("INTERNAL")]),
        (400, [apns(410, "Unregistered"), apns(403, "InvalidProviderToken")]),
        (400, [bad_request(("message.token", "x")), bad_request(("message.data", "y"))]),
        (400, [bad_request(("message.token", "x")), info("X"), bad_request(("", "y"))]),
        (400, [bad_request(*[("message.token", "x")] * 40, ("message.data", "y"))]),
    ],
)
def test_contradicting_details_remove_nobody_in_any_order(status, details):
    """The order of details means nothing, so it decides nothing."""
    verdicts = [refused(status, "NOT_FOUND", "x", *order) for order in itertools.permutations(details)]

    assert Category.RECIPIENT not in {verdict.category for verdict in verdicts}
    assert 1 == len({(verdict.category, verdict.reason, verdict.action) for verdict in verdicts})


def test_details_count_in_every_order():
    """Six kinds, each with something to say."""
    details = [
        fcm_error("INVALID_ARGUMENT"),
        apns(410, "Unregistered"),
        bad_request(("message.token", "x")),
        info("SOMETHING"),
        quota("device:1", "z"),
        retry_info("5s"),
    ]

    verdicts = {
        (verdict.action, verdict.reason) for order in itertools.permutations(details) if (verdict := refused(400, "X", "x", *order))
    }

    assert {(Action.REMOVE_RECIPIENT, "INVALID_ARGUMENT")} == verdicts


@pytest.mark.parametrize(
    "text",
    [
        "The registration token's package name does not match the restricted_package_name.",
        "Make sure the message was addressed to a registration token whose package name matches the value passed in the request.",
        "Exactly one of registration token, topic or condition is expected.",
        "Invalid value at 'message.data[0].value' (TYPE_STRING), \"a registration token\"",
        'Invalid JSON payload received. Unknown name "registration token"',
        "Potential causes: invalid registration token, message too big, invalid data key",
    ],
)
def test_a_text_that_speaks_of_more_than_the_token_removes_nobody(text):
    """A message limited to another package, a quotation, a list of possible causes."""
    assert Category.PAYLOAD is refused(400, "INVALID_ARGUMENT", text, fcm_error("INVALID_ARGUMENT")).category


@pytest.mark.parametrize("evidence", [fcm_error("UNREGISTERED"), apns(410, "Unregistered"), apns(400, "BadDeviceToken")])
@pytest.mark.parametrize(
    ("status", "expected", "directives"),
    [
        (500, (True, Disposition.UNKNOWN, Action.RETRY_LATER), ()),
        (503, (True, Disposition.UNKNOWN, Action.RETRY_LATER), ()),
        (429, (True, Disposition.REJECTED, Action.RETRY_LATER), (Pause(scope=PauseScope.PROJECT),)),
        (401, (False, Disposition.REJECTED, Action.FIX_CONFIGURATION), ()),
    ],
)
def test_a_status_that_contradicts_the_evidence_removes_nobody(status, expected, directives, evidence):
    """A server in trouble, a limit, a refused sign-in; and one odd answer stops nobody else."""
    verdict = refused(status, "X", "x", evidence)

    assert expected == (verdict.retryable, verdict.disposition, verdict.action)
    assert directives == verdict.directives


@pytest.mark.parametrize("target", [fcm.Topic("news"), fcm.Condition("'a' in topics")])
@pytest.mark.parametrize(
    ("status", "text", "details"),
    [
        (404, "x", [fcm_error("UNREGISTERED")]),
        (403, "x", [fcm_error("SENDER_ID_MISMATCH")]),
        (400, "x", [bad_request(("message.token", "x"))]),
        (400, "Invalid registration token", []),
        (400, "x", [apns(410, "Unregistered")]),
    ],
)
def test_a_fan_out_has_no_recipient_to_remove(target, status, text, details):
    """Nobody was named."""
    assert Category.RECIPIENT is not refused(status, "X", text, *details, target=target).category


def test_a_disabled_apple_token_may_be_the_live_activitys():
    """Text alone does not tell which of the two it is."""
    message = fcm.Message(apns=fcm.ApnsConfig(live_activity_token="t" * 64))

    verdict = refused(400, "INVALID_ARGUMENT", "APNs device token is disabled.", fcm_error("INVALID_ARGUMENT"), message=message)

    assert (Action.REVIEW_RECIPIENT, "live_activity_token") == (verdict.action, verdict.info["concerns"])


def test_an_apple_key_that_only_the_text_tells_of_stops_nobody_else():
    """A refused access token would be renewed, and then latch the whole project."""
    verdict = refused(401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service")

    assert (Action.FIX_CREDENTIALS, False, ()) == (verdict.action, verdict.retryable, verdict.directives)


@pytest.mark.parametrize("subject", ["project:device-shop", "project:topics-1", "projects/my-devices"])
def test_a_projects_name_does_not_decide_what_slows_down(subject):
    """What follows the kind may be called anything."""
    assert "project" == refused(429, "RESOURCE_EXHAUSTED", "x", fcm_error("QUOTA_EXCEEDED"), quota(subject, "x")).info["quota_scope"]


@pytest.mark.parametrize(
    ("status", "category", "retryable", "reason"),
    [
        (100, "technical", False, "http_100"),
        (302, "technical", False, "http_302"),
        (402, "technical", False, "http_402"),
        (405, "technical", False, "http_405"),
        (418, "technical", False, "http_418"),
        (505, "technical", True, "http_505"),
        (599, "technical", True, "http_599"),
        (999, "technical", True, "http_999"),
    ],
)
def test_statuses_that_fcm_does_not_use(status, category, retryable, reason):
    """Technical, with their number as the reason."""
    verdict = judged(answer(status, b"<html>"))

    assert (category, retryable, reason) == (verdict.category, verdict.retryable, verdict.reason)


def test_an_unknown_word_is_kept():
    """The table is open."""
    verdict = refused(503, "UNAVAILABLE", "x", fcm_error("A_NEW_CODE"))

    assert ("A_NEW_CODE", "technical", True) == (verdict.reason, verdict.category, verdict.retryable)


def test_a_body_beyond_the_limit_is_judged_by_its_status():
    """No error of Google's is that long."""
    body = error_body(404, "NOT_FOUND", "x" * 20_000, fcm_error("UNREGISTERED"))

    assert Category.TECHNICAL is judged(answer(404, body)).category


# --- secrets ----------------------------------------------------------------------------------------


def test_secrets_that_come_back_are_masked():
    """Registration token, access token, text and data, in the detail and in the evidence."""
    message = fcm.Message(notification=fcm.Notification(title="a private title"), data={"k": "private-value"})
    text = f"token {TOKEN} bearer {BEARER} title a private title value private-value"

    verdict = refused(400, "INVALID_ARGUMENT", text, bad_request((f"message.x.{TOKEN}", TOKEN)), quota(TOKEN, TOKEN), message=message)

    shown = json.dumps([verdict.detail, dict(verdict.info), verdict.field or ""])
    for secret in (TOKEN, BEARER, "a private title", "private-value"):
        assert secret not in verdict.detail
        assert secret not in shown
