"""Plain values for tests: a target, and outcomes of every class."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import attrs

from pushkit import (
    Accepted,
    Action,
    Attempt,
    Category,
    Disposition,
    Notification,
    PayloadFailure,
    RecipientFailure,
    Scope,
    Target,
    TechnicalFailure,
)
from pushkit.codec import register
from pushkit.outcomes import Failure, Resume

TOKEN = "a1b2c3d4" * 8
STARTED = datetime(2026, 11, 20, 22, 15, 1, 250_000, tzinfo=UTC)


@register("tests.Phone")
@attrs.frozen(repr=False)
class Phone(Target):
    """A target with nothing special."""

    provider: ClassVar[str] = "apns"
    token: str = TOKEN

    @property
    def address(self) -> str:
        return self.token


@register("tests.Crowd")
@attrs.frozen(repr=False)
class Crowd(Phone):
    """A target that stands for many."""

    fan_out: ClassVar[bool] = True


def make_attempt(number: int = 1, **changes: Any) -> Attempt:
    return Attempt(**{"number": number, "started": STARTED, "elapsed": 0.25, "status": 200} | changes)


def make_accepted(**changes: Any) -> Accepted:
    common = {"target": Phone(ref="user-1"), "provider": "apns", "message_id": "id-1", "attempts": (make_attempt(),), "elapsed": 0.25}
    return Accepted(**common | changes)


def make_resume(**changes: Any) -> Resume:
    return Resume(
        **{
            "message": Notification(title="Secret title"),
            "key": "k",
            "push_id": "3f0e2f0c-0000-4000-8000-000000000000",
            "expires_at": 1_800_000_000.5,
        }
        | changes
    )


_BY_CATEGORY: dict[Category, tuple[type[Any], dict[str, Any]]] = {
    Category.TECHNICAL: (
        TechnicalFailure,
        {
            "reason": "ServiceUnavailable",
            "status": 503,
            "disposition": Disposition.UNKNOWN,
            "retryable": True,
            "retry_at": STARTED,
            "action": Action.RETRY_LATER,
            "advice": "Try again later.",
            "scope": Scope.ATTEMPT,
        },
    ),
    Category.PAYLOAD: (
        PayloadFailure,
        {
            "reason": "PayloadTooLarge",
            "status": 413,
            "disposition": Disposition.REJECTED,
            "action": Action.FIX_PAYLOAD,
            "advice": "Say less.",
            "field": "body",
        },
    ),
    Category.RECIPIENT: (
        RecipientFailure,
        {
            "reason": "Unregistered",
            "status": 410,
            "disposition": Disposition.REJECTED,
            "action": Action.REMOVE_RECIPIENT,
            "advice": "Forget this device.",
            "invalid_since": STARTED,
        },
    ),
}


def make_failure(category: Category, **changes: Any) -> Failure:
    kind, fields = _BY_CATEGORY[category]
    common = {
        "target": Phone(ref="user-7"),
        "provider": "apns",
        "attempts": (make_attempt(status=fields["status"], reason=fields["reason"]),),
    }
    made: Failure = kind(**common | fields | changes)
    return made
