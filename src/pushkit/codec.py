"""
Values to JSON and back, for queues: an allow-listed registry of types, no pickle.

Each type that may travel is registered once, under a stable name, by the module that defines it.
Reading builds registered types only, whatever the JSON says.
"""

from __future__ import annotations

import base64
import enum
import json
import math
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import attrs

from pushkit import notification as _notification
from pushkit import outcomes as _outcomes
from pushkit.messages import Message
from pushkit.outcomes import FAILURE_CLASSES, Accepted, Attempt, Category, Disposition, Outcome, Resume, Scope, WaitedFor
from pushkit.secret import fingerprint, printable_ref, without_locals
from pushkit.targets import Target

T = TypeVar("T", bound=type[Any])

_TAG = "$"
_BY_NAME: dict[str, type[Any]] = {}
_BY_TYPE: dict[type[Any], str] = {}

#: The version of the JSON form; read by ``outcome_from_json``.
FORMAT = 1


def register(name: str) -> Callable[[T], T]:
    """
    Let a frozen attrs class or an enum travel as JSON under this name (a class decorator).

    A fourth provider registers its targets and messages so that their failures can be resumed from a queue.
    """

    def add(kind: T) -> T:
        known = _BY_NAME.get(name)
        if known is not None and known.__qualname__ != kind.__qualname__:
            raise ValueError(f"the name {name!r} is taken by {known.__qualname__}; register under another name")
        _BY_NAME[name] = kind
        _BY_TYPE[kind] = name
        return kind

    return add


