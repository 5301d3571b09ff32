"""
Rules about Apple's devices, whether APNs or FCM leads there.

Sources: Apple, "Generating a remote notification", "Sending notification requests to APNs", "Starting and
updating Live Activities with ActivityKit push notifications", and Google's ``ApnsConfig``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from pushkit.notification import Notification, Priority
from pushkit.preview import payloads
from pushkit.preview.case import Case, Effect, Finding, mapping
from pushkit.verdict import Verdict

_LEVELS = ("passive", "active", "time-sensitive", "critical")
_SHOWN = ("alert", "badge", "sound")
_LONGEST_END = timedelta(hours=4)
_CALL = 60.0
"""Seconds after which nobody waits for a call any more."""


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    # true and false are numbers to Apple's parser.
    return isinstance(value, (int, float))


def _object(value: object) -> bool:
    return isinstance(value, dict)


def _text_or_object(value: object) -> bool:
    return isinstance(value, (str, dict))


def _level(value: object) -> bool:
    return value in _LEVELS


def _anything(_: object) -> bool:
    return True


_APS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "alert": (_text_or_object, "an object or text"),
    "badge": (_number, "a number"),
    "sound": (_text_or_object, "text, or an object for a critical alert"),
    **dict.fromkeys(("content-available", "mutable-content"), (_number, "the number 1")),
    **dict.fromkeys(("thread-id", "category", "target-content-id", "filter-criteria"), (_text, "text")),
    **dict.fromkeys(("event", "attributes-type", "input-push-channel"), (_text, "text")),
    **dict.fromkeys(("content-state", "attributes"), (_object, "an object")),
    **dict.fromkeys(("timestamp", "stale-date", "dismissal-date"), (_number, "whole seconds since 1970")),
    **dict.fromkeys(("relevance-score", "content-changed", "input-push-token"), (_number, "a number")),
    "interruption-level": (_level, "passive, active, time-sensitive or critical"),
    # Older pages of Apple's have these.
    **dict.fromkeys(("url-args", "mdm", "summary-arg", "summary-arg-count", "action", "action-loc-key"), (_anything, "")),
}
_ALERT = frozenset(
    {f"{prefix}{name}" for prefix in ("", "title-", "subtitle-") for name in ("loc-key", "loc-args")}
    | {"title", "subtitle", "body", "launch-image", "sound", "summary-arg", "summary-arg-count", "action", "action-loc-key"}
)


def known_keys(case: Case) -> Iterator[Finding]:
    """Apple passes over what it does not know and what has the wrong type, and says nothing."""
    aps = case.aps
    for key, value in aps.items():
        field = f"aps.{key[:40]}"
        known = _APS.get(key)
        if known is None:
            yield Finding(
                effect=Effect.IGNORED,
                field=field,
                message="is no key that Apple knows.",
                mend="Data for the app go beside aps, not inside.",
            )
        elif not known[0](value):
            yield Finding(effect=Effect.IGNORED, field=field, message=f"has the wrong type: Apple expects {known[1]}.")
    for key in mapping(aps.get("alert")):
        if key not in _ALERT:
            yield Finding(effect=Effect.IGNORED, field=f"aps.alert.{key[:40]}", message="is no key that Apple knows.")


def push_type(case: Case) -> Iterator[Finding]:
    """What an alert has to hold, and a background push must not."""
    kind = getattr(case.message, "push_type", None) if case.provider == "apns" else None
    seen = [key for key in _SHOWN if key in case.aps]
    if kind == "background" and seen:
        yield Finding(
            effect=Effect.NOTE,
            field=f"aps.{seen[0]}",
            message="does not belong into a background push: Apple may refuse, delay or drop it.",
            mend="Send it with the push type alert.",
        )
    if kind == "alert" and not seen:
        yield Finding(effect=Effect.HIDDEN, field="aps", message="holds no alert, badge or sound: the person sees and hears nothing.")


def entitlements(case: Case) -> Iterator[Finding]:
    """Levels that Apple has to permit."""
    level, sound = case.aps.get("interruption-level"), case.aps.get("sound")
    if level == "critical" or mapping(sound).get("critical"):
        yield Finding(
            effect=Effect.NEEDS_APP,
            field=_named(case, "interruption" if level == "critical" else "sound"),
            message="critical alerts work only with Apple's entitlement and the person's consent; otherwise they are ordinary ones.",
            mend="Ask Apple for the critical alerts entitlement.",
        )
    elif level == "time-sensitive":
        yield Finding(
            effect=Effect.NEEDS_APP,
            field=_named(case, "interruption"),
            message="time-sensitive alerts work only with the capability of that name; otherwise they are ordinary ones.",
            mend="Add the Time Sensitive Notifications capability to the app.",
        )


def sounds(case: Case) -> Iterator[Finding]:
    """A name without an ending is no file; a passive notification is silent."""
    sound = case.aps.get("sound")
    name = mapping(cast("object", sound)).get("name", sound)
    if case.aps.get("interruption-level") == "passive" and sound:
        yield Finding(effect=Effect.IGNORED, field="sound", message="a passive notification plays no sound.")
    elif isinstance(name, str) and name != "default" and "." not in name:
        yield Finding(
            effect=Effect.NOTE,
            field="sound",
            message="names no file: iPhones look for the whole name with its ending, and play the default sound when there is none.",
            mend='Give the name with its ending, such as "chime.caf".',
        )


def urgency(case: Case) -> Iterator[Finding]:
    """What breaks through Focus should not wait for the battery."""
    message = case.message
    if (
        isinstance(message, Notification)
        and not message.background
        and message.priority is not Priority.HIGH
        and case.aps.get("interruption-level") in {"time-sensitive", "critical"}
    ):
        yield Finding(
            effect=Effect.NOTE,
            field="priority",
            message=f"is {message.priority.name}: a {case.aps['interruption-level']} alert may come late.",
            mend="Leave priority at HIGH.",
        )


def background_priority(case: Case) -> Iterator[Finding]:
    """Apple's one priority for background pushes."""
    message = case.message
    if isinstance(message, Notification) and message.background and message.priority is not Priority.NORMAL:
        yield Finding(
            effect=Effect.CHANGED, field="priority", message="a background push always has priority 5 (NORMAL): Apple refuses any other."
        )


