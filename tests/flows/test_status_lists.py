"""Status lists: each token has a place of its own, and its bit says what the ledger says of it."""

import asyncio
import contextlib
import gzip
import math
import multiprocessing
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from coatcheck.flows.access_tokens import AccessClaims, facts_of
from coatcheck.flows.ports import Storage
from coatcheck.flows.status_lists import StatusListPolicy, StatusLists, StatusListToken
from coatcheck.jose.hazmat import read_unverified
from coatcheck.jose.jwt import Verifier
from coatcheck.revocation.model import EVERYTHING, Entry, Facts, Kind
from coatcheck.revocation.status_list import StatusArray
from coatcheck.storage.memory import MemoryStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.world import ADA, EVE, HOME, ISSUER, World, access_token, asynchronous, refresh_token

URI = f"{ISSUER}/auth/statuses"
POLICY = StatusListPolicy(uri=URI, size=64)
ADMINISTRATOR = "administrator"


class ListedWorld(World):
    """A server with status lists."""

    policy = POLICY

    def tune(self, tunables: Any) -> None:
        super().tune(tunables)
        self.lists = self.new_lists()

    def new_lists(self) -> StatusLists:
        self.flows = type(self.flows)(self.context, status_lists=self.policy)
        assert self.flows.status_lists is not None
        return self.flows.status_lists

    def sibling(self, storage: Storage | None = None) -> "ListedWorld":
        return type(self)(storage or self.storage, clock=self.clock, tunables=self.tunables)

    async def claims(self, token: str) -> AccessClaims:
        claims, _ = await self.context.access_tokens.verify(token)
        return claims

    async def place(self, token: str) -> tuple[str, int]:
        """Return list and place of a token that is good."""
        assert (await self.claims(token)).status is not None
        return place_of(token)

    async def served(self, list_id: str) -> StatusListToken:
        token = await self.lists.token(list_id)
        assert token is not None
        return token

    async def rows(self, list_id: str) -> int:
        """Count the tokens of a list that the storage knows."""
        places, _ = await self.storage.records.list_places("everything", "", before=math.inf)
        return sum(each == list_id for each, _ in places)

    async def array(self, list_id: str) -> StatusArray:
        """Return a list as whoever fetches it sees it, a second later."""
        self.clock.advance(1)
        served = await self.served(list_id)
        claims = read_unverified(served.octets).claims
        return StatusArray.decode(claims["status_list"]["lst"], bits=claims["status_list"]["bits"])

    async def bit(self, place: tuple[str, int]) -> int:
        return (await self.array(place[0])).get(place[1])


def place_of(token: str) -> tuple[str, int]:
    """Return list and place of a token, good or not."""
    reference = read_unverified(token).claims["status"]["status_list"]
    assert reference["uri"].startswith(f"{URI}/")
    return reference["uri"].removeprefix(f"{URI}/"), reference["idx"]


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, database: Path) -> Iterator[ListedWorld]:
    storage: Storage = MemoryStorage() if request.param == "memory" else SQLiteStorage(database)
    world = ListedWorld(storage)
    yield world
    asyncio.run(world.close())


@asynchronous
async def test_without_lists_a_token_says_nothing_of_them() -> None:
    world = World(MemoryStorage())
    signed_in = await world.signed_up(credential="tokens")
    assert world.flows.status_lists is None
    assert "status" not in read_unverified(access_token(signed_in)).claims
    await world.close()


