"""Which configuration belongs to which app: one, a mapping of names, or a callable that is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar, cast

from pushkit.errors import ConfigurationError

C = TypeVar("C")

DEFAULT_APP = "default"

Configured: TypeAlias = C | Mapping[str, C] | Callable[[str], C | None]
"""What a client takes for a provider."""


class ConfigSource(Generic[C]):
    """
    Finds the configuration of an app.

    A mapping is read once, when the client is made, so that what is wrong in it is found then. What changes
    while the program runs is a callable's.

    Raises:
        ConfigurationError: when it is made from anything else than a ``Config``, a mapping of one name or
            more to ``Config`` or a callable ``app -> Config | None``; and by :meth:`get`, when a resolver gives
            something else.
    """

    def __init__(self, configured: Configured[C], kind: type[C], provider: str) -> None:
        self._kind = kind
        self._provider = provider
        self._resolver: Callable[[str], C | None] | None = None
        self._known: dict[str, C] = {}
        if isinstance(configured, kind):
            self._known[DEFAULT_APP] = cast("C", configured)
        elif isinstance(configured, Mapping):
            for app, config in cast("Mapping[object, C]", configured).items():
                if not isinstance(app, str):
                    raise ConfigurationError(f"{provider}=: the mapping has a {type(app).__name__} as the name of an app; expected text")
                self._known[app] = self._checked(config, f"the value for app {app!r}")
            if not self._known:
                # Read once, so nothing that is put into it later would be found either.
                name = f"{provider}.{kind.__name__}"
                raise ConfigurationError(
                    f"{provider}=: the mapping is empty, so no push could be sent; expected a {name} for each app, "
                    f"or a callable app -> {name} | None where apps come while the program runs"
                )
        elif callable(configured):
            self._resolver = cast("Callable[[str], C | None]", configured)
        else:
            raise ConfigurationError(self._expectation(configured, "it"))

    def get(self, app: str) -> C | None:
        """The configuration, or None when the app is not configured. A resolver is asked every time: the caller keeps the answer."""
        if self._resolver is None:
            return self._known.get(app)
        config = self._resolver(app)
        return None if config is None else self._checked(config, f"the resolver's answer for app {app!r}")

    def apps(self) -> Sequence[str]:
        """The names that are known without asking."""
        return tuple(self._known)

    def _checked(self, config: object, what: str) -> C:
        if not isinstance(config, self._kind):
            raise ConfigurationError(self._expectation(config, what))
        return config

    def _expectation(self, seen: object, what: str) -> str:
        name = f"{self._provider}.{self._kind.__name__}"
        return f"{self._provider}=: {what} is a {type(seen).__name__}; expected {name}, a mapping of names to {name}, or a callable app -> {name} | None"
