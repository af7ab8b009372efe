"""The life of keys, decided over values: whatever happens when, there is one that signs, and all know it in time."""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coatcheck.flows.key_schedule import (
    KEY_SET_CACHE,
    SLOWEST_POLL,
    RotationPlan,
    RotationPolicy,
    arrange,
    plan_rotation,
)
from coatcheck.flows.model import StoredKey
from coatcheck.revocation.policy import LONGEST_TOKEN

NOW: Final = 1_800_000_000.25
POLICY: Final = RotationPolicy()
LEAD: Final = POLICY.lead.total_seconds()
TAIL: Final = POLICY.tokens.until(0)
LONGEST: Final = LONGEST_TOKEN.total_seconds()
DAY: Final = 86_400.0


def a_key(
    kid: str, *, since: float = NOW, until: float | None = None, made: float | None = None
) -> StoredKey:
    return StoredKey(
        kid=kid,
        use="access-token",
        sealed=b"",
        created_at=since if made is None else made,
        signs_from=since,
        verifies_until=until,
    )


def signer(keys: list[StoredKey], now: float) -> str:
    chosen = arrange(keys, now, POLICY).signer
    assert chosen is not None
    return chosen.kid


def published(keys: list[StoredKey], now: float) -> set[str]:
    return {key.kid for key in arrange(keys, now, POLICY).published}


@dataclass
class Keys:
    """What a storage would hold if plans were carried out."""

    now: float = NOW
    all: list[StoredKey] = field(default_factory=list)
    made: int = 0

    def carry_out(self, plan: RotationPlan) -> None:
        until = dict(plan.retire)
        self.all = [
            replace(key, verifies_until=min(until.get(key.kid, math.inf), key.verifies_until or math.inf))
            if key.kid in until
            else key
            for key in self.all
            if key.kid not in plan.remove
        ]
        if plan.signs_from is not None:
            self.made += 1
            self.all.append(a_key(f"k{self.made}", since=plan.signs_from, made=self.now))

    def check(self) -> None:
        self.carry_out(plan_rotation(self.all, self.now, POLICY))
        self.all = [key for key in self.all if key.verifies_until is None or key.verifies_until > self.now]


# --- one after the other -------------------------------------------------------------------------------------


def test_a_key_is_published_for_longer_than_the_slowest_verifier_keeps_an_old_set() -> None:
    assert POLICY.lead > KEY_SET_CACHE + SLOWEST_POLL


def test_the_first_key_signs_at_once() -> None:
    keys = Keys()
    keys.check()
    assert signer(keys.all, NOW) == "k1"
    assert not plan_rotation(keys.all, NOW, POLICY)


def test_the_life_of_a_key() -> None:
    keys = [a_key("old", since=math.floor(NOW))]
    due = math.floor(NOW) + 90 * DAY - LEAD
    assert not plan_rotation(keys, due - 1, POLICY)
    plan = plan_rotation(keys, due, POLICY)
    takes_over = due + LEAD
    assert plan == RotationPlan(retire=(("old", takes_over + TAIL),), signs_from=takes_over)
    keys = [replace(keys[0], verifies_until=takes_over + TAIL), a_key("new", since=takes_over, made=due)]
    assert published(keys, due) == {"old", "new"}
    assert signer(keys, math.nextafter(takes_over, 0)) == "old"
    assert signer(keys, takes_over) == "new"
    last = takes_over - 0.001 + LONGEST  # the end of the last token of the old key
    assert published(keys, last) == {"old", "new"}
    assert published(keys, takes_over + TAIL) == {"new"}


def test_a_key_made_before_there_was_rotation_is_as_old_as_its_record() -> None:
    """Such records say 0 for ``signs_from``."""
    key = a_key("old", since=0.0, made=NOW - 10 * DAY)
    assert not plan_rotation([key], NOW, POLICY)
    assert plan_rotation([key], NOW + 80 * DAY, POLICY).signs_from is not None


