"""The WebSocket that a Firefox speaks to its push service, played by a client of wsproto."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import uuid
from collections.abc import Iterator
from typing import Any, Self

import pytest
from tests.unit.webpush.helpers import Browser, b64, unb64
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Ping, Pong, Request, TextMessage

from pushkit import Accepted, Action, Client, Notification
from pushkit.testing import PushServer
from pushkit.testing.autopush import DELIVERED, Autopush
from pushkit.webpush import Message, Subscription, VapidKey, Withdrawal, decrypt

HELLO = Notification(title="Hello")


class Agent:
    """A browser's push connection."""

    def __init__(self, autopush: Autopush) -> None:
        host, port = autopush.url.removeprefix("ws://").rstrip("/").split(":")
        self.socket = socket.create_connection((host, int(port)), 5)
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.socket.sendall(self.protocol.send(Request(host=host, target="/", subprotocols=["push-notification"])))
        self._text: list[str] = []
        accepted = self._until(AcceptConnection)
        self.subprotocol = accepted.subprotocol

    def _until(self, kind: type) -> Any:
        while True:
            for event in self.protocol.events():
                if isinstance(event, TextMessage) and kind is not TextMessage:
                    self._text.append(event.data)
                elif isinstance(event, kind):
                    return event
            self.protocol.receive_data(self.socket.recv(65536) or None)

    def send(self, **message: Any) -> None:
        self.raw(json.dumps(message))

    def raw(self, text: str) -> None:
        self.socket.sendall(self.protocol.send(TextMessage(data=text)))

    def receive(self) -> Any:
        text = self._text.pop(0) if self._text else self._until(TextMessage).data
        return json.loads(text)

    def ask(self, **message: Any) -> Any:
        self.send(**message)
        return self.receive()

    def hello(self, uaid: str = "") -> str:
        return self.ask(messageType="hello", use_webpush=True, uaid=uaid)["uaid"]

    def subscribe(self, key: VapidKey | None) -> tuple[str, str]:
        channel = str(uuid.uuid4())
        fields = {} if key is None else {"key": base64.urlsafe_b64encode(unb64(key.public_key)).decode()}
        answer = self.ask(messageType="register", channelID=channel, **fields)
        assert (200, channel) == (answer["status"], answer["channelID"])
        return channel, answer["pushEndpoint"]

    def hung_up(self) -> bool:
        """Whether the other side ends the connection (within the socket's five seconds)."""
        with contextlib.suppress(ConnectionError):
            while self.socket.recv(65536):
                pass
        return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer() as running:
        yield running


@pytest.fixture
def autopush(server: PushServer) -> Iterator[Autopush]:
    with Autopush(server) as running:
        yield running


@pytest.fixture(scope="module")
def push(server: PushServer) -> Iterator[Client]:
    with Client(webpush=server.webpush_config(), ssl_context=server.ssl_context()) as client:
        yield client


@pytest.fixture
def key(server: PushServer) -> VapidKey:
    return VapidKey.parse(server.vapid.pem)


def target_of(browser: Browser, endpoint: str) -> Subscription:
    return Subscription(endpoint, p256dh=b64(browser.public), auth=b64(browser.auth))


def test_a_browser_subscribes_and_gets_what_is_sent(autopush: Autopush, push: Client, key: VapidKey):
    """hello, register, notification with the encrypted body, ack."""
    browser = Browser.make()
    with Agent(autopush) as agent:
        agent.hello()
        channel, endpoint = agent.subscribe(key)
        outcome = push.send(Message("for your eyes"), to=target_of(browser, endpoint))
        message = agent.receive()
        agent.send(messageType="ack", updates=[{"channelID": channel, "version": message["version"], "code": DELIVERED}])

        assert "push-notification" == agent.subprotocol
        assert isinstance(outcome, Accepted), outcome
        assert ("notification", channel, {"encoding": "aes128gcm"}) == (message["messageType"], message["channelID"], message["headers"])
        assert b"for your eyes" == decrypt(unb64(message["data"]), browser.key, browser.auth)
        assert [(channel, DELIVERED)] == [(ack.channel, ack.code) for ack in autopush.wait_for_acks(1)]
        assert (endpoint,) == autopush.endpoints


