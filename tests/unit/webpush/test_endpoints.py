"""Where pushes may go: the known services, what an operator allows, and hostile endpoints."""

from __future__ import annotations

import pytest
from tests.unit.webpush.helpers import BROWSER, ENDPOINTS, NOW, Push, request_for, sender
from tests.unit.webpush.hostile import ADDRESSES, PUBLIC_ADDRESSES
from tests.unit.webpush.hostile import ENDPOINTS as HOSTILE

from pushkit import Action, Category, ConfigurationError, Disposition
from pushkit.webpush import EndpointPolicy, Message, Service
from pushkit.webpush.endpoints import public_address
from pushkit.webpush.limits import UNKNOWN_ORIGIN_REST, UNKNOWN_ORIGINS
from pushkit.wire import FaultKind, Origin, Processed, WireFault, WireRequest

PUBLIC = EndpointPolicy.any_public()
POLICIES = {"known": EndpointPolicy.known(), "known and staging": EndpointPolicy.known(staging=True), "any public": PUBLIC}


def place(endpoint, policy=None):
    return request_for(Message("hi"), BROWSER.subscription(endpoint), with_sender=sender(endpoints=policy or EndpointPolicy.known()))


def test_the_hostile_list_is_long_enough():
    """At least a hundred endpoints, each once."""
    assert len(HOSTILE) >= 100
    assert len(HOSTILE) == len(set(HOSTILE))


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
@pytest.mark.parametrize("endpoint", HOSTILE)
def test_hostile_endpoints_are_refused(endpoint, policy):
    """Nothing is sent, under any policy but an explicit permission: a recipient failure with the row's action."""
    verdict = place(endpoint, policy)

    assert not isinstance(verdict, WireRequest), f"a request would go to {verdict.origin}"
    assert Category.RECIPIENT == verdict.category
    assert Disposition.NOT_SENT == verdict.disposition
    assert verdict.reason in {"invalid_endpoint", "endpoint_not_allowed", "endpoint_permanently_removed"}


@pytest.mark.parametrize("endpoint", HOSTILE)
def test_refusals_do_not_quote_the_endpoint(endpoint):
    """Paths are capabilities, user-info is a password: only a well-formed host may show."""
    verdict = place(endpoint)
    said = f"{verdict.detail} {verdict.advice}"

    assert len(endpoint) < 10 or endpoint not in said
    assert "password" not in said
    assert "/admin" not in said


@pytest.mark.parametrize("address", ADDRESSES)
def test_inner_addresses_are_refused(address):
    """Loopback, private, link-local, metadata, multicast, documentation, in every spelling a resolver could give."""
    assert not public_address("push.example.org", address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_addresses_are_dialled(address):
    """IPv4, IPv6, and IPv4 behind NAT64 as networks without IPv4 have it."""
    assert public_address("push.example.org", address)


@pytest.mark.parametrize(("service", "endpoint"), [item for item in ENDPOINTS.items() if item[0] != "rfc"])
def test_known_services_are_allowed(service, endpoint):
    """The endpoints that browsers give."""
    request = place(endpoint)

    assert isinstance(request, WireRequest)
    assert request.policy.check_address is None
    assert request.policy.protocols == ("h2", "http/1.1")


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com.evil.example.org/x",
        "https://evilfcm.googleapis.com/x",
        "https://xfcm.googleapis.com/x",
        "https://push.apple.com.evil.org/x",
        "https://evilpush.apple.com/x",
        "https://push.apple.com/x",
        "https://notify.windows.com/x",
        "https://evil-notify.windows.com/x",
        "https://updates.push.services.mozilla.com.evil.org/x",
        "https://example.org/fcm.googleapis.com",
    ],
)
def test_lookalikes_are_not_known(endpoint):
    """Names match on a label boundary, at the end, and only below a star."""
    verdict = place(endpoint)

    assert "endpoint_not_allowed" == verdict.reason
    assert Action.REVIEW_RECIPIENT == verdict.action


def test_an_unknown_service_is_to_be_reviewed():
    """The row of the table: allow it if you trust it."""
    verdict = place(ENDPOINTS["rfc"])

    assert ("endpoint_not_allowed", Action.REVIEW_RECIPIENT) == (verdict.reason, verdict.action)
    assert "push.example.org" in verdict.detail


