from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushkit.cli.handbook import OWN, PROVIDERS, body_with, entries, find, judge, read_response
from pushkit.verdict import Verdict


@pytest.mark.parametrize("provider", [*PROVIDERS, OWN])
def test_every_row_has_an_anchor_of_its_own(provider: str) -> None:
    """A link to a reason leads to that reason."""
    anchors = Counter(row.anchor for row in entries(provider))

    assert [] == [anchor for anchor, count in anchors.items() if count > 1]
    assert all(anchor and " " not in anchor for anchor in anchors)


@pytest.mark.parametrize("row", [row for row in entries("apns") if not row.reason.startswith("http_")], ids=lambda row: row.reason)
def test_the_page_says_what_classification_says(row) -> None:
    """An APNs answer with a row's status and reason gets that row's verdict."""
    verdict = judge("apns", row.status, body_with("apns", row.reason))

    assert isinstance(verdict, Verdict)
    assert (row.reason, row.category, row.action, row.advice) == (verdict.reason, verdict.category, verdict.action, verdict.advice)


@pytest.mark.parametrize(
    ("provider", "words", "reasons"),
    [
        ("apns", ["410"], {"Unregistered", "ExpiredToken"}),
        ("apns", ["unregistered"], {"Unregistered"}),
        ("apns", ["400", "Unregistered"], set()),
        ("webpush", ["mozilla", "404"], {"errno 102"}),
        (OWN, ["expired"], {"expired"}),
    ],
)
def test_rows_are_found_by_status_reason_and_service(provider: str, words: list[str], reasons: set[str]) -> None:
    """In any case and order."""
    assert reasons <= {row.reason for row in find(provider, words)}
    if not reasons:
        assert [] == list(find(provider, words))


def test_another_provider_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match="expected one of apns, fcm, webpush"):
        entries("hms")


@pytest.mark.parametrize(
    ("raw", "status", "fields", "body"),
    [
        ("HTTP/2 410\r\napns-id: 1\r\n\r\n{}", 410, [(b"apns-id", b"1")], b"{}"),
        ("HTTP/1.1 404 Not Found\n\n{}", 404, [], b"{}"),
        ('410 {"reason": "x"}', 410, [], b'{"reason": "x"}'),
        ('{"reason": "x"}', None, [], b'{"reason": "x"}'),
        ("retry-after: 5\n\nbody", None, [(b"retry-after", b"5")], b"body"),
        ("", None, [], b""),
        ("410", 410, [], b""),
    ],
)
def test_what_people_paste_is_taken_apart(raw: str, status, fields, body: bytes) -> None:
    """A whole response, a body, a status and a body."""
    assert (status, fields, body) == read_response(raw)


@given(st.text(max_size=300) | st.sampled_from(["HTTP/2", "HTTP/2 x", ":", "a:", "\n\n", "HTTP/2 410\n:\n\n"]))
def test_whatever_is_pasted_nothing_raises(raw: str) -> None:
    """And whatever comes out of it is judged."""
    status, fields, body = read_response(raw)

    for provider in PROVIDERS:
        assert judge(provider, status if status is not None else 400, body, fields) is not None
