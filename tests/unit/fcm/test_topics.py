"""Topic subscriptions: the newer API, and the old batch service."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.unit.fcm.answers import OTHER_ROWS, error_body
from tests.unit.fcm.answers import fcm as fcm_error
from tests.unit.fcm.helpers import BEARER, NOW, TOKEN, Push, answer, sender, stamp
from tests.unit.fcm.test_reasons import assert_as_reference

from pushkit import fcm
from pushkit.fcm.iid import LARGEST_BATCH, batch_flow
from pushkit.fcm.topics import list_flow
from pushkit.outcomes import Action, Category
from pushkit.provider import Stamp
from pushkit.verdict import Acceptance, Pause, PauseScope, RefreshCredential, Verdict
from pushkit.wire import FaultKind, Processed, WireFault

ENCODED = TOKEN.replace(":", "%3A")
BASE = f"/v1/projects/my-app-1a2b3/registrations/{ENCODED}/topicSubscriptions".encode()


def change(message, target=None):
    one = sender()
    target = target or fcm.Registration(TOKEN)
    ready = one.prepare(message, type(target), stamp())
    assert not isinstance(ready, Verdict), ready
    return one, ready, target, one.address(ready, target, Push())


def judged(result, message=None):
    one, ready, target, request = change(message or fcm.Subscribe("news"))
    return one.classify(result, request, ready, target, NOW)


@pytest.mark.parametrize("topic", ["news", "/topics/news"])
def test_subscribing_is_idempotent(topic):
    """PATCH with allow_missing creates what is not there and takes what is."""
    request = change(fcm.Subscribe(topic))[3]

    assert (b"PATCH", BASE + b"/news?allow_missing=true", b"{}") == (request.method, request.path, request.body)
    assert (b"authorization", f"Bearer {BEARER}".encode()) in request.block.fields


def test_unsubscribing_is_idempotent():
    """DELETE with allow_missing."""
    request = change(fcm.Unsubscribe("a%b"))[3]

    assert (b"DELETE", BASE + b"/a%25b?allow_missing=true", b"") == (request.method, request.path, request.body)


def test_repeating_a_change_does_no_harm():
    """So it may be repeated on doubt."""
    assert change(fcm.Subscribe("news"))[1].replaceable


@pytest.mark.parametrize("body", [b'{"name": "projects/p/registrations/r/topicSubscriptions/news"}', b"{}", b" {}"])
def test_a_good_answer_is_accepted_and_nothing_of_it_is_kept(body):
    """The resource's name holds the registration."""
    assert Acceptance() == judged(answer(200, body))


def test_a_subscription_that_is_there_already_is_fine():
    """409 ALREADY_EXISTS."""
    assert Acceptance() == judged(answer(409, error_body(409, "ALREADY_EXISTS", "there")))


def test_a_missing_subscription_or_registration_is_the_row_of_the_reference():
    """404 in Google's form."""
    verdict = judged(answer(404, error_body(404, "NOT_FOUND", "Requested entity was not found.")))

    assert_as_reference(OTHER_ROWS["404 topicSubscriptions.delete/get"], verdict)


def test_a_registration_that_is_gone_is_to_be_removed():
    """FcmError says so here as well."""
    verdict = judged(answer(404, error_body(404, "NOT_FOUND", "gone", fcm_error("UNREGISTERED"))))

    assert (Action.REMOVE_RECIPIENT, "UNREGISTERED") == (verdict.action, verdict.reason)


@pytest.mark.parametrize("result", [answer(404, b"<html>"), answer(404)])
def test_a_404_that_is_not_googles_is_ours(result):
    """The newer service is not open to every project."""
    assert (Category.TECHNICAL, Action.FIX_CONFIGURATION) == (judged(result).category, judged(result).action)


def test_a_wrong_topic_is_found_before_anything_is_sent():
    """With the caller's field."""
    verdict = sender().prepare(fcm.Subscribe("no blanks"), fcm.Registration, stamp())

    assert ("invalid_topic_name", "topic", Category.PAYLOAD) == (verdict.reason, verdict.field, verdict.category)


def test_a_topic_cannot_follow_a_topic():
    """Registrations and installations can."""
    assert "invalid_target" == sender().prepare(fcm.Subscribe("news"), fcm.Topic, stamp()).reason
    assert not isinstance(sender().prepare(fcm.Subscribe("news"), fcm.Installation, stamp()), Verdict)


