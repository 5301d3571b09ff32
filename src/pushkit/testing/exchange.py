"""
What passes between the wire and the services: a request as a service sees it, and what it wants done.

The services know no socket and the server knows no provider; the same services answer real
connections and the in-memory transport.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Any, TypeAlias

import attrs

Field: TypeAlias = tuple[bytes, bytes]


@attrs.define(eq=False)
class Connection:
    """One client connection, as far as a service cares."""

    id: int
    protocol: str
    """``"h2"``, ``"http/1.1"`` or ``"memory"``."""
    state: dict[str, Any] = attrs.field(factory=dict[str, Any])
    """What a service remembers about it (APNs: the tokens it has seen)."""


@attrs.define(eq=False, repr=False)
class Request:
    """One request, complete."""

    method: str
    scheme: str
    authority: str
    target: str
    """Path and query exactly as they came."""
    fields: Sequence[Field]
    """In the order received, names in lower case, without pseudo-headers."""
    body: bytes
    connection: Connection
    headers: dict[bytes, bytes] = attrs.field(init=False)
    """The last value of each field."""

    def __attrs_post_init__(self) -> None:
        self.headers = dict(self.fields)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark, raw."""
        return self.target.partition("?")[2]

    def text(self, name: bytes) -> str | None:
        """A field's value as text, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def duplicated(self) -> bool:
        """Whether a field came more than once."""
        return len(self.headers) != len(self.fields)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.authority} {len(self.body)} bytes>"


@attrs.frozen(kw_only=True, repr=False)
class Answer:
    """What a service says."""

    status: int
    fields: tuple[Field, ...] = ()
    body: bytes = b""
    word: str = ""
    """The provider's own word for it, for the inbox (``"Unregistered"``); empty for plain acceptance."""

    @property
    def accepted(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300

    def adding(self, *fields: Field) -> Answer:
        """The same answer with more fields."""
        return attrs.evolve(self, fields=(*self.fields, *fields))

    def __repr__(self) -> str:
        return f"<Answer {self.status} {self.word}>"


def json_answer(status: int, value: Mapping[str, Any], *fields: Field, word: str = "", content_type: bytes = b"application/json") -> Answer:
    """An answer with a JSON body. Half of a surrogate pair, which JSON may hold and UTF-8 cannot, is escaped."""
    try:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        body = json.dumps(value, separators=(",", ":")).encode()
    return Answer(status=status, fields=((b"content-type", content_type), *fields), body=body, word=word)


def text_answer(status: int, text: str, *fields: Field, word: str = "", content_type: bytes = b"text/plain; charset=utf-8") -> Answer:
    """An answer with a text body."""
    return Answer(status=status, fields=((b"content-type", content_type), *fields), body=text.encode(), word=word)


def html_page(status: int, title: str) -> Answer:
    """What a proxy or a front end in between answers: HTML, in nobody's dialect."""
    body = f"<!DOCTYPE html><html><head><title>{status} {title}</title></head><body><h1>{title}</h1><hr></body></html>"
    return text_answer(status, body, word=f"HTML {status}", content_type=b"text/html; charset=UTF-8")


def date_field(now: float) -> Field:
    """A ``Date`` header."""
    return _date_field(int(now))


@functools.lru_cache(maxsize=8)  # one for each whole second, which thousands of answers share
def _date_field(second: int) -> Field:
    return b"date", formatdate(second, usegmt=True).encode()
