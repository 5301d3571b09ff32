"""
A real browser: Firefox subscribes at the local push service, pushkit sends, the shipped service worker shows it.

Nothing between pushkit's public API and the notification is ours but the local service, and the browser
itself says (by its acknowledgement) whether it could decrypt what it got.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import attrs
import pytest
from tests.interop.browser.firefox import Firefox, Site

from pushkit import Accepted, Action, Client, Notification, RecipientFailure
from pushkit.testing import PushServer
from pushkit.testing.autopush import DECRYPTION_FAILED, DELIVERED, Autopush
from pushkit.webpush import Button, Declarative, Message, Options, Subscription, VapidKey, service_worker

pytestmark = pytest.mark.full

SUBSCRIBE = """
const [key] = args;
await navigator.serviceWorker.register("/service_worker.js");
const registration = await navigator.serviceWorker.ready;
const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
return JSON.stringify(subscription);
"""
SHOWN = """
const registration = await navigator.serviceWorker.ready;
const shown = await registration.getNotifications();
return shown.map(({ title, body, tag, icon, lang, dir, silent, requireInteraction, data }) =>
    ({ title, body, tag, icon, lang, dir, silent, requireInteraction, data }));
"""
CLEAR = """
const registration = await navigator.serviceWorker.ready;
for (let tries = 0; tries < 100; tries += 1) {
  const shown = await registration.getNotifications();
  if (!shown.length) return;
  shown.forEach((notification) => notification.close());
  await new Promise((resolve) => setTimeout(resolve, 50));  // closing takes its time
}
throw new Error("the notifications stay");
"""
UNSUBSCRIBE = """
const registration = await navigator.serviceWorker.ready;
const subscription = await registration.pushManager.getSubscription();
return subscription ? await subscription.unsubscribe() : null;
"""
# Plays a tap inside the service worker, where nobody can tap in a headless browser, and tells where it would lead.
TAP = """
self.addEventListener("message", async ({ data, source }) => {
  const [notification] = await self.registration.getNotifications();
  if (!notification) { source.postMessage({ opened: "nothing is shown" }); return; }
  self.clients.openWindow = async (url) => source.postMessage({ opened: url });
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action: data.action }));
});
"""
TAPPED = """
const [action] = args;
const registration = await navigator.serviceWorker.ready;
const answer = new Promise((resolve) => { navigator.serviceWorker.onmessage = ({ data }) => { if ("opened" in data) resolve(data.opened); }; });
registration.active.postMessage({ action });
return await answer;
"""
SHOWN_WITHIN = 20.0


@attrs.define
class Stage:
    """Everything that plays."""

    server: PushServer
    autopush: Autopush
    browser: Firefox
    client: Client
    key: VapidKey

    def subscribe(self, key: VapidKey | None = None) -> Subscription:
        """What a page does, and what it sends to its back end."""
        return Subscription.from_json(self.browser.run(SUBSCRIBE, (key or self.key).public_key))

    def acknowledged(self, before: int) -> int:
        """The browser's word on the next message."""
        return self.autopush.wait_for_acks(before + 1)[before].code

    def shown(self, title: str | None = None) -> list[dict]:
        """What the browser shows, as soon as there is something (of that title): it acknowledges before it shows."""
        until = time.monotonic() + SHOWN_WITHIN
        while time.monotonic() < until:
            found = self.browser.run(SHOWN)
            if any(title in {None, shown["title"]} for shown in found):
                break
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def theatre() -> Iterator[Stage]:
    """One browser for all tests of this file: it takes seconds to start."""
    with PushServer() as server, Autopush(server) as autopush, Site(f"{service_worker()}{TAP}".encode()) as site:
        config = server.webpush_config()
        with Client(webpush=config, ssl_context=server.ssl_context()) as client, Firefox(autopush.url) as browser:
            browser.open(site.url)
            yield Stage(server, autopush, browser, client, config.key)


@pytest.fixture
def stage(theatre: Stage) -> Iterator[Stage]:
    """A clean page."""
    yield theatre
    theatre.browser.run(UNSUBSCRIBE)
    theatre.browser.run(CLEAR)


def test_a_portable_notification_is_shown_by_the_shipped_service_worker(stage: Stage):
    """Decrypted by the browser, and every field where the page can see it."""
    target = stage.subscribe()
    before = len(stage.autopush.acks)
    message = Notification(
        title="Ihre Bestellung 🎁",
        subtitle="Nummer 42",
        body="Sie ist unterwegs.",
        icon="/icon.png",
        link="/orders/42",
        collapse_key="order-42",
        data={"id": "42"},
        options=Options(
            lang="de", dir="ltr", silent=True, require_interaction=True, actions=(Button(action="view", title="View", navigate="/v"),)
        ),
    )

    outcome = stage.client.send(message, to=target)

    assert isinstance(outcome, Accepted), outcome
    assert DELIVERED == stage.acknowledged(before)
    (shown,) = stage.shown()
    assert shown.pop("icon").endswith("/icon.png")
    assert {
        "title": "Ihre Bestellung 🎁",
        "body": "Nummer 42\nSie ist unterwegs.",
        "tag": "order-42",
        "lang": "de",
        "dir": "ltr",
        "silent": True,
        "requireInteraction": True,
        "data": {"id": "42", "pushkit": {"navigate": "/orders/42", "links": {"view": "/v"}}},
    } == shown


