"""The mapping table says what the encoders do, for every field and provider."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from pushkit import InterruptionLevel, Notification, Priority, apns, fcm
from pushkit.apns.encode import ApnsPrepared
from pushkit.apns.encode import prepare as prepare_apns
from pushkit.fcm.encode import prepare as prepare_fcm
from pushkit.preview.mapping import BY_FIELD, PROVIDERS, TABLE, as_markdown
from pushkit.preview.payloads import _Moment, _WebPushLimits
from pushkit.provider import Stamp
from pushkit.verdict import Verdict
from pushkit.webpush.encode import PreparedPush
from pushkit.webpush.encode import prepare as prepare_webpush

DOCS = Path(__file__).parents[3] / "docs" / "preview.md"
PLAIN = Notification(title="Title", body="Body")

SAID: dict[str, list[Any]] = {
    "title": ["Another"],
    "subtitle": ["Subtitle"],
    "body": ["Other"],
    "image": ["https://cdn.example/p.png"],
    "icon": ["ic_bell", "https://cdn.example/i.png"],
    "badge": [7],
    "sound": ["chime.caf"],
    "link": ["https://example.com/a"],
    "category": ["REPLY"],
    "group": ["chat-1"],
    "collapse_key": ["score-2"],
    "data": [{"order": "4711"}],
    "priority": [Priority.NORMAL],
    "interruption": [InterruptionLevel.PASSIVE, InterruptionLevel.TIME_SENSITIVE],
    "background": [True],
    "ttl": [3600],
    "label": ["spring-sale"],
}


def sent(provider: str, notification: Notification, stamp: Stamp | None = None, expires_at: float = 86_400.0) -> dict[str, Any]:
    """Everything that goes out: the JSON, with the headers beside it."""
    stamp = stamp or Stamp(key="k", dedupe=False)
    if provider == "apns":
        prepared = prepare_apns(notification, apns.Device, stamp, "com.example.app")
        assert isinstance(prepared, ApnsPrepared), prepared
        fields = {name.decode(): value.decode() for name, value in prepared.base}
        if prepared.collapse is not None:
            fields["apns-collapse-id"] = prepared.collapse.decode()
        fields["apns-expiration"] = str(expires_at)
        return {**json.loads(prepared.body), **fields}
    if provider == "fcm":
        made = prepare_fcm(notification, fcm.Registration, stamp)
        assert not isinstance(made, Verdict), made
        message = json.loads(made.body("t", cast("Any", attrs.evolve(_Moment(), expires_at=expires_at))))["message"]
        for block in ("apns", "webpush"):
            message |= message.get(block, {}).get("headers", {})
        return message
    pushed = prepare_webpush(notification, stamp, cast("Any", _WebPushLimits()))
    assert isinstance(pushed, PreparedPush), pushed
    assert pushed.record is not None
    fields = {name.decode(): value.decode() for name, value in pushed.block(int(expires_at), microsoft=False).fields}
    fields.pop("content-length")
    # Header names of HTTP/2 are in lower case; the table has them as the RFC writes them.
    return {**json.loads(pushed.record[:-1]), "Urgency": fields["urgency"], "TTL": fields["ttl"], "Topic": fields.get("topic")}


def with_field(field: str, value: Any) -> Notification:
    if field == "background":
        return Notification(background=True, data={"a": "b"})
    return attrs.evolve(PLAIN, **{field: value})


def at(payload: dict[str, Any], path: str) -> Any:
    value: Any = payload
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def places(goes_to: str) -> list[str]:
    return [name.strip() for name in re.split(r",| or ", re.sub(r"\([^)]*\)", "", goes_to)) if name.strip()]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("field", [field for field in SAID if field != "ttl"])
def test_a_field_is_sent_exactly_where_the_table_says_so(field: str, provider: str) -> None:
    """A cell without a place changes nothing on the wire; one with a place changes something."""
    changed = any(sent(provider, with_field(field, value)) != sent(provider, PLAIN) for value in SAID[field])

    assert bool(BY_FIELD[field].cell(provider).goes_to) == changed


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("field", [field for field in SAID if field not in {"ttl", "background"}])
def test_the_places_of_the_table_hold_the_field(field: str, provider: str) -> None:
    """Each named place differs from what is there without the field, for one of its values."""
    base = sent(provider, PLAIN)
    variants = [sent(provider, with_field(field, value)) for value in SAID[field]]
    words = {"beside aps": "order"}
    named = [words.get(place, place) for place in places(BY_FIELD[field].cell(provider).goes_to)]

    assert [] == [place for place in named if all(at(found, place) == at(base, place) for found in variants)]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_lifetime_is_in_its_places(provider: str) -> None:
    """Where the table says that the time to live goes, another lifetime makes another value."""
    short, long = sent(provider, PLAIN, expires_at=3600.0), sent(provider, PLAIN, expires_at=7200.0)

    assert [] == [place for place in places(BY_FIELD["ttl"].cell(provider).goes_to) if at(short, place) == at(long, place)]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_identity_fills_the_places_that_are_empty(provider: str) -> None:
    """Where the table says that ``key`` goes, the call's identity is found."""
    found = sent(provider, PLAIN, Stamp(key="identity-1", dedupe=True))

    assert ["identity-1"] * len(places(BY_FIELD["key"].cell(provider).goes_to)) == [
        at(found, place) for place in places(BY_FIELD["key"].cell(provider).goes_to)
    ]


def test_the_table_has_every_portable_field() -> None:
    """A new field of Notification needs a row."""
    fields = {field.name for field in attrs.fields(Notification)} - {"options", "expires_at"}

    assert fields == {row.field for row in TABLE}


def test_the_documentation_shows_this_table() -> None:
    """The page holds the table as it is made from the data."""
    assert as_markdown() in DOCS.read_text(encoding="utf-8"), (
        "paste the output of pushkit.preview.mapping.as_markdown() into docs/preview.md"
    )
