from __future__ import annotations

import io
import os
import signal

import pytest
from rich.console import Console

from pushkit.cli.progress import Bar
from pushkit.cli.stopping import Stopping, signals_ask
from pushkit.cli.words import words_of


@pytest.mark.parametrize(("width", "bar"), [(100, True), (32, False)])
def test_the_bar_fits_the_terminal(width: int, bar: bool) -> None:
    """Share, count and categories are there on a narrow one too; the bar alone gives way."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    shown = Bar(words_of("en"), console)
    task = shown.add_task("", total=60_000)
    shown.update(task, completed=16_000)
    shown.counts.update(accepted=15_600, recipient=400)
    with console.capture() as captured:
        for line in shown.get_renderables():
            console.print(line)

    text = captured.get()
    assert bar == ("━" in text)
    assert max(map(len, text.splitlines())) <= width
    for part in ("27 %", "16,000/60,000", "15,600 accepted", "0 technical", "0 payload", "400"):
        assert part in " ".join(text.split())


@pytest.mark.skipif(os.name != "posix", reason="signals to this process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_ask_to_stop_and_the_third_one_ends_it(number: int) -> None:
    """In order, without waiting, at once."""
    heard: list[int] = []
    stopping = Stopping(heard=heard.append)
    with signals_ask(stopping):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)

    assert [1, 2] == heard


@pytest.mark.skipif(os.name != "posix", reason="nohup")
def test_what_was_ignored_stays_ignored() -> None:
    """A broadcast under nohup outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_ask(Stopping()):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
