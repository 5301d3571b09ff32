from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import pushkit
from pushkit import Action, fcm
from pushkit.cli.handbook import OWN, PROVIDERS, Entry, body_with, entries, find, judge
from pushkit.cli.own_words import NIGHTS, WORDS, Word
from pushkit.report.words import advice
from pushkit.verdict import Verdict

ALL = [row for provider in (*PROVIDERS, OWN) for row in entries(provider)]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def called(row: Entry) -> str:
    return f"{row.provider} {row.name}"


@pytest.mark.parametrize("provider", [*PROVIDERS, OWN])
def test_every_row_has_an_anchor_of_its_own(provider: str) -> None:
    """A link to a reason leads to that reason."""
    anchors = Counter(row.anchor for row in entries(provider))

    assert [] == [anchor for anchor, count in anchors.items() if count > 1]
    assert all(anchor and " " not in anchor for anchor in anchors)


@pytest.mark.parametrize("row", ALL, ids=called)
def test_every_row_says_in_both_languages_what_to_do_and_what_it_means_at_night(row: Entry) -> None:
    """A whole sentence each, with a full stop."""
    for sentence in (row.advice, row.night):
        assert re.fullmatch(r"[A-Z](?s:.)*\.", sentence)
        assert not CHINESE.search(sentence)
    for sentence in (row.advice_zh, row.night_zh):
        assert sentence.endswith("。")
        assert CHINESE.search(sentence)
    assert bool(row.meaning) == bool(CHINESE.search(row.meaning_zh))


@pytest.mark.parametrize("row", ALL, ids=called)
def test_every_row_names_its_source(row: Entry) -> None:
    """A page or a section; a rule of pushkit's own says that it is one."""
    assert row.source.title
    assert row.source.url.startswith("https://") or (row.provider, row.source.url) == (OWN, "")


def test_no_note_is_left_over() -> None:
    """Whoever renames a row renames its note."""
    from pushkit.apns import notes as apns_notes
    from pushkit.fcm import notes as fcm_notes
    from pushkit.fcm.reasons import ROWS
    from pushkit.webpush import notes as webpush_notes

    assert {row.reason for row in entries("apns")} | {"http_410 unclear"} == set(apns_notes.NOTES)
    assert set(ROWS) == set(fcm_notes.NOTES)
    assert len(entries("webpush")) == len(webpush_notes.NOTES)
    assert {row.reason for row in entries(OWN)} == set(NIGHTS)


def test_no_chinese_meaning_is_left_over() -> None:
    """The English sentence is the key: whoever changes it changes the translation too, or hears of it here."""
    from pushkit.apns.reasons_zh import MEANING as APNS
    from pushkit.fcm.reasons_zh import MEANING as FCM

    assert {row.meaning for row in entries("apns")} == set(APNS)
    assert {row.meaning for row in entries("fcm")} == set(FCM)


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
        ("apns", ["a"], set()),
        ("fcm", ["INVALID_ARGUMENT", "payload", "ttl"], {"INVALID_ARGUMENT"}),
        ("fcm", ["TooManyRequests"], {"RESOURCE_EXHAUSTED"}),
        ("webpush", ["mozilla", "404"], {"errno 102"}),
        (OWN, ["expired"], {"expired"}),
        (OWN, ["oauth_invalid_client"], {"oauth_…"}),
    ],
)
def test_rows_are_found_by_status_reason_and_service(provider: str, words: list[str], reasons: set[str]) -> None:
    """In any case and order; inside of Google's answers also by Apple's words."""
    assert reasons <= {row.reason for row in find(provider, words)}
    if not reasons:
        assert [] == list(find(provider, words))


def test_another_provider_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match="expected one of apns, fcm, webpush"):
        entries("hms")


# -- pushkit's own words, gathered from the source

SAYING = {"refuse_payload": 0, "refuse_recipient": 0, "refuse_technical": 0, "refuse": 0, "refuse_subscription": 0, "refused": 0,
          "FaultRow": 0, "_about_the_message": 0, "Refused": 2}  # fmt: skip
