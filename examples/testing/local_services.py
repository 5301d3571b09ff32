"""
The same client, over real TLS and HTTP/2, at push services on this machine: what a test of the whole program uses.

Runs by itself; nothing leaves the machine.
"""

from __future__ import annotations

from pushkit import Client, Notification, RetryPolicy
from pushkit.testing import GoAway, PushServer, Reset, no_network

HELLO = Notification(title="Hello", body="It works.")

with no_network(), PushServer() as server:
    configs = {"apns": server.apns_config(), "fcm": server.fcm_config(), "webpush": server.webpush_config()}
    with Client(**configs, ssl_context=server.ssl_context(), retry=RetryPolicy.none()) as push:
        phone, tablet, browser = server.device(), server.registration(), server.subscription(service="apple")
        for target in (phone, tablet, browser):
            push.send(HELLO, to=target).unwrap()
        print([(record.provider, record.text) for record in server.sent])

        server.unregister(phone)
        print(push.send(HELLO, to=phone).reason)
        server.behaviour.fcm.next().answer("QUOTA_EXCEEDED", quota="device", retry_after=90)
        print(push.send(HELLO, to=tablet).advice)
        server.behaviour.webpush.next().fault(GoAway("unanswered"))
        print(push.send(HELLO, to=browser).disposition)
        server.behaviour.webpush.next().fault(Reset("REFUSED_STREAM"))
        print(push.send(HELLO, to=browser).accepted)
    server.behaviour.verify()
