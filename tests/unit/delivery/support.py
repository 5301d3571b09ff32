"""A toy push service: a provider that reads verdicts from a table, and a transport that answers what a test scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

import attrs

from pushkit import AsyncClient
from pushkit.codec import register
from pushkit.delivery.policy import RetryPolicy
from pushkit.health import Finding, Level
from pushkit.messages import Message
from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.provider import Credential, Prepared, PushContext, Stamp
from pushkit.targets import Target
from pushkit.testing import FakeClock
from pushkit.verdict import Acceptance, LatchCredential, Pause, PauseScope, RefreshCredential, RetireConnection, Verdict, refuse_recipient
from pushkit.wire import (
    DEFAULT_POLICY,
    FaultKind,
    HeaderBlock,
    Origin,
    OriginHealth,
    OriginPolicy,
    Processed,
    WireFault,
    WireRequest,
    WireResponse,
    WireResult,
)

T = TypeVar("T")


@register("toy.Phone")
@attrs.frozen(repr=False)
class Phone(Target):
    """A toy's target; its host decides where it is reached."""

    provider: ClassVar[str] = "toy"
    number: str
    host: str = "toy.example"

    @property
    def address(self) -> Hashable:
        return self.number


@register("toy.Words")
@attrs.frozen(kw_only=True, repr=False)
class Words(Message):
    """A toy's message."""

    provider: ClassVar[str | None] = "toy"
    text: str = "hello"
    replaces: bool = False
    """Whether a second copy replaces the first."""


@attrs.frozen(kw_only=True, repr=False)
class Score(Words):
    """A message that a later one makes worthless."""

    superseded_by_later: ClassVar[bool] = True


def technical(reason: str, *, disposition: Disposition = Disposition.REJECTED, floor: float | None = 1.0, **more: Any) -> Verdict:
    """A technical verdict that may be retried."""
    fields: dict[str, Any] = {"scope": Scope.ATTEMPT, "retryable": True, "action": Action.RETRY_LATER, **more}
    return Verdict(category=Category.TECHNICAL, reason=reason, disposition=disposition, floor=floor, advice="Try again later.", **fields)


def recipient(reason: str, action: Action = Action.REMOVE_RECIPIENT, **more: Any) -> Verdict:
    """A recipient verdict."""
    return Verdict(category=Category.RECIPIENT, reason=reason, action=action, disposition=Disposition.REJECTED, advice="Gone.", **more)


VERDICTS: dict[int, Verdict] = {
    410: recipient("gone", status=410),
    404: recipient("mismatch", Action.REVIEW_RECIPIENT, suspicion=True, status=404),
    400: Verdict(
        category=Category.PAYLOAD, reason="bad", action=Action.FIX_PAYLOAD, disposition=Disposition.REJECTED, advice="Mend it.", status=400
    ),
    429: technical(
        "slow_down", scope=Scope.THROTTLE, floor=60.0, status=429, directives=(Pause(scope=PauseScope.RECIPIENT, seconds=60.0),)
    ),
    430: technical("quota", scope=Scope.THROTTLE, floor=5.0, status=430, directives=(Pause(scope=PauseScope.PROJECT, seconds=5.0),)),
    401: technical("stale", scope=Scope.CREDENTIAL, floor=0.0, status=401, directives=(RefreshCredential(),)),
    403: technical(
        "bad_key",
        scope=Scope.CREDENTIAL,
        retryable=False,
        action=Action.FIX_CREDENTIALS,
        floor=None,
        status=403,
        directives=(LatchCredential(),),
    ),
    500: technical("broken", floor=900.0, early=1.0, status=500, directives=(RetireConnection(),)),
    502: technical("maybe", disposition=Disposition.UNKNOWN, floor=1.0, status=502),
    503: technical("busy", floor=1.0, status=503),
    506: technical("busy_long", floor=60.0, status=506),
}


