"""The local checks alone, without a network and without a loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pushkit.delivery import settle
from pushkit.delivery.credential_store import CredentialStore
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.push import Call, Nobody, Push, make_message
from pushkit.delivery.senders import Senders
from pushkit.errors import ConfigurationError
from pushkit.outcomes import Failure
from pushkit.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from pushkit.client.state import State
    from pushkit.messages import Message
    from pushkit.provider import Provider
    from pushkit.targets import Target


class _StandIn:
    """Stands for clock and transport where nothing is sent."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def check(
    providers: Sequence[Provider], state: State | None, message: Message | Callable[[Any], Message], target: Target
) -> Failure | None:
    """What sending would refuse before the network."""
    if not providers:
        raise ConfigurationError("this client has no provider; pass apns=, fcm=, webpush= or providers=[...]")
    call = Call(message, RetryPolicy.none(), Nobody(), single=True)
    push = Push(None, call, target, 0)
    clock: Any = state.clock if state is not None else _StandIn()
    verdict = _verdict(providers, state, call, push, clock)
    return settle.failed(push, verdict, push.taken) if verdict is not None else None


def _verdict(providers: Sequence[Provider], state: State | None, call: Call, push: Push, clock: Any) -> Verdict | None:
    if state is not None:
        senders = state.engine.senders
    else:
        store = CredentialStore(clock, None, None, lambda _credential, _result: None)  # type: ignore[arg-type]  # nothing is fetched by a check
        senders = Senders(providers, store, clock, lambda _state: None)
    target = push.target
    found = senders.get(target)
    if isinstance(found, Verdict):
        return found
    message = call.message
    if message is None:
        message, problem = make_message(call, target)
        if message is None:
            return problem
    push.message = message
    ready = call.ready(message, found, type(target))
    if isinstance(ready, Verdict):
        return ready
    now = clock.time()
    push.expires_at = ready.life.at if ready.life.at is not None else now + ready.life.ttl
    if ready.life.at is not None and now >= ready.life.at:
        return settle.expired()
    return found.sender.check(ready.prepared, target, now)
