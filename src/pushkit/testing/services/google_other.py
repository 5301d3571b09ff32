"""
Google's other ways to a token: workload identity federation (STS), impersonation, the metadata server.

Sources: RFC 8693, Google's "Security Token Service API", "generateAccessToken", "VM metadata: access tokens".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs

from pushkit.testing.accounts import ACCESS_TOKEN_LIFETIME
from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Request, html_page, json_answer, text_answer
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import Opened
from pushkit.testing.services.base import Checked, Service
from pushkit.testing.vocabulary.oauth import render

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SUBJECT_TYPES = frozenset(
    {
        "urn:ietf:params:oauth:token-type:jwt",
        "urn:ietf:params:oauth:token-type:id_token",
        "urn:ietf:params:oauth:token-type:saml2",
        "urn:ietf:params:aws:token-type:aws4_request",
    }
)
CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
IAM_SCOPE = "https://www.googleapis.com/auth/iam"
"""What google-auth asks for before it impersonates."""

_IMPERSONATE = re.compile(r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken")
_METADATA_TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"
_METADATA_EMAIL = "/computeMetadata/v1/instance/service-accounts/default/email"
_METADATA_PROJECT = "/computeMetadata/v1/project/project-id"
_METADATA_FLAVOR = (b"metadata-flavor", b"Google")


class _Tokens(Service):
    provider = "oauth"
    is_push = False

    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """OAuth errors."""
        return render(word, details, now=now)

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """There is no other state."""
        return None

    def open(self, record: SentRecord) -> Opened:
        """Nothing to open: what is in it is secret."""
        return Opened()


class SecurityTokenService(_Tokens):
    """``POST /v1/token``: a foreign token for one of Google's."""

    def check(self, request: Request, now: float) -> Checked:
        """Every parameter of RFC 8693 that Google requires."""
        if request.method != "POST":
            return Checked(None, html_page(405, "Method Not Allowed"))
        form = _form(request)
        if form.get("grant_type") != EXCHANGE:
            return Checked(None, render("unsupported_grant_type", {}, now=now))
        for name in ("audience", "scope", "subject_token", "subject_token_type"):
            if not form.get(name):
                return Checked(None, render("invalid_request", {"message": f"Required parameter is missing: {name}"}, now=now))
        if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN or form["subject_token_type"] not in SUBJECT_TYPES:
            return Checked(None, render("invalid_request", {"message": "Invalid token type"}, now=now))
        if not form["audience"].startswith("//iam.googleapis.com/"):
            return Checked(None, render("invalid_request", {"message": "Invalid value for audience"}, now=now))
        return Checked(Address("oauth", form["audience"], "sts"))

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """A federated token."""
        token = self.world.accounts.grant(None, frozenset(_form(request)["scope"].split()), now)
        body = {"access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": ACCESS_TOKEN_LIFETIME}
        return json_answer(200, body), None


class Impersonation(_Tokens):
    """``POST /v1/projects/-/serviceAccounts/<email>:generateAccessToken``."""

    def check(self, request: Request, now: float) -> Checked:
        """A bearer token with the cloud-platform or the IAM scope, and a list of scopes."""
        matched = _IMPERSONATE.fullmatch(request.path)
        if matched is None or request.method != "POST":
            return Checked(None, html_page(404, "Not Found"))
        grant = self.world.accounts.grants.get((request.text(b"authorization") or "").partition(" ")[2])
        if grant is None or grant.expires_at <= now:
            return Checked(None, json_answer(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Invalid credentials"}}))
        if not grant.scopes & {CLOUD_SCOPE, IAM_SCOPE}:
            return Checked(
                None, json_answer(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Insufficient scopes"}})
            )
        scopes = _body(request).get("scope")
        if not isinstance(scopes, list) or not scopes:
            return Checked(None, json_answer(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "scope is required"}}))
        return Checked(Address("oauth", matched[1], "impersonation"))

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """The account's token."""
        account = self.world.accounts.service_accounts.get(address.key)
        scopes = frozenset(str(scope) for scope in cast("list[Any]", _body(request)["scope"]))
        token = self.world.accounts.grant(None if account is None else account.project_id, scopes, now)
        until = datetime.fromtimestamp(now + ACCESS_TOKEN_LIFETIME, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return json_answer(200, {"accessToken": token, "expireTime": until}), None


class MetadataServer(_Tokens):
    """``http://metadata.google.internal``: plain HTTP, and a header that a browser cannot be tricked into sending."""

    def check(self, request: Request, now: float) -> Checked:
        """The flavour header, no forwarding, a known path."""
        if request.method != "GET":
            return Checked(None, html_page(405, "Method Not Allowed"))
        if request.path != "/" and (request.text(b"metadata-flavor") != "Google" or b"x-forwarded-for" in request.headers):
            return Checked(None, html_page(403, "Forbidden"))
        if request.path not in {"/", _METADATA_TOKEN, _METADATA_EMAIL, _METADATA_PROJECT}:
            return Checked(None, html_page(404, "Not Found"))
        return Checked(Address("oauth", request.path, "metadata"))

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """A token, or a fact."""
        project = self.world.project_id
        if request.path == _METADATA_TOKEN:
            asked = parse_qs(request.query).get("scopes", [CLOUD_SCOPE])[-1]
            token = self.world.accounts.grant(project, frozenset(asked.replace(",", " ").split()), now)
            body = {"access_token": token, "expires_in": ACCESS_TOKEN_LIFETIME, "token_type": "Bearer"}
            return json_answer(200, body, _METADATA_FLAVOR), None
        text = {_METADATA_EMAIL: f"default@{project}.iam.gserviceaccount.com", _METADATA_PROJECT: project}.get(
            request.path, "computeMetadata/\n"
        )
        return text_answer(200, text, _METADATA_FLAVOR, content_type=b"application/text"), None


def _form(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}


def _body(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
