"""
How the fields of FCM's message resource look on the wire: kinds of values, their formats and limits.

Each message class declares its fields with one of these kinds; :func:`to_wire` walks them. Formats are those
of proto3 JSON (durations ``"3.5s"``, timestamps in UTC with ``Z``) and of the FCM discovery document.
"""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeAlias, cast

import attrs

LONGEST_TTL = 2_419_200
"""Seconds: 28 days, the longest that FCM keeps a message."""

LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%")
"""What an analytics label and a topic name may consist of."""

_LABEL_LENGTH = 50
_INT32 = 2**31 - 1
_INT64 = 2**63 - 1
_LONGEST_DURATION = 315_576_000_000
"""Seconds that a ``google.protobuf.Duration`` holds: ten thousand years."""
_DEEPEST = 32
_HEX = frozenset("0123456789abcdefABCDEF")
_KIND = "pushkit.fcm.kind"


class Refused(Exception):  # noqa: N818 - never leaves the provider: becomes a Verdict
    """A value that FCM would refuse: which field, and what is wrong with it, without quoting the value."""

    def __init__(self, field: str, problem: str, reason: str = "invalid_field") -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem
        self.reason = reason


Kind: TypeAlias = Callable[[Any, str], Any]
"""Checks a value and gives its wire form; raises :class:`Refused`."""


class WireEnum(enum.StrEnum):
    """An enum of FCM; the value is the word on the wire. Its name and other capitalisation are taken too."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        if isinstance(value, str):
            wanted = value.upper()
            for member in cls:
                if wanted in {member.name, member.value.upper()}:
                    return member
        raise ValueError(f"{value!r} is no {cls.__name__}; expected {' or '.join(member.name for member in cls)}")


# --- kinds ------------------------------------------------------------------------------------------


def checked_text(value: Any, path: str) -> str:
    """Text that can be encoded."""
    if not isinstance(value, str):
        raise Refused(path, f"is a {type(value).__name__}; expected text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(path, "holds half a character (a lone surrogate); decode the text properly first") from None
    return value


def _texts(value: Any, path: str) -> list[str] | None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Refused(path, f"is a {type(value).__name__}; expected a list of texts")
    return [checked_text(item, f"{path}[{index}]") for index, item in enumerate(cast("Sequence[Any]", value))] or None


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise Refused(path, f"is a {type(value).__name__}; expected True or False")
    return value


def _integer(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(path, f"is a {type(value).__name__}; expected a whole number")
    if not -_INT32 - 1 <= value <= _INT32:
        raise Refused(path, "does not fit into 32 bits")
    return value


def seconds_of(value: Any, path: str) -> float:
    """A duration in seconds, not negative and finite."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(path, f"is a {type(value).__name__}; expected seconds or a timedelta")
    # Comparisons alone, since float() of a huge whole number raises; NaN fails them too.
    if not 0 <= value < math.inf:
        raise Refused(path, "is negative or no finite number; expected seconds from 0 up")
    if value > _LONGEST_DURATION:
        raise Refused(path, f"is longer than {_LONGEST_DURATION} seconds, the longest that Google can read")
    return float(value)


def _duration(value: Any, path: str) -> str:
    length = seconds_of(value, path)
    whole = math.floor(length)
    # Cut off, not rounded, as Google's own SDK does: 2.3 becomes 2.299999999, and the same message stays the same bytes.
    nanos = int((length - whole) * 1e9)
    return f"{whole}.{nanos:09d}s" if nanos else f"{whole}s"


def _durations(value: Any, path: str) -> list[str] | None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Refused(path, f"is a {type(value).__name__}; expected a list of durations")
    return [_duration(item, f"{path}[{index}]") for index, item in enumerate(cast("Sequence[Any]", value))] or None


def _ttl(value: Any, path: str) -> str:
    try:
        length = seconds_of(value, path)
    except Refused as refusal:
        raise Refused(refusal.field, refusal.problem, "invalid_ttl") from None
    if length > LONGEST_TTL:
        raise Refused(path, f"is longer than 28 days; expected 0 to {LONGEST_TTL} seconds", "invalid_ttl")
    return f"{math.floor(length)}s"  # FCM rounds down to whole seconds