def test_the_placeholder_of_browsers_without_a_service_is_removed():
    """Edge on Android and unbranded Chromium give it."""
    verdict = place("https://permanently-removed.invalid/fcm/send/abc")

    assert ("endpoint_permanently_removed", Action.REMOVE_RECIPIENT) == (verdict.reason, verdict.action)


def test_any_public_checks_addresses_and_holds_unknown_origins_short():
    """Two connections, few requests, 5 seconds to connect, no environment proxy, an address check."""
    request = place(ENDPOINTS["rfc"], PUBLIC)

    policy = request.policy
    assert (2, 8, 5.0, False) == (policy.max_connections, policy.max_in_flight, policy.connect_timeout, policy.use_environment_proxy)
    assert policy.check_address is not None
    assert not policy.check_address("push.example.org", "127.0.0.1")
    assert policy.check_address("push.example.org", "93.184.215.14")


def test_any_public_trusts_the_known_services():
    """They are on the list, and not held short."""
    assert place(ENDPOINTS["google"], PUBLIC).policy.check_address is None


def test_any_public_takes_port_443_only():
    """Other ports are what port scanners want."""
    assert "invalid_endpoint" == place("https://push.example.org:8443/up", PUBLIC).reason


def test_policies_that_check_addresses_say_so():
    """A transport that resolves by itself must not be used with them."""
    assert PUBLIC.checks_addresses
    assert EndpointPolicy.when(lambda host: True).checks_addresses
    assert not (EndpointPolicy.known() | EndpointPolicy.allow("push.example.org")).checks_addresses


