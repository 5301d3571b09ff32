"""What ``send``, ``preview`` and ``doctor`` do, between their arguments and their output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushkit.client import AsyncClient
from pushkit.errors import ConfigurationError
from pushkit.health import Finding
from pushkit.notification import Notification
from pushkit.outcomes import Accepted, Outcome
from pushkit.targets import Target

if TYPE_CHECKING:
    from pushkit.preview import Preview


def target_from(*, apns: str | None, fcm: str | None, topic: str | None, webpush: Path | None, app: str) -> Target:
    """
    The one target that the flags name.

    Raises:
        ConfigurationError: for none, or more than one.
    """
    given = [name for name, value in (("--apns", apns), ("--fcm", fcm), ("--topic", topic), ("--webpush", webpush)) if value is not None]
    if len(given) != 1:
        raise ConfigurationError(f"expected exactly one of --apns, --fcm, --topic, --webpush; got {' and '.join(given) or 'none'}")
    if topic is not None:
        from pushkit.fcm import Topic

        return Topic(topic, app=app)
    return recipients_from(apns=apns, fcm=fcm, webpush=webpush, app=app)[0]


def recipients_from(*, apns: str | None, fcm: str | None, webpush: Path | None, app: str) -> Sequence[Target]:
    """
    The recipients that the flags name.

    Raises:
        ConfigurationError: for a file that cannot be read, and for two that are to come from standard input.
    """
    from pushkit.apns import Device
    from pushkit.fcm import Registration
    from pushkit.webpush import Subscription

    if sum(value is not None and str(value) == "-" for value in (apns, fcm, webpush)) > 1:
        raise ConfigurationError("- reads one recipient from standard input; name a single one with it")
    found: list[Target] = []
    if apns is not None:
        found.append(Device(_secret(apns), app=app))
    if fcm is not None:
        found.append(Registration(_secret(fcm), app=app))
    if webpush is not None:
        found.append(Subscription.from_json(_text_of(webpush), app=app))
    return found


def _text_of(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.read(65_536)
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f'"{file}": cannot be read ({type(error).__name__})') from None


def _secret(value: str) -> str:
    # A token on the command line shows in the process list and the shell's history; "-" keeps it out of both.
    return sys.stdin.readline().strip() if value == "-" else value


async def send_one(arguments: dict[str, Any], message: Notification, target: Target, *, dry_run: bool) -> Outcome | None:
    """Send it; None when it was only checked and nothing is wrong."""
    async with AsyncClient(**arguments) as push:
        if dry_run and target.provider != "fcm":
            return push.check(message, to=target)
        return await push.send(message, to=target, dry_run=dry_run)


def describe(outcome: Outcome | None) -> str:
    """One outcome for a terminal."""
    if outcome is None:
        return "Nothing is wrong with it, as far as can be told without sending."
    if isinstance(outcome, Accepted):
        return f"accepted by {outcome.provider}, message id {outcome.message_id or '(none)'}, in {outcome.elapsed:.3g} s"
    lines = [
        f"{outcome.provider} {outcome.reason} ({outcome.category.value}, {outcome.disposition.value.replace('_', ' ')})",
        f"  {outcome.advice}",
    ]
    if outcome.field:
        lines.append(f"  field: {outcome.field}")
    if outcome.detail:
        lines.append(f"  it said: {outcome.detail}")
    if outcome.retry_at:
        lines.append(f"  try again after {outcome.retry_at.isoformat(timespec='seconds')}")
    return "\n".join(lines)


def examine(config: Path | None, overrides: Sequence[str], recipients: Sequence[Target], *, offline: bool) -> Sequence[Finding]:
    """All of doctor's findings."""
    from pushkit.cli.doctor import configured, local_findings, remote_findings
    from pushkit.cli.layers import layer_findings
    from pushkit.cli.settings import load
    from pushkit.health import Level

    try:
        settings = load(config, overrides)
    except ConfigurationError as error:
        wrong = Finding(level=Level.ERROR, provider="this machine", subject="configuration", message=str(error), mend="correct it")
        return [*local_findings(None), wrong]
    findings = list(local_findings(settings))
    arguments, wrong_settings = configured(settings)
    findings += wrong_settings
    if arguments is None or offline:
        return findings

    async def look() -> Sequence[Finding]:
        layers = list(await layer_findings(arguments))
        return [*layers, *await remote_findings(arguments, recipients)]

    return [*findings, *asyncio.run(look())]


def preview_of(message: Notification, platforms: Sequence[str] | None, providers: Sequence[str] | None, app: str) -> tuple[Preview, bool]:
    """
    The preview, and whether any provider would refuse the message.

    Raises:
        ConfigurationError: for a platform or a provider that does not exist.
    """
    from pushkit.preview import Effect, preview

    try:
        shown = preview(message, platforms or None, providers=providers or None, app=app)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    return shown, any(warning.effect is Effect.REFUSED for warning in shown.warnings)
