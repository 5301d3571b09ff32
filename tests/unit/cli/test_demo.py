from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import pytest

from pushkit.cli.demo import differences, make_scene, play
from pushkit.testing import PushServer


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUSHKIT")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "pushkit", "demo", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_demo_runs_as_scripted() -> None:
    """As a newcomer starts it: exit status 0, the report, nothing on standard error."""
    done = run()

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "" == done.stderr
    for part in (
        "303 pushes: 274 accepted",
        "Everything went as scripted",
        "Unregistered",
        "VAPID public key mismatch",
        "No push service tells",
    ):
        assert part in done.stdout


def test_the_demo_as_json_is_json() -> None:
    """One object on standard output and nothing else."""
    shown = json.loads(run("--json").stdout)

    assert shown["as_scripted"] is True
    assert 303 == shown["report"]["total"]


@pytest.mark.parametrize(
    ("spoil", "noticed"),
    [
        (lambda server, scene: server.unregister(scene.targets[0]), "were accepted instead of"),
        (lambda server, scene: server.behaviour.to(scene.targets[1]).answer("UNREGISTERED"), "fcm recipient UNREGISTERED instead of"),
        (lambda server, scene: scene.failures.update({("apns", "payload", "BadTopic"): 1}), "0 × apns payload BadTopic instead of 1"),
    ],
)
def test_the_demo_notices_what_does_not_go_as_scripted(spoil, noticed: str) -> None:
    """An exit status of 0 that nothing could prevent would say nothing."""
    with PushServer() as server:
        scene = make_scene(server)
        spoil(server, scene)
        report = asyncio.run(play(server, scene))
        found = differences(server, scene, report)

    assert any(noticed in line for line in found), found
