"""
VAPID as the services check it (RFC 8292), each complaint in the service's own words.

Sources: RFC 8292 sections 2 to 4; autopush's checks; what Apple and Google were seen to refuse.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from pushkit.testing.exchange import Request
from pushkit.testing.jose import MalformedToken, Token, b64url_decode, is_int, parse

MAX_AHEAD = 24 * 3600.0

_PARAMETER = re.compile(r"\s*([tk])\s*=\s*([^\s,;]+)\s*")
_CACHE = "vapid-good"
_REFUSED_HOSTS = ("localhost", ".localhost", ".local", ".invalid")

_WORDS: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "missing": {
        "mozilla": ("errno 109", {"message": "Missing VAPID authorization"}),
        "google": ("authorization_missing", {}),
        "apple": ("BadAuthorizationHeader", {}),
        "microsoft": ("http_401", {}),
        "rfc": ("http_401", {}),
    },
    "header": {
        "mozilla": ("errno 109", {"message": "Invalid authorization header"}),
        "google": ("invalid_jwt", {}),
        "apple": ("BadAuthorizationHeader", {}),
        "microsoft": ("http_401", {}),
        "rfc": ("http_403", {}),
    },
    "key": {
        "mozilla": ("errno 109", {"message": "Invalid VAPID public key"}),
        "google": ("invalid_jwt", {}),
        "apple": ("BadVapidPublicKey", {}),
        "microsoft": ("http_401", {}),
        "rfc": ("http_403", {}),
    },
    "token": {
        "mozilla": ("errno 109", {"message": "Request did not validate: invalid token"}),
        "google": ("invalid_jwt", {}),
        "apple": ("BadJwtToken", {}),
        "microsoft": ("http_401", {}),
        "rfc": ("http_403", {}),
    },
    "audience": {
        "mozilla": ("errno 109", {"message": "Invalid audience in VAPID claims"}),
        "google": ("aud_mismatch", {}),
        "apple": ("BadJwtToken", {}),
        "microsoft": ("http_401", {}),
        "rfc": ("http_403", {}),
    },
    "mismatch": {
        "mozilla": ("VAPID public key mismatch", {}),
        "google": ("vapid_key_mismatch", {}),
        "apple": ("VapidPkHashMismatch", {}),
        "microsoft": ("http_403", {}),
        "rfc": ("http_403", {}),
    },
}


def vapid_fault(request: Request, service: str, bound_to: bytes | None, now: float) -> tuple[str, Mapping[str, Any]] | None:
    """The word (with details) for what is wrong with the request's VAPID credentials, or None."""
    kind = _kind_of_fault(request, service, bound_to, now)
    return None if kind is None else _WORDS[kind][service]


def _kind_of_fault(request: Request, service: str, bound_to: bytes | None, now: float) -> str | None:
    header = request.headers.get(b"authorization")
    if header is None:
        # Only a subscription that is bound to a key demands VAPID (RFC 8292 section 4.1).
        return "missing" if bound_to is not None else None
    good: tuple[bytes, float, bytes, str] | None = request.connection.state.get(_CACHE)
    if good is not None and good[0] == header and good[1] > now and good[3] == request.authority:
        return None if bound_to is None or bound_to == good[2] else "mismatch"
    parts = _parts(header)
    if parts is None:
        return "header"
    token_text, key_text = parts
    try:
        point = b64url_decode(key_text.rstrip("="))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return "key"
    try:
        token = parse(token_text)
    except MalformedToken:
        return "token"
    if token.header.get("alg") != "ES256" or not token.verify_es256(key):
        return "token"
    kind = _claims_fault(token, request, service, now)
    if kind is not None:
        return kind
    if bound_to is not None and point != bound_to:
        return "mismatch"
    request.connection.state[_CACHE] = (header, float(token.claims["exp"]), point, request.authority)
    return None


def _parts(header: bytes) -> tuple[str, str] | None:
    scheme, _, rest = header.decode("latin-1").partition(" ")
    if scheme.lower() != "vapid":
        return None
    found: dict[str, str] = {}
    for item in rest.split(","):
        matched = _PARAMETER.fullmatch(item)
        if matched is not None:
            found[matched[1]] = matched[2]
    return (found["t"], found["k"]) if found.keys() == {"t", "k"} else None


def _claims_fault(token: Token, request: Request, service: str, now: float) -> str | None:
    expires = token.claims.get("exp")
    # A string here, as some libraries send, is refused by autopush (RFC 7519 section 4.1.4 wants a number).
    if not is_int(expires) or not now < float(str(expires)) <= now + MAX_AHEAD:
        return "token"
    if token.claims.get("aud") != f"{request.scheme}://{request.authority}":
        return "audience"
    subject = token.claims.get("sub")
    if subject is None:
        return "token" if service in {"mozilla", "apple"} else None
    if not isinstance(subject, str) or not _subject_is_good(subject, strict=service == "apple"):
        return "token"
    return None


def _subject_is_good(subject: str, *, strict: bool) -> bool:
    if subject.startswith("mailto:"):
        user, at, host = subject[7:].partition("@")
        good = bool(user and at and host) and " " not in subject
    elif subject.startswith("https://"):
        host = urlsplit(subject).hostname or ""
        good = bool(host)
    else:
        return False
    if not good or not strict:
        return good
    host = host.lower()
    return not (host in _REFUSED_HOSTS or host.endswith(_REFUSED_HOSTS) or "." not in host or _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def claims_of(request: Request) -> Mapping[str, Any]:
    """Header and claims of the VAPID token, for the inbox; empty when there is none."""
    parts = _parts(request.headers.get(b"authorization", b""))
    if parts is None:
        return {}
    try:
        token = parse(parts[0])
    except MalformedToken:
        return {}
    return {**token.header, **token.claims}
