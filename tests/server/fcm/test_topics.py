"""Topics through the public client: the newer service, and the old one behind its switch."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.fcm.test_every_answer import assert_as_reference
from tests.unit.fcm.answers import OTHER_ROWS

from pushkit import AsyncClient, Client, RetryPolicy, fcm
from pushkit.outcomes import Accepted, Category
from pushkit.testing import PushServer


@pytest.fixture(scope="module")
def server():
    with PushServer() as running:
        yield running


def run(server, work, **config):
    async def go():
        async with AsyncClient(fcm=server.fcm_config(**config), ssl_context=server.ssl_context(), retry=RetryPolicy(attempts=1)) as push:
            return await work(push.topics())

    server.reset()
    return asyncio.run(go())


@pytest.mark.parametrize("old_service", [False, True])
def test_who_follows_what(server, old_service):
    """Subscribe twice, list, unsubscribe twice: every step is idempotent, over either service."""
    one, other = server.registration(), server.registration()

    async def work(topics):
        reports = [await topics.subscribe("news", to=[one, other], old_service=old_service) for _ in range(2)]
        await topics.subscribe("sport", to=one, old_service=old_service)
        listed = [subscription.topic for subscription in (await topics.list(one)).unwrap().topics]
        reports += [await topics.unsubscribe("news", to=[one, other], old_service=old_service) for _ in range(2)]
        after = [(await topics.list(target)).unwrap().topics for target in (one, other)]
        return reports, listed, after

    reports, listed, after = run(server, work)

    assert [2] * 4 == [report.accepted for report in reports], [report.failures for report in reports]
    assert ["news", "sport"] == listed
    assert [["sport"], []] == [[subscription.topic for subscription in topics] for topics in after]


def test_the_synchronous_client_has_the_same(server):
    """Without ``await``."""
    server.reset()
    target = server.registration()

    with Client(fcm=server.fcm_config(), ssl_context=server.ssl_context()) as push:
        topics = push.topics()
        assert 1 == topics.subscribe("news", to=target).accepted
        assert 1 == topics.subscribe("sport", to=[target], old_service=True).accepted
        assert {"news", "sport"} == {subscription.topic for subscription in topics.list(target).unwrap().topics}


def test_a_missing_registration_is_the_row_of_the_reference(server):
    """404 in Google's form."""
    target = server.registration()

    async def work(topics):
        server.behaviour.topics.to(target).answer("NOT_FOUND")
        return await topics.unsubscribe("news", to=target)

    assert_as_reference(OTHER_ROWS["404 topicSubscriptions.delete/get"], run(server, work).outcomes[0])


@pytest.mark.parametrize("key", [key for key in OTHER_ROWS if "IID result" in key])
def test_every_word_of_the_old_service_is_the_row_of_the_reference(server, key):
    """One registration's error in a batch with good ones."""
    for word in key.rpartition("IID result ")[2].split("|"):
        targets = [server.registration() for _ in range(3)]

        async def work(topics, word=word, targets=targets):
            server.behaviour.topics.to(targets[1]).answer(word)
            return await topics.subscribe("news", to=targets, old_service=True)

        report = run(server, work)

        assert [True, False, True] == [isinstance(outcome, Accepted) for outcome in report.outcomes]
        assert word == report.outcomes[1].reason
        assert_as_reference(OTHER_ROWS[key], report.outcomes[1])


def test_what_can_be_repeated_is_resumed_one_by_one(server):
    """From a batch of the old service through the ordinary resume."""
    target = server.registration()

    async def go():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context()) as push:
            server.behaviour.topics.to(target).next().answer("INTERNAL")
            report = await push.topics().subscribe("news", to=target, old_service=True, retry=RetryPolicy.none())
            async with push.resume(report.to_resume) as outcomes:
                resumed = [outcome async for outcome in outcomes]
            return report, resumed, (await push.topics().list(target)).topics

    server.reset()
    report, resumed, listed = asyncio.run(go())

    assert (1, "INTERNAL") == (report.technical, report.outcomes[0].reason)
    assert [Accepted] == [type(outcome) for outcome in resumed]
    assert ["news"] == [subscription.topic for subscription in listed]


