"""The OpenTelemetry exporter against the real SDK."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.semconv._incubating.metrics import messaging_metrics
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes, url_attributes
from opentelemetry.semconv.metrics import http_metrics
from opentelemetry.trace import SpanKind, StatusCode
from tests.canaries import Canaries, LeakCatcher
from tests.unit.contrib.heard import APPLE, UNTIL, Patient, every_event, finished
from tests.values import STARTED, Phone, make_accepted, make_attempt, make_failure

from pushkit import Category, apns, events
from pushkit.contrib.opentelemetry import OpenTelemetryHook


@attrs.define
class Sdk:
    """The real SDK with everything kept in memory."""

    reader: InMemoryMetricReader
    meters: MeterProvider
    exporter: InMemorySpanExporter
    tracers: TracerProvider

    def hook(self, **changes: Any) -> OpenTelemetryHook:
        return OpenTelemetryHook(meter_provider=self.meters, tracer_provider=self.tracers, **changes)

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()


@pytest.fixture
def sdk() -> Iterator[Sdk]:
    reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    made = Sdk(reader, MeterProvider([reader]), exporter, tracers)
    yield made
    made.meters.shutdown()
    tracers.shutdown()


def a_push(outcome: Any, origin: str = APPLE) -> list[events.Event]:
    ended = [
        events.AttemptFinished(provider="apns", app="default", target=outcome.target, origin=origin, attempt=attempt)
        for attempt in outcome.attempts
    ]
    return [*ended, finished(outcome)]


def hear(hook: OpenTelemetryHook, *heard: events.Event) -> None:
    for event in heard:
        hook(event)


def test_an_accepted_push_is_a_span_with_a_child(sdk: Sdk) -> None:
    """One span for the push, one for its attempt, in one trace; both CLIENT, since no context travels with the message."""
    hear(sdk.hook(), *a_push(make_accepted()))
    attempt, push = sdk.spans()

    assert ("POST", SpanKind.CLIENT) == (attempt.name, attempt.kind)
    assert ("send apns", SpanKind.CLIENT) == (push.name, push.kind)
    assert attempt.parent is not None
    assert push.context.span_id == attempt.parent.span_id
    assert push.status.status_code is StatusCode.UNSET


def test_attributes_are_those_of_the_conventions(sdk: Sdk) -> None:
    """Names come from the semantic conventions; the URL names the origin only."""
    hear(sdk.hook(), *a_push(make_accepted()))
    attempt, push = sdk.spans()

    assert "apns" == push.attributes[messaging_attributes.MESSAGING_SYSTEM]
    assert "send" == push.attributes[messaging_attributes.MESSAGING_OPERATION_NAME]
    assert "send" == push.attributes[messaging_attributes.MESSAGING_OPERATION_TYPE]
    assert "id-1" == push.attributes[messaging_attributes.MESSAGING_MESSAGE_ID]
    assert ("api.push.apple.com", 443) == (
        push.attributes[server_attributes.SERVER_ADDRESS],
        push.attributes[server_attributes.SERVER_PORT],
    )
    assert 200 == attempt.attributes[http_attributes.HTTP_RESPONSE_STATUS_CODE]
    assert "api.push.apple.com" == attempt.attributes[server_attributes.SERVER_ADDRESS]
    assert 443 == attempt.attributes[server_attributes.SERVER_PORT]
    assert f"{APPLE}/REDACTED" == attempt.attributes[url_attributes.URL_FULL]


def test_attempts_have_the_times_that_they_had(sdk: Sdk) -> None:
    """Spans are made afterwards, with the begin and the end of each attempt, and the push around them."""
    second = make_attempt(2, started=STARTED.replace(second=5), elapsed=0.5, waited=3.75)
    first = make_attempt(1, status=503, reason="ServiceUnavailable")
    hear(sdk.hook(), *a_push(make_accepted(attempts=(first, second), elapsed=4.25 + 0.1)))
    one, two, push = sdk.spans()
    base = round(STARTED.timestamp() * 1000) * 1_000_000

    assert (base, base + 250_000_000) == (one.start_time, one.end_time)
    assert 500_000_000 == two.end_time - two.start_time
    assert two.end_time == push.end_time
    assert push.start_time <= one.start_time
    assert 1 == two.attributes[http_attributes.HTTP_REQUEST_RESEND_COUNT]
    assert "503" == one.attributes[error_attributes.ERROR_TYPE]
    assert http_attributes.HTTP_REQUEST_RESEND_COUNT not in one.attributes


def test_a_failure_is_an_error_with_its_reason(sdk: Sdk) -> None:
    """``error.type`` holds the reason, the status the advice."""
    hear(sdk.hook(), *a_push(make_failure(Category.RECIPIENT)))
    push = sdk.spans()[-1]

    assert "Unregistered" == push.attributes[error_attributes.ERROR_TYPE]
    assert "recipient" == push.attributes["pushkit.category"]
    assert StatusCode.ERROR is push.status.status_code
    assert "Forget this device." == push.status.description


def test_an_unknown_reason_has_the_name_of_the_conventions(sdk: Sdk) -> None:
    """A word that stands in no table is ``_OTHER``, on the span and in the metrics."""
    hear(sdk.hook(), *a_push(make_failure(Category.TECHNICAL, reason="made up", status=500)))

    assert error_attributes.ErrorTypeValues.OTHER.value == sdk.spans()[-1].attributes[error_attributes.ERROR_TYPE]
    assert {"_OTHER"} == {point.attributes[error_attributes.ERROR_TYPE] for point in sdk.points("pushkit.outcomes")}


def test_no_name_ends_the_exports(sdk: Sdk) -> None:
    """Providers and apps come from rows of data: half a character could not be encoded, and its whole batch would be lost."""
    nonsense = make_failure(Category.RECIPIENT, provider="\ud800", reason="invalid_target", status=None, attempts=())
    hook = sdk.hook()
    hear(hook, finished(nonsense), events.Expired(outcome=nonsense), events.RecipientGone(outcome=nonsense))
    hear(hook, events.BudgetExhausted(provider="apns", app="\ud800"))
    data = sdk.reader.get_metrics_data()
    assert data is not None

    assert encode_spans(sdk.spans()).SerializeToString()
    assert encode_metrics(data).SerializeToString()


def test_what_is_exported_is_what_was_heard(sdk: Sdk) -> None:
    """Read back from the bytes that a collector would get: names, unit, kind of number, boundaries, and the trace as an exemplar."""
    with sdk.tracers.get_tracer("test").start_as_current_span("request") as request:
        hear(sdk.hook(), *a_push(make_accepted(elapsed=0.3)))
    data = sdk.reader.get_metrics_data()
    assert data is not None
    sent = ExportMetricsServiceRequest.FromString(encode_metrics(data).SerializeToString())
    (scope,) = sent.resource_metrics[0].scope_metrics
    metrics = {metric.name: metric for metric in scope.metrics}
    duration = metrics[messaging_metrics.MESSAGING_CLIENT_OPERATION_DURATION]
    (point,) = duration.histogram.data_points
    total = metrics["pushkit.outcomes"].sum

    assert ("pushkit", "s", 1) == (scope.scope.name, duration.unit, point.count)
    assert (0.005, 10.0, 14) == (point.explicit_bounds[0], point.explicit_bounds[-1], len(point.explicit_bounds))
    assert [request.get_span_context().trace_id.to_bytes(16, "big")] == [exemplar.trace_id for exemplar in point.exemplars]
    assert (True, 1) == (total.is_monotonic, total.data_points[0].as_int)


def test_a_push_without_attempts_is_a_span_of_its_own(sdk: Sdk) -> None:
    """What was refused before the wire has no child and no times but now."""
    hear(sdk.hook(), finished(make_failure(Category.PAYLOAD, attempts=(), status=None, reason="payload_too_large")))
    spans = sdk.spans()

    assert ["send apns"] == [span.name for span in spans]
    assert "payload_too_large" == spans[0].attributes[error_attributes.ERROR_TYPE]


def test_the_current_span_is_the_parent(sdk: Sdk) -> None:
    """A push belongs to the request that sent it."""
    with sdk.tracers.get_tracer("test").start_as_current_span("request") as request:
        hear(sdk.hook(), *a_push(make_accepted()))
    push = next(span for span in sdk.spans() if span.name == "send apns")

    assert push.parent is not None
    assert request.get_span_context().span_id == push.parent.span_id


def test_the_caller_may_choose_the_parent(sdk: Sdk) -> None:
    """``parent`` gives the context; None from it begins a new trace."""
    with sdk.tracers.get_tracer("test").start_as_current_span("request") as request:
        within = trace.set_span_in_context(request, Context())
    hear(
        sdk.hook(parent=lambda outcome: within if outcome.accepted else None),
        *a_push(make_accepted()),
        *a_push(make_failure(Category.RECIPIENT)),
    )
    accepted, failed = (span for span in sdk.spans() if span.name == "send apns")

    assert accepted.parent is not None
    assert request.get_span_context().span_id == accepted.parent.span_id
    assert failed.parent is None


@pytest.mark.parametrize(("spans", "expected"), [("all", 3), ("failures", 2), ("none", 0)])
def test_spans_can_be_limited(sdk: Sdk, spans: Any, expected: int) -> None:
    """A broadcast may record its failures and repeats alone, or nothing."""
    again = make_accepted(attempts=(make_attempt(1, status=503, reason="x"), make_attempt(2)))
    hear(sdk.hook(spans=spans), *a_push(make_accepted()), *a_push(again), *a_push(make_failure(Category.RECIPIENT)))

    assert expected == len([span for span in sdk.spans() if span.name == "send apns"])


def test_an_unknown_choice_of_spans_is_refused(sdk: Sdk) -> None:
    """A typing error is found when the hook is made."""
    with pytest.raises(ValueError, match='expected "all", "failures" or "none"'):
        sdk.hook(spans="some")


def test_metrics_have_the_names_of_the_conventions(sdk: Sdk) -> None:
    """Durations and the count of messages sent carry the conventional names and attributes."""
    hear(sdk.hook(), *a_push(make_accepted(elapsed=0.3)), *a_push(make_failure(Category.RECIPIENT)))
    (accepted, _) = sdk.points(messaging_metrics.MESSAGING_CLIENT_OPERATION_DURATION)
    sent = sdk.points(messaging_metrics.MESSAGING_CLIENT_SENT_MESSAGES)
    requests = sdk.points(http_metrics.HTTP_CLIENT_REQUEST_DURATION)

    assert 0.3 == accepted.sum
    assert "api.push.apple.com" == accepted.attributes[server_attributes.SERVER_ADDRESS]
    assert [1, 1] == [point.value for point in sent]
    assert {200, 410} == {point.attributes[http_attributes.HTTP_RESPONSE_STATUS_CODE] for point in requests}
    assert {None, "410"} == {point.attributes.get(error_attributes.ERROR_TYPE) for point in requests}


def test_events_move_metrics(sdk: Sdk) -> None:
    """One of each event changes what is recorded, but for what its end or a gauge tells."""
    hook = sdk.hook(spans="none")

    def picture() -> str:
        data = sdk.reader.get_metrics_data()
        shown: list[str] = []
        if data is not None:
            for resource in data.resource_metrics:
                for scope in resource.scope_metrics:
                    shown += [
                        f"{metric.name} {point.attributes} {getattr(point, 'value', None)} {getattr(point, 'count', None)}"
                        for metric in scope.metrics
                        for point in metric.data.data_points
                    ]
        return "\n".join(sorted(shown))

    before, silent = picture(), []
    for event in every_event():
        hook(event)
        after = picture()
        if after == before:
            silent.append(type(event).__name__)
        before = after

    assert ["AttemptStarted", "CredentialExpiring"] == silent


def test_health_is_observed(sdk: Sdk) -> None:
    """Gauges come from ``health()``, under the client's name."""
    hook = sdk.hook()
    hook.watch(Patient(), name="orders")
    (usable,) = sdk.points("pushkit.client.usable")
    budgets = sdk.points("pushkit.retry_budget.ratio")

    assert (0.0, {"pushkit.client": "orders"}) == (usable.value, dict(usable.attributes))
    assert {"apns": 0.25, "fcm": 1.0} == {point.attributes["messaging.system"]: point.value for point in budgets}
    hook.unwatch("orders")
    assert [] == sdk.points("pushkit.client.usable")


