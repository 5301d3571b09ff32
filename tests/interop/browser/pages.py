"""A few files on http://localhost in a Chromium: what they load, run and look like, light and dark, wide and narrow."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.interop.browser.chromium import Chromium

LOADED_WITHIN = 30.0


class Pages:
    """A site whose files can be changed, and the browser that looks at it."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {"/": ("text/html", b"<!DOCTYPE html><title>empty</title>")}
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, content = files.get(self.path, ("text/plain", b""))
                self.send_response(200 if self.path in files else 404)
                self.send_header("content-type", f"{kind}; charset=utf-8")
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
        self.browser = Chromium(self.url)
        self._command("Page.enable")
        self._command("Network.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self.browser.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _command(self, method: str, **parameters: Any) -> Mapping[str, Any]:
        assert self.browser._devtools is not None
        return self.browser._devtools.command(method, self.browser._session, **parameters)

    def show(self, name: str, kind: str, content: str, *, dark: bool = False, width: int = 1200) -> None:
        """Open a file as its own page."""
        assert self.browser._devtools is not None
        self.files[f"/{name}"] = (kind, content.encode("utf-8"))
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self._command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.browser._devtools.events.clear()
        self._command("Page.navigate", url=f"{self.url}{name}")
        until = time.monotonic() + LOADED_WITHIN
        while time.monotonic() < until:
            if self.browser.run("return location.pathname + document.readyState;") == f"/{name}complete":
                return
        raise TimeoutError(f"{name} did not load")

    def events(self, method: str) -> list[Mapping[str, Any]]:
        """What the browser told since the file was opened."""
        self.browser.run("await new Promise((done) => setTimeout(done, 50));")
        assert self.browser._devtools is not None
        return [event["params"] for event in self.browser._devtools.events if event.get("method") == method]

    def requests(self) -> list[str]:
        """What was asked for, the browser's own question for an icon aside."""
        urls = [event["request"]["url"] for event in self.events("Network.requestWillBeSent")]
        return [url for url in urls if not url.endswith("/favicon.ico")]
