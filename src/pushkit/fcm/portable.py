"""
A portable notification as FCM's message resource.

The platform behind a registration is unknown here, so every platform's block is written; FCM takes the
one that fits. What a platform cannot do is left out, never bent: ``group`` has no counterpart in FCM's
Android fields, and ``link`` reaches Android and Apple apps as the data entry ``link``.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from pushkit.fcm.fields import LABEL_CHARACTERS, Refused, checked_data, to_wire
from pushkit.fcm.messages import Options
from pushkit.messages import Message as BaseMessage
from pushkit.notification import InterruptionLevel, Localized, Notification, Priority, Sound

Wire: TypeAlias = dict[str, Any]

_LINK = "link"
_APNS_PRIORITY = {Priority.HIGH: "10", Priority.NORMAL: "5", Priority.LOW: "1"}
_ANDROID_PRIORITY = {Priority.HIGH: "high", Priority.NORMAL: "normal", Priority.LOW: "normal"}
_URGENCY = {Priority.HIGH: "high", Priority.NORMAL: "normal", Priority.LOW: "low"}
_ANDROID_LOOK = {
    InterruptionLevel.PASSIVE: "PRIORITY_LOW",
    InterruptionLevel.TIME_SENSITIVE: "PRIORITY_HIGH",
    InterruptionLevel.CRITICAL: "PRIORITY_MAX",
}
_INT32 = 2**31 - 1


def resource_of(notification: Notification) -> Wire:
    """
    The resource, without target and TTL.

    Raises:
        Refused: for the first field that cannot be said through FCM, in the notification's own terms.
    """
    options = _options(notification)
    common = _entries(notification)
    resource = _background(notification) if notification.background else _displayed(notification)
    if common:
        resource["data"] = common
    label = analytics_label(notification)
    if label:
        resource["fcm_options"] = {"analytics_label": label}
    if options is not None:
        extra = to_wire(options, "options")
        if "android_v2" in extra:
            if "android" in extra:
                raise Refused("options.android_v2", "and android exclude each other; give one of them")
            resource.pop("android", None)
        resource = merged(resource, extra)
    return resource


def analytics_label(message: BaseMessage) -> str | None:
    """
    A message's campaign label as an analytics label.

    A campaign may be called anything; what Google does not take becomes ``_``, and 50 characters are kept.
    """
    if not isinstance(message.label, str) or not message.label:
        return None
    return "".join(character if character in LABEL_CHARACTERS else "_" for character in message.label[:50])


def merged(base: Wire, over: Wire) -> Wire:
    """``over`` into ``base``, mapping by mapping; neither is changed."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(cast("Wire", below), cast("Wire", value)) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def _options(notification: Notification) -> Options | None:
    found: Options | None = notification.options_for(Options)
    return found


def _text(value: Any, field: str) -> str | None:
    """What is shown where nobody looks keys up."""
    shown = value.fallback if isinstance(value, Localized) else value
    if shown is None:
        return None
    if not isinstance(shown, str):
        raise Refused(field, f"is a {type(shown).__name__}; expected text or Localized")
    try:
        shown.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(field, "holds half a character (a lone surrogate); decode the text properly first") from None
    return shown


def _loc_args(value: Localized, field: str) -> list[str]:
    key: Any = value.key
    if not isinstance(key, str) or not key:
        raise Refused(field, "has no key; expected Localized('KEY_IN_THE_APP', …)")
    if not isinstance(value.args, tuple) or not all(isinstance(item, str) for item in value.args):
        raise Refused(field, "has arguments that are not all text")
    return list(value.args)


def _entries(notification: Notification) -> dict[str, str]:
    found = checked_data(notification.data, "data") or {}
    link = _text(notification.link, "link")
    if not link:
        return found
    if found.setdefault(_LINK, link) != link:
        raise Refused("data", "has the key 'link' with another value than the notification's link; use one of the two", "reserved_key")
    return found


def _background(notification: Notification) -> Wire:
    for field in ("title", "subtitle", "body", "badge", "sound"):
        if getattr(notification, field) not in (None, ""):
            raise Refused(
                "background",
                f"shows nothing, and {field} is set; send two pushes, or leave background off",
                "background_with_content",
            )
    # Apple refuses any other priority for background pushes; Android takes away "high" from apps that
    # use it without showing anything.
    headers = {"apns-push-type": "background", "apns-priority": "5"}
    return {
        "android": {"priority": "normal"},
        "apns": {"headers": headers, "payload": {"aps": {"content-available": 1}}},
        "webpush": {"headers": {"Urgency": _URGENCY[notification.priority]}},
    }


def _displayed(notification: Notification) -> Wire:
    title, body = _text(notification.title, "title"), _text(notification.body, "body")
    subtitle, image = _text(notification.subtitle, "subtitle"), _text(notification.image, "image")
    shown = {name: value for name, value in (("title", title), ("body", body), ("image", image)) if value}
    resource: Wire = {"notification": shown} if shown else {}
    resource["android"] = _android(notification, shown=bool(title or body) or _localized(notification))
    resource["apns"] = _apple(notification, title, subtitle, body, image)
    resource["webpush"] = _web(notification)
    return resource


