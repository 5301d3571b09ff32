"""APNs as a provider."""

from __future__ import annotations

from collections.abc import Sequence

from pushkit.apns.config import Config
from pushkit.apns.sender import ApnsSender
from pushkit.apps import ConfigSource, Configured


class ApnsProvider:
    """
    Opens senders.

    Args:
        configured: one ``apns.Config``, a mapping of names to them, or a callable ``app -> Config | None``.

    Raises:
        ConfigurationError: when it is anything else.
    """

    name = "apns"

    def __init__(self, configured: Configured[Config]) -> None:
        self._source = ConfigSource(configured, Config, "apns")

    def open(self, app: str) -> ApnsSender | None:
        """The sender of this app, or None when the app is not configured."""
        config = self._source.get(app)
        return None if config is None else ApnsSender(app, config)

    def apps(self) -> Sequence[str]:
        """The apps that are known without asking a resolver."""
        return self._source.apps()
