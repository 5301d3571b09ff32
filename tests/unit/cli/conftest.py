"""A configured folder that points at local push services."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pushkit.cli.app import run
from pushkit.testing import PushServer


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer(keep=300_000) as running:
        yield running


@pytest.fixture
def project(server: PushServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pushkit.toml, key files and the authority's certificate; the current one."""
    server.reset()
    write_project(server, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("PUSHKIT_CONFIG", "PUSHKIT_HTTP2_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write_project(server: PushServer, folder: Path) -> None:
    secrets = {
        "key.p8": server.apns_key.pem or "",
        "service-account.json": json.dumps(server.service_account_file()),
        "vapid.pem": server.vapid.pem,
    }
    for name, text in secrets.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    server.write_ca(folder / "ca.pem")
    endpoints = [f"localhost:{server.port(name).number}={name}" for name in ("mozilla", "google", "apple", "microsoft")]
    (folder / "pushkit.toml").write_text(
        f"""
[apns]
topic = "{server.bundle_id}"
key_file = "key.p8"
key_id = "{server.apns_key.key_id}"
team_id = "{server.apns_key.team_id}"
origin = "{server.origin("apns")}"

[fcm]
service_account_file = "service-account.json"
origin = "{server.origin("fcm")}"

[webpush]
vapid_file = "vapid.pem"
subject = "mailto:ops@example.com"
endpoints = {json.dumps(endpoints)}

[client]
ca_file = "ca.pem"
"""
    )


@pytest.fixture
def pushkit(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command here; gives exit status, standard output and standard error."""

    def command(*arguments: str) -> tuple[int, str, str]:
        try:
            status = run(arguments)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        out, err = capsys.readouterr()
        return status, out, err

    return command
