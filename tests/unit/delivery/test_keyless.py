"""Pushes that wait for a credential, and what a refused one does to all."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.unit.delivery.support import Phone, Scripted, Toy, ToySender, Words, after, client, phones, run, settled, technical

from pushkit import RetryPolicy, Scope
from pushkit.provider import AccessToken

PUSH = Words(text="hi")
ONCE = RetryPolicy.none()


class Key:
    """A credential that a test's own function fetches."""

    key = "key"

    def __init__(self, fetch):
        self.fetch = fetch


def keyed(transport, fetch, **more):
    """A client whose pushes need that credential."""
    return client(transport, Toy(lambda app: ToySender(app, credential=Key(fetch))), **more)


def token(now):
    """A token for an hour."""
    return AccessToken(value=f"t{now}", expires_at=now + 3600)


def flowing(now, _deadline):
    """A flow that needs no request."""
    yield from ()
    return token(now)


@pytest.fixture
def stuck():
    """A blocking fetch that returns when it is released, and how often it was begun."""
    released, begun = threading.Event(), []

    def fetch(now, _deadline):
        def work():
            begun.append(now)
            released.wait(20)
            return token(now)

        return work

    fetch.begun = begun
    yield fetch
    released.set()


def test_a_fetch_that_never_ends_hangs_no_later_push_either(stuck):
    """When a fetch has taken too long, pushes that come later fail at once; no second thread is begun beside it."""

    async def work():
        transport = Scripted(200)
        push = keyed(transport, stuck, retry=ONCE)
        await after(transport.clock, push.send(PUSH, to=Phone("1")), limit=30)
        return await asyncio.wait_for(push.send(PUSH, to=Phone("2")), 1)

    outcome = run(work())

    assert ("credential_timeout", True, 1) == (outcome.reason, outcome.retryable, len(stuck.begun))


def test_the_deadline_holds_while_a_credential_is_fetched(stuck):
    """A push with two seconds comes back after two seconds, not when the fetch gives up."""

    async def work():
        transport = Scripted(200)
        push = keyed(transport, stuck)
        return await after(transport.clock, push.send(PUSH, to=Phone("1"), retry=RetryPolicy(deadline=2)), limit=30)

    outcome = run(work())

    assert ("timeout", True) == (outcome.reason, outcome.retryable)
    assert 2.0 == pytest.approx(outcome.elapsed, abs=0.5)


def test_a_push_expires_while_a_credential_is_fetched(stuck):
    """What is too old before the token comes is not sent."""

    async def work():
        transport = Scripted(200)
        push = keyed(transport, stuck)
        outcome = await after(transport.clock, push.send(Words(ttl=1), to=Phone("1")), limit=30)
        return outcome, transport

    outcome, transport = run(work())

    assert ("expired", []) == (outcome.reason, transport.requests)


def test_a_cancelled_push_waits_for_no_credential(stuck):
    """A send that is cancelled while its token is fetched leaves no place taken."""

    async def work():
        push = keyed(Scripted(200), stuck)
        sending = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        before = push.health().senders[0].waiting
        sending.cancel()
        await settled()
        return before, push.health().senders[0].waiting

    assert (1, 0) == run(work())


def test_a_fetch_that_never_ends_does_not_hold_up_the_loops_end(stuck):
    """asyncio.run returns although the thread of a blocking fetch still runs."""

    async def work():
        push = keyed(Scripted(200), stuck)
        sending = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        await push.aclose(0)
        return await sending

    ended = threading.Event()
    runner = threading.Thread(target=lambda: (run(work()), ended.set()), daemon=True)
    runner.start()

    assert ended.wait(10)


