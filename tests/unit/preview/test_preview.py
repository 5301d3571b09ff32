"""What the platforms would show, in three forms."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.canaries import Canaries, LeakCatcher

from pushkit import InterruptionLevel, Localized, Notification, Sound, apns, fcm, webpush
from pushkit.preview import SCREENS, Look, preview

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)> ]]> \x1b]0;title\x07\x1b[31m \u202etxet </text></svg> **bold** [a](javascript:1) &lt;'


def look(message, platform: str, **changes) -> Look:
    (found,) = preview(message, [platform], **changes).looks
    return found


def shown(found: Look) -> str:
    return " ".join((*found.title.lines, *(found.subtitle.lines if found.subtitle else ()), *found.body.lines))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data) -> None:
        self.text.append(data)


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def test_every_platform_shows_a_notification() -> None:
    """Title and body are on each screen."""
    found = preview(Notification(title="Your order", body="It is on its way."))

    assert tuple(SCREENS) == tuple(look.screen.key for look in found.looks)
    assert all("Your order" in shown(look) and "on its way" in shown(look) for look in found.looks)


def test_platforms_can_be_chosen() -> None:
    """One name or several."""
    notification = Notification(title="x")

    assert ["android"] == [look.screen.key for look in preview(notification, "android").looks]
    assert ["linux", "ios"] == [look.screen.key for look in preview(notification, ["linux", "ios"]).looks]


def test_an_unknown_platform_is_refused() -> None:
    """The error names what there is."""
    with pytest.raises(ValueError, match=r"no such platform: 'blackberry'; there are ios, android"):
        preview(Notification(title="x"), ["blackberry"])


def test_something_else_than_a_message_is_refused() -> None:
    """A plain text is a programmer's mistake."""
    with pytest.raises(TypeError, match=r"expected a pushkit\.Notification or a provider's message, found a str"):
        preview("hello")  # type: ignore[arg-type]


def test_a_subtitle_has_its_own_line_on_an_iphone_only() -> None:
    """Android has none; browsers get it as the first line of the body."""
    notification = Notification(title="T", subtitle="Sub", body="Body")
    ios, android, windows = (look(notification, name) for name in ("ios", "android", "windows"))

    assert ios.subtitle is not None
    assert ("Sub",) == ios.subtitle.lines
    assert "Sub" not in shown(android)
    assert ("Sub", "Body") == windows.body.lines


def test_a_background_push_shows_nothing() -> None:
    """No card, and what happens instead."""
    found = preview(Notification(background=True, data={"a": "b"}))

    assert [False] * 5 == [look.shown for look in found.looks]
    assert all(look.why for look in found.looks)


def test_a_refused_message_says_why() -> None:
    """What would be a PayloadFailure is one here, with the same advice."""
    found = look(Notification(title="x" * 5000), "ios")

    assert (False, True) == (found.shown, found.refused)
    assert "Shorten the message" in found.why


def test_texts_that_the_app_translates_show_their_fallback() -> None:
    """Without a fallback the key and its arguments stand in."""
    with_fallback = look(Notification(title=Localized("SHIPPED", ("4711",), "Shipped")), "ios")
    without = look(Notification(title=Localized("SHIPPED", ("4711",))), "ios")

    assert ("Shipped",) == with_fallback.title.lines
    assert ("[SHIPPED: 4711]",) == without.title.lines
    assert any("translates" in note for note in with_fallback.notes)


def test_an_iphone_behind_fcm_translates_as_well() -> None:
    """There the fallback stands beside the key."""
    found = look(Notification(title=Localized("SHIPPED", ("4711",), "Shipped")), "ios", providers=["fcm"])

    assert ("Shipped",) == found.title.lines
    assert any("translates" in note for note in found.notes)


def test_a_picture_is_a_box_with_its_host() -> None:
    """Nothing is fetched; where no picture is shown there is no box."""
    notification = Notification(title="x", image="https://cdn.example/secret-path.png")

    assert "cdn.example" == look(notification, "windows").picture
    assert look(notification, "macos").picture is None
    assert "secret-path" not in preview(notification).html()


def test_badges_are_shown_where_they_exist() -> None:
    """A number on the icon, except where the platform has none."""
    notification = Notification(title="x", badge=12)

    assert 12 == look(notification, "ios").badge
    assert look(notification, "linux").badge is None


