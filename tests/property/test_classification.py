"""Any status and any bytes from any provider land in exactly one category and never raise."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pushkit import Action, Category, Disposition, Scope
from pushkit.apns.classify import classify as classify_apns
from pushkit.cli.handbook import entries
from pushkit.fcm.classify import classify as classify_fcm
from pushkit.secret import DETAIL_LIMIT
from pushkit.verdict import Acceptance, Verdict
from pushkit.webpush.classify import classify_answer, classify_fault
from pushkit.webpush.endpoints import Service
from pushkit.wire import FaultKind, Processed, WireFault, WireResponse

NOW = 1_790_000_000.0
SECRET = "canary-secret-that-a-provider-echoes"

WORDS = sorted({row.reason for provider in ("apns", "fcm", "webpush") for row in entries(provider)})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(WORDS) | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=10) | st.sampled_from(["reason", "error", "status"]), inner, max_size=4)
    ),
    max_leaves=12,
)
FCM_DETAIL = st.fixed_dictionaries(
    {
        "@type": st.sampled_from(
            ["type.googleapis.com/google.firebase.fcm.v1.FcmError", "type.googleapis.com/google.firebase.fcm.v1.ApnsError", "x"]
        )
        | JSON
    },
    optional={
        "errorCode": st.sampled_from(WORDS) | JSON,
        "reason": st.sampled_from(WORDS) | JSON,
        "statusCode": JSON,
        "fieldViolations": st.lists(st.fixed_dictionaries({"field": JSON, "description": JSON}), max_size=2) | JSON,
        "violations": JSON,
        "metadata": JSON,
        "retryDelay": st.text(max_size=12) | JSON,
    },
)
SHAPED = st.one_of(
    st.fixed_dictionaries({"reason": st.sampled_from(WORDS) | JSON}, optional={"timestamp": JSON}),
    st.fixed_dictionaries({"errno": JSON, "code": JSON, "message": JSON, "more_info": JSON}),
    st.fixed_dictionaries(
        {
            "error": st.fixed_dictionaries(
                {"status": st.sampled_from(WORDS) | JSON},
                optional={"message": JSON, "details": st.lists(FCM_DETAIL | JSON, max_size=3) | JSON},
            )
            | JSON
        }
    ),
)
BODIES = (
    st.binary(max_size=300)
    | (SHAPED | JSON).map(lambda value: json.dumps(value).encode())
    | st.just(b"[" * 16_000)
    | st.just(b"x" * 100_000)
)
NAMES = [
    b"retry-after",
    b"date",
    b"content-type",
    b"location",
    b"apns-id",
    b"x-wns-status",
    b"x-wns-error-description",
    b"x-wns-notificationstatus",
    b"x",
]
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=40) | st.just(SECRET.encode())), max_size=5)
STATUSES = st.integers(-1, 1000) | st.sampled_from([200, 201, 202, 204, 400, 401, 403, 404, 410, 413, 429, 500, 502, 503])

JUDGES = {
    "apns": lambda answer: classify_apns(answer, message_id="id", secrets=lambda: (SECRET,), now=NOW),
    "fcm": lambda answer: classify_fcm(answer, NOW),
    **{
        f"webpush-{service.value}": lambda answer, service=service: (
            classify_fault(answer) if isinstance(answer, WireFault) else classify_answer(answer, service, (SECRET,), NOW)
        )
        for service in Service
    },
}


def well_formed(verdict: Verdict) -> None:
    assert isinstance(verdict.category, Category)
    assert isinstance(verdict.action, Action)
    assert isinstance(verdict.disposition, Disposition)
    assert (verdict.category is Category.TECHNICAL) == isinstance(verdict.scope, Scope)
    assert verdict.reason
    assert verdict.reason.isprintable()
    assert len(verdict.reason) <= 200
    assert verdict.advice
    assert len(verdict.detail) <= DETAIL_LIMIT
    assert all(character.isprintable() for character in verdict.detail)
    assert verdict.floor is None or verdict.floor >= 0
    assert verdict.retry_after is None or verdict.retry_after >= 0
    if verdict.retryable:
        assert verdict.floor is not None
    if verdict.action in {Action.REMOVE_RECIPIENT, Action.REVIEW_RECIPIENT, Action.RESUBSCRIBE}:
        assert verdict.category is Category.RECIPIENT
    if verdict.invalid_since is not None:
        assert verdict.invalid_since.tzinfo is not None
        verdict.invalid_since.isoformat()


@pytest.mark.parametrize("judge", JUDGES)
@given(status=STATUSES, body=BODIES, headers=HEADERS)
@example(status=410, body=b'{"reason":"Unregistered","timestamp":1e400}', headers=[])
@example(status=410, body=b'{"reason":"\\ud800","timestamp":"x"}', headers=[(b"retry-after", b"\xff")])
@example(status=200, body=b'{"name":' + b"9" * 5000 + b"}", headers=[])
@example(
    status=429, body=b'{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1e9999s"}]}}', headers=[]
)
def test_any_answer_has_exactly_one_verdict(judge: str, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever comes, in whatever shape: an acceptance for a 2xx, a well-formed verdict else."""
    result = JUDGES[judge](WireResponse(status=status, headers=headers, body=body))

    if isinstance(result, Acceptance):
        assert 200 <= status < 300
    else:
        well_formed(result)


