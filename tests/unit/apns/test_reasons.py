"""The table against the reference, row by row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.apns.helpers import answer, judged

from pushkit import apns
from pushkit.apns.reasons import ROWS
from pushkit.outcomes import Action, Disposition
from pushkit.wire import FaultKind, Processed, WireFault, WireResponse

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "apns-errors.json").read_text("utf-8"))


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row["reason"])
def test_every_known_answer_is_judged_as_the_reference_says(row):
    """Category, reason, action, scope, disposition, retry and floor are the reference's."""
    verdict = judged(answer(row["status"], row["reason"]))

    assert row["category"] == verdict.category
    assert row["reason"] == verdict.reason
    assert row["do"].lower() == verdict.action
    assert row["technical_scope"] == (verdict.scope.name if verdict.scope else None)
    assert row["disposition"].lower() == verdict.disposition
    assert row["retryable"] == verdict.retryable
    assert row["min_delay_s"] == verdict.floor
    assert row["status"] == verdict.status
    assert verdict.advice.endswith(".")


def test_the_table_has_no_row_that_the_reference_does_not_know():
    """A reason that we made up would never be answered."""
    assert {row["reason"] for row in REFERENCE} == set(ROWS)


@pytest.mark.parametrize(
    "row", [row for row in REFERENCE if row["technical_scope"] in {"CREDENTIAL", "CONFIGURATION"}], ids=lambda row: row["reason"]
)
def test_a_goaway_that_names_a_credential_is_judged_by_that_row(row):
    """What the connection was closed for counts for every push that it left without an answer; nothing was sent."""
    fault = WireFault(kind=FaultKind.CONNECTION_LOST, processed=Processed.NO, goaway_reason=row["reason"])

    verdict = judged(fault)

    assert row["reason"] == verdict.reason
    assert row["do"].lower() == verdict.action
    assert Disposition.NOT_SENT == verdict.disposition
    assert row["retryable"] == verdict.retryable


@pytest.mark.parametrize("reason", ["Shutdown", "IdleTimeout", "BadDeviceToken", "Unregistered", "something new"])
def test_another_goaway_reason_stays_a_lost_connection(reason):
    """Why a connection ended says nothing about the pushes on it; no recipient is accused for it."""
    fault = WireFault(kind=FaultKind.CONNECTION_LOST, processed=Processed.UNKNOWN, goaway_reason=reason)

    verdict = judged(fault)

    assert "connection_lost" == verdict.reason
    assert Disposition.UNKNOWN == verdict.disposition
    assert verdict.retryable


def test_a_channel_that_is_unknown_is_under_suspicion():
    """Channel ids of the other environment look like this."""
    verdict = judged(
        answer(400, "ChannelNotRegistered"), target=apns.Channel("dHN0LXNyY2gtY2hubA=="), message=apns.LiveActivityUpdate({"score": 1})
    )

    assert verdict.suspicion


def test_every_advice_is_there_in_chinese_and_no_sentence_is_left_over():
    """The English sentence is the key: whoever changes it changes the translation too, or hears of it here."""
    from pushkit.apns.reasons import BY_STATUS, NOT_APNS, SERVER_ERROR, UNCLEAR_GONE
    from pushkit.apns.reasons_zh import ADVICE

    assert {row.advice for row in (*ROWS.values(), *BY_STATUS.values(), NOT_APNS, SERVER_ERROR, UNCLEAR_GONE)} == set(ADVICE)


@pytest.mark.parametrize("body", [b"", b"<html>Gone</html>", b'{"reason":"BadTopic"}', b'{"reason":"Unregistered","timestamp":"soon"}'])
def test_a_gone_that_is_not_apples_says_what_its_action_says(body):
    """To look first: the advice does not tell to remove what the action says to review."""
    verdict = judged(WireResponse(410, (), body))

    assert Action.REVIEW_RECIPIENT == verdict.action
    assert verdict.advice.startswith("Check before you remove")
    assert verdict.suspicion
