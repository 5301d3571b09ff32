"""What verdicts ask for, breakers, pauses, suspicion: the engine over a toy service and a fake clock."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest
from tests.unit.delivery.support import Phone, Scripted, Toy, ToySender, Words, after, client, lost, phones, refused, response, run, settled

from pushkit import Accepted, Action, Disposition, RetryPolicy, Scope
from pushkit.delivery.breaker import LEAST
from pushkit.provider import AccessToken
from pushkit.verdict import Verdict, refuse_technical

PUSH = Words(text="hi")
ONCE = RetryPolicy.none()


def names(heard):
    """The kinds of events, in order, without those of single pushes."""
    noise = {"AttemptStarted", "AttemptFinished", "Finished", "Deferred", "RecipientGone", "RetryScheduled"}
    return [name for event in heard if (name := type(event).__name__) not in noise]


# -- breaker


def test_an_open_breaker_refuses_without_sending():
    """A service that fails is left alone: further pushes come back as not sent, with the time of the next probe."""
    heard = []

    async def work():
        transport = Scripted(refused())
        async with client(transport, retry=ONCE, hooks=[heard.append]) as push:
            await push.send_many(PUSH, to=phones(LEAST))
            return await push.send(PUSH, to=Phone("late")), transport

    outcome, transport = run(work())

    assert ("circuit_open", Disposition.NOT_SENT, True) == (outcome.reason, outcome.disposition, outcome.retryable)
    assert LEAST == len(transport.requests)
    assert ["BreakerChanged"] == names(heard)


def test_a_probe_closes_the_breaker_again():
    """After its break one push probes, and success lets everybody through."""

    async def work():
        healthy = False
        transport = Scripted(lambda _r, _c: 200 if healthy else refused())
        async with client(transport, retry=ONCE) as push:
            await push.send_many(PUSH, to=phones(LEAST))
            healthy = True
            await transport.clock.advance_async(5)
            return [await push.send(PUSH, to=Phone("a")), await push.send(PUSH, to=Phone("b"))]

    assert [True, True] == [outcome.accepted for outcome in run(work())]


def test_answers_about_recipients_and_throttling_do_not_open_it():
    """Dead recipients, bad payloads and 429 are no failures of the service."""

    async def work():
        async with client(Scripted(lambda _r, _c: 429), retry=ONCE) as push:
            await push.send_many(PUSH, to=phones(100))
            return push.health().senders[0].breakers

    assert {} == run(work())


def test_a_dead_service_slows_the_others_by_one_attempt_timeout():
    """While one host is silent, a mixed stream stands still for no longer than its attempts last."""

    async def work():
        transport = Scripted(lambda request, _c: None if request.origin.host == "dead.example" else 200)
        mixed = [Phone(f"{n}", "dead.example" if n % 2 else "toy.example") for n in range(400)]
        async with client(transport, max_in_flight=50) as push:
            start = transport.clock.time()
            report = await after(transport.clock, push.send_many(PUSH, to=mixed))
        good = [at - start for at, request in transport.requests if request.origin.host == "toy.example"]
        return report, max(good), transport

    report, last, transport = run(work())

    assert 200 == report.accepted
    assert last <= 10.5
    dead = [request for _, request in transport.requests if request.origin.host == "dead.example"]
    assert len(dead) < 50 + LEAST
    assert {"timeout", "circuit_open"} == {group.reason for group in report.groups}


def test_a_busy_lane_leaves_slots_to_others():
    """A service that answers slowly never holds every slot once another one is busy."""

    async def work():
        transport = Scripted(lambda request, _c: (5.0, 200) if request.origin.host == "slow.example" else 200)
        async with client(transport, max_in_flight=40) as push:
            fast = asyncio.ensure_future(push.send_many(PUSH, to=phones(1)))
            await after(transport.clock, fast)
            many = [Phone("first")] + [Phone(f"s{n}", "slow.example") for n in range(100)]
            slow = asyncio.ensure_future(push.send_many(PUSH, to=many))
            await settled()
            at = transport.clock.time()
            await after(transport.clock, push.send(PUSH, to=Phone("quick")), limit=8)
            waited = transport.clock.time() - at
            await after(transport.clock, slow)
            return waited

    assert run(work()) <= 5.5


# -- throttling


def test_a_throttled_device_never_slows_the_project():
    """A 429 for one device pauses that device alone."""

    async def work():
        transport = Scripted(lambda request, _c: 429 if request.path == b"/n0" else 200)
        async with client(transport) as push:
            start = transport.clock.time()
            report = await push.send_many(PUSH, to=phones(100))
            again = await push.send(PUSH, to=Phone("n0"))
            return report, again, transport.clock.time() - start, transport

    report, again, passed, transport = run(work())

    assert 99 == report.accepted
    assert 0.0 == passed
    assert ("throttled", Scope.THROTTLE, Disposition.NOT_SENT, True) == (again.reason, again.scope, again.disposition, again.retryable)
    assert 1 == transport.paths.count("n0")


def test_a_paused_device_is_sent_to_after_its_pause():
    """A push that can wait as long as the device's pause lasts waits, and goes."""

    async def work():
        transport = Scripted(lambda _r, count: 200 if count else 429)
        async with client(transport) as push:
            await push.send(PUSH, to=Phone("1"), retry=ONCE)
            await transport.clock.advance_async(50)
            start = transport.clock.time()
            outcome = await after(transport.clock, push.send(PUSH, to=Phone("1")))
            return outcome, transport.requests[-1][0] - start

    outcome, waited = run(work())

    assert isinstance(outcome, Accepted)
    assert 10.0 == pytest.approx(waited, abs=0.01)