def test_without_a_period_a_key_signs_until_it_is_replaced_by_hand() -> None:
    never = RotationPolicy(period=None)
    keys = [a_key("old")]
    assert not plan_rotation(keys, NOW + 10_000 * DAY, never)
    assert plan_rotation(keys, NOW, never, asked=True).signs_from == math.ceil(NOW) + LEAD


def test_what_is_under_way_is_not_begun_again() -> None:
    keys = Keys(all=[a_key("old")])
    keys.carry_out(plan_rotation(keys.all, NOW, POLICY, asked=True))
    for later in (0, LEAD / 2, LEAD - 1):
        assert not plan_rotation(keys.all, NOW + later, POLICY, asked=True)
    assert plan_rotation(keys.all, NOW + LEAD + 1, POLICY, asked=True).signs_from is not None


# --- compromised -----------------------------------------------------------------------------------------------


def test_where_all_are_compromised_a_new_one_signs_at_once() -> None:
    keys = [a_key("old", until=NOW + LEAD + TAIL), a_key("next", since=NOW + LEAD)]
    plan = plan_rotation(keys, NOW, POLICY, compromised=frozenset({"old", "next"}))
    assert plan == RotationPlan(remove=("next", "old"), signs_from=math.floor(NOW))


def test_a_retired_key_never_signs_again_if_its_successor_is_compromised() -> None:
    """What it would sign could outlive it."""
    takes_over = math.floor(NOW) - 600.0
    keys = [a_key("old", since=0.0, until=takes_over + TAIL), a_key("new", since=takes_over)]
    assert arrange(keys[:1], NOW, POLICY).signer is None
    assert plan_rotation(keys, NOW, POLICY, compromised=frozenset({"new"})).signs_from == math.floor(NOW)


def test_a_key_that_waits_does_not_sign_early_because_another_is_compromised() -> None:
    waits = math.floor(NOW) + 600.0
    keys = Keys(all=[a_key("old", since=0.0, until=waits + TAIL), a_key("next", since=waits)])
    keys.carry_out(plan_rotation(keys.all, NOW, POLICY, compromised=frozenset({"old"})))
    assert signer(keys.all, NOW) == "k1"
    assert signer(keys.all, waits) == "next"
    assert published(keys.all, waits + LONGEST) == {"k1", "next"}


def test_a_retired_key_that_is_compromised_needs_no_other() -> None:
    keys = [a_key("old", since=0.0, until=NOW + 60), a_key("new", since=NOW - 3600)]
    plan = plan_rotation(keys, NOW, POLICY, compromised=frozenset({"old"}))
    assert plan == RotationPlan(remove=("old",))


# --- clocks ----------------------------------------------------------------------------------------------------


def test_a_clock_that_was_put_back_leaves_a_key_that_signs() -> None:
    keys = [a_key("only", since=NOW)]
    assert signer(keys, NOW - 3600) == "only"
    assert not plan_rotation(keys, NOW - LEAD, POLICY)


def test_a_key_from_a_future_that_was_none_is_waited_for_by_nobody() -> None:
    """The clock showed 2100 for a minute, and a rotation began."""
    keys = Keys(all=[a_key("old")], now=NOW + 70 * 365 * DAY)
    keys.check()
    keys.now = NOW + 1
    assert signer(keys.all, keys.now) == "old"
    keys.check()
    assert keys.made == 1  # the old one is young
    keys.now = NOW + 91 * DAY
    keys.check()
    assert keys.made == 2
    keys.now += LEAD + 1
    assert signer(keys.all, keys.now) == "k2"
    keys.now += TAIL
    keys.check()
    assert "old" not in published(keys.all, keys.now)


