"""The browser's side of Web Push: keys, and opening what was encrypted for them (RFC 8188, RFC 8291)."""

from __future__ import annotations

import hashlib
import hmac
import os

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pushkit.testing.jose import b64url_encode

_HEADER = 16 + 4 + 1
_POINT = 65
_TAG = 16


class Undecryptable(ValueError):
    """A body that a browser throws away."""


@attrs.frozen(repr=False)
class Receiver:
    """A subscription's private half."""

    private: ec.EllipticCurvePrivateKey
    public: bytes
    """65 octets, uncompressed."""
    auth: bytes
    """16 octets."""
    bound_to: bytes | None = None
    """The application server key given at subscribing; only its owner may send (RFC 8292 section 4)."""

    @property
    def p256dh(self) -> str:
        """As in ``PushSubscription.toJSON()``."""
        return b64url_encode(self.public)

    @property
    def auth_secret(self) -> str:
        """As in ``PushSubscription.toJSON()``."""
        return b64url_encode(self.auth)

    def decrypt(self, body: bytes) -> bytes:
        """
        What the browser reads.

        Raises:
            Undecryptable: says which part of the body is wrong.
        """
        if len(body) < _HEADER:
            raise Undecryptable(f"an aes128gcm body starts with {_HEADER} octets of header; this has {len(body)} in all")
        salt, record_size, id_length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        if id_length != _POINT or len(body) < _HEADER + _POINT:
            raise Undecryptable(f"the key id must be the sender's public key of {_POINT} octets; it has {id_length}")
        sender, record = body[_HEADER : _HEADER + _POINT], body[_HEADER + _POINT :]
        if record_size < _TAG + 2:
            raise Undecryptable(f"record size {record_size} leaves no room for data (RFC 8188 section 2.1)")
        if len(record) > record_size:
            raise Undecryptable(
                f"{len(record)} octets in records of {record_size}: push messages have exactly one record (RFC 8291 section 4)"
            )
        if len(record) < _TAG + 1:
            raise Undecryptable("the record is shorter than its tag")
        try:
            sender_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        except ValueError:
            raise Undecryptable("the sender's public key is no point on P-256") from None
        key, nonce = self._derive(self.private.exchange(ec.ECDH(), sender_key), sender, salt)
        try:
            plain = AESGCM(key).decrypt(nonce, record, None)
        except InvalidTag:
            raise Undecryptable("not encrypted for this subscription (tag mismatch)") from None
        stripped = plain.rstrip(b"\0")
        if not stripped or stripped[-1] != 2:
            raise Undecryptable("the last record ends with octet 2 and zeros (RFC 8188 section 2)")
        return stripped[:-1]

    def _derive(self, shared: bytes, sender: bytes, salt: bytes) -> tuple[bytes, bytes]:
        # RFC 8291 section 3.4; every output is one block, so HKDF-Expand is one HMAC.
        prk_key = _hmac(self.auth, shared)
        ikm = _hmac(prk_key, b"WebPush: info\0" + self.public + sender + b"\1")
        prk = _hmac(salt, ikm)
        return _hmac(prk, b"Content-Encoding: aes128gcm\0\1")[:16], _hmac(prk, b"Content-Encoding: nonce\0\1")[:12]


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha256)


def new_receiver(bound_to: bytes | None = None) -> Receiver:
    """Make a subscription's keys."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return Receiver(private, public, os.urandom(16), bound_to)
