"""Rules of the linter that hold for every provider, and which rules are asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pushkit.notification import Notification
from pushkit.preview import apple_rules, browser_rules, google_rules
from pushkit.preview.case import Case, Effect, Finding, Rule, mapping
from pushkit.preview.mapping import BROWSERS
from pushkit.preview.wording import PLACEHOLDER

_DAY = 86_400.0
_KEPT: Mapping[str, int] = {"apns": 30, "fcm": 28, "webpush": 28}
"""Days that a provider keeps a message at the most."""
_PRIVATE_NAMES = ("localhost", ".localhost", ".local", ".internal", ".lan", ".test")


def lifetime(case: Case) -> Iterator[Finding]:
    """What is over before it arrives, and what is kept shorter than asked for."""
    message = case.message
    left: float | None
    if isinstance(message.expires_at, datetime):
        field, left = "expires_at", (message.expires_at - case.now).total_seconds()
        if left <= 0:
            yield Finding(effect=Effect.REFUSED, field=field, message="is in the past: nothing is sent, and each outcome is expired.")
            return
    else:
        field = "ttl"
        left = message.ttl.total_seconds() if isinstance(message.ttl, timedelta) else message.ttl
    if left == 0:
        yield Finding(effect=Effect.NOTE, field=field, message="0 means now or never: who is offline at that moment gets nothing.")
    elif left is not None and left > _KEPT[case.provider] * _DAY:
        yield Finding(
            effect=Effect.CUT,
            field=field,
            message=f"no message is kept for longer than {_KEPT[case.provider]} days.",
            mend="Ask for 28 days at the most.",
        )


def addresses(case: Case) -> Iterator[Finding]:
    """Pictures and links that a person's device cannot load or open."""
    for field, value in _addresses(case):
        scheme, host = _parts(value)
        kind = field.rpartition(".")[2]
        picture = kind not in {"link", "navigate"}
        if PLACEHOLDER.search(value):
            yield Finding(
                effect=Effect.NOTE,
                field=field,
                message="holds what looks like a placeholder that nobody filled in.",
                mend="Fill it in before it is sent.",
            )
        if scheme == "http":
            yield Finding(
                effect=Effect.HIDDEN if picture else Effect.NOTE,
                field=field,
                message="is an http:// address: phones and browsers block it or warn.",
                mend="Use https://.",
            )
        elif picture and kind != "icon" and not (scheme == "https" and host) and (case.provider != "webpush" or scheme):
            yield Finding(
                effect=Effect.HIDDEN,
                field=field,
                message="is no https:// address: devices cannot load it.",
                mend="Give the whole address, from https:// on.",
            )
        if _private(host):
            yield Finding(effect=Effect.NOTE, field=field, message="leads to a private address, which people's devices do not reach.")


_PATHS: Mapping[str, tuple[str, ...]] = {
    "apns": (),
    "fcm": (
        "notification.image", "android.notification.image", "apns.fcm_options.image",
        "webpush.notification.image", "webpush.notification.icon", "webpush.fcm_options.link",
    ),
    "webpush": ("notification.navigate", "notification.image", "notification.icon", "notification.badge"),
}  # fmt: skip


def _addresses(case: Case) -> Iterator[tuple[str, str]]:
    message = case.message
    if isinstance(message, Notification):
        # An icon with an address is one for browsers.
        names = ("image", "icon", "link") if BROWSERS in case.platforms else ("image", "link")
        found = {name: getattr(message, name) for name in names}
    else:
        found = {}
        for path in _PATHS[case.provider]:
            value: object = case.payload
            for step in path.split("."):
                value = mapping(value).get(step)
            found[path.removeprefix("notification.") if case.provider == "webpush" else path] = value
    for field, value in found.items():
        if isinstance(value, str) and value:
            yield field, value


def _parts(address: str) -> tuple[str, str]:
    try:
        split = urlsplit(address)
        return split.scheme.lower(), (split.hostname or "").rstrip(".")
    except ValueError:
        return "?", ""


def _private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(_PRIVATE_NAMES)


def rules_for(case: Case) -> Iterator[tuple[Rule, str | None]]:
    """The rules to ask, with the platform that they are about: everybody's, Apple's wherever an iPhone is reached, the provider's."""
    yield from ((rule, None) for rule in (lifetime, addresses))
    if case.provider == "apns" or "ios" in case.platforms:
        yield from ((rule, "ios" if case.provider == "fcm" else None) for rule in apple_rules.RULES)
    if case.provider == "fcm":
        yield from ((rule, None) for rule in google_rules.RULES)
        if BROWSERS in case.platforms:
            yield browser_rules.unshowable, BROWSERS
    if case.provider == "webpush":
        yield from ((rule, None) for rule in browser_rules.RULES)
