"""The synchronous client: the asynchronous one in a background thread, the caller's own code in the caller's."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from pushkit.client import local, readiness
from pushkit.client.bridge import Inbox, OutcomeStream, Reader, RemoteFeed
from pushkit.client.options import Options, checked_message, checked_policy, checked_recipients, checked_target, checked_targets, is_many
from pushkit.client.portal import Bell, Portal
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.push import Call, Push, make_message
from pushkit.delivery.source import check_resumable, resumable
from pushkit.delivery.stream import noted
from pushkit.errors import ClientClosedError, ConfigurationError
from pushkit.health import Finding, Health
from pushkit.messages import Duration, Message, seconds
from pushkit.outcomes import Failure, Outcome
from pushkit.report import Report
from pushkit.secret import without_locals
from pushkit.targets import Target

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from pushkit.apns import Environment
    from pushkit.client.asynchronous import Say
    from pushkit.client.managers import Channels, Topics
    from pushkit.delivery.engine import Engine
    from pushkit.events import Hook
    from pushkit.provider import Provider

Targets = Target | Iterable[Target]
"""A target, or any iterable of targets."""

_abandoned: list[Portal] = []
"""Portals that a child process inherited: kept, so that nothing of the parent's is closed by accident."""
_open: weakref.WeakSet[Client]


