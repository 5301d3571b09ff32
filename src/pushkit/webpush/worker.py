"""The service worker that comes with pushkit."""

from __future__ import annotations

from pathlib import Path


def service_worker() -> str:
    """
    The JavaScript of a service worker that shows portable notifications and declarative messages: 40 lines.

    Serve it from the root of a site, or copy it into one's own (see ``docs/webpush.md``).
    """
    return Path(__file__).with_name("service_worker.js").read_text(encoding="utf-8")
