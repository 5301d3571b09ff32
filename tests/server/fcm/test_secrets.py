"""Nothing secret shows: tokens, keys, text, in logs of any library at DEBUG, in reprs, details, reports, tracebacks."""

from __future__ import annotations

import asyncio
import json

import pytest

from pushkit import AsyncClient, Notification, RetryPolicy, fcm
from pushkit.errors import ConfigurationError
from pushkit.testing import PushServer
from pushkit.testing.accounts import FCM_SCOPES, Grant
from pushkit.testing.exchange import Answer
from pushkit.testing.faults import Disconnect


@pytest.fixture
def server():
    with PushServer() as running:
        yield running


def test_a_whole_run_gives_nothing_away(server, leaks, canaries):
    """Sends that go well, answers that quote the request, a broken token endpoint, topics over both services."""
    target = fcm.Registration(canaries.registration_token)
    echo = server.registration()
    quoted = f"{canaries.registration_token} {canaries.title} {canaries.body} {canaries.data}"
    message = Notification(title=canaries.title, body=canaries.body, data={"k": canaries.data})
    native = fcm.Message(notification=fcm.Notification(title=canaries.title, body=canaries.body), data={"k": canaries.data})

    async def run(config, quoted):
        async with AsyncClient(fcm=config, ssl_context=server.ssl_context(), retry=RetryPolicy(attempts=2, max_sleep=0.1)) as push:
            outcomes = []
            for said in (message, native):
                outcomes.append(await push.send(said, to=target))
                server.behaviour.to(target).next().answer(
                    Answer(status=400, body=json.dumps({"error": {"message": quoted, "status": "INVALID_ARGUMENT"}}).encode())
                )
                outcomes.append(await push.send(said, to=target))
                server.behaviour.to(target).next().answer(Answer(status=502, body=f"<html>{quoted}</html>".encode()))
                outcomes.append(await push.send(said, to=target))
            report = await push.send_many(message, to=[target, echo, fcm.Registration(f" {canaries.registration_token}")])
            topics = push.topics()
            reports = [report, await topics.subscribe("news", to=target), await topics.subscribe("news", to=target, old_service=True)]
            outcomes += [outcome for each in reports for outcome in each.outcomes]
            outcomes.append((await topics.list(target)).outcome)
            return outcomes, reports, push.health()

    static = fcm.StaticToken(canaries.access_token, project_id="local-project")
    server.accounts.grants[canaries.access_token] = Grant("local-project", FCM_SCOPES, 1e12)
    for config, said in (
        (server.fcm_config(), quoted),
        (server.fcm_config(credentials=static), f"{quoted} Bearer {canaries.access_token}"),
    ):
        server.behaviour.reset()
        outcomes, reports, health = asyncio.run(run(config, said))
        assert {200, 400, 502} <= {outcome.attempts[-1].status for outcome in outcomes if outcome.attempts}
        leaks.see(
            config,
            config.credentials,
            health,
            *outcomes,
            *(str(report) for report in reports),
            *(outcome.as_dict() for outcome in outcomes),
        )
        for outcome in outcomes:
            if not outcome.accepted:
                try:
                    outcome.unwrap()
                except Exception as error:
                    leaks.see_exception(error)


def test_a_broken_token_endpoint_gives_nothing_away(server, leaks, canaries):
    """An answer that quotes the assertion."""
    server.behaviour.oauth.next().answer(Answer(status=400, body=json.dumps({"error": "invalid_grant", "error_description": "x"}).encode()))
    server.behaviour.oauth.fault(Disconnect())

    async def run():
        async with AsyncClient(fcm=server.fcm_config(), ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as push:
            return [await push.send(Notification(title=canaries.title), to=fcm.Registration(canaries.registration_token)) for _ in range(2)]

    leaks.see(*asyncio.run(run()))


def test_a_wrong_key_file_gives_nothing_away(server, leaks, canaries):
    """Neither in the message nor in the traceback with its locals."""
    file = server.service_account_file()
    for spoiled in (
        json.dumps(file)[:-40],
        json.dumps(file | {"private_key": canaries.data}),
        json.dumps(file | {"type": "authorized_user"}),
    ):
        with pytest.raises(ConfigurationError) as caught:
            fcm.ServiceAccount.from_json(spoiled)
        leaks.see(str(caught.value), repr(caught.value))
