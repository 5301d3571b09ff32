"""Live Activities: dates, alerts, and timestamps that never run back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from tests.unit.apns.helpers import NOW, STAMP, TOKEN, Push, body_of, refusal_for, request_for, sender

from pushkit import Localized, apns

ACTIVITY = apns.ActivityToken(TOKEN)
START = apns.StartToken(TOKEN)
NAIVE = datetime(2026, 11, 22)


def _start(**changes):
    return apns.LiveActivityStart(**({"attributes_type": "A", "attributes": {}, "content_state": {}, "title": "T", "body": "B"} | changes))


def _timestamps(*pushes, message=None, by=None, target=ACTIVITY):
    by = by or sender()
    message = message or apns.LiveActivityUpdate({"score": 1})
    prepared = by.prepare(message, type(target), STAMP)
    return [body_of(by.address(prepared, target, push))["aps"]["timestamp"] for push in pushes]


def _push(number, now=NOW, **changes):
    return Push(push_id=f"id-{number}", now=now, taken_at=now, expires_at=now + 86_400, **changes)


def test_the_timestamp_is_when_the_push_was_taken():
    """So that it is the same in every process and on every attempt, however long each waits."""
    assert [int(NOW)] == _timestamps(Push(now=NOW + 60, taken_at=NOW))


def test_updates_of_the_same_second_get_different_timestamps():
    """Devices drop what is not newer than what they show."""
    assert [int(NOW), int(NOW) + 1, int(NOW) + 2] == _timestamps(_push(1), _push(2), _push(3))


def test_a_clock_that_runs_back_does_not_take_the_timestamps_along():
    """NTP may set the clock back; the card must go on."""
    assert [int(NOW), int(NOW) + 1] == _timestamps(_push(1), _push(2, NOW - 3600))


def test_a_retry_keeps_its_timestamp():
    """Otherwise an old state that is sent again would win over a newer one."""
    first, newer, retry = _timestamps(_push(1), _push(2, NOW + 5), _push(1, NOW, attempt=2))

    assert first == retry < newer


def test_a_resumed_push_keeps_the_moment_when_it_was_taken():
    """Also in another process, which never saw it: the update that was sent meanwhile stays newer."""
    by = sender()

    newer, resumed = _timestamps(_push(2, NOW + 60), _push(1, NOW, attempt=2), by=by)

    assert int(NOW) == resumed < newer


def test_activities_do_not_disturb_each_other():
    """Each has a clock of its own."""
    by = sender()
    one = _timestamps(_push(1), by=by)
    other = _timestamps(_push(2), by=by, target=apns.ActivityToken("ab" * 40))

    assert one == other == [int(NOW)]


def test_a_timestamp_of_the_callers_own_is_sent_as_it_is():
    """Several processes may number their updates themselves."""
    message = apns.LiveActivityUpdate({}, timestamp=datetime.fromtimestamp(1_700_000_000, UTC))

    assert [1_700_000_000, 1_700_000_000] == _timestamps(_push(1), _push(2), message=message)


def test_durations_count_from_the_timestamp():
    """A message is kept as a constant, so its dates may be relative."""
    message = apns.LiveActivityEnd({}, stale_date=timedelta(minutes=5), dismissal_date=timedelta(0))
    aps = body_of(request_for(message, ACTIVITY))["aps"]

    assert aps["timestamp"] + 300 == aps["stale-date"]
    assert aps["timestamp"] == aps["dismissal-date"]


def test_an_end_without_a_state_keeps_the_last_one():
    """No content-state at all, instead of an empty one that the app could not decode."""
    assert {"event", "timestamp"} == body_of(request_for(apns.LiveActivityEnd(), ACTIVITY))["aps"].keys()


def test_a_swift_date_counts_from_2001():
    """What Swift's default decoding of a Date reads."""
    assert 0.0 == apns.swift_date(datetime(2001, 1, 1, tzinfo=UTC))
    assert 86_400.5 == apns.swift_date(datetime(2001, 1, 2, 0, 0, 0, 500_000, tzinfo=UTC))


def test_a_swift_date_needs_a_zone():
    """A naive time would be off by hours for some users and right for others."""
    with pytest.raises(ValueError, match="no zone"):
        apns.swift_date(NAIVE)


