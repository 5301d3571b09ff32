"""Scripting: whom, when, what; strictness; and that a surprise reaches the test."""

from __future__ import annotations

import asyncio
import time

import pytest

from pushkit import AsyncClient, Client, Notification, RetryPolicy
from pushkit.testing import (
    AsyncFakeClient,
    Behaviour,
    FakeClient,
    FakeTransport,
    GoAway,
    PushServer,
    Refuse,
    Reset,
    Stall,
    TlsFailure,
    UnexpectedPush,
)
from pushkit.testing.addresses import Address

HI = Notification(title="Hi")
ONE, TWO = Address("apns", "ab" * 32, "device"), Address("fcm", "token-two", "token")


def words(behaviour: Behaviour, *addresses: Address) -> list[str | None]:
    return [behaviour.plan(address).word for address in addresses]


def test_nothing_scripted_is_normal_service() -> None:
    """A fresh behaviour says nothing."""
    assert [None] == words(Behaviour(), ONE)


def test_steps_count_in_the_order_in_which_they_were_said() -> None:
    """next, then next again, then the uncounted rule."""
    behaviour = Behaviour()
    behaviour.apns.answer("ServiceUnavailable")
    behaviour.apns.next().answer("TooManyRequests")
    behaviour.apns.next(2).answer("InternalServerError")

    wanted = ["TooManyRequests", "InternalServerError", "InternalServerError", "ServiceUnavailable"]
    assert wanted == words(behaviour, ONE, ONE, ONE, ONE)


def test_a_recipient_comes_before_its_provider() -> None:
    """And the newest uncounted rule before older ones."""
    behaviour = Behaviour()
    behaviour.to("ab" * 32).answer("Unregistered")
    behaviour.apns.answer("BadDeviceToken")
    behaviour.apns.answer("ServiceUnavailable")

    assert ["Unregistered", "ServiceUnavailable"] == words(behaviour, ONE, Address("apns", "cd" * 32))


def test_state_changes_after_a_number_of_pushes() -> None:
    """Registered, then gone."""
    behaviour = Behaviour()
    behaviour.to("token-two").after(2).answer("UNREGISTERED")

    assert [None, None, "UNREGISTERED", "UNREGISTERED"] == words(behaviour, TWO, TWO, TWO, TWO)


def test_a_rate_is_the_same_in_every_run_and_in_any_order() -> None:
    """It draws by seed and recipient."""
    addresses = [Address("apns", f"{i:064x}") for i in range(1000)]

    def chosen(order: list[Address], seed: int) -> set[str]:
        behaviour = Behaviour(seed=seed)
        behaviour.apns.rate(0.1).answer("TooManyRequests")
        return {a.key for a in order if behaviour.plan(a).word}

    assert 60 < len(chosen(addresses, 1)) < 140
    assert chosen(addresses, 1) == chosen(addresses[::-1], 1)
    assert chosen(addresses, 1) != chosen(addresses, 2)


def test_an_exception_to_a_rule_is_accepted() -> None:
    """accept() overrides a wider rule."""
    behaviour = Behaviour()
    behaviour.apns.answer("ServiceUnavailable")
    behaviour.to("ab" * 32).accept()

    assert ["accepted"] == words(behaviour, ONE)


def test_rules_can_ask_a_callable() -> None:
    """where() sees the address."""
    behaviour = Behaviour()
    behaviour.any.where(lambda address: address.service == "topic").answer("QUOTA_EXCEEDED")

    assert ["QUOTA_EXCEEDED", None] == words(behaviour, Address("fcm", "news", "topic"), TWO)


@pytest.mark.parametrize(
    ("word", "hint"), [("Unregisterd", "'Unregistered'"), ("UNREGISTRED", "'UNREGISTERED'"), ("errno 13", "'errno 113'")]
)
def test_a_word_that_nobody_uses_is_refused_with_its_neighbours(word: str, hint: str) -> None:
    """A typing mistake must not become normal service."""
    with pytest.raises(ValueError, match=hint):
        Behaviour().any.answer(word)


def test_a_word_of_another_provider_is_refused() -> None:
    """APNs never says UNREGISTERED."""
    with pytest.raises(ValueError, match="apns does not use this word"):
        Behaviour().apns.answer("UNREGISTERED")


