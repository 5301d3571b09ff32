"""
The transport alone against its peers, one connection, over TLS to nginx on this machine.

CPU (user and system) of the client's process for each request; every client runs once in each round, in
turn, and medians over the rounds are given. Rates on a shared machine mean little: read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import ssl
import subprocess
import sys
import threading
from pathlib import Path

from benchmarks._clients import BODY, HEADERS, TOKENS
from benchmarks._rounds import Rounds, run_client
from benchmarks._server import certificate, nginx, pin

COUNTS = {"pushkit:ngh2": 40_000, "pushkit:h2": 8_000, "aioapns": 3_000, "httpx": 1_000, "h2load": 60_000}
TARGETS = {100: (20.0, 2.5), 1000: (12.0, 3.5)}
"""In flight: at least so many times cheaper than aioapns, at most so many times h2load."""


def run(name: str, port: int, folder: Path, count: int, in_flight: int) -> dict[str, float]:
    """One run of one client."""
    if name == "h2load":
        return _h2load(port, folder, count, in_flight)
    return run_client("_clients", name, port, folder, count, in_flight)


def _h2load(port: int, folder: Path, count: int, in_flight: int) -> dict[str, float]:
    body = folder / "payload.json"
    body.write_bytes(BODY)
    command = ["h2load", "-n", str(count), "-c", "1", "-t", "1", "-m", str(in_flight), "-d", str(body)]
    for name, value in HEADERS:
        command += ["-H", f"{name.decode()}: {value.decode()}"]
    command.append(f"https://127.0.0.1:{port}/3/device/{TOKENS[0]}")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True, preexec_fn=lambda: pin(0))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if f"{count} succeeded" not in done.stdout:
        raise SystemExit(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    line = next(line for line in done.stdout.splitlines() if line.startswith("finished in"))
    return {"us": cpu / count * 1e6, "rate": float(line.split(",")[1].split()[0])}


def compare(rounds: int, in_flight: int, names: list[str]) -> dict[str, float]:
    """Medians of CPU microseconds a request, printed as a table."""
    with nginx() as (port, folder):
        found = Rounds(rounds, names, lambda name: run(name, port, folder, COUNTS[name], in_flight))
    ratios = {"aioapns": lambda name: found.times("aioapns", name), "h2load": lambda name: found.over(name, "h2load")}
    found.show(f"{in_flight} in flight, one connection", "request", ratios)
    return found.medians


def silent_server(folder: Path) -> int:
    """A server that takes every request and never answers; runs in a thread of its own. Gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.set_alpn_protocols(["h2"])
    settings = b"\x00\x00\x0c\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x0f\x42\x40" + b"\x00\x04\x7f\xff\xff\xff"
    window = b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\x00\x00\x00"

    class Silent(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(settings + window)

    port: list[int] = []
    ready = threading.Event()

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0, ssl=context)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    ready.wait(10)
    return port[0]


def memory(count: int, engines: list[str]) -> None:
    """Memory of requests in flight, and growth over many requests on one connection."""
    with nginx() as (port, folder):
        silent = folder / "silent"
        silent.mkdir()
        certificate(silent)
        holding = silent_server(silent)
        for engine in engines:
            held = run(f"in_flight:{engine}", holding, silent, 5000, 0)
            print(f"{engine}: {held['bytes_each'] / 1024:.1f} KB a request in flight ({held['streams']:.0f} at once)")
            grown = run(f"memory:{engine}", port, folder, count, 100)
            print(
                f"{engine}: {count} requests on {grown['connections']:.0f} connection, "
                f"{grown['growth_kb']:.0f} KB of growth after the first tenth ({grown['first_tenth_kb'] / 1024:.1f} MB), "
                f"{grown['second_half_kb']:.0f} KB of it in the second half"
            )


def main(arguments: list[str]) -> int:
    """Run the comparison, or the memory part."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks transport", description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--in-flight", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--clients", nargs="*", choices=list(COUNTS), default=list(COUNTS))
    parser.add_argument("--memory", action="store_true", help="memory instead of speed")
    parser.add_argument("--requests", type=int, default=1_000_000, help="requests on one connection in the memory part")
    options = parser.parse_args(arguments)
    if "h2load" in options.clients and shutil.which("h2load") is None:
        print("h2load is missing (Debian: nghttp2-client): left out", file=sys.stderr)
        options.clients.remove("h2load")
    if options.memory:
        memory(options.requests, [name.partition(":")[2] for name in options.clients if ":" in name])
        return 0
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    for in_flight in options.in_flight:
        medians = compare(options.rounds, in_flight, options.clients)
        if in_flight in TARGETS and {"aioapns", "h2load", "pushkit:ngh2"} <= set(medians):
            least, most = TARGETS[in_flight]
            faster, limit = medians["aioapns"] / medians["pushkit:ngh2"], medians["pushkit:ngh2"] / medians["h2load"]
            print(f"targets: {faster:.1f} x aioapns (at least {least:g}), {limit:.2f} x h2load (at most {most:g})")
    return 0
