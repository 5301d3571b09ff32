"""
What a provider is: the protocol that ``apns``, ``fcm``, ``webpush`` and any fourth provider fulfil.

A :class:`Provider` knows its apps; for each app it opens a :class:`Sender`, which is all that delivery
sees of it. Everything in a sender is synchronous and free of I/O: values in, values out, time passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import attrs

from pushkit.outcomes import Outcome
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import WireRequest, WireResult

if TYPE_CHECKING:
    from pushkit.health import Finding
    from pushkit.messages import Message
    from pushkit.targets import Target
    from pushkit.wire import Origin, OriginPolicy


@attrs.frozen(kw_only=True)
class Stamp:
    """What one call adds to a message: its identity, and how it is to be sent."""

    key: str
    """``message.key``, or one made fresh for this call."""
    dedupe: bool = True
    """Whether the key may fill an empty collapse id or tag."""
    dry_run: bool = False
    """Ask the provider to validate only."""


class Prepared:
    """
    A message made ready for one kind of target: JSON, limits, headers; once per notification.

    Providers subclass it. ``replaceable``: a second copy of this push would replace the first on the
    device, so that repeating it after an UNKNOWN shows nothing twice.
    """

    __slots__ = ("message", "replaceable", "stamp")

    def __init__(self, message: Message, stamp: Stamp, *, replaceable: bool) -> None:
        self.message = message
        self.stamp = stamp
        self.replaceable = replaceable


class PushContext(Protocol):
    """What the engine tells a sender about the push that is to be addressed. Read-only for senders."""

    now: float
    """Epoch seconds."""
    expires_at: float | None
    """Epoch seconds; None: no expiry."""
    taken_at: float
    """Epoch seconds: when a call took the push from its input, the same on every attempt and after ``resume``."""
    ttl_zero: bool
    """The caller asked for "now or never" (``ttl=0``)."""
    push_id: str
    """Canonical lower-case UUID, the same on every attempt."""
    attempt: int
    """1 for the first attempt."""
    deadline: float
    """Monotonic seconds, for ``WireRequest.deadline``."""
    token: str | None
    """The access token, where the sender has a ``credential``."""


@attrs.frozen(kw_only=True)
class AccessToken:
    """A credential that had to be fetched."""

    value: str = attrs.field(repr=False)
    expires_at: float
    """Epoch seconds."""


CredentialFlow: TypeAlias = Generator[WireRequest, WireResult, AccessToken | Verdict]
"""Fetches a token: yields requests, is sent their results, returns the token or the failure. Never raises for what a server did."""


class Credential(Protocol):
    """A credential that needs HTTP, or a blocking call in a worker thread. One refresh at a time, ahead of expiry."""

    @property
    def key(self) -> Hashable:
        """Equal for credentials that may share a token (never the secret itself)."""
        ...

    def fetch(self, now: float, deadline: float) -> CredentialFlow | Callable[[], AccessToken | Verdict]:
        """
        Start a refresh: a flow of requests, or a blocking callable that the engine runs in a worker thread.

        ``now``: epoch seconds; ``deadline``: monotonic seconds for the requests.
        """
        ...


class Sender(Protocol):
    """One provider for one app: messages and targets in, wire requests out; answers in, verdicts out."""

    @property
    def provider(self) -> str:
        """The provider's name."""
        ...

    @property
    def app(self) -> str:
        """The app's name."""
        ...

    @property
    def attempt_timeout(self) -> float:
        """Seconds for one attempt unless the policy says otherwise."""
        ...

    @property
    def rate(self) -> float | None:
        """Pushes a second at the most; None: no limit of our own."""
        ...

    @property
    def credential(self) -> Credential | None:
        """What must be fetched before a request can be addressed; None for providers that sign by themselves."""
        ...

    @property
    def origins(self) -> Sequence[tuple[Origin, OriginPolicy, Hashable]]:
        """(origin, policy, pool key) that can be connected ahead; empty where origins come with the targets."""
        ...

    def environment(self, target: Target) -> str:
        """
        What suspicion is counted by besides the app (APNs: production or sandbox; Web Push: the service and key).

        Cheap, and never raises: it is asked for every target, checked or not. Slots and breakers are
        counted by it too, see :class:`ManyOrigins`.
        """
        ...

    def prepare(self, message: Message, kind: type[Target], stamp: Stamp) -> Prepared | Verdict:
        """Make a message ready for one kind of target, or say why it cannot be said there. Called once per call and kind."""
        ...

    def check(self, prepared: Prepared, target: Target, now: float) -> Verdict | None:
        """Say why this target cannot be reached, or None. Local, cheap, no signing and no encryption."""
        ...

    def address(self, prepared: Prepared, target: Target, push: PushContext) -> WireRequest | Verdict:
        """Make the request for one attempt (path, token, encryption, what is left of the TTL); includes what ``check`` does."""
        ...

    def throttle_key(self, target: Target) -> Hashable:
        """What a ``Pause(RECIPIENT or TOPIC)`` for this target is remembered by."""
        ...

    def classify(self, result: WireResult, request: WireRequest, prepared: Prepared, target: Target, now: float) -> Acceptance | Verdict:
        """Judge an answer or a fault. Total: any status and any bytes give exactly one verdict, nothing raises. ``now``: epoch seconds."""
        ...

    def refresh(self, request: WireRequest) -> None:
        """The credential on this request was refused as stale: never use it again (signing senders; fetched tokens are dropped by the engine)."""
        ...

    def findings(self, now: float) -> Iterable[Finding]:
        """What can be said about configuration and credentials without the network."""
        ...


