"""What a portable notification can say only on Apple's devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from pushkit.apns.messages.base import collect_texts, kept, no_data
from pushkit.codec import register
from pushkit.notification import InterruptionLevel, Localized, Priority, ProviderOptions, Sound


@register("apns.Options")
@attrs.frozen(kw_only=True, repr=False)
class Options(ProviderOptions):
    """
    APNs's own fields for a :class:`pushkit.Notification`; each one that is set wins over the portable field.

    Source: Apple, "Generating a remote notification".
    """

    provider: ClassVar[str] = "apns"

    topic: str | None = None
    """Instead of the configuration's bundle id."""
    priority: Priority | None = attrs.field(default=None, converter=attrs.converters.optional(Priority))
    """``HIGH`` 10, ``NORMAL`` 5, ``LOW`` 1."""
    collapse_id: str | None = None
    """``apns-collapse-id``, at most 64 bytes; wins over ``collapse_key``."""
    title: str | Localized | None = None
    subtitle: str | Localized | None = None
    body: str | Localized | None = None
    badge: int | None = None
    sound: str | Sound | None = None
    category: str | None = None
    thread_id: str | None = None
    """Instead of the portable ``group``."""
    interruption: InterruptionLevel | None = attrs.field(default=None, converter=attrs.converters.optional(InterruptionLevel))
    relevance_score: float | None = None
    """0 to 1: which of the app's notifications the summary features."""
    filter_criteria: str | None = None
    """For the app's Focus filter."""
    mutable_content: bool = False
    """Runs the notification service extension, which may change what is shown (pictures, decryption)."""
    content_available: bool = False
    """Wakes the app in the background as well."""
    target_content_id: str | None = None
    """Which window to bring forward."""
    launch_image: str | None = None
    """Name of the launch image or storyboard to show on a tap."""
    payload: Mapping[str, Any] = attrs.field(factory=no_data, converter=kept, hash=False)
    """JSON values beside ``aps``, for what ``data`` (text by text) cannot say."""
    aps: Mapping[str, Any] = attrs.field(factory=no_data, converter=kept, hash=False)
    """Further keys inside ``aps``, as Apple writes them; they win over everything else."""

    def secrets(self) -> tuple[str, ...]:
        """Every text that a person would read, and the app's own values."""
        found: list[str] = []
        for value in (self.title, self.subtitle, self.body, self.payload, self.aps):
            collect_texts(value, found)
        return tuple(found)

    def __repr__(self) -> str:
        shown = [f.name for f in attrs.fields(type(self)) if getattr(self, f.name) not in (None, False, {})]
        return f"apns.Options({', '.join(shown)})"
