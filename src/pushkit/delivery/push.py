"""One push on its way, and the call that it belongs to."""

from __future__ import annotations

import contextvars
import inspect
import logging
import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pushkit.delivery.retry import NOW_OR_NEVER, Facts
from pushkit.lru import LRU
from pushkit.message_checks import Lifetime, first_look
from pushkit.messages import Message
from pushkit.outcomes import Attempt, Disposition, WaitedFor
from pushkit.own_reasons import refuse
from pushkit.provider import DryRuns, Prepared, Stamp
from pushkit.verdict import Verdict

if TYPE_CHECKING:
    from pushkit.clock import Timer
    from pushkit.delivery.lanes import Lane
    from pushkit.delivery.policy import RetryPolicy
    from pushkit.delivery.retry import Waits
    from pushkit.delivery.senders import SenderState
    from pushkit.outcomes import Failure, Outcome
    from pushkit.targets import Target
    from pushkit.wire import Cancellable, WireRequest, WireResult

log = logging.getLogger("pushkit")

_IDS_AT_ONCE = 256
_REMEMBERED = 64
"""Different messages that one call keeps prepared: languages and segments repeat, personal messages do not."""
_LATEST = 10_000
_PLACES = 20
"""Places at which one call's message callable raised that the log names."""

_ids: list[str] = []
"""Drawn and not yet used."""
_forking: list[bool] = []
"""Whether children are told to forget them."""


def new_push_id() -> str:
    """A random UUID (version 4) in canonical form. Drawn many at a time, since one ``os.urandom`` call costs more than an id."""
    if not _ids:
        if not _forking:
            # A child that used the rest of a batch would repeat its parent's ids.
            _forking.append(True)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_ids.clear)
        digits = os.urandom(16 * _IDS_AT_ONCE).hex()
        _ids.extend(
            f"{d[:8]}-{d[8:12]}-4{d[13:16]}-{'89ab'[int(d[16], 16) & 3]}{d[17:20]}-{d[20:]}"
            for d in (digits[start : start + 32] for start in range(0, len(digits), 32))
        )
    return _ids.pop()


class Sink(Protocol):
    """Where a call's outcomes go."""

    def deliver(self, push: Push, outcome: Outcome) -> bool:
        """Take the outcome of a push, exactly once. False when nobody will read it."""
        ...


class Nobody:
    """The sink of a push that never leaves: it only lends its fields to an outcome."""

    def deliver(self, push: Push, outcome: Outcome) -> bool:  # noqa: ARG002 - what a sink takes
        """Nobody will read it."""
        return False


