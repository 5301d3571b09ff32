"""
APNs device pushes: ``POST /3/device/<token>``.

Source: Apple, "Sending notification requests to APNs", "Establishing a token-based connection to APNs",
"Generating a remote notification".
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, cast

from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Request
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import Opened, member, shown
from pushkit.testing.services.apns_auth import authorize, claims_of
from pushkit.testing.services.base import Checked, Service
from pushkit.testing.vocabulary.apns import render

SUFFIXES: Mapping[str, str] = {
    "alert": "",
    "background": "",
    "complication": ".complication",
    "controls": ".push-type.controls",
    "fileprovider": ".pushkit.fileprovider",
    "liveactivity": ".push-type.liveactivity",
    "location": ".location-query",
    "mdm": "",
    "pushtotalk": ".voip-ptt",
    "voip": ".voip",
    "widgets": ".push-type.widgets",
}
"""Push types and what their topics end with."""

MAX_BODY = 4096
MAX_VOIP_BODY = 5120
MAX_COLLAPSE_ID = 64

_PREFIX = "/3/device/"
_APNS_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = frozenset("0123456789abcdefABCDEF")
_WITHOUT_APS = frozenset({"mdm", "fileprovider"})
_GOOD_HEADERS = "good-headers"


class ApnsDevices(Service):
    """The device push service of one environment."""

    provider = "apns"
    dated = False

    def __init__(self, world: Any, environment: str = "production") -> None:
        super().__init__(world)
        self.environment = environment

    def check(self, request: Request, now: float) -> Checked:
        """Path, method, credentials, headers, token, body: in this order, as one reason at a time is all that APNs says."""
        path = request.target
        if not path.startswith(_PREFIX):
            return Checked(None, self._refuse("BadPath", request, now))
        token = path[len(_PREFIX) :]
        address = Address("apns", token.lower(), "device")
        word = self._fault(request, token, now)
        return Checked(address, None if word is None else self._refuse(word, request, now))

    def _fault(self, request: Request, token: str, now: float) -> str | None:
        if request.method != "POST":
            return "MethodNotAllowed"
        if request.duplicated:
            return "DuplicateHeaders"
        word = authorize(request, self.world.accounts, self.environment, now) or self._header_fault(request)
        if word is not None:
            return word
        if not token:
            return "MissingDeviceToken"
        if not _HEX.issuperset(token):
            return "BadPath" if "/" in token else "BadDeviceToken"
        return self._body_fault(request)

    def _header_fault(self, request: Request) -> str | None:
        headers = request.headers
        apns_id = headers.get(b"apns-id")
        if apns_id is not None and not _APNS_ID.fullmatch(apns_id.decode("latin-1")):
            return "BadMessageId"
        expiration = headers.get(b"apns-expiration")
        if expiration is not None and not (expiration.isdigit() and len(expiration) <= 12):
            return "BadExpirationDate"
        collapse_id = headers.get(b"apns-collapse-id")
        if collapse_id is not None and len(collapse_id) > MAX_COLLAPSE_ID:
            return "BadCollapseId"
        topic, push_type, priority = headers.get(b"apns-topic"), headers.get(b"apns-push-type"), headers.get(b"apns-priority")
        # The same three headers come with every push of a campaign: judged once a connection.
        known = request.connection.state
        triple = (topic, push_type, priority)
        if known.get(_GOOD_HEADERS) == triple:
            return None
        word = self._topic_fault(topic, push_type, priority, request)
        if word is None:
            known[_GOOD_HEADERS] = triple
        return word

    def _topic_fault(self, topic: bytes | None, push_type: bytes | None, priority: bytes | None, request: Request) -> str | None:
        if priority is not None and priority not in {b"10", b"5", b"1"}:
            return "BadPriority"
        if not topic:
            return "MissingTopic"
        name = topic.decode("latin-1")
        kind = None if push_type is None else push_type.decode("latin-1")
        if kind is not None and kind not in SUFFIXES:
            return "InvalidPushType"
        if kind == "background" and priority is not None and priority != b"5":
            return "BadPriority"
        if kind is not None and SUFFIXES[kind] and not name.endswith(SUFFIXES[kind]):
            return "BadTopic"
        allowed = request.connection.state.get("apns-topics")
        return "TopicDisallowed" if allowed is not None and bundle_id(name) not in allowed else None

    def _body_fault(self, request: Request) -> str | None:
        body = request.body
        if not body:
            return "PayloadEmpty"
        voip = request.headers.get(b"apns-push-type") == b"voip"
        if len(body) > (MAX_VOIP_BODY if voip else MAX_BODY):
            return "PayloadTooLarge"
        if body == request.connection.state.get("good-body"):
            return None
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            payload = None
        kind = (request.headers.get(b"apns-push-type") or b"").decode("latin-1")
        if not isinstance(payload, dict) or (not isinstance(cast("dict[str, Any]", payload).get("aps"), dict) and kind not in _WITHOUT_APS):
            return "PayloadEmpty"
        request.connection.state["good-body"] = body
        return None

    def _refuse(self, word: str, request: Request, now: float) -> Answer:
        return render(word, {}, now=now, apns_id=_id_of(request))

    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """JSON with ``reason``."""
        return render(word, details, now=now, apns_id=_id_of(request))

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """Unregistered, of another app or environment, or (``known_only``) never registered."""
        known = self.world.known("apns", address.key)
        if known is None:
            return self._refuse("BadDeviceToken", request, now) if self.world.known_only else None
        if known.environment is not None and known.environment != self.environment:
            return self._refuse("BadDeviceToken", request, now)
        topic = (request.text(b"apns-topic") or "").strip()
        if known.topic is not None and known.topic != bundle_id(topic):
            return self._refuse("DeviceTokenNotForTopic", request, now)
        if not known.registered:
            body = {"reason": "Unregistered", "timestamp": int((known.since if known.since is not None else now) * 1000)}
            raw = json.dumps(body, separators=(",", ":")).encode()
            return Answer(status=410, fields=((b"apns-id", _id_of(request).encode()),), body=raw, word="Unregistered")
        return None

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """200 without a body."""
        given = request.headers.get(b"apns-id")
        apns_id = given.decode("latin-1") if given is not None else str(uuid.uuid4()).upper()
        fields = [(b"apns-id", apns_id.encode("latin-1"))]
        if self.environment == "sandbox":
            fields.append((b"apns-unique-id", str(uuid.uuid4()).encode()))
        return Answer(status=200, fields=tuple(fields)), apns_id

    def answered(self, answer: Answer, request: Request) -> None:
        """Refusals slow a connection down (not 410); an accepted push restores it."""
        if self.world.shrink_on_refusal:
            request.connection.state["apns-refused"] = not answer.accepted and answer.status != 410

    def open(self, record: SentRecord) -> Opened:
        """The JSON payload."""
        return open_payload(record.request)


def open_payload(request: Request) -> Opened:
    """What an Apple device finds."""
    claims = claims_of(request)
    try:
        payload = json.loads(request.body)
    except (ValueError, RecursionError):
        return Opened(claims=claims, problem="the body is no JSON")
    alert = member(payload, "aps", "alert")
    if isinstance(alert, str):
        return Opened(payload=payload, text=alert, claims=claims)
    title = shown(member(alert, "title")) or shown(member(alert, "title-loc-key"))
    text = shown(member(alert, "body")) or shown(member(alert, "loc-key"))
    return Opened(payload=payload, title=title, text=text, claims=claims)


def bundle_id(topic: str) -> str:
    """A topic without its push type's suffix."""
    for suffix in SUFFIXES.values():
        if suffix and topic.endswith(suffix):
            return topic[: -len(suffix)]
    return topic


def _id_of(request: Request) -> str:
    # A refused push is answered with the id that it came with, or with a new one.
    given = request.headers.get(b"apns-id")
    return given.decode("latin-1") if given is not None and _APNS_ID.fullmatch(given.decode("latin-1")) else str(uuid.uuid4()).upper()
