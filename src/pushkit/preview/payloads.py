"""
What a platform gets: read from the very bytes that pushkit would send, so that a preview cannot drift from them.

Each provider's own ``prepare`` makes the payload; this module takes out of it what the platform displays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from pushkit.messages import Message
from pushkit.notification import Localized, Notification
from pushkit.provider import Stamp
from pushkit.verdict import Verdict

if TYPE_CHECKING:
    from pushkit.targets import Target
    from pushkit.webpush.config import Config

Json = dict[str, Any]

BUNDLE_ID = "com.example.app"
_STAMP = Stamp(key="preview", dedupe=False)


@attrs.frozen(kw_only=True, repr=False)
class Content:
    """What a platform is told to display."""

    title: str = ""
    subtitle: str = ""
    body: str = ""
    picture: str | None = None
    """URL. Never fetched here."""
    actions: tuple[str, ...] = ()
    badge: int | None = None
    silent: bool = False
    level: str | None = None
    translated: bool = False
    """Whether the app looks texts up by key, so that what is shown here is the fallback or the key."""
    shown: bool = True
    why: str = ""
    """Why nothing is shown."""

    def __repr__(self) -> str:
        return f"<Content shown={self.shown}>"


def nothing(why: str) -> Content:
    """Nothing to see, and why."""
    return Content(shown=False, why=why)


@attrs.define
class _Moment:
    """The push that a payload is rendered for: without end, so that nothing in it depends on the time."""

    now: float = 0.0
    expires_at: float | None = None
    taken_at: float = 0.0
    ttl_zero: bool = False
    push_id: str = "00000000-0000-4000-8000-000000000000"
    attempt: int = 1
    deadline: float = 0.0
    token: str | None = None


@attrs.frozen
class _WebPushLimits:
    """The part of ``webpush.Config`` that says what a message may be; a whole one needs a key."""

    padding: str = "none"
    portable: str = "ignore"


def apns_payload(message: Message) -> Json | Verdict:
    """The JSON body for APNs to the first kind of target that takes it, or the refusal."""
    refusal: Verdict | None = None
    for kind in apns_kinds(message):
        found = apns_payload_for(message, kind)
        if not isinstance(found, Verdict):
            return found
        refusal = refusal or found
    return refusal or {}


def apns_kinds(message: Message) -> tuple[type[Target], ...]:
    """The kinds of Apple's targets that a message may go to; what is somebody else's is asked of a device."""
    from pushkit.apns import targets
    from pushkit.apns.messages.base import ApnsMessage

    return message.reaches if isinstance(message, ApnsMessage) else (targets.Device,)


def apns_payload_for(message: Message, kind: type[Target]) -> Json | Verdict:
    """The JSON body for APNs to this kind of target, or the refusal."""
    from pushkit.apns.encode import prepare

    prepared = prepare(message, kind, _STAMP, BUNDLE_ID)
    if isinstance(prepared, Verdict):
        return prepared
    body = prepared.body or (prepared.clock(0) if prepared.clock is not None else b"{}")
    return _object(body)


def fcm_payload(message: Message, *, topic: bool = False) -> Json | Verdict:
    """FCM's message resource for a device (or a topic), or the refusal."""
    from pushkit.fcm.encode import prepare
    from pushkit.fcm.targets import Registration, Topic

    prepared = prepare(message, Topic if topic else Registration, _STAMP)
    if isinstance(prepared, Verdict):
        return prepared
    return cast("Json", _object(prepared.body("preview", _Moment())).get("message", {}))


def webpush_payload(message: Message) -> bytes | Verdict | None:
    """What the browser decrypts, None for a push without content, or the refusal."""
    from pushkit.webpush.encode import prepare

    prepared = prepare(message, _STAMP, cast("Config", _WebPushLimits()))
    if isinstance(prepared, Verdict):
        return prepared
    return None if prepared.record is None else prepared.record.rstrip(b"\x00")[:-1]


def _object(body: bytes) -> Json:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("Json", value) if isinstance(value, dict) else {}


# -- what is displayed of it ---------------------------------------------------------------------------


def apple_content(payload: Json, message: Message) -> Content:
    """What an iPhone is told to show by an APNs payload."""
    aps = _mapping(payload.get("aps"))
    alert = aps.get("alert")
    if isinstance(alert, str):
        alert = {"body": alert}
    texts = _mapping(alert)
    if not texts and "badge" in aps and "sound" not in aps:
        return nothing("only the number on the app's icon changes")
    if not texts:
        return nothing(
            "only a sound plays" if "sound" in aps else _QUIET.get(getattr(message, "push_type", ""), "it wakes the app and shows nothing")
        )
    title, one = _apple_text(texts, "title", message)
    subtitle, two = _apple_text(texts, "subtitle", message)
    body, three = _apple_text(texts, "body", message)
    picture = payload.get("image") or _mapping(payload.get("fcm_options")).get("image")
    category = aps.get("category")
    return Content(
        title=title,
        subtitle=subtitle,
        body=body,
        picture=picture if isinstance(picture, str) else None,
        actions=(f"actions of {category}",) if isinstance(category, str) else (),
        badge=_number(aps.get("badge")),
        silent="sound" not in aps,
        level=aps.get("interruption-level") if isinstance(aps.get("interruption-level"), str) else None,
        translated=one or two or three,
    )