@pytest.mark.parametrize(
    ("rule", "endpoint", "origin"),
    [
        ("push.example.org", "https://push.example.org/up", "https://push.example.org"),
        ("PUSH.example.org", "https://push.example.org/up", "https://push.example.org"),
        ("*.example.org", "https://a.b.example.org/up", "https://a.b.example.org"),
        ("push.example.org:8443", "https://push.example.org:8443/up", "https://push.example.org:8443"),
        ("localhost:*", "https://localhost:51234/up", "https://localhost:51234"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443/up", "https://127.0.0.1:8443"),
        ("[::1]:8443", "https://[::1]:8443/up", "https://[::1]:8443"),
        ("autopush", "https://autopush/wpush/v1/x", "https://autopush"),
    ],
)
def test_an_operator_allows_what_he_wants(rule, endpoint, origin):
    """Names, everything below one, ports, the own machine: trusted as configured."""
    request = place(endpoint, EndpointPolicy.known() | EndpointPolicy.allow(rule))

    assert isinstance(request, WireRequest), request
    assert origin == str(request.origin)
    assert request.policy.check_address is None


@pytest.mark.parametrize(
    ("rule", "endpoint", "reason"),
    [
        ("push.example.org", "https://push.example.org:8443/up", "invalid_endpoint"),
        ("push.example.org:8443", "https://push.example.org/up", "invalid_endpoint"),
        ("*.example.org", "https://example.org/up", "endpoint_not_allowed"),
        ("push.example.org", "https://a.push.example.org/up", "endpoint_not_allowed"),
        ("push.example.org", "http://push.example.org/up", "invalid_endpoint"),
        ("localhost:*", "https://127.0.0.1:8443/up", "invalid_endpoint"),
    ],
)
def test_permissions_are_exact(rule, endpoint, reason):
    """A host is not its parent or child, a port is not another, and plain HTTP is never allowed."""
    assert reason == place(endpoint, EndpointPolicy.allow(rule)).reason


@pytest.mark.parametrize(
    "rule",
    ["https://push.example.org", "push.example.org/path", "", "*", "*.", "a..b", "host:0", "host:99999", "host:x", "::1", "exa mple.org"],
)
def test_rules_that_are_no_hosts_are_refused(rule):
    """The error shows the form."""
    with pytest.raises(ConfigurationError, match=r"EndpointPolicy\.allow"):
        EndpointPolicy.allow(rule)


def test_a_rule_is_text():
    """And there has to be one."""
    with pytest.raises(ConfigurationError, match="found a int"):
        EndpointPolicy.allow(7)
    with pytest.raises(ConfigurationError, match="at least one host"):
        EndpointPolicy.allow()


def test_a_function_can_decide():
    """It sees the host; what it accepts is still checked and held short."""
    seen = []
    policy = EndpointPolicy.when(lambda host: seen.append(host) or host.endswith(".example.org"))

    assert place("https://ntfy.example.org/up", policy).policy.check_address is public_address
    assert "endpoint_not_allowed" == place("https://push.example.com/up", policy).reason
    assert ["ntfy.example.org", "push.example.com"] == seen


@pytest.mark.parametrize("answer", [None, 1, "yes"])
def test_a_function_has_to_say_true(answer):
    """Anything else refuses."""
    assert "endpoint_not_allowed" == place("https://push.example.org/up", EndpointPolicy.when(lambda host: answer)).reason


def test_a_function_that_raises_refuses():
    """A bug in it opens no door."""
    assert "endpoint_not_allowed" == place("https://push.example.org/up", EndpointPolicy.when(lambda host: 1 / 0)).reason


def test_a_rule_says_whose_service_it_is():
    """So that answers of an autopush of one's own are read as Mozilla's."""
    web = sender(endpoints=EndpointPolicy.allow("push.example.org", service="mozilla"))

    assert Service.MOZILLA == web._places.find("https://push.example.org/x").service


def test_a_name_that_leads_inside_is_the_recipients_failure():
    """The transport refused every address: nothing was dialled, and the endpoint is to be reviewed."""
    request = place(ENDPOINTS["rfc"], PUBLIC)
    web = sender(endpoints=PUBLIC)
    prepared = web.prepare(Message("hi"), type(BROWSER.subscription()), _stamp())
    fault = WireFault(kind=FaultKind.ADDRESS_REFUSED, processed=Processed.NO)

    verdict = web.classify(fault, request, prepared, BROWSER.subscription(ENDPOINTS["rfc"]), NOW)

    assert ("endpoint_not_allowed", Category.RECIPIENT, Disposition.NOT_SENT) == (verdict.reason, verdict.category, verdict.disposition)


def test_the_number_of_unknown_origins_in_use_is_bounded():
    """Ten thousand made-up hosts cannot make this client hold ten thousand connections; the known ones go on."""
    web = sender(endpoints=PUBLIC)
    for number in range(UNKNOWN_ORIGINS):
        assert isinstance(
            request_for(Message("hi"), BROWSER.subscription(f"https://h{number}.example.org/x"), with_sender=web), WireRequest
        )

    verdict = request_for(Message("hi"), BROWSER.subscription("https://one-more.example.org/x"), with_sender=web)

    assert ("too_many_origins", True, Disposition.NOT_SENT) == (verdict.reason, verdict.retryable, verdict.disposition)
    assert isinstance(request_for(Message("hi"), BROWSER.subscription("https://h7.example.org/x"), with_sender=web), WireRequest)
    assert isinstance(request_for(Message("hi"), BROWSER.subscription(ENDPOINTS["google"]), with_sender=web), WireRequest)


def test_unknown_origins_make_room_when_they_rest():
    """After a minute without use another origin takes the place."""
    web = sender(endpoints=PUBLIC)
    for number in range(UNKNOWN_ORIGINS):
        request_for(Message("hi"), BROWSER.subscription(f"https://h{number}.example.org/x"), with_sender=web)

    later = Push(now=NOW + UNKNOWN_ORIGIN_REST + 1)
    request = request_for(Message("hi"), BROWSER.subscription("https://one-more.example.org/x"), with_sender=web, push=later)

    assert isinstance(request, WireRequest)
    assert web.sizes()["webpush_unknown_origins"] == UNKNOWN_ORIGINS


def test_tables_stay_bounded():
    """Whatever strangers store."""
    web = sender(endpoints=PUBLIC)
    for number in range(3000):
        web._places.find(f"https://h{number}.example.org/x")

    assert web.sizes()["webpush_places"] == 1024


def test_origins_compare_by_host_and_port():
    """The same host with and without the default port is one origin."""
    assert Origin("fcm.googleapis.com") == place("https://fcm.googleapis.com:443/x").origin


def _stamp():
    from tests.unit.webpush.helpers import STAMP

    return STAMP
