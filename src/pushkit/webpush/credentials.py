"""
VAPID (RFC 8292): the key pair that names an application server, and the tokens signed with it.

``cryptography`` is imported with the first key, not with this module.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from pushkit.errors import ConfigurationError
from pushkit.files import read_key_file
from pushkit.lru import LRU
from pushkit.secret import without_locals
from pushkit.webpush.encoding import b64url, unb64
from pushkit.webpush.endpoints import is_ip_literal, well_formed
from pushkit.webpush.key_formats import FORMATS, POINT, SCALAR, read
from pushkit.webpush.limits import TOKEN_LIFETIME, TOKEN_RENEWAL
from pushkit.wire import Header

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

KeySource: TypeAlias = "str | bytes | os.PathLike[str] | Mapping[str, Any] | ec.EllipticCurvePrivateKey | VapidKey"
"""Everything that :meth:`VapidKey.parse` reads."""

_JWT_HEADER = b64url(b'{"typ":"JWT","alg":"ES256"}')


def _loaded(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec as curves

    try:
        return curves.derive_private_key(int.from_bytes(scalar, "big"), curves.SECP256R1())
    except ValueError:
        raise ConfigurationError(f"the VAPID key's number is outside the range of P-256; {FORMATS}") from None


def _public_octets(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@attrs.frozen(repr=False, eq=False, init=False)
class VapidKey:
    """
    The P-256 key pair that says who sends (RFC 8292).

    One pair for all users and for years: each subscription is bound to the public key that the page
    gave to ``pushManager.subscribe``, and a new pair makes every one of them useless. Keep a copy.

    Make one with :meth:`generate`, read one with :meth:`from_file` or :meth:`parse`. Two are equal when
    the private keys are. Pickling carries the private key in plain text.
    """

    public_key: str
    """The public half as base64url without padding: what the browser wants as ``applicationServerKey``."""
    _scalar: bytes
    _key: Any

    def __init__(self, scalar: bytes) -> None:
        if not isinstance(cast("object", scalar), bytes) or len(scalar) != SCALAR:
            raise ConfigurationError("VapidKey(...) takes the 32 octets of the private key; use VapidKey.from_file or VapidKey.parse")
        key = _loaded(scalar)
        object.__setattr__(self, "_scalar", scalar)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "public_key", b64url(_public_octets(key)))

    @classmethod
    def generate(cls) -> VapidKey:
        """Make a new key pair. Write it down (:meth:`write`): what is signed with a lost key cannot be sent again."""
        from cryptography.hazmat.primitives.asymmetric import ec as curves

        return cls._of(curves.generate_private_key(curves.SECP256R1()))

    @classmethod
    @without_locals
    def from_file(cls, path: str | os.PathLike[str], *, public_key: str | None = None, password: str | bytes | None = None) -> VapidKey:
        """
        Read a key file: any format that :meth:`parse` knows.

        A missing file is an error; nothing is ever generated in its place.

        Args:
            path: of the file.
            public_key: the public half, where it is stored too; it is checked against the private one.
            password: of an encrypted PEM or DER file.

        Raises:
            ConfigurationError: when the file cannot be read or holds something else.
        """
        content = read_key_file(
            path,
            "webpush.VapidKey.from_file()",
            inline="webpush.VapidKey.parse()",
            missing='make a key with VapidKey.generate().write("vapid.pem")',
        )
        try:
            return cls.parse(content, public_key=public_key, password=password)
        except ConfigurationError as error:
            raise ConfigurationError(f'"{Path(path).name}": {error}') from None

    @classmethod
    @without_locals
    def parse(cls, source: KeySource, *, public_key: str | bytes | None = None, password: str | bytes | None = None) -> VapidKey:
        r"""
        Read a key in any format that people have.

        Takes the 32 octets of the private key (raw or base64, either alphabet, with or without
        padding), PEM (PKCS#8 or SEC1; ``\n`` as two characters, as environment variables have it, is
        understood), DER (octets or base64), a JWK (mapping or JSON text), the ``{"publicKey", "privateKey"}``
        of the npm package web-push, a path object, a ``cryptography`` key, or a :class:`VapidKey`.

        Args:
            source: the private key.
            public_key: the public half (base64url of 65 octets); it is checked against the private one.
            password: of an encrypted PEM or DER.

        Raises:
            ConfigurationError: when it is anything else, the curve is not P-256, or the public key is another one's.
        """
        if isinstance(source, VapidKey):
            found, stated = source, None
        elif isinstance(source, os.PathLike):
            found, stated = cls.from_file(source, password=password), None
        else:
            key, stated = read(source, password.encode() if isinstance(password, str) else password)
            found = cls(key) if isinstance(key, bytes) else cls._of(key)
        for public in (stated, public_key):
            if public is not None:
                found.check_public(public)
        return found

    @classmethod
    def _of(cls, key: Any) -> VapidKey:
        from cryptography.hazmat.primitives.asymmetric import ec as curves

        if not isinstance(key, curves.EllipticCurvePrivateKey):
            raise ConfigurationError(f"found a key of the type {type(key).__name__}; {FORMATS}")
        if not isinstance(key.curve, curves.SECP256R1):
            raise ConfigurationError(f"found a key on the curve {key.curve.name}; Web Push uses P-256 (prime256v1) only")
        return cls(key.private_numbers().private_value.to_bytes(SCALAR, "big"))

    def check_public(self, public_key: str | bytes) -> None:
        """
        Make sure that this is the public half of this key.

        Raises:
            ConfigurationError: when it is not.
        """
        raw = public_key if isinstance(public_key, bytes) and len(public_key) == POINT else unb64(public_key)
        if raw is None or len(raw) != POINT or raw[0] != 4:
            found = "no base64" if raw is None else f"{len(raw)} octets"
            raise ConfigurationError(f"the VAPID public key: expected base64url of 65 octets that begin with 0x04, found {found}")
        if b64url(raw) != self.public_key:
            from pushkit.own_reasons import OWN

            raise ConfigurationError(
                f"vapid_keypair_mismatch: the stated public key ({fingerprint_of(b64url(raw))}) is not the private key's ({self.fingerprint}). "
                f"{OWN['vapid_keypair_mismatch'].advice}"
            )

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits of the public key's SHA-256: to store with each subscription, so that a rotation can be planned."""
        return fingerprint_of(self.public_key)

    @property
    def private_key(self) -> str:
        """The private half as base64url (32 octets), as other Web Push libraries store it. Secret."""
        return b64url(self._scalar)

    def to_pem(self) -> str:
        """The key as unencrypted PKCS#8 PEM. Secret."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return cast("bytes", self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())).decode("ascii")

    def write(self, path: str | os.PathLike[str]) -> None:
        """
        Write the key as PEM to a new file that only its owner may read.

        Raises:
            ConfigurationError: when the file exists (a key is never overwritten) or cannot be written.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ConfigurationError(
                f'"{os.fspath(path)}" exists; a key is never overwritten, since its subscriptions would be lost'
            ) from None
        except OSError as error:
            raise ConfigurationError(f'"{os.fspath(path)}": cannot be written ({error.strerror or type(error).__name__})') from None
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self.to_pem())

    def sign(self, data: bytes) -> bytes:
        """The ES256 signature of JOSE: r and s, 64 octets (RFC 7518 section 3.4), not DER."""
        from cryptography.hazmat.primitives.asymmetric import ec as curves
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        r, s = decode_dss_signature(self._key.sign(data, curves.ECDSA(SHA256())))
        return r.to_bytes(SCALAR, "big") + s.to_bytes(SCALAR, "big")

    def __eq__(self, other: object) -> bool:
        return self._scalar == other._scalar if isinstance(other, VapidKey) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.public_key)

    def __repr__(self) -> str:
        return f"<VapidKey {self.fingerprint}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return VapidKey, (self._scalar,)


