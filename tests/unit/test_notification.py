from __future__ import annotations

import pickle
from datetime import timedelta

import attrs
import pytest

from pushkit import InterruptionLevel, Localized, Notification, Priority, Sound
from pushkit.messages import DEFAULT_TTL, seconds
from pushkit.notification import ProviderOptions

SECRET = "the surprise party is at eight"


@attrs.frozen
class ToyOptions(ProviderOptions):
    provider = "toy"
    volume: int = 1


@attrs.frozen
class OtherOptions(ProviderOptions):
    provider = "other"


@pytest.mark.parametrize(
    "notification",
    [
        Notification(title=SECRET),
        Notification(subtitle=SECRET),
        Notification(body=Localized("KEY", args=(SECRET,), fallback=SECRET)),
        Notification(data={"x": SECRET}),
        Notification(link=SECRET, image=SECRET, icon=SECRET, group=SECRET, collapse_key=SECRET, key=SECRET, sound=SECRET),
    ],
)
def test_a_repr_names_the_fields_and_never_what_they_say(notification: Notification) -> None:
    """What people write to each other is theirs."""
    assert SECRET not in repr(notification) + str(notification)
    assert SECRET not in repr([notification])
    assert SECRET not in repr(Localized("KEY", args=(SECRET,), fallback=SECRET))


def test_a_repr_shows_what_is_no_secret() -> None:
    """Enough to recognise a notification in a log."""
    assert "Notification(ttl=60, label='spring', title=<5 chars>, priority=<Priority.LOW: 'low'>)" == repr(
        Notification(title="Hello", label="spring", ttl=60, priority=Priority.LOW)
    )


def test_its_texts_are_its_secrets() -> None:
    """They are taken out of whatever a provider echoes."""
    notification = Notification(title="the title", body=Localized("K", args=("an argument",), fallback="a fallback"), data={"k": "a value"})

    assert {"the title", "an argument", "a fallback", "a value"} == set(notification.secrets())


@pytest.mark.parametrize("garbage", [5, b"x", None, ["a"], object()])
def test_it_keeps_garbage_for_check_to_find(garbage: object) -> None:
    """One bad row must not stop a broadcast, so making a notification does not raise for data."""
    notification = Notification(title=garbage, body=garbage, data=garbage, badge=garbage, link=garbage)  # type: ignore[arg-type]  # garbage is the point

    assert garbage is notification.title
    assert repr(notification)
    assert notification.secrets() is not None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Notification(titel="x"),
        lambda: Notification("x"),
        lambda: Notification(priority="urgent"),
        lambda: Notification(interruption="loud"),
    ],
)
def test_a_programmers_mistake_raises(make) -> None:
    """An unknown keyword and a wrong enum are no data."""
    with pytest.raises((TypeError, ValueError)):
        make()


def test_enums_may_be_given_by_value() -> None:
    """A configuration file holds text."""
    notification = Notification(priority="low", interruption="time-sensitive")  # type: ignore[arg-type]  # the converter takes text

    assert Priority.LOW is notification.priority
    assert InterruptionLevel.TIME_SENSITIVE is notification.interruption


def test_changing_the_mapping_afterwards_changes_nothing() -> None:
    """A notification is a constant."""
    data = {"a": "1"}
    notification = Notification(data=data)
    data["a"] = "2"

    assert {"a": "1"} == notification.data


def test_the_first_options_of_a_class_are_found() -> None:
    """Each provider looks for its own and sees no other's."""
    mine = ToyOptions(volume=3)

    assert mine is Notification(options=(OtherOptions(), mine, ToyOptions())).options_for(ToyOptions)
    assert Notification(options=(mine,)).options_for(OtherOptions) is None


@pytest.mark.parametrize("given", [ToyOptions(), [ToyOptions()], (ToyOptions(),)])
def test_options_may_be_one_or_several(given) -> None:
    """One needs no brackets."""
    assert (ToyOptions(),) == Notification(options=given).options


@pytest.mark.parametrize("garbage", [5, "x", {"a": 1}])
def test_garbage_in_options_is_kept(garbage: object) -> None:
    """And found by check."""
    assert Notification(options=garbage).options_for(ToyOptions) is None  # type: ignore[arg-type]  # garbage is the point


def test_it_pickles_and_compares_equal() -> None:
    """It goes through process pools."""
    notification = Notification(
        title=Localized("K", args=["a"]), data={"a": "b"}, sound=Sound(critical=True), ttl=timedelta(hours=1), options=ToyOptions()
    )

    assert notification == pickle.loads(pickle.dumps(notification))
    assert hash(notification) == hash(pickle.loads(pickle.dumps(notification)))


def test_durations_are_seconds_or_timedelta() -> None:
    """Both mean the same."""
    assert seconds(timedelta(minutes=1)) == seconds(60) == 60.0


def test_nobody_waits_four_weeks_by_default() -> None:
    """Providers keep a message for weeks when nobody says otherwise; we say a day."""
    assert 24 * 3600 == DEFAULT_TTL == Notification().default_ttl()
