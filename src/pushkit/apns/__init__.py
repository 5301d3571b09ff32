"""Apple's devices, through APNs over HTTP/2."""

from pushkit.apns.certificate import Certificate
from pushkit.apns.config import Config
from pushkit.apns.credentials import TokenKey
from pushkit.apns.kinds import Environment
from pushkit.apns.messages import (
    Background,
    Complication,
    ControlsRefresh,
    FileProviderSignal,
    LiveActivityEnd,
    LiveActivityStart,
    LiveActivityUpdate,
    LocationQuery,
    MdmWakeUp,
    Options,
    Push,
    PushToTalk,
    Voip,
    WidgetsRefresh,
    swift_date,
)
from pushkit.apns.provider import ApnsProvider
from pushkit.apns.targets import ActivityToken, Channel, Device, StartToken

__all__ = [
    "ActivityToken",
    "ApnsProvider",
    "Background",
    "Certificate",
    "Channel",
    "Complication",
    "Config",
    "ControlsRefresh",
    "Device",
    "Environment",
    "FileProviderSignal",
    "LiveActivityEnd",
    "LiveActivityStart",
    "LiveActivityUpdate",
    "LocationQuery",
    "MdmWakeUp",
    "Options",
    "Push",
    "PushToTalk",
    "StartToken",
    "TokenKey",
    "Voip",
    "WidgetsRefresh",
    "swift_date",
]
