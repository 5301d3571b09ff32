"""``serve``: the ready line, files, snippets, a state that survives, and an end on SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from pushkit import Client, Notification
from pushkit.testing.serve import FIXED_PORTS, ServeOptions, Serving, serve
from pushkit.testing.snippets import SNIPPETS
from pushkit.testing.state import StateError

HI = Notification(title="Hi", body="there")


def client(serving: Serving) -> Client:
    server = serving.server
    configs = {"apns": server.apns_config(), "fcm": server.fcm_config(), "webpush": server.webpush_config()}
    return Client(**configs, ssl_context=server.ssl_context())


def test_the_ready_line_says_everything_a_sender_needs(tmp_path: Path) -> None:
    """One line of JSON: origins, keys' names, files, the inbox with its random part."""
    with Serving(ServeOptions(ca=tmp_path / "ca.pem", credentials=tmp_path / "keys")) as serving:
        said = json.loads(json.dumps(serving.ready()))

        assert (True, os.getpid(), str(tmp_path / "ca.pem")) == (said["ready"], said["pid"], said["ca"])
        assert {"apns", "fcm", "oauth", "mozilla", "metadata"} <= said["origins"].keys()
        with urllib.request.urlopen(said["inbox"], timeout=5) as page:
            assert 200 == page.status


def test_files_are_private_and_the_ca_has_no_key(tmp_path: Path) -> None:
    """Keys are readable by their owner only; the authority's key is nowhere."""
    with Serving(ServeOptions(credentials=tmp_path)) as serving:
        files = serving.files
        assert files is not None
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (files.apns_key, files.service_account, files.vapid, files.subscription)
        }

        assert {0o600} == set(modes.values())
        assert "PRIVATE" not in files.ca.read_text()


def test_the_certificate_is_for_localhost_and_thirty_days(tmp_path: Path) -> None:
    """Name constraints and dates, read from what was written."""
    from cryptography import x509

    with Serving(ServeOptions(ca=tmp_path / "ca.pem", inbox=False)):
        ca = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    names = ca.extensions.get_extension_for_class(x509.NameConstraints)

    assert names.critical
    assert {"localhost", "127.0.0.0/8", "::1/128"} == {str(n.value) for n in names.value.permitted_subtrees or []}
    assert (ca.not_valid_after_utc - ca.not_valid_before_utc).days == 30


def test_a_trusted_authority_cannot_speak_for_another_host(tmp_path: Path) -> None:
    """A client that trusts it still refuses the service under a foreign name."""
    with Serving(ServeOptions(inbox=False)) as serving:
        context = serving.server.ssl_context()
        with (
            socket.create_connection(("127.0.0.1", serving.server.port("apns").number), timeout=5) as sock,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            context.wrap_socket(sock, server_hostname="api.push.apple.com")


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """Keys, recipients, ports and what arrived are the same; the certificate is a new one."""
    options = ServeOptions(state=tmp_path / "state.json", inbox=False)
    with Serving(options) as serving, client(serving) as push:
        device, subscription, gone = serving.server.device(), serving.server.subscription(), serving.server.device()
        for target in (device, subscription):
            push.send(HI, to=target).unwrap()
        serving.save()
        serving.server.unregister(gone)
        before = (
            serving.server.apns_key.key_id,
            serving.server.vapid.public_b64,
            serving.server.port("mozilla").number,
            serving.server.ca_pem,
        )
    assert 0o600 == stat.S_IMODE((tmp_path / "state.json").stat().st_mode)

    with Serving(options) as serving, client(serving) as push:
        server = serving.server
        after = (server.apns_key.key_id, server.vapid.public_b64, server.port("mozilla").number, server.ca_pem)
        assert (before[:3], True) == (after[:3], before[3] != after[3])
        assert [("Hi", "there"), ("Hi", "there")] == [(r.title, r.text) for r in server.sent]
        assert push.send(HI, to=subscription).accepted
        assert "Unregistered" == push.send(HI, to=gone).reason
        assert "Hi" == server.sent[-2].title


def test_a_port_that_is_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    """Endpoints in the state name their service, not its port."""
    options = ServeOptions(state=tmp_path / "state.json", inbox=False)
    with Serving(options) as serving:
        subscription = serving.server.subscription("mine")
        number = serving.server.port("mozilla").number
    with socket.create_server(("127.0.0.1", number)), Serving(options) as serving, client(serving) as push:
        again = subscription.__class__(
            subscription.endpoint.replace(str(number), str(serving.server.port("mozilla").number)),
            p256dh=subscription.p256dh,
            auth=subscription.auth,
        )
        assert push.send(HI, to=again).accepted


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 99}', '{"version": 1, "apns": {}}', "\x00"])
def test_a_broken_state_is_a_clear_error(tmp_path: Path, text: str) -> None:
    """It is not overwritten; the error says what to do."""
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(StateError, match="move it away"):
        Serving(ServeOptions(state=path)).__enter__()
    assert text == path.read_text()


