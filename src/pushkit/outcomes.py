"""
What happened to a push: four classes, and the words they use.

``match`` over a union of classes is checked for completeness by every type checker; an enum inside one
class by none of them. Hence :class:`Accepted`, :class:`TechnicalFailure`, :class:`PayloadFailure` and
:class:`RecipientFailure`, joined in :data:`Outcome`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Never, Self, TypeAlias, cast

import attrs

from pushkit.messages import Message
from pushkit.secret import clean, fingerprint, printable_ref, without_locals
from pushkit.targets import Target


class Category(enum.StrEnum):
    """Who has to act: exactly one for every failure."""

    TECHNICAL = "technical"
    """Network, server, throttling, credentials, configuration: engineering or operations."""
    PAYLOAD = "payload"
    """What we said: whoever wrote the message."""
    RECIPIENT = "recipient"
    """Whom we said it to: whoever keeps the recipient list."""


class Disposition(enum.StrEnum):
    """Did the provider get it? Decides whether sending again can make a duplicate."""

    NOT_SENT = "not_sent"
    """Provably never processed: sending again cannot duplicate."""
    REJECTED = "rejected"
    """A definite refusal."""
    UNKNOWN = "unknown"
    """It may have been accepted: silence, a lost connection, or an answer known to come after delivery (FCM's 5xx)."""


class Action(enum.StrEnum):
    """What to do now."""

    RETRY_LATER = "retry_later"
    """Send the same push again, not before ``retry_at``; where that is None a second copy may be shown, so decide for yourself."""
    REMOVE_RECIPIENT = "remove_recipient"
    """Forget this address (after comparing ``invalid_since``, see ``removable``)."""
    REVIEW_RECIPIENT = "review_recipient"
    """Suspect: our own configuration may be wrong. Check before removing anybody."""
    RESUBSCRIBE = "resubscribe"
    """Keep the recipient; its subscription has to be made anew with the present key."""
    FIX_PAYLOAD = "fix_payload"
    """Change what is said."""
    FIX_CREDENTIALS = "fix_credentials"
    """Replace or repair a key, certificate or account."""
    FIX_CONFIGURATION = "fix_configuration"
    """Change a setting: topic, environment, project, role, endpoint policy."""
    REPORT_BUG = "report_bug"
    """Nothing a user did: pushkit sent something that it never should."""


class Scope(enum.StrEnum):
    """What a technical failure concerns."""

    ATTEMPT = "attempt"
    """This attempt: network trouble, a server error."""
    THROTTLE = "throttle"
    """The provider asks for fewer pushes."""
    CREDENTIAL = "credential"
    """A key, token or certificate: every push with it fails."""
    CONFIGURATION = "configuration"
    """A setting: every push like this one fails."""


class WaitedFor(enum.StrEnum):
    """Which rule decided how long an attempt waited."""

    NOTHING = "nothing"
    """No wait: the first attempt, or an immediate one."""
    FLOOR = "floor"
    """The least delay of the error table's row."""
    BACKOFF = "backoff"
    """The policy's jittered back-off."""
    RETRY_AFTER = "retry_after"
    """What the provider asked for."""


@attrs.frozen(kw_only=True)
class Attempt:
    """One try at a push."""

    number: int
    """1 for the first, counted on through ``resume``."""
    started: datetime
    """Aware, UTC."""
    elapsed: float
    """Seconds from start to answer."""
    status: int | None = None
    """HTTP status, None without an answer."""
    reason: str | None = None
    """Why it failed, None when it was accepted."""
    waited: float = 0.0
    """Seconds waited before this attempt."""
    waited_for: WaitedFor = WaitedFor.NOTHING

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "number": self.number,
            "started": self.started.isoformat(),
            "elapsed": self.elapsed,
            "status": self.status,
            "reason": self.reason,
            "waited": self.waited,
            "waited_for": self.waited_for.value,
        }


@attrs.frozen(kw_only=True, repr=False)
class Resume:
    """What ``push.resume`` needs to send the same push again. Travels in clear text inside ``to_json(secrets=True)``."""

    message: Message
    key: str
    """The identity that fills empty collapse ids and tags."""
    push_id: str
    """The UUID of this push (``apns-id``), the same on every attempt."""
    expires_at: float | None
    """Epoch seconds."""
    dedupe: bool = True
    unknown_retried: bool = False
    """Whether the one repeat after an UNKNOWN was used."""
    dry_run: bool = False
    taken_at: float | None = None
    """Epoch seconds: when a call took it first. What it says (a Live Activity's state) was true then."""

    def __repr__(self) -> str:
        return f"<Resume {self.push_id}>"


