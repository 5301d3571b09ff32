"""A push exactly as Apple's pages write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from pushkit.apns.kinds import rule_for
from pushkit.apns.messages.base import collect_texts, kept
from pushkit.codec import register
from pushkit.messages import Message


def _no_headers() -> dict[str, str]:
    return {}


_QUIET = ("alert", "badge", "sound")


@register("apns.Push")
@attrs.frozen(repr=False)
class Push(Message):
    """
    Anything: payload and headers as Apple writes them, to any of Apple's targets.

    What is missing is filled in: ``apns-push-type`` (``liveactivity`` for activity and start tokens and
    channels; ``background`` when ``aps`` holds ``content-available`` and nothing to show; otherwise
    ``alert``), ``apns-topic`` (the configuration's bundle id plus the type's suffix), ``apns-priority``
    where Apple's default would be refused (5 for ``background``) and ``apns-collapse-id`` (for alerts,
    from ``key``). Identity and
    expiry belong to the delivery: read ``outcome.message_id``, set ``ttl`` or ``expires_at``.

    Args:
        payload: the whole JSON object, ``aps`` included; or its bytes, sent as they are.
        headers: names as Apple writes them, such as ``{"apns-push-type": "voip", "apns-priority": "5"}``.
    """

    provider: ClassVar[str | None] = "apns"

    payload: Mapping[str, Any] | bytes = attrs.field(converter=kept, hash=False)
    headers: Mapping[str, str] = attrs.field(factory=_no_headers, kw_only=True, converter=kept, hash=False)

    @property
    def push_type(self) -> str:
        """The ``apns-push-type``, given or found."""
        given = self.header("apns-push-type")
        if given is not None:
            return given
        aps: object = self.payload.get("aps") if isinstance(self.payload, Mapping) else None
        quiet = isinstance(aps, Mapping) and "content-available" in aps and not any(key in aps for key in _QUIET)
        return "background" if quiet else "alert"

    def header(self, name: str) -> str | None:
        """One of the given headers as text, whatever its case; None when absent. ``name`` in lower case."""
        headers: object = self.headers
        if isinstance(headers, Mapping):
            for key, value in headers.items():
                if isinstance(key, str) and key.lower() == name:
                    return str(value)
        return None

    def default_ttl(self) -> float:
        """Seconds to live when neither ``ttl`` nor ``expires_at`` is given: what the push type says."""
        return rule_for(self.push_type).ttl

    def secrets(self) -> tuple[str, ...]:
        """Every text in the payload."""
        found: list[str] = []
        payload: object = self.payload
        collect_texts(payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload, found)
        return tuple(found)
