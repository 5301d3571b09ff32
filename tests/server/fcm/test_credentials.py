"""Every kind of credential against the local services: a strict token endpoint takes google-auth's grants and ours alike."""

from __future__ import annotations

import asyncio
import time

import google.auth.transport.requests
import pytest
import requests
from google.auth import identity_pool, impersonated_credentials
from google.oauth2 import service_account
from tests.unit.fcm.helpers import rsa_pem

from pushkit import Accepted, AsyncClient, Client, Notification, RetryPolicy, fcm
from pushkit.outcomes import Action
from pushkit.testing import PushServer
from pushkit.testing.faults import Disconnect, Refuse

HELLO = Notification(title="Hello")


@pytest.fixture(scope="module")
def running():
    with PushServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


@pytest.fixture
def trusting(server, tmp_path, monkeypatch):
    """google-auth's own transport, with the server's CA."""
    ca = str(server.write_ca(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)  # requests prefers the environment to a session's own
    with requests.Session() as session:
        yield google.auth.transport.requests.Request(session)


def sent(server, credentials, count=1, **config):
    async def run():
        made = server.fcm_config(credentials=credentials, **config)
        async with AsyncClient(fcm=made, ssl_context=server.ssl_context()) as push:
            return await push.send_many(HELLO, to=[server.registration() for _ in range(count)])

    return asyncio.run(run())


def calls(server):
    return sum(record.provider == "oauth" for record in server.calls)


def test_a_service_account(server):
    """Our own grant; one for many pushes."""
    report = sent(server, server.fcm_config().credentials, count=50)

    assert (50, 1) == (report.accepted, calls(server)), report.failures


def test_google_auths_service_account(server, trusting):
    """The same key through google-auth."""
    credentials = service_account.Credentials.from_service_account_info(server.service_account_file())

    report = sent(server, fcm.GoogleAuth(credentials, request=trusting), count=20)

    assert (20, 1) == (report.accepted, calls(server)), report.failures


def test_a_workload_identity(server, trusting, tmp_path):
    """A foreign token for one of Google's, at the local STS."""
    subject = tmp_path / "token"
    subject.write_text("a.b.c", "utf-8")
    credentials = identity_pool.Credentials(
        audience="//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url=f"{server.origin('oauth')}/v1/token",
        credential_source={"file": str(subject)},
    )

    report = sent(server, fcm.GoogleAuth(credentials, project_id="local-project", request=trusting))

    assert 1 == report.accepted, report.failures


def test_an_impersonated_account(server, trusting):
    """Another account's right to send, borrowed."""
    source = service_account.Credentials.from_service_account_info(
        server.service_account_file(), scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )
    endpoint = f"{server.origin('oauth')}/v1/projects/-/serviceAccounts/{{}}:generateAccessToken"
    credentials = impersonated_credentials.Credentials(
        source_credentials=source,
        target_principal=server.service_account.email,
        target_scopes=["https://www.googleapis.com/auth/firebase.messaging"],
        iam_endpoint_override=endpoint.format(server.service_account.email),
    )

    report = sent(server, fcm.GoogleAuth(credentials, project_id="local-project", request=trusting))

    assert 1 == report.accepted, report.failures


@pytest.mark.parametrize("project", [None, "local-project"])
def test_the_metadata_server(server, project):
    """Plain HTTP; the project is asked for where nobody says it."""
    credentials = fcm.MetadataServer(origin=server.origin("metadata"))

    report = sent(server, credentials, count=5, project_id=project)

    assert 5 == report.accepted, report.failures


def test_a_static_token_and_a_callable(server):
    """A token of one's own."""
    token = server.accounts.grant("local-project", frozenset({"https://www.googleapis.com/auth/firebase.messaging"}), time.time())

    for credentials in (fcm.StaticToken(token, project_id="local-project"), lambda: token):
        assert 3 == sent(server, credentials, count=3, project_id="local-project").accepted


def test_a_static_token_that_is_refused_stops_the_sending(server):
    """It cannot be renewed; the second push is not even tried."""

    async def run():
        config = server.fcm_config(credentials=fcm.StaticToken("nobody-knows-it", project_id="local-project"))
        async with AsyncClient(fcm=config, ssl_context=server.ssl_context()) as push:
            return [await push.send(HELLO, to=server.registration()) for _ in range(2)]

    first, second = asyncio.run(run())

    assert (Action.FIX_CREDENTIALS, False) == (first.action, first.retryable)
    assert (0, "not_sent") == (len(second.attempts), second.disposition)


def test_an_account_without_the_role(server):
    """IAM says no; every further push would get the same answer."""
    key = server.accounts.new_service_account(project_id="local-project", may_send=False)
    file = server.service_account_file() | {"client_email": key.email, "private_key": key.pem, "private_key_id": key.key_id}

    outcome = sent(server, fcm.ServiceAccount.from_info(file)).outcomes[0]

    assert ("IAM_PERMISSION_DENIED", Action.FIX_CONFIGURATION) == (outcome.reason, outcome.action)


def test_another_keys_signature_is_refused(server):
    """The grant is checked: an account's address with a foreign key is nobody."""
    file = server.service_account_file() | {"private_key": rsa_pem()}

    outcome = sent(server, fcm.ServiceAccount.from_info(file)).outcomes[0]

    assert ("oauth_invalid_grant", Action.FIX_CREDENTIALS, "not_sent") == (outcome.reason, outcome.action, outcome.disposition)


def test_tokens_that_were_revoked_are_renewed_by_one_refresh(server):
    """A hundred pushes find out at the same time; the token endpoint is asked once more."""

    async def run():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context()) as push:
            await push.send_many(HELLO, to=[server.registration() for _ in range(10)])
            server.accounts.revoke_all()
            return await push.send_many(HELLO, to=[server.registration() for _ in range(100)])

    report = asyncio.run(run())

    assert 100 == report.accepted, report.failures[:3]
    assert 2 == calls(server)


def test_a_token_endpoint_that_recovers_costs_nothing_but_time(server):
    """Retried within the push's own deadline."""
    server.behaviour.oauth.next().answer("http_503")

    report = sent(server, server.fcm_config().credentials, count=3)

    assert 3 == report.accepted, report.failures


@pytest.mark.parametrize("fault", [Disconnect()])
def test_a_token_endpoint_that_breaks_off_is_technical(server, fault):
    """Nothing was sent."""
    server.behaviour.oauth.fault(fault)

    async def run():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context(), retry=RetryPolicy(attempts=1)) as push:
            return await push.send(HELLO, to=server.registration())

    outcome = asyncio.run(run())

    assert ("oauth_unavailable", "not_sent", True) == (outcome.reason, outcome.disposition, outcome.retryable)


def test_a_token_endpoint_that_is_down_is_technical(server):
    """Nobody listens."""
    server.behaviour.outage("oauth", fault=Refuse())

    with Client(fcm=server.fcm_config(), ssl_context=server.ssl_context(), retry=RetryPolicy(attempts=1)) as push:
        outcome = push.send(HELLO, to=server.registration())

    assert ("oauth_unavailable", "not_sent") == (outcome.reason, outcome.disposition)


def test_the_synchronous_client_uses_a_worker_thread_too(server, trusting):
    """google-auth blocks; the background loop must not."""
    credentials = service_account.Credentials.from_service_account_info(server.service_account_file())

    with Client(fcm=server.fcm_config(credentials=fcm.GoogleAuth(credentials, request=trusting)), ssl_context=server.ssl_context()) as push:
        assert isinstance(push.send(HELLO, to=server.registration()), Accepted)
