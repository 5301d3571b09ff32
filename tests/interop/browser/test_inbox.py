"""The inbox page in a real browser: live, filtered, scripted by click, hostile text stays text, 10,000 entries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.interop.browser.firefox import Firefox

from pushkit import Client, Notification, RetryPolicy
from pushkit.testing.serve import ServeOptions, Serving

pytestmark = pytest.mark.full

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title="owned"</script>'
ROWS = "return [...document.querySelectorAll('#list .row-title')].map((e) => e.textContent);"
SET = "const [id, value] = args; const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change'));"


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    with Firefox("ws://127.0.0.1:9/") as browser:
        yield browser


@pytest.fixture
def serving() -> Iterator[Serving]:
    with Serving(ServeOptions()) as running:
        yield running


@pytest.fixture
def push(serving: Serving) -> Iterator[Client]:
    server = serving.server
    configs = {"apns": server.apns_config(), "fcm": server.fcm_config(), "webpush": server.webpush_config()}
    with Client(**configs, ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as client:
        yield client


def until(browser: Firefox, script: str, wanted: Any, *arguments: Any, seconds: float = 15.0) -> Any:
    """Ask the page until it says what is wanted."""
    end = time.monotonic() + seconds
    while (seen := browser.run(script, *arguments)) != wanted and time.monotonic() < end:
        time.sleep(0.05)  # the page looks once a second; there is nothing to wait on from outside
    return seen


def test_pushes_appear_live_and_filters_work(firefox: Firefox, serving: Serving, push: Client) -> None:
    """No reload: the list grows, newest first; provider, answer and text narrow it."""
    firefox.open(serving.inbox_address or "")
    server = serving.server
    gone = server.device()
    server.unregister(gone)
    push.send(Notification(title="One"), to=server.device())
    push.send(Notification(title="Two"), to=server.registration())
    push.send(Notification(title="Three"), to=server.subscription())
    push.send(Notification(title="Four"), to=gone)

    assert ["Four", "Three", "Two", "One"] == until(firefox, ROWS, ["Four", "Three", "Two", "One"])
    firefox.run(SET, "provider", "fcm")
    assert ["Two"] == firefox.run(ROWS)
    firefox.run(SET, "provider", "")
    firefox.run(SET, "category", "recipient")
    assert ["Four"] == firefox.run(ROWS)
    firefox.run(SET, "category", "")
    firefox.run(SET, "search", "thr")
    assert ["Three"] == firefox.run(ROWS)


def test_hostile_text_stays_text(firefox: Firefox, serving: Serving, push: Client) -> None:
    """Markup in a title is shown as it is, in the list and in the preview, and nothing of it runs or loads."""
    firefox.open(serving.inbox_address or "")
    push.send(Notification(title=HOSTILE, body="javascript:alert(1)", link="https://example.com/x"), to=serving.server.subscription())

    assert [HOSTILE] == until(firefox, ROWS, [HOSTILE])
    firefox.run("document.querySelector('#list .row').click();")
    title = "return document.querySelector('#detail .card .title')?.textContent ?? null;"
    assert HOSTILE == until(firefox, title, HOSTILE)
    state = "return [document.title, document.images.length, document.scripts.length];"
    assert ["Inbox · pushkit", 0, 1] == firefox.run(state)


def test_a_failure_scripted_by_click_happens(firefox: Firefox, serving: Serving, push: Client) -> None:
    """The next push to that recipient is answered as chosen, and only that one."""
    firefox.open(serving.inbox_address or "")
    device = serving.server.device()
    push.send(Notification(title="First"), to=device).unwrap()
    until(firefox, ROWS, ["First"])
    firefox.run("document.querySelector('#list .row').click();")
    until(firefox, "return document.querySelectorAll('#detail .actions button').length > 0;", True)
    click = "const s = document.querySelector('#detail .actions select'); s.value = 'BadDeviceToken'; document.querySelector('#detail .actions button').click();"
    firefox.run(click)
    assert until(firefox, "return document.getElementById('said').textContent.includes('BadDeviceToken');", True)

    assert ("BadDeviceToken", True) == (
        push.send(Notification(title="x"), to=device).reason,
        push.send(Notification(title="y"), to=device).accepted,
    )


def test_an_outage_is_a_click_away(firefox: Firefox, serving: Serving, push: Client) -> None:
    """Down, and up again."""
    firefox.open(serving.inbox_address or "")
    button = "const b = [...document.querySelectorAll('#outages button')].find((b) => b.textContent.startsWith('FCM')); b?.click(); return Boolean(b);"
    until(firefox, button, True)
    target = serving.server.registration()
    until(firefox, "return document.getElementById('said').textContent;", "fcm is down.")
    assert "UNAVAILABLE" == push.send(Notification(title="x"), to=target).reason
    firefox.run(button)
    until(firefox, "return document.getElementById('said').textContent;", "fcm is up again.")
    assert push.send(Notification(title="x"), to=target).accepted


def test_a_recipient_has_a_page_of_its_own(firefox: Firefox, serving: Serving, push: Client) -> None:
    """Its fingerprint is in the address; back leads to everybody."""
    firefox.open(serving.inbox_address or "")
    one, two = serving.server.device(), serving.server.device()
    for target, title in ((one, "a"), (two, "b"), (one, "c")):
        push.send(Notification(title=title), to=target)
    until(firefox, ROWS, ["c", "b", "a"])
    firefox.run("document.querySelector('#list .row').click();")
    until(firefox, "return document.querySelectorAll('#detail .actions button').length;", 5)
    firefox.run("[...document.querySelectorAll('#detail .actions button')].at(-1).click();")

    assert ["c", "a"] == until(firefox, ROWS, ["c", "a"])
    firefox.run("history.back();")
    assert ["c", "b", "a"] == until(firefox, ROWS, ["c", "b", "a"])


def test_ten_thousand_entries_stay_usable(firefox: Firefox, serving: Serving, push: Client) -> None:
    """All are counted, a hundred are drawn, and a filter over all takes less than a fifth of a second."""
    firefox.open(serving.inbox_address or "")
    server = serving.server
    push.send_many(lambda t: Notification(title=f"No. {t.ref}"), to=[server.device(ref=i) for i in range(10_000)])
    counted = "return document.getElementById('counts').textContent;"

    assert "10000 pushes, 10000 shown" == until(firefox, counted, "10000 pushes, 10000 shown", seconds=60)
    timed = "const e = document.getElementById('search'); const t = performance.now(); e.value = 'No. 77'; e.dispatchEvent(new Event('input')); return performance.now() - t;"
    assert firefox.run(timed) < 200
    assert "10000 pushes, 111 shown" == firefox.run(counted)
    assert 100 == len(firefox.run(ROWS))


def test_the_page_works_by_keyboard(firefox: Firefox, serving: Serving, push: Client) -> None:
    """Rows are buttons, arrows move between them, every control has a name."""
    firefox.open(serving.inbox_address or "")
    for title in ("a", "b"):
        push.send(Notification(title=title), to=serving.server.device())
    until(firefox, ROWS, ["b", "a"])
    moved = (
        "const rows = document.querySelectorAll('#list .row'); rows[0].focus();"
        "rows[0].dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true })); return document.activeElement === rows[1];"
    )
    nameless = "return [...document.querySelectorAll('button, input, select, a')].filter((e) => !e.textContent.trim() && !e.labels?.length && !e.ariaLabel).length;"

    assert firefox.run(moved)
    assert 0 == firefox.run(nameless)
