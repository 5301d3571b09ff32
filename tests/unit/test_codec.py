from __future__ import annotations

import enum
import json
import uuid
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from tests.values import Phone

from pushkit import InterruptionLevel, Localized, Notification, Priority, Sound
from pushkit.codec import decode, encode, register


def travelled(value):
    return decode(json.loads(json.dumps(encode(value))))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5,
        1.5,
        "text",
        "你好",
        b"\x00\xff",
        [1, [2]],
        (1, (2,), []),
        {},
        {"a": {"$": "map", "v": 1}},
        {"$": "pushkit.Notification"},
        {"v": {"v": 1}},
        datetime(2026, 1, 1, 12, tzinfo=UTC),
        timedelta(seconds=1.5),
        uuid.UUID(int=7),
        Priority.LOW,
        Localized("KEY", args=("a", "b"), fallback="f"),
        Sound(name="x", critical=True, volume=0.5),
        Phone("ff" * 32, ref=uuid.UUID(int=1), app="b"),
        Notification(
            title=Localized("T"),
            body="b",
            data={"k": "v"},
            ttl=timedelta(hours=1),
            expires_at=datetime(2026, 1, 1, tzinfo=UTC),
            priority=Priority.NORMAL,
            interruption=InterruptionLevel.PASSIVE,
            sound=Sound(),
        ),
    ],
)
def test_a_value_comes_back_equal_and_of_the_same_type(value) -> None:
    """Tuples stay tuples, mappings with our own tag inside stay mappings."""
    arrived = travelled(value)

    assert value == arrived
    assert type(value) is type(arrived)


def test_a_ref_travels() -> None:
    """It is left out of comparison, so it has a test of its own."""
    assert 7 == travelled(Phone(ref=7)).ref


def test_a_ref_that_is_an_object_of_the_callers_is_refused_with_the_mend() -> None:
    """An arbitrary object cannot go through JSON, and silence would lose it."""
    with pytest.raises(ValueError, match="for ref: a str or int"):
        encode(Phone(ref=object()))


def test_an_enum_inside_of_a_union_keeps_its_type() -> None:
    """A registered enum is no plain text."""
    assert Priority.LOW is travelled([Priority.LOW])[0]


def test_an_unregistered_type_is_refused() -> None:
    """Silence would lose it."""

    class Colour(enum.Enum):
        RED = "red"

    with pytest.raises(ValueError, match="Colour cannot travel"):
        encode(Colour.RED)


@pytest.mark.parametrize(
    "data",
    [
        {"$": "os.system", "v": "x"},
        {"$": "builtins.eval"},
        {"$": 5},
        {"$": ["pushkit.Notification"]},
        {},
        {"a": 1},
        {"$": "datetime", "v": 5},
        {"$": "datetime", "v": "yesterday"},
        {"$": "bytes", "v": "*"},
        {"$": "bytes", "v": 5},
        {"$": "uuid", "v": "x"},
        {"$": "timedelta", "v": "x"},
        {"$": "timedelta", "v": 1e300},
        {"$": "map", "v": 5},
        {"$": "tuple"},
        {"$": "pushkit.Priority", "v": "urgent"},
        {"$": "pushkit.Localized"},
        {"$": "pushkit.Notification", "no_such_field": 1},
        {"$": "pushkit.Notification", "__class__": 1},
    ],
)
def test_reading_builds_registered_types_alone(data) -> None:
    """Whatever the JSON says: a ValueError, nothing else."""
    with pytest.raises(ValueError, match="JSON"):
        decode(data)


def test_a_name_is_given_once() -> None:
    """Two classes under one name would read each other's data."""
    with pytest.raises(ValueError, match=r"the name 'pushkit\.Sound' is taken by Sound"):

        @register("pushkit.Sound")
        @attrs.frozen
        class Other:
            pass


def test_defaults_are_left_out() -> None:
    """A queue's message is as short as it can be, and a later version may change a default."""
    assert {"$": "pushkit.Notification", "title": "t"} == encode(Notification(title="t"))
