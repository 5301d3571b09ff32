"""What a rule of the linter is asked about, and what it answers."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeAlias, cast

import attrs

from pushkit.messages import Message


class Effect(enum.StrEnum):
    """What happens to something that was said."""

    REFUSED = "refused"
    """Nothing is sent: the outcome would be a failure, a ``PayloadFailure`` in almost every case."""
    CUT = "cut"
    """The beginning is shown, the rest only after opening, or never."""
    HIDDEN = "hidden"
    """It arrives and is not shown."""
    IGNORED = "ignored"
    """It is not sent, or has no effect there."""
    CHANGED = "changed"
    """It is sent as something else."""
    NEEDS_APP = "needs app"
    """It works only if the app or the service worker does its part."""
    NOTE = "note"
    """Worth knowing before it goes to everybody."""


@attrs.frozen(kw_only=True)
class Finding:
    """What a rule found."""

    effect: Effect
    field: str | None
    message: str
    mend: str = ""
    platform: str | None = None
    approximate: bool = False


@attrs.frozen(kw_only=True, repr=False)
class Case:
    """One message on one provider."""

    message: Message
    provider: str
    platforms: frozenset[str]
    """What this provider carries it to: ``"ios"``, ``"android"``, ``"browsers"``."""
    payload: dict[str, Any]
    """What is sent, as JSON: APNs's body, FCM's message resource, what a browser decrypts. Empty where that is no object."""
    size: int
    """Bytes of it (Web Push: of what is encrypted; 0: a push without content)."""
    now: datetime
    """Aware."""

    @property
    def aps(self) -> dict[str, Any]:
        """The ``aps`` dictionary that an iPhone gets, as far as it is ours (FCM makes one of a common title and body)."""
        if self.provider == "apns":
            return mapping(self.payload.get("aps"))
        return mapping(mapping(mapping(self.payload.get("apns")).get("payload")).get("aps"))


Rule: TypeAlias = Callable[[Case], Iterable[Finding]]


def mapping(value: object) -> dict[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
