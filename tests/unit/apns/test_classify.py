"""Answers that are not in anybody's table, directives, and what a refusal tells besides its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from tests.unit.apns.helpers import NOW, PUSH_ID, STAMP, TOKEN, Push, answer, judged, sender, token_key

from pushkit import Action, Notification, Scope, apns
from pushkit.verdict import Acceptance, LatchCredential, Pause, PauseScope, RefreshCredential, RetireConnection, Verdict
from pushkit.wire import FaultKind, Processed, WireFault, WireResponse


def test_200_is_accepted_with_the_id_that_apns_gives():
    """The id is for Apple's console; a unique id comes from the sandbox."""
    accepted = judged(answer(200, headers=[(b"apns-id", b"EC1BF194"), (b"apns-unique-id", b"u-1")]))

    assert Acceptance(message_id="EC1BF194", info={"apns-unique-id": "u-1"}) == accepted


def test_200_without_an_id_is_accepted_with_ours():
    """The id that we sent is the id."""
    assert PUSH_ID == judged(answer(200)).message_id


@pytest.mark.parametrize(
    ("status", "category", "action", "retryable", "floor"),
    [
        (400, "payload", Action.FIX_PAYLOAD, False, None),
        (401, "technical", Action.FIX_CONFIGURATION, False, None),
        (403, "technical", Action.FIX_CONFIGURATION, False, None),
        (404, "technical", Action.REPORT_BUG, False, None),
        (405, "technical", Action.REPORT_BUG, False, None),
        (407, "technical", Action.FIX_CONFIGURATION, False, None),
        (408, "technical", Action.RETRY_LATER, True, 1.0),
        (413, "payload", Action.FIX_PAYLOAD, False, None),
        (418, "technical", Action.FIX_CONFIGURATION, False, None),
        (421, "technical", Action.RETRY_LATER, True, 0.0),
        (429, "technical", Action.RETRY_LATER, True, 60.0),
        (500, "technical", Action.RETRY_LATER, True, 900.0),
        (502, "technical", Action.RETRY_LATER, True, 900.0),
        (599, "technical", Action.RETRY_LATER, True, 900.0),
        (301, "technical", Action.FIX_CONFIGURATION, False, None),
    ],
)
@pytest.mark.parametrize("reason", ["SomethingNew", None])
def test_an_unknown_reason_is_judged_by_its_status(status, category, action, retryable, floor, reason):
    """The raw word is kept; without one the status is the reason."""
    verdict = judged(answer(status, reason))

    assert (category, action, retryable, floor) == (verdict.category, verdict.action, verdict.retryable, verdict.floor)
    assert (reason or f"http_{status}") == verdict.reason


def test_an_unknown_410_of_apns_removes():
    """It says that the token is gone, and since when."""
    verdict = judged(answer(410, "GoneForGood", timestamp=1_700_000_000_500))

    assert ("GoneForGood", Action.REMOVE_RECIPIENT) == (verdict.reason, verdict.action)
    assert datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC) == verdict.invalid_since


@pytest.mark.parametrize("body", [b"", b"<html>Gone</html>", b'{"error":"gone"}', b"[1]", b'{"reason":7}'])
def test_a_410_that_does_not_speak_as_apns_removes_nobody(body):
    """A proxy says 410 too."""
    verdict = judged(WireResponse(410, [], body))

    assert ("recipient", "http_410", Action.REVIEW_RECIPIENT, True) == (verdict.category, verdict.reason, verdict.action, verdict.suspicion)


@pytest.mark.parametrize(
    ("status", "reason"), [(503, "Unregistered"), (500, "BadDeviceToken"), (403, "ExpiredToken"), (429, "PayloadTooLarge")]
)
def test_a_reason_counts_only_with_a_status_of_its_kind(status, reason):
    """A server that is down accuses no recipient, whatever word its error page holds."""
    assert "technical" == judged(answer(status, reason)).category


def test_apples_other_spelling_is_the_same_reason():
    """The broadcast page writes it with a space."""
    assert "ServiceUnavailable" == judged(answer(503, "Service Unavailable")).reason


@pytest.mark.parametrize("reason", ["Unregistered", "ExpiredToken"])
def test_410_tells_since_when(reason):
    """Milliseconds become an aware time; whoever registered later stays."""
    verdict = judged(answer(410, reason, timestamp=1_700_000_000_000))

    assert datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC) == verdict.invalid_since


