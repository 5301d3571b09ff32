"""
From a new key to a shown notification, and a browser that has unsubscribed.

Runs against a local push service. For the real ones, leave out ``endpoints`` and ``ssl_context``, keep the key in a file
(``key.write("vapid.pem")``, later ``VapidKey.from_file("vapid.pem")``) and take subscriptions from your pages.
"""

from __future__ import annotations

import json

from pushkit import Accepted, Action, Client, Notification, RecipientFailure, webpush
from pushkit.testing import PushServer

key = webpush.VapidKey.generate()
print(f"for the page: applicationServerKey = {key.public_key}")

with PushServer() as browsers:
    # What a page posts to your server: JSON.stringify(subscription).
    made = browsers.subscription(service="google", vapid=key.public_key)
    stored = json.dumps({"endpoint": made.endpoint, "expirationTime": None, "keys": {"p256dh": made.p256dh, "auth": made.auth}})

    config = webpush.Config(vapid=key, subject="mailto:ops@example.com", endpoints=browsers.webpush_config().endpoints)
    with Client(webpush=config, ssl_context=browsers.ssl_context()) as push:
        target = webpush.Subscription.from_json(stored, ref="user 17")
        message = Notification(title="Your order", body="It is on its way.", link="https://shop.example/orders/42", ttl=3600)
        outcome = push.send(message, to=target)
        print(outcome)
        assert isinstance(outcome, Accepted)

        browsers.unregister(target)
        outcome = push.send(message, to=target)
        assert isinstance(outcome, RecipientFailure)
        assert outcome.action is Action.REMOVE_RECIPIENT
        print(f"{outcome.reason}: {outcome.advice}")

    seen = browsers.sent[0]
    print("the browser reads:", json.dumps(seen.payload, ensure_ascii=False))
