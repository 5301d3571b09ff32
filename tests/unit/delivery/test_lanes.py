"""Slots and turns."""

from __future__ import annotations

from types import SimpleNamespace

from pushkit.delivery.lanes import SINGLES_IN_A_ROW, Slots, Turns


def lane():
    """As much of a lane as slots look at."""
    return SimpleNamespace(used=0)


def filled(slots, which):
    """Take every slot that this lane may have; how many that were."""
    count = 0
    while slots.free(which):
        slots.take(which)
        count += 1
    return count


def test_a_lane_that_is_alone_may_have_all_slots():
    """One service uses the whole of max_in_flight."""
    assert 100 == filled(Slots(100), lane())


def test_a_second_lane_always_finds_a_quarter():
    """As soon as two are busy, neither takes more than three quarters."""
    slots, one, two = Slots(100), lane(), lane()
    slots.take(two)

    assert 75 == filled(slots, one)
    assert 24 == filled(slots, two)


def test_a_lane_is_alone_again_when_the_other_ends():
    """What was kept free is used when nobody else is busy any more."""
    slots, one, two = Slots(100), lane(), lane()
    slots.take(two)
    filled(slots, one)
    slots.give(two)

    assert 25 == filled(slots, one)


def test_one_slot_is_shared_one_by_one():
    """With a single slot everybody still gets a turn."""
    slots, one, two = Slots(1), lane(), lane()
    slots.take(one)

    assert not slots.free(two)
    slots.give(one)
    assert slots.free(two)


def test_one_in_ten_is_the_streams():
    """While both want every slot, nine single sends are followed by one of the stream."""
    turns = Turns()

    assert ([False] * SINGLES_IN_A_ROW + [True]) * 3 == [turns.stream_next() for _ in range(30)]
