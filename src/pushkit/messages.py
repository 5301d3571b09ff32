"""What every message has: the portable one is :class:`pushkit.Notification`, providers add their own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias

import attrs

from pushkit.secret import masked_text

Duration: TypeAlias = float | int | timedelta
"""Seconds, or a ``timedelta``."""


def seconds(duration: Duration) -> float:
    """A duration in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)


@attrs.frozen(kw_only=True, repr=False)
class Message:
    """
    What to say. Base class of ``Notification`` and of every provider's messages.

    A message is a value that people keep as a constant, so nothing in it ages: ``ttl`` is relative and
    becomes an absolute time when a call takes the push. It keeps what it is given; wrong data is found
    by ``check`` and by sending, as a ``PayloadFailure``.
    """

    provider: ClassVar[str | None] = None
    """Whose message this is; None for every provider's."""
    superseded_by_later: ClassVar[bool] = False
    """Whether a later message of this kind to the same recipient makes an earlier one worthless, so that it is not resumed."""
    quota: ClassVar[str] = ""
    """
    Which of the provider's limits its requests count against, where that is not the one for pushes: one that is
    used up holds up the other no more than it does there. See :class:`pushkit.provider.MoreQuotas`.
    """

    ttl: Duration | None = None
    """How long it is worth delivering, from the moment that the call takes it. None: 24 hours, or what its type says."""
    expires_at: datetime | None = None
    """An absolute end (aware); wins over ``ttl``."""
    key: str | None = None
    """Identity: a second push with the same key replaces the first where the provider can. None: a fresh one per call."""
    label: str | None = None
    """Campaign: analytics label, report group, passed to hooks."""

    def default_ttl(self) -> float:
        """Seconds to live when neither ``ttl`` nor ``expires_at`` is given."""
        return DEFAULT_TTL

    def secrets(self) -> tuple[str, ...]:
        """Every text in this message that must not show in logs, ``detail`` or reports."""
        return ()

    def __repr__(self) -> str:
        # Names of the fields that are set, never the text: what people write to each other is theirs.
        shown: list[str] = []
        for field in attrs.fields(type(self)):
            value = getattr(self, field.name)
            if value is None or value == field.default or (not value and isinstance(value, (tuple, dict))):
                continue
            open_text = field.name in _OPEN_FIELDS or isinstance(value, (bool, int, float, timedelta, datetime))
            shown.append(f"{field.name}={value!r}" if open_text else f"{field.name}={masked_text(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


DEFAULT_TTL = 24 * 3600.0
"""Seconds. Explicit on purpose: providers keep a message for four weeks when nobody says otherwise."""

_OPEN_FIELDS = frozenset({"label", "priority", "interruption", "urgency", "category", "provider"})
