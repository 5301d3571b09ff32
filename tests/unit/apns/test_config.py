"""Configuration: what is refused when it is made, and how to mend it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.apns.certificates import certificate
from tests.unit.apns.helpers import TOKEN, config, refusal_for, request_for, sender, token_key

from pushkit import ConfigurationError, apns
from pushkit.apns.provider import ApnsProvider

PRODUCTION, SANDBOX = apns.Environment.PRODUCTION, apns.Environment.SANDBOX


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"credentials": None}, "credentials=.*apns.TokenKey or apns.Certificate.*NoneType"),
        ({"credentials": "AuthKey.p8"}, "credentials=.*got a str"),
        ({"credentials": {}}, "credentials="),
        ({"credentials": {"moon": 1}}, "credentials="),
        ({"topic": None}, "needs the app's bundle id"),
        ({"topic": ""}, "bundle id"),
        ({"topic": "com.example app"}, "bundle id"),
        ({"topic": "com.example/../app"}, "bundle id"),
        ({"topic": 5}, "bundle id"),
        ({"environment": "production"}, "environment=.*got a str"),
        ({"environment": None}, "environment="),
        ({"port": 2195}, "Apple serves 443 and 2197"),
        ({"port": 2197, "origin": "https://localhost"}, "write the port into origin"),
        ({"origin": "localhost:8443"}, "https://localhost:8443"),
        ({"origin": "http://localhost:8443"}, "over TLS alone"),
        ({"origin": 8443}, "origin="),
        ({"origin": {SANDBOX: "https://localhost"}}, "none for the environment 'production'"),
        ({"broadcast_origin": "nonsense"}, "broadcast_origin="),
        ({"channels_origin": "https://"}, "channels_origin="),
        ({"max_connections": 0}, "max_connections="),
        ({"rate": -1}, "rate="),
        ({"rate": True}, "rate="),
        ({"attempt_timeout": 0}, "attempt_timeout="),
        ({"attempt_timeout": "10"}, "attempt_timeout="),
        ({"attempt_timeout": None}, "attempt_timeout="),
        ({"attempt_timeout": float("nan")}, "attempt_timeout="),
        ({"rate": float("inf")}, "rate="),
        ({"rate": float("nan")}, "rate="),
        ({"max_connections": 2.5}, "max_connections=.*whole number"),
        ({"max_connections": None}, "max_connections="),
        ({"port": []}, "Apple serves 443 and 2197"),
        ({"origin": "https://relay.example/apns"}, "alone"),
        ({"origin": "https://user:canary@relay.example"}, "alone"),
        ({"origin": "https://relay.example?x=1"}, "alone"),
    ],
)
def test_what_can_never_work_is_refused(changes, said):
    """Before anything is sent, naming the argument and what it should be."""
    with pytest.raises(ConfigurationError, match=said):
        config(**changes)


def test_a_credential_for_another_environment_alone_is_refused():
    """The configured environment needs one."""
    with pytest.raises(ConfigurationError, match="none for the environment 'production'"):
        config(credentials={SANDBOX: token_key()})


def test_port_2197_is_apples_other_port():
    """For networks that keep 443 to browsers."""
    message = apns.Background()

    assert "https://api.push.apple.com:2197" == str(request_for(message, by=sender(port=2197)).origin)
    assert "https://api.sandbox.push.apple.com:2197" == str(
        request_for(message, apns.Device(TOKEN, environment=SANDBOX), by=sender(port=2197)).origin
    )


def test_one_origin_serves_both_environments():
    """A local push service must not send testers' tokens to Apple."""
    by = sender(origin="https://localhost:8443")

    production, sandbox = (request_for(apns.Background(), apns.Device(TOKEN, environment=name), by=by) for name in (PRODUCTION, SANDBOX))

    assert "https://localhost:8443" == str(production.origin) == str(sandbox.origin)
    assert production.pool_key != sandbox.pool_key


