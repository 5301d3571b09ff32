"""The snippets of docs/testing.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "testing.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(number: int) -> None:
    """By itself, without anything around it."""
    exec(compile(SNIPPETS[number], f"docs/testing.md snippet {number + 1}", "exec"), {"__name__": "__main__"})


def test_there_are_snippets() -> None:
    """The search has not gone blind."""
    assert 4 == len(SNIPPETS)
