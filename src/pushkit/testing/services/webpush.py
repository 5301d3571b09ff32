"""
Web Push services (RFC 8030, 8291, 8292) in the dialects of Mozilla, Google, Apple and Microsoft.

A push service cannot decrypt; whether a body decrypts is found when a record is opened, as a browser would.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Request
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import Opened, member, shown
from pushkit.testing.receivers import Undecryptable
from pushkit.testing.services.base import Checked, Served, Service
from pushkit.testing.services.vapid import claims_of, vapid_fault
from pushkit.testing.vocabulary.webpush import render

MAX_BODY = 4096
WNS_MAX_BODY = 5000
MAX_TTL: Mapping[str, int] = {"mozilla": 2_592_000, "google": 2_419_200, "apple": 2_592_000, "microsoft": 2_592_000, "rfc": 2_592_000}
URGENCIES = frozenset({b"very-low", b"low", b"normal", b"high"})

_WITHDRAWING = frozenset({"mozilla", "rfc"})
_STORED = 10_000
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_TOPIC = re.compile(rb"[A-Za-z0-9_\-]{1,32}")

PATHS: Mapping[str, str] = {
    "mozilla": "/wpush/v2/",
    "google": "/fcm/send/",
    "apple": "/Q",
    "microsoft": "/w/?token=",
    "rfc": "/push/",
}
"""How each service's endpoints begin."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "method": {"apple": "MethodNotAllowed"},
    "ttl": {"mozilla": "errno 111", "google": "InvalidTtlParameter", "apple": "BadTtl"},
    "negative-ttl": {"mozilla": "errno 114", "google": "InvalidTtlParameter", "apple": "BadTtl"},
    "urgency": {"apple": "BadUrgency"},
    "topic": {"mozilla": "errno 113", "apple": "BadWebPushTopic"},
    "encoding": {"mozilla": "errno 110", "apple": "BadWebPushRequest"},
    "body": {"apple": "BadWebPushRequest"},
    "cache-policy": {"microsoft": "ttl_cache_policy_conflict"},
    "keys": {"microsoft": "tokens_or_keys", "mozilla": "errno 110"},
    "size": {"mozilla": "errno 104", "google": "http_413", "apple": "PayloadTooLarge", "microsoft": "http_413"},
    "unknown": {"mozilla": "errno 102", "google": "http_404", "apple": "BadPath", "microsoft": "http_404"},
    "gone": {"mozilla": "errno 106", "google": "http_410", "apple": "Unregistered", "microsoft": "http_410"},
}
_STATUS: Mapping[str, str] = {"method": "http_405", "size": "http_413", "unknown": "http_404", "gone": "http_410"}