def test_a_push_without_content_carries_no_data(autopush: Autopush, push: Client, key: VapidKey):
    """Neither data nor headers."""
    with Agent(autopush) as agent:
        agent.hello()
        _, endpoint = agent.subscribe(key)
        push.send(Message(), to=Subscription(endpoint)).unwrap()

        assert {"data", "headers"}.isdisjoint(agent.receive())


def test_an_unsubscribed_endpoint_is_gone(autopush: Autopush, push: Client, key: VapidKey):
    """410 from then on."""
    with Agent(autopush) as agent:
        agent.hello()
        channel, endpoint = agent.subscribe(key)
        answer = agent.ask(messageType="unregister", channelID=channel)
        outcome = push.send(HELLO, to=target_of(Browser.make(), endpoint))

    assert ("unregister", 200) == (answer["messageType"], answer["status"])
    assert (410, Action.REMOVE_RECIPIENT) == (outcome.status, outcome.action)


def test_another_key_is_refused(autopush: Autopush, push: Client):
    """The endpoint is bound to the key of the page."""
    with Agent(autopush) as agent:
        agent.hello()
        _, endpoint = agent.subscribe(VapidKey.generate())

        assert "VAPID public key mismatch" == push.send(HELLO, to=target_of(Browser.make(), endpoint)).reason


def test_a_browser_that_was_away_gets_what_waited(autopush: Autopush, push: Client, key: VapidKey):
    """With the same id it finds its channels and messages again; what had no time to wait is lost."""
    browser = Browser.make()
    with Agent(autopush) as agent:
        uaid = agent.hello()
        _, endpoint = agent.subscribe(key)
    push.send(Message("lost", ttl=0), to=target_of(browser, endpoint)).unwrap()
    push.send(Message("kept", ttl=60), to=target_of(browser, endpoint)).unwrap()

    with Agent(autopush) as agent:
        assert uaid == agent.hello(uaid)
        assert b"kept" == decrypt(unb64(agent.receive()["data"]), browser.key, browser.auth)


def test_what_was_taken_back_does_not_arrive(autopush: Autopush, push: Client, key: VapidKey):
    """DELETE on its location while the browser is away."""
    browser = Browser.make()
    with Agent(autopush) as agent:
        uaid = agent.hello()
        _, endpoint = agent.subscribe(key)
    target = target_of(browser, endpoint)
    sent = push.send(Message("taken back"), to=target).unwrap()
    push.send(Message("stays"), to=target).unwrap()
    push.send(Withdrawal.of(sent), to=target).unwrap()

    with Agent(autopush) as agent:
        agent.hello(uaid)
        assert b"stays" == decrypt(unb64(agent.receive()["data"]), browser.key, browser.auth)


def test_pings_are_answered(autopush: Autopush):
    """Both kinds: an empty object, and WebSocket's own."""
    with Agent(autopush) as agent:
        agent.raw("{}")
        assert {} == agent.receive()
        agent.socket.sendall(agent.protocol.send(Ping(payload=b"x")))
        assert b"x" == agent._until(Pong).payload


@pytest.mark.parametrize("text", ["no json", "[" * 100_000, '{"messageType": "register", "channelID": "x"}'])
def test_nonsense_ends_one_connection_only(autopush: Autopush, text: str):
    """What is no JSON, or comes before hello; others go on."""
    with Agent(autopush) as good, Agent(autopush) as bad:
        good.hello()
        bad.raw(text)

        assert bad.hung_up()
        assert good.hello()


def test_a_stopped_service_leaves_nothing_behind(server: PushServer, push: Client, key: VapidKey):
    """Pushes are accepted as before; nobody listens."""
    with Autopush(server) as autopush, Agent(autopush) as agent:
        agent.hello()
        _, endpoint = agent.subscribe(key)

    assert isinstance(push.send(HELLO, to=target_of(Browser.make(), endpoint)), Accepted)
    assert server.world.deliver is None


def test_it_needs_a_running_server():
    """The error says what to do first."""
    with pytest.raises(RuntimeError, match="start the PushServer first"):
        Autopush(PushServer()).start()


def test_waiting_for_acks_has_an_end(autopush: Autopush):
    """With the counts."""
    with pytest.raises(TimeoutError, match="0 of 1 messages"):
        autopush.wait_for_acks(1, timeout=0.05)
