"""
The old topic service (Instance ID): up to 1000 registrations in one request.

Google ends it on 2027-09-29. It is here for projects that the newer service (:mod:`pushkit.fcm.topics`) is
not open to yet. It never names a project, so an account of another project cannot use it.

Source: Google's "Instance ID server reference", ``iid/v1:batchAdd`` and ``iid/v1:batchRemove``.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pushkit import untrusted
from pushkit.fcm.classify import Context, classify_topics, iid_verdict
from pushkit.fcm.targets import FcmTarget, Registration, topic_problem
from pushkit.fcm.topics import bare
from pushkit.own_reasons import refuse
from pushkit.verdict import Acceptance, Verdict
from pushkit.wire import OriginPolicy, WireRequest, WireResponse, WireResult

if TYPE_CHECKING:
    from pushkit.fcm.sender import FcmSender

LARGEST_BATCH: Final = 1000
ENDS: Final = "2027-09-29"
"""When Google removes the service."""

_POLICY: Final = OriginPolicy(protocols=("http/1.1",), max_response_bytes=256 * 1024)
_OWN_HEADERS: Final = ((b"access_token_auth", b"true"),)
"""Without it the service takes the token for one of its own, long gone, server keys."""
_ANSWER_BYTES: Final = 256 * 1024

BatchFlow: TypeAlias = Generator[WireRequest, WireResult, "list[Acceptance | Verdict]"]
"""Gives one verdict for each target, in their order."""


def batch_flow(
    sender: FcmSender, targets: Sequence[FcmTarget], topic: str, *, subscribe: bool, token: str, now: float, deadline: float
) -> BatchFlow:
    """
    Let registrations follow a topic, or follow it no more.

    Args:
        sender: the project.
        targets: registrations (the service knows tokens only). More than 1000 are sent in several requests.
        topic: the topic's name.
        subscribe: False to unsubscribe.
        token: the access token.
        now: epoch seconds.
        deadline: monotonic seconds, for every request.
    """
    verdicts: list[Acceptance | Verdict | None] = [_problem(target, topic) for target in targets]
    waiting = [index for index, verdict in enumerate(verdicts) if verdict is None]
    for start in range(0, len(waiting), LARGEST_BATCH):
        chunk = waiting[start : start + LARGEST_BATCH]
        tokens = [targets[index].wire_value() for index in chunk]
        result = yield batch_request(sender, tokens, topic, subscribe=subscribe, token=token, deadline=deadline)
        judged = judge_batch(sender, result, len(chunk), now, (token, *tokens))
        for index, verdict in zip(chunk, judged, strict=True):
            verdicts[index] = verdict
    return [verdict for verdict in verdicts if verdict is not None]


def batch_request(sender: FcmSender, tokens: Sequence[str], topic: str, *, subscribe: bool, token: str, deadline: float) -> WireRequest:
    """The request for up to 1000 registration tokens."""
    body = json.dumps({"to": f"/topics/{bare(topic)}", "registration_tokens": list(tokens)}, separators=(",", ":"))
    return WireRequest(
        method=b"POST",
        origin=sender.iid_origin,
        path=b"/iid/v1:batchAdd" if subscribe else b"/iid/v1:batchRemove",
        block=sender.block(token),
        headers=_OWN_HEADERS,
        body=body.encode(),
        deadline=deadline,
        policy=_POLICY,
    )


def _problem(target: Any, topic: Any) -> Verdict | None:
    problem = topic_problem(topic)
    if problem is not None:
        return refuse("invalid_topic_name", advice=f"Correct the topic: its name {problem}.", field="topic")
    if not isinstance(target, Registration):
        return refuse(
            "invalid_target",
            advice=f"Use the newer topic service for this one: the old one knows registration tokens only, not a {type(target).__name__}.",
        )
    return target.problem()


def judge_batch(sender: FcmSender, result: WireResult, expected: int, now: float, secrets: tuple[str, ...]) -> list[Acceptance | Verdict]:
    """One verdict for each registration of a request, in their order; a refusal of the whole call is everybody's."""
    whole = sender.judged(classify_topics(result, now, Context(secrets=lambda: secrets)))
    if isinstance(whole, Verdict):
        return [whole] * expected
    results = untrusted.json_object(cast("WireResponse", result).body, limit=_ANSWER_BYTES).get("results")
    listed = cast("list[Any]", results) if isinstance(results, list) else []
    if len(listed) != expected:
        # An answer that cannot be matched with what was asked says nothing about anybody.
        broken = WireResponse(200, (), b"")
        return [sender.judged(classify_topics(broken, now))] * expected
    return [_one(item) for item in listed]


def _one(item: object) -> Acceptance | Verdict:
    if not isinstance(item, dict):
        return iid_verdict("")
    error = cast("dict[str, Any]", item).get("error")
    return Acceptance() if error is None else iid_verdict(untrusted.text_of(error, limit=64))
