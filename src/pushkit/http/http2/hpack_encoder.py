"""
A request header encoder (RFC 7541) for the ``h2`` engine.

Fields that stay the same from push to push are put into the dynamic table once and cost one or two
bytes afterwards; fields that change (path, ids, times) never enter it, so they evict nothing. hpack's
own encoder would put every header into the table and write it to the log.
"""

from __future__ import annotations

from collections import OrderedDict

from hpack.table import HeaderTable

from pushkit.wire import Header

ENTRY_OVERHEAD = 32
"""RFC 7541 section 4.1."""
MAX_TABLE_BYTES = 4096
"""What is used of the table, however much more a server would allow."""
MAX_FIELD_BYTES = MAX_TABLE_BYTES * 3 // 4
"""A larger field would empty the table; it travels as a literal."""

_STATIC_FIELDS: dict[Header, int] = {}
_STATIC_NAMES: dict[bytes, int] = {}
for _index, _field in enumerate(HeaderTable.STATIC_TABLE, start=1):
    _STATIC_FIELDS.setdefault((bytes(_field[0]), bytes(_field[1])), _index)
    _STATIC_NAMES.setdefault(bytes(_field[0]), _index)
STATIC_LENGTH = len(HeaderTable.STATIC_TABLE)


def _integer(value: int, bits: int, flag: int) -> bytes:
    """Write an integer behind flag bits (RFC 7541 section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((flag | value,))
    out = bytearray((flag | most,))
    value -= most
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _string(data: bytes) -> bytes:
    # Without Huffman coding: in Python it costs more than the bytes that it saves.
    return _integer(len(data), 7, 0) + data


class HpackEncoder:
    """
    The dynamic table as the server sees it, and header blocks encoded against it.

    A field in the table is found by its value: one insertion for a block of constant fields, and the
    table is used round and round (RFC 7541 section 2.3.2: new entries push out the oldest).
    """

    __slots__ = ("_entries", "_inserted", "_pending_limits", "_prefixes", "_size", "generation", "limit")

    def __init__(self) -> None:
        self.limit = MAX_TABLE_BYTES
        self._pending_limits: list[int] = []
        self._size = 0
        self._inserted = 0
        self._entries: OrderedDict[Header, int] = OrderedDict()  # field -> number of its insertion, oldest first
        self._prefixes: dict[bytes, bytes] = {}
        self.generation = 0
        """Changes whenever indices do: an encoding that is cached is good for one generation."""

    def resize(self, limit: int) -> None:
        """Obey the server's SETTINGS_HEADER_TABLE_SIZE; the update is announced in the next block."""
        limit = min(limit, MAX_TABLE_BYTES)
        if limit == self.limit:
            return
        self.limit = limit
        self._evict(0)
        # The smallest size in between has to be announced too (RFC 7541 section 4.2).
        self._pending_limits.append(limit)
        self.generation += 1

    def preamble(self) -> bytes:
        """Table size updates that are due at the start of the next header block."""
        if not self._pending_limits:
            return b""
        smallest, last = min(self._pending_limits), self._pending_limits[-1]
        self._pending_limits.clear()
        sizes = [last] if smallest == last else [smallest, last]
        return b"".join(_integer(size, 5, 0x20) for size in sizes)

    def indexed(self, field: Header) -> bytes:
        """Encode a field that will come again: by its index, or as a literal that gets one."""
        static = _STATIC_FIELDS.get(field)
        if static is not None:
            return _integer(static, 7, 0x80)
        number = self._entries.get(field)
        if number is not None:
            return _integer(STATIC_LENGTH + self._inserted - number, 7, 0x80)
        name, value = field
        size = len(name) + len(value) + ENTRY_OVERHEAD
        if size > min(MAX_FIELD_BYTES, self.limit):
            return self.literal(name, value)
        encoded = self._literal_prefix(name, 6, 0x40) + _string(value)
        self._evict(size)
        self._entries[field] = self._inserted
        self._inserted += 1
        self._size += size
        self.generation += 1
        return encoded

    def literal(self, name: bytes, value: bytes) -> bytes:
        """Encode a field that stays out of every table on the way (never indexed, RFC 7541 section 6.2.3)."""
        prefix = self._prefixes.get(name)
        if prefix is None:
            prefix = self._literal_prefix(name, 4, 0x10)
            if len(self._prefixes) < 64:
                self._prefixes[name] = prefix
        length = len(value)
        if length < 127:
            return prefix + bytes((length,)) + value
        return prefix + _string(value)

    @staticmethod
    def _literal_prefix(name: bytes, bits: int, flag: int) -> bytes:
        index = _STATIC_NAMES.get(name)
        if index is not None:
            return _integer(index, bits, flag)
        return bytes((flag,)) + _string(name)

    def _evict(self, room: int) -> None:
        while self._entries and self._size + room > self.limit:
            (name, value), _ = self._entries.popitem(last=False)
            self._size -= len(name) + len(value) + ENTRY_OVERHEAD
