"""
FCM topics: the registration-centred REST API of 2026, and the Instance ID service that it replaces.

Sources: FCM v1 discovery document (``projects.registrations.topicSubscriptions``), Google's page "Manage
topic subscriptions"; for the old one, "Instance ID server reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from pushkit.testing.addresses import Address
from pushkit.testing.behaviour import ACCEPT
from pushkit.testing.exchange import Answer, Request, html_page, json_answer
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import Opened
from pushkit.testing.services.base import Checked, Service
from pushkit.testing.services.google_auth import bearer_fault
from pushkit.testing.vocabulary.fcm import render

MAX_TOPICS = 2000
MAX_BATCH = 1000
MAX_PAGE = 2000
DEFAULT_PAGE = 1000

_SUBSCRIPTIONS = re.compile(r"/v1/projects/([^/]+)/registrations/([^/]+)/topicSubscriptions(?:/([^/]+))?")
_TOPIC = re.compile(r"[a-zA-Z0-9\-_.~%]{1,900}")
_BATCH = re.compile(r"/iid/v1:batch(Add|Remove)")
_INFO = re.compile(r"/iid/info/([^/]+)")
_JSON = b"application/json; charset=UTF-8"


class _Topics(Service):
    provider = "topics"
    is_push = False

    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """JSON with typed details."""
        return render(word, details, now=now)

    def open(self, record: SentRecord) -> Opened:
        """The request's JSON."""
        try:
            return Opened(payload=json.loads(record.request.body) if record.request.body else None)
        except (ValueError, RecursionError):
            return Opened(problem="the body is no JSON")

    def topics_of(self, registration: str) -> set[str]:
        """The topics that a registration follows."""
        known = self.world.known("fcm", registration)
        if known is None:
            known = self.world.register("fcm", registration)
        return known.topics

    def gone(self, registration: str) -> bool:
        """Whether a registration is dead, or (``known_only``) was never seen."""
        known = self.world.known("fcm", registration)
        return self.world.known_only if known is None else not known.registered


class TopicSubscriptions(_Topics):
    """``/v1/projects/<project>/registrations/<registration>/topicSubscriptions``."""

    def check(self, request: Request, now: float) -> Checked:
        """Path and method, bearer token, topic name, page size."""
        matched = _SUBSCRIPTIONS.fullmatch(request.path)
        if matched is None:
            return Checked(None, html_page(404, "Not Found"))
        project, registration, topic = unquote(matched[1]), unquote(matched[2]), matched[3]
        if request.method not in ({"POST", "GET"} if topic is None else {"GET", "PATCH", "DELETE"}):
            return Checked(None, html_page(405, "Method Not Allowed"))
        address = Address("topics", registration, "registration")
        fault = bearer_fault(request, self.world.accounts, project, now)
        if fault is not None:
            return Checked(address, render(*fault, now=now))
        query = _query(request)
        name = unquote(topic) if topic is not None else query.get("topic_name", query.get("topicName"))
        if (request.method != "GET" or topic is not None) and (name is None or not _TOPIC.fullmatch(name)):
            return Checked(
                address,
                render("INVALID_ARGUMENT", {"field": "topic_name", "message": "Invalid topic name.", "fcm_error": False}, now=now),
            )
        size = query.get("page_size", query.get("pageSize", "0"))
        if not size.isdigit() or int(size) > MAX_PAGE:
            return Checked(
                address, render("INVALID_ARGUMENT", {"field": "page_size", "message": "Invalid page size.", "fcm_error": False}, now=now)
            )
        request.connection.state["topics"] = (project, registration, name if topic is not None or request.method == "POST" else None)
        return Checked(address)

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """Dead registrations, too many topics, missing or existing subscriptions."""
        if self.gone(address.key):
            return render("UNREGISTERED", {}, now=now)
        _, registration, name = request.connection.state["topics"]
        topics, missing_ok = self.topics_of(registration), _allow_missing(request)
        if name is None:
            return None
        if request.method == "POST" and name in topics:
            return render("ALREADY_EXISTS", {}, now=now)
        if request.method in {"POST", "PATCH"} and name not in topics:
            if request.method == "PATCH" and not missing_ok:
                return render("NOT_FOUND", {}, now=now)
            return render("TOO_MANY_TOPICS", {}, now=now) if len(topics) >= MAX_TOPICS else None
        if request.method in {"GET", "DELETE"} and name not in topics and not (request.method == "DELETE" and missing_ok):
            return render("NOT_FOUND", {}, now=now)
        return None

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """Do it."""
        project, registration, name = request.connection.state["topics"]
        topics = self.topics_of(registration)
        if request.method == "DELETE":
            topics.discard(name)
            return json_answer(200, {}, content_type=_JSON), None
        if name is not None:
            if request.method in {"POST", "PATCH"}:
                topics.add(name)
            return json_answer(200, _resource(project, registration, name, now), content_type=_JSON), None
        query = _query(request)
        size = int(query.get("page_size", query.get("pageSize", "0"))) or DEFAULT_PAGE
        token = query.get("page_token", query.get("pageToken", "0"))
        start = int(token) if token.isdigit() else 0
        every = sorted(topics)
        body: dict[str, Any] = {"topicSubscriptions": [_resource(project, registration, t, now) for t in every[start : start + size]]}
        if start + size < len(every):
            body["nextPageToken"] = str(start + size)
        return json_answer(200, body, content_type=_JSON), None


