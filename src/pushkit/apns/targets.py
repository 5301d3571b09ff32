"""
Whom APNs can reach.

Device, activity and push-to-start tokens look alike and are not: three classes, so that nobody removes
a device because a Live Activity ended.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, ClassVar

import attrs

from pushkit.apns.kinds import Environment
from pushkit.codec import register
from pushkit.outcomes import Action
from pushkit.own_reasons import refuse
from pushkit.targets import Target
from pushkit.verdict import Verdict

#: Apple does not promise a length; this only keeps a path inside what a server takes.
LONGEST_TOKEN = 1024
LONGEST_CHANNEL_ID = 512

#: 32 bytes, the usual token, as base64 without padding.
_SHORTEST_BASE64 = 43

is_hex = re.compile(r"[0-9A-Fa-f]+").fullmatch
_is_base64 = re.compile(r"[0-9A-Za-z+/_-]+={0,2}").fullmatch


def _environment(value: Any) -> Any:
    # A row of a table says "sandbox", or something that nobody knows; the latter is for `check` to find.
    try:
        return Environment(value) if value is not None else None
    except ValueError:
        return value


@attrs.frozen(repr=False)
class ApnsTarget(Target):
    """What APNs's targets have in common."""

    provider: ClassVar[str] = "apns"

    environment: Environment | None = attrs.field(default=None, kw_only=True, converter=_environment)
    """Which of Apple's environments the token is from; None: the configuration's."""


@attrs.frozen(repr=False)
class TokenTarget(ApnsTarget):
    """A target with a token of its own."""

    token: str

    @property
    def address(self) -> Hashable:
        """The token, in lower case: APNs does not tell case apart."""
        token: object = self.token
        return token.lower() if isinstance(token, str) else repr(token)

    def secrets(self) -> tuple[str, ...]:
        """The token, in every case that somebody may write it in."""
        token: object = self.token
        return tuple({token, token.lower(), token.upper()}) if isinstance(token, str) else ()


@register("apns.Device")
@attrs.frozen(repr=False)
class Device(TokenTarget):
    """
    One app on one device.

    Args:
        token: what ``didRegisterForRemoteNotificationsWithDeviceToken`` gave, as hexadecimal digits.
            Tokens of PushKit (VoIP, complications, file providers), of push-to-talk channels, of
            widgets and controls are passed the same way.
        environment: the environment that the app registered in; None: the configuration's.
    """


@register("apns.ActivityToken")
@attrs.frozen(repr=False)
class ActivityToken(TokenTarget):
    """
    One running Live Activity (``activity.pushTokenUpdates``). It is replaced from time to time and ends with the activity.

    Args:
        token: hexadecimal digits.
    """


@register("apns.StartToken")
@attrs.frozen(repr=False)
class StartToken(TokenTarget):
    """
    Where Live Activities of one type can be started on one device (``pushToStartTokenUpdates``, iOS 17.2 and later).

    Args:
        token: hexadecimal digits.
    """


@register("apns.Channel")
@attrs.frozen(repr=False)
class Channel(ApnsTarget):
    """
    Everybody whose Live Activity listens to a broadcast channel (iOS 18 and later). Experimental.

    Args:
        channel_id: what ``client.channels().create()`` gave. It belongs to one environment.
        stores: whether the channel was made to keep its newest message (policy 1) for devices that are offline.
            False sends everything with an expiry of 0, the only one that a channel without storage takes.
    """

    fan_out: ClassVar[bool] = True

    channel_id: str
    stores: bool = attrs.field(default=True, kw_only=True)

    @property
    def address(self) -> Hashable:
        """The channel id."""
        return self.channel_id


def refuse_token(token: object) -> Verdict:
    """Why this is no token, and whether the record or our own code is more likely to be wrong."""
    if token is None or token == "":
        return _refused("the token is empty")
    if not isinstance(token, str):
        return _lookalike(
            f"expected a token as hexadecimal digits, got {_kind(token)}", "pass the hexadecimal digits as text (bytes have .hex())"
        )
    if len(token) > LONGEST_TOKEN:
        return _refused(f"the token has {len(token)} characters; no token of Apple's is longer than {LONGEST_TOKEN}")
    if ":" in token:
        return _lookalike("it looks like an FCM registration token or a URL", "send to it as fcm.Registration or webpush.Subscription")
    if token.startswith("ExponentPushToken["):
        return _lookalike(
            "it is a token of Expo's push service", "have the app send the token that Apple gave it (getDevicePushTokenAsync)"
        )
    if "length" in token and "bytes" in token:
        # What NSData's description looks like since iOS 13.
        return _lookalike(
            "it is the description of the token and not the token", "have the app send the token's bytes as hexadecimal digits"
        )
    stripped = re.sub(r"[\s<>-]", "", token)
    if stripped and is_hex(stripped):
        return _lookalike("it holds spaces, brackets or dashes between hexadecimal digits", "store the digits alone")
    if len(token) >= _SHORTEST_BASE64 and _is_base64(token):
        return _lookalike("it looks like base64", "store the token as hexadecimal digits")
    return _refused("expected hexadecimal digits")


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _refused(detail: str) -> Verdict:
    return refuse("invalid_token", detail=detail)


def _lookalike(detail: str, mend: str) -> Verdict:
    # Whoever stores tokens in another form does so for all of them: that is a bug to mend, not devices to remove.
    return refuse(
        "invalid_token",
        advice=f"Correct how this device's token is stored before you remove anything: {mend}.",
        action=Action.REVIEW_RECIPIENT,
        detail=detail,
    )


def check_channel(target: Channel) -> Verdict | None:
    """Why this is no channel id, or None."""
    channel_id: object = target.channel_id
    if isinstance(channel_id, str) and 0 < len(channel_id) <= LONGEST_CHANNEL_ID and _is_base64(channel_id):
        return None
    return refuse(
        "invalid_channel_id",
        detail=f"expected base64 text, got {_kind(channel_id) if not isinstance(channel_id, str) else f'{len(channel_id)} characters'}",
    )


def check_environment(target: ApnsTarget) -> Verdict | None:
    """Why this target's environment is none, or None."""
    value: object = target.environment
    if value is None or isinstance(value, Environment):
        return None
    return refuse("invalid_environment", detail=f"expected apns.Environment, got a {type(value).__name__}")