@asynchronous
async def test_a_list_is_signed_and_says_what_the_draft_asks_for(world: ListedWorld) -> None:
    signed_in = await world.signed_up(credential="tokens")
    list_id, _ = await world.place(access_token(signed_in))
    served = await world.served(list_id)
    keys = await world.context.access_tokens.key_set()
    verifier = Verifier(
        keys,
        issuer=ISSUER,
        audience=None,
        typ="statuslist+jwt",
        require=("exp", "iat", "sub"),
        clock=world.clock,
    )
    assert verifier.verify(served.octets.decode()).key.kid in [key.kid for key in keys]
    claims = read_unverified(served.octets).claims
    now = int(world.clock.now)
    lst = claims["status_list"].pop("lst")
    assert claims == {
        "iss": ISSUER,
        "sub": f"{URI}/{list_id}",
        "iat": now,
        "exp": now + 300,
        "ttl": 60,
        "status_list": {"bits": 1, "aggregation_uri": URI},
    }
    array = StatusArray.decode(lst, bits=1)
    assert len(array) == 64
    assert not any(map(array.get, range(64)))
    assert gzip.decompress(served.compressed) == served.octets
    assert repr(served) == f"<StatusListToken {served.etag}>"
    assert world.lists.aggregation_uri == URI
    assert await world.lists.list_uris() == [f"{URI}/{list_id}"]


@asynchronous
async def test_no_name_is_in_a_list(world: ListedWorld) -> None:
    signed_in = await world.signed_up(credential="tokens")
    claims = await world.claims(access_token(signed_in))
    list_id, _ = await world.place(access_token(signed_in))
    served = str(read_unverified((await world.served(list_id)).octets).claims)
    for name in (claims.sub, claims.sid, claims.jti, claims.client_id, ADA):
        assert name
        assert name not in served


@asynchronous
async def test_each_way_to_end_a_token_shows_in_its_bit_and_in_no_other(world: ListedWorld) -> None:
    revoking = world.flows.revoking
    await world.signed_up(EVE)
    bystander = await world.place(access_token(await world.signed_in(EVE, credential="tokens")))
    ada = await world.signed_up()

    async def fresh() -> tuple[str, tuple[str, int], str]:
        signed_in = await world.signed_in(credential="tokens")
        token = access_token(signed_in)
        return token, await world.place(token), signed_in.session.id

    token, place, session = await fresh()
    assert await world.bit(place) == 0
    await revoking.token(token, actor=ADMINISTRATOR)
    assert await world.bit(place) == 1
    token, place, session = await fresh()
    await revoking.session(session, actor=ADMINISTRATOR)
    assert await world.bit(place) == 1
    token, place, session = await fresh()
    await revoking.user(ada.user.id, actor=ADMINISTRATOR)
    assert await world.bit(place) == 1
    assert await world.bit(bystander) == 0
    world.clock.advance(1)
    token, place, session = await fresh()
    assert await world.bit(place) == 0
    await revoking.client("first-party", actor=ADMINISTRATOR)
    assert [await world.bit(each) for each in (place, bystander)] == [1, 1]
    world.clock.advance(1)
    token, place, session = await fresh()
    assert await world.bit(place) == 0
    await revoking.everything(actor=ADMINISTRATOR)
    assert await world.bit(place) == 1
    world.clock.advance(1)
    token, place, session = await fresh()
    await world.flows.key_rotation.rotate(compromised=True)
    assert await world.bit(place) == 1


@asynchronous
async def test_whoever_refreshes_has_a_token_in_another_place(world: ListedWorld) -> None:
    signed_in = await world.signed_up(credential="tokens")
    places, presented = {await world.place(access_token(signed_in))}, refresh_token(signed_in)
    for _ in range(10):
        response = await world.flows.tokens.refresh(presented, client=HOME)
        places.add(await world.place(response.access_token))
        presented = response.refresh_token
    assert len(places) == 11
    await world.flows.ending.end_everywhere(await world.identity(signed_in))
    assert {await world.bit(place) for place in places} == {1}


@asynchronous
async def test_half_of_a_list_is_never_given_and_then_the_next_begins(world: ListedWorld) -> None:
    signed_in = await world.signed_up(credential="tokens")
    places, presented = [await world.place(access_token(signed_in))], refresh_token(signed_in)
    for _ in range(70):
        response = await world.flows.tokens.refresh(presented, client=HOME)
        places.append(await world.place(response.access_token))
        presented = response.refresh_token
    lists = list(dict.fromkeys(list_id for list_id, _ in places))
    assert [sum(each == list_id for each, _ in places) for list_id in lists] == [32, 32, 7]
    assert len(set(places)) == 71
    # None tells of the order: the places of the one are not those of the other.
    first, second = ([place for each, place in places if each == list_id] for list_id in lists[:2])
    assert first != second
    assert first != sorted(first)


