"""What FCM refuses in a message, with the field that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

import attrs

from pushkit.testing.services import fcm_schema as schema

MAX_PAYLOAD = 4096
MAX_TOPIC_PAYLOAD = 2048
MAX_TTL = 2_419_200.0
MAX_TOPICS_IN_CONDITION = 5

_TOPIC = re.compile(r"[a-zA-Z0-9\-_.~%]{1,900}")
_LABEL = re.compile(r"[a-zA-Z0-9\-_.~%]{1,50}")
_CONDITION_TOPIC = re.compile(r"'([^']*)'\s+in\s+topics")
_CONDITION_REST = re.compile(r"[\s()!&|T]*")
_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SNAKE = re.compile(r"[A-Z]")
_RESERVED_PREFIXES = ("google.", "gcm.notification.")
_TYPE_NAMES: Mapping[type, str] = {str: "TYPE_STRING", bool: "TYPE_BOOL", int: "TYPE_INT32", float: "TYPE_DOUBLE"}
_RESERVED_KEYS = frozenset({"from", "message_type"})


@attrs.frozen
class Violation:
    """What is wrong and where."""

    field: str
    description: str
    message: str | None = None
    """The error's own message where it is not the description."""
    fcm_error: bool = False


class Refused(Exception):
    """A message that FCM does not take."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.description)
        self.violation = violation


def read(body: bytes) -> tuple[dict[str, Any], bool]:
    """
    The message in snake_case and whether only validation was asked for.

    Raises:
        Refused: for anything that is no valid request.
    """
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(Violation("", "Invalid JSON payload received. Unexpected end of string or token.")) from None
    if not isinstance(raw, dict):
        raise Refused(Violation("", "Invalid JSON payload received. Root element must be a message."))
    request = _typed(cast("dict[str, object]", raw), schema.REQUEST, "")
    message = request.get("message")
    if message is None:
        raise Refused(Violation("message", "Message must be set."))
    _rules(cast("dict[str, Any]", message))
    return cast("dict[str, Any]", message), bool(request.get("validate_only"))


def _typed(value: Mapping[str, object], fields: Mapping[str, object], path: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, member in value.items():
        snake = _SNAKE.sub(lambda m: "_" + m.group().lower(), name)
        if snake not in fields:
            where = path or "request"
            text = f"Invalid JSON payload received. Unknown name \"{name[:60]}\" at '{where}': Cannot find field."
            raise Refused(Violation(path, text))
        if member is None:
            continue
        out[snake] = _value(member, fields[snake], f"{path}.{snake}" if path else snake)
    return out


def _value(value: object, kind: object, path: str) -> object:
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise _wrong(path, value)
        return _typed(cast("dict[str, object]", value), cast("dict[str, object]", kind), path)
    if isinstance(kind, tuple):
        return _enum(value, cast("tuple[str, ...]", kind), path)
    if kind == schema.MAP:
        return _map(value, path)
    if kind in {schema.STRINGS, schema.DURATIONS}:
        if not isinstance(value, list):
            raise _wrong(path, value)
        inner = schema.STRING if kind == schema.STRINGS else schema.DURATION
        return [_value(item, inner, f"{path}[{i}]") for i, item in enumerate(cast("list[object]", value))]
    good = {
        schema.STRING: isinstance(value, str),
        schema.BOOL: isinstance(value, bool),
        schema.INT: isinstance(value, int) and not isinstance(value, bool),
        schema.FLOAT: isinstance(value, (int, float)) and not isinstance(value, bool),
        schema.FREE: isinstance(value, dict),
        schema.DURATION: isinstance(value, str) and _DURATION.fullmatch(value) is not None,
        schema.TIMESTAMP: isinstance(value, str) and _TIMESTAMP.fullmatch(value) is not None,
    }[cast("str", kind)]
    if not good:
        raise _wrong(path, value)
    return value


def _map(value: object, path: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _wrong(path, value)
    for index, text in enumerate(cast("dict[str, object]", value).values()):
        if not isinstance(text, str):
            # Google names the entry by its position (the documentation's own example of a BadRequest).
            raise _wrong(f"{path}[{index}].value", text)
    return cast("dict[str, str]", value)


def _enum(value: object, names: tuple[str, ...], path: str) -> str:
    if isinstance(value, str) and value.upper() in names:
        return value.upper()
    raise _wrong(path, value)


def _wrong(path: str, value: object) -> Refused:
    kind = _TYPE_NAMES.get(type(value), "TYPE_MESSAGE")
    return Refused(Violation(path, f"Invalid value at '{path}' ({kind})"))


def _rules(message: dict[str, Any]) -> None:
    targets = [name for name in ("token", "fid", "topic", "condition") if message.get(name)]
    if len(targets) != 1:
        seen = "none" if not targets else " and ".join(targets)
        raise Refused(
            Violation(
                "message",
                f"Exactly one of fid, token, topic, condition must be set (seen: {seen}).",
                "Recipient of the message is not set.",
            )
        )
    if "android" in message and "android_v2" in message:
        raise Refused(Violation("message.android_v2", "android and android_v2 are mutually exclusive."))
    v2 = message.get("android_v2", {})
    if "remote_notification" in v2 and "background_sync" in v2:
        raise Refused(Violation("message.android_v2", "oneof: remote_notification and background_sync are mutually exclusive."))
    _recipient_rules(message)
    for path in ("data", "android.data", "android_v2.data"):
        _data_rules(_at(message, path), f"message.{path}")
    for path in ("android.ttl", "android_v2.ttl"):
        _ttl_rule(_at(message, path), f"message.{path}")
    for path in ("fcm_options", "android.fcm_options", "android_v2.fcm_options", "apns.fcm_options", "webpush.fcm_options"):
        label = _at(message, f"{path}.analytics_label")
        if label is not None and not _LABEL.fullmatch(label):
            raise Refused(Violation(f"message.{path}.analytics_label", "Invalid analytics label."))
    link = _at(message, "webpush.fcm_options.link")
    if link is not None and not link.startswith("https://"):
        raise Refused(Violation("message.webpush.fcm_options.link", "link must be a valid HTTPS URL."))
    for path in ("android.notification", "android_v2.remote_notification.notification"):
        _android_notification_rules(_at(message, path), f"message.{path}")
    payload = _at(message, "apns.payload")
    if payload is not None and not isinstance(payload.get("aps", {}), dict):
        raise Refused(Violation("message.apns.payload.aps", "Invalid value at 'message.apns.payload.aps'", fcm_error=True))
    limit = MAX_PAYLOAD if targets[0] in {"token", "fid"} else MAX_TOPIC_PAYLOAD
    size = payload_size(message)
    if size > limit:
        text = f"Message is too big: {size} bytes, the limit is {limit}."
        raise Refused(Violation("message", text, "Message is too big", fcm_error=True))


def _recipient_rules(message: dict[str, Any]) -> None:
    topic, condition = message.get("topic"), message.get("condition")
    if topic is not None and not _TOPIC.fullmatch(topic):
        raise Refused(Violation("message.topic", "Invalid topic name.", "Malformed topic name", fcm_error=True))
    if condition is None:
        return
    topics = _CONDITION_TOPIC.findall(condition)
    rest = _CONDITION_TOPIC.sub("T", condition)
    balanced = condition.count("(") == condition.count(")")
    if not topics or not balanced or not _CONDITION_REST.fullmatch(rest) or not all(_TOPIC.fullmatch(t) for t in topics):
        raise Refused(
            Violation(
                "message.condition", "Invalid condition expression provided.", "Invalid condition expression provided.", fcm_error=True
            )
        )
    if len(topics) > MAX_TOPICS_IN_CONDITION:
        text = f"A condition may name {MAX_TOPICS_IN_CONDITION} topics; this names {len(topics)}."
        raise Refused(Violation("message.condition", text, "Invalid condition expression provided.", fcm_error=True))


def _data_rules(data: dict[str, str] | None, path: str) -> None:
    for key in data or {}:
        if key in _RESERVED_KEYS or key.startswith(_RESERVED_PREFIXES):
            raise Refused(Violation(path, f"Invalid data payload key: {key[:60]}", f"Invalid data payload key: {key[:60]}", fcm_error=True))


def _ttl_rule(ttl: str | None, path: str) -> None:
    if ttl is not None and not 0.0 <= float(ttl[:-1]) <= MAX_TTL:
        raise Refused(Violation(path, "Invalid value for ttl: must be from 0s to 2419200s.", "Invalid ttl", fcm_error=True))


def _android_notification_rules(notification: dict[str, Any] | None, path: str) -> None:
    if notification is None:
        return
    color = notification.get("color")
    if color is not None and not _COLOR.fullmatch(color):
        raise Refused(Violation(f"{path}.color", "Invalid color: expected #rrggbb.", fcm_error=True))
    for part in ("body", "title"):
        if notification.get(f"{part}_loc_args") and not notification.get(f"{part}_loc_key"):
            raise Refused(Violation(f"{path}.{part}_loc_args", f"{part}_loc_key is required with {part}_loc_args.", fcm_error=True))
    lights = notification.get("light_settings")
    if lights is not None and not {"color", "light_on_duration", "light_off_duration"} <= lights.keys():
        raise Refused(Violation(f"{path}.light_settings", "color, light_on_duration and light_off_duration are required.", fcm_error=True))


def payload_size(message: Mapping[str, Any]) -> int:
    """
    What counts towards the limit: UTF-8 bytes of keys and values of data and notification texts.

    Google documents "4096 bytes, keys and values" and no formula; the APNs and Web Push parts are counted as
    the JSON that those services get. The largest of the platforms counts.
    """
    data = _flat(message.get("data", {})) + _flat(message.get("notification", {}))
    android: Mapping[str, Any] = message.get("android") or message.get("android_v2") or {}
    own = (
        _flat(android.get("data") or message.get("data", {}))
        + _flat(android.get("notification", {}))
        + _flat(message.get("notification", {}))
    )
    payload = _at(message, "apns.payload")
    apns = 0 if payload is None else len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    web = _at(message, "webpush.notification")
    webpush = 0 if web is None else len(json.dumps(web, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    return max(data, own, apns, webpush)


def _flat(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if isinstance(value, dict):
        return sum(_flat(k) + _flat(v) for k, v in cast("dict[str, object]", value).items())
    if isinstance(value, list):
        return sum(map(_flat, cast("list[object]", value)))
    return len(json.dumps(value))


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Any]", value).get(name)
    return value
