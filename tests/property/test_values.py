"""Values travel and never tell secrets, whatever they hold."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from tests.values import Crowd, Phone, make_attempt

from pushkit import (
    Accepted,
    Action,
    Category,
    Disposition,
    Localized,
    Notification,
    PayloadFailure,
    Priority,
    RecipientFailure,
    Report,
    Scope,
    Sound,
    TechnicalFailure,
)
from pushkit.codec import decode, encode
from pushkit.outcomes import Resume, WaitedFor
from pushkit.secret import clean, scrub

TEXT = st.text(max_size=30)
MAYBE = st.none() | TEXT
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
LOCALIZED = st.builds(Localized, TEXT, args=st.lists(TEXT, max_size=3), fallback=MAYBE)
NOTIFICATIONS = st.builds(
    Notification,
    title=MAYBE | LOCALIZED,
    body=MAYBE | LOCALIZED,
    image=MAYBE,
    badge=st.none() | st.integers(0, 99),
    sound=MAYBE | st.builds(Sound, name=TEXT, critical=st.booleans(), volume=st.none() | st.floats(0, 1)),
    data=st.dictionaries(TEXT, TEXT, max_size=3),
    ttl=st.none() | st.integers(0, 10**7) | st.floats(0, 1e6) | st.timedeltas(),
    expires_at=st.none() | TIMES,
    priority=st.sampled_from(Priority),
    key=MAYBE,
    label=MAYBE,
)
REFS = st.none() | st.integers() | TEXT | st.uuids()
TARGETS = st.builds(Phone, TEXT, app=TEXT, ref=REFS) | st.builds(Crowd, TEXT, ref=REFS)
ATTEMPTS = st.lists(
    st.builds(
        make_attempt,
        st.integers(1, 9),
        started=TIMES,
        elapsed=st.floats(0, 100),
        status=st.none() | st.integers(100, 599),
        reason=MAYBE,
        waited=st.floats(0, 100),
        waited_for=st.sampled_from(WaitedFor),
    ),
    max_size=3,
).map(tuple)
COMMON = {
    "target": TARGETS,
    "provider": st.sampled_from(["apns", "fcm", "webpush", ""]),
    "message_id": MAYBE,
    "attempts": ATTEMPTS,
    "elapsed": st.floats(0, 1e6),
    "expires_at": st.none() | TIMES,
    "label": MAYBE,
    "info": st.dictionaries(TEXT, TEXT, max_size=2),
}
FAILED = COMMON | {
    "reason": TEXT,
    "status": st.none() | st.integers(100, 599),
    "disposition": st.sampled_from(Disposition),
    "retryable": st.booleans(),
    "retry_at": st.none() | TIMES,
    "action": st.sampled_from(Action),
    "advice": TEXT,
    "detail": TEXT,
    "field": MAYBE,
    "invalid_since": st.none() | TIMES,
    "resume": st.none()
    | st.builds(Resume, message=NOTIFICATIONS, key=TEXT, push_id=st.uuids().map(str), expires_at=st.none() | st.floats(0, 1e10)),
}
OUTCOMES = st.one_of(
    st.builds(Accepted, **COMMON),
    st.builds(TechnicalFailure, **FAILED, scope=st.sampled_from(Scope)),
    st.builds(PayloadFailure, **FAILED),
    st.builds(RecipientFailure, **FAILED),
)
SECRET = "canary-0f1e2d3c4b5a"


@given(OUTCOMES)
def test_every_outcome_pickles_and_compares_equal(outcome) -> None:
    """Process pools and queues of pickles."""
    assert outcome == pickle.loads(pickle.dumps(outcome))


@given(OUTCOMES)
def test_every_outcome_travels_as_json(outcome) -> None:
    """Queues of text; what comes back is equal, its ref too."""
    arrived = type(outcome).from_json(outcome.to_json(secrets=True))

    assert outcome == arrived
    assert outcome.target.ref == arrived.target.ref


@given(OUTCOMES)
def test_the_open_form_is_json_and_shows_no_address(outcome) -> None:
    """as_dict without secrets is for logs."""
    assert json.loads(outcome.to_json()) == json.loads(json.dumps(outcome.as_dict()))


@given(NOTIFICATIONS)
def test_every_notification_travels_as_json(notification: Notification) -> None:
    """It is what a resumed push says."""
    assert notification == decode(json.loads(json.dumps(encode(notification))))


@given(st.data())
def test_a_secret_shows_in_no_repr_and_no_report(data: st.DataObject) -> None:
    """Wherever a token or text may stand, no text form of outcome and report shows it."""
    around = data.draw(st.text(max_size=5))
    secret = around + SECRET + around
    notification = Notification(
        title=secret, body=Localized(secret, (secret,), secret), image=secret, link=secret, data={secret: secret}, key=secret
    )
    failure = data.draw(
        st.builds(
            TechnicalFailure,
            **FAILED
            | {"target": st.builds(Phone, st.just(secret), ref=st.builds(object) | st.none()), "info": st.just({"location": secret})},
            scope=st.sampled_from(Scope),
        )
    )
    resume = Resume(message=notification, key=secret, push_id="id", expires_at=None)
    report = Report(keep="all")
    report.add(failure)

    shown = [
        repr(notification),
        repr(resume),
        repr(failure),
        str(failure),
        failure.to_json(),
        repr(failure.target),
        repr(report),
        str(report),
        str(report.as_dict()),
    ]

    assert not [text for text in shown if SECRET in text]


@given(st.text(max_size=3000), st.integers(1, 600))
def test_clean_text_is_printable_and_short(text: str, limit: int) -> None:
    """No terminal, log or page obeys what is left."""
    shown = clean(text, limit=limit)

    assert len(shown) <= limit
    assert not shown or shown.isprintable()


@given(st.text(max_size=700), st.text(max_size=700), st.text(min_size=6, max_size=80))
def test_scrubbed_text_holds_no_secret(before: str, after: str, secret: str) -> None:
    """Wherever it stands and whatever it is."""
    assert secret not in scrub(before + secret + after, [secret]).replace("[masked]", "\x00")


@given(st.lists(OUTCOMES, max_size=20))
def test_a_report_counts_everything_once(outcomes: list) -> None:
    """The columns, the rows and the groups add up."""
    report = Report.collect(outcomes, keep="all")

    assert len(outcomes) == report.total == report.accepted + report.failed
    assert outcomes == list(report.outcomes)
    assert report.failed == sum(group.count for group in report.groups) == len(report.failures)
    assert report.total == sum(row.total for row in report.rows)
    for category in Category:
        assert sum(1 for outcome in outcomes if outcome.category is category) == sum(
            g.count for g in report.groups if g.category is category
        )
    assert not set(map(id, report.to_remove)) & set(map(id, report.to_review))
    assert str(report).isprintable() or "\n" in str(report)
