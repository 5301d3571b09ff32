"""The way of a push through the engine, over a toy service and a fake clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests.unit.delivery.support import (
    Phone,
    Score,
    Scripted,
    Toy,
    ToySender,
    Words,
    after,
    client,
    lost,
    phones,
    refused,
    response,
    run,
    settled,
)

from pushkit import Accepted, Action, Disposition, PayloadFailure, RecipientFailure, RetryPolicy, Scope, TechnicalFailure
from pushkit.outcomes import WaitedFor

PUSH = Words(text="hi")


def send(script, *, message=PUSH, to=None, policy=None, limit=3600.0, **options):
    """The outcome of one push, and the transport that carried it."""

    async def work():
        transport = Scripted(script)
        async with client(transport, **options) as push:
            outcome = await after(transport.clock, push.send(message, to=to or Phone("1"), retry=policy), limit)
        return outcome, transport

    return run(work())


def test_an_accepted_push_has_one_attempt():
    """A push that is taken at once has one attempt without a wait."""
    outcome, transport = send(200)

    assert isinstance(outcome, Accepted)
    assert [(1, 200, None, 0.0, WaitedFor.NOTHING)] == [(a.number, a.status, a.reason, a.waited, a.waited_for) for a in outcome.attempts]
    assert 1 == len(transport.requests)


def test_a_failure_that_would_repeat_is_not_retried():
    """A payload failure comes back after one attempt."""
    outcome, transport = send(400)

    assert isinstance(outcome, PayloadFailure)
    assert (False, None, None) == (outcome.retryable, outcome.retry_at, outcome.resume)
    assert 1 == len(transport.requests)


def test_a_short_floor_is_slept_inside_the_call():
    """A row with a floor of one second is tried again after one second, and the attempt says what it waited for."""
    outcome, transport = send(lambda _r, count: 200 if count else 503, policy=RetryPolicy(jitter=lambda _value: 0.1))

    assert isinstance(outcome, Accepted)
    assert [0.0, 1.0] == transport.times()
    assert (1.0, WaitedFor.FLOOR) == (outcome.attempts[1].waited, outcome.attempts[1].waited_for)


def test_back_off_grows():
    """Without other floors the waits are the policy's back-off: 1 and 2 seconds."""
    outcome, transport = send(lambda _r, count: 200 if count == 2 else refused())

    assert isinstance(outcome, Accepted)
    assert [0.0, 1.0, 3.0] == transport.times()
    assert WaitedFor.BACKOFF is outcome.attempts[2].waited_for


def test_retry_after_is_never_shortened():
    """A provider that asks for seven seconds gets them."""
    outcome, transport = send(lambda _r, count: 200 if count else response(503, retry_after="7"))

    assert [0.0, 7.0] == transport.times()
    assert WaitedFor.RETRY_AFTER is outcome.attempts[1].waited_for


def test_a_long_wait_comes_back_with_retry_at():
    """What asks for a minute is not slept: it comes back at once with the earliest sensible time."""
    outcome, transport = send(506)

    assert isinstance(outcome, TechnicalFailure)
    assert outcome.retryable
    assert outcome.retry_at is not None
    assert 60.0 == pytest.approx(outcome.retry_at.timestamp() - transport.requests[0][0], abs=0.5)
    assert outcome.resume is not None
    assert "max_sleep" == outcome.info["stopped"]


def test_an_early_try_comes_before_a_long_floor():
    """An APNs-like 5xx gets one early try within two seconds, and then comes back with the row's floor."""
    outcome, transport = send(500)

    assert 2 == len(transport.requests)
    assert 1.0 <= transport.times()[1] <= 2.0
    assert 900.0 == pytest.approx(outcome.retry_at.timestamp() - transport.requests[1][0], abs=0.5)
    assert [7, 7] == transport.retired


def test_none_sends_exactly_once():
    """RetryPolicy.none() makes one attempt whatever the answer is."""
    for answer in (503, 500, 401, 502, refused(), lost()):
        outcome, transport = send(answer, policy=RetryPolicy.none())

        assert 1 == len(transport.requests)
        assert 1 == len(outcome.attempts)


