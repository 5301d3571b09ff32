from __future__ import annotations

import pickle

import attrs
import pytest
from tests.values import TOKEN, Phone

from pushkit import Target


def test_a_repr_tells_two_recipients_apart_and_names_neither() -> None:
    """Class, fingerprint, app and reference."""
    one, two = Phone("a" * 64, app="b", ref=7), Phone("b" * 64)

    assert repr(one) != repr(two)
    assert "a" * 64 not in repr(one)
    assert "app='b' ref=7" in repr(one)


@pytest.mark.parametrize("garbage", [None, 5, b"\xff", ["a"], {"a": 1}, "\ud800"])
def test_a_repr_works_for_garbage(garbage: object) -> None:
    """A log line about a bad row must not raise."""
    assert repr(Phone(garbage))  # type: ignore[arg-type]  # garbage is the point


def test_the_reference_takes_no_part_in_equality() -> None:
    """The same phone is the same recipient, whoever asks."""
    assert Phone(ref=1) == Phone(ref=object())
    assert hash(Phone(ref=1)) == hash(Phone(ref=[]))


def test_the_app_does() -> None:
    """The same token for another app is another recipient."""
    assert Phone() != Phone(app="other")


def test_a_target_pickles_with_its_reference() -> None:
    """It goes through process pools."""
    arrived = pickle.loads(pickle.dumps(Phone(ref=7)))

    assert Phone() == arrived
    assert 7 == arrived.ref


def test_the_address_is_a_secret() -> None:
    """It is taken out of whatever a provider echoes."""
    assert (TOKEN,) == Phone().secrets()
    assert () == Phone(5).secrets()  # type: ignore[arg-type]  # garbage has no text


@attrs.frozen(repr=False)
class Pager(Target):
    number: str = ""
    network: int = 0


def test_a_target_class_that_says_nothing_has_its_own_fields_as_address() -> None:
    """A provider of somebody's own works without writing an address down: unique, masked, in reports."""
    one, same, other = Pager("555-0123456", app="a", ref=1), Pager("555-0123456", app="b", ref=2), Pager("555-0123456", network=2)

    assert one.address == same.address != other.address
    assert ("555-0123456",) == one.secrets()
    assert "555" not in repr(one)
    assert repr(one) != repr(Pager("555-0123457", app="a", ref=1))
    assert () == Target().address
