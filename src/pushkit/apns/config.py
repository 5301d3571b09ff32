"""What the user configures for one app."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeAlias, cast

import attrs

from pushkit.apns.certificate import Certificate
from pushkit.apns.credentials import TokenKey
from pushkit.apns.kinds import Environment
from pushkit.errors import ConfigurationError
from pushkit.wire import Origin

Credentials: TypeAlias = TokenKey | Certificate

_TOPIC = re.compile(r"[A-Za-z0-9.-]{1,255}").fullmatch

DEVICE_ORIGINS: Mapping[Environment, str] = {
    Environment.PRODUCTION: "https://api.push.apple.com",
    Environment.SANDBOX: "https://api.sandbox.push.apple.com",
}
CHANNELS_ORIGINS: Mapping[Environment, str] = {
    Environment.PRODUCTION: "https://api-manage-broadcast.push.apple.com:2196",
    Environment.SANDBOX: "https://api-manage-broadcast.sandbox.push.apple.com:2195",
}
ALTERNATIVE_PORT = 2197
"""Apple takes pushes on this port too, for networks that let 443 out for browsers only."""

Origins: TypeAlias = Mapping[Environment, Origin]


def _one_each(value: Any, field: str, kind: type | tuple[type, ...], expected: str) -> Mapping[Environment, Any]:
    if isinstance(value, kind):
        return dict.fromkeys(Environment, value)
    if isinstance(value, Mapping):
        given = cast("Mapping[Any, Any]", value)
        if given and all(isinstance(item, kind) for item in given.values()):
            try:
                return {Environment(name): item for name, item in given.items()}
            except ValueError:
                pass
    raise ConfigurationError(
        f"apns.Config({field}=): expected {expected}, or a mapping of apns.Environment to that; got a {type(cast('object', value)).__name__}"
    )


def _seconds(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _origins(value: Any, field: str) -> Origins:
    urls: Mapping[Environment, str] = _one_each(value, field, str, 'an origin such as "https://localhost:8443"')
    try:
        origins = {environment: Origin.parse(url) for environment, url in urls.items()}
    except ValueError:
        raise ConfigurationError(f'apns.Config({field}=): expected an origin such as "https://localhost:8443"') from None
    from urllib.parse import urlsplit

    parts = [urlsplit(url) for url in urls.values()]
    if any(part.path not in {"", "/"} or part.query or part.fragment or "@" in part.netloc for part in parts):
        raise ConfigurationError(
            f'apns.Config({field}=): expected scheme, host and port alone, such as "https://localhost:8443"; got more (a path, a user)'
        )
    if any(origin.scheme != "https" for origin in origins.values()):
        raise ConfigurationError(f"apns.Config({field}=): expected https, since APNs is spoken over TLS alone; got http")
    return origins


@attrs.frozen(kw_only=True)
class Config:
    """
    One app on Apple's devices.

    Args:
        credentials: a :class:`TokenKey` (preferred) or a :class:`Certificate`; or a mapping of
            :class:`Environment` to one, where each environment has its own.
        topic: the app's bundle id, without any suffix. May be left out with a certificate for a single app.
        environment: where targets go that name no environment of their own.
        origin: another place for pushes (a local push service, a relay): one URL for both environments, or a mapping.
            Default: Apple's hosts.
        broadcast_origin: another place for broadcasts. Default: ``origin``. Apple's page names
            both the ordinary hosts and ``api-broadcast.push.apple.com``.
        channels_origin: another place for channel management. Default: Apple's hosts, or ``origin`` where that is set.
        port: 443, or 2197, which Apple serves as well. Not together with ``origin``.
        max_connections: connections to one origin at the most.
        rate: pushes a second at the most; None: no limit of our own.
        attempt_timeout: for one attempt, in seconds or as a ``timedelta``.

    Raises:
        ConfigurationError: what was seen, what was expected and how to mend it.
    """

    credentials: Credentials | Mapping[Environment, Credentials]
    topic: str | None = None
    environment: Environment = attrs.field(default=Environment.PRODUCTION)
    origin: str | Mapping[Environment, str] | None = None
    broadcast_origin: str | Mapping[Environment, str] | None = None
    channels_origin: str | Mapping[Environment, str] | None = None
    port: int = 443
    max_connections: int = 8
    rate: float | None = None
    attempt_timeout: float = attrs.field(default=10.0, converter=_seconds)

    def __attrs_post_init__(self) -> None:
        """Refuse what can never work, before anything is sent."""
        environment: object = self.environment
        if not isinstance(environment, Environment):
            raise ConfigurationError(
                f"apns.Config(environment=): expected apns.Environment.PRODUCTION or .SANDBOX, got a {type(environment).__name__}"
            )
        if self.environment not in self.credentials_by_environment():
            raise ConfigurationError(
                f"apns.Config(credentials=): none for the environment {self.environment.value!r}, which is the configured one"
            )
        if self.port not in (443, ALTERNATIVE_PORT):
            raise ConfigurationError(
                f"apns.Config(port=): Apple serves 443 and {ALTERNATIVE_PORT}, got {self.port!r}; for another place set origin="
            )
        if self.origin is not None and self.port != 443:
            raise ConfigurationError("apns.Config: port= is for Apple's hosts; write the port into origin=")
        connections: object = self.max_connections
        if isinstance(connections, bool) or not isinstance(connections, int) or connections <= 0:
            raise ConfigurationError(f"apns.Config(max_connections=): expected a whole number above 0, got {connections!r}")
        numbers: tuple[tuple[str, object], ...] = (("attempt_timeout", self.attempt_timeout), ("rate", self.rate))
        for name, value in numbers:
            if value is None and name == "rate":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise ConfigurationError(f"apns.Config({name}=): expected a number above 0, got {value!r}")
        self._check_topic()
        for name, origins in (
            ("origin", self.device_origins()),
            ("broadcast_origin", self.broadcast_origins()),
            ("channels_origin", self.channels_origins()),
        ):
            if self.environment not in origins:
                raise ConfigurationError(
                    f"apns.Config({name}=): none for the environment {self.environment.value!r}, which is the configured one"
                )

    def _check_topic(self) -> None:
        topic: object = self.topic
        if topic is not None:
            if not isinstance(topic, str) or not _TOPIC(topic):
                raise ConfigurationError(
                    "apns.Config(topic=): expected the app's bundle id, such as com.example.app (letters, digits, dots, dashes)"
                )
            return
        names: set[str | None] = set()
        for credentials in self.credentials_by_environment().values():
            if isinstance(credentials, TokenKey):
                raise ConfigurationError("apns.Config(topic=): a token key needs the app's bundle id, such as com.example.app")
            names.add(credentials.bundle_id)
        if len(names) != 1 or None in names:
            raise ConfigurationError(
                "apns.Config(topic=): the certificate names no single app; pass the bundle id, such as com.example.app"
            )

    def credentials_by_environment(self) -> Mapping[Environment, Credentials]:
        """The credentials of each environment."""
        return _one_each(self.credentials, "credentials", (TokenKey, Certificate), "an apns.TokenKey or apns.Certificate")

    def named_credentials(self) -> Mapping[Environment, Credentials]:
        """The same, without an environment that nobody has named: what findings are about."""
        found = self.credentials_by_environment()
        return found if isinstance(self.credentials, Mapping) else {self.environment: found[self.environment]}

    def bundle_id(self) -> str:
        """The app's bundle id: ``topic``, or what the certificate is for."""
        if self.topic is not None:
            return self.topic
        credentials = next(iter(self.credentials_by_environment().values()))
        return (isinstance(credentials, Certificate) and credentials.bundle_id) or ""

    def device_origins(self) -> Origins:
        """Where pushes go."""
        if self.origin is not None:
            return _origins(self.origin, "origin")
        return {environment: attrs.evolve(Origin.parse(url), port=self.port) for environment, url in DEVICE_ORIGINS.items()}

    def broadcast_origins(self) -> Origins:
        """Where broadcasts go."""
        return self.device_origins() if self.broadcast_origin is None else _origins(self.broadcast_origin, "broadcast_origin")

    def channels_origins(self) -> Origins:
        """Where channels are managed."""
        if self.channels_origin is not None:
            return _origins(self.channels_origin, "channels_origin")
        return self.device_origins() if self.origin is not None else _origins(CHANNELS_ORIGINS, "channels_origin")
