"""
Events for listeners that take their time: a thread, or an asyncio queue.

Hooks run between two pushes and must be quick. A listener that writes to a database, calls an HTTP
service or awaits something hears its events through one of these::

    from pushkit import events
    from pushkit.contrib.queue import AsyncListener, ThreadListener

    with ThreadListener(forget_in_database, only=[events.RecipientGone]) as hook:
        with pushkit.Client(..., hooks=[hook]) as push: ...

    async with AsyncListener(forget_in_database, only=[events.RecipientGone]) as hook:
        async with pushkit.AsyncClient(..., hooks=[hook]) as push: ...

Both hold at most ``maxsize`` events. What does not fit is dropped and counted (``dropped``): a slow
listener never slows a send, and memory stays bounded. Name what is wanted in ``only``, and a flood of
attempts cannot push out the one event that matters.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Generic, Self, TypeVar, get_args

from pushkit import events

__all__ = ["AsyncListener", "ThreadListener"]

log = logging.getLogger("pushkit.contrib.queue")

R = TypeVar("R")

DEFAULT_SIZE = 10_000
"""Events. An event is a few hundred bytes."""


class _Bounded(Generic[R]):
    """What both have in common: the filter, the count, and what is said when something goes wrong."""

    def __init__(self, listener: Callable[[events.Event], R], *, maxsize: int, only: Iterable[type[events.Event]] | None) -> None:
        if maxsize < 1:
            raise ValueError(f"maxsize: expected 1 or more, found {maxsize}")
        self._listener = listener
        self._maxsize = maxsize
        self._only = _kinds(only) if only is not None else None
        self._errors = 0
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Events that did not fit (or came after the end) and that nobody heard."""
        return self._dropped

    @property
    def errors(self) -> int:
        """Times that the listener raised. The first time is logged."""
        return self._errors

    def _wants(self, event: events.Event) -> bool:
        return self._only is None or type(event) in self._only

    def _drop(self, count: int = 1, *, why: str = "") -> None:
        if self._dropped == 0 and count:
            log.warning(
                "%s; further ones are dropped and counted",
                why or f"a listener is too slow: more than {self._maxsize} events wait for {self._name()}",
            )
        self._dropped += count

    def _late(self) -> None:
        self._drop(why=f"an event came after the end of the listener {self._name()}: close the client first")

    def _unheard(self, count: int, seconds: float) -> None:
        log.warning("the listener %s was not done within %g s: %d events more were waiting for it", self._name(), seconds, count)

    def _raised(self, error: BaseException, event: events.Event) -> None:
        if self._errors == 0:
            # Without the text and the traceback: both may quote the event's target.
            log.error(
                "the listener %s raised %s on %s; further errors are counted only", self._name(), type(error).__name__, type(event).__name__
            )
        self._errors += 1

    def _name(self) -> str:
        return getattr(self._listener, "__qualname__", type(self._listener).__qualname__)


def _kinds(only: Iterable[type[events.Event]]) -> frozenset[type[events.Event]]:
    kinds = frozenset(() if isinstance(only, type) else only)
    strange = [str(getattr(kind, "__name__", kind)) for kind in kinds if kind not in get_args(events.Event)]
    if strange or not kinds:
        found = ", ".join(strange) or "no list of them"
        raise ValueError(f"only: expected classes of pushkit.events, such as [events.RecipientGone], found {found}")
    return kinds


