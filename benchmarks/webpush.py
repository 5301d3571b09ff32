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

from benchmarks._rounds import Rounds, run_client
from benchmarks._server import nginx

COUNTS = {"bare": 6000, "pushkit:ngh2": 6000, "pushkit:h2": 4000, "pywebpush": 1500, "pywebpush:object": 1500}
LEAST_FASTER = 4.0
"""At least so many times cheaper than pywebpush (design section 7)."""
MOST_OVER_BARE = 1.5
"""At most so many times the cost of bare encryption (design section 7)."""


def compare(rounds: int, in_flight: int, names: list[str]) -> dict[str, float]:
    """Medians of CPU microseconds a push, printed as a table."""
    with nginx(streams=100) as (port, folder):
        found = Rounds(rounds, names, lambda name: run_client("_webpush_clients", name, port, folder, COUNTS[name], in_flight))
    ratios = {"pywebpush": lambda name: found.times("pywebpush", name), "bare": lambda name: found.over(name, "bare")}
    found.show(f"{in_flight} in flight, a fresh key pair and salt for each push", "push", ratios)
    return found.medians


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
