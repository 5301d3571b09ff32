"""A headless Firefox on the local push service: started, driven by Marionette, ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.interop.browser.marionette import Marionette

BINARIES = ("firefox-esr", "firefox")
START_PATIENCE = 60.0
SCRIPT_PATIENCE_MS = 20_000

PAGE = b"<!doctype html><meta charset=utf-8><title>push</title><p>ready"


class Site:
    """A page on http://localhost with a service worker: what a web app has to have."""

    def __init__(self, service_worker: bytes) -> None:
        files = {"/": ("text/html", PAGE), "/service_worker.js": ("text/javascript", service_worker)}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, content = files.get(self.path, ("text/plain", b""))
                self.send_response(200 if self.path in files else 404)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=partial(self._server.serve_forever, 0.05), daemon=True)
        self.url = f"http://localhost:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def preferences(push_url: str, marionette_port: int) -> dict[str, Any]:
    """Push through the local service, permission granted, no talk with anybody else."""
    return {
        "dom.push.enabled": True,
        "dom.push.connection.enabled": True,
        "dom.push.serverURL": push_url,
        "dom.push.testing.allowInsecureServerURL": True,
        "permissions.default.desktop-notification": 1,
        "alerts.useSystemBackend": False,
        "marionette.port": marionette_port,
        "browser.shell.checkDefaultBrowser": False,
        "browser.startup.homepage_override.mstone": "ignore",
        "browser.region.network.url": "",
        "browser.safebrowsing.downloads.remote.enabled": False,
        "browser.newtabpage.enabled": False,
        "browser.aboutwelcome.enabled": False,
        "app.normandy.enabled": False,
        "app.update.enabled": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "extensions.update.enabled": False,
        "media.gmp-manager.updateEnabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "services.settings.server": "data:,#remote-settings-dummy/v1",
        "toolkit.telemetry.server": "",
    }


class Firefox:
    """
    A browser with one page open.

    Raises:
        FileNotFoundError: when no Firefox is installed.
    """

    def __init__(self, push_url: str) -> None:
        binary = next((found for name in BINARIES if (found := shutil.which(name))), None)
        if binary is None:
            raise FileNotFoundError("no Firefox found; install it with: apt-get install firefox-esr")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._home = tempfile.mkdtemp(prefix="pushkit-firefox-")
        profile = Path(self._home, "profile")
        profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences(push_url, self._port).items()]
        Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
        environment = {**os.environ, "HOME": self._home, "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"}
        self._log = Path(self._home, "log").open("wb")  # noqa: SIM115 - closed in close()
        self._process = subprocess.Popen(
            [binary, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", str(profile)],
            env=environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._driver: Marionette | None = None
        try:
            self._driver = self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> Marionette:
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                driver = Marionette(self._port, timeout=START_PATIENCE)
            except OSError:
                time.sleep(0.2)  # not listening yet
                continue
            driver.command("WebDriver:SetTimeouts", script=SCRIPT_PATIENCE_MS)
            return driver
        raise TimeoutError(f"Firefox did not come up: {Path(self._home, 'log').read_text('utf-8', 'replace')[-2000:]}")

    def open(self, url: str) -> None:
        """Go to a page."""
        assert self._driver is not None
        self._driver.command("WebDriver:Navigate", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """
        Run an asynchronous function's body in the page; gives what it returns.

        Raises:
            RuntimeError: what the page threw.
        """
        body = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...args) => {{ {script} }})(...Array.from(arguments).slice(0, -1))"
            ".then((value) => done({ value: value === undefined ? null : value }), (error) => done({ error: String(error) }));"
        )
        assert self._driver is not None
        answer = self._driver.command("WebDriver:ExecuteAsyncScript", script=body, args=list(arguments), newSandbox=True)["value"]
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """End the browser and everything that it started, and only that."""
        if self._driver is not None:
            self._driver.close()
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        self._log.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
