"""
APNs provider tokens, as strict as Apple's page "Establishing a token-based connection to APNs".

One team per connection, one key per connection, ``iat`` no older than an hour, and no new token on a
connection within 20 minutes of its previous one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pushkit.testing.accounts import Accounts
from pushkit.testing.exchange import Request
from pushkit.testing.jose import MalformedToken, parse

MAX_AGE = 3600.0
MIN_REFRESH = 20 * 60.0

#: How far ahead of the service's clock ``iat`` may lie. Apple names no figure; clocks differ by seconds.
MAX_AHEAD = 60.0

_STATE = "apns-auth"


@attrs.define
class _Bond:
    """What a connection is tied to."""

    raw: bytes
    key_id: str
    team_id: str
    issued_at: float
    seen_at: float
    """When this connection first showed its present token."""


def authorize(request: Request, accounts: Accounts, environment: str, now: float) -> str | None:
    """The reason why the request's credentials are refused, or None. Ties the connection to its key."""
    raw = request.headers.get(b"authorization")
    if raw is None:
        return "MissingProviderToken"
    state = request.connection.state
    bond: _Bond | None = state.get(_STATE)
    if bond is not None and bond.raw == raw:
        return "ExpiredProviderToken" if now - bond.issued_at > MAX_AGE else None
    scheme, _, text = raw.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not text:
        return "MissingProviderToken" if not text else "InvalidProviderToken"
    try:
        token = parse(text.strip())
    except MalformedToken:
        return "InvalidProviderToken"
    key_id, team_id, issued_at = token.header.get("kid"), token.claims.get("iss"), token.claims.get("iat")
    if (
        token.header.get("alg") != "ES256"
        or not isinstance(key_id, str)
        or not isinstance(team_id, str)
        or not isinstance(issued_at, int)
        or isinstance(issued_at, bool)
    ):
        return "InvalidProviderToken"
    key = accounts.apns_keys.get(key_id)
    if key is None:
        if not accounts.trust_any or len(token.signature) != 64:
            return "InvalidProviderToken"
    elif key.team_id != team_id or not token.verify_es256(key.public):
        return "InvalidProviderToken"
    if now - issued_at > MAX_AGE:
        return "ExpiredProviderToken"
    if issued_at - now > MAX_AHEAD:
        return "InvalidProviderToken"
    if key is not None and environment not in key.environments:
        return "BadEnvironmentKeyIdInToken"
    if bond is not None:
        if bond.team_id != team_id:
            return "InvalidProviderToken"
        if bond.key_id != key_id:
            return "UnrelatedKeyIdInToken"
        if now - bond.seen_at < MIN_REFRESH:
            return "TooManyProviderTokenUpdates"
    state[_STATE] = _Bond(raw, key_id, team_id, float(issued_at), now)
    # What lifts the limit of one stream: a valid token, whatever becomes of its push.
    state["apns-good"] = True
    state["apns-topics"] = None if key is None else key.topics
    return None


def claims_of(request: Request) -> Mapping[str, Any]:
    """Header and claims of the provider token, for the inbox; empty when there is none."""
    text = (request.text(b"authorization") or "").partition(" ")[2]
    try:
        token = parse(text)
    except MalformedToken:
        return {}
    return {**token.header, **token.claims}
