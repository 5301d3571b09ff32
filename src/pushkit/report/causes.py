"""Failures by cause, over all labels: what a reader looks for, and which of them everything else followed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from pushkit.outcomes import Action, Category
from pushkit.report.groups import SAMPLES, Group, keep_some

if TYPE_CHECKING:
    from pushkit.report.core import Report

CONSEQUENCES = frozenset({"circuit_open", "credential_latched", "retry_budget_exhausted", "throttled"})
"""What pushkit says of pushes that it held back because others had failed: never the cause, if there is another."""


@attrs.frozen(kw_only=True)
class Cause:
    """The groups of one provider, category, reason and action."""

    groups: Sequence[Group]
    """One a label, the largest first."""
    count: int
    refs: Sequence[str]
    fields: Sequence[str]
    detail: str
    labels: Mapping[str | None, int]
    """How many of them by label, the most first."""

    @property
    def provider(self) -> str:
        """The provider."""
        return self.groups[0].provider

    @property
    def category(self) -> Category:
        """The category."""
        return self.groups[0].category

    @property
    def reason(self) -> str:
        """The reason."""
        return self.groups[0].reason

    @property
    def action(self) -> Action:
        """What to do."""
        return self.groups[0].action

    @property
    def advice(self) -> str:
        """The sentence of the largest group: those of one cause differ in numbers at most."""
        return self.groups[0].advice


def causes_of(report: Report) -> Sequence[Cause]:
    """The report's groups, joined over labels; the largest cause first."""
    joined: dict[tuple[str, Category, str, Action], list[Group]] = {}
    for group in report.groups:
        joined.setdefault((group.provider, group.category, group.reason, group.action), []).append(group)
    causes = [_cause(groups) for groups in joined.values()]
    return sorted(causes, key=lambda cause: (-cause.count, cause.provider, cause.reason))


def _cause(groups: Sequence[Group]) -> Cause:
    refs: list[str] = []
    fields: list[str] = []
    # The first of each group's examples before anybody's second: each campaign has one to look at.
    for position in range(SAMPLES):
        keep_some(refs, (group.refs[position] for group in groups if position < len(group.refs)))
        keep_some(fields, (group.fields[position] for group in groups if position < len(group.fields)))
    labels: Counter[str | None] = Counter()
    for group in groups:
        labels[group.label] += group.count
    return Cause(
        groups=groups,
        count=sum(group.count for group in groups),
        refs=refs,
        fields=fields,
        detail=next((group.detail for group in groups if group.detail), ""),
        labels=dict(labels.most_common()),
    )


def main_cause(causes: Sequence[Cause]) -> tuple[Cause | None, Sequence[Cause]]:
    """
    The cause of most failures, and the causes that only followed from it.

    What was held back (breaker open, credential out of use) counts for what the same provider's pushes failed of.
    """
    followed: dict[str, list[Cause]] = {}
    roots: dict[str, Cause] = {}
    for cause in causes:
        if cause.category is Category.TECHNICAL:
            if cause.reason in CONSEQUENCES:
                followed.setdefault(cause.provider, []).append(cause)
            else:
                roots.setdefault(cause.provider, cause)

    def followers(cause: Cause) -> Sequence[Cause]:
        return followed.get(cause.provider, ()) if roots.get(cause.provider) is cause else ()

    def weight(cause: Cause) -> int:
        return cause.count + sum(follower.count for follower in followers(cause))

    candidates = [cause for cause in causes if cause.reason not in CONSEQUENCES or cause.provider not in roots]
    if not candidates:
        return None, ()
    main = max(candidates, key=weight)
    return main, followers(main)
