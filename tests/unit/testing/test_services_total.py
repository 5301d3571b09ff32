"""Whatever arrives, a service answers: no request of any shape makes one raise."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.testing.helpers import NOW, Place

from pushkit.testing.web.site import InboxSite

SITES = ["apns", "apns_sandbox", "channels", "fcm", "iid", "oauth", "metadata", "mozilla", "google", "apple", "microsoft", "rfc"]
PATHS = [
    "/3/device/",
    "/4/broadcasts/apps/com.example.app",
    "/1/apps/com.example.app/channels",
    "/1/apps/com.example.app/all-channels",
    "/v1/projects/local-project/messages:send",
    "/v1/projects/local-project/registrations/abc/topicSubscriptions",
    "/v1/projects/-/serviceAccounts/x@y/:generateAccessToken",
    "/iid/v1:batchAdd",
    "/iid/info/",
    "/token",
    "/v1/token",
    "/computeMetadata/v1/instance/service-accounts/default/token",
    "/wpush/v2/",
    "/",
    "*",
    "",
]
NAMES = [
    "authorization",
    "apns-id",
    "apns-topic",
    "apns-push-type",
    "apns-priority",
    "apns-expiration",
    "apns-collapse-id",
    "apns-channel-id",
    "apns-request-id",
    "ttl",
    "urgency",
    "topic",
    "content-encoding",
    "content-type",
    "crypto-key",
    "metadata-flavor",
    "access_token_auth",
]
TEXT = st.text(st.characters(max_codepoint=255), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "message",
                    "token",
                    "topic",
                    "condition",
                    "data",
                    "android",
                    "apns",
                    "payload",
                    "aps",
                    "ttl",
                    "webpush",
                    "notification",
                    "to",
                    "scope",
                ]
            )
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(
    site=st.sampled_from(SITES),
    method=st.sampled_from(["GET", "POST", "DELETE", "PATCH", "PUT", "BREW"]),
    path=st.builds(str.__add__, st.sampled_from(PATHS), TEXT),
    headers=st.lists(st.tuples(st.sampled_from(NAMES), TEXT), max_size=6),
    good=st.booleans(),
    body=st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode()) | JSON.map(lambda v: json.dumps({"message": v}).encode()),
)
def test_any_request_has_an_answer(site: str, method: str, path: str, headers: list[tuple[str, str]], good: bool, body: bytes) -> None:
    """With or without credentials, whatever path, header or body; and its record opens."""
    place = Place()
    fields: list[tuple[str, str]] = list(headers)
    if good:
        credential = f"bearer {place.apns_token()}" if site in {"apns", "apns_sandbox", "channels"} else f"Bearer {place.bearer()}"
        fields = [("authorization", credential), *(pair for pair in headers if pair[0] != "authorization")]
    answer = place.call(site, path, fields, body, method=method)

    assert 200 <= answer.status <= 599
    for record in [*place.world.inbox, *place.world.calls]:
        shown: list[Any] = [record.payload, record.title, record.text, record.claims, record.problem, record.headers, repr(record)]
        assert shown
        assert record.time == NOW


@given(
    path=TEXT, body=st.binary(max_size=100) | JSON.map(lambda v: json.dumps(v).encode()), method=st.sampled_from(["GET", "POST"]), host=TEXT
)
def test_any_request_to_the_inbox_has_an_answer(path: str, body: bytes, method: str, host: str) -> None:
    """Also behind the right token."""
    from pushkit.testing.exchange import Connection, Request

    place = Place()
    site = InboxSite(place.world)
    for target, authority in (
        (f"/{path}", host),
        (f"/{site.token}/api/{path}", "localhost:1"),
        (f"/{site.token}/api/script", "localhost:1"),
    ):
        request = Request(method, "http", authority, target, [(b"content-type", b"application/json")], body, Connection(1, "http/1.1"))
        served = site.serve(request)
        assert served.answer is not None
        assert 200 <= served.answer.status <= 499