@pytest.mark.parametrize(
    ("message", "target", "field"),
    [
        (apns.LiveActivityUpdate({"at": datetime(2026, 1, 1, tzinfo=UTC)}), ACTIVITY, "content_state.at"),
        (apns.LiveActivityUpdate([1]), ACTIVITY, "content_state"),
        (apns.LiveActivityUpdate(None), ACTIVITY, "content_state"),
        (apns.LiveActivityEnd(3), ACTIVITY, "content_state"),
        (apns.LiveActivityUpdate({}, title="T"), ACTIVITY, "body"),
        (apns.LiveActivityUpdate({}, body="B"), ACTIVITY, "title"),
        (apns.LiveActivityUpdate({}, title=3, body="B"), ACTIVITY, "title"),
        (apns.LiveActivityUpdate({}, title=Localized("K", [1]), body="B"), ACTIVITY, "title.args"),
        (apns.LiveActivityUpdate({}, sound="default"), ACTIVITY, "sound"),
        (apns.LiveActivityUpdate({}, title="T", body="B", sound=1), ACTIVITY, "sound"),
        (apns.LiveActivityUpdate({}, stale_date=NAIVE), ACTIVITY, "stale_date"),
        (apns.LiveActivityUpdate({}, stale_date=17), ACTIVITY, "stale_date"),
        (apns.LiveActivityEnd({}, dismissal_date="now"), ACTIVITY, "dismissal_date"),
        (apns.LiveActivityUpdate({}, timestamp=NAIVE), ACTIVITY, "timestamp"),
        (apns.LiveActivityUpdate({}, timestamp=timedelta(1)), ACTIVITY, "timestamp"),
        (apns.LiveActivityUpdate({}, relevance_score=float("nan")), ACTIVITY, "relevance_score"),
        (apns.LiveActivityUpdate({}, relevance_score=True), ACTIVITY, "relevance_score"),
        (_start(title=None, body=None), START, "title"),
        (_start(attributes_type=""), START, "attributes_type"),
        (_start(attributes_type=None), START, "attributes_type"),
        (_start(attributes=None), START, "attributes"),
        (_start(attributes={"d": datetime(2026, 1, 1, tzinfo=UTC)}), START, "attributes.d"),
        (_start(content_state=None), START, "content_state"),
        (_start(input_push_token=True, input_push_channel="YWJj"), START, "input_push_channel"),
        (_start(input_push_channel=5), START, "input_push_channel"),
        (_start(collapse_id="x" * 65), START, "collapse_id"),
    ],
)
def test_what_the_device_would_drop_in_silence_is_refused_here(message, target, field):
    """APNs says 200 to all of it, and no card changes."""
    verdict = refusal_for(message, target)

    assert ("payload", field) == (verdict.category, verdict.field)


def test_a_date_in_the_state_names_the_helper():
    """The trap that costs people a day."""
    assert "apns.swift_date" in refusal_for(apns.LiveActivityUpdate({"at": datetime(2026, 1, 1, tzinfo=UTC)}), ACTIVITY).advice


def test_what_the_caller_stated_is_never_undercut():
    """Phones drop what is not newer than what they show, whoever gave it its time."""
    by = sender()
    stated = apns.LiveActivityUpdate({}, timestamp=datetime.fromtimestamp(NOW + 90, UTC))

    first = _timestamps(_push(1), message=stated, by=by)
    late = _timestamps(_push(2), message=apns.LiveActivityUpdate({}, timestamp=datetime.fromtimestamp(NOW, UTC)), by=by)

    assert [int(NOW) + 90, int(NOW), int(NOW) + 91] == first + late + _timestamps(_push(3), by=by)


class _NoZone(tzinfo):
    def utcoffset(self, _moment):
        return None


@pytest.mark.parametrize("field", ["timestamp", "stale_date"])
def test_a_zone_that_knows_no_offset_is_none(field):
    """Python calls such a time naive."""
    message = apns.LiveActivityUpdate({}, **{field: datetime(2026, 1, 1, tzinfo=_NoZone())})

    assert field == refusal_for(message, ACTIVITY).field


@pytest.mark.parametrize("given", ["", "a b", "x" * 600])
def test_a_start_listens_to_a_channel_id_or_is_refused(given):
    """A card that listens to nothing never changes."""
    assert "input_push_channel" == refusal_for(_start(input_push_channel=given), START).field


@pytest.mark.parametrize("life", [{}, {"ttl": 7200}, {"expires_at": datetime(2026, 11, 22, 18, tzinfo=UTC)}])
def test_an_update_that_another_process_resumes_says_when_it_was_true(life):
    """Whatever ends it: an old state in a queue must not win over what was said since."""
    from pushkit import RetryPolicy
    from pushkit.outcomes import from_json
    from pushkit.testing import FakeClient

    message = apns.LiveActivityUpdate({"score": 1}, **life)
    with FakeClient(retry=RetryPolicy.none()) as first, FakeClient() as second:
        first.behaviour.apns.next().answer("ServiceUnavailable")
        failure = first.send(message, to=ACTIVITY)
        second.clock.advance(timedelta(minutes=30))
        with second.resume([from_json(failure.to_json(secrets=True))]) as outcomes:
            assert all(outcome.accepted for outcome in outcomes)
        said = [client.sent[-1].payload["aps"]["timestamp"] for client in (first, second)]
        began = failure.attempts[0].started.timestamp()

    assert [int(began)] * 2 == said
