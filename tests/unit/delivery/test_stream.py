"""Streams: back-pressure, order, leaving early, the caller's own errors."""

from __future__ import annotations

import asyncio
import gc

import pytest
from tests.unit.delivery.support import Phone, Scripted, Toy, ToySender, Words, after, client, phones, run, settled

from pushkit import ClientClosedError, Disposition, Report, RetryPolicy

PUSH = Words(text="hi")


def counted(targets, taken):
    """An input that notes what was taken from it."""
    for target in targets:
        taken.append(target)
        yield target


async def read(stream):
    """All outcomes of a stream."""
    async with stream as outcomes:
        return [outcome async for outcome in outcomes]


def test_the_input_is_read_only_as_fast_as_it_is_sent():
    """While nothing is answered, no more is read than may be under way."""

    async def work():
        taken = []
        transport = Scripted(None)
        async with client(transport, max_in_flight=10, retry=RetryPolicy.none()) as push:
            async with push.stream(PUSH, to=counted(phones(1000), taken)):
                await settled()
                return len(taken), transport.peak

    assert (10, 10) == run(work())


def test_a_slow_reader_slows_the_sender():
    """Outcomes that nobody reads stop the input before the memory fills."""

    async def work():
        taken = []
        async with client(Scripted(200), max_in_flight=10) as push:
            async with push.stream(PUSH, to=counted(phones(10_000), taken)) as outcomes:
                await settled(300)
                before = len(taken)
                for _ in range(50):
                    await anext(outcomes)
                    await settled(3)
                return before, len(taken)

    before, later = run(work())

    assert before <= 30
    assert before + 30 <= later <= before + 60


def test_an_ordered_stream_keeps_the_order():
    """Outcomes come in the order of the input although answers do not."""

    async def work():
        transport = Scripted(lambda request, _c: ((7 - int(request.path[2:]) % 7) / 10, 200))
        async with client(transport, max_in_flight=20) as push:
            return await after(transport.clock, read(push.stream(PUSH, to=phones(200), ordered=True)))

    assert [phone.number for phone in phones(200)] == [outcome.target.number for outcome in run(work())]


def test_order_does_not_hold_back_without_bound():
    """While the first push hangs, an ordered stream reads a bounded number ahead."""

    async def work():
        taken = []
        transport = Scripted(lambda request, _c: None if request.path == b"/n0" else 200)
        async with client(transport, max_in_flight=10, retry=RetryPolicy.none()) as push:
            stream = push.stream(PUSH, to=counted(phones(10_000), taken), ordered=True)
            task = asyncio.ensure_future(read(stream))
            await settled(300)
            ahead = len(taken)
            return ahead, await after(transport.clock, task, step=5)

    ahead, outcomes = run(work())

    assert ahead <= 40
    assert 10_000 == len(outcomes)
    assert "timeout" == outcomes[0].reason


def test_an_unordered_stream_is_not_held_up():
    """A push that hangs delays nobody else."""

    async def work():
        transport = Scripted(lambda request, _c: None if request.path == b"/n0" else 200)
        async with client(transport, max_in_flight=10, retry=RetryPolicy.none()) as push:
            return await after(transport.clock, read(push.stream(PUSH, to=phones(500))), step=0.1)

    outcomes = run(work())

    assert "n0" == outcomes[-1].target.number
    assert 500 == len(outcomes)


def test_unique_skips_what_came_before():
    """The same address twice is one push; the same number in another app is another."""

    async def work():
        async with client(Scripted(200)) as push:
            targets = [Phone("1", ref="a"), Phone("1", ref="b"), Phone("2"), Phone("1", app="other"), None, None]
            return await push.send_many(PUSH, to=targets, unique=True)

    report = run(work())

    assert 5 == report.total
    assert ["a", None] == [outcome.target.ref for outcome in report.outcomes[:2]]


