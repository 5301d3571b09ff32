"""
Whole Web Push sends against pywebpush's ``webpush_async`` and against bare encryption, over TLS to nginx on this machine.

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks._server import nginx

COUNTS = {"bare": 6000, "pushkit:ngh2": 6000, "pushkit:h2": 4000, "pywebpush": 1500, "pywebpush:object": 1500}
LEAST_FASTER = 4.0
"""At least so many times cheaper than pywebpush (design section 7)."""
MOST_OVER_BARE = 1.5
"""At most so many times the cost of bare encryption (design section 7)."""


def run(name: str, port: int, folder: Path, count: int, in_flight: int) -> dict[str, float]:
    """One run of one client in a process of its own."""
    command = [sys.executable, "-m", "benchmarks._webpush_clients", name, str(port), str(folder / "cert.pem"), str(count), str(in_flight)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"{name} failed")
    return dict(json.loads(done.stdout))


def compare(rounds: int, in_flight: int, names: list[str]) -> dict[str, float]:
    """Medians of CPU microseconds a push, printed as a table."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with nginx(streams=100) as (port, folder):
        for _ in range(rounds):
            for name in names:
                runs[name].append(run(name, port, folder, COUNTS[name], in_flight))
    medians = {name: statistics.median(one["us"] for one in found) for name, found in runs.items()}
    print(f"\n{in_flight} in flight, {rounds} rounds, a fresh key pair and salt for each push")
    print(f"{'client':16} {'CPU us/push':>12} {'(min-max)':>17} {'pushes/s':>9} {'x pywebpush':>12} {'x bare':>7}")
    for name, found in runs.items():
        each = sorted(one["us"] for one in found)
        rate = statistics.median(one["rate"] for one in found)
        faster = f"{medians['pywebpush'] / medians[name]:.1f}" if "pywebpush" in medians else "-"
        over = f"{medians[name] / medians['bare']:.2f}" if "bare" in medians else "-"
        print(f"{name:16} {medians[name]:12.1f} {f'({each[0]:.1f}-{each[-1]:.1f})':>17} {rate:9.0f} {faster:>12} {over:>7}")
    return medians


def cores(rounds: int) -> None:
    """What more worker processes and more threads give to encryption, which is most of the work; not pinned."""
    command = [sys.executable, "-m", "benchmarks._webpush_clients"]

    def one(kind: str) -> float:
        unpinned = os.environ | {"PUSHKIT_BENCH_PIN": "no"}
        done = subprocess.run(
            [*command, kind, "0", "", "12000", "0"], check=True, stdout=subprocess.PIPE, text=True, timeout=600, env=unpinned
        )
        return float(json.loads(done.stdout)["rate"])

    found: dict[str, list[float]] = {"one process": [], "two processes": [], "two threads": []}
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            found["one process"].append(one("bare"))
            found["two processes"].append(sum(pool.map(one, ("bare", "bare"))))
            found["two threads"].append(one("threads"))
    alone = statistics.median(found["one process"])
    for name, rates in found.items():
        print(f"{name:14} {statistics.median(rates):8.0f} encryptions/s  x {statistics.median(rates) / alone:.2f}")


def main(arguments: list[str]) -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks webpush", description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=100)
    parser.add_argument("--clients", nargs="*", choices=list(COUNTS), default=list(COUNTS))
    parser.add_argument("--cores", action="store_true", help="encryption in one process, two processes and two threads")
    options = parser.parse_args(arguments)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    if options.cores:
        cores(options.rounds)
        return 0
    medians = compare(options.rounds, options.in_flight, options.clients)
    if set(COUNTS) <= set(medians):
        ours = medians["pushkit:ngh2"]
        print(
            f"targets: {medians['pywebpush'] / ours:.1f} x pywebpush (at least {LEAST_FASTER:g}), "
            f"{ours / medians['bare']:.2f} x bare encryption (at most {MOST_OVER_BARE:g})"
        )
    return 0
