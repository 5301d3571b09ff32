"""Closing a client: every push has its outcome, however the closing itself ends."""

from __future__ import annotations

import asyncio
import math

import pytest
from tests.unit.delivery.support import Phone, Scripted, Toy, ToySender, Words, client, phones, run, settled

from pushkit import ClientClosedError

PUSH = Words(text="hi")


def test_a_cancelled_close_still_closes():
    """Whoever gives up waiting for the drain gets a closed client all the same, and no push is left without an outcome."""

    async def work():
        transport = Scripted(None)
        push = client(transport)
        sending = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        closing = asyncio.ensure_future(push.aclose(100))
        await settled()
        closing.cancel()
        await settled()
        return sending.done() and sending.result().reason, transport.closed

    assert ("closed", True) == run(work())


def test_a_transport_that_fails_to_close_leaves_nobody_waiting():
    """An error of a caller's own transport is raised after every push has its outcome."""

    async def work():
        transport = Scripted(None)

        async def broken():
            raise OSError("cannot close")

        transport.aclose = broken
        push = client(transport)
        sending = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        with pytest.raises(OSError, match="cannot close"):
            await push.aclose(0)
        return await asyncio.wait_for(sending, 1)

    assert "client_closed" == run(work()).reason


def test_closing_frees_what_a_rate_holds_back():
    """send_many that waits for its rate when the client is closed has an outcome for every row."""

    async def work():
        transport = Scripted(200)
        push = client(transport, Toy(lambda app: ToySender(app, rate=1.0)))
        sending = asyncio.ensure_future(push.send_many(PUSH, to=phones(20)))
        await transport.clock.advance_async(3)
        await push.aclose(0)
        return await asyncio.wait_for(sending, 1)

    report = run(work())

    assert 20 == report.total
    assert {"client_closed"} == {failure.reason for failure in report.failures}


def test_a_stream_that_begins_after_the_close_ends_at_once():
    """A stream that was made before the client was closed, and is read afterwards, reads nothing of its input."""
    taken = []

    async def work():
        push = client(Scripted(200))
        stream = push.stream(PUSH, to=(taken.append(phone) or phone for phone in phones(1000)))
        await push.aclose()
        with pytest.raises(ClientClosedError):
            async for _ in stream:
                pass

    run(work())

    assert [] == taken


@pytest.mark.parametrize("grace", [math.inf, math.nan, -1.0, 0])
def test_any_grace_closes(grace):
    """Endless, negative or no number at all: an idle client is closed."""

    async def work():
        transport = Scripted(200)
        push = client(transport)
        await push.send(PUSH, to=Phone("1"))
        await asyncio.wait_for(push.aclose(grace), 1)
        return transport.closed

    assert run(work())


def test_an_endless_grace_waits_for_what_is_under_way():
    """grace=inf drains to the end."""

    async def work():
        transport = Scripted((20.0, 200))
        push = client(transport)
        sending = asyncio.ensure_future(push.send(PUSH, to=Phone("1"), retry=None))
        await settled()
        closing = asyncio.ensure_future(push.aclose(math.inf))
        await transport.clock.advance_async(30)
        await asyncio.wait_for(closing, 1)
        return sending.result()

    assert run(work()).attempts


def test_a_grace_of_the_wrong_kind_does_not_close():
    """A mistake in the call leaves the client as it was: it can still be closed."""

    async def work():
        transport = Scripted(200)
        push = client(transport)
        await push.send(PUSH, to=Phone("1"))
        with pytest.raises(TypeError):
            await push.aclose(None)
        await push.aclose()
        return transport.closed

    assert run(work())
