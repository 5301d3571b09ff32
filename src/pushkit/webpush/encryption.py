"""
Message encryption for Web Push: RFC 8291 on top of RFC 8188 (``aes128gcm``), one record a message.

This module imports ``cryptography``; it is loaded with the first encryption, never by ``import pushkit``.
"""

from __future__ import annotations

import hmac
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pushkit.webpush.encoding import unb64
from pushkit.webpush.limits import BLOCK, HARD_LIMIT
from pushkit.webpush.messages import Padding, is_padding

_RECORD_SIZE = 4096
_KEY_LENGTH = 65
_AUTH_LENGTH = 16
_SALT_LENGTH = 16
_TAG_LENGTH = 16
_FIXED_HEADER = 21  # salt, record size, length of the key id (RFC 8188 section 2.1)
_HEADER_TAIL = struct.pack(">IB", _RECORD_SIZE, _KEY_LENGTH)
_KEY_INFO = b"WebPush: info\x00"
_CEK_INFO = b"Content-Encoding: aes128gcm\x00\x01"
_NONCE_INFO = b"Content-Encoding: nonce\x00\x01"
_CURVE = ec.SECP256R1()
_ECDH = ec.ECDH()
_LAST = b"\x02"
_NOT_LAST = 1
_SMALLEST_RECORD = 18


class DecryptionError(ValueError):
    """
    A body that a browser could not read either.

    ``reason``: ``"bad_header"``, ``"bad_point"``, ``"invalid_tag"`` or ``"bad_delimiter"``.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Receiver:
    """A subscription's keys, parsed and checked, ready for many messages."""

    __slots__ = ("auth", "key", "public")

    def __init__(self, public: bytes, auth: bytes) -> None:
        if len(auth) != _AUTH_LENGTH:
            raise ValueError(f"auth: expected 16 octets, found {len(auth)}")
        self.key = public_key(public)
        self.public = public
        self.auth = auth

    def seal(self, record: bytes) -> bytes:
        """A request body: ``record`` (see :func:`pad`) encrypted for this receiver, with a key pair and a salt made for it alone."""
        return seal_with(record, self, ec.generate_private_key(_CURVE), os.urandom(_SALT_LENGTH))


def public_key(raw: bytes) -> ec.EllipticCurvePublicKey:
    """
    A browser's public key: 65 octets, uncompressed, on P-256 (RFC 8291 section 3.1).

    Raises:
        ValueError: when it is anything else. A point off the curve would leak the private key's bits.
    """
    if len(raw) != _KEY_LENGTH or raw[0] != 4:
        raise ValueError("p256dh: expected 65 octets that begin with 0x04 (an uncompressed P-256 point)")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, raw)
    except ValueError:
        raise ValueError("p256dh: the 65 octets are no point on the curve P-256") from None