def test_mistakes_in_scripts_are_named() -> None:
    """Counts, shares, faults and recipients."""
    behaviour = Behaviour()
    with pytest.raises(ValueError, match="at least 1"):
        behaviour.apns.next(0)
    with pytest.raises(ValueError, match=r"between 0\.0 and 1\.0"):
        behaviour.apns.rate(5)
    with pytest.raises(TypeError, match="outage"):
        behaviour.apns.fault(Refuse())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a target or its token"):
        behaviour.to(7)
    with pytest.raises(ValueError, match="no HTTP/2 error code"):
        Reset("OOPS")
    with pytest.raises(ValueError, match="expected one of"):
        behaviour.outage("sms")


def test_steps_can_be_taken_back_and_rolled_back() -> None:
    """remove(), checkpoint() and reset()."""
    behaviour = Behaviour()
    kept = behaviour.apns.next(2).answer("TooManyRequests")
    with behaviour.checkpoint():
        behaviour.apns.answer("ServiceUnavailable")
        behaviour.outage("fcm")
        assert ["TooManyRequests"] == words(behaviour, ONE)
    assert (0, None, 1) == (kept.used, behaviour.down("fcm"), len(behaviour.steps))
    kept.remove()
    assert [None] == words(behaviour, ONE)


def test_unused_steps_are_complained_about_unless_optional() -> None:
    """verify() names what was said, with the address masked."""
    behaviour = Behaviour()
    behaviour.to("ab" * 32).next(2).answer("TooManyRequests")
    behaviour.fcm.optional().answer("UNAVAILABLE")
    behaviour.plan(ONE)
    with pytest.raises(UnexpectedPush) as caught:
        behaviour.verify()

    assert ".next(2).answer('TooManyRequests') (used 1 of 2, matched 1)" in str(caught.value)
    assert ("UNAVAILABLE" in str(caught.value), "abab" in str(caught.value)) == (False, False)


def test_a_strict_behaviour_names_near_misses() -> None:
    """What came, what was scripted, and the address that is almost the same."""
    behaviour = Behaviour(strict=True)
    behaviour.to("ab" * 31 + "ac").accept()
    with pytest.raises(UnexpectedPush) as caught:
        behaviour.plan(ONE)

    assert "near miss" in str(caught.value)
    assert "mend: script it" in str(caught.value)


def test_thousands_of_recipients_can_be_scripted_one_by_one() -> None:
    """A push looks at the steps about its own recipient only."""
    behaviour = Behaviour()
    for i in range(5000):
        behaviour.to(f"{i:064x}").answer("Unregistered")
    behaviour.apns.answer("ServiceUnavailable")
    started = time.process_time()
    for i in range(5000):
        assert ["Unregistered"] == words(behaviour, Address("apns", f"{i:064x}"))

    assert ["ServiceUnavailable"] == words(behaviour, ONE)
    assert time.process_time() - started < 1


# A surprise is never taken for something to retry


def test_a_surprise_comes_out_of_send() -> None:
    """Through the engine of the real client, untouched."""

    async def main() -> None:
        async with AsyncFakeClient(strict=True, retry=RetryPolicy.worker()) as push:
            with pytest.raises(UnexpectedPush):
                await push.send(HI, to=push.device())
            push.behaviour.reset()

    asyncio.run(main())


@pytest.mark.parametrize("call", ["send_many", "stream"])
def test_a_surprise_comes_out_of_many(call: str) -> None:
    """When everything that was taken has ended, the error is raised."""

    async def main() -> None:
        async with AsyncFakeClient(strict=True) as push:
            known, unknown = push.device(), push.device()
            push.behaviour.to(known).accept()
            with pytest.raises(UnexpectedPush):
                if call == "send_many":
                    await push.send_many(HI, to=[known, unknown])
                else:
                    async with push.stream(HI, to=[known, unknown]) as outcomes:
                        async for _ in outcomes:
                            pass
            push.behaviour.reset()

    asyncio.run(main())


@pytest.mark.parametrize("call", ["send", "send_many", "stream"])
def test_a_surprise_comes_out_of_the_synchronous_client(call: str) -> None:
    """Across the threads too."""
    push = FakeClient(strict=True)
    device = push.device()
    with pytest.raises(UnexpectedPush):
        if call == "send":
            push.send(HI, to=device)
        elif call == "send_many":
            push.send_many(HI, to=[device])
        else:
            with push.stream(HI, to=[device]) as outcomes:
                list(outcomes)
    push.close()


