"""
A real Prometheus scrapes a real client through a bad night: which alerts fire, and does each panel show something?

Needs Debian's ``prometheus``; part of the long tests.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from tests.interop.prometheus import Prometheus, program, prometheus, until
from tests.unit.apns.certificates import TOPICS, certificate
from tests.unit.contrib.heard import Patient, every_event

import pushkit
from pushkit import Notification, RetryPolicy, apns
from pushkit.contrib import dashboards
from pushkit.contrib.prometheus import PrometheusMetrics
from pushkit.testing import PushServer
from pushkit.testing.faults import Refuse

pytestmark = pytest.mark.full

SALE = Notification(title="The sale has begun", body="Half price until Sunday.", label="sale")
RULES = Path(dashboards.__file__).with_name("alerts.yaml")
DAY = 86_400.0

Incident = Callable[[pushkit.AsyncClient, PushServer], Awaitable[object]]


@pytest.fixture(scope="module")
def running() -> Iterator[PushServer]:
    with PushServer(known_only=True) as server:
        yield server


@pytest.fixture
def server(running: PushServer) -> PushServer:
    running.reset()
    return running


@contextmanager
def scraped(folder: Path) -> Iterator[tuple[Prometheus, PrometheusMetrics]]:
    """A Prometheus, and the metrics that it reads."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    http, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        with prometheus(folder, http.server_port) as reading:
            yield reading, metrics
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def play(
    folder: Path, server: PushServer, incident: Incident, expected: set[str], *, watch: bool = True, **configured: Any
) -> dict[str, dict[str, Any]]:
    """Send through a client while Prometheus looks; gives the alerts that fire then."""
    configs = {"apns": server.apns_config(), "fcm": server.fcm_config()} | configured

    async def night() -> dict[str, dict[str, Any]]:
        async with pushkit.AsyncClient(**configs, ssl_context=server.ssl_context(), hooks=[metrics], retry=RetryPolicy.none()) as push:
            if watch:
                metrics.watch(push)
            await incident(push, server)
            over = time.time()
            # What is scraped a second later is evaluated a second later again.
            await asyncio.to_thread(until, lambda: reading.evaluated() > over + 3, "the rules were evaluated after the incident")
            await asyncio.to_thread(until, lambda: expected <= set(reading.firing()), f"alerts {expected}, not {set(reading.firing())}")
            return await asyncio.to_thread(reading.firing)

    with scraped(folder) as (reading, metrics):
        return asyncio.run(night())


async def ordinary(push: pushkit.AsyncClient, server: PushServer) -> None:
    """Good traffic, and of each kind of failure the one that every night has."""
    gone = server.device()
    server.unregister(gone)
    await push.send_many(SALE, to=[*(server.device() for _ in range(30)), gone, *(server.registration() for _ in range(30))])
    server.behaviour.apns.next().answer("InternalServerError")
    await push.send(SALE, to=server.device())
    await push.send(Notification(title="x" * 5000), to=server.device())
    server.behaviour.fcm.next().answer("UNAVAILABLE")
    await push.send(SALE, to=server.registration())


async def outage(push: pushkit.AsyncClient, server: PushServer) -> None:
    server.behaviour.outage("fcm", fault=Refuse())
    await push.send_many(SALE, to=[server.registration() for _ in range(60)])


async def outage_that_answers(push: pushkit.AsyncClient, server: PushServer) -> None:
    server.behaviour.outage("fcm")
    await push.send_many(SALE, to=[server.registration() for _ in range(60)])


async def campaign(push: pushkit.AsyncClient, server: PushServer) -> None:
    await push.send_many(SALE, to=[server.device() for _ in range(200)])


async def oversize(push: pushkit.AsyncClient, server: PushServer) -> None:
    await push.send_many(Notification(title="Sale", body="Half price! " * 500), to=[server.device() for _ in range(50)])


def refused_key(server: PushServer) -> apns.Config:
    stranger = apns.TokenKey(server.world.accounts.new_apns_key().pem or "", key_id="ABCDEFGHIJ", team_id="KLMNOPQRST")
    return server.apns_config(credentials=stranger)


