"""
What a result file says: how each row ended, which rows are in doubt, and which may have got it twice.

After a crash, a row that was taken and has not ended may or may not have been sent: it is *in doubt*. One
that was taken again while in doubt, or after an outcome that left it open, may have arrived *twice*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import attrs

from pushkit.errors import ConfigurationError
from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.report import Group, Report

FORMAT: Final = 1


@attrs.define
class Past:
    """What earlier runs left behind."""

    ended: dict[int, dict[str, Any]] = attrs.field(factory=dict[int, dict[str, Any]])
    """The last outcome of each row that has one."""
    doubtful: set[int] = attrs.field(factory=set[int])
    """Rows that were taken and have no outcome since."""
    twice: set[int] = attrs.field(factory=set[int])
    """Rows that were taken again although they may have been sent."""
    hashes: dict[int, str] = attrs.field(factory=dict[int, str])
    """Keyed hash of the address that each row held when it was taken."""
    since: dict[int, int] = attrs.field(factory=dict[int, int])
    """When a row that may be sent again was taken first: it does not outlive that moment by more than its time to live."""
    refs: dict[int, str] = attrs.field(factory=dict[int, str])
    """The caller's own references of rows that may have to be named."""

    def read(self, lines: Iterable[dict[str, Any]]) -> None:
        """Take in the lines that follow the first."""
        alike: dict[tuple[Any, ...], dict[str, Any]] = {}
        for line in lines:
            if "t" in line:
                self._taken(line)
            else:
                row = line["r"]
                self.doubtful.discard(row)
                # A million accepted rows say the same; one dictionary for all of them keeps a resumed broadcast small.
                self.ended[row] = line if "c" in line else alike.setdefault((line["p"], line.get("l"), line.get("f")), _bare(line))
                if "c" not in line:
                    self.since.pop(row, None)
                    if row not in self.twice:
                        self.refs.pop(row, None)

    def _taken(self, line: dict[str, Any]) -> None:
        row = line["t"]
        if row in self.doubtful or is_open(self.ended.get(row)):
            self.twice.add(row)
        self.doubtful.add(row)
        self.hashes[row] = line["h"]
        if line.get("at"):
            self.since.setdefault(row, line["at"])
        if line.get("ref"):
            self.refs[row] = line["ref"]

    def named(self, rows: Iterable[int]) -> list[NamedRow]:
        """Rows as a person can look them up."""
        return [NamedRow(row, self.refs.get(row)) for row in sorted(rows)]


@attrs.frozen
class NamedRow:
    """A row of the list that somebody may want to look up: its number, and the caller's own reference where it has one."""

    row: int
    ref: str | None

    def __str__(self) -> str:
        return f"{self.row} ({self.ref})" if self.ref else str(self.row)

    def as_dict(self) -> dict[str, Any]:
        """As data."""
        return {"row": self.row, "ref": self.ref}


def is_open(ended: dict[str, Any] | None) -> bool:
    """Whether an outcome leaves open if the push arrived."""
    return ended is not None and ended.get("d") == Disposition.UNKNOWN.value


def is_ours(ended: dict[str, Any]) -> bool:
    """Whether a row failed because of our own credentials or configuration, which are mended when the broadcast goes on."""
    return ended.get("s") in {Scope.CREDENTIAL.value, Scope.CONFIGURATION.value} and not is_open(ended)


def _bare(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("p", "l", "f") if name in line}


# -- lines ----------------------------------------------------------------------------------------------


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a result file; what is no whole line (cut by a kill, or spoiled) is left out."""
    try:
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
    except OSError as error:
        raise ConfigurationError(f'"{path}": cannot be read ({error.strerror})') from None


def head_of(lines: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
    """The first line of a result file; None when it is none."""
    head = next(lines, None)
    return head if head is not None and head.get("pushkit_result") == FORMAT else None


def _is_whole(fields: dict[str, Any]) -> bool:
    """Whether a line is one that a broadcast writes. One that somebody else wrote leaves its row in doubt, like one that was cut."""
    if "pushkit_result" in fields:
        return _all(fields, str, "id", "what")
    if "t" in fields:
        return _is_row(fields["t"]) and _all(fields, str, "h") and _is_time(fields.get("at")) and _maybe(fields, "ref")
    if not (_is_row(fields.get("r")) and _all(fields, str, "p") and _maybe(fields, "l", "s", "ref") and fields.get("f") in (None, True)):
        return False
    return "c" not in fields or (
        fields["c"] in _CATEGORIES
        and fields.get("do") in _ACTIONS
        and fields.get("d") in _DISPOSITIONS
        and _all(fields, str, "why", "say")
        and _all(fields, bool, "again")
        and _is_time(fields.get("at"))
    )


_CATEGORIES: Final = [category.value for category in Category]  # lists: what a stranger wrote need not have a hash
_ACTIONS: Final = [action.value for action in Action]
_DISPOSITIONS: Final = [disposition.value for disposition in Disposition]


_END_OF_TIME: Final = 1e11
"""Seconds since 1970: beyond what a calendar holds with a time to live added."""


def _is_row(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_time(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and 0 <= value < _END_OF_TIME)


def _all(fields: dict[str, Any], kind: type, *names: str) -> bool:
    return all(isinstance(fields.get(name), kind) for name in names)


def _maybe(fields: dict[str, Any], *names: str) -> bool:
    return all(fields.get(name) is None or isinstance(fields[name], str) for name in names)


# -- reports --------------------------------------------------------------------------------------------


def is_result_file(path: Path) -> bool:
    """Whether a file begins as a result file does."""
    return head_of(read_lines(path)) is not None


def report_of(path: Path) -> tuple[Report, Past]:
    """
    The report that a result file stands for, and all that it says.

    Raises:
        ConfigurationError: when it is no result file.
    """
    lines = read_lines(path)
    if head_of(lines) is None:
        raise ConfigurationError(f'"{path}": is no result file of a broadcast (of format {FORMAT})')
    past = Past()
    past.read(lines)
    report = Report(keep="none")
    for line in past.ended.values():
        count_line(report, line)
    return report, past


_COLUMNS = {Category.TECHNICAL: 1, Category.PAYLOAD: 2, Category.RECIPIENT: 3}


def count_line(report: Report, line: dict[str, Any]) -> None:
    """Add one ended row to a report."""
    fan_out = int(bool(line.get("f")))
    counts = [0, 0, 0, 0, fan_out]
    label, provider = line.get("l"), line["p"]
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
                reason=line["why"],
                action=Action(line["do"]),
                advice=line["say"],
                count=1,
                unknown=int(is_open(line)),
                retryable=int(line["again"]),
                fan_out=fan_out,
                refs=(line["ref"],) if line.get("ref") else (),
            )
        )
    report.add_row(label, provider, counts)
