"""Keys that rotate while processes die, clocks jump and secrets differ; and whatever else happens, in any order."""

import asyncio
import math
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coatcheck._core.secrets import Sealer
from coatcheck.flows.errors import ServerKeyError
from coatcheck.flows.key_rotation import KeyRotation
from coatcheck.flows.ports import Records, Storage
from coatcheck.jose import KeySet, jwt
from coatcheck.storage.errors import StorageBusyError
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.signing import (
    CACHE,
    DAY,
    issued,
    keys,
    kid_of,
    published,
    rotation,
    verifies,
)
from tests.flows.world import ISSUER, NOW, World, asynchronous


@pytest.fixture
def other_process(sqlite_world: World, database: Path) -> Iterator[World]:
    world = sqlite_world.sibling(SQLiteStorage(database, notice=timedelta(0)))
    yield world
    asyncio.run(world.close())


# --- what goes wrong -------------------------------------------------------------------------------------------


class Crashing:
    """A storage whose transactions die at one of their steps."""

    def __init__(self, storage: Storage, step: str) -> None:
        self._storage = storage
        self._step = step
        self.version = storage.version
        self.records = storage.records
        self.watch = storage.watch
        self.change_throttles = storage.change_throttles

    @asynccontextmanager
    async def transaction(self, *of: str) -> AsyncIterator[Any]:
        async with self._storage.transaction(*of) as records:
            yield _CrashingRecords(records, self._step)
            if self._step == "commit":
                raise _CrashError

    async def close(self) -> None:
        """It belongs to another."""


class _CrashError(Exception):
    pass


class _CrashingRecords:
    def __init__(self, records: Records, step: str) -> None:
        self._records = records
        self._step = step

    def __getattr__(self, name: str) -> Any:
        if name == self._step:
            raise _CrashError
        return getattr(self._records, name)


STEPS = ["retire_key", "delete_retired_keys", "add_key", "append_entries", "commit"]


@pytest.mark.parametrize("step", STEPS)
@asynchronous
async def test_a_crash_at_any_step_of_a_compromise_leaves_everything_as_it_was(
    world: World, step: str
) -> None:
    token = await issued(world)
    before = await world.storage.records.list_keys()
    crashing = world.sibling(Crashing(world.storage, step))
    with pytest.raises(_CrashError):
        await rotation(crashing).rotate(compromised=True)
    crashing.hasher.pool.close()
    assert await world.storage.records.list_keys() == before
    assert await world.storage.records.list_entries(after=0, limit=10) == []
    assert await verifies(world, token)
    await rotation(world).rotate(compromised=True)
    assert not await verifies(world, token)


@pytest.mark.parametrize("step", ["retire_key", "add_key", "commit"])
@asynchronous
async def test_a_crash_at_any_step_of_a_rotation_leaves_it_to_the_next(world: World, step: str) -> None:
    token = await issued(world)
    before = await world.storage.records.list_keys()
    world.clock.advance(91 * DAY)
    crashing = world.sibling(Crashing(world.storage, step))
    for begin in (rotation(crashing).check, rotation(crashing).rotate):
        with pytest.raises(_CrashError):
            await begin()
    crashing.hasher.pool.close()
    assert await world.storage.records.list_keys() == before
    assert kid_of(await issued(world)) == kid_of(token)
    assert await rotation(world).check()
    assert len(await published(world)) == 2


@asynchronous
async def test_another_secret_changes_nothing(world: World) -> None:
    """The key that it would add would be one that running servers cannot read."""
    token = await issued(world)
    before = await world.storage.records.list_keys()
    other = world.sibling()
    other.sealer = Sealer(b"x" * 32)
    other.tune(other.tunables)
    for compromised in (False, True):
        with pytest.raises(ServerKeyError):
            await rotation(other).rotate(compromised=compromised)
    with pytest.raises(ServerKeyError):
        await rotation(other).list()
    other.hasher.pool.close()
    assert await world.storage.records.list_keys() == before
    assert await verifies(world, token)


