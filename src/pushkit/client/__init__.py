"""Configuration in, outcomes out: the asynchronous client, and the synchronous one that runs it in a thread."""

from __future__ import annotations

from pushkit.client.asynchronous import AsyncClient
from pushkit.client.synchronous import Client

__all__ = ["AsyncClient", "Client"]
