"""Throw-away credentials, configurations and recipients for the local services, wherever they run."""

from __future__ import annotations

import functools
import json
import secrets
from datetime import datetime
from typing import Any

from pushkit import apns, fcm, webpush
from pushkit.testing.accounts import ApnsKey, ServiceAccountKey, VapidPair, key_file, new_vapid_pair
from pushkit.testing.addresses import address_of
from pushkit.testing.jose import b64url_decode
from pushkit.testing.receivers import new_receiver
from pushkit.testing.services.world import DIALECTS, Known, World, hex_of


class Provision:
    """
    What a client and a test need: configurations, credentials, registered recipients.

    Args:
        world: the services' state.
        bundle_id: the app of ``apns_config()`` and ``device()``.
        project_id: the Firebase project of ``fcm_config()`` and ``registration()``.
    """

    def __init__(self, world: World, *, bundle_id: str = "com.example.app", project_id: str = "local-project") -> None:
        self.world = world
        self.bundle_id = bundle_id
        self.project_id = world.project_id = project_id
        self._apns_key: ApnsKey | None = None
        self._account: ServiceAccountKey | None = None
        self._vapid: VapidPair | None = None

    @property
    def apns_key(self) -> ApnsKey:
        """The throw-away key of ``apns_config()``."""
        if self._apns_key is None:
            self._apns_key = self.world.accounts.new_apns_key()
        return self._apns_key

    @property
    def service_account(self) -> ServiceAccountKey:
        """The throw-away account of ``fcm_config()``."""
        if self._account is None:
            self._account = self.world.accounts.process_service_account(self.project_id)
        return self._account

    @property
    def vapid(self) -> VapidPair:
        """The throw-away key pair of ``webpush_config()`` and ``subscription()``."""
        if self._vapid is None:
            self._vapid = new_vapid_pair()
        return self._vapid

    def adopt(self, apns_key: ApnsKey, service_account: ServiceAccountKey, vapid: VapidPair) -> None:
        """Use these credentials instead of fresh ones (a state file's)."""
        self._apns_key, self._account, self._vapid = apns_key, service_account, vapid
        self.project_id = self.world.project_id = service_account.project_id

    def service_account_file(self) -> dict[str, str]:
        """The service account's JSON key file, with this server's token endpoint."""
        return key_file(self.service_account, f"{self.world.sites.oauth}/token")

    def apns_config(self, **changes: Any) -> apns.Config:
        """An ``apns.Config`` for this server. ``changes`` replace its fields."""
        key, sites = self.apns_key, self.world.sites
        fields: dict[str, Any] = {
            "credentials": apns.TokenKey(key.pem or "", key_id=key.key_id, team_id=key.team_id),
            "topic": self.bundle_id,
            "origin": {apns.Environment.PRODUCTION: sites.apns, apns.Environment.SANDBOX: sites.apns_sandbox},
            "channels_origin": {apns.Environment.PRODUCTION: sites.channels, apns.Environment.SANDBOX: sites.channels_sandbox},
        }
        return apns.Config(**(fields | changes))

    def fcm_config(self, **changes: Any) -> fcm.Config:
        """An ``fcm.Config`` for this server. ``changes`` replace its fields."""
        fields: dict[str, Any] = {
            "credentials": _loaded(json.dumps(self.service_account_file())),
            "origin": self.world.sites.fcm,
            "iid_origin": self.world.sites.iid,
        }
        return fcm.Config(**(fields | changes))

    def webpush_config(self, **changes: Any) -> webpush.Config:
        """A ``webpush.Config`` for this server: each service is recognised by its origin. ``changes`` replace its fields."""
        policy: webpush.EndpointPolicy | None = None
        for name in DIALECTS:
            authority = self.world.sites.webpush[name].removeprefix("https://")
            rule = webpush.EndpointPolicy.allow(authority, service=None if name == "rfc" else name)
            policy = rule if policy is None else policy | rule
        fields: dict[str, Any] = {"vapid": webpush.VapidKey.parse(self.vapid.pem), "subject": "mailto:ops@example.com", "endpoints": policy}
        return webpush.Config(**(fields | changes))

    # Recipients

    def device(self, name: str | None = None, *, environment: str = "production", app: str = "default", ref: object = None) -> apns.Device:
        """A fresh registered device. The same ``name`` (or order) gives the same token in every run."""
        token = hex_of(name or self.world.next_name("device"), 32)
        self.world.register("apns", token, Known(topic=self.bundle_id, environment=environment))
        return apns.Device(token, environment=apns.Environment(environment) if environment != "production" else None, app=app, ref=ref)

    def registration(self, name: str | None = None, *, app: str = "default", ref: object = None) -> fcm.Registration:
        """A fresh FCM registration."""
        text = hex_of(name or self.world.next_name("registration"), 77)
        token = f"{text[:22]}:APA91b{text[22:]}"
        self.world.register("fcm", token, Known(project_id=self.project_id))
        return fcm.Registration(token, app=app, ref=ref)

    def subscription(
        self, name: str | None = None, *, service: str = "mozilla", vapid: str | None = "", app: str = "default", ref: object = None
    ) -> webpush.Subscription:
        """
        A fresh browser subscription.

        Args:
            name: its endpoint is derived from it.
            service: whose: ``"mozilla"``, ``"google"``, ``"apple"``, ``"microsoft"`` or ``"rfc"`` (plain RFC 8030).
            vapid: the application server key that it is bound to; empty: this server's; None: not bound.
            app: which configuration to use.
            ref: any value of the caller's own.
        """
        if service not in DIALECTS:
            raise ValueError(f"service={service!r}: expected one of {', '.join(DIALECTS)}")
        public = self.vapid.public_b64 if vapid == "" else vapid
        receiver = new_receiver(None if public is None else b64url_decode(public))
        endpoint = self.new_endpoint(service, name or self.world.next_name("subscription"))
        self.world.register("webpush", endpoint, Known(receiver=receiver))
        return webpush.Subscription(endpoint, p256dh=receiver.p256dh, auth=receiver.auth_secret, app=app, ref=ref)

    def new_endpoint(self, service: str, name: str | None = None) -> str:
        """An endpoint in the shape of a service's."""
        from pushkit.testing.services.webpush import PATHS

        unique = hex_of(name, 48) if name is not None else secrets.token_hex(48)
        # Microsoft's tokens hold percent escapes, which nobody may decode.
        tail = f"{unique}%2b{unique[:8]}%3d" if service == "microsoft" else unique
        return f"{self.world.sites.webpush[service]}{PATHS[service]}{tail}"

    def register(self, recipient: object) -> None:
        """Bring a recipient back, or make one of the caller's own known (not for Web Push: use ``subscription``)."""
        address = address_of(recipient)
        self.world.register(address.provider or _guess(address.key), address.key)

    def unregister(self, recipient: object, since: datetime | None = None) -> None:
        """The app was removed, permission withdrawn, the subscription ended (``since``: aware; default now)."""
        address = address_of(recipient)
        self.world.unregister(address.provider or _guess(address.key), address.key, since)


@functools.lru_cache(maxsize=32)
def _loaded(key_file: str) -> fcm.ServiceAccount:
    return fcm.ServiceAccount.from_json(key_file)


def _guess(key: str) -> str:
    if key.startswith("https://"):
        return "webpush"
    return "apns" if all(c in "0123456789abcdef" for c in key) else "fcm"