@pytest.mark.parametrize("timestamp", [None, "soon", True, 10**30, -(10**30), float("nan"), [1]])
def test_a_timestamp_that_is_none_is_left_out(timestamp):
    """Strangers send it."""
    assert judged(answer(410, "Unregistered", timestamp=timestamp)).invalid_since is None


@pytest.mark.parametrize(
    ("status", "reason", "directives"),
    [
        (403, "ExpiredProviderToken", {RefreshCredential(), RetireConnection(rejected=True)}),
        (403, "UnrelatedKeyIdInToken", {RetireConnection()}),
        (429, "TooManyProviderTokenUpdates", {RetireConnection()}),
        (429, "TooManyRequests", {Pause(scope=PauseScope.RECIPIENT)}),
        (403, "InvalidProviderToken", {LatchCredential()}),
        (403, "BadCertificate", {LatchCredential()}),
        (403, "BadEnvironmentKeyIdInToken", {LatchCredential()}),
        (503, "Shutdown", {RetireConnection()}),
        (400, "IdleTimeout", {RetireConnection()}),
        (403, "Forbidden", set()),
        (400, "TopicDisallowed", set()),
        (400, "BadDeviceToken", set()),
        (410, "Unregistered", set()),
    ],
)
def test_what_delivery_is_told_to_do(status, reason, directives):
    """New connection, fresh token, pause, or latch: exactly what the reference's actions say."""
    assert directives == set(judged(answer(status, reason)).directives)


@pytest.mark.parametrize(("status", "reason"), [(500, "InternalServerError"), (503, "ServiceUnavailable"), (503, "Shutdown"), (502, None)])
def test_a_server_error_allows_one_early_try(status, reason):
    """Often one server is ill, not the service; the floor for everything after is Apple's 15 minutes."""
    verdict = judged(answer(status, reason))

    assert (1.5, 900.0) == (verdict.early, verdict.floor)


def test_retry_after_is_heard_where_a_retry_makes_sense():
    """Apple documents none; something in front of it may send one."""
    assert 77.0 == judged(answer(503, None, headers=[(b"retry-after", b"77")])).retry_after
    assert judged(answer(400, "BadTopic", headers=[(b"retry-after", b"77")])).retry_after is None


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic", "MissingDeviceToken"])
def test_what_may_be_our_own_mistake_is_marked(reason):
    """Wrong environment, wrong topic: the guard watches these."""
    assert judged(answer(400, reason)).suspicion


@pytest.mark.parametrize("reason", ["Unregistered", "ExpiredToken"])
def test_what_apns_knows_for_sure_is_not_marked(reason):
    """A 410 is about this token."""
    assert not judged(answer(410, reason)).suspicion


def test_an_error_page_is_shown_without_this_pushs_secrets():
    """A proxy echoes what it was sent: path, JWT and text are masked before anything is cut."""
    by = sender()
    route = by.route(None)
    jwt = route.auth.header(None, NOW)[0].decode().removeprefix("bearer ")
    page = f"<html>cannot POST /3/device/{TOKEN} with {jwt} and Canary title\x1b[31m</html>".encode()

    verdict = judged(WireResponse(502, [], page), by=by, message=Notification(title="Canary title"))

    assert "cannot POST" in verdict.detail
    for secret in (TOKEN, jwt, "Canary title", "\x1b"):
        assert secret not in verdict.detail


def test_secrets_are_found_wherever_they_were_given():
    """In the options too, and a token in the case in which it was stored."""
    by = sender()
    message = Notification(options=apns.Options(title="Canary options", payload={"k": ["Canary nested"]}))
    page = f"{TOKEN.upper()} {TOKEN} Canary options Canary nested".encode()

    verdict = judged(WireResponse(502, [], page), by=by, message=message, target=apns.Device(TOKEN.upper()))

    assert "[masked] [masked] [masked] [masked]" == verdict.detail


def test_a_reason_that_echoes_the_token_is_masked():
    """An unknown word is kept as it is, but for secrets."""
    assert TOKEN not in judged(answer(400, f"Bad {TOKEN}")).reason


