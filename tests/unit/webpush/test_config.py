"""Configuration is found wrong when it is made, and says how to mend it."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from tests.unit.webpush.helpers import KEY, OTHER_KEY, SUBJECT

from pushkit import ConfigurationError, webpush
from pushkit.provider import Provider, Sender
from pushkit.webpush import Config, EndpointPolicy, WebpushProvider


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vapid": None}, "vapid=.*found None"),
        ({"vapid": "vapid.pem"}, "found a str; read it with VapidKey"),
        ({"vapid": []}, "VapidKey.generate"),
        ({"vapid": {}}, "VapidKey.generate"),
        ({"vapid": ["x"]}, "found a str under"),
        ({"vapid": {"a": None}}, "found None under 'a'"),
        ({"subject": "ops@example.com"}, "invalid_vapid_subject.*mailto:"),
        ({"subject": "mailto:ops@localhost"}, "Apple refuses localhost"),
        ({"subject": None}, "invalid_vapid_subject"),
        ({"endpoints": "any"}, "expected an EndpointPolicy, found a str"),
        ({"endpoints": None}, "expected an EndpointPolicy, found None"),
        ({"padding": "full"}, "padding"),
        ({"padding": -1}, "padding"),
        ({"portable": "maybe"}, "portable"),
        ({"max_connections": 0}, "max_connections"),
        ({"max_connections": True}, "max_connections"),
        ({"rate": 0}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"attempt_timeout": -1}, "attempt_timeout"),
        ({"attempt_timeout": float("nan")}, "attempt_timeout"),
    ],
)
def test_wrong_configuration_is_refused(changes, said):
    """Naming the argument."""
    with pytest.raises(ConfigurationError, match=said):
        Config(**{"vapid": KEY, "subject": SUBJECT, **changes})


def test_the_first_key_is_the_default():
    """Of a mapping or a sequence."""
    assert KEY == Config(vapid={"new": KEY, "old": OTHER_KEY}, subject=SUBJECT).key
    assert OTHER_KEY == Config(vapid=[OTHER_KEY, KEY], subject=SUBJECT).key
    assert {KEY.fingerprint: KEY} == Config(vapid=KEY, subject=SUBJECT).keys


def test_repr_shows_no_private_key():
    """Fingerprints only."""
    shown = repr(Config(vapid=KEY, subject=SUBJECT))

    assert KEY.fingerprint in shown
    assert KEY.private_key not in shown


def test_a_configuration_travels():
    """To a worker process, with the private key in plain text."""
    config = Config(vapid=KEY, subject=SUBJECT, endpoints=EndpointPolicy.any_public())

    assert config == pickle.loads(pickle.dumps(config))


def test_the_provider_opens_senders_for_its_apps():
    """One configuration, a mapping, or a resolver."""
    config = Config(vapid=KEY, subject=SUBJECT)
    provider = WebpushProvider({"shop": config})

    assert isinstance(provider, Provider)
    assert ["shop"] == list(provider.apps())
    assert "shop" == provider.open("shop").app
    assert provider.open("other") is None
    assert WebpushProvider(config).open("default") is not None
    assert WebpushProvider(lambda app: config if app == "a" else None).open("b") is None


def test_the_sender_has_everything_of_the_protocol():
    """So that delivery finds what it asks for."""
    opened = WebpushProvider(Config(vapid=KEY, subject=SUBJECT, rate=5, attempt_timeout=3)).open("default")
    for name in (name for name in vars(Sender) if not name.startswith("_")):
        assert hasattr(opened, name), name

    assert ("webpush", 5, 3.0, None, ()) == (opened.provider, opened.rate, opened.attempt_timeout, opened.credential, opened.origins)


def test_import_is_light():
    """No cryptography, asyncio, ssl or httpx before they are needed (design section 2.6)."""
    heavy = "('cryptography', 'asyncio', 'ssl', 'httpx', 'backoff')"
    code = f"import sys, pushkit.webpush; found = [m for m in {heavy} if m in sys.modules]; assert not found, found"

    assert 0 == subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode


def test_public_names_are_sorted_and_there():
    """Each can be had, the lazy ones too."""
    assert sorted(webpush.__all__) == webpush.__all__
    for name in webpush.__all__:
        assert getattr(webpush, name) is not None
    assert set(webpush.__all__) == set(dir(webpush))


def test_unknown_names_are_attribute_errors():
    """As with any module."""
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        webpush.nope  # noqa: B018
