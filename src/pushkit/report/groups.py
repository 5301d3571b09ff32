"""What a report counts failures by, and the values that it gives out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import attrs

from pushkit.outcomes import Action, Category
from pushkit.secret import clean

SAMPLES = 5
"""How many ``ref`` and how many fields a group shows."""
LONGEST_DETAIL = 200
"""How much of a provider's own text a group keeps, in characters."""
LONGEST_NAME = 200
"""Labels, reasons and providers are cut to so many characters, so that a thousand of them are no memory either."""
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
    fields: tuple[str, ...] = ()
    """Payload failures: which fields, in the caller's terms (a few of them)."""
    detail: str = ""
    """What the provider said beside the reason, about the first of them that it said anything about; without secrets, cut."""

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
            "fields": list(self.fields),
            "detail": self.detail,
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

    __slots__ = ("advice", "count", "detail", "fan_out", "fields", "refs", "retryable", "unknown")

    def __init__(self, advice: str) -> None:
        self.advice = advice
        self.count = 0
        self.unknown = 0
        self.retryable = 0
        self.fan_out = 0
        self.refs: list[str] = []
        self.fields: list[str] = []
        self.detail = ""

    def say(self, fields: Iterable[str], detail: str) -> None:
        """Keep what tells a reader where to look: a few fields, and the first detail."""
        keep_some(self.fields, (clean(field, limit=LONGEST_NAME) for field in fields))
        if not self.detail:
            self.detail = clean(detail, limit=LONGEST_DETAIL)


def keep_some(kept: list[str], more: Iterable[str]) -> None:
    """Add to a list of examples until there are enough; none twice."""
    for example in more:
        if len(kept) < SAMPLES and example and example not in kept:
            kept.append(example)


def short(name: str) -> str:
    """A name that memory is kept for: no longer than anybody reads."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
