"""
The pictures of reports in the documentation, made anew: ``python -m tests.interop.browser.pictures``.

It needs Chromium and a font with Chinese characters (``apt-get install chromium fonts-noto-cjk``).
"""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text
from tests import stories
from tests.interop.browser.chromium import Chromium
from tests.interop.browser.test_report import Site

from pushkit import Report

IMAGES = Path(__file__).parents[3] / "docs" / "images"


def page(site: Site, report: Report, name: str, *, width: int, height: int, scheme: str = "light", **options: object) -> None:
    """The upper part of a report's page, as a browser shows it."""
    site.page = report.to_html(**options)  # type: ignore[arg-type]  # passed through
    with Chromium(site.address) as browser:
        # As on a phone, which draws no scroll bar.
        browser.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
        browser.command("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": scheme}])
        shot = browser.command("Page.captureScreenshot", format="png")["data"]
    (IMAGES / name).write_bytes(base64.b64decode(shot))


def terminal(text: str, name: str, *, title: str, width: int = 132) -> None:
    """What a terminal shows, as an SVG."""
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(Text(text))
    (IMAGES / name).write_text(console.export_svg(title=title), encoding="utf-8")


def main() -> None:
    """All of them."""
    before, now = stories.campaign(), stories.campaign(wrong_environment=True)
    site = Site()
    page(site, now, "report.png", width=900, height=1100, title="Autumn sale", earlier=before)
    page(site, now, "report-dark.png", width=390, height=1100, scheme="dark", title="Autumn sale", earlier=before)
    page(site, now, "report-zh.png", width=390, height=1100, title="秋季促销", earlier=before, language="zh")
    site.close()
    shown = subprocess.run([sys.executable, "-m", "pushkit", "demo"], check=True, capture_output=True, text=True).stdout
    terminal(f"$ python -m pushkit demo\n{shown}", "demo.svg", title="python -m pushkit demo")


if __name__ == "__main__":
    main()
