"""Two reports side by side: what fails more often than it did."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from pushkit.outcomes import Category
from pushkit.report.spelling import share_text

if TYPE_CHECKING:
    from pushkit.report.core import Report

SUSPICIOUS_SHARE = 0.01
"""A reason below this share of its provider's pushes worries nobody, however it grew."""
SUSPICIOUS_GROWTH = 3.0
"""
How many times its former odds (those who failed to those who did not) a reason must have to be suspicious.

For small shares that is as many times the share; but a share of 40 % cannot grow threefold, and 95 % instead is an alarm all the same.
"""
SUSPICIOUS_DEVIATIONS = 4.0
"""Standard deviations (two proportions, pooled) beyond which chance is no explanation."""


@attrs.frozen(kw_only=True)
class Change:
    """How often a reason occurred in two reports."""

    provider: str
    category: Category
    reason: str
    before: float
    """Share of the provider's pushes in the earlier report, 0.0 to 1.0."""
    after: float
    """Share now."""
    count_before: int
    count_after: int
    suspicious: bool
    """It grew far more than chance explains: look at what was changed in between."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return attrs.asdict(self) | {"category": self.category.value}

    def __str__(self) -> str:
        doubt = ": suspicious" if self.suspicious else ""
        return f"{self.provider} {self.reason} {share_text(self.before)} → {share_text(self.after)}{doubt}"


def compare(earlier: Report, later: Report) -> Sequence[Change]:
    """Every reason in either report, suspicious ones first, then by how much its share changed."""
    before, after = _reasons(earlier), _reasons(later)
    totals_before, totals_after = _totals(earlier), _totals(later)
    changes: list[Change] = []
    for key in before.keys() | after.keys():
        provider, category, reason = key
        n, m = totals_before[provider], totals_after[provider]
        # Beyond the bounds of a report's tables pushes may be counted under another name than their failures.
        x, y = min(before[key], n), min(after[key], m)
        share_before, share_after = x / n if n else 0.0, y / m if m else 0.0
        changes.append(
            Change(
                provider=provider,
                category=category,
                reason=reason,
                before=share_before,
                after=share_after,
                count_before=x,
                count_after=y,
                suspicious=_suspicious(x, n, y, m),
            )
        )
    return sorted(changes, key=lambda change: (not change.suspicious, -abs(change.after - change.before), change.provider, change.reason))


def _suspicious(x: int, n: int, y: int, m: int) -> bool:
    if not n or not m:
        return False
    before, after = x / n, y / m
    if after < SUSPICIOUS_SHARE or after <= before or after * (1 - before) < SUSPICIOUS_GROWTH * before * (1 - after):
        return False
    pooled = (x + y) / (n + m)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return deviation > 0 and (after - before) / deviation >= SUSPICIOUS_DEVIATIONS


def _reasons(report: Report) -> Counter[tuple[str, Category, str]]:
    counts: Counter[tuple[str, Category, str]] = Counter()
    for group in report.groups:
        counts[group.provider, group.category, group.reason] += group.count
    return counts


def _totals(report: Report) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in report.rows:
        counts[row.provider] += row.total
    return counts
