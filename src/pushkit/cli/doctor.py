"""``doctor``: why nothing works, one finding a line with the mend."""

from __future__ import annotations

import os
import ssl
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pushkit
from pushkit.cli.settings import SETTINGS, Settings
from pushkit.client import AsyncClient
from pushkit.errors import ConfigurationError
from pushkit.health import HERE, Finding, Level
from pushkit.targets import Target


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
            f"{', '.join(proxies)} is set: Web Push to the browsers' own services goes through it, APNs and FCM go directly all the same",
            "set client.proxy if everything has to go through it (it must let CONNECT through to the services' hosts)",
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


async def remote_findings(arguments: dict[str, Any], recipients: Sequence[Target] = ()) -> Sequence[Finding]:
    """What the push services say: connections, clock, credentials, and the recipients that somebody believes to work."""
    async with AsyncClient(**arguments) as push:
        return await push.verify(to=recipients)


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