def background_budget(case: Case) -> Iterator[Finding]:
    """For messages of APNs's own; the mapping table says it of a portable one."""
    if not isinstance(case.message, Notification) and getattr(case.message, "push_type", None) == "background":
        yield Finding(
            effect=Effect.NOTE, field=None, message="The system lets two or three background pushes an hour through and keeps the newest."
        )


def calls(case: Case) -> Iterator[Finding]:
    """A call that rings when it is over."""
    message = case.message
    ttl = message.ttl.total_seconds() if isinstance(message.ttl, timedelta) else message.ttl
    if getattr(message, "push_type", None) in {"voip", "pushtotalk"} and isinstance(ttl, (int, float)) and ttl > _CALL:
        yield Finding(
            effect=Effect.NOTE, field="ttl", message="the device rings even when the call is long over.", mend="Keep it to a few seconds."
        )


def live_activity(case: Case) -> Iterator[Finding]:
    """Staleness, budget and the end of a Live Activity."""
    from pushkit.apns import LiveActivityEnd, LiveActivityStart, LiveActivityUpdate

    message = case.message
    if not isinstance(message, (LiveActivityStart, LiveActivityUpdate, LiveActivityEnd)):
        return
    begin = message.timestamp or case.now
    stale = _moment(message.stale_date, begin)
    if stale is not None and stale <= begin:
        yield Finding(
            effect=Effect.NOTE, field="stale_date", message="is no later than the state itself: it counts as out of date at once."
        )
    if isinstance(message, LiveActivityEnd):
        end = _moment(message.dismissal_date, begin)
        if end is not None and end - begin > _LONGEST_END:
            yield Finding(
                effect=Effect.CUT, field="dismissal_date", message="the card goes from the lock screen after four hours at the latest."
            )
        return
    if stale is None:
        yield Finding(
            effect=Effect.NOTE,
            field="stale_date",
            message="is not set: when no later update arrives, an old state looks like a fresh one.",
            mend="Say until when this state can be believed.",
        )
    if isinstance(message, LiveActivityUpdate) and message.title is None and message.priority in {None, Priority.HIGH}:
        yield Finding(
            effect=Effect.NOTE,
            field="priority",
            message="HIGH counts against the app's hourly budget, and what is over it comes late.",
            mend="Use NORMAL for updates that can wait.",
        )
    if isinstance(message, LiveActivityStart):
        if message.collapse_id is None:
            yield Finding(
                effect=Effect.NOTE,
                field="collapse_id",
                message="is not set: a second start that waited for the device makes a second card.",
            )
        if message.input_push_channel is not None:
            yield Finding(
                effect=Effect.NOTE, field="input_push_channel", message="iOS 17 does not start an activity that listens to a channel."
            )


def other_targets(case: Case) -> Iterator[Finding]:
    """What a channel takes and a single activity does not, or the other way round."""
    if case.provider != "apns":
        return
    for kind in payloads.apns_kinds(case.message):
        refusal = payloads.apns_payload_for(case.message, kind)
        if isinstance(refusal, Verdict):
            yield Finding(
                effect=Effect.NOTE, field=refusal.field, message=f"an apns.{kind.__name__} does not take it.", mend=refusal.advice
            )


def _moment(value: Any, begin: datetime) -> datetime | None:
    return begin + value if isinstance(value, timedelta) else value


def _named(case: Case, field: str) -> str:
    return field if isinstance(case.message, Notification) else {"interruption": "aps.interruption-level"}.get(field, f"aps.{field}")


RULES = (
    known_keys, push_type, entitlements, sounds, urgency, background_priority, background_budget, calls, live_activity, other_targets,
)  # fmt: skip
"""For all that leads to an iPhone."""
