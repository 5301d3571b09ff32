"""The commands of ``python -m pushkit``. Each one's work is in a module of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from pushkit._version import __version__

app = typer.Typer(
    name="pushkit",
    help="Push notifications through APNs, FCM and Web Push: send, explain, watch.",
    no_args_is_help=True,
    # rich's tracebacks show local variables, and those hold tokens.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pushkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    del version


@app.command()
def demo(
    as_json: JsonFlag = False,
    open_report: Annotated[bool, typer.Option("--open", help="Write the report as a local HTML page and open it.")] = False,
) -> None:
    """Start local push services, send a few hundred notifications, and print the report. No account needed."""
    from pushkit.cli.demo import run_demo

    raise typer.Exit(run_demo(as_json=as_json, open_report=open_report))


def run() -> int:
    """Run a command; gives the exit status."""
    outcome = app(standalone_mode=False)
    return outcome if isinstance(outcome, int) else 0
