"""Reaching the configured rate gradually."""

from __future__ import annotations

import pytest

from pushkit.delivery.limiter import Limiter


def went(limiter, start, seconds):
    """How many pushes a sender that never stops gets through, second by second."""
    counts = []
    for second in range(seconds):
        count, now = 0, start + second
        while now < start + second + 1:
            if limiter.delay(now) == 0.0:
                limiter.take(now)
                count += 1
            else:
                now += 0.001
        counts.append(count)
    return counts


def test_the_rate_is_reached_over_the_ramp():
    """From a tenth of it, in even steps."""
    counts = went(Limiter(1000.0, ramp=10.0), 5000.0, 12)

    assert counts[0] == pytest.approx(150, abs=40)
    assert counts[5] == pytest.approx(650, rel=0.1)
    assert counts[11] == pytest.approx(1000, rel=0.05)
    assert max(counts) <= 1010


def test_a_long_silence_begins_anew():
    """Google forgets how much a sender was trusted with."""
    limiter = Limiter(1000.0, ramp=10.0)
    went(limiter, 5000.0, 12)

    assert 300 > went(limiter, 5030.0, 1)[0]


def test_without_a_ramp_the_rate_holds_at_once():
    """The default."""
    assert went(Limiter(1000.0), 5000.0, 1)[0] == pytest.approx(1000, rel=0.15)


def test_what_the_provider_taught_wins_over_the_ramp():
    """A refusal slows down below the climb."""
    limiter = Limiter(1000.0, ramp=10.0)
    went(limiter, 5000.0, 5)

    limiter.throttled(5005.0, 1.0)

    assert limiter.rate < 500
