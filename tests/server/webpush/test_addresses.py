"""SSRF on the real network path: names that lead inside are found when they are dialled."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from tests.unit.webpush.helpers import BROWSER, KEY, SUBJECT

from pushkit import Action, AsyncClient, ConfigurationError, Notification, RecipientFailure, RetryPolicy, TechnicalFailure
from pushkit.testing.ca import LocalCA
from pushkit.webpush import Config, EndpointPolicy, places

HELLO = Notification(title="Hello")
INSIDE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00:ec2::254", "0.0.0.0"]


@pytest.fixture
def resolver(monkeypatch):
    """Answers for names, and a record of every question and of every address that somebody tried to dial."""
    answers: dict[str, list[list[str]]] = {}
    asked: list[str] = []
    dialled: list[str] = []

    def getaddrinfo(host, port, *args, **kwargs):
        asked.append(host)
        found = answers[host]
        addresses = found.pop(0) if len(found) > 1 else found[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]

    async def connect(self, sock, address):
        dialled.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", connect)
    return answers, asked, dialled


def send(endpoint, attempts=1):
    async def run():
        config = Config(vapid=KEY, subject=SUBJECT, endpoints=EndpointPolicy.any_public())
        async with AsyncClient(webpush=config, retry=RetryPolicy(attempts=attempts)) as push:
            return await push.send(HELLO, to=BROWSER.subscription(endpoint))

    return asyncio.run(run())


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused_and_nothing_is_dialled(resolver, address):
    """The recipient's failure, to be reviewed; the address is in no connection attempt."""
    answers, _, dialled = resolver
    answers["push.evil.example.org"] = [[address]]

    outcome = send("https://push.evil.example.org/up")

    assert isinstance(outcome, RecipientFailure)
    assert ("endpoint_not_allowed", Action.REVIEW_RECIPIENT, "not_sent") == (outcome.reason, outcome.action, outcome.disposition)
    assert [] == dialled


def test_only_the_public_addresses_of_a_name_are_dialled(resolver):
    """A mixed answer does not open the door to its inner half."""
    answers, _, dialled = resolver
    answers["push.example.org"] = [["10.0.0.1", "93.184.215.14", "::1"]]

    outcome = send("https://push.example.org/up")

    assert isinstance(outcome, TechnicalFailure)
    assert {"93.184.215.14"} == set(dialled)


def test_a_name_is_not_looked_up_again_after_the_check(resolver):
    """Rebinding: the second answer would be an inner address; every dial belongs to a lookup that was checked."""
    answers, asked, dialled = resolver
    answers["push.example.org"] = [["93.184.215.14"], ["127.0.0.1"]]

    outcome = send("https://push.example.org/up", attempts=2)

    assert set(dialled) <= {"93.184.215.14"}
    assert dialled
    assert {"push.example.org"} == set(asked)
    assert "endpoint_not_allowed" == outcome.reason


def test_environment_proxies_are_not_used_for_strangers(resolver, monkeypatch):
    """A proxy would resolve the name again, behind our back."""
    answers, asked, dialled = resolver
    answers["push.example.org"] = [["93.184.215.14"]]
    answers["proxy.internal"] = [["10.0.0.9"]]
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.internal:3128")

    send("https://push.example.org/up")

    assert {"93.184.215.14"} == set(dialled)
    assert "proxy.internal" not in asked


@pytest.mark.parametrize("policy", [EndpointPolicy.any_public(), EndpointPolicy.known() | EndpointPolicy.when(lambda host: True)])
def test_a_client_of_the_callers_own_is_refused_with_this_policy(policy):
    """It resolves by itself, so nothing that was checked would hold."""
    config = Config(vapid=KEY, subject=SUBJECT, endpoints=policy)
    own = httpx.AsyncClient()

    with pytest.raises(ConfigurationError, match="resolves names by itself; leave transport= out"):
        AsyncClient(webpush=config, transport=own)
    asyncio.run(own.aclose())


def test_a_client_of_the_callers_own_is_fine_with_named_services():
    """The default list needs no address check."""
    own = httpx.AsyncClient()

    assert AsyncClient(webpush=Config(vapid=KEY, subject=SUBJECT), transport=own)
    asyncio.run(own.aclose())


def test_the_name_stays_in_the_handshake(monkeypatch):
    """The checked address is dialled, the name is asked for (SNI) and has to be in the certificate."""
    ca, asked = LocalCA(), []
    context = ca.server_context(("h2", "http/1.1"))
    context.sni_callback = lambda tls, name, context: asked.append(name)
    monkeypatch.setattr(places, "public_address", lambda host, address: address == "127.0.0.1")
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: resolved)
    loop_class = asyncio.selector_events.BaseSelectorEventLoop
    connect = loop_class.sock_connect

    async def run():
        listener = await asyncio.start_server(
            lambda reader, writer: writer.close(), sock=socket.create_server(("127.0.0.1", 0)), ssl=context
        )
        port = listener.sockets[0].getsockname()[1]
        monkeypatch.setattr(loop_class, "sock_connect", lambda self, sock, address: connect(self, sock, (address[0], port)))
        config = Config(vapid=KEY, subject=SUBJECT, endpoints=EndpointPolicy.any_public())
        async with AsyncClient(webpush=config, ssl_context=ca.client_context(), retry=RetryPolicy(attempts=1)) as push:
            outcome = await push.send(HELLO, to=BROWSER.subscription("https://push.example.org/up"))
        listener.close()
        return outcome

    outcome = asyncio.run(run())

    assert {"push.example.org"} == set(asked)
    assert ("tls_failed", "not_sent") == (outcome.reason, outcome.disposition)
