"""The ``Topic`` of a message (RFC 8030 section 5.4)."""

from __future__ import annotations

import hashlib
import re

from pushkit.webpush.encoding import b64url
from pushkit.webpush.limits import TOPIC_LIMIT

_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")
_DIGEST_OCTETS = 24  # 32 characters of base64url, and a length that every service decodes


def topic_from(text: str) -> str:
    """
    A legal topic for any text: the same text gives the same 32 characters.

    They are the base64url of the first 24 octets of its SHA-256: nobody reads the text from them, and
    Apple, which decodes topics as base64, takes them.
    """
    return b64url(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_DIGEST_OCTETS])


def topic_problem(topic: object) -> str | None:
    """What is wrong with a topic, in words, or None. Stricter than RFC 8030: Apple refuses lengths that base64 cannot have."""
    if not isinstance(topic, str):
        return f"expected text, found a {type(topic).__name__}"
    if not _ALPHABET.fullmatch(topic):
        return "expected letters, digits, - and _ only" if topic else "it is empty; leave it out instead"
    if len(topic) > TOPIC_LIMIT:
        return f"expected at most {TOPIC_LIMIT} characters, found {len(topic)}"
    if len(topic) % 4 == 1:
        return f"found {len(topic)} characters: Apple decodes topics as base64url, which never has that length"
    return None
