"""One bounded table for everything that is keyed by what strangers send."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, ItemsView
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LRU(Generic[K, V]):
    """
    A mapping that forgets the entry unused for longest when it is full. Not thread-safe.

    Args:
        size: entries at the most.
        evicted: called with each entry that is forgotten for room (not on ``pop`` or ``clear``).
    """

    __slots__ = ("_entries", "_evicted", "size")

    def __init__(self, size: int, evicted: Callable[[K, V], None] | None = None) -> None:
        self.size = size
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._evicted = evicted

    def get(self, key: K) -> V | None:
        """The entry, which counts as used now, or None."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Add or replace an entry."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self.size:
            old_key, old = self._entries.popitem(last=False)
            if self._evicted is not None:
                self._evicted(old_key, old)

    def pop(self, key: K) -> V | None:
        """Take an entry out."""
        return self._entries.pop(key, None)

    def items(self) -> ItemsView[K, V]:
        """All entries, longest unused first."""
        return self._entries.items()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)
