"""What is said: JSON for the service worker, headers, limits and lifetimes."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from tests.unit.webpush.helpers import BROWSER, ENDPOINTS, NOW, STAMP, Push, headers_of, request_for, sender

from pushkit import Action, Category, Disposition, InterruptionLevel, Localized, Notification, Priority
from pushkit.provider import Stamp
from pushkit.webpush import Button, Declarative, EndpointPolicy, Message, Options, Subscription, Urgency, decrypt, topic_from

SUBSCRIPTION = BROWSER.subscription()


def prepared(message, *, stamp=STAMP, **config):
    return sender(**config).prepare(message, Subscription, stamp)


def text_of(message, **kwargs):
    """What the browser reads."""
    request = request_for(message, SUBSCRIPTION, **kwargs)
    return decrypt(request.body, BROWSER.key, BROWSER.auth)


def json_of(message, **kwargs):
    return json.loads(text_of(message, **kwargs))


# -- raw messages


@pytest.mark.parametrize(
    ("data", "plaintext"),
    [
        ("Grüße", "Grüße".encode()),
        (b"\x00\xff", b"\x00\xff"),
        (b"", b""),
        ("", b""),
        ({"id": 7, "text": "ü"}, '{"id":7,"text":"ü"}'.encode()),
        ([1, 2], b"[1,2]"),
        (7, b"7"),
        (True, b"true"),
    ],
)
def test_data_arrives_as_it_was_given(data, plaintext):
    """Text as UTF-8, octets as they are, everything else as compact JSON."""
    assert plaintext == text_of(Message(data))


def test_a_push_without_content_has_no_body_and_needs_no_keys():
    """RFC 8030: an empty POST wakes the service worker; no Content-Encoding then."""
    request = request_for(Message(), Subscription(ENDPOINTS["mozilla"]))

    assert b"" == request.body
    assert "content-encoding" not in headers_of(request)
    assert "0" == headers_of(request)["content-length"]


@pytest.mark.parametrize(
    ("data", "said"),
    [({"a": object()}, "none of JSON's own types"), ({"a": float("nan")}, "NaN"), ("\ud800", "surrogate"), ({"a": "\ud800"}, "surrogate"), (object(), "JSON")],
)  # fmt: skip
def test_data_that_cannot_travel_is_named(data, said):
    """The field, and why; never the value."""
    verdict = prepared(Message(data))

    assert ("invalid_field", "data", Category.PAYLOAD) == (verdict.reason, verdict.field, verdict.category)
    assert said in verdict.detail


def test_a_message_that_holds_itself_is_refused():
    """No endless loop."""
    loop: list = []
    loop.append(loop)

    assert "invalid_field" == prepared(Message({"a": loop})).reason


# -- headers


def test_headers_of_a_push():
    """Exactly what RFC 8030, 8188 and 8292 ask for, and nothing more (no Crypto-Key: Microsoft refuses it)."""
    request = request_for(Message("hi", urgency=Urgency.LOW, topic="upd8"), SUBSCRIPTION)

    headers = headers_of(request)
    authorization = headers.pop("authorization")
    assert authorization.startswith("vapid t=ey")
    assert {
        "ttl": "86400",
        "urgency": "low",
        "topic": "upd8",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "content-length": str(len(request.body)),
    } == headers
    assert b"POST" == request.method


def test_urgency_is_always_sent():
    """Apple refused requests without it for a year."""
    assert "normal" == headers_of(request_for(Message("hi"), SUBSCRIPTION))["urgency"]


@pytest.mark.parametrize(
    ("push", "ttl"),
    [
        (Push(expires_at=NOW + 59.9), "59"),
        (Push(expires_at=NOW + 0.4), "0"),
        (Push(ttl_zero=True), "0"),
        (Push(expires_at=None), "2419200"),
        (Push(expires_at=NOW - 5), "0"),
    ],
)
def test_ttl_is_what_is_left_in_whole_seconds(push, ttl):
    """Each attempt forwards the rest; none means as long as every service keeps it."""
    assert ttl == headers_of(request_for(Message("hi"), SUBSCRIPTION, push=push))["ttl"]


@pytest.mark.parametrize(("push", "policy"), [(Push(), "cache"), (Push(ttl_zero=True), "no-cache")])
def test_microsoft_gets_a_cache_policy(push, policy):
    """Without it WNS refuses TTL 0 with an empty 400."""
    request = request_for(Message("hi"), BROWSER.subscription(ENDPOINTS["microsoft"]), push=push)

    assert policy == headers_of(request)["x-wns-cache-policy"]


def test_nobody_else_gets_a_cache_policy():
    """Even when the same message goes to Microsoft as well."""
    web = sender()
    ready = web.prepare(Message("hi"), Subscription, STAMP)
    for service in ("microsoft", "mozilla", "microsoft", "google"):
        request = web.address(ready, BROWSER.subscription(ENDPOINTS[service]), Push())

        assert (service == "microsoft") == ("x-wns-cache-policy" in headers_of(request))


def test_headers_are_shared_within_a_second():
    """One block for all subscriptions, so that HPACK knows it by identity."""
    web = sender()
    ready = web.prepare(Message("hi"), Subscription, STAMP)
    first, second = (web.address(ready, BROWSER.subscription(), Push()) for _ in range(2))

    assert first.block is second.block
    assert first.block is not web.address(ready, SUBSCRIPTION, Push(now=NOW + 1)).block


@pytest.mark.parametrize("service", ["microsoft", "google"])
def test_the_endpoint_is_sent_letter_for_letter(service):
    """%2b stays %2b: decoding it gives 401 at Microsoft."""
    endpoint = ENDPOINTS[service]
    request = request_for(Message("hi"), BROWSER.subscription(endpoint))

    assert endpoint == f"https://{request.origin.authority}{request.path.decode()}"


# -- topics


@pytest.mark.parametrize("topic", ["a", "abc=", "a b", "x" * 33, "abcde", "ü", "", 7])
def test_topics_that_a_service_refuses_are_refused_here(topic):
    """RFC 8030's alphabet and length, and Apple's base64 rule."""
    verdict = prepared(Message("hi", topic=topic))

    assert ("invalid_topic", "topic") == (verdict.reason, verdict.field)
    assert "topic_from" in verdict.detail


@pytest.mark.parametrize("topic", ["ab", "abc", "abcd", "A-_9zzzz", "x" * 32])
def test_legal_topics_are_sent_as_they_are(topic):
    """2, 3 or 0 characters over a multiple of four."""
    assert topic == headers_of(request_for(Message("hi", topic=topic), SUBSCRIPTION))["topic"]


def test_a_collapse_key_becomes_a_topic_where_it_is_none():
    """It was asked for, so it replaces undelivered messages too."""
    assert "order-42" == headers_of(request_for(Notification(title="x", collapse_key="order-42"), SUBSCRIPTION))["topic"]
    key = "order 42 of Jürgen"
    assert topic_from(key) == headers_of(request_for(Notification(title="x", collapse_key=key), SUBSCRIPTION))["topic"]


def test_the_identity_of_a_push_never_becomes_a_topic():
    """Services keep few of them for a device."""
    assert "topic" not in headers_of(request_for(Notification(title="x", key="mine"), SUBSCRIPTION))


def test_an_options_topic_wins():
    """Over the one made from collapse_key."""
    message = Notification(title="x", collapse_key="order-42", options=Options(topic="mine"))

    assert "mine" == headers_of(request_for(message, SUBSCRIPTION))["topic"]


# -- the portable notification


def test_a_full_notification_as_the_service_worker_reads_it():
    """Every portable field in its place."""
    message = Notification(
        title="Your order",
        subtitle="Number 42",
        body="It is on its way.",
        image="https://cdn.example.org/box.png",
        icon="https://cdn.example.org/icon.png",
        badge=3,
        link="https://shop.example.org/orders/42",
        category="order",
        group="orders",
        collapse_key="order-42",
        data={"id": "42"},
    )

    assert {
        "notification": {
            "title": "Your order",
            "body": "Number 42\nIt is on its way.",
            "navigate": "https://shop.example.org/orders/42",
            "icon": "https://cdn.example.org/icon.png",
            "image": "https://cdn.example.org/box.png",
            "tag": "order-42",
            "data": {"id": "42"},
            "category": "order",
            "group": "orders",
        },
        "app_badge": 3,
    } == json_of(message)


def test_options_win_over_the_portable_fields():
    """And add what only browsers have."""
    options = Options(
        urgency=Urgency.VERY_LOW,
        tag="t",
        icon="/i.png",
        badge="/b.png",
        actions=(Button(action="view", title="View", navigate="https://e.org/"),),
        lang="de",
        dir="ltr",
        renotify=True,
        silent=False,
        require_interaction=True,
        vibrate=(100, 50),
    )
    message = Notification(title="x", icon="y.png", collapse_key="c", options=options)

    shown = json_of(message)["notification"]
    assert {
        "title": "x",
        "icon": "/i.png",
        "badge": "/b.png",
        "tag": "t",
        "lang": "de",
        "dir": "ltr",
        "renotify": True,
        "silent": False,
        "requireInteraction": True,
        "vibrate": [100, 50],
        "actions": [{"action": "view", "title": "View", "navigate": "https://e.org/"}],
    } == shown
    assert "very-low" == headers_of(request_for(message, SUBSCRIPTION))["urgency"]


@pytest.mark.parametrize(("priority", "urgency"), [(Priority.HIGH, "high"), (Priority.NORMAL, "normal"), (Priority.LOW, "low")])
def test_priority_becomes_urgency(priority, urgency):
    """The same three steps."""
    assert urgency == headers_of(request_for(Notification(title="x", priority=priority), SUBSCRIPTION))["urgency"]


def test_a_passive_notification_is_silent():
    """It shows without sound."""
    assert json_of(Notification(title="x", interruption=InterruptionLevel.PASSIVE))["notification"]["silent"] is True


def test_the_name_of_a_drawable_is_no_icon():
    """The portable icon may be meant for Android; a browser would ask for a picture that is not there."""
    assert "icon" not in json_of(Notification(title="x", icon="ic_order"))["notification"]


def test_localized_texts_use_their_fallback():
    """Browsers have no string table."""
    assert "Hello" == json_of(Notification(title=Localized("GREETING", fallback="Hello")))["notification"]["title"]


def test_localized_texts_without_a_fallback_are_refused():
    """Naming the field."""
    verdict = prepared(Notification(title="x", body=Localized("GREETING")))

    assert ("missing_fallback", "body") == (verdict.reason, verdict.field)


@pytest.mark.parametrize("message", [Notification(), Notification(title=""), Notification(data={"a": "b"}), Notification(badge=3)])
def test_a_notification_with_nothing_in_it_is_refused(message):
    """Nothing would show, and browsers punish that."""
    verdict = prepared(message)

    assert ("empty_message", Action.FIX_PAYLOAD, Disposition.NOT_SENT) == (verdict.reason, verdict.action, verdict.disposition)


@pytest.mark.parametrize(
    ("field", "value"), [("title", 7), ("body", ["x"]), ("subtitle", b"x"), ("data", {"a": 1}), ("data", ["x"]), ("data", {1: "a"})]
)
def test_fields_of_the_wrong_type_are_named(field, value):
    """The field in the caller's terms, the type that was found, not the value."""
    verdict = prepared(attrs.evolve(Notification(title="x"), **{field: value}))

    assert ("invalid_field", field) == (verdict.reason, verdict.field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("link", 7),
        ("image", b"x"),
        ("icon", 7),
        ("category", 7),
        ("group", ["x"]),
        ("collapse_key", 7),
        ("badge", "3"),
        ("badge", -1),
        ("badge", True),
    ],
)
def test_other_fields_of_the_wrong_type_are_named(field, value):
    """Also those that a browser would only stumble over later."""
    verdict = prepared(attrs.evolve(Notification(title="x"), **{field: value}))

    assert (Category.PAYLOAD, field) == (verdict.category, verdict.field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tag": 7}, "tag"),
        ({"badge": 3}, "badge"),
        ({"icon": 3}, "icon"),
        ({"lang": 3}, "lang"),
        ({"dir": "up"}, "dir"),
        ({"silent": 1}, "silent"),
        ({"renotify": "x"}, "renotify"),
        ({"require_interaction": 1}, "require_interaction"),
        ({"vibrate": "x"}, "vibrate"),
        ({"vibrate": (1.5,)}, "vibrate"),
        ({"actions": ("view",)}, "actions"),
        ({"actions": (Button(action="", title="x"),)}, "actions"),
        ({"actions": (Button(action="a", title="x", navigate=7),)}, "actions"),
    ],
)
def test_options_of_the_wrong_type_are_named(changes, field):
    """In the caller's terms."""
    verdict = prepared(Notification(title="x", options=Options(**changes)))

    assert ("invalid_field", field) == (verdict.reason, verdict.field)