def test_a_plain_refusal_has_no_detail():
    """The reason says it all."""
    assert "" == judged(answer(400, "BadDeviceToken")).detail
    assert "" == judged(answer(410, "Unregistered", timestamp=1_700_000_000_000)).detail


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("processed", Processed)
def test_every_fault_has_a_verdict(kind, processed):
    """Technical, with the fate that the transport proved."""
    verdict = judged(WireFault(kind=kind, processed=processed))

    assert "technical" == verdict.category
    assert ("not_sent" if processed is Processed.NO else "unknown") == verdict.disposition
    assert verdict.retryable == (verdict.floor is not None)


def test_a_date_that_differs_tells_that_the_clock_is_wrong():
    """The advice says by how much and which way; retrying cannot help, so the flood is stopped."""
    at = (b"date", b"Fri, 15 Jan 2027 07:30:00 GMT")  # half an hour before NOW

    verdict = judged(answer(403, "ExpiredProviderToken", headers=[at]))

    assert "30 minutes ahead" in verdict.advice
    assert {"clock_skew_seconds": "1800"} == verdict.info
    assert LatchCredential() in verdict.directives
    assert (Action.FIX_CONFIGURATION, Scope.CREDENTIAL) == (verdict.action, verdict.scope)
    assert (True, 60.0) == (verdict.retryable, verdict.floor)


def test_the_clock_shows_in_the_findings():
    """``verify()`` and the doctor repeat it."""
    by = sender()
    judged(answer(403, "InvalidProviderToken", headers=[(b"date", b"Fri, 15 Jan 2027 09:00:00 GMT")]), by=by)

    assert ["clock"] == [finding.subject for finding in by.findings(NOW) if finding.level == "error"]
    assert ["the clock of this server differs from Apple's by -3600 seconds"] == list(by.notes())


def test_a_small_difference_is_no_skew():
    """Everybody's clock is off by some seconds."""
    verdict = judged(answer(403, "ExpiredProviderToken", headers=[(b"date", b"Fri, 15 Jan 2027 08:00:30 GMT")]))

    assert "fresh sign-in token" in verdict.advice
    assert LatchCredential() not in verdict.directives


def test_a_second_connection_with_an_expired_token_means_the_clock():
    """One connection may be wedged; the next was given a token that was made just now."""
    by = sender()
    first = judged(answer(403, "ExpiredProviderToken", connection_id=1), by=by)
    same = judged(answer(403, "ExpiredProviderToken", connection_id=1), by=by)
    second = judged(answer(403, "ExpiredProviderToken", connection_id=2), by=by)
    much_later = judged(answer(403, "ExpiredProviderToken", connection_id=3), by=by, now=NOW + 3600)

    assert [False, False, True, False] == [LatchCredential() in verdict.directives for verdict in (first, same, second, much_later)]
    assert "clock" in second.advice


def test_a_wrong_key_for_a_second_environment_does_not_stop_the_first():
    """Devices of testers must not latch the app's own key."""
    by = sender(credentials={apns.Environment.PRODUCTION: token_key(), apns.Environment.SANDBOX: token_key(key_id="ZZZZZZZZZZ")})

    tester = judged(answer(403, "BadEnvironmentKeyIdInToken"), by=by, target=apns.Device(TOKEN, environment="sandbox"))
    own = judged(answer(403, "BadEnvironmentKeyIdInToken"), by=by)

    assert LatchCredential() not in tester.directives
    assert LatchCredential() in own.directives


def test_an_answer_to_a_broadcast_tells_both_ids():
    """The request id and the unique id are the keys to Apple's console."""
    by = sender()
    target = apns.Channel("YWJj")
    prepared = by.prepare(apns.LiveActivityUpdate({}), apns.Channel, STAMP)
    request = by.address(prepared, target, Push())

    accepted = by.classify(answer(200, headers=[(b"apns-request-id", b"r-1"), (b"apns-unique-id", b"u-1")]), request, prepared, target, NOW)

    assert Acceptance(message_id="r-1", info={"apns-request-id": "r-1", "apns-unique-id": "u-1"}) == accepted


def test_a_success_that_apns_never_gives_is_no_acceptance():
    """A portal that says 204 to everything is not Apple."""
    verdict = judged(answer(204))

    assert isinstance(verdict, Verdict)
    assert ("technical", "http_204", "unknown", False) == (verdict.category, verdict.reason, verdict.disposition, verdict.retryable)


