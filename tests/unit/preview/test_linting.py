"""What the linter says before anybody gets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.canaries import Canaries, LeakCatcher

from pushkit import InterruptionLevel, Localized, Notification, Priority, Sound, apns, fcm, webpush
from pushkit.preview import Effect, LintWarning, lint, preview
from pushkit.preview.browser_rules import PORTABLE
from pushkit.preview.mapping import PROVIDERS
from pushkit.webpush.limits import PORTABLE_LIMIT

FINE = Notification(
    title="Your order",
    body="It is on its way.",
    options=(fcm.Options(android=fcm.AndroidConfig(notification=fcm.AndroidNotification(channel_id="orders"))),),
)


def found(message: Any, effect: Effect | None = None, field: str | None = None, **changes: Any) -> list[LintWarning]:
    return [warning for warning in lint(message, **changes) if effect in (None, warning.effect) and field in (None, warning.field)]


def test_a_good_notification_has_no_warnings() -> None:
    """Silence means something."""
    assert [] == lint(FINE)


def test_a_long_text_is_cut_and_marked_approximate() -> None:
    """How much is shown is said, and that no vendor documents it."""
    warnings = found(Notification(title="x" * 60, body="short"), Effect.CUT, "title")

    assert {"ios", "android", "macos", "linux"} == {warning.platform for warning in warnings}
    assert all(warning.approximate for warning in warnings)
    assert "of 60 characters" in warnings[0].message


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_provider_refuses_is_refused_here(provider: str) -> None:
    """An oversize message is found by the provider's own check, and nothing else is said about it."""
    warnings = lint(Notification(title="x", body="y" * 5000), providers=[provider])

    assert [Effect.REFUSED] == [warning.effect for warning in warnings]
    assert not warnings[0].approximate


def test_refusals_come_first() -> None:
    """The worst is read first."""
    effects = [warning.effect for warning in lint(Notification(title=Localized("KEY"), icon="ic_x", sound="default"))]

    assert Effect.REFUSED is effects[0]
    assert effects == sorted(effects, key=list(Effect).index)


@pytest.mark.parametrize(
    ("changes", "effect", "provider", "field"),
    [
        ({"subtitle": "s"}, Effect.IGNORED, "fcm", "subtitle"),
        ({"subtitle": "s"}, Effect.CHANGED, "webpush", "subtitle"),
        ({"icon": "ic_bell"}, Effect.IGNORED, "apns", "icon"),
        ({"icon": "ic_bell"}, Effect.IGNORED, "webpush", "icon"),
        ({"sound": "a.caf"}, Effect.IGNORED, "webpush", "sound"),
        ({"group": "g"}, Effect.IGNORED, "fcm", "group"),
        ({"category": "c"}, Effect.IGNORED, "fcm", "category"),
        ({"image": "https://x.example/a.png"}, Effect.NEEDS_APP, "apns", "image"),
        ({"link": "https://x.example/"}, Effect.NEEDS_APP, "apns", "link"),
        ({"link": "https://x.example/"}, Effect.NEEDS_APP, "webpush", "link"),
        ({"badge": 3}, Effect.NEEDS_APP, "webpush", "badge"),
        ({"badge": 0}, Effect.IGNORED, "fcm", "badge"),
        ({"priority": Priority.LOW}, Effect.CHANGED, "fcm", "priority"),
        ({"interruption": InterruptionLevel.TIME_SENSITIVE}, Effect.IGNORED, "webpush", "interruption"),
        ({"interruption": InterruptionLevel.TIME_SENSITIVE}, Effect.NEEDS_APP, "apns", "interruption"),
        ({"sound": Sound(critical=True)}, Effect.NEEDS_APP, "apns", "sound"),
        ({"image": "http://x.example/a.png"}, Effect.HIDDEN, "apns", "image"),
        ({"link": "myapp://order/1"}, Effect.IGNORED, "fcm", "link"),
        ({"title": Localized("KEY", (), "Fallback")}, Effect.CHANGED, "webpush", "title"),
        ({"title": Localized("KEY", (), "Fallback")}, Effect.NEEDS_APP, "apns", "title"),
        ({"title": Localized("KEY")}, Effect.REFUSED, "webpush", "title"),
        ({"ttl": 0}, Effect.NOTE, "apns", "ttl"),
        ({"ttl": timedelta(days=60)}, Effect.CUT, "apns", "ttl"),
        ({"title": "x\u202ey"}, Effect.NOTE, "apns", "title"),
        ({"title": None}, Effect.NOTE, "webpush", "title"),
        ({"data": {"collapse_key": "x"}}, Effect.NOTE, "fcm", "data['collapse_key']"),
        ({"data": {"from": "x"}}, Effect.REFUSED, "fcm", None),
        ({"collapse_key": "k" * 65}, Effect.REFUSED, "apns", "collapse_key"),
        ({"options": ()}, Effect.NOTE, "fcm", "android.notification.channel_id"),
    ],
)
def test_each_loss_is_told(changes: dict[str, Any], effect: Effect, provider: str, field: str | None) -> None:
    """A field that a provider cannot show makes a warning with that field, and the same notification without it does not."""
    import attrs

    with_it = found(attrs.evolve(FINE, **changes), effect, field, providers=[provider])

    assert [provider] == list({warning.provider for warning in with_it})
    assert [] == [warning for warning in lint(FINE, providers=[provider]) if warning.field == field and field is not None]


