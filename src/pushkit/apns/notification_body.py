"""
The ``aps`` dictionary of a portable notification, with what ``apns.Options`` adds.

Source: Apple, "Generating a remote notification".
"""

from __future__ import annotations

from typing import Any, TypeVar

from pushkit.apns.json_text import Refused, custom_keys, localized_args, mapping_in, text_in, wrong
from pushkit.apns.messages.options import Options
from pushkit.notification import InterruptionLevel, Localized, Notification, Sound
from pushkit.own_reasons import refuse

_NOTHING = Options()
_T = TypeVar("_T")


def body_for(notification: Notification, given: Options | None) -> tuple[dict[str, Any], bool]:
    """
    The payload, and whether it is an alert push (False: a background push).

    Raises:
        Refused: naming the field that cannot be sent.
    """
    options = _NOTHING if given is None else given
    aps: dict[str, Any] = {}
    alert = _alert(notification, options)
    if alert:
        aps["alert"] = alert
    badge: object = _chosen(options.badge, notification.badge)
    if badge is not None:
        field = "badge" if options.badge is None else "apns.Options.badge"
        if isinstance(badge, bool) or not isinstance(badge, int) or badge < 0:
            raise wrong(field, "is no number of 0 or more")
        aps["badge"] = badge
    sound = _sound(options.sound, "apns.Options.sound") if options.sound is not None else _sound(notification.sound, "sound")
    if sound is not None:
        aps["sound"] = sound
    shows = bool(aps)
    if notification.background and shows:
        raise Refused(refuse("background_with_content", field="background"))
    _settings(aps, notification, options)
    if notification.background or options.content_available:
        aps["content-available"] = 1
    if options.aps:
        mapping_in(options.aps, "apns.Options.aps")
        aps.update(options.aps)
        shows = shows or any(key in options.aps for key in ("alert", "badge", "sound"))
    body: dict[str, Any] = {"aps": aps}
    _custom(body, notification, options)
    if not shows and not notification.background:
        raise Refused(refuse("empty_message", field="title"))
    return body, shows


def _chosen(option: _T | None, portable: _T | None) -> _T | None:
    return portable if option is None else option


def _alert(notification: Notification, options: Options) -> dict[str, Any]:
    alert: dict[str, Any] = {}
    for name, option, portable in (
        ("title", options.title, notification.title),
        ("subtitle", options.subtitle, notification.subtitle),
        ("body", options.body, notification.body),
    ):
        text = portable if option is None else option
        if text is None or text == "":
            continue
        if isinstance(text, str):
            alert[name] = text
        else:
            _localized(alert, "" if name == "body" else f"{name}-", text, name if option is None else f"apns.Options.{name}")
    if options.launch_image is not None:
        alert["launch-image"] = text_in(options.launch_image, "apns.Options.launch_image")
    return alert


def _localized(alert: dict[str, Any], prefix: str, text: object, field: str) -> None:
    if not isinstance(text, Localized):
        raise wrong(field, f"is a {type(text).__name__}; expected text or Localized")
    alert[f"{prefix}loc-key"] = text_in(text.key, f"{field}.key")
    if text.args:
        alert[f"{prefix}loc-args"] = localized_args(text, field)


def _sound(sound: object, field: str) -> str | dict[str, Any] | None:
    if sound is None or sound == "":
        return None
    if isinstance(sound, str):
        return sound
    if not isinstance(sound, Sound):
        raise wrong(field, f"is a {type(sound).__name__}; expected text or Sound")
    name = text_in(sound.name, f"{field}.name")
    volume: object = sound.volume
    if volume is not None and (isinstance(volume, bool) or not isinstance(volume, (int, float)) or not 0 <= volume <= 1):
        raise wrong(f"{field}.volume", "is no number from 0 to 1")
    if not sound.critical:
        if volume is not None:
            raise wrong(f"{field}.volume", "is for critical sounds only; set critical=True (Apple's entitlement is needed) or leave it out")
        return name
    return {"critical": 1, "name": name} | ({} if volume is None else {"volume": volume})


def _settings(aps: dict[str, Any], notification: Notification, options: Options) -> None:
    for key, option, portable, field in (
        ("category", options.category, notification.category, "category"),
        ("thread-id", options.thread_id, notification.group, "group"),
        ("filter-criteria", options.filter_criteria, None, "filter_criteria"),
        ("target-content-id", options.target_content_id, None, "target_content_id"),
    ):
        if option is not None:
            aps[key] = text_in(option, f"apns.Options.{'thread_id' if key == 'thread-id' else field}")
        elif portable is not None:
            aps[key] = text_in(portable, field)
    level = _chosen(options.interruption, notification.interruption)
    if level is not None:
        aps["interruption-level"] = InterruptionLevel(level).value
    score: object = options.relevance_score
    if score is not None:
        if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
            raise wrong("apns.Options.relevance_score", "is no number from 0 to 1")
        aps["relevance-score"] = score
    # A picture is fetched by the app's service extension, which runs for mutable content only.
    if options.mutable_content or (notification.image is not None and not notification.background):
        aps["mutable-content"] = 1


def _custom(body: dict[str, Any], notification: Notification, options: Options) -> None:
    data: object = notification.data
    if data:
        custom_keys(body, mapping_in(data, "data"), "data", texts_only=True)
    if options.payload:
        custom_keys(body, mapping_in(options.payload, "apns.Options.payload"), "apns.Options.payload")
    for name, value in (("image", notification.image), ("link", notification.link)):
        if value is None:
            continue
        if body.setdefault(name, text_in(value, name)) != value:
            raise wrong(
                "data", f"has the key {name!r} with another value than the notification's {name}; use one of the two", reason="reserved_key"
            )
