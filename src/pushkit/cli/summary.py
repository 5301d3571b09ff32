"""What ``broadcast`` and ``report`` print: as JSON, and for people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import Any

from pushkit.cli.broadcast import Plan, Run
from pushkit.cli.words import Words, words_of
from pushkit.report.words import Language

NAMED = 20
"""Rows that are named in a text; all of them are in the JSON output."""


def broadcast_summary(run: Run, plan: Plan, language: Language) -> tuple[dict[str, Any], str]:
    """What to print at the end of a broadcast."""
    value = {
        "report": run.report.as_dict(),
        "sent": run.sent,
        "skipped": run.skipped,
        "repeated": run.repeated,
        "interrupted": run.interrupted,
        "stopped": run.stopped,
        "complete": run.exhausted,
        "maybe_twice": [row.as_dict() for row in run.twice],
        "maybe_twice_count": run.twice_count,
        "in_doubt": [row.as_dict() for row in run.doubtful],
        "in_doubt_count": run.doubtful_count,
        "unrecorded": run.unrecorded,
        "result": None if plan.dry_run else str(plan.result),
        "seconds": run.seconds,
    }
    return value, "\n".join(
        [run.report.to_text(language=language, columns=terminal_columns()), "", *_sentences(run, plan, words_of(language))]
    )


def _sentences(run: Run, plan: Plan, words: Words) -> Sequence[str]:
    again = sum(group.retryable for group in run.report.groups)
    complete = run.exhausted and not run.doubtful_count and not run.unrecorded
    lines = [
        run.skipped and words.skipped.format(count=run.skipped),
        run.repeated and words.repeated.format(count=run.repeated),
        run.twice_count and words.twice.format(count=run.twice_count, rows=some(run.twice, words, run.twice_count)),
        run.doubtful_count and words.left_out.format(count=run.doubtful_count, rows=some(run.doubtful, words, run.doubtful_count)),
        run.unrecorded and words.unrecorded.format(count=run.unrecorded),
        run.ours and not plan.dry_run and words.ours.format(count=run.ours),
        again and run.exhausted and not plan.dry_run and words.again.format(count=again),
        run.stopped and words.stopped.format(why=run.stopped),
        run.stopped and (words.anew if run.anew else words.mended).format(result=plan.result),
        not (run.exhausted or run.stopped) and words.goes_on.format(result=plan.result),
        plan.dry_run and words.dry_run,
        complete and not plan.dry_run and words.complete.format(result=plan.result),
    ]
    return [line for line in lines if isinstance(line, str)]


def some(rows: Sequence[object], words: Words, count: int) -> str:
    """The first of many rows."""
    shown = words.comma.join(map(str, rows[:NAMED]))
    return shown + (words.more.format(count=count - NAMED) if count > NAMED else "")


def terminal_columns() -> int | None:
    """How wide the terminal is that reads this; None for a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