@pytest.mark.parametrize(
    ("changes", "provider", "field"),
    [
        ({"priority": Priority.NORMAL}, "fcm", "priority"),
        ({"icon": "https://x.example/i.png"}, "webpush", "icon"),
        ({"interruption": InterruptionLevel.PASSIVE}, "webpush", "interruption"),
        ({"ttl": 3600}, "apns", "ttl"),
        ({"data": {"order": "4711"}}, "fcm", None),
        ({"label": "campaign"}, "apns", "label"),
        ({"badge": 3}, "apns", "badge"),
    ],
)
def test_what_is_not_lost_is_not_told(changes: dict[str, Any], provider: str, field: str | None) -> None:
    """A warning for nothing teaches people not to read them."""
    import attrs

    assert [] == found(attrs.evolve(FINE, **changes), None, field, providers=[provider])


def test_a_background_push_is_told_of_its_priority() -> None:
    """Apple takes 5 only, Android punishes high priority without a display."""
    warnings = found(Notification(background=True, data={"a": "b"}), Effect.CHANGED, "priority")

    assert ["apns", "fcm"] == [warning.provider for warning in warnings]


def test_phones_behind_web_push_take_less() -> None:
    """Between the portable and the hard limit it is a note, above it a refusal."""
    (note,) = found(Notification(title="t", body="x" * 3000), Effect.NOTE, "body", providers=["webpush"])

    assert note.approximate
    assert PORTABLE_LIMIT == PORTABLE


def test_a_topic_takes_less_than_a_device() -> None:
    """FCM takes 2048 bytes for a topic: told before a broadcast finds out."""
    warnings = found(Notification(title="t", body="x" * 3000), Effect.NOTE, "body", providers=["fcm"])

    assert ["fits a device, and is too long for a topic or condition (2048 bytes)."] == [warning.message for warning in warnings]


def test_a_providers_own_message_is_linted_for_that_provider() -> None:
    """An APNs push says nothing about Web Push; asked all the same, it is refused there."""
    push = apns.Push({"aps": {"alert": {"title": "x" * 60}}})

    assert {"apns"} == {warning.provider for warning in lint(push)}
    assert [Effect.REFUSED] == [warning.effect for warning in lint(push, providers=["webpush"])]


def test_a_push_without_content_is_told() -> None:
    """Browsers show a general notice for it."""
    assert 1 == len(found(webpush.Message(), Effect.NOTE, "data"))


def test_an_unknown_provider_is_refused() -> None:
    """The error names what there is."""
    with pytest.raises(ValueError, match="no such provider: 'hms'; there are apns, fcm, webpush"):
        lint(FINE, providers=["hms"])