def ending(server: PushServer, days: float) -> apns.Config:
    return server.apns_config(credentials=certificate(topics=TOPICS, start=time.time() - 300 * DAY, days=300 + days))


def test_an_ordinary_night_wakes_nobody(server: PushServer, tmp_path: Path) -> None:
    """A few failures of each category among good pushes: no alert."""
    assert {} == play(tmp_path, server, ordinary, set())


def test_a_wrong_environment(server: PushServer, tmp_path: Path) -> None:
    """The first alert says: do not remove them; the reason is in the text of the others."""
    expected = {"PushkitMassInvalidation", "PushkitNothingAccepted", "PushkitRecipientFailures"}
    fired = play(tmp_path, server, campaign, expected, apns=server.apns_config(environment=apns.Environment.SANDBOX))

    assert expected == set(fired)
    assert "suddenly many recipients are invalid (BadDeviceToken)" in fired["PushkitMassInvalidation"]["annotations"]["summary"]
    assert "BadDeviceToken (200)" == fired["PushkitNothingAccepted"]["annotations"]["reasons"].strip()


def test_an_outage_of_fcm(server: PushServer, tmp_path: Path) -> None:
    """Engineering hears of it, nobody else, and the text names why."""
    expected = {"PushkitTechnicalFailures", "PushkitNothingAccepted", "PushkitBreakerOpen"}
    fired = play(tmp_path, server, outage, expected)

    assert expected == set(fired)
    assert {"engineering"} == {alert["labels"]["team"] for alert in fired.values()}
    assert "connect_failed" in fired["PushkitTechnicalFailures"]["annotations"]["reasons"]


def test_an_outage_that_may_have_delivered(server: PushServer, tmp_path: Path) -> None:
    """Google's 5xx can come after a delivery: one more alert says so, though the burst was over before the next scrape."""
    expected = {"PushkitTechnicalFailures", "PushkitNothingAccepted", "PushkitBreakerOpen", "PushkitUnknownFate"}

    assert expected == set(play(tmp_path, server, outage_that_answers, expected))


@pytest.mark.parametrize("watch", [True, False])
def test_a_refused_credential(server: PushServer, tmp_path: Path, watch: bool) -> None:
    """It is an alert even where nobody exports the health, as with several processes behind one endpoint."""
    expected = {"PushkitCredentialRefused", "PushkitTechnicalFailures", "PushkitNothingAccepted"}
    fired = play(tmp_path, server, campaign, expected, watch=watch, apns=refused_key(server))

    assert expected == set(fired)
    assert "apns/default" in fired["PushkitCredentialRefused"]["annotations"]["summary"]
    assert "InvalidProviderToken" in fired["PushkitCredentialRefused"]["annotations"]["reasons"]


def test_an_oversize_campaign(server: PushServer, tmp_path: Path) -> None:
    """Whoever wrote it hears of it, and nobody gets up in engineering; fifty pushes within one scrape are enough."""
    fired = play(tmp_path, server, oversize, {"PushkitPayloadFailures"})

    assert {"PushkitPayloadFailures": "content"} == {name: alert["labels"]["team"] for name, alert in fired.items()}
    assert "payload_too_large (50)" == fired["PushkitPayloadFailures"]["annotations"]["reasons"].strip()


@pytest.mark.parametrize(
    ("days", "expected"),
    [(30, set()), (10, {"PushkitCertificateEndsSoon"}), (1, {"PushkitCertificateEndsSoon", "PushkitCertificateEnds"})],
)
def test_a_certificate_that_ends(server: PushServer, tmp_path: Path, days: float, expected: set[str]) -> None:
    """Two weeks ahead a warning, two days ahead somebody has to get up."""

    async def few(push: pushkit.AsyncClient, server: PushServer) -> None:
        await push.send(SALE, to=server.device())

    assert expected == set(play(tmp_path, server, few, expected, apns=ending(server, days)))


