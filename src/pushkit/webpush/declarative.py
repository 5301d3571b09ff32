"""
Declarative Web Push: a JSON form that the browser shows by itself, without a service worker.

Part of the Push API draft (w3c/push-api#385) and of Safari since iOS 18.4. What a browser cannot read
it drops, or hands to a service worker as an ordinary push; hence its own rules are checked here first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import attrs

from pushkit.codec import register
from pushkit.messages import Message as BaseMessage
from pushkit.webpush.messages import Button, Json, Padding, Urgency, copied

MARK = 8030
"""The value of ``web_push`` by which a browser knows the form (the number of the Web Push RFC)."""

_U32 = 2**32 - 1
_U64 = 2**64 - 1


@register("webpush.Declarative")
@attrs.frozen(kw_only=True, repr=False)
class Declarative(BaseMessage):
    """
    A declarative message. ``title`` and ``navigate`` (an absolute URL) are required.

    An older service worker finds the same members: ``event.data.json().notification.title``.
    """

    provider: ClassVar[str | None] = "webpush"

    title: str | None = None
    navigate: str | None = None
    """What a tap opens: an absolute ``https:`` (or ``http:``) URL."""
    body: str | None = None
    lang: str | None = None
    dir: Literal["auto", "ltr", "rtl"] | None = None
    tag: str | None = None
    """A shown notification with the same tag is replaced (Safari does not)."""
    icon: str | None = None
    image: str | None = None
    badge: str | None = None
    vibrate: Sequence[int] | None = attrs.field(default=None, converter=copied)
    """Milliseconds of vibration and rest in turn."""
    timestamp: int | None = None
    """Milliseconds since 1970."""
    renotify: bool | None = None
    silent: bool | None = None
    require_interaction: bool | None = None
    data: Json | None = attrs.field(default=None, hash=False, converter=copied)
    """Any JSON value: ``event.notification.data``."""
    actions: Sequence[Button] = attrs.field(default=(), converter=copied)
    mutable: bool | None = None
    """Let a service worker change it first; shown as it is if that fails."""
    app_badge: int | None = None
    """Number on the app's icon; 0 removes it."""
    urgency: Urgency = attrs.field(default=Urgency.NORMAL, converter=Urgency)
    topic: str | None = None
    padding: Padding | None = None

    def as_json(self) -> dict[str, Any]:
        """The object that the browser reads."""
        shown: dict[str, Any] = {
            "title": self.title,
            "navigate": self.navigate,
            "body": self.body,
            "lang": self.lang,
            "dir": self.dir,
            "tag": self.tag,
            "icon": self.icon,
            "image": self.image,
            "badge": self.badge,
            "vibrate": listed(self.vibrate),
            "timestamp": self.timestamp,
            "renotify": self.renotify,
            "silent": self.silent,
            "requireInteraction": self.require_interaction,
            "data": self.data,
            "actions": buttons_json(self.actions),
        }
        return declared({name: value for name, value in shown.items() if value is not None}, mutable=self.mutable, app_badge=self.app_badge)

    def secrets(self) -> tuple[str, ...]:
        """Everything that a person would read."""
        return tuple(text for text in (self.title, self.body, self.navigate, self.image) if isinstance(text, str))


def listed(value: Any) -> Any:
    """A sequence as JSON writes it; anything else as it is, for the check to find."""
    return list(cast("Sequence[Any]", value)) if isinstance(value, tuple) else value


def buttons_json(buttons: Any) -> Any:
    """Actions as JSON, None for none; what is no :class:`Button` stays as it is, for the check to find."""
    return [_button_json(button) for button in cast("Sequence[Any]", buttons)] or None if isinstance(buttons, tuple) else buttons


def _button_json(button: Any) -> Any:
    if not isinstance(button, Button):
        return button
    return {field.name: value for field in attrs.fields(Button) if (value := getattr(button, field.name)) is not None}


def declared(notification: dict[str, Any], *, mutable: bool | None, app_badge: int | None) -> dict[str, Any]:
    """
    The declarative form of a notification's members.

    ``mutable`` and ``app_badge`` go into both places: the draft has them at the top, WebKit reads them
    inside the notification, and members that a reader does not know are passed over.
    """
    extra = {name: value for name, value in (("mutable", mutable), ("app_badge", app_badge)) if value is not None}
    return {"web_push": MARK, "notification": {**notification, **extra}, **extra}


def _text(value: object) -> bool:
    return isinstance(value, str)


