"""One background thread with an event loop in it, for the synchronous client."""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pushkit.client.state import State, StateHolder
from pushkit.errors import ClientClosedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pushkit.client.options import Options
    from pushkit.delivery.engine import Engine
    from pushkit.provider import Provider

T = TypeVar("T")

START_WITHIN = 5.0
"""Seconds within which the thread has to run."""

_TURNS = 50
"""Turns that the loop makes after its end for what other threads posted before; what is refused needs three or four."""

_NO_THREAD = (
    f"the client's background thread did not run within {START_WITHIN:g} seconds; a server that runs Python without threads "
    "(uWSGI without --enable-threads) has to allow them"
)


class Bell:
    """Lets one thread wait until another rings. A ring is remembered until somebody waits; several count as one."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        """Wake the one who waits. From one thread only."""
        if self._lock.locked():
            self._lock.release()

    def wait(self, timeout: float = -1) -> bool:
        """Until it rings. Ctrl-C interrupts it."""
        return self._lock.acquire(timeout=timeout)


class Box(Generic[T]):
    """What a call on the other thread gave or raised."""

    __slots__ = ("_bell", "_error", "_work", "value")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._bell = Bell()
        self._error: BaseException | None = None
        self.value: T

    def run(self) -> None:
        """Do the work (on the loop)."""
        try:
            self.value = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self._error = error
        self._bell.ring()

    def wait(self) -> T:
        """The value, or the error."""
        self._bell.wait()
        if self._error is not None:
            raise self._error
        return self.value


class Portal:
    """
    The thread, its loop and the engine that runs there.

    Raises:
        RuntimeError: when the thread does not run within five seconds.
    """

    def __init__(self, options: Options, providers: Sequence[Provider]) -> None:
        self.states = StateHolder(options, providers)
        self.loop: asyncio.AbstractEventLoop
        self.ident = 0
        self.pid = os.getpid()
        self._ending: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._running = Bell()
        self._ended = Bell()
        self._stop: asyncio.Event
        self._over = False
        # Taken again by the same thread: the garbage collector may call drop() in the middle of post().
        self._gate = threading.RLock()
        # Not threading.Thread: its start() waits without end for a thread that never runs.
        _thread.start_new_thread(self._main, ())
        if not self._running.wait(START_WITHIN):
            self._over = True
            raise RuntimeError(_NO_THREAD)
        if self._failure is not None:
            raise self._failure

    def _main(self) -> None:
        self.ident = _thread.get_ident()
        try:
            self.loop = asyncio.new_event_loop()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that starts this one
            self._failure = error
            self._running.ring()
            return
        try:
            self.loop.run_until_complete(self._serve())
        finally:
            with self._gate:
                self._over = True
            try:
                self.loop.run_until_complete(self._finish())
            finally:
                self.loop.close()
                self._ended.ring()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._running.ring()
        if not self._over:
            await self._stop.wait()

    async def _finish(self) -> None:
        """What was posted before the end is carried out, and what still runs is cancelled: other threads wait for both."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def post(self, work: Callable[[], object]) -> None:
        """
        Have something done on the loop, and do not wait for it.

        Raises:
            ClientClosedError: when the loop has ended. What was posted before that is done.
        """
        with self._gate:
            if self._over:
                raise _closed()
            self.loop.call_soon_threadsafe(work)

    def call(self, work: Callable[[], T]) -> T:
        """Have something done on the loop, and wait for its result."""
        if self.inside():
            # A hook asks: waiting for the loop that it runs on would be for ever.
            return work()
        box = Box(work)
        self.post(box.run)
        return box.wait()

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the loop, and wait for its result; cancelled when this thread is interrupted."""
        with self._gate:
            if self._over:
                raise _closed()
            future = asyncio.run_coroutine_threadsafe(_started(make), self.loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise _closed() from None
        except BaseException:
            future.cancel()
            raise

    @property
    def over(self) -> bool:
        """Whether the loop has ended: nothing more is done there."""
        return self._over

    def inside(self) -> bool:
        """Whether this is the background thread itself."""
        return _thread.get_ident() == self.ident

    def state(self) -> State:
        """What runs there; made with the first call."""
        # Asked on the loop itself (by a manager's coroutine), waiting for the loop would be for ever.
        return self.states.live or (self.states.get() if self.inside() else self.call(self.states.get))

    def engine(self) -> Engine:
        """The engine that runs there."""
        return self.state().engine

    def drop(self, work: Callable[[], object]) -> None:
        """Have something done on the loop if it still runs and is this process's own. Called by the garbage collector."""
        if self.pid == os.getpid():
            with contextlib.suppress(ClientClosedError):
                self.post(work)

    def let_go(self) -> None:
        """Nobody holds the client any more: end in the background, without a wait."""
        self.drop(self._begin_end)

    def _begin_end(self) -> None:
        self._ending = self.loop.create_task(self._end())

    async def _end(self) -> None:
        state = self.states.live
        if state is not None:
            await state.engine.aclose(0.0)
        self._stop.set()

    def close(self, grace: float) -> None:
        """Close the client and end the thread; at once, and in the background, when this thread is interrupted in the wait."""
        state = self.states.live
        try:
            if state is not None:
                self.run(lambda: state.engine.aclose(grace))
        except BaseException:
            self.let_go()
            raise
        self.post(self._stop.set)
        self._ended.wait(START_WITHIN)


def _closed() -> ClientClosedError:
    return ClientClosedError("this client was closed by another thread")


async def _started(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return await make()
