"""Whatever the service answers and whatever the policy says: one outcome for each push, and every promise kept."""

from __future__ import annotations

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.delivery.support import VERDICTS, Phone, Scripted, Toy, Words, after, client, lost, refused, response, run

from pushkit import Accepted, RetryPolicy, events
from pushkit.outcomes import Disposition as D
from pushkit.outcomes import Outcome
from pushkit.wire import Processed, WireResponse

ANSWERS = st.one_of(
    st.just(200),
    st.sampled_from(sorted(VERDICTS)),
    st.builds(lambda seconds: response(503, retry_after=str(seconds)), st.integers(0, 90)),
    st.builds(lost, st.sampled_from(Processed)),
    st.builds(refused),
    st.none(),
    st.tuples(st.floats(0, 12), st.just(200)),
)
POLICIES = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 5),
    attempt_timeout=st.none() | st.floats(1, 15),
    deadline=st.floats(1, 90),
    max_sleep=st.floats(0, 60),
    on_unknown=st.sampled_from(["replaceable", "always", "never"]),
    dedupe=st.booleans(),
    jitter=st.none(),
)
MESSAGES = st.builds(Words, ttl=st.none() | st.floats(0, 60), replaces=st.booleans())


def delivered(script: list[list[object]], policy: RetryPolicy, message: Words) -> tuple[list[Outcome], Scripted]:
    """The outcomes of as many pushes as there are scripts, each with its answers in order (the last one again and again)."""

    async def work():
        transport = Scripted(lambda request, count: (answers := script[int(request.path[1:])])[min(count, len(answers) - 1)])
        async with client(transport, Toy(), max_in_flight=4) as push:
            targets = [Phone(str(number), ref=number) for number in range(len(script))]
            report = await after(transport.clock, push.send_many(message, to=targets, retry=policy), limit=900, step=1.0)
        return list(report.outcomes), transport

    return run(work())


@settings(max_examples=60)
@given(st.lists(st.lists(ANSWERS, min_size=1, max_size=4), min_size=1, max_size=8), POLICIES, MESSAGES)
def test_every_promise_is_kept(script, policy, message):
    """One outcome each, in order; no attempt too many, no sleep too long, nothing after the expiry; it pickles and travels as JSON."""
    outcomes, transport = delivered(script, policy, message)
    requests: dict[int, list[float]] = {}
    for at, request in transport.requests:
        requests.setdefault(int(request.path[1:]), []).append(at)

    assert list(range(len(script))) == [outcome.target.ref for outcome in outcomes]
    for number, outcome in enumerate(outcomes):
        made = requests.get(number, [])
        assert len(made) == len(outcome.attempts) <= policy.attempts
        assert [*range(1, len(made) + 1)] == [attempt.number for attempt in outcome.attempts]
        assert sum(attempt.waited for attempt in outcome.attempts) <= policy.max_sleep + 1e-6
        assert outcome.expires_at is not None
        grace = 2.0 if message.ttl == 0 else 0.0
        assert all(at <= outcome.expires_at.timestamp() + grace for at in made)
        assert outcome == pickle.loads(pickle.dumps(outcome))
        assert outcome == type(outcome).from_json(outcome.to_json(secrets=True))
        if isinstance(outcome, Accepted):
            assert outcome.attempts[-1].reason is None
            continue
        assert outcome.retryable == (outcome.retry_at is not None) == (outcome.resume is not None)
        if outcome.retry_at is not None:
            assert outcome.retry_at.timestamp() <= outcome.expires_at.timestamp() + grace
        if outcome.disposition is D.NOT_SENT and made:
            answers = script[number]
            seen = [answers[min(count, len(answers) - 1)] for count in range(len(made))]
            assert not any(isinstance(answer, WireResponse) and answer.status == 502 for answer in seen)
            assert None not in seen


@settings(max_examples=60)
@given(st.lists(st.lists(ANSWERS, min_size=1, max_size=3), min_size=1, max_size=8), POLICIES, MESSAGES, st.integers(0, 40))
def test_a_hook_may_leave_the_stream_at_any_event(script, policy, message, at):
    """Whenever a hook leaves: each push is heard to finish once, nothing is sent after that, and what is called unsent was not sent."""

    async def work():
        transport = Scripted(lambda request, count: (answers := script[int(request.path[1:])])[min(count, len(answers) - 1)])
        finished: dict[str, Outcome] = {}
        heard = 0

        def hook(event):
            nonlocal heard
            heard += 1
            if isinstance(event, events.Finished):
                assert event.outcome.target.number not in finished
                finished[event.outcome.target.number] = event.outcome
                sent[event.outcome.target.number] = transport.paths.count(event.outcome.target.number)
            if heard == at + 1:
                stream.cancel()

        sent: dict[str, int] = {}
        async with client(transport, Toy(), max_in_flight=3, hooks=[hook]) as push:
            stream = push.stream(message, to=[Phone(str(number)) for number in range(len(script))], retry=policy)

            async def read():
                async with stream:
                    return [outcome async for outcome in stream]

            await after(transport.clock, read(), limit=900, step=1.0)
            await transport.clock.advance_async(900)
            assert not transport.flights
            assert 0 == push.health().in_flight
        return finished, sent, transport

    finished, sent, transport = run(work())

    for number, outcome in finished.items():
        assert transport.paths.count(number) == sent[number]
        if not isinstance(outcome, Accepted) and outcome.disposition is D.NOT_SENT:
            assert 200 not in {attempt.status for attempt in outcome.attempts}
        assert sent[number] <= policy.attempts
    assert set(transport.paths) <= set(finished)