def _filled(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _direction(value: object) -> bool:
    return value in {"auto", "ltr", "rtl"} if isinstance(value, str) else False


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _count(limit: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limit


def _url(value: object) -> bool:
    # WebKit parses without a base, so only an absolute URL is one.
    if not isinstance(value, str) or any(not character.isprintable() or character == " " for character in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"https", "http"} and bool(parts.hostname)
    except ValueError:
        return False


def _vibration(value: object) -> bool:
    return isinstance(value, list) and all(_count(_U32)(item) for item in cast("list[object]", value))


_Rules: TypeAlias = tuple[tuple[str, Callable[[object], bool], str], ...]
_ABSOLUTE = "expected an absolute https:// URL"
_MEMBERS: _Rules = (
    ("title", _filled, "expected text, not empty"),
    ("navigate", _url, f"{_ABSOLUTE}: what a tap opens"),
    ("body", _text, "expected text"),
    ("lang", _text, "expected text"),
    ("tag", _text, "expected text"),
    ("dir", _direction, "expected auto, ltr or rtl"),
    ("icon", _url, _ABSOLUTE),
    ("image", _url, _ABSOLUTE),
    ("badge", _url, _ABSOLUTE),
    ("vibrate", _vibration, "expected a list of milliseconds, 0 to 4294967295"),
    ("timestamp", _count(_U64), "expected milliseconds since 1970"),
    ("renotify", _flag, "expected a boolean"),
    ("silent", _flag, "expected a boolean"),
    ("requireInteraction", _flag, "expected a boolean"),
    ("mutable", _flag, "expected a boolean"),
    ("app_badge", _count(_U64), "expected a number from 0 on"),
)
_ACTION_MEMBERS: _Rules = (
    ("action", _filled, "expected text, not empty"),
    ("title", _filled, "expected text, not empty"),
    ("navigate", _url, f"{_ABSOLUTE}: what the button opens"),
    ("icon", _url, _ABSOLUTE),
)
_REQUIRED = frozenset({"title", "navigate"})
_OURS = {"requireInteraction": "require_interaction"}


def problem(message: Mapping[str, Any]) -> tuple[str, str] | None:
    """
    What a browser would refuse in a declarative message: (field in the caller's terms, what is wrong), or None.

    The rules of the draft and of WebKit's parser together: whatever one of them refuses is refused.
    """
    if type(message.get("web_push")) is not int or message["web_push"] != MARK:
        return "web_push", f"expected the number {MARK}"
    notification = message.get("notification")
    if not isinstance(notification, Mapping):
        return "notification", "expected an object"
    members = cast("Mapping[str, Any]", notification)
    for name, fits, expected in _MEMBERS:
        if (name in members or name in _REQUIRED) and not fits(members.get(name)):
            return _OURS.get(name, name), f"{_OURS.get(name, name)}: {expected}"
    if members.get("silent") is True and "vibrate" in members:
        return "vibrate", "vibrate: cannot be together with silent"
    if members.get("renotify") is True and not members.get("tag"):
        return "renotify", "renotify: needs a tag"
    return _actions_problem(members.get("actions", []))


def types_problem(notification: Mapping[str, Any]) -> tuple[str, str] | None:
    """
    What has the wrong type in a notification for a service worker, or None.

    Looser than :func:`problem`: a service worker resolves relative URLs, and shows a notification without a link.
    """
    for name, fits, expected in _MEMBERS:
        loose, wanted = (_text, "expected text") if fits is _url or name == "title" else (fits, expected)
        if name in notification and not loose(notification[name]):
            return _OURS.get(name, name), f"{_OURS.get(name, name)}: {wanted}"
    for name in ("category", "group"):
        if name in notification and not _text(notification[name]):
            return name, f"{name}: expected text"
    actions = notification.get("actions", [])
    if not isinstance(actions, list) or not all(_loose_button(action) for action in cast("list[object]", actions)):
        return "actions", "actions: expected webpush.Button values with text in them"
    return None


def _loose_button(action: object) -> bool:
    if not isinstance(action, Mapping):
        return False
    members = cast("Mapping[str, object]", action)
    return all(_filled(members.get(name)) for name in ("action", "title")) and all(_text(value) for value in members.values())


def _actions_problem(actions: object) -> tuple[str, str] | None:
    if not isinstance(actions, list):
        return "actions", "actions: expected a list"
    for number, action in enumerate(cast("list[object]", actions)):
        if not isinstance(action, Mapping):
            return "actions", f"actions[{number}]: expected a webpush.Button"
        members = cast("Mapping[str, Any]", action)
        for name, fits, expected in _ACTION_MEMBERS:
            if (name in members or name != "icon") and not fits(members.get(name)):
                return "actions", f"actions[{number}].{name}: {expected}"
    return None
