"""Requests over a caller's httpx client without a network: what is told of the fate, and when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from pushkit.http.transport import HttpTransport
from pushkit.wire import FaultKind, HeaderBlock, Origin, OriginPolicy, Processed, WireFault, WireRequest, WireResult

POLICY = OriginPolicy(protocols=("http/1.1",))
ORIGIN = Origin("push.test")


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


class Server(httpx.AsyncBaseTransport):
    """A transport of the caller's own: it counts what it was given and ends as told. It knows no ``trace``."""

    def __init__(self, *ends: object) -> None:
        self.ends = list(ends)
        self.taken = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.taken += 1
        end = self.ends.pop(0) if self.ends else 200
        if end == "hangs":
            await asyncio.sleep(60)
        if isinstance(end, Exception):
            raise end
        return httpx.Response(200)


class Setup:
    """A transport over a client over that server."""

    def __init__(self, server: httpx.AsyncBaseTransport, policy: OriginPolicy = POLICY) -> None:
        self.policy = policy
        self.client = httpx.AsyncClient(transport=server)
        self.transport = HttpTransport(client=self.client)
        self.heard: list[WireResult] = []

    def submit(self) -> Any:
        deadline = time.monotonic() + 5
        request = WireRequest(b"POST", ORIGIN, b"/", HeaderBlock([]), (), b"x", deadline, policy=self.policy)
        return self.transport.submit(request, self.heard.append)

    async def finish(self) -> WireResult:
        for _ in range(100):
            if self.heard:
                break
            await asyncio.sleep(0)
        (result,) = self.heard
        return result


def test_closing_right_after_submit_loses_no_callback() -> None:
    """A request whose task has not begun yet ends with the transport, like every other."""

    async def main() -> None:
        server = Server()
        setup = Setup(server)
        setup.submit()
        await setup.transport.aclose()

        fault = await setup.finish()
        assert isinstance(fault, WireFault)
        assert (FaultKind.CLOSED, Processed.NO) == (fault.kind, fault.processed)
        assert 0 == server.taken

    run(main)


def test_what_is_cancelled_before_it_began_is_never_sent() -> None:
    """A request that was given up in the turn in which it came does not reach a transport that never waits."""

    async def main() -> None:
        server = Server()
        setup = Setup(server)
        setup.submit().cancel()
        fault = await setup.finish()
        await asyncio.sleep(0.01)

        assert isinstance(fault, WireFault)
        assert (Processed.NO, 0) == (fault.processed, server.taken)
        await setup.transport.aclose()

    run(main)


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), ValueError("x")])
def test_a_transport_that_tells_nothing_proves_nothing(error: Exception) -> None:
    """A caller's transport that says nothing on its way may have sent all: its failures are UNKNOWN."""

    async def main() -> None:
        setup = Setup(Server(error))
        setup.submit()
        fault = await setup.finish()

        assert isinstance(fault, WireFault)
        assert Processed.UNKNOWN is fault.processed
        await setup.transport.aclose()

    run(main)


def test_giving_up_on_a_transport_that_tells_nothing() -> None:
    """What is cancelled inside such a transport may have been sent as well."""

    async def main() -> None:
        setup = Setup(Server("hangs"))
        handle = setup.submit()
        await asyncio.sleep(0.01)
        handle.cancel()

        fault = await setup.finish()
        assert isinstance(fault, WireFault)
        assert Processed.UNKNOWN is fault.processed
        await setup.transport.aclose()

    run(main)


def test_a_connect_error_after_a_request_went_out() -> None:
    """A caller's transport that tries again by itself: its last failure to connect says nothing of what it sent before."""

    class Retrying(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await request.extensions["trace"]("http11.send_request_body.started", {})
            raise httpx.ConnectError("the second try")

    async def main() -> None:
        setup = Setup(Retrying())
        setup.submit()

        fault = await setup.finish()
        assert isinstance(fault, WireFault)
        assert (FaultKind.CONNECT_FAILED, Processed.UNKNOWN) == (fault.kind, fault.processed)
        await setup.transport.aclose()

    run(main)


def test_a_connect_error_alone_is_no() -> None:
    """A transport that could not connect has sent nothing."""

    async def main() -> None:
        setup = Setup(Server(httpx.ConnectError("x")))
        setup.submit()

        fault = await setup.finish()
        assert isinstance(fault, WireFault)
        assert (FaultKind.CONNECT_FAILED, Processed.NO) == (fault.kind, fault.processed)
        await setup.transport.aclose()

    run(main)


def test_what_is_under_way_is_not_taken_back() -> None:
    """``recall`` takes back what waits for its turn alone; the rest goes on to its answer."""

    async def main() -> None:
        server = Server("hangs")
        setup = Setup(server, OriginPolicy(protocols=("http/1.1",), max_in_flight=1))
        going, waiting = setup.submit(), setup.submit()
        await asyncio.sleep(0.01)

        assert (False, True) == (going.recall(), waiting.recall())
        assert [(FaultKind.CANCELLED, Processed.NO)] == [
            (fault.kind, fault.processed) for fault in setup.heard if isinstance(fault, WireFault)
        ]
        await setup.transport.aclose()

    run(main)