def test_a_fetch_that_raises_at_once_is_an_outcome():
    """A provider whose fetch raises instead of giving a flow fails its own pushes, and the next one asks again."""

    async def work():
        def fetch(_now, _deadline):
            raise ValueError("no")

        transport = Scripted(200)
        push = keyed(transport, fetch, retry=ONCE)
        first = await asyncio.wait_for(push.send(PUSH, to=Phone("1")), 1)
        await transport.clock.advance_async(2)
        return first, await asyncio.wait_for(push.send(PUSH, to=Phone("2")), 1)

    assert ["credential_fetch_failed"] * 2 == [outcome.reason for outcome in run(work())]


def test_the_probe_of_a_latched_credential_uses_the_token_that_it_fetched():
    """A key that works again is found by the first probe: its token's arrival does not make it one push too many."""
    state = {"works": False}

    def fetch(now, _deadline):
        yield from ()
        return token(now) if state["works"] else technical("invalid_grant", scope=Scope.CREDENTIAL, retryable=False, floor=None)

    async def work():
        transport = Scripted(200)
        push = keyed(transport, fetch)
        first = await push.send(PUSH, to=Phone("1"))
        state["works"] = True
        await transport.clock.advance_async(61)
        return first, await push.send(PUSH, to=Phone("2"))

    first, second = run(work())

    assert "invalid_grant" == first.reason
    assert second.accepted


def test_the_probe_of_an_open_breaker_may_wait_for_its_token():
    """A probe whose token has ended is made when the new one is there."""

    async def work():
        answers = {"status": 503}
        transport = Scripted(lambda request, _count: answers["status"])

        def fetch(now, _deadline):
            def fetched():
                return AccessToken(value="t", expires_at=now + 4)

            return fetched

        push = keyed(transport, fetch, retry=ONCE)
        await after(transport.clock, push.send_many(PUSH, to=phones(30)), step=0.01)
        answers["status"] = 200
        await transport.clock.advance_async(6)
        return await after(transport.clock, push.send(PUSH, to=Phone("probe")), step=0.01)

    assert run(work()).accepted


def test_a_probe_that_cannot_be_made_is_no_probe():
    """A bad row does not use up the minute's one probe of a latched credential."""

    async def work():
        answers = {"status": 403}
        transport = Scripted(lambda _request, _count: answers["status"])
        push = client(transport)
        await push.send(PUSH, to=Phone("1"))
        answers["status"] = 200
        await transport.clock.advance_async(61)
        await push.send(PUSH, to=Phone(""))
        return await push.send(PUSH, to=Phone("2"))

    assert run(work()).accepted


def test_old_answers_do_not_release_a_latch():
    """An answer to an attempt that began before the credential was refused does not show that it works again."""

    async def work():
        transport = Scripted(lambda request, _count: (1.0, 403) if request.path == b"/bad" else (2.0, 200))
        push = client(transport)
        sending = [asyncio.ensure_future(push.send(PUSH, to=Phone(name))) for name in ("bad", "good")]
        await transport.clock.advance_async(3)
        return sending[1].result(), await push.send(PUSH, to=Phone("later"))

    early, later = run(work())

    assert early.accepted
    assert "credential_latched" == later.reason


def test_a_refused_credential_stops_the_flood_without_repeats_too():
    """With a policy of one attempt no push sees its fresh token refused; five rounds of refusals latch all the same."""

    async def work():
        transport = Scripted((0.1, 401))
        push = keyed(transport, flowing, max_in_flight=10)
        report = await after(transport.clock, push.send_many(PUSH, to=phones(1000), retry=ONCE), step=0.05)
        return len(transport.requests), report.failures[-1].reason

    requests, last = run(work())

    assert "credential_latched" == last
    assert requests <= 100


def test_refusals_between_acceptances_latch_nothing():
    """A token that is refused now and then is renewed each time; as long as pushes are accepted the key is good."""

    async def work():
        transport = Scripted(lambda request, _count: (0.1, 401 if request.path[-1:] == b"7" else 200))
        push = keyed(transport, flowing, max_in_flight=1)
        report = await after(transport.clock, push.send_many(PUSH, to=phones(100), retry=ONCE), step=0.05)
        return report.accepted

    assert 90 == run(work())
