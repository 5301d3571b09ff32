"""``verify()`` against the local push services: what it proves, what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import pytest

import pushkit
from pushkit import Notification, apns, webpush
from pushkit.health import HERE, Finding, Level
from pushkit.testing import AsyncFakeClient, FakeClient, PushServer
from pushkit.testing.accounts import Accounts
from pushkit.testing.faults import Refuse

HELLO = Notification(title="Hello")


@pytest.fixture
def server() -> Iterator[PushServer]:
    with PushServer(known_only=True) as running:
        yield running


def verified(server: PushServer, to: Any = (), **configured: Any) -> Sequence[Finding]:
    async def work() -> Sequence[Finding]:
        async with pushkit.AsyncClient(**configured, ssl_context=server.ssl_context()) as push:
            return await push.verify(to=to)

    return asyncio.run(work())


def delivered(server: PushServer) -> list[object]:
    """What somebody got: Google names a validated message so."""
    return [record for record in server.sent if record.accepted and "fake_message_id" not in (record.message_id or "")]


def about(findings: Sequence[Finding], *subjects: str) -> list[tuple[Level, str]]:
    return [(finding.level, finding.message) for finding in findings if finding.subject in subjects]


def test_it_proves_the_credentials_of_each_provider(server: PushServer) -> None:
    """Apple's refusal of a token that no device has, Google's validation; a browser's service has no such question."""
    findings = verified(server, apns=server.apns_config(), fcm=server.fcm_config(), webpush=server.webpush_config())

    assert [
        (Level.OK, "the credentials are believed in production (the token that no device has was refused as BadDeviceToken)"),
        (Level.OK, "the credentials are believed (validated, nothing was sent)"),
        (Level.OK, "nothing was asked: only a subscription can prove the key (give one of your own)"),
    ] == about(findings, "probe")
    assert {Level.OK} == {finding.level for finding in findings}
    assert [] == delivered(server)


def test_each_environment_with_credentials_is_asked(server: PushServer) -> None:
    """A key for the sandbox that is wrong is found, though production works."""
    wrong = apns.TokenKey.from_bytes((Accounts().new_apns_key().pem or "").encode(), key_id="ABC123DEFG", team_id="DEF123GHIJ")
    good = server.apns_config().credentials
    config = server.apns_config(credentials={apns.Environment.PRODUCTION: good, apns.Environment.SANDBOX: wrong})

    findings = verified(server, apns=config)

    assert [Level.OK, Level.ERROR] == [level for level, _ in about(findings, "probe")]
    assert "InvalidProviderToken" in about(findings, "probe")[1][1]


def test_no_hook_hears_of_it_and_nothing_is_counted(server: PushServer) -> None:
    """A wrong key is found anew each time, the client's own state stays what it was."""
    heard: list[object] = []
    wrong = server.apns_config(
        credentials=apns.TokenKey.from_bytes((Accounts().new_apns_key().pem or "").encode(), key_id="ABC123DEFG", team_id="DEF123GHIJ")
    )

    async def work() -> tuple[Sequence[Finding], Sequence[Finding], pushkit.Health]:
        async with pushkit.AsyncClient(apns=wrong, ssl_context=server.ssl_context(), hooks=[heard.append]) as push:
            return await push.verify(), await push.verify(), push.health()

    once, again, health = asyncio.run(work())

    assert [Level.ERROR] == [level for level, _ in about(once, "probe")]
    assert about(once, "probe") == about(again, "probe")
    assert [] == heard
    assert health.usable
    assert () == health.senders


@pytest.mark.parametrize(
    ("shift", "level", "words"),
    [
        (0, Level.OK, "agrees with localhost"),
        (-60, Level.WARNING, "seconds ahead of that of localhost"),
        (7200, Level.ERROR, "seconds behind that of localhost"),
    ],
)
def test_the_clock_is_compared_with_every_answer(server: PushServer, shift: int, level: Level, words: str) -> None:
    """Whether or not anything was refused for it."""
    config = server.fcm_config()
    server.shift_time(shift)

    (found,) = [finding for finding in verified(server, fcm=config) if finding.subject == "clock"]

    assert (HERE, level) == (found.provider, found.level)
    assert words in found.message


def test_answers_without_a_date_say_nothing_of_the_clock(server: PushServer) -> None:
    """Apple's have none."""
    assert [] == about(verified(server, apns=server.apns_config()), "clock")


@pytest.mark.parametrize(
    ("token_of", "asked_in", "subject", "level", "words"),
    [
        ("production", "production", "recipient", Level.OK, "Apple takes pushes for this device (production, topic com.example.app)"),
        ("production", "sandbox", "environment", Level.ERROR, "this token belongs to production, and it was sent to sandbox"),
        ("sandbox", "production", "environment", Level.ERROR, "this token belongs to sandbox, and it was sent to production"),
        (None, "production", "recipient", Level.ERROR, "Apple knows this token in neither of its environments"),
    ],
)
def test_a_device_tells_its_environment(
    server: PushServer, token_of: str | None, asked_in: str, subject: str, level: Level, words: str
) -> None:
    """A stored token is the only thing that can; it is asked about in both environments."""
    token = server.device(environment=token_of).token if token_of else "ab" * 32
    config = server.apns_config(environment=apns.Environment(asked_in))

    findings = verified(server, apns.Device(token), apns=config)

    assert [(level, words)] == about(findings, subject, "environment", "recipient")


