"""A large audience in constant memory, personal texts, tenants with keys of their own, and a report at the end."""

from __future__ import annotations

from collections.abc import Iterator

from pushkit import Client, Notification, Report, apns
from pushkit.testing import PushServer

WORDS = {"en": Notification(title="Good morning"), "de": Notification(title="Guten Morgen")}

with PushServer() as services:
    configurations = {f"tenant-{number}": services.apns_config() for number in range(20)}
    asked: list[str] = []

    def config_of(app: str) -> apns.Config | None:
        """What a table of tenants would answer."""
        asked.append(app)
        return configurations.get(app)

    def audience() -> Iterator[apns.Device]:
        """Rows as a database cursor gives them, in this thread, no faster than they are sent."""
        for number in range(5_000):
            yield apns.Device(f"{number:064x}", app=f"tenant-{number % 20}", ref=("en", "de")[number % 2])

    with Client(apns=config_of, ssl_context=services.ssl_context()) as push:
        report = Report.collect(push.stream(lambda device: WORDS[device.ref], to=audience()))
        print(report)
        push.forget("tenant-7")  # its key was rotated
        again = push.send(WORDS["en"], to=apns.Device("ab" * 32, app="tenant-7"))

    assert report.accepted == 5_000
    assert again.accepted
    assert len(asked) == 21
