"""FCM as a provider: configuration in, a sender for each app out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pushkit.apps import ConfigSource, Configured
from pushkit.fcm.config import Config
from pushkit.fcm.sender import FcmSender


class FcmProvider:
    """
    Firebase Cloud Messaging.

    Args:
        configured: one :class:`Config`, a mapping of app names to them, or a callable that is asked.
    """

    name: Final = "fcm"

    def __init__(self, configured: Configured[Config]) -> None:
        self._source = ConfigSource(configured, Config, "fcm")

    def open(self, app: str) -> FcmSender | None:
        """The sender of an app, made anew."""
        config = self._source.get(app)
        return None if config is None else FcmSender(config, app)

    def apps(self) -> Sequence[str]:
        """The apps that are known without asking."""
        return self._source.apps()