def test_leaving_early_cancels_and_loses_no_outcome():
    """What was taken and not read goes to the hooks, exactly once, and nothing is left running."""
    heard, taken = [], []

    async def work():
        transport = Scripted(lambda request, _c: 200 if int(request.path[2:]) < 5 else None)
        push = client(transport, max_in_flight=20, hooks=[heard.append])
        async with push.stream(PUSH, to=counted(phones(1000), taken)) as outcomes:
            first = await anext(outcomes)
        await settled()
        return first, transport, push.health()

    first, transport, health = run(work())
    finished = [event for event in heard if type(event).__name__ == "Finished"]

    assert first.accepted
    assert 0 == len(transport.flights)
    assert 0 == health.in_flight
    assert len(taken) == len(finished)
    assert {"cancelled"} == {event.outcome.reason for event in finished if not event.read}


def test_an_error_in_the_callers_input_comes_after_the_outcomes():
    """The caller's own error is raised when everything that had been taken has ended, with a note."""

    def broken():
        yield from phones(5)
        raise LookupError("row 6")

    async def work():
        transport = Scripted((1.0, 200))
        seen = []
        async with client(transport) as push:

            async def consume():
                async with push.stream(PUSH, to=broken()) as outcomes:
                    async for outcome in outcomes:
                        seen.append(outcome)

            with pytest.raises(LookupError, match="row 6") as caught:
                await after(transport.clock, consume())
            return seen, caught.value.__notes__, push.health().in_flight

    seen, notes, in_flight = run(work())

    assert 5 == len(seen)
    assert "5 pushes" in notes[0]
    assert 0 == in_flight


def test_an_error_in_the_input_of_send_many_reaches_the_caller():
    """send_many raises the caller's own error and leaves nothing running."""

    def broken():
        yield from phones(5)
        raise LookupError("row 6")

    async def work():
        async with client(Scripted(200)) as push:
            await push.send_many(PUSH, to=broken())

    with pytest.raises(LookupError, match="row 6"):
        run(work())


def test_an_error_in_the_readers_block_cancels_the_rest():
    """An exception in the async with leaves nothing running."""

    async def work():
        transport = Scripted(lambda request, _c: 200 if request.path == b"/n0" else None)
        async with client(transport, max_in_flight=20) as push:
            with pytest.raises(ZeroDivisionError):
                async with push.stream(PUSH, to=phones(100)) as outcomes:
                    async for _ in outcomes:
                        raise ZeroDivisionError
            await settled()
            return transport

    assert 0 == len(run(work()).flights)


def test_a_generator_input_is_closed_when_the_stream_is_left():
    """The caller's generator runs its finally."""
    closed = []

    def rows():
        try:
            yield from phones(1000)
        finally:
            closed.append(True)

    async def work():
        async with client(Scripted(200), max_in_flight=5) as push:
            async with push.stream(PUSH, to=rows()) as outcomes:
                await anext(outcomes)

    run(work())

    assert [True] == closed


def test_an_asynchronous_input_is_read_with_back_pressure():
    """An async generator is read a little ahead, and closed when the stream is left."""
    taken, closed = [], []

    async def rows():
        try:
            for phone in phones(1000):
                taken.append(phone)
                yield phone
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def work():
        async with client(Scripted(None), max_in_flight=10, retry=RetryPolicy.none()) as push:
            async with push.stream(PUSH, to=rows()):
                await settled(500)
                before = len(taken)
        return before

    before = run(work())

    assert before <= 80
    assert [True] == closed


def test_an_asynchronous_input_gives_all_outcomes():
    """Every target of an async generator has its outcome, and its own error comes last."""

    async def rows():
        for phone in phones(300):
            yield phone
        raise LookupError("end")

    async def work():
        seen = []
        async with client(Scripted(200), max_in_flight=10) as push:
            with pytest.raises(LookupError):
                async with push.stream(PUSH, to=rows()) as outcomes:
                    async for outcome in outcomes:
                        seen.append(outcome)
        return seen

    assert 300 == len(run(work()))


