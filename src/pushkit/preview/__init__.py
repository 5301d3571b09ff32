"""
How a message would look on people's screens, and what would be lost on the way there, before anybody gets it.

::

    from pushkit.preview import lint, preview

    print(preview(notification).text())
    for warning in lint(notification):
        print(warning)

Both read the very payloads that pushkit would send, need no client, no credentials and no network, and
never fetch a picture or a link.
"""

from __future__ import annotations

from pushkit.preview.case import Effect
from pushkit.preview.core import Preview, preview
from pushkit.preview.linting import LintWarning, lint
from pushkit.preview.looks import Look
from pushkit.preview.screens import SCREENS, Screen

__all__ = ["SCREENS", "Effect", "LintWarning", "Look", "Preview", "Screen", "lint", "preview"]
