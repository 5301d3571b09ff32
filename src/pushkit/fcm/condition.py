"""Reading a condition over topics, to find its mistakes before Google does."""

from __future__ import annotations

import re
from typing import Any

MOST_TOPICS = 5
"""Topics in one condition at the most (Google's documentation of topic messaging)."""

_LONGEST = 5 * 1000
_TOKEN = re.compile(r"\s*(?:(?P<topic>(?P<quote>['\"])(?P<name>[^'\"]*)(?P=quote)\s+in\s+topics\b)|(?P<sign>&&|\|\||!|\(|\)))")
_NAME = re.compile(r"[a-zA-Z0-9\-_.~%]{1,900}")


def condition_problem(expression: Any) -> str | None:
    """What is wrong with a condition ("is empty", …), or None."""
    if not isinstance(expression, str):
        return f"is a {type(expression).__name__}; expected text such as \"'a' in topics && 'b' in topics\""
    if not expression.strip():
        return "is empty"
    if len(expression) > _LONGEST:
        return f"is {len(expression)} characters long, which no condition over five topics needs"
    return _walk(expression)


def _walk(expression: str) -> str | None:
    at, opened, topics = 0, 0, 0
    wants_operand = True
    end = len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None:
            return f"cannot be read at character {at + 1}; expected 'name' in topics, &&, ||, ! or a parenthesis"
        sign = match["sign"]
        opens = sign in {"!", "("} or match["topic"] is not None
        if opens != wants_operand:
            expected = "a topic, ! or (" if wants_operand else "&&, || or )"
            return f"has something else where {expected} belongs, at character {match.end() - len(match[0].lstrip()) + 1}"
        if match["topic"] is not None:
            topics += 1
            if not _NAME.fullmatch(match["name"]):
                return f"names a topic with characters that Google does not take, at character {match.start('name') + 1}"
            wants_operand = False
        elif sign == "(":
            opened += 1
        elif sign == ")":
            opened -= 1
            if opened < 0:
                return "closes a parenthesis that was not opened"
        elif sign != "!":
            wants_operand = True
        at = match.end()
    if wants_operand:
        return "ends where a topic is expected"
    if opened:
        return "leaves a parenthesis open"
    return f"names {topics} topics; Google takes at most {MOST_TOPICS}" if topics > MOST_TOPICS else None
