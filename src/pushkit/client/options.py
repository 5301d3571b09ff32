"""What a client is made from: checked when it is made, opened when it is first used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import attrs

from pushkit.delivery.policy import RetryPolicy
from pushkit.errors import ConfigurationError
from pushkit.provider import Provider

if TYPE_CHECKING:
    import ssl

    from pushkit.clock import Clock
    from pushkit.events import Hook
    from pushkit.targets import Target
    from pushkit.wire import Transport

ENGINES = ("auto", "ngh2", "h2")
ENGINE_VARIABLE = "PUSHKIT_HTTP2_ENGINE"


@attrs.frozen(kw_only=True, repr=False)
class Options:
    """The arguments of a client, checked."""

    apns: Any
    fcm: Any
    webpush: Any
    providers: Sequence[Provider]
    retry: RetryPolicy
    hooks: Sequence[Hook]
    max_in_flight: int
    proxy: str | None
    ssl_context: ssl.SSLContext | None
    http2_engine: str
    transport: Any

    @classmethod
    def checked(
        cls,
        *,
        apns: Any,
        fcm: Any,
        webpush: Any,
        providers: Iterable[Provider],
        retry: RetryPolicy,
        hooks: Iterable[Hook],
        max_in_flight: int,
        proxy: str | None,
        ssl_context: ssl.SSLContext | None,
        http2_engine: str,
        transport: Any,
    ) -> Options:
        """
        Look at the arguments.

        Raises:
            ConfigurationError: for one that makes no sense, or two that contradict each other.
        """
        import os

        given: Any = retry
        if not isinstance(given, RetryPolicy):
            raise ConfigurationError(
                f"retry= is a {type(given).__name__}; pass a RetryPolicy, such as RetryPolicy.worker() (with the brackets)"
            )
        most: Any = max_in_flight
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ConfigurationError(f"max_in_flight={most!r}: expected a whole number of at least 1")
        kept_hooks = _sequence(hooks, "hooks", "a list of callables that take one event")
        for hook in kept_hooks:
            if not callable(hook):
                raise ConfigurationError(f"hooks= holds a {type(hook).__name__}; a hook is a callable that takes one event")
        kept_providers = _sequence(providers, "providers", "a list of providers")
        for provider in kept_providers:
            if not isinstance(provider, Provider):
                raise ConfigurationError(
                    f"providers= holds a {type(provider).__name__}, which is no provider: it needs name, open(app) and apps(); apns, fcm and webpush have arguments of their own"
                )
        if http2_engine == "auto":
            http2_engine = os.environ.get(ENGINE_VARIABLE) or "auto"
        if http2_engine not in ENGINES:
            raise ConfigurationError(
                f"http2_engine is {http2_engine!r}; expected one of {', '.join(ENGINES)} (the environment variable {ENGINE_VARIABLE} replaces 'auto')"
            )
        if transport is not None and (proxy is not None or ssl_context is not None):
            extra = "proxy" if proxy is not None else "ssl_context"
            raise ConfigurationError(
                f"transport= and {extra}= contradict each other: a transport of your own brings its own network; set {extra} there"
            )
        if transport is not None and not callable(getattr(transport, "submit", None)):
            from pushkit.http.httpx_adapter import module_of

            module_of(transport)
        if proxy is not None or ssl_context is not None:
            from pushkit.http.transport import check_network

            check_network(proxy, ssl_context)
        made = cls(
            apns=apns,
            fcm=fcm,
            webpush=webpush,
            providers=kept_providers,
            retry=retry,
            hooks=kept_hooks,
            max_in_flight=max_in_flight,
            proxy=proxy,
            ssl_context=ssl_context,
            http2_engine=http2_engine,
            transport=transport,
        )
        made.open_providers()
        return made

    def open_providers(self) -> Sequence[Provider]:
        """
        The providers, made anew.

        Raises:
            ConfigurationError: when a configuration is of the wrong kind, or two providers share a name.
        """
        made: list[Provider] = []
        if self.apns is not None:
            from pushkit.apns.provider import ApnsProvider

            made.append(cast("Provider", ApnsProvider(self.apns)))
        if self.fcm is not None:
            from pushkit.fcm.provider import FcmProvider

            made.append(cast("Provider", FcmProvider(self.fcm)))
        if self.webpush is not None:
            from pushkit.webpush.provider import WebpushProvider

            # What has no ``submit`` is an httpx client, which resolves names by itself.
            foreign = self.transport is not None and not hasattr(self.transport, "submit")
            made.append(cast("Provider", WebpushProvider(self.webpush, foreign_network=foreign)))
        made += self.providers
        names = [provider.name for provider in made]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ConfigurationError(
                f"two providers are named {min(twice)!r}; a name tells which provider reaches a target, so it must be unique"
            )
        return made

    @property
    def brings_transport(self) -> bool:
        """Whether the transport is the caller's own, rather than a client of httpx or nothing."""
        return callable(getattr(self.transport, "submit", None))

    def open_transport(self) -> Transport:
        """The transport, made on the running loop."""
        given = self.transport
        if self.brings_transport:
            return cast("Transport", given)
        from pushkit.http.transport import HttpTransport

        transport = HttpTransport(proxy=self.proxy, ssl_context=self.ssl_context, engine=self.http2_engine, client=given)
        return cast("Transport", transport)

    @staticmethod
    def clock_of(transport: Transport) -> Clock:
        """The transport's clock, where it has one: that is how a test's clock gets in."""
        clock = getattr(transport, "clock", None)
        if clock is not None:
            return cast("Clock", clock)
        from pushkit.http.loop_clock import LoopClock

        return LoopClock()


