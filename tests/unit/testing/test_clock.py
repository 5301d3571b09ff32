"""The fake clocks."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from pushkit.testing import FakeClock
from pushkit.testing.clock import settle
from pushkit.testing.flow import FlowingClock


def test_time_stands_still_until_told() -> None:
    """Both clocks move by what advance says, and by nothing else."""
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(minutes=1))

    assert (60.0, datetime(2026, 1, 1, 0, 1, tzinfo=UTC)) == (clock.monotonic(), clock.now())


def test_a_naive_start_is_refused() -> None:
    """The error says how to mend it."""
    with pytest.raises(ValueError, match="time zone"):
        FakeClock(datetime(2026, 1, 1))


def test_timers_run_in_order_each_at_its_own_time() -> None:
    """Also those that a timer sets within the same advance."""
    clock, seen = FakeClock(), []

    def first() -> None:
        seen.append(("first", clock.monotonic()))
        clock.call_at(2.5, lambda: seen.append(("between", clock.monotonic())))

    clock.call_at(3.0, lambda: seen.append(("last", clock.monotonic())))
    clock.call_at(1.0, first)

    assert 3 == clock.advance(3.0)
    assert [("first", 1.0), ("between", 2.5), ("last", 3.0)] == seen


def test_a_cancelled_timer_does_not_run() -> None:
    """And does not count as pending."""
    clock, seen = FakeClock(), []
    clock.call_at(1.0, lambda: seen.append(1)).cancel()

    assert (0, None, 0, []) == (clock.pending, clock.next_in, clock.advance(2.0), seen)


def test_jumping_moves_the_wall_clock_alone() -> None:
    """Clock skew: no timer becomes due."""
    clock, seen = FakeClock(), []
    clock.call_at(1.0, lambda: seen.append(1))
    before = clock.time()
    clock.jump(-3600)

    assert (before - 3600, 0.0, []) == (clock.time(), clock.monotonic(), seen)


def test_time_does_not_run_backwards() -> None:
    """A negative advance is a mistake."""
    with pytest.raises(ValueError, match="forward only"):
        FakeClock().advance(-1)


def test_a_timer_that_rearms_itself_for_now_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found and named."""
    monkeypatch.setattr("pushkit.testing.clock._MOST_TIMERS", 100)
    clock = FakeClock()

    def again() -> None:
        clock.call_at(clock.monotonic(), again)

    again()
    with pytest.raises(RuntimeError, match="re-arm"):
        clock.advance(1)


def test_the_asynchronous_advance_lets_the_loop_settle() -> None:
    """A timer that a coroutine sets after the first one fired runs within the same advance."""

    async def main() -> list[float]:
        clock, seen, woken = FakeClock(), [], asyncio.Event()

        async def work() -> None:
            await woken.wait()
            seen.append(clock.monotonic())
            clock.call_at(clock.monotonic() + 1, lambda: seen.append(clock.monotonic()))

        task = asyncio.create_task(work())
        clock.call_at(1.0, woken.set)
        await clock.advance_async(5)
        await task
        return seen

    assert [1.0, 2.0] == asyncio.run(main())


def test_a_sum_that_rounds_down_still_reaches_its_timer() -> None:
    """0.1 + 0.2: a step computed as a difference can fall short of the timer's time."""

    async def main() -> int:
        clock, fired = FakeClock(), []
        for _ in range(50):
            when = clock.monotonic() + 0.1
            clock.call_at(when, lambda: fired.append(1))
            await clock.advance_to_next()
        return len(fired)

    assert 50 == asyncio.run(main())


def test_advance_from_another_thread_runs_on_the_loop() -> None:
    """Tests of the synchronous client move the clock of its background thread."""
    clock, seen, ready, stop = FakeClock(), [], threading.Event(), threading.Event()

    async def main() -> None:
        clock.call_at(1.0, lambda: seen.append(threading.current_thread().name))
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.001)

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="the loop's")
    thread.start()
    ready.wait(5)
    clock.advance(2)
    stop.set()
    thread.join(5)

    assert ["the loop's"] == seen


def test_a_flowing_clock_stands_still_while_nothing_is_under_way() -> None:
    """Timers alone do not make time pass."""

    async def main() -> float:
        clock = FlowingClock()
        clock.call_at(60.0, lambda: None)
        await settle(200)
        return clock.monotonic()

    assert 0.0 == asyncio.run(main())


def test_a_flowing_clock_jumps_while_somebody_waits() -> None:
    """An hour passes in no time."""

    async def main() -> float:
        clock, done = FlowingClock(), asyncio.Event()
        clock.busy = lambda: not done.is_set()
        clock.call_at(3600.0, done.set)
        await asyncio.wait_for(done.wait(), 5)
        return clock.monotonic()

    assert 3600.0 == asyncio.run(main())


def test_a_timer_that_raises_is_heard_and_time_goes_on() -> None:
    """The loop's exception handler gets it; later timers still run."""

    async def main() -> tuple[list[str], float]:
        loop, clock, done, heard = asyncio.get_running_loop(), FlowingClock(), asyncio.Event(), []
        loop.set_exception_handler(lambda _, context: heard.append(str(context["exception"])))
        clock.busy = lambda: not done.is_set()

        def broken() -> None:
            raise ValueError("broken timer")

        clock.call_at(1.0, broken)
        clock.call_at(2.0, done.set)
        await asyncio.wait_for(done.wait(), 5)
        return heard, clock.monotonic()

    assert (["broken timer"], 2.0) == asyncio.run(main())
