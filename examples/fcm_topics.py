"""
Who follows which topic: subscribe, list, send to the topic, unsubscribe; and the old service behind its switch.

Runs against a local push service.
"""

from __future__ import annotations

import asyncio

from pushkit import AsyncClient, Notification, fcm
from pushkit.testing import PushServer


async def main() -> None:
    """Everything that topics can do."""
    async with PushServer() as google:
        followers = [google.registration(ref=number) for number in range(5)]
        google.behaviour.topics.to(followers[3]).answer("UNREGISTERED")

        async with AsyncClient(fcm=google.fcm_config(serial_fan_out=True), ssl_context=google.ssl_context()) as push:
            report = await push.topics().subscribe("news", to=followers)
            print(report)
            assert (report.accepted, report.recipient) == (4, 1)
            print("no longer there:", [outcome.target.ref for outcome in report.to_remove])

            answer = await push.topics().list(followers[0])
            print("follows:", [subscription.topic for subscription in answer.topics])

            # A key of our own makes a repeated fan-out replace the first one on the phones.
            extra = Notification(title="Extra!", body="Read all about it.", key="news-4711")
            print(await push.send(extra, to=fcm.Condition("'news' in topics && !('mute' in topics)")))

            report = await push.topics().unsubscribe("news", to=followers[:3], old_service=True)  # until 2027-09-29
            assert report.accepted == 3


asyncio.run(main())
