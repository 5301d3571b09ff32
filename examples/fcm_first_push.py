"""
One notification to an Android phone through Google, a dry run, and a phone that is gone.

Runs against a local push service. For the real one, leave out ``origin``, ``iid_origin`` and ``ssl_context`` and give your key
file: ``fcm.Config(credentials=fcm.ServiceAccount.from_file("service-account.json"))``.
"""

from __future__ import annotations

from pushkit import Accepted, Action, Client, Notification, RecipientFailure, fcm
from pushkit.testing import PushServer

ORDER = Notification(
    title="Your order",
    body="It is on its way.",
    data={"order": "17"},
    ttl=6 * 3600,
    options=fcm.Options(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(channel_id="orders"))),
)

with PushServer() as google:
    phone, gone = google.registration(), google.registration()
    google.behaviour.to(gone).answer("UNREGISTERED")

    with Client(fcm=google.fcm_config(), ssl_context=google.ssl_context()) as push:
        checked = push.send(ORDER, to=phone, dry_run=True)
        print(f"dry run: {checked}")
        assert isinstance(checked, Accepted)

        outcome = push.send(ORDER, to=phone)
        print(outcome)
        assert isinstance(outcome, Accepted)

        outcome = push.send(ORDER, to=gone)
        assert isinstance(outcome, RecipientFailure)
        assert outcome.action is Action.REMOVE_RECIPIENT
        print(f"{outcome.reason}: {outcome.advice}")

        # What Google would refuse is found before anything is sent.
        wrong = push.check(fcm.Message(data={"from": "us"}), to=phone)
        assert wrong is not None
        print(f"{wrong.field}: {wrong.advice}")

    for record in google.sent:
        print(record.status, record.title, record.payload["android"])
