"""One Web Push sender: endpoints, keys and tokens per subscription, answers to verdicts."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from pushkit.health import Finding, Level
from pushkit.lru import LRU
from pushkit.messages import Message
from pushkit.own_reasons import refuse
from pushkit.provider import Examination, Prepared, PushContext, Stamp
from pushkit.targets import Target
from pushkit.verdict import Acceptance, Verdict
from pushkit.webpush import encode, examine
from pushkit.webpush.classify import classify_answer, classify_fault
from pushkit.webpush.config import Config
from pushkit.webpush.credentials import VapidKey, VapidTokens, fingerprint_of
from pushkit.webpush.encode import PreparedPush
from pushkit.webpush.encoding import b64url, unb64
from pushkit.webpush.endpoints import Service
from pushkit.webpush.limits import MAX_TTL, PORTABLE_LIMIT
from pushkit.webpush.places import Place, Places
from pushkit.webpush.targets import Subscription, service_of_host
from pushkit.webpush.withdrawal import BLOCK, DELETING, PreparedWithdrawal, Withdrawal, classify_withdrawal, prepare_withdrawal
from pushkit.wire import Origin, OriginPolicy, WireFault, WireRequest, WireResult

if TYPE_CHECKING:
    from pushkit.webpush.encryption import Receiver

_log = logging.getLogger("pushkit.webpush")


@attrs.define(eq=False, repr=False)
class PushRequest(WireRequest):
    """A request that knows whose answer it will get."""

    service: Service = Service.OTHER


class WebpushSender:
    """Web Push for one app. Everything here is synchronous and free of I/O."""

    provider = "webpush"

    def __init__(self, app: str, config: Config) -> None:
        self._app = app
        self._config = config
        self._keys = dict(config.keys)
        self._default_key = config.key
        self._by_name: dict[str, VapidKey] = {}
        for name, key in self._keys.items():
            self._by_name |= {name: key, key.public_key: key, key.fingerprint: key}
        self._tokens = VapidTokens(config.subject)
        self._places = Places(config)
        self._receivers: LRU[tuple[Any, Any], Receiver | Verdict] = LRU(2048)
        self._warned = False

    @property
    def app(self) -> str:
        """The app's name."""
        return self._app

    @property
    def attempt_timeout(self) -> float:
        """Seconds for one attempt unless the policy says otherwise."""
        return float(self._config.attempt_timeout)

    @property
    def rate(self) -> float | None:
        """Pushes a second at the most."""
        return self._config.rate

    @property
    def credential(self) -> None:
        """Nothing is fetched: tokens are signed here."""
        return

    @property
    def origins(self) -> Sequence[tuple[Origin, OriginPolicy, Hashable]]:
        """Empty: origins come with the subscriptions."""
        return ()

    def notes(self) -> Iterable[str]:
        """Which keys are in use, so that a rotation can be followed."""
        names = ", ".join(f"{key.fingerprint}{' (default)' if key is self._default_key else ''}" for key in self._keys.values())
        yield f"VAPID keys: {names}"
        if self._warned:
            yield f"messages over {PORTABLE_LIMIT} bytes were sent; phones may not get them"

    def sizes(self) -> dict[str, int]:
        """Entries in every bounded table."""
        return {
            **self._places.sizes(),
            "webpush_receivers": len(self._receivers),
            "webpush_tokens": len(self._tokens),
        }

    def environment(self, target: Target) -> str:
        """The service and the fingerprint of the key: suspicion is counted by both."""
        if not isinstance(target, Subscription):
            return "unknown"
        key, place = self._key_of(target), self._places.find(target.endpoint)
        if isinstance(key, Verdict) or isinstance(place, Verdict):
            return f"{target.service.value}/unknown key"
        name = place.environments.get(key.public_key)
        if name is None:
            name = place.environments[key.public_key] = f"{place.service.value}/{key.fingerprint}"
        return name

    def throttle_key(self, target: Target) -> Hashable:
        """The endpoint: limits of a service are per subscription (RFC 8030 section 8.4)."""
        return target.address

    def prepare(self, message: Message, kind: type[Target], stamp: Stamp) -> Prepared | Verdict:
        """Make a message ready for subscriptions, or say why it cannot be said here."""
        if not issubclass(kind, Subscription):
            return _no_subscription(kind)
        if isinstance(message, Withdrawal):
            return prepare_withdrawal(message, stamp)
        prepared = encode.prepare(message, stamp, self._config)
        if isinstance(prepared, PreparedPush) and prepared.over_portable_limit_by and not self._warned:
            self._warned = True
            _log.warning(
                "a message for app %r is %d bytes over the portable limit; phones may not get it (said once)",
                self._app,
                prepared.over_portable_limit_by,
            )
        return prepared

    def check(self, prepared: Prepared, target: Target, now: float) -> Verdict | None:
        """Say why this subscription cannot be reached, or None."""
        if isinstance(prepared, PreparedWithdrawal):
            taken = self._taken_back(prepared, target)
            return taken if isinstance(taken, Verdict) else None
        route = self._route(prepared, target, now)
        return route if isinstance(route, Verdict) else None

    def address(self, prepared: Prepared, target: Target, push: PushContext) -> WireRequest | Verdict:
        """Make the request for one attempt: encrypt, sign (once in 12 hours and origin), and say how long to keep it."""
        now = push.now
        if isinstance(prepared, PreparedWithdrawal):
            taken = self._taken_back(prepared, target)
            if isinstance(taken, Verdict):
                return taken
            place, path = taken
            return PushRequest(b"DELETE", place.origin, path, BLOCK, (), b"", push.deadline, None, None, place.policy, place.service)
        route = self._route(prepared, target, now)
        if isinstance(route, Verdict):
            return route
        place, key, receiver = route
        assert isinstance(prepared, PreparedPush)
        assert isinstance(target, Subscription)
        if not place.known and (crowded := self._places.room_for(place.origin, now)) is not None:
            return crowded
        ttl = _remaining(push)
        if ttl > MAX_TTL:
            return refuse("invalid_ttl", field="expires_at", detail=f"expected at most {MAX_TTL} seconds ahead, found {ttl}")
        record = prepared.record
        return PushRequest(
            b"POST",
            place.origin,
            target.endpoint[place.length :].encode("ascii") or b"/",
            prepared.block(ttl, microsoft=place.service is Service.MICROSOFT),
            self._tokens.headers(place.audience, key, now),
            receiver.seal(record) if record is not None and receiver is not None else b"",
            push.deadline,
            None,
            None,
            place.policy,
            place.service,
        )

    def classify(self, result: WireResult, request: WireRequest, prepared: Prepared, target: Target, now: float) -> Acceptance | Verdict:
        """Judge an answer or a fault. Total."""
        if isinstance(result, WireFault):
            return classify_fault(result)
        service = request.service if isinstance(request, PushRequest) else service_of_host(request.origin.host)
        secrets: tuple[str, ...] = ()
        if not 200 <= result.status < 300:
            secrets = (*target.secrets(), *prepared.message.secrets(), *_signed(request))
        verdict = classify_answer(result, service, secrets, now)
        if isinstance(prepared, PreparedWithdrawal):
            return classify_withdrawal(result, verdict)
        over = prepared.over_portable_limit_by if isinstance(prepared, PreparedPush) else 0
        if over and isinstance(verdict, Acceptance):
            return attrs.evolve(verdict, info={**verdict.info, "over_portable_limit_by": str(over)})
        return verdict

    def refresh(self, request: WireRequest) -> None:
        """A service refused this request's token: sign a fresh one for the next. A token that already took its place stays."""
        self._tokens.drop(request.headers)

    def examine(self) -> Examination:
        """Say that only a subscription can prove the key."""
        return examine.examine(self._app)

    def examine_recipient(self, target: Target) -> Examination:
        """Ask about a subscription that the caller believes to work; its browser shows a test message."""
        return examine.examine_recipient(target)

    def findings(self, now: float) -> Iterable[Finding]:
        """Keys and subject are checked when they are made; this tells which keys are in use."""
        del now
        for name, key in self._keys.items():
            default = " (the default)" if key is self._default_key else ""
            yield Finding(
                level=Level.OK,
                provider=self.provider,
                app=self._app,
                subject="credentials",
                message=f"VAPID key {key.fingerprint}{f' named {name!r}' if name != key.fingerprint else ''}{default}, contact {self._config.subject}",
            )

    # -- subscriptions

    def _route(self, prepared: Prepared, target: Target, now: float) -> tuple[Place, VapidKey, Receiver | None] | Verdict:
        """Everything that is local, checked and looked up once: where to, signed by whom, readable by whom."""
        if not isinstance(target, Subscription) or not isinstance(prepared, PreparedPush):
            return _no_subscription(target)
        place = self._places.find(target.endpoint)
        if isinstance(place, Verdict):
            return place
        expires = target.expiration_time
        if expires is not None:
            if isinstance(expires, bool) or not isinstance(expires, (int, float)):
                return refuse(
                    "invalid_target", advice=_NO_TIME, detail=f"expirationTime: expected milliseconds, found a {type(expires).__name__}"
                )
            if expires <= now * 1000:
                return refuse("subscription_expired")
        receiver = None if prepared.record is None else self._receiver(target)
        if isinstance(receiver, Verdict):
            return receiver
        key = self._key_of(target)
        if isinstance(key, Verdict):
            return key
        if prepared.background and place.service is Service.APPLE:
            return refuse("background_not_supported", field="background")
        ends = prepared.message.expires_at
        if isinstance(ends, datetime) and ends.tzinfo is not None and ends.timestamp() - now > MAX_TTL:
            return refuse("invalid_ttl", field="expires_at", detail=f"expected at most {MAX_TTL} seconds ahead")
        return place, key, receiver

    def _taken_back(self, prepared: PreparedWithdrawal, target: Target) -> tuple[Place, bytes] | Verdict:
        """Where to send the DELETE: a place of the very service that has the subscription, and nowhere else."""
        if not isinstance(target, Subscription):
            return _no_subscription(target)
        place = self._places.find(target.endpoint)
        if isinstance(place, Verdict):
            return place
        if place.service not in DELETING:
            return refuse("withdrawal_not_supported", field="location")
        location = prepared.location
        if location.startswith("/") and not location.startswith("//"):
            # RFC 9110 section 10.2.2: relative to the request's own URL.
            location = target.endpoint[: place.length] + location
        there = self._places.find(location)
        if isinstance(there, Verdict) or there.origin != place.origin:
            return refuse("invalid_location", field="location", detail="it does not lead to the subscription's push service")
        return there, location[there.length :].encode("ascii") or b"/"

    def _receiver(self, target: Subscription) -> Receiver | Verdict:
        place = (target.p256dh, target.auth)
        try:
            kept = self._receivers.get(place)
        except TypeError:  # something unhashable where a key belongs
            return refuse("invalid_p256dh", detail="the keys are no text")
        if kept is None:
            kept = _parsed(target.p256dh, target.auth)
            self._receivers.put(place, kept)
        return kept

    def _key_of(self, target: Subscription) -> VapidKey | Verdict:
        name: object = target.vapid
        if name is None:
            return self._default_key
        if isinstance(name, str):
            found = self._by_name.get(name)
            if found is None and len(name) > 80:
                # A public key in the other alphabet, or with padding, as some pages store it.
                raw = unb64(name)
                found = None if raw is None else self._by_name.get(b64url(raw))
            if found is not None:
                return found
        shown = fingerprint_of(name) if isinstance(name, str) and name.isascii() else type(name).__name__
        configured = ", ".join(key.fingerprint for key in self._keys.values())
        return refuse("vapid_key_not_configured", detail=f"the subscription names the key {shown}; configured: {configured}")


