"""How far a broadcast is: a bar on the terminal. On standard error, so that the output can be piped."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import Progress, Task
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pushkit.cli.broadcast import Plan, Run, broadcast
from pushkit.cli.rows import count_of
from pushkit.cli.stopping import Stopping, signals_ask
from pushkit.cli.words import Words
from pushkit.outcomes import Outcome

_COLOURS = {"accepted": "green", "technical": "red", "payload": "magenta", "recipient": "blue"}
_SHORTEST_BAR = 10


class Bar(Progress):
    """Two lines: a bar with share, count, rate and time left; how many of each category. Without the bar where there is no room."""

    def __init__(self, words: Words, console: Console | None = None) -> None:
        self.words = words
        self.counts: Counter[str] = Counter()
        self.note = ""
        super().__init__(console=console, transient=True)  # draws once already

    def count(self, outcome: Outcome) -> None:
        """One more with this outcome."""
        self.counts[outcome.category.value if outcome.category else "accepted"] += 1

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is shown now."""
        for task in self.tasks:
            yield self._how_far(task)
        yield Text("  ").join(Text(f"{self.counts[name]:,} {self.words.categories[name]}", colour) for name, colour in _COLOURS.items())
        if self.note:
            yield Text(self.note)

    def _how_far(self, task: Task) -> RenderableType:
        speed = task.speed
        rate = self.words.rate.format(speed=f"{speed:,.0f}" if speed else "–")
        if not task.total:
            return Text(f"{task.completed:,.0f}  {rate}")
        left = task.time_remaining
        clock = "" if left is None else f"  {int(left) // 3600}:{int(left) // 60 % 60:02}:{int(left) % 60:02}"
        text = Text(f"{task.percentage:3.0f} %  {task.completed:,.0f}/{task.total:,.0f}  {rate}{clock}")
        room = self.console.width - text.cell_len - 3  # a full line and an echoed ^C would scroll it away
        if room < _SHORTEST_BAR:
            return text
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_row(ProgressBar(total=task.total, completed=task.completed, width=min(room, 40)), text)
        return line


def run_broadcast(arguments: dict[str, Any], plan: Plan, words: Words) -> Run:
    """Send to everybody; with a bar where somebody sees it."""
    stopping = Stopping()
    try:
        with signals_ask(stopping), _shown(plan, words, stopping) as heard:
            return asyncio.run(broadcast(arguments, plan, heard=heard, stopping=stopping))
    except KeyboardInterrupt:
        if not plan.dry_run:
            sys.stderr.write(words.goes_on.format(result=plan.result) + "\n")
        raise


@contextlib.contextmanager
def _shown(plan: Plan, words: Words, stopping: Stopping) -> Generator[Callable[[Outcome, Run], object] | None]:
    console = Console(file=sys.stderr, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    with Bar(words, console) as bar:
        task = bar.add_task("", total=count_of(plan.source, plan.query))

        def heard(outcome: Outcome, run: Run) -> None:
            bar.count(outcome)
            done = bar.counts.total()
            if done % 50 == 0 or done < 50:
                bar.update(task, completed=done + run.skipped + run.repeated)
            bar.note = words.stopping if stopping.asked else ""

        yield heard
