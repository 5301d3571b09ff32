"""
What goes to Google and what comes back, against its documentation: OAuth, metadata server, STS, topics, sends.

Over a caller's own httpx client, whose network respx replaces: Google's real addresses, no network.
"""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
import respx
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.auth import identity_pool
from google.auth import transport as google_transport
from tests.unit.fcm.helpers import BEARER, PROJECT, TOKEN, account, rsa_pem

from pushkit import Accepted, AsyncClient, Notification, RetryPolicy, fcm
from pushkit.fcm.oauth import SCOPE

HELLO = Notification(title="Hello")
TOKEN_URL = "https://oauth2.googleapis.com/token"
SEND_URL = f"https://fcm.googleapis.com/v1/projects/{PROJECT}/messages:send"
GRANTED = {"access_token": BEARER, "expires_in": 3599, "token_type": "Bearer"}
SENT = {"name": f"projects/{PROJECT}/messages/0:1500415314455276%31bd1c9631bd1c96"}


@pytest.fixture
def google():
    with respx.mock(assert_all_called=True, using="httpx") as router:
        yield router


def with_client(config, work):
    async def run():
        async with httpx.AsyncClient() as own, AsyncClient(fcm=config, transport=own, retry=RetryPolicy(max_sleep=0.0)) as push:
            return await work(push)

    return asyncio.run(run())


def send_once(config):
    return with_client(config, lambda push: push.send(HELLO, to=fcm.Registration(TOKEN)))


def config(**changes):
    return fcm.Config(**({"credentials": account()} | changes))


# --- service account --------------------------------------------------------------------------------


def test_a_service_account_signs_in_and_sends(google):
    """RFC 7523 as Google documents it, then one POST with the bearer."""
    grant = google.post(TOKEN_URL).respond(json=GRANTED)
    send = google.post(SEND_URL).respond(json=SENT)

    outcome = send_once(config())

    assert isinstance(outcome, Accepted)
    assert SENT["name"] == outcome.message_id
    form = parse_qs(grant.calls.last.request.content.decode())
    assert ["urn:ietf:params:oauth:grant-type:jwt-bearer"] == form["grant_type"]
    public = load_pem_private_key(rsa_pem().encode(), None).public_key()
    claims = jwt.decode(form["assertion"][0], public, algorithms=["RS256"], audience=TOKEN_URL)
    assert (f"pusher@{PROJECT}.iam.gserviceaccount.com", SCOPE) == (claims["iss"], claims["scope"])
    headers = send.calls.last.request.headers
    assert (f"Bearer {BEARER}", "application/json", "2") == (
        headers["authorization"],
        headers["content-type"],
        headers["x-goog-api-format-version"],
    )
    assert TOKEN == json.loads(send.calls.last.request.content)["message"]["token"]


def test_one_token_serves_many_pushes(google):
    """Cached until shortly before its end."""
    grant = google.post(TOKEN_URL).respond(json=GRANTED)
    google.post(SEND_URL).respond(json=SENT)

    report = with_client(config(), lambda push: push.send_many(HELLO, to=[fcm.Registration(f"{TOKEN}{index}") for index in range(20)]))

    assert (20, 1) == (report.accepted, grant.call_count)


def test_a_refused_token_is_renewed_once(google):
    """401 with ErrorInfo, as Google's front end writes it."""
    tokens = ["first", "second"]
    grant = google.post(TOKEN_URL).mock(side_effect=lambda _: httpx.Response(200, json=GRANTED | {"access_token": tokens.pop(0)}))
    expired = {
        "error": {
            "code": 401,
            "message": "Request had invalid authentication credentials.",
            "status": "UNAUTHENTICATED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_EXPIRED", "domain": "googleapis.com"}
            ],
        }
    }

    def answer(request):
        return httpx.Response(401, json=expired) if request.headers["authorization"] == "Bearer first" else httpx.Response(200, json=SENT)

    google.post(SEND_URL).mock(side_effect=answer)

    outcome = send_once(config())

    assert isinstance(outcome, Accepted)
    assert ([401, 200], 2) == ([attempt.status for attempt in outcome.attempts], grant.call_count)


