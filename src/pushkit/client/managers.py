"""APNs broadcast channels and FCM topics: the providers' own flows, driven over the client's transport, with outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from pushkit.apps import DEFAULT_APP
from pushkit.client.options import checked_policy, checked_targets
from pushkit.client.readiness import token_of
from pushkit.delivery import settle
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.push import Call, Nobody, Push
from pushkit.delivery.retry import least_delay
from pushkit.delivery.senders import SenderState
from pushkit.delivery.source import Source
from pushkit.delivery.stream import Collecting
from pushkit.outcomes import Outcome
from pushkit.targets import Target
from pushkit.verdict import Acceptance, RefreshCredential, RetireConnection, Verdict

if TYPE_CHECKING:
    from pushkit.apns import Channel, Environment
    from pushkit.apns.channels import ChannelResult
    from pushkit.client.portal import Portal
    from pushkit.client.state import State
    from pushkit.fcm import Installation, Registration
    from pushkit.fcm.topics import TopicSubscription
    from pushkit.report import Report
    from pushkit.wire import WireRequest, WireResult

R = TypeVar("R")

CALL_WITHIN = 30.0
"""Seconds for one call."""


@attrs.frozen(kw_only=True)
class ChannelAnswer:
    """What a channel call gave."""

    outcome: Outcome
    """One of the four classes; its target is the channel that the call was about."""
    channel: Channel | None = None
    """The channel, as far as it is known now."""
    channels: tuple[Channel, ...] = ()
    """Of ``list``."""

    def unwrap(self) -> ChannelAnswer:
        """This answer, or the failure raised as a ``PushError``."""
        self.outcome.unwrap()
        return self


@attrs.frozen(kw_only=True)
class TopicsAnswer:
    """What a question for topics gave."""

    outcome: Outcome
    topics: tuple[TopicSubscription, ...] = ()

    def unwrap(self) -> TopicsAnswer:
        """This answer, or the failure raised as a ``PushError``."""
        self.outcome.unwrap()
        return self


async def drive(state: State, flow: Generator[WireRequest, WireResult, R]) -> R:
    """Carry out a provider's flow: send what it asks for, until it returns."""
    try:
        request = next(flow)
        while True:
            request = flow.send(await _one(state, request))
    except StopIteration as stop:
        return cast("R", stop.value)


async def _one(state: State, request: WireRequest) -> WireResult:
    answered: asyncio.Future[WireResult] = state.loop.create_future()
    handle = state.transport.submit(request, lambda result: None if answered.done() else answered.set_result(result))
    try:
        return await answered
    except asyncio.CancelledError:
        handle.cancel()
        raise


async def with_token(
    state: State,
    opened: SenderState,
    make: Callable[[str], Generator[WireRequest, WireResult, R]],
    *,
    stale: Callable[[R], bool],
    again: Callable[[R], R],
) -> R | Verdict:
    """
    Carry out a flow that needs an access token; a token that is refused as stale is renewed once.

    Args:
        state: the client's.
        opened: whose token.
        make: the flow for a token (empty where the sender has its own).
        stale: whether a result says that the token was refused.
        again: such a result, where the renewed token was refused as well.
    """
    renewed = False
    while True:
        token = await token_of(state, opened)
        if isinstance(token, Verdict):
            return token
        result = await drive(state, make(token.value if token is not None else ""))
        if token is None or opened.entry is None or not stale(result):
            return result
        state.engine.store.drop(opened.entry, token.value)
        if renewed:
            return again(result)
        renewed = True


def _outcome(state: State, target: Target, judged: Acceptance | Verdict, started: float) -> Outcome:
    push = Push(None, Call(None, RetryPolicy.none(), Nobody()), target, 0)
    push.taken = started
    now = state.clock.monotonic()
    if isinstance(judged, Acceptance):
        return settle.accepted(push, judged, now)
    retry_at = state.clock.time() + least_delay(judged) if judged.retryable else None
    return settle.failed(push, judged, now, retry_at=retry_at)


