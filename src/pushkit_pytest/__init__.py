"""
pushkit's pytest plugin: fixtures that need no import.

A package of its own, so that pytest can load it without importing pushkit (which would hide pushkit's and
its dependencies' import from coverage, and cost every test run the time).

Fixtures: ``pushkit_fake``, ``pushkit_async_fake``, ``pushkit_behaviour``, ``pushkit_clock``,
``pushkit_server``, ``pushkit_keys``, ``pushkit_no_network``. Markers: ``pushkit(strict=…, seed=…)`` and
``pushkit_no_network``. Ini: ``pushkit_no_network = true``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pushkit.testing import AsyncFakeClient, Behaviour, FakeClient, FakeClock, PushServer
    from pushkit.testing.guard import Guard
    from pushkit.testing.provision import Provision


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option."""
    parser.addini("pushkit_no_network", "let pushkit (and everything else in a test) reach loopback only", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """The markers."""
    config.addinivalue_line("markers", "pushkit(strict=False, seed=0): how pushkit's fakes behave in this test")
    config.addinivalue_line("markers", "pushkit_no_network: connections reach loopback only in this test")


@pytest.fixture(autouse=True)
def _pushkit_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    wanted = request.config.getini("pushkit_no_network") or request.node.get_closest_marker("pushkit_no_network") is not None
    if not wanted:
        yield
        return
    from pushkit.testing.guard import no_network

    with no_network():
        yield


@pytest.fixture
def pushkit_no_network() -> Iterator[Guard]:
    """Connections reach loopback only, while the test runs; what was stopped is in its ``blocked``."""
    from pushkit.testing.guard import no_network

    with no_network() as guard:
        yield guard


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("pushkit")
    if marker is None:
        return {}
    unknown = marker.kwargs.keys() - {"strict", "seed"}
    if unknown or marker.args:
        raise pytest.UsageError(f"@pytest.mark.pushkit takes strict= and seed=, not {', '.join(map(repr, [*marker.args, *unknown]))}")
    return dict(marker.kwargs)


@pytest.fixture
def pushkit_behaviour(request: pytest.FixtureRequest) -> Iterator[Behaviour]:
    """Scripts that the other fixtures of this test follow; a strict one is verified at the end."""
    from pushkit.testing import Behaviour

    behaviour = Behaviour(**_options(request))
    yield behaviour
    if behaviour.strict:
        behaviour.verify()


@pytest.fixture
def pushkit_clock() -> FakeClock:
    """A clock that stands still until told, for the fakes of this test."""
    from pushkit.testing import FakeClock

    return FakeClock()


def _clock(request: pytest.FixtureRequest) -> Any:
    # Only a test that asks for the clock gets one that it has to move itself.
    return request.getfixturevalue("pushkit_clock") if "pushkit_clock" in request.fixturenames else None


@pytest.fixture
def pushkit_fake(request: pytest.FixtureRequest, pushkit_behaviour: Behaviour) -> Iterator[FakeClient]:
    """A ``FakeClient``."""
    from pushkit.testing import FakeClient

    client = FakeClient(pushkit_behaviour, clock=_clock(request))
    yield client
    client.close()


@pytest.fixture
def pushkit_async_fake(request: pytest.FixtureRequest, pushkit_behaviour: Behaviour) -> AsyncFakeClient:
    """An ``AsyncFakeClient``; close it with ``async with`` or ``await …aclose()`` where the loop outlives the test."""
    from pushkit.testing import AsyncFakeClient

    return AsyncFakeClient(pushkit_behaviour, clock=_clock(request))


@pytest.fixture(scope="session")
def _pushkit_running_server() -> Iterator[PushServer]:
    from pushkit.testing import PushServer

    with PushServer() as server:
        yield server


@pytest.fixture
def pushkit_server(_pushkit_running_server: PushServer, request: pytest.FixtureRequest) -> Iterator[PushServer]:
    """The session's ``PushServer``; scripts, records and recipients are this test's own. ``seed`` and ``strict`` come from the marker."""
    server = _pushkit_running_server
    server.reset()
    options = _options(request)
    server.behaviour.strict, server.behaviour.seed = options.get("strict", False), options.get("seed", 0)
    yield server
    if server.behaviour.strict:
        server.behaviour.verify()
    server.behaviour.strict, server.behaviour.seed = False, 0
    server.reset()


@pytest.fixture
def pushkit_keys() -> Provision:
    """Throw-away credentials, configurations, devices, registrations and subscriptions for the providers' own addresses."""
    from pushkit.testing.provision import Provision
    from pushkit.testing.services.world import World

    return Provision(World())
