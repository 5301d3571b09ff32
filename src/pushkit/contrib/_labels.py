"""
Labels for metrics, kept few: what strangers send never becomes a new time series.

A metric's label values live as long as the process and cost memory in every system behind it. Reasons
come from the providers' tables, hosts from a list plus a bounded number of others, apps from a bounded
number; everything else is called ``"other"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from pushkit.faults import FAULTS
from pushkit.own_reasons import OWN
from pushkit.secret import clean

OTHER = "other"

PROVIDERS = ("apns", "fcm", "webpush", "none")

PROVIDER_LIMIT = 10
"""Providers of the program's own. (An input may hold objects that are no targets and call themselves anything.)"""

REASON_LIMIT = 200
"""Reasons of one provider at the most."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]{0,63}")
_HTTP = re.compile(r"(?:oauth_)?http_[1-5][0-9]{2}")

OWN_REASONS = frozenset(OWN) | {row.reason for row in FAULTS.values()} | frozenset({
    # a channel's answer without what it should hold
    "malformed_response",
    # Google's sign-in (RFC 6749 section 5.2, and Google's own words)
    "oauth_access_denied", "oauth_admin_policy_enforced", "oauth_deleted_client", "oauth_disabled_client", "oauth_invalid_client",
    "oauth_invalid_grant", "oauth_invalid_request", "oauth_invalid_scope", "oauth_malformed_response", "oauth_not_found",
    "oauth_no_metadata_server", "oauth_org_internal", "oauth_refused", "oauth_unavailable", "oauth_unauthorized_client", "oauth_unsupported_grant_type",
    # topics of FCM
    "ALREADY_EXISTS", "TOO_MANY_TOPICS", "UNKNOWN",
})  # fmt: skip
"""Words that stand in no provider's table."""

_WIDE_HOSTS = (".notify.windows.com", ".push.apple.com")
"""Services that spread over hosts of their own making: one name for all of them."""
_APNS_HOSTS = frozenset({"api.push.apple.com", "api.sandbox.push.apple.com"})


class Bounded:
    """The first ``limit`` different values that are seen keep their names; later ones are called ``other``."""

    __slots__ = ("_limit", "_other", "_seen")

    def __init__(self, limit: int, always: Iterable[str] = (), *, other: str = OTHER) -> None:
        self._other = other
        self._seen = set(always)
        self._limit = limit + len(self._seen)

    def __call__(self, value: str) -> str:
        """The value, or the word for all others."""
        if value in self._seen:
            return value
        # A half character (a lone surrogate) cannot be encoded: it would end every scrape from then on.
        name = clean(value, limit=100)
        if name not in self._seen:
            if len(self._seen) >= self._limit or not name:
                return self._other
            self._seen.add(name)
        return name


@cache
def known_reasons(provider: str) -> frozenset[str]:
    """Every reason in a provider's table, and pushkit's own; only those for a fourth provider."""
    if provider == "apns":
        from pushkit.apns.reasons import ROWS as APNS

        return frozenset(APNS) | OWN_REASONS
    if provider == "fcm":
        from pushkit.fcm.reasons import ROWS as FCM

        # A fault at the token endpoint has its usual name with "oauth_" in front.
        return frozenset(row.reason for row in FCM.values()) | OWN_REASONS | {f"oauth_{row.reason}" for row in FAULTS.values()}
    if provider == "webpush":
        from pushkit.webpush.reasons import ROWS as WEBPUSH

        return frozenset(row.reason for row in WEBPUSH if row.reason is not None) | OWN_REASONS
    return OWN_REASONS


class Reasons:
    """
    Reasons as labels.

    A reason that came with an answer is the provider's word, and an unknown one may be any text at all:
    it has to be in the provider's table. One without an answer is a word of the program's own.

    Args:
        more: further reasons by provider, for a fourth provider's table.
        other: what the rest is called.
    """

    def __init__(self, more: Mapping[str, Iterable[str]] | None = None, *, other: str = OTHER) -> None:
        self._other = other
        self._more = {provider: frozenset(reasons) for provider, reasons in (more or {}).items()}
        self._own: dict[str, Bounded] = {}

    def __call__(self, provider: str, reason: str, status: int | None) -> str:
        """The reason, or the word for all others."""
        if reason in known_reasons(provider) or reason in self._more.get(provider, ()) or _HTTP.fullmatch(reason):
            return reason
        if status is not None or not _WORD.fullmatch(reason):
            return self._other
        own = self._own.get(provider)
        if own is None:
            own = self._own[provider] = Bounded(REASON_LIMIT, other=self._other)
        return own(reason)


class Origins:
    """
    Hosts as labels: the services that everybody uses by name, ``limit`` others, then ``"other"``.

    Web Push endpoints come from users, so anybody can make up hosts.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bounded: Bounded | None = None

    def __call__(self, origin: str) -> str:
        """``https://host:port`` as a label."""
        if self._bounded is None:
            self._bounded = Bounded(self._limit, _well_known())
        scheme, mark, host = origin.partition("://")
        if host not in _APNS_HOSTS:
            for suffix in _WIDE_HOSTS:
                if host.endswith(suffix):
                    return f"{scheme}{mark}*{suffix}"
        return self._bounded(origin)


def _well_known() -> Iterable[str]:
    from pushkit.webpush.endpoints import KNOWN

    hosts = [pattern for pattern, _ in KNOWN if not pattern.startswith("*")]
    return {f"https://{host}" for host in (*hosts, *_APNS_HOSTS, "fcm.googleapis.com", "oauth2.googleapis.com")}
