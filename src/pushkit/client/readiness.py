"""``verify()`` and ``connect()``: what can be found out before the first push."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from pushkit.client.listening import Listening
from pushkit.client.single import send_one
from pushkit.client.state import State
from pushkit.delivery.policy import RetryPolicy
from pushkit.delivery.senders import SenderState
from pushkit.health import Finding, Level
from pushkit.provider import AccessToken, Examination, Examines
from pushkit.verdict import Verdict

if TYPE_CHECKING:
    from pushkit.client.options import Options
    from pushkit.outcomes import Outcome
    from pushkit.provider import Provider
    from pushkit.targets import Target

CONNECT_WITHIN = 10.0
"""Seconds for one connection."""
AT_ONCE = 10
"""Apps that are verified at a time: hundreds of new connections at once look like an attack."""


async def verify(options: Options, providers: Sequence[Provider], recipients: Sequence[Target] = ()) -> Sequence[Finding]:
    """
    Findings for every app that is known without asking a resolver, and for each recipient that the caller gave.

    In a state of its own: what is asked goes over new connections, counts for no breaker, budget or suspicion
    of the client's, and no hook hears of it.
    """
    listening = Listening(options.open_transport(), ours=not options.brings_transport)
    apart = State(attrs.evolve(options, hooks=()), providers, listening)
    try:
        # A transport in memory reaches a test's own records: what the code under test did not send must not be in them.
        quiet = getattr(listening.transport, "in_memory", False)
        opened = list(_open(apart, providers))
        findings = [item for item in opened if isinstance(item, Finding)]
        senders = [item for item in opened if isinstance(item, SenderState)]
        room = asyncio.Semaphore(AT_ONCE)
        for group in await asyncio.gather(*(_verified(apart, sender, room, quiet=quiet) for sender in senders)):
            findings += group
        for target in recipients:
            findings += await _recipient(apart, target)
        clock = listening.finding()
        # First, since a wrong clock is why the others fail.
        return findings if clock is None else [clock, *findings]
    finally:
        await apart.engine.aclose(0.0)


async def _verified(state: State, opened: SenderState, room: asyncio.Semaphore, *, quiet: bool) -> Sequence[Finding]:
    async with room:
        return await _questioned(state, opened, quiet=quiet)


async def _questioned(state: State, opened: SenderState, *, quiet: bool) -> Sequence[Finding]:
    findings = [*opened.sender.findings(state.clock.time()), *await _ready(state, opened)]
    reached = not any(finding.level is Level.ERROR and finding.subject in {"connection", "credentials"} for finding in findings)
    if reached and not quiet and isinstance(opened.sender, Examines):
        findings += await _examined(state, opened.sender.examine())
    return findings


async def _recipient(state: State, target: Target) -> Sequence[Finding]:
    opened = state.engine.senders.open(target.provider, target.app)
    if isinstance(opened, Verdict):
        return [_not_open(target.provider, target.app, opened)]
    if not isinstance(opened.sender, Examines):
        return []
    return await _examined(state, opened.sender.examine_recipient(target))


async def _examined(state: State, examination: Examination) -> Sequence[Finding]:
    """Put an examination's questions, one after the other."""
    outcome: Outcome | None = None
    while True:
        try:
            probe = next(examination) if outcome is None else examination.send(outcome)
        except StopIteration as ended:
            found: Sequence[Finding] = ended.value
            return found
        outcome = await send_one(state.engine, probe.message, probe.target, RetryPolicy.none(), dry_run=probe.dry_run)


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
            yield _not_open(provider.name, app, opened) if isinstance(opened, Verdict) else opened


def _not_open(provider: str, app: str, why: Verdict) -> Finding:
    return Finding(
        level=Level.ERROR, provider=provider, app=app, subject="configuration", message=why.detail or why.reason, mend=why.advice
    )


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