def test_a_number_is_told_and_not_drawn() -> None:
    """No platform shows it on the notification: it is on the app's icon."""
    found = preview(Notification(title="x", badge=12))

    assert ["becomes 12" in " ".join(look.notes) for look in found.looks] == [look.badge is not None for look in found.looks]
    assert "goes away" in " ".join(look(Notification(title="x", badge=0), "ios").notes)


def test_what_opening_shows_is_shown_below() -> None:
    """Where the body is cut or the picture is small, a second card has all of it; where there is no more, there is none."""
    long, short = Notification(title="x", body="word " * 40, image="https://cdn.example/p.png"), Notification(title="x", body="short")

    assert [True, True, False, True, True] == [look.unfolds for look in preview(long).looks]
    assert not any(look.unfolds for look in preview(short).looks)
    assert 4 == preview(long).svg().count("after opening it") == preview(long).text().count("╌ after opening it ╌")


def test_text_from_right_to_left_starts_at_the_right() -> None:
    """As on every platform: by its first letter."""
    hebrew, english = (preview(Notification(title=title), "ios").svg() for title in ("(1) שלום עולם", "Hello שלום"))

    assert ' direction="rtl"' in hebrew
    assert ' direction="rtl"' not in english


def test_a_line_of_narrow_letters_is_whole_in_a_terminal() -> None:
    """The box is as wide as what is in it."""
    text = "ill it till " * 5

    assert text.strip() in preview(Notification(title="x", body=text), "windows").text()


def test_the_same_warning_is_printed_once() -> None:
    """With every place where it holds."""
    text = preview(Notification(title="<b>x</b>")).text()

    assert 1 == text.count("holds HTML")
    assert "note: apns, fcm, webpush: title: holds HTML" in text


def test_a_preview_is_ready_for_json() -> None:
    """Lines, notes and warnings as plain values."""
    found = json.loads(json.dumps(preview(Notification(title="Hello", body="World"), ["ios", "android"]).as_dict()))

    assert [("ios", ["Hello"], ["World"]), ("android", ["Hello"], ["World"])] == [
        (look["platform"], look["title"], look["body"]) for look in found["looks"]
    ]
    assert {"note"} == {warning["effect"] for warning in found["warnings"]}


def test_levels_and_sound_are_noted_on_an_iphone() -> None:
    """What cannot be drawn is said below the card."""
    loud = look(Notification(title="x", sound=Sound(critical=True), interruption=InterruptionLevel.CRITICAL, group="g"), "ios")
    quiet = look(Notification(title="x"), "ios")

    assert any("mute switch" in note for note in loud.notes)
    assert any("group" in note for note in loud.notes)
    assert "no sound" in quiet.notes


def test_buttons_of_a_browser_are_shown_up_to_its_number() -> None:
    """Chrome shows two of three."""
    buttons = tuple(webpush.Button(action=name, title=name.title()) for name in ("open", "later", "never"))
    notification = Notification(title="x", options=(webpush.Options(actions=buttons),))

    assert ("Open", "Later") == look(notification, "windows").actions


def test_through_fcm_alone_iphones_and_browsers_are_shown_too() -> None:
    """A team that uses FCM for everything sees what Google passes on."""
    notification = Notification(title="Your order", subtitle="4711", body="On its way", image="https://cdn.example/p.png", badge=2)
    found = preview(notification, providers=["fcm"])
    ios, windows = found.looks[0], found.looks[2]

    assert {"fcm"} == {look.provider for look in found.looks}
    assert "Your order 4711 On its way" == shown(ios)
    assert 2 == ios.badge
    assert "Your order On its way" == shown(windows)
    assert {"fcm"} == {warning.provider for warning in found.warnings}


def test_a_raw_apns_push_is_shown_on_an_iphone() -> None:
    """The payload as Apple writes it; other platforms are not reached."""
    push = apns.Push({"aps": {"alert": {"title": "Goal!", "body": "1:0"}, "badge": 1}})

    assert "Goal! 1:0" == shown(look(push, "ios"))
    assert not look(push, "android").shown
    assert "does not go to this platform" in look(push, "android").why


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (apns.Background(data={"a": 1}), "wakes the app"),
        (apns.Voip(data={"call": "1"}), "incoming call"),
        (apns.WidgetsRefresh(), "widgets reload"),
        (apns.Push({"aps": {"badge": 0}}), "only the number"),
        (apns.LiveActivityUpdate({"score": 1}), "without an alert"),
    ],
)
def test_apple_messages_that_show_nothing_say_what_happens(message, why: str) -> None:
    """Each push type has its own effect."""
    found = look(message, "ios")

    assert not found.shown
    assert why in found.why


