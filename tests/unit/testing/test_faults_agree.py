"""A wire fault means the same in memory as on a real connection, for all three providers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from pushkit import AsyncClient, Notification, RetryPolicy
from pushkit.testing import (
    AsyncFakeClient,
    Disconnect,
    Garbage,
    GoAway,
    Interim,
    PushServer,
    Refuse,
    Reset,
    Silence,
    Stall,
    StreamLimit,
    TlsFailure,
    Window,
)
from pushkit.testing.provision import Provision

HI = Notification(title="Hi")
# Longer than the half second for which the server reads on after a GOAWAY.
ONCE = RetryPolicy(attempts=1, attempt_timeout=1.0)
FAULTS = [
    Reset("INTERNAL_ERROR"),
    Reset("REFUSED_STREAM"),
    Reset("ENHANCE_YOUR_CALM"),
    Reset("CANCEL"),
    GoAway("answered", reason="Shutdown"),
    GoAway("unanswered", reason="Shutdown"),
    GoAway("before"),
    GoAway("none"),
    Disconnect(),
    Disconnect(abrupt=False),
    Disconnect(partial=True),
    Stall(),
    Stall(partial=True),
    StreamLimit(1),
    StreamLimit(500),
    StreamLimit(0, lasts=0.05),
    Window(1000),
    Garbage(),
    Interim(),
]
OUTAGES = [Refuse(), Silence(), TlsFailure("untrusted"), TlsFailure("wrong_host"), TlsFailure("handshake")]
TARGETS = {"apns": lambda p: p.device(), "fcm": lambda p: p.registration(), "webpush": lambda p: p.subscription()}


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer() as running:
        yield running


def script(place: Any, provider: str, fault: Any) -> None:
    if isinstance(fault, (Refuse, Silence, TlsFailure)):
        place.behaviour.outage(provider, fault=fault)
    else:
        getattr(place.behaviour, provider).next().fault(fault)


def told(outcome: Any) -> tuple[Any, ...]:
    """What a caller sees of it."""
    if outcome.accepted:
        return (True, len(outcome.attempts))
    return (False, outcome.reason, outcome.disposition.value, outcome.retryable, outcome.action.value)


async def in_memory(provider: str, fault: Any) -> tuple[Any, ...]:
    async with AsyncFakeClient(retry=ONCE) as push:
        target = TARGETS[provider](push)
        script(push, provider, fault)
        return told(await push.send(HI, to=target))


async def on_the_wire(server: PushServer, provider: str, fault: Any) -> tuple[Any, ...]:
    await asyncio.to_thread(server.reset)
    place: Provision = server
    configs = {"apns": place.apns_config(), "fcm": place.fcm_config(), "webpush": place.webpush_config()}
    async with AsyncClient(**configs, retry=ONCE, ssl_context=server.ssl_context()) as push:
        target = TARGETS[provider](place)
        if provider == "fcm":
            # The token first: the fault is about the push, not about Google's other service.
            (await push.send(HI, to=place.registration())).unwrap()
            await asyncio.to_thread(server.drop_connections, "fcm")
        await asyncio.to_thread(script, server, provider, fault)
        outcome = await push.send(HI, to=target)
    await asyncio.to_thread(server.reset)
    return told(outcome)


@pytest.mark.parametrize("provider", ["apns", "fcm", "webpush"])
@pytest.mark.parametrize("fault", [*FAULTS, *OUTAGES], ids=str)
def test_a_fault_means_the_same_everywhere(server: PushServer, provider: str, fault: Any) -> None:
    """Reason, disposition, whether to retry, attempts."""
    real = asyncio.run(on_the_wire(server, provider, fault))
    memory = asyncio.run(in_memory(provider, fault))

    assert real == memory
