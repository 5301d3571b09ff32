"""
How much of a notification each platform shows: data, in one place.

No vendor promises these numbers: they change with the device, the size of the text and the version. They
come from experience, nobody measured them for this table, and what is marked approximate may be some
letters off; correct it here.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs


class Picture(enum.StrEnum):
    """What a platform does with ``image``."""

    SHOWN = "shown"
    EXTENSION = "extension"
    """Only if the app has an extension that loads it."""
    HIDDEN = "hidden"


@attrs.frozen(kw_only=True)
class Lines:
    """Room for one text: so many lines of so many average Latin letters (a Chinese character takes two)."""

    lines: int
    width: int
    approximate: bool = True


@attrs.frozen(kw_only=True)
class Screen:
    """One platform, as a person sees it at first glance and, where it differs, after opening the notification."""

    key: str
    name: str
    where: str
    """The place on the screen."""
    title: Lines
    subtitle: Lines | None
    """None: the platform has none."""
    body: Lines
    opened: Lines
    """The body after pulling down, tapping the arrow or pointing at it."""
    actions: int
    """Buttons that are shown at the most."""
    picture: Picture
    badge: bool
    """Whether a number can be set on the app's icon."""
    sound: bool
    """Whether the message can choose its sound."""
    folded: bool = False
    """Whether buttons and the whole picture appear only after opening."""
    own_provider: str = "webpush"
    """Which provider reaches it directly."""

    @property
    def browser(self) -> bool:
        """Whether a browser shows it."""
        return self.own_provider == "webpush"


SCREENS: Mapping[str, Screen] = {
    screen.key: screen
    for screen in (
        Screen(
            key="ios",
            folded=True,
            own_provider="apns",
            name="iPhone",
            where="lock screen",
            title=Lines(lines=1, width=36),
            subtitle=Lines(lines=1, width=38),
            body=Lines(lines=4, width=40),
            opened=Lines(lines=20, width=40),
            actions=4,
            picture=Picture.EXTENSION,
            badge=True,
            sound=True,
        ),
        Screen(
            key="android",
            folded=True,
            own_provider="fcm",
            name="Android",
            where="notification shade",
            title=Lines(lines=1, width=38),
            subtitle=None,
            body=Lines(lines=1, width=44),
            opened=Lines(lines=10, width=44),
            actions=3,
            picture=Picture.SHOWN,
            badge=True,
            sound=True,
        ),
        Screen(
            key="windows",
            name="Chrome or Edge on Windows",
            where="toast",
            title=Lines(lines=2, width=40),
            subtitle=None,
            body=Lines(lines=4, width=44),
            opened=Lines(lines=4, width=44),
            actions=2,
            picture=Picture.SHOWN,
            badge=True,
            sound=False,
        ),
        Screen(
            key="macos",
            name="Safari on macOS",
            where="banner",
            title=Lines(lines=1, width=34),
            subtitle=None,
            body=Lines(lines=2, width=38),
            opened=Lines(lines=6, width=38),
            actions=0,
            picture=Picture.HIDDEN,
            badge=True,
            sound=False,
        ),
        Screen(
            key="linux",
            name="Firefox on Linux",
            where="GNOME banner",
            title=Lines(lines=1, width=40),
            subtitle=None,
            body=Lines(lines=2, width=46),
            opened=Lines(lines=6, width=46),
            actions=0,
            picture=Picture.HIDDEN,
            badge=False,
            sound=False,
        ),
    )
}
"""The platforms, by the names that ``preview(platforms=...)`` takes."""

LONGEST = 5_000
"""Characters of one text that are looked at: no notification carries more."""
