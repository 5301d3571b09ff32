"""The retry policy."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest

from pushkit import ConfigurationError, RetryPolicy


def test_the_default_is_interactive():
    """Without arguments it is the preset for a request that somebody waits for."""
    assert RetryPolicy.interactive() == RetryPolicy()


def test_a_worker_never_sleeps_a_minute():
    """The worker's preset has more attempts and a longer deadline, and less than a minute of sleep."""
    worker = RetryPolicy.worker()

    assert worker.attempts > RetryPolicy().attempts
    assert worker.deadline >= 120
    assert worker.max_sleep < 60


def test_durations_may_be_timedeltas():
    """Seconds and timedelta are the same."""
    assert RetryPolicy(deadline=60) == RetryPolicy(deadline=timedelta(minutes=1))


def test_it_pickles():
    """A policy can be handed to a worker process."""
    assert RetryPolicy.worker() == pickle.loads(pickle.dumps(RetryPolicy.worker()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"attempts": 0}, "at least 1"),
        ({"attempts": 2.5}, "whole number"),
        ({"attempts": True}, "whole number"),
        ({"deadline": 0}, "more than 0"),
        ({"deadline": float("nan")}, "more than 0"),
        ({"deadline": "30"}, "timedelta"),
        ({"max_sleep": -1}, "at least 0"),
        ({"attempt_timeout": 0}, "more than 0"),
        ({"on_unknown": "perhaps"}, "replaceable"),
        ({"backoff": [1, 2]}, "not its result"),
        ({"jitter": 0.1}, "full_jitter"),
    ],
)
def test_nonsense_is_refused_with_the_mend(arguments, said):
    """Every wrong argument raises at once and says what is expected."""
    with pytest.raises(ConfigurationError, match=said):
        RetryPolicy(**arguments)
