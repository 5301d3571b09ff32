"""The Prometheus exporter against the real client library, scraped over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.parser import text_string_to_metric_families
from tests.canaries import Canaries, LeakCatcher
from tests.unit.contrib.heard import UNTIL, Patient, a_health, every_event, finished
from tests.values import Phone, make_accepted, make_attempt, make_failure

from pushkit import Category, apns, events
from pushkit.contrib.prometheus import PrometheusMetrics
from pushkit.health import Health, SenderHealth
from pushkit.wire import OriginHealth


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> PrometheusMetrics:
    return PrometheusMetrics(registry)


def scrape(registry: CollectorRegistry) -> str:
    """The text that a scrape gives."""
    return generate_latest(registry).decode()


def fetch(registry: CollectorRegistry) -> str:
    """What a Prometheus server would read, over a real socket."""
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=10) as answer:
            return answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float | None:
    return values(text).get((name, tuple(sorted(labels.items()))))


def test_outcomes_are_counted_by_what_became_of_them(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """Each outcome adds one to the series of its provider, category, reason, disposition and action."""
    for event in (finished(), finished(), finished(make_failure(Category.RECIPIENT))):
        metrics(event)
    text = fetch(registry)

    accepted = {"provider": "apns", "category": "accepted", "reason": "accepted", "disposition": "accepted", "action": "none"}
    gone = {
        "provider": "apns",
        "category": "recipient",
        "reason": "Unregistered",
        "disposition": "rejected",
        "action": "remove_recipient",
    }
    assert value(text, "pushkit_outcomes_total", **accepted) == 2
    assert value(text, "pushkit_outcomes_total", **gone) == 1


def test_pushes_are_counted_from_nought(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """Each series is there before the first push, so that Prometheus sees the first failures as a rise and not as a beginning."""
    before = scrape(registry)
    metrics(finished(make_failure(Category.RECIPIENT)))
    metrics(finished())
    after = scrape(registry)
    gone = {"provider": "apns", "category": "recipient", "disposition": "rejected"}
    accepted = {"provider": "apns", "category": "accepted", "disposition": "accepted"}

    assert (0, 0) == (value(before, "pushkit_pushes_total", **gone), value(before, "pushkit_pushes_total", **accepted))
    assert (1, 1) == (value(after, "pushkit_pushes_total", **gone), value(after, "pushkit_pushes_total", **accepted))
    assert 0 == value(before, "pushkit_expired_total", provider="webpush")
    assert {key for key in values(after) if key[0] == "pushkit_pushes_total"} == {
        key for key in values(before) if key[0] == "pushkit_pushes_total"
    }


@pytest.mark.parametrize("name", ["\ud800", "two\nlines", "x" * 1_000_000])
def test_no_name_ends_the_scrapes(registry: CollectorRegistry, metrics: PrometheusMetrics, name: str) -> None:
    """Apps and providers come from rows of data: half a character cannot be encoded, and a novel is no label."""
    metrics(events.BudgetExhausted(provider="apns", app=name))
    metrics(finished(make_failure(Category.RECIPIENT, provider=name, reason="invalid_target", status=None)))
    metrics(events.Expired(outcome=make_failure(Category.TECHNICAL, provider=name, reason="expired", status=None)))
    metrics(events.RecipientGone(outcome=make_failure(Category.RECIPIENT, provider=name)))

    assert len(fetch(registry)) < 100_000


def test_durations_are_histograms(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """An attempt of 0.25 s is in the bucket of 0.25 s and in none below."""
    metrics(events.AttemptFinished(provider="apns", app="default", target=Phone(), origin="https://x", attempt=make_attempt()))
    metrics(finished(make_accepted(elapsed=3.0)))
    text = scrape(registry)

    assert value(text, "pushkit_attempt_duration_seconds_bucket", provider="apns", le="0.25") == 1
    assert value(text, "pushkit_attempt_duration_seconds_bucket", provider="apns", le="0.1") == 0
    assert value(text, "pushkit_push_duration_seconds_sum", provider="apns") == 3.0
    assert value(text, "pushkit_attempts_total", provider="apns", status="2xx") == 1


@pytest.mark.parametrize(
    ("elapsed", "attempts", "queued"),
    [
        (3.0, (make_attempt(elapsed=0.5), make_attempt(2, elapsed=0.5, waited=1.0)), 1.0),
        (3.0, (), 3.0),
        (0.1, (make_attempt(elapsed=5.0), make_attempt(2, elapsed=0.1)), 0.0),
    ],
)
def test_time_in_our_own_queues_is_told_apart(registry: CollectorRegistry, metrics: PrometheusMetrics, elapsed, attempts, queued) -> None:
    """What was neither a request nor a wait between them; a resumed push's older attempts never make it negative."""
    metrics(finished(make_accepted(elapsed=elapsed, attempts=attempts)))

    assert value(scrape(registry), "pushkit_queue_duration_seconds_sum", provider="apns") == queued


