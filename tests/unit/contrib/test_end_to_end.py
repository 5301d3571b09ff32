"""The exporters on a real client that talks to the local push services: what they say when things go wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from datetime import UTC
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from tests.canaries import LeakCatcher
from tests.unit.apns.certificates import TOPICS, certificate

import pushkit
from pushkit import Notification, RetryPolicy, apns, events
from pushkit.contrib.logs import LogHook
from pushkit.contrib.opentelemetry import OpenTelemetryHook
from pushkit.contrib.prometheus import PrometheusMetrics
from pushkit.contrib.queue import AsyncListener, ThreadListener
from pushkit.testing import PushServer

HELLO = Notification(title="Hello", label="greeting")


@pytest.fixture(scope="module")
def running():
    with PushServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


def client(server: PushServer, *hooks: Any, kind: Any = pushkit.AsyncClient, **changes: Any) -> Any:
    configured = {"apns": server.apns_config(), "fcm": server.fcm_config(), "webpush": server.webpush_config()} | changes
    return kind(**configured, ssl_context=server.ssl_context(), retry=RetryPolicy.none(), hooks=hooks)


def test_a_broadcast_is_counted_as_its_report_counts_it(server: PushServer) -> None:
    """Prometheus and the report agree, category by category."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    gone = [server.device() for _ in range(3)]
    for device in gone:
        server.unregister(device)
    targets = [*(server.device() for _ in range(5)), *gone, server.registration(), server.subscription(), apns.Device("no token")]

    async def go() -> tuple[Any, float | None, float | None]:
        async with client(server, metrics) as push:
            metrics.watch(push)
            report = await push.send_many(HELLO, to=targets)
            usable = await asyncio.to_thread(registry.get_sample_value, "pushkit_client_usable", {"client": "default"})
            labels = {"client": "default", "provider": "fcm", "app": "default"}
            return report, usable, registry.get_sample_value("pushkit_access_token_expiry_timestamp_seconds", labels)

    report, usable, left = asyncio.run(go())
    counted: dict[str, float] = {}
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == "pushkit_outcomes_total":
                counted[sample.labels["category"]] = counted.get(sample.labels["category"], 0) + sample.value

    assert {"accepted": 7, "recipient": 4} == counted
    assert (7, 4) == (report.accepted, report.recipient)
    assert 1 == usable
    assert registry.get_sample_value("pushkit_attempts_total", {"provider": "apns", "status": "2xx"}) == 5
    assert left is not None
    assert 3000 < left - time.time() <= 3600


def test_the_end_of_a_certificate_is_exported(server: PushServer) -> None:
    """From the first push on, whatever day it is: the gauge holds the certificate's own date."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    credentials = certificate(topics=TOPICS, start=time.time() - 86_400)
    config = server.apns_config(credentials=credentials)

    async def go() -> tuple[float | None, dict[str, Any]]:
        async with client(server, metrics, apns=config) as push:
            metrics.watch(push)
            await push.send(HELLO, to=server.device())
            labels = {"client": "default", "provider": "apns", "app": "default"}
            return registry.get_sample_value("pushkit_certificate_expiry_timestamp_seconds", labels), push.health().as_dict()

    ends, health = asyncio.run(go())

    assert credentials.not_after.timestamp() == ends
    assert credentials.not_after.astimezone(UTC).isoformat() == health["senders"][0]["credential_expires_at"]
    assert json.dumps(health)


def test_health_of_the_synchronous_client_is_exported(server: PushServer) -> None:
    """A scrape in the program's own thread reads the health of the background thread's client."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    with client(server, metrics, kind=pushkit.Client) as push:
        metrics.watch(push, name="worker")
        push.send(HELLO, to=server.device()).unwrap()
        connections = [sample.value for family in registry.collect() for sample in family.samples if sample.name == "pushkit_connections"]

    assert [1] == connections


def test_each_push_belongs_to_the_request_that_sent_it(server: PushServer) -> None:
    """Two requests share a connection; each has its own push in its own trace."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry = OpenTelemetryHook(tracer_provider=tracers, meter_provider=MeterProvider())
    tracer = tracers.get_tracer("test")

    async def request(push: Any, name: str) -> None:
        with tracer.start_as_current_span(name):
            await push.send(HELLO, to=server.device(ref=name))

    async def go() -> None:
        async with client(server, telemetry) as push:
            await asyncio.gather(request(push, "one"), request(push, "two"))
            await request(push, "three")

    asyncio.run(go())
    spans = exporter.get_finished_spans()
    requests = {span.context.trace_id: span.name for span in spans if span.name in {"one", "two", "three"}}
    pushes = [requests.get(span.context.trace_id) for span in spans if span.name == "send apns"]

    assert {"one", "two", "three"} == set(pushes)
    assert 3 == len(pushes)


@pytest.mark.parametrize("way", ["send", "send_many", "stream"])
def test_pushes_of_the_synchronous_client_belong_to_their_request(server: PushServer, way: str) -> None:
    """The background thread does not mix up whose pushes they are."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry = OpenTelemetryHook(tracer_provider=tracers, meter_provider=MeterProvider())
    tracer = tracers.get_tracer("test")
    with client(server, telemetry, kind=pushkit.Client) as push:
        push.send(HELLO, to=server.device())  # opens the connection outside of any request
        for name in ("one", "two"):
            with tracer.start_as_current_span(name):
                device = server.device()
                if way == "stream":
                    with push.stream(HELLO, to=[device]) as outcomes:
                        assert all(outcome.accepted for outcome in outcomes)
                else:
                    getattr(push, way)(HELLO, to=device if way == "send" else [device])
    spans = exporter.get_finished_spans()
    requests = {span.context.trace_id: span.name for span in spans if span.name in {"one", "two"}}

    assert [None, "one", "two"] == [requests.get(span.context.trace_id) for span in spans if span.name == "send apns"]