def test_more_than_a_thousand_registrations_keep_their_order(server):
    """Three requests, one outcome for each."""
    targets = [server.registration() for _ in range(2100)]

    async def work(topics):
        server.behaviour.topics.to(targets[1500]).answer("NOT_FOUND")
        return await topics.subscribe("news", to=targets, old_service=True)

    report = run(server, work)

    assert (2099, 1) == (report.accepted, report.recipient)
    assert targets[1500] == report.failures[0].target
    assert targets == [outcome.target for outcome in report.outcomes]


def test_an_expired_token_is_renewed_once_for_a_batch(server):
    """As for pushes."""
    target = server.registration()

    async def work(topics):
        first = await topics.subscribe("news", to=target, old_service=True)
        server.accounts.grants.clear()
        return first, await topics.subscribe("sport", to=target, old_service=True)

    first, second = run(server, work)

    assert (1, 1) == (first.accepted, second.accepted), second.failures


def test_an_account_of_another_project_is_told_to_use_the_newer_service(server):
    """The old one never names a project."""

    async def work(topics):
        return await topics.subscribe("news", to=[server.registration(), None, fcm.Registration("")], old_service=True)

    report = run(server, work)

    assert [None, Category.RECIPIENT, Category.RECIPIENT] == [outcome.category for outcome in report.outcomes]


def test_an_app_that_is_not_configured_is_an_outcome(server):
    """Nothing raises for data."""

    async def go():
        async with AsyncClient(fcm={"a": server.fcm_config()}, ssl_context=server.ssl_context()) as push:
            topics = push.topics("b")
            return (
                await topics.subscribe("news", to=server.registration(app="b")),
                await topics.subscribe("news", to=server.registration(app="b"), old_service=True),
                await topics.list(server.registration(app="b")),
            )

    new, old, listed = asyncio.run(go())

    assert ["app_not_configured"] * 3 == [new.outcomes[0].reason, old.outcomes[0].reason, listed.outcome.reason]


def test_an_expired_token_is_renewed_once_for_a_list(server):
    """As for pushes."""
    target = server.registration()

    async def work(topics):
        await topics.subscribe("news", to=target)
        server.accounts.revoke_all()
        return await topics.list(target)

    assert ["news"] == [subscription.topic for subscription in run(server, work).unwrap().topics]


def test_a_refused_token_ends_a_list_with_an_outcome(server):
    """One renewal, then the truth."""
    target = server.registration()

    async def work(topics):
        server.behaviour.topics.answer("ACCESS_TOKEN_EXPIRED")
        return await topics.list(target)

    assert "ACCESS_TOKEN_EXPIRED" == run(server, work).outcome.reason


def test_hooks_hear_of_every_change_over_either_service(server):
    """One Finished for each registration."""
    from pushkit import events

    heard = []
    server.reset()

    async def go():
        config = server.fcm_config()
        async with AsyncClient(fcm=config, ssl_context=server.ssl_context(), hooks=[heard.append]) as push:
            for old_service in (False, True):
                await push.topics().subscribe("news", to=[server.registration(), server.registration()], old_service=old_service)

    asyncio.run(go())

    assert 4 == sum(isinstance(event, events.Finished) for event in heard)


@pytest.mark.parametrize("old_service", [False, True])
def test_registrations_go_to_the_app_that_they_or_the_manager_name(server, old_service):
    """A name that the client does not know is an outcome, never another app's project."""
    server.reset()
    shop = server.registration()
    named = fcm.Registration(server.registration().token, app="shop")
    lost = fcm.Registration(server.registration().token, app="nobody")

    async def go():
        async with AsyncClient(fcm={"shop": server.fcm_config()}, ssl_context=server.ssl_context()) as push:
            report = await push.topics(app="shop").subscribe("news", to=[shop, lost, named], old_service=old_service)
            listed = await push.topics(app="shop").list(shop)
            unknown = await push.topics(app="nobody").subscribe("news", to=shop, old_service=old_service)
        return report, listed, unknown

    report, listed, unknown = asyncio.run(go())

    assert [None, "app_not_configured", None] == [getattr(outcome, "reason", None) for outcome in report.outcomes]
    assert ["shop", "nobody", "shop"] == [outcome.app for outcome in report.outcomes]
    assert ["news"] == [subscription.topic for subscription in listed.unwrap().topics]
    assert ["app_not_configured"] == [outcome.reason for outcome in unknown.outcomes]