@asynchronous
async def test_a_list_takes_tokens_for_a_day(world: ListedWorld) -> None:
    signed_in = await world.signed_up(credential="tokens")
    (first, _), presented = await world.place(access_token(signed_in)), refresh_token(signed_in)
    for seconds, same in ((86_399, True), (1, False)):
        world.clock.advance(seconds)
        response = await world.flows.tokens.refresh(presented, client=HOME)
        presented = response.refresh_token
        assert ((await world.place(response.access_token))[0] == first) is same


@asynchronous
async def test_a_list_is_served_until_its_tokens_are_dead_and_its_rows_go_before(world: ListedWorld) -> None:
    signed_in = await world.signed_up(credential="tokens")
    world.clock.advance(86_399)
    response = await world.flows.tokens.refresh(refresh_token(signed_in), client=HOME)
    list_id, _ = await world.place(response.access_token)
    world.clock.now = (await world.claims(response.access_token)).exp + 119.5
    await world.flows.housekeeping.tidy()
    assert await world.lists.token(list_id) is not None
    assert await world.lists.list_uris() == [world.lists.uri(list_id)]
    assert await world.rows(list_id) == 1
    world.clock.advance(0.5)
    for _ in range(2):
        assert await world.lists.token(list_id) is None
        assert await world.lists.list_uris() == []
        await world.flows.housekeeping.tidy()
    assert await world.storage.records.list_status_lists() == []
    assert await world.rows(list_id) == 0


@asynchronous
async def test_the_bits_of_lists_that_ended_are_not_kept_in_memory(world: ListedWorld) -> None:
    await world.signed_up()
    seen = set()
    for _ in range(4):
        list_id, _ = await world.place(access_token(await world.signed_in(credential="tokens")))
        await world.served(list_id)
        seen.add(list_id)
        world.clock.advance(90_000)
        await world.flows.housekeeping.tidy()
    assert len(seen) == 4
    assert len(world.lists._held) == 1


@asynchronous
async def test_a_list_that_never_was_is_not_there(world: ListedWorld) -> None:
    for list_id in ("", "x", "x" * 10_000, "'; DROP TABLE statuses; --", "\ud800"):
        with contextlib.suppress(UnicodeEncodeError):  # no path has one
            assert await world.lists.token(list_id) is None


@asynchronous
async def test_a_list_is_signed_when_it_changes_or_half_its_time_is_over_and_not_at_each_request(
    world: ListedWorld,
) -> None:
    tokens = await world.signed_up(credential="tokens")
    await world.signed_up(EVE)
    list_id, _ = await world.place(access_token(tokens))
    first = await world.served(list_id)
    world.clock.advance(29.5)
    assert await world.served(list_id) is first
    await world.signed_in(EVE, credential="tokens")  # another place is given: nothing that shows
    assert await world.served(list_id) is first
    world.clock.advance(0.5)
    second = await world.served(list_id)
    assert (second.signed_at, second.fresh_until) == (world.clock.now, world.clock.now + 60)
    assert second.etag != first.etag
    await world.flows.ending.sign_out(await world.identity(tokens))
    assert await world.served(list_id) is second  # not yet: once a second is enough
    world.clock.advance(1)
    third = await world.served(list_id)
    assert third is not second
    assert await world.served(list_id) is third


@asynchronous
async def test_a_clock_that_is_set_back_keeps_no_revocation_out_of_a_list(world: ListedWorld) -> None:
    tokens = await world.signed_up(credential="tokens")
    list_id, _ = await world.place(access_token(tokens))
    before = await world.served(list_id)
    await world.flows.ending.sign_out(await world.identity(tokens))
    world.clock.advance(-600)
    assert await world.served(list_id) is not before