def test_a_throttled_project_pauses_and_then_goes_slower():
    """A 429 for the project holds a stream for as long as was asked, loses nothing, and slows it afterwards."""

    async def work():
        sent = 0

        def script(_request, _count):
            nonlocal sent
            sent += 1
            return 430 if 100 < sent <= 120 else 200

        transport = Scripted(script)
        async with client(transport, max_in_flight=20, retry=RetryPolicy(attempts=6, deadline=600, max_sleep=300, jitter=None)) as push:
            report = await after(transport.clock, push.send_many(PUSH, to=phones(300)))
            return report, transport

    report, transport = run(work())

    assert 300 == report.accepted
    times = transport.times()
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) >= 5.0
    assert times[-1] > 6.0


def test_a_configured_rate_slows_a_stream_and_fails_nothing():
    """Ten pushes a second take ten seconds for a hundred, and none of them times out."""

    async def work():
        transport = Scripted(200)
        async with client(transport, Toy(lambda app: ToySender(app, rate=10.0))) as push:
            report = await after(transport.clock, push.send_many(PUSH, to=phones(100)), step=0.05)
            return report, transport.times()[-1]

    report, last = run(work())

    assert 100 == report.accepted
    assert 9.9 == pytest.approx(last, abs=1.0)


def test_single_sends_obey_the_rate_too():
    """Single sends that come faster than the rate wait for their turn."""

    async def work():
        transport = Scripted(200)
        async with client(transport, Toy(lambda app: ToySender(app, rate=10.0))) as push:
            sends = asyncio.gather(*(push.send(PUSH, to=phone) for phone in phones(30)))
            outcomes = await after(transport.clock, sends, step=0.05)
            return outcomes, transport.times()[-1]

    outcomes, last = run(work())

    assert all(outcome.accepted for outcome in outcomes)
    assert 2.9 == pytest.approx(last, abs=0.5)


# -- credentials


class Fetched:
    """A credential that is fetched by a blocking callable or a flow; ``results`` are given in order, the last again and again."""

    key = "toy"

    def __init__(self, clock, *results):
        self.clock = clock
        self.results = list(results)
        self.fetches = 0

    def fetch(self, now, deadline):
        self.fetches += 1
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]

        def flow():
            if isinstance(result, Verdict):
                return result
            from pushkit.wire import HeaderBlock, Origin, WireRequest

            yield WireRequest(b"POST", Origin("oauth.example"), b"/token", HeaderBlock(()), (), b"", deadline)
            return AccessToken(value=f"{result}{self.fetches}", expires_at=now + 3600)

        return flow()


def fetching(transport, *results):
    """A toy whose apps need an access token."""
    credential = Fetched(transport.clock, *results)
    return Toy(lambda app: ToySender(app, credential=credential)), credential


def test_one_token_is_fetched_for_many_pushes():
    """A thousand pushes that find no token share one refresh."""

    async def work():
        transport = Scripted(200)
        toy, credential = fetching(transport, "t")
        async with client(transport, toy, max_in_flight=100) as push:
            report = await push.send_many(PUSH, to=phones(1000))
            return report, credential.fetches, {view.token for view in toy.senders[0].addressed}

    assert (1000, 1, {"t1"}) == (lambda r: (r[0].accepted, r[1], r[2]))(run(work()))