def _frozen_mapping(value: Mapping[str, str] | None) -> Mapping[str, str]:
    return value if value is not None else _NOTHING_TOLD


_NOTHING_TOLD: Mapping[str, str] = {}


@attrs.frozen(kw_only=True, repr=False)
class _Outcome:
    """Fields that every outcome has."""

    target: Target
    """The target as it was given (anything at all where the input held something that is no target)."""
    provider: str
    """``"apns"``, ``"fcm"``, ``"webpush"``, a fourth provider's name, or ``""`` when none could be told."""
    message_id: str | None = None
    """The provider's id of the message (APNs: ``apns-id``, FCM: ``name``), None when there is none."""
    attempts: tuple[Attempt, ...] = ()
    """Every try, oldest first; empty when nothing was sent."""
    elapsed: float = 0.0
    """Seconds from the moment that the push was taken from the input, waits included."""
    expires_at: datetime | None = None
    """Aware UTC: after this nobody sends it any more."""
    label: str | None = None
    """The message's campaign label."""
    info: Mapping[str, str] = attrs.field(default=None, converter=_frozen_mapping, hash=False)
    """What else the provider told, by provider-specific names (see each provider's page); may hold capability URLs."""

    @property
    def accepted(self) -> bool:
        """Whether the provider took the push. No provider tells more than that: accepted is not delivered."""
        return isinstance(self, Accepted)

    @property
    def app(self) -> str:
        """The target's app."""
        app = getattr(self.target, "app", "default")
        return app if isinstance(app, str) else "default"

    def as_dict(self, *, secrets: bool = False) -> dict[str, Any]:
        """
        As JSON-ready values.

        Args:
            secrets: True puts addresses, keys, message text and what ``resume`` needs into the result
                **in plain text**. False (the default) replaces them by fingerprints.
        """
        from pushkit.codec import outcome_to_dict

        return outcome_to_dict(self, secrets=secrets)

    def to_json(self, *, secrets: bool = False) -> str:
        """
        As JSON text. With ``secrets=True`` it holds addresses and message text **in plain text**, and
        ``from_json`` gives an equal outcome back; without, it is for people and logs.
        """
        import json

        return json.dumps(self.as_dict(secrets=secrets), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    @without_locals
    def from_json(cls, text: str | bytes) -> Self:
        """
        Read what ``to_json(secrets=True)`` wrote.

        Raises:
            ValueError: when the text is something else, or an outcome of another class than this one.
        """
        from pushkit.codec import outcome_from_json

        outcome = outcome_from_json(text)
        if not isinstance(outcome, cls):
            message = f"expected a {cls.__name__}, the JSON holds a {type(outcome).__name__}; call from_json on that class, or pushkit.outcomes.from_json for any"
            raise ValueError(message)  # noqa: TRY004 - one kind of error for JSON that does not fit
        return outcome

    def _repr_parts(self) -> list[str]:
        target: object = self.target  # anything at all where the input held something that is no target
        parts = [self.provider or "no provider", repr(target) if isinstance(target, Target) else f"<{type(target).__name__}>"]
        if self.message_id is not None:
            # An FCM name holds the project and a random id, an apns-id is random: neither reaches anybody.
            parts.append(f"message_id={self.message_id!r}")
        if self.label is not None:
            parts.append(f"label={clean(str(self.label), limit=100)!r}")
        if len(self.attempts) > 1:
            parts.append(f"attempts={len(self.attempts)}")
        return parts

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._repr_parts())})"


@attrs.frozen(kw_only=True, repr=False)
class Accepted(_Outcome):
    """The provider took the push. Whether a phone showed it, no provider tells."""

    category: ClassVar[None] = None

    def unwrap(self) -> Accepted:
        """Give this outcome."""
        return self


