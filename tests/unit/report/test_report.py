from __future__ import annotations

import json
import pickle
import tracemalloc
from datetime import timedelta

import pytest
from tests.values import STARTED, Crowd, Phone, make_accepted, make_attempt, make_failure, make_resume

from pushkit import Action, Category, Disposition, PayloadError, PushError, RecipientError, Report, TechnicalError
from pushkit.events import MassInvalidation
from pushkit.report.groups import LONGEST_DETAIL, LONGEST_NAME, MAX_GROUPS, MAX_ROWS, OTHER, SAMPLES

SUSPICION = MassInvalidation(provider="apns", app="default", environment="production", reason="BadDeviceToken", share=0.31, seen=1000)


SUSPICION_JSON = {"provider": "apns", "app": "default", "environment": "production", "reason": "BadDeviceToken", "share": 0.3, "seen": 9}


def bad_token(**changes):
    return make_failure(Category.RECIPIENT, **{"reason": "BadDeviceToken", "action": Action.REMOVE_RECIPIENT} | changes)


def mixed(keep="all") -> Report:
    return Report.collect([make_accepted(), make_accepted(label="spring"), *(make_failure(category) for category in Category)], keep=keep)


def test_each_category_has_its_column() -> None:
    """Counts by who has to act."""
    report = mixed()

    assert (5, 2, 1, 1, 1, 3) == (report.total, report.accepted, report.technical, report.payload, report.recipient, report.failed)
    assert not report.ok


def test_nothing_is_all_right() -> None:
    """An empty report has no failures and shows itself."""
    report = Report()

    assert report.ok
    assert "No pushes." == str(report)
    assert report.latency.quantile(0.5) is None
    report.raise_for_failures()


@pytest.mark.parametrize(("keep", "outcomes", "failures"), [("all", 5, 3), ("failures", 3, 3), ("none", 0, 0)])
def test_keep_says_what_is_held_on_to(keep: str, outcomes: int, failures: int) -> None:
    """Counts and groups are the same in every case."""
    report = mixed(keep)

    assert outcomes == len(report.outcomes)
    assert failures == len(report.failures)
    assert 3 == len(report.groups)


def test_another_keep_is_refused() -> None:
    """With the words that are possible."""
    with pytest.raises(ValueError, match="expected 'all', 'failures' or 'none', got 'some'"):
        Report(keep="some")  # type: ignore[arg-type]  # that is the point


def test_outcomes_keep_their_order() -> None:
    """What went in first is first."""
    outcomes = [make_accepted(message_id=str(number)) for number in range(20)]

    assert outcomes == list(Report.collect(outcomes, keep="all").outcomes)


def test_a_group_is_one_label_provider_category_reason_and_action() -> None:
    """The largest first, with a few references as examples."""
    failures = [bad_token(target=Phone(ref=f"user-{number}")) for number in range(9)]
    failures += [bad_token(action=Action.REVIEW_RECIPIENT), bad_token(label="spring"), make_failure(Category.PAYLOAD)]

    groups = Report.collect(failures).groups

    assert [9, 1, 1, 1] == [group.count for group in groups]
    assert tuple(f"user-{number}" for number in range(SAMPLES)) == groups[0].refs
    assert {"spring", None} == {group.label for group in groups}


def test_examples_differ() -> None:
    """The same reference is no second example."""
    report = Report.collect(bad_token(target=Phone(ref=7)) for _ in range(5))

    assert ("7",) == report.groups[0].refs


@pytest.mark.parametrize("ref", [object(), {"email": "a@b.c"}, None, ("a", "b")])
def test_an_object_is_no_example(ref: object) -> None:
    """It may print a whole database row."""
    assert () == Report.collect([bad_token(target=Phone(ref=ref))]).groups[0].refs


def test_what_may_have_arrived_is_counted() -> None:
    """UNKNOWN decides whether sending again can make duplicates, so it is said beside the count."""
    report = Report.collect([make_failure(Category.TECHNICAL), make_failure(Category.TECHNICAL, disposition=Disposition.NOT_SENT)])

    assert 1 == report.unknown == report.groups[0].unknown
    assert "1 may have been taken all the same" in str(report)


