"""
From an endpoint to a place that may be posted to: the spelling, the host and the port judged once for each authority.

Nothing here resolves a name: whether a public name leads to a public address is seen when it is dialled.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from pushkit.lru import LRU
from pushkit.own_reasons import refuse
from pushkit.verdict import Verdict
from pushkit.webpush.config import Config
from pushkit.webpush.endpoints import Allowed, Service, is_ip_literal, public_address, well_formed
from pushkit.webpush.limits import ENDPOINT_LIMIT, UNKNOWN_ORIGIN_REST, UNKNOWN_ORIGINS
from pushkit.webpush.targets import service_of_host
from pushkit.wire import Origin, OriginPolicy

SCHEME: Final = "https://"
_PATH = re.compile(r"/[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z|~]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_PLACEHOLDER: Final = "permanently-removed.invalid"
_PROTOCOLS: Final = ("h2", "http/1.1")
_KEPT = 1024


@attrs.frozen
class Place:
    """An authority that may be posted to."""

    origin: Origin
    audience: str
    """The origin as a token's ``aud`` has it."""
    service: Service
    policy: OriginPolicy
    known: bool
    """On a list, rather than any public name."""
    length: int
    """Of the endpoint's text before its path."""
    environments: dict[str, str] = attrs.field(factory=dict[str, str], eq=False)
    """What suspicion is counted by, for each public key."""


class Places:
    """
    The places of one configuration. Bounded; not thread-safe.

    Args:
        config: its endpoint policy and connections.
    """

    def __init__(self, config: Config) -> None:
        self._endpoints = config.endpoints
        known = OriginPolicy(protocols=_PROTOCOLS, max_connections=config.max_connections, use_environment_proxy=True)
        self._known_policy = known
        # Strangers choose these: few connections, few requests, little patience, and the address is checked.
        self._unknown_policy = attrs.evolve(
            known,
            max_connections=min(2, config.max_connections),
            max_in_flight=8,
            connect_timeout=5.0,
            idle_timeout=30.0,
            max_age=600.0,
            check_address=public_address,
            use_environment_proxy=False,
        )
        self._places: LRU[str, Place | Verdict] = LRU(_KEPT)
        self._unknown_origins: LRU[Origin, list[float]] = LRU(UNKNOWN_ORIGINS)
        self._last: tuple[object, Place | Verdict] = (object(), refuse("invalid_endpoint"))

    def find(self, endpoint: object) -> Place | Verdict:
        """Where an endpoint leads, or why nothing is sent there."""
        # Asked twice in a row for the same push (environment, then address).
        if endpoint is self._last[0]:
            return self._last[1]
        wrong = _spelling(endpoint)
        if wrong is not None:
            return refuse("invalid_endpoint", detail=wrong)
        assert isinstance(endpoint, str)
        end = endpoint.find("/", len(SCHEME))
        authority = endpoint[len(SCHEME) : end if end > 0 else len(endpoint)]
        place = self._places.get(authority)
        if place is None:
            place = self._judge(authority)
            self._places.put(authority, place)
        self._last = endpoint, place
        return place

    def _judge(self, authority: str) -> Place | Verdict:
        host, port = _split(authority)
        if host is None or port is None:
            return refuse("invalid_endpoint", detail="expected a host name behind https://")
        if host == _PLACEHOLDER:
            return refuse("endpoint_permanently_removed")
        allowed, service = self._endpoints.judge(host, port)
        if allowed is Allowed.NO and (is_ip_literal(host) or not _plain(host)):
            return refuse("invalid_endpoint", detail="expected a host name, found an address or something that is none")
        if allowed is Allowed.WRONG_PORT or (allowed is Allowed.NO and port != 443):
            return refuse("invalid_endpoint", detail="expected port 443")
        if allowed is Allowed.NO:
            return refuse("endpoint_not_allowed", detail=f"{host} is on no list of webpush.Config(endpoints=)")
        origin = Origin(host.strip("[]"), port)
        known = allowed is Allowed.KNOWN
        policy = self._known_policy if known else self._unknown_policy
        return Place(origin, str(origin), service or service_of_host(host), policy, known, len(SCHEME) + len(authority))

    def room_for(self, origin: Origin, now: float) -> Verdict | None:
        """Keep the number of unknown origins in use bounded, so that nobody can make this client hold ten thousand connections."""
        last = self._unknown_origins.get(origin)
        if last is None and len(self._unknown_origins) >= UNKNOWN_ORIGINS:
            oldest = next(iter(self._unknown_origins.items()))[1][0]
            if now - oldest < UNKNOWN_ORIGIN_REST:
                return refuse("too_many_origins", floor=UNKNOWN_ORIGIN_REST)
        if last is None:
            self._unknown_origins.put(origin, [now])
        else:
            last[0] = now
        return None

    def sizes(self) -> dict[str, int]:
        """Entries in both tables."""
        return {"webpush_places": len(self._places), "webpush_unknown_origins": len(self._unknown_origins)}


def _spelling(endpoint: object) -> str | None:
    """What is wrong with an endpoint before its host is looked at; never quotes it."""
    if not isinstance(endpoint, str):
        return f"expected a URL, found a {type(endpoint).__name__}"
    if not endpoint.startswith(SCHEME):
        return "expected a URL that begins with https://"
    if len(endpoint) > ENDPOINT_LIMIT:
        return f"expected at most {ENDPOINT_LIMIT} characters, found {len(endpoint)}"
    end = endpoint.find("/", len(SCHEME))
    if end > 0 and _PATH.fullmatch(endpoint, end) is None:
        return "the path holds a fragment or a character that a browser never leaves in a URL"
    return None


def _split(authority: str) -> tuple[str | None, int | None]:
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, "443"
    if not host or _PORT.fullmatch(port) is None or int(port) > 65535:
        return None, None
    if host.startswith("[") != host.endswith("]") or "@" in host or not host.isascii():
        return None, None
    return host.lower(), int(port)


def _plain(host: str) -> bool:
    return well_formed(host) or well_formed(f"{host}.x")
