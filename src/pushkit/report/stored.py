"""Reports as JSON and back, and many reports as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pushkit.events import MassInvalidation
from pushkit.outcomes import Action, Category
from pushkit.report.groups import SAMPLES, Group
from pushkit.report.tally import Latency, Timeline

if TYPE_CHECKING:
    from pushkit.report.core import Report

FORMAT = 1
"""The version of the JSON form."""


def to_dict(report: Report) -> dict[str, Any]:
    """See ``Report.as_dict``."""
    return {
        "format": FORMAT,
        "total": report.total,
        "accepted": report.accepted,
        "technical": report.technical,
        "payload": report.payload,
        "recipient": report.recipient,
        "fan_out": report.fan_out,
        "unknown": report.unknown,
        "retries": report.retries,
        "rows": [row.as_dict() for row in report.rows],
        "groups": [group.as_dict() for group in report.groups],
        "suspicions": [
            {
                "provider": event.provider,
                "app": event.app,
                "environment": event.environment,
                "reason": event.reason,
                "share": event.share,
                "seen": event.seen,
            }
            for event in report.suspicions
        ],
        "latency": report.latency.as_dict(),
        "timeline": report.timeline.as_dict(),
    }


def fill(report: Report, data: Any, kinds: int) -> None:
    """
    Add what ``to_dict`` wrote to a report.

    Raises:
        ValueError: when it is anything else.
    """
    if not isinstance(data, dict) or cast("dict[str, Any]", data).get("format") != FORMAT:
        raise ValueError(f"expected a report of format {FORMAT}, as Report.as_dict() gives it")
    stored = cast("dict[str, Any]", data)
    try:
        for row in stored["rows"]:
            counts = [_count(row[name]) for name in ("accepted", "technical", "payload", "recipient", "fan_out")]
            report.add_row(_text(row["label"], optional=True), _text(row["provider"]), counts)
        for group in stored["groups"]:
            report.add_group(
                Group(
                    label=_text(group["label"], optional=True),
                    provider=_text(group["provider"]),
                    category=Category(group["category"]),
                    reason=_text(group["reason"]),
                    action=Action(group["action"]),
                    advice=_text(group["advice"]),
                    count=_count(group["count"]),
                    unknown=_count(group["unknown"]),
                    retryable=_count(group["retryable"]),
                    fan_out=_count(group["fan_out"]),
                    refs=tuple(_text(ref) for ref in group["refs"])[:SAMPLES],
                )
            )
        for event in stored["suspicions"]:
            report.suspect(MassInvalidation(**event))
        report.latency.merge(Latency.from_dict(stored["latency"]))
        report.timeline.merge(Timeline.from_dict(stored["timeline"], kinds))
        report.add_retries(_count(stored["retries"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no whole report ({type(error).__name__} at {error}); was it cut short or edited?") from None


def _text(value: Any, *, optional: bool = False) -> Any:
    if isinstance(value, str) or (optional and value is None):
        return value
    raise TypeError(f"a {type(value).__name__} instead of text")


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise TypeError(f"a {type(value).__name__} instead of a count")