def test_a_refused_token_is_refreshed_once_for_all():
    """When a token is refused, every push that used it is tried once with the one fresh token."""

    async def work():
        transport = Scripted(lambda request, _c: 401 if dict(request.headers).get(b"token") == b"t1" else 200)
        toy, credential = fetching(transport, "t")
        async with client(transport, toy, max_in_flight=10) as push:
            report = await push.send_many(PUSH, to=phones(10))
            return report, credential.fetches, [len(outcome.attempts) for outcome in report.outcomes]

    report, fetches, attempts = run(work())

    assert (10, 2) == (report.accepted, fetches)
    assert {1, 2} == set(attempts)


@pytest.mark.parametrize("attempts", [2, 3])
def test_a_fresh_token_that_is_refused_as_well_is_for_somebody_to_look_at(attempts):
    """Not for later: the push is not retryable, and what is stopped with its credential names the same action."""

    async def work():
        transport = Scripted(401)
        toy, _ = fetching(transport, "t")
        async with client(transport, toy) as push:
            policy = RetryPolicy(attempts=attempts)
            return [await push.send(PUSH, to=Phone(number), retry=policy) for number in "12"]

    refused, stopped = run(work())

    assert (Action.FIX_CREDENTIALS, False, 2) == (refused.action, refused.retryable, len(refused.attempts))
    assert ("credential_latched", Action.FIX_CREDENTIALS) == (stopped.reason, stopped.action)


def test_a_token_is_replaced_ahead_of_its_end():
    """A token that ends soon is replaced in the background while pushes go on with it."""

    async def work():
        transport = Scripted(200)
        toy, credential = fetching(transport, "t")
        async with client(transport, toy) as push:
            await push.send(PUSH, to=Phone("1"))
            await transport.clock.advance_async(3400)
            outcome = await push.send(PUSH, to=Phone("2"))
            await settled()
            await push.send(PUSH, to=Phone("3"))
            return outcome, credential.fetches, [view.token for view in toy.senders[0].addressed]

    outcome, fetches, tokens = run(work())

    assert outcome.accepted
    assert (2, ["t1", "t1", "t2"]) == (fetches, tokens)


def test_a_token_that_cannot_be_had_stops_the_flood(caplog):
    """A revoked key latches: one line in the log, no request, and every push says what to mend."""
    heard = []

    async def work():
        transport = Scripted(200)
        verdict = refuse_technical("oauth_invalid_grant", "Replace the key.", scope=Scope.CREDENTIAL, action=Action.FIX_CREDENTIALS)
        toy, credential = fetching(transport, verdict)
        async with client(transport, toy, hooks=[heard.append]) as push:
            report = await push.send_many(PUSH, to=phones(500))
            return report, credential.fetches, transport.requests, push.health()

    with caplog.at_level(logging.ERROR, "pushkit"):
        report, fetches, requests, health = run(work())

    assert 500 == report.technical
    assert {"oauth_invalid_grant", "credential_latched"} == {group.reason for group in report.groups}
    assert (1, []) == (fetches, requests)
    assert ["CredentialProblem"] == names(heard)
    assert 1 == len([record for record in caplog.records if "oauth_invalid_grant" in record.getMessage()])
    assert not health.usable
    assert "oauth_invalid_grant" == health.senders[0].latched


def test_a_latched_credential_stops_a_million_and_is_probed():
    """After a refused key a few requests were made, not all; a minute later one push probes and opens the way."""
    heard = []

    async def work():
        good = False
        transport = Scripted(lambda _r, _c: 200 if good else 403)
        async with client(transport, max_in_flight=10, hooks=[heard.append]) as push:
            report = await push.send_many(PUSH, to=phones(1000))
            made = len(transport.requests)
            good = True
            blocked = await push.send(PUSH, to=Phone("x"))
            await transport.clock.advance_async(60)
            return report, made, blocked, await push.send(PUSH, to=Phone("x")), push.health().usable

    report, made, blocked, probed, usable = run(work())

    assert 1000 == report.technical
    assert made <= 10
    assert ("credential_latched", Disposition.NOT_SENT, Action.FIX_CREDENTIALS) == (blocked.reason, blocked.disposition, blocked.action)
    assert probed.accepted
    assert usable
    assert ["CredentialProblem"] == names(heard)


