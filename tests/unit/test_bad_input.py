"""Bad input at the seams: each wrong argument is named where it is given, with what was expected, before anything is sent or opened."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest

import pushkit
from pushkit import ConfigurationError, Notification, apns
from pushkit.testing.accounts import Accounts

HELLO = Notification(title="Hello")
CLIENTS = [pushkit.Client, pushkit.AsyncClient]


def config() -> apns.Config:
    key = apns.TokenKey(Accounts().new_apns_key().pem or "", key_id="ABC123DEFG", team_id="DEF123GHIJ")
    return apns.Config(credentials=key, topic="com.example.app")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"ssl_context": True}, r"ssl_context= is a bool; expected an ssl\.SSLContext"),
        ({"ssl_context": False}, r"ssl_context= is a bool; expected an ssl\.SSLContext"),
        ({"ssl_context": "/etc/ca.pem"}, r"ssl_context= is a str; .*create_default_context\(cafile=\.\.\.\)"),
        ({"proxy": "ftp://proxy:21"}, "proxy: expected a URL such as http://user:password@host:3128"),
        ({"proxy": "http://:3128"}, "proxy: expected a URL"),
        ({"proxy": 3128}, "proxy= is a int; expected a URL"),
        ({"transport": object()}, r"the transport is a object; expected an httpx\.AsyncClient"),
        ({"transport": "httpx"}, r"the transport is a str; expected an httpx\.AsyncClient"),
        ({"transport": object(), "proxy": "http://proxy:3128"}, "contradict each other"),
        ({"transport": object(), "ssl_context": ssl.create_default_context()}, "contradict each other"),
    ],
)
def test_a_network_that_cannot_work_is_refused_when_the_client_is_made(client: Any, arguments: dict[str, Any], complaint: str) -> None:
    """Not at the first push, as a failure that looks like the provider's and is tried three times."""
    with pytest.raises(ConfigurationError, match=complaint):
        client(apns=config(), **arguments)


def test_a_row_in_place_of_a_target_is_told_to_become_one() -> None:
    """A dictionary is iterable, but nobody who passes one means many targets."""
    with pushkit.Client(apns=config()) as push, pytest.raises(TypeError, match=r"to= is a dict; make a target of it, such as apns\.Device"):
        push.send(HELLO, to={"token": "80b5"})  # type: ignore[arg-type]  # that is the point