def fingerprint_of(public_key: str) -> str:
    """The fingerprint of a public key in base64url without padding."""
    return hashlib.sha256(public_key.encode("ascii")).hexdigest()[:8]


_RESERVED = ("localhost", "local", "invalid", "test", "example", "internal", "lan", "home", "corp", "localdomain", "onion", "arpa")


def subject_problem(subject: object) -> str | None:
    """
    What is wrong with a VAPID ``sub``, in words, or None.

    RFC 8292 section 2.1 asks for a ``mailto:`` or ``https:`` URI; Mozilla wants one, and Apple answers
    403 BadJwtToken to a space after the colon and to names that lead nowhere (localhost, .local, .invalid).
    """
    if not isinstance(subject, str) or not subject:
        return 'it is empty; set it to "mailto:you@your-domain" or to an https:// page'
    if subject != subject.strip() or any(character.isspace() or not character.isprintable() for character in subject):
        return "it holds a space or a control character; Apple refuses that"
    if subject.startswith("mailto:"):
        address = subject.removeprefix("mailto:")
        name, at, host = address.rpartition("@")
        if not at or not name or "@" in name or any(character in address for character in "<>,;?"):
            return 'behind "mailto:" it needs one plain address, such as mailto:ops@your-domain'
    elif subject.startswith("https://"):
        host = re.split(r"[/?#]", subject.removeprefix("https://"), maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    elif "@" in subject and ":" not in subject:
        return 'it is a bare address; write "mailto:" in front of it'
    else:
        return 'it begins neither with "mailto:" nor with "https://"'
    host = host.lower().rstrip(".")
    if not well_formed(host) or is_ip_literal(host) or host.rpartition(".")[2] in _RESERVED:
        return "its host is no public name (in ASCII: xn--… for others); Apple refuses localhost, .local, .invalid, addresses and the like"
    return None


@attrs.frozen
class _Token:
    headers: tuple[Header, ...]
    expires: int


class VapidTokens:
    """
    ``Authorization`` headers by (origin, key), signed once and used for 12 hours (RFC 8292 section 4 asks for reuse).

    Bounded; not thread-safe. The clock is passed in: a token from a clock that was set back is not used.
    """

    def __init__(self, subject: str, *, size: int = 1024) -> None:
        self._subject = subject
        self._tokens: LRU[tuple[str, str], _Token] = LRU(size)

    def headers(self, audience: str, key: VapidKey, now: float) -> tuple[Header, ...]:
        """
        The header to send.

        Args:
            audience: the endpoint's origin (scheme, host, port unless 443).
            key: to sign with.
            now: epoch seconds.
        """
        place = (audience, key.public_key)
        token = self._tokens.get(place)
        if token is None or not TOKEN_RENEWAL < token.expires - now <= TOKEN_LIFETIME + 1:
            token = self._sign(audience, key, now)
            self._tokens.put(place, token)
        return token.headers

    def drop(self, headers: tuple[Header, ...]) -> None:
        """Forget the token that these headers carry; a fresher one that took its place stays."""
        for place, token in self._tokens.items():
            if token.headers is headers or token.headers == headers:
                self._tokens.pop(place)
                return

    def _sign(self, audience: str, key: VapidKey, now: float) -> _Token:
        expires = int(now) + TOKEN_LIFETIME
        claims = json.dumps({"aud": audience, "exp": expires, "sub": self._subject}, separators=(",", ":"), ensure_ascii=False)
        signed = f"{_JWT_HEADER}.{b64url(claims.encode())}"
        value = f"vapid t={signed}.{b64url(key.sign(signed.encode()))}, k={key.public_key}"
        return _Token(headers=((b"authorization", value.encode("ascii")),), expires=expires)

    def __len__(self) -> int:
        return len(self._tokens)