class ThreadListener(_Bounded[object]):
    """
    A hook that hands events to a function in a thread of its own.

    The thread starts with the first event; after ``fork()`` the child starts its own, with an empty
    queue (what the parent has queued is the parent's to hear). It may be shared by several clients.

    Args:
        listener: called with one event at a time, in order. It may block; when it raises, that is logged once.
        maxsize: events that may wait.
        only: the types of events to hear; None for all.

    Raises:
        ValueError: when ``maxsize`` is below 1, ``only`` names no events, or ``listener`` is a coroutine function.
    """

    def __init__(
        self,
        listener: Callable[[events.Event], object],
        *,
        maxsize: int = DEFAULT_SIZE,
        only: Iterable[type[events.Event]] | None = None,
    ) -> None:
        super().__init__(listener, maxsize=maxsize, only=only)
        if inspect.iscoroutinefunction(listener):
            raise ValueError(f"{self._name()} is a coroutine function, and nobody would await it here; use AsyncListener")
        self._start_over()

    def _start_over(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[events.Event | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing = False

    def __call__(self, event: events.Event) -> None:
        """Hear an event: what makes this object a hook. Never blocks."""
        if not self._wants(event):
            return
        if self._pid != os.getpid():
            self._start_over()
        if self._closing:
            self._late()
            return
        if self._queue.qsize() >= self._maxsize:
            self._drop()
            return
        if self._thread is None:
            self._start()
        self._queue.put(event)

    @property
    def waiting(self) -> int:
        """Events that wait to be heard."""
        return self._queue.qsize()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                # A daemon, so that a listener that hangs does not keep the program from ending; `close` waits for the rest.
                self._thread = threading.Thread(target=self._run, name="pushkit-listener", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        waiting = self._queue
        while (event := waiting.get()) is not None:
            try:
                self._listener(event)
            except BaseException as error:  # noqa: BLE001 - SystemExit would end the thread alone, unseen; the next event is still heard
                self._raised(error, event)

    def close(self, timeout: float = 10.0) -> bool:
        """
        Hear what waits, then stop; later events are counted as dropped.

        Args:
            timeout: seconds to wait at the most.

        Returns:
            Whether everything was heard in time. What was not is told in the log.
        """
        self._closing = True
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return True
        self._queue.put(None)
        if thread is threading.current_thread():
            return False  # the listener closes its own queue: the thread ends after what waits
        thread.join(timeout)
        if thread.is_alive():
            self._unheard(max(0, self._queue.qsize() - 1), timeout)
        return not thread.is_alive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncListener(_Bounded[Awaitable[object]]):
    """
    A hook that hands events to a coroutine function, on the event loop that enters it.

    Use it with ``async with``, around the client. Events may come from any thread (``pushkit.Client``
    calls hooks in its background thread). A child process needs one of its own: events after ``fork()`` are
    counted as dropped.

    Args:
        listener: awaited with one event at a time, in order. When it raises, that is logged once.
        maxsize: events that may wait.
        only: the types of events to hear; None for all.
        grace: seconds that leaving the ``async with`` waits for the rest to be heard.

    Raises:
        ValueError: when ``maxsize`` is below 1, or ``only`` names no events.
    """

    def __init__(
        self,
        listener: Callable[[events.Event], Awaitable[object]],
        *,
        maxsize: int = DEFAULT_SIZE,
        only: Iterable[type[events.Event]] | None = None,
        grace: float = 10.0,
    ) -> None:
        super().__init__(listener, maxsize=maxsize, only=only)
        self._grace = grace
        self._pid = os.getpid()
        self._events: deque[events.Event] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._more = asyncio.Event()
        self._closing = False
        self._woken = False

    @property
    def waiting(self) -> int:
        """Events that wait to be heard."""
        return len(self._events)

    def __call__(self, event: events.Event) -> None:
        """Hear an event: what makes this object a hook. Never blocks; before ``async with`` events wait."""
        if not self._wants(event):
            return
        if self._pid != os.getpid():
            self._drop(why=f"the listener {self._name()} runs in the parent process; make one in the child")
            return
        if self._closing:
            self._late()
            return
        if len(self._events) >= self._maxsize:
            self._drop()
            return
        self._events.append(event)
        # One wake-up for a burst: call_soon_threadsafe writes to a socket each time.
        if not self._woken and self._loop is not None:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._more.set)
            except RuntimeError:  # the loop is closed, and was not left through `async with`
                self._closing = True
                self._drop(len(self._events), why=f"the event loop of the listener {self._name()} is closed")
                self._events.clear()

    async def _run(self) -> None:
        while True:
            self._woken = False
            while self._events:
                event = self._events.popleft()
                try:
                    await self._listener(event)
                except asyncio.CancelledError as error:
                    if self._given_up():
                        raise
                    self._raised(error, event)  # something that the listener awaited was cancelled, not this task
                except Exception as error:  # noqa: BLE001 - somebody else's listener; the next event is still heard
                    self._raised(error, event)
            if self._closing:
                return
            await self._more.wait()
            self._more.clear()

    def _given_up(self) -> bool:
        return self._task is None or self._task.cancelling() > 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="pushkit-listener")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        self._more.set()
        task = self._task
        if task is None:
            return
        done, _ = await asyncio.wait({task}, timeout=self._grace)
        if not done:
            self._unheard(len(self._events), self._grace)
            self._dropped += len(self._events)
            self._events.clear()
            task.cancel()
            await asyncio.wait({task}, timeout=self._grace)