def test_unknown_is_repeated_once_if_a_copy_replaces():
    """After an unknown fate a replaceable push is repeated once, never twice."""
    outcome, transport = send(502, message=Words(replaces=True))

    assert 2 == len(transport.requests)
    assert (Disposition.UNKNOWN, False) == (outcome.disposition, outcome.retryable)


def test_unknown_is_not_repeated_if_a_copy_would_show():
    """A push that would show twice is not repeated when it may have been taken, nor offered for it."""
    outcome, transport = send(lost())

    assert 1 == len(transport.requests)
    assert (Disposition.UNKNOWN, False, None) == (outcome.disposition, outcome.retryable, outcome.retry_at)
    assert "unknown" == outcome.info["stopped"]


def test_on_unknown_always_repeats_once():
    """on_unknown="always" repeats what would show twice, once."""
    _, transport = send(lost(), policy=RetryPolicy(on_unknown="always", jitter=None))

    assert 2 == len(transport.requests)


def test_on_unknown_never_repeats_nothing():
    """on_unknown="never" repeats not even what replaces itself."""
    _, transport = send(502, message=Words(replaces=True), policy=RetryPolicy(on_unknown="never"))

    assert 1 == len(transport.requests)


def test_doubt_stays_after_a_later_refusal():
    """A push that may have been taken says so although its last attempt was provably not sent."""
    outcome, _ = send(lambda _r, count: refused() if count else 502, message=Words(replaces=True))

    assert "connect_failed" == outcome.reason
    assert Disposition.UNKNOWN is outcome.disposition


def test_the_identity_is_the_same_on_every_attempt():
    """Every attempt carries the push's own id and key."""

    async def work():
        toy, transport = Toy(), Scripted(lambda _r, count: 200 if count == 2 else 503)
        async with client(transport, toy) as push:
            await after(transport.clock, push.send(PUSH, to=Phone("1")))
        return toy.senders[0].addressed

    views = run(work())

    assert 3 == len(views)
    assert 1 == len({(view.push_id, view.key) for view in views})
    assert [1, 2, 3] == [view.attempt for view in views]


def test_each_push_has_an_id_of_its_own():
    """Two pushes of one call share the key and not the id."""

    async def work():
        toy, transport = Toy(), Scripted(200)
        async with client(transport, toy) as push:
            await push.send_many(PUSH, to=phones(50))
        return toy.senders[0]

    sender = run(work())

    assert 50 == len({view.push_id for view in sender.addressed})
    assert 1 == len({view.key for view in sender.addressed})
    assert 1 == sender.prepared


def test_a_callables_messages_have_keys_of_their_own():
    """Two different messages for one recipient must not replace each other."""

    async def work():
        toy, transport = Toy(), Scripted(200)
        texts = iter(["one", "two"])
        async with client(transport, toy) as push:
            await push.send_many(lambda _target: Words(text=next(texts)), to=[Phone("1"), Phone("1")])
        return toy.senders[0].addressed

    first, second = run(work())

    assert first.key != second.key


# -- expiry


def test_the_forwarded_ttl_shrinks():
    """Each attempt forwards what is left of the lifetime."""

    async def work():
        toy, transport = Toy(), Scripted(lambda _r, count: 200 if count == 2 else 503)
        async with client(transport, toy) as push:
            await after(transport.clock, push.send(Words(ttl=20), to=Phone("1")))
        return [view.ttl for view in toy.senders[0].addressed]

    assert [20, 19, 17] == run(work())


def test_no_sleep_past_the_expiry():
    """A wait that would end after the expiry is not begun: the failure comes at once, and cannot be sent again."""
    outcome, transport = send(response(503, retry_after="8"), message=Words(ttl=5), limit=1)

    assert 1 == len(transport.requests)
    assert ("busy", False, None) == (outcome.reason, outcome.retryable, outcome.retry_at)
    assert "expiry" == outcome.info["stopped"]


