"""
Rules about Web Push.

Sources: RFC 8030, the Push API draft, the Notifications API, and WebKit's pages about Web Push.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pushkit.notification import Notification
from pushkit.preview.case import Case, Effect, Finding, mapping

PORTABLE = 2820
"""Bytes. The value of ``pushkit.webpush.limits.PORTABLE_LIMIT``; a test keeps them equal."""


def phones(case: Case) -> Iterator[Finding]:
    """Firefox on phones is reached through other services, which take less."""
    if case.size > PORTABLE:
        yield Finding(
            effect=Effect.NOTE,
            field="body" if isinstance(case.message, Notification) else "data",
            message=f"{case.size} bytes may not reach browsers on phones, which take about {PORTABLE}.",
            mend="Send an id and let the service worker fetch the rest.",
            approximate=True,
        )


def shows(case: Case) -> Iterator[Finding]:
    """Every push has to show something."""
    if isinstance(case.message, Notification):
        return
    if not case.size:
        yield Finding(
            effect=Effect.NOTE,
            field="data",
            message="a push without content: browsers show a general notice unless the service worker shows one.",
        )
    elif not isinstance(case.payload.get("notification"), dict):
        yield Finding(
            effect=Effect.NEEDS_APP,
            field="data",
            message="the service worker has to show a notification for it: Safari takes the permission away from pages that show nothing.",
        )


def unshowable(case: Case) -> Iterator[Finding]:
    """Options that contradict each other: showNotification() throws (Notifications API), and nothing appears."""
    own = mapping(case.payload.get("webpush")) if case.provider == "fcm" else case.payload
    members = mapping(own.get("notification"))
    before = "webpush.notification." if case.provider == "fcm" else ""
    if members.get("silent") is True and members.get("vibrate") is not None:
        yield Finding(
            effect=Effect.HIDDEN,
            field=f"{before}vibrate",
            message="together with silent: browsers throw an error and show nothing.",
            mend="Leave one of them out.",
        )
    # A portable notification has a tag from its key.
    if members.get("renotify") is True and not members.get("tag") and not isinstance(case.message, Notification):
        yield Finding(
            effect=Effect.HIDDEN,
            field=f"{before}renotify",
            message="without a tag: browsers throw an error and show nothing.",
            mend="Give a tag, or leave renotify out.",
        )


def web_link(case: Case) -> Iterator[Finding]:
    """A browser opens no app."""
    message = case.message
    if isinstance(message, Notification) and isinstance(message.link, str):
        try:
            scheme = urlsplit(message.link).scheme.lower()
        except ValueError:
            scheme = "?"
        if scheme not in {"", "http", "https"}:
            yield Finding(
                effect=Effect.IGNORED,
                field="link",
                message="browsers open web addresses only.",
                mend="Use an https:// link that the app claims.",
            )


RULES = (phones, shows, unshowable, web_link)
"""For all that goes through Web Push."""
