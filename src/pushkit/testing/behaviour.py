"""
One object that says how the push services behave: the in-memory transport, the fake clients and the
real server read the same.

    behaviour = Behaviour()
    behaviour.to(device).answer("Unregistered")                    # one recipient, always
    behaviour.apns.next(3).answer("TooManyRequests")               # the next three to Apple
    behaviour.to(registration).after(2).answer("UNREGISTERED")     # registered, then gone
    behaviour.fcm.rate(0.05).answer("UNAVAILABLE", retry_after=2)  # one in twenty, by seed
    behaviour.webpush.next().fault(GoAway("unanswered"))           # on the wire
    behaviour.outage("fcm"); behaviour.recover()
"""

from __future__ import annotations

import difflib
import hashlib
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import attrs

from pushkit.messages import Duration, seconds
from pushkit.secret import fingerprint
from pushkit.testing.addresses import Address, address_of
from pushkit.testing.exchange import Answer
from pushkit.testing.faults import LISTENER_FAULTS, REQUEST_FAULTS, ListenerFault, RequestFault
from pushkit.testing.vocabulary import PROVIDERS, check_word

ACCEPT = "accepted"
"""The word for "take it", to override a wider rule."""


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be done with one push. All parts may be combined; a plan with none of them is normal service."""

    word: str | None = None
    details: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    answer: Answer | None = None
    fault: RequestFault | None = None
    delay: float = 0.0


NORMAL = Plan()

Matcher: TypeAlias = Callable[[Address], bool]


class UnexpectedPush(AssertionError):
    """
    In strict mode: a push that no step was scripted for, or a step that no push used.

    It is an ``AssertionError`` so that nothing takes it for a failure to retry: it goes through the client
    to the test.
    """


@attrs.define(eq=False)
class Step:
    """One scripted rule. Made by the verbs of :class:`Behaviour`."""

    scope: str
    """How it was said, with addresses masked."""
    provider: str | None
    service: str | None
    address: Address | None
    matching: Matcher | None
    skip: int
    times: int | None
    share: float | None
    plan: Plan
    optional: bool
    number: int
    _behaviour: Behaviour = attrs.field(repr=False)
    seen: int = 0
    used: int = 0

    def matches(self, address: Address) -> bool:
        """Whether this step is about that recipient at all."""
        if self.provider is not None and self.provider != address.provider:
            return False
        if self.service is not None and self.service != address.service:
            return False
        if self.address is not None and self.address.key != address.key:
            return False
        return self.matching is None or self.matching(address)

    @property
    def exhausted(self) -> bool:
        """Whether a counted step has been used up."""
        return self.times is not None and self.used >= self.times

    def remove(self) -> None:
        """Take the step back."""
        self._behaviour.remove(self)

    def __str__(self) -> str:
        return self.scope


@attrs.frozen(kw_only=True)
class Script:
    """A rule being said: whom it concerns and when. The last verb (``answer``, ``fault``, ``accept``, ``delay``) makes it a step."""

    behaviour: Behaviour
    provider: str | None = None
    service: str | None = None
    address: Address | None = None
    matching: Matcher | None = None
    skip: int = 0
    times: int | None = None
    share: float | None = None
    is_optional: bool = False
    said: tuple[str, ...] = ()

    def to(self, recipient: object) -> Script:
        """Only this recipient: a target, a token, an endpoint, a topic."""
        address = address_of(recipient)
        return self._with(f"to({address.shown})", address=address)

    def where(self, matching: Matcher) -> Script:
        """Only recipients for whom this gives True."""
        return self._with("where(…)", matching=matching)

    def next(self, count: int = 1) -> Script:
        """Only the next ``count`` pushes."""
        return self._with(f"next({count})", times=_positive(count, "next"))

    def after(self, count: int) -> Script:
        """Not the first ``count`` pushes, only those that follow: how a registered device becomes an unregistered one."""
        return self._with(f"after({count})", skip=_positive(count, "after"))

    def always(self) -> Script:
        """Every push (which is what a rule without a count means)."""
        return self._with("always()", times=None)

    def rate(self, share: float) -> Script:
        """
        This share of the pushes, chosen by the behaviour's seed and the recipient, not by order: the
        same pushes in every run and in every place.
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"rate({share!r}): expected a share between 0.0 and 1.0")
        return self._with(f"rate({share})", share=share)

    def optional(self) -> Script:
        """Strict mode does not mind if it is never used."""
        return self._with("optional()", is_optional=True)

    def answer(self, word: str | Answer, **details: Any) -> Step:
        """
        Answer in the provider's own words.

        Args:
            word: the provider's reason or code (``"Unregistered"``, ``"UNREGISTERED"``, ``"errno 106"``,
                ``"http_503"``; every row of the error tables has one), or a whole :class:`Answer`.
            details: ``retry_after`` (seconds, a datetime, or any text to send as it is), ``since`` (410 of
                APNs: aware datetime), ``message`` (the text beside the code), ``headers``.

        Raises:
            ValueError: for a word that the provider does not use; names the nearest ones.
        """
        if isinstance(word, Answer):
            return self._step(Plan(answer=word), f"answer(<{word.status}>)")
        if word != ACCEPT:
            check_word(word, self.provider or (self.address.provider if self.address and self.address.provider else None))
        return self._step(Plan(word=word, details=details), f"answer({word!r})")

    def accept(self) -> Step:
        """Take it, whatever a wider rule says."""
        return self._step(Plan(word=ACCEPT), "accept()")

    def delay(self, duration: Duration) -> Step:
        """Answer normally, but so much later."""
        return self._step(Plan(delay=seconds(duration)), f"delay({seconds(duration):g})")

    def fault(self, fault: RequestFault) -> Step:
        """
        Break the wire.

        Raises:
            TypeError: for a fault of a whole port (use ``outage(…)``) or anything else.
        """
        given: object = fault
        if not isinstance(given, REQUEST_FAULTS):
            mend = "use behaviour.outage(…, fault=…) for it" if isinstance(given, LISTENER_FAULTS) else "see pushkit.testing.faults"
            raise TypeError(f"fault() takes a fault of one request, not {type(given).__name__}; {mend}")
        return self._step(Plan(fault=fault), f"fault({fault})")

    def _with(self, said: str, **changes: Any) -> Script:
        return attrs.evolve(self, said=(*self.said, said), **changes)

    def _step(self, plan: Plan, said: str) -> Step:
        return self.behaviour.add(self, plan, ".".join((*self.said, said)))


