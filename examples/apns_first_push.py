"""
One alert, one background push and one call to Apple's devices, and what became of them.

Runs against a local push service. For the real one, leave out ``origin`` and ``ssl_context`` and give your key file:
``apns.TokenKey.from_file("AuthKey_<key id>.p8", team_id="<team id>")``.
"""

from __future__ import annotations

from pushkit import Accepted, Client, Notification, RecipientFailure, apns
from pushkit.testing import PushServer

with PushServer() as apple:
    phone, gone = apple.device(), apple.device()
    apple.unregister(gone)

    with Client(apns=apple.apns_config(), ssl_context=apple.ssl_context()) as push:
        for message in (
            Notification(title="Your order", body="It is on its way.", badge=1, sound="default", data={"order": "17"}),
            apns.Background(data={"refresh": ["orders"]}),
            apns.Voip(data={"call": "7f3a", "from": "Jo"}),
        ):
            outcome = push.send(message, to=phone)
            print(f"{type(message).__name__}: {outcome}")
            assert isinstance(outcome, Accepted)

        outcome = push.send(Notification(title="Anybody there?"), to=gone)
        assert isinstance(outcome, RecipientFailure)
        print(f"{outcome.reason}: {outcome.advice} (invalid since {outcome.invalid_since:%Y-%m-%d %H:%M})")

    for record in apple.sent:
        print(record.headers["apns-push-type"], record.headers["apns-topic"], record.status, record.reason)
