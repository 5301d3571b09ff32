"""The connection over real sockets and TLS: what HTTP/2 asks of a client, on both engines."""

from __future__ import annotations

import asyncio

from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import Peer


def test_many_requests_are_answered_over_one_connection(pki: Pki, engine: str) -> None:
    """A few hundred requests go over one connection, each with its own answer."""

    async def main() -> None:
        async with running(Peer(), pki, engine) as run:
            await run.send(300, at_once=50)

            assert [200] * 300 == run.statuses()
            assert 1 == run.ledger.connections

    asyncio.run(main())
