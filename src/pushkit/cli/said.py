"""Messages from flags or from a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import attrs

from pushkit.errors import ConfigurationError
from pushkit.notification import Localized, Notification, Sound

_TEXTS = ("title", "subtitle", "body")
_FIELDS = {field.name for field in attrs.fields(Notification)} - {"options"}


def notification_from(fields: Mapping[str, Any], data: Sequence[str] = (), file: Path | None = None) -> Notification:
    """
    A notification from a file, then flags over it.

    Args:
        fields: by the names of ``Notification``; None means not given.
        data: ``name=value`` entries.
        file: JSON or TOML with the fields of ``Notification``.

    Raises:
        ConfigurationError: for a field that there is not, or a value that cannot be read.
    """
    merged = {} if file is None else _read(file)
    merged |= {name: value for name, value in fields.items() if value is not None and value is not False}
    given: Any = merged.get("data") or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError('data: expected a table of names and values, such as {"order": "42"}')
    entries = dict(cast("Mapping[str, Any]", given))
    for entry in data:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            raise ConfigurationError("--data: expected name=value")
        entries[name] = value
    if entries:
        merged["data"] = entries
    unknown = merged.keys() - _FIELDS
    if unknown:
        raise ConfigurationError(f"the message has no field {', '.join(sorted(unknown))}; expected some of {', '.join(sorted(_FIELDS))}")
    for name in _TEXTS:
        if isinstance(merged.get(name), Mapping):
            merged[name] = _made(Localized, merged[name], name)
    if isinstance(merged.get("sound"), Mapping):
        merged["sound"] = _made(Sound, merged["sound"], "sound")
    if isinstance(merged.get("expires_at"), str):
        try:
            merged["expires_at"] = datetime.fromisoformat(merged["expires_at"])
        except ValueError:
            raise ConfigurationError("expires_at: expected a date and time with a zone, such as 2026-12-24T18:00:00+01:00") from None
    try:
        return Notification(**merged)
    except ValueError as error:
        # The enums' own text: it names the value, which is a word of a small list and no secret.
        raise ConfigurationError(f"the message cannot be made: {error}") from None


def _made(kind: type[Any], value: Mapping[str, Any], field: str) -> Any:
    try:
        return kind(**value)
    except TypeError:
        names = ", ".join(attribute.name for attribute in attrs.fields(kind))
        raise ConfigurationError(f"{field}: expected text, or a table with {names}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f'"{path}": no such file (looked in {path.absolute().parent})') from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f'"{path}": cannot be read as text ({type(error).__name__})') from None
    try:
        read = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigurationError(f'"{path}": is no valid {"TOML" if path.suffix.lower() == ".toml" else "JSON"}') from None
    if not isinstance(read, dict):
        raise ConfigurationError(f'"{path}": expected an object with the fields of a notification')
    return cast("dict[str, Any]", read)
