"""What a report counts failures by, and the values that it gives out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import attrs

from pushkit.outcomes import Action, Category

SAMPLES = 5
"""How many ``ref`` a group shows."""
MAX_GROUPS = 1000
"""Reasons come from strangers and labels from data, so a report never holds more groups than this."""
MAX_ROWS = 1000
"""The same for label and provider pairs."""
OTHER = "(other)"
"""Stands for labels and reasons beyond those limits."""

GroupKey: TypeAlias = tuple[str | None, str, Category, str, Action]
"""Label, provider, category, reason, action."""


@attrs.frozen(kw_only=True)
class Group:
    """Failures with the same label, provider, category, reason and action."""

    label: str | None
    provider: str
    category: Category
    """Says who has to act: engineering or operations, whoever wrote the message, or whoever keeps the recipient list."""
    reason: str
    action: Action
    advice: str
    """One plain sentence for whoever has to act."""
    count: int
    unknown: int = 0
    """How many of them the provider may have taken (disposition UNKNOWN): sending those again can make duplicates."""
    retryable: int = 0
    """How many of them may be sent again."""
    fan_out: int = 0
    """How many of them were for a topic, condition or channel, each of which stands for many recipients."""
    refs: tuple[str, ...] = ()
    """A few of the callers' own references, as examples."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "label": self.label,
            "provider": self.provider,
            "category": self.category.value,
            "reason": self.reason,
            "action": self.action.value,
            "advice": self.advice,
            "count": self.count,
            "unknown": self.unknown,
            "retryable": self.retryable,
            "fan_out": self.fan_out,
            "refs": list(self.refs),
        }


@attrs.frozen(kw_only=True)
class Row:
    """The counts of one label and provider."""

    label: str | None
    provider: str
    accepted: int
    technical: int
    payload: int
    recipient: int
    fan_out: int
    """How many of them were for a topic, condition or channel."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.accepted + self.technical + self.payload + self.recipient

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return attrs.asdict(self)


class GroupTally:
    """What a group counts while the report grows."""

    __slots__ = ("advice", "count", "fan_out", "refs", "retryable", "unknown")

    def __init__(self, advice: str) -> None:
        self.advice = advice
        self.count = 0
        self.unknown = 0
        self.retryable = 0
        self.fan_out = 0
        self.refs: list[str] = []

    def sample(self, refs: Iterable[str]) -> None:
        """Keep a few as examples."""
        for ref in refs:
            if len(self.refs) < SAMPLES and ref not in self.refs:
                self.refs.append(ref)