class InstanceId(_Topics):
    """``/iid/v1:batchAdd``, ``:batchRemove`` and ``/iid/info/<token>``; Google plans their end for September 2027."""

    def check(self, request: Request, now: float) -> Checked:
        """Path and method, bearer token with its own header, topic and batch size."""
        matched, info = _BATCH.fullmatch(request.path), _INFO.fullmatch(request.path)
        if matched is None and info is None:
            return Checked(None, html_page(404, "Not Found"))
        if request.method != ("POST" if matched is not None else "GET"):
            return Checked(None, html_page(405, "Method Not Allowed"))
        token = (request.text(b"authorization") or "").partition(" ")[2]
        grant = self.world.accounts.grants.get(token)
        if request.text(b"access_token_auth") != "true" or (grant is None and not (self.world.accounts.trust_any and token)):
            return Checked(None, html_page(401, "Unauthorized"))
        fault = bearer_fault(request, self.world.accounts, grant.project_id or "" if grant is not None else "", now)
        if fault is not None:
            return Checked(None, json_answer(401, {"error": "Unauthorized request"}, word=fault[0]))
        if info is not None:
            return Checked(Address("topics", unquote(info[1]), "registration"))
        return self._check_batch(request)

    def _check_batch(self, request: Request) -> Checked:
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            body = None
        fields = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
        to, tokens = fields.get("to"), fields.get("registration_tokens")
        if not isinstance(to, str) or not to.startswith("/topics/") or not _TOPIC.fullmatch(to[8:]):
            return Checked(None, json_answer(400, {"error": "InvalidTopicName"}, word="InvalidTopicName"))
        listed = cast("list[Any]", tokens) if isinstance(tokens, list) else []
        if not listed or len(listed) > MAX_BATCH or not all(isinstance(t, str) for t in listed):
            return Checked(None, json_answer(400, {"error": "InvalidTokens"}, word="InvalidTokens"))
        request.connection.state["iid"] = (to[8:], listed)
        return Checked(Address("topics", to[8:], "batch"))

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """Every token of a batch has an answer of its own."""
        return None

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """Do it, token by token."""
        if address.service == "registration":
            topics = {name: {"addDate": _day(now)} for name in sorted(self.topics_of(address.key))}
            body = {"application": "com.example.app", "authorizedEntity": "1", "platform": "ANDROID", "rel": {"topics": topics}}
            return json_answer(200, body, content_type=_JSON), None
        topic, tokens = request.connection.state["iid"]
        adding = request.path.endswith("Add")
        return json_answer(200, {"results": [self._one(topic, token, adding=adding) for token in tokens]}, content_type=_JSON), None

    def _one(self, topic: str, token: str, *, adding: bool) -> dict[str, str]:
        plan = self.world.behaviour.plan(Address("topics", token, "registration"), is_push=False)
        if plan.word is not None and plan.word != ACCEPT:
            return {"error": plan.word}
        if len(token) < 20:
            return {"error": "INVALID_ARGUMENT"}
        if self.gone(token):
            return {"error": "NOT_FOUND"}
        topics = self.topics_of(token)
        if adding and topic not in topics and len(topics) >= MAX_TOPICS:
            return {"error": "TOO_MANY_TOPICS"}
        (topics.add if adding else topics.discard)(topic)
        return {}


def _resource(project: str, registration: str, topic: str, now: float) -> dict[str, str]:
    name = f"projects/{project}/registrations/{registration}/topicSubscriptions/{topic}"
    return {"name": name, "topicName": topic, "createTime": datetime.fromtimestamp(now, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, tz=UTC).strftime("%Y-%m-%d")


def _query(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def _allow_missing(request: Request) -> bool:
    query = _query(request)
    return query.get("allow_missing", query.get("allowMissing", "false")) == "true"
