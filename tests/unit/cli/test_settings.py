from __future__ import annotations

import json
from pathlib import Path

import pytest

from pushkit import ConfigurationError, apns
from pushkit.cli.settings import SETTINGS, load
from pushkit.testing.accounts import Accounts, key_file, new_vapid_pair


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def toml(folder: Path, text: str, name: str = "pushkit.toml") -> None:
    (folder / name).write_text(text)


def test_flags_win_over_the_environment_and_that_over_the_file(folder: Path) -> None:
    """One rule for every setting."""
    toml(folder, '[apns]\ntopic = "file"\nteam_id = "file"\nkey_id = "file"\n')

    values = load(None, ["apns.topic=flag"], {"PUSHKIT_APNS_TOPIC": "env", "PUSHKIT_APNS_TEAM_ID": "env"}).apps["default"]

    assert ("flag", "env", "file") == (values["apns", "topic"], values["apns", "team_id"], values["apns", "key_id"])


def test_the_file_may_be_named_by_the_environment(folder: Path) -> None:
    """PUSHKIT_CONFIG, unless a flag names one."""
    toml(folder, '[apns]\ntopic = "a"\n', "a.toml")
    toml(folder, '[apns]\ntopic = "b"\n', "b.toml")

    assert "a" == load(None, (), {"PUSHKIT_CONFIG": "a.toml"}).apps["default"]["apns", "topic"]
    assert "b" == load("b.toml", (), {"PUSHKIT_CONFIG": "a.toml"}).apps["default"]["apns", "topic"]


def test_a_files_paths_count_from_its_folder(folder: Path) -> None:
    """A configuration works from wherever it is used."""
    (folder / "etc").mkdir()
    toml(folder / "etc", '[apns]\nkey_file = "key.p8"\n')

    assert str(folder / "etc" / "key.p8") == load("etc/pushkit.toml", (), {}).apps["default"]["apns", "key_file"]


def test_every_provider_can_be_configured_from_the_environment_alone(folder: Path) -> None:
    """As a container has it: secrets as text, no file at all."""
    accounts = Accounts()
    key, account, pair = accounts.new_apns_key(), accounts.new_service_account(), new_vapid_pair()
    environment = {
        "PUSHKIT_APNS_KEY": key.pem,
        "PUSHKIT_APNS_KEY_ID": key.key_id,
        "PUSHKIT_APNS_TEAM_ID": "TEAM123456",
        "PUSHKIT_APNS_TOPIC": "com.example.app",
        "PUSHKIT_APNS_ENVIRONMENT": "sandbox",
        "PUSHKIT_APNS_RATE": "50",
        "PUSHKIT_FCM_SERVICE_ACCOUNT": json.dumps(key_file(account, "https://localhost/token")),
        "PUSHKIT_WEBPUSH_VAPID": pair.pem,
        "PUSHKIT_WEBPUSH_SUBJECT": "mailto:ops@example.com",
        "PUSHKIT_WEBPUSH_ENDPOINTS": "known,push.example.com=mozilla",
        "PUSHKIT_CLIENT_MAX_IN_FLIGHT": "7",
    }

    arguments = load(None, (), environment).client_arguments()

    assert {"apns", "fcm", "webpush", "max_in_flight"} == set(arguments)
    assert apns.Environment.SANDBOX is arguments["apns"]["default"].environment
    assert (50.0, 7) == (arguments["apns"]["default"].rate, arguments["max_in_flight"])


def test_several_apps_are_named_in_the_file(folder: Path) -> None:
    """``[apps.shop.fcm]``."""
    (folder / "sa.json").write_text(json.dumps(key_file(Accounts().new_service_account(), "https://localhost/token")))
    toml(
        folder,
        '[apps.shop.fcm]\nservice_account_file = "sa.json"\n[apps.news.fcm]\naccess_token = ""\n'.replace(
            '[apps.news.fcm]\naccess_token = ""\n', ""
        ),
    )

    assert ["shop"] == list(load(None, (), {}).client_arguments()["fcm"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[apns]\ntopic = 5\n", 'pushkit.toml": apns.topic: expected text, not empty'),
        ('[apns]\ntopic = ""\n', "apns.topic: expected text, not empty"),
        ('[apns]\nport = "x"\n', "apns.port: expected a whole number"),
        ("[apns]\nport = true\n", "apns.port: expected a whole number"),
        ('[fcm]\nmetadata_server = "maybe"\n', "fcm.metadata_server: expected true or false"),
        ("[webpush]\nendpoints = [5]\n", "webpush.endpoints: expected a list of texts"),
        ("[hms]\n", "[hms] is not known; expected apns, fcm, webpush, client"),
        ("apns = 5\n", "apns: expected a table, [apns]"),
        ("apps = 5\n", "apps: expected tables such as [apps.shop.apns]"),
        ("[apps.shop.client]\n", "[apps.shop.client] is not known"),
        ('[fcm]\naccess_token = "SECRET"\n', "fcm.access_token is a secret and does not belong into this file"),
        ('[apns]\nkey = "SECRET', "is no valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_mend(text: str, complaint: str, folder: Path) -> None:
    """What was seen, what was expected; never a secret."""
    toml(folder, text)

    with pytest.raises(ConfigurationError) as caught:
        load(None, (), {})

    assert complaint in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "nothing is configured"),
        ('[apns]\ntopic = "com.example.app"\n', "apns: key_file and team_id are missing"),
        ('[apns]\nkey_file = "key.p8"\nteam_id = "ABCDE12345"\nkey_id = "ABCDE12345"\n', "key.p8"),
        ('[fcm]\nproject_id = "p"\n', "fcm: service_account_file is missing"),
        ('[webpush]\nvapid_file = "nowhere.pem"\nsubject = "mailto:a@example.com"\n', "nowhere.pem"),
        ('[fcm]\nmetadata_server = true\n[client]\nca_file = "nowhere.pem"\n', "holds no certificates"),
    ],
)
def test_what_is_missing_is_named_when_a_client_is_made(text: str, complaint: str, folder: Path) -> None:
    """Before anything is sent."""
    toml(folder, text)

    with pytest.raises(ConfigurationError) as caught:
        load(None, (), {}).client_arguments()

    assert complaint in str(caught.value)


def test_a_misspelt_variable_is_no_silence(folder: Path) -> None:
    """The nearest one is named; a service's own variables with the same beginning are left alone."""
    load(None, (), {"PUSHKIT_APNS_SERVICE_HOST": "10.0.0.1", "PUSHKIT_OTHER": "x"})

    with pytest.raises(ConfigurationError, match="PUSHKIT_APNS_KEYID is no setting; did you mean PUSHKIT_APNS_KEY_ID"):
        load(None, (), {"PUSHKIT_APNS_KEYID": "x"})


def test_a_repr_names_apps_and_no_values(folder: Path) -> None:
    """Settings hold secrets from the environment."""
    settings = load(None, (), {"PUSHKIT_FCM_ACCESS_TOKEN": "SECRET"})

    assert "SECRET" not in repr(settings)
    assert "default" in repr(settings)


def test_every_setting_has_a_meaning_and_one_name() -> None:
    """The documentation renders them."""
    names = [(setting.section, setting.name) for setting in SETTINGS]

    assert len(names) == len(set(names))
    assert all(setting.meaning for setting in SETTINGS)
