"""The synchronous client: threads, iterables, forks, loops, Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from tests.unit.delivery.support import STEADY, Phone, Scripted, Toy, Words, phones

from pushkit import AsyncClient, Client, ClientClosedError, ConfigurationError, Report

PUSH = Words(text="hi")


def toy_client(script=200, **more):
    """A synchronous client of the toy service."""
    more.setdefault("retry", STEADY)
    return Client(providers=[Toy()], transport=Scripted(script), **more)


def test_a_send_gives_its_outcome():
    """send returns the outcome, without an event loop anywhere in sight."""
    with toy_client() as push:
        assert push.send(PUSH, to=Phone("1")).accepted


def test_send_many_keeps_the_order():
    """The report's outcomes are in the order of the input, bad rows in their places."""
    targets = [Phone("1"), None, Phone("2"), Phone("")]
    with toy_client() as push:
        report = push.send_many(PUSH, to=targets)

    assert targets == [outcome.target for outcome in report.outcomes]
    assert [True, False, True, False] == [outcome.accepted for outcome in report.outcomes]


def test_the_callers_code_runs_in_the_callers_thread():
    """Input iterables and message callables never run in the background thread; hooks always do."""
    here, seen, hooks = threading.get_ident(), set(), set()

    def targets():
        for phone in phones(1000):
            seen.add(threading.get_ident())
            yield phone

    def message(_target):
        seen.add(threading.get_ident())
        return PUSH

    with toy_client(hooks=[lambda _event: hooks.add(threading.get_ident())]) as push:
        for _ in push.stream(message, to=targets()):
            pass

    assert {here} == seen
    assert here not in hooks
    assert 1 == len(hooks)


def test_a_message_callable_is_called_once_for_each_push():
    """A thousand targets, a thousand calls, also where pushes are retried."""
    calls = []
    with toy_client() as push:
        push.send_many(lambda target: calls.append(target.number) or PUSH, to=phones(1000))

    assert [phone.number for phone in phones(1000)] == calls


def test_a_database_cursor_is_an_input():
    """An sqlite3 cursor, which belongs to its thread, can be read row by row."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database, toy_client(max_in_flight=50) as push:
        database.execute("create table devices (number text)")
        database.executemany("insert into devices values (?)", [(str(n),) for n in range(2000)])
        report = push.send_many(PUSH, to=(Phone(number) for (number,) in database.execute("select number from devices")))

    assert 2000 == report.accepted


def test_a_stream_reads_its_input_only_as_fast_as_it_is_sent():
    """A stream whose outcomes nobody reads takes a bounded part of an endless input."""
    taken = []

    def endless():
        number = 0
        while True:
            taken.append(number)
            yield Phone(str(number))
            number += 1

    with toy_client(max_in_flight=20) as push, push.stream(PUSH, to=endless()) as outcomes:
        for _ in range(100):
            next(outcomes)
        time.sleep(0.05)

    assert len(taken) <= 100 + 4 * 20


def test_an_ordered_stream_keeps_the_order():
    """ordered=True gives outcomes in the order of the input."""
    with toy_client(max_in_flight=16) as push:
        numbers = [outcome.target.number for outcome in push.stream(PUSH, to=phones(500), ordered=True)]

    assert [phone.number for phone in phones(500)] == numbers


def test_leaving_a_stream_early_cancels_it_and_loses_no_outcome():
    """What was read from the input has an outcome that hooks hear, and the generator is closed in this thread."""
    heard, taken, closed = [], [], []

    def rows():
        try:
            for phone in phones(5000):
                taken.append(phone)
                yield phone
        finally:
            closed.append(threading.get_ident())

    with toy_client(hooks=[heard.append], max_in_flight=50) as push:
        with push.stream(PUSH, to=rows()) as outcomes:
            next(outcomes)
        assert 0 == push.health().in_flight

    assert [threading.get_ident()] == closed
    assert len(taken) == len([event for event in heard if type(event).__name__ == "Finished"])


def test_an_error_in_the_input_comes_after_the_outcomes():
    """The caller's own error is raised when what had been taken has ended."""

    def broken():
        yield from phones(300)
        raise LookupError("row 301")

    seen = []
    with toy_client() as push, pytest.raises(LookupError, match="row 301") as caught:
        for outcome in push.stream(PUSH, to=broken()):
            seen.append(outcome)

    assert 300 == len(seen)
    assert "300 pushes" in caught.value.__notes__[0]


def test_many_threads_share_one_client():
    """Sends, reports and streams from twenty threads at once all come out right."""
    results = []

    def work(number):
        if number % 3 == 0:
            results.append(push.send(PUSH, to=Phone(f"t{number}")).accepted)
        elif number % 3 == 1:
            results.append(push.send_many(PUSH, to=phones(200)).accepted == 200)
        else:
            results.append(sum(outcome.accepted for outcome in push.stream(PUSH, to=phones(200))) == 200)

    with toy_client(max_in_flight=64) as push:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        running = [thread for thread in threading.enumerate() if thread in threads]

    assert [] == running
    assert [True] * 20 == results


