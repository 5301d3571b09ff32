"""Whatever people paste: the shapes that answers have in terminals, logs, exceptions and browsers."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushkit.cli.explain import explain
from pushkit.cli.explain_text import as_text
from pushkit.cli.handbook import PROVIDERS
from pushkit.cli.pasted import LONGEST, read
from pushkit.errors import ConfigurationError

TOKEN = "80b5" * 16
JWT = "eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQzEyMyJ9.eyJpc3MiOiJERUYiLCJpYXQiOjF9.c2lnbmF0dXJl"
FCM_ERROR = '{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "%s"}'
FCM_BODY = '{\n  "error": {\n    "code": 404,\n    "message": "x",\n    "status": "NOT_FOUND",\n    "details": [%s]\n  }\n}'
CURL = f"""* ALPN: server accepted h2
> POST /3/device/{TOKEN} HTTP/2
> authorization: bearer {JWT}
>
{{ [5 bytes data]
< HTTP/2 400
< apns-id: 5B7AB8A7
<
{{"reason":"BadDeviceToken"}}
* Connection #0 to host api.push.apple.com left intact"""
AUTOPUSH = '{"code":410,"errno":106,"error":"Gone","message":"x","more_info":"http://autopush.readthedocs.io"}'
GOOGLE_TEXT = "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions."

SHAPES: dict[str, tuple[str | None, str, str, str]] = {
    "an HTTP/2 response": ("apns", 'HTTP/2 410\r\napns-id: 1\r\n\r\n{"reason":"Unregistered","timestamp":1454948015990}', "apns", "Unregistered"),
    "a proxy's answer first": (None, 'HTTP/1.1 200 Connection established\r\n\r\nHTTP/2 403\r\napns-id: x\r\n\r\n{"reason":"BadCertificate"}', "apns", "BadCertificate"),
    "curl -v": (None, CURL, "apns", "BadDeviceToken"),
    "curl -i": (None, f"HTTP/1.1 410 Gone\nContent-Type: application/json\n\n{AUTOPUSH}", "webpush", "errno 106"),
    "headers alone": ("webpush", "HTTP/1.1 201 Created\nX-WNS-STATUS: dropped\n\n", "webpush", "dropped"),
    "a body of FCM": (None, FCM_BODY % (FCM_ERROR % "UNREGISTERED"), "fcm", "UNREGISTERED"),
    "a body of APNs": ("apns", '{"reason":"BadTopic"}', "apns", "BadTopic"),
    "a body whose word tells the provider": (None, '{"reason":"BadTopic"}', "apns", "BadTopic"),
    "a status alone": ("fcm", "429", "fcm", "RESOURCE_EXHAUSTED"),
    "a repr of bytes": ("apns", "<Response [410]> b'{\"reason\":\"Unregistered\"}'", "apns", "Unregistered"),
    "a repr of text": (None, repr(FCM_BODY % (FCM_ERROR % "SENDER_ID_MISMATCH")), "fcm", "SENDER_ID_MISMATCH"),
    "a repr of a dict": (None, "{'reason': 'BadCertificate', 'timestamp': 1}", "apns", "BadCertificate"),
    "JavaScript's object": ("apns", "{ device: 'abc', status: '410', response: { reason: 'Unregistered' } }", "apns", "Unregistered"),
    "Go's struct": (None, "&{410 Unregistered 2D5CF1A5 2023}", "apns", "Unregistered"),
    "httpx": (None, f"Client error '410 Gone' for url 'https://api.push.apple.com/3/device/{TOKEN}'", "apns", "http_410"),
    "aioapns": (None, "NotificationResult(notification_id='abc', status='410', description='Unregistered')", "apns", "Unregistered"),
    "firebase-admin, class": (None, "firebase_admin._messaging_utils.UnregisteredError: Requested entity was not found.", "fcm", "UNREGISTERED"),
    "firebase-admin, short": (None, "firebase_admin._messaging_utils.ThirdPartyAuthError: Auth error", "fcm", "THIRD_PARTY_AUTH_ERROR"),
    "firebase-admin, text": (None, "firebase_admin.exceptions.InvalidArgumentError: The registration token is not a valid FCM registration token", "fcm", "INVALID_ARGUMENT"),
    "pywebpush, Mozilla": (None, f"WebPushException: Push failed: 410 Gone\nResponse body:{AUTOPUSH}", "webpush", "errno 106"),
    "pywebpush, Google": (None, f"WebPushException: Push failed: 403 Forbidden\nResponse body:{GOOGLE_TEXT}\n https://fcm.googleapis.com/fcm/send/{TOKEN}", "webpush", "vapid_key_mismatch"),
    "pywebpush, Apple": (None, f'WebPushException: Push failed: 400 Bad Request\nResponse body:{{"reason":"VapidPkHashMismatch"}} https://web.push.apple.com/{TOKEN}', "webpush", "VapidPkHashMismatch"),
    "an HTML page": ("apns", "<html>\n<head><title>502 Bad Gateway</title></head><body></body></html>", "apns", "http_502"),
    "Google's page": ("fcm", "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", "fcm", "NOT_FOUND"),
    "an outcome as text": (None, "03:12 WARNING apns Unregistered for 17: Remove this device.", "apns", "Unregistered"),
    "an outcome's repr": (None, "RecipientFailure(target=Device(<1a2b>), provider='webpush', reason='errno 103', status=410)", "webpush", "errno 103"),
    "an outcome as JSON": (None, '{"category":"recipient","provider":"fcm","reason":"SENDER_ID_MISMATCH","status":403}', "fcm", "SENDER_ID_MISMATCH"),
    "an outcome of pushkit's own": (None, "TechnicalFailure(provider='apns', reason='circuit_open', status=None)", "pushkit", "circuit_open"),
    "a log line": ("apns", "push failed status=503 host=api.push.apple.com", "apns", "http_503"),
    "half a character": ("apns", 'HTTP/2 400\n\n\ud800{"reason":"BadTopic"}', "apns", "BadTopic"),
    "an unknown status": ("apns", "HTTP/2 599\n\n", "apns", "http_599"),
}  # fmt: skip


@pytest.mark.parametrize(("provider", "raw", "whose", "reason"), SHAPES.values(), ids=SHAPES.keys())
def test_what_is_pasted_is_understood(provider: str | None, raw: str, whose: str, reason: str) -> None:
    """Whose answer it is, and what it says."""
    explained = explain(provider, [], raw=raw)

    assert (whose, reason) == (explained["provider"], explained["verdict"]["reason"])


SECRETS = [(provider, raw) for provider, raw, _, _ in SHAPES.values() if TOKEN in raw or JWT in raw]
SECRETS += [("apns", f'HTTP/2 400\n\n{{"reason":"{TOKEN}"}}'), ("apns", f'403 {{"reason":"{JWT}"}}'), ("fcm", f"503 {JWT}")]


@pytest.mark.parametrize(("provider", "raw"), SECRETS)
def test_nothing_secret_comes_out_again(provider: str | None, raw: str) -> None:
    """Tokens, addresses and signatures that were pasted along."""
    explained = explain(provider, [], raw=raw)
    shown = json.dumps(explained) + as_text(explained)

    assert [] == [secret for secret in (TOKEN, JWT, JWT.split(".")[1]) if secret in shown]


def test_a_token_in_place_of_a_word_is_not_repeated(pushkit) -> None:
    """In the complaint that it is no known word."""
    assert TOKEN not in "".join(map(str, pushkit("explain", "apns", TOKEN)))
    assert TOKEN not in "".join(map(str, pushkit("explain", TOKEN)))


def test_control_characters_stay_out_of_the_terminal() -> None:
    """An answer can hold colours, and marks that turn the direction of writing."""
    shown = as_text(explain("apns", [], raw='HTTP/2 400\n\n{"reason":"\\u001b[31mred\\u202e"}'))

    assert "red" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    "raw", ["", "  \n\n", "it does not work!", "x" * 1_000_000, "{" * 100_000, '{"error":' * 30_000, "\x00\x01\ufffd" * 99]
)
def test_what_says_nothing_is_said_to(raw: str) -> None:
    """With what to give."""
    with pytest.raises(ConfigurationError, match="neither a status nor a known word"):
        explain("apns", [], raw=raw)


def test_another_providers_answer_is_noticed() -> None:
    """Explained as asked for, with a hint."""
    explained = explain("fcm", [], raw='HTTP/2 410\n\n{"reason":"Unregistered"}')

    assert "fix_configuration" == explained["verdict"]["action"]
    assert "looks like an answer of apns" in as_text(explained)


def test_another_providers_exception_is_sent_there() -> None:
    """Where nothing in it is a word of the provider that was named."""
    with pytest.raises(ConfigurationError, match="it looks like an answer of fcm: explain fcm --raw -"):
        explain("apns", [], raw="firebase_admin.exceptions.InvalidArgumentError: no")


def test_what_a_provider_asked_for_is_told() -> None:
    """Retry-After of the pasted answer, instead of the table's delay."""
    assert "after 5 minutes at the earliest" in as_text(explain("fcm", [], raw="HTTP/2 503\nretry-after: 300\n\n"))


def test_bytes_that_are_no_text_can_be_piped_in(pushkit, monkeypatch) -> None:
    """Standard input is read as bytes, as much as is looked at."""
    piped = io.BytesIO(b'\xff\xfe{"reason":"BadTopic"}' + b" " * LONGEST)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=piped, isatty=lambda: False))

    status, out, _ = pushkit("explain", "apns", "--raw", "-")

    assert 0 == status
    assert "apns 400 BadTopic" in out


