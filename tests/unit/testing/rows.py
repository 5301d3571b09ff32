"""
Every row of the error tables as a scenario: how to script it, and what a client has to make of it.

The tables are the copies in tests/reference; how an answer looks on the wire is said here in the
providers' words, so that nothing of the client's own tables takes part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from pushkit import Notification, apns, fcm
from pushkit.messages import Message
from pushkit.testing import Answer, Behaviour, Disconnect, Refuse, Reset, Stall, TlsFailure
from pushkit.testing.provision import Provision

REFERENCE = Path(__file__).parents[2] / "reference"
HELLO = Notification(title="Hello", body="there")
CHANNEL = "dGhpcyBpcyBhIGNoYW5uZWw="
TOO_LONG = Answer(status=500, body=b"x" * 200_000)


@attrs.frozen
class Scenario:
    name: str
    row: dict[str, Any]
    script: Callable[[Behaviour, object], None]
    target: Callable[[Provision], Any]
    message: Message = HELLO
    reasons: tuple[str, ...] = ()
    alike: tuple[dict[str, Any], ...] = ()
    """Rows that no answer tells apart from this one: same service, status and reason."""

    @property
    def after_a_success(self) -> bool:
        """Resubscribing is believed only of a key that has worked (design 6.7)."""
        return self.row["do"] == "RESUBSCRIBE"

    def __str__(self) -> str:
        return self.name


def table(provider: str) -> list[dict[str, Any]]:
    return json.loads((REFERENCE / f"{provider}-errors.json").read_text())


def apns_scenarios() -> list[Scenario]:
    found = []
    for row in table("apns"):
        word = row["reason"]
        script = lambda b, t, word=word: b.to(t).answer(word)  # noqa: E731
        name = f"apns {row['status']} {word}"
        if "send" in row["api"]:
            found.append(Scenario(name, row, script, lambda p: p.device(), reasons=(word,)))
        elif "broadcast" in row["api"]:
            update = apns.LiveActivityUpdate(content_state={"score": 1})
            found.append(Scenario(name, row, script, _channel, update, reasons=(word,)))
    return found


def _channel(place: Provision) -> apns.Channel:
    place.world.channels[place.bundle_id, "production", CHANNEL] = 1
    return apns.Channel(CHANNEL)


_FCM: dict[str, tuple[str, dict[str, Any]]] = {
    "INVALID_ARGUMENT + ApnsError DeviceTokenNotForTopic": ("INVALID_ARGUMENT + ApnsError DeviceTokenNotForTopic", {}),
    "INVALID_ARGUMENT + ApnsError ExpiredToken": ("INVALID_ARGUMENT + ApnsError ExpiredToken", {}),
    "INVALID_ARGUMENT + ApnsError BadDeviceToken/Unregistered while live_activity_token set": (
        "INVALID_ARGUMENT + ApnsError Unregistered",
        {},
    ),
    "INVALID_ARGUMENT + BadRequest field message.token|message.fid": ("INVALID_ARGUMENT", {"field": "message.token"}),
    "INVALID_ARGUMENT + message ~ 'registration token'": (
        "INVALID_ARGUMENT",
        {"message": "The registration token is not a valid FCM registration token"},
    ),
    "BadRequest (no FcmError), any field but token/fid": ("INVALID_ARGUMENT", {"fcm_error": False, "field": "message.data[0].value"}),
    "INVALID_ARGUMENT: message too big": ("INVALID_ARGUMENT", {"field": "message", "message": "Message is too big"}),
    "INVALID_ARGUMENT: invalid data key": ("INVALID_ARGUMENT", {"field": "message.data", "message": "Invalid data payload key: from"}),
    "INVALID_ARGUMENT: invalid ttl": ("INVALID_ARGUMENT", {"field": "message.android.ttl", "message": "Invalid ttl"}),
    "INVALID_ARGUMENT: invalid package name": ("INVALID_ARGUMENT", {"field": "message.android.restricted_package_name"}),
    "INVALID_ARGUMENT: topic/condition malformed": ("INVALID_ARGUMENT", {"field": "message.topic"}),
    "INVALID_ARGUMENT: android and android_v2 both set": ("INVALID_ARGUMENT", {"field": "message.android_v2"}),
    "QUOTA_EXCEEDED (topic)": ("QUOTA_EXCEEDED", {"quota": "topic"}),
    "QUOTA_EXCEEDED (device)": ("QUOTA_EXCEEDED", {"quota": "device"}),
    "ErrorInfo RATE_LIMIT_EXCEEDED (SendsPerMinutePerProject)": ("RATE_LIMIT_EXCEEDED", {}),
    "ApnsError TooManyRequests": ("RESOURCE_EXHAUSTED + ApnsError TooManyRequests", {}),
}
_ALTERNATIVES = re.compile(r"ApnsError (?:\d+ )?([\w|*]+)$")
_TOPICS = ("topicSubscriptions", "IID")


def fcm_scenarios() -> list[Scenario]:
    found: list[Scenario] = []
    for number, row in enumerate(table("fcm")):
        code = row["error_code"]
        name = f"fcm {number} {row['http_status']} {code or row['rpc_status'] or ''}"
        if code is not None and code.startswith(_TOPICS):
            continue  # answers of the topic services: tests/unit/testing/test_topics.py
        live = fcm.Message(apns=fcm.ApnsConfig(live_activity_token="ab" * 32)) if code and "while live" in code else HELLO
        reasons = tuple(row["reason"].split(" | "))
        for suffix, script in _fcm_scripts(row, code):
            found.append(Scenario(f"{name}{suffix}", row, script, lambda p: p.registration(), live, reasons))
    return found


def _fcm_scripts(row: dict[str, Any], code: str | None) -> list[tuple[str, Any]]:
    def answer(word: str, **details: Any) -> Any:
        return lambda b, t: b.to(t).answer(word, **details)

    if code == "connect/DNS/TLS failure":
        return [("", lambda b, t: b.outage("fcm", fault=Refuse()))]
    if code == "read timeout or reset after send":
        return [(" stall", lambda b, t: b.to(t).fault(Stall())), (" reset", lambda b, t: b.to(t).fault(Disconnect()))]
    if code == "HTTP/2 GOAWAY / stream refused":
        return [("", lambda b, t: b.to(t).fault(Reset("REFUSED_STREAM")))]
    if code == "malformed or empty response body":
        return [("", lambda b, t: b.to(t).answer(Answer(status=200, body=b"")))]
    if code == "token endpoint invalid_grant":
        return [("", lambda b, t: b.oauth.answer("invalid_grant"))]
    if code is not None and code.startswith("token endpoint"):
        return [(f" {s}", lambda b, t, s=s: b.oauth.answer(f"http_{s}")) for s in (408, 429, 500, 503, 504)]
    if code in _FCM:
        word, details = _FCM[code]
        return [("", answer(word, **details))]
    if code is not None and code.startswith("ErrorInfo "):
        return [("", answer(code.split()[1]))]
    matched = _ALTERNATIVES.search(code or "")
    if code is not None and matched is not None and "|" in matched[1]:
        names = [
            n for part in matched[1].split("|") for n in (["BadCertificate", "BadCertificateEnvironment"] if part.endswith("*") else [part])
        ]
        return [(f" {n}", answer(f"{code.split(' + ')[0]} + ApnsError {n}")) for n in names]
    if code is None:
        word = row["rpc_status"] or f"http_{row['http_status']}"
        return [("", answer(word))]
    return [("", answer(code))]


_WEBPUSH_ERRNO = re.compile(r"\d+")


def webpush_scenarios() -> list[Scenario]:
    found: list[Scenario] = []
    for row in table("webpush"):
        service, status, code = row["service"], row["status"], row["code"]
        name = f"webpush {service} {status} {code}"
        if service == "client":
            script = _NETWORK.get(code)
            if script is None:
                continue  # found before anything is sent: no push service takes part
            found.append(Scenario(name, row, script, lambda p: p.subscription(service="mozilla"), reasons=(row["reason"],)))
            continue
        word, details = _webpush_word(service, status, code, row)
        script = lambda b, t, word=word, details=details: b.to(t).answer(word, **details)  # noqa: E731
        alike = tuple(r for r in table("webpush") if r["service"] == service == "rfc" and r["status"] == status)
        target = lambda p, service=service: p.subscription(service=service)  # noqa: E731
        found.append(Scenario(name, row, script, target, reasons=(row["reason"],), alike=alike))
    return found


_NETWORK: dict[str, Any] = {
    "connect_error": lambda b, t: b.outage("webpush", fault=Refuse()),
    "read_timeout": lambda b, t: b.to(t).fault(Stall()),
    "connection_reset": lambda b, t: b.to(t).fault(Disconnect()),
    "tls_certificate": lambda b, t: b.outage("webpush", fault=TlsFailure("untrusted")),
    "response_too_large": lambda b, t: b.to(t).answer(TOO_LONG),
}


def _webpush_word(service: str, status: int, code: str | None, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if service == "mozilla" and code == "109:VAPID public key mismatch":
        return "VAPID public key mismatch", {}
    if service == "mozilla" and code is not None and _WEBPUSH_ERRNO.fullmatch(code):
        return f"errno {code}", {"status": status}
    if service == "microsoft" and code is not None and code.startswith("x-wns-status"):
        return "dropped", {}
    details = {"location": "https://push.example.net/elsewhere"} if status in {301, 307} else {}
    if code is None or service == "rfc" or code == "location":
        return f"http_{status}", details
    return code, {"status": status}
