"""The shipped service worker in Chromium: what pushkit sent, decrypted by the local service, shown by the browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import attrs
import pytest
from tests.interop.browser.chromium import Chromium
from tests.interop.browser.firefox import Site
from tests.interop.browser.test_firefox import CLEAR, TAP, TAPPED

from pushkit import Client, Notification
from pushkit.testing import PushServer
from pushkit.webpush import Button, Declarative, Message, Options, service_worker

pytestmark = pytest.mark.full

# Tells the pages when a notification is shown. Asking before would lose it: Chromium forgets notifications that it
# has written down but not shown yet when somebody calls getNotifications().
TELL = """
const original = self.registration.showNotification.bind(self.registration);
self.registration.showNotification = async (...what) => {
  await original(...what);
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  pages.forEach((page) => page.postMessage({ shown: what[0] }));
};
"""
REGISTER = """
window.told = [];
navigator.serviceWorker.addEventListener("message", ({ data }) => { if ("shown" in data) window.told.push(data.shown); });
navigator.serviceWorker.startMessages();
await navigator.serviceWorker.register("/service_worker.js");
await navigator.serviceWorker.ready;
return Notification.permission;
"""
SHOWN = """
const registration = await navigator.serviceWorker.ready;
return (await registration.getNotifications()).map(
    ({ title, body, tag, icon, image, badge, requireInteraction, renotify, silent, lang, data, actions }) =>
    ({ title, body, tag, icon, image, badge, requireInteraction, renotify, silent, lang, data,
       actions: actions.map(({ action, title }) => ({ action, title })) }));
"""
LISTEN = "window.heard = []; navigator.serviceWorker.onmessage = ({ data }) => { if (!('shown' in data)) window.heard.push(data); };"
SHOWN_WITHIN = 30.0


@attrs.define
class Stage:
    server: PushServer
    client: Client
    browser: Chromium

    def push(self, message) -> None:
        """Through pushkit, the local service, and into the service worker."""
        self.client.send(message, to=self.server.subscription(service="google")).unwrap()
        payload = self.server.sent[-1].payload
        self.browser.deliver(payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False))

    def until(self, script: str) -> list:
        """What the script gives, as soon as that is something."""
        until = time.monotonic() + SHOWN_WITHIN
        while not (found := self.browser.run(script)) and time.monotonic() < until:
            time.sleep(0.05)
        return found

    def shown(self) -> list[dict]:
        """What the browser shows, once it has shown it."""
        assert self.until("return window.told.splice(0);"), "nothing was shown"
        return self.browser.run(SHOWN)


@pytest.fixture(scope="module")
def theatre() -> Iterator[Stage]:
    with PushServer() as server, Site(f"{TELL}{service_worker()}{TAP}".encode()) as site:
        with Client(webpush=server.webpush_config(), ssl_context=server.ssl_context()) as client, Chromium(site.url) as browser:
            assert "granted" == browser.run(REGISTER)
            yield Stage(server, client, browser)


@pytest.fixture
def stage(theatre: Stage) -> Iterator[Stage]:
    yield theatre
    theatre.browser.run(CLEAR)


def test_everything_that_chromium_can_show_is_shown(stage: Stage):
    """Also what Firefox does not have: image, badge, actions, renotify."""
    options = Options(
        badge="/badge.png",
        actions=(Button(action="view", title="View", navigate="/v"),),
        renotify=True,
        require_interaction=True,
        silent=False,
        lang="de",
    )
    stage.push(
        Notification(
            title="Ihre Bestellung 🎁",
            subtitle="Nummer 42",
            body="Sie ist unterwegs.",
            image="/image.png",
            icon="/icon.png",
            badge=3,
            link="/orders/42",
            collapse_key="order-42",
            data={"id": "42"},
            options=options,
        )
    )

    (shown,) = stage.shown()

    assert ["/icon.png", "/image.png", "/badge.png"] == [f"/{shown.pop(name).rsplit('/', 1)[1]}" for name in ("icon", "image", "badge")]
    assert {
        "title": "Ihre Bestellung 🎁",
        "body": "Nummer 42\nSie ist unterwegs.",
        "tag": "order-42",
        "requireInteraction": True,
        "renotify": True,
        "silent": False,
        "lang": "de",
        "data": {"id": "42", "pushkit": {"navigate": "/orders/42", "links": {"view": "/v"}}},
        "actions": [{"action": "view", "title": "View"}],
    } == shown


@pytest.mark.parametrize(
    ("message", "title"),
    [(Message("just text"), "just text"), (Declarative(title="Declared", navigate="https://example.org/"), "Declared")],
    ids=["text", "declarative"],
)
def test_other_messages_are_shown_too(stage: Stage, message, title):
    """Plain text, and declarative messages, which Chromium leaves to the service worker."""
    stage.push(message)

    assert [title] == [shown["title"] for shown in stage.shown()]


@pytest.mark.parametrize(("action", "leads_to"), [("", "/orders/42"), ("view", "/v")])
def test_a_tap_opens_the_link(stage: Stage, action, leads_to):
    """Of the button, else of the notification."""
    button = Button(action="view", title="View", navigate="/v")
    stage.push(Notification(title="Tap", link="/orders/42", options=Options(actions=(button,))))
    stage.shown()

    assert stage.browser.run(TAPPED, action).endswith(leads_to)


def test_a_background_push_reaches_open_pages_and_shows_nothing(stage: Stage):
    """The data, as a message event."""
    stage.browser.run(LISTEN)
    stage.push(Notification(background=True, data={"refresh": "orders"}))

    assert [{"refresh": "orders"}] == stage.until("return window.heard;")
    assert [] == stage.browser.run(SHOWN)
