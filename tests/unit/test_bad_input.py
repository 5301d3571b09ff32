"""Bad input at the seams: each wrong argument is named where it is given, with what was expected, before anything is sent or opened."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.canaries import Canaries, LeakCatcher

import pushkit
from pushkit import ConfigurationError, Notification, apns, fcm, webpush
from pushkit.preview import Effect, lint
from pushkit.testing import AsyncFakeClient, FakeClient
from pushkit.testing.accounts import Accounts, key_file

HELLO = Notification(title="Hello")
CLIENTS = [pushkit.Client, pushkit.AsyncClient]


def config() -> apns.Config:
    key = apns.TokenKey(Accounts().new_apns_key().pem or "", key_id="ABC123DEFG", team_id="DEF123GHIJ")
    return apns.Config(credentials=key, topic="com.example.app")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"ssl_context": True}, r"ssl_context= is a bool; expected an ssl\.SSLContext"),
        ({"ssl_context": False}, r"ssl_context= is a bool; expected an ssl\.SSLContext"),
        ({"ssl_context": "/etc/ca.pem"}, r"ssl_context= is a str; .*create_default_context\(cafile=\.\.\.\)"),
        ({"proxy": "ftp://proxy:21"}, "proxy: expected a URL such as http://user:password@host:3128"),
        ({"proxy": "http://:3128"}, "proxy: expected a URL"),
        ({"proxy": 3128}, "proxy= is a int; expected a URL"),
        ({"transport": object()}, r"the transport is a object; expected an httpx\.AsyncClient"),
        ({"transport": "httpx"}, r"the transport is a str; expected an httpx\.AsyncClient"),
        ({"transport": object(), "proxy": "http://proxy:3128"}, "contradict each other"),
        ({"transport": object(), "ssl_context": ssl.create_default_context()}, "contradict each other"),
    ],
)
def test_a_network_that_cannot_work_is_refused_when_the_client_is_made(client: Any, arguments: dict[str, Any], complaint: str) -> None:
    """Not at the first push, as a failure that looks like the provider's and is tried three times."""
    with pytest.raises(ConfigurationError, match=complaint):
        client(apns=config(), **arguments)


def test_a_row_in_place_of_a_target_is_told_to_become_one() -> None:
    """A dictionary is iterable, but nobody who passes one means many targets."""
    with pushkit.Client(apns=config()) as push, pytest.raises(TypeError, match=r"to= is a dict; make a target of it, such as apns\.Device"):
        push.send(HELLO, to={"token": "80b5"})  # type: ignore[arg-type]  # that is the point


READERS = {
    "apns.TokenKey.from_file()": lambda path: apns.TokenKey.from_file(path, key_id="ABC123DEFG", team_id="DEF123GHIJ"),
    "apns.Certificate.from_pem_file()": lambda path: apns.Certificate.from_pem_file(path),
    "apns.Certificate.from_p12_file()": lambda path: apns.Certificate.from_p12_file(path),
    "fcm.ServiceAccount.from_file()": lambda path: fcm.ServiceAccount.from_file(path),
    "webpush.VapidKey.from_file()": lambda path: webpush.VapidKey.from_file(path),
}
EXPECTED_FILE = "expected the path of a file"


@pytest.mark.parametrize("reader", READERS)
def test_a_variable_that_is_not_set_is_named_as_such(reader: str) -> None:
    """``os.environ.get("KEY_FILE")`` gave None, or an empty text: the commonest way to have no key file."""
    for nothing, seen in ((None, "the path is a NoneType"), ("", "the path is empty")):
        with pytest.raises(ConfigurationError) as caught:
            READERS[reader](nothing)

        assert str(caught.value).startswith(f"{reader}: {seen}; {EXPECTED_FILE} (is the environment variable set?)")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("shape", ["pem", "json", "base64", "base64url"])
