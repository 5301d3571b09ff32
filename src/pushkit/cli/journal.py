"""
The result file of a broadcast: who was begun and what became of them, so that a killed one can go on.

One JSON line for each event, appended at once: ``t`` (row taken) before a push is handed over, ``r`` (row
ended) with its outcome. After a crash, a row that was taken and has not ended may or may not have been
sent: it is *in doubt*, and named. The file holds row numbers and keyed hashes of addresses; the key lies
beside it, readable for its owner alone. No address, no text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import attrs

from pushkit.cli.rows import Row
from pushkit.errors import ConfigurationError
from pushkit.outcomes import Accepted, Action, Category, Disposition, Outcome
from pushkit.report import Group, Report
from pushkit.secret import printable_ref
from pushkit.targets import Target

FORMAT: Final = 1
_NO_LINE: Final[dict[str, Any]] = {}
_HASH_DIGITS = 16
_SYNC_EVERY = 5_000
"""Lines after which the file is synced to the disk: a crash of the machine loses no more. One of the process loses nothing."""


@attrs.define
class Past:
    """What earlier runs left behind."""

    ended: dict[int, dict[str, Any]] = attrs.field(factory=dict[int, dict[str, Any]])
    """The last outcome of each row that has one."""
    doubtful: set[int] = attrs.field(factory=set[int])
    """Rows that were taken and have no outcome since."""
    hashes: dict[int, str] = attrs.field(factory=dict[int, str])
    """Keyed hash of the address that each row held when it was taken."""


class Journal:
    """
    An open result file.

    Raises:
        ConfigurationError: when the file is something else, belongs to another broadcast, or its key is missing.
    """

    def __init__(self, path: Path, *, what: str) -> None:
        self.path = path
        self.key_path = path.with_name(path.name + ".key")
        self.past = Past()
        self._synced = time.monotonic()
        if path.exists() and path.stat().st_size:
            self.broadcast_id = self._load(what)
            self.resumed = True
        else:
            self.broadcast_id = str(uuid.uuid4())
            self.resumed = False
            self._key = secrets.token_bytes(32)
            self._write_key()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if not self.resumed:
            self._write({"pushkit_result": FORMAT, "id": self.broadcast_id, "what": what})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Sync and close. Idempotent."""
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    # -- writing ---------------------------------------------------------------------------------------

    def taken(self, row: int, target: object) -> None:
        """This row is handed over now: from here on it may have been sent."""
        self._write({"t": row, "h": self.hashed(target)})

    def ended(self, row: Row, outcome: Outcome) -> None:
        """What became of a row."""
        line: dict[str, Any] = {"r": row.number, "p": outcome.provider}
        if outcome.label is not None:
            line["l"] = outcome.label
        if not isinstance(outcome, Accepted):
            line |= {
                "c": outcome.category.value,
                "why": outcome.reason,
                "do": outcome.action.value,
                "say": outcome.advice,
                "d": outcome.disposition.value,
                "again": outcome.retryable,
                "at": outcome.retry_at.timestamp() if outcome.retry_at else None,
                "ref": printable_ref(row.ref),
            }
        self._write(line)

    def _write(self, line: dict[str, Any]) -> None:
        # One write for one line: a process that is killed leaves whole lines, or one cut one at the end.
        os.write(self._file, json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        now = time.monotonic()
        if now - self._synced >= _SYNC_EVERY:
            os.fsync(self._file)
            self._synced = now

    def hashed(self, target: object) -> str:
        """A keyed hash of a target's address: tells whether a row still holds the same recipient, and nothing else."""
        address = repr(target.address) if isinstance(target, Target) else type(target).__name__
        app = target.app if isinstance(target, Target) else ""
        return hmac.new(self._key, f"{app}\0{address}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_HASH_DIGITS]

    def _write_key(self) -> None:
        try:
            file = os.open(self.key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise ConfigurationError(f'"{self.key_path}": cannot be written ({error.strerror})') from None
        with os.fdopen(file, "wb") as handle:
            handle.write(self._key.hex().encode())
            handle.flush()
            os.fsync(handle.fileno())

    # -- reading ---------------------------------------------------------------------------------------

    def _load(self, what: str) -> str:
        lines = read_lines(self.path)
        head = next(lines, _NO_LINE)
        if head.get("pushkit_result") != FORMAT:
            raise ConfigurationError(
                f'"{self.path}": is no result file of a broadcast (of format {FORMAT}); name another file with --result'
            )
        if head.get("what") != what:
            raise ConfigurationError(
                f'"{self.path}": belongs to another broadcast (its message or its recipients\' source differ); name another file with --result'
            )
        try:
            self._key = bytes.fromhex(self.key_path.read_text("ascii"))
        except (OSError, ValueError):
            raise ConfigurationError(
                f'"{self.key_path}": the key of the result file is missing or spoiled; without it nobody can tell whether the rows are still the same. '
                "Put it back, or begin anew with another --result (which sends to everybody)"
            ) from None
        alike: dict[tuple[Any, Any], dict[str, Any]] = {}
        for line in lines:
            if "t" in line:
                self.past.doubtful.add(line["t"])
                self.past.hashes[line["t"]] = line["h"]
            elif "r" in line:
                self.past.doubtful.discard(line["r"])
                self.past.ended[line["r"]] = line if "c" in line else _shared(line, alike)
        _end_the_last_line(self.path)
        return str(head["id"])

    def check_row(self, row: int, target: object) -> None:
        """
        Make sure that a row which was begun is still the same recipient.

        Raises:
            ConfigurationError: when it is another one.
        """
        known = self.past.hashes.get(row)
        if known is not None and known != self.hashed(target):
            raise ConfigurationError(
                f"row {row} holds another recipient than in the earlier run: the recipients changed in between, so rows cannot be told apart. "
                "Use the same file or a query with ORDER BY on a stable column, or begin anew with another --result"
            )


def _shared(line: dict[str, Any], alike: dict[tuple[Any, Any], dict[str, Any]]) -> dict[str, Any]:
    # A million accepted rows say the same; one dictionary for all of them keeps a resumed broadcast small.
    return alike.setdefault((line.get("p"), line.get("l")), {name: line[name] for name in ("p", "l") if name in line})


def _end_the_last_line(path: Path) -> None:
    # A line that a kill cut in two must not swallow the next one.
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a result file; what is no whole line (cut by a kill) is left out."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict):
                fields = cast("dict[str, Any]", line)
                if _is_whole(fields):
                    yield fields


def _is_whole(fields: dict[str, Any]) -> bool:
    if "t" in fields:
        return isinstance(fields["t"], int) and isinstance(fields.get("h"), str)
    return "pushkit_result" in fields or isinstance(fields.get("r"), int)


def is_result_file(path: Path) -> bool:
    """Whether a file begins as a result file does."""
    return next(read_lines(path), _NO_LINE).get("pushkit_result") == FORMAT


def report_of(path: Path) -> tuple[Report, list[int]]:
    """
    The report that a result file stands for, and the rows in doubt.

    Raises:
        ConfigurationError: when it is no result file.
    """
    lines = read_lines(path)
    if next(lines, _NO_LINE).get("pushkit_result") != FORMAT:
        raise ConfigurationError(f'"{path}": is no result file of a broadcast (of format {FORMAT})')
    last: dict[int, dict[str, Any]] = {}
    doubtful: set[int] = set()
    for line in lines:
        if "t" in line:
            doubtful.add(line["t"])
        elif "r" in line:
            doubtful.discard(line["r"])
            last[line["r"]] = line
    report = Report(keep="none")
    for line in last.values():
        count_line(report, line)
    return report, sorted(doubtful)


_COLUMNS = {Category.TECHNICAL: 1, Category.PAYLOAD: 2, Category.RECIPIENT: 3}


def count_line(report: Report, line: dict[str, Any]) -> None:
    """Add one ended row to a report."""
    counts = [0, 0, 0, 0, 0]
    label, provider = line.get("l"), str(line.get("p", ""))
    if "c" not in line:
        counts[0] = 1
    else:
        category = Category(line["c"])
        counts[_COLUMNS[category]] = 1
        report.add_group(
            Group(
                label=label,
                provider=provider,
                category=category,
                reason=str(line["why"]),
                action=Action(line["do"]),
                advice=str(line["say"]),
                count=1,
                unknown=int(line["d"] == Disposition.UNKNOWN.value),
                retryable=int(bool(line["again"])),
                refs=(line["ref"],) if line.get("ref") else (),
            )
        )
    report.add_row(label, provider, counts)
