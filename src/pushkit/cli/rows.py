"""
Recipients from CSV, JSONL or a database: rows in, targets out.

A row that is no recipient becomes a target that fails with a recipient failure, so that it is counted and
named like every other: nothing is dropped on the way in.
"""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs

from pushkit import apns, fcm, webpush
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
    if "://" in source:
        yield from _database_rows(source, query)
        return
    path = Path(source)
    if query is not None:
        raise ConfigurationError("--query is for a database; --to is a file here (a database is a URL, such as sqlite:///people.db)")
    if not path.is_file():
        raise ConfigurationError(f'"{path}": no such file (looked in {path.absolute().parent})')
    kind = path.suffix.lower()
    if kind in {".csv", ".tsv"}:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            reader = csv.DictReader(file, delimiter="\t" if kind == ".tsv" else ",", strict=False)
            if not reader.fieldnames:
                raise ConfigurationError(f'"{path}": is empty; expected a first line with the names of the columns')
            if not {name.strip().lower() for name in reader.fieldnames if name} & _TELLING:
                raise ConfigurationError(
                    f'"{path}": the first line names no column with an address; expected some of {", ".join(sorted(_TELLING))}'
                )
            yield from reader
    elif kind in {".jsonl", ".ndjson", ".json"}:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if line.strip():
                    yield _json(line)
    else:
        raise ConfigurationError(f'"{path}": expected a name that ends in .csv, .tsv or .jsonl, or the URL of a database')


_TELLING: Final = frozenset({"token", "topic", "condition", "fid", "endpoint", "subscription"})


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _database_rows(url: str, query: str | None) -> Iterator[Any]:
    if not query:
        raise ConfigurationError('a database needs --query, such as "SELECT token, id AS ref FROM devices ORDER BY id"')
    sqlalchemy = _sqlalchemy()
    try:
        engine = sqlalchemy.create_engine(url)
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError, ImportError):
        # The URL may hold a password, and these errors quote it.
        raise ConfigurationError(
            "--to: this database URL cannot be used; expected one of SQLAlchemy's, with its driver installed"
        ) from None
    try:
        with engine.connect().execution_options(stream_results=True, yield_per=1000) as connection:
            for row in connection.execute(sqlalchemy.text(query)).mappings():
                yield dict(row)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise ConfigurationError(f"--query: the database refused it ({type(error).__name__}: {clean_error(error)})") from None
    finally:
        engine.dispose()


def clean_error(error: Any) -> str:
    """What the driver said, without the statement and its parameters."""
    from pushkit.secret import clean

    return clean(str(getattr(error, "orig", None) or type(error).__name__), limit=200)


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
    except ImportError:
        raise ConfigurationError(
            "reading from a database needs SQLAlchemy: pip install sqlalchemy (and the driver of your database)"
        ) from None
    # At DEBUG it logs every row, and rows are addresses; at INFO the query.
    for name in ("sqlalchemy.engine", "sqlalchemy.engine.Engine"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return sqlalchemy


def count_of(source: str, query: str | None = None) -> int | None:
    """How many rows there will be, for a progress bar; None when that is not cheaply known."""
    if "://" in source:
        if not query:
            return None
        sqlalchemy = _sqlalchemy()
        try:
            engine = sqlalchemy.create_engine(url=source)
            try:
                with engine.connect() as connection:
                    bare = query.strip().rstrip(";")
                    return int(connection.execute(sqlalchemy.text(f"SELECT count(*) FROM ({bare}) AS counted")).scalar_one())  # noqa: S608 - the caller's own query
            finally:
                engine.dispose()
        except (sqlalchemy.exc.SQLAlchemyError, ImportError):
            return None  # some databases refuse ORDER BY in a subquery; the bar then has no end
    path = Path(source)
    try:
        with path.open("rb") as file:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return None
    return max(lines - (1 if path.suffix.lower() in {".csv", ".tsv"} else 0), 0)


@attrs.frozen
class Row:
    """The ``ref`` of a row's target: where it stood, and the caller's own reference."""

    number: int
    ref: object


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
