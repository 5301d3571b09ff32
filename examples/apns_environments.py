"""Testers and customers in one send, and why a wrong environment must not wipe a user table."""

from __future__ import annotations

import logging
import sys

from pushkit import Client, Notification, apns
from pushkit.testing import PushServer

logging.basicConfig(stream=sys.stdout, format="log: %(message)s")
HELLO = Notification(title="Hello")

with PushServer() as apple, Client(apns=apple.apns_config(), ssl_context=apple.ssl_context()) as push:
    # The environment is kept beside each token, so each push finds its host.
    rows = [(apple.device(environment=name).token, name) for name in ("production", "sandbox") for _ in range(20)]
    report = push.send_many(HELLO, to=[apns.Device(token, environment=name, ref=number) for number, (token, name) in enumerate(rows)])
    print(report)
    assert report.accepted == 40

with PushServer() as apple, Client(apns=apple.apns_config(), ssl_context=apple.ssl_context()) as push:
    # Somebody forgot it: every tester's token looks bad in production. Nobody is to be removed for that.
    tokens = [apple.device(environment="sandbox").token for _ in range(100)]
    report = push.send_many(HELLO, to=[apns.Device(token) for token in tokens])
    print(report)
    assert len(report.to_remove) == 0
    assert len(report.to_review) == 100
    print(report.failures[0].advice)
    # One of them says what is wrong, before a campaign or after one.
    findings = push.verify(to=apns.Device(tokens[0]))
    print(*findings, sep="\n")
    assert "this token belongs to sandbox" in next(finding.message for finding in findings if finding.subject == "environment")