def test_every_event_leaves_a_trace(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """One of each event moves one counter each; the start of an attempt is told by its end, the end of a certificate by a gauge."""
    before = values(scrape(registry))
    silent = []
    for event in every_event():
        metrics(event)
        after = values(scrape(registry))
        if after == before:
            silent.append(type(event).__name__)
        before = after

    assert silent == ["AttemptStarted", "CredentialExpiring"]


def test_expiry_of_a_credential_is_a_time(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """The gauge holds the UNIX time, so that an alert can subtract the present."""
    metrics.watch(Patient())
    text = scrape(registry)

    certificate, token = "pushkit_certificate_expiry_timestamp_seconds", "pushkit_access_token_expiry_timestamp_seconds"
    assert value(text, certificate, client="default", provider="apns", app="default") == UNTIL.timestamp()
    assert value(text, token, client="default", provider="fcm", app="default") == UNTIL.timestamp()


def test_health_is_read_at_each_scrape(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """Gauges show what ``health()`` says at that moment."""
    patient = Patient()
    metrics.watch(patient, name="orders")
    first = scrape(registry)
    patient.told = a_health(usable=True, in_flight=0, senders=(), origins=())
    second = scrape(registry)

    assert value(first, "pushkit_client_usable", client="orders") == 0
    assert value(first, "pushkit_client_in_flight", client="orders") == 7
    assert value(first, "pushkit_retry_budget_ratio", client="orders", provider="apns", app="default") == 0.25
    assert value(first, "pushkit_credential_latched", client="orders", provider="apns", app="default") == 1
    assert value(first, "pushkit_credential_age_seconds", client="orders", provider="fcm", app="default") == 1800
    breaker = {"client": "orders", "provider": "fcm", "app": "default", "origin": "https://fcm.googleapis.com", "state": "open"}
    assert value(first, "pushkit_breaker_state", **breaker) == 1
    assert value(first, "pushkit_connections", client="orders", origin="https://api.push.apple.com", engine="ngh2") == 2
    assert value(second, "pushkit_client_usable", client="orders") == 1
    assert value(second, "pushkit_breaker_state", **breaker) is None


def test_hosts_of_one_service_are_added_up(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """Microsoft's many hosts are one series with the sum of their streams."""
    metrics.watch(Patient())

    assert value(scrape(registry), "pushkit_streams", client="default", origin="https://*.notify.windows.com", engine="h2") == 3


def test_apps_beyond_the_bound_share_one_series(registry: CollectorRegistry) -> None:
    """A thousand tenants make no thousand series; the worst budget and the sum of what waits are kept."""
    metrics = PrometheusMetrics(registry, apps=2)
    senders = tuple(SenderHealth(provider="apns", app=f"tenant-{number}", budget=number / 10, waiting=1) for number in range(10))
    metrics.watch(Patient(a_health(senders=senders, origins=())))
    text = scrape(registry)

    assert value(text, "pushkit_retry_budget_ratio", client="default", provider="apns", app="tenant-1") == 0.1
    assert value(text, "pushkit_retry_budget_ratio", client="default", provider="apns", app="other") == 0.2
    assert value(text, "pushkit_sender_waiting", client="default", provider="apns", app="other") == 8


def test_unknown_reasons_share_one_series(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """A thousand made-up reasons make one series called "other"."""
    for number in range(1000):
        metrics(finished(make_failure(Category.TECHNICAL, reason=f"made-up-{number}")))
    series = [key for key in values(scrape(registry)) if key[0] == "pushkit_outcomes_total"]

    assert [("reason", "other")] == [label for label in series[0][1] if label[0] == "reason"]
    assert len(series) == 1


def test_made_up_providers_share_one_series(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """An input may hold objects that are no targets; what they call themselves makes no series without end."""
    for number in range(100):
        metrics(finished(make_failure(Category.RECIPIENT, provider=f"nonsense-{number}", reason="invalid_target", status=None)))
    series = {dict(key[1])["provider"] for key in values(scrape(registry)) if key[0] == "pushkit_outcomes_total"}

    assert len(series) == 11
    assert "other" in series


def test_an_unwatched_client_is_gone(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """After ``unwatch`` nothing of the client is exported."""
    metrics.watch(Patient(), name="orders")
    metrics.unwatch("orders")

    assert 'client="orders"' not in scrape(registry)


def test_a_second_exporter_on_one_registry_is_refused(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """Two objects would export the same names twice."""
    with pytest.raises(ValueError, match="make one PrometheusMetrics and give it to every client"):
        PrometheusMetrics(registry)


class OnItsLoop:
    """A client whose health may only be read on its own event loop."""

    def __init__(self) -> None:
        self.read_in: list[int] = []

    def health(self) -> Health:
        self.read_in.append(threading.get_ident())
        return Health(usable=True)


def test_a_scrape_reads_on_the_clients_loop(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """The scrape's own thread never walks through the tables of a running event loop."""
    client = OnItsLoop()

    async def serve() -> tuple[str, int]:
        metrics.watch(client)
        return await asyncio.to_thread(fetch, registry), threading.get_ident()

    text, loop_thread = asyncio.run(serve())

    assert [loop_thread] == client.read_in
    assert value(text, "pushkit_client_usable", client="default") == 1


def test_a_scrape_on_the_loop_itself_does_not_wait_for_it(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """A ``/metrics`` route of an asynchronous framework collects on the client's own loop."""
    client = OnItsLoop()

    async def serve() -> Any:
        metrics.watch(client)
        return registry.get_sample_value("pushkit_client_usable", {"client": "default"})

    assert asyncio.run(serve()) == 1


def test_a_blocked_loop_does_not_block_the_scrape(registry: CollectorRegistry) -> None:
    """When the loop does not answer in time, the counters still come, and a gauge says that health is missing."""
    metrics = PrometheusMetrics(registry, health_timeout=0.05)
    found: list[str] = []
    over = threading.Event()

    async def blocked() -> None:
        metrics.watch(OnItsLoop())
        thread = threading.Thread(target=lambda: (found.append(scrape(registry)), over.set()))
        thread.start()
        over.wait(10)  # blocks the event loop on purpose
        thread.join()

    asyncio.run(blocked())

    assert value(found[0], "pushkit_health_readable", client="default") == 0
    assert value(found[0], "pushkit_client_usable", client="default") is None


SEVERAL_PROCESSES = """
import os
from prometheus_client import CollectorRegistry, multiprocess
from tests.unit.contrib.heard import finished
from pushkit.contrib.prometheus import PrometheusMetrics

metrics = PrometheusMetrics()
for _ in range(2):
    child = os.fork()
    if child == 0:
        metrics(finished())
        os._exit(0)
    os.waitpid(child, 0)
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
labels = {"provider": "apns", "category": "accepted", "disposition": "accepted"}
print(registry.get_sample_value("pushkit_pushes_total", labels), registry.get_sample_value("pushkit_push_duration_seconds_count", {"provider": "apns"}))
"""


def test_worker_processes_add_up(tmp_path: Path) -> None:
    """In prometheus_client's multiprocess mode, metrics made before the fork count in every worker."""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEVERAL_PROCESSES],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ("2.0 2.0\n", "") == (done.stdout, done.stderr)


class Broken:
    """A client whose health cannot be read."""

    def health(self) -> Health:
        raise RuntimeError("canary: whatever an error quotes")


def test_a_health_that_raises_hides_no_other(
    registry: CollectorRegistry, metrics: PrometheusMetrics, caplog: pytest.LogCaptureFixture
) -> None:
    """The scrape goes on with the other clients; the log says once whose health it was, without quoting."""
    metrics.watch(Broken(), name="broken")
    metrics.watch(Patient(), name="orders")
    scrape(registry)
    text = scrape(registry)

    assert (0, 1) == (value(text, "pushkit_health_readable", client="broken"), value(text, "pushkit_health_readable", client="orders"))
    assert ["the health of client broken cannot be read: RuntimeError"] == [record.getMessage() for record in caplog.records]


class Busy:
    """A synchronous client whose background thread is busy."""

    def __init__(self) -> None:
        self.free, self.asked = threading.Event(), 0

    def health(self) -> Health:
        self.asked += 1
        self.free.wait(10)
        return Health(usable=True)


def test_a_busy_synchronous_client_does_not_block_the_scrape(registry: CollectorRegistry) -> None:
    """Its health waits for its background thread; the scrape does not, and asks no second time while the first is waiting."""
    metrics, client = PrometheusMetrics(registry, health_timeout=0.05), Busy()
    metrics.watch(client)
    first, second = scrape(registry), scrape(registry)
    asked = client.asked
    client.free.set()
    ends = time.monotonic() + 10
    while value(scrape(registry), "pushkit_health_readable", client="default") != 1:
        assert time.monotonic() < ends

    assert [0, 0] == [value(text, "pushkit_health_readable", client="default") for text in (first, second)]
    assert 1 == asked


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_process_does_not_wait_for_its_parents_loop() -> None:
    """A worker forked from a program with a watching loop reads the health by itself: that loop runs elsewhere."""
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry, health_timeout=30)

    async def serve() -> int:
        metrics.watch(OnItsLoop())
        child = os.fork()
        if child == 0:
            asyncio._set_running_loop(None)  # what a worker's own thread sees
            readable = 0.0
            with contextlib.suppress(BaseException):
                readable = registry.get_sample_value("pushkit_health_readable", {"client": "default"}) or 0.0
            os._exit(0 if readable == 1 else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert 0 == asyncio.run(serve())


def test_a_closed_loop_is_no_trouble(registry: CollectorRegistry, metrics: PrometheusMetrics) -> None:
    """After the program's loop has ended, a last scrape reads the health directly."""
    client = OnItsLoop()

    async def begin() -> None:
        metrics.watch(client)

    asyncio.run(begin())

    assert value(scrape(registry), "pushkit_client_usable", client="default") == 1


def test_nothing_secret_is_exported(
    registry: CollectorRegistry, metrics: PrometheusMetrics, canaries: Canaries, leaks: LeakCatcher
) -> None:
    """Targets, texts and the provider's raw words are in no name, label or value."""
    target = apns.Device(canaries.device_token, ref=canaries.data)
    for event in every_event(target):
        metrics(event)
    metrics(finished(make_failure(Category.TECHNICAL, target=target, reason=canaries.device_token, detail=canaries.title)))
    metrics(
        events.RetryScheduled(
            provider="apns", app="default", target=target, reason=canaries.access_token, delay=1, waits_for=every_event()[2].waits_for
        )
    )
    metrics.watch(Patient())
    leaks.see_text("scrape", fetch(registry))
    leaks.see(metrics)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without prometheus_client the import says which extra to install."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "pushkit.contrib.prometheus")
    with pytest.raises(ImportError, match=r"pip install 'pushkit-sdk\[prometheus\]'"):
        import pushkit.contrib.prometheus  # noqa: F401


def test_an_accepted_push_costs_little(metrics: PrometheusMetrics) -> None:
    """The two events of an accepted push are counted in far less than the push itself takes."""
    attempt = events.AttemptFinished(
        provider="apns", app="default", target=Phone(), origin="https://api.push.apple.com", attempt=make_attempt()
    )
    done = finished()
    rounds = 2000
    began = time.perf_counter()
    for _ in range(rounds):
        metrics(attempt)
        metrics(done)
    micros = (time.perf_counter() - began) / rounds * 1e6

    assert micros < 200  # about 6 on a small machine; the bound only catches a lost cache or an accidental sort


def test_origins_of_strangers_are_bounded(registry: CollectorRegistry) -> None:
    """Push services that users made up share one series."""
    metrics = PrometheusMetrics(registry, origins=3)
    origins = tuple(
        OriginHealth(origin=f"https://push-{number}.example", engine="h2", connections=1, streams=0, stream_limit=100, waiting=0)
        for number in range(50)
    )
    metrics.watch(Patient(a_health(origins=origins)))

    series = [key for key in values(scrape(registry)) if key[0] == "pushkit_connections"]
    assert len(series) == 4
    assert value(scrape(registry), "pushkit_connections", client="default", origin="other", engine="h2") == 47
