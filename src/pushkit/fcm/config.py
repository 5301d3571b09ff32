"""What the user configures for one Firebase project."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from typing import Any, Final, cast

import attrs

from pushkit.errors import ConfigurationError
from pushkit.fcm.credentials import (
    DEFAULT_UNIVERSE,
    CallableToken,
    Credentials,
    CredentialSource,
    ServiceAccount,
    StaticToken,
    TokenCallable,
)
from pushkit.fcm.fields import LABEL_CHARACTERS
from pushkit.fcm.google import GoogleAuth
from pushkit.fcm.metadata import MetadataServer
from pushkit.wire import Origin

DEFAULT_ORIGIN: Final = "https://fcm.googleapis.com"
DEFAULT_IID_ORIGIN: Final = "https://iid.googleapis.com"
PROJECT_RATE: Final = 10_000.0
"""Pushes a second: Google's default quota of 600 000 a minute."""
TOPIC_RATE: Final = 3_000.0
"""Topic changes a second: Google's quota for a project, beside the one for pushes."""

MOST_STREAMS: Final = 100
"""Concurrent requests a connection; Google ends a connection that opens more."""

_LONGEST_RAMP: Final = 3600.0
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9.:\-]{0,99}")


def _source(value: Any) -> Any:
    if isinstance(value, (ServiceAccount, StaticToken, MetadataServer, GoogleAuth, CallableToken)):
        return value
    if inspect.iscoroutinefunction(value):
        raise ConfigurationError("fcm.Config(credentials=): got an async function; expected one that blocks (it runs in a worker thread)")
    if callable(value) and not isinstance(value, type):
        return CallableToken(cast("TokenCallable", value))
    raise ConfigurationError(
        f"fcm.Config(credentials=): got a {value.__name__ + ' class' if isinstance(value, type) else type(value).__name__}; expected "
        "fcm.ServiceAccount.from_file(…), fcm.MetadataServer(), fcm.GoogleAuth(…), fcm.StaticToken(…) or a callable that gives a token"
    )


def _seconds(value: Any) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LONGEST_RAMP:
        raise ConfigurationError("fcm.Config(ramp=): expected seconds (0 to 3600) or a timedelta")
    return float(value)


def _origin(value: Any, name: str) -> None:
    try:
        origin = Origin.parse(value)
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError(f"fcm.Config({name}=): expected an origin such as {DEFAULT_ORIGIN}") from None
    if origin.scheme != "https":
        raise ConfigurationError(f"fcm.Config({name}=): expected https, since each push carries an access token; got {origin.scheme}")


@attrs.frozen(kw_only=True)
class Config:
    """
    One Firebase project.

    Raises:
        ConfigurationError: when something cannot work, with the mend.
    """

    credentials: Credentials = attrs.field(converter=_source)
    """:class:`ServiceAccount`, :class:`MetadataServer`, :class:`GoogleAuth`, :class:`StaticToken`, or a callable that gives a token."""
    project_id: str | None = None
    """None: the one that the credentials name."""
    origin: str | None = None
    """
    None: Google's own (of the key file's universe). ``https://fcm.mtls.googleapis.com`` for mutual TLS, with
    the client's ``ssl_context``; a local push service for tests.
    """
    iid_origin: str = DEFAULT_IID_ORIGIN
    """Where the old topic service is; Google ends it on 2027-09-29."""
    max_connections: int = 4
    """HTTP/2 connections at the most; each carries 100 pushes at a time."""
    rate: float | None = PROJECT_RATE
    """
    Pushes a second at the most, over all of this client. The default is Google's default quota; None for no limit.
    Topic changes are counted by themselves, as Google does: as many a second, and never more than its 3000.
    """
    ramp: float = attrs.field(default=0.0, converter=_seconds)
    """
    Seconds (or a ``timedelta``) in which ``rate`` is reached, from a tenth of it: Google asks big senders to
    take at least 60. Counts from the first push and from the first after as long a silence. 0: at once.
    """
    analytics_label: str | None = None
    """For messages that have none of their own, so that Google's delivery data can be told apart. 1 to 50 of a-z A-Z 0-9 - _ . ~ %."""
    serial_fan_out: bool = False
    """Send topic and condition pushes one at a time, as Google advises for big topics (all share about 10 000 devices a second)."""

    def __attrs_post_init__(self) -> None:
        """Find what cannot work."""
        project: Any = self.project_id if self.project_id is not None else self.source.project_id
        if project is None and not isinstance(self.credentials, MetadataServer):
            raise ConfigurationError(
                "fcm.Config: no project id; these credentials name none, so pass project_id= (Firebase console → Project settings)"
            )
        if project is not None and (not isinstance(project, str) or not _PROJECT.fullmatch(project)):
            raise ConfigurationError(
                "fcm.Config(project_id=): expected a project id such as my-app-1a2b3 (lower case; not the project's display name)"
            )
        if self.origin is not None:
            _origin(self.origin, "origin")
        _origin(self.iid_origin, "iid_origin")
        connections: Any = self.max_connections
        if isinstance(connections, bool) or not isinstance(connections, int) or connections < 1:
            raise ConfigurationError("fcm.Config(max_connections=): expected a whole number from 1 up")
        rate: Any = self.rate
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, (int, float)) or not rate > 0):
            raise ConfigurationError("fcm.Config(rate=): expected pushes a second above 0, or None for no limit")
        label: Any = self.analytics_label
        if label is not None and (not isinstance(label, str) or not 0 < len(label) <= 50 or not LABEL_CHARACTERS.issuperset(label)):
            raise ConfigurationError("fcm.Config(analytics_label=): expected 1 to 50 of the characters a-z A-Z 0-9 - _ . ~ %")
        if self.ramp and rate is None:
            raise ConfigurationError("fcm.Config(ramp=): there is no rate to reach; give rate= too")

    @property
    def source(self) -> CredentialSource:
        """The credentials, as what gives a ``Credential``."""
        return cast("CredentialSource", self.credentials)  # the converter made it one

    @property
    def project(self) -> str | None:
        """The project id, None while only the metadata server knows it."""
        return self.project_id if self.project_id is not None else self.source.project_id

    @property
    def send_origin(self) -> Origin:
        """Where messages go."""
        if self.origin is not None:
            return Origin.parse(self.origin)
        universe = self.credentials.universe_domain if isinstance(self.credentials, ServiceAccount) else DEFAULT_UNIVERSE
        return Origin.parse(f"https://fcm.{universe}")