@pytest.mark.parametrize(
    ("status", "body", "reason", "retryable"),
    [
        (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, "oauth_invalid_grant", False),
        (400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}, "oauth_invalid_grant", False),
        (401, {"error": "unauthorized_client", "error_description": "Client is unauthorized"}, "oauth_unauthorized_client", False),
        (503, {"error": "temporarily_unavailable"}, "oauth_unavailable", True),
    ],
)
def test_a_refused_sign_in_is_an_outcome(google, status, body, reason, retryable):
    """And no push is attempted."""
    google.post(TOKEN_URL).respond(status, json=body)

    outcome = send_once(config())

    assert (reason, retryable, "not_sent", ()) == (outcome.reason, outcome.retryable, outcome.disposition, outcome.attempts)


def test_an_unreachable_sign_in_is_an_outcome(google):
    """A network error at the token endpoint never leaks."""
    google.post(TOKEN_URL).mock(side_effect=httpx.ConnectError("no route"))

    outcome = send_once(config())

    assert ("oauth_unavailable", True, "not_sent") == (outcome.reason, outcome.retryable, outcome.disposition)


# --- metadata server --------------------------------------------------------------------------------

METADATA = "http://metadata.google.internal/computeMetadata/v1"


def test_the_metadata_server_gives_project_and_token(google):
    """With Google's header in both directions."""
    project = google.get(f"{METADATA}/project/project-id").respond(text=PROJECT, headers={"Metadata-Flavor": "Google"})
    token = google.get(f"{METADATA}/instance/service-accounts/default/token", params={"scopes": SCOPE}).respond(json=GRANTED)
    google.post(SEND_URL).respond(json=SENT)

    assert isinstance(send_once(fcm.Config(credentials=fcm.MetadataServer())), Accepted)
    assert {"Google"} == {route.calls.last.request.headers["metadata-flavor"] for route in (project, token)}


def test_a_machine_without_a_metadata_server_says_so(google):
    """A page of somebody else's."""
    google.get(f"{METADATA}/project/project-id").respond(200, html="<html>captive portal</html>")

    assert "oauth_no_metadata_server" == send_once(fcm.Config(credentials=fcm.MetadataServer())).reason


# --- workload identity federation, through google-auth ----------------------------------------------


class OverHttpx(google_transport.Request):
    """google-auth's transport interface over httpx, so that respx sees its calls."""

    def __call__(self, url, method="GET", body=None, headers=None, timeout=None, **_):
        with httpx.Client() as client:
            answer = client.request(method, url, content=body, headers=headers)
        return _Answer(answer)


class _Answer(google_transport.Response):
    def __init__(self, answer):
        self._answer = answer

    status = property(lambda self: self._answer.status_code)
    headers = property(lambda self: self._answer.headers)
    data = property(lambda self: self._answer.content)


AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider"


def federated(tmp_path, **changes):
    subject = tmp_path / "subject-token"
    subject.write_text("a.subject.token", "utf-8")
    return identity_pool.Credentials(
        **(
            {
                "audience": AUDIENCE,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": "https://sts.googleapis.com/v1/token",
                "credential_source": {"file": str(subject)},
            }
            | changes
        )
    )


def test_a_workload_identity_signs_in_at_sts(google, tmp_path):
    """RFC 8693, through google-auth in a worker thread, with the least scope."""
    exchange = google.post("https://sts.googleapis.com/v1/token").respond(
        json={
            "access_token": BEARER,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3600,
        }
    )
    google.post(SEND_URL).respond(json=SENT)

    outcome = send_once(fcm.Config(credentials=fcm.GoogleAuth(federated(tmp_path), project_id=PROJECT, request=OverHttpx())))

    form = parse_qs(exchange.calls.last.request.content.decode())
    assert isinstance(outcome, Accepted)
    assert (["urn:ietf:params:oauth:grant-type:token-exchange"], [AUDIENCE], ["a.subject.token"], [SCOPE]) == (
        form["grant_type"],
        form["audience"],
        form["subject_token"],
        form["scope"],
    )


