"""What can be said to a browser: portable, declarative, raw; and a message taken back."""

from __future__ import annotations

from pushkit import Client, Notification, webpush
from pushkit.testing import PushServer

order = Notification(
    title="Your order",
    body="It is on its way.",
    link="https://shop.example/orders/42",
    collapse_key="order-42",
    badge=1,
    options=webpush.Options(
        declarative=True,
        require_interaction=True,
        actions=(webpush.Button(action="track", title="Track it", navigate="https://shop.example/track/42"),),
    ),
)
messages = (
    order,
    webpush.Declarative(title="News", navigate="https://shop.example/news", body="Shown without a service worker."),
    webpush.Message({"kind": "refresh", "ids": [1, 2, 3]}, urgency=webpush.Urgency.LOW, topic=webpush.topic_from("refresh of the basket")),
)

with PushServer() as browsers, Client(webpush=browsers.webpush_config(), ssl_context=browsers.ssl_context()) as push:
    firefox = browsers.subscription(service="mozilla")
    for message in messages:
        accepted = push.send(message, to=firefox).unwrap()
        print(type(message).__name__, browsers.sent[-1].payload)

    taken_back = push.send(webpush.Withdrawal.of(accepted), to=firefox)
    print("taken back:", taken_back.accepted)
    assert taken_back.accepted

    # What the browser would drop is refused before it is sent, with the field.
    refused = push.send(webpush.Declarative(title="News", navigate="/relative"), to=firefox)
    print(refused)
    assert not refused.accepted
