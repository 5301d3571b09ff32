"""The Web Push provider: which apps are configured, and a sender for each."""

from __future__ import annotations

from collections.abc import Sequence

from pushkit.apps import ConfigSource, Configured
from pushkit.webpush.config import Config
from pushkit.webpush.sender import WebpushSender


class WebpushProvider:
    """
    Web Push for a client: ``AsyncClient(webpush=...)`` makes one.

    Args:
        configured: a :class:`Config`, a mapping of app names to configurations, or a callable ``app -> Config | None``.

    Raises:
        ConfigurationError: when it is something else.
    """

    name = "webpush"

    def __init__(self, configured: Configured[Config]) -> None:
        self._source = ConfigSource(configured, Config, self.name)

    def open(self, app: str) -> WebpushSender | None:
        """The sender of this app, made anew; None when the app is not configured."""
        config = self._source.get(app)
        return None if config is None else WebpushSender(app, config)

    def apps(self) -> Sequence[str]:
        """The apps that are known without asking."""
        return self._source.apps()
