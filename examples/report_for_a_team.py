"""A report for a team: as text, as a page with charts, joined from two workers, compared with yesterday's."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pushkit import Client, Notification, Report
from pushkit.testing import PushServer


def main() -> None:
    with PushServer() as server:
        phones = [server.device(ref=f"user-{number}") for number in range(100)]
        sale = Notification(title="The sale has begun", label="autumn-sale")
        with Client(apns=server.apns_config(), ssl_context=server.ssl_context()) as push:
            yesterday = push.send_many(sale, to=phones)
            for phone in phones[:8]:
                server.unregister(phone)
            first, second = push.send_many(sale, to=phones[:50]), push.send_many(sale, to=phones[50:])

    today = Report.merge([first, Report.from_json(second.to_json())])
    print(today.to_text(earlier=yesterday))
    page = Path(tempfile.mkdtemp()) / "report.html"
    page.write_text(today.to_html(title="Autumn sale", earlier=yesterday), encoding="utf-8")
    print(f"\nThe same as a page: {page.name}, {page.stat().st_size:,} bytes; in Chinese: {today.to_text(language='zh').splitlines()[0]}")
    assert 8 == len(today.to_remove) == len(first.to_remove)


if __name__ == "__main__":
    main()
