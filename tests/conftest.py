"""Shared by all tests: long tests on demand, hypothesis profiles, canary secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.canaries import Canaries, LeakCatcher

# Deadlines measure the machine, not the code; examples are few by default and many in .ci/full.
_QUIET = [HealthCheck.too_slow]
settings.register_profile("short", deadline=None, max_examples=50, suppress_health_check=_QUIET)
settings.register_profile("full", deadline=None, max_examples=1000, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("PUSHKIT_HYPOTHESIS_PROFILE", "short"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the tests marked 'full' (soaks, a million targets, a browser)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--full"):
        settings.load_profile("full")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("full")]


@pytest.fixture(scope="session")
def canaries() -> Canaries:
    """Secrets that must never show: one of each kind that pushkit handles."""
    return Canaries.make()


@pytest.fixture
def leaks(canaries: Canaries) -> Iterator[LeakCatcher]:
    """Everything that is logged or shown while a test runs; fails the test when a canary is in it."""
    with LeakCatcher(canaries) as catcher:
        yield catcher
    catcher.assert_clean()