class Push:
    """
    One push that was taken, until it has its outcome. Also what a sender sees of it (``PushContext``).

    No task and no future belongs to it: it is moved along by callbacks, and a million of them cost
    what the few that are under way cost.
    """

    __slots__ = (
        "attempt",
        "attempts",
        "call",
        "cancelled",
        "deadline",
        "done",
        "doubtful",
        "early_used",
        "engine",
        "expires_at",
        "give_up",
        "handle",
        "index",
        "key",
        "lane",
        "made",
        "message",
        "now",
        "prepared",
        "push_id",
        "recalled",
        "refreshed",
        "repaid",
        "request",
        "slept",
        "started",
        "started_mono",
        "taken",
        "taken_at",
        "target",
        "timer",
        "token",
        "ttl_zero",
        "unknown_retried",
        "verdict",
        "waited",
        "waited_for",
        "waits",
    )

    def __init__(self, engine: Any, call: Call, target: Target, index: int) -> None:
        self.engine = engine
        self.call = call
        self.target = target
        self.index = index
        self.message: Message | None = None
        self.lane: Lane | None = None
        self.prepared: Prepared | None = None
        self.push_id = ""
        self.key = ""
        self.now = 0.0
        self.expires_at: float | None = None
        self.ttl_zero = False
        self.attempt = 0
        self.deadline = 0.0
        self.token: str | None = None
        self.taken = 0.0
        """Monotonic: when it was taken from the input."""
        self.taken_at = 0.0
        """Epoch seconds: when it was taken first, perhaps by an earlier call."""
        self.give_up = 0.0
        """Monotonic: the policy's deadline."""
        self.started = 0.0
        """Epoch seconds: this attempt's start."""
        self.started_mono = 0.0
        self.attempts: tuple[Attempt, ...] = ()
        self.made = 0
        """Attempts in this call, refused credentials included."""
        self.slept = 0.0
        self.waited = 0.0
        self.waited_for = WaitedFor.NOTHING
        self.waits: Waits | None = None
        self.handle: Cancellable | None = None
        self.request: WireRequest | None = None
        self.timer: Timer | None = None
        self.verdict: Verdict | None = None
        """What the push is sleeping for."""
        self.unknown_retried = False
        self.doubtful = False
        """An earlier attempt may have been accepted."""
        self.recalled: Verdict | None = None
        """Why it is being taken back from the transport."""
        self.refreshed = False
        self.early_used = False
        self.repaid = 0.0
        """What its repeats took from the budget."""
        self.cancelled = False
        self.done = False

    def answered(self, result: WireResult) -> None:
        """The transport's callback."""
        try:
            self.engine.answered(self, result)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not leave somebody waiting for ever
            self.engine.stumbled(self, error)

    def wake(self) -> None:
        """The timer's callback."""
        self.engine.sleepers.wake(self)

    def counts_on(self, failure: Failure) -> None:
        """It is a failure that is sent again: what is known of it holds, whatever may refuse it now."""
        resume = failure.resume
        assert resume is not None
        self.push_id = resume.push_id
        self.taken_at = resume.taken_at or 0.0
        self.expires_at = resume.expires_at
        self.unknown_retried = resume.unknown_retried
        self.attempts = failure.attempts
        self.attempt = failure.attempts[-1].number if failure.attempts else 0
        self.doubtful = failure.disposition is Disposition.UNKNOWN

    def identify(self, ready: Ready, now: float) -> None:
        """Give it what its message says and, unless it is sent again, an identity and a lifetime."""
        life = ready.life
        self.prepared = ready.prepared
        self.key = ready.stamp.key
        self.ttl_zero = life.at is None and life.ttl == 0.0
        self.taken_at = self.taken_at or now
        if not self.push_id:
            self.push_id = new_push_id()
            self.expires_at = life.at if life.at is not None else now + life.ttl

    def left(self, mono: float) -> float:
        """Seconds to the policy's deadline."""
        return self.give_up - mono

    def lifetime(self, now: float) -> float:
        """Seconds to the expiry; infinite without one."""
        if self.expires_at is None:
            return float("inf")
        return self.expires_at + (NOW_OR_NEVER if self.ttl_zero else 0.0) - now

    def facts(self, mono: float, now: float) -> Facts:
        """What the retry decision has to know."""
        return Facts(
            made=self.made,
            slept=self.slept,
            left=self.left(mono),
            lifetime=self.lifetime(now),
            now_or_never=self.ttl_zero,
            replaceable=self.prepared is not None and self.prepared.replaceable,
            unknown_retried=self.unknown_retried,
            refreshed=self.refreshed,
            early_used=self.early_used,
        )


