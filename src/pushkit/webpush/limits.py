"""Numbers of Web Push, in one place: what is not confirmed by a source can be changed here."""

from __future__ import annotations

from typing import Final

HARD_LIMIT: Final = 3993
"""Octets of plaintext that fit into a body of 4096 octets (RFC 8030 section 7.2, RFC 8291 section 4)."""

PORTABLE_LIMIT: Final = 2820
"""
Octets of plaintext that reach phones too: Mozilla passes messages for Firefox on Android and iOS
through other services, inside a JSON text of 4096 octets. Found by trial in other libraries.
"""

BLOCK: Final = 128
"""Octets: the block that ``padding="block"`` fills."""

MAX_TTL: Final = 2_419_200
"""Seconds, 28 days: the most that every service keeps a message (Google's limit; Mozilla and Apple 30 days)."""

TOKEN_LIFETIME: Final = 12 * 3600
"""Seconds that a VAPID token lives; the services' limit is 24 hours by *their* clock (RFC 8292 section 2)."""

TOKEN_RENEWAL: Final = 3600
"""Seconds of life below which a token is renewed."""

ENDPOINT_LIMIT: Final = 2048
"""Characters of an endpoint URL."""

TOPIC_LIMIT: Final = 32
"""Characters of a ``Topic`` (RFC 8030 section 5.4)."""

UNKNOWN_ORIGINS: Final = 256
"""Origins of unknown push services that may be in use at the same time."""

UNKNOWN_ORIGIN_REST: Final = 60.0
"""Seconds without use after which an unknown origin makes room for another."""
