"""
Apple's rules for provider tokens, over days of fake time, for a fleet.

The judge is written from Apple's page ("Establishing a token-based connection to APNs"): a token older
than an hour is refused, and so is a connection that shows another token within 20 minutes.
"""

from __future__ import annotations

import heapq
import itertools
import random

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.apns.helpers import KEY_ID, TEAM_ID, key_pem

from pushkit import apns

PEM = key_pem()
HOUR = 3600.0
START = 1_800_000_000.0


class Judge:
    """One connection as APNs sees it."""

    def __init__(self) -> None:
        self.token: bytes | None = None
        self.since = 0.0
        self.worst_change = float("inf")
        self.worst_age = 0.0

    def answer(self, header: bytes, now: float) -> int:
        age = now - jwt.decode(header.removeprefix(b"bearer ").decode(), options={"verify_signature": False})["iat"]
        self.worst_age = max(self.worst_age, age)
        if age > HOUR:
            return 403
        if header != self.token:
            if self.token is not None:
                self.worst_change = min(self.worst_change, now - self.since)
                if now - self.since < HOUR / 3:
                    return 429
            self.token, self.since = header, now
        return 200


class Connection:
    def __init__(self, auth, offset: float, closes: float) -> None:
        self.auth, self.offset, self.closes = auth, offset, closes
        self.slot: object | None = None
        self.judge = Judge()

    def push(self, now: float) -> tuple[int, bytes]:
        header, self.slot = self.auth.header(self.slot, now + self.offset)
        return self.judge.answer(header, now), header


def fleet(processes: int, *, drift: float, chance: random.Random) -> list[tuple[object, float]]:
    """Processes that never talk: each with its own key object and a clock that is a little off."""
    keys = [apns.TokenKey(PEM, key_id=KEY_ID, team_id=TEAM_ID) for _ in range(processes)]
    return [(key.auth, chance.uniform(-drift, drift)) for key in keys]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fleet_keeps_both_rules_for_days(seed):
    """16 processes, connections that live for a minute or a day, bursts and silence: not one refusal in three days."""
    chance = random.Random(seed)
    order = itertools.count()
    events: list[tuple[float, int, Connection | int]] = []
    members = fleet(16, drift=2.0, chance=chance)
    for process in range(16):
        for _ in range(3):
            heapq.heappush(events, (START + chance.expovariate(1 / 600), next(order), process))
    seen: dict[bytes, list[float]] = {}
    pushes = opened = 0
    while events:
        now, _, what = heapq.heappop(events)
        if now > START + 72 * HOUR:
            break
        if isinstance(what, int):
            auth, offset = members[what]
            opened += 1
            what = Connection(auth, offset, now + chance.choice([60, 1_700, 3_500, 10_000, 86_400]) * chance.uniform(0.5, 1.5))
            owner = what
        else:
            owner = what
        if now >= owner.closes:
            process = next(number for number, (auth, _) in enumerate(members) if auth is owner.auth)
            heapq.heappush(events, (now + chance.expovariate(1 / 300), next(order), process))
            continue
        status, header = owner.push(now)
        pushes += 1
        assert 200 == status, (owner.judge.worst_age, owner.judge.worst_change)
        span = seen.setdefault(header, [now, now])
        span[1] = now
        heapq.heappush(events, (now + chance.choice([1, 60, 900, 1_799, 1_801, 4_000]) * chance.uniform(0.1, 1.2), next(order), owner))

    assert pushes > 10_000
    assert opened > 500
    # One token for each half hour, whoever made it: two at a time at the most, while connections move on to the next.
    assert len(seen) <= 72 * 2 + 1
    for moment in range(int(START), int(START + 72 * HOUR), 600):
        assert sum(first <= moment <= last for first, last in seen.values()) <= 2


def test_every_process_gives_a_new_connection_the_same_token():
    """At the same moment, over two days, without talking."""
    members = fleet(16, drift=0.0, chance=random.Random(4))

    for moment in range(0, 48 * 3600, 777):
        assert 1 == len({auth.header(None, START + moment)[0] for auth, _ in members})


times = st.lists(st.floats(0.01, 5_000), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(start=st.floats(0, 1_800), gaps=times)
def test_a_connection_keeps_both_rules_however_it_is_used(start, gaps):
    """Opened at any moment of the half hour, pushes at any distance."""
    auth = apns.TokenKey(PEM, key_id=KEY_ID, team_id=TEAM_ID).auth
    connection = Connection(auth, 0.0, float("inf"))
    now = START + start

    for gap in gaps:
        status, _ = connection.push(now)
        assert 200 == status
        now += gap

    assert connection.judge.worst_age <= 55 * 60
    assert connection.judge.worst_change >= 25 * 60


@settings(max_examples=100, deadline=None)
@given(start=st.floats(0, 1_800), gaps=times, refusals=st.sets(st.integers(0, 59), max_size=5))
def test_refusals_never_break_the_rules(start, gaps, refusals):
    """A wedged connection is left with a fresh token on a new one, which then keeps to the rules as well."""
    auth = apns.TokenKey(PEM, key_id=KEY_ID, team_id=TEAM_ID).auth
    connection = Connection(auth, 0.0, float("inf"))
    now = START + start

    for number, gap in enumerate(gaps):
        status, header = connection.push(now)
        assert 200 == status
        if number in refusals:
            auth.rejected(connection.slot)
            connection = Connection(auth, 0.0, float("inf"))
            assert header != connection.push(now + 1.0)[1]
            now += 1.0
        now += gap
