"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, text: str, *options: str, ini: str = "") -> subprocess.CompletedProcess[str]:
    """Run one test file with the plugin and nothing else of ours."""
    folder.joinpath("test_it.py").write_text(text)
    folder.joinpath("pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n{ini}\n")
    # -p loads it where this environment was installed before the entry point existed; twice is once.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pushkit_pytest", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_loading_the_plugin_imports_nothing_of_pushkit() -> None:
    """pytest loads every plugin at every start."""
    code = "import sys, pushkit_pytest; print([m for m in sys.modules if m == 'pushkit' or m.startswith('pushkit.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert "[]" == done.stdout.strip()


def test_fixtures_work_without_an_import(tmp_path: Path) -> None:
    """Fake, asynchronous fake, clock, server, keys: each in a test."""
    text = """
import asyncio
from pushkit import Notification, RetryPolicy

HI = Notification(title="Hi")

def test_fake(pushkit_fake):
    pushkit_fake.send(HI, to=pushkit_fake.device()).unwrap()
    pushkit_fake.assert_sent(count=1)

def test_behaviour(pushkit_fake, pushkit_behaviour):
    device = pushkit_fake.device()
    pushkit_behaviour.to(device).answer("Unregistered")
    assert pushkit_fake.send(HI, to=device).reason == "Unregistered"

def test_async(pushkit_async_fake):
    async def main():
        async with pushkit_async_fake as push:
            return await push.send(HI, to=push.registration())
    assert asyncio.run(main()).accepted

def test_clock(pushkit_clock, pushkit_async_fake):
    async def main():
        async with pushkit_async_fake as push:
            target = push.registration()
            push.behaviour.fcm.next().answer("UNAVAILABLE")
            sending = asyncio.create_task(push.send(HI, to=target))
            await pushkit_clock.advance_async(9)
            assert not sending.done()
            await pushkit_clock.advance_async(20)
            assert (await sending).accepted
    asyncio.run(main())

def test_server(pushkit_server):
    from pushkit import Client
    with Client(apns=pushkit_server.apns_config(), ssl_context=pushkit_server.ssl_context()) as push:
        push.send(HI, to=pushkit_server.device()).unwrap()
    assert len(pushkit_server.sent) == 1

def test_server_again(pushkit_server):
    assert len(pushkit_server.sent) == 0

def test_keys(pushkit_keys):
    assert pushkit_keys.apns_config().topic == "com.example.app"
"""
    done = run(tmp_path, text)

    assert "7 passed" in done.stdout, done.stdout + done.stderr


def test_a_strict_test_fails_on_unscripted_and_unused(tmp_path: Path) -> None:
    """The first by the push itself, the second at the end, both with what was scripted."""
    text = """
import pytest
from pushkit import Notification

@pytest.mark.pushkit(strict=True)
def test_unscripted(pushkit_fake):
    pushkit_fake.send(Notification(title="Hi"), to=pushkit_fake.device())

@pytest.mark.pushkit(strict=True)
def test_unused(pushkit_fake):
    pushkit_fake.behaviour.to(pushkit_fake.device()).accept()
"""
    done = run(tmp_path, text)

    assert "no step was written for it" in done.stdout
    assert "never used: behaviour.to(apns" in done.stdout
    assert "1 failed, 1 passed, 2 errors" in done.stdout


GUARDED = """
import pytest
from pushkit import Client, Notification, RetryPolicy
from pushkit.testing import NetworkBlocked

{marker}
def test_local({argument}pushkit_server):
    with Client(apns=pushkit_server.apns_config(), ssl_context=pushkit_server.ssl_context()) as push:
        push.send(Notification(title="Hi"), to=pushkit_server.device()).unwrap()

{marker}
def test_away({argument}pushkit_keys):
    with Client(apns=pushkit_keys.apns_config(), retry=RetryPolicy.none()) as push:
        assert push.send(Notification(title="Hi"), to=pushkit_keys.device()).reason == "connect_failed"
"""


@pytest.mark.parametrize("how", ["fixture", "marker", "ini"])
def test_the_guard_lets_pushkit_reach_loopback_only(tmp_path: Path, how: str) -> None:
    """By fixture, marker or ini: a local server can be reached; whoever wants to leave fails, even where a client took it for weather."""
    marker, argument = ("@pytest.mark.pushkit_no_network" if how == "marker" else "", "pushkit_no_network, " if how == "fixture" else "")
    done = run(tmp_path, GUARDED.format(marker=marker, argument=argument), ini="pushkit_no_network = true" if how == "ini" else "")

    assert "2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "a connection to api.push.apple.com was stopped" in done.stdout


def test_the_guard_is_never_on_by_itself(tmp_path: Path) -> None:
    """Without a word nothing is patched."""
    done = run(tmp_path, "import socket\n\ndef test_it():\n    assert socket.socket.connect.__qualname__ == 'socket.connect'\n")

    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_wrong_marker_says_what_it_takes(tmp_path: Path) -> None:
    """strict= and seed=, nothing else."""
    text = "import pytest\n\n@pytest.mark.pushkit(stict=True)\ndef test_it(pushkit_fake):\n    pass\n"

    assert "takes strict= and seed=, not 'stict'" in run(tmp_path, text).stdout
