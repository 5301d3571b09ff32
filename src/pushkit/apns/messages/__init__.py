"""What only APNs can say: one class for each push type, and ``Push`` for anything raw."""

from pushkit.apns.messages.base import ApnsMessage
from pushkit.apns.messages.device import (
    Background,
    Complication,
    ControlsRefresh,
    FileProviderSignal,
    LocationQuery,
    MdmWakeUp,
    PushToTalk,
    Voip,
    WidgetsRefresh,
)
from pushkit.apns.messages.live import LiveActivityEnd, LiveActivityStart, LiveActivityUpdate, swift_date
from pushkit.apns.messages.options import Options
from pushkit.apns.messages.push import Push

__all__ = [
    "ApnsMessage",
    "Background",
    "Complication",
    "ControlsRefresh",
    "FileProviderSignal",
    "LiveActivityEnd",
    "LiveActivityStart",
    "LiveActivityUpdate",
    "LocationQuery",
    "MdmWakeUp",
    "Options",
    "Push",
    "PushToTalk",
    "Voip",
    "WidgetsRefresh",
    "swift_date",
]
