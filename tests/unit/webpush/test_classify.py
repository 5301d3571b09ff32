"""Answers and faults: every row of the reference table, and what is in no table."""

from __future__ import annotations

import json

import attrs
import pytest
from tests.unit.webpush.answers import Said, answer_for, mozilla_body
from tests.unit.webpush.helpers import BROWSER, ENDPOINTS, KEY, NOW, OTHER_KEY, REFERENCE, STAMP, SUBJECT, Push, request_for, sender

from pushkit import Action, Category, ConfigurationError, Disposition, Scope
from pushkit.own_reasons import OWN
from pushkit.verdict import Acceptance, Pause, PauseScope, RefreshCredential, RetireConnection
from pushkit.webpush import Config, Declarative, EndpointPolicy, Message, Subscription, VapidKey
from pushkit.webpush.reasons import ROWS
from pushkit.wire import FaultKind, Processed, WireFault, WireRequest, WireResponse

TABLE = json.loads((REFERENCE / "webpush-errors.json").read_text("utf-8"))
ANSWERS = [row for row in TABLE if row["service"] != "client"]
LOCAL_ROWS = {row["code"]: row for row in TABLE if row["service"] == "client"}
WEB = sender(endpoints=EndpointPolicy.any_public())


def name_of(row):
    return f"{row['service']} {row['status']} {row['code']}"


def judged(result, service="mozilla", *, web=WEB, message=None):
    """The verdict on a result, through the sender as the engine calls it."""
    target = BROWSER.subscription(ENDPOINTS[service])
    prepared = web.prepare(message or Message("hi"), Subscription, STAMP)
    request = web.address(prepared, target, Push())
    assert isinstance(request, WireRequest), request
    return web.classify(result, request, prepared, target, NOW)


def response(said: Said) -> WireResponse:
    return WireResponse(said.status, said.headers, said.body)


def expected(row) -> tuple:
    return (
        row["category"],
        row["reason"],
        row["do"],
        row["technical_scope"],
        row["disposition"],
        row["retryable"],
        row["min_delay_s"],
    )


def seen(verdict) -> tuple:
    return (
        verdict.category.value,
        verdict.reason,
        verdict.action.name,
        verdict.scope.name if verdict.scope else None,
        verdict.disposition.name,
        verdict.retryable,
        verdict.floor,
    )


@pytest.mark.parametrize("row", ANSWERS, ids=name_of)
def test_every_row_of_the_table_is_classified_as_it_says(row):
    """Category, reason, action, scope, disposition, retryable and floor of a realistic answer."""
    assert expected(row) == seen(judged(response(answer_for(row)), row["service"]))


@pytest.mark.parametrize("row", ANSWERS, ids=name_of)
def test_rows_that_call_for_a_new_signature_say_so(row):
    """One re-sign and one immediate retry is a directive; rows without it have none."""
    verdict = judged(response(answer_for(row)), row["service"])

    assert row.get("resign_once", False) == (RefreshCredential(latch=False) in verdict.directives)


@pytest.mark.parametrize("row", [row for row in ANSWERS if row["do"] == "RESUBSCRIBE"], ids=name_of)
def test_key_mismatches_are_suspect(row):
    """They may be our own deployment's wrong key, so nobody is removed and the guard watches them."""
    assert judged(response(answer_for(row)), row["service"]).suspicion


def test_no_answer_latches_the_credential():
    """An endpoint that a stranger made up must not stop everybody's pushes."""
    for row in ANSWERS:
        kinds = {type(directive).__name__ for directive in judged(response(answer_for(row)), row["service"]).directives}

        assert "LatchCredential" not in kinds


LOCAL_CASES = {
    "invalid_endpoint": lambda: request_for(Message("x"), BROWSER.subscription("http://fcm.googleapis.com/x")),
    "endpoint_host_not_allowed": lambda: request_for(Message("x"), BROWSER.subscription("https://push.example.org/x")),
    "endpoint_permanently_removed": lambda: request_for(Message("x"), BROWSER.subscription("https://permanently-removed.invalid/x")),
    "invalid_p256dh": lambda: request_for(Message("x"), BROWSER.subscription(p256dh="AAAA")),
    "invalid_auth_secret": lambda: request_for(Message("x"), BROWSER.subscription(auth="AAAA")),
    "subscription_expired_locally": lambda: request_for(Message("x"), BROWSER.subscription(expiration_time=NOW * 1000 - 1)),
    "payload_too_large": lambda: request_for(Message(b"x" * 3994), BROWSER.subscription()),
    "invalid_topic": lambda: request_for(Message("x", topic="abcde"), BROWSER.subscription()),
    "invalid_ttl": lambda: request_for(Message("x", ttl=-1), BROWSER.subscription()),
    "invalid_declarative_message": lambda: request_for(Declarative(title="x"), BROWSER.subscription()),
    "connect_error": lambda: judged(WireFault(kind=FaultKind.CONNECT_FAILED, processed=Processed.NO)),
    "connect_timeout": lambda: judged(WireFault(kind=FaultKind.CONNECT_TIMEOUT, processed=Processed.NO)),
    "read_timeout": lambda: judged(WireFault(kind=FaultKind.TIMEOUT, processed=Processed.UNKNOWN)),
    "connection_reset": lambda: judged(WireFault(kind=FaultKind.CONNECTION_LOST, processed=Processed.UNKNOWN)),
    "tls_certificate": lambda: judged(WireFault(kind=FaultKind.TLS_FAILED, processed=Processed.NO)),
    "response_too_large": lambda: judged(WireFault(kind=FaultKind.RESPONSE_TOO_LARGE, processed=Processed.UNKNOWN)),
}


