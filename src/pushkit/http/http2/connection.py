"""One HTTP/2 connection: requests onto streams, answers and fates back, one write per turn of the loop."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from pushkit.clock import Clock, Timer
from pushkit.http.exchange import Exchange
from pushkit.http.http2.engine import Engine, EngineFullError, ErrorCode
from pushkit.http.tls_stream import TlsStream
from pushkit.untrusted import json_object, text_of
from pushkit.wire import ConnectionAuth, FaultKind, Header, OriginPolicy, Processed

WRITE_CHUNK = 64 * 1024
"""Octets encrypted at once; what was not taken from the engine cannot have reached the server."""
HEARD_WHILE_PAUSED = 32 * 1024 * 1024
"""Octets taken in at the most while the server takes none of ours."""
STREAM_CAP = 1000
"""Streams on one connection at the most, whatever the server would allow."""

_numbers = itertools.count(1)


def new_connection_id() -> int:
    """A number that no other connection of this process has."""
    return next(_numbers)


class Owner(Protocol):
    """What a connection tells its pool."""

    answers: int

    def on_room(self, connection: Http2Connection) -> None:
        """What it can take, or whether that is decided yet, may have changed."""
        ...

    def on_leaving(self, connection: Http2Connection) -> None:
        """It takes no new requests any more."""
        ...

    def on_lost(self, connection: Http2Connection) -> None:
        """It is closed; every request on it has been settled."""
        ...

    def take_back(self, exchanges: Iterable[Exchange]) -> None:
        """Requests that were never written; they keep their place."""
        ...

    def refused(self, exchanges: Sequence[Exchange], connection_id: int, detail: str) -> None:
        """Requests that the server provably did not process."""
        ...


class Http2Connection:
    """
    A connection over one stream. The pool assigns requests while ``load < capacity``.

    ``capacity`` is what counts for new requests: the server's limit, the policy's caps, and 0 while the
    connection is not settled, is under suspicion, does not write, or is leaving.
    """

    def __init__(self, owner: Owner, engine: Engine, policy: OriginPolicy, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self.id = new_connection_id()
        self.engine = engine
        self.capacity = 0
        self.streams: dict[int, Exchange] = {}
        self.pending: deque[Exchange] = deque()
        self.auth: ConnectionAuth | None = None
        self.auth_slot: object | None = None
        self.address = ""
        self.born = self.last_heard = clock.monotonic()
        self.answers = 0
        self.leaving = False
        self.expires: float | None = None
        self.settled = False
        self.closed = False
        self._owner = owner
        self._policy = policy
        self._clock = clock
        self._loop = loop
        self._stream: TlsStream | None = None
        self._flush_due = False
        self._paused = False
        self._unread = 0
        self._suspect = False
        self._unlocked = policy.first_streams is None
        self._goaway_reason: str | None = None
        self._failure = ""
        self._ping_timer: Timer | None = None
        self.settling: asyncio.Future[None] = loop.create_future()
        """Done when the server's SETTINGS have come, or the connection has ended."""
        self.error: Exception | None = None
        """What ended it, as the socket or TLS told."""

    # -- tls_stream.Receiver ------------------------------------------------------------------------

    def start(self, stream: TlsStream) -> None:
        """Speak HTTP/2 over a stream whose handshake is done."""
        self._stream = stream
        self.last_heard = self._clock.monotonic()
        stream.start(self)
        self.engine.start()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Feed the engine, which calls back for every answer and fate."""
        if self.closed:
            return
        self.last_heard = self._clock.monotonic()
        if self._paused:
            # A server that asks (PING, SETTINGS) and does not read makes the engine's answers pile up.
            self._unread += len(data)
            if self._unread > HEARD_WHILE_PAUSED:
                self._end("the server talks and does not listen", None)
                return
        self.engine.feed(data, self)
        if self.engine.finished is not None:
            self._broken()
            return
        self.schedule_flush()
        if self.leaving and not self.streams and not self.pending:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Settle every request that is still here."""
        self._end("the connection was closed by the server" if exc is None else f"the connection broke ({type(exc).__name__})", exc)

    def pause_writing(self) -> None:
        """The server or the network does not take more: what is not written yet may go elsewhere."""
        self._paused = True
        self._recompute()
        self.schedule_flush()

    def resume_writing(self) -> None:
        """The server reads again."""
        self._paused = False
        self._unread = 0
        self._recompute()
        self.schedule_flush()

    # -- for the pool -------------------------------------------------------------------------------

    @property
    def failure(self) -> str:
        """Why it ended, for people."""
        return self._failure

    @property
    def load(self) -> int:
        """Requests on this connection."""
        return len(self.streams) + len(self.pending)

    @property
    def undecided(self) -> bool:
        """Whether it is about to show if it can take more: a PING is out, or a first good answer is due."""
        return self._suspect or (not self._unlocked and not self._paused and bool(self.streams or self.pending))

    def assign(self, exchange: Exchange) -> None:
        """Take a request; it is written at the end of this turn of the loop."""
        exchange.connection = self
        self.pending.append(exchange)
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def abandon(self, exchange: Exchange, *, stalled: bool) -> Processed:
        """Take a request out (deadline, caller); says what is known of its fate."""
        stream_id = exchange.stream_id
        if not stream_id:
            # Skipped at the next flush, since ``done`` will be None.
            return Processed.NO
        processed = Processed.NO if exchange.headers is None and self.engine.unsent(stream_id) else Processed.UNKNOWN
        self.streams.pop(stream_id, None)
        self.engine.reset(stream_id, ErrorCode.CANCEL)
        self.schedule_flush()
        if stalled:
            self.probe()
        self._after_stream()
        return processed

    def probe(self) -> None:
        """Ask the server by PING whether it is still there; no new requests until it answers."""
        if self._suspect or self.closed or not self.settled:
            return
        self._suspect = True
        self._recompute()
        self.engine.ping()
        self.schedule_flush()
        self._ping_timer = self._clock.call_at(self._clock.monotonic() + self._policy.ping_timeout, self._unanswered)

    def leave(self) -> None:
        """Take no new requests; close when the last answer has come."""
        if self.leaving:
            return
        self.leaving = True
        self._recompute()
        self._owner.on_leaving(self)
        self._give_back()
        if not self.streams:
            self.close()

    def close(self) -> None:
        """Say goodbye and close; requests still here are settled first."""
        if self.closed:
            return
        self.engine.goodbye()
        self._end("closed here", None)

    def schedule_flush(self) -> None:
        """Write at the end of this turn of the loop."""
        if not self._flush_due and not self.closed:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    # -- engine.Sink --------------------------------------------------------------------------------

    def on_head(self, stream_id: int, headers: Sequence[Header], end: bool) -> None:
        """The head of an answer."""
        exchange = self.streams.get(stream_id)
        if exchange is None:
            return
        if exchange.headers is not None:
            self.on_malformed(stream_id, "a second head")
            return
        exchange.headers = headers
        if end:
            self._answered(stream_id, exchange)

    def on_data(self, stream_id: int, data: bytes, end: bool) -> None:
        """Part of the body of an answer."""
        exchange = self.streams.get(stream_id)
        if exchange is None:
            return
        if data:
            exchange.size += len(data)
            if exchange.size > self._policy.max_response_bytes:
                self.engine.reset(stream_id, ErrorCode.CANCEL)
                self._settle(stream_id, exchange, FaultKind.RESPONSE_TOO_LARGE, "the answer's body is over the cap")
                return
            if not exchange.chunks:
                exchange.chunks = data
            elif isinstance(exchange.chunks, bytes):
                exchange.chunks = [exchange.chunks, data]
            else:
                exchange.chunks.append(data)
        if end:
            if exchange.headers is None:
                self.on_malformed(stream_id, "a body without a head")
                return
            self._answered(stream_id, exchange)

    def on_reset(self, stream_id: int, code: int) -> None:
        """The server reset a stream before its answer was complete."""
        exchange = self.streams.get(stream_id)
        if exchange is None:
            return
        if code == ErrorCode.REFUSED_STREAM and exchange.headers is None:
            del self.streams[stream_id]
            self._owner.refused([exchange], self.id, "the server refused the stream")
            self._after_stream()
            return
        self._settle(stream_id, exchange, FaultKind.CONNECTION_LOST, f"the server reset the stream (code {code})")

    def on_malformed(self, stream_id: int, detail: str) -> None:
        """An answer that is no HTTP."""
        exchange = self.streams.get(stream_id)
        if exchange is None:
            return
        self.engine.reset(stream_id, ErrorCode.PROTOCOL_ERROR)
        self._settle(stream_id, exchange, FaultKind.PROTOCOL_ERROR, f"the answer is malformed ({detail})")

    def on_goaway(self, last_stream_id: int, code: int, debug: bytes) -> None:
        """Streams above ``last_stream_id`` were not processed; the rest may still be answered (RFC 9113 section 6.8)."""
        reason = text_of(json_object(debug).get("reason")) or None
        self._goaway_reason = reason or self._goaway_reason
        self._failure = f"the server said goodbye (code {code})"
        refused: list[Exchange] = []
        begun: list[Exchange] = []
        for stream_id in [number for number in self.streams if number > last_stream_id]:
            exchange = self.streams.pop(stream_id)
            self.engine.reset(stream_id, ErrorCode.CANCEL)
            exchange.goaway_reason = self._goaway_reason
            (refused if exchange.headers is None else begun).append(exchange)
        self.leaving = True
        self._recompute()
        self._owner.on_leaving(self)
        self._give_back()
        if refused:
            self._owner.refused(refused, self.id, self._failure)
        for exchange in begun:
            # It began to answer what it now says it did not process: believe nothing.
            exchange.fault(FaultKind.CONNECTION_LOST, Processed.UNKNOWN, self._failure, connection_id=self.id)

    def on_settings(self) -> None:
        """The server's limits came or changed."""
        self._recompute()
        if not self.settled:
            self.settled = True
            self._recompute()
            self._ready()
        else:
            self._owner.on_room(self)

    def on_pong(self) -> None:
        """It is alive."""
        if self._ping_timer is not None:
            self._ping_timer.cancel()
            self._ping_timer = None
        if self._suspect:
            self._suspect = False
            self._recompute()
            self._owner.on_room(self)

    # -- inside -------------------------------------------------------------------------------------

    def _recompute(self) -> None:
        policy = self._policy
        if self.leaving or self.closed or self._suspect or self._paused or not self.settled:
            self.capacity = 0
            return
        capacity = min(self.engine.limit, policy.max_streams or STREAM_CAP, STREAM_CAP)
        if not self._unlocked and policy.first_streams is not None:
            capacity = min(capacity, policy.first_streams)
        self.capacity = capacity

    def _flush(self) -> None:
        """Open what was assigned and write, in one go unless the socket pushes back."""
        self._flush_due = False
        stream = self._stream
        if self.closed or stream is None:
            return
        engine, streams, pending = self.engine, self.streams, self.pending
        while not self._paused:
            queued = 0
            while pending and queued < WRITE_CHUNK and len(streams) < self.capacity:
                exchange = pending.popleft()
                if exchange.done is not None:
                    queued += 256 + len(exchange.request.body)
                    if not self._open(exchange):
                        return
            data = engine.take(WRITE_CHUNK, self)
            if data:
                stream.write(data)
            if engine.finished is not None:
                self._broken()
                return
            if not data:
                break
        if pending:
            self._give_back()
        else:
            # Some were given up or could not be made, or the socket takes more again, or no more.
            self._owner.on_room(self)

    def _open(self, exchange: Exchange) -> bool:
        """Open a stream for it; False when the connection closed over that."""
        request = exchange.request
        authorization = None
        if request.auth is not None:
            try:
                authorization, self.auth_slot = request.auth.header(self.auth_slot, self._clock.time())
            except Exception as exc:  # noqa: BLE001  # a credential that cannot sign must not take the connection with it
                self._unmade(exchange, exc)
                return True
            self.auth = request.auth
        try:
            stream_id = self.engine.open(request, authorization)
        except EngineFullError:
            self.pending.appendleft(exchange)
            self._failure = self._failure or "the connection takes no more streams"
            self.leave()
        except Exception as exc:  # noqa: BLE001  # a provider's mistake, such as text for octets
            # Some of its fields may be in our header table already, and will never be in the server's.
            self._unmade(exchange, exc)
            self.leave()
        else:
            exchange.stream_id = stream_id
            exchange.goaway_reason = None  # an earlier connection's
            self.streams[stream_id] = exchange
        return not self.closed

    def _unmade(self, exchange: Exchange, exc: Exception) -> None:
        detail = f"the request could not be made ({type(exc).__name__})"
        exchange.fault(FaultKind.PROTOCOL_ERROR, Processed.NO, detail, connection_id=self.id)

    def _give_back(self) -> None:
        """Requests that cannot be written here now go back to the pool, in their order."""
        if self.pending:
            waiting = [exchange for exchange in self.pending if exchange.done is not None]
            self.pending.clear()
            for exchange in waiting:
                exchange.connection = None
            self._owner.take_back(waiting)

    def _answered(self, stream_id: int, exchange: Exchange) -> None:
        del self.streams[stream_id]
        if self.engine.unsent(stream_id):
            # Answered before it had read everything: it does not want the rest.
            self.engine.reset(stream_id, ErrorCode.CANCEL)
        self._owner.answers += 1
        self.answers += 1
        if not self._unlocked:
            headers = exchange.headers
            assert headers is not None
            if int(headers[0][1]) not in self._policy.locked_statuses:
                self._unlocked = True
                self._recompute()
        exchange.answer(self.id)
        self._after_stream()

    def _settle(self, stream_id: int, exchange: Exchange, kind: FaultKind, detail: str) -> None:
        self.streams.pop(stream_id, None)
        exchange.goaway_reason = self._goaway_reason or exchange.goaway_reason
        exchange.fault(kind, Processed.UNKNOWN, detail, connection_id=self.id)
        self._after_stream()

    def _after_stream(self) -> None:
        if self.leaving and not self.streams and not self.pending:
            # Not at once: the engine may be in the middle of what it read.
            self._loop.call_soon(self._close_if_done)
        self._owner.on_room(self)

    def _close_if_done(self) -> None:
        if self.leaving and not self.streams and not self.pending:
            self.close()

    def _unanswered(self) -> None:
        """No answer to a PING: nothing new goes here, what is under way has until its deadline."""
        self._ping_timer = None
        self._failure = self._failure or "the server did not answer a PING"
        self.leave()

    def _broken(self) -> None:
        detail = f"the server broke HTTP/2 ({self.engine.finished})"
        self._end(self._failure or detail, None, kind=FaultKind.CONNECTION_LOST if self._failure else FaultKind.PROTOCOL_ERROR)

    def _end(self, detail: str, error: Exception | None, kind: FaultKind = FaultKind.CONNECTION_LOST) -> None:
        """Close and settle: what cannot have reached the server whole goes elsewhere, the rest is unknown."""
        if self.closed:
            return
        self.closed = True
        self._recompute()
        if self._ping_timer is not None:
            self._ping_timer.cancel()
            self._ping_timer = None
        self._failure = detail = self._failure or detail
        if not self.leaving:
            self.leaving = True
            self._owner.on_leaving(self)
        streams, self.streams = self.streams, {}
        unsent: list[Exchange] = []
        for stream_id, exchange in streams.items():
            exchange.goaway_reason = self._goaway_reason or exchange.goaway_reason
            if exchange.headers is None and self.engine.unsent(stream_id):
                unsent.append(exchange)
            else:
                exchange.fault(kind, Processed.UNKNOWN, detail, connection_id=self.id)
        self._give_back()
        if unsent:
            self._owner.refused(unsent, self.id, detail)
        stream = self._stream
        if stream is not None and not stream.closed:
            if not unsent and not self._paused:
                # A goodbye. Never behind requests that were just called unsent: it would send them.
                stream.write(self.engine.take(WRITE_CHUNK, self))
            stream.close()
        self.error = error
        self._ready()
        self._owner.on_lost(self)

    def _ready(self) -> None:
        if not self.settling.done():
            self.settling.set_result(None)