@attrs.frozen(kw_only=True, repr=False)
class _Failure(_Outcome):
    """Fields that every failure adds."""

    reason: str
    """The provider's own word, or one of pushkit's in snake_case for what never reached a provider."""
    status: int | None = None
    """HTTP status, None when there was no answer."""
    disposition: Disposition
    retryable: bool = False
    """Whether the same push may be tried again."""
    retry_at: datetime | None = None
    """Aware UTC: the earliest sensible time, None when not retryable."""
    action: Action
    advice: str
    """One plain sentence for whoever has to act."""
    detail: str = ""
    """The provider's raw text: this push's secrets replaced, control characters out, then capped."""
    field: str | None = None
    """Payload failures: which field, in the caller's terms."""
    invalid_since: datetime | None = None
    """Recipient failures: aware UTC, when the provider told since when the address is invalid."""
    scope: Scope | None = None
    """Technical failures: what it concerns. None otherwise."""
    resume: Resume | None = attrs.field(default=None, repr=False)
    """What ``push.resume`` needs; None when the failure cannot be resumed."""

    def unwrap(self) -> Never:
        """Raise this failure as :class:`~pushkit.PushError` (its subclass for the category)."""
        from pushkit.errors import error_for

        raise error_for(cast("Failure", self))

    def _repr_parts(self) -> list[str]:
        parts = super()._repr_parts()
        parts[1:1] = [f"reason={self.reason!r}", f"disposition={self.disposition.value}", f"action={self.action.value}"]
        if self.status is not None:
            parts.insert(2, f"status={self.status}")
        if self.retry_at is not None:
            parts.append(f"retry_at={self.retry_at.isoformat()}")
        if self.field is not None:
            parts.append(f"field={self.field!r}")
        return parts

    def __str__(self) -> str:
        ref = printable_ref(getattr(self.target, "ref", None))
        whom = f" for {ref}" if ref else ""
        return f"{self.provider or 'push'} {self.reason}{whom}: {self.advice}"


@attrs.frozen(kw_only=True, repr=False)
class TechnicalFailure(_Failure):
    """Network, server, throttling, credentials or configuration: engineering has to act, or time heals it."""

    category: ClassVar[Category] = Category.TECHNICAL


@attrs.frozen(kw_only=True, repr=False)
class PayloadFailure(_Failure):
    """What was said cannot be sent: whoever wrote the message has to act. The recipient is fine."""

    category: ClassVar[Category] = Category.PAYLOAD


@attrs.frozen(kw_only=True, repr=False)
class RecipientFailure(_Failure):
    """The address does not work (any more): whoever keeps the recipient list has to act."""

    category: ClassVar[Category] = Category.RECIPIENT

    def removable(self, registered_at: datetime | None) -> bool:
        """
        Whether this address may be removed, given when it was (last) registered.

        True only for ``REMOVE_RECIPIENT``. When the provider told since when the address is invalid
        (APNs 410), a registration later than that is a new one and must stay.

        Args:
            registered_at: aware time of the latest registration of this very address; None removes
                only when the provider told no time.

        Raises:
            ValueError: when ``registered_at`` is naive.
        """
        if registered_at is not None and registered_at.tzinfo is None:
            message = "registered_at has no time zone; pass an aware datetime, such as datetime.now(timezone.utc)"
            raise ValueError(message)
        if self.action is not Action.REMOVE_RECIPIENT:
            return False
        if self.invalid_since is None:
            return True
        return registered_at is not None and registered_at <= self.invalid_since


Failure: TypeAlias = TechnicalFailure | PayloadFailure | RecipientFailure
"""Any failure."""

Outcome: TypeAlias = Accepted | TechnicalFailure | PayloadFailure | RecipientFailure
"""What ``send`` gives. ``match`` on it is checked for completeness."""

FAILURE_CLASSES: Mapping[Category, type[TechnicalFailure | PayloadFailure | RecipientFailure]] = {
    Category.TECHNICAL: TechnicalFailure,
    Category.PAYLOAD: PayloadFailure,
    Category.RECIPIENT: RecipientFailure,
}


@without_locals
def from_json(text: str | bytes) -> Outcome:
    """
    Read what ``to_json(secrets=True)`` of any outcome wrote (a queue holds more than one kind).

    Raises:
        ValueError: when the text is something else.
    """
    from pushkit.codec import outcome_from_json

    return outcome_from_json(text)


def describe_target(target: object) -> str:
    """A target for a log line: its class, a fingerprint of its address and a printable ``ref``."""
    if not isinstance(target, Target):
        return f"<{type(target).__name__}>"
    ref = printable_ref(target.ref)
    return f"{type(target).__name__} {fingerprint(repr(target.address))}" + (f" ref={ref}" if ref else "")
