"""
Four nights, played on the local push services: the report, the log, the metrics behind the alerts and the
doctor each point at the cause in their first lines.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import pytest
from prometheus_client import CollectorRegistry
from tests.unit.apns.certificates import certificate

import pushkit
from pushkit import Action, Notification, Report, RetryPolicy, apns
from pushkit.cli.doctor import as_text, remote_findings
from pushkit.cli.layers import layer_findings
from pushkit.contrib.logs import LogHook
from pushkit.contrib.prometheus import PrometheusMetrics
from pushkit.targets import Target
from pushkit.testing import PushServer
from pushkit.testing.faults import Refuse

SALE = Notification(title="The sale has begun", body="Half price until Sunday.", label="sale")


@pytest.fixture
def server() -> Iterator[PushServer]:
    with PushServer(known_only=True) as running:
        yield running


@attrs.define
class Night:
    """What people see."""

    report: Report
    log: list[str]
    registry: CollectorRegistry
    doctor: list[str]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def play(
    caplog: pytest.LogCaptureFixture,
    server: PushServer,
    configured: dict[str, Any],
    targets: list[Any],
    message: Notification = SALE,
    recipients: Sequence[Target] = (),
) -> Night:
    """Send a campaign, then ask the doctor (about these recipients too)."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    arguments = configured | {"ssl_context": server.ssl_context()}

    async def run() -> tuple[Report, list[Any]]:
        async with pushkit.AsyncClient(**arguments, hooks=[LogHook(), metrics], retry=RetryPolicy.none()) as push:
            report = await push.send_many(message, to=targets)
        named = {name: {"default": config} for name, config in configured.items()}
        findings = [
            *await layer_findings(named | {"ssl_context": server.ssl_context()}),
            *await remote_findings(named | {"ssl_context": server.ssl_context()}, recipients),
        ]
        return report, findings

    with caplog.at_level(logging.INFO, "pushkit"):
        report, findings = asyncio.run(run())
    log = [record.getMessage() for record in caplog.records if record.name.startswith("pushkit")]
    return Night(report, log, registry, as_text(findings).splitlines())


def first_lines(night: Night, count: int = 14) -> str:
    return "\n".join(str(night.report).splitlines()[:count])


def test_a_wrong_environment_after_a_deploy(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """Production tokens go to the sandbox: nobody is removed, and everything says "our own configuration"."""
    phones = [server.device(ref=f"user-{number}") for number in range(200)]

    night = play(caplog, server, {"apns": server.apns_config(environment=apns.Environment.SANDBOX)}, phones, recipients=phones[:1])

    assert 200 == night.report.recipient
    assert [] == night.report.to_remove
    assert 200 == len(night.report.to_review)
    assert {Action.REVIEW_RECIPIENT} == {failure.action for failure in night.report.failures}
    assert "SUSPICIOUS: DO NOT REMOVE THESE RECIPIENTS" in first_lines(night, 4)
    assert "BadDeviceToken" in first_lines(night, 4)
    assert any("BadDeviceToken" in line and "environment" in line for line in night.log[:60])
    assert 1 == night.metric("pushkit_mass_invalidations_total", provider="apns", reason="BadDeviceToken")
    assert "✗ apns, environment: this token belongs to production, and it was sent to sandbox" == night.doctor[0]
    assert "environment=" in night.doctor[1]


def test_an_outage_of_fcm(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """Google refuses connections: technical, nobody's fault on the list, the doctor names the layer."""
    phones = [server.registration(ref=f"user-{number}") for number in range(60)]
    server.behaviour.outage("fcm", fault=Refuse())

    night = play(caplog, server, {"fcm": server.fcm_config()}, phones)

    assert 60 == night.report.technical
    assert {True} == {failure.retryable for failure in night.report.failures}
    assert "Main cause: fcm connect_failed" in first_lines(night, 2)
    assert "To act: engineering or operations." in first_lines(night, 2)
    assert any("connect_failed" in line for line in night.log[:20])
    assert 60 == night.metric("pushkit_outcomes_total", provider="fcm", category="technical")
    assert 0 == night.metric("pushkit_outcomes_total", provider="fcm", category="accepted")
    assert night.doctor[0].startswith("✗ fcm, tcp: localhost:")


def test_an_outage_of_google_that_answers(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """503 from Google may come after a delivery: the report says that they may have arrived."""
    phones = [server.registration(ref=f"user-{number}") for number in range(5)]
    server.behaviour.outage("fcm")

    night = play(caplog, server, {"fcm": server.fcm_config()}, phones)

    assert "Main cause: fcm UNAVAILABLE" in first_lines(night, 2)
    assert "may have been taken all the same" in first_lines(night)
    assert night.metric("pushkit_outcomes_total", provider="fcm", disposition="unknown")


def test_a_certificate_that_has_ended(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """
    Every push is refused; log and doctor say certificate in their first lines, the report says whose it is.

    The local service asks for no client certificate and misses a token instead; Apple ends the handshake.
    """
    ended = certificate(start=time.time() - 400 * 86_400, days=397)
    config = server.apns_config(credentials=ended, topic=None)

    night = play(caplog, server, {"apns": config}, [server.device(ref=f"user-{number}") for number in range(10)])

    assert 10 == night.report.technical
    assert "To act: engineering or operations." in first_lines(night, 2)
    assert "the sign-in to Apple" in first_lines(night, 3)
    assert any("certificate" in line.lower() for line in night.log[:5])
    assert night.doctor[0].startswith("✗ apns, certificate: ended on ")
    assert "developer.apple.com" in night.doctor[1]


def test_a_campaign_that_is_too_long(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever wrote it has to act: field, size and limit in the first lines, and nothing was sent."""
    phones = [server.device(ref=f"user-{number}") for number in range(50)]

    night = play(
        caplog, server, {"apns": server.apns_config()}, phones, Notification(title="Sale", body="Half price! " * 500, label="sale")
    )

    assert (50, 0) == (night.report.payload, night.report.recipient)
    assert "To act: whoever wrote the message." in first_lines(night, 2)
    assert "4096" in first_lines(night, 3)
    assert any("payload_too_large" in line for line in night.log[:3])
    assert 50 == night.metric("pushkit_outcomes_total", provider="apns", category="payload", reason="payload_too_large")
    assert 0 == len([record for record in server.sent if record.accepted])
