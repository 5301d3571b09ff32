"""The local FCM, token endpoint, topics, STS and metadata server are as strict as Google's documentation."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import jwt
import pytest
from tests.unit.testing.helpers import NOW, Place, body_of, header

from pushkit.testing.exchange import Answer

TOKEN = "f" * 22 + ":APA91b" + "x" * 120
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


def message(**changes: Any) -> dict[str, Any]:
    fields = {"token": TOKEN, "notification": {"title": "Hi"}} | changes
    return {name: value for name, value in fields.items() if value is not None}


def violation(answer: Answer) -> str:
    details = body_of(answer)["error"].get("details", [])
    return next((d["fieldViolations"][0]["field"] for d in details if "fieldViolations" in d), "")


def code(answer: Answer) -> str:
    details = body_of(answer)["error"].get("details", [])
    return next((d["errorCode"] for d in details if "errorCode" in d), "")


def info(answer: Answer) -> str:
    details = body_of(answer)["error"].get("details", [])
    return next((d["reason"] for d in details if d["@type"].endswith("ErrorInfo")), "")


def test_a_correct_message_is_accepted_with_a_name() -> None:
    """200 and the message's name in the project."""
    answer = Place().fcm(message())

    assert 200 == answer.status
    assert body_of(answer)["name"].startswith("projects/local-project/messages/")


def test_validate_only_gives_a_fake_name() -> None:
    """Google's dry run answers with this id."""
    assert "projects/local-project/messages/fake_message_id" == body_of(Place().fcm(message(), validate_only=True))["name"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("message", {"token": None}),
        ("message", {"topic": "news"}),
        ("message.data[1].value", {"data": {"a": "b", "c": 1}}),
        ("message.data", {"data": {"from": "x"}}),
        ("message.data", {"data": {"google.x": "x"}}),
        ("message.data", {"data": {"gcm.notification.title": "x"}}),
        ("message.android.data", {"android": {"data": {"message_type": "x"}}}),
        ("message.android.ttl", {"android": {"ttl": "2419201s"}}),
        ("message.android.ttl", {"android": {"ttl": "-1s"}}),
        ("message.android.ttl", {"android": {"ttl": 60}}),
        ("message.android.priority", {"android": {"priority": "urgent"}}),
        ("message.android.notification.visibility", {"android": {"notification": {"visibility": "VISIBILITY_PRIVATE"}}}),
        ("message.android.notification.color", {"android": {"notification": {"color": "red"}}}),
        ("message.android.notification.title_loc_args", {"android": {"notification": {"title_loc_args": ["x"]}}}),
        ("message.android.notification.light_settings", {"android": {"notification": {"light_settings": {"light_on_duration": "1s"}}}}),
        ("message.android_v2", {"android": {}, "android_v2": {}}),
        ("message.android_v2", {"android_v2": {"background_sync": {}, "remote_notification": {}}}),
        ("message.fcm_options.analytics_label", {"fcm_options": {"analytics_label": "no spaces"}}),
        ("message.webpush.fcm_options.link", {"webpush": {"fcm_options": {"link": "http://example.com"}}}),
        ("message.apns.payload.aps", {"apns": {"payload": {"aps": "x"}}}),
        ("message.notification.title", {"notification": {"title": 1}}),
        ("message.topic", {"token": None, "topic": "a b"}),
        ("message.topic", {"token": None, "topic": "x" * 901}),
        ("message.condition", {"token": None, "condition": "'a' in topic"}),
        ("message.condition", {"token": None, "condition": " || ".join(f"'t{i}' in topics" for i in range(6))}),
        ("message.token", {"token": "short"}),
        ("message", {"data": {"x": "y" * 4096}}),
        ("message", {"token": None, "topic": "news", "data": {"x": "y" * 2048}}),
        ("message", {"notifications": {}}),
        ("message.android", {"android": {"notification_priority": "x"}}),
    ],
)
def test_a_wrong_message_is_refused_with_its_field(field: str, changes: dict[str, Any]) -> None:
    """400 INVALID_ARGUMENT and a violation that names the field."""
    answer = Place().fcm(message(**changes))

    assert (400, "INVALID_ARGUMENT", field) == (answer.status, body_of(answer)["error"]["status"], violation(answer))


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"x": "y" * 4000}, "notification": None},
        {"token": None, "fid": "dQw4w9WgXcQdQw4w9WgXcQ"},
        {"token": None, "topic": "news-1_.~%"},
        {"token": None, "condition": "'a' in topics && ('b' in topics || !('c' in topics))"},
        {"android": {"ttl": "3.5s", "priority": "high", "collapseKey": "k"}},
        {"android_v2": {"remote_notification": {"notification": {"id": 3}}}},
        {"webpush": {"notification": {"actions": [{"action": "a", "title": "t"}]}, "fcmOptions": {"link": "https://example.com"}}},
    ],
)
def test_what_the_documentation_allows_is_accepted(changes: dict[str, Any]) -> None:
    """Both spellings of JSON names, every target, limits included."""
    assert 200 == Place().fcm(message(**changes)).status


