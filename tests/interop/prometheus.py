"""A real Prometheus on loopback: it scrapes one endpoint each second and evaluates the shipped rules."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest

from pushkit.contrib import dashboards

T = TypeVar("T")

_CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [alerts.yaml]
scrape_configs: [{job_name: pushkit, static_configs: [{targets: ["127.0.0.1:%d"]}]}]
"""


def program(name: str, package: str = "prometheus") -> str:
    """Where a program of a Debian package is; the test is skipped where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is needed to try the alerts on the real thing and is not installed here (Debian: apt install {package})")
    return found


def without_waiting(rules: str) -> str:
    """The rules as they are, but firing as soon as their expression is true. (How long they wait, promtool tests.)"""
    return re.sub(r"(?m)^( +for: ).*$", r"\g<1>0s", rules)


@attrs.frozen
class Prometheus:
    """A running server, asked over its HTTP API."""

    url: str

    def ask(self, path: str, **parameters: Any) -> Any:
        """The ``data`` of an answer of the API."""
        asked = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        return self.ask("query", query=expression)["result"]

    def over_time(self, expression: str, seconds: int) -> list[dict[str, Any]]:
        """The result of a range query, a value a second."""
        now = time.time()
        return self.ask("query_range", query=expression, start=now - seconds, end=now, step=1)["result"]

    def firing(self) -> dict[str, dict[str, Any]]:
        """The alerts that fire, by name."""
        return {alert["labels"]["alertname"]: alert for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}

    def evaluated(self) -> float:
        """When the rules were last evaluated, as UNIX time; 0 before the first time."""
        (group,) = self.ask("rules")["groups"]
        assert [] == [rule["name"] for rule in group["rules"] if rule["health"] == "err"]
        return max(0.0, datetime.fromisoformat(group["lastEvaluation"]).astimezone(UTC).timestamp())


def until(condition: Callable[[], T], what: str, seconds: float = 40.0) -> T:
    """Wait for something that a server does in its own time."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, f"did not happen within {seconds} s: {what}"
        time.sleep(0.1)
    return found


@contextmanager
def prometheus(folder: Path, scraped: int) -> Iterator[Prometheus]:
    """A server that scrapes this port, with the shipped rules; it has made its first scrape and its first evaluation."""
    executable = program("prometheus")
    (folder / "alerts.yaml").write_text(without_waiting(dashboards.alerts()), encoding="utf-8")
    (folder / "prometheus.yml").write_text(_CONFIG % scraped, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [
                executable,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        server = Prometheus(f"http://{address}")
        try:
            until(lambda: _ready(server) or process.poll() is not None, "Prometheus is ready")
            log.seek(0)
            assert process.poll() is None, log.read()
            until(lambda: len(server.query("pushkit_pushes_total")), "the first scrape")
            until(server.evaluated, "the first evaluation")
            yield server
        finally:
            process.terminate()
            process.wait(20)


def _ready(server: Prometheus) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/-/ready", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
