"""
An order service that tells customers when their parcel leaves: the code under test, as a user would write it.

It cleans up its device table, keeps what could not be sent for later, and alerts on what people have to mend.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pushkit
from pushkit import Action, Client, Notification, apns, fcm


@dataclass
class Phone:
    """A row of the device table."""

    user: str
    target: apns.Device | fcm.Registration
    registered_at: dt.datetime
    suspect: bool = False


@dataclass
class Orders:
    """The service. ``push`` is any pushkit client, the real one in production and a fake in tests."""

    push: Client
    phones: dict[str, list[Phone]]
    alert: Callable[[str], None]
    later: list[tuple[dt.datetime, str]] = field(default_factory=list)
    """What to send again, and when: a table of a database in real life. It holds addresses and texts in plain text."""

    def shipped(self, number: int, users: Iterable[str]) -> int:
        """Tell everybody who waits for this order. Gives how many phones the providers took it for."""
        notification = Notification(title="On its way", body=f"Order {number} has left our warehouse.", collapse_key=f"order-{number}")
        targets = [phone.target for user in users for phone in self.phones.get(user, [])]
        report = self.push.send_many(notification, to=targets)
        for failure in report.failures:
            self._failed(failure)
        return report.accepted

    def retry(self, now: dt.datetime) -> int:
        """Send again what is due: call it every minute or so. Gives how many were taken."""
        due = [text for at, text in self.later if at <= now]
        self.later = [(at, text) for at, text in self.later if at > now]
        with self.push.resume([pushkit.TechnicalFailure.from_json(text) for text in due]) as outcomes:
            taken = 0
            for outcome in outcomes:
                if outcome.accepted:
                    taken += 1
                else:
                    self._failed(outcome)
        return taken

    def _failed(self, failure: pushkit.Failure) -> None:
        match failure:
            case pushkit.RecipientFailure(action=Action.REMOVE_RECIPIENT):
                self._keep(lambda phone: phone.target != failure.target or not failure.removable(phone.registered_at))
            case pushkit.RecipientFailure():
                for phone in self._all():
                    phone.suspect = phone.suspect or phone.target == failure.target
            case pushkit.TechnicalFailure(retryable=True, retry_at=dt.datetime() as at):
                self.later.append((at, failure.to_json(secrets=True)))
            case _:
                self.alert(f"{failure.category}: {failure.reason}: {failure.advice}")

    def _all(self) -> list[Phone]:
        return [phone for phones in self.phones.values() for phone in phones]

    def _keep(self, wanted: Callable[[Phone], bool]) -> None:
        self.phones = {user: [phone for phone in phones if wanted(phone)] for user, phones in self.phones.items()}
