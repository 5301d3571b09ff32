"""Tasks that begin in a later turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def start(work: Coroutine[object, object, T]) -> asyncio.Task[T]:
    """
    Run work as a task that never begins within this call.

    A loop's task factory may be an eager one (Python 3.12), whose tasks can be over before ``create_task``
    has returned; who started them would then hear of the end before it knows of the task.
    """
    return asyncio.Task(work, loop=asyncio.get_running_loop())