def test_a_message_is_shown_where_it_goes() -> None:
    """No card says of four platforms that nothing comes there, unless one asks about them."""
    keys = {name: [look.screen.key for look in preview(message, providers=chosen).looks] for name, message, chosen in (
        ("apns", apns.Push({"aps": {"alert": "x"}}), None),
        ("webpush", webpush.Declarative(title="x", navigate="https://x.example/"), None),
        ("chosen", Notification(title="x"), ["webpush"]),
        ("misdirected", apns.Background(), ["fcm"]),
    )}  # fmt: skip

    browsers = ["windows", "macos", "linux"]
    assert {"apns": ["ios"], "webpush": browsers, "chosen": browsers, "misdirected": list(SCREENS)} == keys


def test_a_live_activity_with_an_alert_shows_it() -> None:
    """Its title and body light the screen."""
    assert "Goal! 1:0" == shown(look(apns.LiveActivityUpdate({"score": 1}, title="Goal!", body="1:0"), "ios"))


def test_an_fcm_message_shows_each_platforms_own_words() -> None:
    """A block's own title wins on its platform."""
    message = fcm.Message(
        notification=fcm.Notification(title="All", body="Body"),
        android=fcm.AndroidConfig(notification=fcm.AndroidNotification(title="Droid")),
        webpush=fcm.WebpushConfig(notification={"title": "Web", "actions": [{"action": "a", "title": "Go"}]}),
    )

    assert "Droid Body" == shown(look(message, "android"))
    assert "All Body" == shown(look(message, "ios"))
    assert "Web Body" == shown(look(message, "windows"))
    assert ("Go",) == look(message, "windows").actions


def test_data_alone_shows_nothing() -> None:
    """A data message is the app's to show."""
    assert not look(fcm.Message(data={"a": "b"}), "android").shown
    assert not look(webpush.Message({"a": 1}), "windows").shown
    assert not look(webpush.Message(), "windows").shown


def test_a_declarative_message_is_shown() -> None:
    """The browser displays it by itself."""
    declared = webpush.Declarative(title="Hello", navigate="https://example.com/", body="World", app_badge=3)
    found = look(declared, "macos")

    assert "Hello World" == shown(found)
    assert 3 == found.badge


def test_the_terminal_form_has_straight_edges() -> None:
    """Every line of a box is as wide as its edge, with Chinese and emoji inside."""
    text = preview(Notification(title="您的订单🎉已发货", body="é👍🏽 abc 你好 👨‍👩‍👧"), "windows").text()
    rows = [line for line in text.splitlines() if line.startswith(("│", "╭", "╰"))]

    from pushkit.preview.fitting import cells, clusters

    assert {62} == {sum(map(cells, clusters(row))) for row in rows}


def test_hostile_text_is_text_in_a_terminal() -> None:
    """No escape sequence gets through; with colour there are our own only."""
    notification = Notification(title=HOSTILE, body=HOSTILE, data={HOSTILE: "x"})
    plain, coloured = preview(notification, app=HOSTILE).text(), preview(notification, app=HOSTILE).text(colour=True)

    assert "\x1b" not in plain
    assert not set("\x07\u202e\x9b") & set(plain)
    assert {"\x1b[1m", "\x1b[2m", "\x1b[0m"} == set(re.findall(r"\x1b[^m]*m?", coloured))


