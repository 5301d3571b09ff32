"""What Google is asked by ``verify()`` and the doctor. Everything is validated only (``validate_only``): nobody gets anything."""

from __future__ import annotations

import attrs

from pushkit.fcm.targets import Topic
from pushkit.health import Finding, Level
from pushkit.notification import Notification
from pushkit.outcomes import Accepted, Outcome, RecipientFailure
from pushkit.provider import Examination, Probe
from pushkit.targets import Target

_MESSAGE = Notification(title="pushkit doctor", ttl=0)


def examine(app: str) -> Examination:
    """Prove credentials and project with a message to a topic."""
    outcome = yield Probe(message=_MESSAGE, target=Topic("pushkit-doctor", app=app), dry_run=True)
    return [_judged(outcome, "probe", "the credentials are believed (validated, nothing was sent)")]


def examine_recipient(target: Target) -> Examination:
    """Ask whether a registration belongs to this project."""
    outcome = yield Probe(message=_MESSAGE, target=target, dry_run=True)
    found = _judged(outcome, "recipient", "Google takes pushes for this recipient (validated, nothing was sent)")
    # The caller believes it to work: that it does not is what the question was about.
    return [attrs.evolve(found, level=Level.ERROR) if isinstance(outcome, RecipientFailure) else found]


def _judged(outcome: Outcome, subject: str, good: str) -> Finding:
    if isinstance(outcome, Accepted):
        return Finding(level=Level.OK, provider="fcm", app=outcome.app, subject=subject, message=good)
    return Finding.of(outcome, subject)
