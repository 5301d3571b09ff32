"""The rate limiter."""

from __future__ import annotations

import pytest

from pushkit.delivery.limiter import DECREASE, SLOWEST, Limiter


def sent_in(limiter: Limiter, start: float, seconds: float, step: float = 0.001) -> int:
    """How many pushes it lets go in so many seconds."""
    count, now = 0, start
    while now < start + seconds:
        if limiter.delay(now) <= 0:
            limiter.take(now)
            count += 1
        if limiter.rate is None or limiter.delay(now) > 0:
            now += step
    return count


def test_it_holds_nothing_back_unasked():
    """Without a rate and without 429 answers every push may go."""
    limiter = Limiter()
    for _ in range(10_000):
        limiter.take(0.0)

    assert 0.0 == limiter.delay(0.0)


def test_a_configured_rate_is_kept():
    """A rate of 100 lets about 1000 go in ten seconds."""
    assert 1000 == pytest.approx(sent_in(Limiter(100.0), 0.0, 10.0), rel=0.02)


def test_a_pause_holds_everything():
    """After a refusal for the whole project nothing goes for as long as was asked."""
    limiter = Limiter()
    limiter.take(0.0)
    limiter.throttled(0.0, 60.0)

    assert 60.0 == limiter.delay(0.0)
    assert 0.5 == limiter.delay(59.5)


def test_a_refusal_slows_to_a_share_of_what_was_sent():
    """After the pause it goes at 0.7 of the rate that was too fast."""
    limiter = Limiter()
    for number in range(1000):
        limiter.take(number / 1000)
    limiter.throttled(1.0, 1.0)

    assert 1000 * DECREASE == pytest.approx(limiter.rate)
    assert 1000 * DECREASE == pytest.approx(sent_in(limiter, 2.0, 1.0), rel=0.1)


def test_refusals_of_one_burst_count_once():
    """A thousand 429 answers to one burst slow down once, not a thousand times."""
    limiter = Limiter()
    for number in range(1000):
        limiter.take(number / 1000)
    for number in range(1000):
        limiter.throttled(1.0 + number / 10_000, 0.0)

    assert 1000 * DECREASE == pytest.approx(limiter.rate)


def test_it_grows_back():
    """Without further refusals the rate grows, and in the end the limit is forgotten."""
    limiter = Limiter()
    for number in range(100):
        limiter.take(number / 100)
    limiter.throttled(1.0, 0.0)
    slow = limiter.rate
    sent_in(limiter, 1.0, 10.0)

    assert limiter.rate > slow
    sent_in(limiter, 11.0, 120.0, step=0.05)
    assert limiter.rate is None


def test_it_grows_back_to_the_configured_rate_only():
    """A configured rate stays the ceiling."""
    limiter = Limiter(100.0)
    sent_in(limiter, 0.0, 1.0)
    limiter.throttled(1.0, 0.0)
    sent_in(limiter, 1.0, 60.0, step=0.01)

    assert 100.0 == limiter.rate


def test_it_never_stands_still():
    """However often the provider refuses, a push every two seconds goes."""
    limiter = Limiter()
    for number in range(100):
        limiter.throttled(number * 2.0, 0.0)

    assert SLOWEST == limiter.rate
