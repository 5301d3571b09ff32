"""What ``import pushkit.fcm`` brings along: nothing heavy, nothing optional."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("asyncio", "ssl", "httpx", "cryptography", "backoff", "google.auth", "requests")


def test_the_import_is_light():
    """A web worker that never pushes pays for nothing."""
    code = f"import sys, pushkit.fcm; print([name for name in {HEAVY!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert (0, "[]") == (done.returncode, done.stdout.strip()), done.stderr
