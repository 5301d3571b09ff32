"""The open senders of a client: one for each provider and app, made when first met, replaced when forgotten."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING

from pushkit.clock import Clock
from pushkit.delivery.budget import Budget
from pushkit.delivery.guard import Guard, Place
from pushkit.delivery.lanes import Lane
from pushkit.delivery.limiter import Limiter
from pushkit.errors import ConfigurationError
from pushkit.lru import LRU
from pushkit.own_reasons import refuse
from pushkit.provider import Credential, ManyOrigins, MoreQuotas, Provider, RampsUp, Sender
from pushkit.targets import Target
from pushkit.verdict import Verdict

if TYPE_CHECKING:
    from pushkit.delivery.credential_store import CredentialStore, Entry

log = logging.getLogger("pushkit")

LANES = 1000
"""Services remembered for one app (Web Push endpoints may name any host)."""
PAUSES = 10_000
"""Recipients and topics that asked for a pause, remembered for one app."""
SENDERS = 10_000
IDLE = 600.0
"""Seconds without a push after which an app's connections are closed."""
_UNKNOWN_APP_MEMORY = 5.0
"""Seconds for which a resolver's "no such app" is believed: a list full of them must not ask a million times."""

LATCH_PROBE = 60.0
"""Seconds after which one push may try a latched credential again."""


class Latch:
    """Why a sender's credential is out of use."""

    __slots__ = ("probe_at", "since", "verdict")

    def __init__(self, verdict: Verdict, since: float) -> None:
        self.verdict = verdict
        self.since = since
        self.probe_at = since + LATCH_PROBE

    def disproved(self, started: float) -> bool:
        """Whether an answer shows that the credential works: only one to an attempt that began after the refusal does."""
        return started > self.since

    def probe(self, now: float) -> None:
        """One push tries the credential; the next may after another pause."""
        self.probe_at = now + LATCH_PROBE

    def void(self, now: float) -> None:
        """The probe was not made: let the next push be one."""
        self.probe_at = now


class SenderState:
    """One provider and app: its sender, and everything that is counted for its credential."""

    __slots__ = (
        "_origin_key",
        "app",
        "attempt_timeout",
        "budget",
        "credential",
        "ends_told",
        "entry",
        "lanes",
        "last_used",
        "latch",
        "limiters",
        "pauses",
        "pool_keys",
        "provider",
        "refusals",
        "refused_at",
        "sender",
        "waiting",
    )

    def __init__(self, sender: Sender, store: CredentialStore, now: float) -> None:
        self.sender = sender
        self.provider = sender.provider
        self.app = sender.app
        self.attempt_timeout = sender.attempt_timeout
        self.budget = Budget()
        self.limiters: dict[str, Limiter] = {"": Limiter(sender.rate, sender.ramp if isinstance(sender, RampsUp) else 0.0)}
        """By what is counted: pushes, and what the provider counts beside them."""
        self.pauses: LRU[Hashable, float] = LRU(PAUSES)
        """Throttle key to the monotonic time until which nothing is sent there."""
        self.latch: Latch | None = None
        self.refusals = 0
        """How often in a row a credential was refused as stale that was made after the last refusal."""
        self.refused_at = float("-inf")
        self.credential: Credential | None = sender.credential
        self.entry: Entry | None = store.entry(self.credential) if self.credential is not None else None
        self.lanes: LRU[Hashable, Lane] = LRU(LANES)
        self._origin_key = sender.origin_key if isinstance(sender, ManyOrigins) else None
        self.last_used = now
        self.ends_told = 0.0
        """Epoch seconds: when hooks last heard that a credential of this sender ends soon."""
        self.pool_keys: set[Hashable] = set()
        self.waiting = 0
        """Pushes that wait for the credential."""

    def lane(self, target: Target, guard: Guard, now: float, quota: str = "") -> Lane:
        """The lane of a target, for what counts against this quota."""
        environment = self.sender.environment(target)
        key: Hashable = environment if self._origin_key is None else (environment, self._origin_key(target))
        if quota:
            key = (quota, key)
        lane = self.lanes.get(key)
        if lane is None:
            lane = Lane(self, environment, guard.watch(Place(self.provider, self.app, environment), now), quota)
            self.lanes.put(key, lane)
        return lane

    def limiter(self, quota: str) -> Limiter:
        """How fast may be sent what counts against this quota."""
        limiter = self.limiters.get(quota)
        if limiter is None:
            limiter = self.limiters[quota] = Limiter(self.sender.rate_of(quota) if isinstance(self.sender, MoreQuotas) else None)
        return limiter

    def pause_key(self, target: Target, quota: str) -> Hashable:
        """What a pause of this recipient or topic is remembered by."""
        key = self.sender.throttle_key(target)
        return (quota, key) if quota else key

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return sum(lane.used for _, lane in self.lanes.items())

    @property
    def queued(self) -> int:
        """Pushes that wait for a slot or the credential."""
        return self.waiting + sum(len(lane.waiting) for _, lane in self.lanes.items())


