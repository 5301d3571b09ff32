"""Whatever Google, or anybody in its name, answers: exactly one verdict, nothing raises, no secret comes back."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.fcm.helpers import BEARER, NOW, TOKEN, judged, sender

from pushkit import Notification, fcm
from pushkit.fcm.iid import batch_flow
from pushkit.fcm.oauth import token_from
from pushkit.fcm.topics import list_flow
from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.provider import AccessToken
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import FaultKind, Processed, WireFault, WireResponse

WORDS = st.sampled_from(
    [
        "UNREGISTERED",
        "SENDER_ID_MISMATCH",
        "INVALID_ARGUMENT",
        "THIRD_PARTY_AUTH_ERROR",
        "QUOTA_EXCEEDED",
        "UNSPECIFIED_ERROR",
        "RATE_LIMIT_EXCEEDED",
        "ACCESS_TOKEN_EXPIRED",
        "SERVICE_DISABLED",
        "NOT_FOUND",
        "A_NEW_WORD",
        "not a word",
        "",
        "X" * 300,
        "\ud800",
    ]
)
APNS = st.sampled_from(
    ["BadDeviceToken", "Unregistered", "PayloadTooLarge", "InvalidProviderToken", "TooManyRequests", "NewReason", "\udfff", ""]
)
TEXT = st.one_of(
    st.text(max_size=40), st.just("The registration token is not a valid FCM registration token"), st.just("x" * 5000), st.just("\ud83d")
)
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(min_value=10**30, max_value=10**60), st.floats(allow_nan=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "google.firebase.fcm.v1.ApnsError",
        "type.googleapis.com/google.rpc.BadRequest",
        "type.googleapis.com/google.rpc.QuotaFailure",
        "type.googleapis.com/google.rpc.ErrorInfo",
        "type.googleapis.com/google.rpc.RetryInfo",
        "type.googleapis.com/google.rpc.Help",
        "FcmError",
        "",
    ]
)


def loose(strategy):
    """Mostly what it should be, now and then anything."""
    return st.one_of(strategy, strategy, strategy, JUNK)


VIOLATION = loose(
    st.fixed_dictionaries(
        {},
        optional={
            "field": loose(st.sampled_from(["message.token", "message.fid", "message.data[0].value", "", "message"])),
            "subject": loose(st.sampled_from(["topic:x", "device:y", "project:z"])),
            "description": loose(TEXT),
        },
    )
)
DETAIL = loose(
    st.fixed_dictionaries(
        {},
        optional={
            "@type": loose(KINDS),
            "errorCode": loose(WORDS),
            "reason": loose(st.one_of(APNS, WORDS)),
            "statusCode": loose(st.integers(min_value=-1, max_value=10**20)),
            "fieldViolations": loose(st.lists(VIOLATION, max_size=4)),
            "violations": loose(st.lists(VIOLATION, max_size=4)),
            "metadata": loose(st.dictionaries(st.sampled_from(["quota_limit", "x"]), loose(TEXT), max_size=2)),
            "retryDelay": loose(st.sampled_from(["42s", "1.5s", "-1s", "1e400s", "s", "9" * 30 + "s", ".s", "１s"])),
        },
    )
)
ERROR = st.fixed_dictionaries(
    {},
    optional={
        "code": loose(st.integers(min_value=0, max_value=999)),
        "message": loose(TEXT),
        "status": loose(WORDS),
        "details": loose(st.lists(DETAIL, max_size=6)),
    },
)


def _encoded(value):
    # Lone surrogates travel as \ud800 escapes, as a careless server sends them.
    return json.dumps(value, ensure_ascii=True).encode("ascii")


STRUCTURED = st.one_of(
    ERROR.map(lambda error: _encoded({"error": error})), JUNK.map(_encoded), loose(ERROR).map(lambda error: _encoded({"error": error}))
)
DEEP = st.integers(min_value=1, max_value=8000).map(lambda depth: b'{"error":' + b'{"details":[' * depth)
DUPLICATES = st.lists(st.sampled_from([b'"error":{"status":"NOT_FOUND"}', b'"error":{"details":[]}', b'"error":5']), max_size=3).map(
    lambda parts: b"{" + b",".join(parts) + b"}"
)
BODIES = st.one_of(STRUCTURED, st.binary(max_size=200), DEEP, DUPLICATES)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"retry-after", b"date", b"content-type"]),
        st.one_of(
            st.binary(max_size=30), st.sampled_from([b"60", b"9" * 40, b"-5", b"Wed, 21 Oct 2099 07:28:00 GMT", b"Mon, 99 Foo 0000"])
        ),
    ),
    max_size=3,
)
STATUSES = st.one_of(st.sampled_from([200, 201, 400, 401, 403, 404, 409, 413, 429, 499, 500, 501, 502, 503, 504]), st.integers(0, 999))
MESSAGES = st.sampled_from(
    [Notification(title="a title"), fcm.Message(data={"a": "b"}), fcm.Message(apns=fcm.ApnsConfig(live_activity_token="t" * 64))]
)
TARGETS = st.sampled_from([fcm.Registration(TOKEN), fcm.Installation("cXyZ012345")])


def assert_whole(verdict):
    """One category, and everything that goes with it."""
    if isinstance(verdict, Acceptance):
        return
    assert isinstance(verdict, Verdict)
    assert isinstance(verdict.category, Category)
    assert (verdict.category is Category.TECHNICAL) == isinstance(verdict.scope, Scope)
    assert verdict.retryable == (verdict.floor is not None)
    assert not verdict.retryable or verdict.category is Category.TECHNICAL
    assert not verdict.retryable or verdict.action is Action.RETRY_LATER
    assert verdict.reason
    assert verdict.reason.isprintable()
    assert verdict.advice.endswith(".")
    assert isinstance(verdict.disposition, Disposition)
    assert verdict.retry_after is None or 0 <= verdict.retry_after <= 86400
    for text in (verdict.detail, *verdict.info.values()):
        assert text.isprintable()
        text.encode("utf-8")


def returned(flow, *results):
    """What a flow gives when it gets these results."""
    try:
        next(flow)
        for result in results:
            flow.send(result)
    except StopIteration as stop:
        return stop.value
    return ()


@given(status=STATUSES, body=BODIES, headers=HEADERS, message=MESSAGES, target=TARGETS)
@example(status=400, body=b'{"error":' * 50_000, headers=[], message=Notification(title="x"), target=fcm.Registration(TOKEN))
def test_any_answer_to_a_push_is_judged(status, body, headers, message, target):
    """Wrong types, deep nesting, huge numbers, lone surrogates, duplicates."""
    assert_whole(judged(WireResponse(status, headers, body), message=message, target=target))


@given(kind=st.sampled_from(FaultKind), processed=st.sampled_from(Processed), goaway=st.one_of(st.none(), st.text(max_size=20)))
def test_any_fault_is_judged(kind, processed, goaway):
    """Not sent stays not sent."""
    verdict = judged(WireFault(kind=kind, processed=processed, goaway_reason=goaway))

    assert verdict.category is Category.TECHNICAL
    assert (verdict.disposition is Disposition.NOT_SENT) == (processed is Processed.NO)


@given(error=ERROR, status=st.sampled_from([400, 401, 403, 404, 413, 429, 500, 503]))
def test_only_evidence_against_the_recipient_accuses_it(error, status):
    """Whatever else an answer holds, a recipient failure has a code, an Apple reason, a named field or a known text behind it."""
    verdict = judged(WireResponse(status, (), _encoded({"error": error})))

    if verdict.category is Category.RECIPIENT:
        info = verdict.info
        assert (
            info.get("fcm_code") in {"UNREGISTERED", "SENDER_ID_MISMATCH"}
            or info.get("apns_reason") in {"BadDeviceToken", "Unregistered"}
            or set(info.get("fields", "-").split(", ")) <= {"message.token", "message.fid"}
            or "registration token" in verdict.detail.lower()
        )


@given(status=STATUSES, before=st.binary(max_size=50), after=st.binary(max_size=50))
def test_no_secret_of_the_push_comes_back(status, before, after):
    """A proxy that echoes the request is not quoted."""
    body = before + f" {TOKEN} {BEARER} a very private title ".encode() + after

    verdict = judged(WireResponse(status, (), body), message=Notification(title="a very private title"))

    shown = repr(verdict)
    assert not any(secret in shown for secret in (TOKEN, BEARER, "a very private title"))


@given(
    status=STATUSES,
    body=st.one_of(
        BODIES, st.dictionaries(st.sampled_from(["access_token", "expires_in", "error", "error_description"]), JUNK).map(_encoded)
    ),
    headers=HEADERS,
)
def test_any_answer_of_a_token_endpoint_is_a_token_or_a_verdict(status, body, headers):
    """Nothing raises, and a token fits into a header."""
    found = token_from(WireResponse(status, headers, body), NOW)

    if isinstance(found, AccessToken):
        assert found.value.isascii()
        assert NOW < found.expires_at <= NOW + 86400
    else:
        assert_whole(found)
        assert found.disposition is Disposition.NOT_SENT


@given(
    status=STATUSES,
    body=st.one_of(
        BODIES, st.lists(loose(st.dictionaries(st.just("error"), loose(WORDS))), max_size=3).map(lambda items: _encoded({"results": items}))
    ),
)
def test_any_answer_of_the_topic_services_is_judged(status, body):
    """One verdict for each registration, whatever came."""
    targets = [fcm.Registration(TOKEN), fcm.Registration(TOKEN + "2")]
    flow = batch_flow(sender(), targets, "news", subscribe=True, token=BEARER, now=NOW, deadline=1.0)
    found = returned(flow, WireResponse(status, (), body))

    assert 2 == len(found)
    for verdict in found:
        assert_whole(verdict)


@given(status=STATUSES, body=BODIES)
def test_any_answer_to_a_listing_is_a_list_or_a_verdict(status, body):
    """Nothing raises."""
    flow = list_flow(sender(), fcm.Registration(TOKEN), token=BEARER, now=NOW, deadline=1.0)

    assert isinstance(returned(flow, WireResponse(status, (), body)), (tuple, Verdict))
