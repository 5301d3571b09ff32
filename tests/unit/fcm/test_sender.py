"""A project as the delivery engine sees it."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest
from tests.unit.fcm.answers import error_body
from tests.unit.fcm.helpers import BEARER, TOKEN, Push, account, answer, judged, sender, stamp

from pushkit import fcm
from pushkit.outcomes import Action, Scope
from pushkit.provider import RampsUp
from pushkit.verdict import LatchCredential, RefreshCredential, Verdict

MESSAGE = fcm.Message(data={"a": "b"})


def addressed(one, target=None, push=None):
    target = target or fcm.Registration(TOKEN)
    return one.address(one.prepare(MESSAGE, type(target), stamp()), target, push or Push())


def test_it_has_the_facts_that_delivery_relies_on():
    """Time for an attempt, rate, streams and connections."""
    one = sender(rate=50.0, ramp=timedelta(minutes=1), max_connections=2)

    assert ("fcm", "default", 15.0, 50.0) == (one.provider, one.app, one.attempt_timeout, one.rate)
    assert (True, 60.0) == (isinstance(one, RampsUp), one.ramp)
    ((origin, policy, pool_key),) = one.origins
    assert ("https://fcm.googleapis.com", 100, 2, None) == (str(origin), policy.max_streams, policy.max_connections, pool_key)


def test_a_request_never_goes_out_without_a_token():
    """The engine fetches one first; should it ever not, nothing is sent."""
    verdict = addressed(sender(), push=Push(token=None))

    assert isinstance(verdict, Verdict)
    assert "no_credential" == verdict.reason


def test_requests_with_the_same_token_share_their_header_block():
    """So that the connection keeps it in its compression table."""
    one = sender()

    first, second, other = addressed(one), addressed(one), addressed(one, push=Push(token="another"))

    assert first.block is second.block
    assert (b"authorization", b"Bearer another") in other.block.fields


def test_a_project_that_only_the_metadata_server_knows_is_used_once_it_is_known():
    """And asked for only where the configuration names none."""
    one = sender(credentials=fcm.MetadataServer())

    assert isinstance(addressed(one), Verdict)
    one.credential.project_id = "meta-1"
    assert b"/v1/projects/meta-1/messages:send" == addressed(one).path
    assert "p-1" == sender(credentials=fcm.MetadataServer(), project_id="p-1").credential.project_id


def test_a_static_token_needs_no_credential():
    """It is at hand."""
    one = sender(credentials=fcm.StaticToken(BEARER), project_id="p")

    assert one.credential is None
    assert (b"authorization", f"Bearer {BEARER}".encode()) in addressed(one, push=Push(token=None)).block.fields


def test_a_refused_static_token_stops_the_sending():
    """It cannot be renewed, so trying again is of no use."""
    refused = answer(401, error_body(401, "UNAUTHENTICATED", "no"))

    static = judged(refused, credentials=fcm.StaticToken(BEARER), project_id="p")
    fetched = judged(refused)

    assert (Action.FIX_CREDENTIALS, False, None, (LatchCredential(),), Scope.CREDENTIAL) == (
        static.action,
        static.retryable,
        static.floor,
        static.directives,
        static.scope,
    )
    assert (True, 0.0, (RefreshCredential(),)) == (fetched.retryable, fetched.floor, fetched.directives)


@pytest.mark.parametrize(
    ("message", "label"),
    [
        (MESSAGE, "shop"),
        (fcm.Message(data={"a": "b"}, label="own"), "own"),
        (fcm.Message(data={"a": "b"}, fcm_options=fcm.FcmOptions(analytics_label="own")), "own"),
    ],
)
def test_the_projects_label_is_for_messages_without_one(message, label):
    """So that Google's delivery data can be told apart."""
    one = sender(analytics_label="shop")

    request = one.address(one.prepare(message, fcm.Registration, stamp()), fcm.Registration(TOKEN), Push())

    assert {"analytics_label": label} == json.loads(request.body)["message"]["fcm_options"]


def test_a_project_with_a_colon_keeps_it_in_the_path():
    """Domain-scoped projects (example.com:app)."""
    assert b"/v1/projects/example.com:app/messages:send" == addressed(sender(project_id="example.com:app")).path


@pytest.mark.parametrize("target", [fcm.Topic("news"), fcm.Condition("'a' in topics")])
def test_fan_outs_go_one_at_a_time_if_wanted(target):
    """Over a pool of their own with a single request under way; devices are not held up."""
    one = sender(serial_fan_out=True)

    fan_out, device = addressed(one, target), addressed(one)

    assert (1, "fan-out") == (fan_out.policy.max_in_flight, fan_out.pool_key)
    assert (None, None) == (device.policy.max_in_flight, device.pool_key)
    assert addressed(sender(), target).policy.max_in_flight is None


def test_the_platform_behind_a_registration_is_unknown():
    """So suspicion is counted for the whole project."""
    assert "" == sender().environment(fcm.Registration(TOKEN))


def test_refreshing_is_the_engines_business():
    """Fetched tokens are dropped there."""
    one = sender()

    assert one.refresh(addressed(one)) is None


def test_two_senders_of_one_account_share_their_token():
    """Equal credentials have equal keys, and no key holds a secret."""
    assert sender().credential.key == sender(project_id="other-1").credential.key
    other = attrs.evolve(account(), client_email="other@example.com")
    assert sender().credential.key != sender(credentials=other).credential.key
    assert "PRIVATE" not in repr(sender().credential.key)