@pytest.mark.parametrize(
    ("raw", "status", "fields", "body"),
    [
        ("HTTP/2 410\r\napns-id: 1\r\n\r\n{}", 410, ((b"apns-id", b"1"),), b"{}"),
        ("HTTP/1.1 404 Not Found\n\n{}", 404, (), b"{}"),
        ('410 {"reason": "x"}', 410, (), b'{"reason": "x"}'),
        ("retry-after: 5\n\nbody", None, ((b"retry-after", b"5"),), b"body"),
        ("", None, (), b""),
        ("410", 410, (), b""),
    ],
)
def test_a_response_is_taken_apart(raw: str, status: int | None, fields: tuple[tuple[bytes, bytes], ...], body: bytes) -> None:
    """Status, header fields and body."""
    pasted = read(raw)

    assert (status, fields, body) == (pasted.status, pasted.fields, pasted.body)


@given(
    st.text(max_size=300) | st.sampled_from(["HTTP/2", "HTTP/2 x", ":", "a:", "\n\n", "HTTP/2 410\n:\n\n", "{'a': " * 300, "< HTTP/2\n<"])
)
def test_whatever_is_pasted_it_is_explained_or_refused(raw: str) -> None:
    """Nothing else is raised."""
    for provider in (*PROVIDERS, None):
        with contextlib.suppress(ConfigurationError):
            assert as_text(explain(provider, [], raw=raw))
