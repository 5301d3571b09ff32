"""Key files: read whole, bounded in size, with errors that name the file and never what was taken for its name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, cast

from pushkit.errors import ConfigurationError

LARGEST_FILE = 64 * 1024
"""Bytes. A key file has a few thousand."""

_LIKE_A_KEY = re.compile(r"-----BEGIN|[\r\n{]|\A[A-Za-z0-9+=_-][A-Za-z0-9+/=_-]{39,}\Z").search
"""PEM, JSON, several lines, or the long unbroken text of a Base64 key: no name that a file has."""


def read_key_file(path: Any, what: str, *, inline: str, missing: str = "") -> bytes:
    """
    The contents of a key file.

    Args:
        path: text or a path object, as the caller was given it.
        what: who asks, for errors: ``"apns.TokenKey.from_file()"``.
        inline: what takes the key itself, for those who pass that instead of a path.
        missing: how to come to such a file, for those who have none.

    Raises:
        ConfigurationError: when it cannot be read. What looks like a key itself is not repeated.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ConfigurationError(
            f"{what}: the path is a {type(path).__name__}; expected the path of a file (is the environment variable set?); {inline} takes the key itself"
        )
    where = Path(cast("str | os.PathLike[str]", path))
    name = str(where)
    if name == "." and not isinstance(path, Path):
        raise ConfigurationError(f"{what}: the path is empty; expected the path of a file (is the environment variable set?)")
    try:
        with where.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        # `from None` everywhere: the cause quotes the name.
        if _LIKE_A_KEY(name):
            raise ConfigurationError(f"{what}: this looks like a key itself and not like the path of a file; pass it to {inline}") from None
        if isinstance(error, FileNotFoundError):
            raise ConfigurationError(
                f'"{name}": no such file (looked in {where.absolute().parent})' + (f"; {missing}" if missing else "")
            ) from None
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigurationError(f'"{name}": cannot be read ({reason})') from None
    if len(content) > LARGEST_FILE:
        raise ConfigurationError(f'"{name}": more than {LARGEST_FILE} bytes; expected a key file, which has a few thousand')
    return content
