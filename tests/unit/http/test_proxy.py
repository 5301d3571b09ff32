"""Proxy URLs, CONNECT and where a proxy comes from."""

from __future__ import annotations

import pytest

from pushkit.errors import ConfigurationError
from pushkit.http.proxy import Proxies, Proxy, read_status
from pushkit.wire import Origin, OriginPolicy


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy:3128", ("http", "proxy", 3128, "", "")),
        ("proxy.example:3128", ("http", "proxy.example", 3128, "", "")),
        ("http://proxy", ("http", "proxy", 80, "", "")),
        ("https://proxy", ("https", "proxy", 443, "", "")),
        ("socks5://proxy", ("socks5", "proxy", 1080, "", "")),
        ("http://us%40er:p%3Ass@[::1]:8080", ("http", "::1", 8080, "us@er", "p:ss")),
    ],
)
def test_parse(url: str, expected: tuple[str, str, int, str, str]) -> None:
    """Scheme, host, port and login, with the usual defaults."""
    proxy = Proxy.parse(url)

    assert expected == (proxy.scheme, proxy.host, proxy.port, proxy.username, proxy.password)


def test_the_url_for_httpx_is_the_same_proxy() -> None:
    """The URL that is made again means the same."""
    proxy = Proxy.parse("http://us%40er:p%3Ass@[::1]:8080")

    assert proxy == Proxy.parse(proxy.url)


def test_a_login_is_not_shown() -> None:
    """Neither repr nor an error shows a login."""
    assert "hunter2" not in repr(Proxy.parse("http://user:hunter2@proxy"))
    with pytest.raises(ConfigurationError) as caught:
        Proxy.parse("gopher://user:hunter2@proxy")
    assert "hunter2" not in str(caught.value)


def test_connect() -> None:
    """The request for a tunnel names the target twice and carries the login (RFC 9110 sections 9.3.6 and 11.7.1)."""
    assert b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n" == Proxy.parse(
        "http://u:p@proxy"
    ).request("::1", 443)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.0 407\r\n\r\n", 407),
        (b"SSH-2.0\r\n\r\n", None),
        (b"HTTP/1.1 2x0 OK", None),
        (b"", None),
    ],
)
def test_status(head: bytes, expected: int | None) -> None:
    """The status of the proxy's answer, when it is HTTP."""
    assert expected == read_status(head)


def test_where_a_proxy_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """The given one for everything; the environment's where the policy says so, except for what it excludes."""
    monkeypatch.setenv("https_proxy", "http://environment:1")
    monkeypatch.setenv("no_proxy", "internal.example")
    asked = OriginPolicy(use_environment_proxy=True)
    given = Proxy.parse("http://given:1")

    assert given == Proxies(given).get(Origin("push.example"), asked)
    assert None is Proxies(None).get(Origin("push.example"), OriginPolicy())
    assert Proxy.parse("http://environment:1") == Proxies(None).get(Origin("push.example"), asked)
    assert None is Proxies(None).get(Origin("internal.example"), asked)
