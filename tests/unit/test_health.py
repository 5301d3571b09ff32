"""The picture of the moment as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pushkit.health import Finding, Health, Level, SenderHealth
from pushkit.wire import OriginHealth

ENDS = datetime(2026, 12, 1, 12, tzinfo=UTC)
SENDER = SenderHealth(
    provider="apns", app="default", budget=1.0, credential_expires_at=ENDS, breakers={"https://api.push.apple.com": "open"}
)
ORIGIN = OriginHealth(origin="https://api.push.apple.com", engine="ngh2", connections=1, streams=2, stream_limit=1000, waiting=0)


def test_everything_is_there_as_json() -> None:
    """A readiness endpoint gives what ``health()`` holds, times in ISO 8601."""
    told = json.loads(json.dumps(Health(usable=False, senders=(SENDER,), origins=(ORIGIN,), sizes={"lanes": 3}).as_dict()))

    assert (False, {"lanes": 3}) == (told["usable"], told["sizes"])
    assert "2026-12-01T12:00:00+00:00" == told["senders"][0]["credential_expires_at"]
    assert {"https://api.push.apple.com": "open"} == told["senders"][0]["breakers"]
    assert 1000 == told["origins"][0]["stream_limit"]


def test_no_name_of_an_app_breaks_the_endpoint() -> None:
    """Apps come from rows of data where the configuration takes any; web frameworks encode without escapes."""
    sender = SenderHealth(provider="apns", app="\ud800\x1b[31m", budget=1.0)
    told = Health(usable=True, senders=(sender,), notes=("apns/\ud800: a note",)).as_dict()

    assert "[31m" == told["senders"][0]["app"]
    assert json.dumps(told, ensure_ascii=False).encode()


def test_a_finding_is_json_and_a_line() -> None:
    """Level, place, what was seen and the mend."""
    finding = Finding(level=Level.ERROR, provider="apns", subject="credentials", message="refused", mend="replace the key")

    assert "error" == json.loads(json.dumps(finding.as_dict()))["level"]
    assert "error: apns/default credentials: refused (replace the key)" == str(finding)
