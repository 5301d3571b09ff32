"""A transport that hears what time the servers think it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from pushkit.health import HERE, Finding, Level
from pushkit.untrusted import server_time
from pushkit.wire import Cancellable, Origin, OriginHealth, OriginPolicy, Transport, WireFault, WireRequest, WireResponse, WireResult

if TYPE_CHECKING:
    from pushkit.clock import Clock

WRONG = 300.0
"""Seconds from which on a difference is an error: sign-in tokens are refused for it, sooner or later."""
ODD = 30.0
"""Seconds from which on it is worth a warning: a server that keeps its clock by NTP is never so far off."""


class Listening:
    """
    Passes everything on and compares each answer's ``Date`` (RFC 9110 section 6.6.1) with the clock here.

    Args:
        transport: carries the requests.
        ours: whether closing this one closes it; not where it is the caller's.
    """

    def __init__(self, transport: Transport, *, ours: bool) -> None:
        from pushkit.client.options import Options

        self.transport = transport
        self.clock: Clock = Options.clock_of(transport)
        self._ours = ours
        self._skews: dict[Origin, float] = {}

    def submit(self, request: WireRequest, done: Callable[[WireResult], None]) -> Cancellable:
        """Start a request."""

        def heard(result: WireResult) -> None:
            at = server_time(result.headers) if isinstance(result, WireResponse) else None
            if at is not None:
                self._skews[request.origin] = self.clock.time() - at
            done(result)

        return self.transport.submit(request, heard)

    def retire(self, connection_id: int, *, rejected: bool = False) -> None:
        """Pass it on."""
        self.transport.retire(connection_id, rejected=rejected)

    def forget(self, pool_key: Hashable) -> None:
        """Pass it on."""
        self.transport.forget(pool_key)

    async def connect(self, origin: Origin, policy: OriginPolicy, pool_key: Hashable, timeout: float) -> WireFault | None:
        """Pass it on."""
        return await self.transport.connect(origin, policy, pool_key, timeout)

    def health(self) -> Sequence[OriginHealth]:
        """Pass it on."""
        return self.transport.health()

    async def aclose(self) -> None:
        """Close what is ours."""
        if self._ours:
            await self.transport.aclose()

    def finding(self) -> Finding | None:
        """What the answers told about the clock of this machine; None when none had a ``Date``."""
        if not self._skews:
            return None
        origin, skew = max(self._skews.items(), key=lambda item: abs(item[1]))
        if abs(skew) < ODD:
            return _clock(Level.OK, f"agrees with {origin.host}", "")
        direction = "ahead of" if skew > 0 else "behind"
        return _clock(
            Level.ERROR if abs(skew) >= WRONG else Level.WARNING,
            f"{round(abs(skew))} seconds {direction} that of {origin.host}",
            "set the clock of this machine right (NTP): sign-in tokens and lifetimes are made from it",
        )


def _clock(level: Level, message: str, mend: str) -> Finding:
    return Finding(level=level, provider=HERE, subject="clock", message=message, mend=mend)
