"""
What somebody pastes, taken apart: a response with its head, what curl shows, a body, a log line, an exception's text.

Nothing here raises, whatever it is given. What cannot be told stays None or empty.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final, cast

import attrs

LONGEST: Final = 65_536
"""Characters that are looked at: more than any push service answers."""


@attrs.frozen(kw_only=True)
class Pasted:
    """What could be told from it."""

    status: int | None = None
    fields: tuple[tuple[bytes, bytes], ...] = ()
    """The response's header fields, names in lower case."""
    body: bytes = b""
    structured: bool = False
    """Whether the body is the provider's own JSON; else it is the text as pasted."""
    reason: str = ""
    """A word that is said to be the reason outside of a body: in a log line, a ``repr``, an exception."""
    provider: str = ""
    service: str = ""
    """Web Push: whose push service."""


def read(raw: str) -> Pasted:
    """Take it apart."""
    text = raw[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff \t\n")
    status, fields, body = _response(text)
    answer = _answer(body)
    status = status or _status_of(answer) or _status_in(body)
    provider, service = _whose(text, answer)
    # Where the answer itself is found, what stands around it (a log line's head, a repr) does not matter.
    content = json.dumps(answer).encode() if answer else body.encode("utf-8", "replace")
    # An outcome of pushkit's own (as_dict) is no answer: its reason counts, not its form.
    structured = bool(answer) and "provider" not in answer
    reason = "" if structured and "reason" not in answer else _reason(text, answer)
    return Pasted(status=status, fields=fields, body=content, structured=structured, reason=reason, provider=provider, service=service)


# -- a response with its head


def _response(text: str) -> tuple[int | None, tuple[tuple[bytes, bytes], ...], str]:
    text = _without_curls_marks(text)
    lines = text.split("\n")
    heads = [number for number, line in enumerate(lines) if _status_line(line) is not None]
    if heads:
        # The last one: before it stand a proxy's "200 Connection established", "100 Continue" and redirects.
        line, rest = lines[heads[-1]], lines[heads[-1] + 1 :]
        end = rest.index("") if "" in rest else len(rest)
        fields = _fields("\n".join(rest[:end]))
        return _status_line(line), fields or (), "\n".join(rest if fields is None else rest[end:]).strip()
    first = text[:4].split(maxsplit=1)[0] if text[:1].strip() else ""
    if len(first) == 3 and _is_status(first):
        return int(first), (), text[3:].strip()
    head, separator, body = text.partition("\n\n")
    fields = _fields(head)
    return (None, fields, body if separator else "") if fields is not None else (None, (), text)


def _without_curls_marks(text: str) -> str:
    """Of ``curl -v``: what came back, without what was sent and what curl itself says."""
    lines = text.split("\n")
    if not any(line.lstrip().startswith("< HTTP/") for line in lines):
        return text
    kept: list[str] = []
    for line in lines:
        if line.startswith("<") and line[1:2] in {"", " "}:
            kept.append(line[2:].strip())
        elif not line.startswith(("* ", "> ", "{ [", "} [")) and line.rstrip() != ">":
            kept.append(line)
    return "\n".join(kept)


_STATUS_LINE = re.compile(r"\s*HTTP/[0-9.]{1,3}\s+([0-9]{3})(?:\s|$)", re.IGNORECASE | re.ASCII)


def _status_line(line: str) -> int | None:
    found = _STATUS_LINE.match(line)
    return int(found[1]) if found else None


def _is_status(word: str) -> bool:
    return word.isascii() and word.isdigit() and 100 <= int(word) <= 599


def _fields(head: str) -> tuple[tuple[bytes, bytes], ...] | None:
    lines = [line for line in head.split("\n") if line.strip()]
    if not lines or not all(_is_field(line) for line in lines):
        return None
    parts = [line.partition(":") for line in lines]
    return tuple((name.strip().lower().encode("ascii", "replace"), value.strip().encode("utf-8", "replace")) for name, _, value in parts)


def _is_field(line: str) -> bool:
    name, colon, _ = line.strip().partition(":")
    return bool(colon) and bool(name) and all(character.isalnum() or character == "-" for character in name)


# -- the answer somewhere in a text

_ANSWERS = frozenset({"reason", "error", "errno"})
_TRIES = 40
_LONGEST_VALUE = 20_000


def _answer(text: str) -> dict[str, Any]:
    """The first JSON object or Python dict in a text that looks like a push service's answer."""
    # A repr writes line ends and quotes of a body with a backslash.
    for form in (text, text.replace("\\n", "\n").replace('\\"', '"')):
        for value in _objects(form):
            if not _ANSWERS.isdisjoint(value) and "@type" not in value:  # a part of Google's
                return value
    return {}


def _objects(text: str) -> Iterator[dict[str, Any]]:
    start = -1
    for _ in range(_TRIES):
        start = text.find("{", start + 1)
        if start < 0:
            return
        value = _json_at(text, start) or _literal_at(text, start)
        if isinstance(value, dict):
            yield cast("dict[str, Any]", value)


def _json_at(text: str, start: int) -> object:
    try:
        return json.JSONDecoder().raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return None


def _literal_at(text: str, start: int) -> object:
    depth = 0
    for end in range(start, min(len(text), start + _LONGEST_VALUE)):
        depth += (text[end] == "{") - (text[end] == "}")
        if depth == 0:
            try:
                return ast.literal_eval(text[start : end + 1])
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                return None
    return None


def _status_of(answer: dict[str, Any]) -> int | None:
    error: object = answer.get("error")
    inner = cast("dict[str, object]", error) if isinstance(error, dict) else {}
    for value in (inner.get("code"), answer.get("code"), answer.get("status")):
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return value
    return None


_PHRASES = "|".join(re.escape(status.phrase) for status in HTTPStatus if status >= 400)
_STATUS_IN = (
    re.compile(r"\b(?:HTTP(?:/[0-9.]+)?|status(?:[_ ]?code)?|code)['\"]?[\s:=('\"\[]{1,4}([1-5][0-9]{2})\b", re.IGNORECASE | re.ASCII),
    re.compile(rf"\b([45][0-9]{{2}})[.:]?\s+\(?(?:{_PHRASES})", re.IGNORECASE | re.ASCII),
    re.compile(r"(?:<Response \[|\bError |\bfailed: |\()([1-5][0-9]{2})\b", re.IGNORECASE | re.ASCII),
)


def _status_in(text: str) -> int | None:
    for pattern in _STATUS_IN:
        found = pattern.search(text)
        if found:
            return int(found[1])
    return None


# -- the word, and whose it is

_REASON = re.compile(r"\b(?:reason|description)['\"]?\s{0,2}[=:]\s{0,2}(?:'([^'\n]{1,80})'|\"([^\"\n]{1,80})\"|([A-Za-z_]{3,60}))")
_SAID = re.compile(r"\b(apns|fcm|webpush) ([A-Za-z][A-Za-z0-9_]{2,60})(?: for [^:\n]{1,100})?:")
"""How an outcome prints itself: provider, reason, for whom, advice."""
_RAISED = re.compile(r"\b([A-Z][A-Za-z]{3,40})Error\b")
"""firebase-admin names its exceptions after Google's words."""


def _reason(text: str, answer: dict[str, Any]) -> str:
    said: object = answer.get("reason")
    if isinstance(said, str):
        return said
    found = _REASON.search(text)
    if found:
        return found[1] or found[2] or found[3]
    found = _SAID.search(text)
    if found:
        return found[2]
    found = _RAISED.search(text)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[1]).upper() if found else ""


