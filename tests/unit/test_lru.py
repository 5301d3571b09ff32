from __future__ import annotations

from pushkit.lru import LRU


def test_the_entry_unused_for_longest_is_forgotten() -> None:
    """Reading counts as use."""
    table: LRU[str, int] = LRU(2)
    table.put("a", 1)
    table.put("b", 2)
    table.get("a")
    table.put("c", 3)

    assert ["a", "c"] == [key for key, _ in table.items()]


def test_replacing_an_entry_counts_as_use_and_takes_no_room() -> None:
    """Writing twice under one key evicts nobody."""
    gone: list[str] = []
    table: LRU[str, int] = LRU(2, evicted=lambda key, value: gone.append(key))
    table.put("a", 1)
    table.put("b", 2)
    table.put("a", 3)

    assert [] == gone
    assert 3 == table.get("a")


def test_what_is_forgotten_for_room_is_told_once() -> None:
    """Whoever holds connections under a key has to close them; pop and clear are the owner's own doing."""
    gone: list[tuple[str, int]] = []
    table: LRU[str, int] = LRU(1, evicted=lambda key, value: gone.append((key, value)))
    table.put("a", 1)
    table.put("b", 2)
    table.pop("b")
    table.put("c", 3)
    table.clear()

    assert [("a", 1)] == gone
    assert 0 == len(table)


def test_a_falsy_value_is_a_value() -> None:
    """Zero is not absence."""
    table: LRU[str, int] = LRU(2)
    table.put("a", 0)
    table.put("b", 1)
    table.get("a")
    table.put("c", 2)

    assert "a" in table


def test_a_million_keys_leave_no_more_than_the_limit() -> None:
    """What strangers send cannot fill the memory."""
    table: LRU[int, int] = LRU(100)
    for key in range(100_000):
        table.put(key, key)

    assert 100 == len(table)
