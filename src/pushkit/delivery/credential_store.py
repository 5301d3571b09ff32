"""
Credentials that have to be fetched: one refresh at a time, ahead of expiry, with a memory for failures.

A sender's :class:`~pushkit.provider.Credential` says how; this module drives it, over the same transport
as everything else or, for a blocking callable, in a worker thread.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator
from typing import Any, Protocol, cast

from pushkit.clock import Clock, Timer
from pushkit.lru import LRU
from pushkit.outcomes import Action
from pushkit.own_reasons import refuse
from pushkit.provider import AccessToken, Credential, CredentialFlow
from pushkit.verdict import Verdict
from pushkit.wire import Cancellable, Transport, WireResult

log = logging.getLogger("pushkit")

LEEWAY = 30.0
"""A token with less than this many seconds to live (or a quarter of the life it came with) is not used."""
AHEAD = 300.0
"""
A token with less than this many seconds to live (or half of the life it came with) is replaced in the background
while it still serves. Metadata servers hand out tokens from a cache, with little life left: without the half,
each push would ask for another.
"""
FETCH_TIMEOUT = 10.0
"""Seconds for one refresh."""
SHORTEST_PAUSE = 1.0
"""Seconds after a failed refresh before the next one; what comes meanwhile gets the same failure."""
_TABLE = 10_000
_GRACE = 1.0
"""Seconds beyond that which a flow's own requests have to end by themselves."""
_STEPS = 20
"""Requests in one flow at the most."""


class Blocking(Protocol):
    """Runs a blocking callable elsewhere and calls back on the loop."""

    def __call__(self, work: Callable[[], AccessToken | Verdict], done: Callable[[AccessToken | Verdict | BaseException], None]) -> None:
        """Start the work; ``done`` gets its result or its error."""
        ...


Waiter = Callable[[AccessToken | Verdict], None]


class Entry:
    """One credential's state."""

    __slots__ = ("ahead", "failed_at", "failure", "fetched_at", "leeway", "overdue", "refreshing", "request", "timer", "token", "waiters")

    def __init__(self) -> None:
        self.token: AccessToken | None = None
        self.fetched_at = 0.0
        self.ahead = AHEAD
        self.leeway = LEEWAY
        self.refreshing = False
        self.overdue = False
        """Whether the refresh takes longer than anybody waits. There is no second one beside it: each may hold a thread."""
        self.request: Cancellable | None = None
        self.timer: Timer | None = None
        self.waiters: list[Waiter] = []
        self.failure: Verdict | None = None
        self.failed_at = 0.0


