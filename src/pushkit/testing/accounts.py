"""
Throw-away credentials, and what the local services know about them: keys, teams, projects, tokens.

Everything is made in memory, for this process, and is worth nothing anywhere else.
"""

from __future__ import annotations

import functools
import json
import secrets
import threading
from collections.abc import Mapping
from typing import Any

import attrs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pushkit.testing.jose import b64url_encode

_PKCS8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

FCM_SCOPES = frozenset({"https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"})
"""Either is enough to send (FCM discovery document)."""

ACCESS_TOKEN_LIFETIME = 3599
"""Seconds, as Google's token endpoint says."""


@attrs.frozen(repr=False)
class ApnsKey:
    """An APNs authentication key (a .p8 file) and what it may do."""

    key_id: str
    team_id: str
    public: ec.EllipticCurvePublicKey
    pem: str | None = None
    """The private key, where it was made here."""
    topics: frozenset[str] | None = None
    """Bundle ids that it may push to; None: every topic of the team."""
    environments: frozenset[str] = frozenset({"production", "sandbox"})


@attrs.frozen(repr=False)
class ServiceAccountKey:
    """A Google service account and its key."""

    email: str
    project_id: str
    key_id: str
    public: rsa.RSAPublicKey
    pem: str | None = None
    may_send: bool = True
    """Whether it has ``cloudmessaging.messages.create`` on the project."""


@attrs.frozen(repr=False)
class Grant:
    """An access token that was handed out."""

    project_id: str | None
    """None: any project (a multi-project account)."""
    scopes: frozenset[str]
    expires_at: float
    may_send: bool = True


class Accounts:
    """
    What the services accept as credentials.

    Args:
        trust_any: take every well-formed JWT or bearer token of an unknown key, without checking its
            signature (where tests use their own keys with the in-memory transport).
    """

    def __init__(self, *, trust_any: bool = False) -> None:
        self.trust_any = trust_any
        self._lock = threading.Lock()
        self.apns_keys: dict[str, ApnsKey] = {}
        self.service_accounts: dict[str, ServiceAccountKey] = {}
        self.grants: dict[str, Grant] = {}
        self.disabled_projects: set[str] = set()
        """Projects whose Cloud Messaging API is switched off."""

    def new_apns_key(self, *, team_id: str = "TEAM123456", topics: frozenset[str] | None = None) -> ApnsKey:
        """Make and register an APNs key."""
        private = ec.generate_private_key(ec.SECP256R1())
        key_id = secrets.token_hex(5).upper()
        key = ApnsKey(key_id, team_id, private.public_key(), private.private_bytes(*_PKCS8).decode("ascii"), topics)
        self.apns_keys[key_id] = key
        return key

    def add_apns_key(self, pem: str, *, key_id: str, team_id: str, topics: frozenset[str] | None = None) -> ApnsKey:
        """
        Register a key of the caller's own (private or public PEM, P-256).

        Raises:
            ValueError: when the PEM holds no such key.
        """
        key = ApnsKey(key_id, team_id, load_p256(pem), None, topics)
        self.apns_keys[key_id] = key
        return key

    def new_service_account(self, *, project_id: str = "local-project", may_send: bool = True) -> ServiceAccountKey:
        """Register a service account of this process's own RSA key under a fresh address and key id."""
        private = _process_rsa_key()
        key = ServiceAccountKey(
            f"push-{secrets.token_hex(3)}@{project_id}.iam.gserviceaccount.com",
            project_id,
            secrets.token_hex(20),
            private.public_key(),
            private.private_bytes(*_PKCS8).decode("ascii"),
            may_send,
        )
        self.service_accounts[key.email] = key
        return key

    def process_service_account(self, project_id: str) -> ServiceAccountKey:
        """Register this process's own account of a project: always the same one, since reading an RSA key takes 30 ms."""
        key = _process_account(project_id)
        self.service_accounts[key.email] = key
        return key

    def grant(
        self, project_id: str | None, scopes: frozenset[str], now: float, *, lifetime: float | None = None, may_send: bool = True
    ) -> str:
        """Hand out an access token."""
        token = f"ya29.local-{secrets.token_urlsafe(32)}"
        until = now + (ACCESS_TOKEN_LIFETIME if lifetime is None else lifetime)
        with self._lock:
            if len(self.grants) > _MOST_GRANTS:
                self.grants = {t: g for t, g in self.grants.items() if g.expires_at > now}
            self.grants[token] = Grant(project_id, scopes, until, may_send)
        return token

    def revoke_all(self) -> None:
        """Every access token handed out so far is dead."""
        with self._lock:
            self.grants.clear()

    def __repr__(self) -> str:
        return f"<Accounts {len(self.apns_keys)} APNs keys, {len(self.service_accounts)} service accounts, {len(self.grants)} tokens>"


_MOST_GRANTS = 10_000


def key_file(account: ServiceAccountKey, token_uri: str) -> dict[str, str]:
    """The JSON key file of a service account, as the Google Cloud console gives it."""
    return {
        "type": "service_account",
        "project_id": account.project_id,
        "private_key_id": account.key_id,
        "private_key": account.pem or "",
        "client_email": account.email,
        "client_id": str(int(account.key_id[:15], 16)),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }


def load_p256(pem: str) -> ec.EllipticCurvePublicKey:
    """
    The public key in a private or public PEM.

    Raises:
        ValueError: when it holds no P-256 key.
    """
    raw = pem.encode()
    try:
        key = (
            serialization.load_pem_public_key(raw)
            if b"PUBLIC KEY" in raw
            else serialization.load_pem_private_key(raw, password=None).public_key()
        )
    except (ValueError, TypeError):
        raise ValueError("expected a PEM with an EC key on P-256 (a .p8 file or its public half)") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("expected an EC key on P-256; this is another kind of key")  # noqa: TRY004 - the kind of key in a PEM is a value
    return key


@attrs.frozen(repr=False)
class VapidPair:
    """An application server's key pair (RFC 8292)."""

    pem: str
    public_b64: str
    """What the browser gets as ``applicationServerKey``."""
    private_b64: str
    """The raw scalar, as node's and PHP's libraries want it."""


def new_vapid_pair() -> VapidPair:
    """Make a VAPID key pair."""
    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    scalar = private.private_numbers().private_value.to_bytes(32, "big")
    return VapidPair(private.private_bytes(*_PKCS8).decode("ascii"), b64url_encode(point), b64url_encode(scalar))


@functools.cache
def _process_rsa_key() -> rsa.RSAPrivateKey:
    # 2048 bits take up to half a second to find: once per process is enough for keys worth nothing.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def _process_account(project_id: str) -> ServiceAccountKey:
    return Accounts().new_service_account(project_id=project_id)


def dump(value: Mapping[str, Any]) -> str:
    """JSON for a file that people read."""
    return json.dumps(value, indent=2)