def _timestamp(value: Any, path: str) -> str:
    if not isinstance(value, datetime):
        raise Refused(path, f"is a {type(value).__name__}; expected an aware datetime")
    if value.utcoffset() is None:
        raise Refused(path, "has no time zone; expected an aware datetime, such as datetime.now(timezone.utc)")
    try:
        at = value.astimezone(UTC)
    except OverflowError:
        raise Refused(path, "is outside the years 1 to 9999 in UTC") from None
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _hex_color(value: Any, path: str, lengths: frozenset[int]) -> str:
    text = checked_text(value, path)
    if text[:1] != "#" or len(text) not in lengths or not _HEX.issuperset(text[1:]):
        raise Refused(path, "is no colour; expected #rrggbb" + (" or #rrggbbaa" if 9 in lengths else ""))
    return text


def _color(value: Any, path: str) -> str:
    return _hex_color(value, path, frozenset({7}))


def _light_color(value: Any, path: str) -> dict[str, float]:
    text = _hex_color(value, path, frozenset({7, 9}))
    if len(text) == 7:
        text += "FF"
    red, green, blue, alpha = (int(text[at : at + 2], 16) / 255.0 for at in (1, 3, 5, 7))
    return {"red": red, "green": green, "blue": blue, "alpha": alpha}


def _https(value: Any, path: str) -> str:
    text = checked_text(value, path)
    if not text.startswith("https://"):
        raise Refused(path, "is no https:// address")
    return text


def _label(value: Any, path: str) -> str:
    text = checked_text(value, path)
    if not text or len(text) > _LABEL_LENGTH or not LABEL_CHARACTERS.issuperset(text):
        raise Refused(path, "is no analytics label; expected 1 to 50 of the characters a-z A-Z 0-9 - _ . ~ %")
    return text


def _choice(value: Any, path: str) -> str:
    if not isinstance(value, enum.StrEnum):
        raise Refused(path, f"is a {type(value).__name__}; expected one of the enum's values")
    return value.value


def _string_map(value: Any, path: str) -> dict[str, str] | None:
    if not isinstance(value, Mapping):
        raise Refused(path, f"is a {type(value).__name__}; expected a mapping of text to text")
    pairs = cast("Mapping[Any, Any]", value)
    found: dict[str, str] = {}
    for key, item in pairs.items():
        if not isinstance(key, str):
            raise Refused(path, f"has a key that is a {type(key).__name__}; expected text")
        name = checked_text(key, path)
        if not isinstance(item, str):
            raise Refused(
                f"{path}[{_shown(name)}]", f"is a {type(item).__name__}; FCM carries text only, so write str(...) or json.dumps(...)"
            )
        found[name] = checked_text(item, f"{path}[{_shown(name)}]")
    return found or None


def checked_data(value: Any, path: str) -> dict[str, str] | None:
    """Data entries: text by text, without the names that Google reserves. None when there are none."""
    found = _string_map(value, path)
    for key in found or ():
        lowered = key.lower()
        if lowered in {"from", "message_type"} or lowered.startswith(("google", "gcm")):
            raise Refused(
                f"{path}[{_shown(key)}]",
                "is a name that Google keeps for itself (from, message_type, google…, gcm…); rename it",
                "reserved_key",
            )
    return found


def _shown(key: str) -> str:
    return repr(key if len(key) <= 60 else key[:59] + "…")


