"""The retry budget."""

from __future__ import annotations

from tests.unit.delivery.support import technical

from pushkit import Disposition
from pushkit.delivery.budget import CAPACITY, COST_ATTEMPT, COST_NOT_SENT, COST_UNKNOWN, QUIET, REFUND_CLEAN, Budget, cost


def test_costs_follow_the_disposition():
    """What provably was not sent costs one, a refusal five, an unknown fate ten."""
    verdicts = [technical("x", disposition=d) for d in (Disposition.NOT_SENT, Disposition.REJECTED, Disposition.UNKNOWN)]

    assert [COST_NOT_SENT, COST_ATTEMPT, COST_UNKNOWN] == [cost(verdict) for verdict in verdicts]


def test_it_pays_for_a_hundred_repeats():
    """A full budget pays for a hundred failed attempts and not one more."""
    budget = Budget()

    assert [True] * 100 + [False] == [budget.spend(COST_ATTEMPT) for _ in range(101)]


def test_refunds_stop_at_the_capacity():
    """Accepted pushes fill it up, not over."""
    budget = Budget()
    budget.spend(COST_ATTEMPT)
    for _ in range(10):
        budget.refund(REFUND_CLEAN)

    assert CAPACITY == budget.tokens


def exhausted(budget=None):
    budget = budget or Budget()
    while budget.spend(COST_ATTEMPT):
        pass
    return budget


def test_a_refusal_is_told_once_until_it_recovers():
    """The first refused repeat is news; the next ones are not until the budget is half full again, however long that takes."""
    budget = exhausted()

    assert [True, False, False] == [budget.first_refusal(now) for now in (0.0, 1.0, 2.0 + QUIET)]
    budget.refund(CAPACITY / 2)
    assert budget.first_refusal(3.0 + 3 * QUIET)


def test_a_budget_that_comes_and_goes_is_told_once():
    """A flapping service pays whole waves back: no news every few seconds, but again after a quiet minute."""
    budget = exhausted()
    told = []
    for now in (0.0, 10.0, 20.0, 50.0, 50.0 + QUIET):
        told.append(exhausted(budget).first_refusal(now))
        budget.refund(CAPACITY)

    assert [True, False, False, False, True] == told


def test_the_share_is_what_is_left():
    """Half used is half left."""
    budget = Budget()
    budget.spend(CAPACITY / 2)

    assert 0.5 == budget.share
