"""
Credentials that a user configures: a service account, a token of their own.

The metadata server and google-auth have modules of their own. All of them can make a ``Credential``: what
the delivery engine asks for an access token, one refresh at a time, ahead of expiry.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, cast
from urllib.parse import urlencode, urlsplit

import attrs

from pushkit.errors import ConfigurationError
from pushkit.fcm import oauth
from pushkit.files import read_key_file
from pushkit.own_reasons import refuse
from pushkit.provider import AccessToken, Credential, CredentialFlow
from pushkit.secret import fingerprint, without_locals
from pushkit.verdict import LatchCredential, Verdict
from pushkit.wire import HeaderBlock, Origin, WireRequest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from pushkit.fcm.google import GoogleAuth
    from pushkit.fcm.metadata import MetadataServer

DEFAULT_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
DEFAULT_UNIVERSE = "googleapis.com"

_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?")
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFETIME = 3600
_ISSUED_EARLIER = 10
"""Seconds: an assertion from a clock that is slightly ahead is refused as not yet valid."""

CALLABLE_LIFETIME = 300.0
"""Seconds after which a callable that gave only text is asked again."""
_FAR_FUTURE = 1e11
"""Epoch seconds, the year 5138: what is later was given in milliseconds."""

_FORM = HeaderBlock(((b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json")))

TokenCallable: TypeAlias = "Callable[[], str | AccessToken]"
"""Gives an access token when asked; may block (it runs in a worker thread)."""


class CredentialSource(Protocol):
    """What the configuration takes as ``credentials``."""

    @property
    def project_id(self) -> str | None:
        """The project that the credentials name, or None."""
        ...

    def credential(self) -> Credential | None:
        """What fetches tokens; None when the token is at hand already."""
        ...


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(f"fcm.ServiceAccount: {what}")


_KEY_FILE = "Firebase console → Project settings → Service accounts → Generate new private key"
_OTHER_TYPES = {
    "authorized_user": "a person's gcloud login; use fcm.GoogleAuth with google.auth.default()",
    "external_account": "a workload identity federation; use fcm.GoogleAuth with google.auth.load_credentials_from_file()",
    "external_account_authorized_user": "a workforce login; use fcm.GoogleAuth with google.auth.default()",
    "impersonated_service_account": "an impersonation; use fcm.GoogleAuth with google.auth.default()",
    "gdch_service_account": "an account of Google Distributed Cloud; use fcm.GoogleAuth",
}


@attrs.frozen(kw_only=True, repr=False)
class ServiceAccount:
    """
    A Google service account: signs its own requests for access tokens (RFC 7523).

    Source: Google's "OAuth 2.0 for server to server applications". Needs the permission
    ``cloudmessaging.messages.create`` in the project.

    Raises:
        ConfigurationError: when a field is missing or the key is no RSA key, with the mend.
    """

    client_email: str
    private_key: str
    """PEM (PKCS #8). Secret."""
    private_key_id: str = ""
    project_id: str | None = None
    token_uri: str = DEFAULT_TOKEN_URI
    universe_domain: str = DEFAULT_UNIVERSE
    _key: RSAPrivateKey = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Read the key once, so that a wrong one is found here and not in the middle of a send."""
        for name in ("client_email", "private_key", "token_uri", "universe_domain"):
            value: Any = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise _wrong(f"{name} is {'empty' if value == '' else 'a ' + type(value).__name__}; expected the text from the key file")
        try:
            scheme = Origin.parse(self.token_uri).scheme
        except ValueError:
            raise _wrong(f"token_uri is no address; expected one such as {DEFAULT_TOKEN_URI}") from None
        if scheme != "https":
            raise _wrong(
                f"token_uri begins with {scheme}://, which would show each sign-in and its token; expected https://, as Google gives it"
            )
        if not _DOMAIN.fullmatch(self.universe_domain):
            raise _wrong(f"universe_domain is no domain; expected one such as {DEFAULT_UNIVERSE}")
        object.__setattr__(self, "_key", _rsa_key(self.private_key))

    @classmethod
    @without_locals
    def from_file(cls, path: str | Path) -> Self:
        """
        Read a key file as the Firebase console gives it.

        Raises:
            ConfigurationError: when there is no such file or it holds something else.
        """
        content = read_key_file(path, "fcm.ServiceAccount.from_file()", inline="fcm.ServiceAccount.from_json()", missing=_KEY_FILE)
        try:
            return cls.from_json(content)
        except ConfigurationError as error:
            raise ConfigurationError(f'"{Path(path).name}": {error}') from None

    @classmethod
    @without_locals
    def from_json(cls, text: str | bytes) -> Self:
        """
        Read the text of a key file, such as from a secret store or an environment variable.

        Raises:
            ConfigurationError: when it is something else.
        """
        given: Any = text
        if not isinstance(given, (str, bytes, bytearray)):
            mend = "pass it to fcm.ServiceAccount.from_info()" if isinstance(given, Mapping) else "is the environment variable set?"
            raise _wrong(f"got a {type(cast('object', given)).__name__}; expected the text of the key file ({mend})")
        try:
            info = json.loads(text)
        except (ValueError, RecursionError):
            # `from None`: a JSON error quotes the document, and the document is a private key.
            raise _wrong("this is no JSON; expected the text of the key file") from None
        if not isinstance(info, dict):
            raise _wrong(f"the JSON holds a {type(info).__name__}; expected the object of the key file")
        return cls.from_info(cast("dict[str, Any]", info))

    @classmethod
    @without_locals
    def from_info(cls, info: Mapping[str, Any]) -> Self:
        """
        Take a key file that was parsed already.

        Raises:
            ConfigurationError: when it is something else.
        """
        kind = info.get("type")
        if "project_info" in info and "client" in info:
            raise _wrong(f"this is the Android app's google-services.json, which is no secret and signs nothing; {_KEY_FILE}")
        if isinstance(kind, str) and kind in _OTHER_TYPES:
            raise _wrong(f"type {kind!r} is {_OTHER_TYPES[kind]}")
        if kind != "service_account":
            raise _wrong(
                f"""expected "type": "service_account"; {"this is a web API configuration" if "apiKey" in info else "the type is missing or another"}; {_KEY_FILE}"""
            )
        missing = [name for name in ("client_email", "private_key") if not info.get(name)]
        if missing:
            raise _wrong(f"{' and '.join(missing)} missing; was the file cut short? {_KEY_FILE}")
        return cls(
            client_email=info["client_email"],
            private_key=info["private_key"],
            private_key_id=info.get("private_key_id") or "",
            project_id=info.get("project_id"),
            token_uri=info.get("token_uri") or DEFAULT_TOKEN_URI,
            universe_domain=info.get("universe_domain") or DEFAULT_UNIVERSE,
        )

    @property
    def key_bits(self) -> int:
        """Size of the RSA key."""
        return self._key.key_size

    def assertion(self, now: float) -> str:
        """The signed request for a token. ``now``: epoch seconds."""
        from pushkit.fcm import jwt

        issued = int(now) - _ISSUED_EARLIER
        claims = {
            "iss": self.client_email,
            "aud": self.token_uri,
            "scope": oauth.SCOPE,
            "iat": issued,
            "exp": issued + _ASSERTION_LIFETIME,
        }
        return jwt.signed(self._key, self.private_key_id, claims)

    def credential(self) -> Credential:
        """What fetches tokens with this account."""
        return _ServiceAccountCredential(self)

    def __getstate__(self) -> dict[str, Any]:
        # The parsed key cannot be pickled; it is read again on the other side.
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self)) if field.init}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self.__attrs_post_init__()

    def __repr__(self) -> str:
        return f"<ServiceAccount {self.client_email} project={self.project_id} key={fingerprint(self.private_key)}>"


def _rsa_key(pem: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # Environment variables and .env files often keep the line ends as two characters.
    mended = pem.replace("\\n", "\n")
    try:
        key = load_pem_private_key(mended.encode("utf-8", "replace"), password=None)
    except TypeError:
        raise _wrong("private_key is protected by a password; Google's key files are not, so download it again") from None
    except (ValueError, UnsupportedAlgorithm):
        if "PUBLIC KEY" in mended[:60]:
            raise _wrong(f"private_key is a public key, which signs nothing; {_KEY_FILE}") from None
        raise _wrong(f"private_key cannot be read as PEM; was it copied whole, with its BEGIN and END lines? {_KEY_FILE}") from None
    if not isinstance(key, RSAPrivateKey):
        raise _wrong(f"private_key is a {type(key).__name__.strip('_')}; Google's service accounts have RSA keys ({_KEY_FILE})")
    return key


class _ServiceAccountCredential:
    """Fetches tokens for a service account."""

    def __init__(self, account: ServiceAccount) -> None:
        self._account = account
        parts = urlsplit(account.token_uri)
        self._origin = Origin.parse(account.token_uri)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def key(self) -> Hashable:
        """The account, its key's fingerprint and where it signs in."""
        account = self._account
        return ("service_account", account.client_email, fingerprint(account.private_key), account.token_uri)

    def fetch(self, now: float, deadline: float) -> CredentialFlow:
        """Ask for a token."""
        form = urlencode({"grant_type": _GRANT, "assertion": self._account.assertion(now)})
        result = yield WireRequest(
            method=b"POST",
            origin=self._origin,
            path=self._path.encode("ascii", "replace"),
            block=_FORM,
            headers=(),
            body=form.encode("ascii"),
            deadline=deadline,
            policy=oauth.TOKEN_POLICY,
        )
        return oauth.token_from(result, now)


@attrs.frozen(repr=False)
class StaticToken:
    """
    An access token that somebody else fetched; it is used until Google refuses it.

    Meant for tests and short jobs: an access token lives an hour. For one that is renewed, pass a
    callable as ``credentials``.

    Raises:
        ConfigurationError: when the token is empty or no text.
    """

    value: str
    project_id: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Find what cannot be a token."""
        if not oauth.is_token(self.value):
            raise ConfigurationError("fcm.StaticToken: expected an OAuth access token (text without blanks)")

    def credential(self) -> Credential | None:
        """Nothing is fetched."""
        return None

    def __repr__(self) -> str:
        return f"<StaticToken {fingerprint(self.value)}>"


@attrs.frozen(repr=False)
class CallableToken:
    """A caller's own callable that gives access tokens; ``Config`` makes this of a plain callable."""

    source: TokenCallable
    project_id: str | None = None

    def credential(self) -> Credential:
        """What asks the callable."""
        return _CallableCredential(self.source)

    def __repr__(self) -> str:
        return "<CallableToken>"


_CALLABLE = "the callable given as credentials"
_SHORTLY = 1.0
"""Seconds before it is asked again."""


class _CallableCredential:
    """Asks a caller's own callable, in a worker thread."""

    def __init__(self, source: TokenCallable) -> None:
        self._source = source

    @property
    def key(self) -> Hashable:
        """The callable itself."""
        return ("callable", self._source)

    def fetch(self, now: float, deadline: float) -> Callable[[], AccessToken | Verdict]:  # noqa: ARG002 - part of the protocol
        """Give what runs in the worker thread."""

        def ask() -> AccessToken | Verdict:
            try:
                token: object = self._source()
            except Exception as error:  # noqa: BLE001 - the caller's code may raise anything; its text may quote a secret
                return refuse("credential_fetch_failed", floor=_SHORTLY, detail=f"{_CALLABLE} raised {type(error).__name__}")
            if isinstance(token, AccessToken):
                return _given(token, now)
            if oauth.is_token(token):
                return AccessToken(value=token, expires_at=now + CALLABLE_LIFETIME)
            return _wrong_token(f"returned {_seen(token)}; expected an access token as text, or pushkit.provider.AccessToken")

        return ask


def _given(token: AccessToken, now: float) -> AccessToken | Verdict:
    """A caller's token, unless it would stop the delivery that has to use it."""
    value, ends = cast("tuple[object, object]", (token.value, token.expires_at))
    if not oauth.is_token(value):
        return _wrong_token(f"returned an AccessToken with {_seen(value)} as its value; expected an access token as text")
    if isinstance(ends, bool) or not isinstance(ends, (int, float)) or not -math.inf < ends < _FAR_FUTURE:
        return _wrong_token(f"returned an AccessToken with a {type(ends).__name__} as expires_at; expected epoch seconds (time.time() + …)")
    if ends <= now:
        return refuse("credential_fetch_failed", floor=_SHORTLY, detail=f"{_CALLABLE} returned a token that has ended already")
    return attrs.evolve(token, expires_at=now + oauth.usable_for(ends - now))


def _seen(value: object) -> str:
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    return "text with blanks, line ends or characters outside ASCII" if value else "empty text"


def _wrong_token(what: str) -> Verdict:
    # The next call would give the same: this is for whoever wrote it.
    return refuse("credential_fetch_failed", detail=f"{_CALLABLE} {what}", directives=(LatchCredential(),))


Credentials: TypeAlias = "ServiceAccount | StaticToken | MetadataServer | GoogleAuth | TokenCallable"
"""What ``Config(credentials=)`` takes."""