class Client:
    """
    :class:`~pushkit.AsyncClient` without ``async`` and ``await``, for any number of threads.

    A thin facade: one background thread runs the asynchronous client, so that a synchronous program gets
    multiplexing, bounded concurrency and streaming too. The caller's own code (input iterables and
    ``message`` callables) runs in the caller's thread; hooks run in the background thread and must be
    quick. The thread starts with the first send. After ``fork()`` a child abandons what it inherited and
    starts anew.

    Keep one for as long as the program sends. Sending never raises for what a provider, a network or a
    row of data did.

    Args:
        apns: an ``apns.Config``, a mapping of app names to them (read once), or a callable ``app -> Config | None``.
        fcm: the same with ``fcm.Config``.
        webpush: the same with ``webpush.Config``.
        providers: further providers (see ``pushkit.Provider``).
        retry: how often and how patiently a push is tried, unless a call says otherwise.
        hooks: listeners for typed events (``pushkit.events``), called in the background thread; they must be quick.
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
        self._portal: Portal | None = None
        self._closed = False
        self._pid = os.getpid()
        # One for each process: a child may have inherited its parent's while somebody held it, and nobody there lets it go.
        self._starting: dict[int, threading.Lock] = {}

    def _there(self) -> Portal:
        """The background thread, started with the first call and anew in a child process."""
        if self._closed:
            raise ClientClosedError("this client is closed; make a new one, or keep one open as long as the program sends")
        if not self._providers:
            raise ConfigurationError("this client has no provider; pass apns=, fcm=, webpush= or providers=[...]")
        pid = os.getpid()
        portal = self._portal
        if portal is None or self._pid != pid:
            with self._starting.setdefault(pid, threading.Lock()):
                if self._pid != pid:
                    self._after_fork()
                if self._portal is None:
                    self._portal = Portal(self._options, self._providers)
                    # A client that is dropped without close() must not leave its thread behind.
                    weakref.finalize(self, self._portal.let_go).atexit = False
                    _open.add(self)
                portal = self._portal
        if portal.inside():
            raise RuntimeError(
                "a hook called the client that it listens to; hand the work to a queue (see pushkit.contrib) and send from another thread"
            )
        return portal

    def _after_fork(self) -> None:
        # Only the thread that forked lives on in a child: nobody runs the old loop.
        if self._portal is not None:
            _abandoned.append(self._portal)
        self._portal = None
        self._pid = os.getpid()

    # -- sending -------------------------------------------------------------------------------------

    def send(self, message: Say, *, to: Target, retry: RetryPolicy | None = None, dry_run: bool = False) -> Outcome:
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
        portal = self._there()
        engine = portal.engine()
        sink = _One(engine)
        call = Call(message, policy, sink, single=True, dry_run=dry_run)
        problem = None
        made = call.message
        if made is None and isinstance(to, Target):
            made, problem = make_message(call, to)
        portal.post(lambda: sink.begin(call, to, made, problem))
        outcome = sink.wait(portal)
        if call.objection is not None:
            raise call.objection
        return outcome

    def send_many(
        self, message: Say, *, to: Targets, retry: RetryPolicy | None = None, unique: bool = False, dry_run: bool = False
    ) -> Report:
        """
        Send to many and wait for all: a report with every outcome, in the order of the input.

        Args:
            message: what to say; a callable is called once for each target, in this thread.
            to: targets, as any iterable; read in this thread.
            retry: instead of the client's policy.
            unique: skip addresses that came before in this call.
            dry_run: ask the provider to validate only (FCM).

        Raises:
            TypeError: for an argument of the wrong kind.
            ClientClosedError: when the client is closed.
            Exception: whatever the input itself raised.
        """
        reader = self._reader("send_many()", message, to, retry, unique=unique, dry_run=dry_run, keep=True)
        outcomes: dict[int, Outcome] = {}
        try:
            while (found := reader.next()) is not None:
                outcomes[found[0]] = found[1]
        finally:
            reader.leave()
        if reader.error is not None:
            raise noted(reader.error, len(outcomes))
        report = Report(keep="all")
        for index in range(len(outcomes)):
            report.add(outcomes[index])
        for event in reader.feed.report.suspicions:
            report.suspect(event)
        return report

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
            message: what to say; a callable is called once for each target, in this thread.
            to: targets, as any iterable; read in this thread, only as fast as they are sent.
            retry: instead of the client's policy.
            ordered: give outcomes in the order of the input.
            unique: skip addresses that came before (remembers every address).
            dry_run: ask the provider to validate only (FCM).

        Raises:
            TypeError: for an argument of the wrong kind.
            ClientClosedError: when the client is closed.
        """
        return OutcomeStream(self._reader("stream()", message, to, retry, ordered=ordered, unique=unique, dry_run=dry_run))

    def resume(self, failures: Failure | Iterable[Failure], *, retry: RetryPolicy | None = None, ordered: bool = False) -> OutcomeStream:
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
        if not is_many(failures) or isinstance(failures, AsyncIterable):
            raise TypeError(f"resume() got a {type(failures).__name__}; pass failures, such as report.to_resume")
        portal = self._there()
        feed = RemoteFeed(portal.engine(), Inbox(), policy, ordered=ordered, resuming=True, dry_run=False, keep=False)
        return OutcomeStream(Reader(self, portal, feed, resumable(failures), None))  # type: ignore[arg-type]  # iterable: checked above

    def _reader(
        self,
        what: str,
        message: Say,
        to: Targets,
        retry: RetryPolicy | None,
        *,
        ordered: bool = False,
        unique: bool = False,
        dry_run: bool = False,
        keep: bool = False,
    ) -> Reader:
        checked_message(message, what)
        targets = checked_targets(to, what)
        if isinstance(targets, AsyncIterable):
            raise TypeError(f"{what}: to= is an asynchronous iterable, which needs an event loop; use pushkit.AsyncClient for it")
        policy = checked_policy(retry, self._options.retry)
        portal = self._there()
        engine = portal.engine()
        feed = RemoteFeed(engine, Inbox(), policy, ordered=ordered, resuming=False, dry_run=dry_run, keep=keep)
        return Reader(self, portal, feed, iter(targets), message, unique=unique)

    def check(self, message: Say, *, to: Target) -> Failure | None:
        """
        The local checks alone: the failure that sending would give before the network, or None.

        Raises:
            TypeError: for an argument of the wrong kind.
        """
        checked_message(message, "check()")
        if is_many(to):
            raise TypeError("check() is for one target; call it for each")
        return local.check(self._providers, None, message, to)

    # -- looking after it ----------------------------------------------------------------------------

    def verify(self, *, to: Target | Iterable[Target] = ()) -> Sequence[Finding]:
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
        portal = self._there()
        return portal.run(lambda: readiness.verify(self._options, self._providers, recipients))

    def connect(self) -> Sequence[Finding]:
        """Open what can be opened ahead of the first push; tells what could not be."""
        portal = self._there()
        portal.state()
        return portal.run(lambda: readiness.connect(portal.state(), self._providers))

    def health(self) -> Health:
        """A picture of the moment: connections, breakers, budgets, credentials."""
        portal = self._live()
        if portal is None:
            return Health(usable=not self._closed and bool(self._providers), closed=self._closed)
        return portal.call(portal.state().health)

    def _live(self) -> Portal | None:
        return self._portal if self._pid == os.getpid() and not self._closed else None

    def forget(self, app: str) -> int:
        """
        Drop what belongs to an app of every provider: its configuration is asked for anew with its next push.

        Call it after a key was rotated or a tenant left. Pushes under way end as they were begun. Gives
        how many providers had it open.
        """
        portal = self._live()
        return portal.call(lambda: portal.engine().apps.forget(app)) if portal is not None else 0

    def confirm_suspects(self, app: str = "default") -> int:
        """
        Believe again what the guard stopped believing for an app: somebody has looked, and the recipients are gone indeed.

        Gives how many suspicions there were.
        """
        portal = self._live()
        return portal.call(lambda: portal.engine().guard.confirm(app)) if portal is not None else 0

    def channels(self, app: str = "default", *, environment: Environment | None = None) -> Channels:
        """APNs broadcast channels of an app: create, read, list, delete."""
        from pushkit.client.managers import Channels

        return Channels(self._there, app, environment)

    def topics(self, app: str = "default") -> Topics:
        """FCM topics of an app: subscribe and unsubscribe."""
        from pushkit.client.managers import Topics

        return Topics(self._there, app, self._options.retry)

    def close(self, grace: Duration = 10.0) -> None:
        """
        Close the client: take nothing more, let what is under way end, then report the rest as ``client_closed``.

        Args:
            grace: seconds for what is under way.
        """
        patience = seconds(grace)
        if self._closed:
            return
        portal = self._live()
        if portal is not None and portal.inside():
            raise RuntimeError("a hook closed the client that it listens to; close it from another thread")
        self._closed = True
        _open.discard(self)
        if portal is not None:
            portal.close(patience)

    def __enter__(self) -> Self:
        """Use it in a ``with``."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it; at once when the block was interrupted."""
        self.close(0.0 if kind is not None and not issubclass(kind, Exception) else 10.0)

    def __repr__(self) -> str:
        names = ", ".join(provider.name for provider in getattr(self, "_providers", ())) or "no provider"
        return f"<{type(self).__name__} {names}{' closed' if getattr(self, '_closed', False) else ''}>"


