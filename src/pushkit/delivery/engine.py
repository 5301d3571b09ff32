"""
The way of a push, from the call that takes it to its one outcome.

One event loop, no task for each push: callbacks move a :class:`~pushkit.delivery.push.Push` from its
sender through checks, credential and slot to the transport, and from the answer through classification
and the retry decision to its outcome. The decisions are pure functions and small state machines in the
modules beside this one; only this one acts on a verdict's directives.

    take -> place -> launch -> (transport) -> answered -> accepted | failed -> finish
                ^                                             |
                +------- wake <------ sleep <----- decide ----+
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pushkit.clock import Clock
from pushkit.delivery import settle
from pushkit.delivery.admission import broken_circuit, held_back, held_up, shut, too_late
from pushkit.delivery.apps import Apps
from pushkit.delivery.breaker import State
from pushkit.delivery.budget import REFUND_CLEAN, cost
from pushkit.delivery.directives import SOON, Director
from pushkit.delivery.dispatch import Dispatch, Feed
from pushkit.delivery.guard import Guard
from pushkit.delivery.keyless import Keyless
from pushkit.delivery.lanes import Lane
from pushkit.delivery.news import News
from pushkit.delivery.push import Call, Latest, Push, made_here
from pushkit.delivery.retry import Decision, Stop, Waits, copy_allowed, decide, least_delay, second_copy_allowed
from pushkit.delivery.sleepers import PARKING, Sleepers
from pushkit.messages import Message
from pushkit.outcomes import Category, Disposition, Failure, Outcome, WaitedFor
from pushkit.provider import AccessToken, Provider, Stamp
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import FaultKind, Transport, WireFault, WireResponse, WireResult

if TYPE_CHECKING:
    from pushkit.events import Hook, MassInvalidation


class Engine:
    """Delivers the pushes of one client, on one event loop."""

    def __init__(
        self,
        *,
        providers: Iterable[Provider],
        transport: Transport,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        hooks: Iterable[Hook] = (),
        max_in_flight: int = 1000,
        chance: Callable[[], float] = random.random,
        guard: Guard | None = None,
    ) -> None:
        self.transport = transport
        self.clock = clock
        self.loop = loop
        self.news = News(hooks)
        self.dispatch = Dispatch(loop, clock, max_in_flight, self.launch, self._late)
        self.slots = self.dispatch.slots
        self.guard = guard or Guard()
        self.apps = Apps(providers, transport, clock, loop)
        self.store = self.apps.store
        self.senders = self.apps.senders
        self.director = self.apps.director = Director(self)
        self.active = 0
        """Pushes taken and neither finished nor asleep."""
        self.closing = False
        self.suspicions: list[list[MassInvalidation]] = []
        """Where running reports hear what the guard says."""
        self.streams: set[Feed] = set()
        """Streams that read their input still."""
        self._chance = chance
        self.sleepers = Sleepers(clock, PARKING * max_in_flight, self._woken)
        self.keyless = Keyless(clock, self.store, self._token_arrived, self._late)
        self.launched: set[Push] = set()
        """Pushes whose requests the transport has."""
        self._drained: asyncio.Future[None] | None = None
        self._latest = Latest()
        self._monotonic = clock.monotonic
        self._time = clock.time

    # -- taking ------------------------------------------------------------------------------------

    def lane_of(self, target: Any, quota: str = "") -> Lane | Verdict:
        """Where a target's pushes go, or why nowhere. Cheap: asked for every target before it is taken. ``quota``: the message's."""
        state = self.senders.get(target)
        if isinstance(state, Verdict):
            return state
        try:
            return state.lane(target, self.guard, self._monotonic(), quota)
        except Exception as error:  # noqa: BLE001 - a fourth provider's mistake stops its own pushes alone
            return settle.broken(state.provider, error)

    def take(
        self,
        call: Call,
        target: Any,
        where: Lane | Verdict,
        index: int = 0,
        *,
        message: Message | None = None,
        problem: Verdict | None = None,
        refusal: Verdict | None = None,
        failure: Failure | None = None,
    ) -> Push:
        """
        Take a push; its outcome goes to ``call.sink``, exactly once, perhaps before this returns.

        Args:
            call: what it belongs to.
            target: whom it is for.
            where: what ``lane_of`` said.
            index: its place in the input.
            message: what to say, where the caller has made it already.
            problem: why there is no message.
            refusal: why it is not to be sent although it was read from the input (the stream was left).
            failure: what is sent again, under its old identity (it has a ``resume``).
        """
        push = Push(self, call, target, index)
        if failure is not None:
            push.counts_on(failure)
        self.active += 1
        push.taken = self._monotonic()
        push.give_up = push.taken + call.policy.deadline
        push.message = message = message or call.message
        if isinstance(where, Verdict):
            self.finish(push, settle.failed(push, where, push.taken))
            return push
        push.lane = lane = where
        if message is None:
            if refusal is None and problem is None:
                message, problem = made_here(call, target)
            if message is None:
                # Of one that is refused nobody made the message, and nobody needs to.
                refused = refusal or problem
                assert refused is not None
                self.finish(push, settle.failed(push, refused, push.taken))
                return push
            push.message = message
            if message.quota != lane.quota:
                push.lane = lane = lane.state.lane(target, self.guard, push.taken, message.quota)
        try:
            if failure is None or failure.resume is None:
                ready = call.ready(message, lane.state, target.__class__)
            else:
                resume = failure.resume
                stamp = Stamp(key=resume.key, dedupe=resume.dedupe, dry_run=resume.dry_run)
                ready = call.ready_again(message, stamp, lane.state, target.__class__)
        except Exception as error:  # noqa: BLE001 - a fourth provider's mistake
            ready = settle.broken(lane.state.provider, error)
        if isinstance(ready, Verdict):
            self.finish(push, settle.failed(push, ready, push.taken))
            return push
        push.identify(ready, self._time())
        if push.doubtful and failure is not None and not second_copy_allowed(call.policy, replaceable=ready.prepared.replaceable):
            self.finish(push, settle.given_back(failure))
            return push
        if message.superseded_by_later and self._latest.passed(push, again=failure is not None):
            refusal = settle.superseded()
        if self.closing and refusal is None:
            refusal = settle.closed()
        if refusal is not None:
            self.fail(push, refusal, Stop.CLOSING)
        elif call.single:
            self.place(push)
        else:
            self.launch(push, lane)  # a stream has asked for room just now
        return push

    # -- placing and launching -----------------------------------------------------------------------

    def place(self, push: Push) -> None:
        """Start the next attempt now, or put the push in its lane's queue."""
        if push.done:
            return
        lane = push.lane
        assert lane is not None
        self.dispatch.place(push, lane)

    def launch(self, push: Push, lane: Lane) -> None:
        """Check once more, take a slot, hand the request to the transport."""
        now = push.now = self._time()
        mono = self._monotonic()
        state = lane.state
        expires_at = push.expires_at
        refusal = None
        # The ordinary push meets none of these: what costs a call is asked for only if there may be something.
        soon = expires_at is not None and expires_at - now < SOON
        if soon or mono >= push.give_up:
            refusal = too_late(push, now, mono)
        latch = state.latch
        if latch is not None:
            refusal = refusal or shut(latch, mono)
        if state.pauses or mono < lane.limiter.paused_until:
            refusal = refusal or held_up(push, lane, mono)
        probing = lane.breaker.state is not State.CLOSED
        if probing:
            refusal = refusal or broken_circuit(lane, mono)
        if refusal is not None:
            self._refused(push, refusal)
            return
        if latch is not None:
            latch.probe(mono)
        if state.credential is not None:
            token = self.store.get(state.credential, state.entry, now)  # type: ignore[arg-type]  # an entry comes with the credential
            if token is None:
                self.keyless.add(push, state)
                return
            if not isinstance(token, AccessToken):
                self._token_arrived(push, token)
                return
            push.token = token.value
        policy = push.call.policy
        push.attempt += 1
        push.made += 1
        if push.doubtful:
            push.unknown_retried = True
        push.deadline = min(mono + (policy.attempt_timeout or state.attempt_timeout), push.give_up)
        if probing:
            lane.breaker.allow(mono)  # only now: the wait for a token would have used the probe's time
            self.news.breaker(lane, None)
        push.started = now
        push.started_mono = mono
        try:
            request = state.sender.address(push.prepared, push.target, push)  # type: ignore[arg-type]  # a placed push is prepared
        except Exception as error:  # noqa: BLE001 - a fourth provider's mistake
            request = settle.broken(state.provider, error)
        if isinstance(request, Verdict):
            self._not_begun(push, lane, request)
            return
        push.request = request
        if not lane.origin:
            lane.origin = str(request.origin)
            self.apps.first_request(state, request.pool_key)
        if self.news.listening:
            self.news.attempt_started(push, lane.origin)
            if push.cancelled or push.call.left:
                self._not_begun(push, lane, settle.cancelled(), Stop.CLOSING)
                return
        self.slots.take(lane)
        lane.limiter.take(mono)
        state.last_used = mono
        self.launched.add(push)
        try:
            push.handle = self.transport.submit(request, push.answered)
        except Exception as error:  # noqa: BLE001 - see settle.objected
            self.launched.discard(push)
            self.slots.give(lane)
            self._not_begun(push, lane, settle.objected(push, error), Stop.CLOSING)
            return
        if soon:
            self.director.watch_expiry(push, now, mono)

    def _not_begun(self, push: Push, lane: Lane, verdict: Verdict, stop: Stop | None = None) -> None:
        """An attempt that ended before it was one; if it was a probe, the next push is another."""
        push.attempt -= 1
        lane.breaker.void(push.started_mono)
        if lane.state.latch is not None:
            lane.state.latch.void(push.started_mono)
        self.fail(push, verdict, stop)

    def _refused(self, push: Push, verdict: Verdict) -> None:
        stop = Stop.CLOSING if self.closing else held_back(verdict, push, self._time(), self._monotonic(), full=self.sleepers.full)
        if stop is not None:
            self.fail(push, verdict, stop)
        else:
            self._sleep(push, verdict, Decision(verdict.floor or 0.0, waits_for=WaitedFor.RETRY_AFTER))

    def _token_arrived(self, push: Push, result: AccessToken | Verdict) -> None:
        if isinstance(result, Verdict):
            push.made += 1
            self.failed(push, result)
        else:
            self.place(push)

    # -- answers -------------------------------------------------------------------------------------

    def answered(self, push: Push, result: WireResult) -> None:
        """The transport's word on an attempt."""
        lane = push.lane
        assert lane is not None
        state = lane.state
        mono = self._monotonic()
        push.now = now = self._time()
        push.handle = None
        self.launched.discard(push)
        if self._drained is not None and not self.launched:
            self._drain_over()
        self.slots.give(lane)
        if not self.dispatch.due:
            self.dispatch.refill_soon()
        try:
            if push.recalled is not None:
                judged: Acceptance | Verdict = push.recalled
            else:
                judged = state.sender.classify(result, push.request, push.prepared, push.target, now)  # type: ignore[arg-type]  # set at launch
        except Exception as error:  # noqa: BLE001 - a fourth provider's mistake; what became of the push is not known
            judged = settle.broken(state.provider, error, Disposition.UNKNOWN)
        if isinstance(judged, Acceptance):
            self._accepted(push, lane, judged, result, mono)
            return
        push.attempts = (*push.attempts, settle.attempted(push, mono, judged.status, judged.reason))
        if self.news.listening:
            self.news.attempt_finished(push, lane.origin)
        lost = isinstance(result, WireFault) and result.kind is FaultKind.CONNECTION_LOST
        self.director.count(push, lane, judged, mono, result.connection_id if lost else 0)
        judged = self.director.act(push, lane, judged, result, mono)
        if judged.disposition is Disposition.UNKNOWN:
            push.doubtful = True
        push.request = None
        self.failed(push, judged)

    def stumbled(self, push: Push, error: BaseException) -> None:
        """Our own code raised after an answer: the push still gets its outcome, and what became of it is not known."""
        self.finish(push, settle.failed(push, settle.broken(push.target.provider, error, Disposition.UNKNOWN), self._monotonic()))

    def _accepted(self, push: Push, lane: Lane, acceptance: Acceptance, result: WireResult, mono: float) -> None:
        attempt = settle.attempted(push, mono, result.status if isinstance(result, WireResponse) else None, None)
        push.attempts = (*push.attempts, attempt) if push.attempts else (attempt,)
        push.request = None
        state = lane.state
        if lane.breaker.success(mono, push.started_mono):
            self.news.breaker(lane, None)
        state.budget.refund(push.repaid or REFUND_CLEAN)
        if state.refusals or state.latch is not None:
            self.director.vouched(state, push.started_mono)
        if push.prepared is not None and not push.prepared.stamp.dry_run:
            self.guard.accepted(lane.watch, mono)
        if self.news.listening:
            self.news.attempt_finished(push, lane.origin)
        self.finish(push, settle.accepted(push, acceptance, mono))

    def failed(self, push: Push, verdict: Verdict) -> None:
        """An attempt, or getting its credential, failed: decide what now."""
        if push.cancelled or self.closing:
            self.fail(push, verdict, Stop.CLOSING)
            return
        policy = push.call.policy
        if push.waits is None and verdict.retryable and policy.attempts > 1:
            push.waits = Waits(policy)
        facts = push.facts(self._monotonic(), self._time())
        assert push.lane is not None
        budget = push.lane.state.budget
        decision = decide(verdict, policy, facts, waits=push.waits, budget=budget, chance=self._chance())
        if decision.delay is None:
            self._stopped(push, verdict, decision)
        elif decision.refresh:
            push.refreshed = True
            push.waited, push.waited_for = 0.0, WaitedFor.NOTHING
            self.place(push)
        elif self.sleepers.full and decision.delay > 0:
            budget.refund(cost(verdict))
            self._stopped(push, verdict, Decision(None, stop=Stop.PARKING, retryable=True, defer=decision.delay))
        else:
            push.early_used = push.early_used or decision.early
            push.repaid += cost(verdict)
            self._sleep(push, verdict, decision)

    def _stopped(self, push: Push, verdict: Verdict, decision: Decision) -> None:
        if decision.stop is Stop.BUDGET:
            assert push.lane is not None
            if push.lane.state.budget.first_refusal(self._monotonic()):
                self.news.budget_exhausted(push.lane.state)
            verdict = settle.exhausted(verdict)
        retry_at = self._time() + decision.defer if decision.retryable else None
        self._report(push, verdict, decision.stop, retry_at)

    def _sleep(self, push: Push, verdict: Verdict, decision: Decision) -> None:
        self.active -= 1
        self.sleepers.add(push, verdict, decision)
        if self.news.listening:
            self.news.retry_scheduled(push, verdict, decision)

    def _woken(self, push: Push) -> None:
        """The wait between two attempts is over."""
        self.active += 1
        self.place(push)

    # -- ends ----------------------------------------------------------------------------------------

    def fail(self, push: Push, verdict: Verdict, stop: Stop | None) -> None:
        """No further attempt: say when one is sensible, if ever."""
        now = self._time()
        facts = push.facts(self._monotonic(), now)
        retry_at = None
        if (
            verdict.retryable
            and copy_allowed(verdict, push.call.policy, facts, doubtful=push.doubtful)
            and least_delay(verdict) < facts.lifetime
        ):
            retry_at = now + least_delay(verdict)
        self._report(push, verdict, stop, retry_at)

    def _report(self, push: Push, verdict: Verdict, stop: Stop | None, retry_at: float | None) -> None:
        mono = self._monotonic()
        action = advice = None
        if verdict.category is Category.RECIPIENT and verdict.status is not None and push.lane is not None:
            action, advice = self.director.believe(push.lane, verdict, mono)
        outcome = settle.failed(push, verdict, mono, retry_at=retry_at, stop=stop, action=action, advice=advice)
        self.finish(push, outcome)

    def finish(self, push: Push, outcome: Outcome) -> None:
        """The one outcome of a push."""
        if push.done:
            return
        push.done = True
        push.waits = None
        self.active -= 1
        read = push.call.sink.deliver(push, outcome)
        if self.news.listening:
            self.news.finished(push, outcome, read=read)
        if not self.dispatch.due:
            self.dispatch.refill_soon()

    def cancel(self, push: Push) -> None:
        """The caller gives up; the push still gets its outcome, which says what is known of its fate."""
        if push.done or push.cancelled:
            return
        push.cancelled = True
        if push.handle is not None:
            push.handle.cancel()
        elif self._take_out(push):
            self.fail(push, push.verdict or settle.cancelled(), Stop.CLOSING)
        # Otherwise a hook asks in the middle of a step: whoever has the push in hand knows better how it ends.

    def _take_out(self, push: Push) -> bool:
        """Take a push out of wherever it waits; False when it does not wait."""
        if self.sleepers.remove(push):
            self.active += 1
            return True
        if self.keyless.remove(push):
            return True
        waits = push.lane is not None and push in push.lane.waiting
        if waits:
            push.lane.waiting.remove(push)  # type: ignore[union-attr]  # there is one, see above
        return waits

    def _late(self, push: Push) -> None:
        """Its time ran out while it waited for its turn."""
        self.fail(push, too_late(push, self._time(), self._monotonic()) or settle.no_room(), Stop.DEADLINE)

    # -- closing -------------------------------------------------------------------------------------

    async def aclose(self, grace: float) -> None:
        """Take nothing more, let what is under way end, then cut it short. Every push has its outcome when this returns."""
        self.closing = True
        for stream in list(self.streams):
            stream.close_input()
        self.dispatch.close_inputs()
        self._end_all(self.sleepers.all())
        try:
            if self.launched and grace > 0:
                await self._drain(grace)
        finally:
            # Also when the wait is cancelled: nothing stays open, nobody is left waiting.
            await self._cut_short()

    async def _drain(self, grace: float) -> None:
        self._drained = self.loop.create_future()
        timer = None if math.isinf(grace) else self.clock.call_at(self._monotonic() + grace, self._drain_over)
        try:
            await self._drained
        finally:
            if timer is not None:
                timer.cancel()

    async def _cut_short(self) -> None:
        for lane in self.dispatch.queued():
            self._end_all(lane.waiting)
        self._end_all(self.keyless.all())
        self.store.close(settle.closed())
        try:
            await self.transport.aclose()
            for _ in range(3):
                await asyncio.sleep(0)
        finally:
            for push in list(self.launched):
                # A transport that keeps its promise has answered by now.
                self.launched.discard(push)
                self.fail(push, settle.closed_unanswered(), Stop.CLOSING)
            self.keyless.close()
            self.dispatch.close()
            self.apps.close()

    def _end_all(self, pushes: Iterable[Push]) -> None:
        for push in list(pushes):
            if self._take_out(push):
                self.fail(push, push.verdict or settle.closed(), Stop.CLOSING)

    def _drain_over(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
