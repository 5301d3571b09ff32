"""
Readiness with FastAPI: an orchestrator asks ``/ready``, and traffic goes to instances that can send.

Run it: ``python examples/health_fastapi.py``. It asks the application twice, once with a good key and once after
Apple refused it. In a program of yours: ``uvicorn --factory your_module:create_app``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

import pushkit
from pushkit import Notification
from pushkit.testing import PushServer


def create_app(push: pushkit.AsyncClient) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with push:
            await push.connect()  # connections and tokens are there before the first push
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/live")
    async def live() -> dict[str, bool]:
        """The process answers. Never ask push services here: restarting does not mend them."""
        return {"live": True}

    @app.get("/ready")
    async def ready() -> JSONResponse:
        """Whether this instance can send: open, and no credential refused. The body says why not."""
        health = push.health()
        return JSONResponse(health.as_dict(), status_code=200 if health.usable else 503)

    return app


async def main() -> None:
    with PushServer() as server:
        push = pushkit.AsyncClient(apns=server.apns_config(), ssl_context=server.ssl_context())
        app = create_app(push)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as web:
            answer = await web.get("/ready")
            print(answer.status_code, "usable:", answer.json()["usable"])
            server.behaviour.apns.next().answer("InvalidProviderToken")
            await push.send(Notification(title="Hello"), to=server.device())
            answer = await web.get("/ready")
            print(answer.status_code, "usable:", answer.json()["usable"], "because of", answer.json()["senders"][0]["latched"])


if __name__ == "__main__":
    asyncio.run(main())
