"""Every row of the reference tables, held against what ``explain`` says and what the documentation shows."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.unit.fcm.answers import SEND_ANSWERS, key_of
from tests.unit.webpush.answers import answer_for

from pushkit.cli.explain import explain
from pushkit.cli.explain_text import as_text, facts, headline
from pushkit.cli.handbook import entries

ROOT = Path(__file__).parents[3]
BY_WORDS: dict[str, tuple[str, ...]] = {
    "400 INVALID_ARGUMENT + ApnsError BadDeviceToken/Unregistered while live_activity_token set": (
        "INVALID_ARGUMENT",
        "live activity gone",
    ),
    "400 INVALID_ARGUMENT: topic/condition malformed": ("INVALID_ARGUMENT", "payload topic"),
    "429 QUOTA_EXCEEDED (topic)": ("QUOTA_EXCEEDED", "quota topic"),
    "None connect/DNS/TLS failure": ("connect_failed",),
    "None read timeout or reset after send": ("timeout",),
    "None HTTP/2 GOAWAY / stream refused": ("refused_stream",),
    "400 token endpoint invalid_grant": ("oauth_invalid_grant",),
    "None token endpoint 408/429/500/503/504": ("oauth_unavailable",),
    "404 topicSubscriptions.delete/get": ("NOT_FOUND", "topics missing"),
    "200 IID result NOT_FOUND": ("NOT_FOUND", "iid not found"),
    "200 IID result INVALID_ARGUMENT": ("INVALID_ARGUMENT", "iid invalid"),
    "200 IID result TOO_MANY_TOPICS": ("TOO_MANY_TOPICS",),
    "200 IID result RESOURCE_EXHAUSTED": ("RESOURCE_EXHAUSTED", "iid rate"),
    "200 IID result PERMISSION_DENIED": ("PERMISSION_DENIED", "iid denied"),
    "200 IID result INTERNAL|UNKNOWN|DEADLINE_EXCEEDED": ("INTERNAL", "iid server"),
}
"""FCM rows that no answer alone tells (what was sent decides), and those that are no answer to a push: asked for in words."""


def table(provider: str) -> list[dict[str, Any]]:
    return json.loads((ROOT / "tests" / "reference" / f"{provider}-errors.json").read_text("utf-8"))


def explained_apns(row: dict[str, Any]) -> dict[str, Any]:
    return explain("apns", [str(row["status"]), row["reason"]])


def explained_fcm(row: dict[str, Any]) -> dict[str, Any]:
    key = key_of(row)
    if key in BY_WORDS:
        return explain("fcm", BY_WORDS[key])
    answer = SEND_ANSWERS[key][0]
    return explain("fcm", [], raw=f"HTTP/2 {answer.status}\n\n{answer.body.decode()}")


def explained_webpush(row: dict[str, Any]) -> dict[str, Any]:
    if row["service"] == "client":
        return explain("webpush", [row["reason"]])
    said = answer_for(row)
    head = "\n".join(f"{name.decode()}: {value.decode()}" for name, value in said.headers)
    return explain("webpush", [], raw=f"HTTP/1.1 {said.status} \n{head}\n\n{said.body.decode()}", service=row["service"])


ASK = {"apns": explained_apns, "fcm": explained_fcm, "webpush": explained_webpush}
ROWS = [
    pytest.param(provider, row, id=f"{provider} {row.get('service', '')} {row.get('code') or row.get('error_code') or row['reason']}"[:90])
    for provider in ASK
    for row in table(provider)
]


@cache
def extension() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reason_tables", ROOT / "docs" / "_ext" / "reason_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def documented(provider: str, language: str) -> dict[str, str]:
    """The text of each row of a page, by anchor."""
    from docutils import nodes

    made = extension().table(list(entries(provider)), language)
    return {row["ids"][0]: row.astext() for row in made.findall(nodes.row) if row["ids"]}


def test_the_copies_are_whole():
    """All rows of the reference take part."""
    assert {"apns": 42, "fcm": 58, "webpush": 121} == {provider: len(table(provider)) for provider in ASK}


@pytest.mark.parametrize(("provider", "row"), ROWS)
def test_explain_says_what_the_reference_says(provider: str, row: dict[str, Any]):
    """Category, reason, action, disposition, retry, delay and scope: of the verdict, and of the row that the page shows."""
    found = ASK[provider](row)

    for said in (found["verdict"], found["row"]):
        assert row["category"] == said["category"]
        assert said["reason"] in row["reason"].split(" | ")
        assert row["do"].lower() == said["action"]
        assert row["disposition"].lower() == said["disposition"]
        assert row["retryable"] == said["retryable"]
        assert row["min_delay_s"] == said["floor_s"]
        assert row["technical_scope"] == (said["scope"].upper() if said["scope"] else None)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("provider", "row"), ROWS)
def test_the_page_shows_what_the_terminal_shows(provider: str, row: dict[str, Any], language: str):
    """The row at the anchor that ``explain`` names: who has to act, every fact, and the source; in the terminal, too."""
    found = ASK[provider](row)
    named = found["row"]
    page = documented(found["provider"], language)[named["anchor"]]

    assert set() == {text for _, text in facts(named, named, language) if text not in page}
    assert set() == {text for _, text in facts(found["verdict"], named, language) if text not in as_text(found, language)}
    assert headline(named, language) in page
    assert named["advice" if language == "en" else "advice_zh"] in page
    assert found["source_title"] in page or found["source"] == ""
