"""Which service answers on which port."""

from __future__ import annotations

from pushkit.testing.services.apns import ApnsDevices
from pushkit.testing.services.base import Service
from pushkit.testing.services.fcm import Fcm
from pushkit.testing.services.google_auth import TokenEndpoint
from pushkit.testing.services.webpush import PATHS, WebPush
from pushkit.testing.services.world import World


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