def test_relative_links_are_the_service_workers_business():
    """It resolves them; only a declarative message needs absolute ones."""
    message = Notification(title="x", link="/orders", icon="./i.png", options=Options(actions=(Button(action="a", title="A"),)))

    assert hasattr(prepared(message), "record")


def test_the_tag_makes_a_repeat_replace_the_first_copy():
    """The key of the call is the tag, so that a repeat after silence shows once."""
    assert STAMP.key == json_of(Notification(title="x"))["notification"]["tag"]
    assert prepared(Notification(title="x")).replaceable


def test_without_dedupe_nothing_is_filled_in():
    """And nothing may be repeated on doubt."""
    stamp = Stamp(key="k", dedupe=False)

    assert "tag" not in json_of(Notification(title="x"), stamp=stamp)["notification"]
    assert not prepared(Notification(title="x"), stamp=stamp).replaceable


@pytest.mark.parametrize(
    ("message", "replaceable"),
    [
        (Message("x"), False),
        (Message("x", topic="abcd"), True),
        (Declarative(title="x", navigate="https://e.org/"), True),
        (Notification(background=True, data={"a": "b"}), False),
    ],
)
def test_what_is_replaceable(message, replaceable):
    """Only what has a topic or a displayed tag."""
    assert replaceable == prepared(message).replaceable