class ToySender:
    """One app of the toy."""

    provider = "toy"
    attempt_timeout = 10.0

    def __init__(self, app: str, *, rate: float | None = None, credential: Credential | None = None, pool_key: Hashable = None) -> None:
        self.app = app
        self.rate = rate
        self.credential = credential
        self.pool_key = pool_key
        self.prepared = 0
        self.refreshed = 0
        self.addressed: list[PushView] = []

    @property
    def origins(self) -> Sequence[tuple[Origin, OriginPolicy, Hashable]]:
        return ((Origin("toy.example"), DEFAULT_POLICY, self.pool_key),)

    def environment(self, target: Target) -> str:
        return getattr(target, "host", "toy.example")

    def prepare(self, message: Message, kind: type[Target], stamp: Stamp) -> Prepared | Verdict:
        self.prepared += 1
        return Prepared(message, stamp, replaceable=getattr(message, "replaces", False) and stamp.dedupe)

    def check(self, prepared: Prepared, target: Target, now: float) -> Verdict | None:
        if not isinstance(target, Phone) or not target.number:
            return refuse_recipient("invalid_number", "Remove it.")
        return None

    def address(self, prepared: Prepared, target: Target, push: PushContext) -> WireRequest | Verdict:
        refused = self.check(prepared, target, push.now)
        if refused is not None:
            return refused
        assert isinstance(target, Phone)
        ttl = -1 if push.expires_at is None else max(0, int(push.expires_at - push.now))
        self.addressed.append(PushView(target.number, push.push_id, push.attempt, ttl, prepared.stamp.key, push.token))
        headers = ((b"ttl", str(ttl).encode()), (b"token", (push.token or "").encode()))
        return WireRequest(
            b"POST",
            Origin(target.host),
            f"/{target.number}".encode(),
            HeaderBlock(()),
            headers,
            b"",
            push.deadline,
            pool_key=self.pool_key,
        )

    def throttle_key(self, target: Target) -> Hashable:
        return target.address

    def classify(self, result: WireResult, request: WireRequest, prepared: Prepared, target: Target, now: float) -> Acceptance | Verdict:
        if isinstance(result, WireFault):
            unknown = result.processed is Processed.UNKNOWN
            return technical(
                result.kind.value, disposition=Disposition.UNKNOWN if unknown else Disposition.NOT_SENT, directives=(RetireConnection(),)
            )
        if result.status == 200:
            return Acceptance(message_id="m")
        asked = result.header(b"retry-after")
        verdict = VERDICTS[result.status]
        return verdict if asked is None else attrs.evolve(verdict, retry_after=float(asked))

    def refresh(self, request: WireRequest) -> None:
        self.refreshed += 1

    def findings(self, now: float) -> Iterable[Finding]:
        yield Finding(level=Level.OK, provider="toy", app=self.app, subject="credentials", message="fine")


@attrs.frozen
class PushView:
    """What the sender was asked to address."""

    number: str
    push_id: str
    attempt: int
    ttl: int
    key: str
    token: str | None


class Toy:
    """The toy provider; ``senders`` remembers each that was opened."""

    name = "toy"

    def __init__(self, make: Callable[[str], ToySender | None] = ToySender) -> None:
        self._make = make
        self.senders: list[ToySender] = []

    def open(self, app: str) -> ToySender | None:
        sender = self._make(app)
        if sender is not None:
            self.senders.append(sender)
        return sender

    def apps(self) -> Sequence[str]:
        return ("default",)


Answer = int | WireResult | tuple[float, "int | WireResult"] | None
"""A status, a result, (seconds, either), or None for silence until the deadline."""


class Flight:
    """A request under way."""

    def __init__(self, transport: Scripted, request: WireRequest, done: Callable[[WireResult], None]) -> None:
        self.transport = transport
        self.request = request
        self.done: Callable[[WireResult], None] | None = done

    def answer(self, result: WireResult) -> None:
        done, self.done = self.done, None
        if done is not None:
            self.transport.flights.discard(self)
            done(result)

    def cancel(self) -> None:
        self.transport.cancelled += 1
        self.answer(WireFault(kind=FaultKind.CANCELLED, processed=Processed.UNKNOWN))


