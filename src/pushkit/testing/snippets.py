"""How to point a sender at the local services: pushkit, and the libraries of other people, unmodified."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from pushkit.testing.accounts import dump

if TYPE_CHECKING:
    from pushkit.testing.server.push_server import PushServer


@attrs.frozen
class Files:
    """Where the credentials were written."""

    ca: Path
    apns_key: Path
    service_account: Path
    vapid: Path
    subscription: Path


def write_files(server: PushServer, folder: Path) -> Files:
    """
    Write CA certificate, APNs key, service account, VAPID key and a subscription to a folder.

    All of them are throw-away: worth nothing beyond this server. Keys are readable by their owner only.

    Raises:
        OSError: when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(
        folder / "ca.pem",
        folder / f"AuthKey_{server.apns_key.key_id}.p8",
        folder / "service-account.json",
        folder / "vapid.pem",
        folder / "subscription.json",
    )
    subscription = server.subscription("the subscription of the snippets")
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    server.write_ca(files.ca)
    _private(files.apns_key, server.apns_key.pem or "")
    _private(files.service_account, dump(server.service_account_file()))
    _private(files.vapid, server.vapid.pem)
    _private(files.subscription, json.dumps({"endpoint": subscription.endpoint, "expirationTime": None, "keys": keys}, indent=2))
    return files


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


def pushkit_snippet(server: PushServer, files: Files) -> str:
    """For pushkit."""
    rules = " | ".join(
        f'webpush.EndpointPolicy.allow("localhost:{server.port(name).number}"' + (f', service="{name}")' if name != "rfc" else ")")
        for name in ("mozilla", "google", "apple", "microsoft", "rfc")
    )
    key = server.apns_key
    return textwrap.dedent(f"""\
        import json, ssl
        from pathlib import Path

        from pushkit import Client, Notification, apns, fcm, webpush

        push = Client(
            apns=apns.Config(
                credentials=apns.TokenKey.from_file("{files.apns_key}", key_id="{key.key_id}", team_id="{key.team_id}"),
                topic="{server.bundle_id}",
                origin="{server.origin("apns")}",
                channels_origin="{server.origin("channels")}",
            ),
            fcm=fcm.Config(
                credentials=fcm.ServiceAccount.from_file("{files.service_account}"),
                origin="{server.origin("fcm")}",
                iid_origin="{server.origin("iid")}",
            ),
            webpush=webpush.Config(
                vapid=webpush.VapidKey.from_file("{files.vapid}"),
                subject="mailto:ops@example.com",
                endpoints={rules},
            ),
            ssl_context=ssl.create_default_context(cafile="{files.ca}"),
        )
        hello = Notification(title="Hello", body="It works.")
        print(push.send(hello, to=apns.Device("{"ab" * 32}")))
        print(push.send(hello, to=fcm.Registration("{"f" * 22}:APA91b{"x" * 60}")))
        print(push.send(hello, to=webpush.Subscription.from_json(Path("{files.subscription}").read_text())))
        push.close()
        """)


def firebase_admin_snippet(server: PushServer, files: Files) -> str:
    """For firebase-admin (Python), whose endpoint is a class attribute."""
    return textwrap.dedent(f"""\
        # REQUESTS_CA_BUNDLE={files.ca} python this.py
        import firebase_admin
        from firebase_admin import credentials, messaging
        from firebase_admin import _messaging_utils  # noqa: F401

        messaging._MessagingService.FCM_URL = "{server.origin("fcm")}/v1/projects/{{0}}/messages:send"
        firebase_admin.initialize_app(credentials.Certificate("{files.service_account}"))
        note = messaging.Notification(title="Hello", body="It works.")
        print(messaging.send(messaging.Message(notification=note, token="{"f" * 22}:APA91b{"x" * 60}")))
        """)


def aioapns_snippet(server: PushServer, files: Files) -> str:
    """For aioapns, whose server is an attribute of its pool class."""
    key = server.apns_key
    return textwrap.dedent(f"""\
        import asyncio, ssl
        from pathlib import Path

        from aioapns import APNs, NotificationRequest
        from aioapns.client import APNsKeyConnectionPool
        from aioapns.connection import APNsProductionClientProtocol


        async def main():
            APNsProductionClientProtocol.APNS_SERVER = "localhost"
            APNsProductionClientProtocol.APNS_PORT = {server.port("apns").number}
            client = APNs(
                key=Path("{files.apns_key}").read_text(), key_id="{key.key_id}", team_id="{key.team_id}",
                topic="{server.bundle_id}", use_sandbox=False,
                ssl_context=ssl.create_default_context(cafile="{files.ca}"),
            )
            request = NotificationRequest(device_token="{"ab" * 32}", message={{"aps": {{"alert": "Hello"}}}})
            print((await client.send_notification(request)).status)


        asyncio.run(main())
        """)


