"""What a client holds while it runs: one engine on one event loop in one process."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from pushkit.delivery.engine import Engine
from pushkit.delivery.settle import moment
from pushkit.errors import ClientClosedError
from pushkit.health import Health, SenderHealth
from pushkit.provider import EndingCredentials, Healthy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pushkit.client.options import Options
    from pushkit.delivery.senders import SenderState
    from pushkit.provider import Provider
    from pushkit.wire import Transport

log = logging.getLogger("pushkit")


class State:
    """
    An engine and its transport, made on the running loop.

    Args:
        options: the client's arguments.
        providers: whom it can send through.
        transport: instead of the one that the options ask for.
    """

    def __init__(self, options: Options, providers: Sequence[Provider], transport: Transport | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.pid = os.getpid()
        self.transport = options.open_transport() if transport is None else transport
        self.clock = options.clock_of(self.transport)
        self.engine = Engine(
            providers=providers,
            transport=self.transport,
            clock=self.clock,
            loop=self.loop,
            hooks=options.hooks,
            max_in_flight=options.max_in_flight,
        )

    def health(self) -> Health:
        """A picture of the moment."""
        engine = self.engine
        now = self.clock.time()
        senders = tuple(
            SenderHealth(
                provider=state.provider,
                app=state.app,
                budget=state.budget.share,
                latched=state.latch.verdict.reason if state.latch is not None else None,
                credential_age=now - state.entry.fetched_at if state.entry is not None and state.entry.token is not None else None,
                credential_expires_at=_ends_at(state),
                in_flight=state.in_flight,
                waiting=state.queued,
                breakers={lane.origin: lane.breaker.state.value for _, lane in state.lanes.items() if lane.breaker.state.value != "closed"},
            )
            for state in engine.senders.states()
        )
        sizes = {
            "senders": len(engine.senders),
            "credentials": len(engine.store),
            "guard": len(engine.guard),
            "lanes": sum(len(state.lanes) for state in engine.senders.states()),
            "pauses": sum(len(state.pauses) for state in engine.senders.states()),
        }
        notes: list[str] = []
        for state in engine.senders.states():
            if isinstance(state.sender, Healthy):
                notes += [f"{state.provider}/{state.app}: {note}" for note in state.sender.notes()]
                for name, size in state.sender.sizes().items():
                    sizes[name] = sizes.get(name, 0) + size
        return Health(
            usable=not engine.closing and not any(sender.latched for sender in senders),
            closed=engine.closing,
            in_flight=engine.slots.used,
            senders=senders,
            origins=tuple(self.transport.health()),
            sizes=sizes,
            notes=tuple(notes),
        )


def _ends_at(state: SenderState) -> datetime | None:
    """When what this sender signs in with ends."""
    if state.entry is not None and state.entry.token is not None:
        return moment(state.entry.token.expires_at)
    if isinstance(state.sender, EndingCredentials):
        return min(state.sender.credential_ends(), default=None)
    return None


class StateHolder:
    """Gives the state of the process and loop that ask, or says why there is none."""

    def __init__(self, options: Options, providers: Sequence[Provider]) -> None:
        self._options = options
        self._providers = providers
        self._state: State | None = None
        self.closed = False

    @property
    def live(self) -> State | None:
        """The state, if it was made in this process."""
        state = self._state
        return state if state is not None and state.pid == os.getpid() else None

    def get(self) -> State:
        """
        The state on the running loop; made with the first call, and anew in a child process.

        Raises:
            ClientClosedError: when the client was closed, or belongs to another event loop.
        """
        if self.closed:
            raise ClientClosedError("this client is closed; make a new one, or keep one open as long as the program sends")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("AsyncClient needs a running event loop; call it inside an async function, or use pushkit.Client") from None
        state = self._state
        if state is not None:
            if state.loop is loop:
                return state
            if state.pid == os.getpid():
                raise ClientClosedError(
                    "this client belongs to another event loop; make one inside each loop (each asyncio.run), or use pushkit.Client, which any code may share"
                )
            # A child process: the parent's connections and loop are left alone, never closed from here.
            log.info("made anew in a child process; what the parent opened stays the parent's")
        self._state = State(self._options, self._providers)
        return self._state
