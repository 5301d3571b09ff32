"""Base64 in every spelling that people store: with or without padding, URL-safe or standard alphabet."""

from __future__ import annotations

import base64
import binascii


def b64url(raw: bytes) -> str:
    """Base64url without padding, as RFC 8291 and RFC 8292 write keys."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unb64(text: object) -> bytes | None:
    """
    The octets behind base64 text, or None when it is none.

    Takes both alphabets, padding or none. Anything else (white space inside, other characters, an
    impossible length) is refused: a stored key that was cut or mangled must not pass.
    """
    if isinstance(text, str):
        try:
            text = text.encode("ascii")
        except UnicodeEncodeError:
            return None
    if not isinstance(text, (bytes, bytearray)):
        return None
    stripped = bytes(text).strip().rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    if len(stripped) % 4 == 1:
        return None
    try:
        return base64.b64decode(stripped + b"=" * (-len(stripped) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
