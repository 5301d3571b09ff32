from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from pushkit.untrusted import JSON_LIMIT, RETRY_AFTER_CAP, body_text, epoch_millis, header, json_object, retry_after, server_time, text_of

NOW = 1_700_000_000.0


def http_date(epoch: float) -> bytes:
    return format_datetime(datetime.fromtimestamp(epoch, tz=UTC), usegmt=True).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"12",
        b"{",
        b'{"a":}',
        b"\xff\xfe\x00",
        b"<html></html>",
        b"[" * 16_000,
        b'{"a":' * 3_000,
        b'{"a": "' + b"x" * JSON_LIMIT + b'"}',
    ],
)
def test_anything_but_a_small_json_object_is_an_empty_one(body: bytes) -> None:
    """HTML, truncated JSON, deep nesting and megabytes cost nothing and never raise."""
    assert {} == json_object(body)


def test_a_json_object_is_read() -> None:
    """The case that everybody hopes for."""
    assert {"reason": "BadDeviceToken"} == json_object(b'{"reason":"BadDeviceToken"}')


@pytest.mark.parametrize("number", [b"1" * 5_000, b"-" + b"9" * 10_000, b"1e999", b"NaN", b"-Infinity"])
def test_huge_numbers_do_not_raise(number: bytes) -> None:
    """int() refuses more than 4,300 digits; nobody needs them."""
    assert isinstance(json_object(b'{"timestamp": ' + number + b"}")["timestamp"], float)


def test_a_lone_surrogate_becomes_encodable_text() -> None:
    """JSON may carry half a character; logs and databases refuse it."""
    value = json_object(rb'{"reason": "\ud800x"}')["reason"]

    assert "?x" == text_of(value)


@pytest.mark.parametrize("value", [None, 5, True, ["a"], {"a": 1}])
def test_only_text_is_text(value: object) -> None:
    """A reason that is no string is no reason."""
    assert "" == text_of(value)


def test_text_is_capped() -> None:
    """A reason of a megabyte is cut."""
    assert 200 == len(text_of("x" * 1000))


def test_body_text_is_the_first_two_kibibytes() -> None:
    """Substring tests look at no more."""
    assert 2048 == len(body_text(b"x" * 100_000))


def test_the_first_of_two_headers_counts() -> None:
    """Duplicated fields are no reason to fail."""
    assert "1" == header([(b"a", b"1"), (b"a", b"2")], b"a")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"0", 0.0),
        (b"120", 120.0),
        (b" 120 ", 120.0),
        (b"9" * 50, RETRY_AFTER_CAP),
        (http_date(NOW + 90), 90.0),
        (http_date(NOW + 10 * RETRY_AFTER_CAP), RETRY_AFTER_CAP),
    ],
)
def test_retry_after_is_read_in_every_form(value: bytes, seconds: float) -> None:
    """Seconds or a date; more than a day counts as a day (RFC 9110 section 10.2.3)."""
    assert seconds == retry_after([(b"retry-after", value)], NOW)


@pytest.mark.parametrize(
    "value",
    [b"", b"soon", b"-5", b"1.5", "٣".encode(), b"\xb2", b"x" * 10_000, http_date(NOW - 90), b"Mon, 99 Foo 2023 99:99:99 GMT", b"1e3"],
)
def test_nonsense_in_retry_after_counts_as_absent(value: bytes) -> None:
    """A header that nobody understands asks for nothing."""
    assert retry_after([(b"retry-after", value)], NOW) is None


def test_a_date_counts_against_the_answers_own_clock() -> None:
    """A wrong clock here does not stretch or shrink the wait."""
    ahead = NOW + 5000

    assert 30.0 == retry_after([(b"date", http_date(ahead)), (b"retry-after", http_date(ahead + 30))], NOW)


def test_the_servers_time_is_read() -> None:
    """That is how a wrong clock here is seen."""
    assert NOW == server_time([(b"date", http_date(NOW))])
    assert server_time([]) is None


def test_milliseconds_become_an_aware_datetime() -> None:
    """APNs counts in milliseconds; other libraries took them for seconds."""
    assert datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC) == epoch_millis(1_700_000_000_500)


@pytest.mark.parametrize("value", [None, True, "1700000000000", float("nan"), float("inf"), 10**30, -(10**18)])
def test_impossible_times_are_no_times(value: object) -> None:
    """A timestamp out of range is left out, not raised."""
    assert epoch_millis(value) is None