def test_the_same_key_replaces_the_first_copy(stage: Stage):
    """Two sends with one identity show one notification: why a repeat after silence does no harm."""
    target = stage.subscribe()
    before = len(stage.autopush.acks)
    for number, text in enumerate(("first", "second")):
        stage.client.send(Notification(title=text, key="the-same"), to=target).unwrap()
        # One after the other: a browser handles several pushes side by side.
        stage.autopush.wait_for_acks(before + number + 1)

    assert ["second"] == [shown["title"] for shown in stage.shown("second")]


@pytest.mark.parametrize("padding", ["none", "block", 3993])
def test_every_padding_is_read(stage: Stage, padding):
    """Also the full body of 4096 octets."""
    target = stage.subscribe()
    before = len(stage.autopush.acks)

    stage.client.send(Message(json.dumps({"notification": {"title": "padded"}}), padding=padding), to=target).unwrap()

    assert DELIVERED == stage.acknowledged(before)
    assert ["padded"] == [shown["title"] for shown in stage.shown()]


def test_plain_text_becomes_the_title(stage: Stage):
    """What other libraries send."""
    target = stage.subscribe()

    stage.client.send(Message("just text"), to=target).unwrap()

    assert ["just text"] == [shown["title"] for shown in stage.shown()]


def test_a_push_without_content_wakes_the_service_worker(stage: Stage):
    """It shows the site's name, since something has to be shown."""
    target = stage.subscribe()

    stage.client.send(Message(), to=target).unwrap()

    assert 1 == len(stage.shown())


def test_the_largest_message_arrives(stage: Stage):
    """3993 octets of plaintext."""
    target = stage.subscribe()
    before = len(stage.autopush.acks)
    frame = len(json.dumps({"notification": {"title": "", "body": "x"}}, separators=(",", ":"))) - 1
    text = json.dumps({"notification": {"title": "", "body": "b" * (3993 - frame)}}, separators=(",", ":"))
    assert 3993 == len(text)

    stage.client.send(Message(text), to=target).unwrap()

    assert DELIVERED == stage.acknowledged(before)
    assert 3993 - frame == len(stage.shown()[0]["body"])


def test_a_declarative_message_is_shown(stage: Stage):
    """By the browser itself where it can, else by the service worker, which finds the same members."""
    target = stage.subscribe()
    before = len(stage.autopush.acks)

    stage.client.send(Declarative(title="Declared", navigate="https://example.org/news", body="itself"), to=target).unwrap()

    assert DELIVERED == stage.acknowledged(before)
    assert [("Declared", "itself")] == [(shown["title"], shown["body"]) for shown in stage.shown()]


@pytest.mark.parametrize(("action", "leads_to"), [("", "/orders/42"), ("view", "/v"), ("other", "/orders/42")])
def test_a_tap_opens_the_link(stage: Stage, action, leads_to):
    """Of the button, else of the notification; relative links are the site's."""
    target = stage.subscribe()
    button = Button(action="view", title="View", navigate="/v")
    stage.client.send(Notification(title="Tap", link="/orders/42", options=Options(actions=(button,))), to=target).unwrap()
    stage.shown("Tap")

    assert stage.browser.run(TAPPED, action).endswith(leads_to)


def test_after_unsubscribing_the_recipient_is_to_be_removed(stage: Stage):
    """410 from the service: the row of the table, through the public API."""
    target = stage.subscribe()
    assert stage.browser.run(UNSUBSCRIBE) is True

    outcome = stage.client.send(Notification(title="too late"), to=target)

    assert isinstance(outcome, RecipientFailure), outcome
    assert (410, "errno 106", Action.REMOVE_RECIPIENT) == (outcome.status, outcome.reason, outcome.action)


def test_a_subscription_made_with_another_key_is_to_be_made_anew(stage: Stage):
    """Never removed: it is the key that does not fit."""
    other = stage.subscribe(VapidKey.generate())

    outcome = stage.client.send(Notification(title="wrong key"), to=other)

    assert isinstance(outcome, RecipientFailure), outcome
    assert (401, "VAPID public key mismatch") == (outcome.status, outcome.reason)
    assert outcome.action in {Action.RESUBSCRIBE, Action.REVIEW_RECIPIENT}
    assert not outcome.removable(None)


def test_the_browser_would_tell_if_it_could_not_decrypt(stage: Stage):
    """The counter-test: a body for another browser's keys is acknowledged as not decrypted, and nothing shows."""
    target = stage.subscribe()
    before = len(stage.autopush.acks)
    stranger = stage.server.subscription()

    stage.client.send(Message("x"), to=attrs.evolve(target, p256dh=stranger.p256dh)).unwrap()

    assert DECRYPTION_FAILED == stage.acknowledged(before)
    assert [] == stage.browser.run(SHOWN)
