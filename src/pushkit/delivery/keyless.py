"""Pushes that wait for their credential. They hold no slot, and their time runs on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pushkit.clock import Clock, Timer
from pushkit.delivery.admission import overdue

if TYPE_CHECKING:
    from pushkit.delivery.credential_store import CredentialStore
    from pushkit.delivery.push import Push
    from pushkit.delivery.senders import SenderState
    from pushkit.provider import AccessToken
    from pushkit.verdict import Verdict

_SWEEP = 0.25
"""Seconds between two looks for pushes whose time ran out while they waited."""


class Keyless:
    """Brings pushes and the tokens that they need together; ``late`` gets those whose time ran out before."""

    def __init__(
        self,
        clock: Clock,
        store: CredentialStore,
        arrived: Callable[[Push, AccessToken | Verdict], None],
        late: Callable[[Push], None],
    ) -> None:
        self._clock = clock
        self._store = store
        self._ready = arrived
        self._late = late
        self._waiting: dict[Push, SenderState] = {}
        self._sweeping: Timer | None = None

    def add(self, push: Push, state: SenderState) -> None:
        """Let a push wait."""
        assert state.credential is not None
        assert state.entry is not None
        self._waiting[push] = state
        state.waiting += 1
        self._watch()
        self._store.wait(state.credential, state.entry, partial(self._arrived, push))

    def remove(self, push: Push) -> bool:
        """Take a push out; False when it did not wait."""
        state = self._waiting.pop(push, None)
        if state is None:
            return False
        state.waiting -= 1
        return True

    def _arrived(self, push: Push, result: AccessToken | Verdict) -> None:
        if self.remove(push):
            self._ready(push, result)

    def _watch(self) -> None:
        if self._sweeping is None:
            self._sweeping = self._clock.call_at(self._clock.monotonic() + _SWEEP, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        mono, now = self._clock.monotonic(), self._clock.time()
        for push in [push for push in self._waiting if overdue(push, now, mono)]:
            if self.remove(push):
                self._late(push)
        if self._waiting:
            self._watch()

    def all(self) -> list[Push]:
        """Everything that waits."""
        return list(self._waiting)

    def close(self) -> None:
        """Cancel what is planned."""
        if self._sweeping is not None:
            self._sweeping.cancel()
