"""The inbox page's server side: who gets in, what may be posted, what the browser may load."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.testing.helpers import Place, body_of, header

from pushkit import Notification
from pushkit.testing import FakeClient
from pushkit.testing.behaviour import Behaviour
from pushkit.testing.exchange import Answer, Connection, Request
from pushkit.testing.web.site import InboxSite
from pushkit.testing.web.views import preview

HOST = "localhost:8420"


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def site(place: Place) -> InboxSite:
    return InboxSite(place.world)


def call(site: InboxSite, path: str, *, method: str = "GET", host: str = HOST, body: Any = None, **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = b""
    if body is not None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields.setdefault("content-type", "application/json")
    pairs = [(n.encode(), v.encode()) for n, v in fields.items()]
    answer = site.serve(Request(method, "http", host, path, pairs, raw, Connection(1, "http/1.1"))).answer
    assert answer is not None
    return answer


def api(site: InboxSite, name: str, **options: Any) -> Answer:
    return call(site, f"/{site.token}/api/{name}", **options)


def test_the_page_and_its_files_are_served(site: InboxSite) -> None:
    """HTML, two scripts, a style sheet, an icon; all from the same place."""
    wanted = {
        "": "text/html",
        "app.js": "text/javascript",
        "preview.js": "text/javascript",
        "style.css": "text/css",
        "icon.svg": "image/svg+xml",
    }
    for name, kind in wanted.items():
        answer = call(site, f"/{site.token}/{name}")
        assert (200, True) == (answer.status, (header(answer, b"content-type") or "").startswith(kind))


def test_every_answer_has_the_safe_headers(site: InboxSite) -> None:
    """Also refusals: no inline script, no foreign anything, no referrer, no frame, no cache."""
    for path in (f"/{site.token}/", "/", f"/{site.token}/api/records", f"/{site.token}/api/nothing"):
        answer = call(site, path)
        policy = header(answer, b"content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert ("unsafe" in policy, "http:" in policy) == (False, False)
        assert ("nosniff", "no-referrer", "no-store") == tuple(
            header(answer, name) for name in (b"x-content-type-options", b"referrer-policy", b"cache-control")
        )


def test_the_page_has_no_inline_script_style_or_handler(site: InboxSite) -> None:
    """The policy would stop them; there are none to stop."""
    page = call(site, f"/{site.token}/").body.decode()

    assert ("<style" in page, " style=" in page, "onclick" in page, "http://" in page, "https://" in page) == (False,) * 5
    assert 1 == page.count("<script")


def test_scripts_never_build_html_from_text(site: InboxSite) -> None:
    """textContent only."""
    for name in ("app.js", "preview.js"):
        text = call(site, f"/{site.token}/{name}").body.decode()
        assert [] == [word for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(") if word in text]


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/api/records", "/app.js", "//api/records"])
def test_without_the_token_there_is_nothing(site: InboxSite, path: str) -> None:
    """404, with a word on what to do."""
    assert 404 == call(site, path).status


def test_the_token_is_long_and_new_each_time(place: Place) -> None:
    """192 random bits."""
    tokens = {InboxSite(place.world).token for _ in range(10)}

    assert (10, 32) == (len(tokens), len(tokens.pop()))


@pytest.mark.parametrize("host", ["evil.example:8420", "localhost.evil.example:8420", "", "127.0.0.1.nip.io:8420"])
def test_other_host_names_are_refused(site: InboxSite, host: str) -> None:
    """DNS rebinding: a foreign name that leads here."""
    assert 421 == call(site, f"/{site.token}/api/records", host=host).status


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:1", "[::1]:1"])
def test_loopback_names_are_served(site: InboxSite, host: str) -> None:
    """All spellings."""
    assert 200 == call(site, f"/{site.token}/api/records", host=host).status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
    ],
)
def test_other_sites_cannot_act(site: InboxSite, place: Place, headers: dict[str, str]) -> None:
    """CSRF: origin, fetch metadata and content type are checked, and nothing happens."""
    answer = api(site, "outage", method="POST", body={"provider": "apns", "down": True}, **headers)

    assert (400, None) == (answer.status, place.world.behaviour.down("apns"))


def test_actions_are_post_only(site: InboxSite, place: Place) -> None:
    """A link or an image cannot act."""
    assert 405 == api(site, "clear").status
    assert 405 == api(site, "records", method="POST", body={}).status
    assert 404 == api(site, "nothing").status


def test_records_come_by_number_and_in_pages(site: InboxSite, place: Place) -> None:
    """after= gives what is new, at most 500."""
    for _ in range(520):
        place.apns()
    first = json.loads(api(site, "records?after=0").body)
    rest = json.loads(api(site, f"records?after={first['records'][-1]['number']}").body)

    assert (500, 20, 1, 521) == (len(first["records"]), len(rest["records"]), first["first"], rest["records"][-1]["number"] + 1)


def test_a_detail_shows_claims_and_no_credential(site: InboxSite, place: Place) -> None:
    """The JWT itself is masked."""
    place.apns(body={"aps": {"alert": {"title": "Hi"}, "sound": "x"}})
    answer = api(site, "record?number=1")
    value = json.loads(answer.body)

    assert ("Hi", place.apns_key.team_id, 200) == (value["preview"]["title"], value["claims"]["iss"], value["answer"]["status"])
    assert b"bearer eyJ" not in answer.body


def test_a_detail_shows_what_stands_in_one_platforms_block_alone(site: InboxSite, place: Place) -> None:
    """An alert for iPhones that comes through FCM is something to see, with its number."""
    place.fcm({"token": place.registration().token, "apns": {"payload": {"aps": {"alert": {"title": "Hi", "body": "there"}, "badge": 3}}}})
    shown = json.loads(api(site, "record?number=1").body)["preview"]

    assert ("Hi", "there", "3", False) == (shown["title"], shown["body"], shown["badge"], shown["silent"])


def test_the_number_of_a_browsers_app_is_app_badge() -> None:
    """The member badge is a picture; the number stands beside the notification."""
    with FakeClient() as push:
        push.send(Notification(title="x", badge=4), to=push.subscription())

        assert "4" == preview(push.sent[-1])["badge"]


@pytest.mark.parametrize("query", ["number=7", "number=x", "number=", "number=-1", "number=" + "9" * 30])
def test_a_wrong_number_is_a_clear_error(site: InboxSite, query: str) -> None:
    """400 with a text for the person at the page."""
    answer = api(site, f"record?{query}")

    assert (400, True) == (answer.status, bool(json.loads(answer.body)["error"]))


def test_a_failure_can_be_scripted_for_a_recipient_and_for_the_next(site: InboxSite, place: Place) -> None:
    """What the buttons do."""
    place.apns()
    assert 200 == api(site, "script", method="POST", body={"record": 1, "word": "Unregistered"}).status
    assert 200 == api(site, "script", method="POST", body={"provider": "fcm", "word": "UNAVAILABLE", "next": 2}).status

    assert 410 == place.apns().status
    state = json.loads(api(site, "state").body)
    assert [1, 0] == [step["used"] for step in state["steps"]]
    api(site, "remove", method="POST", body={"step": state["steps"][0]["number"]})
    assert 200 == place.apns().status


@pytest.mark.parametrize(
    "body",
    [
        {"word": "Nonsense", "provider": "apns"},
        {"word": ""},
        {"word": "Unregistered", "next": 0},
        {"word": "Unregistered", "next": 10**9},
        {"word": "Unregistered", "provider": "__class__"},
        {"record": 99, "word": "Unregistered"},
        b"[]",
        b"{",
    ],
)
def test_a_wrong_script_is_refused(site: InboxSite, place: Place, body: Any) -> None:
    """Nothing is scripted."""
    assert (400, 0) == (api(site, "script", method="POST", body=body).status, len(place.world.behaviour.steps))


def test_recipients_come_and_go_outages_too(site: InboxSite, place: Place) -> None:
    """Unregister, register, down, up, clear."""
    place.apns()
    api(site, "register", method="POST", body={"record": 1, "registered": False})
    assert 410 == place.apns().status
    api(site, "register", method="POST", body={"record": 1, "registered": True})
    assert 200 == place.apns().status
    api(site, "outage", method="POST", body={"provider": "apns", "down": True})
    assert 503 == place.apns().status
    api(site, "outage", method="POST", body={"provider": "apns", "down": False})
    assert 200 == place.apns().status
    api(site, "clear", method="POST", body={})
    assert [] == json.loads(api(site, "records").body)["records"]


def test_every_word_that_the_page_offers_can_be_scripted(site: InboxSite) -> None:
    """The lists come from the vocabulary."""
    for provider, offered in json.loads(api(site, "state").body)["words"].items():
        for word in offered:
            getattr(Behaviour(), provider).answer(word)


def test_every_entry_has_a_category(site: InboxSite, place: Place) -> None:
    """What pushkit makes of the answer, and its advice."""
    gone = place.device()
    place.unregister(gone)
    place.apns()
    place.apns(token=gone.token)
    place.apns(body=b"")
    place.apns(authorization=None)
    found = json.loads(api(site, "records").body)["records"]

    assert ["accepted", "recipient", "payload", "technical"] == [record["category"] for record in found]
    assert "" != json.loads(api(site, "record?number=2").body)["advice"]


@pytest.mark.parametrize(
    "title",
    [r"\ud800<img src=x onerror=alert(1)>", "\\u0000", "</script><script>alert(1)</script>"],
)
def test_a_hostile_title_does_not_close_the_page(site: InboxSite, place: Place, title: str) -> None:
    """Half of a surrogate pair, which UTF-8 cannot carry, must not take the list and the entry from everybody."""
    place.apns(body=b'{"aps":{"alert":{"title":"%s"}}}' % title.encode())
    expected = json.loads(f'"{title}"')
    listed, opened = body_of(api(site, "records")), body_of(api(site, "record?number=1"))
    assert (expected, expected) == (listed["records"][0]["title"], opened["title"])


def test_what_only_python_reads_as_json_is_shown_as_json(site: InboxSite, place: Place) -> None:
    """A browser's parser refuses NaN and Infinity: they reach it as text."""
    place.apns(body=b'{"aps":{"alert":"Hi"},"a":NaN,"b":[-Infinity,1e999]}')
    answer = api(site, "record?number=1")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    shown = json.loads(answer.body, parse_constant=refuse)
    assert {"aps": {"alert": "Hi"}, "a": "NaN", "b": ["-Infinity", "Infinity"]} == shown["payload"]
