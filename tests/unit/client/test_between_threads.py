"""The synchronous client where two threads meet: ends of inputs, closing from elsewhere, interrupts."""

from __future__ import annotations

import gc
import threading
import time

import pytest
from tests.unit.delivery.support import STEADY, Phone, Scripted, Toy, Words, phones

from pushkit import Client, ClientClosedError
from pushkit.client import bridge, portal

PUSH = Words(text="hi")


def toy_client(script=200, **more):
    """A synchronous client of the toy service."""
    more.setdefault("retry", STEADY)
    return Client(providers=[Toy()], transport=Scripted(script), **more)


def test_the_last_rows_are_not_lost_where_two_threads_meet(monkeypatch):
    """Rows that arrive after the loop found none, and before it asks whether there will be more, are sent."""
    empty = bridge.Inbox.next
    late = [(Phone("late"), PUSH, None)]

    def next_(self):
        item = empty(self)
        if item is bridge.END and late and not self.ended:
            self.items.append(late.pop())
            self.ended = True
        return item

    def rows():
        yield Phone("1")
        time.sleep(0.02)  # longer than a batch may take, so that the loop gets what there is …
        yield Phone("2")
        while late:  # … and finds nothing more
            time.sleep(0.005)

    monkeypatch.setattr(bridge.Inbox, "next", next_)
    with toy_client() as push:
        numbers = {outcome.target.number for outcome in push.stream(PUSH, to=rows())}

    assert {"1", "2", "late"} == numbers


def test_no_message_is_made_for_a_repeat():
    """unique=True calls the message callable once for each push, and a repeat is none."""
    made = []
    with toy_client() as push:
        report = push.send_many(lambda target: made.append(target) or PUSH, to=[Phone("1"), Phone("1"), Phone("2")], unique=True)

    assert (2, [Phone("1"), Phone("2")]) == (report.total, made)


def test_a_stream_keeps_its_client():
    """A stream whose client nobody else holds is sent to its end."""
    stream = toy_client().stream(PUSH, to=phones(500))
    gc.collect()

    assert 500 == sum(outcome.accepted for outcome in stream)


def test_closing_in_the_middle_of_a_stream_loses_no_outcome():
    """Outcomes that are there can be read after the client was closed; then the stream says that it was cut."""
    read = []
    push = toy_client(max_in_flight=3)
    with pytest.raises(ClientClosedError, match="had been taken"):
        for outcome in push.stream(PUSH, to=phones(2000)):
            read.append(outcome)
            if len(read) == 5:
                push.close()

    assert 5 <= len(read) < 2000


def closed_under(work, push, *, wait):
    """What a call in another thread gave or raised when the client was closed under it."""
    ended = []

    def call():
        try:
            ended.append(work(push))
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    wait.wait(5)
    push.close(0)
    thread.join(5)
    return ended[0] if ended else "hangs"


def endless(started):
    """Rows without an end."""
    number = 0
    while True:
        number += 1
        if number == 50:
            started.set()
        yield Phone(str(number))


def test_closing_ends_a_send_many_of_another_thread():
    """send_many with an endless input raises that the client was closed; it does not hang."""
    started = threading.Event()

    assert isinstance(
        closed_under(lambda push: push.send_many(PUSH, to=endless(started)), toy_client(max_in_flight=5), wait=started), ClientClosedError
    )


def test_closing_ends_a_stream_of_another_thread():
    """So does a stream."""
    started = threading.Event()

    assert isinstance(
        closed_under(lambda push: list(push.stream(PUSH, to=endless(started))), toy_client(max_in_flight=5), wait=started),
        ClientClosedError,
    )


def test_what_was_handed_over_before_the_end_is_answered():
    """A send that another thread posted just before the loop ended has its outcome: refused, not sent, and nobody waits for ever."""
    push = toy_client()
    push.send(PUSH, to=Phone("1"))
    there = push._portal
    engine = there.engine()
    ended = []
    with there._gate:  # the loop cannot end before this is posted …
        there.post(there._stop.set)
        time.sleep(0.05)  # … although it has been told to, and waits for that
        box = portal.Box(lambda: ended.append(engine.closing))
        there.post(box.run)
    box.wait()

    assert 1 == len(ended)
    assert there._ended.wait(5)
    with pytest.raises(ClientClosedError):
        push.send(PUSH, to=Phone("2"))


def test_a_coroutine_that_runs_at_the_end_is_cancelled():
    """verify() in one thread does not wait for ever when another one closes the client."""
    import asyncio

    push = toy_client()
    push.send(PUSH, to=Phone("1"))
    there, begun = push._portal, threading.Event()

    async def forever():
        begun.set()
        await asyncio.Event().wait()

    assert isinstance(closed_under(lambda _push: there.run(forever), push, wait=begun), ClientClosedError)


def test_an_interrupted_close_closes_at_once(monkeypatch):
    """Ctrl-C while close() drains cuts it short: the thread ends, and the pushes have their outcomes."""
    heard = []
    push = toy_client(None, hooks=[heard.append])
    sending = threading.Thread(target=lambda: push.send(PUSH, to=Phone("1")), daemon=True)
    sending.start()
    there = None
    while there is None or not there.engine().launched:
        there = push._portal
        time.sleep(0.005)
    monkeypatch.setattr(portal.concurrent.futures.Future, "result", lambda _self: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        push.close(60)
    monkeypatch.undo()
    sending.join(5)

    assert there._ended.wait(5)
    assert not sending.is_alive()


def test_a_thread_that_runs_too_late_ends_again(monkeypatch):
    """When the background thread was given up, it does not stay behind for nobody once it does run."""
    run_later = []
    monkeypatch.setattr(portal, "START_WITHIN", 0.01)
    monkeypatch.setattr(portal._thread, "start_new_thread", lambda work, arguments: run_later.append(lambda: work(*arguments)))
    with pytest.raises(RuntimeError, match="enable-threads"):
        toy_client().send(PUSH, to=Phone("1"))
    monkeypatch.undo()
    thread = threading.Thread(target=run_later[0], daemon=True)
    thread.start()
    thread.join(5)

    assert not thread.is_alive()


def test_a_grace_of_the_wrong_kind_does_not_close():
    """A mistake in the call leaves the client as it was: it can still be closed."""
    push = toy_client()
    push.send(PUSH, to=Phone("1"))
    there = push._portal
    with pytest.raises(TypeError):
        push.close(None)
    push.close()

    assert there.loop.is_closed()


def test_threads_of_a_child_process_share_one_new_start(monkeypatch):
    """Threads that meet in a child at once start one background thread, and none of them takes it from another."""
    push = toy_client()
    push.send(PUSH, to=Phone("1"))
    parents, abandon = push._portal, Client._after_fork

    def slowly(self):
        time.sleep(0.05)
        abandon(self)

    parent = portal.os.getpid()
    monkeypatch.setattr(Client, "_after_fork", slowly)
    monkeypatch.setattr(portal.os, "getpid", lambda: parent + 1)
    found = []
    threads = [threading.Thread(target=lambda: found.append(push._there()), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join(10)
    children = set(found)
    push.close()
    monkeypatch.undo()
    parents.close(0)

    assert 4 == len(found)
    assert 1 == len(children)
    assert parents not in children
