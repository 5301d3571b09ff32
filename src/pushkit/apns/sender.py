"""APNs for one app: messages and targets in, wire requests out; answers in, verdicts out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import attrs

from pushkit.apns import examine
from pushkit.apns.certificate import Certificate
from pushkit.apns.channels import LIST_LIMIT, ChannelCalls
from pushkit.apns.classify import classify
from pushkit.apns.config import Config
from pushkit.apns.credentials import TokenAuth, TokenKey, can_sign_deterministically
from pushkit.apns.encode import ApnsPrepared, prepare
from pushkit.apns.kinds import Environment
from pushkit.apns.live_clock import LiveClock
from pushkit.apns.messages.options import Options
from pushkit.apns.retirement import Retirement
from pushkit.apns.targets import LONGEST_TOKEN, ApnsTarget, Channel, TokenTarget, check_channel, check_environment, is_hex, refuse_token
from pushkit.health import Finding, Level
from pushkit.lru import LRU
from pushkit.messages import Message
from pushkit.notification import Notification
from pushkit.outcomes import Action, Scope
from pushkit.own_reasons import refuse
from pushkit.provider import Examination, PushContext, Stamp
from pushkit.targets import Target
from pushkit.untrusted import server_time
from pushkit.verdict import Acceptance, LatchCredential, RetireConnection, Verdict
from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireRequest, WireResponse, WireResult

_POST = b"POST"
_DEVICE_PATH = b"/3/device/"
_BROADCAST_PATH = "/4/broadcasts/apps/"

#: Header blocks that personalised notifications share: topics, types and priorities by whole second of expiry.
_SHARED_BLOCKS = 256

#: Seconds between the two clocks from which on the difference is worth telling.
SKEW = 300.0

#: No fresh token and no new connection can help against a wrong clock, and no other key: somebody has to set it.
_WRONG_CLOCK: Mapping[str, Any] = {"action": Action.FIX_CONFIGURATION, "directives": (LatchCredential(),)}

#: Seconds before a push that a wrong clock stopped may be sent again: sooner nobody has set it.
_CLOCK_WAIT = 60.0

_EXPIRES_SOON = 30 * 24 * 3600.0


@attrs.frozen(kw_only=True, eq=False)
class Route:
    """How to get to one of Apple's environments."""

    environment: Environment
    device: Origin
    broadcast: Origin
    channels: Origin
    policy: OriginPolicy
    channels_policy: OriginPolicy
    pool_key: Hashable
    auth: TokenAuth | None
    certificate: Certificate | None


