"""The life of a session: never longer than its limits, and never shorter for whoever uses it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coatcheck._core.secrets import digest
from coatcheck.sessions.errors import TooManySessionsError
from coatcheck.sessions.lifecycle import is_alive, needs_touch, plan_admission, renew, touch_interval
from coatcheck.sessions.model import Session
from coatcheck.sessions.policy import NIST_AAL2, NIST_AAL3, PROFILES, RELAXED, Profile, SessionPolicy
from tests.sessions.samples import CLIENT, NOW, session

PROFILE = st.builds(
    lambda lifetime, idle, touch: Profile(
        name="any",
        lifetime=timedelta(seconds=lifetime),
        idle_timeout=timedelta(seconds=idle),
        touch_interval=timedelta(seconds=touch),
        persistent=False,
    ),
    st.integers(60, 10_000_000),
    st.integers(60, 10_000_000),
    st.integers(0, 100_000),
)


def test_a_new_session_stores_a_digest_of_its_secret_and_never_the_secret() -> None:
    fresh = session(secret="the-secret")
    assert fresh.digest == digest("the-secret")
    assert "the-secret" not in repr(fresh)
    assert fresh.kind == "browser"
    assert session(secret=None).kind == "tokens"
    assert fresh.created_at == fresh.authenticated_at == fresh.last_seen_at == NOW


def test_the_profiles_are_what_nist_sp_800_63b_4_says() -> None:
    limits = {name: (profile.lifetime, profile.idle_timeout) for name, profile in PROFILES.items()}
    assert limits == {
        "relaxed": (timedelta(days=30), timedelta(days=14)),
        "nist-aal2": (timedelta(hours=24), timedelta(hours=1)),
        "nist-aal3": (timedelta(hours=12), timedelta(minutes=15)),
    }
    assert [RELAXED.persistent, NIST_AAL2.persistent, NIST_AAL3.persistent] == [True, False, False]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_asvs_7_3_1_and_7_3_2_a_session_ends_when_idle_or_old_to_the_moment(profile: Profile) -> None:
    fresh = session(policy=SessionPolicy(profile=profile))
    idle, old = NOW + profile.idle_timeout.total_seconds(), NOW + profile.lifetime.total_seconds()
    assert fresh.ends_at == idle
    assert is_alive(fresh, idle - 0.001)
    assert not is_alive(fresh, idle)
    used = replace(fresh, last_seen_at=old - 1)
    assert used.ends_at == old
    assert is_alive(used, old - 0.001)
    assert not is_alive(used, old)


@given(PROFILE, st.lists(st.floats(0, 1), max_size=60))
def test_a_session_that_is_used_in_time_lives_until_its_absolute_end_and_no_longer(
    profile: Profile, pauses: list[float]
) -> None:
    policy = SessionPolicy(profile=profile)
    current = session(policy=policy)
    end = current.expires_at
    # As late as is safe: the promise is that use is noted at most this much too coarsely.
    longest = current.idle_timeout - touch_interval(current, policy) - 0.001
    now = NOW
    for pause in pauses:
        now += pause * longest
        assert is_alive(current, now) is (now < end)
        assert current.ends_at <= end
        if now >= end:
            break
        if needs_touch(current, policy, now=now):
            current = replace(current, last_seen_at=now)


@given(PROFILE, st.floats(0, 20_000_000))
def test_alive_is_before_the_end(profile: Profile, age: float) -> None:
    current = session(policy=SessionPolicy(profile=profile))
    assert is_alive(current, NOW + age) is (NOW + age < current.ends_at)


@given(PROFILE, st.lists(st.floats(0, 5000), min_size=1, max_size=50))
def test_use_is_noted_at_most_once_per_interval(profile: Profile, pauses: list[float]) -> None:
    policy = SessionPolicy(profile=profile)
    current, now = session(policy=policy), NOW
    for pause in pauses:
        now += pause
        if needs_touch(current, policy, now=now):
            assert now - current.last_seen_at >= touch_interval(current, policy) - 0.001
            current = replace(current, last_seen_at=now)
        else:
            assert now - current.last_seen_at < touch_interval(current, policy)


def test_renewal_begins_the_limits_anew_under_another_secret_and_keeps_what_belongs_to_the_session() -> None:
    old = session(secret="old", scope="read", binding=b"bound", data=b'{"a":1}', data_revision=3)
    renewed = renew(old, SessionPolicy(profile=NIST_AAL2), secret="new", client=CLIENT, now=NOW + 100)
    assert renewed.digest == digest("new")
    assert (renewed.id, renewed.user_id, renewed.created_at) == (old.id, old.user_id, NOW)
    assert (renewed.scope, renewed.binding, renewed.methods) == ("read", b"bound", ("pwd",))
    assert (renewed.data, renewed.data_revision) == (b'{"a":1}', 3)
    assert renewed.authenticated_at == renewed.last_seen_at == NOW + 100
    assert renewed.expires_at == NOW + 100 + 24 * 3600
    assert renewed.profile == "nist-aal2"


# --- admission ---------------------------------------------------------------------------------------------


def aged(*ages: float) -> list[Session]:
    return [session(f"{number}", last_seen_at=NOW - age) for number, age in enumerate(ages)]


@pytest.mark.parametrize(
    "limit, ages, ended",
    [
        (None, (1, 2, 3), []),
        (4, (1, 2, 3), []),
        (3, (1, 3, 2), ["1"]),
        (2, (1, 3, 2), ["1", "2"]),
        (1, (1, 3, 2), ["1", "2", "0"]),
        (1, (), []),
    ],
)
def test_the_sessions_that_were_not_used_for_longest_make_room(
    limit: int | None, ages: tuple[float, ...], ended: list[str]
) -> None:
    assert plan_admission(aged(*ages), SessionPolicy(max_sessions=limit), now=NOW) == ended


@pytest.mark.parametrize("limit", [None, 1, 5])
def test_expired_sessions_go_and_take_no_place(limit: int | None) -> None:
    dead = session("dead", last_seen_at=NOW - 15 * 24 * 3600)
    policy = SessionPolicy(max_sessions=limit, at_limit="refuse")
    assert plan_admission([dead], policy, now=NOW) == ["dead"]


def test_where_the_policy_is_to_refuse_nothing_ends() -> None:
    policy = SessionPolicy(max_sessions=2, at_limit="refuse")
    assert plan_admission(aged(1), policy, now=NOW) == []
    with pytest.raises(TooManySessionsError, match="signed in 2 times"):
        plan_admission(aged(1, 2), policy, now=NOW)


@given(st.lists(st.floats(0, 100), max_size=12), st.integers(1, 8))
def test_after_admission_there_is_room_for_one_more_and_no_more_ended_than_needed(
    ages: list[float], limit: int
) -> None:
    sessions = aged(*ages)
    ended = plan_admission(sessions, SessionPolicy(max_sessions=limit), now=NOW)
    assert len(set(ended)) == len(ended) == max(0, len(sessions) + 1 - limit)
    kept = [each.last_seen_at for each in sessions if each.id not in ended]
    gone = [each.last_seen_at for each in sessions if each.id in ended]
    assert not kept or not gone or max(gone) <= min(kept)
