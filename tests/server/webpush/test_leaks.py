"""Secrets of subscriptions and messages, on the real path with everything going wrong and every logger at DEBUG."""

from __future__ import annotations

import attrs
import pytest
from tests.canaries import Canaries, LeakCatcher
from tests.unit.webpush.answers import mozilla_body

from pushkit import Client, Notification, PushError, RetryPolicy
from pushkit.testing import Answer, PushServer
from pushkit.testing.services.world import Known
from pushkit.webpush import Declarative, EndpointPolicy, Message, Options, Subscription, Withdrawal


@pytest.mark.parametrize("service", ["mozilla", "google", "apple", "microsoft", "rfc"])
def test_nothing_shows_whatever_the_service_says(canaries: Canaries, leaks: LeakCatcher, service: str):
    """Accepted, refused with an echo of everything, redirected, gone, throttled: repr, str, report and logs hold no secret."""
    with PushServer() as server:
        made = server.subscription(service=service)
        site = server.world.sites.webpush[service]
        address = f"{site}{canaries.endpoint_path}"
        known = server.world.known("webpush", made.endpoint)
        assert known is not None
        server.world.register("webpush", address, Known(receiver=known.receiver))
        target = Subscription(address, p256dh=made.p256dh, auth=made.auth)
        assert isinstance(made.p256dh, str)
        assert isinstance(made.auth, str)
        leaks.canaries = canaries.with_more(made.p256dh, made.auth, server.vapid.private_b64)
        message = Notification(
            title=canaries.title, body=canaries.body, data={"secret": canaries.data}, link=f"https://e.org/{canaries.data}"
        )
        echo = f"{address} {canaries.endpoint_path} {made.p256dh} {made.auth} {canaries.title} {canaries.body}".encode()
        said = [
            Answer(status=201, fields=((b"location", f"{site}/m{canaries.endpoint_path}".encode()),)),
            Answer(status=400, body=echo),
            Answer(status=301, fields=((b"location", address.encode()),), body=echo),
            Answer(status=410, body=mozilla_body(410, 106, echo.decode())),
            Answer(status=429, fields=((b"retry-after", echo),), body=echo),
            Answer(status=500, fields=((b"x-wns-error-description", echo),), body=echo),
            Answer(status=403, body=echo),
        ]
        with Client(webpush=server.webpush_config(), ssl_context=server.ssl_context(), retry=RetryPolicy(attempts=1)) as push:
            outcomes = []
            for answer in said:
                server.behaviour.to(target).next(1).answer(answer)
                outcomes.append(push.send(message, to=target))
            report = push.send_many(
                message, to=[target, attrs.evolve(target, p256dh=canaries.p256dh), attrs.evolve(target, auth=canaries.auth)]
            )
            leaks.see(push, report, *outcomes)
            for outcome in (*outcomes, *report.outcomes):
                leaks.see(outcome.as_dict(), getattr(outcome, "detail", ""), getattr(outcome, "advice", ""))
                if not outcome.accepted:
                    with pytest.raises(PushError) as caught:
                        outcome.unwrap()
                    leaks.see_exception(caught.value)


def test_values_show_nothing(canaries: Canaries, leaks: LeakCatcher):
    """Targets, messages, options and requests, as a debugger would print them."""
    target = Subscription(f"https://fcm.googleapis.com{canaries.endpoint_path}", p256dh=canaries.p256dh, auth=canaries.auth)
    values = (
        target,
        Message(canaries.body),
        Message({"text": canaries.body}),
        Declarative(title=canaries.title, body=canaries.body, navigate=f"https://e.org/{canaries.data}", data={"x": canaries.data}),
        Notification(title=canaries.title, options=Options(tag=canaries.data, icon=f"https://e.org/{canaries.data}")),
        Withdrawal(f"https://e.org/m{canaries.endpoint_path}"),
        Subscription.from_json({"endpoint": canaries.endpoint_path, "keys": {"p256dh": canaries.p256dh, "auth": canaries.auth}}),
        EndpointPolicy.any_public(),
    )
    leaks.see(*values)