class Latest:
    """Which push was the last to each recipient, for messages that a later one makes worthless."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: LRU[Hashable, str] = LRU(_LATEST)

    def passed(self, push: Push, *, again: bool) -> bool:
        """Whether a later one went to the same recipient before this one is sent again; otherwise this is the latest."""
        key = (push.target.provider, push.target.app, push.target.address)
        try:
            hash(key)
        except TypeError:
            return False  # A bad row: its address is refused where it is used.
        if again and self._known.get(key) not in {None, push.push_id}:
            return True
        self._known.put(key, push.push_id)
        return False


class Ready:
    """A message made ready for one kind of target of one sender."""

    __slots__ = ("life", "message", "prepared", "stamp")

    def __init__(self, message: Message, stamp: Stamp, prepared: Prepared, life: Lifetime) -> None:
        self.message = message
        self.stamp = stamp
        self.prepared = prepared
        self.life = life


class Call:
    """What the pushes of one ``send``, ``send_many``, ``stream`` or ``resume`` share."""

    __slots__ = (
        "_fixed",
        "_last",
        "_stamp",
        "context",
        "dry_run",
        "left",
        "make",
        "message",
        "objection",
        "policy",
        "quota",
        "raised_at",
        "single",
        "sink",
    )

    def __init__(
        self,
        message: Message | Callable[[Any], Message] | None,
        policy: RetryPolicy,
        sink: Sink,
        *,
        single: bool = False,
        dry_run: bool = False,
    ) -> None:
        self.message = message if isinstance(message, Message) else None
        self.make = None if isinstance(message, Message) else message
        self.quota = message.quota if isinstance(message, Message) else ""
        """What its pushes count against at the provider, unless a callable's message says otherwise."""
        self.policy = policy
        self.sink = sink
        self.single = single
        self.objection: BaseException | None = None
        """
        What a test's transport raised about one of these pushes, or the message callable without its being an ``Exception``:
        raised to the caller when they have ended.
        """
        self.dry_run = dry_run
        self.left = False
        """Whether its stream was left: what is only about to be sent is not."""
        self.raised_at: set[str] = set()
        """Where the message callable raised, as far as it was said in the log."""
        # Answers arrive in the context that opened the connection; hooks belong to the context of the call.
        self.context = contextvars.copy_context()
        self._fixed: dict[tuple[SenderState, type[Target]], Ready | Verdict] = {}
        self._last: dict[tuple[int, SenderState, type[Target]], tuple[Message, Ready | Verdict]] = {}
        self._stamp: Stamp | None = None

    def ready(self, message: Message, state: SenderState, kind: type[Target]) -> Ready | Verdict:
        """
        The message made ready: once for a call's own message, and for a callable's as long as it repeats itself.

        A callable's messages each get a key of their own: two different ones for the same device must
        not replace each other.
        """
        if message is self.message:
            fixed = self._fixed.get((state, kind))
            if fixed is None:
                self._stamp = self._stamp or self._stamped(message)
                fixed = self._fixed[state, kind] = self._prepare(message, self._stamp, state, kind)
            return fixed
        key = (id(message), state, kind)
        known = self._last.get(key)
        if known is not None:
            return known[1]
        return self._remember(key, message, self._prepare(message, self._stamped(message), state, kind))

    def _stamped(self, message: Message) -> Stamp:
        given = message.key
        key = given if isinstance(given, str) and given else new_push_id()
        return Stamp(key=key, dedupe=self.policy.dedupe, dry_run=self.dry_run)

    def _remember(self, key: tuple[int, SenderState, type[Target]], message: Message, found: Ready | Verdict) -> Ready | Verdict:
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        # With the message itself: as long as it is in the table, its id is nobody else's.
        self._last[key] = (message, found)
        return found

    def ready_again(self, message: Message, stamp: Stamp, state: SenderState, kind: type[Target]) -> Ready | Verdict:
        """The message of a resumed push, under the identity that it had."""
        key = (id(message), state, kind)
        known = self._last.get(key)
        if known is not None and isinstance(known[1], Ready) and known[1].stamp == stamp:
            return known[1]
        return self._remember(key, message, self._prepare(message, stamp, state, kind))

    def _prepare(self, message: Message, stamp: Stamp, state: SenderState, kind: type[Target]) -> Ready | Verdict:
        if message.provider is not None and message.provider != state.provider:
            return refuse(
                "wrong_message",
                advice=f"Send this message to {message.provider}'s targets only, or use a Notification, which goes to every kind.",
                detail=f"a message of {message.provider} for a target of {state.provider}",
            )
        if stamp.dry_run and not (isinstance(state.sender, DryRuns) and state.sender.dry_runs):
            # Here and not in the providers: one that does not know the word would really send.
            return refuse("dry_run_not_supported", field="dry_run")
        life = first_look(message)
        if isinstance(life, Verdict):
            return life
        prepared = state.sender.prepare(message, kind, stamp)
        return prepared if isinstance(prepared, Verdict) else Ready(message, stamp, prepared, life)


def make_message(call: Call, target: Any) -> tuple[Message | None, Verdict | None]:
    """Call the caller's ``message`` callable, exactly once for this push."""
    assert call.make is not None
    try:
        message: Any = call.make(target)
    except Exception as error:  # noqa: BLE001 - one row's trouble must not stop a broadcast
        # The place is for whoever wrote the callable; the text may quote the row, so it is told nowhere.
        what = f"the message callable raised {type(error).__name__} {_raised_at(error)}"
        if len(call.raised_at) < _PLACES and what not in call.raised_at:
            call.raised_at.add(what)
            log.warning("%s; told once for this call, each push that it concerns is a failure of its own", what)
        return None, no_message(what)
    if isinstance(message, Message):
        return message, None
    if inspect.iscoroutine(message):
        message.close()
        return None, no_message("the message callable is an async function; make it a plain one, and fetch what it needs beforehand")
    return None, no_message(f"the message callable gave a {type(message).__name__}; expected a Notification or a provider's message")


def made_here(call: Call, target: Any) -> tuple[Message | None, Verdict | None]:
    """
    The same on the event loop, where nobody would hear of what is no ``Exception`` (a cancellation, a test's failure): it goes to the caller.

    Raises:
        KeyboardInterrupt, SystemExit: they end the loop as well.
    """
    try:
        return make_message(call, target)
    except BaseException as error:
        call.objection = call.objection or error
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return None, no_message(f"the message callable raised {type(error).__name__}")


def _raised_at(error: Exception) -> str:
    """Where: the innermost line, by the file's name alone."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "somewhere"
    code = trace.tb_frame.f_code
    return f"at {Path(code.co_filename).name}:{trace.tb_lineno} in {code.co_name}"


def no_message(detail: str) -> Verdict:
    """There is no message for this target."""
    return refuse("message_failed", field="message", detail=detail)
