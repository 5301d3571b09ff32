"""The preview as a value, and the function that makes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from pushkit.messages import Message
from pushkit.preview.linting import LintWarning, lint
from pushkit.preview.looks import Look, chosen_providers, looks, reached


@attrs.frozen(kw_only=True, repr=False)
class Preview:
    """
    A message as the platforms would show it. Holds its text; ``repr`` does not show it.

    Whatever the message holds (HTML, terminal escapes, right-to-left overrides, Markdown) is text in all
    three forms. Nothing is fetched: a picture is a box with the name of its host.
    """

    looks: tuple[Look, ...]
    warnings: tuple[LintWarning, ...]

    def text(self, *, colour: bool = False) -> str:
        """
        For a terminal.

        Args:
            colour: with ANSI escapes for bold and dim text.
        """
        from pushkit.preview.text import render

        return render(self.looks, self.warnings, colour=colour)

    def svg(self) -> str:
        """One picture of all platforms, light or dark as the viewer prefers."""
        from pushkit.preview.svg import render

        return render(self.looks)

    def html(self) -> str:
        """One self-contained page with the picture and the warnings: no script, nothing loaded."""
        from pushkit.preview.html import render

        return render(self.looks, self.warnings)

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values, message text included."""
        return {"looks": [look.as_dict() for look in self.looks], "warnings": [warning.as_dict() for warning in self.warnings]}

    def __repr__(self) -> str:
        return f"<Preview {', '.join(look.screen.key for look in self.looks)}; {len(self.warnings)} warnings>"

    def __str__(self) -> str:
        return self.text()


def preview(
    message: Message,
    platforms: Iterable[str] | None = None,
    *,
    providers: Iterable[str] | None = None,
    app: str = "Your app",
) -> Preview:
    """
    How a message would look.

    Args:
        message: a ``pushkit.Notification``, or a provider's own message (shown on the platforms it reaches).
        platforms: some of ``"ios"``, ``"android"``, ``"windows"``, ``"macos"``, ``"linux"``; None for all that it reaches.
        providers: some of ``"apns"``, ``"fcm"``, ``"webpush"``; with ``["fcm"]`` iPhones and browsers get it through FCM.
            None: each platform gets it through its own.
        app: the name that stands above the notification.

    Raises:
        TypeError: when it is no message.
        ValueError: for a platform or a provider that does not exist.
    """
    if not isinstance(message, Message):
        raise TypeError(f"expected a pushkit.Notification or a provider's message, found a {type(message).__name__}")
    carriers = chosen_providers(message, providers)
    if platforms is None:
        platforms = reached(message, carriers)
    found = looks(message, platforms, app, carriers)
    shown = [look.screen.key for look in found]
    return Preview(looks=found, warnings=tuple(lint(message, carriers, shown)))
