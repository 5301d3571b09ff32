"""Other people's libraries, unmodified, on the services that ``serve`` runs: the printed snippets, good pushes and bad ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushkit.testing.serve import ServeOptions, Serving
from pushkit.testing.snippets import SNIPPETS

PACKAGES = {"node-apn": "@parse/node-apn@8.1.0", "web-push": "web-push@3.6.7", "node-firebase-admin": "firebase-admin@13.10.0"}
# Snippet, whose answers it meets, a word for a dead recipient, what the library then says.
LIBRARIES = [
    ("aioapns", "apns", "Unregistered", "200", "410"),
    ("firebase-admin", "fcm", "UNREGISTERED", "projects/local-project/messages/", "UnregisteredError"),
    ("pywebpush", "webpush", "gone", "201", "410"),
    pytest.param("node-apn", "apns", "Unregistered", '"sent":[{', '"reason":"Unregistered"', marks=pytest.mark.full),
    pytest.param("web-push", "webpush", "gone", "201", "410", marks=pytest.mark.full),
    pytest.param(
        "node-firebase-admin",
        "fcm",
        "UNREGISTERED",
        "projects/local-project/messages/",
        "messaging/registration-token-not-registered",
        marks=pytest.mark.full,
    ),
]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(ServeOptions(credentials=tmp_path_factory.mktemp("keys"), inbox=False)) as running:
        yield running


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three packages, installed once. Needs node and npm."""
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES.values()]
    subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return folder / "node_modules"


def run(serving: Serving, name: str, request: pytest.FixtureRequest) -> str:
    """Run a snippet as it was printed; gives everything that it said."""
    assert serving.files is not None
    ca = str(serving.files.ca)
    environment = os.environ | {"REQUESTS_CA_BUNDLE": ca, "SSL_CERT_FILE": ca, "NODE_EXTRA_CA_CERTS": ca}
    command = [sys.executable, "-c"]
    if name in PACKAGES:
        environment["NODE_PATH"] = str(request.getfixturevalue("node_modules"))
        command = [shutil.which("node") or "node", "-e"]
    done = subprocess.run(
        [*command, SNIPPETS[name](serving.server, serving.files)], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(("name", "provider", "word", "good", "bad"), LIBRARIES)
def test_a_library_gets_right_answers(
    serving: Serving, request: pytest.FixtureRequest, name: str, provider: str, word: str, good: str, bad: str
) -> None:
    """Accepted with the text decrypted or decoded on our side; a dead recipient recognised on theirs."""
    serving.server.behaviour.reset()
    assert good in run(serving, name, request)
    record = serving.server.sent[-1]
    assert (provider, True) == (record.provider, record.text in {"Hello", "It works."})

    getattr(serving.server.behaviour, provider).answer(word)
    assert bad in run(serving, name, request)
