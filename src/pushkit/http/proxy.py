"""HTTPS through an HTTP proxy: the CONNECT method (RFC 9110 section 9.3.6) and where to find the proxy."""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit

import attrs

from pushkit.errors import ConfigurationError
from pushkit.lru import LRU
from pushkit.wire import Origin, OriginPolicy

SCHEMES = ("http", "https", "socks5", "socks5h")
MAX_ANSWER_BYTES = 16 * 1024
KNOWN_ORIGINS = 1024


@attrs.frozen(repr=False)
class Proxy:
    """Where a proxy is and how to log in there."""

    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = ""

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """
        Read ``http://user:password@host:port``.

        Raises:
            ConfigurationError: for anything else; the message holds no credentials.
        """
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in SCHEMES or not parts.hostname:
            message = f"proxy: expected a URL such as http://user:password@host:3128, with one of {', '.join(SCHEMES)}"
            raise ConfigurationError(message)
        default = {"http": 80, "https": 443}.get(parts.scheme, 1080)
        return cls(parts.scheme, parts.hostname, port or default, unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def url(self) -> str:
        """The address with the credentials, for httpx. A secret."""
        from urllib.parse import quote

        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{login}{host}:{self.port}"

    def request(self, host: str, port: int) -> bytes:
        """The octets that ask for a tunnel."""
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if self.username:
            login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")
            lines.append(f"Proxy-Authorization: Basic {login}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def __repr__(self) -> str:
        return f"<Proxy {self.scheme}://{self.host}:{self.port}>"


class Proxies:
    """
    Which proxy carries which traffic.

    Args:
        proxy: for everything; None leaves it to the policy whether the environment is asked.
    """

    def __init__(self, proxy: Proxy | None) -> None:
        self._proxy = proxy
        self._named: LRU[Origin, tuple[Proxy | None]] = LRU(KNOWN_ORIGINS)

    def get(self, origin: Origin, policy: OriginPolicy) -> Proxy | None:
        """The proxy for an origin, None for none. The environment is asked once for each."""
        if self._proxy is not None or not policy.use_environment_proxy:
            return self._proxy
        named = self._named.get(origin)
        if named is None:
            named = (environment_proxy(origin),)
            self._named.put(origin, named)
        return named[0]


def environment_proxy(origin: Origin) -> Proxy | None:
    """The proxy that the environment names for an origin (``HTTPS_PROXY``, ``NO_PROXY`` and the system's own)."""
    from urllib.request import getproxies, proxy_bypass

    url = getproxies().get(origin.scheme) or getproxies().get("all")
    if not url or proxy_bypass(origin.authority):
        return None
    return Proxy.parse(url)


def read_status(head: bytes) -> int | None:
    """The status of the proxy's answer, or None when it is no HTTP."""
    line = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(line) < 2 or not line[0].startswith(b"HTTP/1.") or len(line[1]) != 3 or not line[1].isdigit():
        return None
    return int(line[1])
