"""The local APNs is as strict as Apple's documentation."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from tests.unit.testing.helpers import NOW, TOKEN, TOPIC, Place, body_of, header, reason

from pushkit.testing import Accounts


def test_a_correct_push_is_accepted_with_its_own_id() -> None:
    """200 without a body; the id that came is the id that is answered."""
    apns_id = str(uuid.uuid4())
    answer = Place().apns(apns_id=apns_id)

    assert (200, b"") == (answer.status, answer.body)
    assert apns_id == header(answer, b"apns-id")


def test_a_push_without_an_id_gets_one() -> None:
    """APNs makes an id where none was given."""
    assert 36 == len(header(Place().apns(), b"apns-id") or "")


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        ("BadMessageId", {"apns_id": "7"}),
        ("BadMessageId", {"apns_id": str(uuid.uuid4()).upper()}),
        ("BadExpirationDate", {"apns_expiration": "tomorrow"}),
        ("BadExpirationDate", {"apns_expiration": "-1"}),
        ("BadExpirationDate", {"apns_expiration": "1.5"}),
        ("BadCollapseId", {"apns_collapse_id": "x" * 65}),
        ("BadPriority", {"apns_priority": "7"}),
        ("BadPriority", {"apns_push_type": "background", "apns_priority": "10"}),
        ("InvalidPushType", {"apns_push_type": "shout"}),
        ("MissingTopic", {"apns_topic": None}),
        ("BadTopic", {"apns_push_type": "voip"}),
        ("BadTopic", {"apns_push_type": "liveactivity", "apns_topic": f"{TOPIC}.voip"}),
        ("MissingProviderToken", {"authorization": None}),
        ("MissingProviderToken", {"authorization": "bearer "}),
        ("InvalidProviderToken", {"authorization": "bearer not.a.jwt"}),
        ("InvalidProviderToken", {"authorization": "Basic YTpi"}),
        ("MissingDeviceToken", {"token": ""}),
        ("BadDeviceToken", {"token": "xyz"}),
        ("BadPath", {"token": "ab/cd"}),
        ("PayloadEmpty", {"body": b""}),
        ("PayloadEmpty", {"body": b"[]"}),
        ("PayloadEmpty", {"body": b"{"}),
        ("PayloadEmpty", {"body": {"key": "no aps"}}),
        ("PayloadTooLarge", {"body": {"aps": {"alert": "x" * 4096}}}),
        ("MethodNotAllowed", {"method": "GET"}),
    ],
)
def test_a_wrong_request_is_refused_in_apples_words(wanted: str, changes: dict[str, Any]) -> None:
    """Each rule of the documentation has its own reason."""
    assert wanted == reason(Place().apns(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"apns_collapse_id": "x" * 64},
        {"apns_expiration": "0"},
        {"apns_expiration": "1895000000"},
        {"apns_priority": "1"},
        {"apns_push_type": None},
        {"apns_push_type": "background", "apns_priority": "5"},
        {"apns_push_type": "voip", "apns_topic": f"{TOPIC}.voip", "body": {"aps": {}, "x": "y" * 5000}},
        {"apns_push_type": "mdm", "apns_topic": "com.apple.mgmt.External.x", "body": {"mdm": "magic"}},
        {"apns_push_type": "fileprovider", "apns_topic": f"{TOPIC}.pushkit.fileprovider", "body": {"domain": "d"}},
        {"token": "AB" * 50},
    ],
)
def test_what_the_documentation_allows_is_accepted(changes: dict[str, Any]) -> None:
    """Limits are inclusive, and token length is not promised."""
    assert 200 == Place().apns(**changes).status


def test_a_header_that_comes_twice_is_refused() -> None:
    """DuplicateHeaders."""
    place = Place()
    headers = [("authorization", f"bearer {place.apns_token()}"), ("apns-topic", TOPIC), ("apns-topic", TOPIC)]

    assert "DuplicateHeaders" == reason(place.call("apns", f"/3/device/{TOKEN}", headers, {"aps": {}}))


def test_another_path_is_refused() -> None:
    """BadPath with 404."""
    answer = Place().call("apns", "/2/device/ab")

    assert (404, "BadPath") == (answer.status, reason(answer))


def test_a_token_older_than_an_hour_has_expired() -> None:
    """The limit is 60 minutes, to the second."""
    place = Place()

    assert 200 == place.apns(authorization=f"bearer {place.apns_token(age=3600)}").status
    assert "ExpiredProviderToken" == reason(place.apns(authorization=f"bearer {place.apns_token(age=3601)}"))


def test_a_token_expires_while_its_connection_lives() -> None:
    """A connection that keeps its token for more than an hour is refused."""
    place = Place()
    connection, token = place.connection(), f"bearer {place.apns_token()}"
    assert 200 == place.apns(authorization=token, connection=connection).status
    place.time += 3601

    assert "ExpiredProviderToken" == reason(place.apns(authorization=token, connection=connection))


@pytest.mark.parametrize("changes", [{"iss": "OTHERTEAM1"}, {"iat": "1795000000"}, {"iat": None}, {"iat": NOW + 3600.5}])
def test_wrong_claims_are_an_invalid_token(changes: dict[str, Any]) -> None:
    """The team has to be the key's, and iat an integer that is not in the future."""
    place = Place()

    assert "InvalidProviderToken" == reason(place.apns(authorization=f"bearer {place.apns_token(**changes)}"))


