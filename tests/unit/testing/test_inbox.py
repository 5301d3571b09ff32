"""The records: bounded, counted, waited for, masked."""

from __future__ import annotations

import threading
import time

import pytest

from pushkit.testing.addresses import Address, address_of
from pushkit.testing.exchange import Answer, Connection, Request
from pushkit.testing.inbox import Inbox
from pushkit.testing.opened import Opened

ADDRESS = Address("apns", "ab" * 32, "device")
OK, NO = Answer(status=200), Answer(status=410, word="Unregistered")


def add(inbox: Inbox, answer: Answer | None = OK, address: Address = ADDRESS) -> None:
    request = Request(
        "POST", "https", "localhost", "/3/device/" + address.key, [(b"authorization", b"bearer secret-jwt")], b"{}", Connection(1, "memory")
    )
    inbox.add(address, request, 1_795_000_000.0, answer, "", None, lambda _: Opened(payload={"a": 1}))


def test_only_so_many_are_kept_and_all_are_counted() -> None:
    """The oldest go first; numbers go on."""
    inbox = Inbox(keep=3)
    for _ in range(10):
        add(inbox)

    assert (3, 10, [8, 9, 10], 10) == (len(inbox), inbox.total, [r.number for r in inbox], inbox[-1].number)


def test_attempts_are_counted_until_one_is_accepted() -> None:
    """By recipient."""
    inbox = Inbox()
    for answer in (NO, None, OK, OK):
        add(inbox, answer)
    add(inbox, OK, Address("fcm", "other", "token"))

    assert [1, 2, 3, 1, 1] == [r.attempt for r in inbox]


def test_waiting_ends_with_the_last_one() -> None:
    """Another thread adds them."""
    inbox = Inbox()
    thread = threading.Thread(target=lambda: [time.sleep(0.02) or add(inbox) for _ in range(3)])
    thread.start()

    assert 3 == len(inbox.wait(3, timeout=5))
    thread.join(5)


def test_waiting_in_vain_says_how_many_came() -> None:
    """In real seconds."""
    inbox = Inbox()
    add(inbox)
    with pytest.raises(TimeoutError, match=r"1 of 2 pushes arrived in 0\.05 s"):
        inbox.wait(2, timeout=0.05)


def test_a_record_is_opened_once() -> None:
    """Decrypting is expensive, so it is done on demand and kept."""
    inbox, opened = Inbox(), []
    add(inbox)
    record = inbox[0]
    record._open = lambda _: opened.append(1) or Opened(title="Hi")  # type: ignore[func-returns-value]

    assert ("Hi", "Hi", [1]) == (record.title, record.title, opened)


def test_nothing_secret_shows() -> None:
    """Token and JWT are masked in repr and headers; they are there where they are asked for."""
    inbox = Inbox()
    add(inbox, NO)
    record = inbox[0]

    assert (False, False) == ("abab" in repr(record), "secret-jwt" in repr((record, record.headers)))
    assert ("ab" * 32, 410, "Unregistered", False) == (record.recipient, record.status, record.reason, record.accepted)


def test_listeners_hear_until_they_stop() -> None:
    """In the services' thread."""
    inbox, heard = Inbox(), []
    stop = inbox.listen(lambda record: heard.append(record.number))
    add(inbox)
    stop()
    add(inbox)

    assert [1] == heard


def test_clearing_starts_anew() -> None:
    """Numbers too; the generation tells."""
    inbox = Inbox()
    add(inbox)
    inbox.clear()
    add(inbox)

    assert (1, 1, 1) == (inbox.total, inbox[0].number, inbox.generation)


@pytest.mark.parametrize(("given", "key"), [("AB" * 32, "ab" * 32), ("Token:ABC", "Token:ABC"), (ADDRESS, "ab" * 32)])
def test_recipients_are_named_as_people_have_them(given: object, key: str) -> None:
    """Hexadecimal tokens in any case; everything else to the letter."""
    assert key == address_of(given).key