class AsyncChannels:
    """
    The broadcast channels of an app (iOS 18 and later): create, read, list, delete. Experimental.

    No call raises for what Apple answered: look at ``answer.outcome``, or call ``answer.unwrap()``. Send
    to a channel like to any other target: ``push.send(update, to=channel)``.
    """

    def __init__(self, state: Callable[[], State], app: str, environment: Environment | None = None) -> None:
        self._state = state
        self._app = app
        self._environment = environment

    async def create(self, *, stores: bool = True) -> ChannelAnswer:
        """
        Make a channel; it is in ``answer.channel``.

        Args:
            stores: whether APNs keeps the newest message for devices that are offline. Fixed for good.
        """
        return await self._call(lambda calls, now, deadline: calls.create(stores=stores, now=now, deadline=deadline), None)

    async def read(self, channel: Channel) -> ChannelAnswer:
        """Ask how a channel was made."""
        return await self._call(lambda calls, now, deadline: calls.read(channel, now=now, deadline=deadline), channel)

    async def delete(self, channel: Channel) -> ChannelAnswer:
        """Delete a channel for good."""
        return await self._call(lambda calls, now, deadline: calls.delete(channel, now=now, deadline=deadline), channel)

    async def list(self) -> ChannelAnswer:
        """All channels of the app: ``answer.channels``."""
        return await self._call(lambda calls, now, deadline: calls.list(now=now, deadline=deadline), None)

    async def _call(
        self, make: Callable[[Any, float, float], Generator[WireRequest, WireResult, ChannelResult]], channel: Channel | None
    ) -> ChannelAnswer:
        from pushkit.apns.channels import ChannelCalls
        from pushkit.apns.targets import Channel

        state = self._state()
        started = state.clock.monotonic()
        target = channel or Channel("", app=self._app, environment=self._environment)
        opened = state.engine.senders.open("apns", self._app)
        if isinstance(opened, Verdict):
            return ChannelAnswer(outcome=_outcome(state, target, opened, started), channel=channel)
        calls = ChannelCalls(cast("Any", opened.sender), self._environment)
        result = await drive(state, make(calls, state.clock.time(), started + CALL_WITHIN))
        if isinstance(result.judged, Verdict):
            for directive in result.judged.directives:
                if isinstance(directive, RetireConnection):
                    state.transport.retire(result.connection_id, rejected=directive.rejected)
        outcome = _outcome(state, result.channel or target, result.judged, started)
        return ChannelAnswer(outcome=outcome, channel=result.channel, channels=result.channels)


class Channels:
    """:class:`AsyncChannels` without ``await``."""

    def __init__(self, portal: Callable[[], Portal], app: str, environment: Environment | None = None) -> None:
        self._portal = portal
        self._app = app
        self._environment = environment

    def _there(self) -> tuple[Portal, AsyncChannels]:
        portal = self._portal()
        return portal, AsyncChannels(portal.state, self._app, self._environment)

    def create(self, *, stores: bool = True) -> ChannelAnswer:
        """
        Make a channel; it is in ``answer.channel``.

        Args:
            stores: whether APNs keeps the newest message for devices that are offline. Fixed for good.
        """
        portal, channels = self._there()
        return portal.run(lambda: channels.create(stores=stores))

    def read(self, channel: Channel) -> ChannelAnswer:
        """Ask how a channel was made."""
        portal, channels = self._there()
        return portal.run(lambda: channels.read(channel))

    def delete(self, channel: Channel) -> ChannelAnswer:
        """Delete a channel for good."""
        portal, channels = self._there()
        return portal.run(lambda: channels.delete(channel))

    def list(self) -> ChannelAnswer:
        """All channels of the app: ``answer.channels``."""
        portal, channels = self._there()
        return portal.run(channels.list)


def app_of(target: object) -> str:
    """Whose it is; garbage is the default app's, whose sender says what is wrong with it."""
    return target.app if isinstance(target, Target) else DEFAULT_APP


def _of_app(target: Any, app: str) -> Any:
    return attrs.evolve(target, app=app) if app != DEFAULT_APP and isinstance(target, Target) and target.app == DEFAULT_APP else target


def _in_app(targets: Any, app: str) -> Any:
    if app == DEFAULT_APP:
        return targets
    if isinstance(targets, AsyncIterable):
        return (_of_app(target, app) async for target in cast("AsyncIterable[Any]", targets))
    return (_of_app(target, app) for target in targets)