@asynchronous
async def test_a_list_is_signed_anew_when_the_key_that_signed_it_is_trusted_no_more(
    world: ListedWorld,
) -> None:
    list_id, _ = await world.place(access_token(await world.signed_up(credential="tokens")))
    before = read_unverified((await world.served(list_id)).octets).header["kid"]
    await world.flows.key_rotation.rotate(compromised=True)
    world.clock.advance(1)
    after = read_unverified((await world.served(list_id)).octets).header["kid"]
    assert before != after
    assert after in [key.kid for key in await world.context.access_tokens.key_set()]


@asynchronous
async def test_after_a_restart_no_list_is_stale(world: ListedWorld) -> None:
    tokens = [await world.signed_up(credential="tokens")]
    tokens += [await world.signed_in(credential="tokens") for _ in range(4)]
    places = [await world.place(access_token(each)) for each in tokens]
    await world.flows.revoking.session(tokens[1].session.id, actor=ADMINISTRATOR)
    await world.flows.revoking.token(access_token(tokens[3]), actor=ADMINISTRATOR)
    assert [await world.bit(place) for place in places] == [0, 1, 0, 1, 0]
    restarted = world.sibling()
    assert [await restarted.bit(place) for place in places] == [0, 1, 0, 1, 0]
    # And each follows what the other does.
    await world.flows.revoking.session(tokens[4].session.id, actor=ADMINISTRATOR)
    for process in (restarted, world):
        assert [await process.bit(place) for place in places] == [0, 1, 0, 1, 1]
    restarted.hasher.pool.close()


@asynchronous
async def test_what_was_void_before_it_had_its_place_is_void_in_every_process(world: ListedWorld) -> None:
    """A session ends between the moment that it is read and that at which its token is added."""
    tokens = await world.signed_up(credential="tokens")
    other = world.sibling()
    list_id, _ = await world.place(access_token(tokens))
    assert (await other.array(list_id)).get(0) in {0, 1}
    await world.flows.ending.sign_out(await world.identity(tokens))
    for process in (world, other):
        await process.array(list_id)  # they know of the end
    late = await world.context.access_tokens.issue(tokens.user, tokens.session, at=world.clock())
    place = place_of(late)
    assert [await process.bit(place) for process in (world, other, world.sibling())] == [1, 1, 1]


@asynchronous
async def test_what_another_process_voided_a_moment_ago_is_seen_by_whoever_adds(world: ListedWorld) -> None:
    """The commit comes after this process has looked, and before its own transaction."""
    tokens = await world.signed_up(credential="tokens")
    identity = await world.identity(tokens)
    other = world.sibling()
    catch_up = world.context.ledger.catch_up

    async def and_then_it_ends() -> bool:
        found = await catch_up()
        await other.flows.ending.sign_out(identity)
        return found

    world.context.ledger.catch_up = and_then_it_ends  # type: ignore[method-assign] # the race, made certain
    facts = Facts(jti="late", sid=tokens.session.id, sub=tokens.user.id, iat=world.clock.now)
    claim = await world.lists.claim(facts, world.clock.now + 300)
    list_id = claim.status_list.uri.rpartition("/")[2]
    assert await world.storage.records.list_stillborn(list_id) == [claim.status_list.idx]


