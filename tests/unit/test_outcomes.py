from __future__ import annotations

import copy
import json
import pickle
import traceback
from datetime import datetime, timedelta, timezone

import attrs
import pytest
from tests.values import STARTED, TOKEN, Phone, make_accepted, make_attempt, make_failure, make_resume

from pushkit import Accepted, Action, Category, Disposition, Notification, PayloadFailure, RecipientFailure, TechnicalFailure
from pushkit.outcomes import FAILURE_CLASSES, WaitedFor, describe_target, from_json

EVERY = [make_accepted(), *(make_failure(category) for category in Category)]
RESUMABLE = make_failure(Category.TECHNICAL, resume=make_resume(), target=Phone(ref=7), expires_at=STARTED + timedelta(days=1))


@pytest.mark.parametrize("outcome", [*EVERY, RESUMABLE])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_outcome_pickles_and_compares_equal(outcome, protocol: int) -> None:
    """Outcomes go through process pools and queues."""
    assert outcome == pickle.loads(pickle.dumps(outcome, protocol))


@pytest.mark.parametrize("outcome", [*EVERY, RESUMABLE])
def test_every_outcome_can_be_a_key(outcome) -> None:
    """Equal outcomes have equal hashes."""
    assert {outcome: 1} == {copy.deepcopy(outcome): 1}


@pytest.mark.parametrize("outcome", [*EVERY, RESUMABLE])
def test_every_outcome_is_frozen(outcome) -> None:
    """What happened does not change."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        outcome.label = "other"


@pytest.mark.parametrize("category", Category)
def test_each_category_has_one_class(category: Category) -> None:
    """The class and its category say the same."""
    assert category is make_failure(category).category
    assert FAILURE_CLASSES[category] is type(make_failure(category))


def test_only_accepted_is_accepted() -> None:
    """And its category is None."""
    assert [True, False, False, False] == [outcome.accepted for outcome in EVERY]
    assert make_accepted().category is None


def test_unwrap_gives_an_accepted_outcome_back() -> None:
    """So that it can be chained."""
    outcome = make_accepted()

    assert outcome is outcome.unwrap()


@pytest.mark.parametrize("outcome", [*EVERY, RESUMABLE])
@pytest.mark.parametrize("show", [repr, str, lambda o: o.to_json(), lambda o: str(o.as_dict())])
def test_nothing_that_is_shown_holds_the_token_or_the_text(outcome, show) -> None:
    """repr, str, as_dict and to_json are for logs unless secrets are asked for."""
    shown = show(outcome)

    assert TOKEN not in shown
    assert "Secret title" not in shown


def test_a_traceback_of_unwrap_with_locals_shows_no_token() -> None:
    """Error trackers capture local variables."""
    with pytest.raises(Exception, match="Unregistered") as caught:
        make_failure(Category.RECIPIENT).unwrap()

    assert TOKEN not in "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())


def test_a_repr_says_what_one_needs_at_night() -> None:
    """Class, provider, reason, status, what became of it and what to do."""
    shown = repr(make_failure(Category.TECHNICAL, label="spring", attempts=(make_attempt(), make_attempt(2))))

    for part in (
        "TechnicalFailure(apns",
        "reason='ServiceUnavailable'",
        "status=503",
        "disposition=unknown",
        "retry_later",
        "attempts=2",
        "spring",
    ):
        assert part in shown


def test_a_repr_works_for_a_target_that_is_none() -> None:
    """Real lists hold None."""
    shown = repr(
        RecipientFailure(
            target=None, provider="", reason="invalid_target", disposition=Disposition.NOT_SENT, action=Action.REMOVE_RECIPIENT, advice="x"
        )
    )

    assert "<NoneType>" in shown


def test_a_hostile_label_or_ref_cannot_drive_the_terminal() -> None:
    """Escape sequences stay out of every text form."""
    hostile = "\x1b]0;owned\x07"
    failure = make_failure(Category.RECIPIENT, label=hostile, target=Phone(ref=hostile))

    assert "\x1b" not in repr(failure) + str(failure)


@pytest.mark.parametrize("outcome", [*EVERY, RESUMABLE])
def test_json_with_secrets_comes_back_equal(outcome) -> None:
    """A queue stores text; what it gives back is the same failure, ready to be resumed."""
    assert outcome == type(outcome).from_json(outcome.to_json(secrets=True))


@pytest.mark.parametrize("outcome", [*EVERY, RESUMABLE])
def test_a_queue_that_holds_every_kind_is_read_with_one_call(outcome) -> None:
    """Whoever reads a queue does not know the class yet."""
    assert outcome == from_json(outcome.to_json(secrets=True))


def test_the_whole_message_travels() -> None:
    """What is resumed later is what was sent."""
    arrived = TechnicalFailure.from_json(RESUMABLE.to_json(secrets=True))

    assert Notification(title="Secret title") == arrived.resume.message
    assert RESUMABLE.resume.push_id == arrived.resume.push_id


def test_json_without_secrets_cannot_be_read_back() -> None:
    """It says which form to write."""
    with pytest.raises(ValueError, match=r"to_json\(secrets=True\)"):
        TechnicalFailure.from_json(RESUMABLE.to_json())


def test_json_of_another_class_is_refused() -> None:
    """With both names."""
    with pytest.raises(ValueError, match="expected a PayloadFailure, the JSON holds a TechnicalFailure"):
        PayloadFailure.from_json(RESUMABLE.to_json(secrets=True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "null",
        "5",
        '{"secrets": 5}',
        '{"secrets": {}}',
        '{"secrets": {}, "format": 99}',
        '{"secrets": {}, "format": 1}',
        "[" * 100_000,
    ],
)
def test_anything_else_is_refused_with_a_value_error(text: str) -> None:
    """A queue may hold old or foreign messages."""
    with pytest.raises(ValueError, match="JSON"):
        Accepted.from_json(text)


SPOILABLE = [
    "provider",
    "message_id",
    "label",
    "reason",
    "status",
    "disposition",
    "action",
    "advice",
    "detail",
    "field",
    "scope",
    "elapsed",
    "attempts",
]
SPOILABLE += ["retry_at", "retryable", "category", "expires_at", "secrets", "format"]


@pytest.mark.parametrize("field", SPOILABLE)
@pytest.mark.parametrize("garbage", [{TOKEN: TOKEN}, [TOKEN], [{TOKEN: TOKEN}]])
def test_json_with_a_spoiled_field_is_refused_without_quoting_it(field: str, garbage: object) -> None:
    """Whatever was spoiled, the error is a ValueError and shows no token."""
    data = json.loads(RESUMABLE.to_json(secrets=True)) | {field: garbage}

    with pytest.raises(ValueError, match="JSON") as caught:
        TechnicalFailure.from_json(json.dumps(data))

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("field", ["target", "info", "resume"])
@pytest.mark.parametrize("garbage", [{TOKEN: [TOKEN]}, {"$": TOKEN}, {"$": [TOKEN]}, {"$": "pushkit.Notification", TOKEN: [TOKEN]}])
def test_json_with_spoiled_secrets_is_refused_without_quoting_them(field: str, garbage: object) -> None:
    """The secret part as well."""
    data = json.loads(RESUMABLE.to_json(secrets=True))
    data["secrets"][field] = garbage if field != "info" else {"name": garbage}

    with pytest.raises(ValueError, match="JSON") as caught:
        TechnicalFailure.from_json(json.dumps(data))

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_times_are_aware_in_json() -> None:
    """Whoever reads it in another language knows the zone."""
    assert "2026-11-20T22:15:01.250000+00:00" == make_failure(Category.RECIPIENT).as_dict()["invalid_since"]


def test_as_dict_tells_recipients_apart_without_naming_them() -> None:
    """Two devices have two fingerprints; the caller's ref is there in the open."""
    one, two = (make_accepted(target=Phone(token, ref=7)).as_dict() for token in ("a" * 64, "b" * 64))

    assert one["target"] != two["target"]
    assert "7" == one["ref"]


