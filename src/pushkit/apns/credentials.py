"""
Token keys, and how a provider token gets onto a connection.

APNs refuses a provider token that is older than an hour, and a connection that is shown a new one within
20 minutes of the last (Apple, "Establishing a token-based connection to APNs"). Both hold for whole
fleets here without any talk between processes: ``iat`` lies on a 30-minute grid and the signature is
deterministic (RFC 6979), so every process derives the same token; and each connection keeps the token
that it began with until that is 55 minutes old. A connection thus keeps a token for at least 25 minutes
and never shows one that is older than 55.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from pushkit.errors import ConfigurationError
from pushkit.files import read_key_file
from pushkit.secret import fingerprint, without_locals

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

GRID = 30 * 60
"""Seconds between two values of ``iat``."""

KEEP = 55 * 60
"""Seconds of age up to which a connection keeps its token. Less than Apple's hour by what clocks and requests under way may need."""

STEP_BACK = 5 * 60
"""Seconds that the wall clock may be behind a token's ``iat`` before the token counts as made with a wrong clock."""

MISTRUST = 20 * 60
"""Seconds in which a second connection's "expired" means that the clock is wrong, not the token old."""

_TEN = re.compile(r"[A-Z0-9]{10}").fullmatch
_FILE_NAME = re.compile(r"AuthKey_([A-Z0-9]{10})\.p8").fullmatch
_WHERE = "download one at developer.apple.com > Certificates, Identifiers & Profiles > Keys"

Load = Callable[[], "str | bytes"]


@attrs.frozen
class PinnedToken:
    """What a connection keeps: a provider token and its ``iat``."""

    issued_at: int
    header: bytes = attrs.field(repr=False)