def test_a_topic_counts_as_one_in_a_column_of_its_own() -> None:
    """It stands for many, and for one push."""
    report = Report.collect([make_accepted(target=Crowd()), bad_token(target=Crowd()), make_accepted()])

    assert (3, 2) == (report.total, report.fan_out)
    assert "to topics" in str(report)
    assert "to topics" not in str(mixed())


def test_the_lists_say_what_to_do() -> None:
    """Remove, review, resume."""
    remove, review = bad_token(), bad_token(action=Action.REVIEW_RECIPIENT)
    resume = make_failure(Category.TECHNICAL, resume=make_resume())
    report = Report.collect([remove, review, resume, make_failure(Category.TECHNICAL), make_accepted()])

    assert [remove] == report.to_remove
    assert [review] == report.to_review
    assert [resume] == report.to_resume


def test_a_suspicion_holds_for_what_came_before_it() -> None:
    """The first hundred said "remove"; when the guard stops believing, the list follows."""
    earlier, other = bad_token(), bad_token(reason="Unregistered")
    elsewhere = bad_token(target=Phone(app="other"))
    report = Report.collect([earlier, other, elsewhere])

    report.suspect(SUSPICION)

    assert [other, elsewhere] == report.to_remove
    assert [earlier] == report.suspects == report.to_review
    assert "SUSPICIOUS" in str(report).splitlines()[2]


def test_a_stream_hands_on_what_the_guard_said() -> None:
    """``collect`` on a stream knows the suspicions of its running report."""

    class Stream(list):
        report = Report()

    Stream.report.suspect(SUSPICION)

    assert [SUSPICION] == Report.collect(Stream([bad_token()])).suspicions


async def _outcomes():
    for outcome in mixed().outcomes:
        yield outcome


def test_an_asynchronous_stream_is_collected() -> None:
    """``await Report.collect(stream)``."""
    import asyncio

    assert 5 == asyncio.run(Report.collect(_outcomes())).total


def test_raise_for_failures_raises_them_all() -> None:
    """``except*`` picks out who has to act."""
    with pytest.raises(ExceptionGroup, match="3 of 5 pushes failed") as caught:
        mixed().raise_for_failures()

    assert {TechnicalError, PayloadError, RecipientError} == {type(error) for error in caught.value.exceptions}


def test_raise_for_failures_without_outcomes_raises_for_each_group() -> None:
    """Counts are enough to know that something failed."""
    with pytest.raises(ExceptionGroup) as caught:
        Report.collect([bad_token()] * 7, keep="none").raise_for_failures()

    [error] = caught.value.exceptions
    assert isinstance(error, PushError)
    assert "7 × apns BadDeviceToken: Forget this device." == str(error)


def test_labels_and_reasons_without_end_are_bounded() -> None:
    """Labels come from data and reasons from strangers."""
    report = Report(keep="none")
    for number in range(3 * MAX_GROUPS):
        report.add(bad_token(reason=f"r{number}", label=f"l{number}"))

    assert 3 * MAX_GROUPS == report.total == sum(group.count for group in report.groups)
    assert MAX_GROUPS + 1 >= len(report.groups)
    assert MAX_ROWS + 1 >= len(report.rows)
    assert OTHER in {group.reason for group in report.groups}


def test_endless_labels_are_cut() -> None:
    """A thousand labels of a megabyte each would be no bounded memory; two that begin alike share a row."""
    report = Report.collect([bad_token(label="x" * 1_000_000 + end) for end in "abc"], keep="none")

    assert [(3, LONGEST_NAME)] == [(row.total, len(row.label or "")) for row in report.rows]
    assert [(3, LONGEST_NAME)] == [(group.count, len(group.label or "")) for group in report.groups]


def test_a_group_keeps_a_few_fields_and_one_detail() -> None:
    """Where to look, and in the service's own words; no more than anybody reads."""
    details = ["", "Invalid value " + "x" * 1000, "another"]
    failures = [make_failure(Category.PAYLOAD, field=f"data.{number}", detail=details[number % 3]) for number in range(9)]

    [group] = Report.collect(failures).groups

    assert tuple(f"data.{number}" for number in range(SAMPLES)) == group.fields
    assert ("Invalid value", LONGEST_DETAIL) == (group.detail[:13], len(group.detail))