def test_a_key_in_place_of_its_path_is_not_repeated(reader: str, shape: str, canaries: Canaries) -> None:
    """People put the key itself into the variable that should hold the path; the error must not print it."""
    secret = base64.b64encode(canaries.access_token.encode()).decode()
    key = {
        "pem": f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n",
        "json": json.dumps({"private_key": secret}),
        "base64": f"{secret[:20]}/{secret[21:]}",
        "base64url": secret.rstrip("="),
    }[shape]
    catcher = LeakCatcher(canaries.with_more(secret, secret[21:41]))

    with pytest.raises(ConfigurationError, match=f"{reader[:-2]}.*looks like a key itself.*pass it to (apns|fcm|webpush)") as caught:
        READERS[reader](key)

    catcher.see(caught.value)
    catcher.see_exception(caught.value)
    catcher.assert_clean()


@pytest.mark.parametrize("reader", READERS)
def test_a_key_file_that_holds_something_else_is_named(reader: str, tmp_path: Path) -> None:
    """Who has three key files wants to know which one is wrong."""
    for name, content in (("notes.txt", b"buy milk"), ("nothing.p8", b""), ("photo.jpg", os.urandom(3000)), ("film.mp4", bytes(100_000))):
        (tmp_path / name).write_bytes(content)

        with pytest.raises(ConfigurationError, match=name):
            READERS[reader](tmp_path / name)


@pytest.mark.parametrize("reader", READERS)
def test_a_key_file_that_is_not_there_is_named_with_its_folder(reader: str, tmp_path: Path) -> None:
    """A relative path depends on where the program was started."""
    with pytest.raises(ConfigurationError) as caught:
        READERS[reader](tmp_path / "keys" / "AuthKey_ABC123DEFG.p8")

    assert f"no such file (looked in {tmp_path / 'keys'})" in str(caught.value)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        READERS[reader](tmp_path)


@pytest.mark.parametrize(
    ("given", "mend"), [(None, "environment variable"), ({"type": "service_account"}, r"from_info\(\)"), (5, "got a int")]
)
def test_a_service_account_that_is_no_text_says_what_takes_it(given: Any, mend: str) -> None:
    """A mapping is not "no JSON"."""
    with pytest.raises(ConfigurationError, match=mend):
        fcm.ServiceAccount.from_json(given)


def test_a_message_callable_that_raises_says_where_and_says_it_once(caplog: pytest.LogCaptureFixture, canaries: Canaries) -> None:
    """The line that is to be mended, in each outcome and once in the log, without what the exception quotes."""

    def clumsy(target: apns.Device) -> Notification:
        raise KeyError(f"no name for {canaries.title}")

    line = clumsy.__code__.co_firstlineno + 1
    place = f"the message callable raised KeyError at test_bad_input.py:{line} in clumsy"

    with FakeClient() as push:
        report = push.send_many(clumsy, to=[push.device() for _ in range(50)])

    assert {place} == {failure.detail for failure in report.failures}
    assert [place] == [record.getMessage().partition(";")[0] for record in caplog.records if "callable" in record.getMessage()]
    assert canaries.title not in caplog.text


def test_an_async_message_callable_is_told_to_be_a_plain_one() -> None:
    """It is not awaited behind the caller's back, nor left as a warning without a place."""

    async def fetch(target: apns.Device) -> Notification:
        return HELLO

    with FakeClient() as push:
        outcome = push.send(fetch, to=push.device())  # type: ignore[arg-type]  # that is the point

    assert ("message_failed", "the message callable is an async function") == (outcome.reason, outcome.detail.partition(";")[0])
    assert 0 == len(push.sent)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Notification(title="x", priority="urgent"), "Priority: expected one of 'high', 'normal', 'low', got 'urgent'"),
        (lambda: Notification(title="x", priority=10), "Priority: expected one of 'high', 'normal', 'low', got a int"),
        (lambda: Notification(title="x", interruption="loud"), "InterruptionLevel: expected one of 'passive', 'active', 'time-sensitive'"),
        (lambda: apns.Options(priority="5"), "Priority: expected one of"),
    ],
)
def test_a_word_that_is_none_of_ours_is_refused_with_those_that_are(make: Any, complaint: str) -> None:
    """A wrong enum is a programmer's mistake, and the list of right ones is its mend."""
    with pytest.raises(ValueError, match=complaint):
        make()


