"""What ``verify()`` and the doctor ask about a subscription. A push service has no question that reaches nobody."""

from __future__ import annotations

import attrs

from pushkit.health import Finding, Level
from pushkit.notification import Notification
from pushkit.outcomes import Accepted, RecipientFailure
from pushkit.provider import Examination, Probe
from pushkit.targets import Target

_MESSAGE = Notification(title="pushkit doctor", body="This is a test.", ttl=0)


def examine(app: str) -> Examination:
    """Say what it takes: only a subscription can prove the key."""
    yield from ()
    return [
        Finding(
            level=Level.OK,
            provider="webpush",
            app=app,
            subject="probe",
            message="nothing was asked: only a subscription can prove the key (give one of your own)",
        )
    ]


def examine_recipient(target: Target) -> Examination:
    """Send a test message, since browsers know no other question."""
    outcome = yield Probe(message=_MESSAGE, target=target)
    if isinstance(outcome, Accepted):
        return [
            Finding(
                level=Level.OK,
                provider="webpush",
                app=outcome.app,
                subject="recipient",
                message="the push service takes pushes for this subscription (a test message was sent)",
            )
        ]
    found = Finding.of(outcome, "recipient")
    # The caller believes it to work: that it does not is what the question was about.
    return [attrs.evolve(found, level=Level.ERROR) if isinstance(outcome, RecipientFailure) else found]
