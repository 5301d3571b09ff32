"""Events for slow listeners: a thread, an asyncio queue."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from typing import Any

import pytest
from tests.canaries import Canaries, LeakCatcher
from tests.unit.contrib.heard import every_event, finished

from pushkit import apns, events
from pushkit.contrib.queue import AsyncListener, ThreadListener

DONE = finished()
BUDGET = events.BudgetExhausted(provider="apns", app="default")


def test_a_thread_hears_every_event_in_order() -> None:
    """Leaving the block waits until everything was heard."""
    heard: list[Any] = []
    with ThreadListener(heard.append) as hook:
        for event in every_event():
            hook(event)

    assert list(every_event()) == heard
    assert 0 == hook.dropped


def test_a_thread_hears_in_a_thread_of_its_own() -> None:
    """The listener may block: it is not the sender's thread."""
    threads: list[int] = []
    with ThreadListener(lambda _: threads.append(threading.get_ident())) as hook:
        hook(DONE)

    assert threads != [threading.get_ident()]
    assert 1 == len(threads)


def test_a_hook_without_events_starts_no_thread() -> None:
    """Making a listener costs nothing."""
    before = threading.active_count()
    with ThreadListener(print):
        during = threading.active_count()

    assert before == during


def test_a_full_queue_drops_and_counts(caplog: pytest.LogCaptureFixture) -> None:
    """What does not fit is counted, said once, and never blocks the sender."""
    go, began = threading.Event(), threading.Event()
    heard: list[Any] = []

    def slow(event: Any) -> None:
        began.set()
        go.wait(10)
        heard.append(event)

    with caplog.at_level(logging.WARNING), ThreadListener(slow, maxsize=3) as hook:
        hook(DONE)
        began.wait(10)
        for _ in range(10):
            hook(DONE)
        dropped = hook.dropped
        go.set()

    assert 7 == dropped
    assert 4 == len(heard)
    assert 1 == len([record for record in caplog.records if "dropped" in record.getMessage()])


def test_only_what_is_wanted_is_heard() -> None:
    """A filter keeps a flood of other events from pushing out the one that matters."""
    heard: list[Any] = []
    with ThreadListener(heard.append, maxsize=1, only=[events.BudgetExhausted]) as hook:
        for _ in range(100):
            hook(DONE)
        hook(BUDGET)

    assert [BUDGET] == heard
    assert 0 == hook.dropped


def test_a_listener_that_raises_hears_the_next_event(caplog: pytest.LogCaptureFixture) -> None:
    """An error is logged once, without its text, and stops nothing."""
    heard: list[Any] = []

    def listener(event: Any) -> None:
        heard.append(event)
        raise ValueError("secret text")

    with caplog.at_level(logging.ERROR), ThreadListener(listener) as hook:
        hook(DONE)
        hook(DONE)

    assert 2 == len(heard)
    assert 2 == hook.errors
    assert 1 == len(caplog.records)
    assert "secret text" not in caplog.text


def test_events_after_the_end_are_counted_as_dropped() -> None:
    """Nothing is lost without a trace."""
    hook = ThreadListener(print)
    hook.close()
    hook(DONE)

    assert 1 == hook.dropped


def test_close_says_whether_all_was_heard() -> None:
    """A listener that hangs does not hang the program."""
    go = threading.Event()
    hook = ThreadListener(lambda _: go.wait(10))
    hook(DONE)
    in_time = hook.close(timeout=0.01)
    go.set()

    assert not in_time
    assert hook.close(timeout=10)


