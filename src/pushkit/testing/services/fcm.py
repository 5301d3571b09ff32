"""
FCM HTTP v1: ``POST /v1/projects/<project>/messages:send``.

Source: Google's REST reference of ``projects.messages.send`` and its ErrorCode page.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Request, html_page, json_answer
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import Opened, member, shown
from pushkit.testing.services import fcm_check
from pushkit.testing.services.base import Checked, Service
from pushkit.testing.services.google_auth import bearer_fault
from pushkit.testing.vocabulary.fcm import render

_SEND = re.compile(r"/v1/projects/([^/:]+)/messages:send")

#: Registration tokens have no documented form. Everything that was ever issued has a colon or is a FID
#: of 22 characters, and only these characters; this refuses what can never have been one.
_TOKEN = re.compile(r"[A-Za-z0-9_:\-]{20,4096}")

NOT_A_TOKEN = "The registration token is not a valid FCM registration token"

_PREPARED = "fcm-prepared"


class Fcm(Service):
    """The send service."""

    provider = "fcm"

    def check(self, request: Request, now: float) -> Checked:
        """Path and method (the front end, in HTML), bearer token, then the message."""
        matched = _SEND.fullmatch(request.path)
        if matched is None:
            return Checked(None, html_page(404, "Not Found"))
        if request.method != "POST":
            return Checked(None, html_page(405, "Method Not Allowed"))
        project = unquote(matched[1])
        fault = bearer_fault(request, self.world.accounts, project, now)
        if fault is not None:
            return Checked(None, render(fault[0], fault[1], now=now))
        try:
            message, validate_only = fcm_check.read(request.body)
        except fcm_check.Refused as refused:
            return Checked(self._guess(request), self._violation(refused.violation, now))
        address = address_in(message)
        request.connection.state[_PREPARED] = (request, message, validate_only, project)
        if address.service in {"token", "fid"} and not _TOKEN.fullmatch(address.key):
            details = {"message": NOT_A_TOKEN, "field": f"message.{address.service}", "description": "Invalid registration token"}
            return Checked(address, render("INVALID_ARGUMENT", details, now=now))
        return Checked(address)

    def _guess(self, request: Request) -> Address | None:
        # A refused message still belongs to somebody, for the inbox.
        import json

        try:
            message = member(json.loads(request.body), "message")
        except (ValueError, RecursionError):
            return None
        for name in ("token", "fid", "topic", "condition"):
            key = member(message, name)
            if isinstance(key, str) and key:
                return Address("fcm", key, name)
        return None

    def _violation(self, violation: fcm_check.Violation, now: float) -> Answer:
        details: dict[str, Any] = {
            "message": violation.message or violation.description,
            "field": violation.field,
            "description": violation.description,
            "fcm_error": violation.fcm_error,
        }
        return render("INVALID_ARGUMENT", details, now=now)

    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """JSON with typed details, or HTML for a bare status."""
        return render(word, details, now=now)

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """Unregistered, or of another project."""
        if address.service in {"topic", "condition"}:
            return None
        known = self.world.known("fcm", address.key)
        if known is None:
            return render("UNREGISTERED", {}, now=now) if self.world.known_only else None
        project = request.connection.state[_PREPARED][3]
        if known.project_id is not None and known.project_id != project:
            return render("SENDER_ID_MISMATCH", {}, now=now)
        return None if known.registered else render("UNREGISTERED", {}, now=now)

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """200 with the message's name."""
        _, _, validate_only, project = request.connection.state[_PREPARED]
        unique = "fake_message_id" if validate_only else f"0:{int(now * 1_000_000)}%{secrets.token_hex(8)}"
        name = f"projects/{project}/messages/{unique}"
        return json_answer(200, {"name": name}, content_type=b"application/json; charset=UTF-8"), name

    def open(self, record: SentRecord) -> Opened:
        """The message; the visible text as Android merges it."""
        import json

        try:
            raw = json.loads(record.request.body)
        except (ValueError, RecursionError):
            return Opened(problem="the body is no JSON")
        message = member(raw, "message")
        title = text = ""
        for path in (("android", "notification"), ("notification",), ("webpush", "notification"), ("apns", "payload", "aps", "alert")):
            title = title or shown(member(message, *path, "title"))
            text = text or shown(member(message, *path, "body"))
        return Opened(payload=message, title=title, text=text)


def address_in(message: Mapping[str, Any]) -> Address:
    """Whom a checked message is for."""
    for name in ("token", "fid", "topic", "condition"):
        if message.get(name):
            return Address("fcm", message[name], name)
    raise AssertionError("a checked message has a recipient")
