"""What all services share: outages, checks, scripts, state, records, in this order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from pushkit.testing.addresses import Address
from pushkit.testing.behaviour import ACCEPT, NORMAL, Plan
from pushkit.testing.exchange import Answer, Request, date_field
from pushkit.testing.faults import Disconnect, GoAway, Interim, RequestFault, Stall, StreamLimit, Window
from pushkit.testing.inbox import SentRecord
from pushkit.testing.opened import Opened

if TYPE_CHECKING:
    from pushkit.testing.services.world import World


@attrs.frozen
class Served:
    """What the wire has to do: an answer, perhaps broken, perhaps late."""

    answer: Answer | None
    fault: RequestFault | None = None
    delay: float = 0.0


@attrs.frozen
class Checked:
    """What the checks found: who it is for, and a refusal or None."""

    address: Address | None
    refusal: Answer | None = None


def _answers_too(fault: RequestFault) -> bool:
    if isinstance(fault, (StreamLimit, Window, Interim)):
        return True
    if isinstance(fault, GoAway):
        return fault.processed == "answered"
    return isinstance(fault, (Disconnect, Stall)) and fault.partial


class Service(ABC):
    """One service. Subclasses say what is checked, how words look and what acceptance is."""

    provider = ""
    """The provider's name in scripts and records."""
    is_push = True
    """Whether its requests are pushes; others (tokens, topics, channels) have an inbox of their own."""
    dated = True
    """Whether its answers have a ``Date``, as RFC 9110 section 6.6.1 asks of a server with a clock; Apple documents none for APNs."""

    def __init__(self, world: World) -> None:
        self.world = world

    @abstractmethod
    def check(self, request: Request, now: float) -> Checked:
        """Everything that the documentation demands of a request."""

    @abstractmethod
    def render(self, word: str, details: Mapping[str, Any], request: Request, address: Address | None, now: float) -> Answer:
        """A word in this service's format."""

    @abstractmethod
    def state(self, address: Address, request: Request, now: float) -> Answer | None:
        """A refusal because of what is known about the recipient (unregistered, another app), or None."""

    @abstractmethod
    def accept(self, address: Address, request: Request, now: float) -> tuple[Answer, str | None]:
        """Take it: the answer and the message's id."""

    @abstractmethod
    def open(self, record: SentRecord) -> Opened:
        """What the device finds."""

    def answered(self, answer: Answer, request: Request) -> None:  # noqa: B027 - most services remember nothing
        """After each answer, for services that remember something about the connection."""

    def serve(self, request: Request) -> Served:
        """
        Deal with one request.

        Raises:
            UnexpectedPush: in strict mode, when no step was scripted for it.
        """
        world = self.world
        now = world.now()
        checked = self.check(request, now)
        address = checked.address
        down = world.behaviour.down(self.provider)
        if isinstance(down, Plan):
            plan = down
        elif checked.refusal is not None or address is None:
            plan = NORMAL
        else:
            plan = world.behaviour.plan(address, is_push=self.is_push)
        if plan.fault is not None and not _answers_too(plan.fault):
            self._record(address, request, now, None, plan.fault, None)
            return Served(None, plan.fault, plan.delay)
        answer, message_id = self._answer(plan, checked, request, now)
        if self.dated and not any(name == b"date" for name, _ in answer.fields):
            answer = answer.adding(date_field(now))
        self._record(address, request, now, answer, plan.fault, message_id)
        self.answered(answer, request)
        return Served(answer, plan.fault, plan.delay)

    def _answer(self, plan: Plan, checked: Checked, request: Request, now: float) -> tuple[Answer, str | None]:
        if plan.answer is not None:
            return plan.answer, None
        if plan.word is not None and plan.word != ACCEPT:
            return self.render(plan.word, plan.details, request, checked.address, now), None
        if checked.refusal is not None:
            return checked.refusal, None
        address = checked.address
        assert address is not None, "a check gives an address or a refusal"
        if plan.word != ACCEPT:
            refused = self.state(address, request, now)
            if refused is not None:
                return refused, None
        return self.accept(address, request, now)

    def _record(
        self,
        address: Address | None,
        request: Request,
        now: float,
        answer: Answer | None,
        fault: RequestFault | None,
        message_id: str | None,
    ) -> None:
        if address is None:
            address = Address(self.provider, request.path)
        inbox = self.world.inbox if self.is_push else self.world.calls
        inbox.add(address, request, now, answer, "" if fault is None else str(fault), message_id, self.open)