@pytest.mark.parametrize(
    "wrong",
    [{"records": [{}]}, {"records": 5}, {"recipients": [["webpush", 5, None]]}, {"ports": {"apns": "x"}}, {"ports": {"apns": 70_000}}],
    ids=["record", "records", "recipient", "port text", "port number"],
)
def test_a_state_that_is_broken_inside_is_a_clear_error(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Also where the values are used only when the ports are open: the same error, the services stopped, the file untouched."""
    path = tmp_path / "state.json"
    with Serving(ServeOptions(state=path, inbox=False)):
        pass
    text = json.dumps(json.loads(path.read_text()) | wrong)
    path.write_text(text)
    threads = threading.active_count()

    with pytest.raises(StateError, match="move it away"):
        Serving(ServeOptions(state=path, inbox=False)).__enter__()

    assert (text, threads) == (path.read_text(), threading.active_count())


def test_a_taken_port_is_a_clear_error() -> None:
    """Which port, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with pytest.raises(OSError, match=f"port {number}.*choose another"):
            Serving(ServeOptions(ports={"apns": number})).__enter__()


def test_unknown_options_are_refused() -> None:
    """Snippets and ports by name."""
    with pytest.raises(ValueError, match="no snippet for fax"):
        Serving(ServeOptions(snippets=("fax",)))
    with pytest.raises(ValueError, match="--credentials"):
        Serving(ServeOptions(snippets=("pushkit",)))
    with pytest.raises(ValueError, match="ports= names fax"):
        Serving(ServeOptions(ports={"fax": 1}))


def test_fixed_ports_are_complete_and_different() -> None:
    """One for every name that can be given."""
    from pushkit.testing.services.routes import PROVIDER_OF

    assert {*PROVIDER_OF, "inbox", "autopush"} == FIXED_PORTS.keys()
    assert len(FIXED_PORTS) == len(set(FIXED_PORTS.values()))


def test_pushkits_own_snippet_runs_as_it_is(tmp_path: Path) -> None:
    """In a process of its own; three pushes are accepted."""
    with Serving(ServeOptions(credentials=tmp_path, inbox=False)) as serving:
        assert serving.files is not None
        code = SNIPPETS["pushkit"](serving.server, serving.files)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

        assert 3 == done.stdout.count("Accepted("), done.stdout + done.stderr
        assert ["apns", "fcm", "webpush"] == [r.provider for r in serving.server.sent]
        assert "It works." == serving.server.sent[-1].text


def test_every_snippet_is_rendered(tmp_path: Path) -> None:
    """With this server's addresses."""
    with Serving(ServeOptions(credentials=tmp_path, inbox=False)) as serving:
        assert serving.files is not None
        for name, snippet in SNIPPETS.items():
            text = snippet(serving.server, serving.files)
            assert ("localhost" in text or str(serving.files.subscription) in text, "{{" in text and "node" not in name) == (True, False), (
                name
            )


def test_it_runs_in_the_foreground_and_ends_when_told() -> None:
    """serve() prints the ready line first and gives 0."""
    lines: list[str] = []
    stopping = threading.Event()
    thread_result: list[int] = []
    thread = threading.Thread(target=lambda: thread_result.append(serve(ServeOptions(), lines.append, stopping)))
    thread.start()
    end = time.monotonic() + 10
    while not lines and time.monotonic() < end:
        time.sleep(0.01)  # another thread's start has no other sign
    assert json.loads(lines[0])["ready"]
    stopping.set()
    thread.join(10)

    assert [0] == thread_result


def test_a_process_ends_on_sigterm_and_saves(tmp_path: Path) -> None:
    """Docker stops a container so."""
    state = tmp_path / "state.json"
    code = (
        "import sys; from pathlib import Path; from pushkit.testing.serve import serve, ServeOptions;"
        f"sys.exit(serve(ServeOptions(state=Path({str(state)!r})), lambda line: print(line, flush=True)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["pid"] == process.pid
    process.send_signal(signal.SIGTERM)

    assert (0, True) == (process.wait(15), state.exists())
    process.stdout.close()