class Scripted:
    """
    A transport that answers what ``script`` says: called with (request, how many came before for this path).

    Silence ends with a TIMEOUT of unknown fate at the request's deadline, as the seam demands.
    """

    def __init__(self, script: Callable[[WireRequest, int], Answer] | Answer = 200, clock: FakeClock | None = None) -> None:
        self.script = script if callable(script) else lambda _request, _count: script
        self.clock = clock or FakeClock()
        self.requests: list[tuple[float, WireRequest]] = []
        self.flights: set[Flight] = set()
        self.peak = 0
        self.retired: list[int] = []
        self.forgotten: list[Hashable] = []
        self.cancelled = 0
        self.closed = False
        self._counts: dict[bytes, int] = {}

    def submit(self, request: WireRequest, done: Callable[[WireResult], None]) -> Flight:
        flight = Flight(self, request, done)
        self.flights.add(flight)
        self.peak = max(self.peak, len(self.flights))
        self.requests.append((self.clock.time(), request))
        count = self._counts.get(request.path, 0)
        self._counts[request.path] = count + 1
        answer = self.script(request, count)
        delay, result = answer if isinstance(answer, tuple) else (0.0, answer)
        if result is None:
            timeout = WireFault(kind=FaultKind.TIMEOUT, processed=Processed.UNKNOWN)
            self.clock.call_at(request.deadline, lambda: flight.answer(timeout))
        else:
            made = WireResponse(result, (), b"", 7) if isinstance(result, int) else result
            if delay > 0:
                self.clock.call_at(self.clock.monotonic() + delay, lambda: flight.answer(made))
            else:
                asyncio.get_running_loop().call_soon(flight.answer, made)
        return flight

    def retire(self, connection_id: int, *, rejected: bool = False) -> None:
        self.retired.append(connection_id)

    def forget(self, pool_key: Hashable) -> None:
        self.forgotten.append(pool_key)

    async def connect(self, origin: Origin, policy: OriginPolicy, pool_key: Hashable, timeout: float) -> WireFault | None:
        return None

    def health(self) -> Sequence[OriginHealth]:
        return ()

    async def aclose(self) -> None:
        self.closed = True
        for flight in list(self.flights):
            flight.answer(WireFault(kind=FaultKind.CLOSED, processed=Processed.UNKNOWN))

    @property
    def paths(self) -> list[str]:
        """Every request's path, in order."""
        return [request.path.decode()[1:] for _, request in self.requests]

    def times(self, start: float | None = None) -> list[float]:
        """Every request's time, in seconds from the first (or from ``start``)."""
        first = self.requests[0][0] if start is None else start
        return [round(at - first, 3) for at, _ in self.requests]


def response(status: int, **headers: str) -> WireResponse:
    """An answer with header fields."""
    return WireResponse(status, tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()), b"", 7)


def lost(processed: Processed = Processed.UNKNOWN) -> WireFault:
    """A connection that broke."""
    return WireFault(kind=FaultKind.CONNECTION_LOST, processed=processed, connection_id=7)


def refused() -> WireFault:
    """No connection."""
    return WireFault(kind=FaultKind.CONNECT_FAILED, processed=Processed.NO)


STEADY = RetryPolicy(jitter=None)
"""The default policy without chance."""


def client(transport: Scripted, toy: Toy | None = None, **more: Any) -> AsyncClient:
    """A client of the toy service."""
    more.setdefault("retry", STEADY)
    return AsyncClient(providers=[toy or Toy()], transport=transport, **more)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own."""
    return asyncio.run(work)


async def settled(turns: int = 30) -> None:
    """Let the loop do what is ready."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def after(clock: FakeClock, work: Coroutine[Any, Any, T], limit: float = 3600.0, step: float = 0.25) -> T:
    """Let fake time pass until the work is done."""
    task = asyncio.ensure_future(work)
    passed = 0.0
    while not task.done() and passed <= limit:
        await clock.advance_async(step)
        passed += step
    if not task.done():
        task.cancel()
        raise AssertionError(f"not done after {limit} seconds of fake time")
    return await task


def phones(count: int, host: str = "toy.example") -> list[Phone]:
    """So many targets."""
    return [Phone(f"n{number}", host) for number in range(count)]
