"""What every message of APNs's own has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import attrs

from pushkit.apns.kinds import PushType, rule_for
from pushkit.apns.targets import ApnsTarget, Device
from pushkit.messages import Message
from pushkit.notification import Localized


def kept(value: Any) -> Any:
    """A copy of a mapping, so that a constant stays one; anything else is kept for ``check`` to find."""
    return dict(cast("Mapping[Any, Any]", value)) if isinstance(value, Mapping) else value


def no_data() -> dict[str, Any]:
    """The default of a field that holds the caller's own values."""
    return {}


@attrs.frozen(kw_only=True, repr=False)
class ApnsMessage(Message):
    """
    A message of one push type. The type decides topic suffix, priorities, time to live and size.

    ``topic`` replaces the configuration's bundle id for this message; the type's suffix is added where it is missing.
    """

    provider: ClassVar[str | None] = "apns"
    push_type: ClassVar[PushType]
    """The ``apns-push-type``."""
    reaches: ClassVar[tuple[type[ApnsTarget], ...]] = (Device,)
    """Which kinds of target it may go to."""
    repeatable: ClassVar[bool] = True
    """Whether a second copy shows nothing twice on the device."""

    topic: str | None = None

    def default_ttl(self) -> float:
        """Seconds to live when neither ``ttl`` nor ``expires_at`` is given: what the push type says."""
        return rule_for(self.push_type).ttl

    def secrets(self) -> tuple[str, ...]:
        """Every text in this message."""
        found: list[str] = []
        for field in attrs.fields(type(self)):
            if field.name not in _OPEN:
                collect_texts(getattr(self, field.name), found)
        return tuple(found)


_OPEN = frozenset({"topic", "label", "key", "priority"})

#: Enough for any payload that fits APNs, and a bound for one that does not.
_MOST_TEXTS = 1000


def collect_texts(value: object, found: list[str]) -> None:
    """Add every text inside a JSON-like value, without recursion (such values may be nested without end)."""
    pending: list[object] = [value]
    for _ in range(10 * _MOST_TEXTS):
        if not pending or len(found) >= _MOST_TEXTS:
            return
        item: Any = pending.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, Mapping):
            pending += item.values()
        elif isinstance(item, (list, tuple)):
            pending += cast("list[Any]", item)
        elif isinstance(item, Localized):
            pending += (item.key, item.args, item.fallback)