def test_a_key_from_such_a_future_that_is_alone_signs_until_there_is_another() -> None:
    """The clock showed 2100 for days, and the key of before is gone."""
    keys = Keys(all=[a_key("astray", since=NOW + 70 * 365 * DAY)])
    assert signer(keys.all, NOW) == "astray"
    keys.check()
    assert signer(keys.all, NOW + LEAD / 2) == "astray"
    keys.now = NOW + LEAD + 1
    assert signer(keys.all, keys.now) == "k1"
    keys.now = NOW + LEAD + TAIL + 1
    keys.check()
    assert published(keys.all, keys.now) == {"k1"}


# --- whatever happens ------------------------------------------------------------------------------------------

SPANS = st.sampled_from([0.0, 0.4, 1.0, 59.0, 300.0, 1199.0, 1200.0, 3600.0, 3721.0, DAY, 45 * DAY, 91 * DAY])
STEPS = st.lists(
    st.tuples(st.sampled_from(["check", "ask", "compromise", "compromise one"]), SPANS), max_size=20
)


@given(STEPS)
def test_there_is_always_one_that_signs_that_everybody_knows_and_that_outlives_what_it_signs(
    steps: list[tuple[str, float]],
) -> None:
    keys = Keys()
    keys.check()
    known = {
        key.kid: -math.inf for key in keys.all
    }  # since when: the first, and those of emergencies, need no time
    for action, span in steps:
        keys.now += span
        compromised: frozenset[str] = frozenset()
        if action == "compromise":
            compromised = frozenset(key.kid for key in keys.all)
        elif action == "compromise one":
            compromised = frozenset({keys.all[0].kid})
        plan = plan_rotation(keys.all, keys.now, POLICY, asked=action == "ask", compromised=compromised)
        keys.carry_out(plan)
        keys.check()
        assert not plan_rotation(keys.all, keys.now, POLICY)
        at_once = plan.signs_from is not None and plan.signs_from <= keys.now
        for key in keys.all:
            known.setdefault(key.kid, -math.inf if at_once else keys.now)
        for later in (0.0, 0.7, LEAD - 1, LEAD):
            now = keys.now + later
            chosen = arrange(keys.all, now, POLICY).signer
            assert chosen is not None
            assert chosen.kid not in compromised
            assert chosen.signs_from <= now
            assert known[chosen.kid] <= now - KEY_SET_CACHE.total_seconds() - SLOWEST_POLL.total_seconds()
            assert chosen.verifies_until is None or now + LONGEST < chosen.verifies_until
        # The orderly way can be asked for once per lead, and each key stays as long as its tokens.
        assert len(keys.all) <= 3 + (LEAD + TAIL) / LEAD


@given(STEPS, SPANS, st.floats(min_value=-10, max_value=5000))
def test_an_arrangement_holds_for_as_long_as_it_says(
    steps: list[tuple[str, float]], back: float, later: float
) -> None:
    keys = Keys()
    for action, span in steps:
        keys.now += span
        keys.carry_out(plan_rotation(keys.all, keys.now, POLICY, asked=action == "ask"))
    now = keys.now - back
    one, other = arrange(keys.all, now, POLICY), arrange(keys.all, now + later, POLICY)
    assert one.since <= now < one.until
    if one.since <= now + later < one.until:
        assert one == other


@pytest.mark.parametrize("back", [1.0, 600.0, 2 * LEAD, DAY, 100 * DAY], ids=str)
@given(steps=STEPS)
def test_a_clock_that_jumps_back_leaves_one_that_signs_and_no_crowd(
    back: float, steps: list[tuple[str, float]]
) -> None:
    keys = Keys()
    for position, (action, span) in enumerate(steps):
        keys.now += span if position % 3 else -back
        keys.carry_out(plan_rotation(keys.all, keys.now, POLICY, asked=action == "ask"))
        keys.check()
        assert arrange(keys.all, keys.now, POLICY).signer is not None
        assert not plan_rotation(keys.all, keys.now, POLICY)
    assert len(keys.all) <= len(steps) + 1


def test_periods_are_longer_than_what_a_rotation_takes() -> None:
    """The shortest that can be set."""
    assert timedelta(days=1) > POLICY.lead + timedelta(seconds=TAIL)
