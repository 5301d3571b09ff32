"""
How a notification will look, and what would be lost on the way, before anybody gets it.

Run it: ``python examples/preview_notification.py [FOLDER]``; with a folder it writes ``preview.svg`` and
``preview.html`` there. Needs no client, no credentials and no network.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pushkit import InterruptionLevel, Notification
from pushkit.preview import Effect, lint, preview

notification = Notification(
    title="Your order has left the warehouse and is on its way",
    subtitle="Order 4711",
    body="The courier will ring between 14:00 and 16:00. If nobody is at home, your parcel waits at the shop around the corner.",
    image="https://cdn.shop.example/parcel.jpg",
    badge=3,
    sound="default",
    link="https://shop.example/orders/4711",
    group="orders",
    interruption=InterruptionLevel.TIME_SENSITIVE,
)


def main(folder: str | None = None) -> None:
    found = preview(notification, app="Shop")
    print(found.text(colour=sys.stdout.isatty()))
    if folder is not None:
        Path(folder, "preview.svg").write_text(found.svg(), encoding="utf-8")
        Path(folder, "preview.html").write_text(found.html(), encoding="utf-8")
    refused = [warning for warning in lint(notification) if warning.effect is Effect.REFUSED]
    print(f"{len(refused)} of 3 providers would refuse it")  # what a check in CI would look at


if __name__ == "__main__":
    main(*sys.argv[1:2])
