"""firebase-admin and async-firebase, unmodified, send to the local FCM: it understands more than our own client."""

from __future__ import annotations

import asyncio
import warnings

import async_firebase
import async_firebase._credentials
import async_firebase.messages as async_messages
import firebase_admin
import pytest
from firebase_admin import credentials, exceptions, messaging

from pushkit.testing import PushServer

pytestmark = pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The local services; both libraries trust their certificate by the environment alone."""
    with PushServer() as running:
        ca = str(running.write_ca(tmp_path / "ca.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
        monkeypatch.setenv("SSL_CERT_FILE", ca)
        yield running


@pytest.fixture
def app(server, monkeypatch):
    """firebase-admin's app. Only the addresses in its constants are other ones."""
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", f"{server.origin('fcm')}/v1/projects/{{0}}/messages:send")
    monkeypatch.setattr(messaging._MessagingService, "IID_URL", server.origin("iid"))
    made = firebase_admin.initialize_app(credentials.Certificate(server.service_account_file()))
    yield made
    firebase_admin.delete_app(made)


def message(token, **changes):
    return messaging.Message(notification=messaging.Notification("Hello", "there"), token=token, **changes)


def test_firebase_admin_sends(server, app):
    """google-auth's grant at the token endpoint, then the message."""
    target = server.registration()

    name = messaging.send(message(target.token, data={"a": "b"}, android=messaging.AndroidConfig(priority="high", ttl=60)))

    (record,) = server.sent
    assert name.startswith("projects/local-project/messages/")
    assert ("Hello", "there", {"a": "b"}) == (record.title, record.text, record.payload["data"])


def test_firebase_admin_reads_our_errors_as_its_own(server, app):
    """The typed details are the ones that it looks for."""
    gone, mismatch, busy, wrong = (server.registration() for _ in range(4))
    server.behaviour.to(gone).answer("UNREGISTERED")
    server.behaviour.to(mismatch).answer("SENDER_ID_MISMATCH")
    server.behaviour.to(busy).answer("QUOTA_EXCEEDED")
    server.behaviour.to(wrong).answer("INVALID_ARGUMENT")

    batch = messaging.send_each([message(target.token) for target in (gone, mismatch, busy, wrong, server.registration())])

    assert [
        messaging.UnregisteredError,
        messaging.SenderIdMismatchError,
        messaging.QuotaExceededError,
        exceptions.InvalidArgumentError,
        type(None),
    ] == [type(response.exception) for response in batch.responses]
    assert 1 == batch.success_count


def test_firebase_admin_sends_many_asynchronously(server, app):
    """send_each_async over httpx and HTTP/2."""
    targets = [server.registration() for _ in range(20)]

    async def run():
        batch = await messaging.send_each_async([message(target.token) for target in targets])
        await messaging._get_messaging_service(app)._async_client.aclose()  # delete_app() leaves its sockets to the collector
        return batch

    assert 20 == asyncio.run(run()).success_count
    assert 20 == len(server.sent)


def test_firebase_admin_validates_only(server, app):
    """Its dry run."""
    assert messaging.send(message(server.registration().token), dry_run=True).endswith("fake_message_id")


def test_firebase_admins_refused_message_is_refused_here_too(server, app):
    """A reserved data key: the local service is as strict as Google."""
    with pytest.raises(exceptions.InvalidArgumentError):
        messaging.send(message(server.registration().token, data={"from": "x"}))


# --- async-firebase ---------------------------------------------------------------------------------


def test_async_firebase_sends(server, monkeypatch):
    """The other Python library; it asks for cloud-platform."""
    monkeypatch.setattr(async_firebase._credentials, "TOKEN_URL", f"{server.origin('oauth')}/token")
    monkeypatch.setattr(async_firebase.AsyncFirebaseClient, "BASE_URL", server.origin("fcm"))
    good, gone = server.registration(), server.registration()
    server.behaviour.to(gone).answer("UNREGISTERED")

    async def run():
        async with async_firebase.AsyncFirebaseClient() as client:
            client.creds_from_service_account_info(server.service_account_file())
            sent = []
            for target in (good, gone):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # its own, for token=
                    built = async_messages.Message(
                        notification=async_messages.Notification(title="Hello", body="there"), token=target.token
                    )
                sent.append(await client.send(built))
            return sent

    accepted, refused = asyncio.run(run())

    assert accepted.success
    assert "Hello" == server.sent[0].title
    assert not refused.success
    assert "unregistered" in type(refused.exception).__name__.lower() or "unregistered" in str(refused.exception).lower()
