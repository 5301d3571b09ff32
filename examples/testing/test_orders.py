"""
Its tests: all on fakes, no network, no waiting. Run with pytest, or as a program.

``pushkit_fake`` comes from pushkit's pytest plugin; without it, ``with FakeClient() as push:`` does the same.
"""

from __future__ import annotations

import datetime as dt
import sys
import unittest

import pytest
from orders import Orders, Phone

from pushkit.testing import FakeClient, GoAway, Refuse, Stall, UnexpectedPush

LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def push():
    with FakeClient() as client:
        yield client


@pytest.fixture
def alerts():
    return []


@pytest.fixture
def orders(push, alerts):
    phones = {"ada": [Phone("ada", push.device(), LONG_AGO)], "bob": [Phone("bob", push.registration(), LONG_AGO)]}
    return Orders(push, phones, alerts.append)


def now(push):
    return push.clock.now()


def test_everybody_is_told(orders, push):
    assert 2 == orders.shipped(7, ["ada", "bob"])
    push.assert_sent(count=1, to=orders.phones["ada"][0].target, matching={"aps": {"alert": {"title": "On its way"}}})
    push.assert_sent(count=1, provider="fcm", matching={"notification": {"body": "Order 7 has left our warehouse."}})


def test_nobody_is_told_about_other_peoples_orders(orders, push):
    orders.shipped(7, ["ada", "nobody"])
    push.assert_nothing_sent(provider="fcm")


def test_a_phone_that_is_gone_is_forgotten(orders, push):
    push.behaviour.to(orders.phones["bob"][0].target).answer("UNREGISTERED")

    assert 1 == orders.shipped(7, ["ada", "bob"])
    assert ([], 1) == (orders.phones["bob"], len(orders.phones["ada"]))


def test_a_phone_that_registered_again_since_stays(orders, push):
    phone = orders.phones["ada"][0]
    phone.registered_at = now(push)
    push.behaviour.to(phone.target).answer("Unregistered", since=LONG_AGO)
    orders.shipped(7, ["ada"])

    assert [phone] == orders.phones["ada"]


def test_a_suspect_phone_is_marked_and_kept(orders, push):
    push.behaviour.to(orders.phones["ada"][0].target).answer("BadDeviceToken")
    orders.shipped(7, ["ada"])

    assert orders.phones["ada"][0].suspect


def test_a_short_hiccup_is_nobodys_business(orders, push, alerts):
    """The client tries again by itself: the connection broke before the push was processed."""
    push.behaviour.apns.next().fault(GoAway("before", reason="Shutdown"))

    assert 1 == orders.shipped(7, ["ada"])
    assert ([], []) == (orders.later, alerts)


def test_an_outage_is_sat_out(orders, push):
    push.behaviour.outage("fcm", fault=Refuse())
    assert 0 == orders.shipped(7, ["bob"])
    assert 1 == len(orders.later)

    push.behaviour.recover()
    assert 0 == orders.retry(now(push))  # not due yet
    push.clock.advance(600)
    assert 1 == orders.retry(now(push))
    assert [] == orders.later


def test_what_fails_again_is_kept_again(orders, push):
    push.behaviour.to(orders.phones["ada"][0].target).next(2).answer("TooManyRequests")
    orders.shipped(7, ["ada"])
    push.clock.advance(60)
    assert 0 == orders.retry(now(push))
    assert 1 == len(orders.later)

    push.clock.advance(600)
    assert 1 == orders.retry(now(push))


def test_silence_does_not_hang(orders, push):
    """No answer within the time for one attempt: the push may have arrived, and replacing it does no harm."""
    push.behaviour.apns.next().fault(Stall())

    assert 1 == orders.shipped(7, ["ada"])
    push.assert_retried(1, to=orders.phones["ada"][0].target)


def test_a_wrong_key_alerts_once_for_each_push_and_keeps_the_phones(orders, push, alerts):
    push.behaviour.apns.answer("InvalidProviderToken")
    orders.shipped(7, ["ada"])

    assert [True] == ["InvalidProviderToken" in text for text in alerts]
    assert 1 == len(orders.phones["ada"])


def test_the_same_five_percent_fail_in_every_run(push, alerts):
    """Deterministic trouble for a thousand phones: by seed and recipient, not by luck."""
    push.behaviour.apns.rate(0.05).answer("Unregistered")
    phones = [Phone("crowd", push.device(f"phone {i}"), LONG_AGO) for i in range(1000)]
    orders = Orders(push, {"crowd": phones}, alerts.append)
    taken = orders.shipped(7, ["crowd"])

    assert taken == len(orders.phones["crowd"])
    assert 930 < taken < 970


def test_in_strict_mode_a_surprise_fails_the_test():
    with FakeClient(strict=True) as push:
        ada, eve = push.device("ada"), push.device("eve")
        push.behaviour.to(ada).accept()
        orders = Orders(push, {"ada": [Phone("ada", ada, LONG_AGO)], "eve": [Phone("eve", eve, LONG_AGO)]}, print)
        orders.shipped(7, ["ada"])
        with pytest.raises(UnexpectedPush, match="no step was written for it"):
            orders.shipped(7, ["eve"])
        push.behaviour.reset()


class WithoutPytest(unittest.TestCase):
    """The same in unittest: a fake is a context manager."""

    def setUp(self):
        self.push = self.enterContext(FakeClient())

    def test_everybody_is_told(self):
        orders = Orders(self.push, {"ada": [Phone("ada", self.push.device(), LONG_AGO)]}, print)
        self.assertEqual(1, orders.shipped(7, ["ada"]))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider"]))
