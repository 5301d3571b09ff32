"""Secrets stay secret through a full run: logs of every library at DEBUG, reprs, reports, tracebacks with local variables."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest
from tests.canaries import Canaries, LeakCatcher

import pushkit
from pushkit import Notification, Report, TechnicalFailure
from pushkit.cli.demo import make_scene, play
from pushkit.contrib.logs import LogHook
from pushkit.contrib.opentelemetry import OpenTelemetryHook
from pushkit.contrib.prometheus import PrometheusMetrics
from pushkit.testing import PushServer


def secrets_of(server: PushServer, targets) -> list[str]:
    """Every secret that the run handles: tokens, endpoints, keys, grants."""
    found: list[str] = []
    for target in targets:
        if target is not None:
            found += target.secrets()
    pems = [server.apns_key.pem, server.service_account.pem, server.vapid.pem]
    found += [line for pem in pems for line in pem.splitlines() if not line.startswith("-----")]
    found += [server.vapid.private_b64]
    found += list(server.accounts.grants)
    # FCM and Web Push carry the message in other spellings as well; a token may be logged without its prefix.
    return [secret for secret in found if len(secret) >= 16 and secret != "not a token"]


class Clumsy(Exception):
    """What a user's own code raises."""


@pytest.mark.parametrize("engine", ["h2", "ngh2"])
def test_a_full_run_gives_no_secret_away(canaries: Canaries, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo with canaries: everything is logged, every event and outcome is shown, hooks and callables raise."""
    monkeypatch.setenv("PUSHKIT_HTTP2_ENGINE", engine)
    with PushServer(engine="ngh2") as server:
        scene = make_scene(server, title=canaries.title, body=canaries.body)
        events = []

        def listen(event) -> None:
            events.append(event)
            if isinstance(event, pushkit.events.Finished) and not event.outcome.accepted:
                raise Clumsy

        with LeakCatcher(canaries) as catcher:
            registry = CollectorRegistry()
            spans = InMemorySpanExporter()
            tracing = TracerProvider()
            tracing.add_span_processor(SimpleSpanProcessor(spans))
            hooks = [listen, LogHook(), PrometheusMetrics(registry), OpenTelemetryHook(tracer_provider=tracing)]
            report = asyncio.run(play(server, scene, hooks=hooks), debug=engine == "h2")
            catcher.canaries = canaries.with_more(*secrets_of(server, scene.targets))
            catcher.see(*events, *report.outcomes, report, *report.groups, *scene.targets[:300])
            catcher.see(server.apns_config(), server.fcm_config(), server.webpush_config())
            catcher.see(scene.message(scene.targets[0]))
            catcher.see_text("the report's dictionary", json.dumps(report.as_dict()))
            for language in ("en", "zh"):
                for form in (report.to_text, report.to_markdown, report.to_html):
                    catcher.see_text(f"{form.__name__} in {language}", form(language=language))
            catcher.see_text("what Prometheus scrapes", generate_latest(registry).decode())
            for span in spans.get_finished_spans():
                catcher.see_text("a span", span.to_json())
            for outcome in report.outcomes:
                catcher.see_text("as_dict", json.dumps(outcome.as_dict()))
            for failure in report.failures:
                with pytest.raises(pushkit.PushError) as caught:
                    failure.unwrap()
                catcher.see_exception(caught.value)
            with pytest.raises(ExceptionGroup) as group:
                report.raise_for_failures()
            catcher.see_exception(group.value)

    assert scene.accepted == report.accepted
    assert events
    assert spans.get_finished_spans()
    assert [where for where, _ in catcher.texts if "log record" in where], "nothing was logged: the test looks at nothing"
    catcher.assert_clean()


def test_health_findings_and_client_give_no_secret_away(canaries: Canaries) -> None:
    """What is looked at while it runs."""

    async def run(catcher: LeakCatcher, server: PushServer) -> None:
        async with pushkit.AsyncClient(
            apns=server.apns_config(), fcm=server.fcm_config(), webpush=server.webpush_config(), ssl_context=server.ssl_context()
        ) as push:
            targets = [server.device(), server.registration(), server.subscription()]
            report = await push.send_many(Notification(title=canaries.title), to=targets)
            assert report.ok
            catcher.canaries = canaries.with_more(*secrets_of(server, targets))
            catcher.see(push, push.health(), push.health().as_dict(), *await push.verify(), *await push.connect())

    with PushServer(engine="ngh2") as server, LeakCatcher(canaries) as catcher:
        asyncio.run(run(catcher, server))

    catcher.assert_clean()


def test_a_callable_that_raises_gives_no_secret_away(canaries: Canaries) -> None:
    """The user's own code fails with the text in its exception; the outcome and the log do not repeat it."""

    def clumsy(target):
        raise ValueError(f"no template for {canaries.title} to {target.token}")

    with PushServer(engine="ngh2") as server, LeakCatcher(canaries) as catcher:
        device = server.device()
        with pushkit.Client(apns=server.apns_config(), ssl_context=server.ssl_context()) as push:
            report = push.send_many(clumsy, to=[device])
        catcher.canaries = canaries.with_more(device.token)
        catcher.see(report, *report.failures)
        catcher.see_text("as_dict", json.dumps(report.failures[0].as_dict()))

    assert ["message_failed"] == [failure.reason for failure in report.failures]
    catcher.assert_clean()


def test_a_refused_connection_gives_no_secret_away(canaries: Canaries, leaks: LeakCatcher) -> None:
    """Faults tell hosts, never paths."""

    async def run() -> Report:
        config = pushkit.apns.Config(
            credentials=pushkit.apns.TokenKey(_p8(), key_id="ABC123DEFG", team_id="DEF123GHIJ"),
            topic="com.example",
            origin="https://127.0.0.1:9",
        )
        async with pushkit.AsyncClient(apns=config, retry=pushkit.RetryPolicy.none()) as push:
            return await push.send_many(
                Notification(title=canaries.title, body=canaries.body), to=[pushkit.apns.Device(canaries.device_token)]
            )

    report = asyncio.run(run())

    assert ["connect_failed"] == [failure.reason for failure in report.failures]
    assert isinstance(report.failures[0], TechnicalFailure)
    leaks.see(report, *report.failures)


def _p8() -> str:
    from pushkit.testing.accounts import Accounts

    return Accounts().new_apns_key().pem or ""


@pytest.mark.parametrize(
    "make",
    [
        lambda secret: pushkit.apns.TokenKey(
            f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n", key_id="ABC123DEFG", team_id="DEF123GHIJ"
        ),
        lambda secret: pushkit.fcm.ServiceAccount.from_json(json.dumps({"private_key": secret, "client_email": 5})),
        lambda secret: pushkit.webpush.VapidKey.parse(secret),
        lambda secret: pushkit.webpush.Subscription.from_json(json.dumps({"endpoint": secret, "keys": {"p256dh": secret, "auth": 5}})),
        lambda secret: pushkit.TechnicalFailure.from_json(json.dumps({"secrets": {"target": secret}, "format": 1})),
        lambda secret: pushkit.Client(apns=secret),
    ],
)
def test_an_error_of_configuration_does_not_quote_the_key(make, canaries: Canaries) -> None:
    """The message says what was seen and expected, never the secret itself; nor do the causes and local variables it shows."""
    secret = base64.b64encode(canaries.access_token.encode() * 4).decode()
    catcher = LeakCatcher(canaries.with_more(secret))
    try:
        made = make(secret)
    except (ValueError, TypeError) as error:
        catcher.see(error)
        catcher.see_exception(error)
    else:
        catcher.see(made)

    catcher.assert_clean()