_NO_TIME = "Correct the expiration time that is stored with this subscription, or store none."


def _no_subscription(found: object) -> Verdict:
    name = found.__name__ if isinstance(found, type) else type(found).__name__
    return refuse("invalid_target", advice=f"Use a webpush.Subscription: Web Push does not reach a {name}.")


def _remaining(push: PushContext) -> int:
    if push.ttl_zero:
        return 0
    if push.expires_at is None:
        return MAX_TTL
    return max(0, int(push.expires_at - push.now))


def _parsed(p256dh: object, auth: object) -> Receiver | Verdict:
    from pushkit.webpush.encryption import Receiver

    public = p256dh if isinstance(p256dh, bytes) and len(p256dh) == 65 else unb64(p256dh)
    if public is None or len(public) != 65:
        found = "it is missing" if p256dh is None else "it is no base64" if public is None else f"found {len(public)} octets"
        return refuse("invalid_p256dh", detail=f"p256dh: {found}; expected base64url of 65 octets")
    secret = auth if isinstance(auth, bytes) and len(auth) == 16 else unb64(auth)
    if secret is None or len(secret) != 16:
        found = "it is missing" if auth is None else "it is no base64" if secret is None else f"found {len(secret)} octets"
        return refuse("invalid_auth_secret", detail=f"auth: {found}; expected base64url of 16 octets")
    try:
        return Receiver(public, secret)
    except ValueError as error:
        return refuse("invalid_p256dh", detail=str(error))


def _signed(request: WireRequest) -> tuple[str, ...]:
    """The token on a request and its parts, for services that quote what they refuse."""
    for name, value in request.headers:
        if name == b"authorization":
            text = value.decode("ascii", "replace")
            token = text.partition("t=")[2].partition(",")[0]
            return (text, token, *token.split("."))
    return ()
