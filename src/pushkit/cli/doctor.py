"""``doctor``: why nothing works, one finding a line with the mend."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import pushkit
from pushkit import apns, fcm
from pushkit.cli.settings import SETTINGS, Settings
from pushkit.client import AsyncClient
from pushkit.errors import ConfigurationError
from pushkit.health import Finding, Level
from pushkit.notification import Notification
from pushkit.outcomes import Accepted, Action, Category, Outcome, RecipientFailure, Scope
from pushkit.wire import Origin

HERE = "this machine"
_PATIENCE = 5.0
_PROBE_TOKEN = "00" * 32
"""A well-formed token that no device has: Apple refuses it as BadDeviceToken, and only after it has believed the credentials."""


def local_findings(settings: Settings | None, environment: dict[str, str] | None = None) -> Iterator[Finding]:
    """What can be seen without the network: the installation, the machine, the key files."""
    yield from _installation()
    yield from _machine(os.environ if environment is None else environment)
    if settings is not None:
        yield from _files(settings)


def _finding(level: Level, subject: str, message: str, mend: str = "", provider: str = HERE, app: str = "default") -> Finding:
    return Finding(level=level, provider=provider, app=app, subject=subject, message=message, mend=mend)


def _installation() -> Iterator[Finding]:
    where = Path(pushkit.__file__).parent
    try:
        ours = metadata.version("pushkit-sdk")
    except metadata.PackageNotFoundError:
        yield _finding(
            Level.ERROR,
            "installation",
            f"the imported pushkit ({where}) belongs to no installed pushkit-sdk",
            'install it: pip install "pushkit-sdk"',
        )
    else:
        if ours != pushkit.__version__:
            yield _finding(
                Level.ERROR,
                "installation",
                f"pushkit-sdk {ours} is installed and pushkit {pushkit.__version__} is imported from {where}",
                "reinstall: pip install --force-reinstall pushkit-sdk",
            )
        else:
            yield _finding(Level.OK, "installation", f"pushkit-sdk {ours} in {where}")
    try:
        stranger = metadata.version("pushkit")
    except metadata.PackageNotFoundError:
        pass
    else:
        yield _finding(
            Level.ERROR,
            "installation",
            f"the distribution pushkit {stranger} is installed as well: it is somebody else's and writes into the same folder",
            "pip uninstall pushkit, then pip install --force-reinstall pushkit-sdk",
        )


def _machine(environment: Any) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield _finding(Level.OK, "python", f"Python {version}, {ssl.OPENSSL_VERSION}")
    try:
        speed = metadata.version("ngh2")
    except metadata.PackageNotFoundError:
        yield _finding(
            Level.WARNING,
            "speed",
            "the fast HTTP/2 engine is not installed; the pure Python one is used",
            'pip install "pushkit-sdk[speed]"',
        )
    else:
        yield _finding(Level.OK, "speed", f"ngh2 {speed}")
    proxies = sorted(name for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy") if environment.get(name))
    if proxies:
        yield _finding(
            Level.WARNING,
            "proxy",
            f"{', '.join(proxies)} is set; pushes go directly all the same",
            "set client.proxy if pushes have to go through it (HTTP/2 needs a proxy that lets CONNECT through)",
        )


def _files(settings: Settings) -> Iterator[Finding]:
    for app, values in settings.apps.items():
        for setting in SETTINGS:
            path = values.get((setting.section, setting.name))
            if not setting.path or path is None:
                continue
            yield from _file(Path(path), setting.section, app)


def _file(path: Path, provider: str, app: str) -> Iterator[Finding]:
    try:
        about = path.stat()
    except OSError:
        yield _finding(Level.ERROR, "key file", f'"{path}": no such file', "correct the setting, or put the file there", provider, app)
        return
    day = time.strftime("%Y-%m-%d", time.gmtime(about.st_mtime))
    if os.name == "posix" and stat.S_IMODE(about.st_mode) & 0o077:
        yield _finding(
            Level.WARNING, "key file", f'"{path.name}" can be read by others than its owner', f'chmod 600 "{path}"', provider, app
        )
    yield _finding(Level.OK, "key file", f'"{path.name}" of {day}', provider=provider, app=app)


async def layer_findings(arguments: dict[str, Any]) -> Sequence[Finding]:
    """DNS, TCP, TLS and ALPN to every configured host, one after the other: the first that fails is what to mend."""
    places: dict[tuple[str, int], tuple[str, str]] = {}
    for app, config in cast("dict[str, apns.Config]", arguments.get("apns") or {}).items():
        origin = config.device_origins()[config.environment]
        places.setdefault((origin.host, origin.port), ("apns", app))
    for app, project in cast("dict[str, fcm.Config]", arguments.get("fcm") or {}).items():
        origin = Origin.parse(project.origin or "https://fcm.googleapis.com")
        places.setdefault((origin.host, origin.port), ("fcm", app))
    found = await asyncio.gather(
        *(asyncio.to_thread(_layers, place, whose, arguments.get("ssl_context")) for place, whose in places.items())
    )
    return [finding for findings in found for finding in findings]


def _layers(place: tuple[str, int], whose: tuple[str, str], context: ssl.SSLContext | None) -> list[Finding]:
    (host, port), (provider, app) = place, whose
    at = f"{host}:{port}"
    try:
        addresses = sorted({str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        return [_finding(Level.ERROR, "dns", f"{host}: {error.strerror or error}", "check the name server of this machine", provider, app)]
    found = [
        _finding(
            Level.OK, "dns", f"{host} is {', '.join(addresses[:4])}{' and more' if len(addresses) > 4 else ''}", provider=provider, app=app
        )
    ]
    try:
        connection = socket.create_connection((host, port), timeout=_PATIENCE)
    except OSError as error:
        mend = (
            "a firewall lets nothing out to this port; APNs can be reached at port 2197 as well"
            if provider == "apns"
            else "a firewall lets nothing out to this port"
        )
        return [*found, _finding(Level.ERROR, "tcp", f"{at}: {error.strerror or type(error).__name__}", mend, provider, app)]
    with connection:
        tls = context or ssl.create_default_context()
        tls.set_alpn_protocols(["h2"])
        try:
            with tls.wrap_socket(connection, server_hostname=host) as secured:
                chosen = secured.selected_alpn_protocol()
                about = f"{secured.version()}, certificate until {(secured.getpeercert() or {}).get('notAfter', 'unknown')}"
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__
            mend = "a proxy that opens TLS is in between, or the certificates of this machine are old; client.ca_file trusts a private authority"
            return [*found, _finding(Level.ERROR, "tls", f"{at}: {reason}", mend, provider, app)]
    found.append(_finding(Level.OK, "tls", f"{at}: {about}", provider=provider, app=app))
    if chosen != "h2":
        found.append(
            _finding(
                Level.ERROR,
                "alpn",
                f"{at} does not offer HTTP/2",
                "something in between is not the push service; look for a proxy that opens TLS",
                provider,
                app,
            )
        )
    return found


async def remote_findings(arguments: dict[str, Any]) -> Sequence[Finding]:
    """What the push services say: connections, clock, credentials, and a harmless probe of each provider."""
    findings: list[Finding] = []
    async with AsyncClient(**arguments) as push:
        verified = list(await push.verify())
        findings += verified
        unreachable = {(finding.provider, finding.app) for finding in verified if finding.level is Level.ERROR}
        for provider in ("apns", "fcm"):
            for app in cast("dict[str, Any]", arguments.get(provider) or {}):
                if (provider, app) not in unreachable:
                    findings.append(await _probe(push, provider, app))
        # Only now: a wrong clock shows in an answer.
        findings += [finding for finding in await push.verify() if finding.subject == "clock"]
    return list(dict.fromkeys(findings))


async def _probe(push: AsyncClient, provider: str, app: str) -> Finding:
    from pushkit.delivery.policy import RetryPolicy

    message = Notification(title="pushkit doctor", ttl=0)
    if provider == "apns":
        outcome = await push.send(message, to=apns.Device(_PROBE_TOKEN, app=app), retry=RetryPolicy.none())
        return _judged(outcome, provider, app, expected={"BadDeviceToken", "Unregistered", "DeviceTokenNotForTopic"})
    # validate_only: Google checks credentials, project and message, and sends nothing.
    outcome = await push.send(message, to=fcm.Topic("pushkit-doctor", app=app), retry=RetryPolicy.none(), dry_run=True)
    return _judged(outcome, provider, app, expected=set())


def _judged(outcome: Outcome, provider: str, app: str, *, expected: set[str]) -> Finding:
    if isinstance(outcome, Accepted):
        how = "a token that no device has was accepted, so this is a local push service" if expected else "validated, nothing was sent"
        return _finding(Level.OK, "probe", f"the credentials are believed ({how})", provider=provider, app=app)
    if isinstance(outcome, RecipientFailure) and outcome.reason in expected:
        return _finding(
            Level.OK,
            "probe",
            f"the credentials are believed (the token that no device has was refused as {outcome.reason})",
            provider=provider,
            app=app,
        )
    if outcome.category is Category.TECHNICAL and outcome.scope in {Scope.CREDENTIAL, Scope.CONFIGURATION}:
        return _finding(Level.ERROR, "probe", f"{outcome.reason}: {outcome.detail or 'refused'}", outcome.advice, provider, app)
    if outcome.action in {Action.FIX_CONFIGURATION, Action.FIX_CREDENTIALS, Action.REPORT_BUG}:
        return _finding(Level.ERROR, "probe", f"{outcome.reason}: {outcome.detail or 'refused'}", outcome.advice, provider, app)
    return _finding(Level.WARNING, "probe", f"{outcome.reason}: {outcome.detail or 'no clear answer'}", outcome.advice, provider, app)


def as_text(findings: Iterable[Finding]) -> str:
    """One finding a line, what is wrong first."""
    order = {Level.ERROR: 0, Level.WARNING: 1, Level.OK: 2}
    marks = {Level.ERROR: "✗", Level.WARNING: "!", Level.OK: "✓"}
    lines: list[str] = []
    for finding in sorted(findings, key=lambda finding: order[finding.level]):
        app = "" if finding.app == "default" else f"/{finding.app}"
        lines.append(f"{marks[finding.level]} {finding.provider}{app}, {finding.subject}: {finding.message}")
        if finding.mend and finding.level is not Level.OK:
            lines.append(f"    → {finding.mend}")
    return "\n".join(lines)


def configured(settings: Settings) -> tuple[dict[str, Any] | None, Sequence[Finding]]:
    """The client's arguments, or the findings that say why there are none."""
    try:
        return settings.client_arguments(), ()
    except ConfigurationError as error:
        return None, (_finding(Level.ERROR, "configuration", str(error), "see the configuration of the command line in the documentation"),)