_SCALARS: tuple[tuple[type[Any], str, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    (datetime, "datetime", datetime.isoformat, datetime.fromisoformat),
    (timedelta, "timedelta", lambda value: value // timedelta(microseconds=1), lambda number: timedelta(microseconds=number)),
    (uuid.UUID, "uuid", str, uuid.UUID),
    (bytes, "bytes", lambda raw: base64.b64encode(raw).decode("ascii"), lambda text: base64.b64decode(text, validate=True)),
)
_DECODERS: dict[str, Callable[[Any], Any]] = {name: decode for _, name, _, decode in _SCALARS}


def encode(value: Any) -> Any:
    """
    A value as JSON-ready data, in plain text.

    Raises:
        ValueError: when a type in it is neither JSON's own nor registered.
    """
    kind = cast("type[Any]", type(value))
    name = _BY_TYPE.get(kind)
    if name is not None:
        if isinstance(value, enum.Enum):
            return {_TAG: name, "v": value.value}
        return {_TAG: name} | {
            field.alias or field.name: encode(content)
            for field in attrs.fields(kind)
            if field.init and not _is_default(content := getattr(value, field.name), field)
        }
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    for scalar, tag, to_json, _ in _SCALARS:
        if isinstance(value, scalar):
            return {_TAG: tag, "v": to_json(value)}
    if isinstance(value, list):
        return [encode(item) for item in cast("list[Any]", value)]
    if isinstance(value, tuple):
        return {_TAG: "tuple", "v": [encode(item) for item in cast("tuple[Any, ...]", value)]}
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value)
        if all(isinstance(key, str) for key in pairs):
            return {_TAG: "map", "v": {key: encode(item) for key, item in pairs.items()}}
    raise ValueError(
        f"{kind.__module__}.{kind.__qualname__} cannot travel as JSON; "
        "use JSON's own types, datetime, UUID or bytes (for ref: a str or int), or register the class with pushkit.codec.register"
    )


def _is_default(value: Any, field: attrs.Attribute[Any]) -> bool:
    default = field.default
    if default is attrs.NOTHING:
        return False
    if default is not None and hasattr(default, "factory"):
        return not default.takes_self and bool(value == default.factory())
    return bool(value is default or value == default)


def decode(data: Any) -> Any:
    """
    What :func:`encode` made, as values.

    Raises:
        ValueError: when the data hold an unknown name or do not fit its type.
    """
    if isinstance(data, list):
        return [decode(item) for item in cast("list[Any]", data)]
    if not isinstance(data, dict):
        return data
    fields = dict(cast("dict[str, Any]", data))
    name = fields.pop(_TAG, None)
    content = fields.get("v")
    if name == "map" and isinstance(content, dict):
        return {key: decode(item) for key, item in cast("dict[str, Any]", content).items()}
    if name == "tuple" and isinstance(content, list):
        return tuple(decode(item) for item in cast("list[Any]", content))
    kind = _BY_NAME.get(name) if isinstance(name, str) else None
    try:
        if name in _DECODERS:
            return _DECODERS[name](content)
        if kind is not None and issubclass(kind, enum.Enum):
            return kind(content)
        if kind is not None:
            return kind(**{key: decode(item) for key, item in fields.items()})
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        # `from None`: the cause's text may quote what was read.
        raise ValueError(f"the JSON does not fit {name!r} ({type(error).__name__}); was it written by to_json(secrets=True)?") from None
    raise ValueError("the JSON names a type that is not registered here; import the provider that wrote it first")


def outcome_to_dict(outcome: Any, *, secrets: bool) -> dict[str, Any]:
    """See ``as_dict`` of the outcome classes."""
    target = outcome.target
    is_target = isinstance(target, Target)
    shown: dict[str, Any] = {
        "outcome": type(outcome).__name__,
        "provider": outcome.provider,
        "app": outcome.app,
        "category": outcome.category.value if outcome.category is not None else None,
        "target": fingerprint(repr(target.address)) if is_target else type(target).__name__,
        "ref": printable_ref(getattr(target, "ref", None)),
        "message_id": outcome.message_id,
        "label": outcome.label,
        "elapsed": outcome.elapsed,
        "expires_at": outcome.expires_at.isoformat() if outcome.expires_at else None,
        "attempts": [attempt.as_dict() for attempt in outcome.attempts],
    }
    if outcome.category is not None:
        shown |= {
            "reason": outcome.reason,
            "status": outcome.status,
            "disposition": outcome.disposition.value,
            "retryable": outcome.retryable,
            "retry_at": outcome.retry_at.isoformat() if outcome.retry_at else None,
            "action": outcome.action.value,
            "advice": outcome.advice,
            "detail": outcome.detail,
            "field": outcome.field,
            "invalid_since": outcome.invalid_since.isoformat() if outcome.invalid_since else None,
            "scope": outcome.scope.value if outcome.scope else None,
        }
    if secrets:
        shown["format"] = FORMAT
        shown["secrets"] = {
            "target": encode(target),
            "info": dict(outcome.info),
            "resume": encode(getattr(outcome, "resume", None)),
        }
    return shown


@without_locals
def outcome_from_json(text: str | bytes) -> Outcome:
    """
    Read what ``to_json(secrets=True)`` wrote.

    Raises:
        ValueError: when it is anything else.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("expected the JSON that to_json(secrets=True) writes; this is no JSON") from None
    if not isinstance(data, dict) or not isinstance(cast("dict[str, Any]", data).get("secrets"), dict):
        raise ValueError(  # noqa: TRY004 - one kind of error for anything that is not this JSON
            "this JSON was written without secrets, so the target is not in it; write it with to_json(secrets=True)"
        )
    written_as = cast("dict[str, Any]", data).get("format")
    if written_as != FORMAT:
        seen = written_as if isinstance(written_as, int) else f"a {type(written_as).__name__}"
        raise ValueError(f"expected format {FORMAT}, the JSON says {seen}; it was written by another version of pushkit")
    try:
        return _outcome_from(cast("dict[str, Any]", data))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        # `from None`: the cause's text may quote what was read.
        raise ValueError(f"the JSON is no whole outcome ({type(error).__name__}); was it cut short or edited?") from None


_TEXT: tuple[type[Any], ...] = (str,)
_TEXT_OR_NOTHING = (str, type(None))
_NUMBER = (float, int)
_STATUS = (int, type(None))


def _get(data: dict[str, Any], name: str, kinds: tuple[type[Any], ...]) -> Any:
    value = data[name]
    if type(value) not in kinds:
        raise TypeError(name)
    return value


def _outcome_from(data: dict[str, Any]) -> Outcome:
    secret = data["secrets"]
    common: dict[str, Any] = {
        "target": decode(secret["target"]),
        "provider": _get(data, "provider", _TEXT),
        "message_id": _get(data, "message_id", _TEXT_OR_NOTHING),
        "label": _get(data, "label", _TEXT_OR_NOTHING),
        "elapsed": _seconds(data, "elapsed"),
        "expires_at": _time(data["expires_at"]),
        "attempts": tuple(_attempt(item) for item in _get(data, "attempts", (list,))),
        "info": {name: _get(secret["info"], name, _TEXT) for name in _get(secret, "info", (dict,))},
    }
    if data["category"] is None:
        return Accepted(**common)
    resume = decode(secret["resume"])
    if resume is not None:
        _check(resume)
    return FAILURE_CLASSES[Category(data["category"])](
        **common,
        reason=_get(data, "reason", _TEXT),
        status=_get(data, "status", _STATUS),
        disposition=Disposition(data["disposition"]),
        retryable=_get(data, "retryable", (bool,)),
        retry_at=_time(data["retry_at"]),
        action=_outcomes.Action(data["action"]),
        advice=_get(data, "advice", _TEXT),
        detail=_get(data, "detail", _TEXT),
        field=_get(data, "field", _TEXT_OR_NOTHING),
        invalid_since=_time(data["invalid_since"]),
        scope=Scope(data["scope"]) if data["scope"] else None,
        resume=resume,
    )


def _time(text: str | None) -> datetime | None:
    return _moment(text) if text else None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("a time without a zone")
    return moment


def _seconds(data: dict[str, Any], name: str) -> float:
    value = float(_get(data, name, _NUMBER))
    if not math.isfinite(value):
        raise ValueError(name)
    return value


def _check(resume: Any) -> None:
    """What the engine counts on: a queue may hold what somebody edited."""
    if not isinstance(resume, Resume) or not isinstance(resume.message, Message):
        raise TypeError("resume")
    given = attrs.asdict(resume, recurse=False)
    for name in ("key", "push_id"):
        _get(given, name, _TEXT)
    for name in ("dedupe", "unknown_retried", "dry_run"):
        _get(given, name, (bool,))
    if str(uuid.UUID(resume.push_id)) != resume.push_id:
        raise ValueError("push_id")
    if resume.expires_at is not None:
        _seconds(given, "expires_at")


def _attempt(data: dict[str, Any]) -> Attempt:
    return Attempt(
        number=_get(data, "number", (int,)),
        started=_moment(data["started"]),
        elapsed=_seconds(data, "elapsed"),
        status=_get(data, "status", _STATUS),
        reason=_get(data, "reason", _TEXT_OR_NOTHING),
        waited=_seconds(data, "waited"),
        waited_for=WaitedFor(data["waited_for"]),
    )


for _kind in (
    _notification.Notification,
    _notification.Localized,
    _notification.Sound,
    _notification.Priority,
    _notification.InterruptionLevel,
):
    register(f"pushkit.{_kind.__name__}")(_kind)
register("pushkit.Resume")(Resume)
