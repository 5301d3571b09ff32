"""Inputs that misbehave: the caller hears of it, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.delivery.support import Phone, Score, Scripted, Words, client, phones, run

PUSH = Words(text="hi")

Failed = pytest.fail.Exception
"""What a test's failure raises: no ``Exception``."""


class Rows:
    """An asynchronous iterable of two targets that goes wrong in one place."""

    def __init__(self, place, error):
        self.place = place
        self.error = error
        self.given = 0

    def __aiter__(self):
        if self.place == "aiter":
            raise self.error
        return self

    async def __anext__(self):
        self.given += 1
        if self.given == 3:
            raise self.error if self.place == "anext" else StopAsyncIteration
        return Phone(str(self.given))

    async def aclose(self):
        if self.place == "aclose":
            raise self.error


async def read(message, targets):
    """All outcomes of a stream, within a second."""
    outcomes = []

    async def loop():
        async with client(Scripted(200)).stream(message, to=targets) as stream:
            async for outcome in stream:
                outcomes.append(outcome)

    try:
        await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(loop())), 1)
    except TimeoutError:
        return outcomes, "hangs"
    except BaseException as error:
        return outcomes, error
    return outcomes, None


@pytest.mark.parametrize("error", [ValueError("row 3"), asyncio.CancelledError("elsewhere"), Failed("row 3")])
@pytest.mark.parametrize("place", ["aiter", "anext", "aclose"])
def test_an_asynchronous_input_that_raises_anywhere_tells_its_caller(place, error):
    """An error where the input begins, gives or ends, of whatever kind, is raised after the outcomes of what was taken."""
    outcomes, raised = run(read(PUSH, Rows(place, error)))

    assert type(error) is type(raised)
    assert (0 if place == "aiter" else 2) == len(outcomes)


@pytest.mark.parametrize("error", [asyncio.CancelledError, Failed])
def test_an_input_that_raises_no_exception_tells_its_caller(error):
    """A generator that ends with a cancellation or a test's failure ends the stream with it."""

    def rows():
        yield Phone("1")
        raise error("row 2")

    outcomes, raised = run(read(PUSH, rows()))

    assert (1, error) == (len(outcomes), type(raised))


@pytest.mark.parametrize("error", [asyncio.CancelledError, Failed])
def test_a_message_callable_that_raises_no_exception_tells_its_caller(error):
    """Each push has an outcome, and what the callable raised reaches the caller in the end."""

    def message(target):
        if target.number == "n1":
            raise error("no")
        return PUSH

    outcomes, raised = run(read(message, phones(3)))

    assert {"n0": None, "n1": "message_failed", "n2": None} == {o.target.number: getattr(o, "reason", None) for o in outcomes}
    assert error is type(raised)


def test_an_input_that_was_left_before_it_began_is_not_read():
    """cancel() before the first outcome reads nothing of an asynchronous input."""
    taken = []

    async def rows():
        for phone in phones(5):
            taken.append(phone)
            yield phone

    async def work():
        stream = client(Scripted(200)).stream(PUSH, to=rows())
        stream.cancel()
        return [outcome async for outcome in stream]

    assert ([], []) == (run(work()), taken)


def test_an_input_that_has_ended_is_not_asked_again():
    """An iterator that goes on after its end does not make a stream go on."""

    class Restarting:
        def __init__(self):
            self.asked = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.asked += 1
            if self.asked == 3:
                raise StopIteration
            return Phone(str(self.asked))

    outcomes, raised = run(read(PUSH, Restarting()))

    assert (2, None) == (len(outcomes), raised)


def test_a_bad_address_of_a_message_that_is_replaced_stops_nobody():
    """A message that a later one makes worthless remembers addresses; one that cannot be remembered is only a bad row."""
    outcomes, raised = run(read(Score(), [Phone(["no", "text"]), Phone("2")]))

    assert ({"2": True}, None) == ({o.target.number: o.accepted for o in outcomes if o.target.number == "2"}, raised)
    assert 2 == len(outcomes)