def test_an_impersonated_account_takes_the_second_step(google, tmp_path):
    """STS, then generateAccessToken."""
    google.post("https://sts.googleapis.com/v1/token").respond(
        json={
            "access_token": "federated",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3600,
        }
    )
    url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/push@p.iam.gserviceaccount.com:generateAccessToken"
    second = google.post(url).respond(json={"accessToken": BEARER, "expireTime": "2099-01-01T00:00:00Z"})
    send = google.post(SEND_URL).respond(json=SENT)
    credentials = federated(tmp_path, service_account_impersonation_url=url)

    outcome = send_once(fcm.Config(credentials=fcm.GoogleAuth(credentials, project_id=PROJECT, request=OverHttpx())))

    assert isinstance(outcome, Accepted)
    assert [SCOPE] == json.loads(second.calls.last.request.content)["scope"]
    assert f"Bearer {BEARER}" == send.calls.last.request.headers["authorization"]


@pytest.mark.parametrize(
    ("status", "body", "reason", "retryable"),
    [
        (400, {"error": "invalid_grant", "error_description": "The subject token is expired"}, "oauth_invalid_grant", False),
        (500, {}, "oauth_unavailable", True),
    ],
)
def test_a_refused_exchange_is_an_outcome(google, tmp_path, status, body, reason, retryable):
    """google-auth's exception never leaks; its text, which quotes the answer, is not shown."""
    google.post("https://sts.googleapis.com/v1/token").respond(status, json=body)

    outcome = send_once(fcm.Config(credentials=fcm.GoogleAuth(federated(tmp_path), project_id=PROJECT, request=OverHttpx())))

    assert (reason, retryable, "not_sent") == (outcome.reason, outcome.retryable, outcome.disposition)
    assert "subject" not in outcome.detail


# --- topics -----------------------------------------------------------------------------------------

REGISTRATION = TOKEN.replace(":", "%3A")
SUBSCRIPTIONS = f"https://fcm.googleapis.com/v1/projects/{PROJECT}/registrations/{REGISTRATION}/topicSubscriptions"
STATIC = fcm.StaticToken(BEARER, project_id=PROJECT)


def test_the_newer_topic_service(google):
    """PATCH and DELETE with allow_missing, GET with pages."""
    subscribe = google.patch(f"{SUBSCRIPTIONS}/news", params={"allow_missing": "true"}).respond(json={"name": "x", "topicName": "news"})
    unsubscribe = google.delete(f"{SUBSCRIPTIONS}/news", params={"allow_missing": "true"}).respond(json={})
    google.get(SUBSCRIPTIONS, params={"page_token": "next"}).respond(json={"topicSubscriptions": [{"topicName": "b"}]})
    google.get(SUBSCRIPTIONS).respond(json={"topicSubscriptions": [{"topicName": "a"}], "nextPageToken": "next"})

    async def work(push):
        target = fcm.Registration(TOKEN)
        topics = push.topics()
        return [
            (await topics.subscribe("news", to=target)).accepted,
            (await topics.unsubscribe("news", to=target)).accepted,
            [subscription.topic for subscription in (await topics.list(target)).unwrap().topics],
        ]

    assert [1, 1, ["a", "b"]] == with_client(config(credentials=STATIC), work)
    assert (b"{}", b"") == (subscribe.calls.last.request.content, unsubscribe.calls.last.request.content)


def test_the_old_topic_service(google):
    """A batch with its own header, a word for each registration."""
    add = google.post("https://iid.googleapis.com/iid/v1:batchAdd").respond(json={"results": [{}, {"error": "TOO_MANY_TOPICS"}]})
    targets = [fcm.Registration(TOKEN), fcm.Registration(TOKEN + "2")]

    report = with_client(config(credentials=STATIC), lambda push: push.topics().subscribe("news", to=targets, old_service=True))

    request = add.calls.last.request
    assert ("true", f"Bearer {BEARER}") == (request.headers["access_token_auth"], request.headers["authorization"])
    assert {"to": "/topics/news", "registration_tokens": [target.token for target in targets]} == json.loads(request.content)
    assert (1, "TOO_MANY_TOPICS") == (report.accepted, report.outcomes[1].reason)