def test_a_device_wakes_without_showing_anything(server: PushServer) -> None:
    """What arrives is a background push that is worth nothing later."""
    verified(server, server.device(), apns=server.apns_config())

    (arrived,) = [record for record in server.sent if record.accepted]
    assert {"aps": {"content-available": 1}} == arrived.payload
    assert ("background", "5", "0") == tuple(arrived.headers[name] for name in ("apns-push-type", "apns-priority", "apns-expiration"))


def test_the_other_environment_cannot_be_asked_without_credentials(server: PushServer) -> None:
    """It says so, and the mend is the same."""
    config = server.apns_config(credentials={apns.Environment.PRODUCTION: server.apns_config().credentials})

    findings = verified(server, apns.Device("cd" * 32), apns=config)

    assert [
        (Level.ERROR, "Apple does not know this token in production; sandbox could not be asked (no credentials or host for it)")
    ] == about(findings, "environment")


def test_a_token_of_another_app(server: PushServer) -> None:
    """The topic is named, since that is what has to be mended."""
    device = server.device()

    findings = verified(server, device, apns=server.apns_config(topic="com.example.other"))

    assert [(Level.ERROR, "this token belongs to another app than com.example.other")] == about(findings, "topic")


def test_a_device_that_is_gone_proves_nothing(server: PushServer) -> None:
    """A warning, with another device to ask about."""
    device = server.device()
    server.unregister(device)

    ((level, message),) = about(verified(server, device, apns=server.apns_config()), "recipient")

    assert Level.WARNING == level
    assert "no longer on this device" in message


def test_only_a_device_can_be_asked_about(server: PushServer) -> None:
    """A Live Activity would show something."""
    ((level, message),) = about(verified(server, apns.ActivityToken("ab" * 32), apns=server.apns_config()), "recipient")

    assert (Level.WARNING, "a ActivityToken cannot be asked about without showing something") == (level, message)


def test_a_registration_of_another_project(server: PushServer) -> None:
    """What Google says of it is an error here: the caller believes that it works."""
    ours = server.registration()
    stranger = attrs.evolve(ours, token="x" * 22 + ":APA91b" + "y" * 130)

    good, bad = about(verified(server, [ours, stranger], fcm=server.fcm_config()), "recipient")

    assert (Level.OK, "Google takes pushes for this recipient (validated, nothing was sent)") == good
    assert Level.ERROR == bad[0]
    assert [] == delivered(server)


def test_a_subscription_of_another_key(server: PushServer) -> None:
    """The key is what has to be mended; one that fits gets a test message."""
    config = server.webpush_config(vapid=webpush.VapidKey.generate())
    subscription = server.subscription()

    (refused,) = about(verified(server, subscription, webpush=config), "recipient")
    (taken,) = about(verified(server, subscription, webpush=server.webpush_config()), "recipient")

    assert Level.ERROR == refused[0]
    assert (Level.OK, "the push service takes pushes for this subscription (a test message was sent)") == taken


def test_a_recipient_of_an_app_that_is_not_configured(server: PushServer) -> None:
    """A finding like any other."""
    findings = verified(server, apns.Device("ab" * 32, app="shop"), apns=server.apns_config())

    (found,) = [finding for finding in findings if finding.app == "shop"]
    assert (Level.ERROR, "configuration") == (found.level, found.subject)


def test_what_is_not_reached_is_not_asked(server: PushServer) -> None:
    """One finding for one cause: no connection, so no probe that fails the same way."""
    server.behaviour.outage("apns", fault=Refuse())

    findings = verified(server, apns=server.apns_config())

    assert [Level.ERROR] == [level for level, _ in about(findings, "connection")]
    assert [] == about(findings, "probe")


def test_the_synchronous_client_says_the_same(server: PushServer) -> None:
    """One implementation, two faces."""
    with pushkit.Client(apns=server.apns_config(), ssl_context=server.ssl_context()) as push:
        found = push.verify(to=server.device())

    assert about(verified(server, server.device(), apns=server.apns_config()), "probe", "recipient") == about(found, "probe", "recipient")


@pytest.mark.parametrize(
    ("to", "seen"),
    [("abc", "a str"), ([None], "holds a NoneType"), (apns.Device, "the class Device"), (apns.Device("ab", app=[]), "the app of a target")],
)
def test_what_is_no_recipient_is_a_mistake_of_the_program(server: PushServer, to: Any, seen: str) -> None:
    """It raises before anything is asked."""
    with pytest.raises(TypeError, match=seen):
        verified(server, to, apns=server.apns_config())


def test_a_fake_records_no_probe() -> None:
    """A test's records hold what the code under test sent, and nothing else."""

    async def work() -> tuple[Sequence[Finding], int]:
        async with AsyncFakeClient() as push:
            return await push.verify(), len(push.sent)

    findings, sent = asyncio.run(work())

    assert 0 == sent
    assert [] == about(findings, "probe")
    with FakeClient() as push:
        assert {Level.OK} == {finding.level for finding in push.verify()}
        push.assert_nothing_sent()
        assert push.send(HELLO, to=push.device()).accepted