class AsyncTopics:
    """
    Who follows which FCM topic.

    Subscribing goes through the same delivery as pushes: bounded concurrency, retries, an outcome for
    each registration, in a report. Both directions may safely be repeated. A registration belongs to the
    app that it names; one that names none belongs to this manager's.

    ``old_service=True`` uses Google's Instance ID service instead (1000 registrations in a request), for
    projects that the newer one is not open to yet; Google ends it on 2027-09-29.
    """

    def __init__(self, state: Callable[[], State], app: str, default: RetryPolicy) -> None:
        self._state = state
        self._app = app
        self._default = default

    async def subscribe(
        self,
        topic: str,
        *,
        to: Target | Iterable[Target] | AsyncIterable[Target],
        retry: RetryPolicy | None = None,
        old_service: bool = False,
    ) -> Report:
        """Let registrations (or installations) follow a topic."""
        from pushkit.fcm.topics import Subscribe

        return await self._change(Subscribe(topic=topic, old_service=old_service), to, retry)

    async def unsubscribe(
        self,
        topic: str,
        *,
        to: Target | Iterable[Target] | AsyncIterable[Target],
        retry: RetryPolicy | None = None,
        old_service: bool = False,
    ) -> Report:
        """Let registrations (or installations) follow a topic no more."""
        from pushkit.fcm.topics import Unsubscribe

        return await self._change(Unsubscribe(topic=topic, old_service=old_service), to, retry)

    async def _change(self, message: Any, to: Any, retry: RetryPolicy | None) -> Report:
        targets = _in_app(checked_targets(to, "topics()"), self._app)
        policy = checked_policy(retry, self._default)
        if message.old_service:
            from pushkit.client.old_topics import change

            return await change(self._state(), message, targets, policy)
        engine = self._state().engine
        return await Collecting(engine, Source(targets), policy, message, unique=False).report()

    async def list(self, target: Registration | Installation) -> TopicsAnswer:
        """The topics that a registration follows: ``answer.topics``."""
        from pushkit.fcm.topics import list_flow

        state = self._state()
        started = state.clock.monotonic()
        target = _of_app(target, self._app)
        opened = state.engine.senders.open("fcm", app_of(target))
        found: Any = opened
        if isinstance(opened, SenderState):
            found = await with_token(
                state,
                opened,
                lambda token: list_flow(
                    cast("Any", opened.sender), target, token=token, now=state.clock.time(), deadline=state.clock.monotonic() + CALL_WITHIN
                ),
                stale=lambda result: isinstance(result, Verdict) and RefreshCredential() in result.directives,
                again=lambda result: settle.refused_again(result) if isinstance(result, Verdict) else result,
            )
        if isinstance(found, Verdict):
            return TopicsAnswer(outcome=_outcome(state, target, found, started))
        return TopicsAnswer(outcome=_outcome(state, target, Acceptance(), started), topics=found)


def _listed(to: Any) -> list[Any]:
    """The targets, read in the caller's thread."""
    targets = checked_targets(to, "topics()")
    if isinstance(targets, AsyncIterable):
        raise TypeError("topics(): to= is an asynchronous iterable, which needs an event loop; use pushkit.AsyncClient for it")
    return list(targets)


class Topics:
    """:class:`AsyncTopics` without ``await``."""

    def __init__(self, portal: Callable[[], Portal], app: str, default: RetryPolicy) -> None:
        self._portal = portal
        self._app = app
        self._default = default

    def _there(self) -> tuple[Portal, AsyncTopics]:
        portal = self._portal()
        return portal, AsyncTopics(portal.state, self._app, self._default)

    def subscribe(
        self, topic: str, *, to: Target | Iterable[Target], retry: RetryPolicy | None = None, old_service: bool = False
    ) -> Report:
        """Let registrations (or installations) follow a topic."""
        targets = _listed(to)
        portal, topics = self._there()
        return portal.run(lambda: topics.subscribe(topic, to=targets, retry=retry, old_service=old_service))

    def unsubscribe(
        self, topic: str, *, to: Target | Iterable[Target], retry: RetryPolicy | None = None, old_service: bool = False
    ) -> Report:
        """Let registrations (or installations) follow a topic no more."""
        targets = _listed(to)
        portal, topics = self._there()
        return portal.run(lambda: topics.unsubscribe(topic, to=targets, retry=retry, old_service=old_service))

    def list(self, target: Registration | Installation) -> TopicsAnswer:
        """The topics that a registration follows: ``answer.topics``."""
        portal, topics = self._there()
        return portal.run(lambda: topics.list(target))
