"""Requests by hand and tokens by PyJWT, so that nothing of our own client takes part."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt

from pushkit.testing.accounts import Accounts, ApnsKey
from pushkit.testing.exchange import Answer, Connection, Request
from pushkit.testing.provision import Provision
from pushkit.testing.services.base import Served
from pushkit.testing.services.routes import sites_for
from pushkit.testing.services.world import World

NOW = 1_795_000_000.0
TOPIC = "com.example.app"
TOKEN = "ab" * 32


class Place(Provision):
    """The services without any wire: each call is a request on a connection."""

    def __init__(self, **options: Any) -> None:
        self.time = NOW
        super().__init__(World(clock=lambda: self.time, accounts=Accounts(), **options))
        self.sites = sites_for(self.world)
        self.connections = 0

    def connection(self) -> Connection:
        self.connections += 1
        return Connection(self.connections, "memory")

    def call(
        self,
        site: str,
        path: str,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        body: bytes | dict[str, Any] = b"",
        *,
        method: str = "POST",
        connection: Connection | None = None,
        authority: str = "",
    ) -> Answer:
        served = self.serve(site, path, headers, body, method=method, connection=connection, authority=authority)
        assert served.answer is not None
        return served.answer

    def serve(
        self,
        site: str,
        path: str,
        headers: Any = None,
        body: Any = b"",
        *,
        method: str = "POST",
        connection: Any = None,
        authority: str = "",
    ) -> Served:
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
        fields = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        origin = authority or "localhost"
        return self.sites[site].serve(Request(method, "https", origin, path, fields, raw, connection or self.connection()))

    def apns_token(self, key: ApnsKey | None = None, *, age: float = 0.0, **changes: Any) -> str:
        key = key or self.apns_key
        claims = {"iss": key.team_id, "iat": int(self.time - age)} | changes
        return jwt.encode(claims, key.pem or "", algorithm="ES256", headers={"kid": key.key_id})

    def apns(
        self,
        *,
        token: str = TOKEN,
        body: Any = None,
        connection: Connection | None = None,
        site: str = "apns",
        method: str = "POST",
        **headers: Any,
    ) -> Answer:
        fields: dict[str, Any] = {"authorization": f"bearer {self.apns_token()}", "apns-topic": TOPIC, "apns-push-type": "alert"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name, value) for name, value in fields.items() if value is not None]
        payload = {"aps": {"alert": "Hi"}} if body is None else body
        return self.call(site, f"/3/device/{token}", pairs, payload, connection=connection, method=method)

    def bearer(self, **changes: Any) -> str:
        from pushkit.testing.accounts import FCM_SCOPES

        options = {"project_id": "local-project", "scopes": FCM_SCOPES, "now": self.time} | changes
        return self.world.accounts.grant(**options)

    def fcm(
        self, message: dict[str, Any], *, token: str | None = None, validate_only: bool = False, project: str = "local-project"
    ) -> Answer:
        headers = {"authorization": f"Bearer {token or self.bearer()}", "content-type": "application/json"}
        body = {"message": message} | ({"validate_only": True} if validate_only else {})
        return self.call("fcm", f"/v1/projects/{project}/messages:send", headers, body)


def reason(answer: Answer) -> Any:
    return None if answer.status == 200 else json.loads(answer.body).get("reason")


def body_of(answer: Answer) -> Any:
    return json.loads(answer.body)


def header(answer: Answer, name: bytes) -> str | None:
    return next((value.decode() for key, value in answer.fields if key == name), None)


def seconds_now() -> int:
    return int(time.time())
