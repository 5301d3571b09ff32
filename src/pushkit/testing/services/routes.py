"""Which service answers on which port, and, in memory, which one a request is for."""

from __future__ import annotations

from pushkit.testing.exchange import Request
from pushkit.testing.services.apns import ApnsDevices
from pushkit.testing.services.apns_broadcast import ApnsBroadcast, ApnsChannels
from pushkit.testing.services.base import Served, Service
from pushkit.testing.services.fcm import Fcm
from pushkit.testing.services.fcm_topics import InstanceId, TopicSubscriptions
from pushkit.testing.services.google_auth import TokenEndpoint
from pushkit.testing.services.google_other import Impersonation, MetadataServer, SecurityTokenService
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

PROVIDER_OF = {
    "apns": "apns",
    "apns_sandbox": "apns",
    "channels": "apns",
    "channels_sandbox": "apns",
    "fcm": "fcm",
    "iid": "topics",
    "oauth": "oauth",
    "metadata": "oauth",
    **dict.fromkeys(PATHS, "webpush"),
}
"""Whose outage closes which port."""


class Site:
    """What one port serves: services by how the path begins, longest first."""

    def __init__(self, name: str, otherwise: Service, **prefixes: Service) -> None:
        self.name = name
        self.otherwise = otherwise
        self._prefixes = prefixes

    def service(self, path: str) -> Service:
        """The service for a path."""
        for prefix, service in self._prefixes.items():
            if path.startswith(_PREFIXES[prefix]):
                return service
        return self.otherwise

    def serve(self, request: Request) -> Served:
        """Deal with one request."""
        return self.service(request.target).serve(request)


_PREFIXES = {
    "broadcast": "/4/broadcasts/",
    "channels": "/1/apps/",
    "topics": "/v1/projects/",
    "sts": "/v1/token",
    "impersonation": "/v1/projects/-/",
}


def sites_for(world: World) -> dict[str, Site]:
    """Every site by the name of its port."""
    sites = {"oauth": Site("oauth", TokenEndpoint(world), sts=SecurityTokenService(world), impersonation=Impersonation(world))}
    for suffix, environment in (("", "production"), ("_sandbox", "sandbox")):
        devices, broadcast, channels = ApnsDevices(world, environment), ApnsBroadcast(world, environment), ApnsChannels(world, environment)
        sites[f"apns{suffix}"] = Site(f"apns{suffix}", devices, broadcast=broadcast, channels=channels)
        sites[f"channels{suffix}"] = Site(f"channels{suffix}", channels, broadcast=broadcast)
    sites["fcm"] = FcmSite("fcm", Fcm(world), topics=TopicSubscriptions(world))
    sites["iid"] = Site("iid", InstanceId(world))
    sites["metadata"] = Site("metadata", MetadataServer(world))
    for name in PATHS:
        sites[name] = Site(name, WebPush(world, name))
    return sites


class FcmSite(Site):
    """Sending and topic subscriptions share a host and the beginning of the path."""

    def service(self, path: str) -> Service:
        """The service for a path."""
        return super().service(path) if "/topicSubscriptions" in path else self.otherwise


class Router:
    """Finds the service of a request by its path, and by its host where paths are the same."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sites = sites_for(world)

    def service(self, host: str, path: str, origin: str) -> Service:
        """The service for a request."""
        return self._sites[self.name(host, path, origin)].service(path)

    def name(self, host: str, path: str, origin: str = "") -> str:
        """The name of that service's port."""
        sites = self._world.sites
        sandbox = "_sandbox" if "sandbox" in host or "development" in host or origin == sites.apns_sandbox else ""
        if path.startswith(("/3/", "/4/broadcasts/")):
            return f"apns{sandbox}"
        if path.startswith("/1/apps/"):
            return f"channels{sandbox}"
        if path.startswith(("/v1/token", "/v1/projects/-/")):
            return "oauth"
        if path.startswith("/v1/projects/"):
            return "fcm"
        if path.startswith("/iid/"):
            return "iid"
        if path.startswith("/computeMetadata/"):
            return "metadata"
        if path == "/token" or path.startswith("/token?"):
            return "oauth"
        for name, site in sites.webpush.items():
            if site == origin and name != "google":
                return name
        return next((name for suffix, name in _HOSTS if host == suffix or host.endswith("." + suffix)), "rfc")

    def provider(self, host: str, path: str) -> str:
        """Whose service it is, as far as a host alone tells."""
        if host.startswith(("api.", "api-")) and host.endswith("push.apple.com"):
            return "apns"
        if host == "fcm.googleapis.com" and not path.startswith(("/fcm/", "/wp/")):
            return "fcm"
        return PROVIDER_OF[self.name(host, path)]
