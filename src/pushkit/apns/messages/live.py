"""
Live Activities: start, update, end.

Source: Apple, "Starting and updating Live Activities with ActivityKit push notifications".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeAlias

import attrs

from pushkit.apns.json_text import body_of, localized_args, mapping_in, text_in, wrong
from pushkit.apns.kinds import PushType
from pushkit.apns.messages.base import ApnsMessage, kept
from pushkit.apns.targets import ActivityToken, ApnsTarget, Channel, StartToken, check_channel
from pushkit.codec import register
from pushkit.notification import Localized, Priority

Moment: TypeAlias = datetime | timedelta
"""An aware time, or a duration from the moment that the call takes the push (from ``timestamp`` where that is given)."""

_SWIFT_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)


def swift_date(moment: datetime) -> float:
    """
    A time as Swift's ``JSONDecoder`` reads a ``Date`` by default: seconds since 2001-01-01 UTC.

    Live Activities decode ``content-state`` and ``attributes`` with the default strategies. A date in
    any other form (ISO 8601, seconds since 1970) is accepted by APNs and fails on the device without a
    word. Wrap every date that is a Swift ``Date`` in this.

    >>> from datetime import datetime, timezone
    >>> swift_date(datetime(2001, 1, 1, 0, 1, tzinfo=timezone.utc))
    60.0

    Raises:
        ValueError: when the time has no zone.
    """
    if moment.utcoffset() is None:
        raise ValueError("this time has no zone; pass an aware datetime, such as datetime.now(timezone.utc)")
    return (moment - _SWIFT_EPOCH).total_seconds()


@attrs.frozen(kw_only=True, repr=False)
class LiveActivityMessage(ApnsMessage):
    """What start, update and end have in common."""

    push_type: ClassVar[PushType] = PushType.LIVE_ACTIVITY
    event: ClassVar[str]

    title: str | Localized | None = None
    """With ``body``: alerts the person (and lights the screen) with this change."""
    body: str | Localized | None = None
    sound: str | None = None
    """Sound of the alert: ``"default"`` or a file of the app."""
    relevance_score: float | None = None
    """Which of several activities comes first: any number, the highest wins."""
    stale_date: Moment | None = None
    """When what is shown counts as out of date."""
    priority: Priority | None = attrs.field(default=None, converter=attrs.converters.optional(Priority))
    """``HIGH`` (10, the default) counts against the app's hourly budget, ``NORMAL`` (5) does not; ``LOW`` (1) on a channel only."""
    timestamp: datetime | None = None
    """
    When this state was true; devices drop what is older than what they show. None (the default): the moment
    that the call takes the push, never the same and never earlier than before for the same activity in this
    client, and unchanged on retries. Several processes that update the same activity need clocks that agree.
    """

    def stated(self) -> int | None:
        """The ``timestamp`` that the caller gave, in whole epoch seconds."""
        return None if self.timestamp is None else _epoch(self.timestamp, "timestamp")

    def clock(self) -> Callable[[int], bytes]:
        """
        What gives the body for a timestamp: everything else is encoded once.

        Raises:
            Refused: naming the field that cannot be sent.
        """
        aps = self._aps()
        relative: list[tuple[str, int]] = []
        for key, moment, field in self._moments():
            if isinstance(moment, timedelta):
                relative.append((key, int(moment.total_seconds())))
            elif moment is not None:
                aps[key] = _epoch(moment, field)
        rest = body_of({"aps": aps}, own_terms=True)[len(_APS) :]

        def body(timestamp: int) -> bytes:
            dates = b"".join(b'"%s":%d,' % (key.encode(), timestamp + offset) for key, offset in relative)
            return b'%s"timestamp":%d,%s%s' % (_APS, timestamp, dates, rest)

        return body

    def _moments(self) -> tuple[tuple[str, object, str], ...]:
        return (("stale-date", self.stale_date, "stale_date"),)

    def _aps(self) -> dict[str, Any]:
        aps: dict[str, Any] = {"event": self.event}
        alert = self._alert()
        if alert:
            aps["alert"] = alert
        score: object = self.relevance_score
        if score is not None:
            # An int is finite, and may be too long for a float.
            if isinstance(score, bool) or not isinstance(score, (int, float)) or (isinstance(score, float) and not math.isfinite(score)):
                raise wrong("relevance_score", "is no number")
            aps["relevance-score"] = score
        return aps

    def _alert(self) -> dict[str, Any]:
        alert: dict[str, Any] = {}
        for name, text in (("title", self.title), ("body", self.body)):
            if isinstance(text, Localized):
                alert[name] = {"loc-key": text_in(text.key, f"{name}.key")} | (
                    {"loc-args": localized_args(text, name)} if text.args else {}
                )
            elif text:
                alert[name] = text_in(text, name)
        if len(alert) == 1:
            missing = "body" if "title" in alert else "title"
            raise wrong(missing, "is missing: an alert of a Live Activity has a title and a body")
        if self.sound is not None:
            if not alert:
                raise wrong("sound", "is for an alert; give a title and a body as well")
            alert["sound"] = text_in(self.sound, "sound")
        return alert