def test_json_of_half_a_surrogate_can_be_written_to_a_file() -> None:
    """A label cut in the middle of an emoji is no text that UTF-8 could hold."""
    text = Report.collect([make_accepted(label="\ud83d")]).to_json()

    assert "\ud83d" == Report.from_json(text.encode()).rows[0].label


def test_a_hundred_thousand_accepted_pushes_take_no_memory() -> None:
    """keep="failures" does not grow with what went well."""
    report = Report()
    outcomes = [make_accepted(attempts=(make_attempt(started=STARTED + timedelta(seconds=second)),)) for second in range(1000)]
    for outcome in outcomes:
        report.add(outcome)
    tracemalloc.start()
    for _ in range(100):
        for outcome in outcomes:
            report.add(outcome)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 101_000 == report.total
    assert grown < 64 * 1024


def test_latency_is_read_within_a_bucket() -> None:
    """Half of them took 50 ms, one in a hundred a second."""
    report = Report()
    for elapsed in [0.04] * 98 + [0.9] * 2:
        report.add(make_accepted(elapsed=elapsed))

    assert 0.03 <= report.latency.quantile(0.5) <= 0.05
    assert 0.75 <= report.latency.quantile(0.99) <= 1.0
    assert report.latency.mean == pytest.approx(0.0572)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_an_impossible_quantile_is_refused(share: float) -> None:
    """A share is between nothing and all."""
    with pytest.raises(ValueError, match=r"0\.0 to 1\.0"):
        Report().latency.quantile(share)


def test_a_long_timeline_gets_wider_and_loses_nothing() -> None:
    """A day of seconds fits into a few hundred stretches."""
    report = Report()
    for second in range(0, 86_400, 7):
        report.add(make_accepted(attempts=(make_attempt(started=STARTED + timedelta(seconds=second)),)))

    rows = report.timeline.rows()
    assert len(rows) <= 240
    assert report.total == sum(counts[0] for _, counts in rows)
    assert rows == sorted(rows)


def test_a_timeline_is_fitted_without_losing_anything() -> None:
    """Two workers a week apart: as many columns as a page has room for, gaps included."""
    report = Report.collect([make_accepted(attempts=(make_attempt(started=STARTED + timedelta(days=day)),)) for day in (0, 0, 7)])

    fitted = report.timeline.fitted(120)
    starts = [at for at, _ in fitted.rows()]

    assert (3, 3) == (sum(counts[0] for _, counts in fitted.rows()), sum(counts[0] for _, counts in report.timeline.rows()))
    assert (starts[-1] - starts[0]) / fitted.width < 120 <= 2 * (starts[-1] - starts[0]) / fitted.width + 2
    assert 1 == report.timeline.width


def test_what_was_never_tried_is_on_no_timeline() -> None:
    """A damaged token was refused here; nothing happened at a time."""
    report = Report.collect([bad_token(attempts=())])

    assert [] == report.timeline.rows()


def test_retries_are_counted() -> None:
    """Attempts beyond the first."""
    report = Report.collect([make_accepted(attempts=(make_attempt(1), make_attempt(2), make_attempt(3)))])

    assert 2 == report.retries


def test_a_report_comes_back_from_json() -> None:
    """Counts, groups, latency, timeline and suspicions; no outcomes."""
    report = mixed()
    report.suspect(SUSPICION)

    arrived = Report.from_json(report.to_json())

    assert report.as_dict() == arrived.as_dict()
    assert str(report) == str(arrived)
    assert [] == list(arrived.outcomes)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"format": 1}', '{"format": 2}', "[" * 100_000])
def test_anything_else_is_no_report(text: str) -> None:
    """A ValueError, whatever it is."""
    with pytest.raises(ValueError, match="report"):
        Report.from_json(text)