class _One:
    """Where a single send's outcome goes."""

    __slots__ = ("_bell", "_engine", "_push", "abandoned", "error", "outcome")

    def __init__(self, engine: Engine) -> None:
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None
        self.abandoned = False
        self._engine = engine
        self._bell = Bell()
        self._push: Push | None = None

    def begin(self, call: Call, target: Any, message: Message | None, problem: Any) -> None:
        """Take the push (on the loop)."""
        quota = call.quota if message is None else message.quota
        try:
            self._push = self._engine.take(call, target, self._engine.lane_of(target, quota), message=message, problem=problem)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self.error = error
            self._bell.ring()

    def deliver(self, push: Push, outcome: Outcome) -> bool:  # noqa: ARG002 - there is one push
        """The outcome (on the loop)."""
        self.outcome = outcome
        self._bell.ring()
        return not self.abandoned

    def wait(self, portal: Portal) -> Outcome:
        """Until it is there. Ctrl-C cancels the push."""
        try:
            self._bell.wait()
        except BaseException:
            self.abandoned = True
            portal.drop(lambda: self._engine.cancel(self._push) if self._push is not None else None)
            raise
        if self.error is not None:
            raise self.error
        assert self.outcome is not None
        return self.outcome


_open = weakref.WeakSet()


def _close_at_exit() -> None:
    # Without this the background thread would be cut off in the middle of whatever it does.
    for client in list(_open):
        client.close(0.0)


atexit.register(_close_at_exit)
