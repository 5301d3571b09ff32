"""
The browser's side of the local Mozilla service: autopush's WebSocket, so that a real Firefox can subscribe here.

Point the browser's preference ``dom.push.serverURL`` at :attr:`Autopush.url`. A page then gets an endpoint
of the local service, and what is accepted there arrives in its service worker. See
``docs/testing.md`` and, for a headless Firefox, ``tests/interop/browser``.

Protocol: autopush-rs, docs/src/architecture and ``autoconnect``; subprotocol ``push-notification``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import json
import threading
import time
import uuid
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import attrs

from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Request
from pushkit.testing.services.world import Known

if TYPE_CHECKING:
    from wsproto import WSConnection
    from wsproto.events import Event

    from pushkit.testing.server.push_server import PushServer

DELIVERED = 100
"""The browser gave the message to the service worker."""
DECRYPTION_FAILED = 101
NOT_DELIVERED = 102
"""The service worker's own code failed."""

_LARGEST_MESSAGE = 1 << 20
_STORED = 100
_KEPT_ACKS = 1000
_START_PATIENCE = 10.0


@attrs.frozen
class Ack:
    """What a browser said about one message."""

    channel: str
    version: str
    code: int


@attrs.define(eq=False)
class _Stored:
    """A message that waits for its browser."""

    channel: str
    version: str
    location: str
    until: float
    frame: dict[str, Any]


@attrs.define(eq=False)
class _Agent:
    """A browser: its channels survive its connection."""

    channels: dict[str, str] = attrs.field(factory=dict[str, str])
    """Channel to endpoint."""
    waiting: deque[_Stored] = attrs.field(factory=lambda: deque(maxlen=_STORED))
    writer: _Writer | None = None


