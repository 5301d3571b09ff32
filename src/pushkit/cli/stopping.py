"""Being asked to stop: by Ctrl-C, by whoever runs a container (SIGTERM), by a terminal that goes away (SIGHUP)."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any

import attrs

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@attrs.define
class Stopping:
    """
    How often somebody asked to stop.

    Who listens hears the first time (end in order) and the second (do not wait). A third one, and one that
    nobody listens to, is a ``KeyboardInterrupt``: it always ends.
    """

    asked: int = 0
    heard: Callable[[int], object] | None = None
    """Called with the number, in the middle of whatever the main thread does: it may do no more than take note."""

    def ask(self) -> None:
        """Ask once more."""
        self.asked += 1
        if self.heard is None or self.asked > 2:
            raise KeyboardInterrupt
        self.heard(self.asked)


@contextlib.contextmanager
def signals_ask(stopping: Stopping) -> Generator[None]:
    """Let the process's signals ask, for a while. What was ignored before (``nohup``) stays ignored."""

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopping.ask()

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
