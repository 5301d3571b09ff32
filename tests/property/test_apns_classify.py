"""Any answer, any fault, any bytes: exactly one verdict, nothing raised, no secret shown."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.apns.helpers import NOW, STAMP, TOKEN, Push, sender

from pushkit import Category, Notification, apns
from pushkit.apns.reasons import ROWS
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import FaultKind, Processed, WireFault, WireResponse

SENDER = sender()
TARGET = apns.Device(TOKEN)
PREPARED = SENDER.prepare(Notification(title="Canary title"), apns.Device, STAMP)
REQUEST = SENDER.address(PREPARED, TARGET, Push())

words = st.sampled_from([*ROWS, "Service Unavailable", "New", "", TOKEN, "Canary title", "\ud800", "x" * 10_000, "\x1b[31m"]) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
bodies = (
    st.binary(max_size=200)
    | st.builds(lambda reason, at: json.dumps({"reason": reason, "timestamp": at}).encode(), words | values, values)
    | st.builds(lambda n: b"[" * n, st.integers(0, 20_000))
    | st.builds(lambda n: b'{"reason":' + b"9" * n + b"}", st.integers(1, 6_000))
)
headers = st.lists(
    st.tuples(st.sampled_from([b"retry-after", b"date", b"apns-id", b"apns-unique-id", b"x"]), st.binary(max_size=40)), max_size=4
)
answers = st.builds(
    WireResponse, st.integers(100, 999) | st.sampled_from([0, 200, 400, 403, 410, 429, 503]), headers, bodies, st.integers(0, 9)
)
faults = st.builds(
    WireFault,
    kind=st.sampled_from(FaultKind),
    processed=st.sampled_from(Processed),
    detail=st.text(max_size=20),
    goaway_reason=st.none() | words,
    connection_id=st.integers(0, 9),
)


@settings(max_examples=400, deadline=None)
@given(answers | faults)
def test_every_result_lands_in_exactly_one_category(result):
    """An acceptance for 200 alone; a verdict with a category, a reason and an advice for everything else."""
    judged = SENDER.classify(result, REQUEST, PREPARED, TARGET, NOW)

    if isinstance(judged, Acceptance):
        assert isinstance(result, WireResponse)
        assert 200 == result.status
        return
    assert isinstance(judged, Verdict)
    assert isinstance(judged.category, Category)
    assert judged.reason
    assert judged.advice
    assert (judged.scope is not None) == (judged.category is Category.TECHNICAL)
    assert judged.retryable == (judged.floor is not None)
    for secret in (TOKEN, "Canary title", "\x1b"):
        assert secret not in judged.reason + judged.detail + judged.advice
    (judged.reason + judged.detail).encode()


@settings(max_examples=200, deadline=None)
@given(answers)
def test_nobody_is_removed_but_for_a_410_or_a_broken_channel_id(result):
    """Deleting a good device is the one mistake that cannot be mended."""
    judged = SENDER.classify(result, REQUEST, PREPARED, TARGET, NOW)

    if isinstance(judged, Verdict) and judged.action == "remove_recipient":
        assert 410 == result.status or "BadChannelId" == judged.reason


garbage = values | st.binary() | st.just(object())


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "title": garbage,
            "subtitle": garbage,
            "body": garbage,
            "badge": garbage,
            "sound": garbage,
            "category": garbage,
            "group": garbage,
            "collapse_key": garbage,
            "data": garbage,
            "link": garbage,
            "image": garbage,
            "background": st.booleans(),
        },
    )
)
def test_any_content_is_sent_or_refused_but_never_raises(fields):
    """Rows of real tables hold anything; what is sent is JSON within the limit."""
    message = Notification(**fields)

    prepared = SENDER.prepare(message, apns.Device, STAMP)

    if isinstance(prepared, Verdict):
        assert Category.PAYLOAD is prepared.category
        assert isinstance(prepared.advice.encode(), bytes)
        return
    request = SENDER.address(prepared, TARGET, Push())
    assert len(request.body) <= 4096
    assert "aps" in json.loads(request.body)
    for name, value in (*request.block.fields, *request.headers):
        assert name == name.lower()
        assert not set(value) & {0, 10, 13}


@settings(max_examples=200, deadline=None)
@given(garbage)
def test_any_token_is_sent_or_refused_but_never_raises(token):
    """And what is sent is a path of one segment."""
    made = SENDER.address(PREPARED, apns.Device(token), Push())

    if isinstance(made, Verdict):
        assert Category.RECIPIENT is made.category
        return
    assert set(made.path.removeprefix(b"/3/device/")) <= set(b"0123456789abcdefABCDEF")


@settings(max_examples=200, deadline=None)
@given(garbage)
def test_any_payload_is_sent_or_refused_but_never_raises(payload):
    """The raw message too."""
    prepared = SENDER.prepare(apns.Push(payload), apns.Device, STAMP)

    assert isinstance(prepared, Verdict) or len(prepared.body) <= 4096
