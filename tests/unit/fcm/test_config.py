"""Configuration: what cannot work is refused when it is made, with the mend."""

from __future__ import annotations

import pytest
from tests.unit.fcm.helpers import NOW, PROJECT, account, key_file, rsa_pem, sender

from pushkit import fcm
from pushkit.errors import ConfigurationError
from pushkit.fcm.provider import FcmProvider
from pushkit.health import Level
from pushkit.provider import Provider


def config(**changes):
    return fcm.Config(**({"credentials": account()} | changes))


def test_the_project_is_the_accounts_unless_it_is_given():
    """An account may send for several projects."""
    assert (PROJECT, "other-1") == (config().project, config(project_id="other-1").project)


async def _async_token():
    return "x"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"credentials": None}, "ServiceAccount"),
        ({"credentials": "service-account.json"}, "got a str"),
        ({"credentials": fcm.ServiceAccount}, "ServiceAccount class"),
        ({"credentials": _async_token}, "async function"),
        ({"credentials": fcm.StaticToken("x")}, "project_id"),
        ({"credentials": lambda: "x"}, "project_id"),
        ({"project_id": "My App"}, "display name"),
        ({"project_id": "../x"}, "project_id"),
        ({"project_id": 5}, "project_id"),
        ({"origin": "fcm.googleapis.com"}, "origin"),
        ({"iid_origin": ""}, "iid_origin"),
        ({"max_connections": 0}, "max_connections"),
        ({"max_connections": True}, "max_connections"),
        ({"rate": 0}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"ramp": -1}, "ramp"),
        ({"ramp": "a minute"}, "ramp"),
        ({"rate": None, "ramp": 60}, "no rate"),
        ({"analytics_label": "no blanks"}, "analytics_label"),
    ],
)
def test_what_cannot_work_is_refused(changes, says):
    """With the argument's name."""
    with pytest.raises(ConfigurationError, match=says):
        config(**changes)


def test_the_origin_follows_the_universe_and_can_be_given():
    """Google's own, another universe's, mutual TLS, a local service."""
    assert "https://fcm.googleapis.com" == str(config().send_origin)
    other = fcm.ServiceAccount.from_info(key_file(universe_domain="example.goog"))
    assert "https://fcm.example.goog" == str(config(credentials=other).send_origin)
    assert "https://fcm.mtls.googleapis.com" == str(config(origin="https://fcm.mtls.googleapis.com").send_origin)


def test_a_provider_opens_a_sender_for_each_app():
    """One config, a mapping, a callable."""
    provider = FcmProvider({"a": config(), "b": config(project_id="b-1")})

    assert isinstance(provider, Provider)
    assert ("a", "fcm") == (provider.open("a").app, provider.open("a").provider)
    assert (("a", "b"), "b-1", None) == (provider.apps(), provider.open("b").project, provider.open("c"))


def found(**changes):
    return [(finding.level, finding.subject, finding.message) for finding in sender(**changes).findings(NOW)]


def test_findings_of_a_good_configuration():
    """All well."""
    assert [
        (Level.OK, "credentials", f"service account pusher@{PROJECT}.iam.gserviceaccount.com"),
        (Level.OK, "project", f"project {PROJECT}"),
    ] == found()


def test_findings_tell_what_may_surprise():
    """Another project, a weak key, a token that ends, a rate beyond the quota, other origins."""
    weak = fcm.ServiceAccount.from_info(key_file(private_key=rsa_pem(1024)))

    warnings = {
        message
        for case in (
            {"project_id": "other-1"},
            {"credentials": weak},
            {"credentials": fcm.StaticToken("x", project_id="p")},
            {"rate": None},
            {"rate": 20_000},
        )
        for level, _, message in found(**case)
        if level is Level.WARNING
    }

    assert {
        f"messages go to project other-1, the account belongs to {PROJECT}",
        "its RSA key has 1024 bits",
        "a static access token, which lives an hour at the most",
        "no limit of our own",
        "20000 pushes a second",
    } == warnings


def test_findings_of_other_credentials_and_places():
    """Named, so that the doctor's reader sees what is used."""
    messages = {
        message
        for case in (
            {"credentials": fcm.MetadataServer()},
            {"credentials": lambda: "x", "project_id": "p"},
            {"origin": "https://localhost:1", "iid_origin": "https://localhost:2"},
        )
        for _, _, message in found(**case)
    }

    assert {
        "the metadata server of this machine",
        "the metadata server tells the project",
        "a callable of your own",
        "messages go to https://localhost:1",
        "the old topic service is at https://localhost:2",
    } <= messages
