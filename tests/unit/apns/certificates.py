"""Certificates like Apple's, made on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID
from tests.unit.apns.helpers import NOW

from pushkit import apns

TOPICS = {
    "com.example.app": "app",
    "com.example.app.voip": "voip",
    "com.example.app.complication": "complication",
}
PASSWORD = "canary-certificate-password"


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def topics_extension(topics: dict[str, str]) -> bytes:
    """Topic, list of what it is for, topic, list, ...: the shape of Apple's extension .6.3.6."""
    return _der(0x30, b"".join(_der(0x0C, topic.encode()) + _der(0x30, _der(0x0C, use.encode())) for topic, use in topics.items()))


def make(
    *,
    bundle_id: str | None = "com.example.app",
    topics: dict[str, str] | bytes | None = None,
    environments: tuple[int, ...] = (1, 2),
    start: float = NOW - 86_400,
    days: float = 300,
    key: Any = None,
) -> tuple[x509.Certificate, Any]:
    key = key or ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, f"Apple Push Services: {bundle_id}")]
    if bundle_id is not None:
        names.append(x509.NameAttribute(NameOID.USER_ID, bundle_id))
    subject = x509.Name(names)
    begin = datetime.fromtimestamp(start, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
    )
    for number in environments:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.840.113635.100.6.3.{number}"), b"\x05\x00"), critical=False
        )
    if topics is not None:
        raw = topics if isinstance(topics, bytes) else topics_extension(topics)
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.840.113635.100.6.3.6"), raw), critical=False)
    return builder.sign(key, hashes.SHA256()), key


def pem(made: tuple[x509.Certificate, Any], *, password: str | None = None) -> tuple[bytes, bytes]:
    """Certificate and key as PEM."""
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return made[0].public_bytes(Encoding.PEM), made[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def p12(made: tuple[x509.Certificate, Any], *, password: str | None = PASSWORD, chain: Any = None) -> bytes:
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"push", made[1], made[0], chain, encryption)


def certificate(**changes: Any) -> apns.Certificate:
    chain, key = pem(make(**changes))
    return apns.Certificate.from_pem(chain + key)


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)