def pad(plaintext: bytes, padding: Padding = "none") -> bytes:
    """
    The content of the one record: plaintext, the delimiter 0x02 and zeros (RFC 8188 section 2).

    Args:
        plaintext: at most 3993 octets.
        padding: ``"none"``; ``"block"`` up to the next multiple of 128; or an int, the octets up to
            which a shorter plaintext is filled. Never beyond what one record holds.

    Raises:
        ValueError: when the plaintext is too long or the padding is something else.
    """
    length = len(plaintext)
    if length > HARD_LIMIT:
        raise ValueError(f"expected at most {HARD_LIMIT} octets of plaintext, found {length}: no browser reads a second record")
    if padding == "none":
        filled = length
    elif padding == "block":
        filled = -(-(length + 1) // BLOCK) * BLOCK - 1
    elif is_padding(padding):
        filled = padding
    else:
        raise ValueError('padding: expected "none", "block" or a number of octets')
    return plaintext + _LAST + bytes(min(max(filled, length), HARD_LIMIT) - length)


def seal_with(record: bytes, receiver: Receiver, sender: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """``Receiver.seal`` with a given key pair and salt: for test vectors. Reusing either gives messages away."""
    sender_public = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    ecdh_secret = sender.exchange(_ECDH, receiver.key)
    digest = hmac.digest
    ikm = digest(digest(receiver.auth, ecdh_secret, "sha256"), _KEY_INFO + receiver.public + sender_public + b"\x01", "sha256")
    prk = digest(salt, ikm, "sha256")
    cek = digest(prk, _CEK_INFO, "sha256")[:16]
    nonce = digest(prk, _NONCE_INFO, "sha256")[:12]
    return salt + _HEADER_TAIL + sender_public + AESGCM(cek).encrypt(nonce, record, None)


def _octets(value: str | bytes, what: str, length: int) -> bytes:
    if isinstance(value, bytes) and len(value) == length:
        return value
    raw = unb64(value)
    if raw is None or len(raw) != length:
        found = "no base64" if raw is None else f"{len(raw)} octets"
        raise ValueError(f"{what}: expected {length} octets (or their base64url), found {found}")
    return raw


def encrypt(plaintext: bytes, p256dh: str | bytes, auth: str | bytes, *, padding: Padding = "none") -> bytes:
    """
    Encrypt a message for one subscription (RFC 8291), with fresh key pair and salt.

    Sending does this by itself; it is public for tests and for other transports.

    Args:
        plaintext: at most 3993 octets.
        p256dh: the browser's public key, 65 octets or their base64.
        auth: the subscription's secret, 16 octets or their base64.
        padding: ``"none"``, ``"block"`` (to a multiple of 128) or a number of octets to fill up to.

    Returns:
        The request body, ``len(plaintext) + padding + 103`` octets, to send with ``Content-Encoding: aes128gcm``.

    Raises:
        ValueError: when a key, the secret or the length is wrong.
    """
    receiver = Receiver(_octets(p256dh, "p256dh", _KEY_LENGTH), _octets(auth, "auth", _AUTH_LENGTH))
    return receiver.seal(pad(plaintext, padding))


def decrypt(body: bytes, private_key: ec.EllipticCurvePrivateKey | str | bytes, auth: str | bytes) -> bytes:
    """
    Read a request body as the browser would (RFC 8291): for tests and local push services.

    Args:
        body: what was posted.
        private_key: the browser's key: a ``cryptography`` key or the 32 octets of the scalar (or their base64).
        auth: the subscription's secret, 16 octets or their base64.

    Raises:
        DecryptionError: when a browser could not read it; a ``ValueError``.
    """
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        scalar = _octets(private_key, "private_key", 32)
        private_key = ec.derive_private_key(int.from_bytes(scalar, "big"), _CURVE)
    secret = _octets(auth, "auth", _AUTH_LENGTH)
    salt, record_size, sender_public, content = _header(body)
    if len(sender_public) != _KEY_LENGTH:
        raise DecryptionError(
            "bad_header", f"expected a key id of {_KEY_LENGTH} octets (the sender's public key), found {len(sender_public)}"
        )
    if len(content) > record_size:
        raise DecryptionError("bad_header", "expected one record (RFC 8291 section 4), found more")
    try:
        sender = public_key(sender_public)
    except ValueError:
        raise DecryptionError("bad_point", "the sender's public key is no point on the curve P-256") from None
    receiver_public = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    ecdh_secret = private_key.exchange(ec.ECDH(), sender)
    prk_key = hmac.digest(secret, ecdh_secret, "sha256")
    ikm = hmac.digest(prk_key, _KEY_INFO + receiver_public + sender_public + b"\x01", "sha256")
    return _open_records(ikm, salt, record_size, content)


def open_aes128gcm(body: bytes, ikm: bytes) -> bytes:
    """
    Decode the ``aes128gcm`` content coding of RFC 8188, any number of records, given the input keying material.

    Raises:
        DecryptionError: when the body is damaged or the key is another one.
    """
    salt, record_size, _, content = _header(body)
    return _open_records(ikm, salt, record_size, content)


def _header(body: bytes) -> tuple[bytes, int, bytes, bytes]:
    if len(body) < _FIXED_HEADER:
        raise DecryptionError("bad_header", f"expected a header of at least {_FIXED_HEADER} octets, found {len(body)}")
    record_size, key_length = struct.unpack_from(">IB", body, _SALT_LENGTH)
    content = body[_FIXED_HEADER + key_length :]
    if record_size < _SMALLEST_RECORD or len(body) < _FIXED_HEADER + key_length or not content:
        raise DecryptionError("bad_header", "the header names an impossible record size or is cut short")
    return body[:_SALT_LENGTH], record_size, body[_FIXED_HEADER : _FIXED_HEADER + key_length], content


def _open_records(ikm: bytes, salt: bytes, record_size: int, content: bytes) -> bytes:
    prk = hmac.digest(salt, ikm, "sha256")
    cipher = AESGCM(hmac.digest(prk, _CEK_INFO, "sha256")[:16])
    base = int.from_bytes(hmac.digest(prk, _NONCE_INFO, "sha256")[:12], "big")
    plain: list[bytes] = []
    for number, start in enumerate(range(0, len(content), record_size)):
        sealed = content[start : start + record_size]
        last = start + record_size >= len(content)
        try:
            record = cipher.decrypt((base ^ number).to_bytes(12, "big"), sealed, None)
        except (InvalidTag, ValueError):
            raise DecryptionError("invalid_tag", "the body was damaged on its way, or encrypted for another key") from None
        text = record.rstrip(b"\x00")
        if not text or text[-1] != (_LAST[0] if last else _NOT_LAST):
            raise DecryptionError("bad_delimiter", "a record does not end as RFC 8188 section 2 says")
        plain.append(text[:-1])
    return b"".join(plain)
