"""How old a stored registration may get."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pushkit.fcm import Freshness, freshness

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "fresh"), (29, "fresh"), (30, "stale"), (269, "stale"), (270, "ended"), (1000, "ended"), (-1, "fresh")],
)
def test_a_month_and_270_days(days, expected):
    """Google's two thresholds; a clock that is slightly ahead does no harm."""
    assert Freshness(expected) is freshness(NOW - timedelta(days=days), now=NOW)


def test_own_thresholds():
    """Apps differ."""
    assert Freshness.ENDED is freshness(NOW - timedelta(days=61), now=NOW, ended_after=timedelta(days=60))


def test_zones_do_not_matter():
    """Instants are compared."""
    seen = (NOW - timedelta(days=30)).astimezone(timezone(timedelta(hours=9)))

    assert Freshness.STALE is freshness(seen, now=NOW)


def test_the_present_is_the_default():
    """For a nightly job."""
    assert Freshness.FRESH is freshness(datetime.now(UTC))


@pytest.mark.parametrize(
    "arguments",
    [
        {"seen_at": datetime(2026, 1, 1), "now": NOW},
        {"seen_at": NOW, "now": datetime(2026, 1, 1)},
        {"seen_at": NOW, "now": NOW, "refresh_after": timedelta(days=300)},
    ],
)
def test_mistakes_raise(arguments):
    """A naive time would be off by hours without anybody noticing."""
    with pytest.raises(ValueError, match=r"aware|longer"):
        freshness(**arguments)
