"""A message as each platform would show it: texts fitted into the room that there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import attrs

from pushkit.messages import Message
from pushkit.notification import Notification
from pushkit.preview import payloads
from pushkit.preview.fitting import Fitted, fit, harmless
from pushkit.preview.mapping import PROVIDERS
from pushkit.preview.payloads import Content
from pushkit.preview.screens import SCREENS, Lines, Picture, Screen
from pushkit.verdict import Verdict

_EMPTY = Fitted((), cut=False, kept=0, total=0)
_ACTION = Lines(lines=1, width=20)
_NAME = Lines(lines=1, width=36)


@attrs.frozen(kw_only=True, repr=False)
class Look:
    """One platform's picture of a message. Holds its text."""

    screen: Screen
    provider: str
    """Which provider carries it there."""
    app: str
    shown: bool
    why: str = ""
    """Why nothing is shown: what happens instead, or what refuses it."""
    refused: bool = False
    title: Fitted = _EMPTY
    subtitle: Fitted | None = None
    body: Fitted = _EMPTY
    opened: Fitted = _EMPTY
    picture: str | None = None
    """Where the picture would come from (host only); None where none is shown."""
    actions: tuple[str, ...] = ()
    badge: int | None = None
    """The number on the app's icon; no notification shows it itself."""
    notes: tuple[str, ...] = ()

    @property
    def unfolds(self) -> bool:
        """Whether opening it shows more."""
        more = self.screen.folded and (self.picture is not None or self.actions)
        return self.shown and bool(more or self.opened.lines != self.body.lines)

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values, message text included."""
        return {
            "platform": self.screen.key,
            "provider": self.provider or None,
            "shown": self.shown,
            "refused": self.refused,
            "why": self.why,
            "title": list(self.title.lines),
            "subtitle": list(self.subtitle.lines) if self.subtitle is not None else [],
            "body": list(self.body.lines),
            "opened": list(self.opened.lines),
            "picture": self.picture,
            "actions": list(self.actions),
            "badge": self.badge,
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return f"<Look {self.screen.key} shown={self.shown}>"


def looks(message: Message, platforms: Iterable[str] | None, app: str, providers: Sequence[str] = PROVIDERS) -> tuple[Look, ...]:
    """
    How each platform would show a message.

    Raises:
        ValueError: for a platform that does not exist.
    """
    name = "".join(fit(app.replace("\n", " "), _NAME).lines)
    return tuple(_look(message, screen, name, providers) for screen in chosen_platforms(platforms))


def chosen_platforms(platforms: Iterable[str] | None) -> tuple[Screen, ...]:
    """
    The platforms to look at; None: all.

    Raises:
        ValueError: for a platform that does not exist.
    """
    chosen = tuple(SCREENS) if platforms is None else (platforms,) if isinstance(platforms, str) else tuple(platforms)
    unknown = [key for key in chosen if key not in SCREENS]
    if unknown:
        raise ValueError(f"platforms: no such platform: {', '.join(map(repr, unknown))}; there are {', '.join(SCREENS)}")
    return tuple(SCREENS[key] for key in chosen)


def chosen_providers(message: Message, providers: Iterable[str] | None) -> tuple[str, ...]:
    """
    The providers to look at; None: all that the message can go to.

    Raises:
        ValueError: for a provider that does not exist.
    """
    if providers is None:
        return PROVIDERS if message.provider is None else tuple(name for name in PROVIDERS if name == message.provider)
    chosen = (providers,) if isinstance(providers, str) else tuple(providers)
    unknown = [name for name in chosen if name not in PROVIDERS]
    if unknown:
        raise ValueError(f"providers: no such provider: {', '.join(map(repr, unknown))}; there are {', '.join(PROVIDERS)}")
    return chosen


def carrier(message: Message, screen: Screen, providers: Sequence[str]) -> str | None:
    """Which of these providers brings this message to this platform: its own, else FCM, which reaches all; None: none does."""
    for provider in (screen.own_provider, "fcm"):
        if provider in providers and message.provider in (None, provider):
            return provider
    return None


def reached(message: Message, providers: Sequence[str]) -> tuple[str, ...]:
    """The platforms that these providers bring this message to; all, where that is none."""
    found = tuple(key for key, screen in SCREENS.items() if carrier(message, screen, providers) is not None)
    return found or tuple(SCREENS)


def content(message: Message, screen: Screen, provider: str) -> Content | Verdict:
    """What the platform is told to show, or the refusal."""
    if provider == "apns":
        payload = payloads.apns_payload(message)
        return payload if isinstance(payload, Verdict) else payloads.apple_content(payload, message)
    if provider == "webpush":
        plaintext = payloads.webpush_payload(message)
        return plaintext if isinstance(plaintext, Verdict) else payloads.browser_content_of_webpush(plaintext, message)
    resource = payloads.fcm_payload(message)
    if isinstance(resource, Verdict):
        return resource
    if screen.browser:
        return payloads.browser_content_of_fcm(resource)
    return payloads.android_content(resource, message) if screen.key == "android" else payloads.apple_content_of_fcm(resource, message)


def _look(message: Message, screen: Screen, app: str, providers: Sequence[str]) -> Look:
    provider = carrier(message, screen, providers)
    if provider is None:
        other = "none of the chosen providers brings it to this platform"
        why = other if message.provider is None else f"{message.provider}'s {type(message).__name__} does not go to this platform"
        return Look(screen=screen, provider="", app=app, shown=False, why=why)
    found = content(message, screen, provider)
    if isinstance(found, Verdict):
        return Look(screen=screen, provider=provider, app=app, shown=False, refused=True, why=found.advice)
    if not found.shown:
        return Look(screen=screen, provider=provider, app=app, shown=False, why=found.why, badge=found.badge)
    return Look(
        screen=screen,
        provider=provider,
        app=app,
        shown=True,
        title=fit(found.title.replace("\n", " ") or app, screen.title),
        subtitle=fit(found.subtitle.replace("\n", " "), screen.subtitle) if screen.subtitle is not None and found.subtitle else None,
        body=fit(found.body, screen.body),
        opened=fit(found.body, screen.opened),
        picture=_host(found.picture) if found.picture and screen.picture is not Picture.HIDDEN else None,
        actions=_actions(found, screen),
        badge=found.badge if screen.badge else None,
        notes=tuple(_notes(message, found, screen)),
    )


def _actions(found: Content, screen: Screen) -> tuple[str, ...]:
    return tuple("".join(fit(title.replace("\n", " "), _ACTION).lines) for title in found.actions[: screen.actions])


def _host(url: str) -> str:
    try:
        return harmless(urlsplit(url).hostname or "?")[:60]
    except ValueError:
        return "?"


def _notes(message: Message, found: Content, screen: Screen) -> Iterable[str]:
    if found.badge is not None and screen.badge and screen.own_provider != "webpush":
        where = ", where the launcher shows one" if screen.key == "android" else ""
        yield f"the number on the app's icon becomes {found.badge}{where}" if found.badge else "the number on the app's icon goes away"
    elif found.badge is not None and screen.badge:
        yield f"the number on an installed web app's icon becomes {found.badge}" if found.badge else "the number on the icon goes away"
    if found.translated:
        yield "the app translates a text; shown is the fallback or the key"
    if found.level in {"time-sensitive", "critical"}:
        yield f"{found.level}: breaks through Focus" + (" and the mute switch" if found.level == "critical" else "")
    if getattr(message, "push_type", "") == "liveactivity":
        yield "shown is the alert; the Live Activity itself is drawn by the app"
    if found.silent:
        yield "no sound"
    if found.picture and screen.picture is Picture.EXTENSION:
        yield "the picture appears only if the app has a service extension that loads it"
    if isinstance(message, Notification) and message.group and screen.key == "ios":
        yield "stacked with others of its group"
