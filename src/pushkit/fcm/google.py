"""
Everything else that google-auth can sign in with (extra ``google``).

Application default credentials, workload identity federation, impersonation, a person's own login:
google-auth keeps up with all of them, so pushkit does not. A refresh blocks, so it runs in a worker thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from datetime import UTC
from typing import Any, cast

import attrs

from pushkit import untrusted
from pushkit.errors import ConfigurationError
from pushkit.fcm import oauth
from pushkit.outcomes import Action, Scope
from pushkit.own_reasons import refuse
from pushkit.provider import AccessToken
from pushkit.verdict import LatchCredential, Verdict

_MISSING = 'fcm.GoogleAuth needs google-auth with its requests transport: pip install "pushkit-sdk[google]"'


@attrs.frozen(repr=False)
class GoogleAuth:
    """
    Any credentials of google-auth.

    ::

        credentials, project = google.auth.default()
        fcm.Config(credentials=fcm.GoogleAuth(credentials, project_id=project))

    Credentials that need a scope get ``firebase.messaging`` unless they have one.

    Args:
        credentials: a ``google.auth.credentials.Credentials``.
        project_id: where the credentials do not name one.
        request: a ``google.auth.transport.Request`` of your own (a proxy, a private CA); by default one over ``requests``.

    Raises:
        ConfigurationError: when google-auth is not installed, or ``credentials`` is something else.
    """

    credentials: Any
    project_id: str | None = attrs.field(default=None, kw_only=True)
    request: Any = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Find what cannot work."""
        try:
            from google.auth import credentials as google_credentials

            if self.request is None:
                _default_request()
        except ImportError:
            raise ConfigurationError(_MISSING) from None
        if isinstance(self.credentials, tuple):
            raise ConfigurationError(
                "fcm.GoogleAuth: got the pair that google.auth.default() gives; pass its first item, and the second as project_id="
            )
        if not isinstance(self.credentials, google_credentials.Credentials):
            raise ConfigurationError(
                f"fcm.GoogleAuth: got a {type(self.credentials).__name__}; expected google.auth credentials, such as google.auth.default()[0]"
            )
        if self.project_id is None:
            named = getattr(self.credentials, "project_id", None)
            if isinstance(named, str) and named:
                object.__setattr__(self, "project_id", named)

    def credential(self) -> GoogleCredential:
        """What refreshes the credentials."""
        return GoogleCredential(self)

    def __repr__(self) -> str:
        return f"<GoogleAuth {type(self.credentials).__name__} project={self.project_id}>"


class GoogleCredential:
    """Refreshes google-auth credentials in a worker thread."""

    def __init__(self, source: GoogleAuth) -> None:
        self._source = source
        self._scoped: Any = None
        self._lock = threading.Lock()

    @property
    def key(self) -> Hashable:
        """The credentials object itself: google-auth offers no identity to compare."""
        return ("google-auth", id(self._source.credentials))

    def fetch(self, now: float, deadline: float) -> Callable[[], AccessToken | Verdict]:  # noqa: ARG002 - part of the protocol
        """Give what runs in the worker thread."""
        return lambda: self._refresh(now)

    def _refresh(self, now: float) -> AccessToken | Verdict:
        from google.auth import credentials as google_credentials
        from google.auth import exceptions

        with self._lock:
            try:
                if self._scoped is None:
                    scoping: Any = google_credentials
                    self._scoped = scoping.with_scopes_if_required(self._source.credentials, [oauth.SCOPE])
                self._scoped.refresh(self._source.request or _default_request())
            except exceptions.TransportError as error:
                return oauth.unavailable(f"google-auth: {type(error).__name__}")
            except exceptions.GoogleAuthError as error:
                return _failed(error)
            except Exception as error:  # noqa: BLE001 - google-auth lets files, subprocesses and requests raise what they like
                detail = f"google-auth raised {type(error).__name__}"
                return refuse("credential_fetch_failed", detail=detail, directives=(LatchCredential(),))
            return _token_of(self._scoped, now)


def _token_of(credentials: Any, now: float) -> AccessToken | Verdict:
    value: Any = credentials.token
    if not oauth.is_token(value):
        return oauth.refused(
            "oauth_malformed_response",
            scope=Scope.CREDENTIAL,
            action=Action.FIX_CREDENTIALS,
            detail="google-auth refreshed without a token",
        )
    expiry = credentials.expiry  # naive, UTC
    ends = expiry.replace(tzinfo=UTC).timestamp() if expiry else now + oauth.DEFAULT_LIFETIME
    return AccessToken(value=value, expires_at=now + oauth.usable_for(ends - now))


def _default_request() -> Any:
    from google.auth.transport.requests import Request

    make: Callable[[], Any] = Request
    return make()


def _failed(error: Exception) -> Verdict:
    """An error of google-auth's. Its second argument may be the token endpoint's answer; its text may quote anything."""
    name = type(error).__name__
    if getattr(error, "retryable", False):
        return oauth.unavailable(f"google-auth: {name}")
    word, status = _told(error.args[1] if len(error.args) > 1 else None)
    if status >= _SERVER_ERROR or (not word and name == _WITHOUT_STATUS):
        return oauth.unavailable(f"google-auth: {name}")
    return oauth.refused(
        f"oauth_{word}" if word else "oauth_refused",
        scope=Scope.CREDENTIAL,
        action=Action.FIX_CREDENTIALS,
        detail=f"google-auth: {name}",
    )


_SERVER_ERROR = 500
_WITHOUT_STATUS = "OAuthError"
"""What google-auth raises for any bad answer of a token exchange, without its status: a server error looks like a refusal."""


def _told(said: Any) -> tuple[str, int]:
    """The word and the status in a token endpoint's answer: OAuth's form, or that of Google's other services."""
    if isinstance(said, str):
        said = said.encode("utf-8", "replace")
    if isinstance(said, bytes):
        said = untrusted.json_object(said)
    error: Any = cast("dict[Any, Any]", said).get("error") if isinstance(said, dict) else None
    status: Any = None
    if isinstance(error, dict):
        fields = cast("dict[Any, Any]", error)
        error, status = fields.get("status"), fields.get("code")
    word = untrusted.text_of(error, limit=64).lower()
    known = bool(word) and word.isascii() and word.replace("_", "").isalpha()
    return word if known else "", status if isinstance(status, int) else 0
