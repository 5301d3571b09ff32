"""Bad input, as people have it: an error or an outcome that says what was seen and how to mend it, before anything is sent."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import pushkit
from pushkit import Action, Category, Client, ConfigurationError, Disposition, Notification, apns, fcm, webpush
from pushkit.testing import PushServer

HELLO = Notification(title="Hello")
IDS = {"key_id": "ABC123DEFG", "team_id": "DEF123GHIJ"}


def pem(curve: str) -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = rsa.generate_private_key(65537, 2048) if curve == "rsa" else ec.generate_private_key(getattr(ec, curve)())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer() as running:
        yield running


@pytest.fixture
def push(server: PushServer) -> Iterator[Client]:
    server.reset()
    with Client(
        apns=server.apns_config(), webpush=server.webpush_config(endpoints=webpush.EndpointPolicy.known()), ssl_context=server.ssl_context()
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (
            lambda folder: apns.TokenKey.from_file(folder / "AuthKey_ABC123DEFG.p8", team_id="DEF123GHIJ"),
            ("no such file", "AuthKey_ABC123DEFG.p8"),
        ),
        (lambda folder: webpush.VapidKey.from_file(folder / "vapid.pem"), ("no such file", "VapidKey.generate()")),
        (lambda folder: fcm.ServiceAccount.from_file(folder / "service-account.json"), ("no such file", "service-account.json")),
        (lambda folder: apns.TokenKey("not a key", **IDS), ()),
        (lambda folder: apns.TokenKey(pem("SECP384R1"), **IDS), ("P-256",)),
        (lambda folder: apns.TokenKey(pem("rsa"), **IDS), ("RSA",)),
        (lambda folder: webpush.VapidKey.parse(pem("SECP384R1")), ("P-256",)),
        (lambda folder: fcm.ServiceAccount.from_json("{}"), ()),
        (lambda folder: fcm.ServiceAccount.from_json("no json"), ("JSON",)),
        (lambda folder: apns.TokenKey(pem("SECP256R1"), key_id="short", team_id="DEF123GHIJ"), ("key_id",)),
        (lambda folder: apns.Config(credentials=apns.TokenKey(pem("SECP256R1"), **IDS)), ("topic",)),
        (lambda folder: webpush.Config(vapid=webpush.VapidKey.generate(), subject="me"), ("mailto:",)),
        (lambda folder: pushkit.Client(apns="AuthKey.p8"), ("apns=: it is a str; expected apns.Config",)),
        (lambda folder: pushkit.Client(retry=pushkit.RetryPolicy), ("RetryPolicy.worker()",)),
    ],
)
def test_wrong_configuration_raises_when_it_is_made(make, parts, tmp_path: Path) -> None:
    """What was seen, what was expected, how to mend it."""
    with pytest.raises(ConfigurationError) as caught:
        make(tmp_path)

    for part in parts:
        assert part in str(caught.value)
    assert "MII" not in str(caught.value)


def subscription(**changes) -> webpush.Subscription:
    private = webpush.VapidKey.generate()
    fields = {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "p256dh": private.public_key,
        "auth": "AAAAAAAAAAAAAAAAAAAAAA",
    }
    return webpush.Subscription(**fields | changes)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (apns.Device("not hexadecimal"), "invalid_token"),
        (apns.Device(""), "invalid_token"),
        (apns.Device(None), "invalid_token"),
        (subscription(p256dh="AAAA"), "invalid_p256dh"),
        (subscription(p256dh=None), "invalid_p256dh"),
        (subscription(auth="AA"), "invalid_auth_secret"),
        (subscription(endpoint="http://updates.push.services.mozilla.com/x"), "invalid_endpoint"),
        (subscription(endpoint="https://192.168.1.1/x"), "invalid_endpoint"),
        (subscription(endpoint="https://push.example.net/x"), "endpoint_not_allowed"),
        (subscription(endpoint=None), "invalid_endpoint"),
        (None, "invalid_target"),
        (5, "invalid_target"),
    ],
)
def test_a_bad_recipient_is_an_outcome_and_nothing_is_sent(target: object, reason: str, push: Client, server: PushServer) -> None:
    """A recipient failure with a word of ours; ``check`` says the same beforehand."""
    [outcome] = push.send_many(HELLO, to=[target]).outcomes

    assert (reason, Category.RECIPIENT, Disposition.NOT_SENT) == (outcome.reason, outcome.category, outcome.disposition)
    assert outcome.advice
    assert reason == push.check(HELLO, to=target).reason
    assert 0 == len(server.sent)


@pytest.mark.parametrize(
    "message",
    [
        Notification(),
        Notification(title=5),
        Notification(title="x" * 5000),
        Notification(title="x", data={"a": 5}),
        Notification(title="\ud800"),
    ],
)
def test_a_bad_message_is_an_outcome_and_nothing_is_sent(message: Notification, push: Client, server: PushServer) -> None:
    """A payload failure; the recipient is fine."""
    outcome = push.send(message, to=server.device())

    assert (Category.PAYLOAD, Disposition.NOT_SENT, Action.FIX_PAYLOAD) == (outcome.category, outcome.disposition, outcome.action)
    assert outcome.advice
    assert 0 == len(server.sent)


def test_none_among_many_stops_nothing(push: Client, server: PushServer) -> None:
    """Everybody else gets it; the bad row is one outcome in its place."""
    devices = [server.device() for _ in range(300)]

    report = push.send_many(HELLO, to=[*devices[:150], None, *devices[150:]])

    assert (301, 300, 1) == (report.total, report.accepted, report.recipient)
    assert "invalid_target" == report.outcomes[150].reason


def test_a_message_callable_that_raises_is_an_outcome(push: Client, server: PushServer) -> None:
    """For the one that it was called for."""
    devices = [server.device(ref=n) for n in range(10)]

    def say(target) -> Notification:
        if target.ref == 3:
            raise KeyError("no name")
        return HELLO

    report = push.send_many(say, to=devices)

    assert (9, 1) == (report.accepted, report.payload)
    assert ("message_failed", 3) == (report.failures[0].reason, report.failures[0].target.ref)


def test_a_message_callable_that_gives_nothing_is_an_outcome(push: Client, server: PushServer) -> None:
    """None is no message."""
    assert Category.PAYLOAD is push.send(lambda target: None, to=server.device()).category  # type: ignore[arg-type,return-value]  # that is the point


def test_a_provider_that_is_not_configured_is_an_outcome(push: Client, server: PushServer) -> None:
    """It says which argument to pass; the others go on."""
    report = push.send_many(HELLO, to=[server.registration(), server.device()])

    assert ["provider_not_configured"] == [failure.reason for failure in report.failures]
    assert "Pass fcm= to the client" in report.failures[0].advice
    assert 1 == report.accepted


def test_an_app_that_is_not_configured_is_an_outcome(push: Client, server: PushServer) -> None:
    """A typo in a row."""
    assert "app_not_configured" == push.send(HELLO, to=server.device(app="typo")).reason


def test_a_message_of_another_provider_is_an_outcome(push: Client, server: PushServer) -> None:
    """Before the wire."""
    outcome = push.send(fcm.Message(data={"a": "b"}), to=server.device())

    assert (Category.PAYLOAD, Disposition.NOT_SENT) == (outcome.category, outcome.disposition)


@pytest.mark.parametrize(
    "call",
    [
        lambda push, to: push.send(HELLO, to=to),
        lambda push, to: push.send_many(HELLO, to=[to]),
        lambda push, to: push.stream(HELLO, to=[to]),
    ],
)
def test_a_closed_client_raises(call, server: PushServer) -> None:
    """A programmer's mistake, said at once."""
    client = Client(apns=server.apns_config(), ssl_context=server.ssl_context())
    client.close()

    with pytest.raises(pushkit.ClientClosedError, match="closed"):
        call(client, server.device())


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda push: push.send(HELLO, to=[apns.Device("a" * 64)]), "send_many"),
        (lambda push: push.send("Hello", to=apns.Device("a" * 64)), "Notification"),
        (lambda push: push.send_many(HELLO, to="abc"), "to"),
        (lambda push: push.send_many(HELLO, to=5), "to"),
    ],
)
def test_a_wrong_argument_raises_at_once(call, complaint: str, push: Client) -> None:
    """With the mend in the message."""
    with pytest.raises(TypeError, match=complaint):
        call(push)


