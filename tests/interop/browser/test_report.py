"""The report's page in a real browser: light and dark, on a phone and on paper, in both languages, with a stranger's words in it."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from tests import stories
from tests.interop.browser.chromium import Chromium

pytestmark = pytest.mark.full

PHONE, DESK = 360, 1000
PAGES = {
    "en": lambda: stories.campaign(wrong_environment=True).to_html(title="Autumn sale", earlier=stories.campaign()),
    "zh": lambda: stories.campaign(wrong_environment=True).to_html(title="秋季促销", earlier=stories.campaign(), language="zh"),
    "hostile": lambda: stories.hostile().to_html(title=stories.HOSTILE[0], earlier=stories.campaign()),
}
CONTRAST = """
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
"""


class Site:
    """A page on loopback."""

    def __init__(self) -> None:
        self.page = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing on the console."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


@pytest.fixture(scope="module")
def chromium(site: Site) -> Iterator[Chromium]:
    with Chromium(site.address) as browser:
        for domain in ("Network", "Log", "Page"):
            browser.command(f"{domain}.enable")
        yield browser


def show(browser: Chromium, site: Site, name: str, *, width: int = DESK, scheme: str = "light", media: str = "screen") -> None:
    """Load a page as a device of this kind would."""
    site.page = PAGES[name]()
    browser.command("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width == PHONE)
    browser.command("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.go(f"{site.address}{name}-{width}-{scheme}-{media}")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_and_nothing_is_asked_for(chromium: Chromium, site: Site, name: str) -> None:
    """A stranger's markup is text: no script, no picture, no link, and the page's own policy had nothing to stop."""
    before, logged = len(chromium.heard("Network.requestWillBeSent")), len(chromium.heard("Log.entryAdded"))
    show(chromium, site, name)
    seen = chromium.run(
        "await new Promise((done) => setTimeout(done, 100));"
        "return [document.scripts.length, document.images.length, document.links.length, document.title, performance.getEntriesByType('resource').length];"
    )

    assert [0, 0, 0, {"en": "Autumn sale", "zh": "秋季促销", "hostile": stories.HOSTILE[0]}[name], 0] == seen
    assert ["Document"] == [event["type"] for event in chromium.heard("Network.requestWillBeSent")[before:]]
    assert [] == [event["entry"]["text"] for event in chromium.heard("Log.entryAdded")[logged:]]


def test_a_strangers_words_are_there_to_be_read(chromium: Chromium, site: Site) -> None:
    """Shown as they are, not swallowed."""
    show(chromium, site, "hostile")
    shown = chromium.run("return document.body.innerText;")

    for text in (*stories.HOSTILE[:2], '=HYPERLINK("https://evil.example","sale")'):
        assert text in shown


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, PHONE, DESK])
def test_the_page_is_no_wider_than_the_screen(chromium: Chromium, site: Site, name: str, width: int) -> None:
    """Only the table of counts scrolls, inside its own frame; every other text is inside the screen."""
    show(chromium, site, name, width=width)
    wide = chromium.run(
        "const beyond = [...document.querySelectorAll('main *')].filter((e) => !e.closest('.counts, svg') && e.getBoundingClientRect().right > args[0] + .5);"
        "return [document.documentElement.scrollWidth <= args[0], beyond.map((e) => e.outerHTML.slice(0, 100))];",
        width,  # not innerWidth: a phone makes that as wide as what overflows
    )

    assert [True, []] == wide


def test_text_stays_legible_on_a_phone(chromium: Chromium, site: Site) -> None:
    """Charts shrink, their words do not."""
    show(chromium, site, "en", width=PHONE)
    sizes = chromium.run(
        "return [...new Set([...document.querySelectorAll('main *')].filter((e) => e.textContent.trim() && !e.closest('svg')).map((e) => parseFloat(getComputedStyle(e).fontSize)))];"
    )

    assert min(sizes) >= 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["en", "zh"])
def test_everything_can_be_told_from_its_ground(chromium: Chromium, site: Site, name: str, scheme: str) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what a chart draws."""
    show(chromium, site, name, scheme=scheme)
    text = chromium.run(
        CONTRAST + "const texts = [...document.querySelectorAll('main *')].filter((e) => !e.closest('svg') && e.textContent.trim());"
        "return Math.min(...texts.map((e) => ratio(colour(getComputedStyle(e).color), ground(e))));"
    )
    drawn = chromium.run(
        CONTRAST
        + "return Math.min(...[...document.querySelectorAll('rect')].map((e) => ratio(colour(getComputedStyle(e).fill), ground(e.closest('svg').parentElement))));"
    )
    page = chromium.run(CONTRAST + "return luminance(colour(getComputedStyle(document.body).backgroundColor));")

    assert text >= 4.5
    assert drawn >= 3
    assert (scheme == "dark") == (page < 0.1)


@pytest.mark.parametrize("name", PAGES)
def test_charts_say_in_words_what_they_draw(chromium: Chromium, site: Site, name: str) -> None:
    """What a screen reader is given: every drawing has a name with its numbers, every table its headers, the page one heading."""
    show(chromium, site, name)
    nodes = chromium.command("Accessibility.getFullAXTree")["nodes"]
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    drawings = [said for role, said in named if role in {"image", "img"}]

    assert len(drawings) >= 8
    assert all(re.search(r"\d", said) for said in drawings)
    assert 1 == chromium.run("return document.querySelectorAll('h1').length;")
    assert 0 == chromium.run("return document.querySelectorAll('tr:not(:has(th))').length;")
    assert {"en": "en", "zh": "zh-Hans", "hostile": "en"}[name] == chromium.run("return document.documentElement.lang;")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_light(chromium: Chromium, site: Site, scheme: str) -> None:
    """Whoever prints from a dark desktop wants no black sheet; charts keep their colours."""
    show(chromium, site, "en", scheme=scheme, media="print")
    style = "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('rect.accepted')).fill];"

    assert ["rgb(255, 255, 255)", "rgb(47, 158, 99)"] == chromium.run(style)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_on_paper(chromium: Chromium, site: Site, name: str) -> None:
    """On A4 every chart and cause lies inside the sheet and on one sheet, and the whole text is on paper."""
    show(chromium, site, name, width=718, media="print")  # A4 less the browser's margins, in CSS pixels
    cut = chromium.run(
        "return [...document.querySelectorAll('main *')].filter((e) => { const box = e.getBoundingClientRect(); return box.right > innerWidth + 1 || box.left < -1; }).map((e) => e.outerHTML.slice(0, 100));"
    )
    kept = chromium.run(
        "return [...document.querySelectorAll('figure, .cause, .alarm')].every((e) => getComputedStyle(e).breakInside === 'avoid');"
    )
    pdf = base64.b64decode(chromium.command("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69)["data"])

    assert [] == cut
    assert kept
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2
    assert drawn(pdf) >= chromium.run("return document.querySelectorAll('figure rect').length;")


def drawn(pdf: bytes) -> int:
    """How many filled rectangles and paths are on a PDF's pages."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return sum(len(re.findall(rb"(?m)^f\*?$", _inflated(stream))) for stream in streams)


def _inflated(stream: bytes) -> Any:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_the_counts_scroll_by_keyboard(chromium: Chromium, site: Site) -> None:
    """On a small phone the table is wider than the screen; whoever has no finger on it reaches the rest all the same."""
    show(chromium, site, "zh", width=320)
    reached = chromium.run(
        "const table = document.querySelector('.counts'); table.focus(); return [document.activeElement === table, table.tabIndex];"
    )

    assert [True, 0] == reached
