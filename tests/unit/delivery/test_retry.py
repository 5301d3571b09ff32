"""The retry decision."""

from __future__ import annotations

import functools

import backoff
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.delivery.support import technical

from pushkit import Disposition, RetryPolicy
from pushkit.delivery.budget import Budget
from pushkit.delivery.retry import Facts, Stop, Waits, decide
from pushkit.delivery.settle import refused_again
from pushkit.outcomes import WaitedFor
from pushkit.verdict import RefreshCredential

FRESH = Facts(
    made=1,
    slept=0.0,
    left=30.0,
    lifetime=86400.0,
    now_or_never=False,
    replaceable=False,
    unknown_retried=False,
    refreshed=False,
    early_used=False,
)
STEADY = RetryPolicy(jitter=None)


def decided(verdict, facts=FRESH, policy=STEADY, budget=None, chance=0.0):
    """The decision about a first failure."""
    return decide(verdict, policy, facts, waits=Waits(policy), budget=budget or Budget(), chance=chance)


@pytest.mark.parametrize(
    ("floor", "retry_after", "delay", "why"),
    [
        (0.0, None, 1.0, WaitedFor.BACKOFF),
        (5.0, None, 5.0, WaitedFor.FLOOR),
        (5.0, 3.0, 5.0, WaitedFor.FLOOR),
        (5.0, 8.0, 8.0, WaitedFor.RETRY_AFTER),
        (None, None, 1.0, WaitedFor.BACKOFF),
    ],
)
def test_the_delay_is_the_longest_of_three(floor, retry_after, delay, why):
    """Floor, back-off and Retry-After: the longest rules, and is named."""
    decision = decided(technical("x", floor=floor, retry_after=retry_after))

    assert (delay, why) == (decision.delay, decision.waits_for)


def test_the_budget_is_charged_only_for_what_will_be_repeated():
    """A failure that is not tried again costs nothing."""
    budget = Budget()
    decided(technical("x", floor=600.0), budget=budget)

    assert 1.0 == budget.share


def test_an_empty_budget_stops():
    """Without tokens the failure comes back at once, and may be resumed."""
    budget = Budget()
    budget.spend(budget.capacity)
    decision = decided(technical("x"), budget=budget)

    assert (None, Stop.BUDGET, True) == (decision.delay, decision.stop, decision.retryable)


def test_all_sleeping_counts_together():
    """max_sleep is for the whole push, not for one wait."""
    decision = decided(technical("x", floor=6.0), FRESH._replace(slept=10.0))

    assert Stop.MAX_SLEEP is decision.stop


def test_a_refused_credential_gets_one_immediate_try():
    """With a fresh credential once, at once; the second refusal is final."""
    verdict = technical("stale", floor=0.0, directives=(RefreshCredential(),))
    first, second = decided(verdict), decided(refused_again(verdict), FRESH._replace(refreshed=True))

    assert (0.0, True) == (first.delay, first.refresh)
    assert (None, False) == (second.delay, second.retryable)


def test_the_early_try_is_spread():
    """The early try comes between once and twice its time, and once only."""
    verdict = technical("x", floor=900.0, early=1.0)

    assert [1.0, 1.5] == [decided(verdict, chance=chance).delay for chance in (0.0, 0.5)]
    assert Stop.MAX_SLEEP is decided(verdict, FRESH._replace(early_used=True)).stop
    assert 900.0 == decided(verdict, FRESH._replace(early_used=True)).defer


def test_retry_after_is_stronger_than_the_early_try():
    """A provider that asks for thirty seconds is not tried after one."""
    decision = decided(technical("x", floor=900.0, early=1.0, retry_after=30.0))

    assert (None, 900.0) == (decision.delay, decision.defer)


@pytest.mark.parametrize(
    "factory",
    [
        backoff.expo,
        backoff.fibo,
        functools.partial(backoff.constant, 2),
        lambda: iter([1.0, 2.0]),
        lambda: iter([0, 1.0, 2.0]),
        lambda: iter([]),
    ],
)
def test_every_generator_of_the_backoff_package_serves(factory):
    """Generators of backoff, of its fork (0 first instead of None) and plain iterators all give waits."""
    waits = Waits(RetryPolicy(backoff=factory, jitter=None))

    assert all(wait >= 0 for wait in (waits.next(), waits.next(), waits.next(), waits.next()))


def test_the_first_value_of_both_packages_is_no_wait():
    """backoff 2 gives None first, its fork 0: both packages wait one second first."""
    litl = Waits(RetryPolicy(backoff=lambda: iter([None, 1, 2]), jitter=None))
    fork = Waits(RetryPolicy(backoff=lambda: iter([0, 1, 2]), jitter=None))

    assert [1.0, 2.0] == [litl.next(), litl.next()] == [fork.next(), fork.next()]


@given(
    disposition=st.sampled_from(list(Disposition)),
    floor=st.none() | st.floats(0, 1e4),
    retry_after=st.none() | st.floats(0, 86400),
    early=st.none() | st.floats(0.1, 5),
    facts=st.builds(
        Facts,
        made=st.integers(1, 10),
        slept=st.floats(0, 100),
        left=st.floats(-10, 100),
        lifetime=st.floats(-10, 1e5) | st.just(float("inf")),
        now_or_never=st.booleans(),
        replaceable=st.booleans(),
        unknown_retried=st.booleans(),
        refreshed=st.booleans(),
        early_used=st.booleans(),
    ),
    policy=st.builds(
        RetryPolicy,
        attempts=st.integers(1, 8),
        deadline=st.floats(0.1, 100),
        max_sleep=st.floats(0, 100),
        on_unknown=st.sampled_from(["replaceable", "always", "never"]),
    ),
    chance=st.floats(0, 0.999),
)
def test_no_decision_breaks_a_promise(disposition, floor, retry_after, early, facts, policy, chance):
    """Whatever the facts are: no sleep past a limit, no shortened Retry-After, no forbidden copy."""
    verdict = technical("x", disposition=disposition, floor=floor, retry_after=retry_after, early=early)
    decision = decide(verdict, policy, facts, waits=Waits(policy), budget=Budget(), chance=chance)

    if decision.delay is not None:
        assert facts.made < policy.attempts
        assert decision.delay < facts.lifetime
        assert decision.delay < facts.left
        assert facts.slept + decision.delay <= policy.max_sleep
        assert decision.delay >= (retry_after or 0.0)
        assert decision.early or decision.delay >= (floor or 0.0)
    if disposition is Disposition.UNKNOWN and (decision.delay is not None or decision.retryable):
        assert not facts.unknown_retried
        assert policy.on_unknown == "always" or (policy.on_unknown == "replaceable" and facts.replaceable)
    if decision.retryable:
        assert decision.defer >= max(floor or 0.0, retry_after or 0.0)
        assert decision.defer < facts.lifetime