_HOSTS: Final = (
    ("push.services.mozilla.com", "webpush", "mozilla"),
    ("autopush", "webpush", "mozilla"),
    ("web.push.apple.com", "webpush", "apple"),
    ("notify.windows.com", "webpush", "microsoft"),
    ("x-wns-", "webpush", "microsoft"),
    ("fcm.googleapis.com/fcm/send/", "webpush", "google"),
    ("fcm.googleapis.com/wp/", "webpush", "google"),
    ("webpushexception", "webpush", ""),
    ("provider='webpush'", "webpush", ""),
    ("provider='fcm'", "fcm", ""),
    ("provider='apns'", "apns", ""),
    ("google.firebase.fcm", "fcm", ""),
    ("fcm.googleapis.com", "fcm", ""),
    ("firebase_admin", "fcm", ""),
    ("push.apple.com", "apns", ""),
    ("apns-id", "apns", ""),
    ("aioapns", "apns", ""),
)


def _whose(text: str, answer: dict[str, Any]) -> tuple[str, str]:
    named: object = answer.get("provider")
    if isinstance(named, str) and named in {"apns", "fcm", "webpush"}:
        return named, ""
    if "errno" in answer:
        return "webpush", "mozilla"
    lowered = text.lower()
    for sign, provider, service in _HOSTS:
        if sign in lowered:
            return provider, service or ("apple" if provider == "webpush" and "reason" in answer else "")
    found = _SAID.search(text)
    if found:
        return found[1], ""
    if isinstance(answer.get("error"), dict):
        return "fcm", ""
    return "", ""