class Senders:
    """All senders of a client, by provider and app."""

    def __init__(self, providers: Iterable[Provider], store: CredentialStore, clock: Clock, closed: Callable[[SenderState], None]) -> None:
        self.providers: Mapping[str, Provider] = {provider.name: provider for provider in providers}
        self._store = store
        self._clock = clock
        self._closed = closed
        self._open: dict[tuple[str, str], SenderState] = {}
        self._refused: LRU[tuple[str, str], tuple[Verdict, float]] = LRU(1000)

    def get(self, target: object) -> SenderState | Verdict:
        """The sender of a target, opened when first met, or why there is none."""
        if not isinstance(target, Target):
            return _no_target(target)
        provider, app = target.provider, target.app
        try:
            state = self._open.get((provider, app))
        except TypeError:
            return _bad_app(app)
        return state if state is not None else self._first(provider, app)

    def _first(self, provider: str, app: object) -> SenderState | Verdict:
        if not isinstance(app, str):
            return _bad_app(app)
        now = self._clock.monotonic()
        refused = self._refused.get((provider, app))
        if refused is not None and now < refused[1]:
            return refused[0]
        state = self.open(provider, app)
        if isinstance(state, Verdict):
            self._refused.put((provider, app), (state, now + _UNKNOWN_APP_MEMORY))
        return state

    def open(self, provider: str, app: str) -> SenderState | Verdict:
        """Open a sender anew, whatever was believed about the app before."""
        known = self._open.get((provider, app))
        if known is not None:
            return known
        opener = self.providers.get(provider)
        if opener is None:
            return _not_configured(provider)
        try:
            sender = opener.open(app)
        except ConfigurationError as error:
            return _wrong_configuration(app, str(error))
        except Exception as error:  # noqa: BLE001 - a resolver is the caller's code; its error stops this app alone
            log.error(  # noqa: TRY400 - a traceback may quote keys
                "opening app %r of %s raised %s; its text is not shown since it may hold secrets", app, provider, type(error).__name__
            )
            return _wrong_configuration(app, f"the resolver raised {type(error).__name__}")
        if sender is None:
            return _unknown_app(provider, app)
        state = SenderState(sender, self._store, self._clock.monotonic())
        self._open[provider, app] = state
        if len(self._open) > SENDERS:
            self._evict_oldest()
        return state

    def forget(self, app: str) -> int:
        """Drop an app of every provider; the next push opens it anew. What is under way goes on. Gives how many were open."""
        dropped = [state for (_, name), state in list(self._open.items()) if name == app]
        for state in dropped:
            self._drop(state)
        for key in [key for key, _ in self._refused.items() if key[1] == app]:
            self._refused.pop(key)
        return len(dropped)

    def evict_idle(self, now: float) -> int:
        """Close the connections of apps that sent nothing for a while; what was learnt about them stays. Gives how many."""
        idle = [state for state in self._open.values() if state.pool_keys and now - state.last_used >= IDLE and not state.in_flight]
        for state in idle:
            self._closed(state)
            state.pool_keys.clear()
            for _, lane in state.lanes.items():  # noqa: PERF102 - an LRU has no values()
                lane.origin = ""
        return len(idle)

    def _evict_oldest(self) -> None:
        idle = [state for state in self._open.values() if not state.in_flight and not state.queued]
        if idle:
            self._drop(min(idle, key=lambda state: state.last_used))

    def _drop(self, state: SenderState) -> None:
        self._open.pop((state.provider, state.app), None)
        if state.credential is not None:
            self._store.forget(state.credential)
        self._closed(state)

    def states(self) -> list[SenderState]:
        """All that are open."""
        return list(self._open.values())

    def __len__(self) -> int:
        return len(self._open)


def _no_target(target: object) -> Verdict:
    seen = "nothing (None)" if target is None else f"a {type(target).__name__}"
    return refuse(
        "invalid_target",
        detail=f"expected a target such as apns.Device(...), fcm.Registration(...) or webpush.Subscription(...), found {seen}",
    )


def _bad_app(app: object) -> Verdict:
    return refuse(
        "invalid_target", advice="Repair this row of the recipient list: its app is no text.", detail=f"app is a {type(app).__name__}"
    )


def _not_configured(provider: str) -> Verdict:
    mend = (
        f"Pass {provider}= to the client: it has no configuration for this kind of target."
        if provider in {"apns", "fcm", "webpush"}
        else None
    )
    return refuse("provider_not_configured", advice=mend, detail=f"provider {provider!r}")


def _unknown_app(provider: str, app: str) -> Verdict:
    return refuse("app_not_configured", detail=f"app {app!r} of {provider}"[:200])


def _wrong_configuration(app: str, detail: str) -> Verdict:
    return refuse(
        "app_not_configured", advice="Correct this app's configuration: it cannot be used as it is.", detail=f"app {app!r}: {detail}"[:500]
    )
