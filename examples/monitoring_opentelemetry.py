"""
Traces and metrics for OpenTelemetry: each push is a span below the request that sent it.

Run it: ``python examples/monitoring_opentelemetry.py``. It sends to local push services and prints the spans.
In a program of yours the SDK is set up once, with your exporter, and ``OpenTelemetryHook()`` finds it.
"""

from __future__ import annotations

import asyncio

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import pushkit
from pushkit import Notification
from pushkit.contrib.opentelemetry import OpenTelemetryHook
from pushkit.testing import PushServer


async def main() -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    telemetry = OpenTelemetryHook(tracer_provider=tracers, meter_provider=meters)

    with PushServer() as server:
        async with pushkit.AsyncClient(apns=server.apns_config(), ssl_context=server.ssl_context(), hooks=[telemetry]) as push:
            telemetry.watch(push)
            with tracers.get_tracer("shop").start_as_current_span("POST /orders"):
                await push.send(Notification(title="Your order", body="It is on its way.", label="shipping"), to=server.device())
            reader.collect()

    names = {span.context.span_id: span.name for span in spans.get_finished_spans() if span.context}
    for span in spans.get_finished_spans():
        above = names.get(span.parent.span_id) if span.parent else "nothing"
        attributes = {
            key: value for key, value in (span.attributes or {}).items() if key in {"messaging.system", "http.response.status_code"}
        }
        print(f"{span.name} (below {above}) {attributes}")


if __name__ == "__main__":
    asyncio.run(main())
