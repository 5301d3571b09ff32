"""Whatever stands in a message or a target: a body that says exactly that, or a failure that names the field. Nothing raises."""

from __future__ import annotations

import json
from datetime import UTC, timedelta

import attrs
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.fcm.helpers import NOW, TOKEN, Push, sender, stamp

from pushkit import Localized, Notification, Sound, codec, fcm
from pushkit.fcm.fields import Block
from pushkit.outcomes import Category, Disposition
from pushkit.verdict import Verdict
from pushkit.wire import WireRequest

TEXT = st.one_of(st.text(max_size=20), st.sampled_from(["", "\ud800", "x" * 5000, "\u2028\n\x00", "é" * 2100]))
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**70, max_value=2**80),
    st.floats(),
    TEXT,
    st.binary(max_size=5),
    st.just(object()),
    st.lists(TEXT, max_size=2),
    st.dictionaries(st.one_of(TEXT, st.integers()), st.one_of(TEXT, st.integers(), st.none()), max_size=3),
    st.timedeltas(min_value=timedelta(days=-40), max_value=timedelta(days=40)),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.just(Localized("KEY", ["a"], fallback="b")),
    st.just(Localized(5, 6, fallback=7)),
    st.just(Sound(name="a", critical=True, volume=0.5)),
    st.just(fcm.Notification(title="x")),
)
CHOICES = {
    "priority": fcm.AndroidPriority,
    "notification_priority": fcm.NotificationPriority,
    "visibility": fcm.Visibility,
    "proxy": fcm.Proxy,
}
BLOCKS = {
    fcm.LightSettings: {},
    fcm.AndroidFcmOptions: {},
    fcm.ApnsFcmOptions: {},
    fcm.WebpushFcmOptions: {},
    fcm.FcmOptions: {},
    fcm.BackgroundSync: {},
    fcm.Notification: {},
    fcm.AndroidNotification: {"light_settings": fcm.LightSettings},
    fcm.AndroidNotificationV2: {"light_settings": fcm.LightSettings},
    fcm.RemoteNotification: {"notification": fcm.AndroidNotificationV2},
    fcm.AndroidConfig: {"notification": fcm.AndroidNotification, "fcm_options": fcm.AndroidFcmOptions},
    fcm.AndroidConfigV2: {
        "remote_notification": fcm.RemoteNotification,
        "background_sync": fcm.BackgroundSync,
        "fcm_options": fcm.AndroidFcmOptions,
    },
    fcm.ApnsConfig: {"fcm_options": fcm.ApnsFcmOptions},
    fcm.WebpushConfig: {"fcm_options": fcm.WebpushFcmOptions},
    fcm.Message: {
        "notification": fcm.Notification,
        "android": fcm.AndroidConfig,
        "android_v2": fcm.AndroidConfigV2,
        "apns": fcm.ApnsConfig,
        "webpush": fcm.WebpushConfig,
        "fcm_options": fcm.FcmOptions,
    },
    fcm.Options: {"android": fcm.AndroidConfig, "apns": fcm.ApnsConfig, "webpush": fcm.WebpushConfig},
}


def garbled(kind):
    """A block with some of its fields set, to anything or to further garbled blocks."""
    inner = BLOCKS[kind]
    fields = {}
    for field in attrs.fields(kind):
        if field.name in CHOICES:
            fields[field.name] = st.sampled_from(CHOICES[field.name])
        elif field.name in inner:
            fields[field.name] = st.one_of(garbled(inner[field.name]), garbled(inner[field.name]), JUNK)
        elif field.name not in {"expires_at", "key", "label", "ttl"} or kind in {fcm.AndroidConfig, fcm.AndroidConfigV2}:
            fields[field.name] = JUNK
    return st.fixed_dictionaries({}, optional=fields).map(lambda given: kind(**given))


PORTABLE = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("title", "subtitle", "body", "image", "icon", "badge", "sound", "link", "category", "group", "collapse_key", "data", "label"),
            JUNK,
        ),
        "background": st.booleans(),
        "options": st.one_of(garbled(fcm.Options), JUNK),
    },
).map(lambda given: Notification(**given))
KINDS = st.sampled_from([fcm.Registration(TOKEN), fcm.Installation("cXyZ012345"), fcm.Topic("news"), fcm.Condition("'a' in topics")])


def sound(message, target):
    """Prepare and address; gives the JSON that would go out, or the failure."""
    one = sender()
    ready = one.prepare(message, type(target), stamp())
    if isinstance(ready, Verdict):
        assert ready.category is Category.PAYLOAD
        assert ready.disposition is Disposition.NOT_SENT
        assert ready.advice.endswith(".")
        return ready
    request = one.address(ready, target, Push(expires_at=NOW + 60))
    assert isinstance(request, WireRequest)
    body = json.loads(request.body)
    assert target.wire_value() == body["message"][target.field]
    return body["message"]


@given(message=garbled(fcm.Message), target=KINDS)
def test_any_message_is_sent_as_it_is_or_refused_with_its_field(message, target):
    """Google's own resource, with anything in every field."""
    found = sound(message, target)

    if isinstance(found, Verdict):
        assert found.reason in {"invalid_field", "invalid_ttl", "reserved_key", "payload_too_large", "empty_message"}
        assert found.field
    else:
        assert "android" in found or "android_v2" in found
        if isinstance(message.data, dict) and message.data:
            assert message.data == found["data"]


@given(message=PORTABLE, target=KINDS)
def test_any_notification_is_sent_as_it_is_or_refused_with_its_field(message, target):
    """The portable one."""
    found = sound(message, target)

    if isinstance(found, Verdict):
        assert found.field
    elif isinstance(message.title, str) and message.title and not message.background:
        assert message.title == found["notification"]["title"]


@given(value=JUNK)
def test_any_target_is_reached_or_refused(value):
    """And no repr raises or shows the address."""
    for kind in (fcm.Registration, fcm.Installation, fcm.Topic, fcm.Condition):
        target = kind(value)
        problem = target.problem()
        shown = repr(target)

        assert problem is None or isinstance(problem, Verdict)
        if problem is None and kind is fcm.Registration and len(value) > 8:
            assert value not in shown


@given(message=st.one_of(garbled(fcm.Message), PORTABLE))
def test_no_text_of_any_message_is_in_its_repr(message):
    """However deep it stands."""
    shown = repr(message)
    for secret in message.secrets():
        if isinstance(secret, str) and len(secret) >= 8 and secret.isascii():
            assert secret not in shown


@given(message=garbled(fcm.Message))
def test_any_message_that_can_be_sent_travels_as_json(message):
    """What a queue was given comes back equal."""
    if isinstance(sound(message, fcm.Registration(TOKEN)), Verdict):
        return
    assert message == codec.decode(json.loads(json.dumps(codec.encode(message))))


def test_every_block_is_garbled_here():
    """A new block joins by being listed."""
    public = {getattr(fcm, name) for name in fcm.__all__}

    assert {kind for kind in public if isinstance(kind, type) and issubclass(kind, Block)} | {fcm.Message} == set(BLOCKS)
