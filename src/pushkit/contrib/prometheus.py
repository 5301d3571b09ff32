"""
pushkit's metrics for Prometheus.

::

    from pushkit.contrib.prometheus import PrometheusMetrics

    metrics = PrometheusMetrics()                     # prometheus_client's default registry
    async with pushkit.AsyncClient(..., hooks=[metrics]) as push:
        metrics.watch(push)                           # gauges, read from push.health() at each scrape
        ...

Labels are bounded (see ``docs/monitoring.md``): an unknown reason, the 21st app and a host that somebody
made up are called ``other``. No label and no value holds an address, a key or a text.

Needs the extra ``pushkit-sdk[prometheus]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
    from prometheus_client.core import GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImportError(
        "pushkit.contrib.prometheus needs prometheus_client; install it with: pip install 'pushkit-sdk[prometheus]'"
    ) from error

from pushkit import events
from pushkit.contrib._labels import PROVIDER_LIMIT, PROVIDERS, Bounded, Origins, Reasons
from pushkit.contrib._readings import GAUGES, HealthClient, Watchers
from pushkit.outcomes import Accepted, Category, Disposition, Outcome

__all__ = ["PrometheusMetrics"]

ATTEMPT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
"""Seconds. Services answer within a tenth of a second; 10 and 15 are the providers' attempt time-outs."""

