"""Whom FCM can reach, and garbage that cannot be reached."""

from __future__ import annotations

import pickle

import attrs
import pytest
from tests.unit.fcm.helpers import TOKEN, Push, prepared, sender, wire

from pushkit import codec, fcm
from pushkit.fcm.condition import condition_problem
from pushkit.outcomes import Action, Category, Disposition

EVERY = [fcm.Registration(TOKEN), fcm.Installation("cXyZ"), fcm.Topic("news"), fcm.Condition("'a' in topics")]


@pytest.mark.parametrize("garbage", [None, "", 5, b"bytes", " " + TOKEN, TOKEN + "\n", "a b", 'a"b', "a\\b", "жetон", "x" * 4097, ["x"]])
@pytest.mark.parametrize("kind", [fcm.Registration, fcm.Installation])
def test_garbage_is_a_recipient_failure_before_anything_is_sent(kind, garbage):
    """It keeps what it is given, and says what is wrong without quoting it."""
    one = sender()
    target = kind(garbage)
    ready = prepared(fcm.Message(data={"a": "b"}), kind)

    verdict = one.check(ready, target, 0.0)

    assert (Category.RECIPIENT, "invalid_token", Disposition.NOT_SENT, Action.REMOVE_RECIPIENT) == (
        verdict.category,
        verdict.reason,
        verdict.disposition,
        verdict.action,
    )
    assert verdict == one.address(ready, target, Push())
    assert not (isinstance(garbage, str) and garbage.strip() and garbage.strip() in verdict.advice + verdict.detail)


@pytest.mark.parametrize("token", [TOKEN, "a", "x" * 4096, "!#[]~"])
def test_nothing_narrower_than_printable_ascii_is_demanded_of_a_token(token):
    """Google promises no alphabet and no length."""
    assert fcm.Registration(token).problem() is None


@pytest.mark.parametrize("name", [None, 5, "", "/topics/", "a b", "ä", "x" * 901, "a/b"])
def test_a_wrong_topic_is_a_payload_failure(name):
    """Whoever wrote it has to act; nobody is to be removed."""
    verdict = fcm.Topic(name).problem()

    assert (Category.PAYLOAD, "invalid_topic_name", "name") == (verdict.category, verdict.reason, verdict.field)


@pytest.mark.parametrize("name", ["news", "/topics/news", "A-_.~%9", "x" * 900])
def test_topic_names(name):
    """What Google's pattern takes."""
    assert fcm.Topic(name).problem() is None


def test_a_topic_is_the_same_with_and_without_its_prefix():
    """For ``unique=True``."""
    assert fcm.Topic("/topics/news").address == fcm.Topic("news").address


@pytest.mark.parametrize(
    "expression",
    [
        "'a' in topics",
        '"a" in topics',
        "'a' in topics && 'b' in topics",
        "'a' in topics && ('b' in topics || 'c' in topics)",
        "!('a' in topics)",
        " ( 'a' in topics ) ",
        "'a' in topics||'b' in topics||'c' in topics||'d' in topics||'e' in topics",
    ],
)
def test_conditions(expression):
    """Up to five topics, joined by the four signs."""
    assert condition_problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (None, "NoneType"),
        ("", "empty"),
        ("  ", "empty"),
        ("'a'", "character 1"),
        ("'a' in topic", "character 1"),
        ("'a in topics", "character 1"),
        ("'a' in topics &&", "ends where a topic"),
        ("'a' in topics 'b' in topics", "character 15"),
        ("&& 'a' in topics", "character 1"),
        ("('a' in topics", "open"),
        ("'a' in topics)", "not opened"),
        ("'a b' in topics", "does not take"),
        (" && ".join(["'a' in topics"] * 6), "6 topics"),
        ("'a' in topics" + " " * 6000, "characters long"),
        ("(" * 5000, "ends where"),
    ],
)
def test_wrong_conditions(expression, says):
    """With the place of the mistake."""
    verdict = fcm.Condition(expression).problem()

    assert ("invalid_condition", "expression") == (verdict.reason, verdict.field)
    assert says in verdict.advice


@pytest.mark.parametrize("target", EVERY, ids=lambda target: type(target).__name__)
def test_targets_travel(target):
    """Pickle and JSON, equal and with the same hash."""
    for copy in (pickle.loads(pickle.dumps(target)), codec.decode(codec.encode(target))):
        assert target == copy
        assert hash(target) == hash(copy)


@pytest.mark.parametrize("target", EVERY[:2], ids=lambda target: type(target).__name__)
def test_addresses_are_secret(target):
    """In every text that people see."""
    assert target.address in target.secrets()
    assert target.address not in repr(target)


def test_topics_and_conditions_count_as_fan_out():
    """One push, many people."""
    assert [False, False, True, True] == [target.fan_out for target in EVERY]


def test_each_target_is_throttled_by_itself():
    """A pause for one is none for another."""
    assert 4 == len({sender().throttle_key(target) for target in EVERY})


def test_garbage_that_cannot_be_hashed_is_throttled_by_nobody():
    """The engine asks before anybody has looked at it."""
    assert ("topic", None) == sender().throttle_key(fcm.Topic(["x"]))


def test_a_kind_of_the_callers_own_is_the_kind_that_it_extends():
    """People add fields to their targets."""

    @attrs.frozen(repr=False)
    class Phone(fcm.Registration):
        model: str = ""

    assert TOKEN == wire(fcm.Message(data={"a": "b"}), Phone(TOKEN, "a phone"))["token"]


def test_a_target_of_another_provider_is_no_kind_of_ours():
    """A fourth provider's target that claims to be FCM's."""
    from pushkit import apns

    assert "invalid_target" == sender().prepare(fcm.Message(data={"a": "b"}), apns.Device, None).reason
