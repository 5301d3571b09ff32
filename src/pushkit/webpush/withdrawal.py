"""Taking back a message that no browser has fetched yet: DELETE on the ``Location`` that the service gave for it."""

from __future__ import annotations

from typing import ClassVar

import attrs

from pushkit.codec import register
from pushkit.messages import Message as BaseMessage
from pushkit.outcomes import Accepted, Action, Category, Disposition
from pushkit.own_reasons import refuse
from pushkit.provider import Prepared, Stamp
from pushkit.verdict import Acceptance, Verdict
from pushkit.webpush.endpoints import Service
from pushkit.wire import HeaderBlock, WireResponse

DELETING = frozenset({Service.MOZILLA, Service.OTHER})
"""Services that may know it: autopush's docs have "Cancel Notification"; Google, Apple and Microsoft do not offer it."""

BLOCK = HeaderBlock([(b"content-length", b"0")])


@register("webpush.Withdrawal")
@attrs.frozen(repr=False)
class Withdrawal(BaseMessage):
    """
    Takes back an earlier message, as long as the browser has not fetched it.

    It is sent like any message::

        outcome = push.send(message, to=subscription).unwrap()
        push.send(webpush.Withdrawal.of(outcome), to=outcome.target)

    ``Accepted`` says that the service dropped it. A ``PayloadFailure`` says that there was nothing to take back
    (``message_gone``: delivered or expired) or that the service cannot do it (``withdrawal_not_supported``).
    Mozilla's service can.
    """

    provider: ClassVar[str | None] = "webpush"

    location: str
    """``outcome.info["location"]`` of the accepted message. A capability: whoever has it can take the message back."""

    @classmethod
    def of(cls, outcome: Accepted) -> Withdrawal:
        """For the message of this outcome."""
        return cls(outcome.info.get("location", ""))

    def secrets(self) -> tuple[str, ...]:
        """The location."""
        location: object = self.location
        return (location,) if isinstance(location, str) else ()


class PreparedWithdrawal(Prepared):
    """Doing it twice does no harm."""

    __slots__ = ("location",)

    def __init__(self, message: Withdrawal, stamp: Stamp) -> None:
        super().__init__(message, stamp, replaceable=True)
        self.location = message.location


def prepare_withdrawal(message: Withdrawal, stamp: Stamp) -> PreparedWithdrawal | Verdict:
    """Look at the location as far as that goes without a subscription."""
    location: object = message.location
    if not isinstance(location, str) or not location:
        return refuse("invalid_location", field="location", detail="expected outcome.info['location'] of an accepted message, found none")
    return PreparedWithdrawal(message, stamp)


def classify_withdrawal(response: WireResponse, judged: Acceptance | Verdict) -> Acceptance | Verdict:
    """
    The verdict on the answer to a DELETE.

    404 and 410 are about the message here, never about the subscription.

    Args:
        response: what the service said.
        judged: what it would mean for a push.
    """
    if response.status in {404, 410}:
        return _about_the_message("message_gone", response)
    if response.status in {400, 405, 501}:
        return _about_the_message("withdrawal_not_supported", response)
    if isinstance(judged, Verdict) and judged.category is Category.RECIPIENT:
        return attrs.evolve(judged, category=Category.PAYLOAD, action=Action.FIX_PAYLOAD, suspicion=False, retryable=False, floor=None)
    return judged


def _about_the_message(reason: str, response: WireResponse) -> Verdict:
    return attrs.evolve(refuse(reason), disposition=Disposition.REJECTED, status=response.status)
