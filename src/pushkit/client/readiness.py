"""``verify()`` and ``connect()``: what can be found out before the first push."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pushkit.delivery.senders import SenderState
from pushkit.health import Finding, Level
from pushkit.provider import AccessToken
from pushkit.verdict import Verdict

if TYPE_CHECKING:
    from pushkit.client.state import State
    from pushkit.provider import Provider

CONNECT_WITHIN = 10.0
"""Seconds for one connection."""


async def verify(state: State, providers: Sequence[Provider]) -> Sequence[Finding]:
    """Findings for every app that is known without asking a resolver."""
    findings: list[Finding] = []
    for opened in _open(state, providers):
        if isinstance(opened, Finding):
            findings.append(opened)
            continue
        findings += opened.sender.findings(state.clock.time())
        fetched = await _credential(state, opened)
        if fetched is not None:
            findings.append(fetched)
        findings += await _connections(state, opened)
    return findings


async def connect(state: State, providers: Sequence[Provider]) -> Sequence[Finding]:
    """Open connections and fetch tokens ahead; findings tell how that went."""
    opened = list(_open(state, providers))
    findings = [item for item in opened if isinstance(item, Finding)]
    senders = [item for item in opened if isinstance(item, SenderState)]
    for group in await asyncio.gather(*(_ready(state, sender) for sender in senders)):
        findings += group
    return findings


async def _ready(state: State, sender: SenderState) -> Sequence[Finding]:
    fetched = await _credential(state, sender)
    found = await _connections(state, sender)
    return found if fetched is None else [fetched, *found]


def _open(state: State, providers: Sequence[Provider]) -> Iterable[SenderState | Finding]:
    for provider in providers:
        for app in provider.apps():
            opened = state.engine.senders.open(provider.name, app)
            if isinstance(opened, Verdict):
                yield Finding(
                    level=Level.ERROR,
                    provider=provider.name,
                    app=app,
                    subject="configuration",
                    message=opened.detail or opened.reason,
                    mend=opened.advice,
                )
            else:
                yield opened


async def _credential(state: State, sender: SenderState) -> Finding | None:
    known = await token_of(state, sender)
    if known is None:
        return None
    if isinstance(known, Verdict):
        return Finding(
            level=Level.ERROR,
            provider=sender.provider,
            app=sender.app,
            subject="credentials",
            message=f"no access token: {known.reason}{f' ({known.detail})' if known.detail else ''}",
            mend=known.advice,
        )
    left = known.expires_at - state.clock.time()
    return Finding(
        level=Level.OK,
        provider=sender.provider,
        app=sender.app,
        subject="credentials",
        message=f"an access token was given for {left / 60:.0f} minutes",
    )


async def token_of(state: State, sender: SenderState) -> AccessToken | Verdict | None:
    """The access token of a sender, fetched if need be; None where it has no such thing."""
    if sender.credential is None or sender.entry is None:
        return None
    store = state.engine.store
    known = store.get(sender.credential, sender.entry, state.clock.time())
    if known is not None:
        return known
    arrived: asyncio.Future[AccessToken | Verdict] = state.loop.create_future()
    store.wait(sender.credential, sender.entry, lambda result: None if arrived.done() else arrived.set_result(result))
    return await arrived


async def _connections(state: State, sender: SenderState) -> list[Finding]:
    findings: list[Finding] = []
    for origin, policy, pool_key in sender.sender.origins:
        if pool_key is not None:
            sender.pool_keys.add(pool_key)
        fault = await state.transport.connect(origin, policy, pool_key, CONNECT_WITHIN)
        if fault is None:
            findings.append(
                Finding(level=Level.OK, provider=sender.provider, app=sender.app, subject="connection", message=f"{origin} is reached")
            )
        else:
            findings.append(
                Finding(
                    level=Level.ERROR,
                    provider=sender.provider,
                    app=sender.app,
                    subject="connection",
                    message=f"{origin}: {fault.kind.value}{f' ({fault.detail})' if fault.detail else ''}",
                    mend="check network, DNS, firewall and proxy; push services need outgoing HTTPS",
                )
            )
    return findings