def test_a_background_push_says_so():
    """The service worker shows nothing and tells the open pages."""
    assert {"notification": {"title": "", "data": {"id": "7"}}, "background": True} == json_of(
        Notification(background=True, data={"id": "7"})
    )


def test_safari_gets_no_background_push():
    """It takes the permission away from pages that push silently."""
    verdict = request_for(Notification(background=True, data={"a": "b"}), BROWSER.subscription(ENDPOINTS["apple"]))

    assert ("background_not_supported", "background", Category.PAYLOAD) == (verdict.reason, verdict.field, verdict.category)


def test_the_same_notification_as_a_declarative_one():
    """The marker is added; the members stay where the service worker looks for them."""
    plain = Notification(title="x", body="y", link="https://e.org/", badge=3)
    both = attrs.evolve(plain, options=Options(declarative=True))

    assert 8030 == json_of(both)["web_push"]
    assert json_of(plain)["notification"] | {"app_badge": 3} == json_of(both)["notification"]
    assert 3 == json_of(both)["app_badge"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"link": None}, "link"), ({"link": "/relative"}, "link"), ({"title": None, "body": "y"}, "title"), ({"image": "/x.png"}, "image")],
)
def test_a_declarative_notification_needs_what_the_browser_needs(changes, field):
    """Named by the portable field."""
    message = attrs.evolve(Notification(title="x", link="https://e.org/", options=Options(declarative=True)), **changes)
    verdict = prepared(message)

    assert ("invalid_declarative_message", field) == (verdict.reason, verdict.field)


