"""The service worker that is shipped."""

from __future__ import annotations

from importlib.resources import files

from pushkit.webpush import service_worker


def test_it_is_short_enough_to_read():
    """About 40 lines: people copy it into theirs."""
    assert len(service_worker().splitlines()) <= 40


def test_it_is_part_of_the_package():
    """Found where the package is installed, not only in the source tree."""
    assert service_worker() == files("pushkit.webpush").joinpath("service_worker.js").read_text("utf-8")


def test_it_listens_to_pushes_and_taps():
    """What it shows is tested in a real browser (tests/interop/browser)."""
    assert 'addEventListener("push"' in service_worker()
    assert 'addEventListener("notificationclick"' in service_worker()