@runtime_checkable
class ManyOrigins(Protocol):
    """What a sender adds when its targets bring origins of their own (Web Push), so that one dead host stops no other."""

    def origin_key(self, target: Target) -> Hashable:
        """Equal for targets whose requests go to the same origin. Cheap, and never raises."""
        ...


@runtime_checkable
class RampsUp(Protocol):
    """What a sender adds when its ``rate`` is to be reached gradually (FCM)."""

    @property
    def ramp(self) -> float:
        """Seconds from the first push, or the first after as long a silence, to the full rate; 0.0: at once."""
        ...


@runtime_checkable
class MoreQuotas(Protocol):
    """What a sender adds when some of its messages name a ``quota`` of their own (FCM: topic changes)."""

    def rate_of(self, quota: str) -> float | None:
        """Requests a second at the most; None: no limit of our own."""
        ...


@runtime_checkable
class DryRuns(Protocol):
    """What a sender adds when its provider can validate a push without delivering it (FCM). Without it ``dry_run=True`` is refused."""

    @property
    def dry_runs(self) -> bool:
        """Whether it can."""
        ...


@runtime_checkable
class EndingCredentials(Protocol):
    """What a sender adds when its credentials end on a known day (certificates), so that hooks hear it a month ahead."""

    def credential_ends(self) -> Iterable[datetime]:
        """When each of them ends (aware UTC)."""
        ...


@attrs.frozen(kw_only=True)
class Probe:
    """A push whose answer tells something about the configuration."""

    message: Message
    target: Target
    dry_run: bool = False
    """Ask the provider to validate only."""


Examination: TypeAlias = Generator[Probe, Outcome, "Sequence[Finding]"]
"""Asks a provider about its configuration: yields probes, is sent their outcomes, returns what they tell. Never raises for an answer."""


@runtime_checkable
class Examines(Protocol):
    """What a sender adds so that ``client.verify()`` can prove its credentials."""

    def examine(self) -> Examination:
        """Prove the credentials, as far as that is possible without reaching anybody."""
        ...

    def examine_recipient(self, target: Target) -> Examination:
        """Ask about a recipient that the caller believes to work, and show it as little as the provider allows."""
        ...


@runtime_checkable
class Healthy(Protocol):
    """What a sender adds to ``client.health()``."""

    def notes(self) -> Iterable[str]:
        """What is worth knowing, in plain sentences; safe to show."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Entries in its bounded tables, by name."""
        ...


@runtime_checkable
class Provider(Protocol):
    """A push service family. Pass one of your own in ``providers=[...]``."""

    @property
    def name(self) -> str:
        """Short and lower-case; the ``provider`` of its targets and outcomes."""
        ...

    def open(self, app: str) -> Sender | None:
        """The sender of this app, made anew; None when the app is not configured."""
        ...

    def apps(self) -> Sequence[str]:
        """The apps that are known now (a resolver may know more)."""
        ...
