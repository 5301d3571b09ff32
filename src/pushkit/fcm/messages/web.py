"""What a message says to browsers only. Source: FCM v1 discovery document, ``WebpushConfig``."""

# ruff: noqa: RUF009 - what fields.* gives is attrs.field(…), no shared default
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pushkit.codec import register
from pushkit.fcm import fields
from pushkit.fcm.fields import Block


@register("fcm.WebpushFcmOptions")
@attrs.frozen(kw_only=True, repr=False)
class WebpushFcmOptions(Block):
    """Options of Google's web SDK."""

    link: str | None = fields.https()
    """What a tap opens; https only."""
    analytics_label: str | None = fields.label()


@register("fcm.WebpushConfig")
@attrs.frozen(kw_only=True, repr=False)
class WebpushConfig(Block):
    """What applies to browsers only."""

    headers: Mapping[str, str] | None = fields.headers()
    """Web Push headers such as ``TTL``, ``Urgency``, ``Topic`` (RFC 8030 section 5). Values are text."""
    data: Mapping[str, str] | None = fields.data()
    """Replaces the message's own data in browsers."""
    notification: Mapping[str, Any] | None = fields.json_object()
    """Options of the Web Notification API (``title``, ``body``, ``icon``, ``actions``, ``tag``, …), written as there."""
    fcm_options: WebpushFcmOptions | None = fields.block(lambda: WebpushFcmOptions)
