"""``report``: stored reports and result files, shown, joined and compared."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pushkit.cli.journal import is_result_file, report_of
from pushkit.errors import ConfigurationError
from pushkit.report import Report
from pushkit.report.words import Language


def read_reports(files: Sequence[Path]) -> tuple[Report, list[int]]:
    """
    The reports in files, joined, and the rows in doubt of a single result file.

    Raises:
        ConfigurationError: for a file that is neither a report nor a result file.
    """
    reports: list[Report] = []
    doubtful: list[int] = []
    for path in files:
        if not path.is_file():
            raise ConfigurationError(f'"{path}": no such file (looked in {path.absolute().parent})')
        if is_result_file(path):
            report, rows = report_of(path)
            doubtful += rows
        else:
            report = _read(path)
        reports.append(report)
    return (reports[0] if len(reports) == 1 else Report.merge(reports)), doubtful


def _read(path: Path) -> Report:
    import json

    try:
        data = json.loads(path.read_text("utf-8"))
        # What `demo --json` and `broadcast --json` print holds the report inside.
        whole = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
        return Report.from_dict(whole.get("report", whole))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f'"{path}": is neither a report (Report.to_json()) nor a result file: {type(error).__name__}') from None


def terminal_columns() -> int | None:
    """How wide the terminal is that reads this; None for a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show_report(report: Report, doubtful: Sequence[int], language: Language, earlier: Report | None) -> str:
    """For a terminal."""
    text = report.to_text(language=language, earlier=earlier, columns=terminal_columns())
    if not doubtful:
        return text
    some = ", ".join(map(str, doubtful[:20])) + (", …" if len(doubtful) > 20 else "")
    return f"{text}\n\nIn doubt: {len(doubtful):,} rows were begun and have no outcome (killed?): {some}"
