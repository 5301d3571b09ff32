"""Two VAPID keys in one client: subscriptions made with the old key go on working while browsers move to the new one."""

from __future__ import annotations

from pushkit import Action, Client, Notification, RecipientFailure, webpush
from pushkit.testing import PushServer

old, new = webpush.VapidKey.generate(), webpush.VapidKey.generate()
hello = Notification(title="Hello")

with PushServer() as browsers:

    def stored(key: webpush.VapidKey, name: str | None) -> webpush.Subscription:
        """A row of your table: the subscription and the fingerprint of the key that it was made with."""
        made = browsers.subscription(vapid=key.public_key)
        return webpush.Subscription(made.endpoint, p256dh=made.p256dh, auth=made.auth, vapid=name)

    rows = [stored(old, old.fingerprint), stored(old, old.fingerprint), stored(new, new.fingerprint)]
    endpoints = browsers.webpush_config().endpoints

    both = webpush.Config(vapid=[new, old], subject="mailto:ops@example.com", endpoints=endpoints)
    with Client(webpush=both, ssl_context=browsers.ssl_context()) as push:
        report = push.send_many(hello, to=rows)
        print(report)
        assert report.accepted == 3

    # Months later: the old key is taken out. Whoever still has it is asked to subscribe again, and nobody is removed.
    only_new = webpush.Config(vapid=new, subject="mailto:ops@example.com", endpoints=endpoints)
    with Client(webpush=only_new, ssl_context=browsers.ssl_context()) as push:
        outcome = push.send(hello, to=rows[0])
        assert isinstance(outcome, RecipientFailure)
        print(f"{outcome.reason}: {outcome.advice}")
        assert outcome.action is not Action.REMOVE_RECIPIENT
