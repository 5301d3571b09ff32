"""
The eleven push types and Apple's two environments: what each type demands, as data.

Sources: Apple, "Sending notification requests to APNs" (topics, priorities), "Generating a remote
notification" (sizes), and the pages of the single frameworks.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping

import attrs

from pushkit.codec import register
from pushkit.messages import DEFAULT_TTL


@register("apns.Environment")
class Environment(enum.StrEnum):
    """
    Apple's two worlds. A token of one is unknown in the other.

    An app gets its token from the environment that its ``aps-environment`` entitlement names:
    ``development`` (run from Xcode) is the sandbox; TestFlight and the App Store are production.
    """

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class PushType(enum.StrEnum):
    """Values of the ``apns-push-type`` header."""

    ALERT = "alert"
    BACKGROUND = "background"
    COMPLICATION = "complication"
    CONTROLS = "controls"
    FILE_PROVIDER = "fileprovider"
    LIVE_ACTIVITY = "liveactivity"
    LOCATION = "location"
    MDM = "mdm"
    PUSH_TO_TALK = "pushtotalk"
    VOIP = "voip"
    WIDGETS = "widgets"


@attrs.frozen(kw_only=True)
class TypeRule:
    """What one push type demands."""

    suffix: str = ""
    """Added to the bundle id to make the topic."""
    priorities: tuple[int, ...] = (10, 5, 1)
    """Permitted values of ``apns-priority``, the default first."""
    ttl: float = DEFAULT_TTL
    """Seconds to live when the message says nothing."""
    limit: int = 4096
    """Bytes of the encoded body at the most."""
    token_only: bool = False
    """Whether Apple takes it with a provider token only, never with a certificate."""


RULES: Mapping[PushType, TypeRule] = {
    PushType.ALERT: TypeRule(),
    PushType.BACKGROUND: TypeRule(priorities=(5,)),
    PushType.COMPLICATION: TypeRule(suffix=".complication", priorities=(10, 5)),
    PushType.CONTROLS: TypeRule(suffix=".push-type.controls", priorities=(10, 5), ttl=0.0),
    PushType.FILE_PROVIDER: TypeRule(suffix=".pushkit.fileprovider", priorities=(10, 5), token_only=True),
    PushType.LIVE_ACTIVITY: TypeRule(suffix=".push-type.liveactivity", priorities=(10, 5)),
    PushType.LOCATION: TypeRule(suffix=".location-query", priorities=(10, 5), token_only=True),
    PushType.MDM: TypeRule(priorities=(10, 5)),
    PushType.PUSH_TO_TALK: TypeRule(suffix=".voip-ptt", priorities=(10,), ttl=0.0),
    PushType.VOIP: TypeRule(suffix=".voip", priorities=(10, 5), ttl=0.0, limit=5120),
    PushType.WIDGETS: TypeRule(suffix=".push-type.widgets", priorities=(10, 5)),
}

BROADCAST_LIMIT = 5120
"""Bytes of a broadcast's body at the most."""

BROADCAST_PRIORITIES = (10, 5, 1)
"""Permitted values of ``apns-priority`` on a broadcast."""

COLLAPSE_LIMIT = 64
"""Bytes of ``apns-collapse-id`` at the most."""

RAW_LIMIT = 4096
"""Bytes of a body whose push type is not in Apple's documentation (yet)."""


def rule_for(push_type: str) -> TypeRule:
    """The rule of a push type; Apple's general one for a type that is not known here."""
    try:
        return RULES[PushType(push_type)]
    except ValueError:
        return TypeRule(limit=RAW_LIMIT)


@functools.lru_cache(maxsize=256)
def topic_for(bundle_id: str, push_type: str) -> str:
    """Bundle id plus the type's suffix; a topic that has it already is left as it is."""
    suffix = rule_for(push_type).suffix
    return bundle_id if not suffix or bundle_id.endswith(suffix) else bundle_id + suffix
