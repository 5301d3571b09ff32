"""GOAWAY with every kind of last stream id, with and without later answers, once and twice."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.http.bench import running
from tests.server.http.conftest import Pki
from tests.server.http.peer import Conn, Peer, Stream

from pushkit.wire import FaultKind, OriginPolicy, Processed, WireFault

COUNT = 40
HOLD = 20
FOREVER = 2**31 - 1


class Leaving(Peer):
    """Takes some requests on its first connection, says goodbye, and then does as told with what it has taken."""

    def __init__(self, last: int | str, afterwards: str, *, twice: bool = False, code: int = 0, debug: bytes = b"") -> None:
        super().__init__()
        self.last = last
        self.afterwards = afterwards
        self.twice = twice
        self.code = code
        self.debug = debug
        self.held: list[Stream] = []

    async def on_request(self, conn: Conn, stream: Stream) -> None:
        if conn.number > 1:
            conn.answer(stream)
            return
        self.held.append(stream)
        if len(self.held) == HOLD:
            self.leave(conn)
        elif len(self.held) > HOLD and self.afterwards == "answers" and stream.number <= conn.goaway_last:
            conn.answer(stream)

    def leave(self, conn: Conn) -> None:
        last = {"highest": self.held[-1].number, "middle": self.held[HOLD // 2].number}.get(str(self.last), self.last)
        assert isinstance(last, int)
        if self.twice:
            conn.goaway(FOREVER, self.code, self.debug)
        conn.goaway(last, self.code, self.debug)
        taken = [stream for stream in self.held if stream.number <= last]
        if self.afterwards == "answers":
            for stream in taken:
                conn.answer(stream)
        elif self.afterwards == "closes":
            conn.close()
        elif self.afterwards == "resets TCP":
            self.later(0.02, conn.abort)


@pytest.mark.parametrize("afterwards", ["answers", "closes", "resets TCP", "says nothing"])
@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("last", [0, 1, "middle", "highest", FOREVER])
def test_goaway(pki: Pki, engine: str, last: int | str, afterwards: str, twice: bool) -> None:
    """Above the last id all is sent again by itself; below it answers count, and their absence is unknown."""

    async def main() -> None:
        async with running(Leaving(last, afterwards, twice=twice), pki, engine) as run:
            await run.send(COUNT, timeout=0.5)

            if afterwards == "answers":
                assert [200] * COUNT == run.statuses()
            assert {Processed.UNKNOWN} >= {fault.processed for fault in run.faults()}
            if last == 0:
                assert [200] * COUNT == run.statuses()
            if last == 1:
                assert COUNT - 1 <= len(run.statuses())
            # All 40 are on their way when it comes, so nothing is left for a second connection.
            assert (1 if last == FOREVER else 2) == run.ledger.connections

    asyncio.run(main())


def test_answers_after_goaway_are_kept_while_new_requests_go_elsewhere(pki: Pki, engine: str) -> None:
    """The next connection carries on at once, while the old one is still answering."""

    class Slow(Leaving):
        def leave(self, conn: Conn) -> None:
            conn.goaway(self.held[-1].number)
            for number, stream in enumerate(self.held):
                self.later(0.1 + 0.005 * number, lambda stream=stream: conn.answer(stream))

    async def main() -> None:
        async with running(Slow("highest", "answers"), pki, engine) as run:
            await run.send(COUNT)

            assert [200] * COUNT == run.statuses()
            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_goaway_before_any_request_is_no_fault(pki: Pki, engine: str) -> None:
    """A connection that the server gives up while it is idle is replaced, and nobody hears of it."""

    class Restarting(Peer):
        async def on_connect(self, conn: Conn) -> None:
            await super().on_connect(conn)
            if conn.number == 1:
                self.later(0.05, lambda: conn.goaway(0))

    async def main() -> None:
        async with running(Restarting(), pki, engine) as run:
            await run.send(1)
            await asyncio.sleep(0.1)
            await run.send(1)

            assert [200, 200] == run.statuses()
            assert 2 == run.ledger.connections

    asyncio.run(main())


def test_the_reason_in_the_debug_data_is_on_the_fault(pki: Pki, engine: str) -> None:
    """APNs says in JSON why it ends a connection; when every connection ends so, the caller hears it with NO."""

    class Wrong(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            conn.goaway(0, 0, b'{"reason":"BadCertificateEnvironment"}')
            conn.close()

    async def main() -> None:
        async with running(Wrong(), pki, engine) as run:
            (result,) = await run.send(1)

            assert isinstance(result, WireFault)
            assert ("BadCertificateEnvironment", Processed.NO) == (result.goaway_reason, result.processed)
            assert FaultKind.REFUSED_STREAM is result.kind
            assert result.connection_id > 0
            assert run.ledger.connections <= 3

    asyncio.run(main())


@pytest.mark.parametrize("debug", [b"", b"\xff\xfe", b"[" * 5000, b'{"reason":7}', b'{"reason":"' + b"x" * 10000 + b'"}', b"null"])
def test_any_debug_data_is_survived(pki: Pki, engine: str, debug: bytes) -> None:
    """Whatever a server writes into its GOAWAY, the fate is judged and nothing is raised."""

    async def main() -> None:
        async with running(Leaving("middle", "answers", debug=debug), pki, engine) as run:
            await run.send(COUNT)

            assert [200] * COUNT == run.statuses()

    asyncio.run(main())


def test_unknown_fates_below_the_last_id_carry_the_reason(pki: Pki, engine: str) -> None:
    """What was taken and never answered is unknown, with the reason of the GOAWAY beside it."""

    async def main() -> None:
        async with running(Leaving("highest", "closes", debug=b'{"reason":"Shutdown"}'), pki, engine) as run:
            await run.send(HOLD)

            assert {("Shutdown", Processed.UNKNOWN)} == {(fault.goaway_reason, fault.processed) for fault in run.faults()}
            assert HOLD == len(run.faults())

    asyncio.run(main())


def test_a_request_that_began_to_be_answered_is_never_called_unprocessed(pki: Pki, engine: str) -> None:
    """A server that answers half and then says with GOAWAY that it took nothing is not believed."""

    class Contradicting(Peer):
        async def on_request(self, conn: Conn, stream: Stream) -> None:
            if conn.number > 1:
                conn.answer(stream)
                return
            from tests.server.http.peer import END_HEADERS, HEADERS, frame, head

            conn.raw(frame(HEADERS, END_HEADERS, stream.number, head(200)))
            stream.done = True
            conn.goaway(0)

    async def main() -> None:
        async with running(Contradicting(), pki, engine, OriginPolicy()) as run:
            (result,) = await run.send(1)

            assert isinstance(result, WireFault)
            assert Processed.UNKNOWN is result.processed

    asyncio.run(main())
