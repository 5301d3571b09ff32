"""What every comparison does: each client in a process of its own, in turn, round after round, and a table of the medians."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Run = dict[str, float]
"""What a client measured: at least ``us`` of CPU for each push and ``rate`` a second."""


def run_client(
    clients: str, name: str, port: int, folder: Path, count: int, in_flight: int, environment: Mapping[str, str] | None = None
) -> Run:
    """One run of one client of a module; ``environment`` is added to this process's."""
    command = [sys.executable, "-m", f"benchmarks.{clients}", name, str(port), str(folder / "cert.pem")]
    command += [str(count), str(in_flight)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=600, env={**os.environ, **(environment or {})})
    if done.returncode:
        raise SystemExit(f"{name} failed")
    return dict(json.loads(done.stdout))


class Rounds:
    """The runs of all clients: ``rounds`` of each, in turn, so that what disturbs the machine disturbs them all."""

    def __init__(self, rounds: int, names: Sequence[str], run: Callable[[str], Run]) -> None:
        self.runs: dict[str, list[Run]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                self.runs[name].append(run(name))
        self.medians = {name: statistics.median(run["us"] for run in runs) for name, runs in self.runs.items()}
        """CPU microseconds for each push, by client."""

    def times(self, peer: str, name: str) -> str:
        """How many times dearer the peer is; a dash where it did not run."""
        return f"{self.medians[peer] / self.medians[name]:.2f}" if peer in self.medians else "-"

    def over(self, name: str, limit: str) -> str:
        """How many times the limit's cost; a dash where it did not run."""
        return f"{self.medians[name] / self.medians[limit]:.2f}" if limit in self.medians else "-"

    def show(self, what: str, unit: str, ratios: Mapping[str, Callable[[str], str]]) -> None:
        """Print the table: cost, spread, rate, and a column for each ratio."""
        heads = [f"x {peer}" for peer in ratios]
        print(f"\n{what}, rounds: {len(next(iter(self.runs.values()), []))}")
        print(f"{'client':18} {f'CPU us/{unit}':>15} {'(min-max)':>17} {'a second':>11}", *(f"{head:>18}" for head in heads))
        for name, runs in self.runs.items():
            each = sorted(run["us"] for run in runs)
            rate = statistics.median(run["rate"] for run in runs)
            print(
                f"{name:18} {self.medians[name]:15.1f} {f'({each[0]:.1f}-{each[-1]:.1f})':>17} {rate:11,.0f}",
                *(f"{ratio(name):>18}" for ratio in ratios.values()),
            )
