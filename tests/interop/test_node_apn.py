"""@parse/node-apn 8 (Node's client for APNs) sends to our local APNs. Needs node and npm; part of the long tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

import pushkit
from pushkit import Localized, Notification, RetryPolicy, Sound, apns
from pushkit.testing import PushServer

pytestmark = pytest.mark.full

VERSION = "8.1.0"
SCRIPT = Path(__file__).with_name("node_apn.js")
SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """Where the package is, installed by npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are needed for this comparison and are not installed here")
    folder = tmp_path_factory.mktemp("node")
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"@parse/node-apn@{VERSION}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"npm could not install @parse/node-apn@{VERSION}: {done.stderr[-300:]}")
    return folder / "node_modules"


@pytest.fixture(scope="module")
def running():
    with PushServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


@pytest.fixture
def theirs(server, modules, tmp_path):
    def send(*pushes):
        key = server.apns_key
        job = {
            "key": key.pem,
            "keyId": key.key_id,
            "teamId": key.team_id,
            "port": int(server.origin("apns").rpartition(":")[2]),
            "pushes": [{"fields": {"topic": server.bundle_id, **fields}, "tokens": tokens} for fields, tokens in pushes],
        }
        done = subprocess.run(
            ["node", str(SCRIPT)],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=os.environ | {"NODE_PATH": str(modules), "NODE_EXTRA_CA_CERTS": str(server.write_ca(tmp_path / "ca.pem"))},
        )
        return json.loads(done.stdout)

    return send


def ours(server, message, target):
    with pushkit.Client(apns=server.apns_config(), ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as push:
        return push.send(message, to=target)


SAME = {
    "alert": (
        {"alert": {"title": "Hello", "body": "It is on its way"}, "badge": 3, "payload": {"order": "17"}, "threadId": "orders"},
        Notification(title="Hello", body="It is on its way", badge=3, data={"order": "17"}, group="orders"),
    ),
    "localised": (
        {"titleLocKey": "T", "titleLocArgs": ["a"], "locKey": "B", "locArgs": ["b", "c"]},
        Notification(title=Localized("T", ["a"]), body=Localized("B", ["b", "c"])),
    ),
    "critical": (
        {"alert": {"title": "Smoke"}, "sound": {"critical": 1, "name": "alarm.aiff", "volume": 0.5}, "interruptionLevel": "critical"},
        Notification(title="Smoke", sound=Sound(name="alarm.aiff", critical=True, volume=0.5), interruption="critical"),
    ),
    "background": (
        {"contentAvailable": 1, "pushType": "background", "priority": 5, "payload": {"a": "b"}},
        Notification(background=True, data={"a": "b"}),
    ),
    "update of a live activity": (
        {
            "event": "update",
            "contentState": {"score": 1},
            "timestamp": 1_795_305_600,
            "staleDate": 1_795_309_200,
            "relevanceScore": 75,
            "pushType": "liveactivity",
            "topic": "com.example.app.push-type.liveactivity",
        },
        apns.LiveActivityUpdate(
            {"score": 1},
            relevance_score=75,
            stale_date=datetime(2026, 11, 22, 1, tzinfo=UTC),
            timestamp=datetime(2026, 11, 22, tzinfo=UTC),
        ),
    ),
    "mdm": ({"mdm": "MAGIC", "pushType": "mdm"}, apns.MdmWakeUp("MAGIC")),
}


@pytest.mark.parametrize("name", SAME)
def test_both_write_the_same_payload(server, theirs, name):
    """Whatever the names of the fields are on the two sides."""
    fields, message = SAME[name]
    device = server.device()
    target = apns.ActivityToken(device.token) if isinstance(message, apns.LiveActivityUpdate) else device

    (result,) = theirs(({"pushType": "alert", **fields}, [device.token]))
    outcome = ours(server, message, target)

    assert [device.token] == result["sent"], result
    assert outcome.accepted, outcome
    their, our = server.sent[-2:]
    assert their.payload == our.payload
    assert their.headers["apns-push-type"] == our.headers["apns-push-type"]
    assert their.headers["apns-topic"] == our.headers["apns-topic"]


@pytest.mark.parametrize("reason", ["BadDeviceToken", "Unregistered", "PayloadTooLarge", "TopicDisallowed"])
def test_both_read_the_same_refusal(server, theirs, reason):
    """Status and reason are the same words; the timestamp of a 410 is milliseconds there and a time here."""
    device = server.device()
    server.behaviour.to(device).answer(reason, **({"since": SINCE} if reason == "Unregistered" else {}))

    (result,) = theirs(({"alert": "Hello", "pushType": "alert"}, [device.token]))
    outcome = ours(server, Notification(title="Hello"), device)

    (failed,) = result["failed"]
    assert failed["response"]["reason"] == outcome.reason
    assert str(failed["status"]) == str(outcome.status)
    if reason == "Unregistered":
        assert datetime.fromtimestamp(failed["response"]["timestamp"] / 1000, UTC) == outcome.invalid_since


def test_many_tokens_at_once(server, theirs):
    """
    A list of tokens there, a list of targets here, at a service that starts with one stream (as Apple documents it for token keys).

    The difference: node-apn opens its streams before the server's SETTINGS have come and reports what the server
    refused for that as failed; pushkit sends what was provably not processed again by itself.
    """
    devices = [server.device() for _ in range(100)]

    (result,) = theirs(({"alert": "Hello", "pushType": "alert"}, [device.token for device in devices]))
    with pushkit.Client(apns=server.apns_config(), ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as push:
        report = push.send_many(Notification(title="Hello"), to=devices)

    assert 100 == len(result["sent"]) + len(result["failed"])
    assert all("REFUSED_STREAM" in failed["error"] for failed in result["failed"])
    assert 100 == report.accepted
