"""
APNs certificates: the older kind of credential, one app and one year each.

Source: Apple, "Establishing a certificate-based connection to APNs".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from pushkit.apns.credentials import password_bytes
from pushkit.apns.kinds import RULES, Environment
from pushkit.errors import ConfigurationError
from pushkit.files import read_key_file
from pushkit.secret import fingerprint, without_locals
from pushkit.wire import ClientCertificate

if TYPE_CHECKING:
    from cryptography import x509

_APPLE = "1.2.840.113635.100.6.3."
_SANDBOX_OID = _APPLE + "1"
_PRODUCTION_OID = _APPLE + "2"
_TOPIC_OIDS = (_APPLE + "4", _APPLE + "6")
_UID_OID = "0.9.2342.19200300.100.1.1"

#: Suffixes of services that no extension lists.
_UNLISTED = tuple(rule.suffix for rule in RULES.values() if rule.suffix not in {"", ".voip", ".complication", ".voip-ptt"})

_WHAT = "APNs certificate"

_SEQUENCE = 0x30
_UTF8 = 0x0C


@attrs.frozen(kw_only=True, repr=False)
class Certificate:
    """
    A certificate with its private key. Made by the ``from_…`` methods.

    Pickling one writes the private key **in plain text**.
    """

    wire: ClientCertificate
    """What the TLS handshake shows."""
    bundle_id: str | None
    """The app that the subject's UID names (for MDM: the topic)."""
    topics: frozenset[str]
    """All topics in the certificate's extensions; empty when it lists none (then it is for ``bundle_id`` alone)."""
    environments: frozenset[Environment]
    """Where it works, as far as its extensions say; empty when they say nothing."""
    not_before: datetime
    """Aware UTC."""
    not_after: datetime
    """Aware UTC: from then on Apple refuses it."""

    @classmethod
    @without_locals
    def from_pem(cls, certificate: str | bytes, key: str | bytes | None = None, *, password: str | bytes | None = None) -> Certificate:
        """
        Read PEM text.

        Args:
            certificate: the certificate, and any intermediate ones after it.
            key: its private key; None when it is in the same text.
            password: of an encrypted key.

        Raises:
            ConfigurationError: what was seen, what was expected and how to mend it.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        secret = password_bytes(password, _WHAT)
        text = _bytes(certificate, "certificate")
        key_text = text if key is None else _bytes(key, "key")
        if b"-----BEGIN CERTIFICATE-----" not in text:
            raise ConfigurationError(
                "APNs certificate: the text holds no -----BEGIN CERTIFICATE-----; for a .p12 file use Certificate.from_p12"
            )
        if b"PRIVATE KEY-----" not in key_text:
            raise ConfigurationError("APNs certificate: there is no private key; pass key=, or export certificate and key together")
        try:
            chain = x509.load_pem_x509_certificates(text)
        except ValueError:
            raise ConfigurationError("APNs certificate: the PEM cannot be read; is it cut short?") from None
        try:
            private_key = load_pem_private_key(_block(key_text), secret)
        except TypeError:
            state = "is not encrypted, leave password= out" if password is not None else "is encrypted, pass password="
            raise ConfigurationError(f"APNs certificate: the private key {state}") from None
        except Exception:  # noqa: BLE001 - OpenSSL's errors are many, and their texts may quote the key
            state = "it is cut short, or the password is wrong" if secret is not None else "is it cut short?"
            raise ConfigurationError(f"APNs certificate: the private key cannot be read; {state}") from None
        return _made(chain, private_key)

    @classmethod
    @without_locals
    def from_pem_file(cls, path: str | Path, key_path: str | Path | None = None, *, password: str | bytes | None = None) -> Certificate:
        """
        Read a PEM file that holds certificate and key, or two files.

        Raises:
            ConfigurationError: as :meth:`from_pem`, and when there is no such file.
        """
        what, inline = "apns.Certificate.from_pem_file()", "apns.Certificate.from_pem()"
        certificate = read_key_file(path, what, inline=inline)
        key = None if key_path is None else read_key_file(key_path, what, inline=inline)
        try:
            return cls.from_pem(certificate, key, password=password)
        except ConfigurationError as error:
            raise ConfigurationError(f'"{Path(path).name}": {error}') from None

    @classmethod
    @without_locals
    def from_p12(cls, data: bytes, password: str | bytes | None = None) -> Certificate:
        """
        Read PKCS#12 data, as the Keychain exports them.

        Raises:
            ConfigurationError: when they cannot be read, or hold no certificate with its key.
        """
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

        secret = password_bytes(password, _WHAT)
        if not isinstance(data, bytes):
            raise ConfigurationError(f"APNs certificate: expected the bytes of a .p12 file, got a {type(data).__name__}")
        if b"-----BEGIN" in data:
            raise ConfigurationError("APNs certificate: this is PEM text, not PKCS#12; use Certificate.from_pem")
        try:
            bundle = load_pkcs12(data, secret)
        except Exception:  # noqa: BLE001 - as above
            state = "needs another password" if password else "needs a password"
            raise ConfigurationError(f"APNs certificate: the .p12 file cannot be read; it is damaged or {state}") from None
        if bundle.cert is None or bundle.key is None:
            missing = "certificate" if bundle.cert is None else "private key"
            raise ConfigurationError(f"APNs certificate: the .p12 file holds no {missing}; export certificate and key together")
        return _made([bundle.cert.certificate, *(more.certificate for more in bundle.additional_certs)], bundle.key)

    @classmethod
    @without_locals
    def from_p12_file(cls, path: str | Path, password: str | bytes | None = None) -> Certificate:
        """
        Read a ``.p12`` file.

        Raises:
            ConfigurationError: as :meth:`from_p12`, and when there is no such file.
        """
        content = read_key_file(path, "apns.Certificate.from_p12_file()", inline="apns.Certificate.from_p12()")
        try:
            return cls.from_p12(content, password)
        except ConfigurationError as error:
            raise ConfigurationError(f'"{Path(path).name}": {error}') from None

    @property
    def pool_key(self) -> tuple[str, ...]:
        """What connections may be shared by: the certificate."""
        return "apns", "certificate", fingerprint(self.wire.chain)

    def covers(self, topic: str) -> bool:
        """
        Whether it may push to this topic, as far as it says.

        Its extensions list the app, VoIP, complications and push-to-talk. About other services (Live
        Activities, widgets) they say nothing, so that is left to APNs.
        """
        listed = self.topics or frozenset({self.bundle_id} if self.bundle_id is not None else ())
        return not listed or topic in listed or any(topic.endswith(suffix) for suffix in _UNLISTED)

    def __repr__(self) -> str:
        return f"<apns.Certificate {self.bundle_id or 'without a bundle id'} until {self.not_after.date().isoformat()}>"


def _bytes(value: object, name: str) -> bytes:
    if not isinstance(value, (str, bytes)):
        raise ConfigurationError(f"APNs certificate: {name}: expected PEM text or bytes, got a {type(value).__name__}")
    data = value.encode("utf-8", "replace") if isinstance(value, str) else value
    # An environment variable often holds the two characters \n where lines end.
    return data.replace(b"\\r", b"").replace(b"\\n", b"\n")


def _block(text: bytes) -> bytes:
    """The private key's own PEM block: exported files put attributes and certificates around it."""
    end = text.find(b"-----END ", text.find(b"PRIVATE KEY-----"))
    start = text.rfind(b"-----BEGIN ", 0, end)
    return text[start : text.find(b"\n", end) + 1 or None]


