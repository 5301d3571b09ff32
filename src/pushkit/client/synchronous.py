"""The synchronous client (in the making)."""
from __future__ import annotations


class Client:
    """Placeholder while the module is written."""