class WebPush(Service):
    """One service."""

    provider = "webpush"

    def __init__(self, world: Any, service: str) -> None:
        super().__init__(world)
        self.service = service
        self._stored: dict[str, None] = {}
        """Locations of messages that may still be taken back."""

    def serve(self, request: Request) -> Served:
        """A push; or, where the service has it, DELETE on a message's location (autopush, docs/src/http.md "Cancel Notification")."""
        if request.method != "DELETE" or self.service not in _WITHDRAWING or not request.target.startswith("/m/"):
            return super().serve(request)
        now = self.world.now()
        location = f"{request.scheme}://{request.authority}{request.target}"
        there = location in self._stored
        self._stored.pop(location, None)
        if there and self.world.withdrawn is not None:
            self.world.withdrawn(location)
        answer = Answer(status=204) if there else render(_WORDS["unknown"].get(self.service, "http_404"), {}, self.service, now=now)
        self.world.calls.add(Address("webpush", location, self.service), request, now, answer, "", None, self.open)
        return Served(answer)

    def check(self, request: Request, now: float) -> Checked:
        """Method, endpoint, VAPID, then each header and the size."""
        # %2b and %2B are the same (RFC 3986 section 2.1), and some HTTP clients rewrite one into the other.
        target = _ESCAPE.sub(lambda escape: escape[0].lower(), request.target)
        endpoint = f"{request.scheme}://{request.authority}{target}"
        address = Address("webpush", endpoint, self.service)
        if request.method != "POST":
            return self._refuse(address, "method", now)
        known = self.world.known("webpush", endpoint)
        if known is None and not self.world.open_endpoints:
            return self._refuse(address, "unknown", now)
        bound = known.bound_to if known is not None else None
        if known is not None and known.receiver is not None:
            bound = known.receiver.bound_to
        word = vapid_fault(request, self.service, bound, now)
        if word is not None:
            return Checked(address, render(*word, self.service, now=now))
        kind = self._header_fault(request) or self._body_fault(request)
        return Checked(address) if kind is None else self._refuse(address, kind, now)

    def _refuse(self, address: Address, kind: str, now: float) -> Checked:
        word = _WORDS[kind].get(self.service, _STATUS.get(kind, "http_400"))
        return Checked(address, render(word, {}, self.service, now=now))

    def _header_fault(self, request: Request) -> str | None:
        headers = request.headers
        ttl = headers.get(b"ttl")
        if ttl is None:
            return "ttl"
        if not ttl.isdigit():
            return "negative-ttl" if ttl[:1] == b"-" and ttl[1:].isdigit() else "ttl"
        if self.service == "google" and int(ttl) > MAX_TTL["google"]:
            return "ttl"
        urgency = headers.get(b"urgency")
        if urgency is not None and urgency not in URGENCIES:
            return "urgency"
        topic = headers.get(b"topic")
        # Apple decodes the topic as base64url, where a remainder of one character is impossible.
        if topic is not None and (not _TOPIC.fullmatch(topic) or (self.service == "apple" and len(topic) % 4 == 1)):
            return "topic"
        if self.service == "microsoft":
            policy = headers.get(b"x-wns-cache-policy", b"cache")
            if (policy == b"cache") != (int(ttl) > 0):
                return "cache-policy"
        return "keys" if self.service == "microsoft" and b"crypto-key" in headers else None

    def _body_fault(self, request: Request) -> str | None:
        body, encoding = request.body, request.headers.get(b"content-encoding")
        if len(body) > (WNS_MAX_BODY if self.service == "microsoft" else MAX_BODY):
            return "size"
        if not body:
            return None
        if encoding != b"aes128gcm" or b"encryption" in request.headers:
            return "encoding"
        # The header of RFC 8188 is readable without keys: record size over 17, a key id of 65 octets.
        if len(body) < 103 or int.from_bytes(body[16:20], "big") < 18 or body[20] != 65:
            return "body"
        return "keys" if self.service == "mozilla" and b"dh=" in request.headers.get(b"crypto-key", b"") else None

    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """In the service's dialect."""
        return render(word, details, self.service, now=now)

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """The subscription has ended."""
        known = self.world.known("webpush", address.key)
        return None if known is None or known.registered else self._refuse(address, "gone", now).refusal

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """201 with Location and the granted TTL."""
        granted = min(int(request.headers[b"ttl"]), MAX_TTL[self.service])
        location = f"{self.world.sites.webpush[self.service]}/m/{secrets.token_urlsafe(24)}"
        fields = [(b"location", location.encode()), (b"ttl", str(granted).encode())]
        if self.service == "apple":
            fields.append((b"apns-id", secrets.token_hex(16).encode()))
        if self.service == "microsoft":
            fields += [
                (b"x-wns-status", b"received"),
                (b"x-wns-notificationstatus", b"received"),
                (b"x-wns-msg-id", secrets.token_hex(8).encode()),
            ]
        if granted:
            self._stored[location] = None
            while len(self._stored) > _STORED:
                del self._stored[next(iter(self._stored))]
        deliver = self.world.deliver
        if deliver is not None:
            deliver(address, request, location)
        return Answer(status=201, fields=tuple(fields)), location

    def open(self, record: SentRecord) -> Opened:
        """Decrypt as the browser would; JSON where it is JSON."""
        claims = claims_of(record.request)
        known = self.world.known("webpush", record.address.key)
        if not record.request.body:
            return Opened(claims=claims)
        if known is None or known.receiver is None:
            return Opened(claims=claims, problem="no keys for this subscription here: the body stays closed")
        try:
            plain = known.receiver.decrypt(record.request.body)
        except Undecryptable as error:
            return Opened(claims=claims, problem=str(error))
        return read_plain(plain, claims)


def read_plain(plain: bytes, claims: Mapping[str, Any]) -> Opened:
    """The decrypted message: JSON where it is JSON, text where it is text, bytes otherwise."""
    try:
        text = plain.decode("utf-8")
    except UnicodeDecodeError:
        return Opened(payload=plain, claims=claims)
    try:
        payload: Any = json.loads(text)
    except (ValueError, RecursionError):
        return Opened(payload=text, text=text, claims=claims)
    title = shown(member(payload, "notification", "title")) or shown(member(payload, "title"))
    body = shown(member(payload, "notification", "body")) or shown(member(payload, "body"))
    return Opened(payload=payload, title=title, text=body, claims=claims)