@pytest.mark.parametrize("options", [5, (5,), "high", {"priority": 5}, (apns.Options,), (apns.Options(), None)])
def test_options_that_are_none_are_not_left_out_in_silence(options: Any) -> None:
    """They would win over the portable fields; ignored, nobody would learn why they do not."""
    with FakeClient() as push:
        for target in (push.device(), push.registration(), push.subscription()):
            outcome = push.send(Notification(title="x", options=options), to=target)

            assert ("invalid_options", "options") == (outcome.reason, outcome.field)
    assert 0 == len(push.sent)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttl": -1},
        {"ttl": "5"},
        {"expires_at": datetime(2030, 1, 1)},
        {"options": (5,)},
        {"title": 5},
        {"data": {"a": 5}},
    ],
    ids=str,
)
def test_the_linter_refuses_what_sending_refuses(wrong: dict[str, Any]) -> None:
    """What all providers share is asked by both, in the same words."""
    message = Notification(**{"title": "x"} | wrong)
    refused = {warning.provider: (warning.field, warning.mend) for warning in lint(message) if warning.effect is Effect.REFUSED}

    with FakeClient() as push:
        for target in (push.device(), push.registration(), push.subscription()):
            failure = push.check(message, to=target)

            assert failure is not None
            assert (failure.field, failure.advice) == refused[target.provider]


def sent_by(client: str, message: Any, targets: list[Any], **more: Any) -> pushkit.Report:
    """The same call of either client, through the real engine without a network."""
    if client == "Client":
        with FakeClient(**more) as push:
            return push.send_many(message, to=targets)

    async def run() -> pushkit.Report:
        async with AsyncFakeClient(**more) as push:
            return await push.send_many(message, to=targets)

    return asyncio.run(run())


def raises_for(target: Any) -> Notification:
    raise LookupError(f"no row for {target.token}")


P256DH = webpush.VapidKey.generate().public_key
GOOD = {"endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc", "p256dh": P256DH, "auth": "A" * 22}
DEVICE = apns.Device("a" * 64)


@pytest.mark.parametrize("client", ["Client", "AsyncClient"])
@pytest.mark.parametrize(
    ("message", "target", "reason", "told"),
    [
        (HELLO, apns.Device("no hex at all"), "invalid_token", "expected hexadecimal digits"),
        (HELLO, apns.Device("80b5 a3c1"), "invalid_token", "store the digits alone"),
        (HELLO, webpush.Subscription(**GOOD | {"p256dh": "AAAA"}), "invalid_p256dh", "found 3 octets; expected base64url of 65 octets"),
        (HELLO, webpush.Subscription(**GOOD | {"p256dh": "BA" + "A" * 85}), "invalid_p256dh", "no point on the curve P-256"),
        (HELLO, webpush.Subscription(**GOOD | {"endpoint": "http://push.example/x"}), "invalid_endpoint", "begins with https://"),
        (HELLO, webpush.Subscription(**GOOD | {"endpoint": "https://10.0.0.7/x"}), "invalid_endpoint", "expected a host name"),
        (HELLO, webpush.Subscription(**GOOD | {"endpoint": "https://[fd00::1]/x"}), "invalid_endpoint", "expected a host name"),
        (Notification(), DEVICE, "empty_message", "Give the notification a title"),
        (HELLO, None, "invalid_target", "found nothing (None)"),
        (raises_for, DEVICE, "message_failed", "raised LookupError at test_bad_input.py"),
        (lambda target: None, DEVICE, "message_failed", "gave a NoneType"),
        (fcm.Message(data={"a": "b"}), DEVICE, "wrong_message", "a message of fcm for a target of apns"),
    ],
)
def test_each_bad_row_is_one_outcome_that_says_what_was_seen(client: str, message: Any, target: Any, reason: str, told: str) -> None:
    """Nothing is sent for it, and both clients say the same."""
    [outcome] = sent_by(client, message, [target]).outcomes

    assert (reason, pushkit.Disposition.NOT_SENT, False) == (outcome.reason, outcome.disposition, outcome.retryable)
    assert told in f"{outcome.advice} {outcome.detail}"
    assert () == outcome.attempts