def test_no_sleep_past_the_deadline():
    """A wait that would end after the deadline is not begun, but the push may be resumed."""
    outcome, transport = send(response(503, retry_after="8"), policy=RetryPolicy(deadline=5, jitter=None), limit=1)

    assert 1 == len(transport.requests)
    assert outcome.retryable
    assert "deadline" == outcome.info["stopped"]


def test_an_expired_push_is_not_sent():
    """What is too old before its first attempt was never sent, and has no attempt."""
    outcome, transport = send(200, message=Words(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))

    assert ("expired", Disposition.NOT_SENT, ()) == (outcome.reason, outcome.disposition, outcome.attempts)
    assert [] == transport.requests


def test_ttl_zero_means_now_or_never():
    """ttl=0 makes one attempt when the provider answers."""
    outcome, transport = send(503, message=Words(ttl=0))

    assert 1 == len(transport.requests)
    assert not outcome.retryable


def test_ttl_zero_repeats_what_was_not_sent_within_two_seconds():
    """ttl=0 is repeated after one second when it provably was not sent, and given up before the third."""
    outcome, transport = send(refused(), message=Words(ttl=0), policy=RetryPolicy(attempts=9, jitter=lambda _value: 0.9))

    assert [0.0, 1.0] == transport.times()
    assert "expiry" == outcome.info["stopped"]


# -- bad input


@pytest.mark.parametrize(
    ("target", "kind", "reason"),
    [
        (None, RecipientFailure, "invalid_target"),
        ("80b5", RecipientFailure, "invalid_target"),
        (Phone(""), RecipientFailure, "invalid_number"),
        (Phone("1", app="unheard"), TechnicalFailure, "app_not_configured"),
    ],
)
def test_a_bad_row_is_an_outcome_and_stops_nobody(target, kind, reason):
    """A row that cannot be sent to is a failure among accepted ones, and nothing is sent for it."""

    async def work():
        transport = Scripted(200)
        async with client(transport, Toy(lambda app: ToySender(app) if app == "default" else None)) as push:
            return await push.send_many(PUSH, to=[Phone("1"), target, Phone("2")]), transport

    report, transport = run(work())

    assert [True, False, True] == [outcome.accepted for outcome in report.outcomes]
    assert isinstance(report.outcomes[1], kind)
    assert (reason, Disposition.NOT_SENT) == (report.outcomes[1].reason, report.outcomes[1].disposition)
    assert ["1", "2"] == transport.paths


def test_a_message_callable_that_raises_is_an_outcome():
    """One recipient whose message cannot be made does not stop the others, and the error's text stays out."""

    async def work():
        transport = Scripted(200)

        def make(target):
            if target.number == "n1":
                raise KeyError("secret name")
            return PUSH

        async with client(transport) as push:
            return await push.send_many(make, to=phones(3))

    report = run(work())

    assert ["message_failed"] == [failure.reason for failure in report.failures]
    assert isinstance(report.failures[0], PayloadFailure)
    assert "secret" not in str(report.failures[0].as_dict())


def test_a_callable_that_gives_no_message_is_an_outcome():
    """A callable that returns text instead of a message is told what was expected."""

    async def work():
        async with client(Scripted(200)) as push:
            return await push.send(lambda _target: "hello", to=Phone("1"))  # type: ignore[arg-type]  # the mistake under test

    outcome = run(work())

    assert "message_failed" == outcome.reason
    assert "a str" in outcome.detail


def test_an_unknown_app_asks_its_resolver_once():
    """A million targets of an app that nobody knows do not ask the resolver a million times."""
    asked = []

    def resolve(app):
        asked.append(app)

    async def work():
        async with client(Scripted(200), Toy(resolve)) as push:
            return await push.send_many(PUSH, to=[Phone(str(number), app="x") for number in range(100)])

    report = run(work())

    assert 100 == report.technical
    assert ["x"] == asked


