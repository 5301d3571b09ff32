"""Timestamps of Live Activities under any order of updates, retries and clocks that jump."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.apns.helpers import NOW, Push

from pushkit import apns
from pushkit.apns.live_clock import LiveClock

steps = st.lists(
    st.tuples(st.integers(0, 2), st.floats(-100, 100), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(steps)
def test_an_activity_never_goes_back(found):
    """Each new update is newer than all before it for the same activity; a retry is what it was."""
    clock = LiveClock()
    latest: dict[str, int] = {}
    given_to: list[tuple[Push, apns.ActivityToken, int]] = []
    now = NOW

    for activity, gap, retry in found:
        now += gap
        if retry and given_to:
            push, target, before = given_to[-1]
            push.attempt += 1
            assert before == clock.timestamp(target, push)
            continue
        target = apns.ActivityToken(f"{activity:02x}" * 20)
        push = Push(push_id=f"push-{len(given_to)}", now=now, taken_at=now, expires_at=now + 86_400)
        stamp = clock.timestamp(target, push)
        assert stamp > latest.get(target.token, 0)
        assert stamp >= int(now)
        latest[target.token] = stamp
        given_to.append((push, target, stamp))


def test_the_memory_is_bounded():
    """A server that runs for years meets more activities than it can remember."""
    clock = LiveClock(size=10)

    for number in range(1000):
        clock.timestamp(apns.ActivityToken(f"{number:064x}"), Push(push_id=str(number)))

    assert 10 == len(clock._latest) == len(clock._given)
