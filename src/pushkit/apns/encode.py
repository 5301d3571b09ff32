"""
Message and kind of target to body and headers: pure, once per notification.

What changes with each push is left to ``address``: path, ``apns-id``, expiry, a Live Activity's timestamp.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

from pushkit.apns.json_text import Refused, body_of, mapping_in, text_in, wrong
from pushkit.apns.kinds import (
    BROADCAST_LIMIT,
    BROADCAST_PRIORITIES,
    COLLAPSE_LIMIT,
    RULES,
    PushType,
    TypeRule,
    rule_for,
    topic_for,
)
from pushkit.apns.messages.device import DeviceMessage
from pushkit.apns.messages.live import LiveActivityMessage, LiveActivityStart
from pushkit.apns.messages.options import Options
from pushkit.apns.messages.push import Push
from pushkit.apns.notification_body import body_for
from pushkit.apns.targets import ActivityToken, Channel, Device, StartToken
from pushkit.lru import LRU
from pushkit.messages import Message
from pushkit.notification import Notification, Priority
from pushkit.own_reasons import refuse
from pushkit.provider import Prepared, Stamp
from pushkit.targets import Target
from pushkit.verdict import Verdict
from pushkit.wire import Header, HeaderBlock

APNS_PRIORITY: Mapping[Priority, int] = {Priority.HIGH: 10, Priority.NORMAL: 5, Priority.LOW: 1}
"""The portable priorities as ``apns-priority``."""

_CONTENT_TYPE: Header = (b"content-type", b"application/json")
_TOPIC = re.compile(r"[A-Za-z0-9.-]{1,255}").fullmatch
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+").fullmatch
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]*").fullmatch

_OURS: Mapping[str, str] = {
    "apns-id": "is made for each push, the same on every attempt; read it from outcome.message_id",
    "apns-expiration": "comes from ttl or expires_at, so that retries end in time; set one of these",
    "authorization": "comes from the configured credentials",
    "apns-request-id": "is made for each push; read it from outcome.message_id",
    "apns-channel-id": "comes from the target, an apns.Channel",
    "content-encoding": "has no place here: APNs takes JSON that is not compressed",
}
_FORBIDDEN_HEADERS = frozenset(
    {"connection", "host", "transfer-encoding", "upgrade", "keep-alive", "content-length", "te", "proxy-connection"}
)


class ApnsPrepared(Prepared):
    """A message made ready: everything that is the same for all targets of one kind."""

    __slots__ = ("_addressed", "_blocks", "base", "body", "broadcast", "clock", "collapse", "rule", "stated", "topic")

    def __init__(
        self,
        message: Message,
        stamp: Stamp,
        *,
        base: tuple[Header, ...],
        body: bytes,
        topic: str,
        rule: TypeRule,
        collapse: bytes | None,
        replaceable: bool,
        broadcast: bool = False,
        clock: Callable[[int], bytes] | None = None,
        stated: int | None = None,
    ) -> None:
        super().__init__(message, stamp, replaceable=replaceable)
        self.base = base
        """Header fields that depend on nothing but the message."""
        self.body = body
        """Empty where ``clock`` makes it."""
        self.topic = topic
        """For a channel the bare bundle id, which stands in the path there."""
        self.rule = rule
        self.collapse = collapse
        self.broadcast = broadcast
        self.clock = clock
        """Live Activities: the body for a timestamp."""
        self.stated = stated
        """Live Activities: the timestamp in ``body``, where the caller stated one."""
        self._blocks: dict[int | None, HeaderBlock] = {}
        self._addressed = False

    def headers(self, expiration: int | None, shared: LRU[tuple[object, ...], HeaderBlock]) -> tuple[HeaderBlock, tuple[Header, ...]]:
        """
        The header block for an expiry, and the fields beside it.

        A personalised notification has a collapse id of its own and is addressed once: its id stays out of
        the block, so that the block is shared with all the others. A notification that is addressed again is
        a broadcast, and everything that stays the same goes into its block.
        """
        block = self._blocks.get(expiration)
        if block is not None:
            return block, ()
        together = self._addressed and self.collapse is not None
        self._addressed = True
        if self.collapse is not None and not together:
            return self._shared(expiration, shared), ((b"apns-collapse-id", self.collapse),)
        block = self._block(expiration, self.collapse) if together else self._shared(expiration, shared)
        if len(self._blocks) >= _BLOCKS:
            self._blocks.clear()
        self._blocks[expiration] = block
        return block, ()

    def _shared(self, expiration: int | None, shared: LRU[tuple[object, ...], HeaderBlock]) -> HeaderBlock:
        key = (self.base, expiration)
        block = shared.get(key)
        if block is None:
            block = self._block(expiration, None)
            shared.put(key, block)
        return block

    def _block(self, expiration: int | None, collapse: bytes | None) -> HeaderBlock:
        fields = list(self.base)
        if expiration is not None:
            fields.append((b"apns-expiration", b"%d" % expiration))
        if collapse is not None:
            fields.append((b"apns-collapse-id", collapse))
        return HeaderBlock(fields)


#: Whole seconds of expiry that one notification may be sent with at a time.
_BLOCKS = 16


def prepare(message: Message, kind: type[Target], stamp: Stamp, bundle_id: str) -> ApnsPrepared | Verdict:
    """Make a message ready for one kind of target, or say why it cannot be said there."""
    try:
        if isinstance(message, Notification):
            return _notification(message, kind, stamp, bundle_id)
        if isinstance(message, Push):
            return _push(message, kind, stamp, bundle_id)
        if isinstance(message, LiveActivityMessage):
            return _live(message, kind, stamp, bundle_id)
        if isinstance(message, DeviceMessage):
            return _typed(message, kind, stamp, bundle_id)
        return _misdirected(message, kind)
    except Refused as refusal:
        return refusal.verdict


def _misdirected(message: Message, kind: type[Target]) -> Verdict:
    fitting = {
        Device: "a pushkit.Notification or one of apns's device messages",
        ActivityToken: "an apns.LiveActivityUpdate or LiveActivityEnd",
        StartToken: "an apns.LiveActivityStart",
        Channel: "an apns.LiveActivityUpdate or LiveActivityEnd",
    }
    wanted = next((text for known, text in fitting.items() if issubclass(kind, known)), "a message of apns's own")
    return refuse(
        "wrong_message",
        advice=f"Send {wanted} to an apns.{kind.__name__}; a {type(message).__name__} cannot go there.",
        detail=f"a {type(message).__name__} for an apns.{kind.__name__}",
    )


def _notification(message: Notification, kind: type[Target], stamp: Stamp, bundle_id: str) -> ApnsPrepared | Verdict:
    if not issubclass(kind, Device):
        return _misdirected(message, kind)
    options: Options | None = message.options_for(Options) if message.options else None
    body, shows = body_for(message, options)
    push_type = PushType.ALERT if shows else PushType.BACKGROUND
    rule = RULES[push_type]
    own_priority = options.priority if options is not None else None
    if shows:
        priority = APNS_PRIORITY[own_priority or message.priority]
    else:
        priority = rule.priorities[0]
        if own_priority is not None:
            _checked_priority(own_priority, rule.priorities, "apns.Options.priority")
    topic = _topic(options.topic if options is not None else None, bundle_id, push_type, "apns.Options.topic")
    collapse = _collapse(options.collapse_id, "apns.Options.collapse_id") if options is not None else None
    if collapse is None:
        collapse = _collapse(message.collapse_key, "collapse_key")
    if collapse is None and shows:
        collapse = _from_key(stamp)
    return ApnsPrepared(
        message,
        stamp,
        base=_base(topic, push_type, priority),
        body=_sized(body_of(body, own_terms=True), rule.limit),
        topic=topic,
        rule=rule,
        collapse=collapse,
        replaceable=collapse is not None or not shows,
    )


def _typed(message: DeviceMessage, kind: type[Target], stamp: Stamp, bundle_id: str) -> ApnsPrepared | Verdict:
    if not issubclass(kind, message.reaches):
        return _misdirected(message, kind)
    push_type = message.push_type
    rule = RULES[push_type]
    given: Priority | None = getattr(message, "priority", None)
    priority = rule.priorities[0] if given is None else _checked_priority(given, rule.priorities, "priority")
    topic = _topic(message.topic, bundle_id, push_type, "topic")
    return ApnsPrepared(
        message,
        stamp,
        base=_base(topic, push_type, priority),
        body=_sized(body_of(message.wire_payload(), own_terms=True), rule.limit),
        topic=topic,
        rule=rule,
        collapse=None,
        replaceable=message.repeatable,
    )


def _live(message: LiveActivityMessage, kind: type[Target], stamp: Stamp, bundle_id: str) -> ApnsPrepared | Verdict:
    if not issubclass(kind, message.reaches):
        return _misdirected(message, kind)
    broadcast = issubclass(kind, Channel)
    rule = RULES[message.push_type]
    given = message.priority
    permitted = BROADCAST_PRIORITIES if broadcast else rule.priorities
    priority = permitted[0] if given is None else _checked_priority(given, permitted, "priority")
    topic = _topic(message.topic, bundle_id, message.push_type, "topic")
    if broadcast:
        topic = topic.removesuffix(rule.suffix)
    limit = BROADCAST_LIMIT if broadcast else rule.limit
    clock = message.clock()
    stated = message.stated()
    collapse = _collapse(message.collapse_id, "collapse_id") if isinstance(message, LiveActivityStart) else None
    return ApnsPrepared(
        message,
        stamp,
        base=_base(None if broadcast else topic, message.push_type, priority),
        body=_sized(clock(stated if stated is not None else _LATEST), limit),
        topic=topic,
        rule=rule,
        collapse=collapse,
        # A repeated update or end carries the same timestamp, so it changes nothing; a repeated alert might sound twice.
        replaceable=collapse is not None or (message.repeatable and message.title is None and not broadcast),
        broadcast=broadcast,
        clock=clock if stated is None else None,
        stated=stated,
    )


#: As many digits as any timestamp will have for two centuries, for the size.
_LATEST = 9_999_999_999


def _push(message: Push, kind: type[Target], stamp: Stamp, bundle_id: str) -> ApnsPrepared | Verdict:
    headers = _given_headers(message.headers)
    # Activity and start tokens and channels take one type alone.
    push_type = headers.pop("apns-push-type", None) or (message.push_type if issubclass(kind, Device) else PushType.LIVE_ACTIVITY)
    rule = rule_for(push_type)
    broadcast = issubclass(kind, Channel)
    topic = headers.pop("apns-topic", None) or topic_for(bundle_id, push_type)
    if broadcast:
        topic = topic.removesuffix(rule.suffix)
        if not _TOPIC(topic):
            raise wrong('headers["apns-topic"]', "is no bundle id (letters, digits, dots, dashes)")
    collapse = _collapse(headers.pop("apns-collapse-id", None), 'headers["apns-collapse-id"]')
    if collapse is None and push_type == PushType.ALERT and not broadcast:
        collapse = _from_key(stamp)
    # Without the header it is 10: channels ask for it all the same, and there are types that do not take 10.
    if broadcast or 10 not in rule.priorities:
        headers.setdefault("apns-priority", str(rule.priorities[0]))
    fields = [] if broadcast else [(b"apns-topic", topic.encode())]
    fields += [(b"apns-push-type", push_type.encode()), _CONTENT_TYPE]
    fields += [(name.encode(), value.encode()) for name, value in headers.items() if name != "content-type"]
    payload: object = message.payload
    body = payload if isinstance(payload, bytes) else body_of(mapping_in(payload, "payload"))
    if not body:
        raise Refused(refuse("empty_message", advice="Give payload something to say: it is empty.", field="payload"))
    return ApnsPrepared(
        message,
        stamp,
        base=tuple(fields),
        body=_sized(body, BROADCAST_LIMIT if broadcast else rule.limit),
        topic=topic,
        rule=rule,
        collapse=collapse,
        replaceable=collapse is not None or (push_type == PushType.BACKGROUND and not broadcast),
        broadcast=broadcast,
    )


#: Bits of a number in a header; expiry times and priorities have far fewer.
_LONGEST_INT = 64


def _given_headers(given: object) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in mapping_in(given, "headers").items():
        if not isinstance(name, str) or not _HEADER_NAME(name.lower()) or name.lower() in _FORBIDDEN_HEADERS:
            raise wrong("headers", "has a name that HTTP/2 does not take")
        lower = name.lower()
        field = f'headers["{lower}"]'
        if lower in _OURS:
            raise wrong(field, _OURS[lower])
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise wrong(field, f"is a {type(value).__name__}; expected text")
        if isinstance(value, int) and value.bit_length() > _LONGEST_INT:
            raise wrong(field, "is a number that is too long")
        headers[lower] = _header_text(str(value), field)
    return headers


def _header_text(text: str, field: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise wrong(field, "holds half a character (a lone surrogate)") from None
    if not _PRINTABLE(text) or text != text.strip():
        raise wrong(field, "holds control characters, line ends or spaces around it")
    return text


@functools.lru_cache(maxsize=256)
def _base(topic: str | None, push_type: str, priority: int) -> tuple[Header, ...]:
    # A bundle id, a type and a priority come back with every personalised push.
    fields: list[Header] = [] if topic is None else [(b"apns-topic", topic.encode())]
    return (*fields, (b"apns-push-type", push_type.encode()), (b"apns-priority", b"%d" % priority), _CONTENT_TYPE)


def _topic(given: object, bundle_id: str, push_type: PushType, field: str) -> str:
    if given is None:
        return topic_for(bundle_id, push_type)
    if not _TOPIC(text_in(given, field)):
        raise wrong(field, "is no bundle id (letters, digits, dots, dashes)")
    return topic_for(str(given), push_type)


def _checked_priority(given: Priority, permitted: tuple[int, ...], field: str) -> int:
    priority = APNS_PRIORITY[given]
    if priority not in permitted:
        names = " or ".join(name.name for name, value in APNS_PRIORITY.items() if value in permitted)
        raise wrong(field, f"is {given.name}; this push type takes {names} only")
    return priority


def _collapse(given: object, field: str) -> bytes | None:
    if given is None or given == "":
        return None
    encoded = _header_text(text_in(given, field), field).encode()
    if len(encoded) > COLLAPSE_LIMIT:
        raise wrong(field, f"has {len(encoded)} bytes; Apple takes {COLLAPSE_LIMIT} at the most", reason="collapse_id_too_long")
    return encoded


def _from_key(stamp: Stamp) -> bytes | None:
    """The identity as collapse id, where it can be one: a key of the caller's own may be anything."""
    if not stamp.dedupe:
        return None
    try:
        return _collapse(stamp.key, "key")
    except Refused:
        return None


def _sized(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise Refused(
            refuse(
                "payload_too_large",
                advice=f"Shorten the message: its {len(body)} bytes are more than the {limit} that Apple takes for this kind of push.",
                detail=f"{len(body)} bytes, limit {limit}",
            )
        )
    return body
