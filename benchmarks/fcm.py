"""
FCM sends against firebase-admin's ``send_each`` and ``send_each_async``, over TLS to nginx on this machine.

CPU (user and system) of the client's process for each push; every client runs once in each round, in turn, and medians
over the rounds are given. Rates on a shared machine mean little: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks._server import FCM, nginx

COUNTS = {
    "pushkit:ngh2": 10_000,
    "pushkit:h2": 6_000,
    "pushkit:sync": 10_000,
    "pushkit:personal": 6_000,
    "send_each": 1_500,
    "send_each_async": 1_000,
}
LEAST = {"send_each": 12.0, "send_each_async": 20.0}
"""At least so many times cheaper (design section 7)."""


def run(name: str, port: int, folder: Path, count: int, in_flight: int) -> dict[str, float]:
    """One run of one client in a process of its own."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "benchmarks._fcm_clients",
        name,
        str(port),
        str(folder / "cert.pem"),
        str(count),
        str(in_flight),
    ]
    trust = {"REQUESTS_CA_BUNDLE": str(folder / "cert.pem"), "SSL_CERT_FILE": str(folder / "cert.pem")}
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=600, env=os.environ | trust)
    if done.returncode:
        raise SystemExit(f"{name} failed")
    return dict(json.loads(done.stdout))


def compare(rounds: int, in_flight: int, names: list[str]) -> dict[str, float]:
    """Medians of CPU microseconds a push, printed as a table."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with nginx(streams=100, locations=FCM) as (port, folder):
        for _ in range(rounds):
            for name in names:
                runs[name].append(run(name, port, folder, COUNTS[name], in_flight))
    medians = {name: statistics.median(one["us"] for one in found) for name, found in runs.items()}
    print(f"\n{in_flight} in flight (firebase-admin: batches of {in_flight}), {rounds} rounds")
    print(f"{'client':18} {'CPU us/push':>12} {'(min-max)':>17} {'pushes/s':>9} {'x send_each':>12} {'x send_each_async':>18}")
    for name, found in runs.items():
        each = sorted(one["us"] for one in found)
        rate = statistics.median(one["rate"] for one in found)
        times = [f"{medians[peer] / medians[name]:.1f}" if peer in medians else "-" for peer in LEAST]
        print(f"{name:18} {medians[name]:12.1f} {f'({each[0]:.1f}-{each[-1]:.1f})':>17} {rate:9.0f} {times[0]:>12} {times[1]:>18}")
    return medians


def main(arguments: list[str]) -> int:
    """Run the comparison; 1 when a target of the design is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fcm", description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=100)
    parser.add_argument("--clients", nargs="*", choices=list(COUNTS), default=list(COUNTS))
    options = parser.parse_args(arguments)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    medians = compare(options.rounds, options.in_flight, options.clients)
    if "pushkit:ngh2" not in medians:
        return 0
    missed = False
    for peer, least in LEAST.items():
        if peer in medians:
            times = medians[peer] / medians["pushkit:ngh2"]
            missed = missed or times < least
            print(f"target: {times:.1f} x {peer} (at least {least:g})")
    return int(missed)