@pytest.mark.parametrize("client", ["Client", "AsyncClient"])
def test_a_target_without_its_provider_names_the_argument(client: str) -> None:
    """The others go on."""
    report = sent_by(client, HELLO, [fcm.Registration("abc"), DEVICE, webpush.Subscription(**GOOD)], apns=config())

    assert {"fcm": "Pass fcm= to the client", "webpush": "Pass webpush= to the client"} == {
        failure.provider: failure.advice.partition(":")[0] for failure in report.failures if failure.reason == "provider_not_configured"
    }
    assert (3, 1) == (report.total, report.accepted)


@pytest.mark.parametrize("call", ["send", "send_many", "stream", "resume", "verify", "connect"])
def test_every_call_of_a_closed_client_raises_and_says_what_to_do(call: str) -> None:
    """At once, in both clients, also where a coroutine or a stream would begin later."""
    arguments: dict[str, Any] = {"to": DEVICE if call == "send" else [DEVICE]} if call in {"send", "send_many", "stream"} else {}
    given: list[Any] = [HELLO] if arguments else [[]] if call == "resume" else []

    with FakeClient() as push:
        pass
    with pytest.raises(pushkit.ClientClosedError, match="this client is closed; make a new one"):
        getattr(push, call)(*given, **arguments)

    async def run() -> None:
        async with AsyncFakeClient() as asynchronous:
            pass
        made = getattr(asynchronous, call)(*given, **arguments)
        if call in {"stream", "resume"}:
            async with made as outcomes:
                await anext(aiter(outcomes))
        else:
            await made

    with pytest.raises(pushkit.ClientClosedError, match="this client is closed; make a new one"):
        asyncio.run(run())


@pytest.mark.parametrize("field", ["origin", "iid_origin"])
def test_no_access_token_travels_in_the_clear(field: str) -> None:
    """An origin on http would show every token to the network in between."""
    with pytest.raises(ConfigurationError, match=rf"fcm\.Config\({field}=\): expected https.*got http"):
        fcm.Config(credentials=fcm.StaticToken("ya29.x", project_id="my-app"), **{field: "http://fcm.example"})
    with pytest.raises(ConfigurationError, match=r"apns\.Config\(origin=\): expected https.*got http"):
        apns.Config(credentials=config().credentials, topic="com.example.app", origin="http://push.example")


@pytest.mark.parametrize("host", ["oauth2.example", "localhost:8080"])
def test_no_sign_in_travels_in_the_clear(host: str) -> None:
    """Whoever reads the assertion or the answer on the way can send in our name; local push services speak TLS as well."""
    info = key_file(Accounts().new_service_account(), "https://oauth2.googleapis.com/token") | {"token_uri": f"http://{host}/token"}

    with pytest.raises(ConfigurationError, match=r"token_uri begins with http://.*; expected https://"):
        fcm.ServiceAccount.from_info(info)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"expires_at": datetime.max.replace(tzinfo=UTC)}, "expires_at"),
        ({"key": 5}, "key"),
        ({"key": b"k"}, "key"),
        ({"label": 7}, "label"),
    ],
)
def test_what_a_message_says_of_itself_is_checked(fields: dict[str, Any], field: str) -> None:
    """Neither lost on the way nor silently left out."""
    with FakeClient() as push:
        outcome = push.send(Notification(title="Hello", **fields), to=push.device())

    assert isinstance(outcome, pushkit.PayloadFailure)
    assert field == outcome.field


def test_a_mistake_of_ours_after_an_answer_ends_the_push(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits gets an outcome, which says that the fate is not known, and never waits for ever."""
    from pushkit.delivery import settle

    def broken(*_: Any) -> None:
        raise OverflowError

    with FakeClient() as push:
        monkeypatch.setattr(settle, "accepted", broken)
        outcome = push.send(HELLO, to=push.device())

    assert isinstance(outcome, pushkit.TechnicalFailure)
    assert ("provider_error", pushkit.Disposition.UNKNOWN) == (outcome.reason, outcome.disposition)
