"""Reading an error answer of Google's: all six kinds of detail, none of them relied upon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import attrs

from pushkit import untrusted

_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_LONGEST_WORD = 64
_LONGEST_DELAY_TEXT = 24


@attrs.frozen(kw_only=True)
class Violation:
    """One entry of a BadRequest or a QuotaFailure."""

    field: str
    """BadRequest: the field; QuotaFailure: the subject."""
    text: str


@attrs.frozen(kw_only=True)
class Answer:
    """What could be read of an error. Empty texts where there was nothing, or nothing readable."""

    rpc: str = ""
    """``error.status``, such as ``INVALID_ARGUMENT``."""
    message: str = ""
    fcm: str = ""
    """FcmError: the code."""
    apns: str = ""
    """ApnsError: Apple's reason."""
    apns_status: int | None = None
    violations: tuple[Violation, ...] = ()
    quotas: tuple[Violation, ...] = ()
    info: str = ""
    """ErrorInfo: the reason."""
    quota_limit: str = ""
    retry_delay: float | None = None
    """RetryInfo, in seconds."""
    readable: bool = False
    """Whether the body is an error in Google's form at all."""


def read_answer(body: bytes) -> Answer:
    """Read an error body, whatever it is."""
    error = untrusted.json_object(body).get("error")
    if not isinstance(error, dict):
        return Answer()
    error = cast("dict[str, Any]", error)
    told: dict[str, list[Any]] = {}
    for detail in _dicts(error.get("details")):
        kind = untrusted.text_of(detail.get("@type")).rpartition("/")[2]
        reader = _READERS.get(kind.rpartition(".")[2])
        if reader is None:
            continue
        for name, value in reader(detail).items():
            if value not in _NOTHING:
                told.setdefault(name, []).append(value)
    return Answer(
        rpc=_word(error.get("status")),
        message=untrusted.text_of(error.get("message"), limit=untrusted.TEXT_LIMIT),
        readable=True,
        **{name: _together(name, values) for name, values in told.items()},
    )


_NOTHING: Final = (None, "", ())
_CODES: Final = frozenset({"fcm", "apns"})


def _together(name: str, values: list[Any]) -> Any:
    """What several details of one kind come to. Their order means nothing, so it decides nothing that matters."""
    if isinstance(values[0], tuple):
        return tuple(item for value in values for item in value)
    if name in _CODES and any(value != values[0] for value in values):
        return ""  # two codes that contradict each other are evidence for neither
    return values[0]


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    # Not bounded here: the body is.
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            if isinstance(item, dict):
                yield cast("dict[str, Any]", item)


def _word(value: object) -> str:
    """A machine's word such as ``NOT_FOUND``, or empty."""
    text = untrusted.text_of(value, limit=_LONGEST_WORD + 1)
    return text if text and len(text) <= _LONGEST_WORD and _WORD.issuperset(text) else ""


def _fcm_error(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"fcm": _word(detail.get("errorCode"))}


def _apns_error(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    reason = untrusted.text_of(detail.get("reason"), limit=_LONGEST_WORD)
    status = detail.get("statusCode")
    known = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 999
    return {"apns": reason if reason.isascii() and reason.isalnum() else "", "apns_status": status if known else None}


def _violations(detail: Mapping[str, Any], list_name: str, field: str) -> tuple[Violation, ...]:
    return tuple(
        Violation(field=untrusted.text_of(item.get(field)), text=untrusted.text_of(item.get("description")))
        for item in _dicts(detail.get(list_name))
    )


def _bad_request(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"violations": _violations(detail, "fieldViolations", "field")}


def _quota_failure(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"quotas": _violations(detail, "violations", "subject")}


def _error_info(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = detail.get("metadata")
    limit = ""
    if isinstance(metadata, dict):
        limit = untrusted.text_of(cast("dict[str, Any]", metadata).get("quota_limit"))
    return {"info": _word(detail.get("reason")), "quota_limit": limit}


def _retry_info(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    text = untrusted.text_of(detail.get("retryDelay"), limit=_LONGEST_DELAY_TEXT + 1)
    number = text[:-1] if text.endswith("s") and len(text) <= _LONGEST_DELAY_TEXT else ""
    if not number or not number.isascii() or not number.replace(".", "", 1).isdigit():
        return {}
    return {"retry_delay": min(float(number), untrusted.RETRY_AFTER_CAP)}


_READERS = {
    "FcmError": _fcm_error,
    "ApnsError": _apns_error,
    "BadRequest": _bad_request,
    "QuotaFailure": _quota_failure,
    "ErrorInfo": _error_info,
    "RetryInfo": _retry_info,
}
