"""The view of the ledger in memory answers as the whole history would, and stays small."""

import math
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coatcheck.revocation.model import EVERYTHING, KINDS, START, Draft, Entry, Facts, Kind, Position
from coatcheck.revocation.policy import LONGEST_TOKEN, LedgerPolicy
from coatcheck.revocation.registry import Registry
from coatcheck.server.settings_model import Settings

NOW = 1_800_000_000.25
HOUR = 3600.0
LEEWAY = 60.0
POLICY = LedgerPolicy()

# Few names, so that entries meet. One stands for things of several kinds.
NAMES = ("a", "b")
instants = st.integers(-4 * 60, 4 * 60).map(lambda minutes: NOW + minutes * 30.0)


def an_entry(kind: Kind, value: str, *, at: float = NOW, cutoff: float | None = None) -> Draft:
    value = EVERYTHING if kind == "everything" else value
    until = POLICY.until(at)
    return Draft(
        kind=kind, value=value, cutoff=cutoff, until=until, reason="test", actor="server", at=at, mark="m"
    )


def facts(name: str = "a", *, iat: float = NOW, **changes: Any) -> Facts:
    names: dict[str, Any] = {"jti": name, "sid": name, "sub": name, "client_id": name, "kid": name}
    return Facts(**(names | changes), iat=iat)


def about_x(field: str) -> Facts:
    return msgspec.structs.replace(facts("a"), **{field: "x"})


def says_of(kind: Kind, credential: Facts) -> str:
    names: dict[Kind, str] = {
        "token": credential.jti,
        "session": credential.sid,
        "user": credential.sub,
        "client": credential.client_id,
        "key": credential.kid,
        "everything": EVERYTHING,
    }
    return names[kind]


def concerns(entry: Draft, credential: Facts) -> bool:
    """Tell whether an entry voids a credential, as the model says it."""
    if says_of(entry.kind, credential) != entry.value:
        return False
    return entry.cutoff is None or credential.iat < entry.cutoff


@st.composite
def entries(draw: st.DrawFn) -> Draft:
    at = draw(instants)
    ago = draw(st.none() | st.sampled_from([0.0, 0.25, 1.0, 90.0]))
    kind = draw(st.sampled_from(KINDS))
    # Everything is never ended for good: that nobody could sign in again is what nobody wants.
    if kind == "everything" and ago is None:
        ago = 0.0
    return an_entry(kind, draw(st.sampled_from(NAMES)), at=at, cutoff=None if ago is None else at - ago)


@st.composite
def credentials(draw: st.DrawFn) -> Facts:
    name = st.sampled_from((*NAMES, "", "other"))
    return Facts(
        jti=draw(name),
        sid=draw(name),
        sub=draw(name),
        client_id=draw(name),
        kid=draw(name),
        iat=draw(instants) + draw(st.sampled_from([-0.25, 0.0, 0.125])),
    )


@given(
    steps=st.lists(st.lists(entries(), max_size=4) | instants, max_size=12),
    repeated=st.randoms(use_true_random=False),
    presented=st.lists(st.tuples(credentials(), st.floats(0, HOUR + LEEWAY)), min_size=1, max_size=12),
)
def test_it_answers_as_the_whole_history_for_every_credential_that_is_alive(
    steps: list[list[Draft] | float],
    repeated: Random,
    presented: list[tuple[Facts, float]],
) -> None:
    history = [entry for step in steps if isinstance(step, list) for entry in step]
    again = history * 2
    repeated.shuffle(again)
    forgets = [step for step in steps if isinstance(step, float)]
    for credential, age in presented:
        now = credential.iat + age
        # Nothing is issued for what has ended for good.
        named = [entry for entry in history if entry.cutoff is None and concerns(entry, credential)]
        assume(all(credential.iat <= entry.at for entry in named))
        registry = Registry()
        for step in steps:
            if isinstance(step, list):
                registry.add(step)
            elif step <= now:
                registry.forget(step)
        expected = any(concerns(entry, credential) for entry in history)
        assert (registry.void(credential) is not None) == expected
        for each in again:  # a snapshot laid over it, in any order
            registry.add([each])
        for moment in sorted(forgets):
            registry.forget(min(moment, now))
        registry.forget(now)
        kind = registry.void(credential)
        assert (kind is not None) == expected
        if kind is not None:
            assert any(concerns(entry, credential) for entry in history if entry.kind == kind)


@given(
    history=st.lists(entries(), min_size=1, max_size=12),
    since=st.floats(0, 2 * HOUR),
    issued=st.floats(-HOUR, 0),
)
def test_forgetting_revives_nothing_whose_end_has_not_come(
    history: list[Draft], since: float, issued: float
) -> None:
    registry = Registry()
    registry.add(history)
    now = min(entry.at for entry in history) + since
    registry.forget(now)
    for entry in history:
        voided = Facts(**{_FIELD[entry.kind]: entry.value} if entry.value else {}, iat=entry.at - 91 + issued)
        if entry.until >= now:
            assert registry.void(voided) is not None


