"""A TLS server of a test's own, in a thread with a loop of its own, so that the synchronous client can talk to it."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import Self

from pushkit.testing.ca import LocalCA


class ThreadedServer(ABC):
    """
    Speaks HTTP/1.1 by ALPN, on a port of localhost; what it does with a connection is :meth:`handle`.

    Args:
        ca: what signs its certificate.
    """

    def __init__(self, ca: LocalCA) -> None:
        self._context = ca.server_context(("http/1.1",))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    @abstractmethod
    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""

    async def _open(self) -> None:
        self._listener = await asyncio.start_server(self.handle, "127.0.0.1", 0, ssl=self._context)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._listener.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
