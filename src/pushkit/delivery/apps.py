"""The apps of a client: their senders and fetched credentials, opened when first met, put away when idle."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from pushkit.clock import Clock, Timer
from pushkit.delivery.credential_store import CredentialStore
from pushkit.delivery.senders import Senders, SenderState
from pushkit.provider import AccessToken, Credential, Provider
from pushkit.verdict import Verdict
from pushkit.wire import Transport

if TYPE_CHECKING:
    from pushkit.delivery.directives import Director

_EVERY = 60.0
"""Seconds between two looks for idle apps and credentials that end."""


class Apps:
    """Everything of an engine that belongs to an app and not to a push."""

    director: Director

    def __init__(self, providers: Iterable[Provider], transport: Transport, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._clock = clock
        self._loop = loop
        self.store = CredentialStore(clock, transport, self._in_thread, self._credential_changed)
        self.senders = Senders(providers, self.store, clock, self._put_away)
        self._sharing: Counter[Hashable] = Counter()
        """How many senders use the connections of a pool key: two apps of one team share them."""
        self._looking: Timer | None = None

    def first_request(self, state: SenderState, pool_key: Hashable) -> None:
        """A sender uses the connections of a pool key."""
        if pool_key is not None and pool_key not in state.pool_keys:
            state.pool_keys.add(pool_key)
            self._sharing[pool_key] += 1
        self.director.watch_ends(state, self._clock.time())
        if self._looking is None:
            self._looking = self._clock.call_at(self._clock.monotonic() + _EVERY, self._look)

    def forget(self, app: str) -> int:
        """Drop an app; the next push to it opens it anew, with whatever the configuration then says."""
        self.director.doubt(app)
        return self.senders.forget(app)

    def _look(self) -> None:
        self._looking = None
        self.senders.evict_idle(self._clock.monotonic())
        for state in self.senders.states():
            self.director.watch_ends(state, self._clock.time())
        if len(self.senders):
            self._looking = self._clock.call_at(self._clock.monotonic() + _EVERY, self._look)

    def _put_away(self, state: SenderState) -> None:
        for pool_key in state.pool_keys:
            self._sharing[pool_key] -= 1
            if not self._sharing[pool_key]:
                del self._sharing[pool_key]
                self._transport.forget(pool_key)

    def _credential_changed(self, credential: Credential, result: AccessToken | Verdict) -> None:
        for state in self.senders.states():
            if state.credential is not None and state.credential.key == credential.key:
                self.director.credential_changed(state, result, self._clock.monotonic())

    def _in_thread(self, work: Callable[[], AccessToken | Verdict], done: Callable[[AccessToken | Verdict | BaseException], None]) -> None:
        def run() -> None:
            result: AccessToken | Verdict | BaseException
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - becomes a failure that names it
                result = error
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(done, result)

        # A thread of its own: one that never returns must neither hold up the loop's end nor take the place of name resolution.
        threading.Thread(target=run, name="pushkit-credential", daemon=True).start()

    def close(self) -> None:
        """Cancel what is planned."""
        if self._looking is not None:
            self._looking.cancel()
