"""
Where a push may go. Endpoints come from users and are posted to from inside the network: without a
policy, Web Push is a way to make a server send requests anywhere (SSRF).

The default is a list of the known services. ``EndpointPolicy.any_public()`` is for UnifiedPush, ntfy
and push services of one's own: any public name, the address checked at the moment it is dialled.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Callable

import attrs

from pushkit.errors import ConfigurationError


class Service(enum.StrEnum):
    """Whose push service: decides how answers are read."""

    MOZILLA = "mozilla"
    GOOGLE = "google"
    APPLE = "apple"
    MICROSOFT = "microsoft"
    OTHER = "rfc"
    """Any other service that follows RFC 8030."""


KNOWN: tuple[tuple[str, Service], ...] = (
    ("fcm.googleapis.com", Service.GOOGLE),
    ("android.googleapis.com", Service.GOOGLE),
    ("updates.push.services.mozilla.com", Service.MOZILLA),
    ("*.push.apple.com", Service.APPLE),
    ("*.notify.windows.com", Service.MICROSOFT),
)
"""The services that browsers use. ``android.googleapis.com`` is the dead GCM: it answers that the subscription is gone."""

STAGING: tuple[tuple[str, Service], ...] = (
    ("jmt17.google.com", Service.GOOGLE),
    ("updates-autopush.stage.mozaws.net", Service.MOZILLA),
    ("updates-autopush.dev.mozaws.net", Service.MOZILLA),
)
"""Test services of Chromium and Mozilla, allowed on request."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_SPECIAL = frozenset({
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "invalid", "test", "example", "onion",
    "arpa", "alt", "i2p", "consul", "cluster", "svc", "intern", "workgroup",
})  # fmt: skip
"""Top-level names that never lead to the public internet (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's .internal) or that networks use inside."""

_METADATA = frozenset({"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "kubernetes.default.svc.cluster.local"})

_CLOSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's platform address: public by number, inside by meaning
    )
)  # fmt: skip
"""IANA's special-purpose registry, in full: ``ipaddress.is_global`` differs between Python versions and passes multicast."""

_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)  # fmt: skip
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def public_address(host: str, address: str) -> bool:
    """
    Whether an address is on the public internet: ``OriginPolicy.check_address`` of unknown services.

    IPv4 inside IPv6 (mapped, NAT64) is judged by the IPv4 address; 6to4, Teredo, IPv4-compatible and
    everything outside of 2000::/3 is refused.

    Args:
        host: the name that led to it (not looked at: the address alone decides).
        address: as the resolver gave it.
    """
    del host
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        inner = ip.ipv4_mapped
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None:
            return ip in _PUBLIC_V6 and ip.is_global and not any(ip in network for network in _CLOSED_V6)
        ip = inner
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _CLOSED_V4)


def is_ip_literal(host: str) -> bool:
    """
    Whether a URL parser may read this host as an address: ``127.0.0.1``, ``127.1``, ``0x7f.1``, ``2130706433``, ``[::1]``.

    The rule of the URL standard: a host whose last label is a number is an IPv4 address.
    """
    if host.startswith("[") or ":" in host:
        return True
    return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def well_formed(host: str) -> bool:
    """Whether this is a host name of two labels or more, in lower case, without a dot at its end."""
    labels = host.split(".")
    return len(host) <= 253 and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def _is_special(host: str) -> bool:
    return host.rpartition(".")[2] in _SPECIAL or host in _METADATA


@attrs.frozen
class Rule:
    """Hosts that are allowed: a name, or ``*.`` and a name for everything below it; port None is any."""

    pattern: str
    service: Service | None
    port: int | None = 443

    def matches_host(self, host: str) -> bool:
        """Whether the rule is about this host, on a label boundary."""
        if self.pattern.startswith("*."):
            # Well-formed as a whole: in "127.0.0.1#.push.apple.com" a URL parser sees another host.
            return host.endswith(self.pattern[1:]) and well_formed(host)
        return host == self.pattern


class Allowed(enum.Enum):
    """What a policy says of an authority."""

    KNOWN = "known"
    """On a list: trusted as configured."""
    UNKNOWN = "unknown"
    """A public name: its address is checked, and it is held short."""
    WRONG_PORT = "wrong port"
    NO = "no"