def test_a_fetch_that_fails_for_a_moment_is_tried_again():
    """A token service that is down for one moment costs one wait, and no attempt is recorded for it."""

    async def work():
        transport = Scripted(200)
        verdict = refuse_technical("oauth_unavailable", "Wait.", scope=Scope.ATTEMPT, action=Action.RETRY_LATER, retryable=True, floor=1.0)
        toy, credential = fetching(transport, verdict, "t")
        async with client(transport, toy) as push:
            outcome = await after(transport.clock, push.send(PUSH, to=Phone("1")))
            return outcome, credential.fetches

    outcome, fetches = run(work())

    assert outcome.accepted
    assert (2, 1) == (fetches, len(outcome.attempts))


def test_a_blocking_fetch_runs_in_a_worker_thread():
    """A credential library that blocks does not block the loop."""
    import threading

    threads = []

    class Blocking:
        key = "blocking"

        def fetch(self, now, deadline):
            def work():
                threads.append(threading.get_ident())
                return AccessToken(value="t", expires_at=now + 3600)

            return work

    async def work():
        async with client(Scripted(200), Toy(lambda app: ToySender(app, credential=Blocking()))) as push:
            return await push.send(PUSH, to=Phone("1"))

    assert run(work()).accepted
    assert threading.get_ident() not in threads


def test_a_fetch_that_raises_is_an_outcome_without_its_text(caplog):
    """Somebody's credential code that raises becomes a failure that does not quote the error."""

    class Broken:
        key = "broken"

        def fetch(self, now, deadline):
            def work():
                raise OSError("password=hunter2")

            return work

    async def work():
        async with client(Scripted(200), Toy(lambda app: ToySender(app, credential=Broken())), retry=ONCE) as push:
            return await push.send(PUSH, to=Phone("1"))

    outcome = run(work())

    assert ("credential_fetch_failed", "OSError") == (outcome.reason, outcome.detail)
    assert "hunter2" not in caplog.text


# -- suspicion


def test_a_mismatch_is_believed_after_an_accepted_push():
    """The same answer says review first and remove after the app was seen to work."""

    async def work():
        transport = Scripted(lambda request, _c: 404 if request.path == b"/bad" else 200)
        async with client(transport) as push:
            before = await push.send(PUSH, to=Phone("bad"))
            await push.send(PUSH, to=Phone("good"))
            return before.action, (await push.send(PUSH, to=Phone("bad"))).action

    assert (Action.REVIEW_RECIPIENT, Action.REMOVE_RECIPIENT) == run(work())


def test_mass_invalidation_turns_removal_into_review():
    """When half of all recipients are gone at once, further ones are to be reviewed; the report lists every one as suspect."""
    heard = []

    async def work():
        transport = Scripted(lambda request, _c: 410 if int(request.path[2:]) % 2 else 200)
        async with client(transport, max_in_flight=1, hooks=[heard.append]) as push:
            report = await push.send_many(PUSH, to=phones(400))
            confirmed = push.confirm_suspects()
            return report, confirmed, (await push.send(PUSH, to=Phone("n1"))).action

    report, confirmed, action = run(work())

    assert ["MassInvalidation"] == names(heard)
    assert 200 == report.recipient
    assert [] == list(report.to_remove)
    assert 200 == len(report.suspects)
    assert 1 == confirmed
    assert Action.REMOVE_RECIPIENT is action


def test_few_dead_recipients_stay_removals():
    """Ten percent gone is an ordinary day."""

    async def work():
        transport = Scripted(lambda request, _c: 410 if int(request.path[2:]) % 10 == 0 else 200)
        async with client(transport) as push:
            return await push.send_many(PUSH, to=phones(400))

    report = run(work())

    assert 40 == len(report.to_remove)
    assert [] == list(report.suspects)


# -- hooks and budget


def test_every_push_is_heard_exactly_once():
    """Whatever becomes of a push, hooks hear one Finished for it."""
    heard = []

    async def work():
        answers = [200, 410, 400, 503, 429, lost(), refused(), 506]
        transport = Scripted(lambda request, _c: answers[int(request.path[2:]) % len(answers)])
        async with client(transport, hooks=[heard.append]) as push:
            await after(transport.clock, push.send_many(PUSH, to=[*phones(80), None]))

    run(work())
    finished = [event.outcome.target for event in heard if type(event).__name__ == "Finished"]

    assert 81 == len(finished)
    assert 81 == len({id(target) if target is None else target for target in finished})


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, SystemExit])
def test_a_hook_that_raises_breaks_nothing_and_is_reported_once(caplog, error):
    """Somebody else's broken listener costs one line in the log, even where it asks for a cancelled future or leaves the program."""
    heard = []

    def broken(event):
        raise error("token 80b5")

    async def work():
        async with client(Scripted(200), hooks=[broken, heard.append]) as push:
            return await push.send_many(PUSH, to=phones(10))

    with caplog.at_level(logging.ERROR, "pushkit"):
        report = run(work())

    assert 10 == report.accepted
    assert 30 == len(heard)
    assert 1 == len([record for record in caplog.records if "hook" in record.getMessage()])
    assert "80b5" not in caplog.text