_APS = b'{"aps":{'


def _epoch(moment: object, field: str) -> int:
    if not isinstance(moment, datetime):
        raise wrong(field, f"is a {type(moment).__name__}; expected an aware datetime{'' if field == 'timestamp' else ' or a timedelta'}")
    if moment.utcoffset() is None:
        raise wrong(field, "has no time zone; pass an aware datetime, such as datetime.now(timezone.utc)")
    return int(moment.timestamp())


@register("apns.LiveActivityStart")
@attrs.frozen(repr=False)
class LiveActivityStart(LiveActivityMessage):
    """
    Starts an activity, through a :class:`StartToken` (iOS 17.2 and later). An alert (title and body) is required.

    Args:
        attributes_type: name of the app's ``ActivityAttributes`` type.
        attributes: its fixed part.
        content_state: its changing part. For dates see :func:`swift_date`.
        input_push_token: True asks the device for an update token (iOS 18 and later).
        input_push_channel: the id of a broadcast channel to listen to instead (iOS 18 and later; older ones do not start it).
        collapse_id: keeps a second, queued start from making a second card. At most 64 bytes.
    """

    event: ClassVar[str] = "start"
    reaches: ClassVar[tuple[type[ApnsTarget], ...]] = (StartToken,)
    repeatable: ClassVar[bool] = False

    attributes_type: str = attrs.field()
    attributes: Mapping[str, Any] = attrs.field(kw_only=True, converter=kept, hash=False)
    content_state: Mapping[str, Any] = attrs.field(kw_only=True, converter=kept, hash=False)
    input_push_token: bool = attrs.field(default=False, kw_only=True)
    input_push_channel: str | None = attrs.field(default=None, kw_only=True)
    collapse_id: str | None = attrs.field(default=None, kw_only=True)

    def _aps(self) -> dict[str, Any]:
        aps = super()._aps()
        if "alert" not in aps:
            raise wrong("title", "is missing: a Live Activity that is started by a push needs an alert with title and body")
        if not text_in(self.attributes_type, "attributes_type"):
            raise wrong("attributes_type", "is empty; give the name of the app's ActivityAttributes type")
        if self.input_push_token and self.input_push_channel is not None:
            raise wrong("input_push_channel", "excludes input_push_token: an activity listens to a token or to a channel")
        aps |= {
            "attributes-type": self.attributes_type,
            "attributes": mapping_in(self.attributes, "attributes"),
            "content-state": mapping_in(self.content_state, "content_state"),
        }
        if self.input_push_token:
            aps["input-push-token"] = 1
        if self.input_push_channel is not None:
            if check_channel(Channel(text_in(self.input_push_channel, "input_push_channel"))) is not None:
                raise wrong("input_push_channel", "is no channel id; pass the channel_id that channels().create() gave")
            aps["input-push-channel"] = self.input_push_channel
        return aps


@register("apns.LiveActivityUpdate")
@attrs.frozen(repr=False)
class LiveActivityUpdate(LiveActivityMessage):
    """
    Shows a new state, through an :class:`ActivityToken` or a :class:`Channel`.

    Args:
        content_state: the activity's changing part, whole. For dates see :func:`swift_date`.
    """

    event: ClassVar[str] = "update"
    superseded_by_later: ClassVar[bool] = True
    reaches: ClassVar[tuple[type[ApnsTarget], ...]] = (ActivityToken, Channel)

    content_state: Mapping[str, Any] = attrs.field(converter=kept, hash=False)

    def _aps(self) -> dict[str, Any]:
        return super()._aps() | {"content-state": mapping_in(self.content_state, "content_state")}


@register("apns.LiveActivityEnd")
@attrs.frozen(repr=False)
class LiveActivityEnd(LiveActivityMessage):
    """
    Ends an activity, through an :class:`ActivityToken` or a :class:`Channel`. Later updates are ignored.

    Args:
        content_state: the final state; without it the card keeps the last one.
        dismissal_date: when the card goes from the lock screen: a time within four hours, or one in the
            past (``timedelta(0)``) for at once. None: the system decides, after four hours at the latest.
    """

    event: ClassVar[str] = "end"
    reaches: ClassVar[tuple[type[ApnsTarget], ...]] = (ActivityToken, Channel)

    content_state: Mapping[str, Any] | None = attrs.field(default=None, converter=kept, hash=False)
    dismissal_date: Moment | None = attrs.field(default=None, kw_only=True)

    def _moments(self) -> tuple[tuple[str, object, str], ...]:
        return (*super()._moments(), ("dismissal-date", self.dismissal_date, "dismissal_date"))

    def _aps(self) -> dict[str, Any]:
        state = {} if self.content_state is None else {"content-state": mapping_in(self.content_state, "content_state")}
        return super()._aps() | state