def test_each_environment_may_have_an_origin_and_a_key_of_its_own():
    """Newer keys work in one environment only."""
    by = sender(
        credentials={PRODUCTION: token_key(), SANDBOX: token_key(key_id="SANDBOXKEY")},
        origin={PRODUCTION: "https://localhost:1", SANDBOX: "https://localhost:2"},
    )

    sandbox = request_for(apns.Background(), apns.Device(TOKEN, environment=SANDBOX), by=by)

    assert "https://localhost:2" == str(sandbox.origin)
    assert "SANDBOXKEY" in sandbox.pool_key


def test_a_device_of_an_environment_without_a_key_is_a_technical_failure():
    """The device is fine; the settings lack something."""
    verdict = refusal_for(apns.Background(), apns.Device(TOKEN, environment=SANDBOX), by=sender(credentials={PRODUCTION: token_key()}))

    assert ("technical", "environment_not_configured", "configuration") == (verdict.category, verdict.reason, verdict.scope)


def test_apps_that_share_a_key_share_connections():
    """One team, one key, one environment: one pool, one set of tokens."""
    key = token_key()
    one, other = (request_for(apns.Background(), by=sender(credentials=key, topic=topic)) for topic in ("com.example.a", "com.example.b"))

    assert one.pool_key == other.pool_key
    assert one.auth is other.auth


@pytest.mark.parametrize("other", [{"key_id": "ZZZZZZZZZZ"}, {"team_id": "ZZZZZZZZZZ"}])
def test_teams_and_keys_never_share_a_connection(other):
    """APNs ties a connection to the team and key of its first push."""
    assert request_for(apns.Background()).pool_key != request_for(apns.Background(), by=sender(credentials=token_key(**other))).pool_key


def test_connections_obey_apples_rules():
    """One stream until a token is accepted; a 403 is no acceptance."""
    policy = request_for(apns.Background()).policy

    assert 1 == policy.first_streams
    assert frozenset({403}) == policy.locked_statuses
    assert ("h2",) == policy.protocols
    assert policy.client_certificate is None


def test_a_timeout_may_be_a_timedelta():
    """Durations are seconds or a timedelta everywhere."""
    assert 2.5 == config(attempt_timeout=timedelta(seconds=2.5)).attempt_timeout


def test_a_repr_shows_no_key():
    """Configurations end up in logs."""
    shown = repr(config())

    assert "BEGIN" not in shown
    assert "ABC123DEFG" in shown


def test_a_certificate_names_its_own_app():
    """Then topic may be left out."""
    by = sender(credentials=certificate(), topic=None)

    assert "com.example.app" == by.bundle_id


def test_two_certificates_of_different_apps_need_a_topic():
    """Nobody could tell which one is meant."""
    with pytest.raises(ConfigurationError, match="topic="):
        config(credentials={PRODUCTION: certificate(), SANDBOX: certificate(bundle_id="org.other")}, topic=None)


def test_a_provider_opens_the_apps_that_it_knows():
    """One configuration, a mapping, or a callable."""
    one, mapping = ApnsProvider(config()), ApnsProvider({"a": config(), "b": config(topic="org.b")})
    asked = ApnsProvider(lambda app: config(topic=f"org.{app}") if app == "c" else None)

    assert ("default",) == tuple(one.apps())
    assert one.open("other") is None
    assert "org.b" == mapping.open("b").bundle_id
    assert "org.c" == asked.open("c").bundle_id
    assert asked.open("d") is None


@pytest.mark.parametrize("configured", [None, 5, {"a": 5}])
def test_a_provider_refuses_anything_else(configured):
    """With what it expected."""
    with pytest.raises(ConfigurationError, match=r"apns\.Config"):
        ApnsProvider(configured)


def test_channels_are_managed_where_pushes_go_unless_said_otherwise():
    """A local push service, or a relay, must not be left for Apple's own host."""
    local = config(origin="https://localhost:8443")

    assert {"https://localhost:8443"} == {str(origin) for origin in local.channels_origins().values()}
    assert "https://api-manage-broadcast.push.apple.com:2196" == str(config().channels_origins()[PRODUCTION])
