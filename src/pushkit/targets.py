"""What every target has: the provider's own kinds live in ``apns``, ``fcm`` and ``webpush``."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, cast

import attrs

from pushkit.secret import fingerprint, printable_ref


@attrs.frozen(repr=False)
class Target:
    """
    Whom a push is for. Base class of every provider's targets, and of a fourth provider's own.

    A target keeps what it is given: real lists hold garbage, and a bad row must not stop a broadcast.
    What is wrong with it is found by ``check`` and by sending, as a ``RecipientFailure``.
    """

    provider: ClassVar[str] = ""
    """Which provider reaches it."""
    fan_out: ClassVar[bool] = False
    """Whether one push reaches many (topic, condition, channel): counted in a column of its own, never repeated on doubt."""

    app: str = attrs.field(default="default", kw_only=True)
    """Which configuration to use where a client has several (apps, teams, tenants, projects)."""
    ref: object = attrs.field(default=None, kw_only=True, eq=False, hash=False)
    """Any value of the caller's own (a user id, a row). Comes back on the outcome; printed only if a str, int or UUID."""

    @property
    def address(self) -> Hashable:
        """
        What makes two targets the same recipient (secret). ``unique=True`` compares it together with ``app``.

        Unless a class says otherwise: all its own fields that take part in comparison.
        """
        return tuple(getattr(self, field.name) for field in attrs.fields(type(self)) if field.eq and field.name != "app")

    def secrets(self) -> tuple[str, ...]:
        """Every text in this target that must not show in logs, ``detail`` or reports."""
        address = self.address
        if isinstance(address, str):
            return (address,)
        parts = cast("tuple[object, ...]", address) if isinstance(address, tuple) else ()
        return tuple(part for part in parts if isinstance(part, str))

    def __repr__(self) -> str:
        try:
            shown = fingerprint(repr(self.address))
        except Exception:  # noqa: BLE001 - a repr must work for garbage too
            shown = "unreadable"
        app = f" app={self.app!r}" if self.app != "default" else ""
        ref = printable_ref(self.ref)
        return f"<{type(self).__name__} {shown}{app}{f' ref={ref}' if ref else ''}>"
