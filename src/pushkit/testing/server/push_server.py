"""``PushServer``: the local push services on real sockets, in a thread of their own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from pushkit.messages import Duration, seconds
from pushkit.testing.accounts import Accounts
from pushkit.testing.behaviour import Behaviour
from pushkit.testing.ca import LocalCA
from pushkit.testing.exchange import Connection
from pushkit.testing.faults import LISTENER_FAULTS
from pushkit.testing.inbox import Inbox, SentRecord
from pushkit.testing.opened import Opened
from pushkit.testing.provision import Provision
from pushkit.testing.server.port import Port
from pushkit.testing.services.routes import PROVIDER_OF, Site, sites_for
from pushkit.testing.services.world import DIALECTS, Known, Sites, World

T = TypeVar("T")

_START_PATIENCE = 10.0
_STOP_PATIENCE = 10.0
APNS_STREAMS = 1000
"""What APNs was seen to offer once a connection has shown a valid token."""
FCM_STREAMS = 100
WEBPUSH_STREAMS = 100

_APNS_PORTS = frozenset({"apns", "apns_sandbox", "channels", "channels_sandbox"})


class PushServer(Provision):
    """
    APNs, FCM with its token endpoint, and Web Push, on loopback, over real TLS and HTTP/2.

    ::

        with PushServer() as server:
            device = server.device()
            with Client(apns=server.apns_config(), ssl_context=server.ssl_context()) as push:
                push.send(notification, to=device).unwrap()
            assert server.sent[0].title == "Hello"

    Works as ``with`` and ``async with``; the services run in a background thread either way. Everything may be
    used from any thread.

    Args:
        behaviour: scripts; a fresh one by default.
        accounts: credentials known from the start.
        engine: HTTP/2 implementation: ``"auto"``, ``"ngh2"`` or ``"h2"``.
        ports: fixed port numbers by name (``"apns"``, ``"apns_sandbox"``, ``"channels"``, ``"fcm"``, ``"iid"``,
            ``"oauth"``, ``"mozilla"``, ``"google"``, ``"apple"``, ``"microsoft"``, ``"rfc"``); others are free ones.
        host: address to listen on.
        known_only: refuse well-formed tokens that were never registered here.
        first_streams: streams that APNs offers on a new connection until it has seen a valid token (Apple: one).
        apns_streams: streams that it offers after that.
        shrink_on_refusal: offer one stream after a refused push until the next accepted one, as APNs was
            reported to do.
        bundle_id: the app of ``apns_config()`` and ``device()``.
        project_id: the Firebase project of ``fcm_config()`` and ``registration()``.
        keep: records kept in the inbox.
    """

    def __init__(
        self,
        *,
        behaviour: Behaviour | None = None,
        accounts: Accounts | None = None,
        engine: str = "auto",
        ports: dict[str, int] | None = None,
        host: str = "127.0.0.1",
        known_only: bool = False,
        first_streams: int = 1,
        apns_streams: int = APNS_STREAMS,
        shrink_on_refusal: bool = False,
        bundle_id: str = "com.example.app",
        project_id: str = "local-project",
        keep: int = 10_000,
    ) -> None:
        self.ca = LocalCA()
        world = World(behaviour=behaviour, accounts=accounts, inbox=Inbox(keep=keep), known_only=known_only)
        super().__init__(world, bundle_id=bundle_id, project_id=project_id)
        self.world.shrink_on_refusal = shrink_on_refusal
        self._first_streams = first_streams
        self._apns_streams = apns_streams
        self._engine = engine
        self._host = host
        self._fixed = dict(ports or {})
        self._ports: dict[str, Port] = {}
        self._wished: dict[str, int] = {}
        self._sites: dict[str, Site] = {}
        self.restored: list[tuple[str, str, Known]] = []
        """Recipients of a state file, until the ports are known."""
        self.restored_records: list[dict[str, Any]] = []
        """Records of a state file, until the ports are known."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        known = set(PROVIDER_OF)
        unknown = self._fixed.keys() - known
        if unknown:
            raise ValueError(f"ports= names {', '.join(sorted(unknown))}; expected some of {', '.join(sorted(known))}")

    # Life

    def start(self) -> Self:
        """
        Start to serve; gives itself when every port answers.

        Raises:
            OSError: when a fixed port is taken.
            RuntimeError: when it runs already, or does not come up in 10 seconds.
        """
        if self._thread is not None:
            raise RuntimeError("this PushServer runs already; make another one for more")
        ready: threading.Event = threading.Event()
        failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(ready, failed), name="pushkit-push-server", daemon=True)
        self._thread.start()
        if not ready.wait(_START_PATIENCE):
            raise RuntimeError(f"the push services did not come up in {_START_PATIENCE:g} s")
        if failed:
            self._thread.join(_STOP_PATIENCE)
            self._thread = None
            raise failed[0]
        self.behaviour.listen(self._outages_changed)
        return self

    def stop(self) -> None:
        """Stop serving; what is connected is cut. Idempotent."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self.behaviour.unlisten(self._outages_changed)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_PATIENCE)
        self._thread = self._loop = None

    def _run(self, ready: threading.Event, failed: list[BaseException]) -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._open())
            self._loop = loop
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that called start()
            failed.append(error)
        finally:
            ready.set()
        try:
            if not failed:
                loop.run_forever()
        finally:
            loop.run_until_complete(self._close())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _open(self) -> None:
        self._sites = sites_for(self.world)
        for name, site in self._sites.items():
            alpn = ("h2",) if name in _APNS_PORTS else ("h2", "http/1.1")
            port = Port(
                name,
                site.serve,
                None if name == "metadata" else self.ca,
                alpn=alpn,
                engine=self._engine,
                streams=self._streams_for(name),
                host=self._host,
                fixed=self._fixed.get(name, 0),
            )
            await self._open_port(port)
            self._ports[name] = port
        self.world.sites = Sites(
            apns=self.origin("apns"),
            apns_sandbox=self.origin("apns_sandbox"),
            channels=self.origin("channels"),
            channels_sandbox=self.origin("channels_sandbox"),
            metadata=self.origin("metadata"),
            fcm=self.origin("fcm"),
            iid=self.origin("iid"),
            oauth=self.origin("oauth"),
            webpush={name: self.origin(name) for name in DIALECTS},
        )

    async def _open_port(self, port: Port) -> None:
        wished = self._wished.get(port.name)
        if wished is not None:
            port.number = wished
            try:
                await port.open()
            except OSError:
                port.number = 0  # somebody else has it now: any other will do
            else:
                return
        await port.open()

    async def _close(self) -> None:
        for port in self._ports.values():
            await port.close()

    def _streams_for(self, name: str) -> Callable[[Connection], int]:
        if name in {"apns", "apns_sandbox"}:
            return self._apns_limit
        ordinary = FCM_STREAMS if name in {"fcm", "iid", "oauth", "metadata"} else WEBPUSH_STREAMS
        return lambda connection: cast("int", connection.state.get("streams", ordinary))

    def _apns_limit(self, connection: Connection) -> int:
        state = connection.state
        scripted: int | None = state.get("streams")
        if scripted is not None:
            return scripted
        if not state.get("apns-good"):
            return self._first_streams
        return 1 if state.get("apns-refused") else self._apns_streams

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.stop)

    def add_port(self, port: Port) -> None:
        """
        Open a further port on the services' loop (the inbox page).

        Raises:
            OSError: when its number is taken.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("the server does not run: start it first")
        asyncio.run_coroutine_threadsafe(port.open(), loop).result(_START_PATIENCE)
        self._ports[port.name] = port

    def prefer_ports(self, numbers: dict[str, int]) -> None:
        """Take these numbers where none was asked for and they are free: what a restart had before."""
        self._wished = {name: number for name, number in numbers.items() if name in PROVIDER_OF and name not in self._fixed}

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of all ports."""
        return tuple(self._ports)

    def opener_of(self, provider: str, service: str) -> Callable[[SentRecord], Opened]:
        """How records of a service are opened."""
        if provider == "webpush":
            return self._sites[service].otherwise.open
        return self._sites[provider].otherwise.open

    # What it is like

    @property
    def behaviour(self) -> Behaviour:
        """The scripts."""
        return self.world.behaviour

    @property
    def accounts(self) -> Accounts:
        """Known credentials and granted tokens."""
        return self.world.accounts

    @property
    def sent(self) -> Inbox:
        """Everything that arrived, oldest first."""
        return self.world.inbox

    @property
    def calls(self) -> Inbox:
        """Everything that is no push, oldest first: token requests, topic subscriptions, channel management."""
        return self.world.calls

    def wait(self, count: int, timeout: float = 5.0) -> list[Any]:
        """Wait until ``count`` pushes arrived in all, see :meth:`Inbox.wait`."""
        return list(self.sent.wait(count, timeout))

    def reset(self) -> None:
        """Forget scripts, records, recipients and granted tokens; connections and credentials stay, and the clock is right again."""
        self.world.reset()

    def shift_time(self, by: Duration) -> None:
        """Let the services' clocks run ahead (negative: behind) by so much more: old tokens, clock skew."""
        self.world.shift_time(seconds(by))

    def port(self, name: str) -> Port:
        """A port by name (see ``ports=``): its number, connections seen, ways to drop them."""
        return self._ports[name]

    def origin(self, name: str) -> str:
        """The origin of a service, such as ``"https://localhost:40001"``."""
        return self._ports[name].origin

    def drop_connections(self, name: str | None = None) -> None:
        """Cut the connections of one port (None: all) with a TCP reset."""
        ports = self._ports.values() if name is None else (self._ports[name],)
        self._on_loop(_each(ports))

    # What a client needs

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that the services run on, None while stopped."""
        return self._loop

    @property
    def ca_pem(self) -> str:
        """The certificate of the authority that signed the services' certificates."""
        return self.ca.pem

    def write_ca(self, path: str | Path) -> Path:
        """Write the authority's certificate to a file (for ``SSL_CERT_FILE``, ``NODE_EXTRA_CA_CERTS``, ``REQUESTS_CA_BUNDLE``)."""
        target = Path(path)
        target.write_text(self.ca.pem, encoding="ascii")
        return target

    def ssl_context(self) -> ssl.SSLContext:
        """A TLS context that trusts this server and nothing else."""
        return self.ca.client_context()

    # Outages of whole ports

    def _outages_changed(self) -> None:
        self._on_loop(self._apply_outages())

    async def _apply_outages(self) -> None:
        for name, port in self._ports.items():
            if name not in PROVIDER_OF:
                continue
            down = self.behaviour.down(PROVIDER_OF[name])
            await port.apply(down if isinstance(down, LISTENER_FAULTS) else None)

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> None:
        loop = self._loop
        if loop is None:
            work.close()
            return
        future = asyncio.run_coroutine_threadsafe(work, loop)
        if threading.current_thread() is not self._thread:
            future.result(_STOP_PATIENCE)

    def __repr__(self) -> str:
        state = "stopped" if self._thread is None else ", ".join(f"{name}={port.number}" for name, port in self._ports.items())
        return f"<PushServer {state}>"


async def _each(ports: Any) -> None:
    for port in ports:
        port.drop()
