"""The circuit breaker."""

from __future__ import annotations

from pushkit.delivery.breaker import FIRST_BREAK, LEAST, LONGEST_BREAK, WINDOW, Breaker, State


def tripped(now: float = 0.0) -> Breaker:
    """A breaker that just opened."""
    breaker = Breaker()
    for _ in range(LEAST):
        breaker.failure(now)
    return breaker


def test_it_needs_enough_attempts():
    """A few failures in a row say nothing."""
    breaker = Breaker()

    assert not any(breaker.failure(0.0) for _ in range(LEAST - 1))
    assert breaker.failure(0.0)
    assert State.OPEN is breaker.state


def test_it_needs_the_ratio():
    """It stays closed while most attempts succeed, whatever the number of failures."""
    breaker = Breaker()
    for _ in range(1000):
        breaker.success(1.0)
        breaker.success(1.0)
        breaker.failure(1.0)

    assert State.CLOSED is breaker.state


def test_old_failures_leave_the_window():
    """Failures older than the window do not count."""
    breaker = Breaker()
    for _ in range(LEAST - 1):
        breaker.failure(0.0)

    assert not breaker.failure(WINDOW + 5)
    assert State.CLOSED is breaker.state


def test_open_refuses_until_its_break_is_over():
    """An open breaker refuses, then lets one probe pass and refuses the rest."""
    breaker = tripped()

    assert not breaker.allow(FIRST_BREAK - 0.1)
    assert breaker.allow(FIRST_BREAK)
    assert not breaker.allow(FIRST_BREAK)
    assert State.HALF_OPEN is breaker.state


def test_a_good_probe_closes():
    """A probe that is answered closes the breaker."""
    breaker = tripped()
    breaker.allow(FIRST_BREAK)

    assert breaker.success(FIRST_BREAK + 1)
    assert State.CLOSED is breaker.state
    assert breaker.allow(FIRST_BREAK + 1)


def test_bad_probes_double_the_break_up_to_a_limit():
    """Each failed probe but the first doubles the wait, to a minute at the most."""
    breaker, now, breaks = tripped(), FIRST_BREAK, []
    for _ in range(6):
        breaker.allow(now)
        breaker.failure(now)
        breaks.append(breaker.probe_at - now)
        now = breaker.probe_at

    assert [FIRST_BREAK, 10.0, 20.0, 40.0, LONGEST_BREAK, LONGEST_BREAK] == breaks


def test_a_probe_that_says_nothing_makes_room_for_another():
    """A cancelled probe does not hold the breaker half open."""
    breaker = tripped()
    breaker.allow(FIRST_BREAK)
    breaker.void()

    assert breaker.allow(FIRST_BREAK)


def test_a_lost_probe_is_replaced_after_a_break():
    """A probe that never reports back does not block the breaker for ever."""
    breaker = tripped()
    breaker.allow(FIRST_BREAK)

    assert breaker.allow(2 * FIRST_BREAK)


def test_late_answers_do_not_close_an_open_breaker():
    """An answer from before it opened changes nothing."""
    breaker = tripped()

    assert not breaker.success(1.0)
    assert not breaker.failure(1.0)
    assert State.OPEN is breaker.state


def test_everything_that_ends_with_one_connection_is_one_failure():
    """A connection that breaks with a thousand pushes under way does not open the breaker; twenty connections do."""
    breaker = Breaker()

    assert not any(breaker.failure(0.0, 7) for _ in range(1000))
    assert any(breaker.failure(0.0, number) for number in range(8, 30))


def test_a_connection_whose_streams_keep_being_reset_counts_again():
    """Failures on one connection that come one after the other are failures of the service."""
    breaker = Breaker()

    assert any(breaker.failure(number * 0.2, 7) for number in range(LEAST))


def test_answers_from_before_the_probe_do_not_speak_for_it():
    """While a probe is out, late answers to attempts from before neither close nor reopen the breaker, nor free the probe's place."""
    breaker = tripped()
    assert breaker.allow(FIRST_BREAK)

    assert not breaker.success(FIRST_BREAK + 1, started=FIRST_BREAK - 1)
    assert not breaker.failure(FIRST_BREAK + 1, started=FIRST_BREAK - 1)
    breaker.void(started=FIRST_BREAK - 1)
    assert not breaker.allow(FIRST_BREAK + 1)
    assert breaker.success(FIRST_BREAK + 1, started=FIRST_BREAK)
