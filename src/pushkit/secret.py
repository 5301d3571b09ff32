"""
Masking, in one place.

Device tokens, endpoints and their keys, JWTs, private keys and message text are secrets: whoever
holds a device token and a key can write on somebody's lock screen. Everything in pushkit that turns
a value into text for people (``repr``, log records, ``detail``, reports) goes through this module.
"""

from __future__ import annotations

import functools
import hashlib
import html
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar, cast

MASK = "[masked]"

#: How much of a provider's raw text an outcome keeps, in characters.
DETAIL_LIMIT = 500

#: A secret shorter than this is not searched for in other text: replacing every "a" would say
#: nothing and destroy the text. No real token, key or JWT is that short.
_SHORTEST_SEARCHED = 6

_HEX_DIGITS = 8


def fingerprint(secret: str | bytes) -> str:
    """
    Eight hexadecimal digits that tell two secrets apart and lead back to neither.

    The digits are a prefix of SHA-256. That is safe for values with the randomness of a device
    token or an endpoint; do not use it for text that can be guessed.
    """
    raw = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    return hashlib.sha256(raw).hexdigest()[:_HEX_DIGITS]


def masked_text(text: object) -> str:
    """Say that there is text and how long it is, without the text."""
    if text is None:
        return "None"
    if isinstance(text, (str, bytes)):
        unit = "chars" if isinstance(text, str) else "bytes"
        return f"<{len(text)} {unit}>"
    if isinstance(text, Mapping):
        return f"<{len(cast('Mapping[object, object]', text))} entries>"
    return f"<{type(text).__name__}>"


def printable_ref(ref: object) -> str | None:
    """
    A caller's ``ref`` as text, or None when it must not be printed.

    Only ``str``, ``int`` and ``UUID`` are printed: any other object is the caller's own and may
    show a whole database row.
    """
    if isinstance(ref, (str, int, uuid.UUID)) and not isinstance(ref, bool):
        return clean(str(ref), limit=100)
    return None


def clean(text: str, *, limit: int = DETAIL_LIMIT) -> str:
    """Replace control, format and surrogate characters (terminals obey them), then cap the length."""
    printable = "".join(character if character.isprintable() else " " for character in text[: limit * 4])
    printable = printable.strip()
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def scrub(text: str | bytes, secrets: Iterable[str] = (), *, limit: int = DETAIL_LIMIT) -> str:
    """
    Make somebody else's text fit to be shown: secrets out first, then control characters, then the cap.

    The order matters: a cap applied first could cut a secret in two and leave a half that no
    search finds any more.
    """
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    wanted = {s for s in secrets if len(s) >= _SHORTEST_SEARCHED}
    if wanted and ("\\" in shown or "&" in shown):
        # A proxy that quotes the request quotes it as JSON or HTML.
        for secret in tuple(wanted):
            wanted |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    for secret in sorted(wanted, key=len, reverse=True):
        shown = shown.replace(secret, MASK)
    return clean(shown, limit=limit)


P = ParamSpec("P")
R = TypeVar("R")


def without_locals(function: Callable[P, R]) -> Callable[P, R]:
    """
    Let a function's ValueError and TypeError leave without the frames that they passed through (a decorator).

    Error trackers send the local variables of every frame of a traceback. Where a function is given a
    key, a key file or a queue's message, those variables are the secret itself; the message of the error
    says what was wrong with it. The caller's own frames stay.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (ValueError, TypeError) as error:
            failure = error.with_traceback(None)
            failure.__cause__ = failure.__context__ = None
        # This frame stays in the traceback, so what it was given has to go as well.
        del args, kwargs
        raise failure from None

    return call
