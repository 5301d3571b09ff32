"""What arrived: one record for every push that reached a service, oldest first, in bounded memory."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from pushkit.messages import Message
from pushkit.secret import masked_text
from pushkit.targets import Target
from pushkit.testing.addresses import Address, address_of
from pushkit.testing.exchange import Answer, Field, Request
from pushkit.testing.opened import Opened

KEPT = 10_000
"""Records kept unless told otherwise."""


@attrs.define(eq=False, repr=False)
class SentRecord:
    """One push as it reached a service, and what was answered."""

    number: int
    """1 for the first that this inbox ever saw."""
    address: Address
    request: Request = attrs.field(repr=False)
    time: float
    """Epoch seconds."""
    answer: Answer | None
    """None when there was none (a fault)."""
    fault: str
    """What broke instead of, or beside, the answer; empty when nothing did."""
    attempt: int
    """1 for the first push to this recipient since the last accepted one, then counted on."""
    message_id: str | None
    _open: Callable[[SentRecord], Opened] = attrs.field(repr=False)
    target: Target | None = None
    """The target as the caller gave it; known where the client runs in the same process without a network, None on a real server."""
    message: Message | None = None
    """The message as the caller gave it; known where ``target`` is."""
    _opened: Opened | None = None

    @property
    def provider(self) -> str:
        """``"apns"``, ``"fcm"`` or ``"webpush"``."""
        return self.address.provider

    @property
    def service(self) -> str:
        """Web Push: whose dialect; otherwise the kind of recipient."""
        return self.address.service

    @property
    def recipient(self) -> str:
        """The token, topic, channel or endpoint (secret)."""
        return self.address.key

    @property
    def at(self) -> datetime:
        """When, aware, UTC."""
        return datetime.fromtimestamp(self.time, tz=UTC)

    @property
    def status(self) -> int | None:
        """The answer's status, None when there was none."""
        return None if self.answer is None else self.answer.status

    @property
    def reason(self) -> str:
        """The word of a refusal, empty when it was accepted."""
        return "" if self.answer is None else self.answer.word

    @property
    def accepted(self) -> bool:
        """Whether the service took it (the sender may not have heard of it)."""
        return self.answer is not None and self.answer.accepted

    @property
    def headers(self) -> dict[str, str]:
        """The request's header fields, ``authorization`` masked."""
        shown = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.request.fields}
        if "authorization" in shown:
            scheme, _, rest = shown["authorization"].partition(" ")
            shown["authorization"] = f"{scheme} {masked_text(rest)}"
        return shown

    @property
    def body(self) -> bytes:
        """The request's body as it came (Web Push: encrypted)."""
        return self.request.body

    @property
    def payload(self) -> Any:
        """What the device gets: the JSON of APNs, the message of FCM, the decrypted text of Web Push (parsed where it is JSON)."""
        return self._content().payload

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the JWT that came with it (APNs, Web Push); empty otherwise."""
        return self._content().claims

    @property
    def problem(self) -> str:
        """Why the device could not read it (a body that does not decrypt), else empty."""
        return self._content().problem

    @property
    def title(self) -> str:
        """The title that a device would show, as far as the payload has one."""
        return self._content().title

    @property
    def text(self) -> str:
        """The body text that a device would show, as far as the payload has one."""
        return self._content().text

    def _content(self) -> Opened:
        # Opened on demand: decrypting a Web Push takes longer than everything else about it.
        if self._opened is None:
            self._opened = self._open(self)
        return self._opened

    def __repr__(self) -> str:
        outcome = self.fault or (f"{self.status} {self.reason}".strip() if self.answer else "no answer")
        return f"<SentRecord {self.number} {self.address.shown} attempt={self.attempt} {outcome} {len(self.request.body)} bytes>"


class Inbox:
    """
    Every record, oldest first. Safe to read from any thread while pushes arrive.

    Args:
        keep: records kept; older ones are forgotten (counts stay right).
    """

    def __init__(self, *, keep: int = KEPT) -> None:
        self._records: deque[SentRecord] = deque(maxlen=keep)
        self._numbers = itertools.count(1)
        self._arrived = threading.Condition()
        self._streaks: dict[tuple[str, str], int] = {}
        self._listeners: tuple[Callable[[SentRecord], None], ...] = ()
        self._waiters = 0
        self.total = 0
        """Records ever made (since the last ``clear``)."""
        self.generation = 0
        """How often it was cleared."""

    def add(
        self,
        address: Address,
        request: Request,
        now: float,
        answer: Answer | None,
        fault: str,
        message_id: str | None,
        opener: Callable[[SentRecord], Opened],
    ) -> SentRecord:
        """Keep what just happened."""
        key = (address.provider, address.key)
        attempt = self._streaks.get(key, 0) + 1
        if answer is not None and answer.accepted:
            self._streaks.pop(key, None)
        else:
            if len(self._streaks) > _MOST_STREAKS:
                self._streaks.clear()
            self._streaks[key] = attempt
        record = SentRecord(next(self._numbers), address, request, now, answer, fault, attempt, message_id, opener)
        self._records.append(record)
        self.total += 1
        if self._waiters:
            with self._arrived:
                self._arrived.notify_all()
        for listener in self._listeners:
            listener(record)
        return record

    def listen(self, listener: Callable[[SentRecord], None]) -> Callable[[], None]:
        """Call back for every new record, in the services' thread. Gives a function that stops it."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return stop

    def wait(self, count: int, timeout: float = 5.0) -> Sequence[SentRecord]:
        """
        Wait until ``count`` records were made in all, and give what is kept.

        Raises:
            TimeoutError: when they do not come in ``timeout`` seconds (real ones).
        """
        end = time.monotonic() + timeout
        with self._arrived:
            self._waiters += 1
            try:
                while self.total < count:
                    left = end - time.monotonic()
                    # Woken at intervals too: a record may slip in between the look and the wait.
                    if left <= 0 or (not self._arrived.wait(min(left, 0.05)) and time.monotonic() > end and self.total < count):
                        raise TimeoutError(f"{self.total} of {count} pushes arrived in {timeout:g} s")
            finally:
                self._waiters -= 1
        return list(self)

    def to(self, recipient: object) -> list[SentRecord]:
        """The records of one recipient."""
        wanted = address_of(recipient)
        return [r for r in list(self) if r.address.key == wanted.key and (not wanted.provider or r.address.provider == wanted.provider)]

    def clear(self) -> None:
        """Forget everything, counts too."""
        self._records.clear()
        self._streaks.clear()
        self._numbers = itertools.count(1)
        self.total = 0
        self.generation += 1

    def __iter__(self) -> Iterator[SentRecord]:
        return iter(self._snapshot())

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> SentRecord:
        return self._snapshot()[index]

    def _snapshot(self) -> list[SentRecord]:
        for _ in range(100):
            try:
                return list(self._records)
            except RuntimeError:  # a push arrived while the deque was copied
                continue
        raise RuntimeError("the inbox could not be read while pushes arrived; try again when they pause")

    def __repr__(self) -> str:
        return f"<Inbox {len(self._records)} of {self.total}>"


_MOST_STREAKS = 100_000


def header_fields(fields: Mapping[str, str]) -> tuple[Field, ...]:
    """Header fields from text."""
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items())
