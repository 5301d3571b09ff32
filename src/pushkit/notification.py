"""The portable notification: what to say, whatever it is said through."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import attrs

from pushkit.messages import Message


class _Choice(enum.StrEnum):
    """Words of ours: one that is none of them is refused with those that are."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        seen = repr(value[:40]) if isinstance(value, str) else f"a {type(value).__name__}"
        raise ValueError(f"{cls.__name__}: expected one of {', '.join(map(repr, map(str, cls)))}, got {seen}")


class Priority(_Choice):
    """How urgent delivery is."""

    HIGH = "high"
    """Now, even if that wakes a sleeping device."""
    NORMAL = "normal"
    """Soon, when it costs the device little."""
    LOW = "low"
    """When the device is awake anyway."""


class InterruptionLevel(_Choice):
    """How much a notification may interrupt (Apple's four levels; other platforms map what they can)."""

    PASSIVE = "passive"
    ACTIVE = "active"
    TIME_SENSITIVE = "time-sensitive"
    CRITICAL = "critical"


# Copies, so that a constant stays one; what is no mapping or sequence is kept for ``check`` to find.


def _kept_mapping(value: Any) -> Any:
    return dict(cast("Mapping[Any, Any]", value)) if isinstance(value, Mapping) else value


def _kept_sequence(value: Any) -> Any:
    return tuple(cast("Sequence[Any]", value)) if isinstance(value, (list, tuple)) else value


@attrs.frozen(repr=False)
class Localized:
    """
    A text that the app translates: a key of its string table, arguments, and a fallback.

    ``fallback`` is shown where the platform cannot look keys up (browsers).
    """

    key: str
    args: Sequence[str] = attrs.field(default=(), converter=_kept_sequence)
    fallback: str | None = None

    def __repr__(self) -> str:
        return f"<Localized {len(self.args) if isinstance(self.args, tuple) else '?'} args>"


@attrs.frozen(kw_only=True)
class Sound:
    """A sound: ``name`` is a file of the app or ``"default"``. ``critical`` ones play in silent mode (Apple's entitlement needed)."""

    name: str = "default"
    critical: bool = False
    volume: float | None = None
    """0.0 to 1.0, critical sounds only."""


class ProviderOptions:
    """Base of each provider's ``Options``: fields that win over the portable ones for that provider."""

    __slots__ = ()
    provider: ClassVar[str] = ""


def _priority(value: Any) -> Priority:
    # A personal notification is made for each push: the ordinary values take the short way.
    return value if value.__class__ is Priority else Priority(value)


def _interruption(value: Any) -> InterruptionLevel | None:
    return value if value is None or value.__class__ is InterruptionLevel else InterruptionLevel(value)


def _kept_options(value: Any) -> Any:
    if value.__class__ is tuple:
        return value
    return (value,) if isinstance(value, ProviderOptions) else _kept_sequence(value)


@attrs.frozen(kw_only=True, repr=False)
class Notification(Message):
    """
    One thing to say to anybody, on every provider.

    ``group`` threads notifications on screen; ``collapse_key`` replaces an earlier one. They are
    different things in every provider and are never mapped to each other. See the mapping table in the
    documentation for what each provider makes of each field.
    """

    title: str | Localized | None = None
    subtitle: str | Localized | None = None
    body: str | Localized | None = None
    image: str | None = None
    """URL (https) of a picture."""
    icon: str | None = None
    """Android: a drawable's name; browsers: a URL."""
    badge: int | None = None
    """Number on the app's icon; 0 removes it."""
    sound: str | Sound | None = None
    link: str | None = None
    """What a tap opens."""
    category: str | None = None
    """Which actions (buttons) to offer; registered by the app."""
    group: str | None = None
    """Notifications with the same group are shown together."""
    collapse_key: str | None = None
    """Replaces an earlier notification with the same key."""
    data: Mapping[str, str] = attrs.field(factory=dict[str, str], converter=_kept_mapping, hash=False)
    """For the app; text by text."""
    priority: Priority = attrs.field(default=Priority.HIGH, converter=_priority)
    interruption: InterruptionLevel | None = attrs.field(default=None, converter=_interruption)
    background: bool = False
    """Wakes the app without showing anything."""
    options: tuple[ProviderOptions, ...] = attrs.field(default=(), converter=_kept_options)
    """``apns.Options(...)``, ``fcm.Options(...)``, ``webpush.Options(...)``: win over the portable fields."""

    def options_for(self, kind: type[Any]) -> Any:
        """The first of ``options`` of this class, or None."""
        if isinstance(self.options, tuple):
            for option in self.options:
                if isinstance(option, kind):
                    return option
        return None

    def secrets(self) -> tuple[str, ...]:
        """Everything that a person would read, and the data."""
        found: list[str] = []
        for value in (self.title, self.subtitle, self.body, self.image, self.link):
            if isinstance(value, Localized):
                args: Any = value.args
                found += [
                    text
                    for text in (value.fallback, *(cast("tuple[Any, ...]", args) if isinstance(args, tuple) else ()))
                    if isinstance(text, str)
                ]
            elif isinstance(value, str):
                found.append(value)
        if isinstance(self.data, Mapping):
            found += [text for text in cast("Mapping[str, object]", self.data).values() if isinstance(text, str)]
        return tuple(found)
