"""Reports as JSON and back, and many reports as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pushkit.events import MassInvalidation
from pushkit.outcomes import Action, Category
from pushkit.report.groups import Group
from pushkit.report.tally import Latency, Timeline, whole_number

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
        for row in _list(stored["rows"]):
            counts = [whole_number(row[name]) for name in ("accepted", "technical", "payload", "recipient", "fan_out")]
            report.add_row(_text(row["label"], optional=True), _text(row["provider"]), counts)
        for group in _list(stored["groups"]):
            report.add_group(
                Group(
                    label=_text(group["label"], optional=True),
                    provider=_text(group["provider"]),
                    category=Category(group["category"]),
                    reason=_text(group["reason"]),
                    action=Action(group["action"]),
                    advice=_text(group["advice"]),
                    count=whole_number(group["count"]),
                    unknown=whole_number(group["unknown"]),
                    retryable=whole_number(group["retryable"]),
                    fan_out=whole_number(group["fan_out"]),
                    refs=tuple(_text(ref) for ref in _list(group["refs"])),
                    fields=tuple(_text(field) for field in _list(group["fields"])),
                    detail=_text(group["detail"]),
                )
            )
        for event in _list(stored["suspicions"]):
            named = {name: _text(event[name]) for name in ("provider", "app", "environment", "reason")}
            report.suspect(MassInvalidation(**named, share=_share(event["share"]), seen=whole_number(event["seen"])))
        report.latency.merge(Latency.from_dict(stored["latency"]))
        report.timeline.merge(Timeline.from_dict(stored["timeline"], kinds))
        report.add_retries(whole_number(stored["retries"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no whole report ({type(error).__name__}: {error}); was it cut short or edited?") from None


def _text(value: Any, *, optional: bool = False) -> Any:
    if isinstance(value, str) or (optional and value is None):
        return value
    raise TypeError(f"a {type(value).__name__} instead of text")


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return cast("list[Any]", value)
    raise TypeError(f"a {type(value).__name__} instead of a list")


def _share(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise TypeError(f"a {type(value).__name__} instead of a share from 0 to 1")