def test_something_else_than_a_message_is_refused() -> None:
    """A mapping is no message."""
    with pytest.raises(TypeError, match="found a dict"):
        lint({"title": "x"})  # type: ignore[arg-type]


def test_a_warning_prints_as_one_line() -> None:
    """Effect, where, field, what, mend."""
    (warning,) = found(Notification(title="x", image="http://x.example/a.png"), Effect.HIDDEN, "image", providers=["apns"])

    assert "hidden: apns: image: is an http:// address: phones and browsers block it or warn. Use https://." == str(warning)


@pytest.mark.parametrize(
    "garbage", [{"title": 7}, {"badge": "3"}, {"data": [1]}, {"sound": 3}, {"image": b"x"}, {"link": 9}, {"ttl": "x"}, {"options": 3}]
)
def test_garbage_is_refused_and_not_raised(garbage: dict[str, Any]) -> None:
    """Wrong data are warnings like everything else."""
    warnings = lint(Notification(**{"title": "x"} | garbage))

    assert Effect.REFUSED is warnings[0].effect


def test_no_warning_holds_the_text(canaries: Canaries, leaks: LeakCatcher) -> None:
    """Warnings are shared in tickets; what a notification says is not in them."""
    notification = Notification(
        title=canaries.title * 3,
        subtitle=canaries.title * 3,
        body=canaries.body * 200,
        image=f"http://x.example/{canaries.data}",
        link=f"myapp://{canaries.data}",
        data={"from": canaries.data},
    )
    for warning in lint(notification):
        leaks.see(warning)


def test_a_warning_is_ready_for_json() -> None:
    """Plain values under the names of the fields."""
    import json

    (warning,) = lint(Notification(title="x", body="y" * 5000), providers=["apns"])

    assert {"effect": "refused", "provider": "apns", "platform": None, "approximate": False}.items() <= json.loads(
        json.dumps(warning.as_dict())
    ).items()


_GARBAGE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.binary(max_size=10),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.builds(Localized, st.text(max_size=5), st.lists(st.text(max_size=5), max_size=2), st.one_of(st.none(), st.text(max_size=10), st.integers())),
    st.builds(Sound, name=st.one_of(st.text(max_size=5), st.integers()), critical=st.booleans(), volume=st.one_of(st.none(), st.floats(), st.text(max_size=3))),
)  # fmt: skip
_FIELDS = ["title", "subtitle", "body", "image", "icon", "badge", "sound", "link", "category", "group", "collapse_key", "data", "background", "options", "ttl", "key", "label"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(_FIELDS), _GARBAGE, max_size=5))
def test_nothing_that_a_field_can_hold_raises(fields: dict[str, Any]) -> None:
    """Real rows hold garbage: it becomes warnings and a card that says why, in every form."""
    notification = Notification(**fields)
    for warning in lint(notification):
        assert str(warning)
    found = preview(notification)
    assert found.text()
    assert found.html()


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)), lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8) | st.sampled_from(["aps", "alert", "title", "body", "badge", "sound", "category", "title-loc-key", "loc-args", "content-available"]), inner, max_size=4)), max_leaves=12))  # fmt: skip
def test_any_raw_payload_can_be_looked_at(payload: Any) -> None:
    """What is given as JSON may be anything that JSON can say."""
    for message in (
        apns.Push(payload),
        apns.Push({"aps": payload}),
        webpush.Message(payload),
        webpush.Message({"notification": payload}),
        fcm.Message(apns=fcm.ApnsConfig(payload={"aps": payload})),
        fcm.Message(notification=fcm.Notification(title="x"), apns=fcm.ApnsConfig(payload={"aps": {"alert": payload}})),
        fcm.Message(webpush=fcm.WebpushConfig(notification=payload)),
    ):
        found = preview(message)
        assert found.text()
        assert all(str(warning) for warning in found.warnings)


def test_a_warning_prints_harmlessly() -> None:
    """A field may be named after a key of the caller's data: printed, it does nothing to a terminal."""
    for warning in lint(Notification(title="x", data={"from\x1b[31m\u202e": "x", "google.\x1b": "y"})):
        assert not set("\x1b\u202e") & set(str(warning))
