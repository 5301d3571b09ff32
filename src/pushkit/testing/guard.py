"""
No network for pushkit: whatever a test does, its connections reach loopback or nothing.

Never on by itself: by the fixture ``pushkit_no_network``, the marker ``@pytest.mark.pushkit_no_network``,
the ini option ``pushkit_no_network = true``, or this context manager.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()


class NetworkBlocked(AssertionError):
    """Something wanted to leave this machine. An ``AssertionError``, so that no retry takes it for weather."""


class Guard:
    """What was stopped so far."""

    def __init__(self) -> None:
        self.blocked: list[str] = []
        """Hosts, in order. Clear it where a test means to be stopped."""

    def verify(self) -> None:
        """
        Check that nothing wanted to leave, even where its error was taken for a failed connection.

        Raises:
            NetworkBlocked: names the hosts.
        """
        if self.blocked:
            raise NetworkBlocked(_message(", ".join(dict.fromkeys(self.blocked))))


@contextmanager
def no_network() -> Generator[Guard, None, None]:
    """
    While it lasts, sockets and event loops of this process connect to loopback only, and resolve no other name.

    Raises:
        NetworkBlocked: in the code that wants to connect elsewhere, and once more at the end (a client makes a
            failed connection of it, as of any other error); names the host, never a path or token.
    """
    guard = Guard()
    with _lock:
        if not _guards:
            _install()
        _guards.append(guard)
    try:
        yield guard
    finally:
        with _lock:
            _guards.remove(guard)
            if not _guards:
                _remove()
    guard.verify()


_guards: list[Guard] = []
_saved: dict[str, Any] = {}


def _install() -> None:
    _saved["connect"] = socket.socket.connect
    _saved["connect_ex"] = socket.socket.connect_ex
    _saved["getaddrinfo"] = socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> Any:
        _check(self, address)
        return _saved["connect"](self, address)

    def connect_ex(self: socket.socket, address: Any) -> Any:
        _check(self, address)
        return _saved["connect_ex"](self, address)

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        _check_host(host)
        return _saved["getaddrinfo"](host, *rest, **named)

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]  # put back by _remove
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign,assignment]  # as above
    socket.getaddrinfo = getaddrinfo


def _remove() -> None:
    socket.socket.connect = _saved["connect"]  # type: ignore[method-assign]  # as it was
    socket.socket.connect_ex = _saved["connect_ex"]  # type: ignore[method-assign]  # as it was
    socket.getaddrinfo = _saved["getaddrinfo"]


def _check(sock: socket.socket, address: Any) -> None:
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    _check_host(address[0] if isinstance(address, tuple) and address else address)


def _check_host(host: Any) -> None:
    if host is None or host in {"", b""}:
        return
    text = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else str(host)
    name = text.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return
    if not _is_loopback(name):
        for guard in _guards:
            guard.blocked.append(text)
        raise NetworkBlocked(_message(text))


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _message(hosts: str) -> str:
    return (
        f"a connection to {hosts} was stopped: no_network() lets tests reach loopback only. "
        "Send through pushkit.testing (FakeClient, FakeTransport, PushServer), or leave the guard off for this test"
    )
