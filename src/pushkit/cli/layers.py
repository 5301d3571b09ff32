"""``doctor``'s way down: DNS, TCP, TLS and ALPN to every host, and the first that fails is what to mend."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from pushkit import apns, fcm, webpush
from pushkit.fcm.config import DEFAULT_ORIGIN
from pushkit.health import HERE, Finding, Level
from pushkit.http.proxy import Proxy
from pushkit.wire import Origin

_PATIENCE = 5.0
_FIREWALL = "a firewall lets nothing out to this port"
#: What a wildcard of the known services stands for, where one name is enough to see whether the network lets it through.
_FOR_WILDCARDS = {"*.push.apple.com": "web.push.apple.com"}
#: Google switched it off; it is allowed so that its subscriptions are told as gone.
_DEAD = frozenset({"android.googleapis.com"})


@attrs.frozen
class _Place:
    """A host to look at, and for whom."""

    host: str
    port: int
    provider: str = attrs.field(eq=False)
    app: str = attrs.field(eq=False)
    needs_http2: bool = attrs.field(eq=False)

    def found(self, level: Level, subject: str, message: str, mend: str = "") -> Finding:
        return Finding(level=level, provider=self.provider, app=self.app, subject=subject, message=message, mend=mend)


async def layer_findings(arguments: Mapping[str, Any]) -> Sequence[Finding]:
    """
    Every configured host, layer by layer.

    Args:
        arguments: an ``AsyncClient``'s, with its configurations by app. Where they name a proxy, only the way to that is looked at.
    """
    proxy = arguments.get("proxy")
    if proxy is not None:
        return await asyncio.to_thread(_to_proxy, Proxy.parse(proxy))
    # Of places that several apps share the first one is kept, which is whom they are shown for.
    places = dict.fromkeys(_places(arguments))
    found = await asyncio.gather(*(asyncio.to_thread(_layers, place, arguments.get("ssl_context")) for place in places))
    return [finding for findings in found for finding in findings]


def _places(arguments: Mapping[str, Any]) -> Iterator[_Place]:
    apple: Mapping[str, apns.Config] = arguments.get("apns") or {}
    for app, config in apple.items():
        origins = config.device_origins()
        for environment in config.named_credentials():
            if environment in origins:
                yield _Place(origins[environment].host, origins[environment].port, "apns", app, True)
    google: Mapping[str, fcm.Config] = arguments.get("fcm") or {}
    for app, project in google.items():
        origin = Origin.parse(project.origin or DEFAULT_ORIGIN)
        yield _Place(origin.host, origin.port, "fcm", app, True)
    browsers: Mapping[str, webpush.Config] = arguments.get("webpush") or {}
    for app, sender in browsers.items():
        for rule in sender.endpoints.rules:
            host = _FOR_WILDCARDS.get(rule.pattern, rule.pattern)
            if not host.startswith("*") and host not in _DEAD and rule.port is not None:
                yield _Place(host, rule.port, "webpush", app, False)


def _to_proxy(proxy: Proxy) -> Sequence[Finding]:
    place = _Place(proxy.host, proxy.port, HERE, "default", False)
    found, connection = _reached(place, "start the proxy, or correct client.proxy")
    if connection is not None:
        connection.close()
        found.append(place.found(Level.OK, "proxy", f"{proxy.host}:{proxy.port} takes connections; everything goes through it"))
    return found


def _layers(place: _Place, context: ssl.SSLContext | None) -> Sequence[Finding]:
    found, connection = _reached(place, f"{_FIREWALL}; APNs can be reached at port 2197 as well" if place.provider == "apns" else _FIREWALL)
    if connection is None:
        return found
    at = f"{place.host}:{place.port}"
    with connection:
        tls = context or ssl.create_default_context()
        tls.set_alpn_protocols(["h2", "http/1.1"])
        try:
            with tls.wrap_socket(connection, server_hostname=place.host) as secured:
                chosen = secured.selected_alpn_protocol()
                about = f"{secured.version()}, certificate until {(secured.getpeercert() or {}).get('notAfter', 'unknown')}"
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__
            mend = "a proxy that opens TLS is in between, or the certificates of this machine are old; client.ca_file trusts a private authority"
            return [*found, place.found(Level.ERROR, "tls", f"{at}: {reason}", mend)]
    found.append(place.found(Level.OK, "tls", f"{at}: {about}"))
    if chosen != "h2" and place.needs_http2:
        mend = "something in between is not the push service; look for a proxy that opens TLS"
        found.append(place.found(Level.ERROR, "alpn", f"{at} does not offer HTTP/2", mend))
    return found


def _reached(place: _Place, mend: str) -> tuple[list[Finding], socket.socket | None]:
    """DNS and TCP."""
    try:
        addresses = sorted({str(info[4][0]) for info in socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)})
    except OSError as error:
        return [place.found(Level.ERROR, "dns", f"{place.host}: {error.strerror or error}", "check the name server of this machine")], None
    more = " and more" if len(addresses) > 4 else ""
    found = [place.found(Level.OK, "dns", f"{place.host} is {', '.join(addresses[:4])}{more}")]
    try:
        return found, socket.create_connection((place.host, place.port), timeout=_PATIENCE)
    except OSError as error:
        return [*found, place.found(Level.ERROR, "tcp", f"{place.host}:{place.port}: {error.strerror or type(error).__name__}", mend)], None