_QUIET: Mapping[str, str] = {
    "voip": "the app shows an incoming call (CallKit)",
    "pushtotalk": "the system shows who speaks (Push to Talk)",
    "liveactivity": "a Live Activity changes without an alert",
    "widgets": "the app's widgets reload",
    "controls": "the app's controls reload",
    "complication": "a watch complication gets new data",
    "location": "the app's location extension answers",
    "fileprovider": "a file provider looks for changes",
    "mdm": "the device calls its MDM server",
}


def _apple_text(alert: Json, name: str, message: Message) -> tuple[str, bool]:
    value = alert.get(name)
    prefix = "" if name == "body" else f"{name}-"
    inner = _mapping(value)  # Live Activities put the key inside
    key = alert.get(f"{prefix}loc-key") or inner.get("loc-key")
    if not isinstance(key, str):
        return value if isinstance(value, str) else "", False
    if isinstance(value, str):
        return value, True  # the plain text beside a key, which FCM gets as its fallback
    return _translated(key, alert.get(f"{prefix}loc-args") or inner.get("loc-args"), getattr(message, name, None)), True


def _translated(key: str, arguments: object, said: object) -> str:
    if isinstance(said, Localized) and isinstance(said.fallback, str):
        return said.fallback
    shown = ", ".join(str(item) for item in cast("list[object]", arguments)) if isinstance(arguments, list) else ""
    return f"[{key}: {shown}]" if shown else f"[{key}]"


def android_content(resource: Json, message: Message) -> Content:
    """What Android is told to show by FCM's message resource."""
    android = _mapping(resource.get("android"))
    look = _mapping(android.get("notification"))
    if "android_v2" in resource:
        remote = _mapping(_mapping(resource["android_v2"]).get("remote_notification"))
        look = _mapping(remote.get("notification"))
    common = _mapping(resource.get("notification"))
    if not look and not common:
        return nothing("the app gets the data and decides what to show")
    title, one = _android_text(look, common, "title", message)
    body, two = _android_text(look, common, "body", message)
    return Content(
        title=title,
        body=body,
        picture=_first_text(look.get("image"), common.get("image")),
        badge=_number(look.get("notification_count")),
        silent=False,
        translated=one or two,
    )


def _android_text(look: Json, common: Json, name: str, message: Message) -> tuple[str, bool]:
    key = look.get(f"{name}_loc_key")
    if isinstance(key, str):
        fallback = _first_text(look.get(name), common.get(name))
        return fallback or _translated(key, look.get(f"{name}_loc_args"), getattr(message, name, None)), True
    return _first_text(look.get(name), common.get(name)) or "", False


def apple_content_of_fcm(resource: Json, message: Message) -> Content:
    """What an iPhone is told to show by FCM, which passes its own block on to APNs."""
    apns = _mapping(resource.get("apns"))
    payload = dict(_mapping(apns.get("payload")))
    common = _mapping(resource.get("notification"))
    aps = dict(_mapping(payload.get("aps")))
    alert = aps.get("alert")
    texts = {"body": alert} if isinstance(alert, str) else dict(_mapping(alert))
    # Google makes the alert of the common title and body, unless the block has its own.
    for name in ("title", "body"):
        if (
            isinstance(common.get(name), str)
            and name not in texts
            and f"{name}-loc-key" not in texts
            and not (name == "body" and "loc-key" in texts)
        ):
            texts[name] = common[name]
    if texts:
        aps["alert"] = texts
    payload["aps"] = aps
    options = _mapping(apns.get("fcm_options"))
    payload["image"] = _first_text(options.get("image"), common.get("image"))
    return apple_content(payload, message)


def browser_content(members: Json) -> Content:
    """What a browser's ``showNotification`` is given."""
    actions = members.get("actions")
    titles = [_mapping(item).get("title") for item in cast("list[object]", actions)] if isinstance(actions, list) else []
    return Content(
        title=_first_text(members.get("title")) or "",
        body=_first_text(members.get("body")) or "",
        picture=_first_text(members.get("image")),
        actions=tuple(title for title in titles if isinstance(title, str)),
        badge=_number(members.get("app_badge")),
        silent=members.get("silent") is True,
    )


def browser_content_of_webpush(plaintext: bytes | None, message: Message) -> Content:
    """What a browser shows of a decrypted Web Push message."""
    if plaintext is None:
        return nothing("the service worker wakes up without content and decides what to show")
    value = _object(plaintext)
    members = value.get("notification")
    if isinstance(message, Notification) and message.background:
        return nothing("the service worker gets the data and shows nothing (Safari forbids that)")
    if not isinstance(members, dict):
        return nothing("the service worker gets the data and decides what to show")
    return browser_content(cast("Json", members) | {name: value[name] for name in ("app_badge",) if name in value})


def browser_content_of_fcm(resource: Json) -> Content:
    """What a browser shows of FCM's message resource (the Firebase library in its service worker displays it)."""
    own = _mapping(_mapping(resource.get("webpush")).get("notification"))
    common = _mapping(resource.get("notification"))
    members = {**common, **own}
    if not members:
        return nothing("the page or its service worker gets the data and decides what to show")
    return browser_content(members)


def _mapping(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _first_text(*values: object) -> str | None:
    return next((value for value in values if isinstance(value, str) and value), None)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