@pytest.mark.parametrize(
    ("where", "garbage"),
    [
        (("rows", 0, "accepted"), -1),
        (("rows", 0, "provider"), 5),
        (("groups", 0, "count"), True),
        (("groups", 0, "category"), "gossip"),
        (("rows",), {"a": 1}),
        (("rows", 0, "accepted"), 10**4000),
        (("groups", 0, "refs"), [5]),
        (("groups", 0, "refs"), "user"),
        (("groups", 0, "detail"), None),
        (("latency", "bounds_s"), [1]),
        (("latency", "counts", 0), -5),
        (("latency", "counts", 0), 1.5),
        (("latency", "sum_s"), float("inf")),
        (("latency", "sum_s"), float("nan")),
        (("latency", "sum_s"), 10**400),
        (("latency", "sum_s"), "5"),
        (("timeline", "width_s"), 3),
        (("timeline", "width_s"), float("inf")),
        (("timeline", "width_s"), 2**4000),
        (("timeline", "buckets"), [[1, 2]]),
        (("timeline", "buckets"), [[10**300, 1, 0, 0, 0]]),
        (("timeline", "buckets"), [[10**12, 1, 0, 0, 0]]),
        (("timeline", "buckets"), [[-1, 1, 0, 0, 0]]),
        (("suspicions",), [{"x": 1}]),
        (("suspicions",), [SUSPICION_JSON | {"share": "most"}]),
        (("suspicions",), [SUSPICION_JSON | {"share": float("nan")}]),
        (("suspicions",), [SUSPICION_JSON | {"reason": ["x"]}]),
        (("retries",), "many"),
    ],
)
def test_a_spoiled_report_is_refused(where, garbage) -> None:
    """Nothing half-read, nothing that fails later."""
    data = json.loads(mixed().to_json())
    place = data
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = garbage

    with pytest.raises(ValueError, match=r"report|gossip|latency|timeline"):
        Report.from_dict(data)


def test_many_workers_reports_become_one() -> None:
    """Everything adds up; kept outcomes follow each other."""
    one, two = mixed(), Report.collect([bad_token(), make_accepted(target=Crowd())], keep="all")
    two.suspect(SUSPICION)

    merged = Report.merge([one, two, Report.from_json(one.to_json())])

    assert 12 == merged.total
    assert one.accepted * 2 + two.accepted == merged.accepted
    assert one.latency.count * 2 + two.latency.count == merged.latency.count
    assert one.unknown * 2 == merged.unknown
    assert [SUSPICION] == merged.suspicions
    assert len(one.failures) + len(two.failures) == len(merged.failures)


@pytest.mark.parametrize("wrong", [["x"], [{"format": 1}]])
def test_what_is_no_report_is_not_merged(wrong: list[object]) -> None:
    """With the mend in the message."""
    with pytest.raises(TypeError, match=r"merge: expected a Report \(Report.from_json reads a stored one\)"):
        Report.merge(wrong)  # type: ignore[arg-type]  # that is the point


def test_a_merged_report_counts_as_one_that_saw_everything() -> None:
    """Field by field: the same outcomes in one report and in three."""
    outcomes = [
        make_accepted(
            label=label, provider=provider, elapsed=0.01 * number, attempts=(make_attempt(started=STARTED + timedelta(seconds=number)),)
        )
        for number in range(50)
        for label in (None, "sale")
        for provider in ("apns", "fcm")
    ]
    outcomes += [bad_token(label="sale", target=Phone(ref=number)) for number in range(7)] + [
        make_failure(Category.PAYLOAD, detail="x")
    ] * 3
    parts = [Report.collect(outcomes[start::3]) for start in range(3)]

    merged, whole = Report.merge(parts).as_dict(), Report.collect(outcomes).as_dict()

    assert merged["latency"].pop("sum_s") == pytest.approx(whole["latency"].pop("sum_s"))
    for report in (merged, whole):
        for group in report["groups"]:
            group["refs"] = len(group["refs"])  # which five of the seven depends on the order
    assert whole == merged


def test_merging_nothing_gives_an_empty_report() -> None:
    """A night without workers."""
    assert 0 == Report.merge([]).total


def test_merged_timelines_of_different_width_add_up() -> None:
    """A worker that ran a minute and one that ran a day."""
    day = Report()
    for second in range(0, 86_400, 7):
        day.add(make_accepted(attempts=(make_attempt(started=STARTED + timedelta(seconds=second)),)))

    for pair in ([day, mixed()], [mixed(), day]):
        merged = Report.merge(pair)
        assert merged.total == sum(sum(counts) for _, counts in merged.timeline.rows())


def test_a_report_pickles_with_what_it_keeps() -> None:
    """A worker process hands it back to its parent."""
    report = mixed()
    report.suspect(SUSPICION)

    arrived = pickle.loads(pickle.dumps(report))

    assert report.as_dict() == arrived.as_dict()
    assert list(report.outcomes) == list(arrived.outcomes)
