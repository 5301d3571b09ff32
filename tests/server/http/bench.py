"""One run of the client against a scripted server, and what must hold afterwards whatever the server did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.server.http.conftest import Pki
from tests.server.http.peer import Peer

from pushkit.http.exchange import Exchange
from pushkit.http.transport import HttpTransport
from pushkit.wire import FaultKind, HeaderBlock, Origin, OriginPolicy, Processed, WireFault, WireRequest, WireResponse, WireResult

BLOCK = HeaderBlock([(b"apns-topic", b"com.example.app"), (b"apns-push-type", b"alert")])
SLACK = 0.3


class Run:
    """Requests to one peer, their results and the invariants."""

    def __init__(self, peer: Peer, port: int, transport: HttpTransport, policy: OriginPolicy) -> None:
        self.peer = peer
        self.ledger = peer.ledger
        self.origin = Origin("localhost", port)
        self.transport = transport
        self.policy = policy
        self.results: dict[str, WireResult] = {}
        self.late: list[tuple[str, float, int]] = []
        self.twice: list[str] = []
        self.handles: dict[str, Exchange] = {}
        self.count = 0
        self.lags: list[float] = []
        """How late the loop itself was, by beats of 20 ms: a busy machine is not the client's doing."""

    async def watch(self) -> None:
        """Measure the loop's lag."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.02)
            self.lags.append(time.monotonic() - before - 0.02)

    def not_in_time(self) -> list[str]:
        """Results that came later than the loop's own lag around them explains."""
        return [
            f"{name} by {over:.2f} s"
            for name, over, beat in self.late
            if over - max(self.lags[max(0, beat - 50) : beat + 3], default=0.0) > SLACK
        ]

    def submit(self, *, timeout: float = 3.0, body: bytes = b'{"aps":{}}', then: Callable[[], None] | None = None, **more: Any) -> str:
        """Start one request."""
        name = f"r{self.count}"
        self.count += 1
        deadline = time.monotonic() + timeout

        def done(result: WireResult) -> None:
            if name in self.results:
                self.twice.append(name)
            self.results[name] = result
            over = time.monotonic() - deadline
            if over > SLACK:
                self.late.append((name, over, len(self.lags)))
            if then is not None:
                then()

        headers = ((b"x-id", name.encode()), (b"content-length", b"%d" % len(body)))
        fields = {"auth": None, "pool_key": None, "policy": self.policy, **more}
        request = WireRequest(b"POST", self.origin, b"/3/device/" + name.encode(), BLOCK, headers, body, deadline, **fields)
        self.handles[name] = self.transport.submit(request, done)
        return name

    async def finish(self, names: list[str] | None = None, within: float = 8.0) -> None:
        """Wait until all are done; never longer."""
        end = time.monotonic() + within
        wanted = list(self.handles) if names is None else names
        while any(name not in self.results for name in wanted) and time.monotonic() < end:
            await asyncio.sleep(0.005)

    async def send(self, count: int, *, at_once: int | None = None, **more: Any) -> list[WireResult]:
        """Send so many and wait for them."""
        names: list[str] = []
        for _ in range(count):
            if at_once is not None:
                await self.finish(names[: len(names) - at_once + 1])
            names.append(self.submit(**more))
        await self.finish(names)
        return [self.results[name] for name in names if name in self.results]

    def statuses(self) -> list[int]:
        return [result.status for result in self.results.values() if isinstance(result, WireResponse)]

    def faults(self) -> list[WireFault]:
        return [result for result in self.results.values() if isinstance(result, WireFault)]

    def check(self) -> None:
        """What must hold for every run (the ledger against what the caller saw)."""
        assert [] == self.peer.failures
        assert [] == self.ledger.violations
        assert [] == self.twice
        assert [] == self.not_in_time()
        assert set(self.handles) == set(self.results)
        for name, result in self.results.items():
            own_doing = isinstance(result, WireFault) and result.kind in {FaultKind.TIMEOUT, FaultKind.CANCELLED, FaultKind.CLOSED}
            if self.ledger.answered[name] and not own_doing:
                assert isinstance(result, WireResponse), f"{name} was answered 200, the caller saw {result}"
            if isinstance(result, WireFault) and result.processed is Processed.NO:
                assert self.ledger.processed[name] <= 0, f"{name} was processed, the caller was told NO ({result})"
            assert self.ledger.processed[name] <= 1, f"{name} was processed {self.ledger.processed[name]} times"


@asynccontextmanager
async def running(peer: Peer, pki: Pki, engine: str, policy: OriginPolicy | None = None, kind: type[Run] = Run, **more: Any):
    """A peer, a transport that trusts it, and at the end the invariants."""
    port = await peer.start(pki.server_context())
    transport = HttpTransport(ssl_context=pki.client_context(), engine=engine, **more)
    run = kind(peer, port, transport, policy or OriginPolicy())
    watching = asyncio.create_task(run.watch())
    try:
        yield run
        run.check()
    finally:
        watching.cancel()
        await transport.aclose()
        await peer.stop()
