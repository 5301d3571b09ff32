"""
Servers that nobody here wrote: nginx, nghttpd and node's http2 module. Part of the long run.

On Debian: ``apt-get install nginx-light nghttp2-server nodejs``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks._server import free_port
from tests.server.http.conftest import Pki

from pushkit.http.transport import HttpTransport
from pushkit.wire import HeaderBlock, Origin, OriginPolicy, Processed, WireFault, WireRequest, WireResponse, WireResult

pytestmark = pytest.mark.full

BLOCK = HeaderBlock([(b"apns-topic", b"com.example.app")])

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
worker_shutdown_timeout 5s;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests {requests};
  http2_max_concurrent_streams {streams};
  log_format ids "$http_x_id";
  server {{
    listen 127.0.0.1:{port} ssl http2;
    access_log {folder}/ids.log ids;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    location / {{ return 200; }}
  }}
}}
"""

NODE = """
const http2 = require('http2'), fs = require('fs');
const [chain, key, port, mode] = process.argv.slice(2);
const server = http2.createSecureServer({cert: fs.readFileSync(chain), key: fs.readFileSync(key), settings: {maxConcurrentStreams: 50}});
let seen = 0;
server.on('session', session => session.on('error', () => {}));
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  seen += 1;
  if (mode === 'goaway' && seen % 100 === 0) stream.session.goaway(0, stream.id, Buffer.from('{"reason":"Shutdown"}'));
  if (mode === 'close' && seen % 100 === 0) stream.session.close();
  if (mode === 'refuse' && seen % 10 === 0) { stream.close(http2.constants.NGHTTP2_REFUSED_STREAM); return; }
  if (mode === 'cancel' && seen % 10 === 0) { stream.close(http2.constants.NGHTTP2_CANCEL); return; }
  // Not more often: node ends a session after 1000 streams that came before its client knew the new limit.
  if (mode === 'settings' && seen % 100 === 0) stream.session.settings({maxConcurrentStreams: seen % 200 ? 1 : 50});
  stream.resume();
  stream.on('end', () => {
    console.log(headers['x-id']);
    if (!stream.destroyed) { stream.respond({':status': 200, 'apns-id': headers['x-id']}); stream.end('ok'); }
  });
});
server.listen(Number(port), '127.0.0.1');
"""


def need(name: str) -> str:
    """The path of a program that this test is about."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not installed; on Debian: apt-get install nginx-light nghttp2-server nodejs")
    return path


@contextlib.contextmanager
def process(command: list[str], port: int, output: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from its first listening to its end."""
    import socket

    with (output or Path(os.devnull)).open("wb") as file, subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL) as running:
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield running
        finally:
            running.terminate()
            running.wait(10)


class Load:
    """So many requests at once until told to stop, and what came of each."""

    def __init__(self, transport: HttpTransport, port: int, policy: OriginPolicy) -> None:
        self.transport = transport
        self.origin = Origin("localhost", port)
        self.policy = policy
        self.results: dict[str, WireResult] = {}
        self.count = 0

    def push(self) -> None:
        name = f"n{self.count}"
        self.count += 1
        request = WireRequest(
            b"POST",
            self.origin,
            b"/3/device/x",
            BLOCK,
            ((b"x-id", name.encode()),),
            b'{"aps":{}}',
            time.monotonic() + 5,
            policy=self.policy,
        )

        def done(result: WireResult) -> None:
            self.results[name] = result
            if self.count < self.total:
                self.push()

        self.transport.submit(request, done)

    async def run(self, total: int, at_once: int) -> None:
        self.total = total
        for _ in range(at_once):
            self.push()
        end = time.monotonic() + 60
        while len(self.results) < total and time.monotonic() < end:
            await asyncio.sleep(0.01)

    def faults(self) -> dict[str, WireFault]:
        return {name: result for name, result in self.results.items() if isinstance(result, WireFault)}

    def accepted(self) -> int:
        return sum(isinstance(result, WireResponse) and result.status == 200 for result in self.results.values())


@pytest.mark.parametrize(("streams", "requests"), [(128, 1000), (10, 100_000), (1, 50)])
def test_nginx_reloading(pki: Pki, engine: str, tmp_path: Path, streams: int, requests: int) -> None:
    """Under load nginx reloads again and again (and ends connections by their number of requests): nothing fails, nothing twice."""
    port = free_port()
    (tmp_path / "nginx.conf").write_text(
        NGINX.format(folder=tmp_path, port=port, chain=pki.server_chain, key=pki.server_key, streams=streams, requests=requests)
    )
    total = 4000

    async def main() -> None:
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        load = Load(transport, port, OriginPolicy(max_connections=2))

        async def reload() -> None:
            for _ in range(6):
                await asyncio.sleep(0.15)
                server.send_signal(signal.SIGHUP)

        reloading = asyncio.create_task(reload())
        await load.run(total, 200)
        await reloading
        await transport.aclose()

        assert {} == {name: fault for name, fault in load.faults().items() if fault.processed is Processed.NO}
        assert total == len(load.results)
        assert total == load.accepted()

    with process([need("nginx"), "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)], port) as server:
        asyncio.run(main())
    logged = Counter((tmp_path / "ids.log").read_text().split())
    assert total == len(logged)
    assert [] == [name for name, times in logged.items() if times > 1]


@pytest.mark.parametrize(
    "options", [["-m", "1"], ["-m", "7"], ["-w", "10", "-W", "10"], ["--max-concurrent-streams=100", "--header-table-size=0"], ["-b", "50"]]
)
def test_nghttpd_limits(pki: Pki, engine: str, tmp_path: Path, options: list[str]) -> None:
    """nghttpd with few streams, small windows, no header table and padded frames answers everything."""
    port = free_port()
    (tmp_path / "x").write_text("ok")

    async def main() -> None:
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        load = Load(transport, port, OriginPolicy(max_connections=2))
        await load.run(1000, 150)
        await transport.aclose()

        assert {} == load.faults()
        assert 1000 == len(load.results)

    with process([need("nghttpd"), "-d", str(tmp_path), *options, str(port), str(pki.server_key), str(pki.server_chain)], port):
        asyncio.run(main())


@pytest.mark.parametrize("mode", ["plain", "goaway", "close", "refuse", "cancel", "settings"])
def test_node(pki: Pki, engine: str, tmp_path: Path, mode: str) -> None:
    """node's http2 module sends GOAWAY, closes sessions, refuses and cancels streams, changes its settings."""
    port = free_port()
    script, log = tmp_path / "server.js", tmp_path / "ids.log"
    script.write_text(NODE)

    async def main() -> None:
        transport = HttpTransport(ssl_context=pki.client_context(), engine=engine)
        load = Load(transport, port, OriginPolicy(max_connections=2))
        await load.run(2000, 100)
        await transport.aclose()
        await asyncio.sleep(0.2)
        seen = Counter(log.read_text().split())

        assert 2000 == len(load.results)
        for name, fault in load.faults().items():
            assert fault.processed is Processed.UNKNOWN or not seen[name]
        if mode == "cancel":
            assert len(load.faults()) > 100
        elif mode != "goaway":
            assert {} == load.faults()
        # node's goaway() also ends the session: what it had taken is of unknown fate.
        assert {Processed.UNKNOWN} >= {fault.processed for fault in load.faults().values()}
        # The server refuses before it reads the body: what it answered it answered once.
        assert [] == [name for name, times in seen.items() if times > 1]

    with process([need("node"), str(script), str(pki.server_chain), str(pki.server_key), str(port), mode], port, log):
        asyncio.run(main())
