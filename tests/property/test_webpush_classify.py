"""Classification and parsing of Web Push are total: whatever comes, one verdict, and nothing raises."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.webpush.helpers import BROWSER, ENDPOINTS, KEY, NOW, STAMP, Push, sender

from pushkit import Category, ConfigurationError
from pushkit.verdict import Acceptance, Verdict
from pushkit.webpush import DecryptionError, EndpointPolicy, Message, Subscription, VapidKey, decrypt, encrypt, topic_from
from pushkit.webpush.declarative import problem
from pushkit.webpush.topic import topic_problem
from pushkit.wire import FaultKind, Processed, WireFault, WireRequest, WireResponse

WEB = sender(endpoints=EndpointPolicy.any_public())
PREPARED = WEB.prepare(Message("hi"), Subscription, STAMP)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.sampled_from(["errno", "reason", "message", "error", "code"])
BODIES = st.binary(max_size=3000) | st.dictionaries(WORDS, JSON).map(lambda value: json.dumps(value).encode("utf-8", "replace"))
NAMES = st.sampled_from([b"retry-after", b"location", b"ttl", b"x-wns-status", b"x-wns-error-description", b"apns-id", b"date"])
HEADERS = st.lists(st.tuples(NAMES, st.binary(max_size=100)), max_size=6)


@given(status=st.integers(-5, 1200), headers=HEADERS, body=BODIES, service=st.sampled_from(sorted(ENDPOINTS)))
def test_any_answer_gives_exactly_one_verdict(status, headers, body, service):
    """Any status, any headers, any bytes."""
    target = BROWSER.subscription(ENDPOINTS[service])
    request = WEB.address(PREPARED, target, Push())
    verdict = WEB.classify(WireResponse(status, headers, body), request, PREPARED, target, NOW)

    assert isinstance(verdict, Acceptance) or (isinstance(verdict, Verdict) and verdict.category in Category)
    if isinstance(verdict, Acceptance):
        assert 200 <= status < 300
    else:
        assert (verdict.floor is not None) == verdict.retryable
        assert verdict.reason
        assert verdict.advice


@given(kind=st.sampled_from(FaultKind), processed=st.sampled_from(Processed), detail=st.text(max_size=50))
def test_any_fault_gives_exactly_one_verdict(kind, processed, detail):
    """Every kind with every fate."""
    target = BROWSER.subscription()
    request = WEB.address(PREPARED, target, Push())

    assert isinstance(WEB.classify(WireFault(kind=kind, processed=processed, detail=detail), request, PREPARED, target, NOW), Verdict)


ANYTHING = st.text(max_size=200) | JSON | st.binary(max_size=100)
HOSTS = st.text("abz019-._:@#?/\\[]%é\u3002 \t", max_size=30)


@given(stored=ANYTHING | st.fixed_dictionaries({"endpoint": ANYTHING, "keys": ANYTHING, "expirationTime": ANYTHING}))
def test_any_stored_row_becomes_a_subscription_or_a_refusal(stored):
    """Reading never raises, and what is wrong is a recipient failure."""
    target = Subscription.from_json(stored)
    repr(target)
    result = WEB.address(PREPARED, target, Push())

    assert isinstance(result, WireRequest) or result.category is Category.RECIPIENT


@given(host=HOSTS, path=st.text(max_size=20))
def test_no_spelling_of_an_endpoint_gets_past_the_list(host, path):
    """Under the default policy a request goes to one of the known hosts or to nobody."""
    web = sender()
    result = web.address(web.prepare(Message("hi"), Subscription, STAMP), BROWSER.subscription(f"https://{host}/{path}"), Push())

    assert not isinstance(result, WireRequest)


@given(plaintext=st.binary(max_size=3993), padding=st.sampled_from(["none", "block", 500, 3993]))
def test_what_is_encrypted_is_decrypted(plaintext, padding):
    """Any octets, any padding, one record of at most 4096 octets."""
    body = encrypt(plaintext, BROWSER.public, BROWSER.auth, padding=padding)

    assert len(body) <= 4096
    assert plaintext == decrypt(body, BROWSER.key, BROWSER.auth)


@given(body=st.binary(max_size=300), flip=st.integers(0, 200))
def test_damaged_bodies_never_give_text(body, flip):
    """Random bytes and flipped bits end in a DecryptionError, never in anything else."""
    sealed = bytearray(encrypt(b"hello", BROWSER.public, BROWSER.auth, padding=100))
    sealed[flip % len(sealed)] ^= 1
    for damaged in (body, bytes(sealed)):
        try:
            text = decrypt(damaged, BROWSER.key, BROWSER.auth)
        except DecryptionError:
            continue
        # The record size and the key id's first octet may change without harm only when nothing else does.
        assert text == b"hello"


@given(source=ANYTHING)
def test_any_key_source_is_read_or_refused_without_quoting_it(source):
    """A ConfigurationError, never another exception."""
    try:
        key, said = VapidKey.parse(source), ""
    except ConfigurationError as error:
        key, said = None, str(error)
    assert key != KEY
    assert not (isinstance(source, str) and len(source) > 20 and source in said)


@given(text=st.text(max_size=300))
def test_topic_from_makes_a_legal_topic_of_any_text(text):
    """32 characters that every service takes."""
    assert topic_problem(topic_from(text)) is None
    assert 32 == len(topic_from(text))


@given(message=st.dictionaries(st.sampled_from(["web_push", "notification", "mutable"]), JSON))
def test_any_json_is_judged_as_a_declarative_message(message):
    """The check itself never raises."""
    assert problem(message) is None or len(problem(message)) == 2
