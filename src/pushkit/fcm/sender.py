"""One Firebase project, as the delivery engine sees it."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

import attrs

from pushkit.fcm import encode, examine, findings, iid
from pushkit.fcm.classify import Context, acceptance_of, classify, classify_topics
from pushkit.fcm.config import MOST_STREAMS, TOPIC_RATE, Config
from pushkit.fcm.credentials import StaticToken
from pushkit.fcm.encode import FcmPrepared
from pushkit.fcm.metadata import MetadataCredential, MetadataServer
from pushkit.fcm.targets import KINDS, FcmTarget
from pushkit.fcm.topics import LIST_BYTES, TopicChange, TopicPrepared, prepare_change
from pushkit.lru import LRU
from pushkit.outcomes import Action
from pushkit.own_reasons import refuse
from pushkit.provider import Credential, Examination, Prepared, PushContext, Stamp
from pushkit.verdict import Acceptance, LatchCredential, RefreshCredential, Verdict
from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireRequest, WireResponse, WireResult

if TYPE_CHECKING:
    from pushkit.health import Finding
    from pushkit.messages import Message
    from pushkit.targets import Target

ATTEMPT_TIMEOUT: Final = 15.0
"""Seconds. Google answers within that; giving up earlier makes duplicates."""

_COMMON_HEADERS: Final = (
    (b"content-type", b"application/json"),
    # Without it the error's typed details, which classification lives on, may be left out.
    (b"x-goog-api-format-version", b"2"),
)
_BLOCKS: Final = 4
_BEARER: Final = b"Bearer "
_FAN_OUT_POOL: Final = "fan-out"
_LIST_POOL: Final = "topic-lists"


class FcmSender:
    """Messages and targets in, wire requests out; answers in, verdicts out. One for each app."""

    provider: Final = "fcm"
    attempt_timeout: Final = ATTEMPT_TIMEOUT

    def __init__(self, config: Config, app: str) -> None:
        self.config: Final = config
        self.app: Final = app
        self.rate = config.rate
        self.ramp = config.ramp
        self.dry_runs = True
        source = config.source
        if isinstance(source, MetadataServer) and config.project_id is not None:
            source = attrs.evolve(source, project_id=config.project_id)
        self.credential: Credential | None = source.credential()
        self._static = config.credentials.value if isinstance(config.credentials, StaticToken) else None
        self._origin = config.send_origin
        self._policy = OriginPolicy(max_streams=MOST_STREAMS, max_connections=config.max_connections)
        self._serial = attrs.evolve(self._policy, max_connections=1, max_in_flight=1) if config.serial_fan_out else None
        self._lists = attrs.evolve(self._policy, max_connections=1, max_response_bytes=LIST_BYTES)
        self._blocks: LRU[str, HeaderBlock] = LRU(_BLOCKS)
        self._path: bytes | None = None

    @property
    def origins(self) -> Sequence[tuple[Origin, OriginPolicy, Hashable]]:
        """Where messages go, to be connected ahead."""
        return ((self._origin, self._policy, None),)

    @property
    def project(self) -> str | None:
        """The project id; None until the metadata server told it."""
        if self.config.project is not None:
            return self.config.project
        return self.credential.project_id if isinstance(self.credential, MetadataCredential) else None

    def environment(self, target: Target) -> str:  # noqa: ARG002 - part of the protocol
        """One for the whole project: the platform behind a registration is unknown."""
        return ""

    def prepare(self, message: Message, kind: type[Target], stamp: Stamp) -> Prepared | Verdict:
        """Make a message ready for one kind of target, or say why it cannot be said there."""
        if not issubclass(kind, KINDS):
            return refuse(
                "invalid_target",
                advice=f"Use fcm.Registration, fcm.Installation, fcm.Topic or fcm.Condition: FCM does not reach a {kind.__name__}.",
            )
        if isinstance(message, TopicChange):
            return prepare_change(message, kind, stamp)
        return encode.prepare(message, kind, stamp, self.config.analytics_label)

    def check(self, prepared: Prepared, target: Target, now: float) -> Verdict | None:  # noqa: ARG002 - part of the protocol
        """Say why this target cannot be reached, or None."""
        return cast("FcmTarget", target).problem()

    def address(self, prepared: Prepared, target: Target, push: PushContext) -> WireRequest | Verdict:
        """Make the request for one attempt."""
        fcm_target = cast("FcmTarget", target)
        problem = fcm_target.problem()
        if problem is not None:
            return problem
        path = self._path or self._send_path()
        token = self._static or push.token
        if path is None or token is None:
            return _no_credential()
        if isinstance(prepared, TopicPrepared):
            return self._change(prepared, fcm_target, token, push.deadline)
        serial = self._serial is not None and fcm_target.fan_out
        return WireRequest(
            method=b"POST",
            origin=self._origin,
            path=path,
            block=self.block(token),
            headers=(),
            body=cast("FcmPrepared", prepared).body(fcm_target.wire_value(), push),
            deadline=push.deadline,
            pool_key=_FAN_OUT_POOL if serial else None,
            policy=self._serial if serial and self._serial is not None else self._policy,
        )

    def throttle_key(self, target: Target) -> Hashable:
        """The target's field and its address; garbage, which may not even be hashable, shares one key."""
        address = target.address
        return (cast("FcmTarget", target).field, address if isinstance(address, str) else None)

    def rate_of(self, quota: str) -> float | None:  # noqa: ARG002 - there is one beside the pushes': topic changes
        """Topic changes have a quota of their own; a rate below it is this client's share of a project that others use too."""
        return None if self.rate is None else min(self.rate, TOPIC_RATE)

    def classify(self, result: WireResult, request: WireRequest, prepared: Prepared, target: Target, now: float) -> Acceptance | Verdict:
        """Judge an answer or a fault."""
        if isinstance(prepared, TopicPrepared):
            secrets = (*bearer_of(request), *target.secrets())
            if prepared.old_service:
                return iid.judge_batch(self, result, 1, now, secrets)[0]
            return self.judged(classify_topics(result, now, Context(target_field="topic", secrets=lambda: secrets)))
        fcm_prepared = cast("FcmPrepared", prepared)
        if isinstance(result, WireResponse) and result.status == 200:  # on the way of almost every push
            accepted = acceptance_of(result, fcm_prepared.notes)
            if accepted is not None:
                return accepted
        context = Context(
            portable=fcm_prepared.portable,
            live_activity=fcm_prepared.live_activity,
            fan_out=target.fan_out,
            target_field=_TARGET_FIELDS.get(cast("FcmTarget", target).field, ""),
            notes=fcm_prepared.notes,
            secrets=functools.partial(_secrets, request, fcm_prepared, target),
        )
        return self.judged(classify(result, now, context))

    def judged(self, verdict: Acceptance | Verdict) -> Acceptance | Verdict:
        """The verdict as it is for this project's credentials: a static token cannot be refreshed."""
        if self._static is None or not isinstance(verdict, Verdict) or RefreshCredential() not in verdict.directives:
            return verdict
        return attrs.evolve(
            verdict,
            action=Action.FIX_CREDENTIALS,
            advice="Replace the access token: Google refuses it, and a StaticToken cannot be renewed by itself.",
            retryable=False,
            floor=None,
            retry_after=None,
            directives=(LatchCredential(),),
        )

    def refresh(self, request: WireRequest) -> None:
        """Nothing to do: the engine drops the token that it fetched."""

    def examine(self) -> Examination:
        """Prove credentials and project; Google validates only."""
        return examine.examine(self.app)

    def examine_recipient(self, target: Target) -> Examination:
        """Ask about a recipient that the caller believes to work; Google validates only."""
        return examine.examine_recipient(target)

    def findings(self, now: float) -> Iterable[Finding]:
        """What can be said about configuration and credentials without the network."""
        return findings.findings(self.config, self.app, now)

    def _change(self, prepared: TopicPrepared, target: FcmTarget, token: str, deadline: float) -> WireRequest:
        if prepared.old_service:
            return iid.batch_request(
                self, [target.wire_value()], prepared.topic, subscribe=prepared.subscribe, token=token, deadline=deadline
            )
        return WireRequest(
            method=prepared.method,
            origin=self._origin,
            path=self._registration_path(target) + prepared.suffix.encode("ascii"),
            block=self.block(token),
            headers=(),
            body=prepared.body,
            deadline=deadline,
            policy=self._policy,
        )

    def list_request(self, target: FcmTarget, query: str, *, token: str, deadline: float) -> WireRequest | Verdict:
        """The request for one page of a registration's topics."""
        if (self._path or self._send_path()) is None:
            return _no_credential()
        return WireRequest(
            method=b"GET",
            origin=self._origin,
            path=self._registration_path(target) + b"/topicSubscriptions" + query.encode("ascii"),
            block=self.block(token),
            headers=(),
            body=b"",
            deadline=deadline,
            # A page is longer than any answer to a push, so it has a pool with a cap of its own.
            pool_key=_LIST_POOL,
            policy=self._lists,
        )

    @property
    def iid_origin(self) -> Origin:
        """Where the old topic service is."""
        return Origin.parse(self.config.iid_origin)

    def _registration_path(self, target: FcmTarget) -> bytes:
        return f"/v1/projects/{quote(self.project or '', safe=':')}/registrations/{quote(target.wire_value(), safe='')}".encode("ascii")

    def block(self, token: str) -> HeaderBlock:
        """The header fields that all requests with this token share. A static token wins over an empty one."""
        token = token or self._static or ""
        block = self._blocks.get(token)
        if block is None:
            block = HeaderBlock(((b"authorization", _BEARER + token.encode("ascii", "replace")), *_COMMON_HEADERS))
            self._blocks.put(token, block)
        return block

    def _send_path(self) -> bytes | None:
        project = self.project
        if project is not None:
            self._path = f"/v1/projects/{quote(project, safe=':')}/messages:send".encode("ascii")
        return self._path


def _no_credential() -> Verdict:
    return refuse("no_credential")


_TARGET_FIELDS: Final = {"topic": "name", "condition": "expression"}
"""What the caller calls the text that a fan-out's field is made of."""


def bearer_of(request: WireRequest) -> Iterator[str]:
    """The access token on a request, which a proxy might echo."""
    for name, value in request.block.fields:
        if name == b"authorization":
            yield value[len(_BEARER) :].decode("ascii", "replace")


def _secrets(request: WireRequest, prepared: FcmPrepared, target: Target) -> Iterator[str]:
    yield from bearer_of(request)
    yield from target.secrets()
    yield from encode.message_secrets(prepared.message)
