"""
Events as log lines: the standard library, as JSON through structlog, and a slow listener in a thread.

Run it: ``python examples/monitoring_logs.py``.
"""

from __future__ import annotations

import logging

import structlog

import pushkit
from pushkit import Notification, events
from pushkit.contrib.logs import LogHook
from pushkit.contrib.queue import ThreadListener
from pushkit.testing import PushServer


def forget(event: events.Event) -> None:
    """Stands for a database: it may take its time, sending does not wait for it."""
    assert isinstance(event, events.RecipientGone)
    print(f"forget {event.outcome.target.ref}, gone since {event.outcome.invalid_since}")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()])
    hooks = [LogHook(), LogHook(structlog.get_logger())]

    with PushServer() as server, ThreadListener(forget, only=[events.RecipientGone]) as forgetting:
        gone = server.device(ref="user-7")
        server.unregister(gone)
        with pushkit.Client(apns=server.apns_config(), ssl_context=server.ssl_context(), hooks=[*hooks, forgetting]) as push:
            push.send_many(Notification(title="Your order", body="It is on its way."), to=[server.device(ref="user-6"), gone])


if __name__ == "__main__":
    main()