@asynchronous
async def test_entries_that_nobody_asks_about_do_not_pile_up(
    world: ListedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coatcheck.flows.status_lists._MOST_PENDING", 3)
    tokens = [await world.signed_up(credential="tokens")]
    tokens += [await world.signed_in(credential="tokens") for _ in range(5)]
    places = [await world.place(access_token(each)) for each in tokens]
    assert await world.bit(places[0]) == 0
    for each in tokens[1:]:
        await world.flows.revoking.session(each.session.id, actor=ADMINISTRATOR)
        await world.context.ledger.catch_up()
        assert len(world.lists._pending) <= 3
    assert [await world.bit(place) for place in places] == [0, 1, 1, 1, 1, 1]


@asynchronous
async def test_what_is_thrown_away_in_the_middle_is_read_again_before_anybody_is_answered(
    world: ListedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coatcheck.flows.status_lists._MOST_PENDING", 1)
    tokens = [await world.signed_up(credential="tokens"), await world.signed_in(credential="tokens")]
    places = [await world.place(access_token(each)) for each in tokens]
    await world.served(places[0][0])
    await world.flows.revoking.session(tokens[0].session.id, actor=ADMINISTRATOR)
    find = world.storage.records.find_places

    async def and_more_happens(*arguments: Any, **named: Any) -> list[tuple[str, int]]:
        world.storage.records.find_places = find  # type: ignore[method-assign] # once
        await world.flows.revoking.session(tokens[1].session.id, actor=ADMINISTRATOR)
        await world.context.ledger.catch_up()
        assert world.lists._lost
        return await find(*arguments, **named)

    world.storage.records.find_places = and_more_happens  # type: ignore[method-assign] # in the middle
    assert await world.bit(places[1]) == 1
    assert await world.bit(places[0]) == 1


@asynchronous
async def test_a_failure_while_reading_loses_no_bit(world: ListedWorld) -> None:
    tokens = await world.signed_up(credential="tokens")
    place = await world.place(access_token(tokens))
    await world.flows.ending.sign_out(await world.identity(tokens))
    find = world.storage.records.find_places

    async def fail(*_: object, **__: object) -> list[tuple[str, int]]:
        raise sqlite3.OperationalError

    world.storage.records.find_places = fail  # type: ignore[method-assign] # a disk that fails
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            await world.lists.token(place[0])
    world.storage.records.find_places = find  # type: ignore[method-assign] # and does not any more
    assert await world.bit(place) == 1


@asynchronous
async def test_an_entry_about_a_list_that_is_gone_is_none_of_its_business(world: ListedWorld) -> None:
    tokens = await world.signed_up(credential="tokens")
    place = await world.place(access_token(tokens))
    await world.storage.records.delete_ended_status_lists(math.inf)
    await world.flows.ending.sign_out(await world.identity(tokens))
    await world.lists._void((await world.storage.records.list_entries(after=0, limit=1))[0])
    assert await world.lists.token(place[0]) is None


# --- many at once -----------------------------------------------------------------------------------------

PROCESSES, TOKENS = 3, 40


def _allocate(path: Path) -> list[tuple[str, int]]:
    async def allocate() -> list[tuple[str, int]]:
        world = ListedWorld(SQLiteStorage(path, notice=timedelta(0)))
        facts = [Facts(jti=random.randbytes(8).hex(), sid="s", sub="u", iat=1.0) for _ in range(TOKENS)]  # noqa: S311
        claims = await asyncio.gather(*(world.lists.claim(each, world.clock.now + 300) for each in facts))
        await world.close()
        return [(claim.status_list.uri, claim.status_list.idx) for claim in claims]

    return asyncio.run(allocate())


def test_no_place_is_given_twice_however_many_processes_give_them(database: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawning) as pool:
        places = [place for each in pool.map(_allocate, [database] * PROCESSES) for place in each]
    assert len(places) == len(set(places)) == PROCESSES * TOKENS
    # Full lists, and the last: nobody began one beside another.
    lists = [[idx for uri, idx in places if uri == each] for each in {uri for uri, _ in places}]
    assert sorted(map(len, lists)) == [24, 32, 32, 32]
    assert all(0 <= idx < POLICY.size for each in lists for idx in each)


@asynchronous
async def test_no_place_is_given_twice_after_its_row_is_deleted(world: ListedWorld) -> None:
    signed_in = await world.signed_up(credential="tokens")
    presented, places = refresh_token(signed_in), [await world.place(access_token(signed_in))]
    for _ in range(30):
        world.clock.advance(600)
        await world.flows.housekeeping.tidy()
        response = await world.flows.tokens.refresh(presented, client=HOME)
        presented = response.refresh_token
        places.append(await world.place(response.access_token))
        assert await world.rows(places[0][0]) == 1
    assert len({list_id for list_id, _ in places}) == 1
    assert len(set(places)) == 31


# --- the property -----------------------------------------------------------------------------------------


@dataclass
class Issued:
    """What the test itself knows of a token."""

    facts: Facts
    exp: float
    place: tuple[str, int]


def voids(entry: Entry, facts: Facts) -> bool:
    """Evaluate one entry, in the most literal way."""
    named = {
        "token": facts.jti,
        "session": facts.sid,
        "user": facts.sub,
        "client": facts.client_id,
        "key": facts.kid,
        "everything": EVERYTHING,
    }
    return entry.value == named[entry.kind] and (entry.cutoff is None or facts.iat < entry.cutoff)


@dataclass
class Story:
    """What happened to some processes on one file."""

    worlds: list[ListedWorld]
    issued: list[Issued] = field(default_factory=list)

    async def check(self) -> None:
        records = self.worlds[0].storage.records
        entries = await records.list_entries(after=0, limit=100_000)
        alive = [each for each in self.issued if each.exp > self.worlds[0].clock.now + 2 * len(self.worlds)]
        for world in self.worlds:
            arrays = {list_id: await world.array(list_id) for list_id in {each.place[0] for each in alive}}
            for each in alive:
                expected = any(voids(entry, each.facts) for entry in entries)
                assert arrays[each.place[0]].get(each.place[1]) == expected, each
            given = {each.place for each in self.issued}
            for list_id, array in arrays.items():
                assert all((list_id, place) in given for place in range(len(array)) if array.get(place))


steps = st.one_of(
    st.tuples(st.just("issue"), st.integers(0, 3)),
    st.tuples(st.just("late"), st.integers(0, 9)),
    st.tuples(st.just("check"), st.just(0)),
    st.tuples(st.sampled_from(["token", "session", "user"]), st.integers(0, 9)),
    st.tuples(st.sampled_from(["user", "client", "everything"]), st.just(0)),
    st.tuples(st.sampled_from(["rotate", "compromise", "restart", "tidy"]), st.integers(0, 1)),
    st.tuples(st.just("wait"), st.integers(0, 400)),
)


async def tell(story: Story, step: str, number: int, people: list[Any]) -> None:
    world = story.worlds[number % len(story.worlds)]
    known = story.issued[number % len(story.issued)].facts if story.issued else Facts()
    match step:
        case "issue" | "late":
            user, session = people[number % len(people)]  # "late": it may have ended by now
            if step == "issue":
                session = replace(session, id=f"session-{len(people)}", digest=None)
                people.append((user, session))
            token = await world.context.access_tokens.issue(user, session, at=world.clock())
            read = read_unverified(token)
            assert read.payload is not None
            claims = msgspec.json.decode(read.payload, type=AccessClaims)
            story.issued.append(Issued(facts_of(claims, read.header["kid"]), claims.exp, place_of(token)))
        case "token" | "session" | "user" | "client" | "everything":
            kind: Kind = step
            value = {
                "token": known.jti,
                "session": known.sid,
                "user": known.sub,
                "client": "first-party",
                "everything": EVERYTHING,
            }[step]
            if not value and kind != "everything":
                return  # nobody has signed up yet
            cutoff = None if step in {"token", "session"} else world.clock.now
            async with world.storage.transaction() as records:
                await world.context.ledger.append(
                    records, [(kind, value)], reason="signed-out", actor="server", cutoff=cutoff
                )
        case "rotate" | "compromise":
            await world.flows.key_rotation.rotate(compromised=step == "compromise")
        case "restart":
            story.worlds[number % len(story.worlds)] = world.sibling()
            world.hasher.pool.close()
        case "tidy":
            await world.flows.housekeeping.tidy()
        case "wait":
            world.clock.advance(number)
        case _:
            await story.check()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=10, max_size=40))
def test_the_bits_of_all_living_tokens_are_what_the_ledger_says(story: list[tuple[str, int]]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as directory:
            storage = SQLiteStorage(Path(directory) / "coatcheck.db", notice=timedelta(0))
            first = ListedWorld(storage)
            told = Story([first, first.sibling()])
            people: list[Any] = []
            for email in (ADA, EVE):
                signed_in = await first.signed_up(email)
                people.append((signed_in.user, signed_in.session))
            for step, number in story:
                await tell(told, step, number, people)
            await told.check()
            for world in told.worlds:
                world.hasher.pool.close()
            await storage.close()

    asyncio.run(run())
