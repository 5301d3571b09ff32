"""The input of a stream: targets, or failures to send again, read only as fast as they are sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pushkit.outcomes import Failure

END: Any = object()
"""There is no next item now."""


class Input(Protocol):
    """Where a stream's targets come from."""

    ended: bool
    """Whether nothing more will come."""
    error: BaseException | None
    """What the input itself raised."""

    @property
    def ready(self) -> bool:
        """Whether ``next`` has something to give."""
        ...

    def next(self) -> Any:
        """The next item, or ``END`` when there is none now."""
        ...

    def start(self, arrived: Callable[[], None], ahead: int) -> None:
        """Begin to read; ``arrived`` is called when there is something new."""
        ...

    def stop(self) -> list[Any]:
        """Read nothing more. Gives what was read already and not given out."""
        ...

    async def stopped(self) -> None:
        """Wait until nothing of it runs."""
        ...


class Source:
    """
    The input of a stream: targets, or failures to resume, one after the other.

    An asynchronous input is read by one task, a few ahead; a synchronous one directly.
    """

    def __init__(self, items: Iterable[Any] | AsyncIterable[Any]) -> None:
        self.ended = False
        self.error: BaseException | None = None
        self._ahead: deque[Any] = deque()
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._async = items if isinstance(items, AsyncIterable) else None
        self._iterator: Iterator[Any] | None = None if self._async is not None else iter(items)  # type: ignore[arg-type]  # not asynchronous
        self._stopping = False

    def next(self) -> Any:
        """The next item, or ``END`` when there is none now; ``ended`` tells whether there will be."""
        if self._iterator is not None:
            try:
                return next(self._iterator)
            except StopIteration:
                self.ended = True
            except BaseException as error:
                self.ended = True
                self.error = error
                if isinstance(error, (KeyboardInterrupt, SystemExit)):
                    raise
            self._iterator = iter(())
            return END
        if self._ahead:
            item = self._ahead.popleft()
            if self._room is not None:
                self._room.set()
            return item
        return END

    @property
    def ready(self) -> bool:
        """Whether ``next`` has something to give."""
        return self._iterator is not None or bool(self._ahead)

    def start(self, arrived: Callable[[], None], ahead: int) -> None:
        """Begin to read an asynchronous input."""
        if self._async is not None and self._task is None and not self.ended:
            self._task = asyncio.get_running_loop().create_task(self._read(self._async, arrived, ahead))

    async def _read(self, items: AsyncIterable[Any], arrived: Callable[[], None], ahead: int) -> None:
        room = self._room = asyncio.Event()
        try:
            iterator = aiter(items)
            try:
                async for item in iterator:
                    self._ahead.append(item)
                    arrived()
                    while len(self._ahead) >= ahead:
                        room.clear()
                        await room.wait()
            finally:
                await _aclose(iterator)
        except BaseException as error:
            if not (self._stopping and isinstance(error, asyncio.CancelledError)):
                self.error = error
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        finally:
            self.ended = True
            arrived()

    def stop(self) -> list[Any]:
        """Read nothing more, and let a generator run its ``finally``."""
        self.ended = self._stopping = True
        rest = list(self._ahead)
        self._ahead.clear()
        if self._task is not None:
            self._task.cancel()
        iterator, self._iterator = self._iterator, iter(())
        close = getattr(iterator, "close", None)
        if callable(close):
            try:
                close()
            except Exception as error:  # noqa: BLE001 - the caller's own error goes back to the caller
                self.error = self.error or error
        return rest

    async def stopped(self) -> None:
        """Wait until the task that reads an asynchronous input has ended."""
        task, self._task = self._task, None
        self._stopping = True
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def _aclose(iterator: AsyncIterator[Any]) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


def resumable(failures: Iterable[Any]) -> Iterator[Failure]:
    """
    The failures that can be sent again.

    Raises:
        TypeError: for anything that is no retryable failure with what resuming needs, with the mend.
    """
    for failure in failures:
        check_resumable(failure)
        yield failure


async def aresumable(failures: AsyncIterable[Any]) -> AsyncIterator[Failure]:
    """The same for an asynchronous input."""
    async for failure in failures:
        check_resumable(failure)
        yield failure


def check_resumable(failure: Any) -> None:
    """See :func:`resumable`."""
    if getattr(failure, "resume", None) is None or not getattr(failure, "retryable", False):
        what = f"a failure that cannot be sent again ({failure.reason})" if hasattr(failure, "reason") else f"a {type(failure).__name__}"
        raise TypeError(f"resume() got {what}; pass outcomes with retryable=True, such as report.to_resume")