def test_a_resolver_that_raises_stops_its_app_alone():
    """An error in the resolver becomes an outcome that names the error's class and not its text."""

    def resolve(app):
        if app == "bad":
            raise LookupError("dsn=secret")
        return ToySender(app)

    async def work():
        async with client(Scripted(200), Toy(resolve)) as push:
            return await push.send_many(PUSH, to=[Phone("1", app="bad"), Phone("2")])

    bad, good = run(work()).outcomes

    assert ("app_not_configured", Scope.CONFIGURATION) == (bad.reason, bad.scope)
    assert "LookupError" in bad.detail
    assert "secret" not in bad.detail
    assert good.accepted


def test_a_message_for_another_providers_target_is_a_payload_failure():
    """A provider's own message goes to its own targets only."""
    from pushkit import apns

    async def work():
        async with client(Scripted(200)) as push:
            return await push.send(apns.Background(), to=Phone("1"))

    outcome = run(work())

    assert isinstance(outcome, PayloadFailure)
    assert "wrong_message" == outcome.reason


@pytest.mark.parametrize("ttl", [-1, float("nan"), "soon", True])
def test_a_ttl_that_makes_no_sense_is_a_payload_failure(ttl):
    """A wrong ttl is told by its field before anything is sent."""
    outcome, transport = send(200, message=Words(ttl=ttl))

    assert ("invalid_ttl", "ttl") == (outcome.reason, outcome.field)
    assert [] == transport.requests


# -- cancellation and close


def test_a_cancelled_send_leaves_nothing_behind():
    """A cancelled send frees its slot, and its outcome goes to the hooks with its fate."""
    heard = []

    async def work():
        transport = Scripted(None)
        push = client(transport, hooks=[heard.append])
        task = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        task.cancel()
        await asyncio.wait([task])
        return transport, push.health()

    transport, health = run(work())

    assert 0 == len(transport.flights)
    assert 0 == health.in_flight
    finished = [event for event in heard if type(event).__name__ == "Finished"]
    assert [("cancelled", Disposition.UNKNOWN, False)] == [(e.outcome.reason, e.outcome.disposition, e.read) for e in finished]


def test_a_cancelled_sleeper_gives_its_last_failure():
    """A push that is cancelled between two attempts says why it was waiting."""
    heard = []

    async def work():
        transport = Scripted(503)
        push = client(transport, hooks=[heard.append])
        task = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        task.cancel()
        await asyncio.wait([task])
        await transport.clock.advance_async(60)
        return transport

    transport = run(work())

    assert 1 == len(transport.requests)
    assert ["busy"] == [event.outcome.reason for event in heard if type(event).__name__ == "Finished"]


def test_close_drains_what_is_under_way():
    """aclose waits for the answer of what was sent."""

    async def work():
        transport = Scripted((2.0, 200))
        push = client(transport)
        task = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        await after(transport.clock, push.aclose())
        return await task, transport.closed

    outcome, closed = run(work())

    assert outcome.accepted
    assert closed


def test_close_cuts_short_what_does_not_end():
    """After the grace the rest is reported as client_closed, with its unknown fate."""

    async def work():
        transport = Scripted(None)
        push = client(transport)
        task = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        await after(transport.clock, push.aclose(grace=1), limit=5)
        return await task

    outcome = run(work())

    assert ("closed", Disposition.UNKNOWN) == (outcome.reason, outcome.disposition)


def test_close_does_not_wait_for_sleepers():
    """A push that sleeps between attempts comes back at once with retry_at."""

    async def work():
        transport = Scripted(503)
        push = client(transport)
        task = asyncio.ensure_future(push.send(PUSH, to=Phone("1")))
        await settled()
        await push.aclose()
        return await task

    outcome = run(work())

    assert ("busy", True) == (outcome.reason, outcome.retryable)


