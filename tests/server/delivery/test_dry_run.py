"""A trial is a trial: only a provider that can validate without delivering is asked to."""

from __future__ import annotations

import pytest

from pushkit import Accepted, Client, Notification, PayloadFailure
from pushkit.testing import PushServer


@pytest.fixture(scope="module")
def server():
    with PushServer() as running:
        yield running


@pytest.fixture
def push(server):
    with Client(
        apns=server.apns_config(), fcm=server.fcm_config(), webpush=server.webpush_config(), ssl_context=server.ssl_context()
    ) as client:
        yield client


@pytest.mark.parametrize("kind", ["device", "subscription"])
def test_a_provider_without_trials_gets_nothing(server, push, kind):
    """APNs and Web Push would deliver it, so the trial is refused before anything is sent."""
    server.reset()

    outcome = push.send(Notification(title="Only a trial"), to=getattr(server, kind)(), dry_run=True)

    assert isinstance(outcome, PayloadFailure)
    assert ("dry_run_not_supported", "dry_run") == (outcome.reason, outcome.field)
    assert [] == list(server.sent)


def test_fcm_validates_and_delivers_nothing(server, push):
    """FCM is asked to validate only."""
    outcome = push.send(Notification(title="Only a trial"), to=server.registration(), dry_run=True)

    assert isinstance(outcome, Accepted)
    # What FCM answers to validate_only: a name that is no message's.
    assert outcome.message_id.endswith("/fake_message_id")
