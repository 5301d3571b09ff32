"""
``python -m pushkit serve``: the local push services for a developer's machine, staging and other languages.

A foreground process that ends on SIGINT and SIGTERM, prints one JSON line when it is ready, and keeps its
state in a file if asked.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import attrs

from pushkit.testing import state
from pushkit.testing.behaviour import Behaviour
from pushkit.testing.server.port import Port
from pushkit.testing.server.push_server import PushServer
from pushkit.testing.snippets import SNIPPETS, Files, write_files
from pushkit.testing.web.site import InboxSite

SAVE_EVERY = 2.0
"""Seconds between looks whether the state has to be written."""

#: Fixed ports for --fixed-ports, in one block that is not assigned to anything well known.
FIXED_PORTS = {
    "inbox": 8420,
    "apns": 8421,
    "apns_sandbox": 8422,
    "channels": 8423,
    "channels_sandbox": 8424,
    "fcm": 8425,
    "iid": 8426,
    "oauth": 8427,
    "metadata": 8428,
    "mozilla": 8431,
    "google": 8432,
    "apple": 8433,
    "microsoft": 8434,
    "rfc": 8435,
    "autopush": 8436,
}


@attrs.frozen(kw_only=True)
class ServeOptions:
    """What ``serve`` can be told."""

    host: str = "127.0.0.1"
    """Address of the services. Anything but loopback makes them reachable from the network."""
    inbox_host: str | None = None
    """Address of the inbox page; None: loopback, whatever ``host`` is."""
    inbox_names: tuple[str, ...] = ()
    """Further host names under which the inbox is opened (a container's name)."""
    ports: dict[str, int] = attrs.field(factory=dict[str, int])
    """Port numbers by name; others are free ones. ``FIXED_PORTS`` has a whole set."""
    ca: Path | None = None
    """Where to write the CA certificate."""
    credentials: Path | None = None
    """Folder for throw-away keys and the CA certificate, for senders in other processes."""
    state: Path | None = None
    """File that keeps credentials, recipients and records over a restart."""
    snippets: tuple[str, ...] = ()
    """Configuration snippets to print, by name (see ``SNIPPETS``)."""
    known_only: bool = False
    """Refuse tokens that were never registered."""
    inbox: bool = True
    """Serve the inbox page."""
    browser: bool = False
    """Serve autopush's WebSocket for real browsers (needs wsproto)."""
    bundle_id: str = "com.example.app"
    project_id: str = "local-project"
    seed: int = 0
    keep: int = 10_000
    engine: str = "auto"


class Serving:
    """The services with everything that ``serve`` adds. A context manager; tests use it without a process."""

    def __init__(self, options: ServeOptions) -> None:
        unknown = set(options.snippets) - SNIPPETS.keys()
        if unknown:
            raise ValueError(f"no snippet for {', '.join(sorted(unknown))}; there are {', '.join(SNIPPETS)}")
        if options.snippets and options.credentials is None:
            raise ValueError("snippets name the files of keys: give a folder for them as well (--credentials DIR)")
        self.options = options
        ports = dict(options.ports)
        self._inbox_port = ports.pop("inbox", 0)
        self._autopush_port = ports.pop("autopush", 0)
        self.server = PushServer(
            behaviour=Behaviour(seed=options.seed),
            engine=options.engine,
            ports=ports,
            host=options.host,
            known_only=options.known_only,
            bundle_id=options.bundle_id,
            project_id=options.project_id,
            keep=options.keep,
        )
        self.files: Files | None = None
        self.site: InboxSite | None = None
        self.inbox_address: str | None = None
        self.autopush: Any = None
        self._saved: object = None

    def __enter__(self) -> Self:
        options = self.options
        if options.state is not None:
            state.load(self.server, options.state)
        self.server.start()
        try:
            self._equip()
        except BaseException:
            self.server.stop()
            raise
        return self

    def _equip(self) -> None:
        options = self.options
        if options.state is not None:
            state.finish(self.server, options.state)
        # Made now, so that a state that is saved before the first push has them.
        _ = (self.server.apns_key, self.server.service_account, self.server.vapid)
        if options.ca is not None:
            self.server.write_ca(options.ca)
        if options.credentials is not None:
            self.files = write_files(self.server, options.credentials)
        if options.inbox:
            self._open_inbox()
        if options.browser:
            from pushkit.testing.autopush import Autopush

            self.autopush = Autopush(self.server, host=options.host, port=self._autopush_port).start()

    def _open_inbox(self) -> None:
        host = self.options.inbox_host or "127.0.0.1"
        names = ("localhost", "127.0.0.1", "[::1]", host, *self.options.inbox_names)
        self.site = InboxSite(self.server.world, hosts=names)
        port = Port("inbox", self.site.serve, None, host=host, fixed=self._inbox_port)
        self.server.add_port(port)
        shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
        self.inbox_address = f"http://{shown}:{port.number}/{self.site.token}/"

    def __exit__(self, *error: object) -> None:
        if self.autopush is not None:
            self.autopush.stop()
        if self.options.state is not None:
            self.save()
        self.server.stop()

    def ready(self) -> dict[str, Any]:
        """What the ready line says."""
        server = self.server
        said: dict[str, Any] = {
            "ready": True,
            "pid": os.getpid(),
            "origins": {name: server.origin(name) for name in server.ports if name != "inbox"},
            "inbox": self.inbox_address,
            "apns": {"key_id": server.apns_key.key_id, "team_id": server.apns_key.team_id, "topic": server.bundle_id},
            "fcm": {"project_id": server.project_id},
            "webpush": {"public_key": server.vapid.public_b64},
        }
        if self.autopush is not None:
            said["autopush"] = self.autopush.url
        if self.options.ca is not None:
            said["ca"] = str(self.options.ca)
        if self.files is not None:
            said["files"] = {name: str(path) for name, path in attrs.asdict(self.files).items()}
        return said

    def save(self) -> None:
        """Write the state file, if something has changed since."""
        assert self.options.state is not None, "asked for only with a state file"
        world = self.server.world
        now = (world.inbox.total, world.inbox.generation, world.calls.total, world.revision)
        if now != self._saved:
            state.save(self.server, self.options.state)
            self._saved = now


def serve(options: ServeOptions, write: Callable[[str], None], stopping: threading.Event | None = None) -> int:
    """
    Run until SIGINT or SIGTERM.

    Args:
        options: what to serve.
        write: prints a line; the first one is the ready line (JSON), snippets follow.
        stopping: ends it as well; signals are taken only in the main thread.

    Returns:
        The process's exit status: 0.

    Raises:
        OSError: when a port is taken or a file cannot be written.
        ValueError: for options that make no sense, or a broken state file.
    """
    stop = stopping if stopping is not None else threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
    with Serving(options) as serving:
        write(json.dumps(serving.ready(), separators=(",", ":")))
        for name in options.snippets:
            assert serving.files is not None, "snippets come with files"
            write(f"# {name}\n{SNIPPETS[name](serving.server, serving.files)}")
        while not stop.wait(SAVE_EVERY):
            if options.state is not None:
                serving.save()
    return 0
