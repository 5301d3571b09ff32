"""Messages as values: masked, comparable, picklable, kept as they were given."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from tests.unit.apns.helpers import body_of, request_for

from pushkit import Localized, Notification, apns
from pushkit.apns.messages.base import ApnsMessage

SECRET = "canary-5f3a"
STATE = {"who": SECRET, "list": [SECRET, {"deep": SECRET}]}
MESSAGES = [
    apns.Push({"aps": {"alert": SECRET}}, headers={"apns-priority": "5"}),
    apns.Push(f'{{"aps":{{"alert":"{SECRET}"}}}}'.encode()),
    apns.Background(data=STATE),
    apns.Voip(data=STATE),
    apns.Complication(data=STATE),
    apns.PushToTalk(data=STATE),
    apns.LocationQuery(data=STATE),
    apns.FileProviderSignal(SECRET, domain=SECRET),
    apns.MdmWakeUp(SECRET),
    apns.LiveActivityStart("A", attributes=STATE, content_state=STATE, title=Localized("K", [SECRET], SECRET), body=SECRET, sound=SECRET),
    apns.LiveActivityUpdate(STATE),
    apns.LiveActivityEnd(STATE, dismissal_date=timedelta(0)),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_repr_shows_no_text(message):
    """What people write to each other is theirs."""
    assert SECRET not in f"{message!r} {message} {[message]}"
    assert type(message).__name__ in repr(message)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_secrets_holds_every_text(message):
    """So that none of it shows when a proxy echoes the request."""
    assert any(SECRET in text for text in message.secrets())


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_messages_are_values(message):
    """Equal to their copies; they travel to other processes."""
    assert message == pickle.loads(pickle.dumps(message)) == attrs.evolve(message)


def test_a_message_is_a_constant():
    """Changing the dict that it was made from changes nothing."""
    data = {"a": 1}
    message = apns.Background(data=data)
    data["b"] = 2

    assert {"aps": {"content-available": 1}, "a": 1} == body_of(request_for(message))


def test_every_push_type_has_its_class():
    """Eleven of them; a class for each."""
    kinds = {kind.push_type for kind in _leaves(ApnsMessage) if hasattr(kind, "push_type")}

    assert kinds | {apns.Push({"aps": {"alert": "x"}}).push_type} == {kind.value for kind in _types()}


def _leaves(kind):
    inner = kind.__subclasses__()
    return [kind] if not inner else [leaf for item in inner for leaf in _leaves(item)]


def _types():
    from pushkit.apns.kinds import PushType

    return PushType


def test_options_show_which_fields_are_set_and_no_text():
    """For logs."""
    options = apns.Options(title=SECRET, payload={"x": SECRET}, relevance_score=0.5)

    assert "apns.Options(title, relevance_score, payload)" == repr(options)
    assert SECRET not in repr(Notification(title="T", options=options))


def test_deep_values_do_not_break_secrets():
    """Nested without end, and holding themselves."""
    deep: dict = {"t": SECRET}
    for _ in range(50_000):
        deep = {"d": deep}
    loop: dict = {}
    loop["loop"] = loop

    assert isinstance(apns.Background(data=deep).secrets(), tuple)
    assert () == apns.Background(data=loop).secrets()


def test_times_stay_as_they_were_given():
    """An aware time is that time, whatever its zone."""
    moment = datetime(2026, 11, 22, tzinfo=UTC)

    assert moment == apns.LiveActivityUpdate({}, stale_date=moment).stale_date


def test_the_texts_to_mask_are_bounded():
    """A payload that no limit lets through must not cost a second for each refusal."""
    assert 1000 == len(apns.Background(data={"texts": [str(number) for number in range(5000)]}).secrets())
