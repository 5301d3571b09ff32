"""``FakeClient`` and ``AsyncFakeClient``: the clients that they say they are, without a network and without waiting."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pushkit.client.asynchronous import AsyncClient
from pushkit.client.synchronous import Client
from pushkit.delivery.policy import RetryPolicy
from pushkit.testing.accounts import Accounts
from pushkit.testing.assertions import Assertions
from pushkit.testing.behaviour import Behaviour
from pushkit.testing.clock import FakeClock
from pushkit.testing.flow import FlowingClock
from pushkit.testing.inbox import Inbox
from pushkit.testing.provision import Provision
from pushkit.testing.services.world import World
from pushkit.testing.transport import FakeTransport

if TYPE_CHECKING:
    from pushkit.client.state import State
    from pushkit.events import Hook
    from pushkit.provider import Provider

_ALL = ("apns", "fcm", "webpush")


class _Fake(Provision, Assertions):
    """What both fakes share: the services in memory, scripts, records, assertions."""

    def _set_up(self, behaviour: Behaviour | None, *, seed: int, strict: bool, clock: FakeClock | None) -> FakeTransport:
        if behaviour is not None and (seed or strict):
            raise ValueError("behaviour= brings its own seed and strictness: give seed= and strict= to the Behaviour instead")
        made = behaviour if behaviour is not None else Behaviour(seed=seed, strict=strict)
        self.clock: FakeClock = clock if clock is not None else FlowingClock()
        world = World(behaviour=made, accounts=Accounts(trust_any=True), clock=self.clock.time, open_endpoints=True)
        Provision.__init__(self, world)
        self._fake_transport = FakeTransport(clock=self.clock, world=world)
        return self._fake_transport

    def _configs(self, given: dict[str, Any]) -> dict[str, Any]:
        # A fake without arguments speaks to everybody; one with its own configurations only to those.
        if any(value is not None for value in given.values()):
            return given
        return {"apns": self.apns_config(), "fcm": self.fcm_config(), "webpush": self.webpush_config()}

    @property
    def behaviour(self) -> Behaviour:
        """The scripts."""
        return self.world.behaviour

    @property
    def sent(self) -> Inbox:  # type: ignore[override]  # a property where the mixin declares an attribute
        """Every push that reached a service, oldest first."""
        return self.world.inbox

    @property
    def calls(self) -> Inbox:
        """Everything that is no push: token requests, topics, channels."""
        return self.world.calls

    def reset(self) -> None:
        """Forget scripts, records and recipients."""
        self.world.reset()

    def _flow_while(self, live: Any) -> None:
        clock = self.clock
        if isinstance(clock, FlowingClock):
            transport = self._fake_transport

            def busy() -> bool:
                state: State | None = live()
                return bool(transport.flights) or (state is not None and (state.engine.active > 0 or bool(state.engine.sleepers.all())))

            clock.busy = busy

    def verify_scripts(self) -> None:
        """
        Check that every scripted step was used. Strict fakes do it by themselves at the end of their ``with``.

        Raises:
            UnexpectedPush: names unused steps and what came instead.
        """
        self.behaviour.verify()


class AsyncFakeClient(_Fake, AsyncClient):
    """
    An :class:`~pushkit.AsyncClient` whose pushes reach push services in memory.

    Everything that the client does is real: validation, encoding, signing, encryption, classification,
    retries. There is no network, no event loop of its own, and no waiting: its clock jumps ahead while
    somebody waits, so that a retry after 15 minutes costs nothing.

    ::

        async with AsyncFakeClient() as push:
            device = push.device()
            push.behaviour.to(device).answer("Unregistered")
            outcome = await push.send(notification, to=device)

    Args:
        behaviour: scripts; a fresh one by default.
        apns: a configuration of your own (also ``fcm``, ``webpush``): then only the ones given are there. By
            default all three, with throw-away credentials.
        fcm: see ``apns``.
        webpush: see ``apns``.
        providers: further providers; their requests meet plain RFC 8030 Web Push, so script them.
        retry: as for the client.
        hooks: as for the client.
        max_in_flight: as for the client.
        seed: for ``behaviour.….rate()``, where no behaviour is given.
        strict: where no behaviour is given: every push needs a step, and every step a push.
        clock: a :class:`FakeClock` of your own, which then moves only when told.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        apns: Any = None,
        fcm: Any = None,
        webpush: Any = None,
        providers: Iterable[Provider] = (),
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value
        hooks: Iterable[Hook] = (),
        max_in_flight: int = 1000,
        seed: int = 0,
        strict: bool = False,
        clock: FakeClock | None = None,
    ) -> None:
        transport = self._set_up(behaviour, seed=seed, strict=strict, clock=clock)
        configs = self._configs({"apns": apns, "fcm": fcm, "webpush": webpush})
        AsyncClient.__init__(
            self, **configs, providers=providers, retry=retry, hooks=hooks, max_in_flight=max_in_flight, transport=transport
        )
        self._flow_while(lambda: self._states.live)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it; a strict one checks its scripts."""
        await super().__aexit__(kind, error, trace)
        if kind is None and self.behaviour.strict:
            self.behaviour.verify()


class FakeClient(_Fake, Client):
    """
    A :class:`~pushkit.Client` whose pushes reach push services in memory. See :class:`AsyncFakeClient`.

    ::

        with FakeClient() as push:
            ship_order(push, order)                 # your code
            push.assert_sent(count=1, to=order.device, matching={"aps": {"alert": {"title": "Shipped"}}})

    Args:
        behaviour: scripts; a fresh one by default.
        apns: a configuration of your own (also ``fcm``, ``webpush``): then only the ones given are there. By
            default all three, with throw-away credentials.
        fcm: see ``apns``.
        webpush: see ``apns``.
        providers: further providers; their requests meet plain RFC 8030 Web Push, so script them.
        retry: as for the client.
        hooks: as for the client.
        max_in_flight: as for the client.
        seed: for ``behaviour.….rate()``, where no behaviour is given.
        strict: where no behaviour is given: every push needs a step, and every step a push.
        clock: a :class:`FakeClock` of your own, which then moves only when told.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        apns: Any = None,
        fcm: Any = None,
        webpush: Any = None,
        providers: Iterable[Provider] = (),
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value
        hooks: Iterable[Hook] = (),
        max_in_flight: int = 1000,
        seed: int = 0,
        strict: bool = False,
        clock: FakeClock | None = None,
    ) -> None:
        transport = self._set_up(behaviour, seed=seed, strict=strict, clock=clock)
        configs = self._configs({"apns": apns, "fcm": fcm, "webpush": webpush})
        Client.__init__(self, **configs, providers=providers, retry=retry, hooks=hooks, max_in_flight=max_in_flight, transport=transport)
        self._flow_while(self._live_state)

    def _live_state(self) -> State | None:
        portal = self._portal
        return portal.states.live if portal is not None else None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it; a strict one checks its scripts."""
        super().__exit__(kind, error, trace)
        if kind is None and self.behaviour.strict:
            self.behaviour.verify()

    def __enter__(self) -> Self:
        """Use it in a ``with``."""
        return self