@attrs.frozen(kw_only=True)
class EndpointPolicy:
    """
    Which endpoints may be posted to. Combine policies with ``|``.

    ::

        EndpointPolicy.known()                                            # the default
        EndpointPolicy.known() | EndpointPolicy.allow("push.example.org")  # and one's own
        EndpointPolicy.any_public()                                        # any service on the public internet
    """

    rules: tuple[Rule, ...] = ()
    """Hosts that are trusted as configured."""
    public: bool = False
    """Whether any public name is allowed."""
    accepts: tuple[Callable[[str], bool], ...] = ()
    """Functions that allow public names."""

    @classmethod
    def known(cls, *, staging: bool = False) -> EndpointPolicy:
        """
        The services that browsers use: Mozilla, Google, Apple, Microsoft.

        Args:
            staging: also the test services of Mozilla and Chromium.
        """
        return cls(rules=tuple(Rule(pattern, service) for pattern, service in (*KNOWN, *(STAGING if staging else ()))))

    @classmethod
    def allow(cls, *hosts: str, service: Service | str | None = None) -> EndpointPolicy:
        """
        These hosts, and no others: the operator vouches for them, so private addresses are fine.

        Args:
            hosts: ``"push.example.org"``, ``"*.example.org"`` (everything below it), with ``":8443"`` for
                another port than 443 or ``":*"`` for any; ``"localhost:*"`` and addresses are possible.
            service: whose answers these are (``"mozilla"`` for an autopush of one's own); None: generic, and
                autopush's JSON is recognised by itself.

        Raises:
            ConfigurationError: when a host is no host.
        """
        if not hosts:
            raise ConfigurationError('EndpointPolicy.allow(): name at least one host, such as "push.example.org"')
        return cls(rules=tuple(_rule(host, None if service is None else Service(service)) for host in hosts))

    @classmethod
    def any_public(cls) -> EndpointPolicy:
        """
        Any push service on the public internet, port 443; the known ones are recognised.

        Names are resolved by pushkit, addresses that are not public are refused, and the checked address
        is the one that is dialled. A client of the caller's own that resolves by itself cannot be used with it.
        """
        return attrs.evolve(cls.known(), public=True)

    @classmethod
    def when(cls, accepts: Callable[[str], bool]) -> EndpointPolicy:
        """
        Public hosts that a function accepts (``host -> bool``), checked and held short like ``any_public``.

        The function must be quick and must not raise; a host that makes it raise is refused.
        """
        return cls(accepts=(accepts,))

    def __or__(self, other: EndpointPolicy) -> EndpointPolicy:
        return EndpointPolicy(
            rules=self.rules + tuple(rule for rule in other.rules if rule not in self.rules),
            public=self.public or other.public,
            accepts=self.accepts + other.accepts,
        )

    @property
    def checks_addresses(self) -> bool:
        """Whether some endpoints have their address checked when it is dialled: a transport that resolves by itself cannot do that."""
        return self.public or bool(self.accepts)

    def judge(self, host: str, port: int) -> tuple[Allowed, Service | None]:
        """
        What this policy says of a host (lower case) and a port, and whose service a rule says it is.

        Names alone are judged here; that a public name leads to a public address is seen when it is dialled.
        """
        wrong_port = False
        for rule in self.rules:
            if rule.matches_host(host):
                if rule.port is None or rule.port == port:
                    return Allowed.KNOWN, rule.service
                wrong_port = True
        if wrong_port:
            return Allowed.WRONG_PORT, None
        if is_ip_literal(host) or not well_formed(host) or _is_special(host):
            return Allowed.NO, None
        if self.public or any(_asked(accepts, host) for accepts in self.accepts):
            return (Allowed.UNKNOWN, None) if port == 443 else (Allowed.WRONG_PORT, None)
        return Allowed.NO, None


def _asked(accepts: Callable[[str], bool], host: str) -> bool:
    try:
        return accepts(host) is True
    except Exception:  # noqa: BLE001 - a failing check must refuse, not open the door or break a broadcast
        return False


def _rule(text: str, service: Service | None) -> Rule:
    host, port = _split_port(text)
    name = host.removeprefix("*.")
    if not name or name == "*" or not (well_formed(name) or _LABEL.fullmatch(name) or _is_address(name)):
        raise ConfigurationError(
            f'EndpointPolicy.allow(): {text!r} is no host; expected "push.example.org", "*.example.org" or "localhost:8443", without scheme and path'
        )
    return Rule(host, service, port)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return ":" not in name or (name.startswith("[") and name.endswith("]"))


def _split_port(text: object) -> tuple[str, int | None]:
    if not isinstance(text, str):
        raise ConfigurationError(f"EndpointPolicy.allow(): found a {type(text).__name__}, expected host names as str")
    lowered = text.lower()
    host, colon, port = lowered.rpartition(":")
    if not colon or port.endswith("]"):
        return lowered, 443
    if port == "*":
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigurationError(f'EndpointPolicy.allow(): {text!r}: expected a port number or "*" behind the colon')
    return host, int(port)