@asynchronous
async def test_a_clock_that_jumps_back_stops_nobody_from_signing(
    sqlite_world: World, other_process: World
) -> None:
    told = await rotation(sqlite_world).rotate()
    for now in (told.signs_from + 5, NOW, told.signs_from - 5, told.signs_from + 5, NOW - 30 * DAY):
        sqlite_world.clock.now = now
        tokens = [await issued(world) for world in (sqlite_world, other_process)]
        assert len({kid_of(token) for token in tokens}) == 1
        for world in (sqlite_world, other_process):
            await rotation(world).check()
            assert all([await verifies(world, token) for token in tokens])


@asynchronous
async def test_the_background_goes_on_after_a_busy_storage(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, outcomes = asyncio.Event(), iter([StorageBusyError(retry_after=1.0), None, None])
    check = KeyRotation.check

    async def checked(self: KeyRotation) -> bool:
        error = next(outcomes, None)
        if error is not None:
            raise error
        try:
            return await check(self)
        finally:
            done.set()

    monkeypatch.setattr(KeyRotation, "check", checked)
    await issued(world)
    world.clock.advance(91 * DAY)
    task = asyncio.create_task(rotation(world).run(interval=0.0))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert len(await world.storage.records.list_keys()) == 2


# --- whatever happens ------------------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["issue", "issue", "issue", "check", "check", "rotate", "compromise"]),
        st.sampled_from([0.0, 0.3, 1.0, 60.0, 299.0, 1200.0, 1500.0, 3599.0, 3722.0, 30 * DAY, 88 * DAY]),
    ),
    max_size=20,
)


class Site:
    """Processes on one file, the tokens that they issued, and a client that caches the key set."""

    def __init__(self, worlds: list[World]) -> None:
        self.worlds = worlds
        self.clock = worlds[0].clock
        self.tokens: dict[str, float] = {}
        self.compromised: set[str] = set()
        self.sudden: dict[str, float] = {}  # keys that sign from when they were made, and when that was
        self.copies: list[tuple[float, set[str]]] = []

    async def look(self) -> None:
        self.copies += [(self.clock.now, await published(world)) for world in self.worlds]

    async def act(self, world: World, action: str) -> None:
        if action == "issue":
            token = await issued(world)
            self.tokens[token] = int(self.clock.now) + 3600
        elif action == "check":
            await rotation(world).check()
        elif action == "rotate":
            await rotation(world).rotate()
        else:
            told = await rotation(world).rotate(compromised=True)
            self.compromised.update(told.removed)
            self.sudden[told.signer] = self.clock.now

    async def hold(self) -> None:
        """Check what always holds."""
        now = self.clock.now
        self.tokens = {token: end for token, end in self.tokens.items() if end > now}
        for token in self.tokens:
            kid = kid_of(token)
            for world in self.worlds:
                assert await verifies(world, token) == (kid not in self.compromised)
            if kid in self.compromised or self.sudden.get(kid, -math.inf) >= now - CACHE:
                continue
            for at, copy in self.copies:
                assert at < now - CACHE or kid in copy


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_every_token_verifies_everywhere_until_it_expires_unless_its_key_was_compromised(
    empty_database: Path, actions: list[tuple[int, str, float]]
) -> None:
    async def run(path: Path) -> None:
        first = World(SQLiteStorage(path, notice=timedelta(0)))
        worlds = [first, *(first.sibling(SQLiteStorage(path, notice=timedelta(0))) for _ in range(2))]
        site = Site(worlds)
        site.sudden = dict.fromkeys(await published(first), first.clock.now)
        for which, action, span in actions:
            await site.look()
            first.clock.advance(span)
            await site.look()
            await site.act(worlds[which], action)
            await site.hold()
        for world in worlds:
            await world.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(Path(shutil.copy(empty_database, directory))))


def test_the_verifier_of_a_service_with_an_old_copy_takes_tokens_of_a_new_key(sqlite_world: World) -> None:
    """The real one, with a copy that it fetched 900 seconds before: a cache's 300, and 600 of its own."""

    async def run() -> None:
        told = await rotation(sqlite_world).rotate()
        sqlite_world.clock.now = told.signs_from - 900
        copy = KeySet.from_jwks(await keys(sqlite_world).jwks())
        sqlite_world.clock.now = told.signs_from
        verifier = jwt.Verifier(copy, issuer=ISSUER, audience=ISSUER, typ="at+jwt", clock=sqlite_world.clock)
        assert verifier.verify(await issued(sqlite_world)).key.kid == told.signer

    asyncio.run(run())
