"""
The providers' own words and how each looks on the wire.

Written from the providers' documentation and from reports of live traffic, never from this project's
classification: a fake that mirrors the client proves nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection

from pushkit.testing.vocabulary import apns, fcm, oauth, webpush

PROVIDERS = ("apns", "fcm", "webpush", "oauth", "topics")

_WORDS: dict[str, Collection[str]] = {
    "apns": apns.WORDS,
    "fcm": fcm.WORDS,
    "webpush": webpush.WORDS,
    "oauth": oauth.WORDS,
    "topics": fcm.WORDS | fcm.IID_WORDS,
}


def is_status(word: str) -> bool:
    """Whether a word is a bare status, such as ``"http_503"``."""
    return word.startswith("http_") and word[5:].isdigit() and len(word) == 8


def knows(word: str, provider: str) -> bool:
    """Whether a provider uses this word."""
    if is_status(word):
        return True
    return word in _WORDS[provider] or (provider in {"fcm", "topics"} and fcm.is_compound(word))


def check_word(word: str, provider: str | None) -> None:
    """
    Refuse a word that no provider (or not this one) uses.

    Raises:
        ValueError: names the nearest words.
    """
    providers = PROVIDERS if not provider else (provider,)
    if any(knows(word, name) for name in providers):
        return
    words = [w for name in providers for w in _WORDS[name]]
    near = difflib.get_close_matches(word, words, n=4, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(sorted(words)[:12])}, …"
    raise ValueError(f"answer({word!r}): {provider or 'no provider'} does not use this word; {hint} A bare status is 'http_503'")