def test_broken_json_is_an_invalid_argument() -> None:
    """The body has to be a JSON object."""
    place = Place()
    headers = {"authorization": f"Bearer {place.bearer()}"}

    assert 400 == place.call("fcm", "/v1/projects/local-project/messages:send", headers, b"{").status
    assert 400 == place.call("fcm", "/v1/projects/local-project/messages:send", headers, b"[]").status


def test_credentials_are_checked() -> None:
    """Missing, unknown, expired, of the wrong scope, of another project, switched off, without permission."""
    place = Place()
    expired = place.bearer(lifetime=-1.0)
    narrow = place.bearer(scopes=frozenset({"https://www.googleapis.com/auth/drive"}))

    assert (401, "CREDENTIALS_MISSING") == _refused(place.call("fcm", "/v1/projects/local-project/messages:send", {}, {}))
    assert (401, "") == _refused(place.fcm(message(), token="unknown"))
    assert (401, "ACCESS_TOKEN_EXPIRED") == _refused(place.fcm(message(), token=expired))
    assert (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT") == _refused(place.fcm(message(), token=narrow))
    assert (403, "IAM_PERMISSION_DENIED") == _refused(place.fcm(message(), project="elsewhere"))
    assert (403, "IAM_PERMISSION_DENIED") == _refused(place.fcm(message(), token=place.bearer(may_send=False)))
    place.world.accounts.disabled_projects.add("local-project")
    assert (403, "SERVICE_DISABLED") == _refused(place.fcm(message()))


def _refused(answer: Answer) -> tuple[int, str]:
    return answer.status, info(answer)


def test_other_paths_are_html_from_the_front_end() -> None:
    """404 for what is gone (/batch, /fcm/send), as Google's front end answers."""
    for path in ("/batch", "/fcm/send", "/v1/projects/p/messages:sendAll"):
        answer = Place().call("fcm", path)
        assert (404, True) == (answer.status, answer.body.startswith(b"<!DOCTYPE html>"))


def test_recipients_have_states() -> None:
    """Unregistered, of another project, unknown where only known ones count."""
    place = Place()
    gone, other = place.registration(), place.registration()
    place.unregister(gone)
    place.world.recipients["fcm", other.token].project_id = "elsewhere"

    assert (404, "UNREGISTERED") == ((a := place.fcm(message(token=gone.token))).status, code(a))
    assert (403, "SENDER_ID_MISMATCH") == ((a := place.fcm(message(token=other.token))).status, code(a))
    assert "UNREGISTERED" == code(Place(known_only=True).fcm(message()))


# The token endpoint


def assertion(place: Place, *, header_changes: Any = None, **changes: Any) -> str:
    account = place.service_account
    claims = {
        "iss": account.email,
        "aud": "https://oauth2.googleapis.com/token",
        "scope": SCOPE,
        "iat": int(NOW),
        "exp": int(NOW) + 3600,
    } | changes
    return jwt.encode(claims, account.pem or "", algorithm="RS256", headers={"kid": account.key_id} | (header_changes or {}))


def exchange(place: Place, **form: str) -> Answer:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return place.call("oauth", "/token", headers, urlencode(form).encode())


def test_a_signed_assertion_becomes_a_token_that_sends() -> None:
    """The grant of RFC 7523, and FCM takes what it gave."""
    place = Place()
    answer = exchange(place, grant_type=JWT_BEARER, assertion=assertion(place))

    assert (200, "Bearer", 3599) == (answer.status, body_of(answer)["token_type"], body_of(answer)["expires_in"])
    assert 200 == place.fcm(message(), token=body_of(answer)["access_token"]).status


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://example.com/token"},
        {"iss": "somebody@else.iam.gserviceaccount.com"},
        {"exp": int(NOW) + 3601},
        {"exp": int(NOW) - 301},
        {"iat": int(NOW) + 301, "exp": int(NOW) + 3000},
        {"scope": ""},
        {"iat": "now"},
        {"header_changes": {"kid": "other"}},
    ],
)
def test_a_wrong_assertion_is_an_invalid_grant(changes: dict[str, Any]) -> None:
    """Audience, account, times, scope and key are checked."""
    place = Place()
    answer = exchange(place, grant_type=JWT_BEARER, assertion=assertion(place, **changes))

    assert (400, "invalid_grant") == (answer.status, body_of(answer)["error"])


def test_other_grants_are_refused() -> None:
    """Only what the endpoint documents."""
    place = Place()

    assert "unsupported_grant_type" == body_of(exchange(place, grant_type="password"))["error"]
    assert "invalid_request" == body_of(exchange(place, assertion="x"))["error"]
    assert "invalid_grant" == body_of(exchange(place, grant_type=JWT_BEARER, assertion="x.y"))["error"]


def test_a_token_lives_for_an_hour() -> None:
    """After its lifetime FCM says that it expired."""
    place = Place()
    token = place.bearer()
    place.time += 3600

    assert "ACCESS_TOKEN_EXPIRED" == info(place.fcm(message(), token=token))


