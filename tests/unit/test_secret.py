from __future__ import annotations

import html
import json
import re
import traceback
import uuid

import pytest

from pushkit.secret import DETAIL_LIMIT, MASK, clean, fingerprint, masked_text, printable_ref, scrub, without_locals


def test_a_fingerprint_is_eight_hexadecimal_digits() -> None:
    """Long enough to tell two tokens apart in a log, too short to lead back."""
    assert re.fullmatch(r"[0-9a-f]{8}", fingerprint("a" * 64))


def test_text_and_its_bytes_have_the_same_fingerprint() -> None:
    """A token given as bytes and as text is the same token."""
    assert fingerprint("tökén") == fingerprint("tökén".encode())


def test_a_lone_surrogate_has_a_fingerprint() -> None:
    """What JSON can carry can be fingerprinted."""
    assert fingerprint("\ud800")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "None"), ("secret", "<6 chars>"), (b"secret", "<6 bytes>"), ({"a": 1}, "<1 entries>"), (3.5, "<float>")],
)
def test_masked_text_tells_kind_and_size_alone(value: object, shown: str) -> None:
    """Enough to see that something is there, nothing of what it says."""
    assert shown == masked_text(value)


@pytest.mark.parametrize("ref", ["user-7", 7, uuid.UUID(int=7)])
def test_plain_references_are_printed(ref: object) -> None:
    """str, int and UUID come back as their text."""
    assert str(ref) == printable_ref(ref)


@pytest.mark.parametrize("ref", [None, True, 3.5, object(), {"email": "a@b.c"}, ("user", 7)])
def test_other_references_are_not_printed(ref: object) -> None:
    """An object of the caller's may show a whole database row."""
    assert printable_ref(ref) is None


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\x07", "\r\n", "\u202e", "\x9b31m", "\ud800", "\x00"])
def test_clean_takes_out_what_a_terminal_obeys(hostile: str) -> None:
    """Escape sequences, line breaks, direction marks and surrogates become spaces."""
    shown = clean(f"a{hostile}b")

    assert shown.isprintable()
    assert shown.startswith("a")
    assert shown.endswith("b")


def test_clean_keeps_chinese_and_emoji() -> None:
    """What people write is no control character."""
    assert "你好 👋" == clean("你好 👋")


def test_clean_caps_the_length() -> None:
    """A megabyte of text becomes a line, marked as cut."""
    shown = clean("x" * 1_000_000, limit=50)

    assert 50 == len(shown)
    assert shown.endswith("…")


def test_a_secret_across_the_cap_is_masked_whole() -> None:
    """Secrets go first and the cap comes last, so that no half of a secret stays."""
    secret = "f" * 64
    text = "x" * (DETAIL_LIMIT - 10) + secret

    assert "ffff" not in scrub(text, [secret])


def test_the_longer_of_two_secrets_goes_first() -> None:
    """A secret that is part of another one does not leave the rest of that one."""
    assert f"to {MASK}" == scrub("to abcdefghijkl", ["abcdef", "abcdefghijkl"])


def test_bytes_that_are_no_utf8_are_shown_all_the_same() -> None:
    """A proxy's page in another encoding must not raise."""
    assert "caf\ufffd" == scrub("café".encode("latin-1"))


def test_short_secrets_are_not_searched() -> None:
    """Masking every 'a' would destroy the text and protect nothing."""
    assert "a bad answer" == scrub("a bad answer", ["a", ""])


def test_an_error_leaves_without_the_frames_that_held_the_secret() -> None:
    """An error tracker that sends local variables finds the caller's own frames, and none that was given the secret."""

    @without_locals
    def load(secret: str) -> None:
        try:
            int(secret)
        except ValueError:
            raise ValueError("expected a key") from None

    with pytest.raises(ValueError, match="expected a key") as caught:
        load("-----BEGIN PRIVATE KEY-----")

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in shown.stack if frame.filename != __file__]
    assert ["call"] == [frame.name for frame in frames]
    assert "PRIVATE" not in repr(frames[0].locals)
    assert caught.value.__context__ is None


def test_what_goes_well_is_left_alone() -> None:
    """The result comes back, and so does every other error."""

    @without_locals
    def load(value: int) -> int:
        return 10 // value

    assert 5 == load(2)
    with pytest.raises(ZeroDivisionError):
        load(0)


@pytest.mark.parametrize("quoted", [json.dumps, lambda text: json.dumps(text, ensure_ascii=False), html.escape])
def test_a_secret_that_a_proxy_quotes_is_masked_too(quoted) -> None:
    """Whoever echoes a request echoes it as JSON or HTML."""
    secret = 'He said "meet me" & <left>\nat nine, Zoë'

    shown = scrub(f"400 Bad Request: {quoted(secret)}", [secret])

    assert "meet me" not in shown
    assert "[masked]" in shown
