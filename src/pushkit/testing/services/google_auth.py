"""
Google's OAuth: the token endpoint (service account grant, RFC 7523), and checking bearer tokens.

Source: Google, "Using OAuth 2.0 for Server to Server Applications".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from pushkit.testing.accounts import ACCESS_TOKEN_LIFETIME, FCM_SCOPES, Accounts, Grant
from pushkit.testing.addresses import Address
from pushkit.testing.exchange import Answer, Request, html_page, json_answer
from pushkit.testing.inbox import SentRecord
from pushkit.testing.jose import MalformedToken, is_int, parse
from pushkit.testing.opened import Opened
from pushkit.testing.services.base import Checked, Service
from pushkit.testing.vocabulary.oauth import render

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

#: An assertion may live for an hour at most; clocks may differ by so many seconds.
MAX_ASSERTION = 3600
SKEW = 300.0

GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"


def bearer_fault(request: Request, accounts: Accounts, project: str, now: float) -> tuple[str, Mapping[str, Any]] | None:
    """The FCM word (and its details) for what is wrong with a bearer token, or None."""
    scheme, _, token = (request.text(b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "CREDENTIALS_MISSING", {}
    grant = accounts.grants.get(token)
    if grant is None:
        if accounts.trust_any:
            grant = Grant(None, FCM_SCOPES, now + 1)
        else:
            return "UNAUTHENTICATED", {}
    if grant.expires_at <= now:
        return "ACCESS_TOKEN_EXPIRED", {}
    if not grant.scopes & FCM_SCOPES:
        return "ACCESS_TOKEN_SCOPE_INSUFFICIENT", {}
    if project in accounts.disabled_projects:
        return "SERVICE_DISABLED", {}
    if not grant.may_send or (grant.project_id is not None and grant.project_id != project):
        return "IAM_PERMISSION_DENIED", {}
    return None


class TokenEndpoint(Service):
    """``POST /token`` with a signed assertion."""

    provider = "oauth"
    is_push = False

    def check(self, request: Request, now: float) -> Checked:
        """Grant type, then the assertion: key, signature, audience, times, scope."""
        if request.path != "/token":
            return Checked(None, html_page(404, "Not Found"))
        if request.method != "POST":
            return Checked(None, html_page(405, "Method Not Allowed"))
        if not (request.text(b"content-type") or "").startswith("application/x-www-form-urlencoded"):
            return Checked(None, render("invalid_request", {"message": "Content-Type must be application/x-www-form-urlencoded"}, now=now))
        form = parse_qs(request.body.decode("utf-8", "replace"))
        grant_type, assertion = form.get("grant_type", [""])[0], form.get("assertion", [""])[0]
        if not grant_type:
            return Checked(None, render("invalid_request", {}, now=now))
        if grant_type != JWT_BEARER:
            return Checked(None, render("unsupported_grant_type", {}, now=now))
        word = self._judge(assertion, request, now)
        if isinstance(word, Answer):
            return Checked(None, word)
        return Checked(Address("oauth", word, "token"))

    def _judge(self, assertion: str, request: Request, now: float) -> str | Answer:
        try:
            token = parse(assertion)
        except MalformedToken:
            return render("invalid_grant", {"message": "Invalid JWT: Failed to parse."}, now=now)
        claims = token.claims
        email, scope = claims.get("iss"), claims.get("scope")
        account = self.world.accounts.service_accounts.get(email) if isinstance(email, str) else None
        if account is None and not (self.world.accounts.trust_any and isinstance(email, str)):
            return render("invalid_grant", {"message": "Invalid grant: account not found"}, now=now)
        if token.header.get("alg") != "RS256":
            return render("invalid_grant", {"message": "Invalid JWT: alg must be RS256."}, now=now)
        if account is not None and (token.header.get("kid") not in {None, account.key_id} or not token.verify_rs256(account.public)):
            return render("invalid_grant", {"message": "Invalid JWT Signature."}, now=now)
        audiences = {GOOGLE_TOKEN_URI, f"{self.world.sites.oauth}/token", f"{request.scheme}://{request.authority}/token"}
        if claims.get("aud") not in audiences:
            return render("invalid_grant", {"message": "Invalid JWT: the audience must be the token endpoint."}, now=now)
        issued, expires = claims.get("iat"), claims.get("exp")
        if not is_int(issued) or not is_int(expires) or not isinstance(scope, str) or not scope.strip():
            return render("invalid_grant", {"message": "Invalid JWT: iat, exp (integers) and scope are required."}, now=now)
        assert isinstance(issued, int)
        assert isinstance(expires, int)
        if expires <= now - SKEW or issued > now + SKEW or expires - issued > MAX_ASSERTION:
            text = (
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values."
            )
            return render("invalid_grant", {"message": text}, now=now)
        request.connection.state["oauth-grant"] = (account, frozenset(scope.split()))
        return email if isinstance(email, str) else ""

    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """OAuth errors."""
        return render(word, details, now=now)

    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """Accounts are known or not; there is no other state."""
        return None

    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """An access token."""
        account, scopes = request.connection.state["oauth-grant"]
        project = None if account is None else account.project_id
        token = self.world.accounts.grant(project, scopes, now, may_send=account is None or account.may_send)
        body = {"access_token": token, "expires_in": ACCESS_TOKEN_LIFETIME, "token_type": "Bearer"}
        return json_answer(200, body, (b"cache-control", b"no-store")), None

    def open(self, record: SentRecord) -> Opened:
        """The assertion's claims."""
        form = parse_qs(record.request.body.decode("utf-8", "replace"))
        try:
            token = parse(form.get("assertion", [""])[0])
        except MalformedToken:
            return Opened(problem="no JWT")
        return Opened(claims={**token.header, **token.claims})
