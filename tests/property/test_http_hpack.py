"""Our HPACK against hpack's own, for any fields in any order."""

from __future__ import annotations

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushkit.http.http2.hpack_decoder import HpackDecoder
from pushkit.http.http2.hpack_encoder import MAX_TABLE_BYTES, HpackEncoder

NAMES = st.sampled_from([b":method", b":path", b"authorization", b"apns-topic", b"apns-id", b"content-length", b"x", b"y" * 130])
VALUES = st.one_of(
    st.sampled_from([b"", b"POST", b"com.example.app", b"10", b"z" * 126, b"z" * 127, b"z" * 128, b"q" * 3100]), st.binary(max_size=300)
)
FIELDS = st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=12)
BLOCKS = st.lists(st.tuples(st.one_of(st.none(), st.sampled_from([0, 40, 100, 1000, 4096, 65536])), FIELDS), max_size=12)


@given(BLOCKS)
def test_what_we_encode_is_decoded(blocks: list[tuple[int | None, list[tuple[bytes, bytes, bool]]]]) -> None:
    """Any mixture of shared and own fields, with any change of the table's size, arrives as it was."""
    ours, theirs = HpackEncoder(), hpack.Decoder(max_header_list_size=10**6)
    theirs.max_allowed_table_size = 65536
    for size, fields in blocks:
        if size is not None:
            ours.resize(size)
            theirs.max_allowed_table_size = max(size, 65536)
        block = ours.preamble() + b"".join(
            ours.indexed((name, value)) if shared else ours.literal(name, value) for name, value, shared in fields
        )
        decoded = [(bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)]

        assert [(name, value) for name, value, _ in fields] == decoded
        assert theirs.header_table._current_size <= MAX_TABLE_BYTES


@given(
    st.lists(st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=12), max_size=12), st.booleans(), st.sampled_from([4096, 200, 0])
)
def test_what_they_encode_we_decode(blocks: list[list[tuple[bytes, bytes, bool]]], huffman: bool, table: int) -> None:
    """What hpack encodes, Huffman or not, sensitive or not, small table or large, we read as it was."""
    theirs, ours = hpack.Encoder(), HpackDecoder(10**6)
    theirs.header_table_size = table
    for fields in blocks:
        block = theirs.encode([(name, value, sensitive) for name, value, sensitive in fields], huffman=huffman)

        assert [(name, value) for name, value, _ in fields] == ours.decode(block)


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_garbage_is_an_hpack_error_for_both(blocks: list[bytes]) -> None:
    """Any octets either decode to the same fields as with hpack, or are an HPACKError."""
    theirs, ours = hpack.Decoder(max_header_list_size=2000), HpackDecoder(2000)
    for block in blocks:
        try:
            got: object = ours.decode(block)
        except hpack.HPACKError:
            got = None
        try:
            expected: object = [(bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)]
        except hpack.HPACKError:
            expected = None
        if got is None or expected is None:
            # hpack lets a table size stand between fields, which RFC 7541 section 4.2 does not.
            assert got is None
            return
        assert expected == got


def test_a_bomb_is_refused() -> None:
    """A block that unfolds beyond the cap is refused, not unfolded (CVE-2016-6581)."""
    encoder = hpack.Encoder()
    bomb = encoder.encode([(b"a", b"b" * 3000)]) + b"\xbe" * 1000
    with pytest.raises(hpack.OversizedHeaderListError):
        HpackDecoder(64 * 1024).decode(bomb)