async def everything(push: pushkit.AsyncClient, server: PushServer) -> None:
    """At least one event of every kind, over a few scrapes."""
    gone, subscription = server.device(), server.subscription()
    server.unregister(gone)
    await push.send(SALE, to=apns.Device(server.device().token, app="stranger"))
    await push.send(SALE, to=apns.Device(server.device().token, app="certified"))
    await push.send_many(SALE, to=[apns.Device(server.device(environment="sandbox").token) for _ in range(120)])
    await push.send(Notification(title="Yesterday", expires_at=datetime.now(UTC) - timedelta(days=1)), to=server.device())
    async with push.stream(SALE, to=[server.device() for _ in range(50)]) as outcomes:
        async for _ in outcomes:
            break
    server.behaviour.fcm.next(150).answer("UNAVAILABLE")
    await push.send_many(SALE, to=[server.registration() for _ in range(150)])
    for _ in range(6):
        await push.send_many(SALE, to=[gone, server.device(), subscription, *(server.registration() for _ in range(3))])
        await asyncio.sleep(1.0)  # a scrape each second: rates need two of them


def test_every_panel_shows_something(server: PushServer, tmp_path: Path) -> None:
    """Each query of the dashboard, as Grafana would ask it, has data after a night on which everything happened."""
    configs = {
        "apns": {"default": server.apns_config(), "stranger": refused_key(server), "certified": ending(server, 100)},
        "fcm": server.fcm_config(),
        "webpush": server.webpush_config(),
    }
    empty: list[str] = []

    async def night() -> None:
        async with pushkit.AsyncClient(**configs, ssl_context=server.ssl_context(), hooks=[metrics]) as push:
            metrics.watch(push)
            await everything(push, server)
            await asyncio.to_thread(look)

    def look() -> None:
        dashboard = json.loads(dashboards.grafana())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                expression = target["expr"].replace("$job", ".*").replace("$provider", ".*").replace("$__rate_interval", "20s")
                series = reading.query(expression) if target["instant"] else reading.over_time(expression, 30)
                values = [pair[1] for one in series for pair in one.get("values", [one.get("value")])]
                if not [value for value in values if value != "NaN"]:
                    empty.append(f"{panel['title']}: {expression}")
        assert {"apns", "fcm", "webpush"} == set(reading.ask("label/provider/values", **{"match[]": "pushkit_outcomes_total"}))

    with scraped(tmp_path) as (reading, metrics):
        asyncio.run(night())

    assert [] == empty


def test_the_rules_are_well_formed() -> None:
    """Prometheus's own linter has nothing to say."""
    done = subprocess.run([program("promtool"), "check", "rules", str(RULES)], capture_output=True, text=True, timeout=60, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_metrics_are_well_formed() -> None:
    """Names, units and help texts of everything that is exported pass Prometheus's own linter."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    metrics.watch(Patient())
    for event in every_event():
        metrics(event)
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=generate_latest(registry), capture_output=True, timeout=60, check=False
    )

    assert (0, b"") == (done.returncode, done.stdout + done.stderr)


def test_the_rules_wait_as_long_as_they_should() -> None:
    """Nights of hours, played by promtool in a second: who is woken, when, and who is not."""
    played = Path(__file__).with_name("alerts_test.yaml")
    done = subprocess.run([program("promtool"), "test", "rules", str(played)], capture_output=True, text=True, timeout=120, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=PushkitNothingAccepted", "severity=critical", "team=engineering"], "pager"),
        (["alertname=PushkitPayloadFailures", "severity=warning", "team=content"], "editors"),
        (["alertname=PushkitRecipientFailures", "severity=warning", "team=data"], "list-keepers"),
        (["alertname=PushkitSlowAnswers", "severity=warning", "team=engineering"], "chat"),
    ],
)
def test_the_documented_routes_reach_who_has_to_act(tmp_path: Path, labels: list[str], receiver: str) -> None:
    """Alertmanager reads the page's configuration and sends each alert where the page says."""
    page = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    config = tmp_path / "alertmanager.yml"
    config.write_text(page.partition("```yaml\n# alertmanager.yml\n")[2].partition("```")[0], encoding="utf-8")
    amtool = program("amtool", "prometheus-alertmanager")
    checked = subprocess.run([amtool, "check-config", str(config)], capture_output=True, text=True, timeout=60, check=False)
    routed = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={config}", *labels], capture_output=True, text=True, timeout=60, check=False
    )

    assert 0 == checked.returncode, checked.stdout + checked.stderr
    assert receiver == routed.stdout.strip()
