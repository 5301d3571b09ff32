"""
The commands of ``python -m pushkit``: arguments and output. Each command's work is in a module of its own.

Exit statuses, the same for all: 0 all is well, 1 something failed, 2 a wrong argument or configuration,
130 interrupted.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.core

from pushkit._version import __version__
from pushkit.errors import ConfigurationError


class _Commands(typer.core.TyperGroup):
    """The commands, with the exit status that shells expect of an interrupted one."""

    def invoke(self, ctx: Any) -> Any:
        """Run one."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _complain("pushkit: interrupted", status=130)


app = typer.Typer(
    name="pushkit",
    cls=_Commands,
    help="Push notifications through APNs, FCM and Web Push: send, explain, watch.",
    no_args_is_help=True,
    # rich's tracebacks show local variables, and those hold tokens.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys_app = typer.Typer(help="Make keys: a VAPID pair, or throw-away credentials for tests.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file; default: $PUSHKIT_CONFIG, or pushkit.toml here.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="A setting, such as apns.topic=com.example.app. Repeatable.")]
LanguageOption = Annotated[str, typer.Option("--language", help='"en" or "zh".')]
Title = Annotated[str | None, typer.Option(help="Title.")]
Body = Annotated[str | None, typer.Option(help="Body.")]
Subtitle = Annotated[str | None, typer.Option(help="Subtitle.")]
Link = Annotated[str | None, typer.Option(help="What a tap opens.")]
Image = Annotated[str | None, typer.Option(help="URL of a picture.")]
Badge = Annotated[int | None, typer.Option(help="Number on the icon.")]
SoundName = Annotated[str | None, typer.Option("--sound", help="Sound.")]
Data = Annotated[list[str] | None, typer.Option("--data", help="name=value for the app. Repeatable.")]
Ttl = Annotated[float | None, typer.Option(help="Seconds that it is worth delivering.")]
CollapseKey = Annotated[str | None, typer.Option(help="Replaces an earlier notification with the same key.")]
PriorityName = Annotated[str | None, typer.Option("--priority", help='"high", "normal" or "low".')]
Background = Annotated[bool, typer.Option("--background", help="Wake the app, show nothing.")]
Label = Annotated[str | None, typer.Option(help="Campaign.")]
MessageFile = Annotated[
    Path | None, typer.Option("--message", "-m", help="JSON or TOML file with the fields of a notification; flags win.")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pushkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    del version


def _show(value: Any, text: str, *, as_json: bool) -> None:
    try:
        typer.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConfigurationError(f"standard output cannot be written ({error.strerror})") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f'"{path}": cannot be written ({error.strerror})') from None


# -- sending --------------------------------------------------------------------------------------------


@app.command()
def send(
    apns: Annotated[str | None, typer.Option(help="A device token; - reads it from standard input.")] = None,
    fcm: Annotated[str | None, typer.Option(help="A registration token; - reads it from standard input.")] = None,
    topic: Annotated[str | None, typer.Option(help="An FCM topic.")] = None,
    webpush: Annotated[
        Path | None, typer.Option(help="A file with a browser's subscription as JSON; - reads it from standard input.")
    ] = None,
    app_name: Annotated[str, typer.Option("--app", help="Which configured app.")] = "default",
    message: MessageFile = None,
    title: Title = None,
    body: Body = None,
    subtitle: Subtitle = None,
    link: Link = None,
    image: Image = None,
    badge: Badge = None,
    sound: SoundName = None,
    data: Data = None,
    ttl: Ttl = None,
    collapse_key: CollapseKey = None,
    priority: PriorityName = None,
    background: Background = False,
    label: Label = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Local checks alone; FCM validates too. Nothing is shown to anybody.")] = False,
    config: ConfigFile = None,
    overrides: Overrides = None,
    as_json: JsonFlag = False,
) -> None:
    """Send one notification and say what became of it. Exit status 0 only when it was accepted."""
    from pushkit.cli.sending import describe, send_one, target_from

    said = _notification(locals())
    target = target_from(apns=apns, fcm=fcm, topic=topic, webpush=webpush, app=app_name)
    outcome = asyncio.run(send_one(_arguments(config, overrides), said, target, dry_run=dry_run))
    _show(None if outcome is None else outcome.as_dict(), describe(outcome), as_json=as_json)
    raise typer.Exit(0 if outcome is None or outcome.accepted else 1)


@app.command()
def broadcast(
    to: Annotated[str, typer.Option("--to", help="people.csv, people.jsonl, or a database's URL such as sqlite:///people.db.")],
    result: Annotated[Path, typer.Option("--result", help="Result file; an existing one is gone on with. Holds no address.")],
    query: Annotated[str | None, typer.Option(help="For a database: a query with ORDER BY on a stable column.")] = None,
    provider: Annotated[str | None, typer.Option(help="For rows that do not say.")] = None,
    message: MessageFile = None,
    title: Title = None,
    body: Body = None,
    subtitle: Subtitle = None,
    link: Link = None,
    image: Image = None,
    badge: Badge = None,
    sound: SoundName = None,
    data: Data = None,
    ttl: Ttl = None,
    collapse_key: CollapseKey = None,
    priority: PriorityName = None,
    background: Background = False,
    label: Label = None,
    in_doubt: Annotated[
        str, typer.Option(help='Rows that an earlier run may have sent: "send" (somebody may get it twice) or "skip".')
    ] = "send",
    unique: Annotated[bool, typer.Option("--unique", help="Skip repeated addresses.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Local checks of every row; FCM validates too. Nothing is shown to anybody.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page.")] = None,
    language: LanguageOption = "en",
    config: ConfigFile = None,
    overrides: Overrides = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Send one notification to everybody in a list.

    Ctrl-C stops reading, lets what is under way end, and says how to go on. After a kill the same command goes on as well,
    and names the rows that may get it twice.
    """
    from pushkit.cli.broadcast import Plan
    from pushkit.cli.progress import run_broadcast
    from pushkit.cli.summary import broadcast_summary
    from pushkit.cli.words import words_of

    if in_doubt not in {"send", "skip"}:
        raise ConfigurationError('--in-doubt: expected "send" or "skip"')
    if provider not in {None, "apns", "fcm", "webpush"}:
        raise ConfigurationError(f"--provider: expected apns, fcm or webpush, got {provider!r}")
    plan = Plan(
        message=_notification(locals()),
        source=to,
        query=query,
        provider=provider,
        result=result,
        in_doubt="send" if in_doubt == "send" else "skip",
        dry_run=dry_run,
        unique=unique,
    )
    spoken = _language(language)
    run = run_broadcast(_arguments(config, overrides), plan, words_of(spoken))
    try:
        _show(*broadcast_summary(run, plan, spoken), as_json=as_json)
    except BrokenPipeError:
        if not run.exhausted:  # Ctrl-C ends the reader of a pipe as well
            sys.stderr.write(words_of(spoken).goes_on.format(result=result) + "\n")
        raise
    if html is not None:
        _write(html, run.report.to_html(language=spoken, title=plan.message.label))
    failed = run.report.technical or run.report.payload or run.stopped or run.unrecorded
    raise typer.Exit(130 if run.interrupted else 1 if failed else 0)


@app.command()
def preview(
    message: MessageFile = None,
    title: Title = None,
    body: Body = None,
    subtitle: Subtitle = None,
    link: Link = None,
    image: Image = None,
    badge: Badge = None,
    sound: SoundName = None,
    data: Data = None,
    ttl: Ttl = None,
    collapse_key: CollapseKey = None,
    priority: PriorityName = None,
    background: Background = False,
    label: Label = None,
    platform: Annotated[
        list[str] | None, typer.Option(help="ios, android, windows, macos or linux; repeatable. All, when left out.")
    ] = None,
    provider: Annotated[list[str] | None, typer.Option(help="apns, fcm or webpush, for a team that uses some; repeatable.")] = None,
    app_name: Annotated[str, typer.Option("--app-name", help="The name above the notification.")] = "Your app",
    html: Annotated[Path | None, typer.Option(help="Write the pictures and warnings as a page.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the pictures as one SVG.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show how a notification will look on each platform, and what will be cut, hidden, refused or ignored."""
    from pushkit.cli.sending import preview_of

    shown, refused = preview_of(_notification(locals()), platform, provider, app_name)
    if html is not None:
        _write(html, shown.html())
    if svg is not None:
        _write(svg, shown.svg())
    _show(shown.as_dict(), shown.text(colour=sys.stdout.isatty()), as_json=as_json)
    raise typer.Exit(1 if refused else 0)


# -- understanding --------------------------------------------------------------------------------------


@app.command()
def report(
    files: Annotated[list[Path], typer.Argument(help="Reports (JSON) and result files; several are joined.")],
    compare: Annotated[Path | None, typer.Option(help="An earlier report or result file to compare with.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a ticket or a chat.")] = False,
    language: LanguageOption = "en",
    as_json: JsonFlag = False,
) -> None:
    """Show stored reports: text, Markdown, a page with charts, or JSON; joined, and compared with an earlier one."""
    from pushkit.cli.reports import read_reports, show_report

    spoken = _language(language)
    stored = read_reports(files)
    earlier = read_reports([compare]).report if compare is not None else None
    if html is not None:
        _write(html, stored.report.to_html(language=spoken, earlier=earlier))
    text = stored.report.to_markdown(language=spoken, earlier=earlier) if markdown else show_report(stored, spoken, earlier)
    changes = stored.report.compare(earlier) if earlier is not None else ()
    rows = {name: [row.as_dict() for row in named] for name, named in (("maybe_twice", stored.twice), ("in_doubt", stored.doubtful))}
    _show(stored.report.as_dict() | rows | {"changes": [change.as_dict() for change in changes]}, text, as_json=as_json)
    raise typer.Exit(1 if any(change.suspicious for change in changes) else 0)


@app.command()
def explain(
    provider: Annotated[
        str | None, typer.Argument(help="apns, fcm, webpush, or pushkit for its own words; left out where the answer tells.")
    ] = None,
    answer: Annotated[list[str] | None, typer.Argument(help="A status, a reason, or both: 410 Unregistered.")] = None,
    raw: Annotated[
        str | None, typer.Option(help="A whole response, its body, a log line or an exception's text; - reads it from standard input.")
    ] = None,
    service: Annotated[
        str, typer.Option(help="Web Push: mozilla, google, apple, microsoft or rfc; left out where the answer tells.", show_default=False)
    ] = "",
    language: LanguageOption = "en",
    as_json: JsonFlag = False,
) -> None:
    """Say what an answer of a push service means, who has to act, and what to do."""
    from pushkit.cli.explain import explain as explain_answer
    from pushkit.cli.explain_text import as_text

    if raw is None and provider is None:
        raise ConfigurationError("give a status or a reason, such as: explain apns 410 Unregistered; or --raw with the whole response")
    pasted = _standard_input() if raw == "-" else raw
    explained = explain_answer(provider, answer or [], raw=pasted, service=service)
    _show(explained, as_text(explained, language=_language(language)), as_json=as_json)


@app.command()
def doctor(
    apns: Annotated[str | None, typer.Option(help="A device token that should work; - reads it from standard input.")] = None,
    fcm: Annotated[str | None, typer.Option(help="A registration token that should work; - reads it from standard input.")] = None,
    webpush: Annotated[
        Path | None, typer.Option(help="A file with a subscription as JSON that should work (its browser shows a test message).")
    ] = None,
    app_name: Annotated[str, typer.Option("--app", help="Which configured app these recipients belong to.")] = "default",
    offline: Annotated[bool, typer.Option("--offline", help="Look at this machine and the configuration only.")] = False,
    config: ConfigFile = None,
    overrides: Overrides = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Find out why nothing works: installation, configuration, key files, clock, DNS, TCP, TLS, credentials.

    Exit status 1 when something is wrong. Nothing is sent to anybody: Apple is asked about a token that no device has, Google to validate.
    Whether stored tokens belong to the configured environment, app and project only one of them can tell: give it with --apns, --fcm or
    --webpush.
    """
    from pushkit.cli.doctor import as_text
    from pushkit.cli.sending import examine, recipients_from

    recipients = recipients_from(apns=apns, fcm=fcm, webpush=webpush, app=app_name)
    if offline and recipients:
        raise ConfigurationError("--offline asks nobody; leave it out to ask about a recipient")
    findings = examine(config, overrides or [], recipients, offline=offline)
    _show([finding.as_dict() for finding in findings], as_text(findings), as_json=as_json)
    raise typer.Exit(1 if any(finding.level.value == "error" for finding in findings) else 0)


# -- around it ------------------------------------------------------------------------------------------


@keys_app.command("vapid")
def keys_vapid(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; never written over.")] = Path("vapid.pem"),
    show: Annotated[bool, typer.Option("--show", help="Show the public half of an existing key instead.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a VAPID key pair for Web Push. The browser gets the public half, as applicationServerKey."""
    from pushkit.cli.keys import make_vapid, show_vapid

    made = show_vapid(file) if show else make_vapid(file)
    kept = "" if show else f"The private key is in {file}. Keep it: subscriptions belong to it for ever.\n"
    _show(made, f"{kept}applicationServerKey: {made['public_key']}", as_json=as_json)


@keys_app.command("test")
def keys_test(folder: Annotated[Path, typer.Argument(help="Where they go.")] = Path("test-keys"), as_json: JsonFlag = False) -> None:
    """Make throw-away credentials of every kind, worth nothing anywhere."""
    from pushkit.cli.keys import make_test_keys

    made = make_test_keys(folder)
    _show(
        made,
        "\n".join([*made["files"], f"APNs: key id {made['key_id']}, team id {made['team_id']}; FCM: project {made['project_id']}"]),
        as_json=as_json,
    )


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address of the services; anything but loopback makes them reachable from the network.")
    ] = "127.0.0.1",
    fixed_ports: Annotated[bool, typer.Option("--fixed-ports", help="The same ports every time (8420 to 8436).")] = False,
    port: Annotated[list[str] | None, typer.Option("--port", help="name=number, such as apns=8443. Repeatable.")] = None,
    ca: Annotated[Path | None, typer.Option(help="Write the certificate of the private authority here.")] = None,
    credentials: Annotated[Path | None, typer.Option(help="Write throw-away keys and the certificate into this folder.")] = None,
    state: Annotated[Path | None, typer.Option(help="Keep credentials, recipients and records in this file.")] = None,
    snippet: Annotated[list[str] | None, typer.Option("--snippet", help="Print the configuration of a library. Repeatable.")] = None,
    known_only: Annotated[bool, typer.Option("--known-only", help="Refuse tokens that were never registered.")] = False,
    inbox: Annotated[bool, typer.Option("--inbox/--no-inbox", help="Serve the inbox page.")] = True,
    inbox_host: Annotated[str | None, typer.Option(help="Address of the inbox page; default: loopback.")] = None,
    inbox_name: Annotated[list[str] | None, typer.Option("--inbox-name", help="A further host name of the inbox. Repeatable.")] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Serve real browsers too (needs wsproto).")] = False,
    bundle_id: Annotated[str, typer.Option(help="The app of the devices.")] = "com.example.app",
    project_id: Annotated[str, typer.Option(help="The Firebase project.")] = "local-project",
    seed: Annotated[int, typer.Option(help="Of scripted shares.")] = 0,
    keep: Annotated[int, typer.Option(help="Records kept in the inbox.")] = 10_000,
    engine: Annotated[str, typer.Option(help='HTTP/2: "auto", "ngh2" or "h2".')] = "auto",
) -> None:
    """
    Run the local push services (APNs, FCM, Web Push) with an inbox page until Ctrl-C.

    Prints one JSON line with all addresses when everything answers.
    """
    from pushkit.testing.serve import FIXED_PORTS, ServeOptions
    from pushkit.testing.serve import serve as serve_until_stopped

    if engine not in {"auto", "ngh2", "h2"}:
        raise ConfigurationError(f"--engine: expected auto, ngh2 or h2, got {engine!r}")
    ports = dict(FIXED_PORTS) if fixed_ports else {}
    for given in port or []:
        name, equals, number = given.partition("=")
        if not equals or not number.isdecimal() or int(number) > 65_535:
            raise ConfigurationError("--port: expected name=number, such as apns=8443")
        ports[name] = int(number)
    options = ServeOptions(
        host=host,
        inbox_host=inbox_host,
        inbox_names=tuple(inbox_name or ()),
        ports=ports,
        ca=ca,
        credentials=credentials,
        state=state,
        snippets=tuple(snippet or ()),
        known_only=known_only,
        inbox=inbox,
        browser=browser,
        bundle_id=bundle_id,
        project_id=project_id,
        seed=seed,
        keep=keep,
        engine=engine,
    )
    try:
        status = serve_until_stopped(options, typer.echo)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"serve: {error}") from None
    raise typer.Exit(status)


