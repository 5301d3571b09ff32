"""``keys``: a VAPID pair for real, throw-away credentials for tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pushkit.errors import ConfigurationError


def write_secret(path: Path, text: str) -> None:
    """
    Write a file that its owner alone can read.

    Raises:
        ConfigurationError: when it exists already, or cannot be written.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f'"{path}" exists already; a key is never written over: what was made with it could not be reached any more'
        ) from None
    except OSError as error:
        raise ConfigurationError(f'"{path}": cannot be written ({error.strerror})') from None
    with os.fdopen(file, "w", encoding="ascii") as handle:
        handle.write(text)


def make_vapid(path: Path) -> dict[str, Any]:
    """
    Make a VAPID key pair, keep the private half in a file, and give the public one.

    Raises:
        ConfigurationError: when the file exists already, or cannot be written.
    """
    from pushkit.testing.accounts import new_vapid_pair
    from pushkit.webpush import VapidKey

    pair = new_vapid_pair()
    write_secret(path, pair.pem)
    return {"private_key_file": str(path), "public_key": VapidKey.from_file(path).public_key}


def show_vapid(path: Path) -> dict[str, Any]:
    """
    The public half of a VAPID key.

    Raises:
        ConfigurationError: when the file holds none.
    """
    from pushkit.webpush import VapidKey

    return {"private_key_file": str(path), "public_key": VapidKey.from_file(path).public_key}


def make_test_keys(folder: Path) -> dict[str, Any]:
    """
    Throw-away credentials of every kind, worth nothing anywhere: an APNs key, a service account, a VAPID pair.

    Raises:
        ConfigurationError: when one of the files exists already, or cannot be written.
    """
    from pushkit.testing.accounts import Accounts, key_file, new_vapid_pair

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f'"{folder}": cannot be made ({error.strerror})') from None
    accounts = Accounts()
    key = accounts.new_apns_key()
    account = accounts.new_service_account()
    files = {
        folder / f"AuthKey_{key.key_id}.p8": key.pem or "",
        folder / "service-account.json": json.dumps(key_file(account, "https://localhost/token"), indent=2),
        folder / "vapid.pem": new_vapid_pair().pem,
    }
    for path, text in files.items():
        write_secret(path, text)
    return {"files": [str(path) for path in files], "key_id": key.key_id, "team_id": key.team_id, "project_id": account.project_id}
