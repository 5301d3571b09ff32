"""What a message says to Apple devices only. Source: FCM v1 discovery document, ``ApnsConfig``."""

# ruff: noqa: RUF009 - what fields.* gives is attrs.field(…), no shared default
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pushkit.codec import register
from pushkit.fcm import fields
from pushkit.fcm.fields import Block, Refused


@register("fcm.ApnsFcmOptions")
@attrs.frozen(kw_only=True, repr=False)
class ApnsFcmOptions(Block):
    """Options of Google's Apple SDK."""

    analytics_label: str | None = fields.label()
    image: str | None = fields.text()
    """URL of a picture; the app's notification service extension has to load it."""


@register("fcm.ApnsConfig")
@attrs.frozen(kw_only=True, repr=False)
class ApnsConfig(Block):
    """
    What applies to Apple devices only.

    Headers and payload are written as Apple documents them. Where a header is missing, Google sends
    priority 10; the expiry comes from the message's own ``ttl``.
    """

    headers: Mapping[str, str] | None = fields.headers()
    """Such as ``apns-priority``, ``apns-push-type``, ``apns-collapse-id``. Values are text."""
    payload: Mapping[str, Any] | None = fields.json_object()
    """The whole payload with its ``aps``; overrides the message's own title and body."""
    fcm_options: ApnsFcmOptions | None = fields.block(lambda: ApnsFcmOptions)
    live_activity_token: str | None = fields.text()
    """A Live Activity's push token, or a push-to-start token. The target stays the app's registration."""

    def check(self, path: str) -> None:
        """A payload needs its ``aps``; header names are lower case."""
        if isinstance(self.payload, Mapping) and self.payload and not isinstance(self.payload.get("aps"), Mapping):
            raise Refused(f"{path}.payload", 'holds no "aps" mapping; expected {"aps": {…}, …}')
        for name in self.headers or ():
            if not name.isascii() or name != name.lower() or not name.strip():
                raise Refused(f"{path}.headers", "has a name that is not lower-case ASCII; expected names such as apns-priority")