class Autopush:
    """
    A WebSocket server beside a :class:`PushServer`, for browsers.

    ::

        with PushServer() as server, Autopush(server) as autopush:
            ...  # a browser with dom.push.serverURL = autopush.url

    Needs the package ``wsproto``.

    Args:
        server: its Mozilla service gives the endpoints; it has to run.
        host: address to listen on.
        port: 0 takes a free one.

    Raises:
        ImportError: when ``wsproto`` is not there, with what to install.
    """

    def __init__(self, server: PushServer, *, host: str = "127.0.0.1", port: int = 0) -> None:
        # Found missing here, not with the first browser.
        if importlib.util.find_spec("wsproto") is None:
            raise ImportError("a browser's WebSocket needs wsproto; install it with: pip install wsproto")
        self._server = server
        self._host = host
        self._port = port
        self._listener: asyncio.Server | None = None
        self._agents: dict[str, _Agent] = {}
        self._owners: dict[str, tuple[str, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = threading.Condition()
        self._acks: deque[Ack] = deque(maxlen=_KEPT_ACKS)

    # Life

    def start(self) -> Self:
        """Start to listen."""
        self._run(self._open())
        self._server.world.deliver, self._server.world.withdrawn = self._deliver, self._withdrawn
        return self

    def stop(self) -> None:
        """Stop; browsers are cut off. Idempotent."""
        self._server.world.deliver = self._server.world.withdrawn = None
        self._run(self._close())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _run(self, work: Any) -> None:
        loop = self._server.loop
        if loop is None:
            work.close()
            raise RuntimeError("start the PushServer first: Autopush lives on its loop")
        asyncio.run_coroutine_threadsafe(work, loop).result(_START_PATIENCE)

    async def _open(self) -> None:
        self._listener = await asyncio.start_server(self._serve, self._host, self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What a test asks

    @property
    def url(self) -> str:
        """For ``dom.push.serverURL``."""
        return f"ws://{self._host}:{self._port}/"

    @property
    def acks(self) -> tuple[Ack, ...]:
        """What browsers said about messages, oldest first."""
        with self._changed:
            return tuple(self._acks)

    def wait_for_acks(self, count: int, timeout: float = 10.0) -> tuple[Ack, ...]:
        """
        Wait until browsers acknowledged ``count`` messages in all.

        Raises:
            TimeoutError: when they did not.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._acks) >= count, timeout):
                raise TimeoutError(f"{len(self._acks)} of {count} messages were acknowledged within {timeout:g} s")
            return tuple(self._acks)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Endpoints that browsers hold now."""
        with self._changed:
            return tuple(self._owners)

    # Delivery, called by the Web Push service on the server's loop

    def _withdrawn(self, location: str) -> None:
        for agent in self._agents.values():
            for stored in tuple(agent.waiting):
                if stored.location == location:
                    agent.waiting.remove(stored)

    def _deliver(self, address: Address, request: Request, location: str) -> None:
        owner = self._owners.get(address.key)
        if owner is None:
            return
        uaid, channel = owner
        agent = self._agents[uaid]
        version = uuid.uuid4().hex
        frame: dict[str, Any] = {
            "messageType": "notification",
            "channelID": channel,
            "version": version,
            "ttl": int(request.headers[b"ttl"]),
        }
        if request.body:
            frame["data"] = base64.urlsafe_b64encode(request.body).rstrip(b"=").decode()
            frame["headers"] = {"encoding": "aes128gcm"}
        stored = _Stored(channel, version, location, time.monotonic() + frame["ttl"], frame)
        if frame["ttl"]:
            agent.waiting.append(stored)
        if agent.writer is not None:
            agent.writer.send(frame)

    # One connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        browser = _Browser(self, _Writer(writer))
        try:
            while not browser.ended:
                data = await reader.read(65536)
                browser.receive(data)
                await writer.drain()
                if not data:
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            browser.left()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    # What browsers ask

    def hello(self, uaid: str, writer: _Writer) -> tuple[str, _Agent]:
        """A browser is there: its earlier channels come back, and so does what waited for it."""
        if uaid not in self._agents:
            uaid = uuid.uuid4().hex
            self._agents[uaid] = _Agent()
        agent = self._agents[uaid]
        agent.writer = writer
        return uaid, agent

    def send_waiting(self, agent: _Agent) -> None:
        """What came while the browser was away and is still worth it."""
        now = time.monotonic()
        for stored in tuple(agent.waiting):
            if stored.until <= now:
                agent.waiting.remove(stored)
            elif agent.writer is not None:
                agent.writer.send(stored.frame)

    def subscribe(self, uaid: str, agent: _Agent, channel: str, key: bytes | None) -> str:
        """A new endpoint, bound to the page's application server key."""
        endpoint = self._server.new_endpoint("mozilla")
        self._server.world.register("webpush", endpoint, Known(bound_to=key))
        with self._changed:
            agent.channels[channel] = endpoint
            self._owners[endpoint] = (uaid, channel)
        return endpoint

    def unsubscribe(self, agent: _Agent, channel: str) -> None:
        """The endpoint ends: from now on it answers 410."""
        endpoint = agent.channels.pop(channel, None)
        if endpoint is not None:
            with self._changed:
                self._owners.pop(endpoint, None)
            self._server.world.unregister("webpush", endpoint)

    def acknowledged(self, agent: _Agent, ack: Ack) -> None:
        """The browser is done with a message."""
        for stored in tuple(agent.waiting):
            if stored.version == ack.version:
                agent.waiting.remove(stored)
        with self._changed:
            self._acks.append(ack)
            self._changed.notify_all()


class _Writer:
    """Sends JSON messages to one browser."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        from wsproto import ConnectionType, WSConnection

        self._writer = writer
        self.protocol: WSConnection = WSConnection(ConnectionType.SERVER)

    def send(self, message: dict[str, Any]) -> None:
        """One message."""
        from wsproto.events import TextMessage

        self.emit(TextMessage(data=json.dumps(message)))

    def emit(self, event: Event) -> None:
        """One frame."""
        if not self._writer.is_closing():
            self._writer.write(self.protocol.send(event))


class _Browser:
    """One connection's conversation."""

    def __init__(self, autopush: Autopush, writer: _Writer) -> None:
        self._autopush = autopush
        self._writer = writer
        self._agent: _Agent | None = None
        self._uaid = ""
        self._text = ""
        self.ended = False

    def receive(self, data: bytes) -> None:
        """Octets from the browser (none: it closed)."""
        from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage
        from wsproto.utilities import RemoteProtocolError

        protocol = self._writer.protocol
        try:
            protocol.receive_data(data or None)
            for event in protocol.events():
                if isinstance(event, Request):
                    wanted = "push-notification" if "push-notification" in event.subprotocols else None
                    self._writer.emit(AcceptConnection(subprotocol=wanted))
                elif isinstance(event, TextMessage):
                    self._collect(event.data, finished=event.message_finished)
                elif isinstance(event, Ping):
                    self._writer.emit(event.response())
                elif isinstance(event, CloseConnection):
                    self.ended = True
                    if data:
                        self._writer.emit(event.response())
        except RemoteProtocolError:
            self.ended = True

    def left(self) -> None:
        """The connection ended; what comes now waits."""
        if self._agent is not None and self._agent.writer is self._writer:
            self._agent.writer = None

    def _collect(self, part: str, *, finished: bool) -> None:
        self._text += part
        if len(self._text) > _LARGEST_MESSAGE:
            self.ended = True
        elif finished:
            text, self._text = self._text, ""
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                self.ended = True
                return
            self._answer(cast("dict[str, Any]", message) if isinstance(message, dict) else {})

    def _answer(self, message: dict[str, Any]) -> None:
        kind = message.get("messageType")
        if not message or kind == "ping":
            self._writer.send({})
        elif kind == "hello":
            self._uaid, self._agent = self._autopush.hello(str(message.get("uaid") or ""), self._writer)
            self._writer.send({"messageType": "hello", "uaid": self._uaid, "status": 200, "use_webpush": True, "broadcasts": {}})
            self._autopush.send_waiting(self._agent)
        elif self._agent is None:
            self.ended = True
        else:
            self._answer_known(self._agent, kind, message)

    def _answer_known(self, agent: _Agent, kind: object, message: dict[str, Any]) -> None:
        channel = str(message.get("channelID", ""))
        if kind == "register":
            key = message.get("key")
            raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)) if isinstance(key, str) and key else None
            endpoint = self._autopush.subscribe(self._uaid, agent, channel, raw)
            self._writer.send({"messageType": "register", "channelID": channel, "status": 200, "pushEndpoint": endpoint})
        elif kind == "unregister":
            self._autopush.unsubscribe(agent, channel)
            self._writer.send({"messageType": "unregister", "channelID": channel, "status": 200})
        elif kind == "ack":
            updates = message.get("updates")
            for update in cast("list[dict[str, Any]]", updates) if isinstance(updates, list) else []:
                ack = Ack(str(update.get("channelID", "")), str(update.get("version", "")), int(update.get("code", DELIVERED)))
                self._autopush.acknowledged(agent, ack)
