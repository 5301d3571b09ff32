"""
The push types that go to a device, each as a class that cannot be built wrong: what a type forbids has no field.

Sources: Apple, "Pushing background updates to your App", "Responding to VoIP Notifications from
PushKit", "Updating controls locally and remotely", "Updating widgets with WidgetKit push
notifications", "Creating a Push to Talk app", "Using push notifications to signal changes"
(file providers), "Creating a location push service extension".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from pushkit.apns.json_text import custom_keys, mapping_in, text_in, wrong
from pushkit.apns.kinds import PushType
from pushkit.apns.messages.base import ApnsMessage, kept, no_data
from pushkit.codec import register
from pushkit.notification import Priority


@attrs.frozen(kw_only=True, repr=False)
class DeviceMessage(ApnsMessage, ABC):
    """A message whose payload can be made from its fields alone."""

    @abstractmethod
    def wire_payload(self) -> dict[str, Any]:
        """
        The whole payload.

        Raises:
            Refused: naming the field that cannot be sent.
        """


@attrs.frozen(kw_only=True, repr=False)
class _WithData(DeviceMessage):
    data: Mapping[str, Any] = attrs.field(factory=no_data, converter=kept, hash=False)
    """For the app: JSON values beside ``aps``."""

    def wire_payload(self) -> dict[str, Any]:
        """The payload: an empty ``aps`` and the data."""
        body: dict[str, Any] = {"aps": {}}
        custom_keys(body, mapping_in(self.data, "data"), "data")
        return body


@attrs.frozen(kw_only=True, repr=False)
class _Urgent(DeviceMessage):
    priority: Priority | None = attrs.field(default=None, converter=attrs.converters.optional(Priority))
    """``HIGH`` (10) or ``NORMAL`` (5); None: the type's default, 10."""


@attrs.frozen(kw_only=True, repr=False)
class _UrgentWithData(_WithData):
    priority: Priority | None = attrs.field(default=None, converter=attrs.converters.optional(Priority))
    """``HIGH`` (10) or ``NORMAL`` (5); None: the type's default, 10."""


@register("apns.Background")
@attrs.frozen(kw_only=True, repr=False)
class Background(_WithData):
    """
    Wakes the app to fetch something; shows nothing.

    The system lets two or three an hour through and keeps the newest. The priority is always 5: APNs
    refuses 10.
    """

    push_type: ClassVar[PushType] = PushType.BACKGROUND

    def wire_payload(self) -> dict[str, Any]:
        """The payload: ``content-available`` and the data."""
        return super().wire_payload() | {"aps": {"content-available": 1}}


@register("apns.Voip")
@attrs.frozen(kw_only=True, repr=False)
class Voip(_UrgentWithData):
    """
    An incoming call, to a PushKit VoIP token. Now or never unless ``ttl`` says otherwise (keep it to a few seconds).

    The app has to report a call to CallKit for each of them, so a call cannot be cancelled by a second one.
    """

    push_type: ClassVar[PushType] = PushType.VOIP
    repeatable: ClassVar[bool] = False


@register("apns.Complication")
@attrs.frozen(kw_only=True, repr=False)
class Complication(_UrgentWithData):
    """New data for a watch complication, to a PushKit complication token."""

    push_type: ClassVar[PushType] = PushType.COMPLICATION


@register("apns.PushToTalk")
@attrs.frozen(kw_only=True, repr=False)
class PushToTalk(_WithData):
    """
    Somebody speaks (or stopped) on a push-to-talk channel; the token lives as long as the membership. Now or never.

    The priority is always 10.
    """

    push_type: ClassVar[PushType] = PushType.PUSH_TO_TALK
    repeatable: ClassVar[bool] = False


@register("apns.LocationQuery")
@attrs.frozen(kw_only=True, repr=False)
class LocationQuery(_UrgentWithData):
    """Asks the app's location push extension where the device is. Needs a token key, not a certificate."""

    push_type: ClassVar[PushType] = PushType.LOCATION


@register("apns.WidgetsRefresh")
@attrs.frozen(kw_only=True, repr=False)
class WidgetsRefresh(_Urgent):
    """Reloads the app's widgets, when the system's budget for them allows it."""

    push_type: ClassVar[PushType] = PushType.WIDGETS

    def wire_payload(self) -> dict[str, Any]:
        """The payload: ``content-changed``."""
        return {"aps": {"content-changed": True}}


@register("apns.ControlsRefresh")
@attrs.frozen(kw_only=True, repr=False)
class ControlsRefresh(_Urgent):
    """Reloads the app's controls. Now or never."""

    push_type: ClassVar[PushType] = PushType.CONTROLS

    def wire_payload(self) -> dict[str, Any]:
        """The payload: ``content-changed``."""
        return {"aps": {"content-changed": True}}


@register("apns.FileProviderSignal")
@attrs.frozen(repr=False)
class FileProviderSignal(_Urgent):
    """
    Tells a file provider that a container changed. Needs a token key, not a certificate.

    Args:
        container_identifier: the item whose contents changed, such as ``"NSFileProviderRootContainerItemIdentifier"``.
        domain: the provider's domain.
    """

    push_type: ClassVar[PushType] = PushType.FILE_PROVIDER

    container_identifier: str = attrs.field()
    domain: str = attrs.field(kw_only=True)

    def wire_payload(self) -> dict[str, Any]:
        """The payload, which has no ``aps``."""
        return {
            "container-identifier": _required(self.container_identifier, "container_identifier"),
            "domain": _required(self.domain, "domain"),
        }


@register("apns.MdmWakeUp")
@attrs.frozen(repr=False)
class MdmWakeUp(_Urgent):
    """
    Asks a managed device to call its MDM server.

    ``topic`` (or the configuration's) is the UID of the MDM certificate's subject, such as ``com.apple.mgmt.External.…``.

    Args:
        push_magic: what the device gave when it checked in.
    """

    push_type: ClassVar[PushType] = PushType.MDM

    push_magic: str = attrs.field()

    def wire_payload(self) -> dict[str, Any]:
        """The payload, which has no ``aps``."""
        return {"mdm": _required(self.push_magic, "push_magic")}


def _required(value: object, field: str) -> str:
    text = text_in(value, field)
    if not text:
        raise wrong(field, "is empty")
    return text