def test_a_foreign_token_is_exchanged_and_an_account_impersonated() -> None:
    """RFC 8693, then generateAccessToken: the two hops of workload identity federation."""
    place = Place()
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "subject_token": "jwt",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    }
    federated = body_of(place.call("oauth", "/v1/token", {}, urlencode(form).encode()))["access_token"]
    path = f"/v1/projects/-/serviceAccounts/{place.service_account.email}:generateAccessToken"
    answer = place.call("oauth", path, {"authorization": f"Bearer {federated}"}, {"scope": [SCOPE], "lifetime": "3600s"})

    assert 200 == place.fcm(message(), token=body_of(answer)["accessToken"]).status
    assert 400 == place.call("oauth", "/v1/token", {}, urlencode(form | {"audience": "x"}).encode()).status
    assert 401 == place.call("oauth", path, {"authorization": "Bearer x"}, {"scope": [SCOPE]}).status


def test_the_metadata_server_wants_its_header() -> None:
    """Without Metadata-Flavor 403, with it a token, an account and a project."""
    place = Place()
    path, flavor = "/computeMetadata/v1/instance/service-accounts/default/token", {"metadata-flavor": "Google"}

    assert 403 == place.call("metadata", path, {}, method="GET").status
    answer = place.call("metadata", f"{path}?scopes={quote(SCOPE, safe='')}", flavor, method="GET")
    assert "Google" == header(answer, b"metadata-flavor")
    assert 200 == place.fcm(message(), token=body_of(answer)["access_token"]).status
    assert b"local-project" == place.call("metadata", "/computeMetadata/v1/project/project-id", flavor, method="GET").body


# Topics


def topic_call(place: Place, method: str, tail: str, registration: str = TOKEN) -> Answer:
    path = f"/v1/projects/local-project/registrations/{quote(registration, safe='')}/topicSubscriptions{tail}"
    return place.call("fcm", path, {"authorization": f"Bearer {place.bearer()}"}, b"{}", method=method)


def test_topics_are_subscribed_listed_and_left() -> None:
    """Create, create again, list by pages, delete, delete again."""
    place = Place()

    assert (200, "news") == ((a := topic_call(place, "POST", "?topic_name=news")).status, body_of(a)["topicName"])
    assert 409 == topic_call(place, "POST", "?topic_name=news").status
    assert 200 == topic_call(place, "PATCH", "/sport?allow_missing=true").status
    first = body_of(topic_call(place, "GET", "?page_size=1"))
    assert ["news"] == [s["topicName"] for s in first["topicSubscriptions"]]
    second = body_of(topic_call(place, "GET", f"?page_size=1&page_token={first['nextPageToken']}"))
    assert (["sport"], False) == ([s["topicName"] for s in second["topicSubscriptions"]], "nextPageToken" in second)
    assert 200 == topic_call(place, "DELETE", "/news").status
    assert 404 == topic_call(place, "DELETE", "/news").status
    assert 200 == topic_call(place, "DELETE", "/news?allow_missing=true").status
    assert 404 == topic_call(place, "GET", "/news").status


def test_topics_have_names_limits_and_live_registrations() -> None:
    """Bad names, dead registrations, at most 2000 topics for one."""
    place = Place()
    place.unregister(place.registration("dead"))
    dead = next(key for (provider, key), known in place.world.recipients.items() if not known.registered)
    place.world.register("fcm", TOKEN).topics.update(f"t{i}" for i in range(2000))

    assert 400 == topic_call(place, "POST", "?topic_name=a%20b").status
    assert "UNREGISTERED" == code(topic_call(place, "POST", "?topic_name=news", dead))
    assert 400 == topic_call(place, "POST", "?topic_name=one-more").status


def iid(place: Place, path: str, body: Any, **headers: str) -> Answer:
    fields = {"authorization": f"Bearer {place.bearer()}", "access_token_auth": "true"} | headers
    return place.call("iid", path, fields, body)


def test_the_old_topic_service_answers_token_by_token() -> None:
    """An empty object for each success, an error word for each failure."""
    place = Place()
    gone, scripted = place.registration(), place.registration()
    place.unregister(gone)
    place.world.behaviour.topics.to(scripted).answer("RESOURCE_EXHAUSTED")
    answer = iid(place, "/iid/v1:batchAdd", {"to": "/topics/news", "registration_tokens": [TOKEN, gone.token, "x", scripted.token]})

    assert [{}, {"error": "NOT_FOUND"}, {"error": "INVALID_ARGUMENT"}, {"error": "RESOURCE_EXHAUSTED"}] == body_of(answer)["results"]


def test_the_old_topic_service_wants_its_header_and_at_most_a_thousand() -> None:
    """access_token_auth, a topic with its prefix, 1000 tokens."""
    place = Place()

    assert 401 == iid(place, "/iid/v1:batchAdd", {"to": "/topics/x", "registration_tokens": [TOKEN]}, access_token_auth="false").status
    assert 400 == iid(place, "/iid/v1:batchAdd", {"to": "x", "registration_tokens": [TOKEN]}).status
    assert 400 == iid(place, "/iid/v1:batchAdd", {"to": "/topics/x", "registration_tokens": [TOKEN] * 1001}).status