def test_gone_recipients_reach_a_slow_listener(server: PushServer) -> None:
    """The thread that forgets recipients hears each of them, while sending goes on."""
    device = server.device(ref="user-7")
    server.unregister(device)
    forgotten: list[Any] = []
    with (
        ThreadListener(lambda event: forgotten.append(event.outcome.target.ref), only=[events.RecipientGone]) as hook,
        client(server, hook, kind=pushkit.Client) as push,
    ):
        push.send_many(HELLO, to=[server.device(), device])

    assert ["user-7"] == forgotten


def test_a_coroutine_hears_the_events_of_a_synchronous_client(server: PushServer) -> None:
    """Events of a background thread arrive on the loop that listens."""
    heard: list[tuple[str, int]] = []

    async def listener(event: events.Event) -> None:
        heard.append((type(event).__name__, threading.get_ident()))

    def send(hook: Any) -> None:
        with client(server, hook, kind=pushkit.Client) as push:
            push.send(HELLO, to=server.device())

    async def go() -> int:
        async with AsyncListener(listener, only=[events.Finished]) as hook:
            await asyncio.to_thread(send, hook)
        return threading.get_ident()

    loop_thread = asyncio.run(go())

    assert [("Finished", loop_thread)] == heard


def lines_of(server: PushServer, caplog: pytest.LogCaptureFixture, targets: list[Any], message: Notification = HELLO) -> list[str]:
    async def go() -> None:
        async with client(server, LogHook()) as push:
            await push.send_many(message, to=targets)

    with caplog.at_level(logging.INFO, "pushkit.events"):
        asyncio.run(go())
    return [record.getMessage() for record in caplog.records if record.name == "pushkit.events"]


def test_an_outage_is_named_in_the_first_line(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """The log's first line about a dead FCM says which provider, why, and what to do; a thousand failures are a few lines."""
    server.behaviour.outage("fcm")
    lines = lines_of(server, caplog, [server.registration() for _ in range(100)])

    assert lines[0].startswith("fcm: technical failure UNAVAILABLE: ")
    assert any("circuit breaker for" in line and line.endswith("open") for line in lines)
    assert len(lines) < 30


def test_a_wrong_environment_is_named(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """After a deploy with the wrong environment the log says so before anybody deletes devices."""
    targets = [server.device(environment="sandbox", ref=str(number)) for number in range(120)]
    sent_to_production = [apns.Device(target.token, ref=target.ref) for target in targets]
    lines = lines_of(server, caplog, sent_to_production)

    assert lines[0].startswith("apns: recipient failure BadDeviceToken: ")
    assert any("fail with BadDeviceToken; check environment, topic and key before anybody is removed" in line for line in lines)


def test_a_refused_key_is_named(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """A key that Apple does not know is an error about the credential, and health says that nothing works."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    stranger = apns.TokenKey(server.world.accounts.new_apns_key().pem or "", key_id="ABCDEFGHIJ", team_id="KLMNOPQRST")
    config = server.apns_config(credentials=stranger)

    async def go() -> None:
        async with client(server, LogHook(), metrics, apns=config) as push:
            metrics.watch(push)
            await push.send_many(HELLO, to=[server.device() for _ in range(5)])
            assert registry.get_sample_value("pushkit_client_usable", {"client": "default"}) == 0

    with caplog.at_level(logging.ERROR):
        asyncio.run(go())
    problems = [
        record for record in caplog.records if record.name == "pushkit.events" and vars(record)["push_event"] == "credential_problem"
    ]

    assert "credential refused (InvalidProviderToken), sending is stopped" in problems[0].getMessage()
    assert logging.ERROR == problems[0].levelno


def test_an_oversize_campaign_is_named(server: PushServer, caplog: pytest.LogCaptureFixture) -> None:
    """A campaign that is too long is a payload failure with its size, and nothing was sent."""
    lines = lines_of(server, caplog, [server.device() for _ in range(20)], message=Notification(title="x" * 5000))

    assert lines[0].startswith("apns: payload failure payload_too_large: Shorten the message")
    assert 10 == len(lines)
    assert 0 == len(server.sent)


def test_nothing_secret_leaves_through_any_exporter(server: PushServer, leaks: LeakCatcher) -> None:
    """Real sends of all providers, accepted and refused, with every exporter at its most talkative."""
    canaries = leaks.canaries
    registry, exporter, reader = CollectorRegistry(), InMemorySpanExporter(), InMemoryMetricReader()
    metrics = PrometheusMetrics(registry)
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader])
    telemetry = OpenTelemetryHook(tracer_provider=tracers, meter_provider=meters)
    targets = [server.device(), server.registration(), server.subscription(), server.device(), server.registration(), server.subscription()]
    for target in targets[3:]:
        server.unregister(target)
    secret = Notification(title=canaries.title, body=canaries.body, data={"a": canaries.data})

    async def go() -> None:
        async with client(server, metrics, telemetry, LogHook(per_minute=0)) as push:
            metrics.watch(push)
            telemetry.watch(push)
            report = await push.send_many(secret, to=targets)
            assert (3, 3) == (report.accepted, report.recipient)
            leaks.see_text("scrape", "".join(str(sample) for family in registry.collect() for sample in family.samples))
            data = reader.get_metrics_data()
            assert data is not None
            leaks.see_text("metrics", data.to_json())
            leaks.see_text("health", repr(push.health().as_dict()))

    asyncio.run(go())
    for span in exporter.get_finished_spans():
        leaks.see_text("span", span.to_json())
    addresses = {target.address for target in targets} | {target.auth for target in targets if hasattr(target, "auth")}

    assert not [where for where, text in leaks.texts for address in addresses if str(address) in text]
