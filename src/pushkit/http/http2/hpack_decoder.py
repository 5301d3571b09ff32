"""
A response header decoder (RFC 7541) for the ``h2`` engine.

hpack's own writes every field to the log at DEBUG, and an answer's fields can be secrets (the address of
a Web Push message). The tables, the Huffman code and the errors are hpack's.
"""

from __future__ import annotations

from collections import deque

from hpack.exceptions import HPACKDecodingError, InvalidTableIndex, InvalidTableSizeError, OversizedHeaderListError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from pushkit.wire import Header

ENTRY_OVERHEAD = 32
"""RFC 7541 section 4.1."""
_STATIC: tuple[Header, ...] = tuple((bytes(name), bytes(value)) for name, value in HeaderTable.STATIC_TABLE)
_MOST_INTEGER_OCTETS = 6


def _integer(data: bytes, position: int, bits: int) -> tuple[int, int]:
    """Read an integer (RFC 7541 section 5.1); gives it and the position after it."""
    most = (1 << bits) - 1
    value = data[position] & most
    position += 1
    if value < most:
        return value, position
    shift = 0
    for _ in range(_MOST_INTEGER_OCTETS):
        octet = data[position]
        position += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80:
            return value, position
        shift += 7
    raise HPACKDecodingError("an integer without end")


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    """Read a string (RFC 7541 section 5.2)."""
    huffman = data[position] & 0x80
    length, position = _integer(data, position, 7)
    end = position + length
    if end > len(data):
        raise HPACKDecodingError("a string without end")
    text = data[position:end]
    return (bytes(decode_huffman(text)) if huffman else text), end


class HpackDecoder:
    """
    Decodes header blocks in the order of their coming.

    Args:
        max_list_bytes: cap on the fields of one block, counted as RFC 9113 section 6.5.2 counts them.
    """

    def __init__(self, max_list_bytes: int) -> None:
        self.max_header_list_size = max_list_bytes
        self.max_allowed_table_size = 4096
        self._entries: deque[Header] = deque()  # newest first
        self._size = 0
        self._limit = 4096

    def decode(self, data: bytes, raw: bool = False) -> list[Header]:  # noqa: ARG002  # h2's call
        """
        The fields of a block.

        Raises:
            HPACKError: when it is none, or over the cap.
        """
        fields: list[Header] = []
        size = position = 0
        end = len(data)
        try:
            while position < end:
                first = data[position]
                if first & 0x80:
                    index, position = _integer(data, position, 7)
                    field = self._at(index)
                elif first & 0x40:
                    field, position = self._literal(data, position, 6)
                    self._add(field)
                elif first & 0x20:
                    if fields:
                        raise HPACKDecodingError("a table size after fields")
                    limit, position = _integer(data, position, 5)
                    if limit > self.max_allowed_table_size:
                        raise InvalidTableSizeError("a table larger than allowed")
                    self._limit = limit
                    self._evict(0)
                    continue
                else:
                    field, position = self._literal(data, position, 4)
                size += len(field[0]) + len(field[1]) + ENTRY_OVERHEAD
                if size > self.max_header_list_size:
                    raise OversizedHeaderListError("header fields over the cap")
                fields.append(field)
        except IndexError:
            raise HPACKDecodingError("a block without end") from None
        return fields

    def _at(self, index: int) -> Header:
        if 0 < index <= len(_STATIC):
            return _STATIC[index - 1]
        index -= len(_STATIC) + 1
        if not 0 <= index < len(self._entries):
            raise InvalidTableIndex("no such index")
        return self._entries[index]

    def _literal(self, data: bytes, position: int, bits: int) -> tuple[Header, int]:
        index, position = _integer(data, position, bits)
        if index:
            name = self._at(index)[0]
        else:
            name, position = _string(data, position)
        value, position = _string(data, position)
        return (name, value), position

    def _add(self, field: Header) -> None:
        size = len(field[0]) + len(field[1]) + ENTRY_OVERHEAD
        self._evict(size)
        if size <= self._limit:
            self._entries.appendleft(field)
            self._size += size

    def _evict(self, room: int) -> None:
        while self._entries and self._size + room > self._limit:
            name, value = self._entries.pop()
            self._size -= len(name) + len(value) + ENTRY_OVERHEAD
