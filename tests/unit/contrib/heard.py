"""One of every event, and a picture of health: what the exporters are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.values import Phone, make_accepted, make_attempt, make_failure

from pushkit import Category, events
from pushkit.health import Health, SenderHealth
from pushkit.outcomes import WaitedFor
from pushkit.wire import OriginHealth

UNTIL = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
APPLE = "https://api.push.apple.com"
GOOGLE = "https://fcm.googleapis.com"


def finished(outcome: Any = None, **changes: Any) -> events.Finished:
    return events.Finished(**{"outcome": outcome or make_accepted()} | changes)


def every_event(target: Any = None) -> tuple[events.Event, ...]:
    """One of each, in an order that could happen."""
    whom = target or Phone(ref="user-1")
    place = {"provider": "apns", "app": "default"}
    technical = make_failure(Category.TECHNICAL, target=whom)
    recipient = make_failure(Category.RECIPIENT, target=whom)
    return (
        events.AttemptStarted(**place, target=whom, number=1, origin=APPLE),
        events.AttemptFinished(**place, target=whom, origin=APPLE, attempt=make_attempt(status=503, reason="ServiceUnavailable")),
        events.RetryScheduled(**place, target=whom, reason="ServiceUnavailable", delay=1.5, waits_for=WaitedFor.BACKOFF),
        events.Deferred(outcome=technical),
        finished(make_accepted(target=whom)),
        finished(technical, read=False),
        finished(make_failure(Category.PAYLOAD, target=whom)),
        finished(recipient),
        events.RecipientGone(outcome=recipient),
        events.MassInvalidation(**place, environment="production", reason="BadDeviceToken", share=0.31, seen=400),
        events.Expired(outcome=make_failure(Category.TECHNICAL, target=whom, reason="expired", status=None)),
        events.BreakerChanged(**place, origin=APPLE, state="open", until=UNTIL),
        events.BudgetExhausted(**place),
        events.CredentialProblem(**place, reason="InvalidProviderToken", advice="Check the key.", latched=True),
        events.CredentialExpiring(**place, expires_at=UNTIL),
        events.CredentialRefreshed(provider="fcm", app="default", expires_at=UNTIL),
    )


def a_health(**changes: Any) -> Health:
    return Health(
        **{
            "usable": False,
            "in_flight": 7,
            "senders": (
                SenderHealth(
                    provider="apns",
                    app="default",
                    budget=0.25,
                    latched="InvalidProviderToken",
                    in_flight=5,
                    waiting=2,
                    credential_expires_at=UNTIL,
                ),
                SenderHealth(
                    provider="fcm", app="default", budget=1.0, credential_age=1800.0, credential_expires_at=UNTIL, breakers={GOOGLE: "open"}
                ),
            ),
            "origins": (
                OriginHealth(origin=APPLE, engine="ngh2", connections=2, streams=5, stream_limit=1000, waiting=1),
                OriginHealth(
                    origin="https://wns2-par02p.notify.windows.com", engine="h2", connections=1, streams=1, stream_limit=100, waiting=0
                ),
                OriginHealth(
                    origin="https://wns2-bl2p.notify.windows.com", engine="h2", connections=1, streams=2, stream_limit=100, waiting=0
                ),
            ),
            "sizes": {"lanes": 3},
        }
        | changes
    )


class Patient:
    """Something with a health."""

    def __init__(self, health: Health | None = None) -> None:
        self.told = health or a_health()

    def health(self) -> Health:
        return self.told
