"""A hundred thousand pushes through five modelled services: what retries cost and what they save. Deterministic."""

from __future__ import annotations

import pytest
from tests.property.delivery_simulation import SERVICES, Figures, simulate

PUSHES = 20_000

# Attempts a push at the most, share accepted at the least, seconds to recovery at the most.
BOUNDS = {
    "healthy": (1.0, 1.0, 0.0),
    "30 % failing": (1.4, 0.90, 5.0),
    "total outage": (0.25, 0.0, 65.0),
    "throttled": (0.6, 0.25, 30.0),
    "flapping": (1.1, 0.35, 65.0),
}


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    """One run of each service with everything on."""
    return {name: simulate(name, pushes=PUSHES) for name in SERVICES}


@pytest.mark.parametrize("name", SERVICES)
def test_every_push_has_one_outcome(figures, name):
    """Nothing is lost and nothing comes twice, whatever the service does."""
    assert PUSHES == figures[name].outcomes


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_sent_after_its_expiry(figures, name):
    """No request leaves for a push whose time is over."""
    assert 0 == figures[name].late


@pytest.mark.parametrize("name", SERVICES)
def test_no_copy_where_a_copy_would_show(figures, name):
    """A push that may have been taken and would show twice is never sent again."""
    assert 0 == figures[name].forbidden


@pytest.mark.parametrize("name", SERVICES)
def test_what_may_be_sent_again_can_be(figures, name):
    """Every retryable failure holds what resuming it needs."""
    assert 0 == figures[name].unresolved


@pytest.mark.parametrize("name", SERVICES)
def test_the_load_stays_within_bounds(figures, name):
    """Attempts a push, share accepted and recovery are within what docs/retries.md promises."""
    most, least, recovery = BOUNDS[name]
    seen = figures[name]

    assert seen.amplification <= most
    assert seen.share >= least
    assert seen.recovery <= recovery


def test_the_budget_keeps_an_outage_from_tripling_the_load():
    """Without budget and breaker an outage triples the attempts; the budget alone holds them at the number of pushes."""
    free = simulate("total outage", pushes=6_000, budget=False, breaker=False)
    held = simulate("total outage", pushes=6_000, breaker=False)

    assert free.amplification > 2.5
    assert held.amplification < 1.1


def test_the_budget_costs_nothing_while_most_goes_well():
    """With three in ten attempts failing the budget refuses no repeat."""
    free = simulate("30 % failing", pushes=6_000, budget=False)
    held = simulate("30 % failing", pushes=6_000)

    assert free.share == held.share


def test_a_run_is_repeatable():
    """The same seed gives the same figures."""
    assert simulate("30 % failing", pushes=2_000) == simulate("30 % failing", pushes=2_000)