"""Functions that are given the word of a local failure, and where."""
NOT_SAYING = {"cli", "contrib", "preview", "report", "testing"}
BY_NAME = {"Verdict", "evolve", "wrong"}
"""Those that are given it as ``reason=``."""


@cache
def calls() -> list[tuple[str, ast.Call]]:
    source = Path(pushkit.__file__).parent
    paths = [path for path in source.rglob("*.py") if path.relative_to(source).parts[0] not in NOT_SAYING]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return [(node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", ""), node) for node in nodes]


def words_in(name: str, call: ast.Call) -> Iterator[str]:
    where = SAYING.get(name)
    given = call.args[where : where + 1] if where is not None else []
    given += [keyword.value for keyword in call.keywords if keyword.arg == "reason" and (name in BY_NAME or name in SAYING)]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.JoinedStr) and isinstance(value.values[0], ast.Constant):
            yield f"{value.values[0].value}…"


def said_in_the_source() -> set[str]:
    return {word for name, call in calls() for word in words_in(name, call)}


def test_every_word_that_pushkit_itself_says_is_in_the_handbook() -> None:
    """Gathered from the source: whoever adds one hears of it here."""
    defaults = {"invalid_field"}  # of wrong() and Refused(): said where no other word is given
    said = said_in_the_source() | defaults

    assert len(said) > 60
    assert set() == said - {row.reason for row in entries(OWN)}


def test_the_handbook_has_no_word_that_nothing_says() -> None:
    """But for those that the sign-in makes of a fault's word or of Google's, that are raised, or that stand in a variable."""
    made = {"oauth_tls_failed", "oauth_endpoint_not_allowed", "oauth_response_too_large", "oauth_invalid_grant", "invalid_field"}
    made |= {"invalid_vapid_subject", "vapid_keypair_mismatch"}  # of a ConfigurationError
    made |= {"retry_budget_exhausted"}

    assert set() == {row.reason for row in entries(OWN)} - said_in_the_source() - made


REFUSING = {"refuse_payload": ("payload", "fix_payload"), "refuse_recipient": ("recipient", "remove_recipient"),
            "refuse_technical": ("technical", ""), "refused": ("technical", "")}  # fmt: skip
"""What the functions make of a word: category, and the action where none is given."""


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.reason)
def test_a_word_is_sorted_as_the_functions_that_say_it_sort_it(word: Word) -> None:
    """Category, action and scope of every place in the source that spells them."""
    found = [(name, call) for name, call in calls() if name in REFUSING and word.reason in set(words_in(name, call))]
    spelt = [{keyword.arg: getattr(keyword.value, "attr", "").lower() for keyword in call.keywords} for _, call in found]
    actions = {given.get("action", REFUSING[name][1]) for (name, _), given in zip(found, spelt, strict=True)} & set(Action)
    scopes = {given["scope"] for given in spelt if "scope" in given}

    assert {word.category.value} >= {REFUSING[name][0] for name, _ in found}
    assert not actions or word.action.value in actions
    assert not scopes or (word.scope is not None and word.scope.value in scopes)


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (fcm.Registration("").problem(), "invalid_token"),
        (fcm.Topic("a b").problem(), "invalid_topic_name"),
        (fcm.Condition("").problem(), "invalid_condition"),
    ],
)
def test_what_a_check_gives_is_what_the_handbook_says(verdict: Verdict | None, word: str) -> None:
    """Category and disposition of a real refusal."""
    row = next(row for row in find(OWN, [word]) if "fcm" in row.evidence)

    assert verdict is not None
    assert (verdict.reason, verdict.category, verdict.disposition) == (word, row.category, row.disposition)


def test_a_report_in_chinese_and_the_handbook_say_the_same() -> None:
    """One translation for both."""
    for provider in PROVIDERS:
        for row in entries(provider):
            assert advice(provider, row.action, row.advice, "zh") == row.advice_zh
