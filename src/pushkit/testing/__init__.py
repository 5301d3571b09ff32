"""
Fakes that users trust, and push services that run on a laptop.

One :class:`Behaviour` says how the push services behave; :class:`PushServer` plays it over real TLS and
HTTP/2. Written from the providers' documentation, not from the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pushkit.testing.accounts import Accounts
    from pushkit.testing.behaviour import Behaviour, UnexpectedPush
    from pushkit.testing.clock import FakeClock
    from pushkit.testing.exchange import Answer, html_page
    from pushkit.testing.fake import AsyncFakeClient, FakeClient
    from pushkit.testing.faults import Disconnect, Garbage, GoAway, Interim, Refuse, Reset, Silence, Stall, StreamLimit, TlsFailure, Window
    from pushkit.testing.guard import NetworkBlocked, no_network
    from pushkit.testing.inbox import Inbox, SentRecord
    from pushkit.testing.server.push_server import PushServer
    from pushkit.testing.transport import FakeTransport

_HOMES = {
    "Accounts": "accounts",
    "AsyncFakeClient": "fake",
    "Answer": "exchange",
    "Behaviour": "behaviour",
    "Disconnect": "faults",
    "FakeClient": "fake",
    "FakeClock": "clock",
    "FakeTransport": "transport",
    "Garbage": "faults",
    "GoAway": "faults",
    "Inbox": "inbox",
    "Interim": "faults",
    "NetworkBlocked": "guard",
    "PushServer": "server.push_server",
    "Refuse": "faults",
    "Reset": "faults",
    "SentRecord": "inbox",
    "Silence": "faults",
    "Stall": "faults",
    "StreamLimit": "faults",
    "TlsFailure": "faults",
    "UnexpectedPush": "behaviour",
    "Window": "faults",
    "html_page": "exchange",
    "no_network": "guard",
}

__all__ = [
    "Accounts",
    "Answer",
    "AsyncFakeClient",
    "Behaviour",
    "Disconnect",
    "FakeClient",
    "FakeClock",
    "FakeTransport",
    "Garbage",
    "GoAway",
    "Inbox",
    "Interim",
    "NetworkBlocked",
    "PushServer",
    "Refuse",
    "Reset",
    "SentRecord",
    "Silence",
    "Stall",
    "StreamLimit",
    "TlsFailure",
    "UnexpectedPush",
    "Window",
    "html_page",
    "no_network",
]


def __getattr__(name: str) -> Any:
    # The clock needs no cryptography and the server needs all of it: each name brings only its own.
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
