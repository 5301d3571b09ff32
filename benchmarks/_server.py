"""nginx from the distribution as the server under load, with throw-away certificates, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_CONFIGURATION = """
worker_processes 1;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 600;
  http2_max_concurrent_streams {streams};
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    {locations}
  }}
}}
"""


APNS = "location / { add_header apns-id $http_apns_id always; return 200; }"
"""Answers every push as APNs does."""
FCM = """
    location /v1/projects/ { default_type application/json; return 200 '{"name": "projects/p/messages/0:1500415314455276%31bd1c9631bd1c96"}'; }
    location /token { default_type application/json; return 200 '{"access_token": "ya29.token", "expires_in": 3599, "token_type": "Bearer"}'; }
"""
"""Answers every message as FCM does, and gives access tokens."""


def certificate(folder: Path) -> None:
    """Make a self-signed certificate for localhost."""
    subject = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", *subject, *names, *files], check=True, capture_output=True)


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def pin(core: int) -> None:
    """Keep this process on one core, where the system can."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[core % len(cores)]})


@contextlib.contextmanager
def nginx(*, streams: int = 1000, locations: str = APNS) -> Iterator[tuple[int, Path]]:
    """
    Run nginx on the last core.

    Yields:
        Its port, and the folder with ``cert.pem``.
    """
    if shutil.which("nginx") is None:
        message = "nginx is not installed; on Debian: apt-get install nginx-light nghttp2-client"
        raise SystemExit(message)
    with tempfile.TemporaryDirectory(prefix="pushkit-bench-") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        certificate(folder)
        (folder / "nginx.conf").write_text(_CONFIGURATION.format(folder=folder, port=port, streams=streams, locations=locations))
        process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], preexec_fn=lambda: pin(-1))
        try:
            _wait(port)
            yield port, folder
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    message = "the server did not start"
    raise SystemExit(message)
