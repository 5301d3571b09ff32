"""What expires while it waits for a connection is not sent any more; what is on its way goes on."""

from __future__ import annotations

import pytest
from tests.unit.delivery.support import Flight, Phone, Scripted, Words, after, client, response, run

from pushkit import Disposition, RetryPolicy
from pushkit.wire import FaultKind, Processed, WireFault


class Waiting(Flight):
    """A request that waits for a connection, until it is begun."""

    begun = False

    def recall(self):
        if self.begun or self.done is None:
            return False
        self.answer(WireFault(kind=FaultKind.CANCELLED, processed=Processed.NO))
        return True


class Slow(Scripted):
    """A transport that needs five seconds for a connection, and another five for an answer."""

    def submit(self, request, done):
        flight = Waiting(self, request, done)
        self.requests.append((self.clock.time(), request))
        now = self.clock.monotonic()
        self.clock.call_at(now + 5, lambda: self.begin(flight))
        return flight

    def begin(self, flight):
        flight.begun = flight.done is not None
        self.written = getattr(self, "written", 0) + flight.begun
        self.clock.call_at(self.clock.monotonic() + 5, lambda: flight.answer(response(200)))


@pytest.mark.parametrize(("ttl", "ends"), [(0, 2.0), (3, 3.0)])
def test_a_push_that_waits_longer_than_it_lives_is_not_sent(ttl, ends):
    """Now or never means two seconds, for what waits in the transport too; the outcome is certain that nothing was sent."""

    async def work():
        transport = Slow()
        outcome = await after(transport.clock, client(transport).send(Words(ttl=ttl), to=Phone("1")))
        await transport.clock.advance_async(20)
        return outcome, getattr(transport, "written", 0)

    outcome, written = run(work())

    assert ("expired", Disposition.NOT_SENT, 0) == (outcome.reason, outcome.disposition, written)
    assert ends == pytest.approx(outcome.elapsed, abs=0.3)


def test_a_push_that_is_on_its_way_keeps_its_answer():
    """An expiry while the provider works on it changes nothing: it was told the expiry."""

    async def work():
        transport = Slow()
        return await after(transport.clock, client(transport).send(Words(ttl=7), to=Phone("1"), retry=RetryPolicy(attempt_timeout=20)))

    assert run(work()).accepted


def test_expiring_pushes_open_no_breaker():
    """That there was no time says nothing about the service."""

    async def work():
        transport = Slow()
        push = client(transport)
        await after(transport.clock, push.send_many(Words(ttl=0), to=[Phone(str(number)) for number in range(50)]))
        return push.health().senders[0].breakers

    assert {} == run(work())
