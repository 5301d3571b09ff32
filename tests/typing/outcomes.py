"""What a user's type checker sees. Never executed: mypy and pyright check it in strict mode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never, assert_type

import pushkit
from pushkit import Accepted, Action, Outcome, PayloadFailure, RecipientFailure, Report, TechnicalFailure


def every_class_is_named(outcome: Outcome) -> str:
    match outcome:
        case Accepted():
            return outcome.message_id or ""
        case TechnicalFailure():
            return outcome.reason
        case PayloadFailure():
            return outcome.field or ""
        case RecipientFailure():
            return str(outcome.invalid_since)
        case _:
            assert_never(outcome)


def one_class_is_forgotten(outcome: Outcome) -> str:
    match outcome:
        case Accepted() | TechnicalFailure() | PayloadFailure():
            return "handled"
        case _:
            # A checker knows what is left.
            assert_type(outcome, RecipientFailure)
            return outcome.reason


def the_rest_is_a_failure(outcome: Outcome) -> str:
    match outcome:
        case Accepted():
            return ""
        case RecipientFailure(action=Action.REMOVE_RECIPIENT):
            assert_type(outcome.invalid_since, datetime | None)
            return "gone"
        case TechnicalFailure(retryable=True):
            assert_type(outcome.retry_at, datetime | None)
            return "later"
        case failure:
            return f"{failure.category} {failure.reason} {failure.advice}"


def unwrap_narrows(outcome: Outcome) -> Accepted:
    return outcome.unwrap()


def a_report_is_typed(report: Report) -> None:
    assert_type(report.total, int)
    assert_type(report.to_remove, Sequence[RecipientFailure])
    assert_type(report.outcomes, Sequence[Outcome])


def a_failure_comes_back_as_its_class(text: str) -> TechnicalFailure:
    return TechnicalFailure.from_json(text)


def targets_are_frozen(device: pushkit.apns.Device) -> None:
    device.ref = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - a target is a value