def test_a_single_send_passes_a_running_broadcast():
    """A single send gets the next slot although a stream of thousands wants all of them."""

    async def work():
        transport = Scripted((1.0, 200))
        async with client(transport, max_in_flight=10) as push:
            broadcast = asyncio.ensure_future(push.send_many(PUSH, to=phones(1000)))
            await settled()
            start = transport.clock.time()
            await after(transport.clock, push.send(PUSH, to=Phone("urgent")), limit=5)
            passed = transport.clock.time() - start
            place = transport.paths.index("urgent")
            await after(transport.clock, broadcast)
            return passed, place

    passed, place = run(work())

    assert passed <= 2.3
    assert place <= 20


def test_a_broadcast_is_not_starved_by_single_sends():
    """While single sends keep coming, one push in ten is the stream's."""

    async def work():
        transport = Scripted((1.0, 200))
        async with client(transport, max_in_flight=10) as push:
            singles = [asyncio.ensure_future(push.send(PUSH, to=phone, retry=RetryPolicy(deadline=600))) for phone in phones(300)]
            await settled()
            stream = asyncio.ensure_future(push.send_many(PUSH, to=[Phone(f"s{n}") for n in range(20)]))
            await transport.clock.advance_async(20.5)
            sent = [path for path in transport.paths if path.startswith("s")]
            await after(transport.clock, asyncio.gather(stream, *singles))
            return len(sent)

    assert 15 <= run(work()) <= 20


def test_two_streams_share_the_slots():
    """A second stream does not wait for the end of the first."""

    async def work():
        transport = Scripted((1.0, 200))
        async with client(transport, max_in_flight=32) as push:
            one = asyncio.ensure_future(push.send_many(PUSH, to=[Phone(f"a{n}") for n in range(500)]))
            two = asyncio.ensure_future(push.send_many(PUSH, to=[Phone(f"b{n}") for n in range(500)]))
            await transport.clock.advance_async(6.5)
            counts = [sum(path.startswith(letter) for path in transport.paths) for letter in "ab"]
            await after(transport.clock, asyncio.gather(one, two))
            return counts

    a, b = run(work())

    assert 0.5 <= a / b <= 2.0


def test_the_running_report_counts_what_has_finished():
    """A stream's report is right while it runs, and Report.collect makes one that keeps failures alone."""

    async def work():
        transport = Scripted(lambda request, _c: 410 if request.path == b"/n3" else 200)
        async with client(transport) as push:
            async with push.stream(PUSH, to=phones(10)) as outcomes:
                async for _ in outcomes:
                    pass
                counts = outcomes.report.total, outcomes.report.recipient
            collected = await Report.collect(push.stream(PUSH, to=phones(10)))
            return counts, collected

    counts, collected = run(work())

    assert (10, 1) == counts
    assert (9, 1) == (collected.accepted, len(collected.outcomes))


def test_closing_the_client_ends_a_stream_with_an_error():
    """A stream whose client is closed gives what was taken and then says that it is not complete."""

    async def work():
        transport = Scripted((1.0, 200))
        push = client(transport, max_in_flight=10)
        seen = []

        async def consume():
            async with push.stream(PUSH, to=phones(1000)) as outcomes:
                async for outcome in outcomes:
                    seen.append(outcome)

        task = asyncio.ensure_future(consume())
        await settled()
        await after(transport.clock, push.aclose())
        with pytest.raises(ClientClosedError, match="10 pushes"):
            await task
        return seen

    assert [True] * 10 == [outcome.accepted for outcome in run(work())]


def test_closing_the_client_gives_send_many_an_outcome_for_every_row():
    """send_many reports what was not sent any more as client_closed."""

    async def work():
        transport = Scripted((1.0, 200))
        push = client(transport, max_in_flight=10)
        task = asyncio.ensure_future(push.send_many(PUSH, to=phones(100)))
        await settled()
        await after(transport.clock, push.aclose())
        return await after(transport.clock, task)

    report = run(work())

    assert 100 == report.total
    assert 10 == report.accepted
    assert {"client_closed"} == {group.reason for group in report.groups}
    assert 90 == len(report.to_resume)


