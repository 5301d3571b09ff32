"""Rules about the words themselves: what a person should not get to read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pushkit.preview.case import Effect, Finding
from pushkit.preview.fitting import controls

PLACEHOLDER = re.compile(
    r"\{\{.{0,60}?\}\}|\$?\{[A-Za-z_][\w.]{0,40}\}|<%.{0,60}?%>|%\([A-Za-z_]\w{0,40}\)[sd]|%(?:\d\$)?[s@](?!\w)|\[object Object\]|(?<!\w)undefined(?!\w)"
)
"""What template languages leave behind when a value is missing."""

_TAGS = "a|b|i|u|p|br|em|strong|span|div|img|font|small|big|center|h[1-6]|ul|ol|li|table|tr|td|script|style|html|body"
# A whole tag, or one with an attribute: "a<b and c>d" is none.
_MARKUP = re.compile(rf"</?(?:{_TAGS})\s?/?>|<(?:{_TAGS})\s+[a-z-]+\s?=|&(?:amp|lt|gt|quot|apos|nbsp|#\d{{1,6}});", re.IGNORECASE)


def wording(field: str, text: str) -> Iterator[Finding]:
    """What is wrong with one text. Never quotes it."""
    if controls(text):
        yield Finding(
            effect=Effect.NOTE,
            field=field,
            message="holds control characters: some platforms show boxes, others turn the text around.",
            mend="Take them out where the text comes from.",
        )
    if PLACEHOLDER.search(text):
        yield Finding(
            effect=Effect.NOTE,
            field=field,
            message="holds what looks like a placeholder that nobody filled in.",
            mend="Fill it in before it is sent.",
        )
    if _MARKUP.search(text):
        yield Finding(
            effect=Effect.NOTE,
            field=field,
            message="holds HTML: every platform shows it as it is written.",
            mend="Send plain text.",
        )