def test_what_was_not_heard_in_time_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Leaving the block says nothing by its value: the log says whose events were not heard, and how many."""
    go, began = threading.Event(), threading.Event()

    def stuck(_: Any) -> None:
        began.set()
        go.wait(10)

    hook = ThreadListener(stuck)
    for _ in range(3):
        hook(DONE)
    began.wait(10)
    hook.close(timeout=0.01)
    go.set()

    assert [True] == ["was not done within 0.01 s: 2 events more were waiting" in record.getMessage() for record in caplog.records]


def test_an_event_after_the_end_is_not_called_slowness(caplog: pytest.LogCaptureFixture) -> None:
    """The warning names the mistake: the client is closed after its listener."""
    hook = ThreadListener(print)
    hook.close()
    hook(DONE)

    assert "an event came after the end of the listener print: close the client first" in caplog.text


def test_a_listener_that_exits_hears_the_next_event() -> None:
    """``sys.exit`` in a listener would end its thread alone, and nobody would hear anything any more."""

    def leave(_: Any) -> None:
        sys.exit(1)

    with ThreadListener(leave) as hook:
        hook(DONE)
        hook(DONE)

    assert 2 == hook.errors


def test_a_listener_may_close_its_own_queue() -> None:
    """A thread cannot wait for itself; what waits is still heard."""
    closed = threading.Event()

    def listener(_: Any) -> None:
        hook.close()
        closed.set()

    hook = ThreadListener(listener)
    hook(DONE)
    closed.wait(10)

    assert hook.close()
    assert 0 == hook.errors


def test_an_impossible_size_is_refused() -> None:
    """A queue for nothing would drop everything."""
    with pytest.raises(ValueError, match="expected 1 or more, found 0"):
        ThreadListener(print, maxsize=0)


@pytest.mark.parametrize("only", [["RecipientGone"], [int], "RecipientGone", events.RecipientGone, []])
def test_events_that_do_not_exist_are_refused(only: Any) -> None:
    """A listener for nothing would be silent for ever."""
    with pytest.raises(ValueError, match="expected classes of pushkit"):
        ThreadListener(print, only=only)


def test_a_coroutine_function_needs_the_other_listener() -> None:
    """In a thread nobody would await it."""

    async def forget(_: Any) -> None: ...

    with pytest.raises(ValueError, match="forget is a coroutine function"):
        ThreadListener(forget)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_process_hears_its_own_events_only() -> None:
    """After ``fork()`` the child starts a thread of its own, and what the parent has queued stays the parent's."""
    go = threading.Event()
    heard: list[Any] = []

    def listener(event: Any) -> None:
        go.wait(10)
        heard.append(event)

    hook = ThreadListener(listener)
    hook(DONE)
    hook(DONE)
    pid = os.fork()
    if pid == 0:
        go.set()
        hook(BUDGET)
        hook.close()
        os._exit(0 if heard == [BUDGET] else 1)
    go.set()
    hook.close()

    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert [DONE, DONE] == heard


def test_a_coroutine_hears_every_event_in_order() -> None:
    """Leaving ``async with`` waits until everything was heard."""
    heard: list[Any] = []

    async def listener(event: Any) -> None:
        await asyncio.sleep(0)
        heard.append(event)

    async def go() -> None:
        async with AsyncListener(listener) as hook:
            for event in every_event():
                hook(event)

    asyncio.run(go())

    assert list(every_event()) == heard


def test_events_from_another_thread_are_heard_on_the_loop() -> None:
    """``Client`` calls hooks in its background thread; the listener still runs where it was entered."""
    heard: list[int] = []

    async def listener(_: Any) -> None:
        heard.append(threading.get_ident())

    async def go() -> None:
        async with AsyncListener(listener) as hook:
            await asyncio.gather(*(asyncio.to_thread(hook, DONE) for _ in range(50)))

    asyncio.run(go())

    assert [threading.get_ident()] * 50 == heard


def test_events_are_heard_while_the_program_goes_on() -> None:
    """The listener does not wait for the end: a burst and a later event are both heard at once."""
    heard: list[Any] = []

    async def listener(event: Any) -> None:
        heard.append(event)

    async def turns(wanted: int) -> None:
        for _ in range(100):
            if len(heard) == wanted:
                return
            await asyncio.sleep(0)

    async def go() -> list[int]:
        counts = []
        async with AsyncListener(listener) as hook:
            hook(DONE)
            hook(DONE)
            await turns(2)
            counts.append(len(heard))
            hook(BUDGET)
            await turns(3)
            counts.append(len(heard))
        return counts

    assert [2, 3] == asyncio.run(go())


