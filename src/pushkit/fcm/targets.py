"""Whom FCM can reach: a registration token, a Firebase installation, a topic, a condition over topics."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any, ClassVar

import attrs

from pushkit.codec import register
from pushkit.fcm.condition import condition_problem
from pushkit.fcm.fields import LABEL_CHARACTERS
from pushkit.own_reasons import refuse
from pushkit.targets import Target
from pushkit.verdict import Verdict

# Printable ASCII without blank, quote and backslash: what needs no escaping in JSON. Google promises no
# alphabet and no length, so nothing narrower is refused here.
_ADDRESS = re.compile(r"[!#-\[\]-~]{1,4096}")
_LONGEST_TOPIC = 900
_TOPIC_PREFIX = "/topics/"


class FcmTarget(Target, ABC):
    """What the four kinds share: the field of the message that names them, and its value."""

    __slots__ = ()

    provider: ClassVar[str] = "fcm"
    field: ClassVar[str]
    """The target's field in the message resource."""

    @abstractmethod
    def problem(self) -> Verdict | None:
        """Why this target cannot be addressed, or None."""

    @abstractmethod
    def wire_value(self) -> str:
        """The text of its field as it stands between quotes in JSON: ASCII, escaped. Of a target without a problem."""


def _address_problem(value: Any, what: str, where: str) -> Verdict | None:
    if isinstance(value, str) and _ADDRESS.fullmatch(value):
        return None
    if not isinstance(value, str):
        seen = f"it is {'None' if value is None else 'a ' + type(value).__name__}, not text"
    elif not value:
        seen = "it is empty"
    elif len(value) > 4096:
        seen = f"it is {len(value)} characters long"
    else:
        seen = "it holds blanks, quotes or characters outside ASCII"
    return refuse("invalid_token", advice=f"Remove or repair this stored {what}: {seen}; {where}.", detail=f"{what}: {seen}")


@register("fcm.Registration")
@attrs.frozen(repr=False)
class Registration(FcmTarget):
    """
    One app on one device or browser, by its FCM registration token.

    Google calls tokens deprecated since 2026 in favour of :class:`Installation`; both work, and a device
    has one or the other. Source: FCM v1 discovery document, ``Message.token``.
    """

    field: ClassVar[str] = "token"

    token: str
    """What ``getToken()`` gave the app."""

    @property
    def address(self) -> Hashable:
        """The token."""
        return self.token

    def problem(self) -> Verdict | None:
        """Why this token cannot be one."""
        return _address_problem(self.token, "registration token", "the app gets one from FirebaseMessaging.getToken()")

    def wire_value(self) -> str:
        """The token."""
        return self.token


@register("fcm.Installation")
@attrs.frozen(repr=False)
class Installation(FcmTarget):
    """
    One app on one device, by its Firebase installation ID.

    Experimental: Google introduced this target in 2026. The app must have registered its installation
    for messaging; after that its old token stops working. Source: FCM v1 discovery document, ``Message.fid``.
    """

    field: ClassVar[str] = "fid"

    fid: str
    """The Firebase installation ID that the app registered for messaging."""

    @property
    def address(self) -> Hashable:
        """The installation ID."""
        return self.fid

    def problem(self) -> Verdict | None:
        """Why this cannot be an installation ID."""
        return _address_problem(self.fid, "Firebase installation ID", "the app gets one when it registers for messaging")

    def wire_value(self) -> str:
        """The installation ID."""
        return self.fid


def topic_problem(name: Any) -> str | None:
    """What is wrong with a topic's name, or None. ``/topics/`` in front is taken."""
    if not isinstance(name, str):
        return f"is a {type(name).__name__}; expected text"
    bare = name.removeprefix(_TOPIC_PREFIX)
    if not bare or len(bare) > _LONGEST_TOPIC or not LABEL_CHARACTERS.issuperset(bare):
        return f"is no topic name; expected 1 to {_LONGEST_TOPIC} of the characters a-z A-Z 0-9 - _ . ~ %"
    return None


@register("fcm.Topic")
@attrs.frozen(repr=False)
class Topic(FcmTarget):
    """Everybody who follows a topic. One push reaches many. ``/topics/`` in front of the name is dropped."""

    field: ClassVar[str] = "topic"
    fan_out: ClassVar[bool] = True

    name: str

    @property
    def address(self) -> Hashable:
        """The topic's bare name."""
        name: Any = self.name
        return name.removeprefix(_TOPIC_PREFIX) if isinstance(name, str) else name

    def secrets(self) -> tuple[str, ...]:
        """Nothing: a topic's name gives nobody access."""
        return ()

    def problem(self) -> Verdict | None:
        """Why this cannot be a topic's name."""
        found = topic_problem(self.name)
        return refuse("invalid_topic_name", advice=f"Correct the topic: its name {found}.", field="name") if found else None

    def wire_value(self) -> str:
        """The topic's bare name."""
        return self.name.removeprefix(_TOPIC_PREFIX)


@register("fcm.Condition")
@attrs.frozen(repr=False)
class Condition(FcmTarget):
    """
    Everybody for whom a condition over topics holds: ``'news' in topics && !('mute' in topics)``.

    At most five topics, joined by ``&&``, ``||``, ``!`` and parentheses.
    """

    field: ClassVar[str] = "condition"
    fan_out: ClassVar[bool] = True

    expression: str

    @property
    def address(self) -> Hashable:
        """The expression."""
        return self.expression

    def secrets(self) -> tuple[str, ...]:
        """Nothing: a condition gives nobody access."""
        return ()

    def problem(self) -> Verdict | None:
        """Why this cannot be a condition."""
        found = condition_problem(self.expression)
        return refuse("invalid_condition", advice=f"Correct the condition: it {found}.", field="expression") if found else None

    def wire_value(self) -> str:
        """The expression, its quotes escaped for JSON."""
        return json.dumps(self.expression)[1:-1]


KINDS: tuple[type[FcmTarget], ...] = (Registration, Installation, Topic, Condition)
