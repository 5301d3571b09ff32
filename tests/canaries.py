"""
Canary secrets, and a catcher of everything that could give one away.

Use the fixtures ``canaries`` (secrets to send with) and ``leaks`` (fails the test when one of them, in
any common spelling, shows up in a log record of any library at DEBUG, in a ``repr`` or ``str`` handed to
``leaks.see``, or in a traceback handed to ``leaks.see_exception``).
"""

from __future__ import annotations

import base64
import logging
import re
import traceback
import urllib.parse
import uuid
from types import TracebackType
from typing import Self

import attrs

SHORTEST = 8
"""A secret shorter than this would be found everywhere."""

_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def spellings(secret: str) -> set[str]:
    """A secret as it is, quoted for a URL, and in the Base64 and hexadecimal forms that people paste."""
    raw = secret.encode()
    forms = {
        secret,
        urllib.parse.quote(secret, safe=""),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        raw.hex(),
    }
    return {form for form in forms if len(form) >= SHORTEST}


@attrs.frozen(kw_only=True)
class Canaries:
    """One secret of each kind. ``more`` adds what a test made by itself (a PEM file's lines, a subscription's keys)."""

    device_token: str
    registration_token: str
    endpoint_path: str
    p256dh: str
    auth: str
    title: str
    body: str
    data: str
    access_token: str
    more: tuple[str, ...] = ()

    @classmethod
    def make(cls) -> Self:
        return cls(
            device_token=(uuid.uuid4().hex + uuid.uuid4().hex),
            registration_token=f"canaryReg{uuid.uuid4().hex[:13]}:APA91b{uuid.uuid4().hex}",
            endpoint_path=f"/wpush/v2/canary{uuid.uuid4().hex}",
            p256dh=_a_public_key(),
            auth=base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="),
            title=f"Canary title {uuid.uuid4().hex}",
            body=f"Canary body {uuid.uuid4().hex}",
            data=f"canary-data-{uuid.uuid4().hex}",
            access_token=f"ya29.canary{uuid.uuid4().hex}",
        )

    def with_more(self, *secrets: str) -> Self:
        return attrs.evolve(self, more=(*self.more, *secrets))

    def all(self) -> dict[str, str]:
        found = {field.name: getattr(self, field.name) for field in attrs.fields(type(self)) if field.name != "more"}
        return found | {f"more[{index}]": secret for index, secret in enumerate(self.more) if len(secret) >= SHORTEST}


def _a_public_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


class _Recorder(logging.Handler):
    def __init__(self, catcher: LeakCatcher) -> None:
        super().__init__(logging.DEBUG)
        self._catcher = catcher

    def emit(self, record: logging.LogRecord) -> None:
        where = f"log record of {record.name} ({record.pathname}:{record.lineno})"
        self._catcher.see_text(where, record.getMessage())
        # `extra` lands in the record's own dictionary, where formatters for JSON find it; `args` are in it too.
        self._catcher.see_text(f"fields of the {where}", repr({k: v for k, v in vars(record).items() if k != "exc_info"}))
        if record.exc_info and record.exc_info[1]:
            self._catcher.see_exception(record.exc_info[1], f"exception of the {where}")


class LeakCatcher:
    """
    Captures every logger at DEBUG while it is entered, and whatever a test hands to it.

    ``assert_clean`` fails with the place and the kind of each secret that was found, not the secret.
    """

    def __init__(self, canaries: Canaries) -> None:
        self.canaries = canaries
        self.texts: list[tuple[str, str]] = []
        self._levels: dict[logging.Logger, tuple[int, bool, bool]] = {}
        self._handler = _Recorder(self)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        named = [logger for logger in logging.Logger.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
        self._levels = {logger: (logger.level, logger.disabled, logger.propagate) for logger in (root, *named)}
        for logger in self._levels:
            logger.setLevel(logging.DEBUG)
            logger.disabled = False
            logger.propagate = True  # a library that keeps its records to itself is listened to as well
        root.addHandler(self._handler)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        logging.getLogger().removeHandler(self._handler)
        for logger, (level, disabled, propagate) in self._levels.items():
            logger.setLevel(level)
            logger.disabled = disabled
            logger.propagate = propagate
        if error is not None:
            self.see_exception(error, "the exception that ended the test")

    def see_text(self, where: str, text: str) -> None:
        self.texts.append((where, text))

    def see(self, *values: object) -> None:
        """Look at how values show themselves, alone and inside of a container."""
        for value in values:
            where = f"repr of a {type(value).__name__}"
            self.see_text(where, repr(value))
            self.see_text(where.replace("repr", "str", 1), str(value))
            self.see_text(f"{where} in a list", f"{[value]}")

    def see_exception(self, error: BaseException, where: str = "exception") -> None:
        """Look at a traceback with all local variables of pushkit's own frames, causes and contexts included."""
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.see_text(where, "".join(shown.format_exception_only()))
        pending: list[traceback.TracebackException] = [shown]
        while pending:
            part = pending.pop()
            # What "raise ... from None" suppresses is not printed by anybody.
            context = None if part.__suppress_context__ else part.__context__
            pending += [other for other in (part.__cause__, context) if other is not None]
            pending += list(getattr(part, "exceptions", None) or [])
            self.see_text(where, "".join(part.format_exception_only()))
            for frame in part.stack:
                # The test's own frames hold the secrets by right.
                if "/pushkit/" in frame.filename.replace("\\", "/"):
                    self.see_text(f"{where}: locals of {frame.filename}:{frame.lineno} {frame.name}", repr(frame.locals))

    def found(self) -> list[str]:
        """What leaked: one line for each kind of secret and place."""
        needles = {form: name for name, secret in self.canaries.all().items() for form in spellings(secret)}
        leaks: list[str] = []
        for where, text in self.texts:
            leaks += [f"{name} in {where}" for form, name in needles.items() if form in text]
            if _JWT.search(text):
                leaks.append(f"a JWT in {where}")
            if _PEM.search(text):
                leaks.append(f"a private key in {where}")
        return sorted(set(leaks))

    def assert_clean(self) -> None:
        leaks = self.found()
        assert not leaks, "secrets leaked:\n" + "\n".join(leaks)
