"""
Broadcast channels: create, read, delete, list (iOS 18 and later). Experimental.

Free of I/O: each call is a generator that yields one request, is sent its result, and returns a
:class:`ChannelResult`. Never raises for what a server did.

Source: Apple, "Sending channel management requests to APNs".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from pushkit.apns.classify import classify
from pushkit.apns.kinds import Environment
from pushkit.apns.targets import Channel, check_channel, check_environment
from pushkit.outcomes import Action, Category, Disposition, Scope
from pushkit.own_reasons import refuse
from pushkit.untrusted import header, json_object
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import Header, HeaderBlock, WireRequest, WireResponse, WireResult

if TYPE_CHECKING:
    from pushkit.apns.sender import ApnsSender, Route

#: A list of Apple's 10,000 channels with long ids.
LIST_LIMIT = 2 * 1024 * 1024

_BLOCK = HeaderBlock([(b"content-type", b"application/json")])
_STORES_NOTHING, _STORES_NEWEST = 0, 1


@attrs.frozen(kw_only=True)
class ChannelResult:
    """What a call gave."""

    judged: Acceptance | Verdict
    channel: Channel | None = None
    """The channel that it was about, as far as it is known now."""
    channels: tuple[Channel, ...] = ()
    """Of :meth:`ChannelCalls.list`."""
    connection_id: int = 0
    """Which connection a refusal came on, for its directives; 0 when there was none."""


ChannelFlow: TypeAlias = Generator[WireRequest, WireResult, ChannelResult]
"""Yields requests, is sent their results."""


class ChannelCalls:
    """
    The channels of one app in one environment.

    Args:
        sender: the app.
        environment: None: the configured one.
    """

    def __init__(self, sender: ApnsSender, environment: Environment | None = None) -> None:
        self._sender = sender
        self._environment = environment

    def create(self, *, stores: bool, now: float, deadline: float) -> ChannelFlow:
        """
        Make a channel; its id is in ``result.channel``.

        Args:
            stores: whether APNs keeps the newest message (8 hours at the most) for devices that are offline.
                Without storage there is more room for publishing, and every message goes out now or never. Fixed for good.
            now: epoch seconds.
            deadline: monotonic seconds.
        """
        body = {"message-storage-policy": _STORES_NEWEST if stores else _STORES_NOTHING, "push-type": "LiveActivity"}
        call = _Call(method=b"POST", what="channels", good=201, body=json.dumps(body, separators=(",", ":")).encode())
        judged, response, connection_id = yield from self._call(call, now, deadline)
        if response is None:
            return ChannelResult(judged=judged, connection_id=connection_id)
        made = self._channel(header(response.headers, b"apns-channel-id"), stores=stores)
        if check_channel(made) is not None:
            return ChannelResult(judged=_unreadable(response, "the id of the new channel"))
        return ChannelResult(judged=judged, channel=made)

    def read(self, channel: Channel, *, now: float, deadline: float) -> ChannelFlow:
        """Ask how a channel was made: ``result.channel.stores``."""
        judged, response, connection_id = yield from self._call(
            _Call(method=b"GET", what="channels", good=200, named=True, channel=channel), now, deadline
        )
        if response is None:
            return ChannelResult(judged=judged, channel=channel, connection_id=connection_id)
        policy = json_object(response.body).get("message-storage-policy")
        if isinstance(policy, bool) or not isinstance(policy, int) or policy not in {_STORES_NOTHING, _STORES_NEWEST}:
            return ChannelResult(judged=_unreadable(response, "the channel's storage policy"), channel=channel)
        return ChannelResult(judged=judged, channel=attrs.evolve(channel, stores=policy == _STORES_NEWEST))

    def delete(self, channel: Channel, *, now: float, deadline: float) -> ChannelFlow:
        """Delete a channel for good. What it has stored may still go out."""
        judged, _, connection_id = yield from self._call(
            _Call(method=b"DELETE", what="channels", good=204, named=True, channel=channel), now, deadline
        )
        return ChannelResult(judged=judged, channel=channel, connection_id=connection_id)

    def list(self, *, now: float, deadline: float) -> ChannelFlow:
        """All channels of the app in this environment: ``result.channels``. Apple's list does not say how each was made."""
        judged, response, connection_id = yield from self._call(_Call(method=b"GET", what="all-channels", good=200), now, deadline)
        if response is None:
            return ChannelResult(judged=judged, connection_id=connection_id)
        ids = json_object(response.body, limit=LIST_LIMIT).get("channels")
        if not isinstance(ids, list):
            return ChannelResult(judged=_unreadable(response, "the list of channels"))
        found = (self._channel(item) for item in cast("list[Any]", ids) if isinstance(item, str))
        return ChannelResult(judged=judged, channels=tuple(channel for channel in found if check_channel(channel) is None))

    def _channel(self, channel_id: str, *, stores: bool = True) -> Channel:
        return Channel(channel_id, stores=stores, environment=self._environment, app=self._sender.app)

    def _call(
        self, call: _Call, now: float, deadline: float
    ) -> Generator[WireRequest, WireResult, tuple[Acceptance | Verdict, WireResponse | None, int]]:
        channel = call.channel
        if call.named:
            # None, or a bare id, would ask Apple about no channel at all.
            named = channel if isinstance(channel, Channel) else Channel("")
            if (refused := check_channel(named) or check_environment(named)) is not None:
                return refused, None, 0
        environment = channel.environment if channel is not None and channel.environment is not None else self._environment
        route = self._sender.route(environment)
        if route is None:
            return _no_route(), None, 0
        request_id = str(uuid.uuid4())
        result = yield self._request(route, call, request_id, deadline)
        known = () if channel is None else channel.secrets()
        judged = classify(
            result, message_id=request_id, secrets=lambda: (*known, *self._sender.tokens()), now=now, accepted=frozenset({call.good})
        )
        if isinstance(judged, Verdict):
            return self._sender.mended(judged, result, channel, now), None, result.connection_id
        assert isinstance(result, WireResponse)
        return judged, result, result.connection_id

    def _request(self, route: Route, call: _Call, request_id: str, deadline: float) -> WireRequest:
        headers: tuple[Header, ...] = ((b"apns-request-id", request_id.encode()),)
        if call.channel is not None:
            headers = (*headers, (b"apns-channel-id", call.channel.channel_id.encode()))
        return WireRequest(
            call.method,
            route.channels,
            f"/1/apps/{self._sender.bundle_id}/{call.what}".encode(),
            _BLOCK,
            headers,
            call.body,
            deadline,
            auth=route.auth,
            pool_key=route.pool_key,
            policy=route.channels_policy,
        )


@attrs.frozen(kw_only=True)
class _Call:
    method: bytes
    what: str
    good: int
    """The status of success."""
    named: bool = False
    """Whether it is about one channel."""
    channel: Channel | None = None
    body: bytes = b""


def _no_route() -> Verdict:
    return refuse("environment_not_configured")


def _unreadable(response: WireResponse, what: str) -> Verdict:
    # It was done, and we cannot tell what: nothing that a repeat would mend.
    return Verdict(
        category=Category.TECHNICAL,
        reason="malformed_response",
        action=Action.REPORT_BUG,
        disposition=Disposition.UNKNOWN,
        advice=f"Look the channel up with channels().list(): Apple's answer did not hold {what} in a form that is known here.",
        scope=Scope.CONFIGURATION,
        status=response.status,
    )