EVERYWHERE = [
    Notification(
        title=HOSTILE, subtitle=HOSTILE, body=HOSTILE, image=f"https://{HOSTILE}", icon=HOSTILE, sound=HOSTILE, link=HOSTILE,
        category=HOSTILE, group=HOSTILE, data={HOSTILE: HOSTILE}, label=HOSTILE, key=HOSTILE, badge=10**9,
        options=(webpush.Options(actions=(webpush.Button(action=HOSTILE, title=HOSTILE),)),),
    ),
    Notification(title=Localized(HOSTILE, (HOSTILE,)), body=Localized(HOSTILE, (HOSTILE,), HOSTILE)),
    Notification(title=HOSTILE, collapse_key=HOSTILE, data={f"google.{HOSTILE}": "x"}),
    apns.Push({"aps": {HOSTILE: 1, "alert": {HOSTILE: 1, "title-loc-key": HOSTILE, "loc-key": HOSTILE, "loc-args": [HOSTILE]}, "category": HOSTILE}}),
    apns.Push({"aps": {"alert": "x", "badge": 10**400, "interruption-level": HOSTILE}}),
    apns.LiveActivityUpdate({HOSTILE: HOSTILE}, title=HOSTILE, body=HOSTILE),
    fcm.Message(
        notification=fcm.Notification(title=HOSTILE, body=HOSTILE, image=HOSTILE),
        apns=fcm.ApnsConfig(payload={"aps": {HOSTILE: HOSTILE}}),
        webpush=fcm.WebpushConfig(notification={"title": HOSTILE, "actions": [{"title": HOSTILE}]}),
    ),
    webpush.Message({"notification": {"title": HOSTILE, "body": HOSTILE, "image": HOSTILE, "actions": [{"action": HOSTILE, "title": HOSTILE}]}}),
    webpush.Declarative(title=HOSTILE, navigate=f"https://x.example/{HOSTILE}"),
]  # fmt: skip
"""Something hostile in each field that there is."""


@pytest.mark.parametrize("message", EVERYWHERE, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize("carrier", [None, "fcm"])
def test_hostile_text_is_text_in_every_form(message, carrier: str | None) -> None:
    """Whatever field it stands in: no escape reaches a terminal, no element a page, and the picture stays XML."""
    if carrier is not None and not isinstance(message, Notification):
        carrier = None
    found = preview(message, providers=carrier)
    tags = parsed(found.html())

    assert not set("\x1b\x07\u202e\x9b") & set(found.text() + found.html())
    assert not set(tags.tags) & {"script", "img", "a", "image", "iframe", "use", "b", "style>"}
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name in {"src", "href", "xlink:href"}]
    ET.fromstring(found.svg())


def test_hostile_text_is_text_in_a_page() -> None:
    """No element and no attribute comes out of a message."""
    clean = preview(Notification(title="x", body="y", link="https://example.com/"))
    hostile = preview(Notification(title=HOSTILE, body=HOSTILE, link="javascript:alert(1)", image="x:" + HOSTILE), app=HOSTILE)
    tags = parsed(hostile.html())

    assert set(tags.tags) <= set(parsed(clean.html()).tags) | {"rect", "br"}
    assert "<script>alert(1)" in "".join(tags.text)
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name in {"src", "href", "xlink:href"}]


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    """One file: no script, no reference, and a policy that forbids both."""
    page = preview(Notification(title="x", image="https://cdn.example/p.png", link="https://example.com/")).html()

    assert not set(parsed(page).tags) & {"script", "img", "image", "link", "iframe", "use", "a", "object"}
    assert "default-src 'none'" in page
    assert not re.search(r"url\((?!#)", page)


@pytest.mark.parametrize("text", [HOSTILE, "\x00\x0b\ufffe\uffff\ud800", "שלום עולם", "a&b<c>\"d'"])
def test_the_picture_is_valid_xml(text: str) -> None:
    """Whatever the text, any XML parser reads the SVG, and finds text elements only where there is text."""
    root = ET.fromstring(preview(Notification(title=text, body=text + "x"), app=text).svg())

    assert "{http://www.w3.org/2000/svg}svg" == root.tag
    assert {"svg", "style", "defs", "linearGradient", "stop", "rect", "text"} >= {element.tag.rpartition("}")[2] for element in root.iter()}


@given(st.text(max_size=200), st.text(max_size=400))
def test_any_text_can_be_previewed(title: str, body: str) -> None:
    """Nothing that a person can write makes it fail, in any form."""
    found = preview(Notification(title=title, body=body))
    found.text(colour=True)
    found.html()
    ET.fromstring(found.svg())


def test_a_repr_shows_no_text(canaries: Canaries, leaks: LeakCatcher) -> None:
    """Previews and warnings end up in logs; what people write to each other does not."""
    found = preview(Notification(title=canaries.title, body=canaries.body, data={"a": canaries.data}))
    leaks.see_text("repr", repr(found))
    leaks.see_text("repr", repr(found.looks))
    leaks.see(*found.warnings)


def test_a_preview_prints_as_text() -> None:
    """``print(preview(...))`` is the terminal form."""
    found = preview(Notification(title="x"))

    assert found.text() == str(found)