class Behaviour:
    """
    How the push services behave. Safe to use from any thread; a fresh one is normal service.

    Steps about a recipient come before steps about a provider; counted ones (``next``) in the order in
    which they were said, before uncounted ones, of which the newest holds.

    Args:
        seed: what ``rate`` draws from.
        strict: a push that no step was written for raises :class:`UnexpectedPush` in the in-memory
            places (the real server answers 500 and remembers it), and :meth:`verify` complains about
            unused steps.
    """

    def __init__(self, *, seed: int = 0, strict: bool = False) -> None:
        self.seed = seed
        self.strict = strict
        self._lock = threading.RLock()
        self._steps: list[Step] = []
        # By recipient, and under None what is about none in particular: thousands may be scripted one by one.
        self._about: dict[str | None, list[Step]] = {None: []}
        self._made = 0
        self._outages: dict[str, Plan | ListenerFault] = {}
        self._draws: dict[tuple[int, str], int] = {}
        self._unexpected: list[str] = []
        self._listeners: list[Callable[[], None]] = []

    # What to say

    @property
    def any(self) -> Script:
        """Pushes to every provider."""
        return Script(behaviour=self, said=("behaviour",))

    @property
    def apns(self) -> Script:
        """Pushes to APNs."""
        return Script(behaviour=self, provider="apns", said=("behaviour.apns",))

    @property
    def fcm(self) -> Script:
        """Pushes to FCM."""
        return Script(behaviour=self, provider="fcm", said=("behaviour.fcm",))

    @property
    def webpush(self) -> Script:
        """Web pushes to every service."""
        return Script(behaviour=self, provider="webpush", said=("behaviour.webpush",))

    @property
    def oauth(self) -> Script:
        """Google's token endpoint, STS and the metadata server."""
        return Script(behaviour=self, provider="oauth", said=("behaviour.oauth",))

    @property
    def topics(self) -> Script:
        """FCM topic subscriptions, by registration, over the new API and the old one."""
        return Script(behaviour=self, provider="topics", said=("behaviour.topics",))

    def webpush_service(self, service: str) -> Script:
        """Web pushes to one service: ``"mozilla"``, ``"google"``, ``"apple"``, ``"microsoft"``."""
        return Script(behaviour=self, provider="webpush", service=service, said=(f"behaviour.webpush_service({service!r})",))

    def to(self, recipient: object) -> Script:
        """Pushes to this recipient: a target, a token, an endpoint, a topic."""
        return self.any.to(recipient)

    def outage(self, provider: str | None = None, *, word: str | None = None, fault: RequestFault | ListenerFault | None = None) -> None:
        """
        A provider (None: all) is down until :meth:`recover`.

        Args:
            provider: ``"apns"``, ``"fcm"``, ``"webpush"``, ``"oauth"``, ``"topics"``.
            word: what it answers; by default its 503.
            fault: what breaks instead of an answer (``Refuse()``, ``Silence()``, ``TlsFailure()`` or a fault of a request).
        """
        with self._lock:
            for name in _providers(provider):
                if fault is not None and isinstance(fault, LISTENER_FAULTS):
                    self._outages[name] = fault
                elif fault is not None:
                    self._outages[name] = Plan(fault=fault)
                else:
                    if word is not None:
                        check_word(word, name)
                    self._outages[name] = Plan(word=word or _DOWN[name])
        self._changed()

    def recover(self, provider: str | None = None) -> None:
        """The outage is over."""
        with self._lock:
            for name in _providers(provider):
                self._outages.pop(name, None)
        self._changed()

    def reset(self) -> None:
        """Forget every step and outage."""
        with self._lock:
            self._steps.clear()
            self._index()
            self._outages.clear()
            self._draws.clear()
            self._unexpected.clear()
        self._changed()

    @contextmanager
    def checkpoint(self) -> Generator[Behaviour, None, None]:
        """Steps and outages of this block are forgotten at its end; the earlier ones are back as they were."""
        with self._lock:
            steps = [(step, step.seen, step.used) for step in self._steps]
            outages = dict(self._outages)
        try:
            yield self
        finally:
            with self._lock:
                for step, seen, used in steps:
                    step.seen, step.used = seen, used
                self._steps = [step for step, _, _ in steps]
                self._index()
                self._outages = outages
            self._changed()

    # What happened

    @property
    def steps(self) -> Sequence[Step]:
        """What was scripted, oldest first."""
        with self._lock:
            return tuple(self._steps)

    @property
    def unused(self) -> Sequence[Step]:
        """Steps that no push has used, and counted ones that were not used often enough, without the optional ones."""
        with self._lock:
            return tuple(s for s in self._steps if not s.optional and (s.used == 0 or (s.times is not None and s.used < s.times)))

    @property
    def unexpected(self) -> Sequence[str]:
        """Strict mode: what came without a step, masked."""
        with self._lock:
            return tuple(self._unexpected)

    def verify(self) -> None:
        """
        Check that everything scripted was used, and, in strict mode, that nothing else came.

        Raises:
            UnexpectedPush: names the unused steps and what came instead.
        """
        complaints = [f"never used: {_usage(step)}" for step in self.unused]
        complaints += [f"never scripted: {text}" for text in self.unexpected]
        if complaints:
            raise UnexpectedPush("the push services were not used as scripted:\n  " + "\n  ".join(complaints))

    # For the places that read it

    def plan(self, address: Address, *, is_push: bool = True) -> Plan:
        """
        What to do with the push (or, ``is_push`` False, the token request and the like) that just came; counts it.

        Raises:
            UnexpectedPush: in strict mode, when no step was written for it.
        """
        if not self._steps and not (self.strict and is_push):
            return NORMAL
        with self._lock:
            chosen: Step | None = None
            written = False
            due: list[Step] = []
            for step in (*self._about.get(address.key, ()), *self._about[None]):
                if not step.matches(address):
                    continue
                written = True
                step.seen += 1
                if step.seen > step.skip and not step.exhausted and self._drawn(step, address):
                    due.append(step)
            if due:
                chosen = min(due, key=_precedence)
                chosen.used += 1
                return chosen.plan
            if self.strict and is_push and not written:
                raise self._surprise(address)
            return NORMAL

    def down(self, provider: str) -> Plan | ListenerFault | None:
        """The outage of a provider, if any."""
        return self._outages.get(provider) if self._outages else None

    def listen(self, listener: Callable[[], None]) -> None:
        """Call back (in the thread that changes something) when outages change."""
        with self._lock:
            self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Stop calling back."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def add(self, script: Script, plan: Plan, said: str) -> Step:
        """Make a step of a script."""
        with self._lock:
            self._made += 1
            step = Step(
                said,
                script.provider,
                script.service,
                script.address,
                script.matching,
                script.skip,
                script.times,
                script.share,
                plan,
                script.is_optional,
                self._made,
                self,
            )
            self._steps.append(step)
            self._about.setdefault(None if step.address is None else step.address.key, []).append(step)
            return step

    def remove(self, step: Step) -> None:
        """Take a step back; one that is not there is ignored."""
        with self._lock:
            if step in self._steps:
                self._steps.remove(step)
                self._index()

    def _index(self) -> None:
        self._about = {None: []}
        for step in self._steps:
            self._about.setdefault(None if step.address is None else step.address.key, []).append(step)

    def _drawn(self, step: Step, address: Address) -> bool:
        if step.share is None:
            return True
        turn = self._draws.get((step.number, address.short), 0)
        if len(self._draws) > _MOST_DRAWS:
            self._draws.clear()
        self._draws[step.number, address.short] = turn + 1
        digest = hashlib.blake2b(f"{self.seed} {step.number} {address.short} {turn}".encode("utf-8", "replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") < step.share * 2**64

    def _surprise(self, address: Address) -> UnexpectedPush:
        text = f"a push to {address.shown}"
        self._unexpected.append(text)
        known = [step for step in self._steps if not step.exhausted]
        lines = [f"{text}, and no step was written for it (strict)."]
        near = difflib.get_close_matches(address.short, [s.address.short for s in known if s.address], n=3, cutoff=0.8)
        lines += [f"  near miss: to(…{fingerprint(short)}) differs in its address" for short in near]
        lines += [f"  scripted: {_usage(step)}" for step in known[:10]] or ["  nothing is scripted"]
        lines.append("  mend: script it (behaviour.to(…).accept()), or make the behaviour without strict=True")
        return UnexpectedPush("\n".join(lines))

    def _changed(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def __repr__(self) -> str:
        return f"<Behaviour {len(self._steps)} steps{' strict' if self.strict else ''}{f' down={sorted(self._outages)}' if self._outages else ''}>"


_MOST_DRAWS = 200_000

_DOWN: Mapping[str, str] = {
    "apns": "ServiceUnavailable",
    "fcm": "UNAVAILABLE",
    "webpush": "unavailable",
    "oauth": "http_503",
    "topics": "UNAVAILABLE",
}


def _providers(provider: str | None) -> tuple[str, ...]:
    if provider is None:
        return PROVIDERS
    if provider not in PROVIDERS:
        raise ValueError(f"provider={provider!r}: expected one of {', '.join(PROVIDERS)}")
    return (provider,)


def _positive(count: int, verb: str) -> int:
    if count < 1:
        raise ValueError(f"{verb}({count!r}): expected a count of at least 1")
    return count


def _precedence(step: Step) -> tuple[bool, bool, int]:
    counted = step.times is not None
    return (step.address is None, not counted, step.number if counted else -step.number)


def _usage(step: Step) -> str:
    wanted = "" if step.times is None else f" of {step.times}"
    return f"{step.scope} (used {step.used}{wanted}, matched {step.seen})"