def test_attempts_are_heard_with_their_waits():
    """A retried push tells its hooks what it waits for."""
    heard = []

    async def work():
        transport = Scripted(lambda _r, count: 200 if count else response(503, retry_after="3"))
        async with client(transport, hooks=[heard.append]) as push:
            await after(transport.clock, push.send(PUSH, to=Phone("1")))

    run(work())

    assert ["AttemptStarted", "AttemptFinished", "RetryScheduled", "AttemptStarted", "AttemptFinished", "Finished"] == [
        type(event).__name__ for event in heard
    ]
    assert (3.0, "retry_after") == (heard[2].delay, heard[2].waits_for.value)


def test_the_budget_ends_repeats_and_says_so_once():
    """When most pushes fail, repeats stop: the reason says why, and a hook hears it once."""
    heard = []

    async def work():
        transport = Scripted(lambda request, _c: 503 if int(request.path[2:]) % 5 < 2 else 400)
        async with client(transport, hooks=[heard.append], max_in_flight=50) as push:
            return await after(transport.clock, push.send_many(PUSH, to=phones(2000))), transport

    report, transport = run(work())

    assert "retry_budget_exhausted" in {group.reason for group in report.groups}
    assert 1 == names(heard).count("BudgetExhausted")
    assert len(transport.requests) <= 2000 + 100


def test_a_providers_own_error_stops_its_pushes_alone():
    """A fourth provider that raises costs its pushes an outcome and the program nothing."""

    class Sloppy(ToySender):
        def classify(self, result, request, prepared, target, now):
            raise ZeroDivisionError

    async def work():
        async with client(Scripted(200), Toy(Sloppy)) as push:
            return await push.send(PUSH, to=Phone("1"))

    outcome = run(work())

    assert ("provider_error", Disposition.UNKNOWN, Action.REPORT_BUG) == (outcome.reason, outcome.disposition, outcome.action)


class Stuck:
    """A credential whose fetch never returns until it is released."""

    key = "stuck"

    def __init__(self):
        import threading

        self.released = threading.Event()

    def fetch(self, now, deadline):
        def work():
            self.released.wait(20)
            return AccessToken(value="t", expires_at=now + 3600)

        return work


def test_a_credential_that_never_comes_hangs_nobody():
    """A blocking fetch that does not return costs its pushes a failure, not for ever."""

    async def work():
        credential = Stuck()
        transport = Scripted(200)
        async with client(transport, Toy(lambda app: ToySender(app, credential=credential)), retry=ONCE) as push:
            outcome = await after(transport.clock, push.send(PUSH, to=Phone("1")), limit=30)
            credential.released.set()
        return outcome

    outcome = run(work())

    assert ("credential_timeout", Disposition.NOT_SENT, True) == (outcome.reason, outcome.disposition, outcome.retryable)


def test_closing_does_not_wait_for_a_credential():
    """A push that waits for a token when the client is closed has its outcome."""

    async def work():
        credential = Stuck()
        push = client(Scripted(200), Toy(lambda app: ToySender(app, credential=credential)))
        task = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        await push.aclose()
        credential.released.set()
        return await asyncio.wait_for(task, 5)

    assert "client_closed" == run(work()).reason


def test_a_forgotten_app_is_suspected_until_it_reaches_somebody():
    """After forget(app) a mismatch is to be reviewed again: the new configuration may be the wrong one."""

    async def work():
        transport = Scripted(lambda request, _count: 200 if request.path == b"/ok" else 404)
        async with client(transport) as push:
            await push.send(PUSH, to=Phone("ok"))
            before = await push.send(PUSH, to=Phone("1"))
            push.forget("default")
            return before, await push.send(PUSH, to=Phone("2"))

    before, after_forget = run(work())

    assert (Action.REMOVE_RECIPIENT, Action.REVIEW_RECIPIENT) == (before.action, after_forget.action)