@app.command()
def demo(
    as_json: JsonFlag = False,
    open_report: Annotated[bool, typer.Option("--open", help="Write the report as a local HTML page and open it.")] = False,
) -> None:
    """Start local push services, send a few hundred notifications, and print the report. No account needed."""
    from pushkit.cli.demo import run_demo

    raise typer.Exit(run_demo(as_json=as_json, open_report=open_report))


# -- shared ---------------------------------------------------------------------------------------------

_MESSAGE_FLAGS = ("title", "body", "subtitle", "link", "image", "badge", "sound", "ttl", "collapse_key", "priority", "background", "label")


def _notification(given: dict[str, Any]) -> Any:
    from pushkit.cli.said import notification_from

    return notification_from({name: given[name] for name in _MESSAGE_FLAGS}, given["data"] or [], given["message"])


def _arguments(config: Path | None, overrides: Sequence[str] | None) -> dict[str, Any]:
    from pushkit.cli.settings import load

    return load(config, overrides or []).client_arguments()


def _standard_input() -> str:
    """As much of it as any push service answers; what is no text stays in it as signs of replacement."""
    from pushkit.cli.pasted import LONGEST

    if sys.stdin.isatty():
        sys.stderr.write("Paste it, then end with Ctrl-D (Windows: Ctrl-Z, Enter).\n")
    return sys.stdin.buffer.read(LONGEST).decode("utf-8", "replace")


def _language(name: str) -> Any:
    from pushkit.report.words import words

    try:
        return words(name).language
    except ValueError as error:
        raise ConfigurationError(f"--language: {error}") from None


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status. What is wrong with arguments and configuration is one line, no traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character must not cost the report of a broadcast.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Standalone: typer explains wrong arguments itself and ends with status 2.
        app(args=None if arguments is None else list(arguments))
    except ConfigurationError as error:
        _complain(f"pushkit: {error}")
    except BrokenPipeError:
        return 1  # the reader of our output went away (head, less): nothing to complain about
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    return 0


def _complain(text: str, status: int = 2) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise SystemExit(status)