def test_a_stream_is_read_by_one_reader():
    """A second reader is told so instead of stealing outcomes."""

    async def work():
        async with client(Scripted(None)) as push:
            async with push.stream(PUSH, to=phones(1)) as outcomes:
                first = asyncio.ensure_future(anext(outcomes))
                await settled()
                with pytest.raises(RuntimeError, match="read already"):
                    await anext(outcomes)
                first.cancel()

    run(work())


def test_tenants_are_rotated_while_a_stream_runs():
    """Forgetting an app under load opens it anew with its new configuration; nobody else is disturbed."""

    async def work():
        versions = dict.fromkeys((f"app{n}" for n in range(200)), 1)

        def make(app):
            return ToySender(app, pool_key=(app, versions[app]))

        toy, transport = Toy(make), Scripted((0.01, 200))

        def targets():
            for number in range(4000):
                if number == 2000:
                    for app in ("app1", "app2", "app3"):
                        versions[app] = 2
                        push.forget(app)
                yield Phone(str(number), app=f"app{number % 200}")

        async with client(transport, toy, max_in_flight=50) as push:
            report = await after(transport.clock, push.send_many(PUSH, to=targets()), step=0.1)
            keys = {}
            for _, request in transport.requests:
                keys.setdefault(request.pool_key[0], set()).add(request.pool_key[1])
            await transport.clock.advance_async(700)
            return report, keys, transport.forgotten, len(toy.senders)

    report, keys, forgotten, opened = run(work())

    assert 4000 == report.accepted
    assert {"app1", "app2", "app3"} == {app for app, versions in keys.items() if versions == {1, 2}}
    assert 203 == opened
    assert [("app1", 1), ("app2", 1), ("app3", 1)] == forgotten[:3]
    assert 203 == len(set(forgotten))


def test_nothing_is_kept_after_a_stream():
    """A stream of many pushes leaves no push object behind."""
    from pushkit.delivery.push import Push

    async def work():
        async with client(Scripted(200)) as push:
            await Report.collect(push.stream(PUSH, to=phones(2000)))
            gc.collect()
            return sum(isinstance(item, Push) for item in gc.get_objects())

    assert run(work()) <= 1


def test_what_was_read_and_not_sent_may_be_resumed():
    """Rows that were read ahead when the stream was left were not sent, and their outcomes hold what resuming needs."""
    heard, taken = [], []

    async def rows():
        for phone in phones(100):
            taken.append(phone)
            yield phone

    async def work():
        push = client(Scripted((1.0, 200)), max_in_flight=5, hooks=[heard.append])
        async with push.stream(PUSH, to=rows()):
            await settled(100)

    run(work())
    ended = [event.outcome for event in heard if type(event).__name__ == "Finished"]
    not_sent = [outcome for outcome in ended if outcome.disposition is Disposition.NOT_SENT]

    assert len(taken) == len(ended)
    assert len(taken) - 5 == len(not_sent)
    assert all(outcome.retryable and outcome.resume.push_id for outcome in not_sent)


def test_a_loop_that_is_left_without_async_with_stops_its_stream():
    """break in a bare async for cancels what is under way, as leaving an async with does."""
    taken = []

    async def work():
        transport = Scripted(200)
        async with client(transport, max_in_flight=10) as push:
            async for _ in push.stream(PUSH, to=counted(phones(10_000), taken)):
                break
            await settled()
            before = len(taken)
            await push.send_many(PUSH, to=phones(50))
            return before, len(transport.flights), push._states.live.engine.streams

    before, flights, streams = run(work())

    assert before == len(taken)
    assert 0 == flights
    assert set() == streams


def test_a_bare_loop_reads_to_the_end():
    """async for without async with gives every outcome."""

    async def work():
        async with client(Scripted(200), max_in_flight=10) as push:
            return [outcome async for outcome in push.stream(PUSH, to=phones(500))]

    assert 500 == len(run(work()))