def _json(value: Any, path: str, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise Refused(path, f"is nested more than {_DEEPEST} levels deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return checked_text(value, path)
    if isinstance(value, int):
        if not -_INT64 - 1 <= value <= _INT64:
            raise Refused(path, "does not fit into 64 bits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Refused(path, "is no finite number, which JSON cannot carry")
        return value
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, item in cast("Mapping[Any, Any]", value).items():
            if not isinstance(key, str):
                raise Refused(path, f"has a key that is a {type(key).__name__}; expected text")
            found[checked_text(key, path)] = _json(item, f"{path}.{key[:60]}", depth + 1)
        return found
    if isinstance(value, (list, tuple)):
        return [_json(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(cast("Sequence[Any]", value))]
    raise Refused(path, f"is a {type(value).__name__}, which JSON cannot carry")


def _object(value: Any, path: str) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        raise Refused(path, f"is a {type(value).__name__}; expected a mapping")
    return _json(value, path) or None


# --- declaring fields -------------------------------------------------------------------------------


@attrs.frozen
class _Declared:
    kind: Kind
    wire: str | None
    secret: bool


def _kept(value: Any) -> Any:
    # A copy, so that a constant stays one; anything else is kept for the check to find.
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def declare(kind: Kind, *, wire: str | None = None, secret: bool = False, converter: Callable[[Any], Any] | None = None) -> Any:
    """An optional field of a block. ``wire``: its name there, where it differs; ``secret``: a person's text, never shown."""
    field: Callable[..., Any] = attrs.field
    return field(
        default=None,
        converter=converter or _kept,
        hash=kind not in {_string_map, checked_data, _object},
        metadata={_KIND: _Declared(kind, wire, secret)},
    )


text = functools.partial(declare, checked_text, secret=True)
word = functools.partial(declare, checked_text)
texts = functools.partial(declare, _texts, secret=True)
boolean = functools.partial(declare, _boolean)
integer = functools.partial(declare, _integer)
duration = functools.partial(declare, _duration)
durations = functools.partial(declare, _durations)
ttl = functools.partial(declare, _ttl)
timestamp = functools.partial(declare, _timestamp)
color = functools.partial(declare, _color)
light_color = functools.partial(declare, _light_color)
https = functools.partial(declare, _https, secret=True)
label = functools.partial(declare, _label)
headers = functools.partial(declare, _string_map)
data = functools.partial(declare, checked_data, secret=True)
json_object = functools.partial(declare, _object, secret=True)


def choice(kind: type[WireEnum], *, wire: str | None = None) -> Any:
    """A field that takes one of an enum's values (a programmer's mistake raises at once)."""
    return declare(_choice, wire=wire, converter=attrs.converters.optional(kind))


def block(kind: Callable[[], type[Block]], *, wire: str | None = None, keep_empty: bool = False) -> Any:
    """
    A field that holds another block; ``kind`` is a callable so that classes may refer to later ones.

    ``keep_empty``: being there says something even without fields.
    """

    def check(value: Any, path: str) -> dict[str, Any] | None:
        expected = kind()
        if not isinstance(value, expected):
            seen = f"{type(value).__module__.partition('.fcm')[0]}.{type(value).__name__}"
            raise Refused(path, f"is a {seen}; expected fcm.{expected.__name__}")
        return to_wire(value, path) or ({} if keep_empty else None)

    return declare(check, wire=wire)


# --- walking ----------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, repr=False)
class Block:
    """A part of the message resource. Keeps what it is given; the check before sending finds what is wrong."""

    def check(self, path: str) -> None:
        """Rules between fields: raise :class:`Refused`."""

    def __repr__(self) -> str:
        # Names only: what people write to each other is theirs.
        names = [field.name for field in attrs.fields(type(self)) if getattr(self, field.name) is not None]
        return f"{type(self).__name__}({', '.join(f'{name}=…' for name in names)})"


def _declared(kind: Any) -> Iterator[tuple[str, _Declared]]:
    for field in attrs.fields(kind):
        declared = field.metadata.get(_KIND)
        if declared is not None:
            yield field.name, declared


@functools.lru_cache(maxsize=64)
def _fields(kind: Any) -> tuple[tuple[str, str, Kind], ...]:
    return tuple((name, declared.wire or name, declared.kind) for name, declared in _declared(kind))


def to_wire(value: Any, path: str = "") -> dict[str, Any]:
    """
    The wire form of a block or message: every field that is set, under its snake_case wire name.

    Raises:
        Refused: for the first field that FCM would refuse.
    """
    found: dict[str, Any] = {}
    for name, wire, kind in _fields(cast("Any", type(value))):
        content = getattr(value, name)
        if content is None:
            continue
        content = kind(content, f"{path}.{name}" if path else name)
        if content is not None:
            found[wire] = content
    if isinstance(value, Block):
        value.check(path)
    return found


def secrets_of(value: Any) -> Iterator[str]:
    """Every text in a block or message that a person would read, or that addresses something."""
    for field in attrs.fields(cast("type[Any]", type(value))):
        content = getattr(value, field.name)
        declared: _Declared | None = field.metadata.get(_KIND)
        if isinstance(content, Block):
            yield from secrets_of(content)
        elif declared is not None and declared.secret:
            yield from _strings(content, 0)


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth > _DEEPEST:
        return
    elif isinstance(value, Mapping):
        for item in cast("Mapping[Any, Any]", value).values():
            yield from _strings(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in cast("Sequence[Any]", value):
            yield from _strings(item, depth + 1)
