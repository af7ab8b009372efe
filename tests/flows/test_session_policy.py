"""A stricter policy holds for sessions that began under another one; a laxer one gives them nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from coatcheck.flows import session_policy as module
from coatcheck.flows.ending import Reason
from coatcheck.flows.model import SignedIn
from coatcheck.flows.ports import Storage
from coatcheck.revocation.model import Entry
from coatcheck.server.server import Server
from coatcheck.server.settings import Settings
from coatcheck.sessions.model import Session
from coatcheck.sessions.policy import NIST_AAL2, NIST_AAL3, RELAXED, Profile, SessionPolicy
from coatcheck.storage.memory import MemoryStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.world import ADA, World, access_token, asynchronous

HOUR = 3600


def restart(world: World, profile: Profile) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(profile=profile)))


async def stored(world: World, signed_in: SignedIn) -> Session:
    session = await world.storage.records.find_session(signed_in.session.id)
    assert session is not None
    return session


async def entries_of(world: World) -> list[Entry]:
    return await world.storage.records.list_entries(after=0, limit=1000)


@asynchronous
async def test_sessions_get_the_limits_that_they_would_have_had(world: World) -> None:
    signed_in = await world.signed_up()
    restart(world, NIST_AAL2)
    assert await world.flows.session_policy.apply() == 0
    session = await stored(world, signed_in)
    assert session.expires_at == session.authenticated_at + 24 * HOUR
    assert session.idle_timeout == HOUR
    assert session == structs.replace(
        signed_in.session, expires_at=session.expires_at, idle_timeout=session.idle_timeout
    )
    world.clock.advance(HOUR)
    assert not await world.is_in(signed_in)


@asynchronous
async def test_a_laxer_policy_lengthens_none(world: World) -> None:
    restart(world, NIST_AAL3)
    signed_in = await world.signed_up()
    head = world.storage.version()
    restart(world, RELAXED)
    assert await world.flows.session_policy.apply() == 0
    assert await stored(world, signed_in) == signed_in.session
    assert world.storage.version() == head  # not even a transaction


@asynchronous
async def test_one_limit_may_be_stricter_and_the_other_laxer(world: World) -> None:
    restart(world, NIST_AAL2)
    signed_in = await world.signed_up()
    restart(world, structs.replace(RELAXED, idle_timeout=timedelta(minutes=30)))
    await world.flows.session_policy.apply()
    assert await stored(world, signed_in) == structs.replace(signed_in.session, idle_timeout=1800.0)


@asynchronous
async def test_what_would_have_ended_by_now_ends_with_an_entry_and_the_others_go_on(world: World) -> None:
    old = await world.signed_up()
    tokens = await world.signed_in(credential="tokens")
    world.clock.advance(2 * HOUR)
    young = await world.signed_in()
    restart(world, NIST_AAL2)
    assert await world.flows.session_policy.apply() == 2
    assert not await world.is_in(old)
    assert not await world.can_refresh(tokens)
    assert await world.is_in(young)
    ended = [entry for entry in await entries_of(world) if entry.cutoff is None]
    assert {entry.value for entry in ended} == {old.session.id, tokens.session.id}
    assert {(entry.kind, entry.reason, entry.actor) for entry in ended} == {
        ("session", Reason.POLICY_CHANGED.value, "server")
    }


@asynchronous
async def test_what_had_expired_anyway_is_left_to_housekeeping_and_gets_no_entry(world: World) -> None:
    restart(world, NIST_AAL2)
    signed_in = await world.signed_up()
    world.clock.advance(HOUR)
    restart(world, NIST_AAL3)
    assert await world.flows.session_policy.apply() == 0
    assert await entries_of(world) == []
    assert not await world.is_in(signed_in)
    await world.flows.housekeeping.tidy()
    assert await world.storage.records.find_session(signed_in.session.id) is None
    assert await entries_of(world) == []


@asynchronous
async def test_no_token_of_the_old_policy_outlives_what_its_session_now_has_left(world: World) -> None:
    """A service that checks tokens in memory is told nothing when a session ends by itself."""
    signed_in = await world.signed_up(credential="tokens")
    strict = structs.replace(NIST_AAL3, idle_timeout=timedelta(minutes=2))
    world.clock.advance(30)
    restart(world, strict)
    assert await world.flows.session_policy.apply() == 0
    (entry,) = await entries_of(world)
    assert (entry.kind, entry.value, entry.cutoff) == ("session", signed_in.session.id, world.clock.now)
    assert not await world.is_in(signed_in)
    again = await world.refreshed(signed_in)
    claims, _ = await world.context.access_tokens.verify(access_token(again))
    assert claims.exp <= (await stored(world, signed_in)).ends_at
    assert await world.flows.session_policy.apply() == 0
    assert len(await entries_of(world)) == 1


@asynchronous
async def test_it_goes_through_all_of_them_batch_by_batch_and_may_be_interrupted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    sign_ins = [await world.signed_up(), *[await world.signed_in() for _ in range(6)]]
    world.clock.advance(2 * HOUR)
    restart(world, NIST_AAL2)
    flow = world.flows.session_policy
    batches = 0
    original = flow._shorten

    async def interrupted(*arguments: object) -> int:
        nonlocal batches
        batches += 1
        if batches == 3:
            raise InterruptedError
        return await original(*arguments)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(flow, "_shorten", interrupted)
    with pytest.raises(InterruptedError):
        await flow.apply()
    assert len(await entries_of(world)) == 4
    assert await flow.apply() == 3
    assert {entry.value for entry in await entries_of(world)} == {each.session.id for each in sign_ins}
    assert len(await entries_of(world)) == 7


@asynchronous
async def test_of_several_processes_that_start_at_once_each_session_is_ended_by_one(world: World) -> None:
    for number in range(4):
        await (world.signed_in() if number else world.signed_up())
    world.clock.advance(2 * HOUR)
    restart(world, NIST_AAL2)
    siblings = [world.sibling() for _ in range(3)]
    ended = await asyncio.gather(*(each.flows.session_policy.apply() for each in siblings))
    assert sum(ended) == 4
    assert len(await entries_of(world)) == 4
    for each in siblings:
        each.hasher.pool.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_server_applies_it_when_it_starts(kind: str, database: Path) -> None:
    async def check() -> None:
        storage: Storage = MemoryStorage() if kind == "memory" else SQLiteStorage(database)
        world = World(storage)
        signed_in = await world.signed_up()
        world.clock.advance(2 * HOUR)
        settings = Settings(mode="development", session_profile="nist-aal2", database=str(database))
        async with Server(settings, storage=storage, clock=world.clock).running() as server:
            assert await server.flows.administration.list_sessions(ADA) == []
            assert await storage.records.find_session(signed_in.session.id) is None
            (entry,) = await storage.records.list_entries(after=0, limit=9)
            assert entry.reason == "policy-changed"
        world.hasher.pool.close()

    asyncio.run(check())
