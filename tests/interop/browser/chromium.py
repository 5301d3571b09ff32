"""
A headless Chromium, as much of it as the tests here need: DevTools protocol over a WebSocket.

Chromium's own push connection leads to Google only, so what pushkit sends is decrypted by the local service
and handed to the service worker by ``ServiceWorker.deliverPushMessage``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage

BINARIES = ("chromium", "chromium-browser", "google-chrome")
START_PATIENCE = 60.0
ANSWER_PATIENCE = 30.0
_SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
_DEVTOOLS = re.compile(r"ws://127\.0\.0\.1:(\d+)(/\S+)")


class DevTools:
    """A connection to a browser's DevTools."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), ANSWER_PATIENCE)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._socket.sendall(self._protocol.send(Request(host=f"127.0.0.1:{port}", target=path)))
        self._messages: list[dict[str, Any]] = []
        self._text = ""
        self._last = 0
        self.events: list[dict[str, Any]] = []
        self._accepted = False
        while not self._accepted:
            self._pump()

    def _pump(self) -> None:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the browser hung up")
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            if isinstance(event, AcceptConnection):
                self._accepted = True
            elif isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    self._messages.append(json.loads(self._text))
                    self._text = ""

    def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command; gives its result."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._socket.sendall(self._protocol.send(TextMessage(data=json.dumps(message))))
        while True:
            while self._messages:
                answer = self._messages.pop(0)
                if answer.get("id") == self._last:
                    if "error" in answer:
                        raise RuntimeError(f"{method}: {answer['error']['message']}")
                    return answer["result"]
                self.events.append(answer)
            self._pump()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class Chromium:
    """
    A browser with one page open and the permission to notify.

    Raises:
        FileNotFoundError: when no Chromium is installed.
    """

    def __init__(self, url: str) -> None:
        binary = next((found for name in BINARIES if (found := shutil.which(name))), None)
        if binary is None:
            raise FileNotFoundError("no Chromium found; install it with: apt-get install chromium")
        self._url = url
        self._home = tempfile.mkdtemp(prefix="pushkit-chromium-")
        command = [binary, *_SWITCHES, f"--user-data-dir={self._home}/profile", "about:blank"]
        self._log = Path(self._home, "log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "HOME": self._home}, start_new_session=True
            )
        self._devtools: DevTools | None = None
        try:
            self._devtools = self._connect()
            self._session = self._open()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> DevTools:
        until = time.monotonic() + START_PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            found = _DEVTOOLS.search(self._log.read_text("utf-8", "replace"))
            if found is not None:
                return DevTools(int(found[1]), found[2])
            threading.Event().wait(0.1)
        raise TimeoutError(f"Chromium did not come up: {self._log.read_text('utf-8', 'replace')[-2000:]}")

    def _open(self) -> str:
        assert self._devtools is not None
        self._devtools.command("Browser.grantPermissions", permissions=["notifications"], origin=self._url)
        target = self._devtools.command("Target.createTarget", url=self._url)["targetId"]
        session = self._devtools.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._devtools.command("ServiceWorker.enable", session)
        self._devtools.command("Runtime.enable", session)
        self._await_page(session)
        return session

    def _await_page(self, session: str) -> None:
        assert self._devtools is not None
        until = time.monotonic() + START_PATIENCE
        expression = "location.href + ' ' + document.readyState"
        while time.monotonic() < until:
            # The target exists before its page does.
            there = self._devtools.command("Runtime.evaluate", session, expression=expression)["result"].get("value")
            if there == f"{self._url} complete":
                return
            threading.Event().wait(0.05)
        raise TimeoutError(f"{self._url} did not load")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol to the page; gives its result."""
        assert self._devtools is not None
        return self._devtools.command(method, self._session, **parameters)

    def heard(self, method: str) -> list[dict[str, Any]]:
        """What the page told of one kind of event since the browser started, oldest first."""
        assert self._devtools is not None
        return [event["params"] for event in self._devtools.events if event.get("method") == method]

    def go(self, url: str) -> None:
        """Another page in the same tab, loaded whole."""
        self._url = url
        self.command("Page.navigate", url=url)
        self._await_page(self._session)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run an asynchronous function's body in the page; gives what it returns."""
        assert self._devtools is not None
        expression = f"(async (...args) => {{ {script} }})(...{json.dumps(arguments)})"
        answer = self._devtools.command("Runtime.evaluate", self._session, expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "the page threw something"))
        return answer["result"].get("value")

    def deliver(self, text: str) -> None:
        """A push event with this content, as if it had come from the push service."""
        assert self._devtools is not None
        registrations = [
            registration
            for event in self._devtools.events
            if event.get("method") == "ServiceWorker.workerRegistrationUpdated"
            for registration in event["params"]["registrations"]
        ]
        self._devtools.command(
            "ServiceWorker.deliverPushMessage",
            self._session,
            origin=self._url,
            registrationId=registrations[-1]["registrationId"],
            data=text,
        )

    def close(self) -> None:
        """End the browser and everything that it started, and only that."""
        if self._devtools is not None:
            self._devtools.close()
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
