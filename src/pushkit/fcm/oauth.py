"""
Token endpoints: Google's OAuth service, the metadata server, anything that answers with an access token.

What they say becomes a verdict with a reason of its own (``oauth_…``); nothing was sent in any of them.
Source: RFC 6749 section 5, RFC 7523, Google's "OAuth 2.0 for server to server applications".
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeGuard

import attrs

from pushkit import untrusted
from pushkit.faults import judge_fault
from pushkit.fcm.reasons import FAULT_FLOORS, NETWORK_FLOOR
from pushkit.outcomes import Action, Disposition, Scope
from pushkit.provider import AccessToken
from pushkit.secret import scrub
from pushkit.verdict import LatchCredential, Verdict, refuse_technical
from pushkit.wire import OriginPolicy, WireFault, WireResult

TOKEN_POLICY: Final = OriginPolicy(protocols=("http/1.1",), max_connections=1)
"""One call an hour: the multiplexed connections are not for that."""

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
"""The least that sends messages and manages topics."""

DEFAULT_LIFETIME: Final = 3600.0
"""Seconds, where an answer does not say how long its token lives (RFC 6749 only recommends it)."""

LONGEST_LIFETIME: Final = 24 * 3600.0
"""Seconds: Google's tokens live an hour, so what says more than a day is not believed."""

SHORTEST_LIFETIME: Final = 60.0
"""
Seconds. Delivery does not use a token in its last half minute, so one that lives less would be fetched again
and again; it is used for that half minute all the same, and renewed when Google refuses it.
"""

_UNAVAILABLE_STATUSES: Final = frozenset({408, 425, 429})
_UNAVAILABLE_ERRORS: Final = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})
_NO_TOKEN_ENDPOINT: Final = frozenset({301, 302, 303, 307, 308, 404, 405})
"""What something else than a token endpoint answers; a redirect is never followed with a signed assertion."""
_SKEW: Final = 60.0
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyz_")

ADVICE: Final = {
    "oauth_invalid_grant": "Check the service account key and the server's clock: Google refuses the sign-in.",
    "oauth_unavailable": "Try again shortly: Google's sign-in service has trouble, and nothing was sent.",
    "oauth_not_found": "Check the token_uri of the key file: there is no sign-in service at that address.",
    "oauth_malformed_response": "Check the token_uri of the key file and any proxy in between: the answer holds no access token.",
}
REFUSED: Final = "Check the credentials: Google's sign-in service refuses them."


def token_from(result: WireResult, now: float) -> AccessToken | Verdict:
    """
    The token in an answer, or the failure.

    Args:
        result: what the token endpoint's request came to.
        now: epoch seconds at the request.
    """
    if isinstance(result, WireFault):
        return fault_at_token_endpoint(result)
    body = untrusted.json_object(result.body)
    if 200 <= result.status < 300:
        value: object = body.get("access_token")
        if is_token(value):
            return AccessToken(value=value, expires_at=now + _lifetime(body.get("expires_in")))
        return refused(
            "oauth_malformed_response",
            scope=Scope.CONFIGURATION,
            action=Action.FIX_CONFIGURATION,
            detail=f"HTTP {result.status} without access_token",
        )
    error = untrusted.text_of(body.get("error"), limit=64)
    said = untrusted.text_of(body.get("error_description"), limit=300)
    detail = scrub(f"HTTP {result.status} {error} {said}".rstrip())
    if result.status >= 500 or result.status in _UNAVAILABLE_STATUSES or error in _UNAVAILABLE_ERRORS:
        verdict = unavailable(detail)
        return attrs.evolve(verdict, retry_after=untrusted.retry_after(result.headers, now), status=result.status)
    if result.status in _NO_TOKEN_ENDPOINT:
        return refused("oauth_not_found", scope=Scope.CONFIGURATION, action=Action.FIX_CONFIGURATION, detail=detail, status=result.status)
    answered = untrusted.server_time(result.headers)
    if answered is not None and abs(answered - now) > _SKEW:
        detail = f"{detail}; this machine's clock is {now - answered:+.0f} s off Google's"
    reason = f"oauth_{error}" if error and _WORD.issuperset(error) else f"oauth_http_{result.status}"
    return refused(reason, scope=Scope.CREDENTIAL, action=Action.FIX_CREDENTIALS, detail=detail, status=result.status)


def is_token(value: object) -> TypeGuard[str]:
    """Whether this can stand in a header as an access token."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable() and " " not in value


def fault_at_token_endpoint(fault: WireFault) -> Verdict:
    """No answer from the token endpoint: the push itself was not sent, whatever became of the call."""
    verdict = judge_fault(fault, FAULT_FLOORS, NETWORK_FLOOR)
    if verdict.retryable:
        return unavailable(f"{verdict.reason} {verdict.detail}".rstrip())
    return attrs.evolve(verdict, reason=f"oauth_{verdict.reason}", disposition=Disposition.NOT_SENT)


def unavailable(detail: str) -> Verdict:
    """The sign-in service has trouble; trying again shortly may help."""
    return refuse_technical(
        "oauth_unavailable",
        ADVICE["oauth_unavailable"],
        scope=Scope.ATTEMPT,
        action=Action.RETRY_LATER,
        retryable=True,
        floor=NETWORK_FLOOR,
        detail=detail,
    )


def refused(reason: str, *, scope: Scope, action: Action, detail: str, status: int | None = None) -> Verdict:
    """The sign-in cannot work until somebody changes something: every push would fail, so sending stops."""
    verdict = refuse_technical(
        reason, ADVICE.get(reason, REFUSED), scope=scope, action=action, detail=detail, directives=(LatchCredential(),)
    )
    return attrs.evolve(verdict, status=status)


def _lifetime(value: Any) -> float:
    # Some token endpoints write the number as text.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        return DEFAULT_LIFETIME
    return usable_for(value)


def usable_for(lifetime: float) -> float:
    """How long a token that says this of itself is used, in seconds."""
    return min(max(float(lifetime), SHORTEST_LIFETIME), LONGEST_LIFETIME)
