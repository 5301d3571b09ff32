"""What a type checker sees of ``pushkit.apns``: never executed. Push types cannot be built wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_type

from pushkit import AsyncClient, Notification, Priority, apns


def built_right() -> Sequence[apns.Push | apns.Background | apns.Voip | apns.LiveActivityUpdate | apns.LiveActivityEnd]:
    """Every argument that a type has."""
    return [
        apns.Push({"aps": {"alert": "x"}}, headers={"apns-priority": "5"}),
        apns.Background(data={"a": [1, None]}, ttl=timedelta(hours=1)),
        apns.Voip(data={"call": "x"}, priority=Priority.HIGH),
        apns.LiveActivityUpdate({"score": 1}, stale_date=timedelta(minutes=1), relevance_score=75),
        apns.LiveActivityEnd(dismissal_date=datetime(2026, 11, 22, tzinfo=UTC)),
    ]


def built_wrong() -> None:
    """What a type forbids has no argument: each line is an error, or the checker complains about its comment."""
    apns.Background(priority=Priority.HIGH)  # type: ignore[call-arg]  # always 5
    apns.Background(title="x")  # type: ignore[call-arg]  # shows nothing
    apns.PushToTalk(priority=Priority.NORMAL)  # type: ignore[call-arg]  # always 10
    apns.Voip(collapse_id="x")  # type: ignore[call-arg]  # a call is never replaced
    apns.WidgetsRefresh(data={})  # type: ignore[call-arg]  # carries nothing
    apns.LiveActivityUpdate({}, dismissal_date=timedelta(0))  # type: ignore[call-arg]  # only an end has one
    apns.LiveActivityUpdate()  # type: ignore[call-arg]  # a state is the whole of it
    apns.LiveActivityStart("A", attributes={})  # type: ignore[call-arg]  # so is it here
    apns.FileProviderSignal("root")  # type: ignore[call-arg]  # a domain is needed
    apns.Device()  # type: ignore[call-arg]  # and a token


def helpers() -> None:
    """What helpers give."""
    assert_type(apns.swift_date(datetime(2026, 1, 1, tzinfo=UTC)), float)
    assert_type(apns.Certificate.from_p12(b"").topics, frozenset[str])


async def one_client(push: AsyncClient) -> None:
    """Every message goes through the same calls."""
    await push.send(Notification(title="x"), to=apns.Device("80b5"))
    answer = await push.channels(environment=apns.Environment.SANDBOX).create(stores=False)
    assert_type(answer.channel, apns.Channel | None)
