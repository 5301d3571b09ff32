"""JSON as APNs gets it: UTF-8 as it is, no spaces; and, where a value cannot be said in JSON, which one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from pushkit.notification import Localized
from pushkit.own_reasons import refuse
from pushkit.verdict import Verdict

#: Characters of the place of a mistake that is somewhere deep down.
_LONGEST_PATH = 32

#: Bits. Python refuses to write more than 4,300 digits.
_LONGEST_INT = 14_000

#: Deeper payloads than this fit no app's model; Python's encoder ends at about a thousand.
DEEPEST = 100

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Refused(Exception):  # noqa: N818 - never leaves the provider: becomes a Verdict
    """What is asked for cannot be sent."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def wrong(field: str, problem: str, *, reason: str = "invalid_field") -> Refused:
    """A field of the message that cannot be sent as it is. ``problem`` quotes no value and begins with a verb."""
    return Refused(refuse(reason, advice=f"Correct {field}: it {problem}.", field=field, detail=problem))


_TERMS = (
    ("payload.aps.alert.", ""),
    ("payload.aps.content-state", "content_state"),
    ("payload.aps.attributes", "attributes"),
    ("payload.aps.thread-id", "group"),
    ("payload.aps.", ""),
    ("payload.", "data."),
)
_is_plain_key = re.compile(r"[A-Za-z0-9_-]{1,40}").fullmatch


def body_of(value: Mapping[str, Any], *, own_terms: bool = False) -> bytes:
    """
    The encoded JSON object.

    Args:
        value: the payload.
        own_terms: whether it was made from a typed message, so that an error names the message's field.

    Raises:
        Refused: naming the part that JSON cannot say.
    """
    try:
        return _encode(value).encode()
    except (TypeError, ValueError, RecursionError):
        path, problem = _culprit(value, "payload")
        if own_terms:
            path = next((own + path[len(wire) :] for wire, own in _TERMS if path.startswith(wire)), "data")
        raise wrong(path, problem) from None


def _culprit(value: object, path: str) -> tuple[str, str]:
    pending: list[tuple[object, str, int]] = [(value, path, 0)]
    while pending:
        item, at, depth = pending.pop()
        if depth > DEEPEST:
            return f"{at[:_LONGEST_PATH]}…", f"is nested deeper than {DEEPEST} levels, or holds itself"
        if isinstance(item, str):
            if not _encodable(item):
                return at, "holds half a character (a lone surrogate); decode the text properly first"
        elif isinstance(item, float):
            if not math.isfinite(item):
                return at, "is no finite number, which JSON cannot say"
        elif isinstance(item, int):
            if item.bit_length() > _LONGEST_INT:
                return at, "is a number with thousands of digits"
        elif isinstance(item, Mapping):
            item = cast("Mapping[Any, Any]", item)
            if not isinstance(item, dict):
                return at, f"is a {type(item).__name__}; expected a dict"
            for key, inner in item.items():
                if not isinstance(key, str):
                    return at, f"has a key that is a {type(key).__name__}; expected text"
                if not _encodable(key):
                    return at, "has a key with half a character (a lone surrogate)"
                pending.append((inner, f"{at}.{key}" if _is_plain_key(key) else f"{at}[…]", depth + 1))
        elif isinstance(item, (list, tuple)):
            item = cast("list[Any]", item)
            pending += [(inner, f"{at}[{index}]", depth + 1) for index, inner in enumerate(item)]
        elif isinstance(item, date):
            return (
                at,
                f"is a {type(item).__name__}, which JSON cannot say; a Swift Date needs apns.swift_date(…), your own format a str or number",
            )
        elif item is not None:
            return at, f"is a {type(item).__name__}, which JSON cannot say; expected text, numbers, booleans, lists or dicts"
    return path, "cannot be said in JSON"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def mapping_in(value: object, field: str) -> Mapping[Any, Any]:
    """A mapping, or :class:`Refused`."""
    if not isinstance(value, Mapping):
        raise wrong(field, f"is a {type(value).__name__}; expected a dict")
    return cast("Mapping[Any, Any]", value)


def custom_keys(body: dict[str, Any], custom: Mapping[Any, Any], field: str, *, texts_only: bool = False) -> None:
    """Put the app's own values beside ``aps``."""
    for key, value in custom.items():
        if not isinstance(key, str):
            raise wrong(field, f"has a key that is a {type(key).__name__}; expected text")
        if key == "aps":
            raise wrong(field, 'has the key "aps", which is Apple\'s own; use another name, or apns.Options(aps=…)', reason="reserved_key")
        if texts_only and not isinstance(value, str):
            raise wrong(
                f"{field}.{key}" if _is_plain_key(key) else field,
                f"is a {type(value).__name__}; expected text (apns.Options(payload=…) takes any JSON value)",
            )
        body[key] = value


def text_in(value: object, field: str) -> str:
    """A text, or :class:`Refused`."""
    if not isinstance(value, str):
        raise wrong(field, f"is a {type(value).__name__}; expected text")
    return value


def localized_args(text: Localized, field: str) -> list[str]:
    """The arguments of a localised text."""
    args: object = text.args
    if not isinstance(args, tuple) or not all(isinstance(arg, str) for arg in args):
        raise wrong(f"{field}.args", "is no list of texts")
    return list(args)
