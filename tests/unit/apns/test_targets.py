"""Tokens and channel ids: what is sent, and what real tables hold."""

from __future__ import annotations

import pytest
from tests.unit.apns.helpers import STAMP, TOKEN, refusal_for, request_for, sender

from pushkit import Action, Notification, apns, codec
from pushkit.verdict import Verdict

HELLO = Notification(title="Hello")
FCM_TOKEN = "dGhpcyBpcyBu:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"


@pytest.mark.parametrize("token", [TOKEN, TOKEN.upper(), "ab", "0" * 400])
def test_any_length_of_hexadecimal_digits_is_sent(token):
    """Apple promises no length; activity tokens are longer than device tokens."""
    assert f"/3/device/{token}".encode() == request_for(HELLO, apns.Device(token)).path


@pytest.mark.parametrize(
    ("token", "action"),
    [
        (None, Action.REMOVE_RECIPIENT),
        ("", Action.REMOVE_RECIPIENT),
        ("null", Action.REMOVE_RECIPIENT),
        (17, Action.REVIEW_RECIPIENT),
        ("a" * 5000, Action.REMOVE_RECIPIENT),
        ("80b5/../../3", Action.REMOVE_RECIPIENT),
        (TOKEN + "\n", Action.REVIEW_RECIPIENT),
        (f" {TOKEN}", Action.REVIEW_RECIPIENT),
        (f"<{TOKEN[:8]} {TOKEN[8:]}>", Action.REVIEW_RECIPIENT),
        (FCM_TOKEN, Action.REVIEW_RECIPIENT),
        ("gLWAtYC1gLWAtYC1gLWAtYC1gLWAtYC1gLWAtYC1gLU=", Action.REVIEW_RECIPIENT),
        ("8٠b5", Action.REMOVE_RECIPIENT),
        (b"80b5", Action.REVIEW_RECIPIENT),
        (bytes.fromhex(TOKEN), Action.REVIEW_RECIPIENT),
        ("{length = 32, bytes = 0x80b580b5 80b580b5 ... 80b580b5 }", Action.REVIEW_RECIPIENT),
        ("ExponentPushToken[abcdefghijklmnopqrstuv]", Action.REVIEW_RECIPIENT),
    ],
)
def test_a_token_that_is_none_is_found_before_anything_is_sent(token, action):
    """Garbage may go; what looks like a token stored in another form is our own bug, for all rows alike."""
    verdict = refusal_for(HELLO, apns.Device(token))

    assert ("recipient", "invalid_token", "not_sent", action) == (verdict.category, verdict.reason, verdict.disposition, verdict.action)
    assert TOKEN not in verdict.detail + verdict.advice


def test_address_checks_as_well():
    """Nobody has to call check first."""
    by = sender()
    prepared = by.prepare(HELLO, apns.Device, STAMP)

    from tests.unit.apns.helpers import Push

    assert isinstance(by.address(prepared, apns.Device("no token"), Push()), Verdict)


@pytest.mark.parametrize("channel_id", [None, "", "a b", "x" * 600, 17, "ä"])
def test_a_channel_id_that_is_none_is_found(channel_id):
    """Base64 text of no promised length."""
    verdict = refusal_for(apns.LiveActivityUpdate({}), apns.Channel(channel_id))

    assert ("recipient", "invalid_channel_id") == (verdict.category, verdict.reason)


@pytest.mark.parametrize("environment", ["test", 1, b"sandbox", ["sandbox"]])
def test_an_environment_that_is_none_is_found(environment):
    """A row of a table may say anything."""
    verdict = refusal_for(HELLO, apns.Device(TOKEN, environment=environment))

    assert ("invalid_environment", Action.REVIEW_RECIPIENT) == (verdict.reason, verdict.action)


def test_the_three_kinds_of_token_are_three_recipients():
    """The end of an activity must never remove the device."""
    assert apns.Device(TOKEN) != apns.ActivityToken(TOKEN)
    assert apns.Device(TOKEN) != apns.StartToken(TOKEN)
    assert not isinstance(apns.ActivityToken(TOKEN), apns.Device)


def test_case_makes_no_other_recipient():
    """The same phone, stored by two clients."""
    assert apns.Device(TOKEN).address == apns.Device(TOKEN.upper()).address


def test_ref_takes_no_part():
    """It is the caller's own."""
    assert apns.Device(TOKEN, ref=1) == apns.Device(TOKEN, ref=2)
    assert hash(apns.Device(TOKEN, ref=1)) == hash(apns.Device(TOKEN, ref=2))


def test_a_repr_shows_no_token():
    """A fingerprint tells two apart."""
    assert TOKEN not in repr(apns.Device(TOKEN, ref="user-7"))
    assert "user-7" in repr(apns.Device(TOKEN, ref="user-7"))
    assert "Device" in repr(apns.Device(None))


@pytest.mark.parametrize(
    "value",
    [
        apns.Device(TOKEN, environment=apns.Environment.SANDBOX, app="b", ref="u"),
        apns.ActivityToken(TOKEN),
        apns.StartToken(TOKEN),
        apns.Channel("YWJj", stores=False),
        apns.Push({"aps": {"alert": "x"}}, headers={"apns-priority": "5"}),
        apns.Push(b"{}"),
        apns.Background(data={"a": [1, None]}),
        apns.Voip(),
        apns.Complication(),
        apns.PushToTalk(),
        apns.LocationQuery(),
        apns.WidgetsRefresh(),
        apns.ControlsRefresh(),
        apns.FileProviderSignal("c", domain="d"),
        apns.MdmWakeUp("m"),
        apns.LiveActivityStart("A", attributes={"a": 1}, content_state={}, title="T", body="B"),
        apns.LiveActivityUpdate({"a": {"b": [1]}}),
        apns.LiveActivityEnd(),
        Notification(title="T", options=apns.Options(relevance_score=0.5, payload={"x": 1})),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_target_and_message_travels_as_json(value):
    """For queues: what is resumed later is what was sent."""
    assert value == codec.decode(codec.encode(value))


def test_a_target_is_throttled_for_its_environment():
    """The same digits in two environments are two recipients."""
    by = sender()

    assert by.throttle_key(apns.Device(TOKEN)) == by.throttle_key(apns.Device(TOKEN.upper(), environment="production"))
    assert by.throttle_key(apns.Device(TOKEN)) != by.throttle_key(apns.Device(TOKEN, environment="sandbox"))
