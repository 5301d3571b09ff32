"""
From a message to the body of a request: everything once per message, a concatenation per push.

The JSON of a message is made once per whole second of what is left of its TTL, since that is all that
changes; each push puts its target in front.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, cast

from pushkit.fcm.fields import LONGEST_TTL, Refused, checked_text, secrets_of, to_wire
from pushkit.fcm.messages import Message, Options
from pushkit.fcm.portable import Wire, analytics_label, resource_of
from pushkit.fcm.targets import FcmTarget
from pushkit.lru import LRU
from pushkit.messages import Message as BaseMessage
from pushkit.notification import Notification
from pushkit.own_reasons import refuse
from pushkit.provider import Prepared, PushContext, Stamp
from pushkit.verdict import Verdict

DEVICE_LIMIT = 4096
"""Bytes of keys and values for one device (Google's ErrorCode page)."""

FAN_OUT_LIMIT = 2048
"""The same for a topic or a condition."""

_LONGEST_COLLAPSE_ID = 64
_TAILS = 16

# A push that is addressed this soon after it was taken forwards the TTL that the caller wrote, not one second less.
_PROMPT = 0.05

# Made once: json.dumps with options makes an encoder for every call. The resource was built here, so it has no cycles.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class FcmPrepared(Prepared):
    """A message made ready for one kind of target."""

    __slots__ = ("_resource", "_tails", "_ttl_cap", "live_activity", "notes", "portable", "prefix")

    def __init__(self, message: BaseMessage, stamp: Stamp, kind: type[FcmTarget], resource: Wire, *, replaceable: bool) -> None:
        super().__init__(message, stamp, replaceable=replaceable)
        self.portable = isinstance(message, Notification)
        self.prefix = f'{{"message":{{"{kind.field}":"'.encode()
        self.live_activity = bool(resource.get("apns", {}).get("live_activity_token"))
        self.notes = _notes(resource)
        self._resource = resource
        self._ttl_cap = _explicit_ttl(resource)
        self._tails: LRU[tuple[int, int], bytes] = LRU(_TAILS)

    def body(self, value: str, push: PushContext) -> bytes:
        """The request's body for a target whose wire value needs no escaping in JSON."""
        return self.prefix + value.encode("ascii") + self._tail(push)

    def _tail(self, push: PushContext) -> bytes:
        if push.ttl_zero:
            ttl, expiration = 0, 0
        elif push.expires_at is None:
            ttl, expiration = -1, -1
        else:
            ttl = max(0, min(math.floor(push.expires_at - push.now + _PROMPT), LONGEST_TTL))
            expiration = math.floor(push.expires_at)
        tail = self._tails.get((ttl, expiration))
        if tail is None:
            tail = self._render(ttl, expiration)
            self._tails.put((ttl, expiration), tail)
        return tail

    def _render(self, ttl: int, expiration: int) -> bytes:
        resource = self._resource
        if ttl >= 0:
            block = "android_v2" if "android_v2" in resource else "android"
            android = ttl if self._ttl_cap is None else min(ttl, self._ttl_cap)
            resource = _with(resource, (block,), "ttl", f"{android}s")
            resource = _with_header(resource, "apns", "apns-expiration", str(expiration))
            resource = _with_header(resource, "webpush", "TTL", str(ttl))
        rest = _to_json(resource)[1:-1]
        end = '},"validate_only":true}' if self.stamp.dry_run else "}}"
        return f'"{"," if rest else ""}{rest}{end}'.encode()


def _with_header(resource: Wire, block: str, name: str, value: str) -> Wire:
    headers: dict[str, str] = resource.get(block, {}).get("headers", {})
    wanted = name.lower()
    for given in headers:
        if given.lower() == wanted:
            return resource  # the caller's own wins
    return _with(resource, (block, "headers"), name, value)


def _with(resource: Wire, path: tuple[str, ...], name: str, value: str) -> Wire:
    """The resource with one more field; what is not on the way to it is shared."""
    found = dict(resource)
    at = found
    for step in path:
        at[step] = dict(at.get(step) or {})
        at = at[step]
    at[name] = value
    return found


def _explicit_ttl(resource: Wire) -> int | None:
    android: Wire = resource.get("android_v2") or resource.get("android") or {}
    ttl = android.get("ttl")
    return int(ttl[:-1]) if isinstance(ttl, str) else None


def prepare(message: BaseMessage, kind: type[FcmTarget], stamp: Stamp, label: str | None = None) -> FcmPrepared | Verdict:
    """Make a message ready for one kind of target, or say why it cannot be said there. ``label``: for messages without one."""
    try:
        resource = _resource(message)
        if resource is None:
            return refuse(
                "wrong_message",
                advice=f"Send a Notification or an fcm.Message to an fcm.{kind.__name__}; a {type(message).__name__} cannot go there.",
                detail=f"a {type(message).__name__} for an fcm.{kind.__name__}",
            )
        if isinstance(message, Notification):
            if not message.background and not _shows(resource):
                return refuse("empty_message", field="title")
        elif not _shows(resource) and not _carries(resource):
            return refuse("empty_message", advice=_EMPTY_MESSAGE, field="notification")
        checked_text(stamp.key, "key")
        _check_together(resource, kind, portable=isinstance(message, Notification))
        _check_size(resource, kind, portable=isinstance(message, Notification))
    except Refused as refusal:
        verb = "Shorten" if refusal.reason == "payload_too_large" else "Correct"
        advice = f"{verb} {refusal.field}: it {refusal.problem}."
        return refuse(refusal.reason, advice=advice, field=refusal.field, detail=refusal.problem)
    if label is not None:
        resource.setdefault("fcm_options", {}).setdefault("analytics_label", label)
    resource, replaceable = _deduped(resource, message, kind, stamp)
    return FcmPrepared(message, stamp, kind, resource, replaceable=replaceable)


def _resource(message: BaseMessage) -> Wire | None:
    if isinstance(message, Notification):
        return resource_of(message)
    if not isinstance(message, Message):
        return None
    resource = to_wire(message)
    label = analytics_label(message)
    if label and "fcm_options" not in resource:
        resource["fcm_options"] = {"analytics_label": label}
    return resource


_EMPTY_MESSAGE = "Give the message something to say: a notification, data, or a platform's own block."


def _shows(resource: Wire) -> bool:
    """Whether some platform is told to show, sound or count something."""
    aps: Wire = resource.get("apns", {}).get("payload", {}).get("aps", {})
    return bool(
        resource.get("notification")
        or resource.get("android", {}).get("notification")
        or resource.get("android_v2", {}).get("remote_notification")
        or any(name in aps for name in ("alert", "badge", "sound"))
        or resource.get("webpush", {}).get("notification")
    )


def _carries(resource: Wire) -> bool:
    """Whether it brings the app something."""
    apns: Wire = resource.get("apns", {})
    android_v2: Wire = resource.get("android_v2", {})
    return bool(
        resource.get("data")
        or resource.get("android", {}).get("data")
        or "background_sync" in android_v2
        or android_v2.get("remote_notification")
        or android_v2.get("data")
        or apns.get("payload")
        or apns.get("live_activity_token")
        or resource.get("webpush", {}).get("data")
    )


def _check_together(resource: Wire, kind: type[FcmTarget], *, portable: bool) -> None:
    if "android" in resource and "android_v2" in resource:
        raise Refused("android_v2", "and android exclude each other; give one of them")
    if kind.fan_out and resource.get("apns", {}).get("live_activity_token"):
        field = "options.apns.live_activity_token" if portable else "apns.live_activity_token"
        raise Refused(field, f"belongs to one device; a {kind.__name__} reaches many, so send to a Registration or Installation")


# --- size -------------------------------------------------------------------------------------------


def _length(value: Any) -> int:
    """UTF-8 bytes of all keys and values: less than what FCM counts, so what is over the limit here is over it there."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return sum(len(key.encode()) + _length(item) for key, item in cast("Wire", value).items())
    if isinstance(value, list):
        return sum(_length(item) for item in cast("list[Any]", value))
    return len(json.dumps(value))


def _check_size(resource: Wire, kind: type[FcmTarget], *, portable: bool) -> None:
    limit = FAN_OUT_LIMIT if kind.fan_out else DEVICE_LIMIT
    shown = _length(resource.get("notification", {}))
    data = _length(resource.get("data", {}))
    for block, own_field in (("android", "android.data"), ("android_v2", "android_v2.data"), ("webpush", "webpush.data")):
        own: Wire = resource.get(block, {})
        own_data = _length(own["data"]) if "data" in own else data
        if shown + own_data > limit:
            raise _too_large(
                own_field if "data" in own else ("data" if data >= shown else "notification"), shown + own_data, limit, portable=portable
            )
    if shown + data > limit:
        raise _too_large("data" if data >= shown else "notification", shown + data, limit, portable=portable)
    payload = resource.get("apns", {}).get("payload")
    if payload:
        size = len(_to_json(payload).encode())
        if size > DEVICE_LIMIT:
            raise _too_large("apns.payload", size, DEVICE_LIMIT, portable=portable)


def _too_large(field: str, size: int, limit: int, *, portable: bool) -> Refused:
    if portable:
        field = {"notification": "body", "data": "data", "apns.payload": "body"}.get(field, f"options.{field}")
    problem = f"makes the message {size} bytes long, and FCM takes {limit}; or send an id and let the app fetch the rest"
    return Refused(field, problem, "payload_too_large")


# --- identity ---------------------------------------------------------------------------------------


def _deduped(resource: Wire, message: BaseMessage, kind: type[FcmTarget], stamp: Stamp) -> tuple[Wire, bool]:
    """
    Fill what makes a second copy replace the first, on every platform that would display it.

    The platform behind a target is unknown, so a push is replaceable only when it is on all of them.
    FCM's own collapse_key is never filled: it acts only while a device is offline, and FCM keeps four a device.
    """
    shown = bool(resource.get("notification"))
    apns: Wire = resource.get("apns", {})
    headers: dict[str, str] = apns.get("headers", {})
    alert = shown or bool(apns.get("payload", {}).get("aps", {}).get("alert"))
    other_push = apns.get("live_activity_token") or headers.get("apns-push-type", "alert") != "alert"
    chosen = stamp.key if stamp.dedupe else None
    missing: list[bool] = []
    if "android_v2" in resource:
        remote: Wire | None = resource["android_v2"].get("remote_notification")
        if remote is not None and (shown or remote.get("notification")):
            resource = _fill(resource, ("android_v2", "remote_notification", "notification"), "tag", chosen, missing)
    elif shown or resource.get("android", {}).get("notification"):
        resource = _fill(resource, ("android", "notification"), "tag", chosen, missing)
    if alert:
        if other_push:
            missing.append(True)
        else:
            resource = _fill(resource, ("apns", "headers"), "apns-collapse-id", collapse_id(chosen), missing)
    if shown or resource.get("webpush", {}).get("notification"):
        resource = _fill(resource, ("webpush", "notification"), "tag", chosen, missing)
    displayed = bool(missing)
    own_key = not kind.fan_out or message.key is not None
    return resource, displayed and not any(missing) and own_key


def _fill(resource: Wire, path: tuple[str, ...], name: str, value: str | None, missing: list[bool]) -> Wire:
    at: Wire = resource
    for step in path:
        at = at.get(step, {})
    if at.get(name):
        missing.append(False)
        return resource
    missing.append(value is None)
    return resource if value is None else _with(resource, path, name, value)


def collapse_id(key: str | None) -> str | None:
    """A key as ``apns-collapse-id``: Apple takes 64 bytes, so a longer one is replaced by its digest."""
    if key is None or (len(key.encode("utf-8", "replace")) <= _LONGEST_COLLAPSE_ID and key.isascii() and key.isprintable()):
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_LONGEST_COLLAPSE_ID]


def _notes(resource: Wire) -> str:
    """What FCM takes, but may overwrite."""
    taken = sorted({"notification", "collapse_key"} & set(resource.get("data", {})))
    return f"data entries that Google may overwrite: {', '.join(taken)}" if taken else ""


def message_secrets(message: BaseMessage) -> tuple[str, ...]:
    """Every text of a message that must not show in ``detail``."""
    found = list(message.secrets())
    if isinstance(message, Notification):
        options = message.options_for(Options)
        if options is not None:
            found += secrets_of(options)
    return tuple(found)
