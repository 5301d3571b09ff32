"""
The result file of a broadcast while it is written: who is begun and what becomes of them.

One JSON line for each event, appended at once: ``t`` (row taken) before a push is handed over, ``r`` (row
ended) with its outcome. It holds row numbers, references, and keyed hashes of addresses and message; the key
lies beside it, readable for its owner alone. No address, no text. What it says later is in ``past.py``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pushkit.cli.past import FORMAT, Past, head_of, read_lines
from pushkit.cli.rows import Row
from pushkit.errors import ConfigurationError
from pushkit.outcomes import Accepted, Outcome
from pushkit.secret import printable_ref
from pushkit.targets import Target

_HASH_DIGITS: Final = 16
SYNC_EVERY: Final = 1.0
"""Seconds after which the file is synced to the disk: a crash of the machine loses no more. One of the process loses nothing."""


class Journal:
    """
    An open result file.

    Args:
        path: of the file; one that exists is gone on with.
        what: what is sent to whom. Another broadcast must not go on in this one's file.

    Raises:
        ConfigurationError: when the file is something else, belongs to another broadcast, is in use, cannot be
            written, or its key is missing.
    """

    def __init__(self, path: Path, *, what: str) -> None:
        self.path = path
        self.key_path = path.with_name(path.name + ".key")
        self.past = Past()
        self.broken: str | None = None
        """Why nothing more can be written."""
        self._begun = False
        self._synced = time.monotonic()
        if path.exists() and not path.is_file():
            raise ConfigurationError(f'"{path}": is no ordinary file; name another one with --result')
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            raise ConfigurationError(f'"{path}": cannot be written ({error.strerror})') from None
        try:
            self._lock()
            self.resumed = os.fstat(self._file).st_size > 0
            if self.resumed:
                self.broadcast_id = self._load(what)
            else:
                self.broadcast_id = self._begin(what)
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        if error is not None and not self.resumed and not self._begun:
            # Nothing was begun: what is corrected now may be another message or list, and this file would refuse it.
            self.path.unlink(missing_ok=True)
            self.key_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Sync and close. Idempotent."""
        if self._file >= 0:
            self._sync()
            os.close(self._file)
            self._file = -1

    # -- writing ---------------------------------------------------------------------------------------

    def taken(self, row: Row, target: object) -> None:
        """
        This row is handed over now: from here on it may have been sent.

        Raises:
            ConfigurationError: when that cannot be written, so that it must not be handed over.
        """
        self._begun = True
        line: dict[str, Any] = {"t": row.number, "h": self.hashed(target), "at": self.past.since.get(row.number) or int(time.time())}
        if row.named:
            line["ref"] = printable_ref(row.ref)
        self._write(line)
        self._raise_if_broken()

    def ended(self, row: Row, outcome: Outcome) -> None:
        """What became of a row. Where that cannot be written, the row stays in doubt: it is named when the broadcast goes on."""
        line: dict[str, Any] = {"r": row.number, "p": outcome.provider}
        if outcome.label is not None:
            line["l"] = outcome.label
        if getattr(outcome.target, "fan_out", False):
            line["f"] = True
        if not isinstance(outcome, Accepted):
            line |= {
                "c": outcome.category.value,
                "why": outcome.reason,
                "do": outcome.action.value,
                "say": outcome.advice,
                "d": outcome.disposition.value,
                "s": outcome.scope.value if outcome.scope else None,
                "again": outcome.retryable,
                "at": outcome.retry_at.timestamp() if outcome.retry_at else None,
                "ref": printable_ref(row.ref),
            }
        self._write(line)

    def _write(self, line: dict[str, Any]) -> None:
        # One write for one line: a process that is killed leaves whole lines, or one cut one at the end.
        self._append(json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        if time.monotonic() - self._synced >= SYNC_EVERY:
            self._sync()

    def _append(self, data: bytes) -> None:
        try:
            while data and self.broken is None:  # a disk that fills up takes a part, and refuses the rest
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self.broken = error.strerror

    def _raise_if_broken(self) -> None:
        if self.broken is not None:
            raise ConfigurationError(f'"{self.path}": cannot be written ({self.broken})')

    def _sync(self) -> None:
        try:
            os.fsync(self._file)
        except OSError as error:
            self.broken = self.broken or error.strerror
        self._synced = time.monotonic()

    def hashed(self, target: object) -> str:
        """A keyed hash of a target's address: tells whether a row still holds the same recipient, and nothing else."""
        address = repr(target.address) if isinstance(target, Target) else type(target).__name__
        app = target.app if isinstance(target, Target) else ""
        return self._keyed(f"{app}\0{address}")

    def _keyed(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_HASH_DIGITS]

    # -- beginning and going on ------------------------------------------------------------------------

    def _lock(self) -> None:
        """Two runs on one file would send twice. The lock ends with the process, however that ends."""
        if sys.platform == "win32":
            return
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f'"{self.path}": another broadcast is writing it; wait until that has ended, or name another file with --result'
            ) from None
        except OSError:
            return  # a file system without locks

    def _begin(self, what: str) -> str:
        self._key = secrets.token_bytes(32)
        self._write_key()
        made = str(uuid.uuid4())
        self._write({"pushkit_result": FORMAT, "id": made, "what": self._keyed(what)})
        if self.broken is not None:
            os.ftruncate(self._file, 0)  # half a first line would look like somebody else's file
        self._raise_if_broken()
        return made

    def _write_key(self) -> None:
        try:
            file = os.open(self.key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(file, "wb") as handle:
                handle.write(self._key.hex().encode())
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            raise ConfigurationError(f'"{self.key_path}": cannot be written ({error.strerror})') from None

    def _load(self, what: str) -> str:
        lines = read_lines(self.path)
        head = head_of(lines)
        if head is None:
            raise ConfigurationError(
                f'"{self.path}": is no result file of a broadcast (of format {FORMAT}); name another file with --result'
            )
        try:
            self._key = bytes.fromhex(self.key_path.read_text("ascii"))
        except (OSError, ValueError):
            self._key = b""
        if len(self._key) != 32:
            raise ConfigurationError(
                f'"{self.key_path}": the key of the result file is missing or spoiled; without it nobody can tell whether the rows are still the same. '
                "Put it back, or begin anew with another --result (which sends to everybody)"
            )
        if head["what"] != self._keyed(what):
            raise ConfigurationError(
                f'"{self.path}": belongs to another broadcast (its message or its recipients\' source differ), or its key does; '
                "name another file with --result"
            )
        self.past.read(lines)
        # A line that a kill cut in two must not swallow the next one.
        os.lseek(self._file, -1, os.SEEK_END)
        if os.read(self._file, 1) != b"\n":
            self._append(b"\n")
            self._raise_if_broken()
        return str(head["id"])

    def check_row(self, row: int, target: object) -> None:
        """
        Make sure that a row which was begun is still the same recipient.

        Raises:
            ConfigurationError: when it is another one.
        """
        known = self.past.hashes.get(row)
        if known is not None and known != self.hashed(target):
            raise ConfigurationError(f"row {row} holds another recipient than in the earlier run{_CHANGED}")

    def check_end(self, rows: int) -> None:
        """
        Make sure that every row which was begun is still there.

        Raises:
            ConfigurationError: when the list is shorter.
        """
        last = max(self.past.hashes, default=0)
        if last > rows:
            raise ConfigurationError(f"the list has {rows} rows, and an earlier run had begun row {last}{_CHANGED}")


_CHANGED: Final = (
    ": the recipients changed in between, so rows cannot be told apart. "
    "Use the same file or a query with ORDER BY on a stable column, or begin anew with another --result"
)
