"""The asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from pushkit.client import local, readiness
from pushkit.client.options import Options, checked_message, checked_policy, checked_recipients, checked_target, checked_targets, is_many
from pushkit.client.single import send_one
from pushkit.client.state import State, StateHolder
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.source import Source, aresumable, check_resumable, resumable
from pushkit.delivery.stream import Collecting, OutcomeStream
from pushkit.errors import ConfigurationError
from pushkit.health import Finding, Health
from pushkit.messages import Duration, Message, seconds
from pushkit.outcomes import Failure, Outcome
from pushkit.secret import without_locals
from pushkit.targets import Target

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from pushkit.apns import Environment
    from pushkit.client.managers import AsyncChannels, AsyncTopics
    from pushkit.events import Hook
    from pushkit.provider import Provider
    from pushkit.report import Report

Say: TypeAlias = Message | Callable[[Any], Message]
"""A message, or a callable ``target -> message``, called exactly once for each push."""
Targets: TypeAlias = Target | Iterable[Target] | AsyncIterable[Target]
"""A target, or any iterable of targets."""


class AsyncClient:
    """
    Sends pushes through APNs, FCM and Web Push, and tells what became of each.

    Keep one for as long as the program sends: connections, tokens, breakers and what was learnt about
    recipients live in it. It belongs to the event loop that first uses it. Sending never raises for
    what a provider, a network or a row of data did.

    Args:
        apns: an ``apns.Config``, a mapping of app names to them (read once), or a callable ``app -> Config | None``.
        fcm: the same with ``fcm.Config``.
        webpush: the same with ``webpush.Config``.
        providers: further providers (see ``pushkit.Provider``).
        retry: how often and how patiently a push is tried, unless a call says otherwise.
        hooks: listeners for typed events (``pushkit.events``), called on the event loop; they must be quick.
        max_in_flight: requests under way at the most.
        proxy: URL of an HTTP proxy for everything.
        ssl_context: a context of your own (a private CA).
        http2_engine: ``"auto"``, ``"ngh2"`` (fast, extra ``speed``) or ``"h2"`` (pure Python); the
            environment variable ``PUSHKIT_HTTP2_ENGINE`` replaces ``"auto"``.
        transport: an ``httpx.AsyncClient`` of your own, or any ``pushkit.wire.Transport``, instead of pushkit's network.

    Raises:
        ConfigurationError: for arguments that make no sense or contradict each other.
    """

    @without_locals
    def __init__(
        self,
        *,
        apns: Any = None,
        fcm: Any = None,
        webpush: Any = None,
        providers: Iterable[Provider] = (),
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value
        hooks: Iterable[Hook] = (),
        max_in_flight: int = 1000,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        http2_engine: str = "auto",
        transport: Any = None,
    ) -> None:
        self._options = Options.checked(
            apns=apns,
            fcm=fcm,
            webpush=webpush,
            providers=providers,
            retry=retry,
            hooks=hooks,
            max_in_flight=max_in_flight,
            proxy=proxy,
            ssl_context=ssl_context,
            http2_engine=http2_engine,
            transport=transport,
        )
        self._providers: Sequence[Provider] = self._options.open_providers()
        self._states = StateHolder(self._options, self._providers)

    def _state(self) -> State:
        if not self._providers:
            raise ConfigurationError("this client has no provider; pass apns=, fcm=, webpush= or providers=[...]")
        return self._states.get()

    # -- sending -------------------------------------------------------------------------------------

    async def send(self, message: Say, *, to: Target, retry: RetryPolicy | None = None, dry_run: bool = False) -> Outcome:
        """
        Send one push.

        Args:
            message: what to say; a callable is given the target.
            to: whom.
            retry: instead of the client's policy.
            dry_run: ask the provider to validate only (FCM).

        Raises:
            TypeError: for an argument of the wrong kind.
            ClientClosedError: when the client is closed.
            ConfigurationError: when the client has no provider at all.
        """
        checked_message(message, "send()")
        checked_target(to, "send()")
        policy = checked_policy(retry, self._options.retry)
        return await send_one(self._state().engine, message, to, policy, dry_run=dry_run)

    async def send_many(
        self, message: Say, *, to: Targets, retry: RetryPolicy | None = None, unique: bool = False, dry_run: bool = False
    ) -> Report:
        """
        Send to many and wait for all: a report with every outcome, in the order of the input.

        Args:
            message: what to say; a callable is called once for each target.
            to: targets, as any iterable or asynchronous iterable.
            retry: instead of the client's policy.
            unique: skip addresses that came before in this call.
            dry_run: ask the provider to validate only (FCM).

        Raises:
            TypeError: for an argument of the wrong kind.
            ClientClosedError: when the client is closed.
            Exception: whatever the input itself raised.
        """
        checked_message(message, "send_many()")
        targets = checked_targets(to, "send_many()")
        policy = checked_policy(retry, self._options.retry)
        engine = self._state().engine
        return await Collecting(engine, Source(targets), policy, message, unique=unique, dry_run=dry_run).report()

    def stream(
        self,
        message: Say,
        *,
        to: Targets,
        retry: RetryPolicy | None = None,
        ordered: bool = False,
        unique: bool = False,
        dry_run: bool = False,
    ) -> OutcomeStream:
        """
        Send to any number of targets in constant memory and read the outcomes as they finish.

        Args:
            message: what to say; a callable is called once for each target.
            to: targets, as any iterable or asynchronous iterable; read only as fast as they are sent.
            retry: instead of the client's policy.
            ordered: give outcomes in the order of the input.
            unique: skip addresses that came before (remembers every address).
            dry_run: ask the provider to validate only (FCM).

        Raises:
            TypeError: for an argument of the wrong kind.
            ClientClosedError: when the client is closed.
        """
        checked_message(message, "stream()")
        targets = checked_targets(to, "stream()")
        policy = checked_policy(retry, self._options.retry)
        engine = self._state().engine
        return OutcomeStream(engine, Source(targets), policy, message, ordered=ordered, unique=unique, dry_run=dry_run)

    def resume(
        self, failures: Failure | Iterable[Failure] | AsyncIterable[Failure], *, retry: RetryPolicy | None = None, ordered: bool = False
    ) -> OutcomeStream:
        """
        Send retryable failures again: the same identity, attempts counted on, only what time is left.

        Call it when their ``retry_at`` has come; it does not wait for that.

        Raises:
            TypeError: for an argument of the wrong kind; from the stream, for an outcome that cannot be sent again.
            ClientClosedError: when the client is closed.
        """
        policy = checked_policy(retry, self._options.retry)
        if hasattr(failures, "resume"):
            check_resumable(failures)
            failures = (failures,)  # type: ignore[assignment]  # a single failure
        if not is_many(failures):
            raise TypeError(f"resume() got a {type(failures).__name__}; pass failures, such as report.to_resume")
        engine = self._state().engine
        items = aresumable(failures) if isinstance(failures, AsyncIterable) else resumable(failures)  # type: ignore[arg-type]  # iterable: checked above
        return OutcomeStream(engine, Source(items), policy, None, ordered=ordered, resuming=True)

    def check(self, message: Say, *, to: Target) -> Failure | None:
        """
        The local checks alone: the failure that sending would give before the network, or None.

        Raises:
            TypeError: for an argument of the wrong kind.
        """
        checked_message(message, "check()")
        if is_many(to):
            raise TypeError("check() is for one target; call it for each")
        return local.check(self._providers, self._states.live, message, to)

    # -- looking after it ----------------------------------------------------------------------------

    async def verify(self, *, to: Target | Iterable[Target] = ()) -> Sequence[Finding]:
        """
        Are the credentials usable, is the clock right, do the connections open? One finding a line, for every known app.

        It asks the providers anew, over connections of its own, and no hook hears of it. Nobody gets anything: Apple is
        asked about a token that no device has, Google to validate. Meant for a start or a deploy, not for every readiness check.

        Args:
            to: recipients of your own that should work; they alone can show that tokens are of the environment, app or project
                that is configured. Apple wakes the app and shows nothing, Google validates only; a browser shows a test message.

        Raises:
            TypeError: when ``to`` is anything else.
            ClientClosedError: when the client is closed.
        """
        recipients = checked_recipients(to)
        self._state()
        return await readiness.verify(self._options, self._providers, recipients)

    async def connect(self) -> Sequence[Finding]:
        """Open what can be opened ahead of the first push; tells what could not be."""
        return await readiness.connect(self._state(), self._providers)

    def health(self) -> Health:
        """A picture of the moment: connections, breakers, budgets, credentials."""
        state = self._states.live
        if state is None:
            return Health(usable=not self._states.closed and bool(self._providers), closed=self._states.closed)
        return state.health()

    def forget(self, app: str) -> int:
        """
        Drop what belongs to an app of every provider: its configuration is asked for anew with its next push.

        Call it after a key was rotated or a tenant left. Pushes under way end as they were begun. Gives
        how many providers had it open.
        """
        state = self._states.live
        return state.engine.apps.forget(app) if state is not None else 0

    def confirm_suspects(self, app: str = "default") -> int:
        """
        Believe again what the guard stopped believing for an app: somebody has looked, and the recipients are gone indeed.

        Gives how many suspicions there were.
        """
        state = self._states.live
        return state.engine.guard.confirm(app) if state is not None else 0

    def channels(self, app: str = "default", *, environment: Environment | None = None) -> AsyncChannels:
        """APNs broadcast channels of an app: create, read, list, delete."""
        from pushkit.client.managers import AsyncChannels

        return AsyncChannels(self._state, app, environment)

    def topics(self, app: str = "default") -> AsyncTopics:
        """FCM topics of an app: subscribe and unsubscribe."""
        from pushkit.client.managers import AsyncTopics

        return AsyncTopics(self._state, app, self._options.retry)

    async def aclose(self, grace: Duration = 10.0) -> None:
        """
        Close the client: take nothing more, let what is under way end, then report the rest as ``client_closed``.

        Args:
            grace: seconds for what is under way.
        """
        patience = seconds(grace)
        if self._states.closed:
            return
        self._states.closed = True
        state = self._states.live
        if state is not None:
            await state.engine.aclose(patience)

    async def __aenter__(self) -> Self:
        """Use it in an ``async with``."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it; at once when the block was interrupted."""
        await self.aclose(0.0 if kind is not None and not issubclass(kind, Exception) else 10.0)

    def __repr__(self) -> str:
        names = ", ".join(provider.name for provider in getattr(self, "_providers", ())) or "no provider"
        states = getattr(self, "_states", None)  # a traceback may show one that was refused while it was made
        return f"<{type(self).__name__} {names}{' closed' if states is not None and states.closed else ''}>"
