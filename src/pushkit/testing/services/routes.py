"""Which service answers on which port, and, in memory, which one a request is for."""

from __future__ import annotations

from pushkit.testing.services.apns import ApnsDevices
from pushkit.testing.services.base import Service
from pushkit.testing.services.fcm import Fcm
from pushkit.testing.services.google_auth import TokenEndpoint
from pushkit.testing.services.webpush import PATHS, WebPush
from pushkit.testing.services.world import World

_HOSTS = (
    ("push.services.mozilla.com", "mozilla"),
    ("mozaws.net", "mozilla"),
    ("fcm.googleapis.com", "google"),
    ("google.com", "google"),
    ("push.apple.com", "apple"),
    ("notify.windows.com", "microsoft"),
)


def services_for(world: World) -> dict[str, Service]:
    """Every service by the name of its port."""
    return {
        "apns": ApnsDevices(world, "production"),
        "apns_sandbox": ApnsDevices(world, "sandbox"),
        "channels": ApnsDevices(world, "production"),
        "fcm": Fcm(world),
        "iid": Fcm(world),
        "oauth": TokenEndpoint(world),
        **{name: WebPush(world, name) for name in PATHS},
    }


class Router:
    """Finds the service of a request by its path, and by its host where paths are the same."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._services = services_for(world)

    def service(self, host: str, path: str, origin: str) -> Service:
        """The service for a request."""
        return self._services[self.name(host, path, origin)]

    def name(self, host: str, path: str, origin: str = "") -> str:
        """The name of that service's port."""
        if path.startswith(("/3/", "/4/broadcasts/")):
            sandbox = "sandbox" in host or "development" in host or origin == self._world.sites.apns_sandbox
            return "apns_sandbox" if sandbox else "apns"
        if path.startswith("/1/apps/"):
            return "channels"
        if path.startswith("/v1/projects/"):
            return "fcm"
        if path.startswith("/iid/"):
            return "iid"
        if path == "/token" or path.startswith("/token?"):
            return "oauth"
        for name, site in self._world.sites.webpush.items():
            if site == origin and name != "google":
                return name
        return next((name for suffix, name in _HOSTS if host == suffix or host.endswith("." + suffix)), "rfc")

    def provider(self, host: str, path: str) -> str:
        """Whose service it is, as far as a host alone tells."""
        if host.startswith(("api.push", "api.sandbox.push", "api-")) and host.endswith("apple.com"):
            return "apns"
        if host in {"fcm.googleapis.com", "iid.googleapis.com"} and not path.startswith(("/fcm/", "/wp/")):
            return "fcm"
        return self._services[self.name(host, path)].provider
