"""``report``: stored reports and result files, shown, joined and compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import attrs

from pushkit.cli.past import NamedRow, is_result_file, report_of
from pushkit.cli.summary import some, terminal_columns
from pushkit.cli.words import words_of
from pushkit.errors import ConfigurationError
from pushkit.report import Report
from pushkit.report.words import Language


@attrs.define
class Stored:
    """Reports that were read and joined, and what result files say about single rows."""

    report: Report
    doubtful: list[FileRow] = attrs.field(factory=list["FileRow"])
    """Rows that were begun and have no outcome."""
    twice: list[FileRow] = attrs.field(factory=list["FileRow"])
    """Rows that may have arrived twice."""


@attrs.frozen
class FileRow:
    """A row, and the result file that it is in where there are several."""

    row: NamedRow
    file: str | None

    def __str__(self) -> str:
        return f"{self.file} {self.row}" if self.file else str(self.row)

    def as_dict(self) -> dict[str, Any]:
        """As data."""
        return self.row.as_dict() | {"file": self.file}


def read_reports(files: Sequence[Path]) -> Stored:
    """
    The reports in files, joined, and the rows of result files that have to be named.

    Raises:
        ConfigurationError: for a file that is neither a report nor a result file.
    """
    reports: list[Report] = []
    stored = Stored(Report(keep="none"))
    for path in files:
        if not path.is_file():
            raise ConfigurationError(f'"{path}": no such file (looked in {path.absolute().parent})')
        if is_result_file(path):
            report, past = report_of(path)
            file = path.name if len(files) > 1 else None
            stored.doubtful += [FileRow(row, file) for row in past.named(past.doubtful)]
            stored.twice += [FileRow(row, file) for row in past.named(past.twice)]
        else:
            report = _read(path)
        reports.append(report)
    stored.report = reports[0] if len(reports) == 1 else Report.merge(reports)
    return stored


def _read(path: Path) -> Report:
    import json

    try:
        data = json.loads(path.read_text("utf-8"))
        # What `demo --json` and `broadcast --json` print holds the report inside.
        whole = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
        return Report.from_dict(whole.get("report", whole))
    except OSError as error:
        raise ConfigurationError(f'"{path}": cannot be read ({error.strerror})') from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f'"{path}": is neither a report (Report.to_json()) nor a result file: {type(error).__name__}') from None


def show_report(stored: Stored, language: Language, earlier: Report | None) -> str:
    """For a terminal."""
    words = words_of(language)
    parts = [stored.report.to_text(language=language, earlier=earlier, columns=terminal_columns())]
    parts += [
        sentence.format(count=len(rows), rows=some(rows, words, len(rows)))
        for sentence, rows in ((words.twice, stored.twice), (words.in_doubt, stored.doubtful))
        if rows
    ]
    return "\n\n".join(parts)
