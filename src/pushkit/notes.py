"""
What the handbook adds to a row of a table of reasons: what it usually means at night, and who says so.

The notes of a provider stand beside its table, in ``notes``; a client never loads them.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Source:
    """Where a row comes from: a vendor's page, a section of an RFC, a thread in public."""

    title: str
    url: str


@attrs.frozen
class Note:
    """What a table's columns do not say."""

    night: str
    """What is usually behind it when it wakes somebody: the first suspect, or that nobody has to get up."""
    night_zh: str
    """The same in Chinese."""
    source: Source


def rfc(number: int, section: str) -> Source:
    """A section of an RFC, such as ``rfc(8030, "7.3")``."""
    return Source(f"RFC {number}, section {section}", f"https://www.rfc-editor.org/rfc/rfc{number}#section-{section}")