_FIELD: dict[Kind, str] = {
    "token": "jti",
    "session": "sid",
    "user": "sub",
    "client": "client_id",
    "key": "kid",
}


@given(st.lists(entries(), max_size=12))
def test_entries_may_come_twice_and_change_nothing_the_second_time(history: list[Draft]) -> None:
    once, twice = Registry(), Registry()
    once.add(history)
    for _ in range(2):
        twice.add(history)
    assert len(once) == len(twice)
    names = [*NAMES, "other"]
    for name in names:
        for iat in (entry.cutoff or entry.at for entry in history):
            for step in (-0.125, 0.0, 0.125):
                assert once.void(facts(name, iat=iat + step)) == twice.void(facts(name, iat=iat + step))
                assert once.earliest(facts(name)) == twice.earliest(facts(name))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "everything"])
def test_a_kind_speaks_of_its_own_names_only(kind: Kind) -> None:
    registry = Registry()
    registry.add([an_entry(kind, "x")])
    assert registry.void(facts("a")) is None
    assert registry.void(about_x(_FIELD[kind])) == kind
    for other in _FIELD.values():
        if other != _FIELD[kind]:
            assert registry.void(about_x(other)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_off_voids_what_was_issued_before_and_nothing_of_the_instant_itself(kind: Kind) -> None:
    registry = Registry()
    registry.add([an_entry(kind, "a", cutoff=NOW)])
    assert registry.void(facts(iat=math.nextafter(NOW, 0))) == kind
    assert registry.void(facts(iat=int(NOW))) == kind
    assert registry.void(facts(iat=NOW)) is None
    assert registry.void(facts(iat=NOW + 1)) is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_cut_offs_the_later_counts_whichever_comes_first(order: tuple[int, int]) -> None:
    cutoffs = [an_entry("user", "a", cutoff=NOW - 5), an_entry("user", "a", cutoff=NOW)]
    registry = Registry()
    registry.add([cutoffs[place] for place in order])
    assert registry.void(facts(iat=NOW - 1)) == "user"
    assert registry.earliest(facts()) == NOW


def test_the_earliest_is_the_latest_of_all_cut_offs_that_what_is_issued_now_would_meet() -> None:
    registry = Registry()
    assert registry.earliest(facts()) == -math.inf
    for number, kind in enumerate(("everything", "client", "user", "session")):
        registry.add([an_entry(kind, "a", cutoff=NOW + number)])  # type: ignore[arg-type] # they are kinds
        assert registry.earliest(facts()) == NOW + number
    assert registry.earliest(facts("b")) == NOW


def test_an_entry_without_a_name_is_not_about_those_who_say_nothing() -> None:
    registry = Registry()
    registry.add([an_entry(kind, "") for kind in KINDS if kind != "everything"])
    assert registry.void(Facts(iat=NOW)) is None
    assert len(registry) == 0


@pytest.mark.parametrize(
    "strange",
    [
        {"kind": "device"},
        {"until": math.inf},
        {"until": math.nan},
        {"cutoff": math.nan},
        {"cutoff": math.inf},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["user", "everything"])
def test_an_entry_that_cannot_be_known_hides_no_other(kind: Kind, strange: dict[str, Any]) -> None:
    """A later release, or a hand, has written it. What it would do to all others: a crash, or a cut-off for ever."""
    registry = Registry()
    good = an_entry(kind, "a", cutoff=NOW)
    registry.add([msgspec.structs.replace(good, **strange)])
    assert registry.void(facts(iat=NOW - 1)) is None
    registry.add([msgspec.structs.replace(good, **strange), good])
    assert registry.void(facts(iat=NOW - 1)) == kind
    assert registry.void(facts(iat=NOW)) is None
    registry.forget(POLICY.until(NOW) + 120)
    assert len(registry) == 0


def test_what_says_nothing_of_its_time_is_before_every_cut_off() -> None:
    registry = Registry()
    assert registry.void(Facts(sub="a")) is None
    registry.add([an_entry("user", "a", cutoff=0.0)])
    assert registry.void(Facts(sub="a")) == "user"


def test_the_end_of_everything_is_forgotten_when_it_is_of_no_use_and_its_cut_off_stays() -> None:
    registry = Registry()
    registry.add([an_entry("everything", "", cutoff=NOW - 9), an_entry("everything", "")])
    registry.add([an_entry("everything", "", cutoff=NOW - 10)])
    registry.forget(POLICY.until(NOW))
    assert registry.void(facts(iat=NOW + 1)) == "everything"
    registry.forget(POLICY.until(NOW) + 1)
    assert registry.void(facts(iat=NOW + 1)) is None
    assert registry.void(facts(iat=NOW - 10)) == "everything"


def test_what_it_holds_is_what_was_revoked_lately_however_long_it_lives() -> None:
    registry, sizes = Registry(), []
    for minute in range(600):
        now = NOW + 60 * minute
        names = [f"{minute}-{number}" for number in range(10)]
        registry.add([an_entry("session", name, at=now) for name in names])
        registry.add([an_entry("user", "the same", at=now, cutoff=now)])
        registry.forget(now)
        sizes.append(len(registry))
    assert max(sizes) <= 10 * 64 + 1
    assert len(registry._buckets) <= 64
    registry.forget(now + 3 * HOUR)
    assert len(registry) == 0
    assert registry._buckets == {}


def test_the_epoch_counts_what_was_added_and_the_position_follows_what_was_applied() -> None:
    registry = Registry()
    assert (registry.epoch, registry.position) == (0, START)
    registry.apply([])
    registry.forget(NOW)
    assert (registry.epoch, registry.position) == (0, START)
    numbers = count(5)
    entries = [
        Entry(seq=next(numbers), **msgspec.structs.asdict(an_entry("session", name))) for name in NAMES
    ]
    registry.apply(entries)
    assert registry.position == Position(6, "m")
    assert registry.epoch > 0
    epoch = registry.epoch
    registry.add(entries)
    assert registry.position == Position(6, "m")
    assert registry.epoch > epoch
    registry.move_to(Position(3, "other"))  # the ledger was restored: what is known stays known
    assert registry.position == Position(3, "other")
    assert registry.void(facts("a")) == "session"


@given(
    at=st.floats(1e9, 4e9),
    earlier=st.floats(0, 1e5),
    lifetime=st.floats(0, LONGEST_TOKEN.total_seconds()),
    leeway=st.floats(0, LEEWAY),
)
def test_an_entry_outlives_every_token_that_it_can_concern_and_the_leeway_of_whoever_verifies(
    at: float, earlier: float, lifetime: float, leeway: float
) -> None:
    issued_at = at - earlier
    assert POLICY.until(at) > issued_at + lifetime + leeway
    bucket_ends = (POLICY.until(at) // 60 + 1) * 60
    assert bucket_ends > issued_at + lifetime + leeway


def test_the_settings_allow_no_token_that_an_entry_would_not_outlive() -> None:
    assert timedelta(hours=1) == LONGEST_TOKEN == POLICY.longest_token
    _, about = get_args(get_type_hints(Settings, include_extras=True)["access_token_lifetime"])
    assert about.most == LONGEST_TOKEN


# --- clocks that are wrong ----------------------------------------------------------------------------------


class Ticks:
    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cutoff", [None, NOW], ids=["ended", "cut off"])
def test_a_clock_that_jumps_ahead_brings_nothing_back_to_life(kind: Kind, cutoff: float | None) -> None:
    """A few seconds of a wrong clock would be enough: what is forgotten is not sent again."""
    ticks = Ticks()
    registry = Registry(ticks=ticks)
    registry.add([an_entry(kind, "a", cutoff=cutoff)])
    ticks.now += HOUR
    registry.forget(NOW + 1e6)
    assert registry.void(facts(iat=NOW - 1)) == kind
    assert registry.remembers_from() <= POLICY.until(NOW)


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_that_was_written_while_the_clock_was_behind_counts_for_as_long_as_any(kind: Kind) -> None:
    ticks = Ticks()
    registry = Registry(ticks=ticks)
    registry.add([an_entry(kind, "a", at=NOW - 2 * HOUR)])
    registry.forget(NOW)
    ticks.now += POLICY.until(0.0) - 1
    registry.forget(NOW)
    assert registry.void(facts()) == kind
    ticks.now += 1
    registry.forget(NOW)
    assert registry.void(facts()) is None
    assert registry.remembers_from() == math.inf
    assert (registry._buckets, registry._learned) == ({}, {})


def test_what_is_heard_again_is_not_kept_for_longer() -> None:
    ticks = Ticks()
    registry = Registry(ticks=ticks)
    for _ in range(4):
        registry.add([an_entry("session", "a"), an_entry("client", "b", cutoff=NOW)])
        ticks.now += POLICY.until(0.0) / 4
    registry.forget(NOW + 2 * HOUR)
    assert len(registry) == 0


def test_what_comes_last_in_its_minute_is_kept_for_as_long_as_what_comes_first() -> None:
    ticks = Ticks()
    registry = Registry(ticks=ticks)
    registry.add([an_entry("session", "a")])
    ticks.now += 1800
    registry.add([an_entry("session", "b")])
    ticks.now += POLICY.until(0.0) - 1800
    registry.forget(NOW + 1e6)
    assert registry.void(facts("b")) == "session"
