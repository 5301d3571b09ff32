"""Suspicion before deletion."""

from __future__ import annotations

from pushkit.delivery.guard import Guard, Place

HERE = Place("apns", "default", "production")


def filled(guard: Guard, accepted: int, failed: int, reason: str = "gone"):
    """A window with so many of each, failures spread evenly, and what tripped."""
    watch = guard.watch(HERE, 0.0)
    tripped = []
    for _ in range(accepted):
        guard.accepted(watch, 0.0)
    for _ in range(failed):
        tripped.append(guard.failed(watch, reason, 0.0))
    return watch, [trip for trip in tripped if trip]


def test_a_mismatch_is_doubted_before_anything_was_accepted():
    """A failure that our own configuration would explain is believed only after an accepted push."""
    guard = Guard()
    watch = guard.watch(HERE, 0.0)

    assert not guard.believed(watch, "BadDeviceToken", suspicion=True)
    guard.accepted(watch, 0.0)
    assert guard.believed(watch, "BadDeviceToken", suspicion=True)


def test_gone_is_believed_at_once():
    """A recipient that is gone needs no accepted push."""
    guard = Guard()

    assert guard.believed(guard.watch(HERE, 0.0), "Unregistered", suspicion=False)


def test_a_small_share_is_believed():
    """Ten gone among a hundred are ten gone."""
    watch, tripped = filled(Guard(), 90, 10)

    assert [] == tripped
    assert Guard().believed(watch, "gone", suspicion=False)


def test_a_large_share_trips_once():
    """Beyond thirty percent further failures are doubted, and it is said once."""
    guard = Guard()
    watch, tripped = filled(guard, 60, 60)

    assert ["gone"] == [trip.reason for trip in tripped]
    assert tripped[0].share > 0.3
    assert not guard.believed(watch, "gone", suspicion=False)


def test_fewer_than_fifty_say_nothing():
    """Twenty of forty gone is no share to judge by."""
    assert [] == filled(Guard(), 20, 20)[1]


def test_reasons_are_watched_separately():
    """A tripped reason does not cast doubt on another."""
    guard = Guard()
    watch, _ = filled(guard, 60, 60)

    assert guard.believed(watch, "other", suspicion=False)


def test_confirming_believes_again():
    """After a person has looked, failures are believed, and the reason does not trip again meanwhile."""
    guard = Guard()
    watch, _ = filled(guard, 60, 60)

    assert 1 == guard.confirm("default")
    assert guard.believed(watch, "gone", suspicion=False)
    assert guard.failed(watch, "gone", 0.0) is None
    assert 0 == guard.confirm("default")


def test_confirming_another_app_changes_nothing():
    """Suspicions belong to their app."""
    guard = Guard()
    watch, _ = filled(guard, 60, 60)

    assert 0 == guard.confirm("other")
    assert not guard.believed(watch, "gone", suspicion=False)


def test_a_share_that_fell_is_believed_again():
    """When the trouble is over, so is the doubt, and a later incident trips anew."""
    guard = Guard()
    watch, _ = filled(guard, 60, 60)
    for number in range(3000):
        guard.accepted(watch, float(number))

    assert guard.believed(watch, "gone", suspicion=False)
    again = [guard.failed(watch, "gone", 3000.0) for _ in range(2000)]
    assert 1 == len([trip for trip in again if trip])


def test_reasons_from_strangers_are_bounded():
    """Ten thousand different reasons do not fill the memory."""
    guard = Guard()
    watch = guard.watch(HERE, 0.0)
    for number in range(10_000):
        guard.failed(watch, f"r{number}", 0.0)

    assert len(watch.now_counts) + len(watch.before) <= 100


def test_a_new_configuration_has_to_prove_itself():
    """What an app's former configuration reached clears nobody under the next one; what was suspected stays suspected."""
    guard = Guard()
    old, _ = filled(guard, 50, 50)
    guard.doubt("default", 1.0)
    guard.accepted(old, 2.0)
    new = guard.watch(HERE, 2.0)

    assert new is not old
    assert (False, {"gone"}) == (new.accepted, new.tripped)
    assert not guard.believed(new, "mismatch", suspicion=True)
