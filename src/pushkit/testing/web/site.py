"""
What serves the inbox page: static files and a small JSON interface behind a random path.

Threats and answers: other pages in the same browser (Origin and Fetch-Metadata checks, POST with JSON
only), DNS rebinding (Host check), people on the same network (loopback only unless told, random path),
hostile titles (everything is data for ``textContent``, and the Content-Security-Policy allows no inline
script, no remote anything), the address in a Referer (none is sent).
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Field, Request, json_answer, text_answer
from pushkit.testing.services.base import Served
from pushkit.testing.vocabulary import PROVIDERS
from pushkit.testing.web.views import detail, summary, words

if TYPE_CHECKING:
    from pushkit.testing.inbox import SentRecord
    from pushkit.testing.services.world import World

PAGE = 500
"""Records in one answer at the most: opening a Web Push costs some 60 µs, and the services wait meanwhile."""

_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE: tuple[Field, ...] = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_FILES: Mapping[str, tuple[str, bytes]] = {
    "": ("page.html", b"text/html; charset=utf-8"),
    "app.js": ("app.js", b"text/javascript; charset=utf-8"),
    "preview.js": ("preview.js", b"text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", b"image/svg+xml"),
    "style.css": ("style.css", b"text/css; charset=utf-8"),
}
_MOST_NEXT = 10_000


class Wrong(Exception):
    """A request that the page would never make, or a value that makes no sense; the text is for the person at the page."""


class InboxSite:
    """
    The handler of the inbox's port.

    Args:
        world: what it shows and scripts.
        hosts: ``Host`` values (without port) that it answers to.
        token: the random part of its address; None makes one.
    """

    def __init__(self, world: World, *, hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]"), token: str | None = None) -> None:
        self.token = token if token is not None else secrets.token_urlsafe(24)
        self._world = world
        self._hosts = frozenset(hosts)
        self._gets: Mapping[str, Callable[[dict[str, str]], Any]] = {"records": self._records, "record": self._record, "state": self._state}
        self._posts: Mapping[str, Callable[[dict[str, Any]], Any]] = {
            "script": self._script,
            "remove": self._remove,
            "register": self._register,
            "outage": self._outage,
            "clear": self._clear,
        }

    def serve(self, request: Request) -> Served:
        """Answer one request."""
        answer = self._answer(request)
        return Served(answer.adding(*_SAFE))

    def _answer(self, request: Request) -> Answer:
        host = request.authority.rpartition(":")[0] or request.authority
        if host not in self._hosts:
            return text_answer(421, "This host name is not the inbox's: open the address that was printed at the start.")
        path = request.path.split("/")
        if len(path) < 3 or not hmac.compare_digest(path[1].encode("utf-8", "replace"), self.token.encode()):
            return text_answer(404, "Not found: open the whole address that was printed at the start, with its random part.")
        rest = path[2:]
        if rest[0] != "api":
            return self._file("/".join(rest)) if request.method == "GET" else text_answer(405, "GET only")
        name = rest[1] if len(rest) == 2 else ""
        try:
            if request.method == "GET" and name in self._gets:
                query = {key: values[-1] for key, values in parse_qs(request.query).items()}
                return json_answer(200, self._gets[name](query))
            if request.method == "POST" and name in self._posts:
                return json_answer(200, self._posts[name](self._posted(request)) or {"done": True})
        except Wrong as wrong:
            return json_answer(400, {"error": str(wrong)})
        return json_answer(405 if name in self._gets or name in self._posts else 404, {"error": "no such call"})

    def _file(self, name: str) -> Answer:
        if name not in _FILES:
            return text_answer(404, "Not found")
        file, kind = _FILES[name]
        return Answer(status=200, fields=((b"content-type", kind),), body=(files("pushkit.testing.web") / file).read_bytes())

    def _posted(self, request: Request) -> dict[str, Any]:
        # A form, an image or a script of another site cannot send this content type without asking first,
        # and browsers say where a request comes from: both are checked.
        if (request.text(b"content-type") or "").partition(";")[0] != "application/json":
            raise Wrong("send JSON")
        origin = request.text(b"origin")
        if origin is not None and origin.partition("://")[2] != request.authority:
            raise Wrong("this request comes from another site")
        if request.text(b"sec-fetch-site") not in {None, "same-origin"}:
            raise Wrong("this request comes from another site")
        try:
            value = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Wrong("send JSON") from None
        if not isinstance(value, dict):
            raise Wrong("send a JSON object")
        return cast("dict[str, Any]", value)

    # What it shows

    def _records(self, query: dict[str, str]) -> dict[str, Any]:
        after = _whole(query.get("after", "0"), "after")
        inbox = self._world.inbox
        found = [record for record in inbox if record.number > after][:PAGE]
        # "first" tells the page what was forgotten since; "total" drops when somebody cleared the inbox.
        first = inbox[0].number if len(inbox) else inbox.total + 1
        return {"records": [summary(record) for record in found], "generation": inbox.generation, "first": first}

    def _record(self, query: dict[str, str]) -> dict[str, Any]:
        return detail(self._find(query.get("number", "")))

    def _state(self, query: dict[str, str]) -> dict[str, Any]:
        behaviour = self._world.behaviour
        return {
            "steps": [
                {"number": s.number, "said": str(s), "used": s.used, "times": s.times, "exhausted": s.exhausted}
                for s in behaviour.steps[-100:]
            ],
            "down": [name for name in PROVIDERS if behaviour.down(name) is not None],
            "words": words(),
        }

    def _find(self, number: object) -> SentRecord:
        wanted = _whole(number, "number")
        for record in reversed(list(self._world.inbox)):
            if record.number == wanted:
                return record
        raise Wrong("this entry is no longer kept")

    # What it does

    def _script(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer a recipient, or the next pushes, with a word."""
        word, times = asked.get("word"), asked.get("next")
        if not isinstance(word, str) or not word:
            raise Wrong("choose an answer")
        behaviour = self._world.behaviour
        script = behaviour.any
        if asked.get("record") is not None:
            script = script.to(self._find(asked["record"]).address)
        elif asked.get("provider"):
            if asked["provider"] not in PROVIDERS:
                raise Wrong("no such provider")
            script = getattr(behaviour, asked["provider"])
        if times is not None:
            count = _whole(times, "next")
            if not 1 <= count <= _MOST_NEXT:
                raise Wrong(f"next: expected 1 to {_MOST_NEXT}")
            script = script.next(count)
        try:
            step = script.answer(word)
        except ValueError as error:
            raise Wrong(str(error)) from None
        return {"step": step.number}

    def _remove(self, asked: dict[str, Any]) -> None:
        wanted = _whole(asked.get("step"), "step")
        for step in self._world.behaviour.steps:
            if step.number == wanted:
                step.remove()

    def _register(self, asked: dict[str, Any]) -> None:
        """Bring a recipient back, or let it go."""
        address: Address = self._find(asked.get("record")).address
        if asked.get("registered") is True:
            self._world.register(address.provider, address.key)
        else:
            self._world.unregister(address.provider, address.key)

    def _outage(self, asked: dict[str, Any]) -> None:
        provider = asked.get("provider")
        if provider not in PROVIDERS:
            raise Wrong("no such provider")
        if asked.get("down") is True:
            self._world.behaviour.outage(provider)
        else:
            self._world.behaviour.recover(provider)

    def _clear(self, asked: dict[str, Any]) -> None:
        self._world.inbox.clear()


def _whole(value: object, name: str) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, str))
        or not str(value).isascii()
        or not str(value).isdigit()
        or len(str(value)) > 15
    ):
        raise Wrong(f"{name}: expected a whole number")
    return int(value)