def test_a_surprise_in_a_retry_comes_out_too() -> None:
    """A step that is used up leaves a later attempt without one."""

    async def main() -> None:
        behaviour = Behaviour()
        async with AsyncFakeClient(behaviour) as push:
            device = push.device()
            behaviour.to(device).next().answer("IdleTimeout")
            behaviour.strict = True
            step = behaviour.steps[0]
            transport = push._fake_transport
            submit = transport.submit

            def once_then_object(request: object, done: object) -> object:
                if step.used:
                    raise UnexpectedPush("a second attempt")
                return submit(request, done)  # type: ignore[arg-type]

            transport.submit = once_then_object  # type: ignore[method-assign]
            with pytest.raises(UnexpectedPush, match="a second attempt"):
                await push.send(HI, to=device)
            behaviour.reset()
            behaviour.strict = False

    asyncio.run(main())


def test_a_closed_client_after_a_surprise_does_not_wait() -> None:
    """Nothing of the surprising push is left under way."""

    async def main() -> int:
        transport = FakeTransport(Behaviour(strict=True))
        fake = AsyncFakeClient()
        async with AsyncClient(apns=fake.apns_config(), transport=transport) as push:
            with pytest.raises(UnexpectedPush):
                await push.send(HI, to=fake.device())
            return push.health().in_flight

    assert 0 == asyncio.run(main())


def test_a_strict_fake_checks_its_script_at_the_end() -> None:
    """Unused steps fail the with."""
    with pytest.raises(UnexpectedPush, match="never used"), FakeClient(strict=True) as push:
        push.behaviour.to(push.device()).accept()


def test_a_strict_server_answers_500_and_remembers() -> None:
    """No test sits on that side of the wire: verify() tells."""
    with PushServer() as server:
        server.behaviour.strict = True
        with Client(apns=server.apns_config(), ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as push:
            assert 500 == push.send(HI, to=server.device()).status
        with pytest.raises(UnexpectedPush, match="never scripted: a push to apns"):
            server.behaviour.verify()


# What a fault is for a sender, in memory


@pytest.mark.parametrize(
    ("fault", "reason", "disposition"),
    [
        (Stall(), "timeout", "unknown"),
        (GoAway("unanswered", reason="Shutdown"), "connection_lost", "unknown"),
        (Reset("INTERNAL_ERROR"), "connection_lost", "unknown"),
    ],
)
def test_faults_have_a_fate(fault: Stall | GoAway | Reset, reason: str, disposition: str) -> None:
    """What may have been processed is unknown."""
    with FakeClient(retry=RetryPolicy.none()) as push:
        push.behaviour.apns.fault(fault)
        outcome = push.send(HI, to=push.device())

    assert (reason, disposition) == (outcome.reason, outcome.disposition)


@pytest.mark.parametrize("fault", [Reset("REFUSED_STREAM"), GoAway("before"), GoAway("none")])
def test_what_was_not_processed_is_sent_again_unseen(fault: GoAway | Reset) -> None:
    """The transport does it by itself: one attempt for the client, two for the service."""
    with FakeClient(retry=RetryPolicy.none()) as push:
        push.behaviour.apns.next().fault(fault)
        outcome = push.send(HI, to=push.device())

        assert (True, 1, 2) == (outcome.accepted, len(outcome.attempts), len(push.sent))


@pytest.mark.parametrize(("fault", "reason"), [(Refuse(), "connect_failed"), (TlsFailure("untrusted"), "tls_failed")])
def test_an_outage_is_no_connection(fault: Refuse | TlsFailure, reason: str) -> None:
    """Nothing was sent; and recovery is recovery."""
    with FakeClient(retry=RetryPolicy.none()) as push:
        push.behaviour.outage("apns", fault=fault)
        assert (reason, 0) == (push.send(HI, to=push.device()).reason, len(push.sent))
        push.behaviour.recover()
        assert push.send(HI, to=push.device()).accepted


def test_waits_take_no_time_and_are_in_the_records() -> None:
    """A minute between two attempts, at once."""
    with FakeClient(retry=RetryPolicy(max_sleep=300, deadline=600)) as push:
        device = push.device()
        push.behaviour.to(device).next().answer("TooManyRequests")
        assert push.send(HI, to=device).accepted
        push.assert_retried(1, to=device)
        first, second = push.sent.to(device)

    assert second.time - first.time >= 60
    assert (device, HI, 2) == (second.target, second.message, second.attempt)
