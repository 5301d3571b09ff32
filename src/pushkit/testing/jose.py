"""Checking other people's JWTs (RFC 7515, 7519), strictly: what a provider does with ours."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, cast

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils


@attrs.frozen(repr=False)
class Token:
    """A JWT in its parts, signature not yet checked."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    def verify_es256(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Whether the signature is this key's: 64 octets r‖s over SHA-256 (RFC 7518 section 3.4)."""
        if len(self.signature) != 64:
            return False
        r, s = int.from_bytes(self.signature[:32], "big"), int.from_bytes(self.signature[32:], "big")
        try:
            key.verify(utils.encode_dss_signature(r, s), self.signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def verify_rs256(self, key: rsa.RSAPublicKey) -> bool:
        """Whether the signature is this key's: RSASSA-PKCS1-v1_5 over SHA-256 (RFC 7518 section 3.3)."""
        try:
            key.verify(self.signature, self.signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


class MalformedToken(ValueError):
    """No JWT at all."""


def parse(text: str) -> Token:
    """
    Take a compact JWT apart.

    Raises:
        MalformedToken: when it has not three parts of unpadded base64url, or no JSON objects in them.
    """
    parts = text.split(".")
    if len(parts) != 3:
        raise MalformedToken("a JWT has three parts")
    try:
        header, claims = (json.loads(b64url_decode(part)) for part in parts[:2])
        signature = b64url_decode(parts[2])
    except (ValueError, RecursionError):
        raise MalformedToken("the parts of a JWT are unpadded base64url and JSON") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise MalformedToken("header and claims are JSON objects")
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Token(cast("dict[str, Any]", header), cast("dict[str, Any]", claims), signed, signature)


def b64url_decode(text: str) -> bytes:
    """
    Unpadded base64url (RFC 4648 section 5), strictly.

    Raises:
        ValueError: for padding, other characters or an impossible length.
    """
    if not text.isascii() or "=" in text or "+" in text or "/" in text:
        raise ValueError("no unpadded base64url")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("no unpadded base64url") from None


def b64url_encode(data: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def is_int(value: object) -> bool:
    """Whether a claim is a JSON integer (a bool is none)."""
    return isinstance(value, int) and not isinstance(value, bool)
