"""
The ledger: pushes through random faults over real sockets, and what the service saw against what the client says.

Every input has exactly one outcome; what was accepted was seen; nothing that may have been taken is sent
again where a copy would show; nothing is sent after its expiry.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest

from pushkit import Accepted, AsyncClient, Disposition, Notification, RetryPolicy, apns
from pushkit.testing import Behaviour, Disconnect, GoAway, PushServer, Reset, StreamLimit


class Ledger:
    """What reached the service, by device token; filled from the services' thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.taken: Counter[str] = Counter()
        self.possible: Counter[str] = Counter()
        self.late = 0
        self.requests = 0

    def note(self, record) -> None:
        token = record.request.target.rpartition("/")[2]
        expiration = next(int(value) for name, value in record.request.fields if name == b"apns-expiration")
        with self._lock:
            self.requests += 1
            # One second of grace: the expiry travels in whole seconds, and the record is written after the request came.
            self.late += bool(expiration) and record.time > expiration + 1.5
            accepted = record.answer is not None and record.answer.status == 200
            self.taken[token] += accepted
            self.possible[token] += accepted or (bool(record.fault) and not unprocessed(record.fault))


def unprocessed(fault: str) -> bool:
    """Whether the wire itself proves that the service did not take the push."""
    return "REFUSED_STREAM" in fault or ("GoAway" in fault and ("before" in fault or "none" in fault))


def trouble(seed: int) -> Behaviour:
    """About one push in twenty meets something."""
    behaviour = Behaviour(seed=seed)
    script = behaviour.apns
    script.rate(0.001).fault(GoAway("before"))
    script.rate(0.0004).fault(GoAway("unanswered"))
    script.rate(0.001).fault(GoAway("answered"))
    script.rate(0.01).fault(Reset("REFUSED_STREAM"))
    script.rate(0.005).fault(Reset("INTERNAL_ERROR"))
    script.rate(0.0004).fault(Disconnect())
    script.rate(0.0004).fault(Disconnect(abrupt=False))
    script.rate(0.001).fault(StreamLimit(1, lasts=0.05))
    script.rate(0.01).answer("ServiceUnavailable")
    script.rate(0.01).answer("Unregistered")
    script.rate(0.01).answer("TooManyRequests")
    return behaviour


async def send_through(server: PushServer, count: int, policy: RetryPolicy, first: int = 0):
    """All outcomes, by device token."""
    outcomes: dict[str, list] = {}
    devices = [apns.Device(f"{first + number:064x}") for number in range(count)]
    options = {"apns": server.apns_config(), "ssl_context": server.ssl_context(), "max_in_flight": 200, "retry": policy}
    async with AsyncClient(**options) as push, push.stream(Notification(title="x", ttl=60), to=devices) as stream:
        async for outcome in stream:
            outcomes.setdefault(outcome.target.token, []).append(outcome)
    return outcomes


def check(outcomes, ledger: Ledger, count: int, *, copies: int) -> None:
    """Compare both sides."""
    assert count == len(outcomes)
    assert {1} == {len(given) for given in outcomes.values()}
    assert 0 == ledger.late
    for token, (outcome,) in outcomes.items():
        if isinstance(outcome, Accepted):
            assert ledger.taken[token] >= 1
        elif outcome.disposition is Disposition.NOT_SENT:
            assert ledger.possible[token] == 0
        elif outcome.disposition is Disposition.REJECTED:
            assert ledger.taken[token] == 0
    assert max(ledger.possible.values()) <= copies


CASES = [
    pytest.param(RetryPolicy(attempts=4, on_unknown="never", deadline=20, max_sleep=10), 1, id="never"),
    pytest.param(RetryPolicy(attempts=4, on_unknown="replaceable", dedupe=False, deadline=20, max_sleep=10), 1, id="no dedupe"),
    pytest.param(RetryPolicy(attempts=4, deadline=20, max_sleep=10), 2, id="replaceable"),
]


@pytest.mark.parametrize(("policy", "copies"), CASES)
def test_the_ledger_balances(policy, copies):
    """Three thousand pushes through faults: one outcome each, and no copy that is not allowed."""
    ledger = Ledger()
    with PushServer(behaviour=trouble(11), keep=10) as server:
        server.sent.listen(ledger.note)
        outcomes = asyncio.run(asyncio.wait_for(send_through(server, 3_000, policy), 60))

    check(outcomes, ledger, 3_000, copies=copies)
    assert {"Accepted", "RecipientFailure", "TechnicalFailure"} == {type(given[0]).__name__ for given in outcomes.values()}
    assert ledger.requests > 2_500


@pytest.mark.full
@pytest.mark.parametrize(("policy", "copies"), CASES)
def test_the_ledger_balances_at_length(policy, copies):
    """The same with two hundred thousand pushes, in ten rounds with other faults each."""
    for seed in range(10):
        ledger = Ledger()
        with PushServer(behaviour=trouble(seed), keep=10) as server:
            server.sent.listen(ledger.note)
            outcomes = asyncio.run(asyncio.wait_for(send_through(server, 20_000, policy), 300))
        check(outcomes, ledger, 20_000, copies=copies)


def test_nothing_is_sent_after_its_expiry():
    """A backlog of single sends that live one second is sent in time or not at all."""
    ledger = Ledger()
    behaviour = Behaviour()
    behaviour.apns.always().delay(0.5)

    async def work(server):
        devices = [apns.Device(f"{number:064x}") for number in range(100)]
        async with AsyncClient(apns=server.apns_config(), ssl_context=server.ssl_context(), max_in_flight=10) as push:
            return await asyncio.gather(*(push.send(Notification(title="x", ttl=1), to=device) for device in devices))

    with PushServer(behaviour=behaviour, keep=10) as server:
        server.sent.listen(ledger.note)
        outcomes = asyncio.run(asyncio.wait_for(work(server), 60))
    expired = [outcome for outcome in outcomes if not outcome.accepted]

    assert {"expired"} == {outcome.reason for outcome in expired}
    assert 50 <= len(expired) <= 95
    assert 100 == len(expired) + ledger.requests
    assert 0 == ledger.late