def test_a_dry_run_of_a_change_is_refused():
    """Google has none, and doing it for real would not be one."""
    assert "dry_run_not_supported" == sender().prepare(fcm.Subscribe("news"), fcm.Registration, Stamp(key="k", dry_run=True)).reason


# --- listing ----------------------------------------------------------------------------------------


def run(flow, *results):
    """Drive a flow with given results; gives its requests and what it returned."""
    requests = []
    pending = list(results)
    try:
        requests.append(next(flow))
        while True:
            requests.append(flow.send(pending.pop(0)))
    except StopIteration as stop:
        assert not pending, "the flow ended early"
        return requests, stop.value


def listing(*results, target=None, **config):
    return run(list_flow(sender(**config), target or fcm.Registration(TOKEN), token=BEARER, now=NOW, deadline=9.0), *results)


def page(*topics, more=""):
    subscriptions = [{"name": "x", "topicName": topic, "createTime": "2026-11-22T10:00:00.5Z"} for topic in topics]
    return answer(200, json.dumps({"topicSubscriptions": subscriptions} | ({"nextPageToken": more} if more else {})).encode())


def test_listing_reads_every_page():
    """The list that users have wanted for years."""
    requests, found = listing(page("a", "b", more="t+1"), page("c"))

    assert [BASE + b"?page_size=200", BASE + b"?page_size=200&page_token=t%2B1"] == [request.path for request in requests]
    assert ["a", "b", "c"] == [subscription.topic for subscription in found]
    assert datetime(2026, 11, 22, 10, 0, 0, 500_000, tzinfo=UTC) == found[0].created_at


def test_listing_ends_even_if_the_pages_do_not():
    """A page token that never ends is bounded by what an app instance can follow."""
    requests, found = listing(*[page("a", more="again")] * 11)

    assert (11, 11) == (len(requests), len(found))


@pytest.mark.parametrize("body", [b"{}", b'{"topicSubscriptions": 5}', b'{"topicSubscriptions": [5, {"topicName": 7}, {}]}'])
def test_a_list_that_holds_nothing_readable_is_empty(body):
    """Nothing raises."""
    assert () == listing(answer(200, body))[1]


def test_a_list_that_fails_is_a_verdict():
    """With the same reasons as sends."""
    assert RefreshCredential() in listing(answer(401))[1].directives
    assert "connection_lost" == listing(WireFault(kind=FaultKind.CONNECTION_LOST, processed=Processed.UNKNOWN))[1].reason


def test_a_list_for_garbage_asks_nobody():
    """Found before anything is sent."""
    requests, found = listing(target=fcm.Registration(""))

    assert ([], "invalid_token") == (requests, found.reason)


# --- the old batch service --------------------------------------------------------------------------


def batch(targets, *results, subscribe=True, topic="news"):
    flow = batch_flow(sender(), targets, topic, subscribe=subscribe, token=BEARER, now=NOW, deadline=9.0)
    return run(flow, *results)


def results(*words):
    return answer(200, json.dumps({"results": [{"error": word} if word else {} for word in words]}).encode())


def test_a_batch_is_one_request_with_an_answer_for_each():
    """Order is the input's."""
    targets = [fcm.Registration(f"{TOKEN}{index}") for index in range(3)]

    requests, found = batch(targets, results("", "NOT_FOUND", ""))

    assert (b"POST", b"/iid/v1:batchAdd", "https://iid.googleapis.com") == (requests[0].method, requests[0].path, str(requests[0].origin))
    assert ((b"access_token_auth", b"true"),) == requests[0].headers
    assert (b"authorization", f"Bearer {BEARER}".encode()) in requests[0].block.fields
    assert {"to": "/topics/news", "registration_tokens": [target.token for target in targets]} == json.loads(requests[0].body)
    assert [True, False, True] == [isinstance(verdict, Acceptance) for verdict in found]
    assert Action.REMOVE_RECIPIENT is found[1].action


def test_unsubscribing_goes_to_its_own_address():
    """batchRemove."""
    assert b"/iid/v1:batchRemove" == batch([fcm.Registration(TOKEN)], results(""), subscribe=False)[0][0].path


