from __future__ import annotations

import itertools

import pytest
from tests.values import make_failure

from pushkit import Category, Report
from pushkit.outcomes import Failure
from pushkit.report.causes import CONSEQUENCES, causes_of, main_cause


def failures(count: int, reason: str, provider: str = "apns", category: Category = Category.TECHNICAL, **changes: object) -> list[Failure]:
    return [make_failure(category, reason=reason, provider=provider, **changes)] * count


def main_of(*outcomes: list[Failure]) -> tuple[str | None, list[str]]:
    main, followers = main_cause(causes_of(Report.collect(itertools.chain(*outcomes))))
    return (None if main is None else main.reason), [follower.reason for follower in followers]


def test_groups_of_one_cause_are_joined_over_labels() -> None:
    """The most frequent label first."""
    [cause] = causes_of(
        Report.collect(failures(2, "Shutdown", label="spring") + failures(3, "Shutdown", label="sale") + failures(1, "Shutdown"))
    )

    assert (6, [("sale", 3), ("spring", 2), (None, 1)]) == (cause.count, list(cause.labels.items()))


def test_the_largest_is_the_main_cause() -> None:
    """Of any category."""
    assert ("Unregistered", []) == main_of(failures(2, "Shutdown"), failures(3, "Unregistered", category=Category.RECIPIENT))


@pytest.mark.parametrize("consequence", sorted(CONSEQUENCES))
def test_what_was_held_back_counts_for_what_it_was_held_back_for(consequence: str) -> None:
    """One refused key, a thousand pushes that were not even tried: the key is the cause."""
    held, gone = failures(1000, consequence), failures(500, "Unregistered", category=Category.RECIPIENT)

    assert ("InvalidProviderToken", [consequence]) == main_of(failures(1, "InvalidProviderToken"), held, gone)


def test_another_providers_failures_explain_nothing() -> None:
    """A breaker of Google's opens for Google's failures."""
    assert ("circuit_open", []) == main_of(failures(9, "circuit_open", "fcm"), failures(2, "Shutdown", "apns"))


def test_nothing_failed_of_nothing() -> None:
    """No failure, no cause."""
    assert (None, []) == main_of([])