def _word(value: Any, field: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    raise Refused(field, f"is a {type(value).__name__}; expected text")


def _badge(notification: Notification) -> int | None:
    badge: Any = notification.badge
    if badge is None:
        return None
    if isinstance(badge, bool) or not isinstance(badge, int):
        raise Refused("badge", f"is a {type(badge).__name__}; expected a whole number")
    if not 0 <= badge <= _INT32:
        raise Refused("badge", "is negative or does not fit into 32 bits")
    return badge


def _localized(notification: Notification) -> bool:
    return isinstance(notification.title, Localized) or isinstance(notification.body, Localized)


def _android(notification: Notification, *, shown: bool) -> Wire:
    look: Wire = {}
    for part in ("title", "body"):
        value = getattr(notification, part)
        if isinstance(value, Localized):
            arguments = _loc_args(value, part)
            look[f"{part}_loc_key"] = value.key
            if arguments:
                look[f"{part}_loc_args"] = arguments
    icon = _word(notification.icon, "icon")
    if icon and not _is_url(icon):
        look["icon"] = icon
    sound = notification.sound
    played = _word(sound.name, "sound.name") if isinstance(sound, Sound) else _word(sound, "sound")
    if played:
        look["sound"] = played
    badge = _badge(notification)
    if badge:  # 0 would count up by one here, and FCM cannot take a badge away
        look["notification_count"] = badge
    if notification.interruption is not None and notification.interruption in _ANDROID_LOOK:
        look["notification_priority"] = _ANDROID_LOOK[notification.interruption]
    result: Wire = {"priority": _ANDROID_PRIORITY[notification.priority]}
    collapse_key = _word(notification.collapse_key, "collapse_key")
    if collapse_key:
        result["collapse_key"] = look["tag"] = collapse_key
    if look and shown:  # a number or a sound alone would show an empty notification here
        result["notification"] = look
    return result


def _apple(notification: Notification, title: str | None, subtitle: str | None, body: str | None, image: str | None) -> Wire:
    texts = {name: value for name, value in (("title", title), ("subtitle", subtitle), ("body", body)) if value}
    keys: Wire = {}
    for part, prefix in (("title", "title-"), ("subtitle", "subtitle-"), ("body", "")):
        value = getattr(notification, part)
        if isinstance(value, Localized):
            arguments = _loc_args(value, part)
            keys[f"{prefix}loc-key"] = value.key
            if arguments:
                keys[f"{prefix}loc-args"] = arguments
    # Google makes the alert of a plain title and body by itself; one given here has to be whole.
    aps: Wire = {"alert": texts | keys} if keys or subtitle else {}
    badge = _badge(notification)
    if badge is not None:
        aps["badge"] = badge
    sound = _apple_sound(notification.sound)
    if sound:
        aps["sound"] = sound
    for name, field in (("category", "category"), ("thread-id", "group")):
        value = _word(getattr(notification, field), field)
        if value:
            aps[name] = value
    if notification.interruption is not None:
        aps["interruption-level"] = notification.interruption.value
    headers = {"apns-push-type": "alert", "apns-priority": _APNS_PRIORITY[notification.priority]}
    collapse_key = _word(notification.collapse_key, "collapse_key")
    if collapse_key:
        headers["apns-collapse-id"] = collapse_key
    result: Wire = {"headers": headers}
    if image:
        aps["mutable-content"] = 1  # without it the app's service extension is not asked to load the picture
        result["fcm_options"] = {"image": image}
    if aps:
        result["payload"] = {"aps": aps}
    return result


def _apple_sound(sound: Any) -> Any:
    if not isinstance(sound, Sound):
        return _word(sound, "sound")
    volume: Any = sound.volume
    if volume is not None and (isinstance(volume, bool) or not isinstance(volume, (int, float)) or not 0 <= volume <= 1):
        raise Refused("sound.volume", "is no number from 0 to 1")
    name = _word(sound.name, "sound.name")
    if not sound.critical:
        if volume is not None:
            raise Refused("sound.volume", "is for critical sounds only; set critical=True (Apple's entitlement is needed) or leave it out")
        return name
    return {"critical": 1, "name": name or "default"} | ({} if volume is None else {"volume": volume})


def _web(notification: Notification) -> Wire:
    look: Wire = {}
    icon = _word(notification.icon, "icon")
    if icon and _is_url(icon):
        look["icon"] = icon
    image = _text(notification.image, "image")
    if image:
        look["image"] = image
    collapse_key = _word(notification.collapse_key, "collapse_key")
    if collapse_key:
        look["tag"] = collapse_key
    result: Wire = {"headers": {"Urgency": _URGENCY[notification.priority]}}
    if look:
        result["notification"] = look
    link = _text(notification.link, "link")
    if link and link.startswith("https://"):
        result["fcm_options"] = {"link": link}
    return result


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://", "/"))
