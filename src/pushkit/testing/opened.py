"""What a device finds in a push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs


@attrs.frozen(kw_only=True)
class Opened:
    """A push opened as the device would: payload, visible text, claims, or what is wrong with it."""

    payload: Any = None
    title: str = ""
    text: str = ""
    claims: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    problem: str = ""


def member(value: object, *path: str) -> Any:
    """A nested member of JSON objects, or None where the path ends early."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(name)
    return value


def shown(value: object) -> str:
    """A JSON value as visible text: strings and numbers as they are, everything else empty."""
    return value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
