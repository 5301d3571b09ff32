"""A broadcast channel: make it, tell everybody who listens with one push, delete it."""

from __future__ import annotations

import asyncio

import pushkit
from pushkit import apns
from pushkit.testing import PushServer


async def main(apple: PushServer) -> None:
    async with pushkit.AsyncClient(apns=apple.apns_config(), ssl_context=apple.ssl_context()) as push:
        channels = push.channels()
        match = (await channels.create(stores=True)).unwrap().channel
        assert match is not None

        # Phones listen because their activity was started with input_push_channel=match.channel_id.
        for score in ("1:0", "1:1", "2:1"):
            outcome = await push.send(apns.LiveActivityUpdate({"score": score}), to=match)
            print(score, outcome)
            assert outcome.accepted

        print("channels:", len((await channels.list()).unwrap().channels))
        (await channels.delete(match)).unwrap()
        late = await push.send(apns.LiveActivityUpdate({"score": "3:1"}), to=match)
        print(f"after the end: {late}")
        assert not late.accepted


with PushServer() as server:
    asyncio.run(main(server))
