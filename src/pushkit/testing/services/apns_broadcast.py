"""
APNs broadcast: sending to a channel, and managing channels.

Source: Apple, "Sending broadcast push notification requests to APNs", "Sending channel management requests
to APNs", "Handling error responses from Apple Push Notification service".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Request, json_answer
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import Opened
from pushkit.testing.services.apns import bundle_id, open_payload
from pushkit.testing.services.apns_auth import authorize
from pushkit.testing.services.base import Checked, Service
from pushkit.testing.vocabulary.apns import render

MAX_BODY = 5120
MAX_CHANNELS = 10_000
"""For each app and environment."""

_SEND = re.compile(r"/4/broadcasts/apps/([^/?]+)")
_CHANNELS = re.compile(r"/1/apps/([^/?]+)/(channels|all-channels)")
_REQUEST_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_EVENTS = frozenset({"update", "end"})
_POLICIES = frozenset({0, 1})


class _Broadcast(Service):
    provider = "apns"
    dated = False

    def __init__(self, world: Any, environment: str) -> None:
        super().__init__(world)
        self.environment = environment

    def refuse(self, word: str, request: Request, now: float) -> Answer:
        """A reason, with the request's id."""
        return render(word, {}, now=now).adding(_request_id(request))

    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """JSON with ``reason``."""
        return render(word, details, now=now).adding(_request_id(request))

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """Everything about a channel is found by the checks."""
        return None

    def open(self, record: SentRecord) -> Opened:
        """The JSON payload."""
        return open_payload(record.request)

    def common_fault(self, request: Request, app: str, now: float) -> str | None:
        """What both kinds of request can have wrong."""
        if request.duplicated:
            return "DuplicateHeaders"
        word = authorize(request, self.world.accounts, self.environment, now)
        if word is not None:
            return word
        if bundle_id(app) != app:
            return "TopicDisallowed"
        allowed = request.connection.state.get("apns-topics")
        if allowed is not None and app not in allowed:
            return "TopicMismatch"
        if app in self.world.without_broadcast:
            return "FeatureNotEnabled"
        given = request.text(b"apns-request-id")
        return "BadMessageId" if given is not None and not _REQUEST_ID.fullmatch(given) else None

    def channel_fault(self, request: Request, app: str) -> str | None:
        """Whether the request names a channel of this app."""
        channel = request.text(b"apns-channel-id")
        if not channel:
            return "MissingChannelId"
        try:
            base64.b64decode(channel, validate=True)
        except (binascii.Error, ValueError):
            return "BadChannelId"
        known = (app, self.environment, channel) in self.world.channels
        return None if known or self.world.open_endpoints else "ChannelNotRegistered"


class ApnsBroadcast(_Broadcast):
    """``POST /4/broadcasts/apps/<bundle id>``."""

    def check(self, request: Request, now: float) -> Checked:
        """Path, method, credentials, channel, headers, body."""
        matched = _SEND.fullmatch(request.target)
        if matched is None:
            return Checked(None, self.refuse("BadPath", request, now))
        app = unquote(matched[1])
        address = Address("apns", request.text(b"apns-channel-id") or f"no channel of {app}", "channel")
        word = "MethodNotAllowed" if request.method != "POST" else None
        word = word or self.common_fault(request, app, now) or self.channel_fault(request, app) or self._header_fault(request, app)
        word = word or self._body_fault(request)
        return Checked(address, None if word is None else self.refuse(word, request, now))

    def _header_fault(self, request: Request, app: str) -> str | None:
        expiration = request.headers.get(b"apns-expiration")
        if expiration is None or not (expiration.isdigit() and len(expiration) <= 12):
            return "BadExpirationDate"
        policy = self.world.channels.get((app, self.environment, request.text(b"apns-channel-id") or ""))
        if policy == 0 and int(expiration) != 0:
            return "BadExpirationDate"
        if request.headers.get(b"apns-priority") not in {b"10", b"5", b"1"}:
            return "BadPriority"
        push_type = request.text(b"apns-push-type")
        if not push_type:
            return "MissingPushType"
        # Apple's pages print it in three different cases.
        return None if push_type.lower() == "liveactivity" else "InvalidPushType"

    def _body_fault(self, request: Request) -> str | None:
        if not request.body:
            return "PayloadEmpty"
        if len(request.body) > MAX_BODY:
            return "PayloadTooLarge"
        payload = _object(request.body)
        aps = payload.get("aps") if payload is not None else None
        if not isinstance(aps, dict):
            return "BadRequestPayload"
        fields = cast("dict[str, Any]", aps)
        good = (
            fields.get("event") in _EVENTS
            and isinstance(fields.get("timestamp"), (int, float))
            and isinstance(fields.get("content-state"), dict)
        )
        return None if good else "BadRequestPayload"

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """200 with both ids."""
        fields = _request_id(request)
        return Answer(status=200, fields=(fields, (b"apns-unique-id", str(uuid.uuid4()).encode()))), fields[1].decode()


class ApnsChannels(_Broadcast):
    """``/1/apps/<bundle id>/channels`` and ``/all-channels``."""

    is_push = False

    def check(self, request: Request, now: float) -> Checked:
        """Path, method, credentials, then what the method needs."""
        matched = _CHANNELS.fullmatch(request.path)
        if matched is None:
            return Checked(None, self.refuse("BadPath", request, now))
        app, what = unquote(matched[1]), matched[2]
        address = Address("apns", f"{app}/{what}", "channels")
        allowed = {"GET"} if what == "all-channels" else {"POST", "GET", "DELETE"}
        word = "MethodNotAllowed" if request.method not in allowed else self.common_fault(request, app, now)
        if word is None and request.query:
            word = "BadRequestParams"
        if word is None and what == "channels":
            word = self._create_fault(request, app) if request.method == "POST" else self.channel_fault(request, app)
        return Checked(address, None if word is None else self.refuse(word, request, now))

    def _create_fault(self, request: Request, app: str) -> str | None:
        if not request.body:
            return "PayloadEmpty"
        body = _object(request.body)
        if body is None:
            return "BadRequestPayload"
        policy, push_type = body.get("message-storage-policy"), body.get("push-type")
        if isinstance(policy, bool) or policy not in _POLICIES or not isinstance(push_type, str):
            return "BadRequestPayload"
        if push_type.lower() != "liveactivity":
            return "InvalidPushType"
        mine = sum(1 for known in self.world.channels if known[:2] == (app, self.environment))
        return "CannotCreateChannelConfig" if mine >= MAX_CHANNELS else None

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """Do it."""
        app, _, what = address.key.partition("/")
        world, channel = self.world, request.text(b"apns-channel-id") or ""
        given = _request_id(request)
        if what == "all-channels":
            mine = [known[2] for known in world.channels if known[:2] == (app, self.environment)]
            return json_answer(200, {"channels": mine}, given), None
        if request.method == "POST":
            policy = (_object(request.body) or {})["message-storage-policy"]
            fresh = base64.b64encode(secrets.token_bytes(16)).decode()
            world.channels[app, self.environment, fresh] = policy
            return Answer(status=201, fields=(given, (b"apns-channel-id", fresh.encode()))), fresh
        if request.method == "DELETE":
            world.channels.pop((app, self.environment, channel), None)
            return Answer(status=204, fields=(given,)), None
        policy = world.channels.get((app, self.environment, channel), 1)
        return json_answer(200, {"message-storage-policy": policy, "push-type": "LiveActivity"}, given), None


def _request_id(request: Request) -> tuple[bytes, bytes]:
    given = request.text(b"apns-request-id")
    return b"apns-request-id", (given if given is not None and _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())).encode()


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
