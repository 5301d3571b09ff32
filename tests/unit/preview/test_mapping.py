"""The mapping table says what the encoders do, for every field, provider and platform."""

from __future__ import annotations

import json
from typing import Any, cast

import attrs
import pytest

from pushkit import InterruptionLevel, Localized, Notification, Priority, apns, fcm
from pushkit.apns.encode import ApnsPrepared
from pushkit.apns.encode import prepare as prepare_apns
from pushkit.fcm.encode import prepare as prepare_fcm
from pushkit.preview.mapping import BY_FIELD, COLUMNS, LOCALIZED, TABLE
from pushkit.preview.payloads import _Moment, _WebPushLimits
from pushkit.provider import Stamp
from pushkit.verdict import Verdict
from pushkit.webpush.encode import PreparedPush
from pushkit.webpush.encode import prepare as prepare_webpush

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
    "label": ["spring-sale"],
    LOCALIZED: [Localized("KEY", ("4711",), "Fallback")],
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
        return json.loads(made.body("t", cast("Any", attrs.evolve(_Moment(), expires_at=expires_at))))["message"]
    pushed = prepare_webpush(notification, stamp, cast("Any", _WebPushLimits()))
    assert isinstance(pushed, PreparedPush), pushed
    assert pushed.record is not None
    fields = {name.decode(): value.decode() for name, value in pushed.block(int(expires_at), microsoft=False).fields}
    fields.pop("content-length")
    # Header names of HTTP/2 are in lower case; the table has them as the RFC writes them.
    return {**json.loads(pushed.record[:-1]), "Urgency": fields["urgency"], "TTL": fields["ttl"], "Topic": fields.get("topic")}


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value of a payload by its path."""
    if not isinstance(value, dict):
        return {path: value}
    return {leaf: item for key, inner in value.items() for leaf, item in leaves(inner, f"{path}.{key}" if path else key).items()}


READ = {
    "apns": ("",),
    "fcm_android": ("notification.", "data.", "fcm_options.", "android."),
    "fcm_ios": ("notification.", "data.", "fcm_options.", "apns."),
    "fcm_browsers": ("notification.", "data.", "fcm_options.", "webpush."),
    "webpush": ("",),
}
"""What of FCM's resource a platform gets to see."""


def places_of(field: str, value: Any, column: str) -> set[str]:
    """Where a field's value travels: what differs from the notification without it."""
    without, with_it = PLAIN, attrs.evolve(PLAIN, **{"title" if field == LOCALIZED else field: value})
    if field == "background":
        without, with_it = attrs.evolve(PLAIN, data={"a": "b"}), Notification(background=True, data={"a": "b"})
    provider = COLUMNS[column].provider
    base, found = leaves(sent(provider, without)), leaves(sent(provider, with_it))
    changed = {path for path, item in found.items() if base.get(path) != item and item not in ("Title", "Body", "")}
    return {path.replace("order", "<key>") for path in changed if path.startswith(READ[column])}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("field", SAID)
def test_a_field_travels_in_the_places_of_the_table_and_nowhere_else(field: str, column: str) -> None:
    """For every field and every platform: what encoding changes is what the table says, place by place."""
    found = set().union(*(places_of(field, value, column) for value in SAID[field]))

    assert set(BY_FIELD[field].cell(column).places) == found


@pytest.mark.parametrize("column", COLUMNS)
def test_a_lifetime_is_in_its_places(column: str) -> None:
    """Another lifetime makes another value there, and nowhere else."""
    provider = COLUMNS[column].provider
    short, long = (leaves(sent(provider, PLAIN, expires_at=seconds)) for seconds in (3600.0, 7200.0))

    assert set(BY_FIELD["ttl"].cell(column).places) == {
        path for path in long if short[path] != long[path] and path.startswith(READ[column])
    }


@pytest.mark.parametrize("column", COLUMNS)
def test_an_identity_fills_the_places_that_are_empty(column: str) -> None:
    """Where the table says that ``key`` goes, the call's identity is found, and nowhere else."""
    found = leaves(sent(COLUMNS[column].provider, PLAIN, Stamp(key="identity-1", dedupe=True)))

    assert set(BY_FIELD["key"].cell(column).places) == {
        path for path, value in found.items() if value == "identity-1" and path.startswith(READ[column])
    }


def test_the_table_has_every_portable_field() -> None:
    """A new field of Notification needs a row."""
    fields = {field.name for field in attrs.fields(Notification)} - {"options", "expires_at"}

    assert fields | {LOCALIZED} == {row.field for row in TABLE}


@pytest.mark.parametrize("field", [row.field for row in TABLE if row.field not in {"label", "key"}])
@pytest.mark.parametrize("column", COLUMNS)
def test_what_is_not_sent_has_a_sentence(field: str, column: str) -> None:
    """An empty cell says what a person does not see."""
    cell = BY_FIELD[field].cell(column)

    assert cell.places or cell.lost or cell.how
