"""
Metrics for Prometheus: one hook for what happens, one line for how the client is.

Run it: ``python examples/monitoring_prometheus.py``. It sends to local push services and then reads its own
metrics, as a Prometheus server would. In a program of yours, leave out ``PushServer`` and keep the rest.
"""

from __future__ import annotations

import asyncio
import urllib.request

import prometheus_client

import pushkit
from pushkit import Notification
from pushkit.contrib.prometheus import PrometheusMetrics
from pushkit.testing import PushServer

registry = prometheus_client.CollectorRegistry()  # or prometheus_client.REGISTRY, the default
metrics = PrometheusMetrics(registry)


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return answer.read().decode()


async def main() -> None:
    http, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    with PushServer() as server:
        async with pushkit.AsyncClient(apns=server.apns_config(), ssl_context=server.ssl_context(), hooks=[metrics]) as push:
            metrics.watch(push, name="orders")
            gone = server.device()
            server.unregister(gone)
            await push.send_many(Notification(title="Your order", body="It is on its way."), to=[server.device(), server.device(), gone])
            text = await asyncio.to_thread(scrape, http.server_port)
    http.shutdown()
    http.server_close()
    thread.join()
    for line in text.splitlines():
        if line.startswith(("pushkit_outcomes_total", "pushkit_client_usable", "pushkit_connections{")):
            print(line)


if __name__ == "__main__":
    asyncio.run(main())
