"""
Firefox's remote control, as much of it as a test needs: Marionette, protocol 3.

The package marionette-driver does not import on Python 3.13 (a dependency of it uses ``telnetlib``), and the
protocol is small: messages are ``length:JSON``, commands ``[0, id, name, parameters]``, answers
``[1, id, error, result]`` (Firefox source docs, "Marionette protocol").
"""

from __future__ import annotations

import json
import socket
from typing import Any

_LARGEST = 64 * 1024 * 1024


class MarionetteError(RuntimeError):
    """What the browser answered instead of a result."""


class Marionette:
    """
    A session with one browser.

    Args:
        port: its ``marionette.port`` on loopback.
        timeout: seconds for any one answer.
    """

    def __init__(self, port: int, *, timeout: float) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._stream = self._socket.makefile("rb")
        self._last = 0
        try:
            greeting = self._read()
            if greeting.get("marionetteProtocol") != 3:
                raise MarionetteError(f"expected Marionette's protocol 3, found {greeting}")
            self.command("WebDriver:NewSession")
        except BaseException:
            self.close()
            raise

    def command(self, name: str, **parameters: Any) -> Any:
        """One command; gives its result."""
        self._last += 1
        text = json.dumps([0, self._last, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _, number, error, result = self._read()
        if number != self._last:
            raise MarionetteError(f"expected the answer to command {self._last}, found {number}")
        if error is not None:
            raise MarionetteError(f"{error.get('error')}: {error.get('message')}")
        return result

    def _read(self) -> Any:
        digits = b""
        while (octet := self._stream.read(1)) != b":":
            if not octet.isdigit() or len(digits) > 9:
                raise MarionetteError("the browser hung up")
            digits += octet
        length = int(digits)
        if length > _LARGEST:
            raise MarionetteError(f"the browser announced {length} octets")
        return json.loads(self._stream.read(length))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()
