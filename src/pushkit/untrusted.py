"""
Reading what strangers sent: push services, proxies in between, and whoever answers in their name.

Size first, then JSON. Nothing here raises, whatever the bytes are: deep nesting, huge numbers, lone
surrogates, duplicate keys, wrong encodings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

#: Larger bodies are not parsed: no provider's error is that long.
JSON_LIMIT = 16 * 1024

#: Plain substring tests look at this much and no more.
TEXT_LIMIT = 2 * 1024

#: A provider that asks for more than this is believed for this much.
RETRY_AFTER_CAP = 24 * 3600.0

_LONGEST_NUMBER = 20


def _bounded_int(digits: str) -> int | float:
    # int() of a long digit string is quadratic and, past 4,300 digits, raises.
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float("inf")


# Made once: json.loads makes a decoder of its own for every call with options, which costs more than the decoding.
_DECODER = json.JSONDecoder(parse_int=_bounded_int)


def json_object(body: bytes, *, limit: int = JSON_LIMIT) -> dict[str, Any]:
    """The JSON object in a body, or an empty one when it holds anything else."""
    if not body or len(body) > limit:
        return {}
    try:
        value = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def text_of(value: object, *, limit: int = 200) -> str:
    """A JSON value as text when it is one, else empty; capped, encodable."""
    if not isinstance(value, str):
        return ""
    return value[:limit].encode("utf-8", "replace").decode("utf-8")


def body_text(body: bytes) -> str:
    """The first 2 KiB as text, for substring tests."""
    return body[:TEXT_LIMIT].decode("utf-8", "replace")


def header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    """The first value of a header field as text, or empty. ``name`` in lower case."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return ""


def retry_after(headers: Sequence[tuple[bytes, bytes]], now: float) -> float | None:
    """
    Seconds that ``Retry-After`` asks for, or None when it is absent or nonsense.

    A date is taken against the answer's own ``Date`` where there is one, so that a wrong clock here
    does not matter (RFC 9110 section 10.2.3). Negative and unreadable values count as absent; more
    than a day counts as a day.
    """
    raw = header(headers, b"retry-after").strip()
    if not raw:
        return None
    if raw.isascii() and raw.isdigit():
        return min(float(raw[:_LONGEST_NUMBER]), RETRY_AFTER_CAP)
    at = _http_date(raw)
    if at is None:
        return None
    answered = _http_date(header(headers, b"date").strip())
    delay = at - (answered if answered is not None else now)
    return min(delay, RETRY_AFTER_CAP) if delay >= 0 else None


def server_time(headers: Sequence[tuple[bytes, bytes]]) -> float | None:
    """The answer's ``Date`` in epoch seconds, or None: how clock skew is seen."""
    return _http_date(header(headers, b"date").strip())


def _http_date(raw: str) -> float | None:
    if not raw or len(raw) > 64:
        return None
    try:
        parsed = parsedate_to_datetime(raw)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def epoch_millis(value: object) -> datetime | None:
    """A JSON number of milliseconds since 1970 as an aware datetime, or None when it is anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