@pytest.mark.parametrize("key", [key for key in OTHER_ROWS if "IID result" in key])
def test_every_word_is_judged_as_the_reference_says(key):
    """One registration's error among good ones."""
    for word in key.rpartition("IID result ")[2].split("|"):
        verdict = batch([fcm.Registration(TOKEN)], results(word))[1][0]

        assert word == verdict.reason
        assert_as_reference(OTHER_ROWS[key], verdict)


def test_an_unknown_word_keeps_its_text_and_accuses_nobody():
    """Open, like every table."""
    verdict = batch([fcm.Registration(TOKEN)], results("SOMETHING_NEW"))[1][0]

    assert ("SOMETHING_NEW", Category.TECHNICAL) == (verdict.reason, verdict.category)


def test_the_rate_of_the_service_pauses_the_project():
    """Not the one registration that happened to be refused."""
    assert (Pause(scope=PauseScope.PROJECT),) == batch([fcm.Registration(TOKEN)], results("RESOURCE_EXHAUSTED"))[1][0].directives


def test_garbage_in_a_batch_is_left_out_of_the_request_and_keeps_its_place():
    """One bad row stops nobody."""
    targets = [None, fcm.Registration(""), fcm.Installation("fid"), fcm.Registration(TOKEN)]

    requests, found = batch(targets, results(""))

    assert [TOKEN] == json.loads(requests[0].body)["registration_tokens"]
    assert ["invalid_target", "invalid_token", "invalid_target"] == [verdict.reason for verdict in found[:3]]
    assert isinstance(found[3], Acceptance)


def test_more_than_a_thousand_are_sent_in_several_requests():
    """The limit of the service."""
    targets = [fcm.Registration(f"{TOKEN}{index}") for index in range(LARGEST_BATCH + 1)]

    requests, found = batch(targets, results(*[""] * LARGEST_BATCH), results("NOT_FOUND"))

    assert [1000, 1] == [len(json.loads(request.body)["registration_tokens"]) for request in requests]
    assert (LARGEST_BATCH + 1, "NOT_FOUND") == (len(found), found[-1].reason)


@pytest.mark.parametrize("body", [b'{"results": [{}]}', b'{"results": [{}, {}, {}]}', b'{"results": "x"}', b"{}", b"<html>", b""])
def test_an_answer_that_does_not_fit_the_batch_says_nothing_about_anybody(body):
    """Technical for all, and nobody is removed."""
    found = batch([fcm.Registration(TOKEN), fcm.Registration(TOKEN + "2")], answer(200, body))[1]

    assert ["malformed_response"] * 2 == [verdict.reason for verdict in found]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (answer(401, b"<html>Unauthorized"), "UNAUTHENTICATED"),
        (answer(503), "UNAVAILABLE"),
        (WireFault(kind=FaultKind.TIMEOUT, processed=Processed.UNKNOWN), "timeout"),
    ],
)
def test_a_refusal_of_the_whole_call_is_everybodys(result, reason):
    """HTML from the front end included."""
    assert [reason] * 2 == [verdict.reason for verdict in batch([fcm.Registration(TOKEN)] * 2, result)[1]]


@pytest.mark.parametrize("target", [None, "token", fcm.Topic("news"), fcm.Condition("'a' in topics")])
def test_only_a_registration_has_topics_to_list(target):
    """Anything else is told so, and nothing is asked."""
    requests, verdict = run(list_flow(sender(), target, token=BEARER, now=NOW, deadline=50.0))

    assert ([], "invalid_target") == (requests, verdict.reason)


def test_a_wrong_topic_asks_nobody():
    """Everybody gets the same payload failure."""
    requests, found = batch([fcm.Registration(TOKEN)], topic="no blanks")

    assert ([], ["invalid_topic_name"]) == (requests, [verdict.reason for verdict in found])


@pytest.mark.parametrize("message", [fcm.Subscribe("news", old_service=True), fcm.Unsubscribe("news", old_service=True)])
def test_one_change_over_the_old_service_is_a_batch_of_one(message):
    """So that what failed in a batch can be sent again by itself."""
    one, ready, target, request = change(message)

    assert [TOKEN] == json.loads(request.body)["registration_tokens"]
    assert Acceptance() == one.classify(results(""), request, ready, target, NOW)
    assert "NOT_FOUND" == one.classify(results("NOT_FOUND"), request, ready, target, NOW).reason


def test_the_old_service_knows_no_installations():
    """They are younger than it."""
    assert "invalid_target" == sender().prepare(fcm.Subscribe("news", old_service=True), fcm.Installation, stamp()).reason
