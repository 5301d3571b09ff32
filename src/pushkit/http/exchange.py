"""One request under way: where it is, what has come back, and what is known of its fate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pushkit.http.timer_wheel import Expiring
from pushkit.wire import FaultKind, Header, Processed, WireFault, WireRequest, WireResponse, WireResult

if TYPE_CHECKING:
    from pushkit.http.http2.connection import Http2Connection

_SAID = {
    FaultKind.CANCELLED: "given up by the caller",
    FaultKind.TIMEOUT: "no answer by the deadline",
    FaultKind.CLOSED: "closed before there was an answer",
}


class Exchange:
    """
    A request under way, and the caller's handle to it.

    It waits in a pool (``connection`` is None), is assigned to a connection (``stream_id`` is 0) or has
    a stream there. ``done`` is None once the caller has heard.
    """

    __slots__ = (
        "abandon",
        "bucket",
        "chunks",
        "connection",
        "done",
        "goaway_reason",
        "headers",
        "parked",
        "refusals",
        "request",
        "resends",
        "seen_answers",
        "size",
        "stream_id",
    )

    def __init__(self, request: WireRequest, done: Callable[[WireResult], None]) -> None:
        self.request = request
        self.done: Callable[[WireResult], None] | None = done
        self.bucket: set[Expiring] | None = None
        self.connection: Http2Connection | None = None
        self.stream_id = 0
        self.abandon: Callable[[Exchange], Processed] | None = None
        """Takes the request out of wherever it is when it has no connection; set by who holds it."""
        self.parked = False
        """Whether a pool has it, or had it before a connection got it."""
        self.headers: Sequence[Header] | None = None
        self.chunks: bytes | list[bytes] = b""
        self.size = 0
        self.refusals = 0
        """Times that it came back provably unprocessed without any progress since."""
        self.resends = 0
        """Times that it came back at all."""
        self.seen_answers = 0
        """Answers of its pool when it last came back."""
        self.goaway_reason: str | None = None

    def finish(self, result: WireResult) -> None:
        """Tell the caller, once."""
        done = self.done
        if done is None:
            return
        self.done = None
        bucket = self.bucket
        if bucket is not None:
            bucket.discard(self)
            self.bucket = None
        self.connection = None
        self.abandon = None
        try:
            done(result)
        except Exception as exc:  # noqa: BLE001  # one caller's mistake must not lose the others' answers
            _report(exc)

    def fault(self, kind: FaultKind, processed: Processed, detail: str, *, connection_id: int = 0) -> None:
        """Finish without an answer."""
        self.finish(WireFault(kind=kind, processed=processed, detail=detail, goaway_reason=self.goaway_reason, connection_id=connection_id))

    def cancel(self) -> None:
        """Give up; the caller hears ``CANCELLED`` with the fate."""
        self.give_up(FaultKind.CANCELLED)

    def recall(self) -> bool:
        """Give up if it waits in a pool still."""
        if self.done is None or self.connection is not None or not self.parked:
            return False
        self.give_up(FaultKind.CANCELLED, "taken back before it was sent")
        return True

    def expire(self) -> None:
        """The deadline has come."""
        self.give_up(FaultKind.TIMEOUT)

    def give_up(self, kind: FaultKind, detail: str | None = None) -> None:
        """Take the request out of wherever it is and finish it with a fault."""
        if self.done is None:
            return
        connection = self.connection
        if connection is not None:
            processed = connection.abandon(self, stalled=kind is FaultKind.TIMEOUT)
            number = connection.id
        else:
            number = 0
            processed = self.abandon(self) if self.abandon is not None else Processed.NO
        self.fault(kind, processed, detail or _SAID[kind], connection_id=number)

    def answer(self, connection_id: int) -> None:
        """Finish with the answer that was collected."""
        headers = self.headers
        assert headers is not None
        chunks = self.chunks
        body = chunks if isinstance(chunks, bytes) else b"".join(chunks)
        self.finish(WireResponse(int(headers[0][1]), headers[1:], body, connection_id))

    def __repr__(self) -> str:
        return f"<Exchange {self.request!r}>"


def _report(exc: Exception) -> None:
    import asyncio

    asyncio.get_running_loop().call_exception_handler({"message": "a transport's caller failed in its callback", "exception": exc})