@pytest.mark.parametrize("code", LOCAL_CASES)
def test_every_local_row_is_found_before_the_wire(code):
    """What never reached a service, as its row says."""
    assert expected(LOCAL_ROWS[code]) == seen(LOCAL_CASES[code]())


def test_the_two_rows_of_configuration_are_raised_when_it_is_made():
    """A wrong subject and a pair that does not belong together never get as far as a push; the row's words are in the error."""
    with pytest.raises(ConfigurationError, match="invalid_vapid_subject") as subject:
        Config(vapid=KEY, subject="mailto:ops@localhost")
    with pytest.raises(ConfigurationError, match="vapid_keypair_mismatch") as pair:
        VapidKey.parse(KEY.private_key, public_key=OTHER_KEY.public_key)

    assert LOCAL_ROWS["invalid_vapid_subject"]["advice"] in str(subject.value)
    assert LOCAL_ROWS["vapid_keypair_mismatch"]["advice"] in str(pair.value)
    for code in ("invalid_vapid_subject", "vapid_keypair_mismatch"):
        row, ours = LOCAL_ROWS[code], OWN[code]
        assert (row["category"], row["do"], row["technical_scope"]) == (ours.category.value, ours.action.name, ours.scope.name)


def test_every_local_row_has_a_case():
    """No row of the reference table is left out."""
    assert set(LOCAL_ROWS) == set(LOCAL_CASES) | {"invalid_vapid_subject", "vapid_keypair_mismatch"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.service} {row.status} {row.reason or row.match or ''}")
def test_every_row_of_ours_has_one_sentence_of_advice(row):
    """Plain, ending in a full stop, and with a delay exactly where a retry makes sense."""
    assert row.advice.endswith(".")
    assert 20 < len(row.advice) < 180
    assert (row.floor is not None) == row.kind.retryable


# -- success


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_status_of_success_is_accepted(status):
    """201 is usual, RFC 8030 has 202 for receipts, and services differ."""
    assert isinstance(judged(WireResponse(status, (), b"")), Acceptance)


def test_success_keeps_what_the_service_told():
    """Where the message can be withdrawn, and for how long it is kept."""
    acceptance = judged(WireResponse(201, ((b"location", b"https://updates.push.services.mozilla.com/m/abc"), (b"ttl", b"60")), b""))

    assert {"location": "https://updates.push.services.mozilla.com/m/abc", "ttl": "60"} == acceptance.info
    assert acceptance.message_id is None


def test_apples_id_is_the_message_id():
    """It is random, so it may be shown."""
    assert "A1B2" == judged(WireResponse(201, ((b"apns-id", b"A1B2"),), b""), "apple").message_id


@pytest.mark.parametrize("status", [201, 400])
@pytest.mark.parametrize(("service", "sent_back"), [("rfc", "A1B2"), ("apple", "x" * 129), ("apple", "A1\x1b[2J"), ("google", "A1B2")])
def test_an_id_is_shown_only_of_a_service_that_is_known_to_give_one(service, sent_back, status):
    """Any server that a stranger names could send our own token back as an id, and ids are in ``repr`` and in logs."""
    header = sent_back.encode()
    judgement = judged(WireResponse(status, ((b"apns-id", header), (b"x-wns-msg-id", b"ours")), b""), service)

    assert judgement.message_id is None


def test_a_message_over_the_portable_limit_is_noted_on_the_outcome():
    """By how much; the message goes out all the same."""
    acceptance = judged(WireResponse(201, (), b""), message=Message(b"x" * 2830))

    assert "10" == acceptance.info["over_portable_limit_by"]