@pytest.mark.parametrize("judge", [name for name in JUDGES if name != "fcm"])
@given(status=STATUSES, before=st.text(max_size=600), headers=HEADERS)
def test_an_echoed_secret_is_not_in_the_verdict(judge: str, status: int, before: str, headers: list[tuple[bytes, bytes]]) -> None:
    """A provider or proxy that repeats what it was sent does not make pushkit repeat it."""
    body = json.dumps({"reason": "Other", "message": before + SECRET}, ensure_ascii=False).encode("utf-8", "replace")

    result = JUDGES[judge](WireResponse(status=status, headers=headers, body=body))

    if isinstance(result, Verdict):
        assert SECRET not in f"{result.detail} {result.reason} {result.advice}"


@pytest.mark.parametrize("judge", JUDGES)
@given(
    kind=st.sampled_from(FaultKind),
    processed=st.sampled_from(Processed),
    detail=st.text(max_size=50),
    goaway=st.none() | st.text(max_size=50),
)
def test_any_fault_has_exactly_one_verdict(judge: str, kind: FaultKind, processed: Processed, detail: str, goaway: str | None) -> None:
    """No answer is an outcome too; what may have been processed is never called unsent."""
    verdict = JUDGES[judge](WireFault(kind=kind, processed=processed, detail=detail, goaway_reason=goaway))

    assert isinstance(verdict, Verdict)
    assert verdict.reason
    if processed is Processed.UNKNOWN and verdict.category is Category.TECHNICAL:
        assert verdict.disposition is Disposition.UNKNOWN
    assert (verdict.category is Category.TECHNICAL) == isinstance(verdict.scope, Scope)


@pytest.mark.parametrize("judge", JUDGES)
@given(status=st.integers(300, 999).filter(lambda status: status not in {404, 410}), body=st.binary(max_size=100))
def test_no_undocumented_answer_removes_anybody(judge: str, status: int, body: bytes) -> None:
    """A proxy's error page is no proof that a phone is gone."""
    result = JUDGES[judge](WireResponse(status=status, headers=[], body=b"<html>" + body))

    assert isinstance(result, Verdict)
    assert result.action is not Action.REMOVE_RECIPIENT


@pytest.mark.parametrize("judge", JUDGES)
def test_what_may_have_arrived_is_not_plainly_to_be_sent_again(judge: str) -> None:
    """The advice of an answer that can come after delivery names the second copy: it is read where nothing repeats the push any more."""
    bodies = [b"", *(json.dumps({"error": {"status": word}, "reason": word}).encode() for word in WORDS)]
    answers = [(status, b"") for status in range(200, 600)] + [
        (status, body) for status in (200, 408, 500, 502, 503, 504) for body in bodies
    ]
    verdicts = [JUDGES[judge](WireResponse(status=status, headers=[], body=body)) for status, body in answers]
    doubtful = [verdict for verdict in verdicts if isinstance(verdict, Verdict) and verdict.disposition is Disposition.UNKNOWN]

    assert [] == [verdict.advice for verdict in doubtful if verdict.action is Action.RETRY_LATER and "second copy" not in verdict.advice]
