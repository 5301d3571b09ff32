"""A Live Activity from start to end: dates for Swift, the update token, two updates in one second, the end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pushkit
from pushkit import Priority, apns
from pushkit.testing import PushServer


def state(stops: int, arrives: datetime) -> dict[str, object]:
    """The whole of the Swift ``ContentState``; every ``Date`` counts from 2001."""
    return {"stops": stops, "arrives": apns.swift_date(arrives)}


async def main(apple: PushServer) -> None:
    arrives = datetime.now(UTC) + timedelta(minutes=25)
    # What the phone sent: one token to start cards with, then one for this card.
    starts, card = apns.StartToken(apple.device().token), apns.ActivityToken(apple.device().token)

    async with pushkit.AsyncClient(apns=apple.apns_config(), ssl_context=apple.ssl_context()) as push:
        start = apns.LiveActivityStart(
            "DeliveryAttributes",
            attributes={"order": "4711"},
            content_state=state(5, arrives),
            title="On its way",
            body="5 stops to go",
            input_push_token=True,
        )
        (await push.send(start, to=starts)).unwrap()

        # Somebody has to see the first at once; the second need not cost budget.
        for message in (
            apns.LiveActivityUpdate(state(2, arrives), title="Nearly there", body="2 stops to go", stale_date=timedelta(minutes=20)),
            apns.LiveActivityUpdate(state(1, arrives), priority=Priority.NORMAL),
            apns.LiveActivityEnd(state(0, arrives), dismissal_date=timedelta(minutes=5)),
        ):
            (await push.send(message, to=card)).unwrap()

    stamps = [record.payload["aps"]["timestamp"] for record in apple.sent]
    assert stamps == sorted(stamps)
    assert len(set(stamps[1:])) == 3, "each update of a card is newer than the one before"
    for record in apple.sent:
        aps = record.payload["aps"]
        print(aps["event"], "priority", record.headers["apns-priority"], aps["content-state"])


with PushServer() as server:
    asyncio.run(main(server))