def test_a_signature_by_another_key_is_an_invalid_token() -> None:
    """The signature is checked, not only the claims."""
    place = Place()
    other = Accounts().new_apns_key()
    token = jwt.encode(
        {"iss": place.apns_key.team_id, "iat": int(NOW)}, other.pem or "", algorithm="ES256", headers={"kid": place.apns_key.key_id}
    )

    assert "InvalidProviderToken" == reason(place.apns(authorization=f"bearer {token}"))


def test_an_unknown_key_is_an_invalid_token() -> None:
    """Only keys that were made or added are known."""
    place = Place()

    assert "InvalidProviderToken" == reason(place.apns(authorization=f"bearer {place.apns_token(Accounts().new_apns_key())}"))


def test_a_second_token_within_twenty_minutes_is_too_many() -> None:
    """Counted per connection, as Apple says."""
    place = Place()
    connection = place.connection()
    place.apns(connection=connection)
    place.time += 19 * 60

    assert "TooManyProviderTokenUpdates" == reason(place.apns(connection=connection))
    assert 200 == place.apns().status


def test_a_second_token_after_twenty_minutes_is_fine() -> None:
    """No sooner than every 20 minutes."""
    place = Place()
    connection = place.connection()
    place.apns(connection=connection)
    place.time += 20 * 60

    assert 200 == place.apns(connection=connection).status


def test_a_connection_belongs_to_one_key_and_one_team() -> None:
    """Another key of the team is unrelated, another team's is invalid."""
    place = Place()
    sibling, stranger = place.world.accounts.new_apns_key(), place.world.accounts.new_apns_key(team_id="OTHERTEAM1")
    connection = place.connection()
    place.apns(connection=connection)

    assert "UnrelatedKeyIdInToken" == reason(place.apns(connection=connection, authorization=f"bearer {place.apns_token(sibling)}"))
    assert "InvalidProviderToken" == reason(place.apns(connection=connection, authorization=f"bearer {place.apns_token(stranger)}"))


def test_a_key_for_some_topics_is_disallowed_for_others() -> None:
    """Topic-specific keys cover what they were made for, suffixes included."""
    place = Place()
    key = place.world.accounts.new_apns_key(topics=frozenset({TOPIC}))
    token = f"bearer {place.apns_token(key)}"

    assert 200 == place.apns(authorization=token, apns_push_type="voip", apns_topic=f"{TOPIC}.voip").status
    assert "TopicDisallowed" == reason(place.apns(authorization=token, apns_topic="com.example.other"))


def test_an_unregistered_device_is_gone_since_a_time_in_milliseconds() -> None:
    """410 carries the timestamp."""
    place = Place()
    device = place.device()
    place.unregister(device, since=datetime(2026, 11, 1, tzinfo=UTC))
    answer = place.apns(token=device.token)

    assert (410, {"reason": "Unregistered", "timestamp": 1793491200000}) == (answer.status, body_of(answer))


def test_a_device_belongs_to_its_app_and_environment() -> None:
    """A token of another app or of the sandbox is refused."""
    place = Place()
    device, sandboxed = place.device(), place.device(environment="sandbox")

    assert "DeviceTokenNotForTopic" == reason(place.apns(token=device.token, apns_topic="com.example.other"))
    assert "BadDeviceToken" == reason(place.apns(token=sandboxed.token))
    assert 200 == place.apns(token=sandboxed.token, site="apns_sandbox").status


def test_unknown_tokens_are_bad_where_only_known_ones_count() -> None:
    """known_only is for tests that register everybody."""
    assert "BadDeviceToken" == reason(Place(known_only=True).apns())


def test_the_inbox_keeps_what_came_and_masks_the_credential() -> None:
    """A record has payload, headers and claims, and no token in plain text."""
    place = Place()
    place.apns(body={"aps": {"alert": {"title": "Hi", "body": "there"}}})
    record = place.world.inbox[0]

    assert ("Hi", "there", place.apns_key.team_id) == (record.title, record.text, record.claims["iss"])
    assert record.headers["authorization"].startswith("bearer <")
    assert TOKEN not in repr(record)


# Broadcast and channels


