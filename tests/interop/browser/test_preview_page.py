"""The preview's page and picture in a real browser: they load nothing, run nothing, and nothing leaves its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.interop.browser.pages import Pages

from pushkit import Notification, webpush
from pushkit.preview import preview

pytestmark = pytest.mark.full

HOSTILE = (
    '<script>document.title="owned"</script><img src="http://localhost:9/x" onerror=alert(1)></text></svg><style>*{display:none}</style>'
)
BUTTONS = webpush.Options(actions=(webpush.Button(action="a", title="Track it"), webpush.Button(action="b", title="W" * 40)))
IMAGE = "https://cdn.example/p.png"
MESSAGES = {
    "ordinary": Notification(
        title="Your order is on its way", body="The courier will ring. " * 9, image=IMAGE, badge=3, options=(BUTTONS,)
    ),
    "hostile": Notification(title=HOSTILE, subtitle=HOSTILE, body=HOSTILE * 3, image=f"https://x.example/{HOSTILE}", icon=HOSTILE),
    "wide": Notification(title="W" * 100, subtitle="M" * 100, body="WWWWWWWWWW MMMMMMMMMM " * 20, image=IMAGE),
    "chinese": Notification(title="您的订单已发货，请保持电话畅通" * 3, body="配送员将于下午送达。" * 20, badge=1200),
    "emoji": Notification(title="🎉👨‍👩‍👧‍👦🇩🇪" * 12, body="🎂👍🏽" * 60, image=IMAGE),
    "leftward": Notification(title="הזמנה חדשה שלך בדרך אליך עכשיו ממש", body="השליח יצלצל. מرحبا " * 12, image=IMAGE),
    "marks": Notification(title="Z" + "\u0334\u0335\u0336\u0337\u0338" * 20, body="e" + "\u0301" * 200 + " " + "x" * 400),
    "refused": Notification(title="x", body="y" * 5000),
    "nothing": Notification(background=True, data={"a": "b"}),
}
SHAPES = [(False, 1200), (True, 1200), (False, 390), (True, 390)]

# Texts whose box leaves the card they are in (or, without one, the picture), or runs into a picture beside them.
OUTSIDE = """
const out = [];
for (const text of document.querySelectorAll("svg.pk text")) {
  // A nested drawing's own box grows with what it cuts off.
  const card = (text.closest("svg svg")?.querySelector(".card") ?? text.closest("svg.pk").querySelector(".page")).getBoundingClientRect();
  const box = text.getBoundingClientRect();
  if (box.left < card.left - 1 || box.right > card.right + 1) out.push([text.className.baseVal, Math.round(box.right - card.right), text.textContent.slice(0, 60)]);
  const pictures = text.getAttribute("text-anchor") === "start" ? (text.closest("svg svg")?.querySelectorAll(".box") ?? []) : [];
  for (const { left, right, top, bottom } of [...pictures].map((picture) => picture.getBoundingClientRect())) {
    const middle = (box.top + box.bottom) / 2;
    if (top < middle && middle < bottom && box.right > left + 1 && box.left < right - 1) out.push(["into a picture", Math.round(box.right - left)]);
  }
}
return out;
"""
# The contrast of each kind of text with what is behind it (WCAG 2).
CONTRAST = """
const light = (colour) => {
  const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((n) => n / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const fill = (selector) => getComputedStyle(document.querySelector(selector)).fill;
const found = {};
for (const kind of ["title", "body", "soft", "button"]) found[kind] = ratio(fill(`.pk .${kind}`), fill(".pk .card"));
const page = getComputedStyle(document.body);
for (const kind of ["name", "note"]) found[kind] = ratio(fill(`.pk .${kind}`), page.backgroundColor);
found.opened = ratio(fill(".pk .opened"), fill(".pk .back-android"));
found.page = ratio(page.color, page.backgroundColor);
for (const cell of document.querySelectorAll("td, th")) found[cell.className || cell.localName] = ratio(getComputedStyle(cell).color, page.backgroundColor);
return found;
"""


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with Pages() as found:
        yield found


@pytest.mark.parametrize(("dark", "width"), SHAPES, ids=lambda value: str(value))
@pytest.mark.parametrize("name", MESSAGES)
def test_a_page_stays_in_its_place(pages: Pages, name: str, dark: bool, width: int) -> None:
    """Light and dark, on a desk and on a phone: no sideways scrolling, no text outside its card, whatever the message says."""
    pages.show("page.html", "text/html", preview(MESSAGES[name], app="Shop").html(), dark=dark, width=width)

    assert 0 == pages.browser.run("return Math.max(0, document.documentElement.scrollWidth - innerWidth);")
    assert [] == pages.browser.run(OUTSIDE)
    assert 5 == pages.browser.run("return document.querySelectorAll('svg.pk .name').length;")


@pytest.mark.parametrize("name", MESSAGES)
def test_a_page_loads_nothing_and_runs_nothing(pages: Pages, name: str) -> None:
    """One request, for itself; no script, no dialogue, the title is ours; nothing had to be blocked either."""
    pages.show("page.html", "text/html", preview(MESSAGES[name]).html())

    assert [f"{pages.url}page.html"] == pages.requests()
    assert [] == pages.events("Page.javascriptDialogOpening") + pages.events("Log.entryAdded")
    assert [0, 0, "Preview of a push notification"] == pages.browser.run(
        "return [document.scripts.length, document.querySelectorAll('img, image, a, iframe, object, use').length, document.title];"
    )


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read(pages: Pages, dark: bool) -> None:
    """Each kind of text has a contrast of 4.5 at least, on paper and at night; dark is dark."""
    pages.show("page.html", "text/html", preview(MESSAGES["ordinary"], app="Shop").html(), dark=dark)
    contrast = pages.browser.run(CONTRAST)

    assert {} == {kind: ratio for kind, ratio in contrast.items() if ratio < 4.5}
    assert dark == pages.browser.run("return getComputedStyle(document.body).backgroundColor !== 'rgb(255, 255, 255)';")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_picture_alone_is_a_picture(pages: Pages, name: str, dark: bool) -> None:
    """The SVG without the page and its policy: well-formed, in its place, one request, no script; as an <img> it has its size."""
    pages.show("picture.svg", "image/svg+xml", preview(MESSAGES[name]).svg(), dark=dark)

    assert [f"{pages.url}picture.svg"] == pages.requests()
    assert ["svg", 0] == pages.browser.run(
        "return [document.documentElement.localName, document.querySelectorAll('parsererror, script').length];"
    )
    assert [] == pages.browser.run(OUTSIDE)
    pages.show("shown.html", "text/html", '<!DOCTYPE html><img src="/picture.svg">')
    assert pages.browser.run("return document.images[0].naturalHeight > 200 && document.images[0].naturalWidth === 1112;")