def pywebpush_snippet(_server: PushServer, files: Files) -> str:
    """For pywebpush: the endpoint says where it goes."""
    return textwrap.dedent(f"""\
        # REQUESTS_CA_BUNDLE={files.ca} python this.py
        import json
        from pathlib import Path
        from pywebpush import webpush

        answer = webpush(
            json.loads(Path("{files.subscription}").read_text()),
            data="Hello", ttl=60, vapid_private_key="{files.vapid}", vapid_claims={{"sub": "mailto:ops@example.com"}},
        )
        print(answer.status_code)
        """)


def node_apn_snippet(server: PushServer, files: Files) -> str:
    """For the npm package @parse/node-apn."""
    key = server.apns_key
    return textwrap.dedent(f"""\
        // NODE_EXTRA_CA_CERTS={files.ca} node this.js
        const apn = require("@parse/node-apn");

        const provider = new apn.Provider({{
          token: {{ key: "{files.apns_key}", keyId: "{key.key_id}", teamId: "{key.team_id}" }},
          address: "localhost", port: {server.port("apns").number}, production: true,
        }});
        const note = new apn.Notification({{ topic: "{server.bundle_id}", alert: "Hello", pushType: "alert" }});
        provider.send(note, "{"ab" * 32}").then((result) => {{ console.log(JSON.stringify(result)); provider.shutdown(); }});
        """)


def node_web_push_snippet(server: PushServer, files: Files) -> str:
    """For the npm package web-push."""
    return textwrap.dedent(f"""\
        // NODE_EXTRA_CA_CERTS={files.ca} node this.js
        const fs = require("fs");
        const webpush = require("web-push");

        webpush.setVapidDetails("mailto:ops@example.com", "{server.vapid.public_b64}", "{server.vapid.private_b64}");
        webpush.sendNotification(JSON.parse(fs.readFileSync("{files.subscription}", "utf8")), "Hello")
          .then((answer) => console.log(answer.statusCode), (error) => console.log(error.statusCode, error.body));
        """)


def node_firebase_admin_snippet(server: PushServer, files: Files) -> str:
    """For the npm package firebase-admin, whose host is part of its requests: a proxy agent is not needed, a patched host is."""
    return textwrap.dedent(f"""\
        // NODE_EXTRA_CA_CERTS={files.ca} node this.js
        // firebase-admin has no setting for FCM's host: requests for it are sent here by wrapping https.request.
        const https = require("https");
        const request = https.request;
        const here = {{ "fcm.googleapis.com": {server.port("fcm").number}, "oauth2.googleapis.com": {server.port("oauth").number} }};
        https.request = (first, ...rest) => {{
          const url = typeof first === "string" || first instanceof URL ? new URL(first) : null;
          const port = here[url ? url.hostname : first.host || first.hostname];
          if (!port) return request(first, ...rest);
          if (url) {{ url.host = `localhost:${{port}}`; return request(url, ...rest); }}
          return request({{ ...first, host: "localhost", hostname: "localhost", port }}, ...rest);
        }};
        const {{ initializeApp, cert }} = require("firebase-admin/app");
        const {{ getMessaging }} = require("firebase-admin/messaging");

        initializeApp({{ credential: cert("{files.service_account}") }});
        const messaging = getMessaging();
        messaging.enableLegacyHttpTransport();
        messaging.send({{ notification: {{ title: "Hello", body: "It works." }}, token: "{"f" * 22}:APA91b{"x" * 60}" }})
          .then((name) => console.log(name), (error) => console.log(error.code));
        """)


SNIPPETS: Mapping[str, Callable[[PushServer, Files], str]] = {
    "pushkit": pushkit_snippet,
    "firebase-admin": firebase_admin_snippet,
    "aioapns": aioapns_snippet,
    "pywebpush": pywebpush_snippet,
    "node-apn": node_apn_snippet,
    "web-push": node_web_push_snippet,
    "node-firebase-admin": node_firebase_admin_snippet,
}
"""Snippets by the name to ask for them."""