def channel_call(place: Place, path: str, method: str = "POST", body: Any = b"", **headers: str) -> Any:
    fields = {"authorization": f"bearer {place.apns_token()}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return place.call("channels", path, fields, body, method=method)


def new_channel(place: Place, policy: int = 1) -> str:
    body = {"message-storage-policy": policy, "push-type": "LiveActivity"}
    answer = channel_call(place, f"/1/apps/{TOPIC}/channels", body=body)
    assert 201 == answer.status
    return header(answer, b"apns-channel-id") or ""


def broadcast(place: Place, **changes: Any) -> Any:
    fields = {
        "authorization": f"bearer {place.apns_token()}",
        "apns-expiration": "0",
        "apns-priority": "10",
        "apns-push-type": "liveactivity",
    }
    body = changes.pop("body", {"aps": {"event": "update", "timestamp": int(NOW), "content-state": {"score": 1}}})
    app = changes.pop("app", TOPIC)
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    return place.call("apns", f"/4/broadcasts/apps/{app}", [(n, v) for n, v in fields.items() if v is not None], body)


def test_a_channel_is_created_read_listed_and_deleted() -> None:
    """201, 200, 200, 204, as documented."""
    place = Place()
    channel = new_channel(place)

    read = channel_call(place, f"/1/apps/{TOPIC}/channels", "GET", apns_channel_id=channel)
    assert {"message-storage-policy": 1, "push-type": "LiveActivity"} == body_of(read)
    assert {"channels": [channel]} == body_of(channel_call(place, f"/1/apps/{TOPIC}/all-channels", "GET"))
    assert 204 == channel_call(place, f"/1/apps/{TOPIC}/channels", "DELETE", apns_channel_id=channel).status
    assert "ChannelNotRegistered" == reason(channel_call(place, f"/1/apps/{TOPIC}/channels", "GET", apns_channel_id=channel))


@pytest.mark.parametrize(
    ("wanted", "body"),
    [
        ("PayloadEmpty", b""),
        ("BadRequestPayload", b"no json"),
        ("BadRequestPayload", {"message-storage-policy": 2, "push-type": "LiveActivity"}),
        ("BadRequestPayload", {"push-type": "LiveActivity"}),
        ("InvalidPushType", {"message-storage-policy": 1, "push-type": "alert"}),
    ],
)
def test_a_wrong_channel_is_not_created(wanted: str, body: Any) -> None:
    """Storage policy and push type are checked."""
    assert wanted == reason(channel_call(Place(), f"/1/apps/{TOPIC}/channels", body=body))


def test_channels_need_the_bare_bundle_id_and_the_capability() -> None:
    """A suffix is disallowed; an app without broadcast says so; a topic-specific key covers its own apps."""
    place = Place()
    place.world.without_broadcast.add("com.example.plain")

    assert "TopicDisallowed" == reason(channel_call(place, f"/1/apps/{TOPIC}.push-type.liveactivity/all-channels", "GET"))
    assert "FeatureNotEnabled" == reason(channel_call(place, "/1/apps/com.example.plain/all-channels", "GET"))
    assert "MethodNotAllowed" == reason(channel_call(place, f"/1/apps/{TOPIC}/all-channels", "POST"))
    assert "BadRequestParams" == reason(channel_call(place, f"/1/apps/{TOPIC}/all-channels?page=2", "GET"))


def test_a_broadcast_is_accepted_with_both_ids() -> None:
    """200 with request id and unique id."""
    place = Place()
    answer = broadcast(place, apns_channel_id=new_channel(place))

    assert 200 == answer.status
    assert header(answer, b"apns-unique-id")


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        ("MissingChannelId", {"apns_channel_id": None}),
        ("BadChannelId", {"apns_channel_id": "no base64!"}),
        ("ChannelNotRegistered", {"apns_channel_id": "AAAA"}),
        ("BadExpirationDate", {"apns_expiration": None}),
        ("BadPriority", {"apns_priority": None}),
        ("MissingPushType", {"apns_push_type": None}),
        ("InvalidPushType", {"apns_push_type": "alert"}),
        ("PayloadEmpty", {"body": b""}),
        ("PayloadTooLarge", {"body": b"x" * 5121}),
        ("BadRequestPayload", {"body": {"aps": {"event": "start", "timestamp": 1, "content-state": {}}}}),
        ("BadRequestPayload", {"body": {"aps": {"event": "update"}}}),
        ("BadMessageId", {"apns_request_id": "x"}),
        ("TopicDisallowed", {"app": f"{TOPIC}.voip"}),
    ],
)
def test_a_wrong_broadcast_is_refused(wanted: str, changes: dict[str, Any]) -> None:
    """All of a broadcast's headers are required."""
    place = Place()
    channel = new_channel(place)

    assert wanted == reason(broadcast(place, **({"apns_channel_id": channel} | changes)))


def test_a_channel_without_storage_takes_no_expiration() -> None:
    """Policy 0: apns-expiration must be 0."""
    place = Place()

    assert "BadExpirationDate" == reason(broadcast(place, apns_channel_id=new_channel(place, 0), apns_expiration="1895000000"))


def test_refusals_are_json_with_a_reason() -> None:
    """The body is an object with the reason and nothing else below 410."""
    assert {"reason": "MissingTopic"} == json.loads(Place().apns(apns_topic=None).body)
