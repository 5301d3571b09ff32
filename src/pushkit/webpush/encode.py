"""
From a message to what is encrypted: JSON, limits and headers, once per notification.

What is per subscription (the endpoint, the keys, the token) is the sender's part.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import attrs

from pushkit.messages import Message as BaseMessage
from pushkit.messages import seconds
from pushkit.notification import InterruptionLevel, Localized, Notification, Priority
from pushkit.own_reasons import refuse
from pushkit.provider import Prepared, Stamp
from pushkit.verdict import Verdict
from pushkit.webpush.config import Config
from pushkit.webpush.declarative import Declarative, buttons_json, declared, listed, problem, types_problem
from pushkit.webpush.limits import HARD_LIMIT, MAX_TTL, PORTABLE_LIMIT
from pushkit.webpush.messages import Message, Options, Urgency, is_padding
from pushkit.webpush.topic import topic_from, topic_problem
from pushkit.wire import HeaderBlock

_URGENCY: Mapping[Priority, Urgency] = {Priority.HIGH: Urgency.HIGH, Priority.NORMAL: Urgency.NORMAL, Priority.LOW: Urgency.LOW}
_DRAWABLE = re.compile(r"[a-z0-9_]+")
_PORTABLE: Mapping[str, str] = {"navigate": "link", "app_badge": "badge", "tag": "collapse_key"}
"""Members by the names that callers know."""
_WRONG_MESSAGE = (
    "Send this kind of message to its own provider's recipients; browsers take a Notification, a webpush.Message or a webpush.Declarative."
)
_EMPTY = "Give the notification a title or a body, or mark it as a background push."
_TOO_LARGE = f"Shorten the message: at most {HARD_LIMIT} bytes fit, and fewer on some phones."
_OVERHEAD = 103  # octets of a body that are no plaintext: 86 header, 1 delimiter, 16 tag


@attrs.frozen
class _Content:
    """What is to be said, before it is checked for length."""

    plaintext: bytes | None
    urgency: Urgency
    topic: str | None
    padding: object
    replaceable: bool
    background: bool = False
    largest: str | None = None
    """Which field to shorten first."""


class PreparedPush(Prepared):
    """A message ready for any subscription: one record, padded, and the headers by second of TTL."""

    __slots__ = ("_blocks", "background", "over_portable_limit_by", "record", "topic", "urgency")

    def __init__(self, message: BaseMessage, stamp: Stamp, content: _Content, record: bytes | None, over: int) -> None:
        super().__init__(message, stamp, replaceable=content.replaceable)
        self.record = record
        """Plaintext, delimiter and padding; None: a push without content."""
        self.urgency = content.urgency
        self.topic = content.topic
        self.background = content.background
        self.over_portable_limit_by = over
        self._blocks: dict[bool, tuple[int, HeaderBlock]] = {}

    def block(self, ttl: int, *, microsoft: bool) -> HeaderBlock:
        """The headers that are the same for all subscriptions within one second."""
        kept = self._blocks.get(microsoft)
        if kept is not None and kept[0] == ttl:
            return kept[1]
        fields = [(b"ttl", str(ttl).encode("ascii")), (b"urgency", self.urgency.value.encode("ascii"))]
        if self.topic is not None:
            fields.append((b"topic", self.topic.encode("ascii")))
        if self.record is not None:
            fields += [(b"content-encoding", b"aes128gcm"), (b"content-type", b"application/octet-stream")]
        length = 0 if self.record is None else len(self.record) + _OVERHEAD - 1
        fields.append((b"content-length", str(length).encode("ascii")))
        if microsoft:
            # Without it WNS assumes "cache" and refuses TTL 0 with an empty 400.
            fields.append((b"x-wns-cache-policy", b"cache" if ttl else b"no-cache"))
        block = HeaderBlock(fields)
        self._blocks[microsoft] = (ttl, block)
        return block


def prepare(message: BaseMessage, stamp: Stamp, config: Config) -> PreparedPush | Verdict:
    """Make a message ready, or say why it cannot be said here."""
    content = _lifetime_problem(message) or _content(message, stamp)
    if isinstance(content, Verdict):
        return content
    if content.topic is not None and (wrong := topic_problem(content.topic)):
        return refuse("invalid_topic", field="topic", detail=f"topic: {wrong}; webpush.topic_from(...) makes one from any text")
    padding = config.padding if content.padding is None else content.padding
    if not is_padding(padding):
        return refuse("invalid_padding", field="padding", detail='padding: expected "none", "block" or a number of octets')
    if content.plaintext is None:
        return PreparedPush(message, stamp, content, None, 0)
    return _within_limits(message, stamp, content, plaintext=content.plaintext, padding=padding, config=config)


def _within_limits(
    message: BaseMessage, stamp: Stamp, content: _Content, *, plaintext: bytes, padding: Any, config: Config
) -> PreparedPush | Verdict:
    from pushkit.webpush.encryption import pad

    length = len(plaintext)
    limit = PORTABLE_LIMIT if config.portable == "refuse" else HARD_LIMIT
    if length > limit:
        over = f"{length} bytes, {length - limit} more than the {limit} that fit"
        return refuse("payload_too_large", advice=_TOO_LARGE, field=content.largest, detail=over)
    # Block padding must not push a message over the edge that it stays below by itself.
    record = pad(plaintext, padding)
    if length <= PORTABLE_LIMIT < len(record) - 1:
        record = pad(plaintext, PORTABLE_LIMIT)
    return PreparedPush(message, stamp, content, record, max(0, length - PORTABLE_LIMIT) if config.portable != "ignore" else 0)


def _lifetime_problem(message: BaseMessage) -> Verdict | None:
    ttl = cast("object", message.ttl)
    if message.expires_at is None and ttl is not None:
        if isinstance(ttl, bool) or not isinstance(ttl, (int, float, timedelta)):
            return refuse("invalid_ttl", field="ttl", detail=f"ttl: expected seconds or a timedelta, found a {type(ttl).__name__}")
        value = seconds(ttl)
        if not (math.isfinite(value) and 0 <= value <= MAX_TTL):
            return refuse("invalid_ttl", field="ttl", detail=f"ttl: expected 0 to {MAX_TTL} seconds, found {value:.0f}")
    return None


def _content(message: BaseMessage, stamp: Stamp) -> _Content | Verdict:
    if isinstance(message, Notification):
        return _portable(message, stamp)
    if isinstance(message, Message):
        return _raw(message)
    if isinstance(message, Declarative):
        return _declarative(message, stamp)
    return refuse("wrong_message", advice=_WRONG_MESSAGE, detail=f"found a {type(message).__module__}.{type(message).__qualname__}")


def _raw(message: Message) -> _Content | Verdict:
    data = cast("object", message.data)
    if data is None or isinstance(data, bytes):
        plaintext = data
    elif isinstance(data, str):
        try:
            plaintext = data.encode("utf-8")
        except UnicodeEncodeError:
            return refuse("invalid_field", field="data", detail="data: holds half of a surrogate pair, which UTF-8 cannot carry")
    else:
        encoded = _json(data, "data")
        if isinstance(encoded, Verdict):
            return encoded
        plaintext = encoded
    return _Content(plaintext, message.urgency, message.topic, message.padding, replaceable=message.topic is not None, largest="data")


def _declarative(message: Declarative, stamp: Stamp) -> _Content | Verdict:
    tag = message.tag
    if tag is None and stamp.dedupe:
        message = attrs.evolve(message, tag=stamp.key)
    members = message.as_json()
    wrong = problem(members)
    if wrong is not None:
        return refuse("invalid_declarative_message", field=wrong[0], detail=wrong[1])
    plaintext = _json(members, None)
    if isinstance(plaintext, Verdict):
        return plaintext
    replaceable = message.topic is not None or bool(message.tag)
    largest = _largest({"title": message.title, "body": message.body, "data": message.data})
    return _Content(plaintext, message.urgency, message.topic, message.padding, replaceable=replaceable, largest=largest)


def _portable(message: Notification, stamp: Stamp) -> _Content | Verdict:
    own = cast("Options", message.options_for(Options) or Options())
    texts: dict[str, str] = {}
    for name in ("title", "subtitle", "body"):
        text = _text(getattr(message, name), name)
        if isinstance(text, Verdict):
            return text
        if text:
            texts[name] = text
    if not texts and not message.background:
        return refuse("empty_message", advice=_EMPTY, field="title")
    data: Any = message.data
    if not isinstance(data, Mapping) or any(
        not isinstance(text, str) for pair in cast("Mapping[object, object]", data).items() for text in pair
    ):
        return refuse("invalid_field", field="data", detail="data: expected a mapping of text to text")
    members = _members(message, own, texts, stamp)
    badge: Any = message.badge
    wrong = types_problem(members)
    if wrong is None and not (badge is None or (isinstance(badge, int) and not isinstance(badge, bool) and badge >= 0)):
        wrong = "badge", "badge: expected a number from 0 on"
    if wrong is not None:
        field = wrong[0] if wrong[0] == "tag" and own.tag is not None else _PORTABLE.get(wrong[0], wrong[0])
        return refuse("invalid_field", field=field, detail=wrong[1])
    if own.declarative:
        shown: dict[str, Any] = declared(members, mutable=None, app_badge=message.badge)
        wrong = problem(shown)
        if wrong is not None:
            return refuse("invalid_declarative_message", field=_PORTABLE.get(wrong[0], wrong[0]), detail=wrong[1])
    else:
        shown = {"notification": members}
        if message.badge is not None:
            shown["app_badge"] = message.badge
        if message.background:
            shown["background"] = True
    plaintext = _json(shown, None)
    if isinstance(plaintext, Verdict):
        return plaintext
    return _Content(
        plaintext,
        own.urgency or _URGENCY[message.priority],
        _topic(message, own),
        own.padding,
        replaceable=not message.background and ("tag" in members or _topic(message, own) is not None),
        background=message.background,
        largest=_largest({**texts, "data": cast("object", data)}),
    )


def _topic(message: Notification, own: Options) -> Any:
    """Only when asked for: services keep few of them for a device, and a new one pushes an old one out."""
    if own.topic is not None:
        return own.topic
    key = cast("object", message.collapse_key)
    if not isinstance(key, str):
        return key
    return key if topic_problem(key) is None else topic_from(key)


def _members(message: Notification, own: Options, texts: Mapping[str, str], stamp: Stamp) -> dict[str, Any]:
    """The members of a notification, by the names that ``showNotification`` and declarative messages share."""
    tag = own.tag or message.collapse_key or (stamp.key if stamp.dedupe and not message.background else None)
    silent = True if own.silent is None and message.interruption is InterruptionLevel.PASSIVE else own.silent
    members: dict[str, Any] = {
        "title": texts.get("title", ""),
        # Browsers have no subtitle: it becomes the first line.
        "body": "\n".join(text for text in (texts.get("subtitle"), texts.get("body")) if text) or None,
        "navigate": message.link,
        "icon": own.icon or _icon(message.icon),
        "image": message.image,
        "badge": own.badge,
        "tag": tag,
        "lang": own.lang,
        "dir": own.dir,
        "renotify": own.renotify,
        "silent": silent,
        "requireInteraction": own.require_interaction,
        "vibrate": listed(own.vibrate),
        "actions": buttons_json(own.actions),
        "data": dict(message.data) or None,
        # For a service worker of one's own; browsers do not know them.
        "category": message.category,
        "group": message.group,
    }
    return {name: value for name, value in members.items() if value is not None}


def _icon(icon: object) -> object:
    """The portable icon, unless it is the name of an Android drawable."""
    return None if isinstance(icon, str) and _DRAWABLE.fullmatch(icon) else icon


def _text(value: object, field: str) -> str | Verdict | None:
    if isinstance(value, Localized):
        if not isinstance(value.fallback, str):
            return refuse("missing_fallback", field=field, detail=f"{field}: a Localized without a fallback")
        return value.fallback
    if value is None or isinstance(value, str):
        return value
    return refuse("invalid_field", field=field, detail=f"{field}: expected text, found a {type(value).__name__}")


def _json(value: object, field: str | None) -> bytes | Verdict:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        why = "a text holds half of a surrogate pair, which UTF-8 cannot carry"
    except TypeError:
        # The exception's own text names the type, but may show a value.
        why = "it holds something that is none of JSON's own types"
    except (ValueError, RecursionError):
        why = "it holds NaN, an infinite number, or itself"
    return refuse("invalid_field", field=field, detail=why)


def _largest(fields: Mapping[str, object]) -> str | None:
    sizes = {name: len(str(value).encode("utf-8", "replace")) for name, value in fields.items() if value}
    return max(sizes, key=lambda name: sizes[name]) if sizes else None
