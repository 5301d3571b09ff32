"""Counters of bounded size: how long pushes took, and what happened when."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Self

LATENCY_BOUNDS: tuple[float, ...] = (
    0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2,
    0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0,
)  # fmt: skip
"""Upper ends of the buckets, in seconds; slower ones share a last bucket."""

TIMELINE_BUCKETS = 240
"""When a timeline has more buckets than this, pairs are joined and each bucket covers twice the time."""


_LONGEST_WIDTH = 2**32
"""Seconds: longer than anything that a timeline covers."""
_MOST_SECONDS = 1e18
_LAST_SECOND = 253_402_300_800
"""The end of the year 9999, where the calendar ends."""


def whole_number(value: object) -> int:
    """
    A count, read from JSON.

    Raises:
        TypeError: when it is anything else, or larger than anything that was ever counted.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    raise TypeError(f"a {type(value).__name__} instead of a count")


class Latency:
    """A histogram of seconds. Quantiles are read from its buckets, so they are right to within one bucket."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts: list[int] = [0] * (len(LATENCY_BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Mean in seconds; None when nothing was counted."""
        count = self.count
        return self.total / count if count else None

    def quantile(self, share: float) -> float | None:
        """
        Seconds within which this share (0.0 to 1.0) was done, interpolated inside its bucket; None when nothing was counted.

        Raises:
            ValueError: when ``share`` is outside 0.0 to 1.0.
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"expected a share from 0.0 to 1.0, got {share!r}")
        counts = list(self.counts)
        wanted = share * sum(counts)
        if not any(counts):
            return None
        seen = 0
        for index, count in enumerate(counts):
            if count and seen + count >= wanted:
                low = LATENCY_BOUNDS[index - 1] if index else 0.0
                # The last bucket has no upper end: its lower end is all that is known.
                high = LATENCY_BOUNDS[index] if index < len(LATENCY_BOUNDS) else low
                return low + (high - low) * max(0.0, (wanted - seen) / count)
            seen += count
        return LATENCY_BOUNDS[-1]

    def merge(self, other: Latency) -> None:
        """Add another histogram's counts to this one."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values: counts, and quantiles in seconds."""
        return {
            "count": self.count,
            "sum_s": self.total,
            "p50_s": self.quantile(0.5),
            "p95_s": self.quantile(0.95),
            "p99_s": self.quantile(0.99),
            "bounds_s": list(LATENCY_BOUNDS),
            "counts": list(self.counts),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """
        Read what :meth:`as_dict` wrote.

        Raises:
            ValueError: when the buckets are others than these.
        """
        if tuple(data["bounds_s"]) != LATENCY_BOUNDS or len(data["counts"]) != len(LATENCY_BOUNDS) + 1:
            raise ValueError("the latency buckets are those of another version of pushkit; make the report anew")
        made = cls()
        made.counts = [whole_number(count) for count in data["counts"]]
        total = data["sum_s"]
        if not isinstance(total, (int, float)) or isinstance(total, bool) or not 0 <= total < _MOST_SECONDS:
            raise ValueError("the sum of the latencies is no number of seconds; was the report edited?")
        made.total = float(total)
        return made


class Timeline:
    """How many of each kind fell into each stretch of time. Bounded: the stretches double when there are too many."""

    __slots__ = ("buckets", "kinds", "width")

    def __init__(self, kinds: int) -> None:
        self.kinds = kinds
        self.width = 1
        """Seconds that a bucket covers."""
        self.buckets: dict[int, list[int]] = {}
        """Epoch seconds divided by ``width``, to counts by kind."""

    def bucket(self, second: int) -> list[int]:
        """The counts of the stretch that holds this epoch second, to be added to at once."""
        found = self.buckets.get(second // self.width)
        if found is None:
            self.buckets[second // self.width] = [0] * self.kinds
            self._widen()
            found = self.buckets[second // self.width]
        return found

    def add(self, second: int, kind: int) -> None:
        """Count one of a kind at a time (epoch seconds)."""
        self.bucket(second)[kind] += 1

    def _widen(self) -> None:
        while len(self.buckets) > TIMELINE_BUCKETS:
            self._double()

    def merge(self, other: Timeline) -> None:
        """Add another timeline's counts to this one; both end as wide as the wider."""
        while self.width < other.width:
            self._double()
        factor = self.width // other.width
        for key, counts in list(other.buckets.items()):
            into = self.buckets.setdefault(key // factor, [0] * self.kinds)
            for kind, count in enumerate(counts):
                into[kind] += count
        self._widen()

    def _double(self) -> None:
        joined: dict[int, list[int]] = {}
        self.width *= 2
        for key, counts in self.buckets.items():
            into = joined.setdefault(key // 2, [0] * self.kinds)
            for kind, count in enumerate(counts):
                into[kind] += count
        self.buckets = joined

    def rows(self) -> Sequence[tuple[float, tuple[int, ...]]]:
        """(start in epoch seconds, counts by kind), oldest first; empty stretches are left out."""
        return [(key * float(self.width), tuple(counts)) for key, counts in sorted(list(self.buckets.items()))]  # noqa: C414 - a copy first: another thread may be counting

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"width_s": self.width, "buckets": [[key, *counts] for key, counts in sorted(list(self.buckets.items()))]}  # noqa: C414

    @classmethod
    def from_dict(cls, data: dict[str, Any], kinds: int) -> Self:
        """
        Read what :meth:`as_dict` wrote.

        Raises:
            ValueError: when the rows have another length.
        """
        made = cls(kinds)
        made.width = whole_number(data["width_s"])
        if not 1 <= made.width <= _LONGEST_WIDTH or made.width & (made.width - 1):
            raise ValueError("a timeline's width is a power of two; was the report edited?")
        for key, *counts in data["buckets"]:
            if len(counts) != kinds:
                raise ValueError(f"expected {kinds} counts in each timeline bucket, got {len(counts)}")
            if whole_number(key) * made.width >= _LAST_SECOND:
                raise ValueError("a timeline ends with the calendar; was the report edited?")
            made.buckets[key] = [whole_number(count) for count in counts]
        made._widen()
        return made

    def fitted(self, stretches: int) -> Timeline:
        """A copy whose stretches are as wide as they must be for so many, empty ones included, to cover everything."""
        copy = Timeline(self.kinds)
        copy.width = self.width
        copy.buckets = {key: list(counts) for key, counts in list(self.buckets.items())}
        while copy.buckets and max(copy.buckets) - min(copy.buckets) >= stretches:
            copy._double()
        return copy
