"""What the user configures for Web Push."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import attrs

from pushkit.errors import ConfigurationError
from pushkit.own_reasons import OWN
from pushkit.webpush.credentials import VapidKey, subject_problem
from pushkit.webpush.endpoints import EndpointPolicy
from pushkit.webpush.messages import Padding, is_padding

VapidKeys: TypeAlias = VapidKey | Sequence[VapidKey] | Mapping[str, VapidKey]


def _named(value: Any) -> Mapping[str, VapidKey]:
    """Keys by name, in order: the first one is used for subscriptions that name none."""
    if isinstance(value, VapidKey):
        keys: dict[str, Any] = {value.fingerprint: value}
    elif isinstance(value, Mapping):
        keys = dict(cast("Mapping[str, Any]", value))
    elif isinstance(value, (list, tuple)):
        keys = {getattr(key, "fingerprint", str(number)): key for number, key in enumerate(cast("Sequence[Any]", value))}
    else:
        hint = "; read it with VapidKey.parse(...) or VapidKey.from_file(...)" if isinstance(value, (str, bytes)) else ""
        raise ConfigurationError(
            f"webpush.Config(vapid=): expected a VapidKey, several, or a mapping of names to them, found {_kind(value)}{hint}"
        )
    if not keys:
        raise ConfigurationError("webpush.Config(vapid=): no key; make one with VapidKey.generate() and keep it")
    for name, key in keys.items():
        if not isinstance(key, VapidKey):
            raise ConfigurationError(f"webpush.Config(vapid=): expected VapidKey values, found {_kind(key)} under {name!r}")
    return keys


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


@attrs.frozen(kw_only=True)
class Config:
    """
    One sender of Web Push: its key (or keys), a contact, and where it may send.

    Raises:
        ConfigurationError: when a value cannot work, with the mend in its text.
    """

    vapid: VapidKeys
    """The key pair; or several (the first is used for subscriptions that name none), as a sequence or a mapping of names."""
    subject: str
    """Whom a push service may write to about this sender: ``"mailto:ops@your-domain"`` or an ``https://`` page (RFC 8292 section 2.1)."""
    endpoints: EndpointPolicy = attrs.field(factory=EndpointPolicy.known)
    """Where pushes may go: endpoints come from users."""
    padding: Padding = "block"
    """How the length of messages is hidden: ``"block"`` (multiples of 128 octets), ``"none"`` or a number of octets."""
    portable: Literal["warn", "refuse", "ignore"] = "warn"
    """
    What happens to a content of more than 2820 octets, which phones may not get: ``"warn"`` logs it once and
    notes it on the outcome (``info["over_portable_limit_by"]``), ``"refuse"`` gives a ``PayloadFailure``.
    """
    max_connections: int = 4
    """Connections to one push service at the most."""
    rate: float | None = None
    """Pushes a second at the most; None: no limit of our own."""
    attempt_timeout: float = 10.0
    """Seconds for one attempt unless the retry policy says otherwise."""

    def __attrs_post_init__(self) -> None:
        _named(self.vapid)
        wrong = subject_problem(self.subject)
        if wrong is not None:
            # The row of the error table, raised: configuration is found wrong when it is made.
            raise ConfigurationError(f"webpush.Config(subject=): invalid_vapid_subject: {wrong}. {OWN['invalid_vapid_subject'].advice}")
        endpoints, connections = cast("object", self.endpoints), cast("object", self.max_connections)
        if not isinstance(endpoints, EndpointPolicy):
            raise ConfigurationError(f"webpush.Config(endpoints=): expected an EndpointPolicy, found {_kind(endpoints)}")
        if not is_padding(self.padding):
            raise ConfigurationError(f'webpush.Config(padding=): expected "none", "block" or a number of octets, found {self.padding!r}')
        if cast("object", self.portable) not in {"warn", "refuse", "ignore"}:
            raise ConfigurationError(f'webpush.Config(portable=): expected "warn", "refuse" or "ignore", found {self.portable!r}')
        if not isinstance(connections, int) or isinstance(connections, bool) or connections < 1:
            raise ConfigurationError(f"webpush.Config(max_connections=): expected 1 or more, found {connections!r}")
        for name, value in (("rate", cast("object", self.rate)), ("attempt_timeout", cast("object", self.attempt_timeout))):
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0):
                raise ConfigurationError(f"webpush.Config({name}=): expected a number above 0, found {value!r}")

    @property
    def keys(self) -> Mapping[str, VapidKey]:
        """All keys by name, the default one first."""
        return _named(self.vapid)

    @property
    def key(self) -> VapidKey:
        """The key for subscriptions that name none."""
        return next(iter(self.keys.values()))
