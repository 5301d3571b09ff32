"""The Web Push provider: which apps are configured, and a sender for each."""

from __future__ import annotations

from collections.abc import Sequence

from pushkit.apps import ConfigSource, Configured
from pushkit.errors import ConfigurationError
from pushkit.webpush.config import Config
from pushkit.webpush.sender import WebpushSender


class WebpushProvider:
    """
    Web Push for a client: ``AsyncClient(webpush=...)`` makes one.

    Args:
        configured: a :class:`Config`, a mapping of app names to configurations, or a callable ``app -> Config | None``.
        foreign_network: requests go over a client of the caller's own, which resolves names by itself.

    Raises:
        ConfigurationError: when it is something else, or asks for addresses to be checked on a foreign network.
    """

    name = "webpush"

    def __init__(self, configured: Configured[Config], *, foreign_network: bool = False) -> None:
        self._source = ConfigSource(configured, Config, self.name)
        self._foreign_network = foreign_network
        for app in self._source.apps():
            self._config(app)

    def open(self, app: str) -> WebpushSender | None:
        """The sender of this app, made anew; None when the app is not configured."""
        config = self._config(app)
        return None if config is None else WebpushSender(app, config)

    def _config(self, app: str) -> Config | None:
        config = self._source.get(app)
        if config is not None and self._foreign_network and config.endpoints.checks_addresses:
            raise ConfigurationError(
                "webpush.Config(endpoints=): EndpointPolicy.any_public() and .when() check the address that is dialled, and a client of "
                "your own (transport=) resolves names by itself; leave transport= out, or name the push services with EndpointPolicy.allow(...)"
            )
        return config

    def apps(self) -> Sequence[str]:
        """The apps that are known without asking."""
        return self._source.apps()