class TokenAuth:
    """
    The ``ConnectionAuth`` of a token key. See the module's text for the rules.

    Args:
        sign: makes the ``authorization`` value for an ``iat``.
    """

    def __init__(self, sign: Callable[[int], bytes]) -> None:
        self._sign = sign
        self._grid: PinnedToken | None = None
        self._fresh: PinnedToken | None = None
        self._refused: int | None = None
        self._complaints: dict[int, float] = {}

    def header(self, slot: object | None, now: float) -> tuple[bytes, object]:
        """The ``authorization`` value for a stream, and the token that the connection keeps. ``now``: epoch seconds."""
        if isinstance(slot, PinnedToken) and -STEP_BACK <= now - slot.issued_at < KEEP:
            return slot.header, slot
        token = self._newest(now)
        return token.header, token

    def rejected(self, slot: object | None) -> None:
        """APNs refused this token: connections that are opened from now on get one with ``iat`` = now."""
        if isinstance(slot, PinnedToken) and (self._refused is None or slot.issued_at > self._refused):
            self._refused = slot.issued_at

    def note_expired(self, connection_id: int, now: float) -> bool:
        """
        Remember that a connection's token was called expired; True when that can only be the clock.

        One connection may be wedged; a second one within 20 minutes was given a token that was young by our clock.
        """
        self._complaints = {known: at for known, at in self._complaints.items() if 0 <= now - at < MISTRUST}
        self._complaints.setdefault(connection_id, now)
        return len(self._complaints) > 1

    def secrets(self) -> tuple[str, ...]:
        """The tokens that may be on the wire now, for scrubbing."""
        tokens = (self._grid, self._fresh)
        return tuple(token.header.decode("ascii").removeprefix("bearer ") for token in tokens if token is not None)

    def _newest(self, now: float) -> PinnedToken:
        issued_at = int(now // GRID) * GRID
        if self._refused is not None and issued_at <= self._refused:
            # The token of this half hour was refused somewhere. Only now leave the grid, and stay on one such token.
            fresh = self._fresh
            if fresh is None or fresh.issued_at <= self._refused or now < fresh.issued_at:
                fresh = self._fresh = PinnedToken(int(now), self._sign(int(now)))
            return fresh
        grid = self._grid
        if grid is None or grid.issued_at != issued_at:
            grid = self._grid = PinnedToken(issued_at, self._sign(issued_at))
        return grid


@attrs.frozen(repr=False, eq=False)
class _Loaded:
    private_key: EllipticCurvePrivateKey
    public: str
    """Fingerprint of the public key."""


class TokenKey:
    """
    An APNs authentication key (a ``.p8`` file), which covers all apps of a team, or those that it was made for.

    Values compare by key id, team id and key. Pickling one writes the private key **in plain text**.

    Args:
        key: the key as text or bytes: PEM (PKCS#8), or its base64 body alone; or a callable without
            arguments that gives one of these, called once, when the first push needs it. It is called on the
            event loop, so it should be quick: read your secret store when the program starts.
        key_id: the 10 characters that Apple shows beside the key.
        team_id: the 10 characters of the team, top right in the developer account.
        password: of an encrypted key; Apple's own are not encrypted.

    Raises:
        ConfigurationError: what was seen, what was expected and how to mend it. For a callable it is raised by its first use.
    """

    __slots__ = ("_auth", "_loaded", "_password", "_source", "key_id", "team_id")

    key_id: str
    team_id: str

    @without_locals
    def __init__(self, key: str | bytes | Load, *, key_id: str, team_id: str, password: str | bytes | None = None) -> None:
        self.key_id = _checked_id(key_id, "key_id", "shown beside the key at developer.apple.com > Keys, and in the file's name")
        self.team_id = _checked_id(team_id, "team_id", "shown at developer.apple.com > Membership details")
        self._source = key
        self._password = password
        self._loaded: _Loaded | None = None
        self._auth: TokenAuth | None = None
        if not callable(key):
            self._load()

    @classmethod
    @without_locals
    def from_file(cls, path: str | Path, *, team_id: str, key_id: str | None = None, password: str | bytes | None = None) -> TokenKey:
        """
        Read a ``.p8`` file.

        Args:
            path: the file as Apple gave it.
            team_id: see :class:`TokenKey`.
            key_id: may be left out when the file still has Apple's name, ``AuthKey_<key id>.p8``.
            password: see :class:`TokenKey`.

        Raises:
            ConfigurationError: when there is no such file, or no usable key in it.
        """
        content = read_key_file(path, "apns.TokenKey.from_file()", inline="apns.TokenKey.from_pem()", missing=_WHERE)
        name = Path(path).name
        named = _FILE_NAME(name)
        if key_id is None:
            if named is None:
                raise ConfigurationError(f'"{name}": the name does not tell the key id (AuthKey_<key id>.p8); pass key_id=')
            key_id = str(named[1])
        elif named is not None and team_id == named[1] and key_id != named[1]:
            raise ConfigurationError(f'"{name}": team_id is the key id of this file; key_id and team_id seem to be swapped')
        elif named is not None and key_id != named[1]:
            raise ConfigurationError(
                f'"{name}": key_id= is not the one in the name that Apple gave this file; leave it out, or rename the file'
            )
        try:
            return cls(content, key_id=key_id, team_id=team_id, password=password)
        except ConfigurationError as error:
            raise ConfigurationError(f'"{name}": {error}') from None

    @classmethod
    @without_locals
    def from_bytes(cls, data: bytes, *, key_id: str, team_id: str, password: str | bytes | None = None) -> TokenKey:
        """The contents of a ``.p8`` file, as :class:`TokenKey` takes them."""
        return cls(data, key_id=key_id, team_id=team_id, password=password)

    @classmethod
    @without_locals
    def from_pem(cls, text: str, *, key_id: str, team_id: str, password: str | bytes | None = None) -> TokenKey:
        r"""PEM text, also from an environment variable where line ends are written ``\n``."""
        return cls(text, key_id=key_id, team_id=team_id, password=password)

    @classmethod
    @without_locals
    def from_callable(cls, load: Load, *, key_id: str, team_id: str) -> TokenKey:
        """A callable that gets the key from where it is kept (a secret store); called once, by the first use."""
        return cls(load, key_id=key_id, team_id=team_id)

    @property
    def auth(self) -> TokenAuth:
        """
        What puts provider tokens onto connections. One for each key, so that apps that share a key share its state.

        Raises:
            ConfigurationError: when a callable gave no usable key.
        """
        if self._auth is None:
            private_key = self._load().private_key
            self._auth = TokenAuth(lambda issued_at: b"bearer " + sign_token(private_key, self.key_id, self.team_id, issued_at))
        return self._auth

    @property
    def pool_key(self) -> tuple[str, ...]:
        """What connections may be shared by: team, key id and the key itself."""
        return "apns", self.team_id, self.key_id, self._load().public

    @without_locals
    def _load(self) -> _Loaded:
        if self._loaded is None:
            source = self._source
            if callable(source):
                try:
                    source = source()
                except Exception as error:  # noqa: BLE001 - the caller's own code may raise anything
                    raise ConfigurationError(f"the callable for APNs key {self.key_id} raised {type(error).__name__}") from None
            private_key = load_key(source, self._password)
            self._loaded = _Loaded(private_key, _public_fingerprint(private_key))
        return self._loaded

    def _identity(self) -> tuple[object, ...]:
        return self.key_id, self.team_id, self._source if callable(self._source) else self._load().public

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, TokenKey) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.key_id, self.team_id))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._source, self.key_id, self.team_id, self._password)

    def __repr__(self) -> str:
        return f"<apns.TokenKey key_id={self.key_id} team_id={self.team_id}>"