PUSH_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds, waits between attempts included."""

_ACCEPTED = "accepted"
_FROM_THE_START = tuple(provider for provider in PROVIDERS if provider != "none")


class PrometheusMetrics(Collector):
    """
    A hook that counts, and a collector of the clients' health.

    One object serves any number of clients; counters add up over them.

    Args:
        registry: where the metrics are registered. None registers them nowhere (read them with ``collect``).
        apps: how many apps keep their names as labels; later ones are called ``other``.
        origins: how many hosts besides the well-known services keep their names.
        reasons: further reasons by provider (``{"hms": ["80300007"]}``), for a provider of one's own.
        attempt_buckets: upper bounds in seconds of the histogram of attempts.
        push_buckets: upper bounds in seconds of the histogram of whole pushes.
        health_timeout: seconds that a scrape waits for a client's event loop.

    Raises:
        ValueError: when the registry has pushkit's metrics already; make one object and share it.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = REGISTRY,
        *,
        apps: int = 20,
        origins: int = 20,
        reasons: Mapping[str, Iterable[str]] | None = None,
        attempt_buckets: tuple[float, ...] = ATTEMPT_BUCKETS,
        push_buckets: tuple[float, ...] = PUSH_BUCKETS,
        health_timeout: float = 1.0,
    ) -> None:
        self._reason = Reasons(reasons)
        self._app = Bounded(apps)
        self._provider = Bounded(PROVIDER_LIMIT, PROVIDERS)
        self._watchers = Watchers(apps=self._app, origins=Origins(origins), timeout=health_timeout)

        self._pushes = Counter(
            "pushkit_pushes",
            "Pushes that have an outcome; every series is there from the start, so that rate() sees the first failure.",
            ("provider", "category", "disposition"),
            registry=None,
        )
        self._outcomes = Counter(
            "pushkit_outcomes",
            "Pushes by what became of them. category and disposition say 'accepted' for what the provider took.",
            ("provider", "category", "reason", "disposition", "action"),
            registry=None,
        )
        self._unread = Counter(
            "pushkit_outcomes_unread", "Outcomes that no caller read (a stream left early, a cancelled send).", ("provider",), registry=None
        )
        self._attempts = Counter("pushkit_attempts", "Requests to providers by status class.", ("provider", "status"), registry=None)
        self._attempt_seconds = Histogram(
            "pushkit_attempt_duration_seconds", "Seconds from request to answer.", ("provider",), buckets=attempt_buckets, registry=None
        )
        self._push_seconds = Histogram(
            "pushkit_push_duration_seconds",
            "Seconds from taking a push to its outcome, waits included.",
            ("provider",),
            buckets=push_buckets,
            registry=None,
        )
        self._queue_seconds = Histogram(
            "pushkit_queue_duration_seconds",
            "Seconds of a push inside the client that were neither a request nor a wait between requests: for a slot or a credential.",
            ("provider",),
            buckets=push_buckets,
            registry=None,
        )
        self._retries = Counter(
            "pushkit_retries", "Further attempts inside a call, by why the one before failed.", ("provider", "reason"), registry=None
        )
        self._retry_wait = Counter(
            "pushkit_retry_wait_seconds", "Seconds of waiting between attempts.", ("provider", "waits_for"), registry=None
        )
        self._deferred = Counter(
            "pushkit_deferred", "Retryable failures given back with a retry_at.", ("provider", "reason"), registry=None
        )
        self._expired = Counter("pushkit_expired", "Pushes that were too old before an attempt.", ("provider",), registry=None)
        self._gone = Counter(
            "pushkit_recipients_gone", "Recipients to remove, as far as the guard believes it.", ("provider", "reason"), registry=None
        )
        self._mass = Counter(
            "pushkit_mass_invalidations",
            "Times that too many recipients failed the same way.",
            ("provider", "app", "reason"),
            registry=None,
        )
        self._breaker = Counter(
            "pushkit_breaker_transitions", "Changes of circuit breakers, by their new state.", ("provider", "state"), registry=None
        )
        self._budget = Counter(
            "pushkit_retry_budget_exhausted", "Times that a retry budget was used up.", ("provider", "app"), registry=None
        )
        self._credential = Counter(
            "pushkit_credential_problems", "Credentials that a provider refused.", ("provider", "app", "reason", "latched"), registry=None
        )
        self._refreshed = Counter("pushkit_credential_refreshes", "Access tokens that were fetched.", ("provider", "app"), registry=None)
        self._counted: tuple[Counter | Histogram, ...] = (
            self._pushes, self._outcomes, self._unread, self._attempts, self._attempt_seconds, self._push_seconds, self._queue_seconds, self._retries, self._retry_wait,
            self._deferred, self._expired, self._gone, self._mass, self._breaker, self._budget, self._credential, self._refreshed,
        )  # fmt: skip
        for provider in _FROM_THE_START:
            self._pushes.labels(provider, _ACCEPTED, _ACCEPTED)
            for category, disposition in product(Category, Disposition):
                self._pushes.labels(provider, category.value, disposition.value)
            self._expired.labels(provider)
            self._unread.labels(provider)
        # Looking a child up by its labels takes a lock and builds strings; these two are on the way of every push.
        self._accepted_of: dict[str, tuple[Any, Any, Any, Any]] = {}
        self._attempt_of: dict[tuple[str, int | None], tuple[Any, Any]] = {}
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            events.AttemptFinished: self._on_attempt,
            events.Finished: self._on_finished,
            events.RetryScheduled: self._on_retry,
            events.Deferred: self._on_deferred,
            events.Expired: lambda event: self._expired.labels(self._provider(event.outcome.provider or "none")).inc(),
            events.RecipientGone: self._on_gone,
            events.MassInvalidation: self._on_mass,
            events.BreakerChanged: lambda event: self._breaker.labels(event.provider, event.state).inc(),
            events.BudgetExhausted: lambda event: self._budget.labels(event.provider, self._app(event.app)).inc(),
            events.CredentialProblem: self._on_credential,
            events.CredentialRefreshed: self._on_refreshed,
        }
        if registry is not None:
            try:
                registry.register(self)
            except ValueError as error:
                raise ValueError(
                    "this registry has pushkit's metrics already: make one PrometheusMetrics and give it to every client "
                    f"(hooks=[metrics]), or pass a registry of its own ({error})"
                ) from None

    def watch(self, client: HealthClient, *, name: str = "default") -> None:
        """
        Export this client's ``health()`` at each scrape, under the label ``client=name``.

        Call it where the client's event loop runs (inside ``async with``): scrapes come in a thread of their
        own, and then read the health on that loop. A client with the same name is replaced; the object keeps
        the client alive until ``unwatch``.
        """
        self._watchers.add(client, name)

    def unwatch(self, name: str = "default") -> None:
        """Export the health of this client no longer."""
        self._watchers.remove(name)

    def __call__(self, event: events.Event) -> None:
        """
        Hear an event: what makes this object a hook.

        That a certificate ends soon is no event here: ``watch`` exports the time of its end.
        """
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def collect(self) -> Iterator[Metric]:
        """All metrics, for a registry."""
        for counted in self._counted:
            yield from counted.collect()
        for gauge, values in self._watchers.read().items():
            family = GaugeMetricFamily(gauge.prometheus, gauge.help, labels=gauge.labels)
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterator[Metric]:
        """The same without values, so that registering reads no client."""
        for counted in self._counted:
            yield from counted.describe()
        for gauge in GAUGES:
            yield GaugeMetricFamily(gauge.prometheus, gauge.help, labels=gauge.labels)

    def _on_attempt(self, event: events.AttemptFinished) -> None:
        attempt = event.attempt
        key = (event.provider, attempt.status)
        children = self._attempt_of.get(key)
        if children is None:
            status = "none" if attempt.status is None else f"{attempt.status // 100}xx"
            children = (self._attempts.labels(event.provider, status), self._attempt_seconds.labels(event.provider))
            self._attempt_of[key] = children
        children[0].inc()
        children[1].observe(attempt.elapsed)

    def _on_finished(self, event: events.Finished) -> None:
        outcome = event.outcome
        provider = self._provider(outcome.provider or "none")
        if isinstance(outcome, Accepted):
            children = self._accepted_of.get(provider)
            if children is None:
                children = self._accepted_of[provider] = (
                    self._push_seconds.labels(provider),
                    self._queue_seconds.labels(provider),
                    self._pushes.labels(provider, _ACCEPTED, _ACCEPTED),
                    self._outcomes.labels(provider, _ACCEPTED, _ACCEPTED, _ACCEPTED, "none"),
                )
            children[0].observe(outcome.elapsed)
            children[1].observe(_queued(outcome))
            children[2].inc()
            children[3].inc()
        else:
            reason = self._reason(provider, outcome.reason, outcome.status)
            self._pushes.labels(provider, outcome.category.value, outcome.disposition.value).inc()
            self._outcomes.labels(provider, outcome.category.value, reason, outcome.disposition.value, outcome.action.value).inc()
            self._push_seconds.labels(provider).observe(outcome.elapsed)
            self._queue_seconds.labels(provider).observe(_queued(outcome))
        if not event.read:
            self._unread.labels(provider).inc()

    def _on_retry(self, event: events.RetryScheduled) -> None:
        # The status is not told here; a reason that is known by its table is the only one that keeps its name.
        self._retries.labels(event.provider, self._reason(event.provider, event.reason, 0)).inc()
        self._retry_wait.labels(event.provider, event.waits_for.value).inc(max(0.0, event.delay))

    def _on_deferred(self, event: events.Deferred) -> None:
        outcome = event.outcome
        provider = self._provider(outcome.provider or "none")
        self._deferred.labels(provider, self._reason(provider, outcome.reason, outcome.status)).inc()

    def _on_gone(self, event: events.RecipientGone) -> None:
        outcome = event.outcome
        provider = self._provider(outcome.provider)
        self._gone.labels(provider, self._reason(provider, outcome.reason, outcome.status)).inc()

    def _on_mass(self, event: events.MassInvalidation) -> None:
        self._mass.labels(event.provider, self._app(event.app), self._reason(event.provider, event.reason, 0)).inc()

    def _on_credential(self, event: events.CredentialProblem) -> None:
        reason = self._reason(event.provider, event.reason, 0)
        self._credential.labels(event.provider, self._app(event.app), reason, "true" if event.latched else "false").inc()

    def _on_refreshed(self, event: events.CredentialRefreshed) -> None:
        self._refreshed.labels(event.provider, self._app(event.app)).inc()


def _queued(outcome: Outcome) -> float:
    """Seconds that a push spent in the client's own queues. The attempts of a resumed push belong to earlier calls too."""
    busy = 0.0
    for attempt in outcome.attempts:
        busy += attempt.elapsed + attempt.waited
    return max(0.0, outcome.elapsed - busy)