def test_resume_sends_again():
    """Retryable failures go out again through the synchronous client."""
    transport = Scripted(lambda _r, count: 200 if count else 506)
    with Client(providers=[Toy()], transport=transport, retry=STEADY) as push:
        report = push.send_many(PUSH, to=phones(10))
        resumed = Report.collect(push.resume(report.to_resume))

    assert 10 == len(report.to_resume)
    assert 10 == resumed.accepted


def test_it_works_inside_a_running_loop():
    """A synchronous client inside an async function blocks that function and works."""

    async def work():
        with toy_client() as push:
            return push.send(PUSH, to=Phone("1"))

    assert asyncio.run(work()).accepted


def test_a_closed_client_says_so():
    """A call after close raises, and closing twice does nothing."""
    push = toy_client()
    push.send(PUSH, to=Phone("1"))
    push.close()
    push.close()

    with pytest.raises(ClientClosedError, match="make a new one"):
        push.send(PUSH, to=Phone("1"))
    assert push.health().closed


def test_the_thread_ends_with_the_client():
    """Closing leaves no thread behind."""
    before = threading.active_count()
    for _ in range(3):
        with toy_client() as push:
            push.send(PUSH, to=Phone("1"))

    assert before == threading.active_count()


def test_nothing_starts_before_the_first_send():
    """Making a client starts no thread."""
    before = threading.active_count()
    push = toy_client()

    assert before == threading.active_count()
    assert push.health().usable
    push.close()


def test_a_hook_that_calls_its_own_client_is_told():
    """A hook that sends would wait for itself for ever; it raises instead, and that is reported."""
    errors = []

    def hook(_event):
        try:
            push.send(PUSH, to=Phone("2"))
        except RuntimeError as error:
            errors.append(str(error))

    with toy_client(hooks=[hook]) as push:
        push.send(PUSH, to=Phone("1"))

    assert errors
    assert "queue" in errors[0]


def test_a_thread_that_never_runs_is_told(monkeypatch):
    """A server without threads gets an error that says why, instead of a hang."""
    monkeypatch.setattr("_thread.start_new_thread", lambda *_arguments: 0)
    monkeypatch.setattr("pushkit.client.portal.START_WITHIN", 0.05)

    with pytest.raises(RuntimeError, match="--enable-threads"):
        toy_client().send(PUSH, to=Phone("1"))


def test_a_child_process_starts_anew():
    """After fork the child sends with a thread and connections of its own, and the parent goes on."""
    with toy_client() as push:
        push.send(PUSH, to=Phone("1"))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(write, b"y" if push.send(PUSH, to=Phone("2")).accepted else b"n")
            finally:
                os._exit(0)
        os.close(write)
        said = os.read(read, 1)
        os.waitpid(child, 0)

        assert b"y" == said
        assert push.send(PUSH, to=Phone("3")).accepted


def run_script(text, *, after=None, expect=0):
    """Run a script in a process of its own; ``after``: send it SIGINT when it has printed a line."""
    # A shell without job control has what it starts in the background ignore Ctrl-C.
    as_in_a_terminal = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", as_in_a_terminal + textwrap.dedent(text)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path.cwd(),
    )
    if after is not None:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(after)
    out, err = process.communicate(timeout=30)
    assert expect == process.returncode, err
    return out, err


HEAD = """
    import sys
    sys.path[:0] = ["src", "."]
    from pushkit import Client
    from tests.unit.delivery.support import Phone, Scripted, Toy, Words
"""


def test_ctrl_c_interrupts_a_send():
    """KeyboardInterrupt reaches the caller of a send that waits, and the program ends in order."""
    out, _ = run_script(
        HEAD
        + """
    push = Client(providers=[Toy()], transport=Scripted(None))
    push.send_many(Words(), to=[])
    try:
        print("sending", flush=True)
        push.send(Words(), to=Phone("1"))
    except KeyboardInterrupt:
        print("interrupted", push.health().in_flight, flush=True)
    push.close(0)
    """,
        after=signal.SIGINT,
    )

    assert "interrupted 0" in out


def test_a_program_that_forgets_to_close_ends_in_order():
    """Leaving the interpreter with an open client gives no error and no hang."""
    _, err = run_script(
        HEAD
        + """
    push = Client(providers=[Toy()], transport=Scripted(200))
    push.send(Words(), to=Phone("1"))
    """
    )

    assert "" == err


