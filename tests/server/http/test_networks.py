"""Networks of all kinds: proxies, private trust, client certificates, address checks, HTTP/1.1, a caller's own client."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

import attrs
import httpx
import pytest
from tests.server.http.bench import BLOCK, Run, running
from tests.server.http.conftest import Pki
from tests.server.http.other_peers import ConnectProxy, Http11
from tests.server.http.peer import Conn, Peer, Stream

from pushkit.errors import ConfigurationError
from pushkit.http.transport import HttpTransport
from pushkit.wire import ClientCertificate, FaultKind, Origin, OriginPolicy, Processed, WireFault, WireRequest, WireResponse, WireResult

BOTH = OriginPolicy(protocols=("h2", "http/1.1"))
OLD = OriginPolicy(protocols=("http/1.1",))


async def ask(
    transport: HttpTransport,
    origin: Origin,
    policy: OriginPolicy,
    *,
    path: bytes = b"/secret-path",
    body: bytes = b"hello",
    timeout: float = 3.0,
) -> WireResult:
    """One request."""
    future: asyncio.Future[WireResult] = asyncio.get_running_loop().create_future()
    headers = ((b"content-length", b"%d" % len(body)), (b"x-id", b"one"))
    transport.submit(WireRequest(b"POST", origin, path, BLOCK, headers, body, time.monotonic() + timeout, policy=policy), future.set_result)
    return await asyncio.wait_for(future, timeout + 1)


async def loopback(host: str, port: int) -> Sequence[str]:
    """A resolver that finds every name on this machine."""
    return ["127.0.0.1"]


# -- trust


def test_an_untrusted_certificate(pki: Pki, engine: str) -> None:
    """A certificate that is not trusted here is TLS_FAILED, NO, and names the reason."""

    async def main() -> None:
        async with running(Peer(), pki, engine) as run:
            stranger = HttpTransport(engine=engine)
            result = await ask(stranger, run.origin, run.policy)
            await stranger.aclose()

            assert isinstance(result, WireFault)
            assert (FaultKind.TLS_FAILED, Processed.NO) == (result.kind, result.processed)
            assert "certificate" in result.detail

    asyncio.run(main())


def test_a_certificate_of_another_name(pki: Pki, engine: str) -> None:
    """The name is checked: a trusted certificate of somebody else is TLS_FAILED."""

    async def main() -> None:
        async with running(Peer(), pki, engine, lookup=loopback) as run:
            result = await ask(run.transport, Origin("other.test", run.origin.port), run.policy)

            assert isinstance(result, WireFault)
            assert (FaultKind.TLS_FAILED, Processed.NO) == (result.kind, result.processed)

    asyncio.run(main())


def test_a_server_without_http2(pki: Pki, engine: str) -> None:
    """Where only HTTP/2 will do, a server without it is no connection."""

    async def main() -> None:
        old = Http11()
        port = await old.start(pki.server_context(("http/1.1",)))
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        result = await ask(transport, Origin("localhost", port), OriginPolicy())
        await transport.aclose()
        await old.stop()

        assert isinstance(result, WireFault)
        assert (FaultKind.CONNECT_FAILED, Processed.NO) == (result.kind, result.processed)
        assert [] == old.requests

    asyncio.run(main())


def test_a_client_certificate_is_shown(pki: Pki, engine: str) -> None:
    """The server sees the policy's client certificate."""
    shown: list[object] = []

    class Asking(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            shown.append(dict(part[0] for part in conn.writer.get_extra_info("peercert")["subject"])["commonName"])
            conn.answer(stream)

    async def main() -> None:
        peer = Asking()
        port = await peer.start(pki.server_context(ask_client=True))
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        certificate = ClientCertificate(chain=pki.client_chain, key=pki.client_key)
        good = await ask(transport, Origin("localhost", port), OriginPolicy(client_certificate=certificate))
        await transport.aclose()
        await peer.stop()

        assert isinstance(good, WireResponse)
        assert ["client"] == shown
        assert "KEY" not in repr(certificate)

    asyncio.run(main())


def test_a_server_that_wants_a_certificate(pki: Pki, engine: str) -> None:
    """With TLS 1.3 the alert comes after the handshake, before any SETTINGS: TLS_FAILED, NO."""
    context = pki.server_context(ask_client=True)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = asyncio.get_running_loop().run_in_executor(None, serve, listener)
            transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
            result = await ask(transport, Origin("localhost", listener.getsockname()[1]), OriginPolicy())
            await server
            await transport.aclose()

        assert isinstance(result, WireFault)
        assert (FaultKind.TLS_FAILED, Processed.NO) == (result.kind, result.processed), result

    asyncio.run(main())


def test_a_broken_client_certificate_is_a_fault(pki: Pki, engine: str) -> None:
    """Chain and key that do not fit never reach the network, and the fault shows none of it."""

    async def main() -> None:
        async with running(Peer(), pki, engine) as run:
            broken = ClientCertificate(chain=pki.client_chain, key=b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
            result = await ask(run.transport, run.origin, OriginPolicy(client_certificate=broken))

            assert isinstance(result, WireFault)
            assert (FaultKind.TLS_FAILED, Processed.NO) == (result.kind, result.processed)
            assert "c2VjcmV0" not in result.detail
            assert 0 == run.ledger.connections

    asyncio.run(main())


# -- addresses


def test_ipv6(pki: Pki, engine: str) -> None:
    """IPv6 addresses work, as names' addresses and as literals."""

    async def main() -> None:
        peer = Peer()
        try:
            port = await peer.start(pki.server_context(), host="::1")
        except OSError:
            pytest.skip("no IPv6 on this machine")
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        result = await ask(transport, Origin("::1", port), OriginPolicy())
        await transport.aclose()
        await peer.stop()

        assert isinstance(result, WireResponse)

    asyncio.run(main())


def test_the_next_address_is_tried(pki: Pki, engine: str) -> None:
    """An address where nothing listens does not cost the connection."""

    async def two(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async def main() -> None:
        async with running(Peer(), pki, engine, lookup=two) as run:
            await run.send(5)

            assert [200] * 5 == run.statuses()

    asyncio.run(main())


@pytest.mark.parametrize("policy", [OriginPolicy(), OLD], ids=["own connection", "httpx"])
def test_checked_addresses_alone_are_dialled(pki: Pki, engine: str, policy: OriginPolicy) -> None:
    """The policy sees every address before it is dialled; when it refuses them all nothing is dialled."""
    import attrs

    asked: list[tuple[str, str]] = []

    def check(host: str, address: str) -> bool:
        asked.append((host, address))
        return False

    async def main() -> None:
        async with running(Peer(), pki, engine, lookup=loopback) as run:
            result = await ask(run.transport, Origin("push.test", run.origin.port), attrs.evolve(policy, check_address=check))

            assert isinstance(result, WireFault)
            assert (FaultKind.ADDRESS_REFUSED, Processed.NO) == (result.kind, result.processed)
            assert [("push.test", "127.0.0.1")] == asked
            assert 0 == run.ledger.connections

    asyncio.run(main())


@pytest.mark.parametrize("policy", [OriginPolicy(), OLD], ids=["own connection", "httpx"])
def test_the_checked_address_is_the_one_that_is_dialled(pki: Pki, engine: str, policy: OriginPolicy) -> None:
    """The name is looked up once, checked, and its address dialled, with the name in SNI and Host."""
    import attrs

    lookups: list[str] = []

    async def changing(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    async def main() -> None:
        evolved = attrs.evolve(policy, check_address=lambda host, address: address == "127.0.0.1")
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine, lookup=changing)
        if "h2" in policy.protocols:
            peer: Peer | Http11 = Peer()
            port = await peer.start(pki.server_context())
        else:
            peer = Http11()
            port = await peer.start(pki.server_context(("http/1.1",)))
        result = await ask(transport, Origin("push.test", port), evolved)
        await transport.aclose()
        await peer.stop()

        assert isinstance(result, WireResponse)
        assert ["push.test"] == lookups
        if isinstance(peer, Http11):
            assert f"push.test:{port}" == peer.requests[0][1]["host"]
            assert ["push.test"] == peer.server_names

    asyncio.run(main())


@pytest.mark.parametrize("policy", [OriginPolicy(), OLD], ids=["own connection", "httpx"])
def test_a_resolver_that_fails(pki: Pki, engine: str, policy: OriginPolicy) -> None:
    """A resolver of the caller's that raises anything is CONNECT_FAILED for those who wait, and its text stays out."""
    problems: list[dict[str, object]] = []

    async def broken(host: str, port: int) -> Sequence[str]:
        raise ZeroDivisionError("canary")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine, lookup=broken)
        result = await ask(transport, Origin("push.test", 1), policy)
        await transport.aclose()

        assert isinstance(result, WireFault)
        assert Processed.NO is result.processed
        assert "canary" not in result.detail

    asyncio.run(main())


def test_a_client_certificate_without_files_in_memory(pki: Pki, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the system has no anonymous files, the key's file is only ours to read and gone at once."""
    import os
    import tempfile

    from pushkit.http.tls import load_certificate

    seen: list[int] = []
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    context = ssl.create_default_context()
    load = context.load_cert_chain

    class Watching:
        def load_cert_chain(self, path: str, password: object) -> None:
            seen.append(Path(path).stat().st_mode & 0o777)
            load(path, password=password)  # type: ignore[arg-type]

    load_certificate(Watching(), ClientCertificate(chain=pki.client_chain, key=pki.client_key))  # type: ignore[arg-type]

    assert [0o600] == seen
    assert [] == list(tmp_path.iterdir())


# -- proxies


@pytest.mark.parametrize("login", [None, "user:pä ss:word"])
def test_through_a_proxy(pki: Pki, engine: str, login: str | None) -> None:
    """HTTPS goes through CONNECT on the own connection, with the login that the URL holds."""
    from urllib.parse import quote

    async def main() -> None:
        proxy = ConnectProxy(login)
        port = await proxy.start()
        credentials = "" if login is None else quote(login.partition(":")[0]) + ":" + quote(login.partition(":")[2]) + "@"
        async with running(Peer(), pki, engine, proxy=f"http://{credentials}127.0.0.1:{port}") as run:
            await run.send(50)

            assert [200] * 50 == run.statuses()
            assert [f"localhost:{run.origin.port}"] == proxy.targets
            assert engine == run.transport.health()[0].engine
        await proxy.stop()

    asyncio.run(main())


@pytest.mark.parametrize(("login", "status", "said"), [("user:other", 200, "407"), (None, 403, "403"), (None, 502, "502")])
def test_a_proxy_that_refuses(pki: Pki, engine: str, login: str | None, status: int, said: str) -> None:
    """No tunnel is CONNECT_FAILED, NO, with the proxy's status and without its login."""

    async def main() -> None:
        proxy = ConnectProxy(login, status)
        port = await proxy.start()
        async with running(Peer(), pki, engine, proxy=f"http://user:hunter2@127.0.0.1:{port}") as run:
            (result,) = await run.send(1)

            assert isinstance(result, WireFault)
            assert (FaultKind.CONNECT_FAILED, Processed.NO) == (result.kind, result.processed)
            assert said in result.detail
            assert "hunter2" not in result.detail + repr(run.transport._proxies._proxy)
        await proxy.stop()

    asyncio.run(main())


def test_a_proxy_of_the_environment(pki: Pki, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy carries traffic only where the policy says so."""

    async def main() -> None:
        proxy = ConnectProxy()
        port = await proxy.start()
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        async with running(Peer(), pki, engine, lookup=loopback) as run:
            origin = Origin("push.test", run.origin.port)
            await ask(run.transport, origin, OriginPolicy())
            assert [] == proxy.targets
        async with running(Peer(), pki, engine, OriginPolicy(use_environment_proxy=True), lookup=loopback) as run:
            origin = Origin("push.test", run.origin.port)
            result = await ask(run.transport, origin, run.policy)
            assert isinstance(result, WireResponse)
            assert [f"push.test:{run.origin.port}"] == proxy.targets
        await proxy.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    "policy", [OriginPolicy(use_environment_proxy=True), attrs.evolve(OLD, use_environment_proxy=True)], ids=["h2", "http1"]
)
def test_an_environment_proxy_that_is_none(engine: str, monkeypatch: pytest.MonkeyPatch, policy: OriginPolicy) -> None:
    """A broken proxy URL in the environment is a fault that says so, never an exception out of ``submit``."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "ftp://user:hunter2@proxy.test")

    async def main() -> None:
        transport = HttpTransport(engine=engine)
        result = await ask(transport, Origin("push.test"), policy)
        await transport.aclose()

        assert isinstance(result, WireFault)
        assert (FaultKind.CONNECT_FAILED, Processed.NO) == (result.kind, result.processed)
        assert "proxy" in result.detail
        assert "hunter2" not in result.detail

    asyncio.run(main())


class Tokens:
    """A credential that belongs to a connection."""

    def __init__(self) -> None:
        self.made = 0
        self.refused: list[object] = []

    def header(self, slot: object | None, now: float) -> tuple[bytes, object]:
        if slot is None:
            self.made += 1
            slot = f"token-{self.made}"
        return f"bearer {slot}".encode(), slot

    def rejected(self, slot: object | None) -> None:
        self.refused.append(slot)


def test_through_a_proxy_that_speaks_tls(pki: Pki) -> None:
    """An https:// proxy carries HTTP/2 over httpx: one request at a time on each connection, each with its own credential."""

    class Counting(Peer):
        most = 0

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            self.most = max(self.most, sum(not other.done for other in conn.streams.values()))
            self.later(0.01, lambda: conn.answer(stream))

    async def main() -> None:
        proxy, tokens = ConnectProxy("user:word"), Tokens()
        port = await proxy.start(pki.server_context(("http/1.1",)))
        peer = Counting()
        async with running(peer, pki, "h2", OriginPolicy(max_connections=3), proxy=f"https://user:word@localhost:{port}") as run:
            first = await run.send(20, auth=tokens)

            assert [200] * 20 == run.statuses()
            assert (1, 3, 3) == (peer.most, len(proxy.targets), tokens.made)
            (state,) = run.transport.health()
            assert ("httpx", 3, 0, 3, 0) == (state.engine, state.connections, state.streams, state.stream_limit, state.waiting)

            run.transport.retire(first[0].connection_id, rejected=True)
            assert 2 == run.transport.health()[0].connections
            assert 1 == len(tokens.refused)
            run.transport.forget(None)
            assert [] == list(run.transport.health())
            await run.send(1, auth=tokens)
            assert 4 == tokens.made
        await proxy.stop()

    asyncio.run(main())


def test_a_deadline_over_httpx_renews_the_connection(pki: Pki) -> None:
    """httpx's HTTP/2 connections are not used again after a request was given up on them."""

    class Silent(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            if conn.number > 1:
                conn.answer(stream)

    async def main() -> None:
        proxy = ConnectProxy()
        port = await proxy.start(pki.server_context(("http/1.1",)))
        async with running(Silent(), pki, "h2", OriginPolicy(max_connections=1), proxy=f"https://localhost:{port}") as run:
            (given_up,) = await run.send(1, timeout=0.4)
            (answered,) = await run.send(1)

            assert isinstance(given_up, WireFault)
            assert (FaultKind.TIMEOUT, Processed.UNKNOWN) == (given_up.kind, given_up.processed)
            assert isinstance(answered, WireResponse)
            assert 2 == run.ledger.connections
        await proxy.stop()

    asyncio.run(main())


@pytest.mark.parametrize("path", [b"/wpush/v2/secret", b"/a/../b/%7e/./c?x=/../y"])
def test_http1_through_a_proxy_keeps_the_path_from_it(pki: Pki, path: bytes) -> None:
    """An HTTP/1.1 service behind a proxy gets the path letter for letter; the proxy sees host and port alone."""

    async def main() -> None:
        proxy, old = ConnectProxy(), Http11()
        port = await old.start(pki.server_context(("http/1.1",)))
        transport = HttpTransport(ssl_context=pki.client_context(), proxy=f"http://127.0.0.1:{await proxy.start()}")
        result = await ask(transport, Origin("localhost", port), OLD, path=path)
        await transport.aclose()
        await old.stop()
        await proxy.stop()

        assert isinstance(result, WireResponse)
        assert f"POST {path.decode()} HTTP/1.1" == old.requests[0][0]
        assert [f"localhost:{port}"] == proxy.targets
        assert "secret" not in "".join(proxy.heads)

    asyncio.run(main())


@pytest.mark.parametrize("url", ["ftp://proxy:1", "http://", "http://user:hunter2@", "http://host:notaport", "socks4://host:1"])
def test_a_proxy_url_that_is_none(url: str) -> None:
    """A broken proxy URL is refused when the transport is made, without its login in the message."""
    with pytest.raises(ConfigurationError, match="proxy: expected a URL") as caught:
        HttpTransport(proxy=url)

    assert "hunter2" not in str(caught.value)


# -- HTTP/1.1


def test_alpn_decides(pki: Pki, engine: str) -> None:
    """Where the policy allows both, a server without HTTP/2 is spoken to over HTTP/1.1, also the next time."""

    async def main() -> None:
        old = Http11()
        port = await old.start(pki.server_context(("http/1.1",)))
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        results = [await ask(transport, Origin("localhost", port), BOTH) for _ in range(3)]
        health = {state.engine for state in transport.health() if state.connections}
        await transport.aclose()
        await old.stop()

        assert [201] * 3 == [result.status for result in results if isinstance(result, WireResponse)]
        assert {"httpx"} == health
        assert 2 == old.connections  # the one that asked, and the one that is kept
        line, headers, body = old.requests[0]
        assert ("POST /secret-path HTTP/1.1", "com.example.app", b"hello") == (line, headers["apns-topic"], body)

    asyncio.run(main())


def test_an_origin_may_learn_http2(pki: Pki, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That a service speaks HTTP/1.1 only is not believed for ever."""
    monkeypatch.setattr("pushkit.http.transport.HTTP1_REMEMBERED", 0.2)

    async def main() -> None:
        old = Http11()
        port = await old.start(pki.server_context(("http/1.1",)))
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        for pause in (0, 0, 0.25):
            await asyncio.sleep(pause)
            await ask(transport, Origin("localhost", port), BOTH)
        await transport.aclose()
        await old.stop()

        assert 3 == len(old.requests)
        assert 3 == old.connections  # asked, kept, asked again

    asyncio.run(main())


def test_alpn_prefers_http2(pki: Pki, engine: str) -> None:
    """Where both sides can, it is HTTP/2."""

    async def main() -> None:
        async with running(Peer(), pki, engine, BOTH) as run:
            await run.send(5)

            assert [200] * 5 == run.statuses()
            assert engine == run.transport.health()[0].engine

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", FaultKind.PROTOCOL_ERROR),
        (b"nonsense\r\n\r\n", FaultKind.PROTOCOL_ERROR),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000, FaultKind.RESPONSE_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nshort", FaultKind.TIMEOUT),
    ],
    ids=["nothing", "nonsense", "too large", "too short"],
)
def test_http1_answers_that_are_none(pki: Pki, answer: bytes, kind: FaultKind) -> None:
    """After the request was sent whole, whatever is no answer is unknown."""

    class Odd(Http11):
        async def respond(self, writer: asyncio.StreamWriter) -> None:
            if not self.answer:
                writer.transport.abort()
            await super().respond(writer)

    async def main() -> None:
        old = Odd(answer)
        port = await old.start(pki.server_context(("http/1.1",)))
        transport = HttpTransport(ssl_context=pki.client_context())
        result = await ask(transport, Origin("localhost", port), OLD, timeout=0.5)
        await transport.aclose()
        await old.stop()

        assert isinstance(result, WireFault)
        assert Processed.UNKNOWN is result.processed
        assert result.kind in {kind, FaultKind.CONNECTION_LOST}

    asyncio.run(main())


def test_http1_deadline_cancel_close(pki: Pki) -> None:
    """Deadline, cancellation and close settle a request over httpx like any other, and leave nothing behind."""

    class Silent(Http11):
        async def respond(self, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(30)

    async def main() -> None:
        old = Silent()
        port = await old.start(pki.server_context(("http/1.1",)))
        transport = HttpTransport(ssl_context=pki.client_context())
        run = Run(Peer(), port, transport, OriginPolicy(protocols=("http/1.1",), max_connections=2))
        timed, cancelled, waiting = run.submit(timeout=0.3), run.submit(), run.submit(timeout=0.2)
        await asyncio.sleep(0.15)
        run.handles[cancelled].cancel()
        await run.finish([timed, cancelled, waiting])
        closed = run.submit()
        await asyncio.sleep(0.15)
        await transport.aclose()
        await run.finish()
        await old.stop()

        told = {name: (result.kind, result.processed) for name, result in run.results.items() if isinstance(result, WireFault)}
        assert (FaultKind.TIMEOUT, Processed.UNKNOWN) == told[timed]
        assert (FaultKind.CANCELLED, Processed.UNKNOWN) == told[cancelled]
        assert FaultKind.TIMEOUT is told[waiting][0]
        assert (FaultKind.CLOSED, Processed.UNKNOWN) == told[closed]
        assert 1 == len(asyncio.all_tasks())

    asyncio.run(main())


def test_http1_connect_failures_are_no(pki: Pki) -> None:
    """What never reached a server is NO over httpx too, and trust is told from the rest."""

    async def main() -> None:
        old = Http11()
        port = await old.start(pki.server_context(("http/1.1",)))
        stranger = HttpTransport()
        untrusted = await ask(stranger, Origin("localhost", port), OLD)
        nobody = await ask(stranger, Origin("localhost", 1), OLD)
        await stranger.aclose()
        await old.stop()

        assert isinstance(untrusted, WireFault)
        assert isinstance(nobody, WireFault)
        assert (FaultKind.TLS_FAILED, Processed.NO) == (untrusted.kind, untrusted.processed)
        assert (FaultKind.CONNECT_FAILED, Processed.NO) == (nobody.kind, nobody.processed)

    asyncio.run(main())


# -- a caller's own client


@pytest.mark.parametrize("http2", [False, True])
def test_over_a_callers_client(pki: Pki, http2: bool) -> None:
    """Everything goes over the client that the caller brought, which stays open."""

    async def main() -> None:
        async with httpx.AsyncClient(verify=pki.client_context(), http1=not http2, http2=http2) as client:
            transport = HttpTransport(client=client)
            server: Peer | Http11 = Peer() if http2 else Http11()
            port = await server.start(pki.server_context(("h2",) if http2 else ("http/1.1",)))
            policy = OriginPolicy() if http2 else OLD
            results = await asyncio.gather(*(ask(transport, Origin("localhost", port), policy) for _ in range(5)))
            await transport.aclose()
            assert not client.is_closed
            await server.stop()

        assert 5 == sum(isinstance(result, WireResponse) for result in results)

    asyncio.run(main())


def test_one_request_at_a_time_where_httpx_is_not_to_be_trusted(pki: Pki) -> None:
    """APNs (HTTP/2 only) keeps one request in flight over a caller's client."""

    class Counting(Peer):
        most = 0

        async def on_request(self, conn: Conn, stream: Stream) -> None:
            self.most = max(self.most, sum(not other.done for other in conn.streams.values()))
            self.later(0.01, lambda: conn.answer(stream))

    async def main() -> None:
        peer = Counting()
        port = await peer.start(pki.server_context())
        async with httpx.AsyncClient(verify=pki.client_context(), http2=True, http1=False) as client:
            transport = HttpTransport(client=client)
            run = Run(peer, port, transport, OriginPolicy())
            await run.send(10)
            run.check()
            await transport.aclose()
        await peer.stop()

        assert 1 == peer.most

    asyncio.run(main())


@pytest.mark.parametrize("how", ["refused stream", "goaway 0", "goaway all", "reset"])
def test_h2_events_behind_httpx_decide_the_fate(pki: Pki, how: str) -> None:
    """Over httpx too a refused stream and a GOAWAY below it are NO, everything else is unknown."""

    class Failing(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            if how == "refused stream":
                conn.rst(stream, 7)
            elif how == "reset":
                conn.rst(stream, 2)
            else:
                conn.goaway(0 if how == "goaway 0" else 2**31 - 1, 0, b'{"reason":"Shutdown"}')
                conn.close()

    async def main() -> None:
        peer = Failing()
        port = await peer.start(pki.server_context())
        async with httpx.AsyncClient(verify=pki.client_context(), http2=True, http1=False) as client:
            transport = HttpTransport(client=client)
            result = await ask(transport, Origin("localhost", port), OriginPolicy())
            await transport.aclose()
        await peer.stop()

        assert isinstance(result, WireFault)
        assert (Processed.NO if how in {"refused stream", "goaway 0"} else Processed.UNKNOWN) is result.processed
        if "goaway" in how:
            assert "Shutdown" == result.goaway_reason

    asyncio.run(main())


def test_a_client_that_is_none() -> None:
    """Something else than an AsyncClient is refused at once, and so is a client beside proxy or ssl_context."""
    with pytest.raises(ConfigurationError, match=r"expected an httpx\.AsyncClient"):
        HttpTransport(client=httpx.Client())
    with pytest.raises(ConfigurationError, match="give proxy= and ssl_context= to that client"):
        HttpTransport(client=object(), proxy="http://localhost:1")


# -- secrets


@pytest.mark.parametrize("policy", [OriginPolicy(), OLD], ids=["own connection", "httpx"])
def test_no_path_header_or_body_is_logged(pki: Pki, engine: str, policy: OriginPolicy, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at DEBUG neither we nor h2, hpack, httpcore or httpx write what was sent."""
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        server: Peer | Http11 = Peer() if "h2" in policy.protocols else Http11()
        port = await server.start(pki.server_context(policy.protocols))
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        for _ in range(3):
            await ask(transport, Origin("localhost", port), policy, path=b"/3/device/c0ffee", body=b"canary-body")
        await transport.aclose()
        await server.stop()

    # The scripted server decodes with hpack as well, and hpack writes what it decodes.
    server_side = logging.getLogger("hpack.hpack")
    server_side.disabled = True
    try:
        asyncio.run(main())
    finally:
        server_side.disabled = False

    assert "c0ffee" not in caplog.text
    assert "canary-body" not in caplog.text


def test_plain_http2(engine: str) -> None:
    """HTTP/2 with prior knowledge over plain TCP, for local tests (RFC 9113 section 3.3)."""

    async def main() -> None:
        peer = Peer()
        port = await peer.start(None)
        transport = HttpTransport(engine=engine)
        result = await ask(transport, Origin("127.0.0.1", port, "http"), OriginPolicy())
        await transport.aclose()
        await peer.stop()

        assert isinstance(result, WireResponse)

    asyncio.run(main())


def test_a_context_of_the_callers_is_not_replaced(pki: Pki, engine: str) -> None:
    """What the caller set on the context holds: a context that trusts nobody connects to nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def main() -> None:
        peer = Peer()
        port = await peer.start(pki.server_context())
        transport = HttpTransport(ssl_context=context, engine=engine)
        result = await ask(transport, Origin("localhost", port), OriginPolicy())
        await transport.aclose()
        await peer.stop()

        assert isinstance(result, WireFault)
        assert FaultKind.TLS_FAILED is result.kind

    asyncio.run(main())


def test_names_that_share_an_address_share_no_connection(pki: Pki) -> None:
    """Where checked addresses are dialled, a name's request never goes over a connection verified for another name."""
    import attrs

    async def main() -> None:
        server = Http11()
        port = await server.start(pki.server_context(("http/1.1",)))
        context = pki.client_context()
        context.check_hostname = False
        transport = HttpTransport(ssl_context=context, lookup=loopback)
        policy = attrs.evolve(OLD, check_address=lambda _host, _address: True)
        for name in ("first.test", "second.test", "first.test"):
            result = await ask(transport, Origin(name, port), policy)
            assert isinstance(result, WireResponse)
        await transport.aclose()
        await server.stop()

        assert ["first.test", "second.test"] == server.server_names
        assert [f"{name}.test:{port}" for name in ("first", "second", "first")] == [headers["host"] for _, headers, _ in server.requests]

    asyncio.run(main())
