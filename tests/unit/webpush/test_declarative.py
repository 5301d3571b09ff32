"""Declarative messages: the form, and the browser's own rules before the browser."""

from __future__ import annotations

import json

import attrs
import pytest
from tests.unit.webpush.helpers import BROWSER, STAMP, request_for, sender

from pushkit import Category
from pushkit.provider import Stamp
from pushkit.webpush import Button, Declarative, Subscription, decrypt
from pushkit.webpush.declarative import problem

LEAST = Declarative(title="Hello", navigate="https://example.org/news")


def read(message, stamp=STAMP):
    request = request_for(message, BROWSER.subscription(), stamp=stamp)
    return json.loads(decrypt(request.body, BROWSER.key, BROWSER.auth))


def refused(**changes):
    return sender().prepare(attrs.evolve(LEAST, **changes), Subscription, STAMP)


def test_the_least_message():
    """The marker, a title, where a tap leads, and the key of the call as tag."""
    assert {"web_push": 8030, "notification": {"title": "Hello", "navigate": "https://example.org/news", "tag": STAMP.key}} == read(LEAST)


def test_the_full_message():
    """Every member by the browser's name; mutable and app_badge where the draft and where WebKit look for them."""
    message = Declarative(
        title="Hello",
        navigate="https://example.org/news",
        body="World",
        lang="en",
        dir="auto",
        tag="news",
        icon="https://example.org/i.png",
        image="https://example.org/p.png",
        badge="https://example.org/b.png",
        vibrate=[100, 50],
        timestamp=1_795_000_000_000,
        renotify=True,
        silent=False,
        require_interaction=True,
        data={"id": 7},
        actions=[Button(action="a", title="A", navigate="https://example.org/a", icon="https://example.org/a.png")],
        mutable=True,
        app_badge=3,
    )

    assert {
        "web_push": 8030,
        "notification": {
            "title": "Hello",
            "navigate": "https://example.org/news",
            "body": "World",
            "lang": "en",
            "dir": "auto",
            "tag": "news",
            "icon": "https://example.org/i.png",
            "image": "https://example.org/p.png",
            "badge": "https://example.org/b.png",
            "vibrate": [100, 50],
            "timestamp": 1_795_000_000_000,
            "renotify": True,
            "silent": False,
            "requireInteraction": True,
            "data": {"id": 7},
            "actions": [{"action": "a", "title": "A", "navigate": "https://example.org/a", "icon": "https://example.org/a.png"}],
            "mutable": True,
            "app_badge": 3,
        },
        "mutable": True,
        "app_badge": 3,
    } == read(message)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"title": 7}, "title"),
        ({"navigate": None}, "navigate"),
        ({"navigate": ""}, "navigate"),
        ({"navigate": "/news"}, "navigate"),
        ({"navigate": "example.org/news"}, "navigate"),
        ({"navigate": "//example.org/news"}, "navigate"),
        ({"navigate": "javascript:alert(1)"}, "navigate"),
        ({"navigate": "https://"}, "navigate"),
        ({"navigate": "https://[::1"}, "navigate"),
        ({"navigate": "https://example.org/a b"}, "navigate"),
        ({"navigate": 7}, "navigate"),
        ({"body": 7}, "body"),
        ({"lang": 7}, "lang"),
        ({"tag": 7}, "tag"),
        ({"dir": "up"}, "dir"),
        ({"dir": 7}, "dir"),
        ({"icon": "/i.png"}, "icon"),
        ({"image": "i.png"}, "image"),
        ({"badge": 3}, "badge"),
        ({"vibrate": "100"}, "vibrate"),
        ({"vibrate": [-1]}, "vibrate"),
        ({"vibrate": [2**32]}, "vibrate"),
        ({"vibrate": [1.5]}, "vibrate"),
        ({"vibrate": [True]}, "vibrate"),
        ({"vibrate": [100], "silent": True}, "vibrate"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": 1.5}, "timestamp"),
        ({"timestamp": 2**64}, "timestamp"),
        ({"renotify": 1}, "renotify"),
        ({"renotify": True, "tag": ""}, "renotify"),
        ({"silent": "yes"}, "silent"),
        ({"require_interaction": 1}, "require_interaction"),
        ({"mutable": 1}, "mutable"),
        ({"app_badge": -1}, "app_badge"),
        ({"app_badge": "3"}, "app_badge"),
        ({"actions": [Button(action="", title="A", navigate="https://e.org/")]}, "actions"),
        ({"actions": [Button(action="a", title="", navigate="https://e.org/")]}, "actions"),
        ({"actions": [Button(action="a", title="A")]}, "actions"),
        ({"actions": [Button(action="a", title="A", navigate="/a")]}, "actions"),
        ({"actions": [Button(action="a", title="A", navigate="https://e.org/", icon="i.png")]}, "actions"),
        ({"actions": ["a"]}, "actions"),
        ({"actions": 7}, "actions"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_a_browser_would_drop_is_refused_before(changes, field):
    """Named by the caller's field, with what is expected."""
    verdict = refused(**changes)

    assert ("invalid_declarative_message", field, Category.PAYLOAD) == (verdict.reason, verdict.field, verdict.category)
    assert "expected" in verdict.detail or "needs" in verdict.detail or "cannot" in verdict.detail


def test_data_that_is_no_json_is_refused():
    """Like anywhere else."""
    assert "invalid_field" == refused(data=object()).reason


@pytest.mark.parametrize("mark", ["8030", 8031, 8030.0, True, None])
def test_the_marker_is_the_number(mark):
    """A text or another number makes an ordinary push of it."""
    assert "web_push" == problem({"web_push": mark, "notification": {}})[0]


def test_without_dedupe_no_tag_is_filled_in():
    """The caller switched it off."""
    assert "tag" not in read(LEAST, Stamp(key="k", dedupe=False))["notification"]


def test_a_declarative_message_has_the_same_limits():
    """Naming the longest field."""
    verdict = refused(body="x" * 4000)

    assert ("payload_too_large", "body") == (verdict.reason, verdict.field)