def test_other_providers_messages_are_refused():
    """With the kinds that browsers take."""
    from pushkit.messages import Message as Base

    verdict = prepared(Base())

    assert "wrong_message" == verdict.reason
    assert "webpush.Message" in verdict.advice


# -- limits


def test_a_message_over_the_hard_limit_is_refused_with_the_numbers():
    """Which field, how long, how much too long."""
    verdict = prepared(Notification(title="short", body="ü" * 2500))

    assert ("payload_too_large", "body", Category.PAYLOAD) == (verdict.reason, verdict.field, verdict.category)
    assert "more than the 3993 that fit" in verdict.detail


def test_the_portable_limit_warns_once(caplog):
    """A log record for the first such message of a sender, none for the next ones, and no text in it."""
    web = sender()
    with caplog.at_level(logging.WARNING, "pushkit"):
        first = web.prepare(Message("s" * 2821), Subscription, STAMP)
        web.prepare(Message("s" * 2900), Subscription, STAMP)

    assert 1 == first.over_portable_limit_by
    assert 1 == len(caplog.records)
    assert "sss" not in caplog.text


def test_the_portable_limit_can_refuse():
    """For senders whose users are on phones."""
    assert "payload_too_large" == prepared(Message("x" * 2821), portable="refuse").reason
    assert not isinstance(prepared(Message("x" * 2820), portable="refuse"), type(prepared(Message("x" * 2821), portable="refuse")))


def test_the_portable_limit_can_be_ignored():
    """For senders whose users are not."""
    assert 0 == prepared(Message("x" * 2821), portable="ignore").over_portable_limit_by


def test_block_padding_does_not_push_a_message_over_the_portable_limit():
    """2820 octets stay 2820."""
    assert 2820 + 1 == len(prepared(Message("x" * 2820)).record)
    assert 2820 + 1 == len(prepared(Message("x" * 2819)).record)