def _rebuild(source: str | bytes | Load, key_id: str, team_id: str, password: str | bytes | None) -> TokenKey:
    return TokenKey(source, key_id=key_id, team_id=team_id, password=password)


def _checked_id(value: object, name: str, where: str) -> str:
    if not isinstance(value, str) or not _TEN(value):
        seen = f"a {type(value).__name__}"
        if isinstance(value, str):
            seen = f"{len(value)} characters" if len(value) != 10 else "10 characters that are not all of these"
        raise ConfigurationError(f"{name}: expected Apple's 10 capital letters and digits ({where}), got {seen}")
    return value


def password_bytes(password: object, what: str) -> bytes | None:
    """
    A password as OpenSSL takes it.

    Raises:
        ConfigurationError: when it is no text.
    """
    if password is None or isinstance(password, bytes):
        return password
    if not isinstance(password, str):
        raise ConfigurationError(f"{what}: password=: expected text or bytes, got a {type(password).__name__}")
    try:
        return password.encode()
    except UnicodeEncodeError:
        # Its error would hold the password.
        raise ConfigurationError(f"{what}: password=: holds half a character (a lone surrogate); decode it properly first") from None


def load_key(source: object, password: str | bytes | None) -> EllipticCurvePrivateKey:
    """
    A P-256 private key from PEM or base64 text.

    Raises:
        ConfigurationError: when it is anything else.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

    data, armoured = _key_bytes(source)
    secret = password_bytes(password, "APNs key")
    try:
        key = (load_pem_private_key if armoured else load_der_private_key)(data, secret)
    except TypeError:
        state = "is not encrypted, leave password= out" if secret is not None else "is encrypted, pass password="
        raise ConfigurationError(f"APNs key: the key {state}") from None
    except Exception:  # noqa: BLE001 - OpenSSL's errors are many, and their texts may quote the key
        hint = " or the password is wrong" if secret is not None else ""
        raise ConfigurationError(f"APNs key: the text cannot be read as a PKCS#8 key{hint}; is it cut short? {_WHERE}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"APNs key: expected an EC key on P-256, got {type(key).__name__.lstrip('_')}; {_WHERE}")
    if not isinstance(key.curve, ec.SECP256R1):
        raise ConfigurationError(f"APNs key: expected an EC key on P-256 (secp256r1), got {key.curve.name}; {_WHERE}")
    return key


def _key_bytes(source: object) -> tuple[bytes, bool]:
    if not isinstance(source, (str, bytes)):
        raise ConfigurationError(f"APNs key: expected PEM text or bytes, got a {type(source).__name__}")
    data = source.encode("utf-8", "replace") if isinstance(source, str) else source
    if not data.strip():
        raise ConfigurationError(f"APNs key: there is no text in it; {_WHERE}")
    if b"-----BEGIN" in data:
        if b"PRIVATE KEY-----" not in data:
            raise ConfigurationError(f"APNs key: the PEM holds no PRIVATE KEY (a certificate?); {_WHERE}")
        # An environment variable often holds the two characters \n where lines end.
        return data.replace(b"\\r", b"").replace(b"\\n", b"\n").strip() + b"\n", True
    try:
        return base64.b64decode(b"".join(data.split()), validate=True), False
    except binascii.Error:
        raise ConfigurationError(
            f"APNs key: expected PEM that begins with -----BEGIN PRIVATE KEY-----, got something else; {_WHERE}"
        ) from None


def _public_fingerprint(private_key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return fingerprint(private_key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign_token(private_key: EllipticCurvePrivateKey, key_id: str, team_id: str, issued_at: int) -> bytes:
    """A provider token: a JWT (RFC 7519) signed with ES256 (RFC 7518 section 3.4), deterministic where OpenSSL can (RFC 6979)."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    head = json.dumps({"alg": "ES256", "kid": key_id, "typ": "JWT"}, separators=(",", ":")).encode()
    claims = json.dumps({"iss": team_id, "iat": issued_at}, separators=(",", ":")).encode()
    signed = _b64(head) + b"." + _b64(claims)
    r, s = decode_dss_signature(private_key.sign(signed, _algorithm()))
    return signed + b"." + _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _algorithm() -> Any:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.ECDSA(hashes.SHA256(), deterministic_signing=can_sign_deterministically())


_deterministic: bool | None = None


def can_sign_deterministically() -> bool:
    """Whether the OpenSSL underneath makes RFC 6979 signatures (3.2 and later). Without, each process has tokens of its own."""
    global _deterministic  # noqa: PLW0603 - a fact about the process, found once
    if _deterministic is None:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        except UnsupportedAlgorithm:
            _deterministic = False
        else:
            _deterministic = True
    return _deterministic
