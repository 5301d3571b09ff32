"""
Wire faults: what breaks between a sender and a push service.

Each is a value for ``behaviour….fault(…)``. :class:`~pushkit.testing.PushServer` does it on the real
connection; the in-memory transport gives the result that the fault has for a sender (RFC 9113 sections
6.4, 6.8 and 8.7 say what a reset, a GOAWAY and a refused stream prove).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

ERROR_CODES = {
    "NO_ERROR": 0,
    "PROTOCOL_ERROR": 1,
    "INTERNAL_ERROR": 2,
    "FLOW_CONTROL_ERROR": 3,
    "SETTINGS_TIMEOUT": 4,
    "STREAM_CLOSED": 5,
    "FRAME_SIZE_ERROR": 6,
    "REFUSED_STREAM": 7,
    "CANCEL": 8,
    "COMPRESSION_ERROR": 9,
    "CONNECT_ERROR": 10,
    "ENHANCE_YOUR_CALM": 11,
    "INADEQUATE_SECURITY": 12,
    "HTTP_1_1_REQUIRED": 13,
}
"""HTTP/2 error codes by name (RFC 9113 section 7)."""


def _known_code(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if value not in ERROR_CODES:
        raise ValueError(f"{attribute.name}={value!r} is no HTTP/2 error code; expected one of {', '.join(ERROR_CODES)}")


@attrs.frozen
class Reset:
    """RST_STREAM with this code instead of an answer. Over HTTP/1.1 the connection is aborted."""

    code: str = attrs.field(default="INTERNAL_ERROR", validator=_known_code)


@attrs.frozen
class GoAway:
    """
    GOAWAY, with the reason in its JSON debug data as APNs sends it.

    ``processed`` says what the frame's last stream id tells about this push:

    * ``"answered"``: it covers this push, which is answered normally; the connection then closes.
    * ``"unanswered"``: it covers this push, and no answer comes: its fate is unknown.
    * ``"before"``: this push and later ones lie above it: not processed.
    * ``"none"``: last stream id 0, not even earlier ones (APNs: a certificate of the other environment).

    Over HTTP/1.1 the connection closes, with the answer for ``"answered"`` and without it otherwise.
    """

    processed: Literal["answered", "unanswered", "before", "none"] = "before"
    reason: str | None = None
    code: str = attrs.field(default="NO_ERROR", validator=_known_code)


@attrs.frozen
class Disconnect:
    """
    The connection ends without an answer.

    ``abrupt``: a TCP reset instead of a proper end. ``partial``: the answer's headers and half of its
    body are sent first.
    """

    abrupt: bool = True
    partial: bool = False


@attrs.frozen
class Stall:
    """
    No answer ever comes; the connection stays open.

    ``partial``: the answer's headers and half of its body are sent first.
    """

    partial: bool = False


@attrs.frozen
class StreamLimit:
    """
    SETTINGS with this MAX_CONCURRENT_STREAMS; the push itself is answered normally. Nothing happens over HTTP/1.1.

    ``lasts``: seconds after which the earlier limit comes back (with 0 streams nothing else could bring
    it back); None: for the life of the connection.
    """

    streams: int
    lasts: float | None = None


@attrs.frozen
class Window:
    """SETTINGS with this INITIAL_WINDOW_SIZE (0: no request body can be sent); the push itself is answered normally."""

    size: int = 0


@attrs.frozen
class Garbage:
    """Bytes that are no HTTP, then the end of the connection."""


@attrs.frozen
class Interim:
    """One 103 answer first, then the real one."""


@attrs.frozen
class Refuse:
    """The port is closed: connections are refused, existing ones dropped. Lasts until ``recover()``; for ``outage`` only."""


@attrs.frozen
class Silence:
    """Connections are taken and nothing is ever said, not even TLS; existing ones stall. For ``outage`` only."""


@attrs.frozen
class TlsFailure:
    """
    TLS cannot be set up; existing connections are dropped. For ``outage`` only.

    ``"wrong_host"``: a trusted certificate for another name. ``"untrusted"``: a certificate of an unknown
    authority. ``"handshake"``: an alert in the middle of the handshake.
    """

    how: Literal["wrong_host", "untrusted", "handshake"] = "untrusted"


RequestFault: TypeAlias = Reset | GoAway | Disconnect | Stall | StreamLimit | Window | Garbage | Interim
"""Faults of one request."""

ListenerFault: TypeAlias = Refuse | Silence | TlsFailure
"""Faults of a whole port."""

REQUEST_FAULTS = (Reset, GoAway, Disconnect, Stall, StreamLimit, Window, Garbage, Interim)
LISTENER_FAULTS = (Refuse, Silence, TlsFailure)
