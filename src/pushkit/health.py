"""Values that tell how a client is: ``verify()`` gives findings, ``health()`` a picture of the moment."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any, Self

import attrs

from pushkit.outcomes import Action, Failure, Scope
from pushkit.wire import OriginHealth

HERE = "this machine"
"""The ``provider`` of findings that are about none."""

_OURS = frozenset({Action.FIX_CONFIGURATION, Action.FIX_CREDENTIALS, Action.REPORT_BUG, Action.FIX_PAYLOAD})


class Level(enum.StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@attrs.frozen(kw_only=True)
class Finding:
    """One line of ``verify()`` and of the doctor: what was looked at, what was seen, how to mend it."""

    level: Level
    provider: str
    app: str = "default"
    subject: str
    """What was looked at, such as ``"credentials"`` or ``"connection"``."""
    message: str
    """What was seen."""
    mend: str = ""
    """What to do; empty when nothing is."""

    @classmethod
    def of(cls, failure: Failure, subject: str) -> Self:
        """What the failure of a probe tells: an error where something of ours has to be mended, a warning where nothing was proved."""
        ours = failure.scope in {Scope.CREDENTIAL, Scope.CONFIGURATION} or failure.action in _OURS
        return cls(
            level=Level.ERROR if ours else Level.WARNING,
            provider=failure.provider,
            app=failure.app,
            subject=subject,
            message=f"{failure.reason}: {failure.detail or ('refused' if failure.status else 'no answer')}",
            mend=failure.advice,
        )

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return attrs.asdict(self)

    def __str__(self) -> str:
        mend = f" ({self.mend})" if self.mend else ""
        return f"{self.level.value}: {self.provider}/{self.app} {self.subject}: {self.message}{mend}"


def _json_ready(_: object, __: object, value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@attrs.frozen(kw_only=True)
class SenderHealth:
    """The state of one provider and app."""

    provider: str
    app: str
    budget: float
    """Share of the retry budget that is left, 0.0 to 1.0."""
    latched: str | None = None
    """Reason of the credential failure that stopped this sender; None while it works."""
    credential_age: float | None = None
    """Seconds since the access token was fetched; None where nothing is fetched."""
    credential_expires_at: datetime | None = None
    """Aware UTC: when the access token ends, or (where nothing is fetched) the first certificate; None for what does not end."""
    in_flight: int = 0
    waiting: int = 0
    breakers: dict[str, str] = attrs.field(factory=dict[str, str])
    """Origin to state (``"open"``, ``"half_open"``), closed ones left out."""


@attrs.frozen(kw_only=True)
class Health:
    """What ``health()`` gives: plain values, safe to show."""

    usable: bool
    """Not closed, and no credential latched."""
    closed: bool = False
    in_flight: int = 0
    senders: tuple[SenderHealth, ...] = ()
    origins: tuple[OriginHealth, ...] = ()
    sizes: dict[str, int] = attrs.field(factory=dict[str, int])
    """Entries in every bounded table."""
    notes: tuple[str, ...] = ()
    """Anything else worth knowing, such as an OpenSSL without deterministic signatures."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values (times in ISO 8601), for a readiness endpoint."""
        return attrs.asdict(self, value_serializer=_json_ready)
