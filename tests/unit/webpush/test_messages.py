"""Messages and options as values: copies, masks, journeys through queues; topics."""

from __future__ import annotations

import hashlib
import json
import pickle

import pytest
from tests.unit.webpush.helpers import b64

from pushkit import Accepted, Notification, codec
from pushkit.webpush import Button, Declarative, Message, Options, Subscription, Urgency, Withdrawal, topic_from

BUTTON = Button(action="view", title="View", navigate="https://e.org/")
VALUES = {
    "text": Message("text", urgency=Urgency.HIGH, topic="abcd", padding=100, ttl=5),
    "octets": Message(b"\x00\xff"),
    "object": Message({"a": [1, {"b": None}], "c": True}),
    "list": Message([1, 2]),
    "nothing": Message(),
    "declarative": Declarative(title="x", navigate="https://e.org/", vibrate=[1, 2], actions=[BUTTON], data={"a": 1}, mutable=True),
    "options": Notification(title="x", options=Options(actions=(BUTTON,), vibrate=(1,), urgency=Urgency.LOW, declarative=True)),
    "withdrawal": Withdrawal("https://e.org/m/1"),
}


@pytest.mark.parametrize("message", VALUES.values(), ids=VALUES.keys())
def test_messages_travel(message):
    """By pickle and by the JSON of a queue, and compare equal afterwards."""
    assert message == pickle.loads(pickle.dumps(message))
    assert message == codec.decode(json.loads(json.dumps(codec.encode(message))))


@pytest.mark.parametrize("message", VALUES.values(), ids=VALUES.keys())
def test_messages_are_hashable(message):
    """Constants end up in sets and as keys."""
    assert 1 == len({message, message})


def test_a_constant_stays_one():
    """What the caller changes afterwards does not change the message."""
    data, steps = {"a": 1}, [1, 2]
    message, declared = Message(data), Declarative(title="x", vibrate=steps)
    data["b"] = 2
    steps.append(3)

    assert {"a": 1} == message.data
    assert (1, 2) == declared.vibrate


def test_a_shown_message_shows_no_text():
    """Names of fields and lengths."""
    shown = repr((Message("the text"), Declarative(title="the title", data={"k": "the data"}), Options(tag="the tag"), BUTTON))

    for text in ("the text", "the title", "the data", "the tag", "View", "e.org"):
        assert text not in shown


@pytest.mark.parametrize("urgency", ["high", "very-low", Urgency.NORMAL])
def test_urgencies_are_taken_as_text(urgency):
    """The words of RFC 8030."""
    assert Urgency(urgency) is Message("x", urgency=urgency).urgency


def test_an_unknown_urgency_is_a_programmers_mistake():
    """A wrong enum raises at once."""
    with pytest.raises(ValueError, match="urgent"):
        Message("x", urgency="urgent")


def test_topic_from_is_a_digest():
    """The first 24 octets of SHA-256: other programs can make the same one."""
    assert b64(hashlib.sha256(b"order 42").digest()[:24]) == topic_from("order 42")
    assert topic_from("order 42") != topic_from("order 43")


def test_a_withdrawal_of_a_message_without_a_location_is_refused_later():
    """Services without locations are known only by their answer."""
    outcome = Accepted(target=Subscription("https://e.org/x"), provider="webpush", info={})

    assert "" == Withdrawal.of(outcome).location
