"""
The metadata server of Google's machines (Compute Engine, Cloud Run, GKE): a token without a key file.

Source: Google's "Authenticate workloads using metadata", ``computeMetadata/v1``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, Final
from urllib.parse import quote

import attrs

from pushkit import untrusted
from pushkit.errors import ConfigurationError
from pushkit.fcm import oauth
from pushkit.outcomes import Action, Scope
from pushkit.provider import CredentialFlow
from pushkit.verdict import Verdict
from pushkit.wire import HeaderBlock, Origin, WireRequest, WireResponse, WireResult

DEFAULT_ORIGIN: Final = "http://metadata.google.internal"
"""Plain HTTP on purpose: it never leaves the machine."""

_ROOT: Final = "/computeMetadata/v1"
_HEADERS: Final = HeaderBlock(((b"metadata-flavor", b"Google"),))
_ADVICE: Final = {
    "oauth_not_found": "Give this machine a service account, or correct MetadataServer(account=): its metadata server knows none of that name.",
    "oauth_malformed_response": "Check what answers at the metadata server's address: the answer holds no access token.",
}
"""There is no key file here whose token_uri could be wrong."""
_PROJECT: Final = re.compile(r"[a-z0-9.:\-]{1,100}")


@attrs.frozen(kw_only=True)
class MetadataServer:
    """
    The account that Google gave to the machine that this runs on.

    The project id is asked there too, unless it is given (here or in ``Config``).

    Args:
        account: ``"default"`` or the account's address.
        project_id: saves one question.
        origin: where the server is, for tests and for machines with another one.

    Raises:
        ConfigurationError: when ``origin`` is no origin or ``account`` is empty.
    """

    account: str = "default"
    project_id: str | None = None
    origin: str = DEFAULT_ORIGIN

    def __attrs_post_init__(self) -> None:
        """Find what cannot work."""
        account: Any = self.account
        if not isinstance(account, str) or not account:
            raise ConfigurationError('fcm.MetadataServer(account=): expected "default" or a service account\'s address')
        try:
            Origin.parse(self.origin)
        except (ValueError, AttributeError, TypeError):
            raise ConfigurationError(f"fcm.MetadataServer(origin=): expected an origin such as {DEFAULT_ORIGIN}") from None

    def credential(self) -> MetadataCredential:
        """What fetches tokens there."""
        return MetadataCredential(self)


class MetadataCredential:
    """Fetches tokens from the metadata server, and the project id along with the first one."""

    def __init__(self, server: MetadataServer) -> None:
        self._server = server
        self._origin = Origin.parse(server.origin)
        self.project_id = server.project_id

    @property
    def key(self) -> Hashable:
        """The account and where it is asked for."""
        # Where the project is asked too, each one asks for itself: a shared token would leave it without.
        own = id(self) if self._server.project_id is None else None
        return ("metadata", self._server.account, self._server.origin, own)

    def fetch(self, now: float, deadline: float) -> CredentialFlow:
        """Ask for the project id, if it is not known, and for a token."""
        if self.project_id is None:
            result = yield self._request("/project/project-id", deadline)
            self.project_id = _project(result)
            if self.project_id is None:
                return _no_project(result)
        path = f"/instance/service-accounts/{quote(self._server.account, safe='@')}/token?scopes={quote(oauth.SCOPE, safe='')}"
        found = oauth.token_from((yield self._request(path, deadline)), now)
        if isinstance(found, Verdict) and found.reason in _ADVICE:
            return attrs.evolve(found, advice=_ADVICE[found.reason])
        return found

    def _request(self, path: str, deadline: float) -> WireRequest:
        return WireRequest(
            method=b"GET",
            origin=self._origin,
            path=(_ROOT + path).encode("ascii"),
            block=_HEADERS,
            headers=(),
            body=b"",
            deadline=deadline,
            policy=oauth.TOKEN_POLICY,
        )


def _project(result: WireResult) -> str | None:
    # Another server that happens to listen there does not send this header.
    if isinstance(result, WireResponse) and result.status == 200 and result.header(b"metadata-flavor") == b"Google":
        text = untrusted.body_text(result.body).strip()
        return text if _PROJECT.fullmatch(text) else None
    return None


def _no_project(result: WireResult) -> Verdict:
    if not isinstance(result, WireResponse):
        return oauth.fault_at_token_endpoint(result)
    if result.status >= 500 or result.status == 429:
        return oauth.unavailable(f"metadata server: HTTP {result.status}")
    return oauth.refused(
        "oauth_no_metadata_server",
        scope=Scope.CONFIGURATION,
        action=Action.FIX_CONFIGURATION,
        detail=f"HTTP {result.status} without a project id; is this one of Google's machines? If so, set project_id",
        status=result.status,
    )
