"""
Metrics and spans for OpenTelemetry.

::

    from pushkit.contrib.opentelemetry import OpenTelemetryHook

    telemetry = OpenTelemetryHook()                   # the global providers
    async with pushkit.AsyncClient(..., hooks=[telemetry]) as push:
        telemetry.watch(push)                         # gauges, read from push.health()

A push is one span, ``send apns``; each of its attempts is a child, ``POST``. Both are of kind CLIENT: no
trace context travels inside a notification, so nothing is produced that a consumer could continue. Names and
attributes follow the semantic conventions for messaging and HTTP. Whom a push is for and what it says is in
none of them: the span's name has the system where other messaging systems name a destination, and
``url.full`` the origin only. (The stock instrumentation of HTTP clients writes whole URLs, device tokens and
all, into spans: keep it off for the push services.)

Needs the extra ``pushkit-sdk[otel]`` (the API; the program brings SDK and exporter).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

try:
    from opentelemetry import metrics, trace
    from opentelemetry.context import Context
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
    from opentelemetry.util.types import AttributeValue
except ImportError as error:
    raise ImportError(
        "pushkit.contrib.opentelemetry needs opentelemetry-api 1.31 or newer; install it with: pip install 'pushkit-sdk[otel]'"
    ) from error

from pushkit import events
from pushkit._version import __version__
from pushkit.contrib._labels import PROVIDER_LIMIT, PROVIDERS, Bounded, Origins, Reasons
from pushkit.contrib._readings import GAUGES, Gauge, HealthClient, Watchers
from pushkit.lru import LRU
from pushkit.outcomes import Accepted, Attempt, Outcome
from pushkit.secret import clean

__all__ = ["OpenTelemetryHook"]

SCOPE = "pushkit"
"""Name of the meter and the tracer."""

SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.0"

OPERATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds: the boundaries that the conventions advise for both durations."""

_UNDER_WAY = 20_000
"""Attempts whose origin is remembered until their push ends."""

_SECOND = 1_000_000_000

Spans = Literal["all", "failures", "none"]


class _Total:
    """
    A counter that adds up here and is read when the metrics are exported.

    What is exported is the same sum that a synchronous counter gives. Adding to one of those costs the SDK
    some 8 µs for hashing its attributes, for each push; this costs less than one.
    """

    def __init__(self, meter: Meter, name: str, unit: str, description: str) -> None:
        self._sums: dict[tuple[tuple[str, AttributeValue], ...], int] = {}
        self._lock = threading.Lock()
        meter.create_observable_counter(name, [self._observe], unit, description)

    def add(self, attributes: Mapping[str, AttributeValue]) -> None:
        """One more."""
        key = tuple(attributes.items())
        with self._lock:
            self._sums[key] = self._sums.get(key, 0) + 1

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        with self._lock:
            sums = tuple(self._sums.items())
        for key, value in sums:
            yield Observation(value, dict(key))


