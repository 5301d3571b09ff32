"""``PushServer``: the local push services on real sockets, in a thread of their own."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import threading
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from pushkit import apns, fcm, webpush
from pushkit.messages import Duration, seconds
from pushkit.testing.accounts import Accounts, ApnsKey, ServiceAccountKey, VapidPair, key_file, new_vapid_pair
from pushkit.testing.addresses import address_of
from pushkit.testing.behaviour import Behaviour
from pushkit.testing.ca import LocalCA
from pushkit.testing.exchange import Connection
from pushkit.testing.faults import LISTENER_FAULTS, ListenerFault
from pushkit.testing.inbox import Inbox
from pushkit.testing.jose import b64url_decode
from pushkit.testing.receivers import new_receiver
from pushkit.testing.server.port import Port
from pushkit.testing.services.routes import services_for
from pushkit.testing.services.world import Known, Sites, World, hex_of

T = TypeVar("T")

_START_PATIENCE = 10.0
_STOP_PATIENCE = 10.0
APNS_STREAMS = 1000
"""What APNs was seen to offer once a connection has shown a valid token."""
FCM_STREAMS = 100
WEBPUSH_STREAMS = 100
DIALECTS = ("mozilla", "google", "apple", "microsoft", "rfc")

_PROVIDER_OF = {"apns": "apns", "apns_sandbox": "apns", "channels": "apns", "fcm": "fcm", "iid": "fcm", "oauth": "oauth"}


class PushServer:
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
        first_streams: streams that APNs offers on a new connection until its first accepted push (Apple: one).
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
        self.bundle_id = bundle_id
        self.project_id = project_id
        self.world = World(behaviour=behaviour, accounts=accounts, inbox=Inbox(keep=keep), known_only=known_only)
        self.world.shrink_on_refusal = shrink_on_refusal
        self._first_streams = first_streams
        self._apns_streams = apns_streams
        self._engine = engine
        self._host = host
        self._fixed = dict(ports or {})
        self._ports: dict[str, Port] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._apns_key: ApnsKey | None = None
        self._account: ServiceAccountKey | None = None
        self._vapid: VapidPair | None = None
        known = {*_PROVIDER_OF, *DIALECTS}
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
        for name, service in services_for(self.world).items():
            alpn = ("h2",) if name in {"apns", "apns_sandbox", "channels"} else ("h2", "http/1.1")
            port = Port(
                name,
                service.serve,
                self.ca,
                alpn=alpn,
                engine=self._engine,
                streams=self._streams_for(name),
                host=self._host,
                fixed=self._fixed.get(name, 0),
            )
            await port.open()
            self._ports[name] = port
        self.world.sites = Sites(
            apns=self.origin("apns"),
            apns_sandbox=self.origin("apns_sandbox"),
            channels=self.origin("channels"),
            fcm=self.origin("fcm"),
            iid=self.origin("iid"),
            oauth=self.origin("oauth"),
            webpush={name: self.origin(name) for name in DIALECTS},
        )

    async def _close(self) -> None:
        for port in self._ports.values():
            await port.close()

    def _streams_for(self, name: str) -> Callable[[Connection], int]:
        if name in {"apns", "apns_sandbox"}:
            return self._apns_limit
        ordinary = FCM_STREAMS if name in {"fcm", "iid", "oauth"} else WEBPUSH_STREAMS
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
        """Forget scripts, records, recipients and granted tokens; connections and credentials stay."""
        self.behaviour.reset()
        self.sent.clear()
        self.calls.clear()
        self.world.recipients.clear()
        self.world.channels.clear()
        self.accounts.revoke_all()

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

    @property
    def apns_key(self) -> ApnsKey:
        """The throw-away key of ``apns_config()``."""
        if self._apns_key is None:
            self._apns_key = self.accounts.new_apns_key()
        return self._apns_key

    @property
    def service_account(self) -> ServiceAccountKey:
        """The throw-away account of ``fcm_config()``."""
        if self._account is None:
            self._account = self.accounts.new_service_account(project_id=self.project_id)
        return self._account

    @property
    def vapid(self) -> VapidPair:
        """The throw-away key pair of ``webpush_config()`` and ``subscription()``."""
        if self._vapid is None:
            self._vapid = new_vapid_pair()
        return self._vapid

    def service_account_file(self) -> dict[str, str]:
        """The service account's JSON key file, with this server's token endpoint."""
        return key_file(self.service_account, f"{self.origin('oauth')}/token")

    def apns_config(self, **changes: Any) -> apns.Config:
        """An ``apns.Config`` for this server. ``changes`` replace its fields."""
        key = self.apns_key
        fields: dict[str, Any] = {
            "credentials": apns.TokenKey(key.pem or "", key_id=key.key_id, team_id=key.team_id),
            "topic": self.bundle_id,
            "origin": {apns.Environment.PRODUCTION: self.origin("apns"), apns.Environment.SANDBOX: self.origin("apns_sandbox")},
            "channels_origin": self.origin("channels"),
        }
        return apns.Config(**(fields | changes))

    def fcm_config(self, **changes: Any) -> fcm.Config:
        """An ``fcm.Config`` for this server. ``changes`` replace its fields."""
        import json

        fields: dict[str, Any] = {
            "credentials": fcm.ServiceAccount.from_json(json.dumps(self.service_account_file())),
            "origin": self.origin("fcm"),
            "iid_origin": self.origin("iid"),
        }
        return fcm.Config(**(fields | changes))

    def webpush_config(self, **changes: Any) -> webpush.Config:
        """A ``webpush.Config`` for this server: each service is recognised by its port. ``changes`` replace its fields."""
        policy: webpush.EndpointPolicy | None = None
        for name in DIALECTS:
            rule = webpush.EndpointPolicy.allow(f"localhost:{self.port(name).number}", service=None if name == "rfc" else name)
            policy = rule if policy is None else policy | rule
        fields: dict[str, Any] = {"vapid": webpush.VapidKey.parse(self.vapid.pem), "subject": "mailto:ops@example.com", "endpoints": policy}
        return webpush.Config(**(fields | changes))

    # Recipients

    def device(self, name: str | None = None, *, environment: str = "production", app: str = "default", ref: object = None) -> apns.Device:
        """A fresh registered device. The same ``name`` (or order) gives the same token in every run."""
        token = hex_of(name or self.world.next_name("device"), 32)
        self.world.register("apns", token, Known(topic=self.bundle_id, environment=environment))
        return apns.Device(token, environment=apns.Environment(environment) if environment != "production" else None, app=app, ref=ref)

    def registration(self, name: str | None = None, *, app: str = "default", ref: object = None) -> fcm.Registration:
        """A fresh FCM registration."""
        text = hex_of(name or self.world.next_name("registration"), 77)
        token = f"{text[:22]}:APA91b{text[22:]}"
        self.world.register("fcm", token, Known(project_id=self.project_id))
        return fcm.Registration(token, app=app, ref=ref)

    def subscription(
        self, name: str | None = None, *, service: str = "mozilla", vapid: str | None = "", app: str = "default", ref: object = None
    ) -> webpush.Subscription:
        """
        A fresh browser subscription.

        Args:
            name: its endpoint is derived from it.
            service: whose: ``"mozilla"``, ``"google"``, ``"apple"``, ``"microsoft"`` or ``"rfc"`` (plain RFC 8030).
            vapid: the application server key that it is bound to; empty: this server's; None: not bound.
            app: which configuration to use.
            ref: any value of the caller's own.
        """
        if service not in DIALECTS:
            raise ValueError(f"service={service!r}: expected one of {', '.join(DIALECTS)}")
        public = self.vapid.public_b64 if vapid == "" else vapid
        receiver = new_receiver(None if public is None else b64url_decode(public))
        endpoint = self.new_endpoint(service, name or self.world.next_name("subscription"))
        self.world.register("webpush", endpoint, Known(receiver=receiver))
        return webpush.Subscription(endpoint, p256dh=receiver.p256dh, auth=receiver.auth_secret, app=app, ref=ref)

    def new_endpoint(self, service: str, name: str | None = None) -> str:
        """An endpoint in the shape of a service's."""
        from pushkit.testing.services.webpush import PATHS

        unique = hex_of(name, 48) if name is not None else secrets.token_hex(48)
        # Microsoft's tokens hold percent escapes, which nobody may decode.
        tail = f"{unique}%2b{unique[:8]}%3d" if service == "microsoft" else unique
        return f"{self.origin(service)}{PATHS[service]}{tail}"

    def register(self, recipient: object) -> None:
        """Bring a recipient back, or make one of the caller's own known (not for Web Push: use ``subscription``)."""
        address = address_of(recipient)
        self.world.register(address.provider or _guess(address.key), address.key)

    def unregister(self, recipient: object, since: datetime | None = None) -> None:
        """The app was removed, permission withdrawn, the subscription ended (``since``: aware; default now)."""
        address = address_of(recipient)
        self.world.unregister(address.provider or _guess(address.key), address.key, since)

    # Outages of whole ports

    def _outages_changed(self) -> None:
        self._on_loop(self._apply_outages())

    async def _apply_outages(self) -> None:
        for name, port in self._ports.items():
            down = self.behaviour.down(_PROVIDER_OF.get(name, "webpush"))
            await port.apply(cast("ListenerFault", down) if isinstance(down, LISTENER_FAULTS) else None)

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


def _guess(key: str) -> str:
    if key.startswith("https://"):
        return "webpush"
    return "apns" if all(c in "0123456789abcdef" for c in key) else "fcm"
