"""Configuration in, outcomes out: the asynchronous client, and the synchronous one that runs it in a thread."""

from __future__ import annotations

import logging

from pushkit.client.asynchronous import AsyncClient
from pushkit.client.synchronous import Client

__all__ = ["AsyncClient", "Client"]

# A library is silent until the program sets up logging (Python's logging HOWTO, "Configuring Logging for a Library").
logging.getLogger("pushkit").addHandler(logging.NullHandler())
