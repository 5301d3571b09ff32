"""What can be said only through Web Push: a message for a service worker, and options of a portable notification."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, cast

import attrs

from pushkit.codec import register
from pushkit.messages import Message as BaseMessage
from pushkit.notification import ProviderOptions
from pushkit.secret import masked_text

Padding: TypeAlias = Literal["none", "block"] | int
"""``"none"``, ``"block"`` (to a multiple of 128 octets) or a number of octets up to which a shorter text is filled."""


def is_padding(value: object) -> bool:
    """Whether this is a way of padding."""
    if isinstance(value, str):
        return value in {"none", "block"}
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


Json: TypeAlias = "str | int | float | bool | Mapping[str, Any] | Sequence[Any]"


@register("webpush.Urgency")
class Urgency(enum.StrEnum):
    """When a device should wake up for a message (RFC 8030 section 5.3)."""

    VERY_LOW = "very-low"
    """On power and Wi-Fi: advertisements."""
    LOW = "low"
    """On power or Wi-Fi: topic updates."""
    NORMAL = "normal"
    """On neither: chats, calendar."""
    HIGH = "high"
    """Even on low battery: calls, time-sensitive alerts."""


def copied(value: Any) -> Any:
    """A mapping or sequence, copied."""
    # A copy, so that a constant stays one; anything else is kept for ``check`` to find.
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    return tuple(cast("Sequence[Any]", value)) if isinstance(value, (list, tuple)) else value


@register("webpush.Message")
@attrs.frozen(repr=False)
class Message(BaseMessage):
    """
    Anything for a service worker: octets, text, or a value that travels as JSON.

    ::

        webpush.Message("text")            # event.data.text()
        webpush.Message({"id": 7})         # event.data.json()
        webpush.Message(b"octets")         # event.data.arrayBuffer()
        webpush.Message()                  # no content: wakes the service worker, event.data is null

    Most browsers want every push to show something; Safari takes the permission away otherwise.
    """

    provider: ClassVar[str | None] = "webpush"

    data: bytes | Json | None = attrs.field(default=None, hash=False, converter=copied)
    """At most 3993 octets in all; 2820 reach phones as well."""
    urgency: Urgency = attrs.field(default=Urgency.NORMAL, kw_only=True, converter=Urgency)
    topic: str | None = attrs.field(default=None, kw_only=True)
    """Replaces an undelivered message with the same topic on the same subscription; see ``topic_from``."""
    padding: Padding | None = attrs.field(default=None, kw_only=True)
    """How to hide the length; None: what ``Config(padding=)`` says."""

    def secrets(self) -> tuple[str, ...]:
        """The text."""
        return (self.data,) if isinstance(self.data, str) else ()


@register("webpush.Action")
@attrs.frozen(kw_only=True, repr=False)
class Button:
    """One of a notification's actions."""

    action: str
    """Its name: ``event.action`` in the service worker."""
    title: str
    navigate: str | None = None
    """What it opens; required in a declarative message."""
    icon: str | None = None

    def __repr__(self) -> str:
        return f"<Button {masked_text(self.action)}>"


@register("webpush.Options")
@attrs.frozen(kw_only=True, repr=False)
class Options(ProviderOptions):
    """
    Web Push's own fields for a :class:`pushkit.Notification`; each one that is set wins over the portable field.

    The names below ``tag`` are those of the browsers' ``showNotification`` (Notifications API).
    """

    provider: ClassVar[str] = "webpush"

    urgency: Urgency | None = attrs.field(default=None, converter=attrs.converters.optional(Urgency))
    """Instead of ``priority``."""
    topic: str | None = None
    """Instead of one made from ``collapse_key``."""
    padding: Padding | None = None
    declarative: bool = False
    """
    Send it as a declarative message too: Safari shows it without a service worker. The service worker of
    other browsers finds the same members in the same place. Needs a title and an absolute ``link``.
    """
    tag: str | None = None
    """Instead of ``collapse_key``: a shown notification with the same tag is replaced."""
    icon: str | None = None
    """URL, instead of the portable ``icon``."""
    badge: str | None = None
    """URL of the small monochrome picture (the portable ``badge`` is a number: it becomes the app's badge)."""
    actions: tuple[Button, ...] = attrs.field(default=(), converter=copied)
    lang: str | None = None
    dir: Literal["auto", "ltr", "rtl"] | None = None
    renotify: bool | None = None
    """Alert again when a shown notification is replaced."""
    silent: bool | None = None
    require_interaction: bool | None = None
    """Stays until somebody acts."""
    vibrate: tuple[int, ...] | None = attrs.field(default=None, converter=copied)
    """Milliseconds of vibration and rest in turn."""

    def __repr__(self) -> str:
        shown = [f.name for f in attrs.fields(type(self)) if getattr(self, f.name) not in (None, False, ())]
        return f"webpush.Options({', '.join(shown)})"
