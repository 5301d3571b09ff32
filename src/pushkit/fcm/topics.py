"""
Who follows which topic: the registration-centred API of 2026.

Subscribing and unsubscribing are messages to registrations, so that they go through the same delivery as
pushes: bounded concurrency, retries, one token refresh, an outcome for each registration, reports. Both are
idempotent, so repeating one on doubt does no harm. Listing is a flow of its own (:func:`list_flow`).

Source: FCM v1 discovery document, ``projects.registrations.topicSubscriptions``; Google's page "Manage topic
subscriptions". The limit is 3000 calls a second for a project.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, cast
from urllib.parse import quote

import attrs

from pushkit import untrusted
from pushkit.codec import register
from pushkit.fcm.classify import Context, classify_topics
from pushkit.fcm.targets import FcmTarget, Installation, Registration, topic_problem
from pushkit.messages import Message
from pushkit.own_reasons import refuse
from pushkit.provider import Prepared, Stamp
from pushkit.verdict import Verdict
from pushkit.wire import WireRequest, WireResponse, WireResult

if TYPE_CHECKING:
    from pushkit.fcm.sender import FcmSender

_PAGE: Final = 200
"""Topics asked for at a time, so that a page stays well below what an answer may hold."""
MOST_TOPICS: Final = 2000
"""Topics that one app instance can follow."""
_MOST_PAGES: Final = MOST_TOPICS // _PAGE + 1
LIST_BYTES: Final = 1024 * 1024
"""The longest page that is read."""
_TOPIC_PREFIX: Final = "/topics/"


@attrs.frozen(repr=False)
class TopicChange(Message):
    """Base of the two messages that change a subscription."""

    provider: ClassVar[str | None] = "fcm"
    quota: ClassVar[str] = "topic changes"
    method: ClassVar[bytes]

    topic: str
    old_service: bool = attrs.field(default=False, kw_only=True)
    """Use the Instance ID service, which Google ends on 2027-09-29 (see :mod:`pushkit.fcm.iid`)."""


@register("fcm.Subscribe")
@attrs.frozen(repr=False)
class Subscribe(TopicChange):
    """Let a registration follow a topic; one that follows it already is fine too."""

    method: ClassVar[bytes] = b"PATCH"


@register("fcm.Unsubscribe")
@attrs.frozen(repr=False)
class Unsubscribe(TopicChange):
    """Let a registration follow a topic no more; one that does not follow it is fine too."""

    method: ClassVar[bytes] = b"DELETE"


class TopicPrepared(Prepared):
    """A change made ready: what its requests share."""

    __slots__ = ("body", "method", "old_service", "subscribe", "suffix", "topic")

    def __init__(self, message: TopicChange, stamp: Stamp) -> None:
        super().__init__(message, stamp, replaceable=True)
        self.method = message.method
        self.topic = message.topic
        self.subscribe = isinstance(message, Subscribe)
        self.old_service = message.old_service
        self.suffix = f"/topicSubscriptions/{quote(bare(message.topic), safe='')}?allow_missing=true"
        self.body = b"{}" if message.method == b"PATCH" else b""


def bare(topic: str) -> str:
    """A topic's name without ``/topics/`` in front."""
    return topic.removeprefix(_TOPIC_PREFIX)


def prepare_change(message: TopicChange, kind: type[FcmTarget], stamp: Stamp) -> TopicPrepared | Verdict:
    """Make a change ready, or say why it cannot be made."""
    if kind.fan_out:
        return refuse(
            "invalid_target", advice=f"Give registrations or installations: a {kind.__name__} cannot follow a topic.", detail=kind.__name__
        )
    if message.old_service and not issubclass(kind, Registration):
        return refuse(
            "invalid_target",
            advice=f"Use the newer topic service for this one: the old one knows registration tokens only, not an fcm.{kind.__name__}.",
        )
    problem = topic_problem(message.topic)
    if problem is not None:
        return refuse("invalid_topic_name", advice=f"Correct the topic: its name {problem}.", field="topic")
    if stamp.dry_run:
        return refuse("dry_run_not_supported", advice="Leave dry_run off: Google offers no trial for topic changes.", field="dry_run")
    return TopicPrepared(message, stamp)


@attrs.frozen(kw_only=True)
class TopicSubscription:
    """A topic that a registration follows."""

    topic: str
    created_at: datetime | None = None
    """Aware UTC, where Google tells it."""


ListFlow: TypeAlias = Generator[WireRequest, WireResult, "tuple[TopicSubscription, ...] | Verdict"]


def list_flow(sender: FcmSender, target: Registration | Installation, *, token: str, now: float, deadline: float) -> ListFlow:
    """
    Read all topics that a registration follows, page by page.

    Args:
        sender: the project.
        target: whose topics.
        token: the access token.
        now: epoch seconds.
        deadline: monotonic seconds, for every request.
    """
    given: object = target
    if not isinstance(given, (Registration, Installation)):
        return refuse(
            "invalid_target",
            advice=f"Give an fcm.Registration or an fcm.Installation: a {type(given).__name__} follows no topics.",
        )
    problem = target.problem()
    if problem is not None:
        return problem
    found: list[TopicSubscription] = []
    page = ""
    for _ in range(_MOST_PAGES):
        query = f"?page_size={_PAGE}" + (f"&page_token={quote(page, safe='')}" if page else "")
        request = sender.list_request(target, query, token=token, deadline=deadline)
        if isinstance(request, Verdict):
            return request
        result = yield request
        judged = sender.judged(classify_topics(result, now, Context(secrets=lambda: (token, *target.secrets()))))
        if isinstance(judged, Verdict):
            return judged
        body = untrusted.json_object(cast("WireResponse", result).body, limit=LIST_BYTES)
        found += _subscriptions(body.get("topicSubscriptions"))
        page = untrusted.text_of(body.get("nextPageToken"), limit=2000)
        if not page:
            break
    return tuple(found)


def _subscriptions(listed: object) -> list[TopicSubscription]:
    found: list[TopicSubscription] = []
    for item in cast("list[Any]", listed) if isinstance(listed, list) else []:
        if isinstance(item, dict):
            fields = cast("dict[str, Any]", item)
            name = untrusted.text_of(fields.get("topicName"), limit=1000)
            if name:
                found.append(TopicSubscription(topic=bare(name), created_at=_time(fields.get("createTime"))))
    return found


def _time(value: object) -> datetime | None:
    text = untrusted.text_of(value, limit=40)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