class OpenTelemetryHook:
    """
    A hook that records metrics and spans.

    Spans are made when a push has its outcome, with the times that its attempts had. They are children
    of the span that was current where the program called ``send`` or ``stream``; ``parent`` decides otherwise.

    Args:
        meter_provider: None for the global one.
        tracer_provider: None for the global one.
        spans: ``"all"``, ``"failures"`` (pushes that were not accepted, or took more than one attempt) or
            ``"none"``. A broadcast to a million makes two million spans: sample, or choose ``"failures"``.
        parent: gives the context under which an outcome's span is made, such as one kept in ``target.ref``;
            None from it means a new trace.
        apps: how many apps keep their names as attributes of metrics; later ones are called ``other``.
        origins: how many hosts besides the well-known services keep their names there.
        reasons: further reasons by provider, for a provider of one's own.
        health_timeout: seconds that a reading waits for a client's event loop.
    """

    def __init__(
        self,
        *,
        meter_provider: MeterProvider | None = None,
        tracer_provider: TracerProvider | None = None,
        spans: Spans = "all",
        parent: Callable[[Outcome], Context | None] | None = None,
        apps: int = 20,
        origins: int = 20,
        reasons: Mapping[str, Iterable[str]] | None = None,
        health_timeout: float = 1.0,
    ) -> None:
        if spans not in ("all", "failures", "none"):
            raise ValueError(f'spans: expected "all", "failures" or "none", found {spans!r}')
        self._spans = spans
        self._parent = parent
        self._reason = Reasons(reasons, other="_OTHER")  # the conventions' own word
        self._app = Bounded(apps)
        self._provider = Bounded(PROVIDER_LIMIT, PROVIDERS)
        self._origin = Origins(origins)
        self._watchers = Watchers(apps=self._app, origins=self._origin, timeout=health_timeout)
        self._where: LRU[int, tuple[Attempt, str]] = LRU(_UNDER_WAY)
        self._servers: dict[str, dict[str, AttributeValue]] = {}
        self._tracer = trace.get_tracer(SCOPE, __version__, tracer_provider, schema_url=SCHEMA_URL)
        meter = metrics.get_meter(SCOPE, __version__, meter_provider, schema_url=SCHEMA_URL)
        self._operation = meter.create_histogram(
            "messaging.client.operation.duration",
            "s",
            "Duration of a push from taking it to its outcome, waits included.",
            explicit_bucket_boundaries_advisory=OPERATION_BUCKETS,
        )
        self._request = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of one attempt, from request to answer.",
            explicit_bucket_boundaries_advisory=OPERATION_BUCKETS,
        )
        self._sent = _Total(meter, "messaging.client.sent.messages", "{message}", "Pushes that were attempted to be sent.")
        self._outcomes = _Total(meter, "pushkit.outcomes", "{push}", "Pushes by what became of them.")
        self._unread = _Total(meter, "pushkit.outcomes.unread", "{push}", "Outcomes that no caller read.")
        self._retries = _Total(meter, "pushkit.retries", "{attempt}", "Further attempts inside a call.")
        self._deferred = _Total(meter, "pushkit.deferred", "{push}", "Retryable failures given back with a retry_at.")
        self._expired = _Total(meter, "pushkit.expired", "{push}", "Pushes that were too old before an attempt.")
        self._gone = _Total(meter, "pushkit.recipients.gone", "{recipient}", "Recipients to remove.")
        self._mass = _Total(meter, "pushkit.mass_invalidations", "{event}", "Times that too many recipients failed the same way.")
        self._breaker = _Total(meter, "pushkit.breaker.transitions", "{event}", "Changes of circuit breakers.")
        self._budget = _Total(meter, "pushkit.retry_budget.exhausted", "{event}", "Times that a retry budget was used up.")
        self._credential = _Total(meter, "pushkit.credential.problems", "{event}", "Credentials that a provider refused.")
        self._refreshed = _Total(meter, "pushkit.credential.refreshes", "{event}", "Access tokens that were fetched.")
        for gauge in GAUGES:
            meter.create_observable_gauge(gauge.opentelemetry, [self._observer(gauge)], gauge.unit, gauge.help)
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            events.AttemptFinished: self._on_attempt,
            events.Finished: self._on_finished,
            events.RetryScheduled: self._on_retry,
            events.Deferred: lambda event: self._deferred.add(self._why(event.outcome)),
            events.Expired: lambda event: self._expired.add({"messaging.system": self._provider(event.outcome.provider or "none")}),
            events.RecipientGone: lambda event: self._gone.add(self._why(event.outcome)),
            events.MassInvalidation: lambda event: self._mass.add(self._place(event, event.reason)),
            events.BreakerChanged: lambda event: self._breaker.add(self._place(event) | {"pushkit.state": event.state}),
            events.BudgetExhausted: lambda event: self._budget.add(self._place(event)),
            events.CredentialProblem: lambda event: self._credential.add(
                self._place(event, event.reason) | {"pushkit.latched": event.latched}
            ),
            events.CredentialRefreshed: lambda event: self._refreshed.add(self._place(event)),
        }

    def watch(self, client: HealthClient, *, name: str = "default") -> None:
        """
        Record this client's ``health()`` whenever the metrics are read, with ``pushkit.client`` = ``name``.

        Call it where the client's event loop runs (inside ``async with``): metrics are read in a thread of
        their own, and then the health is read on that loop.
        """
        self._watchers.add(client, name)

    def unwatch(self, name: str = "default") -> None:
        """Record the health of this client no longer."""
        self._watchers.remove(name)

    def __call__(self, event: events.Event) -> None:
        """Hear an event: what makes this object a hook."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    # -- metrics -------------------------------------------------------------------------------------

    def _observer(self, gauge: Gauge) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            names = tuple(_GAUGE_ATTRIBUTES[label] for label in gauge.labels)
            for labels, value in self._watchers.read_one(gauge).items():
                yield Observation(value, dict(zip(names, labels, strict=True)))

        return observe

    def _place(self, event: Any, reason: str | None = None) -> dict[str, AttributeValue]:
        found: dict[str, AttributeValue] = {"messaging.system": event.provider, "pushkit.app": self._app(event.app)}
        if reason is not None:
            found["error.type"] = self._reason(event.provider, reason, 0)
        return found

    def _why(self, outcome: Any) -> dict[str, AttributeValue]:
        provider = self._provider(outcome.provider or "none")
        return {"messaging.system": provider, "error.type": self._reason(provider, outcome.reason, outcome.status)}

    def _server(self, origin: str) -> dict[str, AttributeValue]:
        """``server.address`` and ``server.port`` of an origin as a label."""
        label = self._origin(origin)
        found = self._servers.get(label)
        if found is None:
            found = self._servers[label] = _address(label)
        return found

    def _on_attempt(self, event: events.AttemptFinished) -> None:
        attempt = event.attempt
        self._where.put(id(attempt), (attempt, event.origin))
        attributes: dict[str, AttributeValue] = {"http.request.method": "POST", **self._server(event.origin)}
        if attempt.status is not None:
            attributes["http.response.status_code"] = attempt.status
        error = self._http_error(event.provider, attempt)
        if error is not None:
            attributes["error.type"] = error
        self._request.record(attempt.elapsed, attributes)

    def _http_error(self, provider: str, attempt: Attempt) -> str | None:
        """By the HTTP conventions: the status where there is an answer, else what happened."""
        if attempt.status is not None:
            return str(attempt.status) if attempt.status >= 400 else None
        return self._reason(provider, attempt.reason, None) if attempt.reason is not None else None

    def _on_retry(self, event: events.RetryScheduled) -> None:
        attributes = {"messaging.system": event.provider, "error.type": self._reason(event.provider, event.reason, 0)}
        self._retries.add(attributes | {"pushkit.waits_for": event.waits_for.value})

    def _on_finished(self, event: events.Finished) -> None:
        outcome = event.outcome
        provider = self._provider(outcome.provider or "none")
        origins = [self._where.pop(id(attempt)) for attempt in outcome.attempts]
        last = origins[-1][1] if origins and origins[-1] is not None else None
        attributes: dict[str, AttributeValue] = {
            "messaging.system": provider,
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
        }
        result: dict[str, AttributeValue] = {"pushkit.category": "accepted", "pushkit.disposition": "accepted"}
        if not isinstance(outcome, Accepted):
            attributes["error.type"] = self._reason(provider, outcome.reason, outcome.status)
            result = {
                "pushkit.category": outcome.category.value,
                "pushkit.disposition": outcome.disposition.value,
                "pushkit.action": outcome.action.value,
            }
        server = self._server(last) if last is not None else {}
        self._operation.record(outcome.elapsed, attributes | server)
        if outcome.attempts:
            self._sent.add(attributes | server)
        self._outcomes.add({key: attributes[key] for key in ("messaging.system", "error.type") if key in attributes} | result)
        if not event.read:
            self._unread.add({"messaging.system": provider})
        if self._spans == "all" or (self._spans == "failures" and (not isinstance(outcome, Accepted) or len(outcome.attempts) > 1)):
            # The bounded label of a host is for metrics; a span names the host itself.
            server = _address(last) if last is not None else {}
            self._trace(outcome, attributes | result | server, [where[1] if where is not None else None for where in origins])

    # -- spans ---------------------------------------------------------------------------------------

    def _trace(self, outcome: Outcome, attributes: dict[str, AttributeValue], origins: list[str | None]) -> None:
        context = None
        if self._parent is not None:
            context = self._parent(outcome) or Context()
        begin, end = _times(outcome)
        provider = "push" if not outcome.provider else str(attributes["messaging.system"])
        span = self._tracer.start_span(f"send {provider}", context=context, kind=SpanKind.CLIENT, attributes=attributes, start_time=begin)
        if span.is_recording():
            self._describe(span, outcome)
            within = trace.set_span_in_context(span, Context())
            for attempt, origin in zip(outcome.attempts, origins, strict=True):
                self._trace_attempt(provider, attempt, origin, within)
        span.end(end)

    def _describe(self, span: Span, outcome: Outcome) -> None:
        span.set_attribute("pushkit.app", clean(outcome.app, limit=100))
        span.set_attribute("pushkit.attempts", len(outcome.attempts))
        if outcome.label is not None:
            span.set_attribute("pushkit.label", clean(outcome.label, limit=100))
        if outcome.message_id is not None:
            span.set_attribute("messaging.message.id", clean(outcome.message_id, limit=200))
        if isinstance(outcome, Accepted):
            return
        if outcome.retry_at is not None:
            span.set_attribute("pushkit.retry_at", outcome.retry_at.isoformat())
        span.set_status(Status(StatusCode.ERROR, clean(outcome.advice)))

    def _trace_attempt(self, provider: str, attempt: Attempt, origin: str | None, within: Context) -> None:
        attributes: dict[str, AttributeValue] = {"http.request.method": "POST"}
        if origin is not None:
            # The path is a capability (Web Push) or a device token (APNs).
            attributes |= {**_address(origin), "url.full": f"{origin}/REDACTED"}
        if attempt.status is not None:
            attributes["http.response.status_code"] = attempt.status
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        error = self._http_error(provider, attempt)
        if error is not None:
            attributes["error.type"] = error
        if attempt.reason is not None:
            attributes["pushkit.reason"] = self._reason(provider, attempt.reason, attempt.status)
        if attempt.waited:
            attributes["pushkit.waited"] = attempt.waited
        started = _nanoseconds(attempt.started)
        span = self._tracer.start_span("POST", context=within, kind=SpanKind.CLIENT, attributes=attributes, start_time=started)
        if error is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end(started + round(attempt.elapsed * _SECOND))


_GAUGE_ATTRIBUTES = {
    "client": "pushkit.client",
    "provider": "messaging.system",
    "app": "pushkit.app",
    "origin": "pushkit.origin",
    "engine": "pushkit.engine",
    "state": "pushkit.state",
    "table": "pushkit.table",
}


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000


def _times(outcome: Outcome) -> tuple[int | None, int | None]:
    """
    Begin and end of a push in nanoseconds; None, None (now) for one without attempts.

    Outcomes hold durations, attempts hold times: the last attempt's end is the anchor.
    """
    if not outcome.attempts:
        return None, None
    last = outcome.attempts[-1]
    end = _nanoseconds(last.started) + round(last.elapsed * _SECOND)
    # The attempts of a resumed push reach back further than this call.
    begin = min(end - round(outcome.elapsed * _SECOND), _nanoseconds(outcome.attempts[0].started))
    return begin, end


def _address(origin: str) -> dict[str, AttributeValue]:
    if "://" not in origin:
        return {"server.address": origin}
    parts = urlsplit(origin)
    return {"server.address": parts.hostname or origin, "server.port": parts.port or (443 if parts.scheme == "https" else 80)}
