"""
Recipients from CSV or JSONL (or a database, see ``database.py``): rows in, targets out.

A row that is no recipient becomes a target that fails with a recipient failure, so that it is counted and
named like every other: nothing is dropped on the way in.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO, cast

import attrs

from pushkit import apns, fcm, webpush
from pushkit.cli import database
from pushkit.cli.database import TELLING
from pushkit.errors import ConfigurationError
from pushkit.targets import Target

COLUMNS: Final = (
    ("provider", '"apns", "fcm" or "webpush"; may be left out where --provider says it or the other columns tell'),
    ("token", "the device token (APNs) or registration token (FCM)"),
    ("environment", 'APNs: "production" or "sandbox"'),
    ("topic", "FCM: a topic instead of a token"),
    ("condition", "FCM: a condition instead of a token"),
    ("fid", "FCM: a Firebase installation id instead of a token"),
    ("endpoint, p256dh, auth", "Web Push: the subscription's three parts"),
    ("subscription", "Web Push: the subscription as JSON, instead of the three"),
    ("ref", "your own reference, which reports show"),
    ("app", "which configured app"),
)
"""What a row may hold; other columns are ignored."""


def rows_of(source: str, query: str | None = None) -> Iterator[Any]:
    """
    Rows of a file (``.csv``, ``.tsv``, ``.jsonl``) or of a database's query, one by one.

    A line of JSONL that is no JSON gives None: it is a row all the same.

    Raises:
        ConfigurationError: when there is no such source, or it cannot be read.
    """
    if database.is_database(source):
        yield from database.rows_of(source, query)
        return
    path = Path(source)
    if query is not None:
        raise ConfigurationError("--query is for a database; --to is a file here (a database is a URL, such as sqlite:///people.db)")
    if not path.is_file():
        raise ConfigurationError(f'"{path}": no such file (looked in {path.absolute().parent})')
    kind = path.suffix.lower()
    reader = _csv_rows if kind in {".csv", ".tsv"} else _json_rows if kind in {".jsonl", ".ndjson", ".json"} else None
    if reader is None:
        raise ConfigurationError(f'"{path}": expected a name that ends in .csv, .tsv or .jsonl, or the URL of a database')
    try:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            yield from reader(path, file)
    except OSError as error:
        raise ConfigurationError(f'"{path}": cannot be read ({error.strerror})') from None


_LONGEST_HEAD: Final = 65_536
"""Characters of a first line that are looked at: column names are short, and a file of another kind may be one long line."""


def _csv_rows(path: Path, file: TextIO) -> Iterator[Any]:
    first = file.readline(_LONGEST_HEAD)
    if not first.strip():
        raise ConfigurationError(f'"{path}": is empty; expected a first line with the names of the columns')
    if "\0" in first:
        raise ConfigurationError(f'"{path}": is no UTF-8 text; save it as UTF-8')
    # Spreadsheets of half of Europe write semicolons into a file that ends in .csv.
    delimiter = next((mark for mark in ",;\t" if TELLING & set(_columns(first, mark))), None)
    if delimiter is None:
        raise ConfigurationError(f'"{path}": the first line names no column with an address; expected some of {", ".join(sorted(TELLING))}')
    names = [name for name in _columns(first, delimiter) if name in _KNOWN]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f'"{path}": the column {twice[0]} is there twice; which one is meant?')
    file.seek(0)
    reader = csv.DictReader(file, delimiter=delimiter, strict=True)
    begins = 2
    try:
        for row in reader:
            yield row
            begins = reader.line_num + 1
    except csv.Error as error:
        # Where a quotation mark is missing nobody can tell where the next row begins, and rows would be swallowed.
        raise ConfigurationError(
            f'"{path}": the row that begins in line {begins} cannot be read ({error}); is a quotation mark missing or too many?'
        ) from None


def _columns(line: str, delimiter: str) -> list[str]:
    return [name.strip().lower() for names in csv.reader([line], delimiter=delimiter) for name in names]


def _json_rows(path: Path, file: TextIO) -> Iterator[Any]:
    begun = False
    for line in file:
        if not line.strip():
            continue
        if not begun and line.lstrip().startswith("["):
            raise ConfigurationError(f'"{path}": is one JSON array; expected an object on each line (jq -c ".[]" makes that of it)')
        begun = True
        yield _json(line)


_KNOWN: Final = frozenset(name for names, _ in COLUMNS for name in names.split(", "))


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def count_of(source: str, query: str | None = None) -> int | None:
    """About how many rows there will be, for a progress bar; None when that is not cheaply known."""
    if database.is_database(source):
        return database.count_of(source, query) if query else None
    path = Path(source)
    last = b"\n"
    lines = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                lines += chunk.count(b"\n")
                last = chunk[-1:]
    except OSError:
        return None
    lines += last != b"\n"  # the last line may have no end
    return max(lines - (1 if path.suffix.lower() in {".csv", ".tsv"} else 0), 0)


@attrs.frozen
class Row:
    """The ``ref`` of a row's target: where it stood, and the caller's own reference."""

    number: int
    ref: object
    expires_at: datetime | None = None
    """When it is too late for it, where an earlier run had begun it: it must not outlive that."""

    @property
    def named(self) -> bool:
        """Whether the reference is the caller's own."""
        return self.ref != f"row {self.number}"


