"""Fetched credentials."""

from __future__ import annotations

import pytest

from pushkit.delivery.credential_store import AHEAD, LEEWAY, SHORTEST_PAUSE, CredentialStore
from pushkit.outcomes import Action, Scope
from pushkit.provider import AccessToken
from pushkit.testing import FakeClock
from pushkit.verdict import Verdict, refuse_technical
from pushkit.wire import FaultKind, HeaderBlock, Origin, Processed, WireFault, WireRequest, WireResponse

DOWN = refuse_technical("oauth_unavailable", "Wait.", scope=Scope.ATTEMPT, action=Action.RETRY_LATER, retryable=True, floor=1.0)


class Wire:
    """A transport whose answers a test gives by hand."""

    def __init__(self):
        self.open = []
        self.cancelled = 0

    def submit(self, request, done):
        self.open.append(done)
        return self

    def answer(self, status=200):
        self.open.pop(0)(WireResponse(status, (), b"", 1))

    def cancel(self):
        self.cancelled += 1
        self.open.pop(0)(WireFault(kind=FaultKind.CANCELLED, processed=Processed.UNKNOWN))


class Flow:
    """A credential that takes so many requests."""

    key = "k"

    def __init__(self, requests=1, lifetime=3600.0):
        self.requests = requests
        self.lifetime = lifetime
        self.started = 0

    def fetch(self, now, deadline):
        self.started += 1
        started = self.started

        def flow():
            for _ in range(self.requests):
                result = yield WireRequest(b"POST", Origin("oauth.example"), b"/", HeaderBlock(()), (), b"", deadline)
                if not isinstance(result, WireResponse) or result.status != 200:
                    return DOWN
            return AccessToken(value=f"t{started}", expires_at=now + self.lifetime)

        return flow()


class Setting:
    """A store with its clock and wire."""

    def __init__(self, credential):
        self.clock, self.wire, self.changes, self.got = FakeClock(), Wire(), [], []
        self.store = CredentialStore(self.clock, self.wire, None, lambda _credential, result: self.changes.append(result))
        self.credential = credential
        self.entry = self.store.entry(credential)

    def get(self):
        return self.store.get(self.credential, self.entry, self.clock.time())

    def wait(self):
        self.store.wait(self.credential, self.entry, self.got.append)


def test_many_waiters_share_one_refresh():
    """A hundred pushes without a token make one request."""
    setting = Setting(Flow())
    for _ in range(100):
        setting.wait()

    assert 1 == len(setting.wire.open)
    setting.wire.answer()
    assert ["t1"] * 100 == [token.value for token in setting.got]
    assert 1 == len(setting.changes)


def test_a_flow_may_take_several_requests():
    """A token that needs two requests is there after the second."""
    setting = Setting(Flow(requests=2))
    setting.wait()
    setting.wire.answer()

    assert [] == setting.got
    setting.wire.answer()
    assert "t1" == setting.got[0].value


def test_a_flow_without_an_end_is_stopped():
    """A credential that asks for one request after the other is given up."""
    setting = Setting(Flow(requests=10_000))
    setting.wait()
    for _ in range(100):
        if setting.wire.open:
            setting.wire.answer()

    assert Action.REPORT_BUG is setting.got[0].action


def test_a_token_is_used_until_shortly_before_its_end():
    """Ahead of its end it is replaced in the background; within the leeway it is not used any more."""
    setting = Setting(Flow(lifetime=1000.0))
    setting.wait()
    setting.wire.answer()

    assert "t1" == setting.get().value
    setting.clock.advance(1000.0 - AHEAD + 1)
    assert "t1" == setting.get().value
    assert 1 == len(setting.wire.open)
    setting.clock.advance(AHEAD - LEEWAY)
    assert setting.get() is None


def test_a_failure_is_remembered_for_a_moment():
    """Right after a failed refresh others get the same failure without another request; a moment later one tries again."""
    setting = Setting(Flow())
    setting.wait()
    setting.wire.answer(503)

    assert DOWN is setting.got[0]
    assert DOWN is setting.get()
    setting.clock.advance(SHORTEST_PAUSE)
    assert setting.get() is None


def test_only_the_token_that_was_refused_is_dropped():
    """A late refusal of the old token does not drop the fresh one."""
    setting = Setting(Flow())
    setting.wait()
    setting.wire.answer()
    setting.store.drop(setting.entry, "t0")

    assert "t1" == setting.get().value
    setting.store.drop(setting.entry, "t1")
    assert setting.get() is None


def test_closing_answers_every_waiter():
    """Whoever waits for a token when the client is closed is told."""
    setting = Setting(Flow())
    setting.wait()
    setting.store.close(DOWN)

    assert [DOWN] == setting.got
    assert 1 == setting.wire.cancelled


@pytest.mark.parametrize("error", [ValueError("hunter2"), KeyError("hunter2")])
def test_a_flow_that_raises_is_a_verdict_without_its_text(error, caplog):
    """A mistake in a credential's code becomes a failure that shows the error's class alone."""

    class Broken:
        key = "broken"

        def fetch(self, now, deadline):
            def flow():
                raise error
                yield

            return flow()

    setting = Setting(Broken())
    setting.wait()

    assert isinstance(setting.got[0], Verdict)
    assert type(error).__name__ == setting.got[0].detail
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("lifetime", [20.0, 200.0, 299.0])
def test_a_token_from_a_cache_is_not_fetched_for_each_push(lifetime):
    """Metadata servers hand out what they have, with little life left: it serves for half of that."""
    setting = Setting(Flow(requests=0, lifetime=lifetime))
    setting.store.wait(setting.credential, setting.entry, setting.got.append)

    for _ in range(100):
        assert isinstance(setting.get(), AccessToken)

    assert 1 == setting.credential.started


@pytest.mark.parametrize("end", [float("nan"), float("inf"), None, "tomorrow"])
def test_a_token_without_a_usable_end_is_a_failure_and_no_crash(end):
    """A fourth provider's mistake ends the pushes that wait, with a word on what to check."""
    setting = Setting(Flow(requests=0, lifetime=1.0))
    setting.credential.fetch = lambda _now, _deadline: _one_token(end)

    setting.store.wait(setting.credential, setting.entry, setting.got.append)

    assert ["credential_fetch_failed"] == [verdict.reason for verdict in setting.got]


def _one_token(end):
    return AccessToken(value="t", expires_at=end)
    yield