def test_ctrl_c_interrupts_a_stream():
    """KeyboardInterrupt in the middle of a stream leaves nothing running."""
    out, _ = run_script(
        HEAD
        + """
    import itertools
    push = Client(providers=[Toy()], transport=Scripted(200))
    try:
        with push.stream(Words(), to=(Phone(str(n)) for n in itertools.count())) as outcomes:
            for number, _ in enumerate(outcomes):
                if number == 100:
                    print("running", flush=True)
    except KeyboardInterrupt:
        print("interrupted", push.health().in_flight, flush=True)
    push.close(0)
    """,
        after=signal.SIGINT,
    )

    assert "interrupted 0" in out


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda push: push.send("hello", to=Phone("1")), "Notification"),
        (lambda push: push.send(Words, to=Phone("1")), r"Words\(\.\.\.\)"),
        (lambda push: push.send(PUSH, to=phones(2)), "send_many"),
        (lambda push: push.send(PUSH, to="80b5"), "bare token"),
        (lambda push: push.send(PUSH, to=Phone), r"Phone\(\.\.\.\)"),
        (lambda push: push.send_many(PUSH, to=7), "iterable of targets"),
        (lambda push: push.send(PUSH, to=Phone("1"), retry=type(STEADY).none), "with the brackets"),
        (lambda push: push.stream(PUSH, to=aiter_of([])), "AsyncClient"),
        (lambda push: push.resume(7), "to_resume"),
        (lambda push: push.check(PUSH, to=[Phone("1")]), "call it for each"),
    ],
)
def test_a_programmers_mistake_raises_at_once_with_the_mend(call, said):
    """Every wrong argument raises before anything is sent, and says what to pass."""
    with toy_client() as push, pytest.raises(TypeError, match=said):
        call(push)


async def aiter_of(items):
    """An asynchronous iterable."""
    for item in items:
        yield item


def test_a_client_without_a_provider_says_what_to_pass():
    """A client that was configured for nothing raises at the first call."""
    with pytest.raises(ConfigurationError, match="apns="):
        Client().send(PUSH, to=Phone("1"))


def test_check_tells_what_sending_would_refuse():
    """check gives the failure before the network, or None."""
    with toy_client() as push:
        assert push.check(PUSH, to=Phone("1")) is None
        assert "invalid_number" == push.check(PUSH, to=Phone("")).reason
        assert "invalid_target" == push.check(PUSH, to=None).reason
        assert "invalid_ttl" == push.check(Words(ttl=-1), to=Phone("1")).reason


def test_both_clients_have_the_same_calls_with_the_same_words():
    """Names, signatures and docstrings of the two clients are the same, apart from what is said to differ."""
    renamed = {"aclose": "close"}
    calls = [name for name in vars(AsyncClient) if not name.startswith("_")]

    assert {renamed.get(name, name) for name in calls} == {name for name in vars(Client) if not name.startswith("_")}
    for name in ["__init__", *calls]:
        ours, theirs = getattr(AsyncClient, name), getattr(Client, renamed.get(name, name))
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), name
        if name not in {"send_many", "stream", "__init__"}:
            assert inspect.getdoc(ours) == inspect.getdoc(theirs), name


def test_a_hook_may_look_at_its_client():
    """A hook that asks for health or confirms suspects does not wait for itself."""
    seen = []
    with toy_client(hooks=[lambda _event: seen.append((push.health().usable, push.confirm_suspects()))]) as push:
        push.send(PUSH, to=Phone("1"))

    assert (True, 0) in seen


def test_a_hook_that_closes_its_client_is_told():
    """Closing from a hook would wait for itself; it raises instead."""
    errors = []

    def hook(_event):
        try:
            push.close()
        except RuntimeError as error:
            errors.append(str(error))

    with toy_client(hooks=[hook]) as push:
        push.send(PUSH, to=Phone("1"))

    assert "another thread" in errors[0]


def until(condition, seconds=5.0):
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_a_dropped_client_takes_its_thread_along():
    """A client that goes out of scope without close leaves no thread behind."""
    before = threading.active_count()
    push = toy_client()
    push.send(PUSH, to=Phone("1"))
    portal = push._portal
    del push
    gc.collect()

    assert until(lambda: portal.loop.is_closed())
    assert until(lambda: threading.active_count() == before)


def test_a_loop_that_is_left_without_with_stops_its_stream():
    """break in a bare for over a stream cancels what is under way, as leaving a with does."""
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield Phone(str(number))

    with toy_client(max_in_flight=10) as push:
        for _ in push.stream(PUSH, to=endless()):
            break
        assert until(lambda: push.health().in_flight == 0)
        before = len(taken)
        push.send_many(PUSH, to=phones(50))
        engine = push._portal.engine()

    assert before == len(taken)
    assert 0 == len(engine.streams)


@pytest.mark.parametrize("targets", ["token", 7, None])
def test_topics_refuse_what_is_no_target(targets):
    """A token in place of a registration is a mistake of the call, not five outcomes about its letters."""
    with toy_client() as push, pytest.raises(TypeError, match="target"):
        push.topics().subscribe("news", to=targets)
