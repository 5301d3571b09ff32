"""What ``client.health()`` says, as gauges: the one list that every exporter reads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

import attrs

from pushkit.contrib._labels import Bounded, Origins
from pushkit.health import Health


class HealthClient(Protocol):
    """Anything with a ``health()``: both clients, and the fakes for tests."""

    def health(self) -> Health:
        """The state of the moment."""
        ...


@attrs.frozen(kw_only=True)
class Gauge:
    """A number that goes up and down."""

    prometheus: str
    opentelemetry: str
    unit: str
    help: str
    labels: tuple[str, ...]
    join: Callable[[float, float], float] = max
    """How two senders that share the label "other" become one number."""


def _sum(one: float, other: float) -> float:
    return one + other


_CLIENT = ("client",)
_SENDER = ("client", "provider", "app")
_ORIGIN = ("client", "origin", "engine")

# fmt: off
USABLE = Gauge(prometheus="pushkit_client_usable", opentelemetry="pushkit.client.usable", unit="1", labels=_CLIENT, join=min,
               help="1 while the client is open and no credential is refused, else 0.")
IN_FLIGHT = Gauge(prometheus="pushkit_client_in_flight", opentelemetry="pushkit.client.in_flight", unit="{push}", labels=_CLIENT, join=_sum,
                  help="Pushes that were taken and have no outcome yet.")
TABLE = Gauge(prometheus="pushkit_table_entries", opentelemetry="pushkit.table.entries", unit="{entry}", labels=("client", "table"), join=_sum,
              help="Entries in each bounded table of the client.")
SENDER_IN_FLIGHT = Gauge(prometheus="pushkit_sender_in_flight", opentelemetry="pushkit.sender.in_flight", unit="{push}", labels=_SENDER, join=_sum,
                         help="Requests under way, by provider and app.")
SENDER_WAITING = Gauge(prometheus="pushkit_sender_waiting", opentelemetry="pushkit.sender.waiting", unit="{push}", labels=_SENDER, join=_sum,
                       help="Pushes that wait for a slot or a credential, by provider and app.")
BUDGET = Gauge(prometheus="pushkit_retry_budget_ratio", opentelemetry="pushkit.retry_budget.ratio", unit="1", labels=_SENDER, join=min,
               help="Share of the retry budget that is left; at 0 nothing is tried again.")
LATCHED = Gauge(prometheus="pushkit_credential_latched", opentelemetry="pushkit.credential.latched", unit="1", labels=_SENDER,
                help="1 while sending is stopped because the provider refuses the credential, else 0.")
AGE = Gauge(prometheus="pushkit_credential_age_seconds", opentelemetry="pushkit.credential.age", unit="s", labels=_SENDER,
            help="Seconds since the access token was fetched.")
CERTIFICATE = Gauge(prometheus="pushkit_certificate_expiry_timestamp_seconds", opentelemetry="pushkit.certificate.expiry", unit="s", labels=_SENDER,
                    join=min, help="When the certificate ends, as UNIX time; absent for keys, which do not end.")
TOKEN = Gauge(prometheus="pushkit_access_token_expiry_timestamp_seconds", opentelemetry="pushkit.access_token.expiry", unit="s", labels=_SENDER,
              join=min, help="When the fetched access token ends, as UNIX time; it is renewed ahead of that.")
BREAKER = Gauge(prometheus="pushkit_breaker_state", opentelemetry="pushkit.breaker.state", unit="1", labels=(*_SENDER, "origin", "state"),
                help="1 for a circuit breaker that is open or half open; closed ones are left out.")
CONNECTIONS = Gauge(prometheus="pushkit_connections", opentelemetry="pushkit.connections", unit="{connection}", labels=_ORIGIN, join=_sum,
                    help="Open connections, by origin.")
STREAMS = Gauge(prometheus="pushkit_streams", opentelemetry="pushkit.streams", unit="{request}", labels=_ORIGIN, join=_sum,
                help="Requests under way on these connections.")
STREAM_LIMIT = Gauge(prometheus="pushkit_stream_limit", opentelemetry="pushkit.stream.limit", unit="{request}", labels=_ORIGIN, join=_sum,
                     help="Requests that the servers allow on these connections right now.")
STREAM_WAITING = Gauge(prometheus="pushkit_stream_waiting", opentelemetry="pushkit.stream.waiting", unit="{request}", labels=_ORIGIN, join=_sum,
                       help="Requests that wait for room on a connection.")
READABLE = Gauge(prometheus="pushkit_health_readable", opentelemetry="pushkit.health.readable", unit="1", labels=_CLIENT, join=min,
                 help="0 when the client's event loop did not answer in time or its health raised, so that the other gauges of this client are missing.")
# fmt: on

GAUGES = (
    READABLE, USABLE, IN_FLIGHT, TABLE, SENDER_IN_FLIGHT, SENDER_WAITING, BUDGET, LATCHED, AGE, CERTIFICATE, TOKEN, BREAKER,
    CONNECTIONS, STREAMS, STREAM_LIMIT, STREAM_WAITING,
)  # fmt: skip

log = logging.getLogger("pushkit.contrib.metrics")

_MOMENT = 0.05
"""Seconds."""

Reading: TypeAlias = tuple[Gauge, tuple[str, ...], float]


@attrs.define
class Watched:
    """One client whose health is read."""

    name: str
    client: HealthClient
    loop: asyncio.AbstractEventLoop | None
    """Where the client runs; None: not on the event loop of the thread that said ``watch``."""
    timeout: float
    _pid: int = attrs.field(factory=os.getpid)
    _asked: concurrent.futures.Future[Health] | None = None
    _told: bool = False

    def read(self) -> Health | None:
        """
        The client's health, read on the client's own event loop; None when that did not answer in time.

        A scrape usually comes in a thread of its own, and nobody may walk through the tables of an
        event loop from outside. It never fails for one client: the counters are still wanted.
        """
        loop = self.loop
        try:
            if loop is not None and (self._pid != os.getpid() or not loop.is_running() or loop is _running_loop()):
                return self.client.health()
            if self._asked is None or self._asked.done():
                self._asked = self._ask(loop)
            return self._asked.result(self.timeout)
        except TimeoutError:
            if loop is not None and self._asked is not None:
                self._asked.cancel()  # the loop may end without a look at it
            return None
        except Exception as error:  # noqa: BLE001 - one client whose health cannot be read hides no other
            if not self._told:
                self._told = True
                log.error("the health of client %s cannot be read: %s", self.name, type(error).__name__)  # noqa: TRY400 - it may quote anything
            return None

    def _ask(self, loop: asyncio.AbstractEventLoop | None) -> concurrent.futures.Future[Health]:
        answer: concurrent.futures.Future[Health] = concurrent.futures.Future()

        def fill() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(self.client.health())
                except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
                    answer.set_exception(error)

        if loop is None:
            # A synchronous client asks its own background thread, and waits for as long as that is busy.
            threading.Thread(target=fill, name="pushkit-health", daemon=True).start()
        else:
            try:
                loop.call_soon_threadsafe(fill)
            except RuntimeError:
                fill()  # closed since the last line: nothing moves any more
        return answer


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Watchers:
    """The clients that an exporter reads, and their readings with bounded labels."""

    def __init__(self, *, apps: Bounded, origins: Origins, timeout: float) -> None:
        self._apps = apps
        self._origins = origins
        self._timeout = timeout
        self._watched: dict[str, Watched] = {}
        self._latest: dict[Gauge, dict[tuple[str, ...], float]] = {}
        self._read_at = float("-inf")

    def add(self, client: HealthClient, name: str) -> None:
        """Read this client from now on; one with the same name is replaced."""
        self._watched[name] = Watched(name, client, _running_loop(), self._timeout)
        self._read_at = float("-inf")

    def remove(self, name: str) -> None:
        """Stop reading a client."""
        self._watched.pop(name, None)
        self._read_at = float("-inf")

    def read(self) -> dict[Gauge, dict[tuple[str, ...], float]]:
        """Every gauge with its values by labels."""
        table: dict[Gauge, dict[tuple[str, ...], float]] = {gauge: {} for gauge in GAUGES}
        for watched in tuple(self._watched.values()):
            health = watched.read()
            table[READABLE][watched.name,] = 1.0 if health is not None else 0.0
            if health is None:
                continue
            for gauge, labels, value in self._readings(watched.name, health):
                values = table[gauge]
                values[labels] = gauge.join(values[labels], value) if labels in values else value
        return table

    def read_one(self, gauge: Gauge) -> dict[tuple[str, ...], float]:
        """
        One gauge, from a reading of all that is at most a moment old.

        OpenTelemetry asks for each gauge by itself; they should come from one look at the client.
        """
        now = time.monotonic()
        if now - self._read_at > _MOMENT:
            self._latest = self.read()
            self._read_at = now
        return self._latest[gauge]

    def _readings(self, client: str, health: Health) -> Iterator[Reading]:
        yield USABLE, (client,), float(health.usable)
        yield IN_FLIGHT, (client,), float(health.in_flight)
        for table, size in health.sizes.items():
            yield TABLE, (client, table), float(size)
        for sender in health.senders:
            labels = (client, sender.provider, self._apps(sender.app))
            yield SENDER_IN_FLIGHT, labels, float(sender.in_flight)
            yield SENDER_WAITING, labels, float(sender.waiting)
            yield BUDGET, labels, sender.budget
            yield LATCHED, labels, float(sender.latched is not None)
            if sender.credential_age is not None:
                yield AGE, labels, sender.credential_age
            if sender.credential_expires_at is not None:
                ends = TOKEN if sender.credential_age is not None else CERTIFICATE
                yield ends, labels, sender.credential_expires_at.timestamp()
            for origin, state in sender.breakers.items():
                yield BREAKER, (*labels, self._origins(origin), state), 1.0
        for at_origin in health.origins:
            at = (client, self._origins(at_origin.origin), at_origin.engine)
            yield CONNECTIONS, at, float(at_origin.connections)
            yield STREAMS, at, float(at_origin.streams)
            yield STREAM_LIMIT, at, float(at_origin.stream_limit)
            yield STREAM_WAITING, at, float(at_origin.waiting)