@attrs.frozen
class NoTarget:
    """A row that holds no recipient. It is no target, so sending refuses it as ``invalid_target`` and it is counted."""

    ref: Row


def target_of(row: Any, number: int, default_provider: str | None = None) -> Any:
    """
    The target in a row, with a :class:`Row` as its ``ref``; a :class:`NoTarget` for a row that holds none.

    Args:
        row: a mapping of column names to values.
        number: of the row, 1 for the first: its ``ref`` when the row has none.
        default_provider: for rows that do not say.
    """
    if not isinstance(row, Mapping):
        return NoTarget(Row(number, f"row {number}"))
    fields = cast("Mapping[Any, Any]", row)
    values: dict[str, Any] = {
        str(name).strip().lower(): value for name, value in fields.items() if name is not None and value is not None and value != ""
    }
    ref = Row(number, values.get("ref", f"row {number}"))
    provider = str(values.get("provider") or default_provider or _told(values)).strip().lower()
    maker = _MAKERS.get(provider)
    return NoTarget(ref) if maker is None else maker(values, {"ref": ref, "app": str(values.get("app", "default"))})


def _told(values: Mapping[str, Any]) -> str:
    if "endpoint" in values or "subscription" in values:
        return "webpush"
    if {"topic", "condition", "fid"} & values.keys():
        return "fcm"
    token = values.get("token")
    if isinstance(token, str):
        # An FCM registration token has a colon; an APNs token is hexadecimal. Anything else says nothing.
        return "fcm" if ":" in token else "apns" if all(character in "0123456789abcdefABCDEF" for character in token) else ""
    return ""


def _apns(values: Mapping[str, Any], common: Mapping[str, Any]) -> Target:
    return apns.Device(values.get("token"), environment=values.get("environment"), **common)  # type: ignore[arg-type]  # sending finds what is wrong


def _fcm(values: Mapping[str, Any], common: Mapping[str, Any]) -> Target:
    if "topic" in values:
        return fcm.Topic(values["topic"], **common)
    if "condition" in values:
        return fcm.Condition(values["condition"], **common)
    if "fid" in values:
        return fcm.Installation(values["fid"], **common)
    return fcm.Registration(values.get("token"), **common)  # type: ignore[arg-type]  # sending finds what is wrong


def _webpush(values: Mapping[str, Any], common: Mapping[str, Any]) -> Target:
    if "subscription" in values:
        return webpush.Subscription.from_json(values["subscription"], **common)
    return webpush.Subscription(values.get("endpoint"), p256dh=values.get("p256dh"), auth=values.get("auth"), **common)  # type: ignore[arg-type]  # sending finds what is wrong


_MAKERS: Final[Mapping[str, Any]] = {"apns": _apns, "fcm": _fcm, "webpush": _webpush}
