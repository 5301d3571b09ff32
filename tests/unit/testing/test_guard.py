"""The network guard without pytest's help."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from pushkit.testing import NetworkBlocked, no_network


def test_loopback_is_reached_in_every_spelling() -> None:
    """127.0.0.0/8, ::1, localhost and names below it."""
    with socket.create_server(("127.0.0.1", 0)) as server, no_network():
        for host in ("127.0.0.1", "localhost", "LOCALHOST"):
            socket.create_connection((host, server.getsockname()[1]), timeout=2).close()


@pytest.mark.parametrize("host", ["api.push.apple.com", "192.0.2.1", "::ffff:192.0.2.1", "localhost.example.com", "169.254.169.254"])
def test_everything_else_is_stopped(host: str) -> None:
    """By name and by address, before anything is dialled."""
    with no_network() as guard:
        with pytest.raises(NetworkBlocked):
            socket.create_connection((host, 443), timeout=2)
        assert host in guard.blocked
        guard.blocked.clear()


def test_an_error_that_was_swallowed_comes_back_at_the_end() -> None:
    """A client makes a failed connection of it; the block raises it all the same."""
    with pytest.raises(NetworkBlocked, match=r"192.0.2.1 was stopped"), no_network():
        with suppress(AssertionError):
            socket.create_connection(("192.0.2.1", 443), timeout=2)


def test_guards_nest_and_leave_nothing_behind() -> None:
    """The last one out puts everything back."""
    before = (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)
    with no_network(), no_network():
        pass

    assert before == (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)