def test_an_outage_does_not_cost_a_connection_for_each_push():
    """All connections may be given up at once, then one every five seconds; one that was given up stays so."""
    by = sender(max_connections=3)

    def retired(connection_id, now):
        verdict = judged(answer(503, "ServiceUnavailable", connection_id=connection_id), by=by, now=now)
        assert (1.5, 900.0) == (verdict.early, verdict.floor)
        return RetireConnection() in verdict.directives

    assert [True, True, True, False, True] == [retired(number, NOW) for number in (1, 2, 3, 4, 1)]
    assert [False, True, False] == [retired(number, NOW + after) for number, after in ((4, 4.9), (4, 5.0), (5, 5.1))]
    assert [False, True] == [retired(5, NOW - 1000), retired(5, NOW - 990)]


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        ("BadDeviceToken", {}),
        ("TopicDisallowed", {}),
        ("Unregistered", {"timestamp": "1700000000000"}),
        ("Unregistered", {"timestamp": 1e300}),
        ("ExpiredToken", {"timestamp": True}),
        ("SomethingNew", {"timestamp": {}}),
    ],
)
def test_a_410_that_contradicts_itself_removes_nobody(reason, more):
    """A word of another answer, or a time that is none: whoever wrote that was not APNs, or something is new."""
    verdict = judged(answer(410, reason, **more))

    assert ("recipient", Action.REVIEW_RECIPIENT, True) == (verdict.category, verdict.action, verdict.suspicion)


@pytest.mark.parametrize("status", [200, 400])
def test_ids_of_a_stranger_are_fit_to_be_shown(status):
    """Terminals obey control characters."""
    verdict = judged(answer(status, headers=[(b"apns-id", b"\x1b[31mred" + b"x" * 1000), (b"apns-unique-id", b"a\x00b")]))

    assert verdict.message_id.isprintable()
    assert 200 == len(verdict.message_id)
    assert {"apns-unique-id": "a b"} == verdict.info


def test_a_long_answer_hides_no_half_of_the_text():
    """An error page that quotes a long message: a cut before the search would leave a piece that nobody finds."""
    text = "canary " * 550
    page = b"<html>" + b" " * 400 + b'<pre>{"aps":{"alert":{"body":"' + text.encode() + b'"}}}</pre>'

    assert "canary" not in judged(WireResponse(400, [], page, 1), message=Notification(body=text)).detail


def test_a_long_reason_hides_no_half_of_a_token():
    """The same for the word itself."""
    verdict = judged(answer(400, "A" * 60 + TOKEN))

    assert TOKEN[:8] not in verdict.reason


@pytest.mark.parametrize("case", [str.upper, str.lower, str])
def test_a_token_is_masked_in_whatever_case_it_comes_back(case):
    """APNs does not tell case apart, and neither do those who quote it."""
    given = "aB" * 32

    verdict = judged(WireResponse(400, [], b"no such device: " + case(given).encode(), 1), target=apns.Device(given))

    assert "no such device: [masked]" == verdict.detail


@pytest.mark.parametrize(
    ("status", "reason", "category"),
    [
        (400, "TopicMismatch", "technical"),
        (403, "TopicDisallowed", "technical"),
        (404, "BadDeviceToken", "recipient"),
        (403, "PayloadTooLarge", "payload"),
    ],
)
def test_a_reason_keeps_its_meaning_when_apple_moves_it_between_refusals(status, reason, category):
    """Its own word says more than a 4xx."""
    verdict = judged(answer(status, reason))

    assert (category, reason, "") == (verdict.category, verdict.reason, verdict.detail)


def test_what_else_an_answer_tells_is_kept():
    """A field that Apple adds one day is the reader's first clue."""
    assert "look here" in judged(answer(400, "BadTopic", timestamp=1, hint="look here")).detail


@pytest.mark.parametrize(("difference", "told"), [(299, False), (301, True), (-301, True)])
def test_five_minutes_between_the_clocks_are_worth_telling(difference, told):
    """Less is the network and the queue."""
    date = format_datetime(datetime.fromtimestamp(NOW - difference, UTC), usegmt=True).encode()

    verdict = judged(answer(403, "InvalidProviderToken", headers=[(b"date", date)]))

    assert told == ("clock_skew_seconds" in verdict.info)
