"""The examples about monitoring and preview run as they are, and say what they promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        (
            "monitoring_prometheus",
            [
                'pushkit_outcomes_total{action="none",category="accepted",disposition="accepted",provider="apns",reason="accepted"} 2.0',
                'category="recipient",disposition="rejected",provider="apns",reason="Unregistered"} 1.0',
                'pushkit_client_usable{client="orders"} 1.0',
            ],
        ),
        ("monitoring_opentelemetry", ["POST (below send apns)", "send apns (below POST /orders) {'messaging.system': 'apns'}"]),
        ("monitoring_logs", ['"push_event": "recipient_failure"', "forget user-7, gone since"]),
        ("health_fastapi", ["200 usable: True", "503 usable: False because of InvalidProviderToken"]),
        ("health_django", ["200 usable: True", "503 usable: False because of InvalidProviderToken"]),
        ("preview_notification", ["iPhone, lock screen (through apns)", "0 of 3 providers would refuse it"]),
    ],
)
def test_an_example_says_what_it_promises(name: str, promised: list[str]) -> None:
    """It ends well without a warning, and the lines that its text talks about are there."""
    said = run(name)

    assert [] == [line for line in promised if line not in said]


def test_the_preview_example_writes_its_files(tmp_path: Path) -> None:
    """With a folder it leaves the picture and the page there."""
    run("preview_notification", str(tmp_path))

    assert (tmp_path / "preview.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert (tmp_path / "preview.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_documentation_shows_what_the_example_draws(tmp_path: Path) -> None:
    """The picture in the documentation is the example's, as it is drawn today."""
    run("preview_notification", str(tmp_path))

    shown = EXAMPLES.parent / "docs" / "images" / "preview.svg"
    assert (tmp_path / "preview.svg").read_text(encoding="utf-8") == shown.read_text(encoding="utf-8"), f"copy the new picture to {shown}"