def test_a_full_house_lets_a_push_wait_no_longer_than_its_deadline():
    """A push that finds no slot before its deadline was not sent."""

    async def work():
        transport = Scripted(None)
        async with client(transport, max_in_flight=1, retry=RetryPolicy(attempts=1, deadline=5)) as push:
            first = asyncio.ensure_future(push.send(PUSH, to=Phone("1"), retry=RetryPolicy(attempts=1, attempt_timeout=60, deadline=60)))
            await settled()
            second = await after(transport.clock, push.send(PUSH, to=Phone("2")), limit=7)
            await after(transport.clock, asyncio.wait_for(first, None))
            return second, transport

    outcome, transport = run(work())

    assert ("timeout", Disposition.NOT_SENT, ()) == (outcome.reason, outcome.disposition, outcome.attempts)
    assert ["1"] == transport.paths


# -- resume


def test_resume_keeps_identity_and_counts_on():
    """A resumed push has the same id and key, and its attempts go on counting."""

    async def work():
        toy, transport = Toy(), Scripted(lambda _r, count: 200 if count else 506)
        async with client(transport, toy) as push:
            failure = await push.send(PUSH, to=Phone("1", ref=42))
            await transport.clock.advance_async(60)
            async with push.resume([type(failure).from_json(failure.to_json(secrets=True))]) as outcomes:
                resumed = [outcome async for outcome in outcomes]
        return toy.senders[0].addressed, resumed

    views, (outcome,) = run(work())

    assert 1 == len({(view.push_id, view.key) for view in views})
    assert [1, 2] == [attempt.number for attempt in outcome.attempts]
    assert outcome.accepted
    assert 42 == outcome.target.ref


def test_resume_has_only_the_time_that_is_left():
    """A push that was resumed too late is expired and not sent."""

    async def work():
        transport = Scripted(506)
        async with client(transport) as push:
            failure = await push.send(Words(ttl=90), to=Phone("1"))
            await transport.clock.advance_async(91)
            async with push.resume(failure) as outcomes:
                return [outcome async for outcome in outcomes], transport

    (outcome,), transport = run(work())

    assert "expired" == outcome.reason
    assert 1 == len(transport.requests)


def test_resume_does_not_repeat_an_unknown_twice():
    """A push whose one repeat was used is not sent a third time through resume."""

    async def work():
        transport = Scripted(502)
        async with client(transport) as push:
            failure = await push.send(Words(replaces=True), to=Phone("1"), retry=RetryPolicy(attempts=1))
            async with push.resume(failure) as outcomes:
                return failure, [outcome async for outcome in outcomes], transport

    first, (second,), transport = run(work())

    assert first.retryable
    assert not second.retryable
    assert 2 == len(transport.requests)


def test_a_superseded_update_is_not_resumed():
    """A state that a later push replaced is not sent again."""

    async def work():
        transport = Scripted(lambda _r, count: 200 if count else 506)
        async with client(transport) as push:
            failure = await push.send(Score(text="1:0"), to=Phone("1"))
            await push.send(Score(text="2:0"), to=Phone("1"))
            async with push.resume(failure) as outcomes:
                return [outcome async for outcome in outcomes], transport

    (outcome,), transport = run(work())

    assert "superseded" == outcome.reason
    assert 2 == len(transport.requests)


def test_resume_refuses_what_cannot_be_sent_again():
    """An accepted outcome cannot be resumed, and the error says what to pass."""

    async def work():
        async with client(Scripted(200)) as push:
            outcome = await push.send(PUSH, to=Phone("1"))
            push.resume(outcome)

    with pytest.raises(TypeError, match="to_resume"):
        run(work())


def test_review_action_is_kept_without_an_accepted_push():
    """A mismatch is to be reviewed until the client has had an accepted push for the app."""
    outcome, _ = send(404)

    assert Action.REVIEW_RECIPIENT is outcome.action


def test_doubt_stays_although_the_recipient_is_gone_now():
    """A push that may have been taken says so even when the repeat found the recipient gone."""
    outcome, _ = send(lambda _r, count: 410 if count else lost(), message=Words(replaces=True))

    assert isinstance(outcome, RecipientFailure)
    assert ("gone", Action.REMOVE_RECIPIENT, Disposition.UNKNOWN) == (outcome.reason, outcome.action, outcome.disposition)
