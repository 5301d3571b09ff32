"""The request header encoder: what it puts into the table, and what it keeps out."""

from __future__ import annotations

import hpack

from pushkit.http.http2.hpack_encoder import HpackEncoder


def test_shared_fields_become_one_octet() -> None:
    """The second time a shared field is an index."""
    encoder = HpackEncoder()
    first = encoder.indexed((b"apns-topic", b"com.example.app"))
    second = encoder.indexed((b"apns-topic", b"com.example.app"))

    assert len(first) > 20
    assert b"\xbe" == second


def test_own_fields_never_enter_a_table() -> None:
    """A path or an id leaves the table as it was, and asks every hop to do the same (RFC 7541 section 7.1.3)."""
    encoder, decoder = HpackEncoder(), hpack.Decoder()
    encoder.indexed((b"apns-topic", b"com.example.app"))
    generation = encoder.generation
    block = encoder.literal(b":path", b"/3/device/abc") + encoder.literal(b"apns-id", b"x")

    fields = decoder.decode(block, raw=True)

    assert generation == encoder.generation
    assert [False, False] == [field.indexable for field in fields]
    assert 0x10 == block[0] & 0xF0


def test_a_huge_field_does_not_empty_the_table() -> None:
    """A field as large as the table travels as a literal."""
    encoder = HpackEncoder()
    encoder.indexed((b"apns-topic", b"com.example.app"))
    encoder.indexed((b"authorization", b"x" * 4000))

    assert b"\xbe" == encoder.indexed((b"apns-topic", b"com.example.app"))


def test_a_smaller_table_is_announced_once() -> None:
    """The smallest and the last size of several changes are announced before the next block."""
    encoder, decoder = HpackEncoder(), hpack.Decoder()
    encoder.indexed((b"a", b"b"))
    encoder.resize(0)
    encoder.resize(100)

    announced = encoder.preamble()
    decoder.decode(announced + encoder.indexed((b"a", b"b")))

    assert b"\x20\x3f\x45" == announced
    assert b"" == encoder.preamble()
    assert 100 == decoder.header_table_size