class ApnsSender:
    """
    The ``Sender`` of one app.

    Raises:
        ConfigurationError: when a key that is loaded by a callable turns out to be unusable.
    """

    provider = "apns"
    credential = None

    def __init__(self, app: str, config: Config) -> None:
        self.app = app
        self.config = config
        self.attempt_timeout = config.attempt_timeout
        self.rate = config.rate
        self.bundle_id = config.bundle_id()
        self._routes: Mapping[Environment | None, Route] = self._make_routes()
        self._blocks: LRU[tuple[object, ...], HeaderBlock] = LRU(_SHARED_BLOCKS)
        self._live = LiveClock()
        self._skew: float | None = None
        self._retirement = Retirement(config.max_connections)

    def _make_routes(self) -> Mapping[Environment | None, Route]:
        config = self.config
        device, broadcast, channels = config.device_origins(), config.broadcast_origins(), config.channels_origins()
        routes: dict[Environment | None, Route] = {}
        for environment, credentials in config.credentials_by_environment().items():
            if not all(environment in origins for origins in (device, broadcast, channels)):
                continue
            key, certificate = (credentials, None) if isinstance(credentials, TokenKey) else (None, credentials)
            policy = OriginPolicy(
                # With a provider token APNs takes one stream until it has accepted that token (Apple, "Sending notification requests").
                first_streams=None if key is None else 1,
                locked_statuses=frozenset({403}),
                max_connections=config.max_connections,
                client_certificate=None if certificate is None else certificate.wire,
            )
            routes[environment] = Route(
                environment=environment,
                device=device[environment],
                broadcast=broadcast[environment],
                channels=channels[environment],
                policy=policy,
                channels_policy=attrs.evolve(policy, max_connections=1, idle_timeout=60.0, max_response_bytes=LIST_LIMIT),
                pool_key=(*credentials.pool_key, environment.value),
                auth=None if key is None else key.auth,
                certificate=certificate,
            )
        routes[None] = routes[config.environment]
        return routes

    @property
    def origins(self) -> Sequence[tuple[Origin, OriginPolicy, Hashable]]:
        """Where pushes go unless a target names another environment."""
        route = self._routes[None]
        return ((route.device, route.policy, route.pool_key),)

    def route(self, environment: Environment | None) -> Route | None:
        """How to get to an environment (None: the configured one), or None when there are no credentials for it."""
        return self._routes.get(environment)

    def channels(self, environment: Environment | None = None) -> ChannelCalls:
        """Management of broadcast channels."""
        return ChannelCalls(self, environment)

    def environment(self, target: Target) -> str:
        """``"production"`` or ``"sandbox"``."""
        chosen: object = getattr(target, "environment", None)
        return chosen.value if isinstance(chosen, Environment) else self.config.environment.value

    def prepare(self, message: Message, kind: type[Target], stamp: Stamp) -> ApnsPrepared | Verdict:
        """Make a message ready for one kind of target, or say why it cannot be said there."""
        return prepare(message, kind, stamp, self.bundle_id)

    def check(self, prepared: ApnsPrepared, target: ApnsTarget, now: float) -> Verdict | None:  # noqa: ARG002
        """Say why this target cannot be reached, or None."""
        refused = check_environment(target)
        if refused is not None:
            return refused
        if isinstance(target, Channel):
            refused = check_channel(target)
        else:
            token: object = getattr(target, "token", None)
            if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not is_hex(token):
                refused = refuse_token(token)
        if refused is not None:
            return refused
        route = self._routes.get(target.environment)
        if route is None:
            return refuse(
                "environment_not_configured",
                advice=f"Add credentials for Apple's {self.environment(target)} environment to the settings, or correct this device's environment.",
                detail="apns.Config(credentials={…}) has none for it",
            )
        return None if route.certificate is None else self._check_certificate(route.certificate, prepared)

    def _check_certificate(self, certificate: Certificate, prepared: ApnsPrepared) -> Verdict | None:
        if prepared.rule.token_only:
            return refuse("token_key_required")
        if not certificate.covers(prepared.topic):
            return refuse("topic_not_in_certificate", detail="the certificate's topics do not hold the one of this push")
        return None

    def address(self, prepared: ApnsPrepared, target: ApnsTarget, push: PushContext) -> WireRequest | Verdict:
        """Make the request for one attempt."""
        refused = self.check(prepared, target, push.now)
        if refused is not None:
            return refused
        route = self._routes[target.environment]
        expires_at = push.expires_at
        expiration = 0 if push.ttl_zero else (None if expires_at is None else int(expires_at))
        if prepared.clock is not None:
            body = prepared.clock(self._live.timestamp(target, push))
        else:
            body = prepared.body
            if prepared.stated is not None:
                self._live.note(target, prepared.stated)
        push_id = push.push_id.encode()
        if isinstance(target, Channel):
            # The expiry is a required header here; a channel without storage takes 0 alone.
            block, more = prepared.headers(expiration if expiration is not None and target.stores else 0, self._blocks)
            own = ((b"apns-request-id", push_id), (b"apns-channel-id", target.channel_id.encode()), *more)
            origin, path = route.broadcast, f"{_BROADCAST_PATH}{prepared.topic}".encode()
        else:
            block, more = prepared.headers(expiration, self._blocks)
            own = ((b"apns-id", push_id), *more)
            origin, path = route.device, _DEVICE_PATH + cast("TokenTarget", target).token.encode()  # check() has looked
        return WireRequest(
            _POST, origin, path, block, own, body, push.deadline, auth=route.auth, pool_key=route.pool_key, policy=route.policy
        )

    def throttle_key(self, target: Target) -> Hashable:
        """The target and its environment."""
        return self.environment(target), target.address

    def classify(
        self, result: WireResult, request: WireRequest, prepared: ApnsPrepared, target: Target, now: float
    ) -> Acceptance | Verdict:
        """Judge an answer or a fault."""
        sent_id = request.headers[0][1].decode() if request.headers else ""
        if isinstance(result, WireResponse) and result.status == 200:
            return classify(result, message_id=sent_id, secrets=tuple, now=now)
        verdict = classify(result, message_id=sent_id, secrets=lambda: self._secrets(prepared, target), now=now)
        return self.mended(verdict, result, target, now) if isinstance(verdict, Verdict) else verdict

    def _secrets(self, prepared: ApnsPrepared, target: Target) -> tuple[str, ...]:
        message = prepared.message
        options: Options | None = message.options_for(Options) if isinstance(message, Notification) else None
        return (*target.secrets(), *message.secrets(), *(() if options is None else options.secrets()), *self.tokens())

    def tokens(self) -> tuple[str, ...]:
        """Provider tokens that may be on the wire, for scrubbing."""
        return tuple(token for route in self._routes.values() if route.auth is not None for token in route.auth.secrets())

    def mended(self, verdict: Verdict, result: WireResult, target: Target | None, now: float) -> Verdict:
        """What only the sender knows about a refusal: a wrong clock, which credentials it concerns, and how many connections went already."""
        route = self._routes.get(getattr(target, "environment", None))
        if (
            isinstance(result, WireResponse)
            and verdict.scope is Scope.CREDENTIAL
            and verdict.reason in {"ExpiredProviderToken", "InvalidProviderToken"}
        ):
            verdict = self._clock_checked(verdict, result, route, now)
        if RetireConnection() in verdict.directives and not self._retirement.allows(result.connection_id, now):
            verdict = attrs.evolve(verdict, directives=tuple(item for item in verdict.directives if item != RetireConnection()))
        if route is not None and route.environment is not self.config.environment and LatchCredential() in verdict.directives:
            # A key that is wrong for a second environment must not stop the app's pushes to its own.
            verdict = attrs.evolve(verdict, directives=tuple(item for item in verdict.directives if not isinstance(item, LatchCredential)))
        return verdict

    def _clock_checked(self, verdict: Verdict, response: WireResponse, route: Route | None, now: float) -> Verdict:
        at = server_time(response.headers)
        skew = None if at is None else now - at
        if skew is not None and abs(skew) >= SKEW:
            self._skew = skew
            direction = "ahead" if skew > 0 else "behind"
            return attrs.evolve(
                verdict,
                advice=f"Set the clock of this server right: it is {round(abs(skew) / 60)} minutes {direction}, so Apple refuses every sign-in token it makes.",
                info={**verdict.info, "clock_skew_seconds": str(round(skew))},
                **_WRONG_CLOCK,
                floor=_CLOCK_WAIT if verdict.retryable else None,
            )
        if (
            verdict.reason == "ExpiredProviderToken"
            and route is not None
            and route.auth is not None
            and route.auth.note_expired(response.connection_id, now)
        ):
            return attrs.evolve(
                verdict,
                advice="Set the clock of this server right: Apple calls a sign-in token expired that was made just now.",
                **_WRONG_CLOCK,
                floor=_CLOCK_WAIT,
            )
        return verdict

    def refresh(self, request: WireRequest) -> None:
        """Nothing to do: a provider token belongs to its connection, and goes with it (``RetireConnection(rejected=True)``)."""

    def notes(self) -> Iterator[str]:
        """What ``health()`` should mention."""
        if any(route.auth is not None for route in self._routes.values()) and not can_sign_deterministically():
            yield "OpenSSL makes no deterministic signatures (3.2 and later do), so each process has sign-in tokens of its own"
        if self._skew is not None:
            yield f"the clock of this server differs from Apple's by {round(self._skew)} seconds"

    def sizes(self) -> Mapping[str, int]:
        """Entries in the bounded tables."""
        return {"apns_header_blocks": len(self._blocks), "apns_activities": len(self._live)}

    def examine(self) -> Examination:
        """Prove the credentials, as far as that is possible without reaching anybody."""
        return examine.examine(self)

    def examine_recipient(self, target: Target) -> Examination:
        """Ask about a device that the caller believes to work; it is woken and shows nothing."""
        return examine.examine_recipient(self, target)

    def findings(self, now: float) -> Iterable[Finding]:
        """What can be said about configuration and credentials without the network."""
        named = self.config.named_credentials()
        for environment, credentials in named.items():
            if isinstance(credentials, TokenKey):
                yield self._finding(
                    Level.OK, "credentials", f"key {credentials.key_id} of team {credentials.team_id} is readable ({environment.value})"
                )
            else:
                yield from self._certificate_findings(environment, credentials, now)
        if any(isinstance(item, TokenKey) for item in named.values()) and not can_sign_deterministically():
            yield self._finding(
                Level.WARNING,
                "credentials",
                "the OpenSSL in use makes no deterministic signatures, so each process has sign-in tokens of its own",
                "install a cryptography wheel with OpenSSL 3.2 or later if many processes share one key",
            )
        if self._skew is not None:
            yield self._finding(
                Level.ERROR, "clock", f"differs from Apple's by {round(self._skew)} seconds", "set the clock of this server right (NTP)"
            )

    def _certificate_findings(self, environment: Environment, certificate: Certificate, now: float) -> Iterator[Finding]:
        left = certificate.not_after.timestamp() - now
        until = certificate.not_after.date().isoformat()
        renew = "make a new one at developer.apple.com, or change to a token key, which does not end"
        if left <= 0:
            yield self._finding(Level.ERROR, "certificate", f"ended on {until}", renew)
        elif now < certificate.not_before.timestamp():
            yield self._finding(Level.ERROR, "certificate", "is not valid yet", "check the clock of this server")
        elif left < _EXPIRES_SOON:
            yield self._finding(Level.WARNING, "certificate", f"ends on {until}, in {int(left // 86400)} days", renew)
        else:
            yield self._finding(Level.OK, "certificate", f"is valid until {until} ({environment.value})")
        if certificate.environments and environment not in certificate.environments:
            yield self._finding(
                Level.ERROR,
                "certificate",
                f"is not for the {environment.value} environment",
                "use the one that was made for it, or change environment=",
            )
        if not certificate.covers(self.bundle_id):
            yield self._finding(
                Level.ERROR, "certificate", "does not cover the configured topic", "correct topic=, or use the certificate of that app"
            )

    def _finding(self, level: Level, subject: str, message: str, mend: str = "") -> Finding:
        return Finding(level=level, provider="apns", app=self.app, subject=subject, message=message, mend=mend)

    def credential_ends(self) -> Iterator[datetime]:
        """When certificates end (aware UTC)."""
        for credentials in self.config.named_credentials().values():
            if isinstance(credentials, Certificate):
                yield credentials.not_after.astimezone(UTC)
