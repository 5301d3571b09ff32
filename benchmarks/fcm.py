"""
FCM sends against firebase-admin's ``send_each`` and ``send_each_async``, over TLS to nginx on this machine.

CPU (user and system) of the client's process for each push; every client runs once in each round, in turn, and medians
over the rounds are given. Rates on a shared machine mean little: read the ratios.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from pathlib import Path

from benchmarks._rounds import Rounds, run_client
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
    """One run of one client; firebase-admin's two HTTP libraries each have a variable of their own for the certificate."""
    trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(folder / "cert.pem"))
    return run_client("_fcm_clients", name, port, folder, count, in_flight, trust | {"PYTHONWARNINGS": "ignore"})


def compare(rounds: int, in_flight: int, names: list[str]) -> dict[str, float]:
    """Medians of CPU microseconds a push, printed as a table."""
    with nginx(streams=100, locations=FCM) as (port, folder):
        found = Rounds(rounds, names, lambda name: run(name, port, folder, COUNTS[name], in_flight))
    ratios = {peer: functools.partial(found.times, peer) for peer in LEAST}
    found.show(f"{in_flight} in flight (firebase-admin: batches of {in_flight})", "push", ratios)
    return found.medians


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
