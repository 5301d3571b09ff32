from __future__ import annotations

import re

import pytest

from pushkit.report import charts

NAMES = ("accepted", "technical", "payload", "recipient")


def numbers(chart: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf'<rect [^>]*\b{name}="([-0-9.e]+)"', chart)]


def test_a_bar_is_as_long_as_its_count() -> None:
    """To one scale."""
    chart = charts.bars("What", [("a", [("accepted", 400, "accepted")]), ("b", [("accepted", 100, "accepted")])])

    assert [1000.0, 250.0] == numbers(chart, "width")


def test_one_in_a_million_is_seen_and_fits() -> None:
    """Parts that are drawn longer than they are make room for themselves."""
    chart = charts.bars("What", [("a", [(kind, count, kind) for kind, count in zip(NAMES, (1_000_000, 1, 1, 1), strict=True)])])
    [room] = {float(box) for box in re.findall(r'viewBox="0 0 (\S+) 1"', chart)}

    assert all(width >= 4 for width in numbers(chart, "width"))
    assert room == sum(numbers(chart, "width"))


def test_a_chart_says_what_it_shows() -> None:
    """To a screen reader: numbers, not only a heading."""
    chart = charts.bars("What became of them", [("apns", [("accepted", 1200, "accepted"), ("payload", 3, "payload")])])

    assert 'aria-label="What became of them"' in chart
    assert 'aria-label="1,200 accepted, 3 payload"' in chart


def test_columns_over_time_say_when_and_how_many() -> None:
    """The sums by kind, and from when to when."""
    chart = charts.columns([(1_764_000_000.0, (5, 0, 0, 1)), (1_764_000_060.0, (4, 2, 0, 0))], 60, NAMES)

    assert 'aria-label="2025-11-24 16:00:00 – 2025-11-24 16:12:00: 9 accepted, 2 technical, 0 payload, 1 recipient"' in chart
    assert {"0.00", "1.00"} == set(re.findall(r' x="(\S+)"', chart))


@pytest.mark.parametrize("buckets", [1, 5, 6, 7, 13, 31])
def test_a_histogram_has_at_most_six_names_under_it(buckets: int) -> None:
    """More do not fit on a phone; all are in the tips."""
    chart = charts.histogram([(f"≤ {number} ms", 1) for number in range(buckets)], "accepted")

    assert 6 == chart.count("<span>")
    assert buckets == chart.count("<rect")
    assert all(0 <= x <= float(re.findall(r'viewBox="0 0 (\S+) 100"', chart)[0]) - 0.9 for x in numbers(chart, "x"))


def test_the_calendar_has_an_end() -> None:
    """A stored timeline may touch it."""
    assert "9999-12-31 23:59:59" == charts.clock(2.6e11)
