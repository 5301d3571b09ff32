"""One vocabulary: the same mistake has the same word, whichever provider the push was for."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import pushkit
from pushkit import Action, Category, Notification, Scope
from pushkit.faults import FAULTS
from pushkit.own_reasons import OWN, refuse
from pushkit.testing import FakeClient
from pushkit.webpush.reasons import ROWS

SOURCE = Path(pushkit.__file__).parent
RAISED_WHEN_CONFIGURED = {"invalid_vapid_subject", "vapid_keypair_mismatch"}
BROWSERS_OWN = {row.reason for row in ROWS if row.reason is not None}
"""Web Push services' words may be written in snake_case, too."""
REFUSERS = {"refuse", "refuse_payload", "refuse_recipient", "refuse_technical"}


def words_in_source() -> dict[str, str]:
    """Every word that the code refuses a push with, and where."""
    found: dict[str, str] = {}
    for path in SOURCE.rglob("*.py"):
        if path.is_relative_to(SOURCE / "testing"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            places: list[ast.expr] = node.args[:1] if name in REFUSERS else node.args[2:3] if name == "Refused" else []
            places += [keyword.value for keyword in node.keywords if keyword.arg == "reason" and name in {"wrong", "Verdict", "Refused"}]
            for place in places:
                if isinstance(place, ast.Constant) and isinstance(place.value, str):
                    found[place.value] = str(path.relative_to(SOURCE))
    return found


def test_every_word_in_the_source_is_in_the_table() -> None:
    """Whoever refuses a push takes a word that is there, or adds one with its meaning."""
    known = OWN.keys() | {row.reason for row in FAULTS.values()}
    unknown = {word: where for word, where in words_in_source().items() if word not in known and not word.startswith("oauth_")}

    # The provider's own word (reference table of FCM) for a good status without what belongs in it; nothing was refused here.
    assert {"malformed_response": "apns/channels.py"} == unknown


def test_every_word_of_the_table_is_used() -> None:
    """A word that nobody says is left over from a renaming."""
    said = "\n".join(path.read_text() for path in SOURCE.rglob("*.py") if not path.name.startswith("own_reasons"))

    assert [] == [word for word in OWN if not re.search(rf"[\"']{word}[\"']", said)]


@pytest.mark.parametrize("what", ["meaning", "advice"])
def test_no_two_words_say_the_same(what: str) -> None:
    """Two words for one thing make two lines in a report of what one person has to mend once."""
    words: dict[str, set[str]] = defaultdict(set)
    for word, row in OWN.items():
        words[getattr(row, what)].add(word)
    if what == "advice":
        for fault in FAULTS.values():
            words[fault.advice].add(fault.reason)

    assert {} == {sentence: found for sentence, found in words.items() if len(found) > 1}


@pytest.mark.parametrize("word", OWN)
def test_every_row_is_consistent(word: str) -> None:
    """A technical word has a scope, another has none; each names what happened and what to do in a sentence."""
    row = OWN[word]

    assert (row.category is Category.TECHNICAL) == (row.scope is not None)
    assert row.meaning.endswith(".")
    assert row.advice.endswith(".")
    assert word not in BROWSERS_OWN


def test_a_word_has_one_category_with_two_exceptions() -> None:
    """An address that is not allowed: a browser's is that browser's trouble, our own push service's is the network's."""
    faults = {row.reason for row in FAULTS.values()}
    other = {word for word, row in OWN.items() if word in faults and row.category is not Category.TECHNICAL}

    assert {"endpoint_not_allowed"} == other


def test_what_is_known_about_a_push_is_said_in_place_of_the_table() -> None:
    """A word comes with its category; advice and action may be more exact."""
    verdict = refuse("invalid_token", advice="Store the digits alone.", action=Action.REVIEW_RECIPIENT, detail="it holds spaces")

    assert (Category.RECIPIENT, Action.REVIEW_RECIPIENT, None, False) == (
        verdict.category,
        verdict.action,
        verdict.scope,
        verdict.retryable,
    )
    assert "Store the digits alone." == verdict.advice
    assert (Scope.THROTTLE, True, 60.0) == (refuse("throttled", floor=60.0).scope, True, refuse("throttled", floor=60.0).floor)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (Notification(), "empty_message"),
        (Notification(title=5), "invalid_field"),  # type: ignore[arg-type]  # that is the point
        (Notification(title="\ud800"), "invalid_field"),
        (Notification(title="x", data={"a": 5}), "invalid_field"),  # type: ignore[dict-item]  # that is the point
        (Notification(title="x", badge=-1), "invalid_field"),
        (Notification(title="x", ttl=-1), "invalid_ttl"),
        (Notification(title="x", options=(5,)), "invalid_options"),  # type: ignore[arg-type]  # that is the point
        (Notification(title="x", body="y" * 5000), "payload_too_large"),
        (pushkit.Message(), "wrong_message"),
    ],
)
def test_one_mistake_of_a_campaign_has_one_word(message: Any, word: str) -> None:
    """A message that is wrong for everybody is the same failure at every provider."""
    with FakeClient() as push:
        targets = [push.device(), push.registration(), push.subscription()]
        failures = [push.check(message, to=target) for target in targets]

    assert [(word, Category.PAYLOAD)] * 3 == [(failure.reason, failure.category) for failure in failures if failure is not None]


@pytest.mark.parametrize("maker", ["device", "registration", "subscription"])
def test_a_stored_lifetime_that_is_none_removes_nobody(maker: str) -> None:
    """What stands beside an address can be corrected: only the address itself is a reason to remove somebody."""
    import attrs

    with FakeClient() as push:
        target = getattr(push, maker)()
        target = attrs.evolve(target, expiration_time="soon") if maker == "subscription" else attrs.evolve(target, app=5)
        failure = push.check(Notification(title="x"), to=target)

    assert ("invalid_target", Action.REVIEW_RECIPIENT) == (failure.reason, failure.action)