def _sequence(value: Any, name: str, expected: str) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{name}= is a {type(cast('object', value)).__name__}; pass {expected}")
    return tuple(cast("Iterable[Any]", value))


def _class_of(value: object, base: type) -> str | None:
    """The name of a class that was passed where an instance belongs."""
    return value.__name__ if isinstance(value, type) and issubclass(value, base) else None


def checked_message(message: object, call: str) -> None:
    """
    A programmer's mistake about ``message`` raises at once.

    Raises:
        TypeError: with the mend.
    """
    from pushkit.messages import Message

    if isinstance(message, Message):
        return
    name = _class_of(message, Message)
    if name is not None:
        raise TypeError(f"{call}: the message is the class {name}; make one: {name}(...)")
    if not callable(message):
        raise TypeError(
            f"{call}: the message is a {type(message).__name__}; pass a pushkit.Notification, a provider's message, or a callable target -> message"
        )


def checked_target(to: Any, call: str) -> None:
    """
    One target, or None (a row of data that holds none becomes an outcome).

    Raises:
        TypeError: with the mend.
    """
    from pushkit.targets import Target

    if to is None or isinstance(to, Target):
        return
    if isinstance(to, Mapping):
        raise TypeError(f"{call}: to= is a {type(cast('object', to)).__name__}; make a target of it, such as apns.Device(row['token'])")
    if is_many(to):
        raise TypeError(f"{call} is for one target; use send_many() or stream() for many")
    checked_targets(to, call)


def checked_policy(retry: Any, default: RetryPolicy) -> RetryPolicy:
    """
    The policy of a call.

    Raises:
        TypeError: with the mend.
    """
    if retry is None:
        return default
    if not isinstance(retry, RetryPolicy):
        raise TypeError(f"retry= is a {type(retry).__name__}; pass a RetryPolicy, such as RetryPolicy.none() (with the brackets)")
    return retry


def is_many(to: object) -> bool:
    """Whether ``to`` holds targets instead of being one."""
    from collections.abc import AsyncIterable

    return isinstance(to, (Iterable, AsyncIterable)) and not isinstance(to, (str, bytes))


def checked_targets(to: object, call: str) -> Any:
    """
    ``to`` as something to iterate over; a single target is a list of one.

    Raises:
        TypeError: with the mend.
    """
    from pushkit.targets import Target

    if isinstance(to, Target):
        return (to,)
    name = _class_of(to, Target)
    if name is not None:
        raise TypeError(f"{call}: to= is the class {name}; make one: {name}(...)")
    if not is_many(to):
        raise TypeError(
            f"{call}: to= is a {type(to).__name__}; pass a target such as apns.Device(...), or any iterable of targets"
            + (" (a bare token does not say whose it is)" if isinstance(to, (str, bytes)) else "")
        )
    return to


def checked_recipients(to: object) -> tuple[Target, ...]:
    """
    The targets that ``verify()`` is to ask about.

    Raises:
        TypeError: for anything else.
    """
    from pushkit.targets import Target

    given = tuple(checked_targets(to, "verify()"))
    for target in given:
        if not isinstance(target, Target):
            raise TypeError(f"verify(): to= holds a {type(cast('object', target)).__name__}; pass targets such as apns.Device(...)")
        app: object = target.app
        if not isinstance(app, str):
            raise TypeError(f"verify(): the app of a target in to= is a {type(app).__name__}; expected the name of a configured app")
    return given