@pytest.mark.parametrize(
    ("config", "own", "length"),
    [("none", None, 10), ("block", None, 127), (500, None, 500), ("block", "none", 10), ("none", "block", 127), ("none", 64, 64)],
)
def test_padding_is_configured_or_chosen_per_message(config, own, length):
    """The message's choice wins."""
    assert length + 1 == len(prepared(Message("x" * 10, padding=own), padding=config).record)


@pytest.mark.parametrize("padding", ["full", -1, 1.5, True])
def test_wrong_padding_of_a_message_is_a_payload_failure(padding):
    """Not an exception."""
    assert ("invalid_padding", "padding") == ((verdict := prepared(Message("x", padding=padding))).reason, verdict.field)


# -- lifetimes


@pytest.mark.parametrize("ttl", [-1, 2_419_201, float("nan"), float("inf"), "60", True, timedelta(seconds=-1), timedelta(days=29)])
def test_lifetimes_that_no_service_takes_are_refused(ttl):
    """0 seconds to 28 days."""
    verdict = prepared(Message("x", ttl=ttl))

    assert ("invalid_ttl", "ttl") == (verdict.reason, verdict.field)


@pytest.mark.parametrize("ttl", [0, 1, 2_419_200, timedelta(days=28), 0.5, None])
def test_lifetimes_that_every_service_takes_are_taken(ttl):
    """Numbers and timedeltas."""
    assert hasattr(prepared(Message("x", ttl=ttl)), "record")


def test_an_end_too_far_ahead_is_refused():
    """At the moment of sending, since it is absolute."""
    message = Message("x", expires_at=datetime.fromtimestamp(NOW, UTC) + timedelta(days=29))

    assert ("invalid_ttl", "expires_at") == ((verdict := request_for(message, SUBSCRIPTION)).reason, verdict.field)


# -- subscriptions and keys


def test_check_finds_what_address_finds_without_signing():
    """The local checks alone."""
    web = sender(endpoints=EndpointPolicy.known())
    ready = web.prepare(Message("x"), Subscription, STAMP)

    assert web.check(ready, SUBSCRIPTION, NOW) is None
    assert "invalid_p256dh" == web.check(ready, BROWSER.subscription(p256dh="x"), NOW).reason
    assert "endpoint_not_allowed" == web.check(ready, BROWSER.subscription(ENDPOINTS["rfc"]), NOW).reason
    assert 0 == web.sizes()["webpush_tokens"]


@pytest.mark.parametrize("expiration", [0, NOW * 1000, NOW * 1000 - 0.5])
def test_expired_subscriptions_are_found_locally(expiration):
    """expirationTime is in milliseconds."""
    assert "subscription_expired" == request_for(Message("x"), BROWSER.subscription(expiration_time=expiration)).reason


def test_a_subscription_that_expires_later_is_sent_to():
    """A second is enough."""
    assert request_for(Message("x"), BROWSER.subscription(expiration_time=NOW * 1000 + 1000)).body


@pytest.mark.parametrize("expiration", ["soon", True, [], {}])
def test_an_expiration_of_the_wrong_type_is_refused(expiration):
    """Garbage is a recipient failure."""
    assert Category.RECIPIENT == request_for(Message("x"), BROWSER.subscription(expiration_time=expiration)).category


@pytest.mark.parametrize(
    ("p256dh", "auth", "reason"),
    [
        (None, None, "invalid_p256dh"),
        ([], "x", "invalid_p256dh"),
        ({}, {}, "invalid_p256dh"),
        (7, 7, "invalid_p256dh"),
        ("", "", "invalid_p256dh"),
    ],
)
def test_garbage_keys_are_recipient_failures(p256dh, auth, reason):
    """Whatever the column holds."""
    assert reason == request_for(Message("x"), BROWSER.subscription(p256dh=p256dh, auth=auth)).reason


def test_garbage_keys_are_not_kept_as_good_ones():
    """A bad auth with a good p256dh is found again and again."""
    web = sender()
    for _ in range(3):
        assert "invalid_auth_secret" == request_for(Message("x"), BROWSER.subscription(auth="AAAA"), with_sender=web).reason


def test_other_targets_are_refused():
    """A device of another provider."""
    from pushkit.targets import Target

    web = sender()
    ready = web.prepare(Message("x"), Subscription, STAMP)

    assert Category.RECIPIENT == web.check(ready, Target(), NOW).category
    assert "invalid_target" == web.prepare(Message("x"), Target, STAMP).reason