@pytest.mark.parametrize(
    ("registered", "removable"),
    [(None, False), (STARTED - timedelta(days=1), True), (STARTED, True), (STARTED + timedelta(seconds=1), False)],
)
def test_a_later_registration_stays(registered: datetime | None, removable: bool) -> None:
    """APNs 410 tells since when: whoever registered again after that is a new registration of the same address."""
    assert removable == make_failure(Category.RECIPIENT).removable(registered)


@pytest.mark.parametrize("registered", [None, STARTED])
def test_without_a_time_a_gone_recipient_is_removable(registered: datetime | None) -> None:
    """FCM and Web Push tell no time."""
    assert make_failure(Category.RECIPIENT, invalid_since=None).removable(registered)


@pytest.mark.parametrize("action", [Action.REVIEW_RECIPIENT, Action.RESUBSCRIBE])
def test_a_suspect_is_never_removable(action: Action) -> None:
    """Never delete on doubt."""
    assert not make_failure(Category.RECIPIENT, action=action, invalid_since=None).removable(None)


def test_a_naive_registration_time_is_refused() -> None:
    """With the mend: comparing local with UTC time would delete the wrong ones."""
    with pytest.raises(ValueError, match="aware datetime"):
        make_failure(Category.RECIPIENT).removable(datetime(2026, 1, 1))


def test_another_time_zone_is_compared_rightly() -> None:
    """An aware time in any zone is a point in time."""
    tokyo = timezone(timedelta(hours=9))

    assert make_failure(Category.RECIPIENT).removable(STARTED.astimezone(tokyo))


def test_a_target_is_described_without_its_address() -> None:
    """For log lines: class, fingerprint, reference."""
    described = describe_target(Phone(ref=7))

    assert TOKEN not in described
    assert "ref=7" in described
    assert "<NoneType>" == describe_target(None)


def test_attempts_are_told_in_full() -> None:
    """Number, start, length, status, reason, and what it waited for."""
    assert {
        "number": 2,
        "started": STARTED.isoformat(),
        "elapsed": 0.25,
        "status": 503,
        "reason": "x",
        "waited": 1.5,
        "waited_for": "retry_after",
    } == make_attempt(2, status=503, reason="x", waited=1.5, waited_for=WaitedFor.RETRY_AFTER).as_dict()
