"""Everything the services share and remember: scripts, inbox, accounts, recipients, time."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import datetime

import attrs

from pushkit.testing.accounts import Accounts
from pushkit.testing.addresses import Address
from pushkit.testing.behaviour import Behaviour
from pushkit.testing.exchange import Request
from pushkit.testing.inbox import Inbox
from pushkit.testing.receivers import Receiver

DIALECTS = ("mozilla", "google", "apple", "microsoft", "rfc")
"""Web Push services; ``"rfc"`` is plain RFC 8030."""


@attrs.define(repr=False)
class Known:
    """What a service knows about a recipient."""

    registered: bool = True
    since: float | None = None
    """Epoch seconds when it became unregistered."""
    topic: str | None = None
    """APNs: the bundle id that the token belongs to; None: any."""
    environment: str | None = None
    project_id: str | None = None
    """FCM: the project that the registration belongs to; None: any."""
    receiver: Receiver | None = None
    """Web Push: the subscription's keys."""
    bound_to: bytes | None = None
    """Web Push: the application server key of a subscription whose keys are in a real browser."""
    topics: set[str] = attrs.field(factory=set[str])
    """FCM: subscriptions."""


@attrs.frozen(kw_only=True)
class Sites:
    """Where the services live: origins without a trailing slash."""

    apns: str = "https://api.push.apple.com"
    apns_sandbox: str = "https://api.sandbox.push.apple.com"
    channels: str = "https://api-manage-broadcast.push.apple.com:2196"
    channels_sandbox: str = "https://api-manage-broadcast.sandbox.push.apple.com:2195"
    fcm: str = "https://fcm.googleapis.com"
    iid: str = "https://iid.googleapis.com"
    oauth: str = "https://oauth2.googleapis.com"
    metadata: str = "http://metadata.google.internal"
    webpush: dict[str, str] = attrs.field(
        factory=lambda: {
            "mozilla": "https://updates.push.services.mozilla.com",
            "google": "https://fcm.googleapis.com",
            "apple": "https://web.push.apple.com",
            "microsoft": "https://wns2-par02p.notify.windows.com",
            "rfc": "https://push.example.net",
        }
    )


class World:
    """
    The state behind the local services. One object; the in-memory transport and the server both attach to it.

    Args:
        behaviour: scripts; normal service by default.
        accounts: known credentials.
        inbox: where records go.
        clock: epoch seconds.
        known_only: refuse well-formed addresses that were never registered here (the default takes them,
            so that a developer's own tokens work).
        sites: where the services say that they live.
        open_endpoints: take pushes for Web Push endpoints that were not made here, unread.
    """

    def __init__(
        self,
        *,
        behaviour: Behaviour | None = None,
        accounts: Accounts | None = None,
        inbox: Inbox | None = None,
        clock: Callable[[], float] = time.time,
        known_only: bool = False,
        sites: Sites | None = None,
        open_endpoints: bool = False,
    ) -> None:
        self.behaviour = behaviour if behaviour is not None else Behaviour()
        self.accounts = accounts if accounts is not None else Accounts()
        self.inbox = inbox if inbox is not None else Inbox()
        self.calls = Inbox(keep=1000)
        """Everything that is no push: token requests, topics, channels."""
        self.known_only = known_only
        self.open_endpoints = open_endpoints
        self.sites = sites if sites is not None else Sites()
        self.recipients: dict[tuple[str, str], Known] = {}
        self.channels: dict[tuple[str, str, str], int] = {}
        """APNs broadcast channels: (bundle id, environment, channel id) to storage policy."""
        self.without_broadcast: set[str] = set()
        """Bundle ids without the broadcast capability."""
        self.project_id = "local-project"
        """What the metadata server says."""
        self.shrink_on_refusal = False
        self.deliver: Callable[[Address, Request, str], None] | None = None
        """Web Push: hands an accepted message (with its location) to whoever plays the browser (the autopush socket)."""
        self.withdrawn: Callable[[str], None] | None = None
        """Web Push: tells whoever plays the browser that the message of this location was taken back."""
        self._clock = clock
        self._shift = 0.0
        self.revision = 0
        """How often a recipient came, went or changed."""
        self._lock = threading.Lock()
        self._made = 0

    def now(self) -> float:
        """Epoch seconds as the services see them."""
        return self._clock() + self._shift

    def shift_time(self, by: float) -> None:
        """Let the services' clocks run ahead (or, negative, behind) by so many seconds more."""
        self._shift += by

    def known(self, provider: str, key: str) -> Known | None:
        """What is known about a recipient."""
        return self.recipients.get((provider, key))

    def register(self, provider: str, key: str, known: Known | None = None) -> Known:
        """Add a recipient, or bring it back."""
        with self._lock:
            entry = known if known is not None else self.recipients.get((provider, key), Known())
            entry.registered, entry.since = True, None
            self.recipients[provider, key] = entry
            self.revision += 1
            return entry

    def unregister(self, provider: str, key: str, since: datetime | None = None) -> None:
        """The app was removed, permission withdrawn, the subscription ended."""
        with self._lock:
            entry = self.recipients.setdefault((provider, key), Known())
            entry.registered = False
            entry.since = since.timestamp() if since is not None else self.now()
            self.revision += 1

    def reset(self) -> None:
        """Forget scripts, records, recipients, channels and granted tokens; credentials stay, and the clock is right again."""
        self.behaviour.reset()
        self.inbox.clear()
        self.calls.clear()
        with self._lock:
            self.recipients.clear()
            self.channels.clear()
            self.without_broadcast.clear()
            self._shift = 0.0
            self.revision += 1
        self.accounts.disabled_projects.clear()
        self.accounts.revoke_all()

    def next_name(self, kind: str) -> str:
        """A name for a throw-away recipient: the same ones in the same order in every run, so that seeded rates repeat."""
        with self._lock:
            self._made += 1
            return f"{kind} {self._made}"


def hex_of(name: str, octets: int) -> str:
    """Hexadecimal text derived from a name."""
    return hashlib.shake_256(name.encode()).hexdigest(octets)
