"""
Google's token endpoint: OAuth 2.0 errors (RFC 6749 section 5.2).

Sources: RFC 7523 (the grant), google-auth's list of what is worth a retry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pushkit.testing.exchange import Answer, Field, html_page, json_answer
from pushkit.testing.vocabulary.retry_after import retry_after_field

ERRORS: Mapping[str, tuple[int, str]] = {
    "invalid_grant": (400, "Invalid JWT Signature."),
    "invalid_request": (400, "Required parameter is missing: grant_type"),
    "unsupported_grant_type": (400, "Invalid grant_type"),
    "invalid_scope": (400, "Invalid OAuth scope or ID token audience provided."),
    "invalid_client": (401, "The OAuth client was not found."),
    "unauthorized_client": (401, "Client is unauthorized to retrieve access tokens using this method."),
    "internal_failure": (500, "Backend Error"),
    "server_error": (500, "Internal error"),
    "temporarily_unavailable": (503, "The service is temporarily unavailable."),
}

WORDS = frozenset(ERRORS)


def render(word: str, details: Mapping[str, Any], *, now: float) -> Answer:
    """How the token endpoint says it. ``details``: ``message``, ``status``, ``retry_after``."""
    extra: list[Field] = retry_after_field(details, now)
    if word.startswith("http_"):
        return html_page(int(word[5:]), "Error").adding(*extra)
    status, description = ERRORS.get(word, (400, word))
    body = {"error": word, "error_description": details.get("message", description)}
    return json_answer(int(details.get("status", status)), body, *extra, word=word)
