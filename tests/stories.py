"""A campaign of three workers as a report, and last week's: for the tests in a browser and the pictures in the documentation."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from tests.values import STARTED, Phone, make_attempt

from pushkit import Accepted, Category, Disposition, Report
from pushkit.cli.handbook import Entry, entries
from pushkit.events import MassInvalidation
from pushkit.faults import FAULTS
from pushkit.outcomes import FAILURE_CLASSES, Action, Scope
from pushkit.wire import FaultKind

HOSTILE = (
    "<img src=https://evil.example/x onerror=\"document.title='owned'\">",
    "</style></svg></title><script>document.title='owned'</script>",
    '=HYPERLINK("https://evil.example","sale") \u202egnp.exe \x1b[31m[click](javascript:alert(1)) @everyone',
)
"""What strangers write; the first loads and runs something where it is taken for markup."""

_GOOD = (("apns", 14_000), ("fcm", 21_000), ("webpush", 2_900))
_SALE = (
    ("fcm", "UNREGISTERED", 512),
    ("apns", "Unregistered", 301),
    ("webpush", "http_410", 74),
    ("webpush", "VAPID public key mismatch", 12),
    ("fcm", "UNAVAILABLE", 38),
    ("apns", "TooManyRequests", 9),
    ("fcm", "INVALID_ARGUMENT", 21),
)
_ORDERS = (("fcm", "UNREGISTERED", 31), ("apns", "Unregistered", 18), ("apns", "connect_failed", 5))


def _row(provider: str, reason: str) -> Entry | None:
    rows = [row for row in entries(provider) if row.reason == reason]
    # FCM says INVALID_ARGUMENT of many things; here it is the message.
    return next((row for row in rows if row.category is Category.PAYLOAD), rows[0] if rows else None)


def _failure(provider: str, reason: str, ref: str, label: str | None, attempts: Any, **changes: Any) -> Any:
    row = _row(provider, reason)
    if row is None:
        fault = FAULTS[FaultKind.CONNECT_FAILED]
        fields: dict[str, Any] = {
            "advice": fault.advice,
            "action": fault.action,
            "disposition": Disposition.NOT_SENT,
            "scope": Scope.ATTEMPT,
        }
        category, fields["retryable"] = Category.TECHNICAL, True
    else:
        fields = {"advice": row.advice, "action": row.action, "disposition": row.disposition, "scope": row.scope}
        category, fields["retryable"] = row.category, row.floor is not None
        if category is Category.PAYLOAD:
            fields |= {"field": "data.price", "detail": "Invalid value at 'message.data[0].value' (TYPE_STRING), [masked]"}
    fields |= changes
    return FAILURE_CLASSES[category](target=Phone(ref=ref), provider=provider, reason=reason, label=label, attempts=attempts, **fields)


def worker(number: int, *, wrong_environment: bool = False) -> Report:
    """One worker's report: a tenth of a minute of sending, a third of the campaign."""
    chance = random.Random(number)
    report = Report(keep="none")

    def tries() -> Any:
        return (make_attempt(started=STARTED + timedelta(seconds=chance.expovariate(1 / 25) % 90 + 3 * number)),)

    for provider, count in _GOOD:
        for index in range(count // 30):
            label = "订单更新" if index % 5 == 0 else "autumn-sale"
            elapsed = chance.lognormvariate(-3.1, 0.7)
            report.add(
                Accepted(target=Phone(), provider=provider, label=label, attempts=tries() * (1 + (index % 40 == 0)), elapsed=elapsed)
            )
    for label, failures in (("autumn-sale", _SALE), ("订单更新", _ORDERS)):
        for provider, reason, count in failures:
            for index in range(count // 30 + 1):
                report.add(_failure(provider, reason, f"user-{number}{index:03}", label, tries()))
    if wrong_environment:
        for index in range(700):
            report.add(
                _failure("apns", "BadDeviceToken", f"user-{number}9{index:03}", "autumn-sale", tries(), action=Action.REVIEW_RECIPIENT)
            )
        event = MassInvalidation(provider="apns", app="default", environment="production", reason="BadDeviceToken", share=0.66, seen=137)
        report.suspect(event)
    return report


def campaign(*, wrong_environment: bool = False) -> Report:
    """Three workers' reports as one; each arrived as JSON. ``wrong_environment``: one of them was deployed with the wrong one."""
    parts = [worker(number, wrong_environment=wrong_environment and number == 2) for number in range(3)]
    return Report.merge(Report.from_json(part.to_json()) for part in parts)


def hostile() -> Report:
    """A stranger's words wherever they can stand: label, provider, reason, reference, app, advice, field and detail."""
    report = campaign()
    for text in HOSTILE:
        common = {"field": text, "detail": text, "advice": text, "disposition": Disposition.REJECTED, "action": Action.FIX_PAYLOAD}
        failure = FAILURE_CLASSES[Category.PAYLOAD](
            target=Phone(ref=text, app=text), provider=text, reason=text, label=text, attempts=(make_attempt(),), **common
        )
        report.add(failure)
        report.suspect(MassInvalidation(provider=text, app=text, environment=text, reason=text, share=0.5, seen=100))
    return report