def test_a_client_without_any_provider_raises() -> None:
    """There is nothing that it could send through."""
    with Client() as client, pytest.raises(ConfigurationError, match="no provider"):
        client.send(HELLO, to=apns.Device("a" * 64))


def test_garbage_of_every_kind_gives_one_outcome_each(push: Client, server: PushServer) -> None:
    """A thousand rows of what databases hold: as many outcomes, nothing raised, nothing sent."""
    garbage = [
        None,
        "",
        0,
        b"",
        [],
        {},
        "\ud800",
        float("nan"),
        object(),
        apns.Device(b"x"),
        apns.Device("g" * 64, app=None),
        webpush.Subscription({}),
        webpush.Subscription("https://[::1"),
    ]

    report = push.send_many(HELLO, to=list(itertools.islice(itertools.cycle(garbage), 1000)))

    assert (1000, 0) == (report.total, report.accepted)
    assert 0 == len(server.sent)
    assert json.dumps(report.as_dict())
    assert str(report)


def test_a_stream_of_garbage_gives_one_outcome_each(server: PushServer) -> None:
    """The asynchronous client too."""

    async def run() -> int:
        async with (
            pushkit.AsyncClient(apns=server.apns_config(), ssl_context=server.ssl_context()) as push,
            push.stream(HELLO, to=[None] * 500) as outcomes,
        ):
            return len([outcome async for outcome in outcomes])

    assert 500 == asyncio.run(run())
