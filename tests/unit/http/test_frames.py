"""Cutting frames out of a byte stream, GOAWAY apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushkit.http.http2.frames import FrameError, FrameSplitter, GoAway


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


GOAWAY = frame(7, 0, 0, (9).to_bytes(4, "big") + (2).to_bytes(4, "big") + b"why")


@given(st.data())
def test_frames_survive_any_cutting(data: st.DataObject) -> None:
    """However the octets are cut into reads, the same frames come out in the same order."""
    frames = data.draw(
        st.lists(
            st.one_of(st.just(GOAWAY), st.builds(frame, st.sampled_from([0, 3, 6]), st.just(0), st.integers(0, 99), st.binary(max_size=40)))
        )
    )
    octets = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=20)))
    splitter = FrameSplitter()
    out: list[bytes | GoAway] = []
    for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        out.extend(splitter.split(octets[start:end]))

    assert [GoAway(9, 2, b"why") if one == GOAWAY else one for one in frames] == out


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\x40\x01\x00\x00\x00\x00\x00\x01",
        frame(7, 0, 0, b"short"),
        frame(7, 0, 1, bytes(8)),
        frame(1, 0, 1, b"x") + GOAWAY,
    ],
    ids=["too long", "short GOAWAY", "GOAWAY on a stream", "GOAWAY within a header block"],
)
def test_broken_frames(octets: bytes) -> None:
    """A frame that breaks the connection is an error of its own."""
    with pytest.raises(FrameError):
        list(FrameSplitter().split(octets))


def test_the_highest_bit_of_an_id_is_ignored() -> None:
    """The reserved bit means nothing (RFC 9113 section 4.1)."""
    octets = frame(7, 0, 0x80000000, b"\xff\xff\xff\xff" + bytes(4))

    assert [GoAway(2**31 - 1, 0, b"")] == list(FrameSplitter().split(octets))
