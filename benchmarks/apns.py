"""
The whole SDK against aioapns: APNs pushes over TLS to nginx on this machine, one connection.

CPU (user and system) of the client's process for each push, through the public calls with every outcome
read; every client runs once in each round, in turn, and medians over the rounds are given. Rates on a
shared machine mean little: read the ratios. The sequences are wall time a push, since latency is asked.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks._server import nginx

COUNTS = {
    "aioapns": 3_000,
    "same:ngh2": 20_000,
    "same:h2": 6_000,
    "personal:ngh2": 12_000,
    "personal:h2": 5_000,
    "sync:ngh2": 20_000,
    "aioapns-sequence": 600,
    "sequence:ngh2": 1_500,
    "sequence:h2": 1_000,
}
MUST = {"same:ngh2": 6.0, "same:h2": 1.2, "personal:ngh2": 5.0, "sequence:ngh2": 1.0}
"""At least so many times cheaper (for the sequence: as fast) than aioapns in the same rounds."""


def run_client(name: str, port: int, folder: Path, count: int, in_flight: int) -> dict[str, float]:
    """One run of one client in a process of its own."""
    command = [sys.executable, "-m", "benchmarks._apns_clients", name, str(port), str(folder / "cert.pem"), str(count), str(in_flight)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"{name} failed")
    return dict(json.loads(done.stdout))


def compare(rounds: int, in_flight: int, names: list[str]) -> dict[str, float]:
    """Medians, printed as a table."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with nginx() as (port, folder):
        for _ in range(rounds):
            for name in names:
                seen[name].append(run_client(name, port, folder, COUNTS[name], in_flight))
    medians = {name: statistics.median(run["us"] for run in runs) for name, runs in seen.items()}
    print(f"\n{in_flight} in flight, {rounds} rounds")
    for name, runs in seen.items():
        base = medians.get("aioapns-sequence" if "sequence" in name else "aioapns")
        ratio = f"{base / medians[name]:6.2f} x aioapns" if base else ""
        low, high = min(run["us"] for run in runs), max(run["us"] for run in runs)
        rate = statistics.median(run["rate"] for run in runs)
        print(f"  {name:18} {medians[name]:8.1f} us ({low:.1f} to {high:.1f})  {rate:9,.0f} a second  {ratio}")
    return medians


def main(arguments: list[str]) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks apns", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--only", nargs="+", choices=sorted(COUNTS), default=list(COUNTS))
    chosen = parser.parse_args(arguments)
    failed = 0
    for in_flight in chosen.in_flight:
        medians = compare(chosen.rounds, in_flight, chosen.only)
        for name, least in MUST.items():
            base = medians.get("aioapns-sequence" if "sequence" in name else "aioapns")
            if name in medians and base is not None and base / medians[name] < least:
                print(f"  {name}: {base / medians[name]:.2f}, expected at least {least}")
                failed = 1
    return failed
