from __future__ import annotations

import pytest
from tests.values import make_accepted, make_failure

from pushkit import Category, Report
from pushkit.report.compare import compare


def report(accepted: int, **reasons: int) -> Report:
    made = Report(keep="none")
    for _ in range(accepted):
        made.add(make_accepted())
    for reason, count in reasons.items():
        for _ in range(count):
            made.add(make_failure(Category.RECIPIENT, reason=reason))
    return made


def test_an_outbreak_is_suspicious() -> None:
    """BadDeviceToken from 0.4 % to 31 %: a wrong environment after a deploy."""
    [change] = compare(report(996, BadDeviceToken=4), report(690, BadDeviceToken=310))

    assert change.suspicious
    assert "apns BadDeviceToken 0.4 % → 31.0 %: suspicious" == str(change)


@pytest.mark.parametrize(("before", "after"), [((600, 400), (50, 950)), ((690, 310), (0, 1000))])
def test_what_was_bad_already_can_get_suspiciously_worse(before: tuple[int, int], after: tuple[int, int]) -> None:
    """A share of 40 % cannot grow threefold; its odds can."""
    [change] = compare(report(before[0], BadDeviceToken=before[1]), report(after[0], BadDeviceToken=after[1]))

    assert change.suspicious


@pytest.mark.parametrize("wrong", [None, {"format": 1}, "report"])
def test_what_is_no_report_is_not_compared_with(wrong: object) -> None:
    """A dictionary that json.loads gave is the usual mistake; the mend is in the message."""
    with pytest.raises(TypeError, match=r"compare: expected a Report \(Report.from_json reads a stored one\), got a"):
        report(1).compare(wrong)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((990, 10), (985, 15)),  # chance
        ((990, 10), (9_900, 100)),  # the same share of more pushes
        ((100_000, 1), (99_910, 90)),  # ninety times as many, and still nobody has to get up
        ((10, 0), (8, 2)),  # two of ten may be chance
        ((690, 310), (450, 550)),  # worse, and less than three times the odds
        ((690, 310), (990, 10)),  # it got better
        ((0, 0), (690, 310)),  # nothing to compare with
    ],
)
def test_what_chance_explains_is_not(before: tuple[int, int], after: tuple[int, int]) -> None:
    """A page at night for nothing is a page that nobody reads next time."""
    changes = compare(report(before[0], BadDeviceToken=before[1]), report(after[0], BadDeviceToken=after[1]))

    assert not [change for change in changes if change.suspicious]


def test_a_new_reason_is_seen() -> None:
    """It was not there at all before."""
    [change] = compare(report(1000), report(900, InvalidProviderToken=100))

    assert (0.0, 0.1, True) == (change.before, change.after, change.suspicious)


def test_a_reason_that_went_away_is_told() -> None:
    """Good news is a change as well."""
    [change] = compare(report(900, Unregistered=100), report(1000))

    assert (0.1, 0.0, False) == (change.before, change.after, change.suspicious)


def test_suspicious_changes_come_first_in_the_report() -> None:
    """Above the tables, where a reader at night looks."""
    text = report(690, BadDeviceToken=310).to_text(earlier=report(996, BadDeviceToken=4))

    assert ["Compared with the earlier report", "  apns BadDeviceToken: 0.4 % → 31.0 %: suspicious"] == text.splitlines()[4:6]