def test_a_full_asynchronous_queue_drops_and_counts() -> None:
    """Memory stays bounded however slow the listener is."""
    heard: list[Any] = []

    async def listener(event: Any) -> None:
        heard.append(event)

    async def go() -> int:
        async with AsyncListener(listener, maxsize=3) as hook:
            for _ in range(10):
                hook(DONE)
            return hook.dropped

    assert 7 == asyncio.run(go())
    assert 3 == len(heard)


def test_an_asynchronous_listener_that_hangs_is_given_up() -> None:
    """After the grace the listener is cancelled and the rest is counted."""

    async def listener(_: Any) -> None:
        await asyncio.Event().wait()

    async def go() -> AsyncListener:
        async with AsyncListener(listener, grace=0.01) as hook:
            for _ in range(3):
                hook(DONE)
            await asyncio.sleep(0)
        return hook

    hook = asyncio.run(go())

    assert 2 == hook.dropped
    assert 0 == hook.waiting


def test_an_asynchronous_listener_that_raises_hears_the_next_event() -> None:
    """An error stops nothing."""

    async def listener(_: Any) -> None:
        raise ValueError("no")

    async def go() -> AsyncListener:
        async with AsyncListener(listener) as hook:
            hook(DONE)
            hook(DONE)
        return hook

    assert 2 == asyncio.run(go()).errors


def test_a_cancelled_wait_of_an_asynchronous_listener_stops_nothing() -> None:
    """What the listener awaited was cancelled by somebody: an error of that event, and the next one is heard."""
    heard: list[Any] = []

    async def listener(event: Any) -> None:
        if event is DONE:
            task = asyncio.create_task(asyncio.Event().wait())
            task.cancel()
            await task
        heard.append(event)

    async def go() -> AsyncListener:
        async with AsyncListener(listener) as hook:
            hook(DONE)
            hook(BUDGET)
        return hook

    assert 1 == asyncio.run(go()).errors
    assert [BUDGET] == heard


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_process_does_not_fill_its_parents_queue() -> None:
    """The event loop is the parent's: in a child events are counted as dropped instead of waiting for ever."""

    async def listener(_: Any) -> None: ...

    async def go() -> int:
        async with AsyncListener(listener) as hook:
            child = os.fork()
            if child == 0:
                hook(DONE)
                os._exit(0 if (hook.dropped, hook.waiting) == (1, 0) else 1)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert 0 == asyncio.run(go())


def test_events_for_a_loop_that_was_just_closed_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """A loop that ends without leaving ``async with`` hears no more: what waits is counted, not kept."""

    async def listener(_: Any) -> None: ...

    async def enter(hook: AsyncListener) -> None:
        await hook.__aenter__()

    hook = AsyncListener(listener)
    asyncio.run(enter(hook))
    hook(DONE)
    hook(DONE)

    assert (2, 0) == (hook.dropped, hook.waiting)
    assert "is closed; further ones are dropped and counted" in caplog.text


def test_events_after_the_loop_are_counted_as_dropped() -> None:
    """A client that outlives its listener loses nothing without a trace."""

    async def listener(_: Any) -> None: ...

    async def go() -> AsyncListener:
        async with AsyncListener(listener) as hook:
            return hook

    hook = asyncio.run(go())
    hook(DONE)

    assert 1 == hook.dropped


def test_nothing_secret_is_shown(canaries: Canaries, leaks: LeakCatcher) -> None:
    """A listener's errors and repr show neither the target nor what the listener said about it."""
    target = apns.Device(canaries.device_token)

    def listener(_: Any) -> None:
        raise ValueError(canaries.title)

    with ThreadListener(listener, maxsize=2) as hook:
        for event in every_event(target):
            hook(event)
    leaks.see(hook)
