"""
Which failure means delete, and which does not: six answers of Google's, sorted by what to do.

Runs against a local push service.
"""

from __future__ import annotations

from pushkit import Action, Client, Notification, RetryPolicy
from pushkit.testing import PushServer

ANSWERS = {
    "UNREGISTERED": Action.REMOVE_RECIPIENT,
    "INVALID_ARGUMENT + ApnsError 410 Unregistered": Action.REMOVE_RECIPIENT,
    "INVALID_ARGUMENT + ApnsError 400 BadDeviceToken": Action.REVIEW_RECIPIENT,
    "SENDER_ID_MISMATCH": Action.REVIEW_RECIPIENT,
    "INVALID_ARGUMENT": Action.FIX_PAYLOAD,
    "THIRD_PARTY_AUTH_ERROR": Action.FIX_CREDENTIALS,
    "QUOTA_EXCEEDED": Action.RETRY_LATER,
}

with PushServer() as google, Client(fcm=google.fcm_config(), ssl_context=google.ssl_context(), retry=RetryPolicy(attempts=1)) as push:
    for word, action in ANSWERS.items():
        phone = google.registration()
        google.behaviour.to(phone).answer(word, **({"quota": "device"} if word == "QUOTA_EXCEEDED" else {}))
        outcome = push.send(Notification(title="Hello"), to=phone)
        print(f"{word:48} {outcome.category:10} {outcome.action:17} {outcome.advice}")
        assert outcome.action is action, outcome