def test_windows_may_take_a_push_and_drop_it():
    """x-wns-status on a 201; other services' headers of that name mean nothing."""
    headers = ((b"x-wns-notificationstatus", b"channelthrottled"),)

    assert ("channelthrottled", Scope.THROTTLE, True) == (
        (verdict := judged(WireResponse(201, headers, b""), "microsoft")).reason,
        verdict.scope,
        verdict.retryable,
    )
    assert isinstance(judged(WireResponse(201, headers, b""), "google"), Acceptance)
    assert isinstance(judged(WireResponse(201, ((b"x-wns-status", b"received"),), b""), "microsoft"), Acceptance)


# -- what is in no table


@pytest.mark.parametrize("service", ENDPOINTS)
@pytest.mark.parametrize(
    "status", [0, 100, 199, 300, 302, 303, 308, 402, 406, 407, 409, 411, 415, 421, 425, 431, 451, 499, 505, 507, 511, 520, 599, 600, 999]
)
def test_unknown_statuses_are_technical_and_named(service, status):
    """Nobody is removed on a status that no page documents, and the status is the reason."""
    if (service, status) == ("microsoft", 406):
        return
    verdict = judged(WireResponse(status, (), b"<html>"), service)

    assert Category.TECHNICAL == verdict.category
    assert f"http_{status}" == verdict.reason
    assert verdict.retryable == (verdict.action is Action.RETRY_LATER)


@pytest.mark.parametrize(
    ("service", "body", "status", "reason", "category"),
    [
        ("apple", b'{"reason": "BrandNewReason"}', 400, "BrandNewReason", Category.PAYLOAD),
        ("apple", b'{"reason": "BrandNewReason"}', 410, "BrandNewReason", Category.RECIPIENT),
        ("mozilla", mozilla_body(400, 150, "new"), 400, "errno 150", Category.PAYLOAD),
        ("mozilla", mozilla_body(410, 150, "new"), 410, "errno 150", Category.RECIPIENT),
        ("apple", b'{"reason": "VapidPkHashMismatch"}', 401, "VapidPkHashMismatch", Category.RECIPIENT),
        ("apple", b'{"reason": "bad\\u0000 reason"}', 400, "http_400", Category.PAYLOAD),
        ("apple", b'{"reason": ["BadTtl"]}', 400, "http_400", Category.PAYLOAD),
        ("mozilla", b'{"errno": true}', 400, "http_400", Category.PAYLOAD),
        ("mozilla", b'{"errno": 1e999}', 400, "http_400", Category.PAYLOAD),
        ("google", b"<html>throttled</html>", 400, "http_400", Category.PAYLOAD),
        ("rfc", b"you were throttled", 400, "http_400", Category.PAYLOAD),
    ],
)
def test_unknown_reasons_keep_their_word_and_fall_back_on_the_status(service, body, status, reason, category):
    """The world is open: a new reason is reported as it is, and judged by its status."""
    verdict = judged(WireResponse(status, (), body), service)

    assert (reason, category) == (verdict.reason, verdict.category)


def test_an_autopush_of_ones_own_is_recognised_by_its_json():
    """Its errno means what Mozilla's means."""
    verdict = judged(WireResponse(410, (), mozilla_body(410, 103, "Expired URL endpoint")), "rfc")

    assert ("errno 103", Category.RECIPIENT) == (verdict.reason, verdict.category)


# -- evidence


def test_too_long_by_is_parsed():
    """Autopush counts characters of base64; three of our bytes make four of them."""
    said = mozilla_body(413, 104, "Converted buffer is too long by 148 bytes")
    verdict = judged(WireResponse(413, (), said))

    assert "148" == verdict.info["too_long_by"]
    assert "at least 111 bytes" in verdict.advice


def test_a_number_that_nobody_would_send_is_not_told():
    """Ten digits of "too long by" are nonsense, and nonsense is no advice."""
    body = mozilla_body(413, 104, "Data payload must be smaller, too long by 9999999999 bytes")
    verdict = judged(WireResponse(413, (), body))

    assert "too_long_by" not in verdict.info
    assert "9999999999" not in verdict.advice
    assert "7499999999" not in verdict.advice


def test_a_header_of_any_length_is_not_kept():
    """An outcome lives as long as a report: a server must not decide how large it is."""
    acceptance = judged(
        WireResponse(201, ((b"location", b"https://updates.push.services.mozilla.com/" + b"m" * 2048), (b"ttl", b"60")), b"")
    )

    assert {"ttl": "60"} == acceptance.info


@pytest.mark.parametrize(("date", "said"), [("Mon, 01 Jan 2024 00:00:00 GMT", "ahead of"), ("Fri, 01 Jan 2100 00:00:00 GMT", "behind")])
def test_a_wrong_clock_is_named(date, said):
    """Tokens are refused as expired or too long when this machine's clock is off; the answer's Date tells."""
    verdict = judged(WireResponse(403, ((b"date", date.encode()),), b"invalid JWT provided"), "google")

    assert f"hours {said} the push service" in verdict.advice
    assert "clock_ahead_s" in verdict.info
    assert ("invalid_jwt", Action.FIX_CREDENTIALS) == (verdict.reason, verdict.action)


