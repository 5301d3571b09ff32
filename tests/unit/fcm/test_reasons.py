"""The table against the reference, row by row."""

from __future__ import annotations

import pytest
from tests.unit.fcm.answers import OTHER_ROWS, SEND_ANSWERS, SEND_ROWS, key_of
from tests.unit.fcm.helpers import TOKEN, answer, judged

from pushkit import Notification, fcm
from pushkit.fcm.reasons import APNS_ROWS, FCM_ROWS, IID_ROWS, INFO_ROWS, ROWS, STATUS_ROWS
from pushkit.outcomes import Category, Disposition
from pushkit.verdict import Verdict
from pushkit.wire import FaultKind, Processed, WireFault

LIVE = fcm.Message(apns=fcm.ApnsConfig(live_activity_token="a" * 64, payload={"aps": {"event": "update"}}))
CASES = [
    pytest.param(row, each, id=f"{key_of(row)[:60]} #{index}") for row in SEND_ROWS for index, each in enumerate(SEND_ANSWERS[key_of(row)])
]


def assert_as_reference(row, verdict):
    """Everything that the reference fixes, field by field."""
    assert isinstance(verdict, Verdict)
    assert row["category"] == verdict.category
    assert row["do"].lower() == verdict.action
    assert row["technical_scope"] == (verdict.scope.name if verdict.scope else None)
    assert row["disposition"].lower() == verdict.disposition
    assert row["retryable"] == verdict.retryable
    assert row["min_delay_s"] == verdict.floor
    assert verdict.reason in row["reason"].split(" | ")
    assert verdict.advice.endswith(".")


@pytest.mark.parametrize(("row", "each"), CASES)
def test_every_known_answer_is_judged_as_the_reference_says(row, each):
    """Category, reason, action, scope, disposition, retry and floor are the reference's, for JSON, HTML and empty bodies."""
    target = fcm.Topic("news") if each.fan_out else fcm.Registration(TOKEN)

    verdict = judged(answer(each.status, each.body), message=LIVE if each.live_activity else Notification(title="x"), target=target)

    assert_as_reference(row, verdict)
    assert each.status == verdict.status


def test_every_row_of_the_reference_is_walked_somewhere():
    """What the send endpoint does not answer are faults, the token endpoint and topics, tested in their own files."""
    assert {
        "None connect/DNS/TLS failure",
        "None read timeout or reset after send",
        "None HTTP/2 GOAWAY / stream refused",
        "400 token endpoint invalid_grant",
        "None token endpoint 408/429/500/503/504",
        "404 topicSubscriptions.delete/get",
        "200 IID result NOT_FOUND",
        "200 IID result INVALID_ARGUMENT",
        "200 IID result TOO_MANY_TOPICS",
        "200 IID result RESOURCE_EXHAUSTED",
        "200 IID result PERMISSION_DENIED",
        "200 IID result INTERNAL|UNKNOWN|DEADLINE_EXCEEDED",
    } == set(OTHER_ROWS)
    assert len(SEND_ROWS) == len(SEND_ANSWERS)


@pytest.mark.parametrize(
    ("key", "kind", "processed"),
    [
        ("None connect/DNS/TLS failure", FaultKind.CONNECT_FAILED, Processed.NO),
        ("None read timeout or reset after send", FaultKind.TIMEOUT, Processed.UNKNOWN),
        ("None read timeout or reset after send", FaultKind.CONNECTION_LOST, Processed.UNKNOWN),
        ("None HTTP/2 GOAWAY / stream refused", FaultKind.REFUSED_STREAM, Processed.NO),
    ],
)
def test_faults_are_judged_as_the_reference_says(key, kind, processed):
    """What happened instead of an answer has its row too."""
    assert_as_reference(OTHER_ROWS[key], judged(WireFault(kind=kind, processed=processed)))


def test_what_provably_never_left_may_be_repeated_soon():
    """A timeout before the first byte was written is not Google's slowness, so Google's ten seconds do not apply."""
    verdict = judged(WireFault(kind=FaultKind.TIMEOUT, processed=Processed.NO))

    assert (Disposition.NOT_SENT, 1.0) == (verdict.disposition, verdict.floor)


def test_every_row_is_reachable_or_explained():
    """No row is dead: each is named by a table or picked by the procedure."""
    picked = {
        "unregistered_apns",
        "live_activity_gone",
        "third_party_auth_apns",
        "malformed_field",
        "malformed_text",
        "apns_gone",
        "payload",
        "payload_field",
        "payload_too_big",
        "payload_data_key",
        "payload_ttl",
        "payload_package",
        "payload_topic",
        "payload_android_both",
        "quota",
        "quota_project",
        "quota_topic",
        "quota_device",
        "overload",
        "undocumented",
        "server",
        "malformed",
        "topics_missing",
    }
    named = {*IID_ROWS.values(), *FCM_ROWS.values(), *APNS_ROWS.values(), *INFO_ROWS.values(), *STATUS_ROWS.values()}

    assert set(ROWS) == picked | named


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_every_row_is_consistent(row):
    """A technical row has a scope, another has none; only technical rows are retried."""
    assert (row.category is Category.TECHNICAL) == (row.scope is not None)
    assert row.category is Category.TECHNICAL or not row.retryable
    assert row.advice.endswith(".")
    assert row.meaning.endswith(".")


def test_every_advice_is_there_in_chinese():
    """A team that reads Chinese gets all of it, the token endpoint's included."""
    from pushkit.fcm import oauth
    from pushkit.fcm.reasons_zh import ADVICE

    assert {row.advice for row in ROWS.values()} | set(oauth.ADVICE.values()) | {oauth.REFUSED} <= set(ADVICE)