def _made(chain: list[x509.Certificate], private_key: object) -> Certificate:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if not isinstance(private_key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise ConfigurationError(f"APNs certificate: expected an RSA or EC key, got {type(private_key).__name__.lstrip('_')}")
    try:
        # Exports put the leaf anywhere: it is the one that the key belongs to.
        leaf = next((item for item in chain if item.public_key() == private_key.public_key()), None)
        extensions = {} if leaf is None else {extension.oid.dotted_string: extension for extension in leaf.extensions}
    except Exception as error:  # noqa: BLE001 - a key of a kind that nobody knows, extensions that are there twice, damaged DER
        raise ConfigurationError(f"APNs certificate: what is inside it cannot be read ({type(error).__name__}); is it damaged?") from None
    if leaf is None:
        raise ConfigurationError("APNs certificate: the private key belongs to another certificate than the one given")
    ordered = [leaf, *(item for item in chain if item is not leaf)]
    topics: set[str] = set()
    for oid in _TOPIC_OIDS:
        if oid in extensions:
            topics |= set(_topics(_raw(extensions[oid])))
    uids = [attribute.value for attribute in leaf.subject if attribute.oid.dotted_string == _UID_OID]
    return Certificate(
        wire=ClientCertificate(
            chain=b"".join(item.public_bytes(Encoding.PEM) for item in ordered),
            key=private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ),
        bundle_id=str(uids[0]) if uids else None,
        topics=frozenset(topics),
        environments=frozenset(
            environment
            for environment, oid in ((Environment.SANDBOX, _SANDBOX_OID), (Environment.PRODUCTION, _PRODUCTION_OID))
            if oid in extensions
        ),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


def _raw(extension: x509.Extension[x509.ExtensionType]) -> bytes:
    value = extension.value
    raw = getattr(value, "value", b"")
    return raw if isinstance(raw, bytes) else b""


def _topics(der: bytes) -> list[str]:
    """Topics in Apple's extension: a SEQUENCE in which each topic (UTF8String) is followed by a SEQUENCE of what it is for."""
    outer = next(_elements(der), None)
    if outer is None or outer[0] != _SEQUENCE:
        return []
    return [content.decode("utf-8", "replace") for tag, content in _elements(outer[1]) if tag == _UTF8]


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a piece of DER (X.690 section 8.1); stops at the first that is damaged."""
    at = 0
    while at + 2 <= len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(der[at : at + count], "big")
            at += count
        if at + length > len(der):
            return
        yield tag, der[at : at + length]
        at += length
