"""
What it means when there was no answer: one table for all providers, since the network is the same.

Providers pass their own floors (how long to wait before another try); reasons, scopes and dispositions
are common. See RFC 9113 sections 6.8 and 8.7 for what a GOAWAY and a refused stream prove.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.verdict import Verdict
from pushkit.wire import FaultKind, Processed, WireFault


@attrs.frozen
class FaultRow:
    """One kind of fault."""

    reason: str
    advice: str
    retryable: bool = True
    scope: Scope = Scope.ATTEMPT
    action: Action = Action.RETRY_LATER


FAULTS: Mapping[FaultKind, FaultRow] = {
    FaultKind.CONNECT_FAILED: FaultRow(
        "connect_failed", "Try again later: no connection to the push service could be made; check network, DNS and firewall if it lasts."
    ),
    FaultKind.CONNECT_TIMEOUT: FaultRow(
        "connect_timeout", "Try again later: the push service did not take a connection in time; check network and firewall if it lasts."
    ),
    FaultKind.TLS_FAILED: FaultRow(
        "tls_failed",
        "Check the certificate store and any proxy in between: the push service's certificate is not trusted here.",
        retryable=False,
        scope=Scope.CONFIGURATION,
        action=Action.FIX_CONFIGURATION,
    ),
    FaultKind.ADDRESS_REFUSED: FaultRow(
        "endpoint_not_allowed",
        "Check this host: its name leads to an address that is not public, so nothing was sent there.",
        retryable=False,
        scope=Scope.CONFIGURATION,
        action=Action.FIX_CONFIGURATION,
    ),
    FaultKind.REFUSED_STREAM: FaultRow(
        "refused_stream", "Try again shortly: the push service was too busy to take this push and did not process it."
    ),
    FaultKind.TIMEOUT: FaultRow(
        "timeout", "Try again if a second copy does no harm: the push service did not answer in time and may have taken the push."
    ),
    FaultKind.CONNECTION_LOST: FaultRow(
        "connection_lost", "Try again if a second copy does no harm: the connection broke before the answer came."
    ),
    FaultKind.RESPONSE_TOO_LARGE: FaultRow(
        "response_too_large",
        "Check the address of the push service: its answer was far longer than any push service's.",
        retryable=False,
        scope=Scope.CONFIGURATION,
        action=Action.FIX_CONFIGURATION,
    ),
    FaultKind.PROTOCOL_ERROR: FaultRow(
        "protocol_error", "Try again later: the answer was no valid HTTP; check any proxy in between if it lasts."
    ),
    FaultKind.CANCELLED: FaultRow("cancelled", "Send it again if it still matters: the sender gave up before there was an answer."),
    FaultKind.CLOSED: FaultRow("client_closed", "Send it again with an open client: this one was closed before there was an answer."),
}

_UNANSWERED_IN_TIME = "Try again later: the push service had no room for this push in time, so it was not sent."


def judge_fault(fault: WireFault, floors: Mapping[str, float], default_floor: float) -> Verdict:
    """
    The verdict on a fault.

    Args:
        fault: what the transport said.
        floors: least delay in seconds by reason.
        default_floor: least delay in seconds for reasons without one.
    """
    row = FAULTS[fault.kind]
    not_sent = fault.processed is Processed.NO
    return Verdict(
        category=Category.TECHNICAL,
        reason=row.reason,
        action=row.action,
        scope=row.scope,
        disposition=Disposition.NOT_SENT if not_sent else Disposition.UNKNOWN,
        advice=_UNANSWERED_IN_TIME if not_sent and fault.kind is FaultKind.TIMEOUT else row.advice,
        retryable=row.retryable,
        floor=floors.get(row.reason, default_floor) if row.retryable else None,
        detail=fault.detail if fault.goaway_reason is None else f"{fault.detail} ({fault.goaway_reason})",
    )