def test_expiry_of_a_credential_is_observed(sdk: Sdk) -> None:
    """The gauge holds the UNIX time of the end."""
    sdk.hook().watch(Patient())
    (point,) = sdk.points("pushkit.access_token.expiry")

    assert UNTIL.timestamp() == point.value


def test_origins_of_pushes_that_never_end_are_forgotten(sdk: Sdk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered between an attempt and its push's end is bounded."""
    monkeypatch.setattr("pushkit.contrib.opentelemetry._UNDER_WAY", 10)
    hook = sdk.hook(spans="none")
    for number in range(100):
        hook(events.AttemptFinished(provider="apns", app="default", target=Phone(), origin=APPLE, attempt=make_attempt(number)))

    assert 10 == len(hook._where)


def test_nothing_secret_is_recorded(sdk: Sdk, canaries: Canaries, leaks: LeakCatcher) -> None:
    """Targets, texts and unknown raw words are in no span and no metric."""
    target = apns.Device(canaries.device_token, ref=canaries.data)
    hook = sdk.hook()
    hook.watch(Patient())
    bad = make_attempt(status=400, reason=canaries.registration_token)
    failed = make_failure(Category.TECHNICAL, target=target, reason=canaries.device_token, detail=canaries.title, attempts=(bad,))
    hear(hook, *every_event(target), *a_push(failed, "https://updates.push.services.mozilla.com"))
    for span in sdk.spans():
        leaks.see_text("span", span.to_json())
    data = sdk.reader.get_metrics_data()
    assert data is not None
    leaks.see_text("metrics", data.to_json())
    leaks.see(hook)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the API the import says which extra to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "pushkit.contrib.opentelemetry")
    with pytest.raises(ImportError, match=r"pip install 'pushkit-sdk\[otel\]'"):
        import pushkit.contrib.opentelemetry  # noqa: F401
