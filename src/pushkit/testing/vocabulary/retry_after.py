"""``Retry-After`` in every form that servers send: seconds, a date, or nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import formatdate
from typing import Any

from pushkit.testing.exchange import Field, date_field


def retry_after_field(details: Mapping[str, Any], now: float) -> list[Field]:
    """
    The header that ``details["retry_after"]`` asks for, if any.

    A number or timedelta is sent as whole seconds (RFC 9110 section 10.2.3), an aware datetime as an HTTP
    date together with the server's own ``Date``, and text exactly as it is.
    """
    value = details.get("retry_after")
    if value is None:
        return []
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, datetime):
        return [(b"retry-after", formatdate(value.timestamp(), usegmt=True).encode()), date_field(now)]
    if isinstance(value, str):
        return [(b"retry-after", value.encode("latin-1", "replace"))]
    return [(b"retry-after", str(round(value)).encode())]