def test_a_right_clock_is_not_blamed():
    """A few minutes mean nothing."""
    from email.utils import formatdate

    verdict = judged(WireResponse(403, ((b"date", formatdate(NOW - 300, usegmt=True).encode()),), b"invalid JWT provided"), "google")

    assert "clock_ahead_s" not in verdict.info


def test_a_redirect_is_reported_and_not_followed():
    """Location is kept for the caller to judge."""
    verdict = judged(WireResponse(301, ((b"location", b"https://elsewhere.example.net/x"),), b""))

    assert "https://elsewhere.example.net/x" == verdict.info["location"]
    assert Action.FIX_CONFIGURATION == verdict.action


def test_retry_after_is_kept_and_pauses_this_recipient_only():
    """RFC 8030 section 8.4: the limit is this push resource's."""
    verdict = judged(WireResponse(429, ((b"retry-after", b"90"),), b""), "google")

    assert (60, 90) == (verdict.floor, verdict.retry_after)
    assert (Pause(scope=PauseScope.RECIPIENT, seconds=90.0),) == verdict.directives


def test_retry_after_means_nothing_where_nothing_is_retried():
    """A 410 that asks to come back in an hour is still gone."""
    assert judged(WireResponse(410, ((b"retry-after", b"90"),), b"")).retry_after is None


@pytest.mark.parametrize("reason", ["IdleTimeout", "Shutdown"])
def test_apples_ending_connections_are_retired(reason):
    """The next try goes over a new one."""
    verdict = judged(WireResponse(503 if reason == "Shutdown" else 400, (), json.dumps({"reason": reason}).encode()), "apple")

    assert RetireConnection() in verdict.directives


def test_the_detail_holds_no_secret():
    """A service that quotes everything it got back shows nothing of it."""
    target = BROWSER.subscription(ENDPOINTS["google"])
    prepared = WEB.prepare(Message("the text that nobody may see"), Subscription, STAMP)
    request = WEB.address(prepared, target, Push())
    authorization = dict(request.headers)[b"authorization"].decode()
    echo = f"bad: {target.endpoint} {request.path.decode()} {target.p256dh} {target.auth} {authorization} {authorization.split(' ')[1]} the text that nobody may see"

    detail = WEB.classify(WireResponse(400, (), echo.encode()), request, prepared, target, NOW).detail

    assert detail.startswith("bad: ")
    for secret in (target.endpoint, "APA91bEndpointToken", target.p256dh, target.auth, "eyJ", "nobody may see"):
        assert secret not in detail


def test_the_detail_holds_no_secret_that_a_service_decoded():
    """Microsoft's endpoints are percent-encoded, and a service quotes what it read."""
    target = attrs.evolve(
        BROWSER.subscription(ENDPOINTS["microsoft"]),
        endpoint="https://db5.notify.windows.com/w/?token=BQYAAAD%2bSecretPart%2fAndMore%3d%3d",
    )
    prepared = WEB.prepare(Message("text"), Subscription, STAMP)
    request = WEB.address(prepared, target, Push())
    headers = ((b"x-wns-error-description", b"bad token BQYAAAD+SecretPart/AndMore=="),)

    detail = WEB.classify(WireResponse(400, headers, b""), request, prepared, target, NOW).detail

    assert "bad token [masked]" == detail


def test_control_characters_do_not_reach_a_terminal():
    """Escape sequences in a body are taken out."""
    assert "\x1b" not in judged(WireResponse(400, (), b"\x1b[2Jgone\r\n\x00")).detail


def test_refresh_drops_the_token_of_that_request():
    """The next request to that origin carries a fresh one, others keep theirs."""
    web = sender()
    first = request_for(Message("x"), BROWSER.subscription(), with_sender=web)
    other = request_for(Message("x"), BROWSER.subscription(ENDPOINTS["google"]), with_sender=web)
    web.refresh(first)
    later = Push(now=NOW + 5)

    assert first.headers != request_for(Message("x"), BROWSER.subscription(), with_sender=web, push=later).headers
    assert other.headers is request_for(Message("x"), BROWSER.subscription(ENDPOINTS["google"]), with_sender=web, push=later).headers


def test_a_subject_reaches_the_token():
    """Whom a service may write to."""
    assert sender().findings(NOW)
    assert SUBJECT in next(iter(sender().findings(NOW))).message


def test_dispositions_of_faults_follow_what_the_transport_proved():
    """A time-out before anything was written is not sent."""
    assert Disposition.NOT_SENT == judged(WireFault(kind=FaultKind.TIMEOUT, processed=Processed.NO)).disposition
