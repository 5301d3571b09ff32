"""Labels stay few, whatever strangers send."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import pushkit
from pushkit.contrib._labels import OTHER, Bounded, Origins, Reasons, known_reasons

REFERENCE = Path(__file__).parents[2] / "reference"
SOURCE = Path(pushkit.__file__).parent


@pytest.mark.parametrize("provider", ["apns", "fcm", "webpush"])
def test_every_documented_reason_keeps_its_name(provider: str) -> None:
    """No answer in a provider's reference table is called "other"."""
    rows = json.loads((REFERENCE / f"{provider}-errors.json").read_text())
    rows = rows if isinstance(rows, list) else rows["rows"]
    word = Reasons()

    reasons = {reason for row in rows for reason in row["reason"].split(" | ")}
    lost = sorted(reason for reason in reasons if word(provider, reason, 400) == OTHER)

    assert lost == []
    assert len(reasons) > 20


def test_every_reason_of_our_own_code_keeps_its_name() -> None:
    """Whatever word the code refuses with is known as a label."""
    words: dict[str, str] = {}
    for path in SOURCE.rglob("*.py"):
        if path.is_relative_to(SOURCE / "testing"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (node.func.id.startswith("refuse")) and node.args:
                for constant in ast.walk(node.args[0]):
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                        words[constant.value] = path.name
    unknown = {word: where for word, where in words.items() if not any(word in known_reasons(p) for p in ("apns", "fcm", "webpush"))}

    assert unknown == {}, "add them to pushkit/own_reasons.py, or to OWN_REASONS in pushkit/contrib/_labels.py, so that metrics name them"
    assert "payload_too_large" in words


def test_an_unknown_answer_is_other() -> None:
    """A reason that a provider (or a proxy in its name) made up makes no time series."""
    assert Reasons()("apns", "canary-9f2c", 400) == OTHER
    assert Reasons()("apns", "BadDeviceToken", 400) == "BadDeviceToken"


def test_a_status_alone_keeps_its_name() -> None:
    """``http_502`` is bounded by the number of statuses."""
    assert Reasons()("webpush", "http_502", 502) == "http_502"
    assert Reasons()("webpush", "http_99999", 502) == OTHER


def test_a_fourth_provider_brings_its_own_reasons() -> None:
    """Reasons that are given by provider keep their names, for that provider."""
    word = Reasons({"hms": ["80300007"]})

    assert word("hms", "80300007", 200) == "80300007"
    assert word("apns", "80300007", 400) == OTHER


def test_own_words_of_a_fourth_provider_are_bounded() -> None:
    """A reason without an answer is a word in code; even so, not without end."""
    word = Reasons()
    seen = {word("hms", f"own_word_{number}", None) for number in range(1000)}

    assert len(seen) == 201
    assert OTHER in seen


def test_text_is_no_reason() -> None:
    """A sentence never becomes a label."""
    assert Reasons()("hms", "the token <b>abc</b> is bad\n", None) == OTHER


def test_bounded_keeps_the_first() -> None:
    """The first values keep their names, also later."""
    bounded = Bounded(2, always=["known"])

    assert [bounded(value) for value in ("a", "known", "b", "c", "a", "")] == ["a", "known", "b", OTHER, "a", OTHER]


def test_made_up_hosts_are_other_and_well_known_ones_stay() -> None:
    """A flood of invented push services takes no name from a real one."""
    origin = Origins(2)
    seen = {origin(f"https://evil-{number}.example") for number in range(100)}

    assert len(seen) == 3
    assert origin("https://updates.push.services.mozilla.com") == "https://updates.push.services.mozilla.com"


def test_services_that_spread_over_hosts_have_one_name() -> None:
    """Microsoft's and Apple's web push hosts are joined; APNs itself is not."""
    origin = Origins(0)

    assert origin("https://wns2-par02p.notify.windows.com") == "https://*.notify.windows.com"
    assert origin("https://web.push.apple.com") == "https://*.push.apple.com"
    assert origin("https://api.push.apple.com") == "https://api.push.apple.com"
