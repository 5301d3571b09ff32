"""``doctor``: recipients that should work, the way to each host, and what is said about proxies."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushkit import webpush
from pushkit.cli.doctor import local_findings
from pushkit.cli.layers import layer_findings
from pushkit.health import HERE, Level


@pytest.fixture
def nobody() -> int:
    """A port on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def somebody() -> Iterator[int]:
    """A port on loopback where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_a_device_of_the_other_environment_is_the_first_line(project: Path, server, pushkit, monkeypatch) -> None:
    """The cause after a deploy with the wrong setting; the token comes from standard input and is not printed."""
    token = server.device(environment="sandbox").token
    monkeypatch.setattr("sys.stdin", io.StringIO(token + "\n"))

    status, out, _ = pushkit("doctor", "--apns", "-")

    assert 1 == status
    assert out.splitlines()[0].startswith("✗ apns, environment: Apple does not know this token in production")
    assert "environment=" in out.splitlines()[1]
    assert token not in out


def test_recipients_that_work(project: Path, server, pushkit) -> None:
    """One of each kind; exit status 0."""
    browser = server.subscription()
    (project / "subscription.json").write_text(
        json.dumps({"endpoint": browser.endpoint, "keys": {"p256dh": browser.p256dh, "auth": browser.auth}})
    )

    status, out, _ = pushkit(
        "doctor", "--apns", server.device().token, "--fcm", server.registration().token, "--webpush", "subscription.json"
    )

    assert 0 == status, out
    assert 3 == out.count(", recipient: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--apns", "-", "--fcm", "-"), "- reads one recipient from standard input"),
        (("--webpush", "nowhere.json"), '"nowhere.json": cannot be read'),
        (("--offline", "--apns", "ab"), "--offline asks nobody"),
    ],
)
def test_recipients_that_cannot_be_asked_about(arguments, said: str, project: Path, pushkit) -> None:
    """A wrong argument: one line, exit status 2."""
    status, _, err = pushkit("doctor", *arguments)

    assert 2 == status
    assert said in err


def test_with_a_proxy_only_the_way_to_it_is_looked_at(somebody: int, nobody: int) -> None:
    """The hosts themselves need not be reachable from here."""
    config = webpush.Config(
        vapid=webpush.VapidKey.generate(),
        subject="mailto:ops@example.com",
        endpoints=webpush.EndpointPolicy.allow(f"localhost:{nobody}"),
    )

    found = asyncio.run(layer_findings({"webpush": {"default": config}, "proxy": f"http://127.0.0.1:{somebody}"}))
    lost = asyncio.run(layer_findings({"webpush": {"default": config}, "proxy": f"http://127.0.0.1:{nobody}"}))

    assert [(HERE, "dns", Level.OK), (HERE, "proxy", Level.OK)] == [(item.provider, item.subject, item.level) for item in found]
    assert (HERE, "tcp", Level.ERROR) == (lost[-1].provider, lost[-1].subject, lost[-1].level)
    assert "client.proxy" in lost[-1].mend


def test_the_hosts_of_browsers_are_looked_at(nobody: int) -> None:
    """Each named host; a wildcard and a port that may be any are no host."""
    config = webpush.Config(
        vapid=webpush.VapidKey.generate(),
        subject="mailto:ops@example.com",
        endpoints=webpush.EndpointPolicy.allow(f"localhost:{nobody}", "*.example.invalid", "other.invalid:*"),
    )

    found = asyncio.run(layer_findings({"webpush": {"default": config}}))

    assert {("webpush", "dns", Level.OK), ("webpush", "tcp", Level.ERROR)} == {(item.provider, item.subject, item.level) for item in found}
    assert f"localhost:{nobody}" in found[-1].message


def test_a_proxy_of_the_environment_carries_web_push_alone() -> None:
    """The finding says which traffic goes where."""
    (found,) = [finding for finding in local_findings(None, {"HTTPS_PROXY": "http://proxy.example:3128"}) if finding.subject == "proxy"]

    assert Level.WARNING == found.level
    assert "Web Push to the browsers' own services goes through it, APNs and FCM go directly" in found.message