class CredentialStore:
    """All fetched credentials of one client. ``changed`` is told of every refresh: (credential, token or failure)."""

    def __init__(
        self, clock: Clock, transport: Transport, blocking: Blocking, changed: Callable[[Credential, AccessToken | Verdict], None]
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._blocking = blocking
        self._changed = changed
        self._entries: LRU[Any, Entry] = LRU(_TABLE)

    def entry(self, credential: Credential) -> Entry:
        """The state of a credential; kept by the caller, since it is asked for every push."""
        entry = self._entries.get(credential.key)
        if entry is None:
            entry = Entry()
            self._entries.put(credential.key, entry)
        return entry

    def get(self, credential: Credential, entry: Entry, now: float) -> AccessToken | Verdict | None:
        """The token (a refresh may run ahead), the failure of a moment ago, or None: ask with :meth:`wait`. ``now``: epoch seconds."""
        token = entry.token
        if token is not None:
            left = token.expires_at - now
            if left > entry.ahead:
                return token
            if not entry.refreshing and not self._resting(entry):
                self._refresh(credential, entry)
            if left > entry.leeway:
                return token
        return entry.failure if entry.failure is not None and self._resting(entry) and not entry.refreshing else None

    def wait(self, credential: Credential, entry: Entry, waiter: Waiter) -> None:
        """Be called with the token or the failure, from the loop; at once where the flow needs no request, or takes too long already."""
        if entry.overdue:
            waiter(_slow())
            return
        entry.waiters.append(waiter)
        if not entry.refreshing:
            self._refresh(credential, entry)

    def drop(self, entry: Entry, value: str | None) -> None:
        """A service refused this token. Dropped only if it is still the one in use: a fresher one may be there already."""
        if entry.token is not None and entry.token.value == value:
            entry.token = None

    def forget(self, credential: Credential) -> None:
        """Drop a credential's state (an app was removed, a key rotated)."""
        self._entries.pop(credential.key)

    def _resting(self, entry: Entry) -> bool:
        if entry.failure is None:
            return False
        return self._clock.monotonic() - entry.failed_at < max(SHORTEST_PAUSE, entry.failure.retry_after or 0.0)

    def _refresh(self, credential: Credential, entry: Entry) -> None:
        entry.refreshing = True
        # A blocking callable may take for ever; the pushes that wait for it must not.
        entry.timer = self._clock.call_at(self._clock.monotonic() + FETCH_TIMEOUT + _GRACE, lambda: self._overdue(entry))

        def finished(result: AccessToken | Verdict | BaseException) -> None:
            if isinstance(result, BaseException):
                result = _broken(result)
            self._settle(credential, entry, result)

        try:
            started = credential.fetch(self._clock.time(), self._clock.monotonic() + FETCH_TIMEOUT)
            if not isinstance(started, Generator):
                self._blocking(started, finished)
                return
        except Exception as error:  # noqa: BLE001 - a fourth provider's mistake, or no thread to be had
            finished(error)
            return
        self._step(credential, entry, cast("CredentialFlow", started), None, _STEPS)

    def _step(self, credential: Credential, entry: Entry, flow: CredentialFlow, result: WireResult | None, steps: int) -> None:
        try:
            request = next(flow) if result is None else flow.send(result)
        except StopIteration as stop:
            self._settle(credential, entry, stop.value)
            return
        except Exception as error:  # noqa: BLE001 - a fourth provider's mistake becomes a failure that names it
            self._settle(credential, entry, _broken(error))
            return
        if steps <= 0:
            flow.close()
            self._settle(credential, entry, _endless())
            return
        entry.request = self._transport.submit(request, lambda answer: self._step(credential, entry, flow, answer, steps - 1))

    def _settle(self, credential: Credential, entry: Entry, result: AccessToken | Verdict) -> None:
        entry.refreshing = entry.overdue = False
        entry.request = None
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
        if isinstance(result, AccessToken) and not _has_end(result):
            result = _broken(TypeError())
        if isinstance(result, AccessToken):
            entry.token = result
            entry.fetched_at = self._clock.time()
            life = max(0.0, result.expires_at - entry.fetched_at)
            entry.ahead, entry.leeway = min(AHEAD, life / 2), min(LEEWAY, life / 4)
            entry.failure = None
        else:
            entry.failure = result
            entry.failed_at = self._clock.monotonic()
        waiters, entry.waiters = entry.waiters, []
        self._changed(credential, result)
        for waiter in waiters:
            waiter(result)

    def close(self, verdict: Verdict) -> None:
        """Give up every refresh under way; who waits for one gets this verdict."""
        for _, entry in list(self._entries.items()):
            self._dismiss(entry, verdict)
            if entry.request is not None:
                entry.request.cancel()

    def _overdue(self, entry: Entry) -> None:
        entry.overdue = True
        self._dismiss(entry, _slow())

    def _dismiss(self, entry: Entry, verdict: Verdict) -> None:
        waiters, entry.waiters = entry.waiters, []
        for waiter in waiters:
            waiter(verdict)

    def __len__(self) -> int:
        return len(self._entries)


def _has_end(token: AccessToken) -> bool:
    ends: Any = token.expires_at  # from a fourth provider's code, so not necessarily what its type says
    return isinstance(ends, (int, float)) and math.isfinite(ends)


def _broken(error: BaseException) -> Verdict:
    # The text of somebody else's exception may quote keys: its class alone is shown.
    log.error("fetching a credential raised %s; its text is not shown since it may hold secrets", type(error).__name__)
    return refuse("credential_fetch_failed", floor=1.0, detail=type(error).__name__)


def _slow() -> Verdict:
    return refuse("credential_timeout", floor=1.0)


def _endless() -> Verdict:
    advice = "Report this: fetching a credential asked for one request after the other without an end."
    return refuse("credential_fetch_failed", advice=advice, action=Action.REPORT_BUG)
