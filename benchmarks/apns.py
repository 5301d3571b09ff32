"""
The whole SDK against aioapns: APNs pushes over TLS to nginx on this machine, one connection.

CPU (user and system) of the client's process for each push, through the public calls with every outcome
read; every client runs once in each round, in turn, and medians over the rounds are given. Rates on a
shared machine mean little: read the ratios. The sequences are wall time a push, since latency is asked.
"""

from __future__ import annotations

import argparse

from benchmarks._rounds import Rounds, run_client
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


def peer_of(name: str) -> str:
    """What a client is measured against."""
    return "aioapns-sequence" if "sequence" in name else "aioapns"


def compare(rounds: int, in_flight: int, names: list[str]) -> dict[str, float]:
    """Medians, printed as a table."""
    with nginx() as (port, folder):
        found = Rounds(rounds, names, lambda name: run_client("_apns_clients", name, port, folder, COUNTS[name], in_flight))
    found.show(f"{in_flight} in flight", "push", {"aioapns": lambda name: found.times(peer_of(name), name)})
    return found.medians


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
            base = medians.get(peer_of(name))
            if name in medians and base is not None and base / medians[name] < least:
                print(f"  {name}: {base / medians[name]:.2f}, expected at least {least}")
                failed = 1
    return failed
